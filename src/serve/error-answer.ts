import { type ErrorCode, OpenclawError } from "../errors.ts";
import { textAt } from "../json.ts";
import { findNetworkRow } from "../network/network-errors.ts";
import { secondsAsked } from "../network/retry-after.ts";

/** An error as it is answered, in the form of no dialect yet. */
export interface ErrorAnswer {
  status: number;
  /** A word for programs. */
  code: string;
  message: string;
  /** The field of the request at fault. */
  param: string | null;
  /** Seconds until it is worth to ask again; undefined where that changes nothing. */
  retryAfter?: number | undefined;
  /** Whether clients should not try again by themselves, although the status says so. */
  isFinal?: boolean;
}

interface Row {
  status: number;
  code: string;
  /** Seconds. */
  retryAfter?: number;
  /** Said in place of the error's own message, which is for whoever runs the server. */
  message?: string;
  param?: string;
}

/** Nothing that the client or a later try could mend, so a status that clients do not try again at. */
const NO_ACCESS: Row = {
  status: 403,
  code: "aws_credentials",
  message: "This server has no valid AWS credentials at the moment. Tell whoever runs it: its log says why.",
};
/** Of a server that is not AWS's, whose key is the configuration's. */
const NO_KEY: Row = {
  status: 403,
  code: "provider_credentials",
  message:
    "This server has no valid key for the service of the model. Tell whoever runs it: its log says why.",
};
/** Said where the error's own message names endpoint, proxy and who set them, which are not its clients' business. */
const UNREACHED = "This server cannot reach the service of the model at the moment. Its log says why.";
const STRANGE = "The service of the model did not answer as it should. The log of this server says how.";
const MISCONFIGURED: Row = {
  status: 500,
  code: "server_configuration",
  message: "This server is not configured for this request. Tell whoever runs it: its log says why.",
};

/** Status and code of each error code, after OpenAI's (https://platform.openai.com/docs/guides/error-codes). */
const ROWS: Readonly<Record<ErrorCode, Row>> = {
  internal: { status: 500, code: "internal_error", message: "This server met a bug of its own." },
  usage: MISCONFIGURED,
  "config-unreadable": MISCONFIGURED,
  "config-invalid": MISCONFIGURED,
  "config-not-set": MISCONFIGURED,
  "config-readonly": MISCONFIGURED,
  "no-default-model": MISCONFIGURED,
  "no-credentials": NO_ACCESS,
  "credentials-expired": {
    ...NO_ACCESS,
    message: "The AWS credentials of this server have expired. Tell whoever runs it.",
  },
  "credentials-rejected": NO_ACCESS,
  "access-denied": { status: 403, code: "access_denied" },
  "model-access": { status: 403, code: "model_access_denied", param: "model" },
  throttled: { status: 429, code: "rate_limit_exceeded", retryAfter: 5 },
  "quota-exceeded": { status: 429, code: "insufficient_quota" },
  "service-unavailable": { status: 503, code: "service_unavailable", retryAfter: 5 },
  timeout: { status: 504, code: "timeout" },
  network: { status: 502, code: "network_error", message: UNREACHED },
  "bad-response": { status: 502, code: "bad_response" },
  "stream-broken": { status: 502, code: "stream_broken" },
  "model-error": { status: 502, code: "model_error" },
  // Of the loop of `chat` and of `tools run`: here the client runs the tools.
  "max-steps": { status: 502, code: "max_steps" },
  "tool-failed": { status: 502, code: "tool_failed" },
  "model-not-found": { status: 404, code: "model_not_found", param: "model" },
  "needs-inference-profile": { status: 400, code: "needs_inference_profile", param: "model" },
  "input-too-long": { status: 400, code: "context_length_exceeded", param: "messages" },
  "invalid-request": { status: 400, code: "invalid_request" },
  "bad-attachment": { status: 400, code: "invalid_file", param: "messages" },
  "budget-exceeded": {
    status: 429,
    code: "insufficient_quota",
    message: "The budget of this server is spent. Tell whoever runs it.",
  },
  blocked: { status: 400, code: "content_filter" },
  interrupted: { status: 503, code: "shutting_down", retryAfter: 1 },
};

/** Turns whatever was thrown into an answer. What is not an `OpenclawError` is a bug of ours. */
export function toErrorAnswer(failure: unknown): ErrorAnswer {
  const error =
    failure instanceof OpenclawError
      ? failure
      : new OpenclawError("internal", { message: String(failure), cause: failure });
  const { status, code, retryAfter, message, param } = rowOf(error);
  const details = error.details ?? {};
  const hint = hintForClients(error);
  const isFinal = details["isFinal"] === true;
  const after = secondsAsked(error) ?? (isFinal ? undefined : retryAfter);
  return {
    // Clients try again at it by themselves, which never helps here.
    status: status === 429 && isFinal && after === undefined ? 400 : status,
    code: textAt(details, "openaiCode") ?? code,
    message:
      (details["isForClient"] === true ? undefined : message) ??
      [error.message, hint].filter((text) => text !== "").join(" "),
    param: textAt(details, "param") ?? param ?? null,
    retryAfter: after,
    ...(isFinal ? { isFinal } : {}),
  };
}

/** What a client may read of the hint: most are for whoever runs the server, with flags of the command line. */
function hintForClients({ code, hint, details }: OpenclawError): string {
  if (code === "model-not-found" && hint?.startsWith("Did you mean")) return hint;
  const isGate = code === "model-access" && details?.["gate"] !== undefined;
  return isGate ? "Tell whoever runs this server: its log says what opens it." : "";
}

/** An answer that does not fit what it was held to is the model's fault, unless a field of the request is to blame. */
function rowOf(error: OpenclawError): Row {
  const { code, details } = error;
  if (code === "credentials-rejected" && details && "serverMessage" in details) return NO_KEY;
  const isModels = details?.["rawText"] !== undefined && details["param"] === undefined;
  if (code === "invalid-request" && isModels) return ROWS["model-error"];
  const message = messageForClients(error);
  return message === undefined ? ROWS[code] : { ...ROWS[code], message };
}

/** What is said in place of a message that is about the machinery behind the server; undefined for any other. */
function messageForClients({ code, message, details, cause }: OpenclawError): string | undefined {
  // A model that is slow is the client's business, a connection that is not accepted is not.
  if (code === "timeout" && cause instanceof Error && findNetworkRow(cause)) return UNREACHED;
  const action = code === "access-denied" ? textAt(details ?? {}, "action") : undefined;
  if (action !== undefined) return denialForClients(action);
  // Whoever answers as no service of models does is named first, by its address.
  return ROWS[code].message === undefined && /^https?:/.test(message) ? STRANGE : undefined;
}

/** A denial of IAM's without whose it is: principals, ARNs and policies are those of the account behind the server. */
function denialForClients(action: string): string {
  return `The AWS credentials of this server may not call ${action}. Tell whoever runs it: its log says more.`;
}
