import { setTimeout as wait } from "node:timers/promises";
import { asSentence, OpenclawError, withFields } from "../../errors.ts";
import type { AwsSession } from "../../session/session.ts";
import { startSpinner } from "../../terminal/spinner.ts";
import { type BatchJob, getJob, isOver } from "./job.ts";
import { jobDocument } from "./job-document.ts";

/** How long is waited before a job is asked for again, in ms: longer each time. */
const FIRST_MS = 1000;
const GROWTH = 1.5;
const MOST_MS = 60_000;
/** How long nobody may answer, in ms: a job takes up to a day, and a network may be away for a meeting. */
const PATIENCE_MS = 60 * 60_000;
/** What may pass by itself: errors of the network and the service. */
const PASSING = 5;

/**
 * Waits until a job has ended, with a spinner that tells its records, or a line for each of its states in a pipe. `goOn` is the
 * command that goes on waiting: interrupted, the job goes on and the error says that command. Throws the errors of the error
 * table, those of the network when they do not pass.
 */
export async function watchJob(first: BatchJob, session: AwsSession, goOn: string): Promise<BatchJob> {
  const { runtime } = session.setup;
  const { terminal, signal } = runtime;
  const spinner = startSpinner(runtime, { text: tell(first), brief: first.status });
  let job = first;
  let told = "";
  let silentSince: number | undefined;
  try {
    for (let ms = FIRST_MS; !isOver(job); ms = Math.min(ms * GROWTH, MOST_MS)) {
      if (spinner) spinner.wait = { text: tell(job), brief: job.status };
      else if (job.status !== told) terminal.note(`openclaw: ${tell(job)}`);
      told = job.status;
      await wait(ms, undefined, { signal });
      try {
        job = await getJob(session, job.arn);
        silentSince = undefined;
      } catch (error) {
        const now = runtime.elapsed();
        const passes = error instanceof OpenclawError && error.exitCode === PASSING;
        if (!passes || now - (silentSince ?? now) > PATIENCE_MS) throw error;
        if (silentSince === undefined)
          terminal.note(
            `openclaw: ${asSentence(error.message)} The job goes on, and is asked about until AWS answers.`,
          );
        silentSince ??= now;
      }
    }
    return job;
  } catch (error) {
    if (!signal.aborted) throw error instanceof OpenclawError ? withGoOn(error, goOn) : error;
    terminal.note(`openclaw: the job goes on; to wait for it again: ${goOn}`);
    const { reason } = signal as { reason: unknown };
    throw reason instanceof OpenclawError ? withFields(reason, { document: jobDocument(job) }) : reason;
  } finally {
    spinner?.end();
  }
}

function withGoOn(error: OpenclawError, goOn: string): OpenclawError {
  return withFields(error, {
    hint: error.hint === undefined ? goOn : `${asSentence(error.hint)} Then: ${goOn}`,
  });
}

/** Where a job is, in words. */
function tell({ name, status, counts }: BatchJob): string {
  const records =
    counts === undefined || counts.total === 0
      ? ""
      : `, ${counts.processed} of ${counts.total} records${counts.failed > 0 ? `, ${counts.failed} failed` : ""}`;
  return `The job ${name} is ${status}${records}`;
}
