import { crc32, gzipSync } from "node:zlib";
import { encodeEvent } from "../../src/aws/event-stream.ts";
import type { Script, ScriptedAnswer, StreamStep } from "../../src/emulator/script.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { encodeError, textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { modelSummary } from "../helpers/model-summary.ts";

/** What a command has to make of a fault. */
interface Expectation {
  /** Undefined: exit code 0. */
  code?: ErrorCode;
}

interface ChatExpectation extends Expectation {
  /** The text of the answer that reaches stdout, neither more nor less. */
  text: string;
  /** How often the model is called, with two attempts allowed. */
  calls: number;
}

/** One way in which a service, or what is in between, breaks; and what each command makes of it. */
export interface FaultRow {
  group: FaultGroup;
  name: string;
  /** What the emulator answers. */
  script: Script;
  /** Who is there in place of the emulator. */
  instead?: "nobody" | "a server that accepts connections and is silent" | "a mail server";
  /** More options for `chat`. */
  options?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** It is waited for, and costs time but no work. */
  isSlow?: boolean;
  /** It concerns the model's answer alone. */
  sparesLists?: boolean;
  chat: ChatExpectation;
  list: Expectation;
  doctor: Expectation;
}

export type FaultGroup =
  | "HTTP errors"
  | "Exceptions inside the stream"
  | "The connection"
  | "The event stream"
  | "What is not AWS's";

/** The whole answer, as the stream of most rows has it. */
const WHOLE = "Hello, wörld 🦞!";
const PIECES = ["Hello, ", "wörld ", "🦞!"];
const MANY = Array.from({ length: 40 }, (_, index) => `word${index} `);

const JSON_BODY = { "content-type": "application/json" };
const HTML_BODY = { "content-type": "text/html; charset=utf-8" };
const LISTS: ReadonlySet<string> = new Set([
  "ListFoundationModels",
  "ListInferenceProfiles",
  "GetFoundationModelAvailability",
]);

const start: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const stop: StreamStep = { event: "messageStop", payload: { stopReason: "end_turn" } };
const whole = (): StreamStep[] => [
  ...textAnswerSteps(PIECES, { usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 } }),
];
const half = (): StreamStep[] => [start, textStep("Hello, ")];
const HALF = "Hello, ";

/** Answers the model's route with one thing, the control plane's with another; the rest is as it always is. */
function on(chat: ScriptedAnswer | undefined, lists?: ScriptedAnswer): Script {
  return ({ route }) => (route === "ConverseStream" ? chat : LISTS.has(route) ? lists : undefined);
}

/** Answers everything, STS and the unsigned request of `doctor` too, with the same thing. */
function everywhere(answer: ScriptedAnswer): Script {
  return () => answer;
}

/** A body of the control plane, in pieces. */
function json(...stream: StreamStep[]): ScriptedAnswer {
  return { stream, headers: JSON_BODY };
}

function bytes(text: string | Uint8Array): StreamStep {
  return { bytes: typeof text === "string" ? Buffer.from(text) : text };
}

/** AWS's name, status and message; the code; whether it is retried; whether the lists fail alike, and with another code. */
type HttpError = [
  name: string,
  status: number,
  message: string,
  code: ErrorCode,
  calls: 1 | 2,
  on: "every call" | "the model",
  ofLists?: ErrorCode,
];

