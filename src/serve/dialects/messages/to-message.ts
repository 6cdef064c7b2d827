import type {
  ContentBlock,
  Message,
  MessageDeltaUsage,
  RawContentBlockDelta,
  RawMessageStreamEvent,
  StopReason,
  Usage,
} from "@anthropic-ai/sdk/resources/messages/messages";
import type { ChatEvent, ChatEvents } from "../../../converse/chat-event.ts";
import { KeptLength } from "../../../converse/kept-length.ts";
import { isRecord } from "../../../json.ts";
import { parseCallInTurns } from "../../../parse-in-turns.ts";
import type { TokenUsage } from "../../../models/usage.ts";
import { toTextCitation } from "./message-citation.ts";
import { toRedacted } from "./redacted-thinking.ts";

export type MessageEvents = AsyncGenerator<RawMessageStreamEvent, void, undefined>;

export interface MessageOptions {
  /** Of the message; asked for when there is something to say. */
  id: () => string;
  /** The texts that end the answer. */
  stops: readonly string[];
}

/** Converse's reasons to stop, and other APIs' (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons). */
const STOP_REASONS: Readonly<Record<string, StopReason>> = {
  end_turn: "end_turn",
  tool_use: "tool_use",
  max_tokens: "max_tokens",
  stop_sequence: "stop_sequence",
  guardrail_intervened: "refusal",
  content_filtered: "refusal",
  refusal: "refusal",
  pause_turn: "pause_turn",
  model_context_window_exceeded: "model_context_window_exceeded",
};

/** Why an answer was withheld, where that is not the model's own doing. */
const WITHHELD: Readonly<Record<string, string>> = {
  guardrail_intervened: "A guardrail intervened.",
  content_filtered: "A content filter withheld the answer.",
};

/**
 * Turns an answer's events into those of Anthropic's stream
 * (https://platform.claude.com/docs/en/build-with-claude/streaming). Bedrock counts tokens at the end only: the start has
 * zeros, and `message_delta` all counts. Throws what the events throw.
 */
export async function* toMessageEvents(events: ChatEvents, { id, stops }: MessageOptions): MessageEvents {
  const blocks = new Blocks();
  let stop: Extract<ChatEvent, { type: "stop" }> | undefined;
  let usage: TokenUsage | undefined;
  for await (const event of events) {
    if (event.type === "start") yield { type: "message_start", message: emptyMessage(id(), event.model) };
    else if (event.type === "stop") stop = event;
    else if (event.type === "usage") usage = event;
    // By yield* each would wait for a promise of its own.
    else for (const told of blocks.take(event)) yield told;
  }
  yield* blocks.close();
  yield {
    type: "message_delta",
    delta: { container: null, ...stopOf(stop, stops, blocks.hasCalls) },
    usage: deltaUsage(usage),
  };
  yield { type: "message_stop" };
}

type Stop = Pick<Message, "stop_reason" | "stop_sequence" | "stop_details">;

function stopOf(
  { stopReason = "end_turn", matchedStop }: { stopReason?: string; matchedStop?: string | undefined } = {},
  stops: readonly string[],
  hasCalls: boolean,
): Stop {
  const own = STOP_REASONS[stopReason] ?? "end_turn";
  const reason = own === "end_turn" && hasCalls ? "tool_use" : own;
  // Where the model does not say which text it was, one that is alone tells it.
  const only = stops.length === 1 ? stops[0] : undefined;
  const isRefusal = reason === "refusal";
  return {
    stop_reason: reason,
    stop_sequence: reason === "stop_sequence" ? (matchedStop ?? only ?? null) : null,
    stop_details: isRefusal
      ? { type: "refusal", category: null, explanation: WITHHELD[stopReason] ?? null }
      : null,
  };
}

/** The content blocks of an answer: one is written at a time, each under the next number. */
class Blocks {
  #open: "text" | "thinking" | "call" | undefined;
  /** Whether the open text has named a source: what is said next is not from it. */
  #isCited = false;
  #index = -1;
  hasCalls = false;

