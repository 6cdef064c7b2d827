import type {
  ContentBlockDelta,
  ConverseResponse,
  ConverseStreamMetadataEvent,
  ConverseStreamOutput,
  StopReason,
} from "@aws-sdk/client-bedrock-runtime";
import type { ChatEvent, ChatEvents } from "../../../converse/chat-event.ts";
import { MessageAssembler } from "../../../converse/message-assembler.ts";
import { parseCallInTurns } from "../../../parse-in-turns.ts";
import type { TokenUsage } from "../../../models/usage.ts";
import { withoutUndefined } from "../../../json.ts";
import { toBase64 } from "../../../wires/data-url.ts";

export type Parts = AsyncGenerator<ConverseStreamOutput, void, undefined>;

export interface ConverseTelling {
  /** Since the request came, in ms. */
  since: () => number;
  /** Whether the client asked for the trace of a guardrail that is its own. */
  showsGuardrail: boolean;
}

/** A piece of a content block: what kind of block it is, and which of the model's. */
type Place = `${"text" | "reasoning" | "tool"} ${number | undefined}`;

/**
 * Turns an answer's events into the parts of a ConverseStream, in its order: blocks numbered from 0, each ended before the
 * next, text and reasoning without a beginning of their own, counts behind the end. Throws what the events throw.
 */
export async function* toConverseParts(events: ChatEvents, telling: ConverseTelling): Parts {
  const blocks = new Blocks();
  let isCounted = false;
  let hasEnded = false;
  function* partsOf(event: ChatEvent): Generator<ConverseStreamOutput> {
    switch (event.type) {
      case "start":
        yield { messageStart: { role: "assistant" } };
        break;
      case "text":
        yield* blocks.delta(`text ${event.index}`, { text: event.text });
        break;
      case "citation":
        yield* blocks.delta(`text ${event.index}`, {
          citation: event.delta ?? withoutUndefined({ title: event.title, source: event.url }),
        });
        break;
      case "reasoning":
        yield* blocks.delta(`reasoning ${event.index}`, { reasoningContent: { text: event.text } });
        break;
      case "signature":
        yield* deltasOf(event, blocks);
        break;
      case "tool-start":
        yield* blocks.beginCall(event);
        break;
      case "tool-input":
        yield* blocks.delta(`tool ${event.index}`, { toolUse: { input: event.text } });
        break;
      case "stop":
        yield* blocks.end();
        hasEnded = true;
        yield {
          messageStop: {
            stopReason: stopReasonOf(event.stopReason, blocks.hasCalls),
            ...(event.ownFields === undefined ? {} : { additionalModelResponseFields: event.ownFields }),
          },
        };
        break;
      case "usage":
        isCounted = true;
        yield { metadata: toMetadata(event, telling) };
    }
  }
  for await (const event of events) {
    // By yield* each would wait for a promise of its own.
    for (const part of partsOf(event)) yield part;
  }
  // Whoever reads an answer of Converse takes it for granted that there are counts.
  if (hasEnded && !isCounted) yield { metadata: toMetadata(NO_COUNTS, telling) };
}

const NO_COUNTS: Usage = { type: "usage", inputTokens: 0, outputTokens: 0, totalTokens: 0 };

type Usage = Extract<ChatEvent, { type: "usage" }>;

/** Numbers the blocks of an answer. */
class Blocks {
  #index = -1;
  #place: Place | undefined;
  hasCalls = false;

