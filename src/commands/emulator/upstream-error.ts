import { type ErrorCode, OpenclawError } from "../../errors.ts";
import { AwsError } from "../../emulator/aws-error.ts";
import type { StreamStep } from "../../emulator/emulator.ts";

/** What an upstream's failure is called in Bedrock: the error of Converse, and the exception within a stream. */
interface AwsNames {
  error: string;
  exception: string;
}

const MODEL_FAILED: AwsNames = { error: "ModelErrorException", exception: "modelStreamErrorException" };
const REFUSED: AwsNames = { error: "ValidationException", exception: "validationException" };

/**
 * By this program's own code for the failure; any other is the model's. Names are those of the service model of Bedrock
 * Runtime. A key that the upstream rejects is not the caller's, but AccessDenied is what makes a client stop.
 */
const NAMES: Partial<Record<ErrorCode, AwsNames>> = {
  throttled: { error: "ThrottlingException", exception: "throttlingException" },
  "quota-exceeded": { error: "ServiceQuotaExceededException", exception: "throttlingException" },
  "service-unavailable": { error: "ServiceUnavailableException", exception: "serviceUnavailableException" },
  network: { error: "ServiceUnavailableException", exception: "modelStreamErrorException" },
  timeout: { error: "ModelTimeoutException", exception: "modelStreamErrorException" },
  "credentials-rejected": { error: "AccessDeniedException", exception: "modelStreamErrorException" },
  "access-denied": { error: "AccessDeniedException", exception: "modelStreamErrorException" },
  "model-not-found": { error: "ResourceNotFoundException", exception: "modelStreamErrorException" },
  "input-too-long": REFUSED,
  "invalid-request": REFUSED,
  "bad-attachment": REFUSED,
  blocked: REFUSED,
};

/** The error that AWS would answer with in place of the upstream's failure. */
export function toAwsError(failure: unknown): AwsError {
  if (failure instanceof AwsError) return failure;
  return new AwsError(namesOf(failure).error, messageOf(failure));
}

/** The exception that breaks a stream off which the upstream breaks off. */
export function toExceptionStep(failure: unknown): StreamStep {
  const { exception } = namesOf(failure);
  const message = messageOf(failure);
  const status = failure instanceof OpenclawError ? failure.details?.["status"] : undefined;
  const original =
    exception === MODEL_FAILED.exception
      ? { originalMessage: message, ...(typeof status === "number" ? { originalStatusCode: status } : {}) }
      : {};
  return { exception, payload: { message, ...original } };
}

function namesOf(failure: unknown): AwsNames {
  return (failure instanceof OpenclawError ? NAMES[failure.code] : undefined) ?? MODEL_FAILED;
}

/** What is no error of this program is a connection that broke; the words for that are Node's, and mean nothing here. */
function messageOf(failure: unknown): string {
  return failure instanceof OpenclawError ? failure.message : "The model's server broke its answer off.";
}
