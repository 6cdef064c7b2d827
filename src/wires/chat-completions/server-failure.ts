import { OpenclawError } from "../../errors.ts";
import { findFailureRow } from "./failure-table.ts";
import type { OpenaiServer } from "./server.ts";
import { readServerMessage, type ServerMessage } from "./server-message.ts";

/** An error is two lines: what is longer than this, in characters, is in its details. */
const LONGEST_MESSAGE = 1000;

/** A failed answer, as it came. */
export interface FailedAnswer {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What stands around a failed call. */
export interface FailureContext {
  server: OpenaiServer;
  model: string | undefined;
  /** Takes secrets out of what a server says: it may repeat what it was sent. */
  hide: (text: string) => string;
}

/** The error for an answer with a status from 300 up, or of the wrong kind, by the failure table. */
export function toServerFailure(answer: FailedAnswer, setup: FailureContext): OpenclawError {
  const { status, headers } = answer;
  const location = headers["location"];
  return failureOf(readServerMessage(parseJson(answer.body)), status, setup, {
    location: location === undefined ? undefined : hostOf(location),
    requestId: requestIdOf(headers),
    retryAfter: headers["retry-after-ms"] ? `${headers["retry-after-ms"]} ms` : headers["retry-after"],
  });
}

/**
 * The error for what a server says in the middle of its stream: by the failure table where it names a status or a known
 * word, else `stream-broken`.
 */
export function toStreamFailure(data: unknown, setup: FailureContext): OpenclawError {
  const said = readServerMessage(data) ?? { message: describe(data), words: [], status: undefined };
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
  { server, model, hide }: FailureContext,
  more: { location?: string | undefined; requestId?: string | undefined; retryAfter?: string | undefined },
): OpenclawError {
  const text = said === undefined ? "" : hide(oneLine(said.message));
  const row = findFailureRow(
    status,
    [...(said?.words ?? []), said?.message ?? ""].join(" "),
    said !== undefined,
  );
  const context = {
    name: server.name,
    url: server.shownUrl,
    message: text.slice(0, LONGEST_MESSAGE),
    status,
    model,
    keyPlace: server.keyPlace,
    location: more.location,
  };
  return new OpenclawError(row.code, {
    message: row.message(context),
    hint: row.hint(context),
    requestId: more.requestId,
    details: {
      status,
      ...(text === "" ? {} : { serverMessage: text }),
      ...(more.retryAfter === undefined ? {} : { retryAfter: more.retryAfter }),
    },
  });
}

/** The status that the words of an error in a stream stand for, where they name a kind that passes. */
function statusOfWords(words: string): number | undefined {
  if (/insufficient_quota|rate_?limit|too_many_requests/i.test(words)) return 429;
  if (/overloaded|server_error|internal_?error|unavailable/i.test(words)) return 503;
  return /context_length_exceeded|exceed_context_size|invalid_request/i.test(words) ? 400 : undefined;
}

/** The request id that OpenAI, Azure, LiteLLM and others send. */
export function requestIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  return headers["x-request-id"] ?? headers["apim-request-id"] ?? headers["x-litellm-call-id"];
}

function describe(data: unknown): string {
  return typeof data === "string" && data !== "" ? data : "no reason given";
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ").trim();
}

function hostOf(location: string): string {
  return URL.canParse(location) ? new URL(location).host : "another address";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is not JSON is not this API's; its status is all there is to go by.
    return undefined;
  }
}
