import type {
  ConverseStreamMetadataEvent,
  ConverseStreamOutput,
  MessageStopEvent,
  TokenUsage as AwsTokenUsage,
} from "@aws-sdk/client-bedrock-runtime";
import type { OpenclawError } from "../errors.ts";
import { chunkOf } from "./invocation.ts";
import { isRecord, textAt } from "../json.ts";
import type { TokenUsage } from "../models/usage.ts";
import { piecesOf, TURN_BYTES, turnOver } from "../next-turn.ts";
import type { AnswerParts } from "./answer-batches.ts";
import type { ChatEvent, ChatEvents } from "./chat-event.ts";
import { toCitedSource } from "./cited-source.ts";
import { abortReason, type Deadlines } from "./deadlines.ts";
import { firedPolicies } from "./guardrail.ts";
import type { TurnRecorder } from "./message-assembler.ts";
import { Said } from "./said.ts";
import { WholeCharacters } from "./whole-characters.ts";

export interface Reading {
  requestId: string | undefined;
  deadlines: Deadlines;
  /** Whether the model was given tools; without them a call of one is nothing to a reader. */
  hasTools: boolean;
  /** The caller's names of the tools that were sent under another. */
  toolNames: ReadonlyMap<string, string>;
  /** What was asked for that has a price of its own; counts where the answer does not say what it was given. */
  asked?: Pick<TokenUsage, "serviceTier" | "latency"> | undefined;
  /** Whether deltas that arrive together are passed on as one: always, but where each of them is a line. */
  coalesces: boolean;
  /** Whether signatures of the reasoning are passed on. */
  passesSignatures?: boolean | undefined;
  /** Whether what only Converse tells is passed on. */
  passesDetails?: boolean | undefined;
  recorder: TurnRecorder | undefined;
  /** What a failure in the middle of the answer means. */
  toFailure: (failure: unknown) => OpenclawError;
  /** Whether a failure is something the service said, which counts after the last word, too. */
  isSaid: (failure: unknown) => boolean;
}

/**
 * Yields the parts of an answer as `ChatEvent`s. The answer is whole only with a `messageStop`: without one it ends in
 * what `toFailure` makes of that, however cleanly the connection was closed.
 */
export async function* readEvents(batches: AnswerParts, reading: Reading): ChatEvents {
  const { deadlines, hasTools, coalesces, passesDetails, recorder, toFailure, isSaid } = reading;
  let isWhole = false;
  const characters = new WholeCharacters();
  const said = new Said();
  /** Blocks with calls of the service's own tools, which it answers itself. */
  const ownCalls = new Set<number | undefined>();
  try {
    for await (const parts of batches) {
      deadlines.heard();
      let text = "";
      /** The block of the text. */
      let block: number | undefined;
      for (const part of parts.flatMap(inPieces)) {
        recorder?.take(part);
        said.take(part);
        if (part.messageStop) isWhole = true;
        const { contentBlockIndex, start } = part.contentBlockStart ?? {};
        if (start?.toolUse?.type === "server_tool_use") ownCalls.add(contentBlockIndex);
        const { contentBlockIndex: index = contentBlockIndex } = part.contentBlockDelta ?? {};
        const event = ownCalls.has(index) ? undefined : toChatEvent(part, reading);
        if (event && passesDetails) addDetails(event, part);
        if (event?.type === "stop") event.wordless = said.wordless(hasTools);
        for (const whole of event ? characters.take(event) : []) {
          const isText = coalesces && whole.type === "text";
          if (text !== "" && !(isText && whole.index === block)) {
            yield toText(text, block);
            text = "";
          }
          if (isText) {
            text += whole.text;
            block = whole.index;
            if (text.length < TURN_BYTES) continue;
            yield toText(text, block);
            text = "";
          } else yield whole;
          const over = turnOver();
          if (over) await over;
        }
      }
      if (text !== "") yield toText(text, block);
      if (isWhole) deadlines.expectEnd();
    }
  } catch (failure) {
    yield* characters.rest();
    const error = toFailure(failure);
    // The text is complete; what was lost on the way is the bookkeeping after it.
    if (isWhole && LOST.has(error.code) && !isSaid(failure)) return;
    throw error;
  }
  yield* characters.rest();
  // An abort in the middle of a stream can end it silently.
  if (deadlines.signal.aborted && !isWhole) throw abortReason(deadlines.signal);
  if (!isWhole) throw toFailure(new Error("The stream ends without messageStop."));
}

/** A part, in several where its text is too long to be worked on at once. */
function inPieces(part: ConverseStreamOutput): ConverseStreamOutput[] {
  const { delta } = part.contentBlockDelta ?? {};
  const text = delta?.text ?? delta?.toolUse?.input ?? delta?.reasoningContent?.text;
  if (delta === undefined || text === undefined || text.length <= TURN_BYTES) return [part];
  const toDelta = (piece: string): typeof delta => {
    if (delta.text !== undefined) return { text: piece };
    return delta.toolUse ? { toolUse: { input: piece } } : { reasoningContent: { text: piece } };
  };
  const { contentBlockDelta } = part;
  return Array.from(piecesOf(text), (piece) => ({
    contentBlockDelta: { contentBlockIndex: 0, ...contentBlockDelta, delta: toDelta(piece) },
  }));
}

