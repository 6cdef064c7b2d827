import {
  ConverseStreamCommand,
  type ConverseStreamCommandInput,
  type ConverseStreamMetadataEvent,
  type ConverseStreamOutput,
  type TokenUsage as AwsTokenUsage,
} from "@aws-sdk/client-bedrock-runtime";
import type { AwsSession } from "../aws/session.ts";
import { OpenclawError } from "../errors.ts";
import { type CallContext, toOpenclawError } from "./aws-errors.ts";
import type { ChatEvent, TokenUsage } from "./chat-event.ts";
import { type Bounds, Deadlines } from "./deadlines.ts";
import { isKnownAwsError } from "./error-table.ts";
import { firedPolicies } from "./guardrail.ts";

/**
 * Calls ConverseStream and yields what arrives as `ChatEvent`s. The stream is whole only with a `messageStop`: without
 * one it ends in `stream-broken`, however cleanly the connection was closed. Throws the errors of the error table,
 * `timeout`, `network` and `interrupted`.
 */
export async function* streamChat(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  bounds: Bounds,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { runtime } = session.surroundings;
  const modelId = input.modelId ?? "";
  const call: CallContext = { session, action: "bedrock:InvokeModelWithResponseStream", modelId };
  const deadlines = new Deadlines(bounds, runtime.signal, runtime.elapsed);
  try {
    const answer = await send(session, input, deadlines.signal, call);
    const requestId = answer.$metadata.requestId;
    yield {
      type: "start",
      model: modelId,
      region: session.region.value,
      ...(requestId === undefined ? {} : { requestId }),
      attempts: answer.$metadata.attempts ?? 1,
    };
    if (!answer.stream) throw brokenStream(modelId, requestId, "The answer holds no stream.");
    const hasTools = input.toolConfig !== undefined;
    yield* readEvents(answer.stream, { modelId, requestId, call, deadlines, hasTools });
  } finally {
    deadlines.stop();
  }
}

async function send(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  abortSignal: AbortSignal,
  call: CallContext,
) {
  try {
    const client = await session.bedrockRuntime();
    return await client.send(new ConverseStreamCommand(input), { abortSignal });
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
}

async function* readEvents(
  stream: AsyncIterable<ConverseStreamOutput>,
  { modelId, requestId, call, deadlines, hasTools }: Reading,
): AsyncGenerator<ChatEvent, void, undefined> {
  let isWhole = false;
  try {
    for await (const part of stream) {
      deadlines.heard();
      if (part.messageStop) isWhole = true;
      const event = toChatEvent(part, requestId, hasTools);
      if (event) yield event;
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
  if (!isWhole) throw brokenStream(modelId, requestId, "The stream ended before the answer did.");
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
    ...readUsage(usage),
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
