import type { ErrorResponse, ErrorType } from "@anthropic-ai/sdk/resources/shared";
import { wellFormed } from "../../../json.ts";
import type { ToldError } from "../../dialect.ts";
import type { ErrorAnswer } from "../../error-answer.ts";

/** Anthropic's types of errors by their status: https://platform.claude.com/docs/en/api/errors */
const TYPES: Readonly<Record<number, ErrorType>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  413: "request_too_large" as ErrorType,
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The code that lets the SDK send a conversation whole that the server is to have kept, and has not. */
export const THREAD_NOT_FOUND = "thread_not_found";

/** What Anthropic answers where nobody can answer now: clients know it better than 503. */
const OVERLOADED = 529;

/** An error as Anthropic's API tells it. */
export function toMessageError(error: ErrorAnswer, requestId: string): ToldError {
  const status = error.status === 503 ? OVERLOADED : error.status;
  return {
    status,
    body: errorBody(error, requestId),
  };
}

/** The same as what ends a stream. */
export function errorBody({ status, code, message, param }: ErrorAnswer, requestId: string): ErrorResponse {
  const known = TYPES[status === 503 ? OVERLOADED : status];
  const type = known ?? (status >= 500 ? "api_error" : "invalid_request_error");
  const isNamed = param === null || message.includes(param);
  // It may repeat what the client wrote, half a character, too.
  return wellFormed({
    type: "error" as const,
    error: {
      type,
      message: isNamed ? message : `${param}: ${message}`,
      ...(code === THREAD_NOT_FOUND ? { details: { error_code: code } } : {}),
    },
    request_id: requestId,
  }) as ErrorResponse;
}
