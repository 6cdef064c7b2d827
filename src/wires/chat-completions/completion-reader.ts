import { isRecord, type JsonObject, recordAt, recordsAt, textAt } from "../../json.ts";
import type { ConverseStreamOutput, StopReason, TokenUsage } from "@aws-sdk/client-bedrock-runtime";
import { tierOf, toTokenUsage } from "./completion-usage.ts";
import type { AnswerReader } from "../read-answer.ts";
import { toStopReason } from "./stop-reason.ts";
import { type CallPart, StreamedCalls } from "./streamed-calls.ts";
import { endsUnbegunReasoning, type Piece, ThinkTags } from "../think-tags.ts";

/**
 * Reasoning stands at the beginning: in so much of a text its end is looked for, in characters, many times what any model
 * puts out. A server that never ends must not take all memory.
 */
const MOST_SEARCHED = 4 * 1024 * 1024;

/**
 * Turns the chunks of a streamed chat completion into the parts of a ConverseStream, in which one content block is open
 * at a time. Chunks are read leniently: servers leave fields out, repeat them and add their own.
 */
export class CompletionReader implements AnswerReader {
  #hasStarted = false;
  /** The block of words that is being written. */
  #open: "text" | "reasoning" | undefined;
  #index = -1;
  readonly #calls: StreamedCalls;
  #hasRefused = false;
  /** Whether a finish reason came: only then the answer is whole. */
  isFinished = false;
  #usage: TokenUsage | undefined;
  #serviceTier: ReturnType<typeof tierOf>;
  #tags: ThinkTags;
  #isWhole = false;
  /** The text so far, up to MOST_SEARCHED. */
  #said = "";
  #hasReasoning = false;

  /**
   * `newId` makes the id of a call to which the server gave none. `mayBeginInside`: the model's reasoning may begin without
   * a tag that says so.
   */
  constructor(newId: () => string, mayBeginInside = false) {
    this.#calls = new StreamedCalls(newId);
    this.#tags = new ThinkTags(mayBeginInside);
  }

  /** The parts that a chunk stands for. Throws `bad-response` for pieces of calls that belong to none. */
  take(chunk: JsonObject): ConverseStreamOutput[] {
    const parts: ConverseStreamOutput[] = [];
    if (!this.#hasStarted) parts.push({ messageStart: { role: "assistant" } });
    this.#hasStarted = true;
    this.#usage = toTokenUsage(chunk["usage"]) ?? this.#usage;
    this.#serviceTier = tierOf(chunk) ?? this.#serviceTier;
    const choice = recordsAt(chunk, "choices").find(({ index }) => index === undefined || index === 0);
    if (!choice) {
      // Behind the end nothing but the counts is waited for, and some servers then leave the connection open.
      if (this.isFinished) parts.push(...this.end());
      return parts;
    }
    const delta = recordAt(choice, "delta");
    this.#takeReasoning(delta, parts);
    this.#takeContent(delta, parts);
    this.#takeCalls(recordsAt(delta, "tool_calls"), parts);
    const reason = textAt(choice, "finish_reason");
    if (reason && !this.isFinished) {
      this.#takePieces(this.#tags.end(), parts);
      this.#close(parts);
      this.isFinished = true;
      const stopReason = toStopReason(reason, {
        hasToolCalls: this.#calls.count > 0,
        hasRefused: this.#hasRefused,
        matchedStop: choice["stop_reason"],
      });
      parts.push({ messageStop: { stopReason: stopReason as StopReason } });
    }
    return parts;
  }

  /** A whole completion is read as the one chunk that says the same. */
  takeWhole(completion: JsonObject): ConverseStreamOutput[] {
    const choices = recordsAt(completion, "choices").map(
      ({ index, message, finish_reason, stop_reason }) => ({
        index,
        delta: message,
        finish_reason,
        stop_reason,
      }),
    );
    // Nobody waits for what is held back.
    this.#tags = new ThinkTags(true);
    this.#isWhole = true;
    return this.take({ ...completion, choices });
  }

  /** What is left to say when the stream is over: the token counts, which come with any chunk or with one of their own. */
  end(): ConverseStreamOutput[] {
    const usage = this.#usage;
    this.#usage = undefined;
    if (!usage) return [];
    const serviceTier = this.#serviceTier ? { serviceTier: this.#serviceTier } : {};
    return [{ metadata: { usage, metrics: undefined, ...serviceTier } }];
  }

  rest(): ConverseStreamOutput[] {
    const parts: ConverseStreamOutput[] = [];
    // Before anything was said the answer can still be asked for again.
    if (this.#index >= 0 && !this.isFinished) this.#takePieces(this.#tags.end(), parts);
    return parts;
  }

  /** Whether an answer that is whole has reasoning in its text, as far as that can be told. */
  get saysReasoning(): boolean {
    return this.isFinished && !this.#hasReasoning && endsUnbegunReasoning(this.#said);
  }

  /** `reasoning_content` is DeepSeek's name, taken over by llama.cpp and LiteLLM; `reasoning` is Ollama's and vLLM's. */
  #takeReasoning(delta: JsonObject, parts: ConverseStreamOutput[]): void {
    const text =
      textAt(delta, "reasoning_content") || textAt(delta, "reasoning") || thoughtIn(delta["content"]);
    if (text === "") return;
    this.#tags.setApart();
    this.#takePieces([{ kind: "reasoning", text }], parts);
  }

  #takeContent(delta: JsonObject, parts: ConverseStreamOutput[]): void {
    const refusal = textAt(delta, "refusal") ?? "";
    if (refusal !== "") this.#hasRefused = true;
    const text = textIn(delta["content"]);
    if (text !== "") this.#takePieces(this.#tags.take(text), parts);
    if (refusal !== "") this.#takePieces([...this.#tags.end(), { kind: "text", text: refusal }], parts);
  }

