import {
  ConverseStreamCommand,
  type ConverseStreamCommandInput,
  type ConverseStreamMetadataEvent,
  type ConverseStreamOutput,
  type TokenUsage as AwsTokenUsage,
} from "@aws-sdk/client-bedrock-runtime";
import { Readable } from "node:stream";
import type { HttpResponse } from "@smithy/types";
import type { AwsSession } from "../aws/session.ts";
import { OpenclawError } from "../errors.ts";
import { type CallContext, toOpenclawError } from "./aws-errors.ts";
import type { ChatEvent, TokenUsage } from "./chat-event.ts";
import { type Bounds, Deadlines } from "./deadlines.ts";
import { isKnownAwsError } from "./error-table.ts";
import { type FrameMessage, FrameReader } from "./frame-reader.ts";
import { firedPolicies } from "./guardrail.ts";
import type { TurnRecorder } from "./turn-recorder.ts";

/**
 * Calls ConverseStream and yields what arrives as `ChatEvent`s. The stream is whole only with a `messageStop`: without
 * one it ends in `stream-broken`, however cleanly the connection was closed. Throws the errors of the error table,
 * `timeout`, `network`, `bad-response` and `interrupted`.
 */
export async function* streamChat(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  bounds: Bounds,
  recorder?: TurnRecorder,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { runtime } = session.surroundings;
  const modelId = input.modelId ?? "";
  const call: CallContext = { session, action: "bedrock:InvokeModelWithResponseStream", modelId };
  const deadlines = new Deadlines(bounds, runtime.signal, runtime.elapsed);
  try {
    recorder?.begin(input);
    const { body, requestId, attempts } = await send(session, input, deadlines.signal, call);
    yield {
      type: "start",
      model: modelId,
      region: session.region.value,
      ...(requestId === undefined ? {} : { requestId }),
      attempts,
    };
    const hasTools = input.toolConfig !== undefined;
    const coalesces = runtime.terminal.format !== "ndjson";
    yield* readEvents(body, { modelId, requestId, call, deadlines, hasTools, coalesces, recorder });
  } finally {
    deadlines.stop();
  }
}

interface Answer {
  /** The event stream as it arrives, still encoded. */
  body: AsyncIterable<Uint8Array>;
  requestId: string | undefined;
  attempts: number;
}

/**
 * Sends the request with the SDK's client and keeps the event stream from it: read here, it costs a tenth of the time,
 * its frames are checked before they are buffered, and the answer has started when its headers are there.
 */
async function send(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  abortSignal: AbortSignal,
  call: CallContext,
): Promise<Answer> {
  const command = new ConverseStreamCommand(input);
  let body: AsyncIterable<Uint8Array> | undefined;
  let contentType = "";
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as HttpResponse;
      if (response.statusCode < 300) {
        contentType = headerOf(response, "content-type");
        body = response.body as AsyncIterable<Uint8Array>;
        response.body = Readable.from([]);
      }
      return result;
    },
    { step: "deserialize", priority: "low", name: "openclawKeepStream" },
  );
  try {
    const client = await session.bedrockRuntime();
    const { $metadata } = await client.send(command, { abortSignal });
    if (!body || !contentType.startsWith("application/vnd.amazon.eventstream")) {
      throw notAnEventStream(contentType, $metadata.requestId);
    }
    return { body, requestId: $metadata.requestId, attempts: $metadata.attempts ?? 1 };
  } catch (failure) {
    throw abortSignal.aborted ? abortReason(abortSignal) : toOpenclawError(failure, call);
  }
}

interface Reading {
  modelId: string;
  requestId: string | undefined;
  call: CallContext;
  deadlines: Deadlines;
  /** Whether the model was given tools; without them a call of one is nothing to a reader. */
  hasTools: boolean;
  /** Whether deltas that arrive together are passed on as one: always, but where each of them is a line. */
  coalesces: boolean;
  recorder: TurnRecorder | undefined;
}

async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  { modelId, requestId, call, deadlines, hasTools, coalesces, recorder }: Reading,
): AsyncGenerator<ChatEvent, void, undefined> {
  const reader = new FrameReader();
  let hasBegun = false;
  let isWhole = false;
  try {
    for await (const chunk of body) {
      const { parts, damage } = readParts(reader, chunk);
      // A stream may open long before the model says anything, and that is not yet the first token.
      hasBegun ||= parts.some((part) => part.contentBlockDelta ?? part.messageStop);
      if (hasBegun && parts.length > 0) deadlines.heard();
      let text = "";
      for (const part of parts) {
        recorder?.take(part);
        if (part.messageStop) isWhole = true;
        const event = toChatEvent(part, requestId, hasTools);
        if (coalesces && event?.type === "text") {
          text += event.text;
          continue;
        }
        if (text !== "") yield { type: "text", text };
        text = "";
        if (event) yield event;
      }
      if (text !== "") yield { type: "text", text };
      if (damage) throw damage;
    }
  } catch (failure) {
    if (deadlines.signal.aborted) throw abortReason(deadlines.signal);
    if (failure instanceof OpenclawError || isKnownAwsError(failure))
      throw withRequestId(failure, call, requestId);
    // The text is complete; what was lost is the bookkeeping after it.
    if (isWhole) return;
    throw brokenStream(modelId, requestId, "The connection broke off in the middle of the answer.", failure);
  }
  // An abort in the middle of a stream can end it silently.
  if (deadlines.signal.aborted) throw abortReason(deadlines.signal);
  if (!isWhole || !reader.isBetweenFrames) {
    throw brokenStream(modelId, requestId, "The stream ended before the answer did.");
  }
}

