import { openSessionFor } from "../../batch/jobs/find-job.ts";
import { type BatchJob, listJobs } from "../../batch/jobs/job.ts";
import { jobDocument } from "../../batch/jobs/job-document.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { Style } from "../../terminal/color.ts";
import { formatAge } from "../../terminal/numbers.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { printList } from "../../terminal/print-list.ts";
import type { Cell, Column } from "../../terminal/table.ts";

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
  { title: "Name", dropOrder: 2, least: 16, enough: 32 },
  { title: "Model", dropOrder: 5, least: 20 },
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
  await printList(
    {
      items: jobs,
      columns: COLUMNS,
      toCells: (job, style) => cellsOf(job, runtime, style),
      toFields: fieldsOf,
      nothing: `There is no such job in ${region}.`,
    },
    terminal,
  );
  if (jobs.length === limit) terminal.note(`openclaw: these are the latest ${limit}; --limit shows more.`);
}

function cellsOf(
  { id, name, status, modelId, submitted, counts }: BatchJob,
  { terminal, now }: Runtime,
  style: Style,
): Cell[] {
  return [
    { text: id, look: style.cyan },
    status,
    counts ? `${counts.processed}/${counts.total}` : "",
    counts && counts.failed > 0 ? String(counts.failed) : "",
    submitted === undefined ? "" : `${formatAge(now() - Date.parse(submitted))} ago`,
    terminal.foreign(name),
    { text: modelId, look: style.dim },
  ];
}

function fieldsOf({ id, name, status, modelId, submitted, counts }: BatchJob): (string | number)[] {
  const { processed = "", total = "", failed = "" } = counts ?? {};
  return [id, name, status, processed, total, failed, submitted ?? "", modelId];
}
