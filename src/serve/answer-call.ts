import type { Question } from "../chat/ask-model.ts";
import { refusalOf } from "../converse/apply-lessons.ts";
import type { ChatEvent, ChatEvents } from "../converse/chat-event.ts";
import type { Ask } from "../converse/plan-request.ts";
import { OpenclawError, shorten, withFields } from "../errors.ts";
import { isRecord, type JsonObject } from "../json.ts";
import { lengthOf as bodyLength, toJsonBody, toJsonText } from "../network/json-body.ts";
import { nextTurn, turnOver } from "../next-turn.ts";
import { toCompletionUsage } from "../wires/chat-completions/completion-usage.ts";
import { finishReason } from "../wires/chat-completions/stop-reason.ts";
import type { Call } from "./call.ts";
import type { AnswerService, RouteRequest } from "./dialect.ts";
import { type ErrorAnswer, toErrorAnswer } from "./error-answer.ts";
import { answerWithStream, type Frame } from "./event-stream.ts";
import { serveEvents } from "./served-events.ts";

/** A request to a model in this program's terms, whatever the client speaks. */
export interface Asked {
  /** The model's name as it was sent. */
  model: string;
  ask: Omit<Ask, "model"> & Pick<Question, "passesDetails">;
  isStreamed: boolean;
  /** Whether an answer may call several tools at once; true unless it says otherwise. */
  mayCallInParallel?: boolean | undefined;
  /** What was left out, and why. */
  notices: readonly string[];
  /** The places of fields that nobody knows. */
  unknown: readonly string[];
}

type Pieces<Piece> = AsyncGenerator<Piece, void, undefined>;

/** How a dialect tells an answer. What its functions throw is answered as an error. */
export interface AnswerForm<Piece> {
  /** Called with each event before it is told. */
  onEvent?: (event: ChatEvent) => void;
  /** What is streamed, in order, of an answer with its usage behind its stop. Throws what the events throw. */
  toPieces: (events: ChatEvents) => Pieces<Piece>;
  toFrames: (pieces: Pieces<Piece>) => Pieces<Frame>;
  /** The last frame of a stream that fails on its way. */
  toFailureFrame: (error: ErrorAnswer) => Frame;
  /** The body of an answer that is not streamed: what is JSON, or bytes as they are. */
  gather: (pieces: Pieces<Piece>) => Promise<object>;
  /** Sent while nothing comes: a comment, unless it says otherwise; undefined where there is no such thing. */
  heartbeat?: Frame | undefined;
  /** Of the stream; that of server-sent events unless it says otherwise. */
  contentType?: string;
  /** Beside the headers of each answer. */
  headers?: Readonly<Record<string, string>>;
  /** The field of a request that a refusal of the service is about; undefined where it names none that was sent. */
  fieldOf?: (refusal: string, body: JsonObject) => string | undefined;
}

/**
 * Answers one request to a model, streamed or whole. What goes wrong before the first piece is thrown; what goes wrong
 * later ends the stream.
 */
export async function answerCall<Piece>(
  service: AnswerService,
  request: RouteRequest,
  { model, ask, isStreamed, mayCallInParallel = true, notices, unknown }: Asked,
  form: AnswerForm<Piece>,
): Promise<Response> {
  const { call } = request;
  await noteRequest(service, request, { model, isStreamed, notices, unknown });
  const tell = (failure: unknown): unknown => namingField(failure, request, form.fieldOf);
  const answered = askerOf(service, call, model, tell)(ask);
  const take = follow(call, service);
  const onEvent = (event: ChatEvent): void => {
    take(event);
    form.onEvent?.(event);
  };
  const served = serveEvents(answered, { mayCallInParallel, onEvent });
  const pieces = form.toPieces(served);
  if (isStreamed) {
    const toFailure = (failure: unknown): Frame => form.toFailureFrame(toErrorAnswer(failure));
    return answerWithStream(form.toFrames(pieces), { ...form, toFailure }, service, request);
  }
  const answer = await form.gather(pieces);
  const body = answer instanceof Uint8Array ? [answer] : await toJsonBody(answer);
  const headers = {
    ...(answer instanceof Uint8Array ? {} : { "content-type": "application/json" }),
    "content-length": String(bodyLength(body)),
    ...form.headers,
  };
  return call.answerWith(headers, body);
}

