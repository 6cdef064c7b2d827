import { OpenclawError } from "../errors.ts";
import { parseExactlyIfJson } from "../json-bounds.ts";
import { isRecord, type JsonObject, textAt } from "../json.ts";
import { hostOfRedirect } from "../network/network-errors.ts";
import { secondsToWait } from "../network/retry-after.ts";
import { FAILURE_TABLE, type FailureRow } from "./failure-table.ts";
import type { CalledServer } from "./server.ts";

/** An error is two lines: what is longer than this, in characters, is in its details. */
const LONGEST_MESSAGE = 1000;

export interface FailedAnswer {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface FailedCall {
  server: CalledServer;
  model: string | undefined;
  /** Takes secrets out of what a server says: it may repeat what it was sent. */
  hide: (text: string) => string;
  /** The error for what was said with a status, or sent unreadably, where not the failure table tells. */
  explainSaid?:
    | ((said: ServerMessage | undefined, status: number, model: string | undefined) => OpenclawError)
    | undefined;
}

/** The error for an answer with a status from 300 up, or of the wrong kind, by the failure table. */
export function toServerFailure(answer: FailedAnswer, setup: FailedCall): OpenclawError {
  const { status, headers } = answer;
  const location = headers["location"];
  return failureOf(readServerMessage(parseJson(answer.body)), status, setup, {
    location: location === undefined ? undefined : hostOfRedirect(location),
    requestId: requestIdOf(headers),
    retryAfter: secondsToWait(headers, Date.now()),
  });
}

/**
 * The error for what a server says in the middle of its stream: by the failure table where it names a status or a known
 * word, else `stream-broken`.
 */
export function toStreamFailure(data: unknown, setup: FailedCall): OpenclawError {
  const said = readServerMessage(data) ?? {
    message: describe(data),
    words: [],
    status: undefined,
    refusedField: undefined,
  };
  const status = said.status ?? statusOfWords(said.words.join(" "));
  if (status !== undefined) return failureOf(said, status, setup, {});
  const message = setup.hide(oneLine(said.message));
  return new OpenclawError("stream-broken", {
    message: `${setup.server.name} broke the answer off: ${message}`,
    hint: "Run the command again.",
    details: { serverMessage: message },
  });
}

function failureOf(
  said: ServerMessage | undefined,
  status: number,
  { server, model, hide, explainSaid }: FailedCall,
  {
    location,
    requestId,
    retryAfter,
  }: { location?: string | undefined; requestId?: string | undefined; retryAfter?: number | undefined },
): OpenclawError {
  if (explainSaid) return explainSaid(said, status, model);
  const text = said === undefined ? "" : hide(oneLine(said.message));
  const words = [...(said?.words ?? []), said?.message ?? ""].join(" ");
  const row = FAILURE_TABLE.find(({ when }) => when({ status, words, isReadable: said !== undefined }));
  // The last row has no condition.
  const { code, message, hint } = row as FailureRow;
  const { name, shownUrl, keyPlace, api } = server;
  const shown = text.slice(0, LONGEST_MESSAGE);
  const context = { name, shownUrl, keyPlace, ...(api && { api }), message: shown, status, model, location };
  return new OpenclawError(code, {
    message: message(context),
    hint: hint(context),
    requestId: requestId === undefined ? undefined : hide(requestId),
    details: {
      status,
      serverMessage: text === "" ? undefined : text,
      retryAfter,
      refusedField: said?.refusedField,
    },
  });
}

/**
 * The status that the words of an error in a stream stand for: those of chat completions, Messages, and a response that
 * failed (https://platform.openai.com/docs/api-reference/responses/object#responses/object-error). Undefined for others.
 */
function statusOfWords(words: string): number | undefined {
  if (/insufficient_quota|rate_?limit|too_many_requests/i.test(words)) return 429;
  if (/overloaded|server_error|internal_?error|unavailable|_timeout\b|\b(api|timeout)_error\b/i.test(words))
    return 503;
  return /context_length_exceeded|exceed_context_size|invalid_request|invalid_prompt|image|content_filter|_policy|residency/i.test(
    words,
  )
    ? 400
    : undefined;
}

/** The request id that AWS, OpenAI, Anthropic, Azure, LiteLLM and others send. */
export function requestIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  return (
    headers["x-amzn-requestid"] ??
    headers["x-request-id"] ??
    headers["request-id"] ??
    headers["apim-request-id"] ??
    headers["x-litellm-call-id"]
  );
}

