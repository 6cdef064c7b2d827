import {
  ANY,
  checkShape,
  list,
  object,
  oneOf,
  PAGE_LENGTH,
  PAGE_TOKEN,
  type Shape,
  union,
  wholeNumber,
} from "../constraints.ts";
import { requireObject } from "../converse-request.ts";
import { JOB_STATUSES, type JobRequest } from "./job.ts";

const JOB_NAME: Shape = {
  kind: "text",
  min: 1,
  max: 63,
  pattern: /^[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9+\-.]){0,63}$/,
};
const S3_URI: Shape = {
  kind: "text",
  min: 1,
  max: 1024,
  pattern: /^s3:\/\/[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:\/[-!_*'().a-z0-9A-Z]+)*\/?$/,
};
const ACCOUNT: Shape = { kind: "text", pattern: /^[0-9]{12}$/ };
const KMS_KEY: Shape = {
  kind: "text",
  min: 1,
  max: 2048,
  pattern:
    /^(arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:[0-9]{12}:(key\/[a-zA-Z0-9-]{36}|alias\/[a-zA-Z0-9-_/]+)|[a-zA-Z0-9-]{36}|alias\/[a-zA-Z0-9-_/]+)$/,
};
const NETWORK_ID: Shape = { kind: "text", max: 32, pattern: /^[-0-9a-zA-Z]+$/ };

/** The constraints of CreateModelInvocationJob in the service model of Bedrock, as botocore has it. */
const REQUEST = object(
  {
    jobName: JOB_NAME,
    roleArn: { kind: "text", max: 2048, pattern: /^arn:aws(-[^:]+)?:iam::([0-9]{12})?:role\/.+$/ },
    // Whether it is like an id is said with whether it is one.
    modelId: { kind: "text", min: 1, max: 2048 },
    clientRequestToken: {
      kind: "text",
      min: 1,
      max: 256,
      pattern: /^[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}$/,
    },
    inputDataConfig: union({
      s3InputDataConfig: object(
        { s3Uri: S3_URI, s3InputFormat: oneOf("JSONL"), s3BucketOwner: ACCOUNT },
        "s3Uri",
      ),
    }),
    outputDataConfig: union({
      s3OutputDataConfig: object(
        { s3Uri: S3_URI, s3EncryptionKeyId: KMS_KEY, s3BucketOwner: ACCOUNT },
        "s3Uri",
      ),
    }),
    vpcConfig: object(
      {
        subnetIds: list(NETWORK_ID, { min: 1, max: 16 }),
        securityGroupIds: list(NETWORK_ID, { min: 1, max: 5 }),
      },
      "subnetIds",
      "securityGroupIds",
    ),
    timeoutDurationInHours: { kind: "integer", min: 24, max: 168 },
    modelInvocationType: oneOf("InvokeModel", "Converse"),
    tags: list(
      object(
        {
          key: { kind: "text", min: 1, max: 128, pattern: /^[a-zA-Z0-9\s._:/=+@-]*$/ },
          value: { kind: "text", max: 256, pattern: /^[a-zA-Z0-9\s._:/=+@-]*$/ },
        },
        "key",
        "value",
      ),
      { max: 200 },
    ),
  },
  "jobName",
  "roleArn",
  "modelId",
  "inputDataConfig",
  "outputDataConfig",
);

/** Throws `AwsError` for an identifier that is neither the id nor the ARN of a job. */
export function checkJobIdentifier(jobIdentifier: string): void {
  checkShape({ jobIdentifier }, IDENTIFIED);
}

const IDENTIFIED = object({
  jobIdentifier: {
    kind: "text",
    max: 1011,
    pattern: /^((arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:model-invocation-job\/)?[a-z0-9]{12})$/,
  },
});

/** What a list of jobs may be asked by. */
const LISTED = object({
  statusEquals: oneOf(...JOB_STATUSES),
  nameContains: JOB_NAME,
  maxResults: PAGE_LENGTH,
  nextToken: PAGE_TOKEN,
  sortBy: oneOf("CreationTime"),
  sortOrder: oneOf("Ascending", "Descending"),
  submitTimeAfter: ANY,
  submitTimeBefore: ANY,
});

/** Reads what a list of jobs is asked by: how many at once, at most. Throws `AwsError` for what it cannot be asked by. */
export function readJobList(query: Readonly<Record<string, string>>): number | undefined {
  const maxResults = wholeNumber(query, "maxResults");
  checkShape({ ...query, maxResults }, LISTED);
  return maxResults;
}

/** Reads the body of CreateModelInvocationJob. Throws `AwsError` in the words of the service for what its model constrains. */
export function readJobRequest(body: unknown): JobRequest {
  requireObject(body);
  checkShape(body, REQUEST);
  return {
    modelInvocationType: "InvokeModel",
    timeoutDurationInHours: 24,
    ...Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)),
  } as unknown as JobRequest;
}