/** An answer of JSON that may be long, such as a list of tens of thousands of models: it is written in turns. */
export async function jsonAnswer(value: object): Promise<Response> {
  return new Response(await toJsonText(value), { headers: { "content-type": "application/json" } });
}

/** Judges the fields of a request that nobody knows, and keeps what the log says of it. Throws `invalid-request`. */
export async function noteRequest(
  { logsContent, unknownFields }: AnswerService,
  { call, body }: RouteRequest,
  { model, isStreamed, notices, unknown }: Pick<Asked, "model" | "isStreamed" | "notices" | "unknown">,
): Promise<void> {
  unknownFields.judge(call.entry.path, unknown);
  await afterReading(call);
  Object.assign(call.entry, { model: shorten(model), isStreamed });
  if (logsContent) call.entry.request = toLogged(body);
  for (const notice of notices) call.note(notice);
  call.ask();
}

/** A longer body is read in a turn of its own, in bytes. */
const SHORT_BODY = 64 * 1024;

/** Thousands of messages take their time to read, and again to plan the request with. */
async function afterReading({ bodyBytes }: Call): Promise<void> {
  await (bodyBytes > SHORT_BODY ? nextTurn() : turnOver());
}

/**
 * How a model is asked in the name of a call, which its key lets pass once, however often it asks. The call's entry is told
 * what was used. What is returned throws what `askByName` throws, as `tell` has it.
 */
export function askerOf(
  { upstream, limiter }: AnswerService,
  call: Call,
  model: string,
  tell = (failure: unknown): unknown => failure,
): (ask: Asked["ask"]) => ChatEvents {
  let admitted: ReturnType<typeof limiter.admit> | undefined;
  return async function* (ask) {
    const { parameters, invocation, guardrail, schema } = ask;
    call.asked ??= {
      parameters: invocation ? undefined : parameters,
      guardrail,
      isJson: schema !== undefined,
    };
    const query = { ...ask, keyName: call.entry.key, passesSignatures: true };
    const events = upstream.askByName(model, query, call.runtime(), {
      apiKey: call.entry.key,
      onWaiting: () => {
        call.isQueued = true;
      },
      onQueued: (ms) => {
        call.isQueued = false;
        call.entry.queuedMs = Math.round(ms);
      },
      onResolved: (id) => {
        call.entry.resolvedModel = id;
      },
      allow: (resolved) => {
        if (call.asked) call.asked.model = resolved;
        limiter.allow(call, model, upstream.isOwnName(model), resolved);
      },
      admit: (named) => {
        if (call.asked) call.asked.config = named.config;
        return (admitted ??= limiter.admit(call, named, ask));
      },
      onCounted: (usage, cost) => {
        const { costUsd = 0 } = call.entry;
        const isKnown = cost !== null && costUsd !== null;
        const sum = isKnown ? costUsd + cost.usd : null;
        Object.assign(call.entry, { serviceTier: usage.serviceTier, costUsd: sum });
        limiter.count(call, usage, cost);
      },
    });
    try {
      yield* events;
    } catch (error) {
      // Refused before it was looked for.
      call.entry.resolvedModel ??= await upstream.knownAs(model);
      throw tell(limiter.inWords(error, call));
    }
  };
}

/**
 * Answers how many tokens a request has. Where the model's service counts for nobody, an estimate says in a header and in
 * the log that it is one.
 */