  *take(event: Exclude<ChatEvent, { type: "start" | "stop" | "usage" }>): Generator<RawMessageStreamEvent> {
    switch (event.type) {
      case "text":
        if (this.#isCited) yield* this.close();
        yield* this.#text();
        yield this.#delta({ type: "text_delta", text: event.text });
        break;
      case "citation": {
        yield* this.#text();
        const { type: _, ...source } = event;
        yield this.#delta({ type: "citations_delta", citation: toTextCitation(source) });
        this.#isCited = true;
        break;
      }
      case "reasoning":
        yield* this.#thinking();
        yield this.#delta({ type: "thinking_delta", thinking: event.text });
        break;
      case "signature":
        yield* this.#sign(event);
        break;
      case "tool-start": {
        const { id, name } = event;
        this.hasCalls = true;
        yield* this.#begin("call", { type: "tool_use", id, name, input: {}, caller: { type: "direct" } });
        break;
      }
      case "tool-input":
        yield this.#delta({ type: "input_json_delta", partial_json: event.text });
    }
  }

  /** Ends the block that is open. */
  *close(): Generator<RawMessageStreamEvent> {
    if (this.#open !== undefined) yield { type: "content_block_stop", index: this.#index };
    this.#open = undefined;
    this.#isCited = false;
  }

  *#text(): Generator<RawMessageStreamEvent> {
    // Without sources there is no list of them, whatever the types say: some clients refuse a null.
    if (this.#open !== "text") yield* this.#begin("text", { type: "text", text: "" } as ContentBlock);
  }

  *#thinking(): Generator<RawMessageStreamEvent> {
    if (this.#open !== "thinking")
      yield* this.#begin("thinking", { type: "thinking", thinking: "", signature: "" });
  }

  *#sign({
    signature,
    redactedContent,
  }: Extract<ChatEvent, { type: "signature" }>): Generator<RawMessageStreamEvent> {
    if (signature !== undefined) {
      yield* this.#thinking();
      yield this.#delta({ type: "signature_delta", signature });
      yield* this.close();
    }
    if (!redactedContent) return;
    yield* this.#begin("thinking", { type: "redacted_thinking", data: toRedacted(redactedContent) });
    yield* this.close();
  }

  *#begin(kind: "text" | "thinking" | "call", block: ContentBlock): Generator<RawMessageStreamEvent> {
    yield* this.close();
    this.#open = kind;
    this.#index += 1;
    yield { type: "content_block_start", index: this.#index, content_block: block };
  }

  #delta(delta: RawContentBlockDelta): RawMessageStreamEvent {
    return { type: "content_block_delta", index: this.#index, delta };
  }
}

function emptyMessage(id: string, model: string): Message {
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: {
      input_tokens: 0,
      output_tokens: 0,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: null,
      inference_geo: null,
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: null,
      speed: null,
    },
  };
}

/** Both count cached tokens beside the input's. */
function deltaUsage(
  usage: TokenUsage | undefined,
): MessageDeltaUsage & Pick<Usage, "cache_creation" | "service_tier"> {
  const {
    inputTokens = 0,
    outputTokens = 0,
    cacheReadInputTokens = 0,
    cacheWriteInputTokens: written = 0,
    cacheWrite1hInputTokens: forAnHour = 0,
  } = usage ?? {};
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cacheReadInputTokens,
    cache_creation:
      written === 0
        ? null
        : { ephemeral_1h_input_tokens: forAnHour, ephemeral_5m_input_tokens: written - forAnHour },
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: usage?.serviceTier === "priority" ? "priority" : "standard",
  };
}

/** Gathers the events of an answer into one message. Throws what the events throw, and `bad-response` for one without end. */
export async function gatherMessage(events: MessageEvents): Promise<Message> {
  let message = emptyMessage("", "");
  /** What the block that is open is put together from. */
  let pieces: string[] = [];
  const length = new KeptLength();
  for await (const event of events) {
    switch (event.type) {
      case "message_start":
        ({ message } = event);
        break;
      case "content_block_start":
        pieces = [];
        message.content.push(event.content_block);
        break;
      case "content_block_delta": {
        const block = message.content.at(-1);
        const { delta } = event;
        if (delta.type === "citations_delta" && block?.type === "text")
          block.citations = [...(block.citations ?? []), delta.citation];
        if (delta.type === "signature_delta" && block?.type === "thinking") block.signature = delta.signature;
        const piece = pieceOf(delta);
        length.add(piece.length);
        pieces.push(piece);
        break;
      }
      case "content_block_stop": {
        const block = message.content.at(-1);
        const whole = pieces.join("");
        if (block?.type === "text") block.text = whole;
        if (block?.type === "thinking") block.thinking = whole;
        if (block?.type === "tool_use") block.input = await readInput(whole);
        break;
      }
      case "message_delta":
        message = {
          ...message,
          ...event.delta,
          usage: { ...message.usage, ...event.usage, input_tokens: event.usage.input_tokens ?? 0 },
        };
        break;
    }
  }
  return message;
}

function pieceOf(delta: RawContentBlockDelta): string {
  switch (delta.type) {
    case "text_delta":
      return delta.text;
    case "thinking_delta":
      return delta.thinking;
    case "input_json_delta":
      return delta.partial_json;
    default:
      return "";
  }
}

/** What is cut at a token limit is no JSON. */
async function readInput(text: string): Promise<object> {
  const input = await parseCallInTurns(text);
  return isRecord(input) ? input : {};
}
