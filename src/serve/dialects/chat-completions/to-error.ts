import type { ErrorObject } from "openai/resources/shared";
import { type ErrorCode, OpenclawError } from "../../../errors.ts";

/** An error as it is answered. */
export interface ErrorAnswer {
  status: number;
  error: ErrorObject;
  /** Seconds until it is worth to ask again; undefined where that changes nothing. */
  retryAfter: number | undefined;
}

interface Row {
  status: number;
  type: string;
  code: string;
  /** Seconds. */
  retryAfter?: number;
  /** Said in place of the error's own message, which is for whoever runs the server. */
  message?: string;
}

const INVALID = "invalid_request_error";
const SERVER = "server_error";

const NO_ACCESS: Row = {
  status: 503,
  type: SERVER,
  code: "aws_credentials",
  message: "This server has no valid AWS credentials at the moment. Tell whoever runs it: openclaw doctor",
};
const MISCONFIGURED: Row = {
  status: 500,
  type: SERVER,
  code: "server_configuration",
  message: "This server is not configured for this request. Tell whoever runs it: openclaw doctor",
};

/** Status, type and code of each error code, after OpenAI's (https://platform.openai.com/docs/guides/error-codes). */
const ROWS: Readonly<Record<ErrorCode, Row>> = {
  internal: {
    status: 500,
    type: SERVER,
    code: "internal_error",
    message: "This server met a bug of its own.",
  },
  usage: MISCONFIGURED,
  "config-unreadable": MISCONFIGURED,
  "config-invalid": MISCONFIGURED,
  "config-not-set": MISCONFIGURED,
  "config-readonly": MISCONFIGURED,
  "no-default-model": MISCONFIGURED,
  "no-credentials": NO_ACCESS,
  "credentials-expired": NO_ACCESS,
  "credentials-rejected": NO_ACCESS,
  "access-denied": { status: 403, type: "permission_error", code: "access_denied" },
  "model-access": { status: 403, type: "permission_error", code: "model_access_denied" },
  throttled: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: 5 },
  "quota-exceeded": { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
  "service-unavailable": { status: 503, type: SERVER, code: "service_unavailable", retryAfter: 5 },
  timeout: { status: 504, type: SERVER, code: "timeout" },
  network: { status: 502, type: SERVER, code: "network_error" },
  "bad-response": { status: 502, type: SERVER, code: "bad_response" },
  "stream-broken": { status: 502, type: SERVER, code: "stream_broken" },
  "model-error": { status: 502, type: SERVER, code: "model_error" },
  "model-not-found": { status: 404, type: INVALID, code: "model_not_found" },
  "needs-inference-profile": { status: 400, type: INVALID, code: "needs_inference_profile" },
  "input-too-long": { status: 400, type: INVALID, code: "context_length_exceeded" },
  "invalid-request": { status: 400, type: INVALID, code: "invalid_request" },
  "bad-attachment": { status: 400, type: INVALID, code: "invalid_file" },
  blocked: { status: 400, type: INVALID, code: "content_filter" },
  interrupted: { status: 503, type: SERVER, code: "shutting_down", retryAfter: 1 },
};

const PARAMS: Partial<Record<ErrorCode, string>> = {
  "model-not-found": "model",
  "needs-inference-profile": "model",
  "model-access": "model",
  "input-too-long": "messages",
  "bad-attachment": "messages",
};

/** Turns whatever was thrown into OpenAI's error and its HTTP status. What is not an `OpenclawError` is a bug of ours. */
export function toErrorAnswer(failure: unknown): ErrorAnswer {
  const error =
    failure instanceof OpenclawError
      ? failure
      : new OpenclawError("internal", { message: String(failure), cause: failure });
  const row = rowOf(error);
  const details = error.details ?? {};
  const hint = error.code === "model-not-found" && error.hint?.startsWith("Did you mean") ? error.hint : "";
  return {
    status: row.status,
    error: {
      message: row.message ?? [error.message, hint].filter((text) => text !== "").join(" "),
      type: row.type,
      param: textOf(details["param"]) ?? PARAMS[error.code] ?? null,
      code: textOf(details["openaiCode"]) ?? row.code,
    },
    retryAfter: typeof details["retryAfter"] === "number" ? details["retryAfter"] : row.retryAfter,
  };
}

/** An answer that does not fit what it was held to is the model's fault, not that of the request. */
function rowOf({ code, details }: OpenclawError): Row {
  return code === "invalid-request" && details?.["rawText"] !== undefined ? ROWS["model-error"] : ROWS[code];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
