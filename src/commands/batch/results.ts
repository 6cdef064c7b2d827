import path from "node:path";
import { findJob, type FoundJob } from "../../batch/jobs/find-job.ts";
import { type BatchJob, failureOf, isOver, withPlaceOf } from "../../batch/jobs/job.ts";
import type { AskedLines, FailedLines, Joined } from "../../batch/jobs/join-results.ts";
import { countJob, JobUse } from "../../batch/jobs/job-use.ts";
import { readPlace } from "../../batch/jobs/job-place.ts";
import { ResultRecords } from "../../batch/jobs/result-records.ts";
import { watchJob } from "../../batch/jobs/watch-job.ts";
import { checkBatchInput } from "../../batch/lines/check-input.ts";
import { type BatchInput, openBatchInput } from "../../batch/lines/open-input.ts";
import { type OutputFormat, USUAL_FORMAT } from "../../batch/lines/output-forms.ts";
import { followLinks } from "../../disk/atomic-write.ts";
import { namesStdout, openOutput, requireResultsFile } from "../../disk/output-file.ts";
import { EXIT_CODES, OpenclawError, shorten, usageError, withFields } from "../../errors.ts";
import { formatUsd, tokensInAndOut } from "../../models/usage.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { ObjectStore as Store } from "../../session/object-store.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { count } from "../../terminal/numbers.ts";
import { withSpinner } from "../../terminal/spinner.ts";

export interface ResultsOptions extends GlobalOptions {
  /** ARN, id or name; undefined for the last one that was submitted from this machine. */
  job?: string;
  output?: string;
  /** File for the lines that failed. */
  failed?: string;
  /** The file that was submitted. */
  input?: string;
  format?: OutputFormat;
  wait?: boolean;
}

/**
 * Writes the results of a batch inference job in the order of its lines, a line each, and tells which have no answer and why.
 * Throws as `findJob`, `service-unavailable` for a job that goes on, the error that it ended in, and that of most lines
 * without an answer.
 */
export async function run(options: ResultsOptions, runtime: Runtime): Promise<void> {
  const { output: name } = options;
  requireResultsFile(name, runtime.terminal);
  await judgeFiles(options, runtime);
  const found = await findJob(options.job, options, runtime);
  try {
    const output = name === undefined ? [] : ["-o", quoteForShell(name)];
    const waiting = ["openclaw batch results", quoteForShell(found.job.id), ...output, "--wait"].join(" ");
    const job = options.wait ? await watchJob(found.job, found.session, waiting) : found.job;
    if (!isOver(job))
      throw new OpenclawError("service-unavailable", {
        message: `The job ${job.name} (${job.id}) has not ended: it is ${job.status}.`,
        hint: `Wait for it: ${waiting}`,
        details: { job: job.arn, status: job.status },
      });
    await writeResults({ ...found, job }, options, runtime);
  } catch (error) {
    throw withPlaceOf(error, found.job);
  } finally {
    found.session.close();
  }
}

async function writeResults(found: FoundJob, options: ResultsOptions, runtime: Runtime): Promise<void> {
  const { job, session } = found;
  const failure = failureOf(job, session, hintOf(options, job));
  const place = readPlace(job.outputUri);
  if (job.status === "Failed" || place === undefined)
    throw (
      failure ??
      new OpenclawError("bad-response", {
        message: `The job ${job.id} has no output.`,
        hint: `openclaw batch status ${quoteForShell(job.id)}`,
      })
    );
  const [{ ObjectStore }, { joinResults }] = await Promise.all([
    import("../../session/object-store.ts"),
    import("../../batch/jobs/join-results.ts"),
  ]);
  const store = await ObjectStore.open(session, { name: place.bucket, owner: job.outputOwner });
  let inputStore: Store | undefined;
  const openInput = async (): Promise<Store> => {
    const { bucket: name = place.bucket } = readPlace(job.inputUri) ?? {};
    return (inputStore ??= await ObjectStore.open(session, { name, owner: job.inputOwner }));
  };
  const file = options.input === undefined ? undefined : await openBatchInput(options.input, runtime);
  try {
    const asked = await judgeInput(file, found, runtime);
    const format = decideFormat(options.format, found, asked);
    const output = await openOutput(options.output ?? "-", "-o", runtime);
    const failedOutput =
      options.failed === undefined ? undefined : await openOutput(options.failed, "--failed", runtime);
    try {
      const use = new JobUse(job, session);
      const records = await withSpinner(runtime, "Reading the results from S3", () =>
        ResultRecords.read(job, store, runtime, (record) => use.add(record)),
      );
      try {
        use.addManifest(records.manifest);
        const joined = await joinResults(
          job,
          records,
          openInput,
          {
            format,
            asked,
            costOf: use.costOf,
            write: (line) => output.write(line),
            writeFailed: failedOutput && ((line) => failedOutput.write(line)),
          },
          runtime,
        );
        await output.commit();
        await failedOutput?.commit();
        await countJob(use, session);
        await tell(joined, { job, use, failure, options }, runtime);
      } finally {
        await records.close();
      }
    } finally {
      await output.close();
      await failedOutput?.close();
    }
  } finally {
    await file?.close();
    store.close();
    inputStore?.close();
  }
}