export async function countCall(
  { upstream, unknownFields }: AnswerService,
  { call }: RouteRequest,
  { model, ask, notices, unknown }: Asked,
  toBody: (tokens: number) => object,
): Promise<Response> {
  await afterReading(call);
  unknownFields.judge(call.entry.path, unknown);
  call.entry.model = shorten(model);
  for (const notice of notices) call.note(notice);
  call.entry.resolvedModel = await upstream.knownAs(model);
  const { tokens, uncounted } = await upstream.countByName(model, ask, call.runtime(), call.key);
  if (uncounted !== undefined) call.note(uncounted);
  const headers = { "x-tokens-source": uncounted === undefined ? "count-tokens" : "estimate" };
  return Response.json(toBody(tokens), { headers });
}

/** A failure that, where it is a refusal of the request, names the field of the client's that it is about. */
function namingField(
  failure: unknown,
  { body }: RouteRequest,
  fieldOf: AnswerForm<unknown>["fieldOf"],
): unknown {
  if (!(failure instanceof OpenclawError) || failure.code !== "invalid-request" || !isRecord(body))
    return failure;
  const { details } = failure;
  const param = fieldOf?.(refusalOf(details), body);
  return param === undefined ? failure : withFields(failure, { details: { ...details, param } });
}

/** Follows an answer, and takes down for the log what has been handed on of it, in OpenAI's words. */
function follow(call: Call, { logsContent }: AnswerService): (event: ChatEvent) => void {
  const { entry } = call;
  let text = "";
  let length = 0;
  let hasCalls = false;
  if (logsContent) entry.answer = "";
  return (event) => {
    call.answeredBytes += lengthOf(event);
    switch (event.type) {
      case "start":
        call.begin(event);
        break;
      case "tool-start":
        hasCalls = true;
        break;
      case "text":
        if (!logsContent) break;
        length += event.text.length;
        text += event.text.slice(0, LONGEST_LOGGED - text.length);
        entry.answer = cut(text, LONGEST_LOGGED, length);
        break;
      case "stop":
        entry.finishReason = finishReason(event.stopReason, hasCalls);
        break;
      case "usage": {
        const usage = toCompletionUsage(event);
        entry.promptTokens = usage.prompt_tokens;
        entry.cachedTokens = usage.prompt_tokens_details?.cached_tokens ?? 0;
        entry.cacheWriteTokens = event.cacheWriteInputTokens ?? 0;
        entry.completionTokens = usage.completion_tokens;
      }
    }
  };
}

/** How much of an answer an event brings, in bytes, or about as much. */
function lengthOf(event: ChatEvent): number {
  if (event.type === "chunk") return event.bytes.length;
  return event.type === "text" || event.type === "reasoning" || event.type === "tool-input"
    ? event.text.length
    : 0;
}

/** The longest content of a request, or of its answer, that its line of the log has whole, in characters. */
const LONGEST_LOGGED = 1_000_000;

/** The request as the log has it: what is in data URLs, or as long as a file, is cut away, and so is what is beyond the bound. */
function toLogged(body: unknown): unknown {
  let left = LONGEST_LOGGED;
  const toLog = (value: unknown, name = ""): unknown => {
    if (typeof value === "string") {
      const isData = value.startsWith("data:") || isFile(name, value);
      const logged = cut(value, isData ? SHOWN_OF_DATA : left);
      left = Math.max(0, left - logged.length);
      return logged;
    }
    if (Array.isArray(value)) return value.map((item: unknown) => toLog(item));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [shorten(key), toLog(item, key)] as const),
    );
  };
  return toLog(body);
}

const SHOWN_OF_DATA = 40;

/** The text with its length in place of what is beyond a bound, of which not all need be there. */
function cut(text: string, most: number, length = text.length): string {
  return length <= most ? text : `${text.slice(0, most)}… (${length})`;
}

/** Files in base64, by the names of the members that hold them. */
function isFile(name: string, value: string): boolean {
  return (name === "data" || name === "bytes" || name === "file_data") && value.length > 200;
}
