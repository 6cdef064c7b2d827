import { withoutUndefined } from "../../json.ts";
import type { BatchJob } from "./job.ts";

/** A job as `--json` has it. Times are ISO 8601; `records` is null until AWS has counted them. */
export function jobDocument(job: BatchJob): Record<string, unknown> {
  const { arn, id, name, status, message, modelId, type, roleArn, inputUri, outputUri, counts } = job;
  const { submitted, modified, ended, expires } = job;
  return withoutUndefined({
    arn,
    id,
    name,
    status,
    message,
    model: modelId,
    invocation: type,
    role: roleArn,
    input: inputUri,
    output: outputUri,
    submitted,
    modified,
    ended,
    expires,
    records: counts ?? null,
  });
}
