import { ERROR_STATUS, type ErrorName } from "../../../aws/error-status.ts";
import { encodeException } from "../../../aws/event-stream.ts";
import { wellFormed } from "../../../json.ts";
import type { ToldError } from "../../dialect.ts";
import type { ErrorAnswer } from "../../error-answer.ts";

/** What AWS calls errors, by their codes; others by their status. */
const BY_CODE: Readonly<Record<string, ErrorName>> = {
  // Asking again changes nothing: SDKs try again what is throttled.
  insufficient_quota: "ServiceQuotaExceededException",
  invalid_json: "SerializationException",
  method_not_allowed: "UnknownOperationException",
  network_error: "ServiceUnavailableException",
  unknown_url: "UnknownOperationException",
};

const BY_STATUS: Readonly<Record<number, ErrorName>> = {
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

function exceptionOf({ code, status, isFinal }: ErrorAnswer): ErrorName {
  if (isFinal) return "ServiceQuotaExceededException";
  return BY_CODE[code] ?? BY_STATUS[status] ?? "ValidationException";
}

/** An error as Bedrock tells it: its name in a header, its message in JSON. */
export function toAwsError(error: ErrorAnswer): ToldError {
  const name = exceptionOf(error);
  return {
    status: KEPT.has(error.status) ? error.status : ERROR_STATUS[name],
    body: bodyOf(error),
    headers: { "x-amzn-errortype": name },
  };
}

/**
 * Exceptions that a stream may hold: those of ConverseStream are five, and InvokeModelWithResponseStream has one more. Others are
 * told as `validationException`.
 */
const IN_STREAMS: { readonly [Name in ErrorName]?: string } = {
  InternalServerException: "internalServerException",
  ModelErrorException: "modelStreamErrorException",
  ModelTimeoutException: "modelStreamErrorException",
  ServiceUnavailableException: "serviceUnavailableException",
  ThrottlingException: "throttlingException",
};

/** The last frame of a stream that fails on its way. */
export function exceptionFrame(error: ErrorAnswer): Uint8Array {
  return encodeException(IN_STREAMS[exceptionOf(error)] ?? "validationException", bodyOf(error));
}

/** It may repeat what the client wrote, half a character, too. */
function bodyOf({ message }: ErrorAnswer): { message: string } {
  return wellFormed({ message });
}