/** How a connection fails, in codes. */
const LOST: ReadonlySet<string> = new Set(["stream-broken", "bad-response", "timeout"]);

/** The event that a part of the stream stands for; undefined for the parts that carry nothing for a reader. */
function toChatEvent(
  part: ConverseStreamOutput,
  { requestId, hasTools, toolNames, asked, passesSignatures }: Reading,
): ChatEvent | undefined {
  const { delta, contentBlockIndex: index = 0 } = part.contentBlockDelta ?? {};
  if (delta) {
    if (typeof delta.text === "string")
      return delta.text === "" ? undefined : { type: "text", text: delta.text };
    if (delta.citation) return { type: "citation", ...toCitedSource(delta.citation) };
    if (delta.toolUse?.input && hasTools) return { type: "tool-input", index, text: delta.toolUse.input };
    const { text: reasoning, signature, redactedContent } = delta.reasoningContent ?? {};
    if (reasoning) return { type: "reasoning", text: reasoning };
    if (!passesSignatures || (!signature && !redactedContent)) return undefined;
    return { type: "signature", index, signature, redactedContent };
  }
  const call = part.contentBlockStart?.start?.toolUse;
  if (call && hasTools) {
    return {
      type: "tool-start",
      index: part.contentBlockStart?.contentBlockIndex ?? 0,
      id: (call.toolUseId ?? "").toWellFormed(),
      name: toolNames.get(call.name ?? "") ?? (call.name ?? "").toWellFormed(),
    };
  }
  const chunk = chunkOf(part);
  if (chunk) return { type: "chunk", ...chunk };
  if (part.messageStop) return toStop(part.messageStop, passesSignatures === true);
  return part.metadata ? readMetadata(part.metadata, requestId, asked) : undefined;
}

/** Which text ended the answer is in the model's own words, of which AWS hands on those that were asked for. */
function toStop(
  { stopReason: reason, additionalModelResponseFields: own }: MessageStopEvent,
  tellsText: boolean,
): ChatEvent {
  const stopReason = reason ?? "unknown";
  if (!tellsText) return { type: "stop", stopReason };
  const matchedStop = [own, isRecord(own) ? own["delta"] : undefined]
    .map((fields) => textAt(fields, "stop_sequence"))
    .find((text) => text !== undefined);
  return { type: "stop", stopReason, matchedStop: matchedStop?.toWellFormed() };
}

function toText(text: string, index: number | undefined): ChatEvent {
  return index === undefined ? { type: "text", text } : { type: "text", text, index };
}

/** Adds to an event what its part has beside, in Converse's own terms. */
function addDetails(
  event: ChatEvent,
  { contentBlockDelta, messageStop, metadata }: ConverseStreamOutput,
): void {
  switch (event.type) {
    case "text":
    case "reasoning":
      event.index = contentBlockDelta?.contentBlockIndex;
      break;
    case "citation":
      event.index = contentBlockDelta?.contentBlockIndex;
      event.delta = contentBlockDelta?.delta?.citation;
      break;
    case "stop":
      event.ownFields = messageStop?.additionalModelResponseFields;
      break;
    case "usage":
      event.trace = metadata?.trace;
      event.latencyMs = metadata?.metrics?.latencyMs;
  }
}

/** Usage, and what the trace tells: it may come without counts. */
function readMetadata(
  { usage, trace, serviceTier, performanceConfig }: ConverseStreamMetadataEvent,
  requestId: string | undefined,
  asked: Reading["asked"],
): ChatEvent | undefined {
  const invokedModel = trace?.promptRouter?.invokedModelId;
  const guardrail = trace?.guardrail ? firedPolicies(trace.guardrail) : [];
  if (!usage && invokedModel === undefined && guardrail.length === 0) return undefined;
  return {
    type: "usage",
    ...readUsage(usage ?? {}),
    serviceTier: serviceTier?.type ?? asked?.serviceTier,
    latency: performanceConfig?.latency ?? asked?.latency,
    requestId,
    guardrail: guardrail.length === 0 ? undefined : guardrail,
    invokedModel,
  };
}

function readUsage(usage: Partial<AwsTokenUsage>): TokenUsage {
  const { inputTokens = 0, outputTokens = 0, cacheReadInputTokens, cacheDetails = [] } = usage;
  const written = (details: typeof cacheDetails): number | undefined =>
    details.length === 0 ? undefined : details.reduce((sum, detail) => sum + (detail.inputTokens ?? 0), 0);
  const forAnHour = written(cacheDetails.filter(({ ttl }) => ttl === "1h"));
  return {
    inputTokens,
    outputTokens,
    totalTokens: usage.totalTokens ?? inputTokens + outputTokens,
    cacheReadInputTokens,
    cacheWriteInputTokens: usage.cacheWriteInputTokens ?? written(cacheDetails),
    cacheWrite1hInputTokens: forAnHour || undefined,
  };
}
