import type { ErrorObject } from "openai/resources/shared";
import { wellFormed } from "../../json.ts";
import type { ErrorAnswer } from "../error-answer.ts";

/** OpenAI's types of errors by their status (https://platform.openai.com/docs/guides/error-codes). */
const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
};

/** An error as OpenAI's API tells it. */
export function toErrorBody({ status, code, message, param }: ErrorAnswer): { error: ErrorObject } {
  const isFault = status >= 500;
  const type = isFault ? "server_error" : (TYPES[status] ?? "invalid_request_error");
  // It may repeat what the client wrote, half a character, too.
  return wellFormed({
    error: { message, type: code === "insufficient_quota" ? code : type, param, code },
  });
}
