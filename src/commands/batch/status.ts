import { findJob } from "../../batch/jobs/find-job.ts";
import { type BatchJob, failureOf } from "../../batch/jobs/job.ts";
import { jobDocument } from "../../batch/jobs/job-document.ts";
import { watchJob } from "../../batch/jobs/watch-job.ts";
import { withFields } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { type Fact, printFacts } from "../../terminal/fact-lines.ts";
import { formatAge } from "../../terminal/numbers.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

export interface StatusOptions extends GlobalOptions {
  /** ARN, id or name; undefined for the last one that was submitted from this machine. */
  job?: string;
  wait?: boolean;
}

/**
 * Shows where a batch inference job is; with --wait when it has ended. Throws as `findJob`, and with --wait the error that the
 * job ended in.
 */
export async function run(options: StatusOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { job: found, session } = await findJob(options.job, options, runtime);
  try {
    const goOn = `openclaw batch status ${quoteForShell(found.id)} --wait`;
    const job = options.wait ? await watchJob(found, session, goOn) : found;
    const failure = failureOf(job, session, `openclaw batch results ${quoteForShell(found.id)}`);
    if (options.wait && failure) {
      if (terminal.format === "text") await printJob(job, runtime);
      throw withFields(failure, { document: jobDocument(job) });
    }
    if (terminal.format === "json") await terminal.printJson(jobDocument(job));
    else await printJob(job, runtime);
    if (failure) await terminal.warn(failure.message, failure.hint);
  } finally {
    session.close();
  }
}

async function printJob(job: BatchJob, { terminal, now }: Runtime): Promise<void> {
  const { arn, name, status, modelId, type, counts, submitted, ended, expires, inputUri, outputUri } = job;
  const ago = (time: string | undefined): string | undefined =>
    time === undefined ? undefined : `${formatAge(now() - Date.parse(time))} ago, ${time}`;
  const records =
    counts === undefined
      ? undefined
      : `${counts.processed} of ${counts.total} processed, ${counts.succeeded} answered, ${counts.failed} failed`;
  const facts: Fact[] = [
    ["name", terminal.foreign(name)],
    ["status", status],
    ["records", records],
    ["message", job.message === undefined ? undefined : terminal.foreign(job.message)],
    ["model", `${modelId}${type === "InvokeModel" ? " (InvokeModel)" : ""}`],
    ["submitted", ago(submitted)],
    ["ended", ago(ended)],
    ["expires", ended === undefined ? expires : undefined],
    ["input", inputUri],
    ["output", outputUri],
    ["role", job.roleArn],
    ["arn", arn, "whole"],
  ];
  await printFacts(facts, terminal);
}