/** One for each name and code of the error table; its other wordings are those of error-table.test.ts. */
const HTTP_ERRORS: readonly HttpError[] = [
  [
    "ExpiredTokenException",
    403,
    "The security token included in the request is expired",
    "credentials-expired",
    1,
    "every call",
  ],
  [
    "RequestExpired",
    400,
    "Request is no longer valid due to expired timestamps.",
    "credentials-rejected",
    1,
    "every call",
  ],
  ["AccessDeniedException", 403, "Bearer Token has expired", "credentials-expired", 1, "every call"],
  [
    "AccessDeniedException",
    403,
    "Authentication failed: Please make sure your API Key is valid.",
    "credentials-rejected",
    1,
    "every call",
  ],
  [
    "UnrecognizedClientException",
    403,
    "The security token included in the request is invalid.",
    "credentials-rejected",
    1,
    "every call",
  ],
  [
    "InvalidSignatureException",
    403,
    "Signature expired: 20261122T101500Z is now earlier than 20261122T102200Z (20261122T102700Z - 5 min.)",
    "credentials-rejected",
    2,
    "every call",
  ],
  [
    "InvalidSignatureException",
    403,
    "Credential should be scoped to a valid region.",
    "credentials-rejected",
    1,
    "every call",
  ],
  [
    "InvalidSignatureException",
    403,
    "The request signature we calculated does not match the signature you provided.",
    "credentials-rejected",
    1,
    "every call",
  ],
  [
    "MissingAuthenticationTokenException",
    403,
    "Missing Authentication Token",
    "credentials-rejected",
    1,
    "every call",
  ],
  [
    "OptInRequired",
    403,
    "The AWS Access Key Id needs a subscription for the service",
    "access-denied",
    1,
    "every call",
  ],
  [
    "AccessDeniedException",
    403,
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:ListFoundationModels because no identity-based policy allows the bedrock:ListFoundationModels action",
    "access-denied",
    1,
    "every call",
  ],
  [
    "ResourceNotFoundException",
    404,
    "Model use case details have not been submitted for this account.",
    "model-access",
    1,
    "the model",
  ],
  [
    "ResourceNotFoundException",
    404,
    "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days.",
    "model-not-found",
    1,
    "the model",
  ],
  ["ValidationException", 400, "Operation not allowed", "model-access", 1, "the model"],
  [
    "AccessDeniedException",
    403,
    "You don't have access to the model with the specified model ID.",
    "model-access",
    1,
    "the model",
  ],
  ["ValidationException", 400, "Output blocked by content filtering policy", "blocked", 1, "the model"],
  [
    "ValidationException",
    400,
    "Invocation of model ID amazon.nova-lite-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
    "needs-inference-profile",
    1,
    "every call",
  ],
  [
    "ValidationException",
    400,
    "The provided model identifier is invalid.",
    "model-not-found",
    1,
    "the model",
  ],
  ["ValidationException", 400, "Input is too long for requested model.", "input-too-long", 1, "the model"],
  ["RequestEntityTooLargeException", 413, "Request entity too large", "input-too-long", 1, "the model"],
  ["ValidationException", 400, "Could not process image", "bad-attachment", 1, "the model"],
  ["ValidationException", 400, "Something new.", "invalid-request", 1, "every call"],
  ["SerializationException", 400, "Unexpected token", "invalid-request", 1, "every call"],
  // A list names no model: what is not found is the route.
  ["ResourceNotFoundException", 404, "Not found.", "model-not-found", 1, "every call", "bad-response"],
  [
    "ThrottlingException",
    429,
    "Too many tokens per day, please wait before trying again.",
    "quota-exceeded",
    1,
    "every call",
  ],
  [
    "ThrottlingException",
    429,
    "Too many tokens, please wait before trying again.",
    "throttled",
    2,
    "every call",
  ],
  [
    "ThrottlingException",
    429,
    "Too many requests, please wait before trying again.",
    "throttled",
    2,
    "every call",
  ],
  [
    "ServiceQuotaExceededException",
    400,
    "Your request exceeds the service quota for your account.",
    "quota-exceeded",
    1,
    "every call",
  ],
  ["ModelTimeoutException", 408, "Model has timed out in processing the request.", "timeout", 1, "the model"],
  [
    "ModelNotReadyException",
    429,
    "Model is not ready for inference. Wait and try your request again.",
    "service-unavailable",
    2,
    "the model",
  ],
  [
    "ModelErrorException",
    424,
    "The system encountered an unexpected error during processing.",
    "model-error",
    1,
    "the model",
  ],
  [
    "ModelStreamErrorException",
    424,
    "The model has produced unexpected output.",
    "model-error",
    1,
    "the model",
  ],
  [
    "ServiceUnavailableException",
    503,
    "Bedrock is unable to process your request.",
    "service-unavailable",
    2,
    "every call",
  ],
  [
    "InternalServerException",
    500,
    "The system encountered an unexpected error during processing.",
    "service-unavailable",
    2,
    "every call",
  ],
  ["UnknownOperationException", 404, "", "bad-response", 1, "every call"],
];