/** What to do about lines without an answer. */
function hintOf({ failed }: ResultsOptions, { modelId }: BatchJob): string {
  if (failed === undefined)
    return "Write the lines without an answer into a file, to submit or run them again: --failed FILE";
  return `Ask the lines without an answer again: openclaw batch run ${quoteForShell(failed)} -m ${quoteForShell(modelId)}`;
}

/** Throws `usage` where one of the files, whatever links lead to it, would be replaced by another one. */
async function judgeFiles({ output, failed, input }: ResultsOptions, runtime: Runtime): Promise<void> {
  const fileOf = async (name: string | undefined): Promise<string | undefined> =>
    name === undefined || namesStdout(name)
      ? name && "-"
      : followLinks(path.resolve(runtime.currentFolder, name));
  const [results, left, read] = await Promise.all([output ?? "-", failed, input].map(fileOf));
  if (left !== undefined && left === results)
    throw usageError("--failed and -o are one file.", "Name another one for the lines that failed.");
  // The dash of --input is stdin.
  if (read === undefined || read === "-") return;
  if (read === results) throw usageError("-o and --input are one file.", "Name another one for the results.");
  if (read === left)
    throw usageError("--failed and --input are one file.", "Name another one for the lines that failed.");
}

/** Throws `usage` for a file that is not the one that was submitted, as far as that is known. */
async function judgeInput(
  file: BatchInput | undefined,
  { remembered, job }: FoundJob,
  { signal }: Runtime,
): Promise<AskedLines> {
  if (!file) return { file, kind: "bedrock" };
  const isText = remembered?.kind === "text";
  const { sha256, kind } = await checkBatchInput(file, { isText, signal });
  if (remembered === undefined || remembered.sha256 === sha256) return { file, kind };
  throw usageError(
    `${file.label} is not what was submitted as the job ${job.name}: it was changed, or is another file.`,
    "Leave --input out: the lines are in S3, too.",
  );
}

/** The form that was asked for, else that of the lines as they were submitted. */
function decideFormat(
  format: OutputFormat | undefined,
  { job, remembered }: FoundJob,
  { file, kind }: AskedLines,
): OutputFormat {
  const usual = USUAL_FORMAT[file ? kind : (remembered?.kind ?? "bedrock")];
  if (job.type === "Converse") return format ?? usual;
  if (format === undefined || format === "bedrock") return "bedrock";
  throw usageError(
    `The answers of this job are in their model's own words, which --format ${format} has no place for.`,
    "Leave --format out.",
  );
}

interface Told {
  job: BatchJob;
  use: JobUse;
  failure: OpenclawError | undefined;
  options: ResultsOptions;
}

async function tell(joined: Joined, told: Told, { terminal }: Runtime): Promise<void> {
  const { job, use, failure, options } = told;
  const { lines, answered, failed } = joined;
  const document = {
    job: job.arn,
    status: job.status,
    output: options.output ?? null,
    failedOutput: options.failed ?? null,
    lines,
    answered,
    failed: failed.map(({ code, awsCode, lines: own, first }) => ({
      code,
      awsCode: awsCode ?? null,
      lines: own,
      first,
    })),
    usage: use.usage,
    cost: use.cost,
  };
  terminal.note(
    `openclaw: ${answered} of ${count(lines, "line")} ${lines === 1 ? "has" : "have"} an answer · ${tokensInAndOut(use.usage)} · ${use.cost === null ? "price unknown" : `$${formatUsd(use.cost.usd)} (batch price, estimate)`}`,
  );
  for (const each of failed.toSorted((one, other) => other.lines - one.lines)) tellFailed(each, terminal);
  const error = failure ?? commonest(joined, hintOf(options, job));
  if (!error) return terminal.format === "json" ? terminal.printJson(document) : undefined;
  throw withFields(error, { document });
}

function tellFailed({ code, awsCode, lines, first }: FailedLines, terminal: Runtime["terminal"]): void {
  const named = awsCode === undefined || awsCode === "" ? code : `${code} (${awsCode})`;
  terminal.note(`openclaw: ${lines} × ${named}`);
  for (const { line, recordId, message } of first)
    terminal.note(`  line ${line} (${shorten(recordId, 40)}): ${shorten(message)}`);
  if (lines > first.length) terminal.note(`  … and ${lines - first.length} more`);
}

/** The error that most lines without an answer have; undefined where every line has one. */
function commonest({ lines, answered, failed }: Joined, hint: string): OpenclawError | undefined {
  const [most] = failed.toSorted((one, other) => other.lines - one.lines);
  if (!most) return undefined;
  const { code } = most;
  const without = lines - answered;
  return new OpenclawError(code, {
    message: `${count(without, "line")} of ${lines} ${without === 1 ? "has" : "have"} no answer, most by ${code}.`,
    hint,
    exitCode: EXIT_CODES[code],
  });
}
