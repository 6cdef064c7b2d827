import { OpenclawError, withFields } from "../../errors.ts";
import { toOpenclawError } from "../../session/aws-errors.ts";
import type { Answer } from "../../session/bedrock-operations.ts";
import type { AwsSession } from "../../session/session.ts";
import { listIn, PageTokens } from "../../session/strange-answer.ts";
import { readPlace, withPlace } from "./job-place.ts";
import type { InvocationType } from "./line-rules.ts";

/** A job of batch inference, as AWS tells of it: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationJob.html */
export interface BatchJob {
  arn: string;
  /** The end of the ARN, which stands for it. */
  id: string;
  name: string;
  status: string;
  /** Why it failed, in AWS's words. */
  message: string | undefined;
  modelId: string;
  type: InvocationType;
  roleArn: string;
  /** What makes a repeated submit the same job. */
  token: string | undefined;
  /** Times as ISO 8601. */
  submitted: string | undefined;
  modified: string | undefined;
  ended: string | undefined;
  expires: string | undefined;
  inputUri: string;
  outputUri: string;
  /** The accounts that the buckets of both have to belong to. */
  inputOwner: string | undefined;
  outputOwner: string | undefined;
  /** Of its records; undefined until AWS has counted them. */
  counts: JobCounts | undefined;
}

export interface JobCounts {
  total: number;
  processed: number;
  succeeded: number;
  failed: number;
}

const ENDED: ReadonlySet<string> = new Set([
  "Completed",
  "PartiallyCompleted",
  "Failed",
  "Stopped",
  "Expired",
]);

/** Whether a job has come to its end, whichever. */
export function isOver({ status }: Pick<BatchJob, "status">): boolean {
  return ENDED.has(status);
}

/** An error about a job, whose hint names where the job reads and writes; whatever else was thrown as it is. */
export function withPlaceOf<Failure>(failure: Failure, { outputUri }: BatchJob): Failure | OpenclawError {
  const place = readPlace(outputUri);
  return place ? withPlace(failure, place) : failure;
}