function httpRow([name, status, message, code, calls, where, ofLists = code]: HttpError): FaultRow {
  const answer: ScriptedAnswer = { error: { name, message, status } };
  const isEverywhere = where === "every call";
  return {
    group: "HTTP errors",
    name: `${status} ${name}${message === "" ? "" : `: ${message}`}`,
    script: on(answer, isEverywhere ? answer : undefined),
    sparesLists: !isEverywhere,
    chat: { code, text: "", calls },
    list: isEverywhere ? { code: ofLists } : {},
    doctor: { code: ofLists },
  };
}

/** Exception, AWS's message, the code, whether it is retried before the first token. */
const EXCEPTIONS: readonly [string, string, ErrorCode, boolean][] = [
  [
    "internalServerException",
    "The system encountered an unexpected error during processing.",
    "service-unavailable",
    true,
  ],
  ["modelStreamErrorException", "The model has produced unexpected output.", "model-error", false],
  ["validationException", "Input is too long for requested model.", "input-too-long", false],
  ["throttlingException", "Too many tokens, please wait before trying again.", "throttled", true],
  ["serviceUnavailableException", "Bedrock is unable to process your request.", "service-unavailable", true],
];

const AFTER: readonly [string, readonly string[]][] = [
  ["before the first delta", []],
  ["after one delta", ["Hello, "]],
  ["after forty deltas", MANY],
];

function exceptionRows([exception, message, code, isRetried]: (typeof EXCEPTIONS)[number]): FaultRow[] {
  return AFTER.map(([when, texts]) => ({
    group: "Exceptions inside the stream",
    name: `${exception} ${when}`,
    script: on({
      stream: [start, ...texts.map((text) => textStep(text)), { exception, payload: { message } }],
    }),
    sparesLists: true,
    chat: { code, text: texts.join(""), calls: isRetried && texts.length === 0 ? 2 : 1 },
    list: {},
    doctor: { code },
  }));
}

/** An answer whose stream does this in the middle; the text before it is kept. */
function streamRow(name: string, stream: readonly StreamStep[], chat: ChatExpectation): FaultRow {
  const { code } = chat;
  const expectation = code === undefined ? {} : { code };
  return {
    group: "The event stream",
    name,
    script: on({ stream }),
    sparesLists: true,
    chat,
    list: {},
    doctor: expectation,
  };
}

const BROKEN: ChatExpectation = { code: "stream-broken", text: HALF, calls: 1 };
const OK: ChatExpectation = { text: WHOLE, calls: 1 };

/** A frame of the answer with one byte of it changed. */
function damaged(offset: number): StreamStep {
  const frame = Buffer.from(
    encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "lost" } }),
  );
  const place = offset < 0 ? frame.length + offset : offset;
  frame.writeUInt8((frame.readUInt8(place) + 1) % 256, place);
  return { bytes: frame };
}

/** The beginning of a frame that claims this length. */
function claiming(length: number): StreamStep {
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(length, 0);
  return { bytes: prelude };
}

function* drip(text: Uint8Array): Generator<StreamStep> {
  for (const byte of text) {
    yield { bytes: Uint8Array.of(byte) };
    yield { wait: 0 };
  }
}

function framesOf(steps: readonly StreamStep[]): Uint8Array {
  return Buffer.concat(
    steps.map((step) => ("event" in step ? encodeEvent(step.event, step.payload) : Buffer.alloc(0))),
  );
}

const MODELS = JSON.stringify({
  modelSummaries: [modelSummary("amazon.nova-lite-v1:0", "Nova Lite", "Amazon")],
});

const NETWORK: Expectation = { code: "network" };
const BAD: Expectation = { code: "bad-response" };