/** The parts that a chunk completes, and what is wrong with what follows them. */
function readParts(
  reader: FrameReader,
  chunk: Uint8Array,
): { parts: ConverseStreamOutput[]; damage: unknown } {
  const parts: ConverseStreamOutput[] = [];
  try {
    reader.push(chunk, (message) => {
      const part = readMessage(message);
      if (part) parts.push(part);
    });
    return { parts, damage: undefined };
  } catch (damage) {
    return { parts, damage };
  }
}

/**
 * One message of the stream as a part of the answer; undefined for an event of a kind nobody has heard of. An exception
 * is thrown under AWS's name for it.
 */
function readMessage({ type, name, errorMessage, payload }: FrameMessage): ConverseStreamOutput | undefined {
  if (type === "event") {
    if (!EVENTS.has(name)) return undefined;
    const part = { [name]: JSON.parse(payload) as unknown } as unknown as ConverseStreamOutput;
    const reasoning: { redactedContent?: unknown } | undefined =
      part.contentBlockDelta?.delta?.reasoningContent;
    // JSON has bytes as base64.
    if (typeof reasoning?.redactedContent === "string") {
      reasoning.redactedContent = Buffer.from(reasoning.redactedContent, "base64");
    }
    return part;
  }
  const error = new Error(type === "error" ? errorMessage : messageOf(payload));
  error.name = name;
  throw error;
}

/** The events of ConverseStream that this program reads, by their names in the service model. */
const EVENTS: ReadonlySet<string> = new Set([
  "messageStart",
  "contentBlockStart",
  "contentBlockDelta",
  "contentBlockStop",
  "messageStop",
  "metadata",
]);

function messageOf(payload: string): string {
  try {
    const { message, Message } = JSON.parse(payload) as { message?: unknown; Message?: unknown };
    return String(message ?? Message ?? "");
  } catch {
    // Not JSON: then what stands there is all there is to tell.
    return payload;
  }
}

/** The event that a part of the stream stands for; undefined for the parts that carry nothing for a reader. */
function toChatEvent(
  part: ConverseStreamOutput,
  requestId: string | undefined,
  hasTools: boolean,
): ChatEvent | undefined {
  const delta = part.contentBlockDelta?.delta;
  if (delta) {
    if (typeof delta.text === "string")
      return delta.text === "" ? undefined : { type: "text", text: delta.text };
    if (delta.toolUse?.input && hasTools) return { type: "tool-input", text: delta.toolUse.input };
    const reasoning = delta.reasoningContent?.text;
    return reasoning ? { type: "reasoning", text: reasoning } : undefined;
  }
  if (part.messageStop) return { type: "stop", stopReason: part.messageStop.stopReason ?? "unknown" };
  return part.metadata ? readMetadata(part.metadata, requestId) : undefined;
}

/** Usage, and what the trace tells: it may come without counts. */
function readMetadata(
  { usage, trace }: ConverseStreamMetadataEvent,
  requestId: string | undefined,
): ChatEvent | undefined {
  const invokedModel = trace?.promptRouter?.invokedModelId;
  const guardrail = trace?.guardrail ? firedPolicies(trace.guardrail) : [];
  if (!usage && invokedModel === undefined && guardrail.length === 0) return undefined;
  return {
    type: "usage",
    ...readUsage(usage ?? {}),
    ...(requestId === undefined ? {} : { requestId }),
    ...(guardrail.length === 0 ? {} : { guardrail }),
    ...(invokedModel === undefined ? {} : { invokedModel }),
  };
}

function readUsage(usage: Partial<AwsTokenUsage> = {}): TokenUsage {
  const { inputTokens = 0, outputTokens = 0, cacheReadInputTokens, cacheWriteInputTokens } = usage;
  const forAnHour = (usage.cacheDetails ?? [])
    .filter(({ ttl }) => ttl === "1h")
    .reduce((sum, detail) => sum + (detail.inputTokens ?? 0), 0);
  return {
    inputTokens,
    outputTokens,
    totalTokens: usage.totalTokens ?? inputTokens + outputTokens,
    ...(cacheReadInputTokens === undefined ? {} : { cacheReadInputTokens }),
    ...(cacheWriteInputTokens === undefined ? {} : { cacheWriteInputTokens }),
    ...(forAnHour === 0 ? {} : { cacheWrite1hInputTokens: forAnHour }),
  };
}

/** An exception inside the stream has no metadata of its own; the request id is that of the answer it is in. */
function withRequestId(failure: unknown, call: CallContext, requestId: string | undefined): OpenclawError {
  const error = toOpenclawError(failure, call);
  if (error.requestId !== undefined || requestId === undefined) return error;
  const { code, message, hint, details, exitCode, cause } = error;
  return new OpenclawError(code, { message, hint, details, exitCode, requestId, cause });
}

function notAnEventStream(contentType: string, requestId: string | undefined): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer is ${contentType || "of no type"}, not an event stream: something other than AWS answered.`,
    hint: "A proxy or another server may be in between: openclaw doctor",
    requestId,
    details: { contentType },
  });
}

function headerOf({ headers }: HttpResponse, name: string): string {
  return Object.entries(headers).find(([known]) => known.toLowerCase() === name)?.[1] ?? "";
}

function brokenStream(
  modelId: string,
  requestId: string | undefined,
  message: string,
  cause?: unknown,
): OpenclawError {
  return new OpenclawError("stream-broken", {
    message: `${message} What was printed of '${modelId}' is not all of it.`,
    hint: "Run the command again.",
    requestId,
    cause,
  });
}

function abortReason(signal: AbortSignal): unknown {
  return signal.reason instanceof Error
    ? signal.reason
    : new OpenclawError("interrupted", { message: "Interrupted." });
}