function describe(data: unknown): string {
  return typeof data === "string" && data !== "" ? data : "no reason given";
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ").trim();
}

/** The JSON that a text is; the text itself where it is none, or none within bounds. */
export function parseJson(text: string): unknown {
  const value = parseExactlyIfJson(text);
  return value === undefined ? text : value;
}

/** What a server says about a failure, in whichever of the known shapes it says it. */
export interface ServerMessage {
  message: string;
  /** OpenAI's `code`, else `type`: words such as `context_length_exceeded`; both where both are there. */
  words: string[];
  /** The field that is not known, or not with this value, where the server names one. */
  refusedField: string | undefined;
  /** An HTTP status that stands inside the error, as in errors within a stream. */
  status: number | undefined;
}

/**
 * Reads an error: OpenAI's `{error: {message, type, code}}`, the same of a response that failed, `{error: "…"}` of LM Studio and Text Generation Inference,
 * vLLM's `{object: "error", message, …}`, FastAPI's `{detail}`, and a bare `{message}`. Undefined for anything else.
 */
export function readServerMessage(value: unknown): ServerMessage | undefined {
  if (!isRecord(value)) return undefined;
  const { error, detail, response } = value;
  if (isRecord(response) && isRecord(response["error"])) return fromFields(response["error"]);
  if (isRecord(error)) return fromFields(error, textAt(value, "message"));
  if (typeof error === "string" && error !== "") return { ...fromFields(value, error), message: error };
  if (typeof detail === "string") return fromFields(value, detail);
  if (Array.isArray(detail)) return fromFields(value, detail.map(describeDetail).join("; "));
  return typeof value["message"] === "string" && value["choices"] === undefined
    ? fromFields(value)
    : undefined;
}

/** The events of Responses that end an answer with an error. */
const FAILED_EVENTS: ReadonlySet<unknown> = new Set(["error", "response.failed"]);

/** Whether the data of an event in a stream is an error in place of a chunk. */
export function isErrorData(value: unknown): boolean {
  if (!isRecord(value) || value["choices"] !== undefined) return false;
  if (FAILED_EVENTS.has(value["type"])) return true;
  return (value["error"] !== undefined && value["error"] !== null) || value["object"] === "error";
}

function fromFields(fields: JsonObject, otherwise?: string): ServerMessage {
  const { code, type, error_type: errorType, status } = fields;
  const words = [code, type, errorType].filter(
    (word): word is string => typeof word === "string" && word !== "",
  );
  return {
    message: textAt(fields, "message") || otherwise || words.join(", ") || "no reason given",
    words,
    refusedField: words.some((word) => UNSUPPORTED.test(word)) ? textAt(fields, "param") : undefined,
    status: statusOf(code) ?? statusOf(status),
  };
}

/** OpenAI's codes for a field that the model does not have, or not with this value. */
const UNSUPPORTED = /^(unsupported|unknown)_(parameter|value)$/;

/** LiteLLM puts the status into `code` as a text, vLLM and llama.cpp as a number. */
function statusOf(code: unknown): number | undefined {
  const status = typeof code === "string" && /^\d{3}$/.test(code) ? Number(code) : code;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : undefined;
}

/** One finding of FastAPI's validation: `{loc, msg}`. */
function describeDetail(item: unknown): string {
  if (!isRecord(item)) return String(item);
  const place = Array.isArray(item["loc"]) ? `${item["loc"].join(".")}: ` : "";
  return `${place}${textAt(item, "msg") ?? ""}`;
}
