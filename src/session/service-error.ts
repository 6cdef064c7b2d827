import type { HttpResponse, ResponseMetadata } from "@smithy/types";
import { loadRestJsonErrorCode } from "../network/sdk-parts.ts";

/** What the SDK's retry middleware and the error table know an error of a service by. */
interface ServiceError extends Error {
  $metadata?: ResponseMetadata;
  $response?: HttpResponse;
  $retryable?: { throttling?: boolean };
}

/** Errors that the service models as passing, besides those that the SDK knows by their status. */
const RETRYABLE: ReadonlySet<string> = new Set(["ModelNotReadyException"]);

/**
 * The error that an answer of a REST-JSON service stands for, as the SDK's clients read it: name, message, status, request
 * id. An answer that is not JSON is the `SyntaxError` of reading it.
 */
export function readServiceError(response: HttpResponse, text: string): Error {
  const error = readError(response, text);
  error.$metadata = readMetadata(response);
  Object.defineProperty(error, "$response", { value: response, enumerable: false });
  return error;
}

function readError(response: HttpResponse, text: string): ServiceError {
  let body: { message?: string; Message?: string };
  let name: string;
  try {
    body = { ...(text === "" ? {} : (JSON.parse(text) as object)) };
    name = loadRestJsonErrorCode(response, body) ?? "Unknown";
  } catch (failure) {
    return failure instanceof Error ? failure : new Error(String(failure));
  }
  const error: ServiceError = new Error(body.message || body.Message || "UnknownError");
  error.name = name;
  if (RETRYABLE.has(name)) error.$retryable = {};
  return error;
}

/** Status and request id of an answer. */
export function readMetadata({ statusCode, headers }: HttpResponse): ResponseMetadata {
  const requestId =
    headers["x-amzn-requestid"] ?? headers["x-amzn-request-id"] ?? headers["x-amz-request-id"];
  return { httpStatusCode: statusCode, ...(requestId === undefined ? {} : { requestId }) };
}