  #takePieces(pieces: readonly Piece[], parts: ConverseStreamOutput[]): void {
    for (const { kind, text } of pieces) {
      if (text === "" && this.#isWhole) continue;
      if (kind === "reasoning") this.#hasReasoning = true;
      else if (this.#said.length < MOST_SEARCHED) this.#said += text;
      this.#begin(kind, parts);
      const delta = kind === "text" ? { text } : { reasoningContent: { text } };
      parts.push({ contentBlockDelta: { contentBlockIndex: this.#index, delta } });
    }
  }

  #takeCalls(pieces: readonly JsonObject[], parts: ConverseStreamOutput[]): void {
    if (pieces.length === 0) return;
    this.#takePieces(this.#tags.end(), parts);
    this.#closeWords(parts);
    this.#calls.take(pieces);
    this.#passCalls(this.#calls.ready(), parts);
  }

  /** Calls come one after the other here, also where their pieces came mixed. */
  #passCalls(passing: readonly CallPart[], parts: ConverseStreamOutput[]): void {
    for (const part of passing) {
      if ("name" in part) {
        this.#index += 1;
        const start = { toolUse: { toolUseId: part.id, name: part.name } };
        parts.push({ contentBlockStart: { contentBlockIndex: this.#index, start } });
      } else if ("input" in part) {
        const delta = { toolUse: { input: part.input } };
        parts.push({ contentBlockDelta: { contentBlockIndex: this.#index, delta } });
      } else parts.push({ contentBlockStop: { contentBlockIndex: this.#index } });
    }
  }

  /** Text and reasoning have no contentBlockStart, as on the real service. */
  #begin(kind: "text" | "reasoning", parts: ConverseStreamOutput[]): void {
    if (this.#open === kind) return;
    this.#close(parts);
    this.#open = kind;
    this.#index += 1;
  }

  #close(parts: ConverseStreamOutput[]): void {
    this.#closeWords(parts);
    this.#passCalls(this.#calls.end(), parts);
  }

  #closeWords(parts: ConverseStreamOutput[]): void {
    if (!this.#open) return;
    this.#open = undefined;
    parts.push({ contentBlockStop: { contentBlockIndex: this.#index } });
  }
}

/** Mistral's reasoning models send a list of parts in place of a text. */
function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => (isRecord(part) && part["type"] === "text" ? textAt(part, "text") : undefined))
    .join("");
}

function thoughtIn(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => (isRecord(part) && part["type"] === "thinking" ? textIn(part["thinking"]) : ""))
    .join("");
}