const CONNECTION: readonly FaultRow[] = [
  {
    group: "The connection",
    name: "refused",
    instead: "nobody",
    script: () => undefined,
    chat: { ...NETWORK, text: "", calls: 0 },
    list: NETWORK,
    doctor: NETWORK,
  },
  {
    group: "The connection",
    name: "reset before the headers",
    script: everywhere({ drop: "reset" }),
    chat: { ...NETWORK, text: "", calls: 2 },
    list: NETWORK,
    doctor: NETWORK,
  },
  {
    group: "The connection",
    name: "closed before the headers",
    script: everywhere({ drop: "close" }),
    chat: { ...NETWORK, text: "", calls: 2 },
    list: NETWORK,
    doctor: NETWORK,
  },
  {
    group: "The connection",
    name: "reset at the first call, good at the second",
    script: ({ route, nth }) =>
      nth === 1 && (LISTS.has(route) || route === "ConverseStream")
        ? { drop: "reset" }
        : route === "ConverseStream"
          ? { stream: whole() }
          : undefined,
    chat: { text: WHOLE, calls: 2 },
    list: {},
    doctor: {},
  },
  {
    group: "The connection",
    name: "reset in the middle",
    script: on(
      { stream: [...half(), { end: "reset" }] },
      json(bytes(MODELS.slice(0, 100)), { end: "reset" }),
    ),
    chat: BROKEN,
    list: NETWORK,
    doctor: NETWORK,
  },
  {
    group: "The connection",
    name: "reset in the middle of a frame",
    script: on({ stream: [...half(), claiming(80), { end: "reset" }] }),
    chat: BROKEN,
    list: {},
    doctor: { code: "stream-broken" },
  },
  {
    group: "The connection",
    name: "closed in the middle",
    script: on(
      { stream: [...half(), { end: "close" }] },
      json(bytes(MODELS.slice(0, 100)), { end: "close" }),
    ),
    chat: BROKEN,
    list: NETWORK,
    doctor: NETWORK,
  },
  {
    group: "The connection",
    name: "reset between the headers and the first event",
    script: on({ stream: [{ end: "reset" }] }, json({ end: "reset" })),
    chat: { code: "stream-broken", text: "", calls: 2 },
    list: NETWORK,
    doctor: NETWORK,
  },
  {
    group: "The connection",
    name: "reset after the last word",
    script: on({ stream: [...whole().slice(0, -1), { end: "reset" }] }),
    chat: OK,
    list: {},
    doctor: {},
  },
  {
    group: "The connection",
    name: "silent before the headers",
    script: everywhere({ drop: "stall" }),
    options: ["--first-token-timeout", "4"],
    env: { AWS_MAX_ATTEMPTS: "1" },
    isSlow: true,
    chat: { code: "timeout", text: "", calls: 1 },
    list: { code: "timeout" },
    doctor: { code: "timeout" },
  },
  {
    group: "The connection",
    name: "silent after the headers",
    script: on({ stream: [{ end: "stall" }] }, json({ end: "stall" })),
    options: ["--first-token-timeout", "4"],
    env: { AWS_MAX_ATTEMPTS: "1" },
    isSlow: true,
    chat: { code: "timeout", text: "", calls: 1 },
    list: { code: "timeout" },
    doctor: { code: "timeout" },
  },
  {
    group: "The connection",
    name: "silent in the middle",
    script: on(
      { stream: [...half(), { end: "stall" }] },
      json(bytes(MODELS.slice(0, 100)), { end: "stall" }),
    ),
    options: ["--timeout", "4"],
    env: { AWS_MAX_ATTEMPTS: "1" },
    isSlow: true,
    chat: { code: "timeout", text: HALF, calls: 1 },
    list: { code: "timeout" },
    doctor: { code: "timeout" },
  },
  {
    group: "The connection",
    name: "silent after the last word",
    script: on({ stream: [...whole().slice(0, -1), { end: "stall" }] }),
    isSlow: true,
    chat: OK,
    list: {},
    doctor: {},
  },
  {
    group: "The connection",
    name: "one byte at a time",
    script: ({ route }) =>
      route === "ConverseStream"
        ? { stream: drip(framesOf(whole())) }
        : route === "ListFoundationModels"
          ? { stream: drip(Buffer.from(MODELS)), headers: JSON_BODY }
          : undefined,
    chat: OK,
    list: {},
    doctor: {},
  },
  {
    group: "The connection",
    name: "accepted, and then no TLS",
    instead: "a server that accepts connections and is silent",
    script: () => undefined,
    isSlow: true,
    chat: { code: "timeout", text: "", calls: 0 },
    list: { code: "timeout" },
    doctor: { code: "timeout" },
  },
  {
    group: "The connection",
    name: "to a server of another protocol",
    instead: "a mail server",
    script: () => undefined,
    chat: { ...BAD, text: "", calls: 0 },
    list: BAD,
    doctor: BAD,
  },
];

