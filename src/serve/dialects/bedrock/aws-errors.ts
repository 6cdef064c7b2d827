import { encodeException } from "../../../aws/event-stream.ts";
import { wellFormed } from "../../../json.ts";
import type { ToldError } from "../../dialect.ts";
import type { ErrorAnswer } from "../../error-answer.ts";

/**
 * The exceptions of Bedrock and their statuses, from the service model of Bedrock Runtime, and those that every service of
 * AWS has: https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
 */
const STATUSES = {
  AccessDeniedException: 403,
  InternalServerException: 500,
  ModelErrorException: 424,
  ModelTimeoutException: 408,
  ResourceNotFoundException: 404,
  SerializationException: 400,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  UnknownOperationException: 404,
  ValidationException: 400,
};

type Exception = keyof typeof STATUSES;

/** What AWS calls errors, by their codes; others by their status. */
const BY_CODE: Readonly<Record<string, Exception>> = {
  // Asking again changes nothing: SDKs try again what is throttled.
  insufficient_quota: "ServiceQuotaExceededException",
  invalid_json: "SerializationException",
  method_not_allowed: "UnknownOperationException",
  network_error: "ServiceUnavailableException",
  unknown_url: "UnknownOperationException",
};

const BY_STATUS: Readonly<Record<number, Exception>> = {
  401: "AccessDeniedException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  429: "ThrottlingException",
  500: "InternalServerException",
  502: "ModelErrorException",
  503: "ServiceUnavailableException",
  504: "ModelTimeoutException",
};

/** Statuses that are HTTP's own matter, which AWS's gateway answers with, too. */
const KEPT: ReadonlySet<number> = new Set([405, 408, 413, 415, 431]);

function exceptionOf({ code, status, isFinal }: ErrorAnswer): Exception {
  if (isFinal) return "ServiceQuotaExceededException";
  return BY_CODE[code] ?? BY_STATUS[status] ?? "ValidationException";
}

/** An error as Bedrock tells it: its name in a header, its message in JSON. */
export function toAwsError(error: ErrorAnswer): ToldError {
  const name = exceptionOf(error);
  return {
    status: KEPT.has(error.status) ? error.status : STATUSES[name],
    body: bodyOf(error),
    headers: { "x-amzn-errortype": name },
  };
}

/** Exceptions that a stream may hold: those of ConverseStream are five, and InvokeModelWithResponseStream has one more. */
const IN_STREAMS: Readonly<Record<Exception, string>> = {
  AccessDeniedException: "validationException",
  InternalServerException: "internalServerException",
  ModelErrorException: "modelStreamErrorException",
  ModelTimeoutException: "modelStreamErrorException",
  ResourceNotFoundException: "validationException",
  SerializationException: "validationException",
  ServiceQuotaExceededException: "validationException",
  ServiceUnavailableException: "serviceUnavailableException",
  ThrottlingException: "throttlingException",
  UnknownOperationException: "validationException",
  ValidationException: "validationException",
};

/** The last frame of a stream that fails on its way. */
export function exceptionFrame(error: ErrorAnswer): Uint8Array {
  return encodeException(IN_STREAMS[exceptionOf(error)], bodyOf(error));
}

/** It may repeat what the client wrote, half a character, too. */
function bodyOf({ message }: ErrorAnswer): { message: string } {
  return wellFormed({ message });
}
