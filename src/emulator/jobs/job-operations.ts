import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { AwsError, describeBreach, constraintError, validationError } from "../aws-error.ts";
import { Catalogue } from "../catalogue.ts";
import { fieldOf, json, type OperationContext, regionOf, type Reply } from "../operation-context.ts";
import type { Needs } from "../permissions.ts";
import type { RecordedCall } from "../recorded-call.ts";
import { batchQuotas } from "../service-quotas.ts";
import { hasBatch } from "./batch-models.ts";
import { isEnd, type Job } from "./job.ts";
import { checkJobIdentifier, readJobList, readJobRequest } from "./job-request.ts";
import { runJob } from "./run-job.ts";

/** Page length of a list when the client asks for none: short, so that who reads only the first page is found out. */
const DEFAULT_PAGE = 20;

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html. Throws `AwsError`, as do all. */
export function createJob(call: RecordedCall, context: OperationContext): Reply {
  const { account, jobBook, now } = context;
  const region = regionOf(call, context);
  const request = readJobRequest(call.body);
  const here = jobBook.jobs.filter((job) => job.region === region);
  const token = request.clientRequestToken;
  const former = here.find((job) => token !== undefined && job.request.clientRequestToken === token);
  if (former && isDeepStrictEqual(former.body, call.body)) return json({ jobArn: former.arn });
  if (former)
    // AWS has no words of its own for it in any page: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
    throw new AwsError(
      "ConflictException",
      "The client request token was used before with other parameters.",
    );
  const catalogue = new Catalogue(account, region);
  const { model } = catalogue.resolveModel(request.modelId);
  if (!hasBatch(model))
    // https://github.com/stdapi-ai/stdapi.ai/issues/292 (measured)
    throw validationError("Batch inference is not supported for the requested model");
  account.gates.pass(model, region);
  if (/^arn:[^:]+:iam::(\d{12})/.exec(request.roleArn)?.[1] !== account.id)
    throw new AwsError("AccessDeniedException", "Cross-account pass role is not allowed.");
  if (here.some((job) => job.request.jobName === request.jobName))
    throw validationError("The provided job name is currently in use.");
  const { mostJobs } = batchQuotas(model, context.quotas, context.leastRecords);
  const busy = here.filter(
    (job) => !isEnd(job.status) && catalogue.resolveModel(job.request.modelId).model === model,
  );
  if (busy.length >= mostJobs)
    throw new AwsError(
      "ServiceQuotaExceededException",
      "You have exceeded the number of in-progress and submitted batch inference jobs for this model.",
    );
  const id = newJobId();
  const time = now();
  const job: Job = {
    id,
    arn: catalogue.accountArn(`model-invocation-job/${id}`),
    region,
    request,
    body: call.body,
    submitted: time,
    modified: time,
    ended: undefined,
    status: "Submitted",
    message: undefined,
    total: 0,
    succeeded: 0,
    failed: 0,
  };
  jobBook.add(job, () => runJob(job, model, call, context));
  return json({ jobArn: job.arn });
}

function newJobId(): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(randomBytes(12), (byte) => letters[byte % letters.length]).join("");
}

function jobOf(call: RecordedCall, context: OperationContext): Job {
  const identifier = call.parameters["jobIdentifier"] ?? "";
  checkJobIdentifier(identifier);
  const job = context.jobBook.find(identifier.slice(identifier.lastIndexOf("/") + 1));
  const isHere = job?.region === regionOf(call, context);
  if (job && isHere && (job.id === identifier || job.arn === identifier)) return job;
  throw new AwsError("ResourceNotFoundException", "The specified model invocation job could not be found.");
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationJob.html */
export function getJob(call: RecordedCall, context: OperationContext): Reply {
  return json(describeJob(jobOf(call, context)));
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_StopModelInvocationJob.html */
export function stopJob(call: RecordedCall, context: OperationContext): Reply {
  const job = jobOf(call, context);
  if (isEnd(job.status) || job.status === "Stopping")
    throw new AwsError(
      "ConflictException",
      `The model invocation job cannot be stopped because its status is ${job.status}.`,
    );
  job.status = "Stopping";
  job.modified = context.now();
  return json({});
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListModelInvocationJobs.html */
export function listJobs(call: RecordedCall, context: OperationContext): Reply {
  const { query } = call;
  const length = readJobList(query) ?? DEFAULT_PAGE;
  const after = timeOf(query, "submitTimeAfter");
  const before = timeOf(query, "submitTimeBefore");
  const { statusEquals, nameContains = "", sortOrder = "Descending", nextToken } = query;
  const region = regionOf(call, context);
  const found = context.jobBook.jobs.filter(
    (job) =>
      job.region === region &&
      (statusEquals === undefined || job.status === statusEquals) &&
      job.request.jobName.includes(nameContains) &&
      !(job.submitted <= after) &&
      !(job.submitted >= before),
  );
  if (sortOrder === "Descending") found.reverse();
  const start = nextToken === undefined ? 0 : placeOf(nextToken, found);
  const page = found.slice(start, start + length);
  const last = start + length < found.length ? page.at(-1) : undefined;
  return json({
    invocationJobSummaries: page.map(describeJob),
    nextToken: last && Buffer.from(`jobs-behind-${last.id}`).toString("base64url"),
  });
}

/** NaN where it is not asked for, which no time is before or after. */
function timeOf(query: RecordedCall["query"], name: string): number {
  const text = query[name];
  if (text === undefined) return Number.NaN;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw constraintError(describeBreach(text, name, "be a timestamp"));
}

function placeOf(token: string, found: readonly Job[]): number {
  const id = /^jobs-behind-([a-z0-9]{12})$/.exec(Buffer.from(token, "base64url").toString())?.[1];
  const index = found.findIndex((job) => job.id === id);
  if (index !== -1) return index + 1;
  throw validationError("The provided pagination token is invalid.");
}

function describeJob(job: Job): object {
  const { request, submitted, modified, ended, status, message } = job;
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    ...request,
    jobArn: job.arn,
    status,
    message,
    submitTime: time(submitted),
    lastModifiedTime: time(modified),
    endTime: ended === undefined ? undefined : time(ended),
    jobExpirationTime: time(submitted + request.timeoutDurationInHours * 60 * 60 * 1000),
    totalRecordCount: job.total,
    processedRecordCount: job.succeeded + job.failed,
    successRecordCount: job.succeeded,
    errorRecordCount: job.failed,
    tags: undefined,
  };
}

/** Creating needs the action on model and jobs, and passing the role: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-prereq.html */
export const toCreateJob: Needs = ({ body }, catalogue) => {
  const action = "bedrock:CreateModelInvocationJob";
  const { model, profile } = catalogue.resolveModel(String(fieldOf(body, "modelId")));
  const models = profile
    ? [catalogue.profileArn(profile), ...catalogue.destinationArns(profile)]
    : [catalogue.modelArn(model.modelId)];
  const resources = [...models, catalogue.accountArn("model-invocation-job/*")];
  return [
    ...resources.map((resource) => ({ action, resource, context: {} })),
    {
      action: "iam:PassRole",
      resource: String(fieldOf(body, "roleArn")),
      context: { "iam:PassedToService": "bedrock.amazonaws.com" },
    },
  ];
};

export const onJob: Needs = ({ route, parameters }, catalogue) => {
  const identifier = parameters["jobIdentifier"] ?? "";
  const resource = identifier.startsWith("arn:")
    ? identifier
    : catalogue.accountArn(`model-invocation-job/${identifier}`);
  return [{ action: `bedrock:${route}`, resource, context: {} }];
};