  *beginCall({
    index,
    id,
    name,
  }: Extract<ChatEvent, { type: "tool-start" }>): Generator<ConverseStreamOutput> {
    yield* this.#begin(`tool ${index}`);
    this.hasCalls = true;
    yield {
      contentBlockStart: { contentBlockIndex: this.#index, start: { toolUse: { toolUseId: id, name } } },
    };
  }

  *delta(place: Place, delta: ContentBlockDelta): Generator<ConverseStreamOutput> {
    if (place !== this.#place) yield* this.#begin(place);
    yield { contentBlockDelta: { contentBlockIndex: this.#index, delta } };
  }

  *end(): Generator<ConverseStreamOutput> {
    if (this.#place !== undefined) yield { contentBlockStop: { contentBlockIndex: this.#index } };
    this.#place = undefined;
  }

  *#begin(place: Place): Generator<ConverseStreamOutput> {
    yield* this.end();
    this.#index += 1;
    this.#place = place;
  }
}

function* deltasOf(
  { index, signature, redactedContent }: Extract<ChatEvent, { type: "signature" }>,
  blocks: Blocks,
): Generator<ConverseStreamOutput> {
  if (signature !== undefined) yield* blocks.delta(`reasoning ${index}`, { reasoningContent: { signature } });
  if (redactedContent) yield* blocks.delta(`reasoning ${index}`, { reasoningContent: { redactedContent } });
}

/** Converse has no word for a refusal of the model's own, and calls an answer with calls one that ends with them. */
function stopReasonOf(stopReason: string, hasCalls: boolean): StopReason {
  if (stopReason === "refusal") return "content_filtered";
  return (hasCalls && stopReason === "end_turn" ? "tool_use" : stopReason) as StopReason;
}

function toMetadata(event: Usage, { since, showsGuardrail }: ConverseTelling): ConverseStreamMetadataEvent {
  const { latency, serviceTier, latencyMs, trace } = event;
  const shown = withoutUndefined({
    guardrail: showsGuardrail ? trace?.guardrail : undefined,
    promptRouter: trace?.promptRouter,
  });
  return {
    usage: toUsage(event),
    metrics: { latencyMs: latencyMs ?? Math.round(since()) },
    ...(Object.keys(shown).length === 0 ? {} : { trace: shown }),
    ...(latency === undefined ? {} : { performanceConfig: { latency: latency as "standard" } }),
    ...(serviceTier === undefined ? {} : { serviceTier: { type: serviceTier as "default" } }),
  };
}

function toUsage(usage: TokenUsage): NonNullable<ConverseResponse["usage"]> {
  const { inputTokens, outputTokens, totalTokens, cacheReadInputTokens, cacheWriteInputTokens } = usage;
  const { cacheWrite1hInputTokens: forAnHour = 0 } = usage;
  const written = [
    { ttl: "5m" as const, inputTokens: Math.max((cacheWriteInputTokens ?? 0) - forAnHour, 0) },
    { ttl: "1h" as const, inputTokens: forAnHour },
  ].filter((detail) => detail.inputTokens > 0);
  return {
    inputTokens,
    outputTokens,
    totalTokens,
    ...withoutUndefined({ cacheReadInputTokens, cacheWriteInputTokens }),
    ...(written.length === 0 ? {} : { cacheDetails: written }),
  };
}

/** The answer that the parts of a stream come to. Throws what they throw, and `bad-response` for one without end. */
export async function toConverseAnswer(parts: Parts): Promise<ConverseResponse> {
  const assembler = new MessageAssembler();
  let stopReason: StopReason = "end_turn";
  let ownFields: ConverseResponse["additionalModelResponseFields"];
  let metadata: Partial<ConverseStreamMetadataEvent> = {};
  for await (const part of parts) {
    assembler.take(part);
    if (part.messageStop)
      ({ stopReason = stopReason, additionalModelResponseFields: ownFields } = part.messageStop);
    if (part.metadata) ({ metadata } = part);
  }
  const { usage, metrics, trace, performanceConfig, serviceTier } = metadata;
  await assembler.readCalls(parseCallInTurns);
  return {
    output: { message: assembler.message() },
    stopReason,
    usage,
    metrics,
    ...withoutUndefined({
      additionalModelResponseFields: ownFields,
      trace,
      performanceConfig,
      serviceTier,
    }),
  };
}

/** A part as JSON has it, in which bytes are base64. */
export function toJsonPart(part: ConverseStreamOutput): object {
  const { redactedContent } = part.contentBlockDelta?.delta?.reasoningContent ?? {};
  if (!redactedContent) return part;
  const delta = { reasoningContent: { redactedContent: toBase64(redactedContent) } };
  return { contentBlockDelta: { ...part.contentBlockDelta, delta } };
}

/** The same of a whole answer. */
export function toJsonAnswer(
  answer: ConverseResponse,
): Omit<ConverseResponse, "output"> & { output: object } {
  const { message } = answer.output ?? {};
  const content = (message?.content ?? []).map((block) => {
    const { redactedContent } = block.reasoningContent ?? {};
    return redactedContent ? { reasoningContent: { redactedContent: toBase64(redactedContent) } } : block;
  });
  return { ...answer, output: { message: { ...message, content } } };
}
