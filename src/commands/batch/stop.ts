import { findJob } from "../../batch/jobs/find-job.ts";
import { getJob, isOver, stopJob, withPlaceOf } from "../../batch/jobs/job.ts";
import { jobDocument } from "../../batch/jobs/job-document.ts";
import { OpenclawError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

export interface StopOptions extends GlobalOptions {
  /** ARN, id or name. */
  job: string;
}

/** Stops a batch inference job; what it has answered stays, and is paid. Throws as `findJob`, `invalid-request` for one that has ended. */
export async function run(options: StopOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { job, session } = await findJob(options.job, options, runtime);
  const results = `openclaw batch results ${quoteForShell(job.id)}`;
  try {
    if (isOver(job))
      throw new OpenclawError("invalid-request", {
        message: `The job ${job.name} (${job.id}) has ended: it is ${job.status}.`,
        hint: `See its results: ${results}`,
        details: { job: job.arn, status: job.status },
      });
    await stopJob(session, job.arn);
    const stopped = await getJob(session, job.arn);
    if (terminal.format === "json") return terminal.printJson(jobDocument(stopped));
    await terminal.print(`The job ${terminal.foreign(job.name)} is ${stopped.status}.`);
    terminal.note(`openclaw: what it has answered by then: ${results}`);
  } catch (error) {
    throw withPlaceOf(error, job);
  } finally {
    session.close();
  }
}
