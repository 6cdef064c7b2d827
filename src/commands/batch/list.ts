import { openSessionFor } from "../../batch/jobs/find-job.ts";
import { type BatchJob, listJobs } from "../../batch/jobs/job.ts";
import { jobDocument } from "../../batch/jobs/job-document.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { Style } from "../../terminal/color.ts";
import { formatAge } from "../../terminal/numbers.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { type Column, layoutTable } from "../../terminal/table.ts";

export interface ListOptions extends GlobalOptions {
  status?: string;
  /** Text within names. */
  search?: string;
  limit: number;
}

const COLUMNS: readonly Column[] = [
  { title: "Job" },
  { title: "Status" },
  { title: "Records", align: "right", dropOrder: 1 },
  { title: "Failed", align: "right", dropOrder: 4 },
  { title: "Submitted", align: "right", dropOrder: 3 },
  { title: "Name", dropOrder: 2, least: 16 },
  { title: "Model", dropOrder: 5 },
];

/** Lists the account's batch inference jobs in the region, the latest first. Throws the errors of the error table. */
export async function run(
  { status, search, limit, ...options }: ListOptions,
  runtime: Runtime,
): Promise<void> {
  const { terminal } = runtime;
  const session = await openSessionFor(options, runtime);
  let jobs: BatchJob[];
  try {
    jobs = await withSpinner(runtime, "Asking AWS for its jobs", () =>
      listJobs(session, { status, nameContains: search, most: limit }),
    );
  } finally {
    session.close();
  }
  const { value: region } = session.region;
  if (terminal.format === "json")
    return terminal.printJson({ region, count: jobs.length, jobs: jobs.map(jobDocument) });
  if (jobs.length === 0) return terminal.note(`openclaw: there is no such job in ${region}.`);
  const lines = terminal.isStdoutTTY
    ? tableLines(jobs, runtime, await terminal.stdoutStyle())
    : jobs.map(tabLine);
  await terminal.print(lines.join("\n"));
  if (jobs.length === limit) terminal.note(`openclaw: these are the latest ${limit}; --limit shows more.`);
}

function tableLines(jobs: readonly BatchJob[], { terminal, now }: Runtime, style: Style): string[] {
  const rows = jobs.map(({ id, name, status, modelId, submitted, counts }) => [
    { text: id, look: style.cyan },
    status,
    counts ? `${counts.processed}/${counts.total}` : "",
    counts && counts.failed > 0 ? String(counts.failed) : "",
    submitted === undefined ? "" : `${formatAge(now() - Date.parse(submitted))} ago`,
    terminal.foreign(name),
    { text: modelId, look: style.dim },
  ]);
  return layoutTable(COLUMNS, rows, terminal.columns, style.bold);
}

function tabLine({ id, name, status, modelId, submitted, counts }: BatchJob): string {
  const { processed = "", total = "", failed = "" } = counts ?? {};
  return [id, name, status, processed, total, failed, submitted ?? "", modelId].join("\t");
}