const EVENT_STREAM: readonly FaultRow[] = [
  streamRow("whole", whole(), OK),
  streamRow("ends without messageStop", half(), BROKEN),
  streamRow("ends before it says anything", [start], { code: "stream-broken", text: "", calls: 2 }),
  streamRow("is empty", [], { code: "stream-broken", text: "", calls: 2 }),
  streamRow("has a wrong prelude checksum", [...half(), damaged(8), stop], BROKEN),
  streamRow("has a wrong message checksum", [...half(), damaged(-1), stop], BROKEN),
  streamRow("has a changed byte in a payload", [...half(), damaged(-10), stop], BROKEN),
  streamRow("has a wrong checksum before the first delta", [start, damaged(-1), stop], {
    code: "stream-broken",
    text: "",
    calls: 2,
  }),
  streamRow(
    "ends inside a frame",
    [...half(), bytes(encodeEvent("messageStop", { stopReason: "end_turn" }).subarray(0, 40))],
    BROKEN,
  ),
  streamRow("has a frame of 2 GB", [...half(), claiming(0x7f_ff_ff_ff), { end: "stall" }], {
    code: "bad-response",
    text: HALF,
    calls: 1,
  }),
  streamRow("has a frame of 25 MB", [...half(), claiming(25 * 1024 * 1024), { end: "stall" }], {
    code: "bad-response",
    text: HALF,
    calls: 1,
  }),
  streamRow("has a frame of no length", [...half(), claiming(0), stop], {
    code: "bad-response",
    text: HALF,
    calls: 1,
  }),
  streamRow(
    "has events of an unknown kind",
    [
      start,
      { event: "somethingNew", payload: { p: "abc", deep: [{ x: 1 }] } },
      ...PIECES.map((text) => textStep(text)),
      { event: "anotherThing", payload: {} },
      stop,
    ],
    OK,
  ),
  streamRow(
    "has fields and blocks nobody knows",
    [
      { event: "messageStart", payload: { role: "assistant", mood: "good" } },
      ...PIECES.map((text): StreamStep => ({
        event: "contentBlockDelta",
        payload: { contentBlockIndex: 0, delta: { text, glow: 1 }, p: "abcd", extra: { list: [1] } },
      })),
      { event: "contentBlockDelta", payload: { contentBlockIndex: 1, delta: { hologram: { x: 1 } } } },
      { event: "messageStop", payload: { stopReason: "end_turn", because: "done" } },
    ],
    OK,
  ),
  streamRow(
    "has fields of the wrong kind",
    [
      { event: "messageStart", payload: null },
      { event: "contentBlockDelta", payload: { contentBlockIndex: "zero", delta: { text: 5 } } },
      { event: "contentBlockDelta", payload: { contentBlockIndex: 0, delta: null } },
      {
        event: "contentBlockDelta",
        payload: { contentBlockIndex: 0, delta: { reasoningContent: { text: {} } } },
      },
      { event: "contentBlockDelta", payload: [] },
      ...PIECES.map((text) => textStep(text)),
      stop,
      { event: "metadata", payload: { usage: { inputTokens: "many", cacheDetails: 7 }, trace: [] } },
    ],
    OK,
  ),
  streamRow("has an event that is not JSON", [...half(), bytes(notJson()), stop], {
    code: "bad-response",
    text: HALF,
    calls: 1,
  }),
  streamRow(
    "has an error frame of the protocol",
    [...half(), bytes(encodeError("InternalFailure", "An internal server error occurred"))],
    { code: "service-unavailable", text: HALF, calls: 1 },
  ),
  streamRow(
    "has an exception nobody knows",
    [...half(), { exception: "moonPhaseException", payload: { message: "Full moon." } }],
    BROKEN,
  ),
  streamRow(
    "is withheld in the middle",
    [
      ...half(),
      {
        exception: "validationException",
        payload: { message: "Output blocked by content filtering policy" },
      },
    ],
    { code: "blocked", text: HALF, calls: 1 },
  ),
];

/** A frame whose checksums are right and whose payload is not JSON: its last quote is gone. */
function notJson(): Uint8Array {
  const frame = Buffer.from(encodeEvent("contentBlockDelta", "lost"));
  frame.write("!", frame.length - 5);
  frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4);
  return frame;
}

