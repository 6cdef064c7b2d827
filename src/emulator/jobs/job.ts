import { setMaxListeners } from "node:events";
import type { JsonObject } from "../../json.ts";

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationJob.html */
export const JOB_STATUSES = [
  "Submitted",
  "InProgress",
  "Completed",
  "Failed",
  "Stopping",
  "Stopped",
  "PartiallyCompleted",
  "Expired",
  "Validating",
  "Scheduled",
] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];

/** After which nothing happens to a job any more. */
const ENDS: readonly JobStatus[] = ["Completed", "Failed", "Stopped", "PartiallyCompleted", "Expired"];

export function isEnd(status: string): status is JobStatus {
  return (ENDS as readonly string[]).includes(status);
}

/** What a job was created with, as it came. */
export interface JobRequest {
  readonly jobName: string;
  readonly roleArn: string;
  readonly modelId: string;
  readonly clientRequestToken: string | undefined;
  readonly inputDataConfig: { readonly s3InputDataConfig: JsonObject & { readonly s3Uri: string } };
  readonly outputDataConfig: {
    readonly s3OutputDataConfig: JsonObject & { readonly s3Uri: string; readonly s3EncryptionKeyId?: string };
  };
  readonly modelInvocationType: "InvokeModel" | "Converse";
  readonly timeoutDurationInHours: number;
  readonly vpcConfig: unknown;
}

export interface Job {
  /** Twelve letters and digits. */
  readonly id: string;
  readonly arn: string;
  readonly region: string;
  readonly request: JobRequest;
  /** The whole body of the request, to know it again. */
  readonly body: unknown;
  /** Milliseconds since 1970. */
  readonly submitted: number;
  modified: number;
  ended: number | undefined;
  status: JobStatus;
  message: string | undefined;
  total: number;
  succeeded: number;
  failed: number;
}

/** So many jobs are remembered; those that have ended are forgotten first, the oldest before the others. */
const MOST_JOBS = 1000;

/** The jobs of the account, and the work that goes on for them. */
export class JobBook {
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor() {
    // Each job that runs listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Aborted when the emulator ends. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** In the order in which they were created. */
  get jobs(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  find(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Takes a job up, whose work is `run`. */
  add(job: Job, run: () => Promise<void>): void {
    this.#jobs.set(job.id, job);
    const ended = this.jobs.filter(({ status }) => isEnd(status));
    for (const { id } of ended.slice(0, Math.max(this.#jobs.size - MOST_JOBS, 0))) this.#jobs.delete(id);
    const work = run();
    this.#running.add(work);
    // A bug in it is told when the emulator ends; what has ended well is let go of.
    work.then(
      () => this.#running.delete(work),
      () => undefined,
    );
  }

  /** Ends all work. Rejects with the first bug in it. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }
}