/** The id of a job: what stands for it in commands and in S3. */
export function idOfJob(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

type JobAnswer = Answer<"GetModelInvocationJob">;

function readJob(answer: JobAnswer): BatchJob {
  const { jobArn = "", inputDataConfig, outputDataConfig } = answer;
  if (jobArn === "")
    throw new OpenclawError("bad-response", {
      message: "The answer about a job names none.",
      hint: "Check who answers: openclaw doctor",
    });
  const input = inputDataConfig?.s3InputDataConfig;
  const output = outputDataConfig?.s3OutputDataConfig;
  const { totalRecordCount: total } = answer;
  return {
    arn: jobArn,
    id: idOfJob(jobArn),
    name: answer.jobName ?? "",
    status: answer.status ?? "",
    message: answer.message,
    modelId: answer.modelId ?? "",
    type: answer.modelInvocationType === "Converse" ? "Converse" : "InvokeModel",
    roleArn: answer.roleArn ?? "",
    token: answer.clientRequestToken,
    submitted: answer.submitTime,
    modified: answer.lastModifiedTime,
    ended: answer.endTime,
    expires: answer.jobExpirationTime,
    inputUri: input?.s3Uri ?? "",
    outputUri: output?.s3Uri ?? "",
    inputOwner: input?.s3BucketOwner,
    outputOwner: output?.s3BucketOwner,
    counts:
      total === undefined
        ? undefined
        : {
            total,
            processed: answer.processedRecordCount ?? 0,
            succeeded: answer.successRecordCount ?? 0,
            failed: answer.errorRecordCount ?? 0,
          },
  };
}

/** Asks for a job by its ARN or id. Throws the errors of the error table, `invalid-request` where there is none. */
export async function getJob(session: AwsSession, jobIdentifier: string): Promise<BatchJob> {
  return readJob(
    await explained(session, "GetModelInvocationJob", ({ callBedrock }) =>
      callBedrock(session, "GetModelInvocationJob", { jobIdentifier }),
    ),
  );
}

export interface JobFilter {
  nameContains?: string | undefined;
  status?: string | undefined;
  most: number;
}

/**
 * What names of jobs are asked for by, which AWS wants to begin as a name does:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListModelInvocationJobs.html
 */
const PART_OF_NAME = /^[-+.]*([a-zA-Z0-9][-+.a-zA-Z0-9]{0,62})?$/;

/** The jobs of the account in the session's region, the latest first. Throws the errors of the error table. */
export async function listJobs(session: AwsSession, filter: JobFilter): Promise<BatchJob[]> {
  const { nameContains = "", status, most } = filter;
  const part = PART_OF_NAME.exec(nameContains);
  // No job can be called so.
  if (!part) return [];
  const [, asked] = part;
  const jobs: BatchJob[] = [];
  const answered = { session, service: "bedrock" } as const;
  const tokens = new PageTokens();
  let nextToken: string | undefined;
  do {
    const answer = await explained(session, "ListModelInvocationJobs", ({ callBedrock }) =>
      callBedrock(session, "ListModelInvocationJobs", {
        // The SDK's type knows only the states that its release had.
        ...(status === undefined ? {} : { statusEquals: status as "Completed" }),
        ...(asked === undefined ? {} : { nameContains: asked }),
        maxResults: Math.min(PAGE, most - jobs.length),
        ...(nextToken === undefined ? {} : { nextToken }),
        sortBy: "CreationTime",
        sortOrder: "Descending",
      }),
    );
    const page = listIn(answer.invocationJobSummaries, "jobs", answered);
    const read = page.map((summary) => readJob((summary ?? {}) as JobAnswer));
    jobs.push(...read.filter(({ name }) => name.includes(nameContains)));
    nextToken = tokens.next(answer.nextToken, "jobs", answered);
  } while (nextToken !== undefined && jobs.length < most);
  return jobs.slice(0, most);
}

const PAGE = 100;

/** Stops a job; what has been answered stays. Throws the errors of the error table. */
export async function stopJob(session: AwsSession, jobIdentifier: string): Promise<void> {
  await explained(session, "StopModelInvocationJob", ({ callBedrock }) =>
    callBedrock(session, "StopModelInvocationJob", { jobIdentifier }),
  );
}

/** Calls an operation about jobs. Throws the errors of the error table. */
export async function explained<T>(
  session: AwsSession,
  operation: string,
  work: (operations: typeof import("../../session/bedrock-operations.ts")) => Promise<T>,
  about: { modelId?: string; jobName?: string } = {},
): Promise<T> {
  try {
    return await work(await import("../../session/bedrock-operations.ts"));
  } catch (failure) {
    const action = `bedrock:${operation}`;
    throw toOpenclawError(failure, { session, action, ...about });
  }
}

/**
 * The error that a job ended in; undefined for one that has answered, or goes on. Why it failed is read by the table of AWS's
 * errors. `again` is the command that does what it was for once more.
 */
export function failureOf(job: BatchJob, session: AwsSession, again: string): OpenclawError | undefined {
  const { status, message = "AWS gives no reason.", id, name, counts } = job;
  const done = counts ? `, ${counts.processed} of ${counts.total} records processed` : "";
  const details = { job: job.arn, status };
  switch (status) {
    case "Failed": {
      const refusal = Object.assign(new Error(message), { name: "ValidationException" });
      const known = toOpenclawError(refusal, {
        session,
        action: "bedrock:CreateModelInvocationJob",
        modelId: job.modelId,
      });
      return withFields(withPlaceOf(known, job), {
        message: `The job ${name} (${id}) has failed: ${message}`,
        details: { ...known.details, ...details },
      });
    }
    case "PartiallyCompleted":
      return new OpenclawError("timeout", {
        message: `The job ${name} (${id}) ended before all of it was done${done}.`,
        hint: again,
        details,
      });
    case "Expired":
      return new OpenclawError("timeout", {
        message: `The job ${name} (${id}) has expired${done}.`,
        hint: again,
        details,
      });
    case "Stopped":
      return new OpenclawError("timeout", {
        message: `The job ${name} (${id}) was stopped${done}.`,
        hint: again,
        details,
      });
    default:
      return undefined;
  }
}