/** A row whose answer does not come from AWS: everything gets it. */
function foreignRow(
  name: string,
  http: { status: number; headers?: Record<string, string>; body?: unknown },
  code: ErrorCode,
  more: Partial<FaultRow> = {},
): FaultRow {
  return {
    group: "What is not AWS's",
    name,
    script: everywhere({ http }),
    chat: { code, text: "", calls: 1 },
    list: { code },
    doctor: { code },
    ...more,
  };
}

const FRAMES = framesOf(whole());
const EVENTS_BODY = { "content-type": "application/vnd.amazon.eventstream" };
const PORTAL = "<!doctype html><title>Welcome</title><p>Log in to use this network.</p>";
const GARBAGE = Buffer.from([0xde, 0xad, 0xbe, 0xef, 0x00, 0xff, 0x7b, 0x22]);
const html = (status: number, text: string) => ({
  status,
  headers: HTML_BODY,
  body: `<html><body><h1>${text}</h1></body></html>`,
});

const FOREIGN: readonly FaultRow[] = [
  foreignRow(
    "a log-in page in place of everything",
    { status: 200, headers: HTML_BODY, body: PORTAL },
    "bad-response",
  ),
  foreignRow(
    "a redirect to a log-in page",
    { status: 302, headers: { location: "http://login.wifi.example/start?from=aws" }, body: "" },
    "bad-response",
  ),
  foreignRow(
    "a redirect to another host, body and all",
    { status: 307, headers: { location: "https://bedrock-runtime.eu-west-1.amazonaws.com/" }, body: "" },
    "bad-response",
  ),
  foreignRow("a proxy that wants a log-in", html(407, "Proxy Authentication Required"), "network"),
  foreignRow("a proxy that forbids", html(403, "Forbidden by policy"), "bad-response"),
  foreignRow("a proxy that finds requests too large", html(413, "Request Entity Too Large"), "bad-response"),
  foreignRow("a proxy that asks for patience", html(429, "Too Many Requests"), "throttled", {
    chat: { code: "throttled", text: "", calls: 2 },
  }),
  foreignRow("a proxy without a server behind it", html(502, "Bad Gateway"), "bad-response", {
    chat: { code: "bad-response", text: "", calls: 2 },
  }),
  foreignRow("a proxy whose server is down", html(503, "Service Unavailable"), "service-unavailable", {
    chat: { code: "service-unavailable", text: "", calls: 2 },
  }),
  foreignRow(
    "garbage that calls itself JSON",
    { status: 200, headers: JSON_BODY, body: GARBAGE },
    "bad-response",
  ),
  foreignRow("nothing at all, and 200", { status: 200 }, "bad-response"),
  foreignRow("nothing at all, and 204", { status: 204 }, "bad-response"),
  foreignRow("JSON of something else", { status: 200, body: { hello: "world" } }, "bad-response"),
  foreignRow("null", { status: 200, headers: JSON_BODY, body: "null" }, "bad-response"),
  {
    group: "What is not AWS's",
    name: "garbage that calls itself an event stream",
    script: on({ http: { status: 200, headers: EVENTS_BODY, body: GARBAGE } }),
    chat: { ...BAD, text: "", calls: 1 },
    list: {},
    doctor: BAD,
  },
  {
    group: "What is not AWS's",
    name: "the right bytes under a wrong content type",
    script: on(
      { http: { status: 200, headers: { "content-type": "text/plain" }, body: FRAMES } },
      { http: { status: 200, headers: { "content-type": "text/plain" }, body: MODELS } },
    ),
    chat: { ...BAD, text: "", calls: 1 },
    list: {},
    doctor: BAD,
  },
  {
    group: "What is not AWS's",
    name: "the right bytes, compressed",
    script: on(
      {
        http: {
          status: 200,
          headers: { ...EVENTS_BODY, "content-encoding": "gzip" },
          body: gzipSync(FRAMES),
        },
      },
      {
        http: { status: 200, headers: { ...JSON_BODY, "content-encoding": "gzip" }, body: gzipSync(MODELS) },
      },
    ),
    chat: { ...BAD, text: "", calls: 1 },
    list: BAD,
    doctor: BAD,
  },
];

/** Every fault that is tried against `models list`, `chat` and `doctor`. */
export const FAULTS: readonly FaultRow[] = [
  ...HTTP_ERRORS.map(httpRow),
  ...EXCEPTIONS.flatMap(exceptionRows),
  ...CONNECTION,
  ...EVENT_STREAM,
  ...FOREIGN,
];
