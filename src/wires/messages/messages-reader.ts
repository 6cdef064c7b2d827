import type {
  CitationsDelta,
  ConverseStreamOutput,
  StopReason,
  ToolResultBlockDelta,
} from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError } from "../../errors.ts";
import { isRecord, type JsonObject, recordAt, textAt } from "../../json.ts";
import { argumentsText } from "../chat-completions/streamed-calls.ts";
import { CHECK_BASE_URL } from "../failure-table.ts";
import type { AnswerReader } from "../read-answer.ts";
import { toCitation } from "./citation.ts";
import { fromRedactedData } from "./messages-content.ts";
import { mergeUsage, toServiceTier, toTokenUsage } from "./messages-usage.ts";

interface OpenBlock {
  /** A call whose input came with its beginning, as some servers send it: what is said at its end if nothing follows. */
  input: unknown;
  hasInput: boolean;
}

/**
 * Turns the events of a streamed message into the parts of a ConverseStream
 * (https://platform.claude.com/docs/en/build-with-claude/streaming). Only `message_stop` proves the answer whole. Events
 * and blocks of kinds that are not known are passed over, as that page asks.
 */
export class MessagesReader implements AnswerReader {
  isFinished = false;
  #hasStarted = false;
  readonly #open = new Map<number, OpenBlock>();
  /** The blocks of the answer by the server's numbers, which some give twice. */
  readonly #blocks = new Map<number, number>();
  #count = 0;
  #last: number | undefined;
  #hasCalls = false;
  #stopReason: string | undefined;
  #stopSequence: string | undefined;
  #usage: JsonObject = {};

  take(event: JsonObject): ConverseStreamOutput[] {
    if (this.isFinished) return [];
    const parts: ConverseStreamOutput[] = [];
    switch (event["type"]) {
      case "message_start":
        this.#usage = mergeUsage(this.#usage, recordAt(event, "message")["usage"]);
        this.#start(parts);
        break;
      case "content_block_start":
        this.#start(parts);
        this.#begin(this.#newBlock(event), recordAt(event, "content_block"), parts);
        break;
      case "content_block_delta":
        this.#start(parts);
        this.#continue(this.#blockOf(event) ?? this.#newBlock(event), recordAt(event, "delta"), parts);
        break;
      case "content_block_stop":
        this.#close(this.#blockOf(event), parts);
        break;
      case "message_delta":
        this.#stopReason = textAt(event["delta"], "stop_reason") ?? this.#stopReason;
        this.#stopSequence = textAt(event["delta"], "stop_sequence") ?? this.#stopSequence;
        this.#usage = mergeUsage(this.#usage, event["usage"]);
        break;
      case "message_stop":
        this.#start(parts);
        this.#finish(parts);
        break;
    }
    return parts;
  }

  /** A whole message is read as the events that say the same. Throws `bad-response` for what is none. */
  takeWhole(message: JsonObject): ConverseStreamOutput[] {
    const { content, stop_reason, stop_sequence } = message;
    if (!Array.isArray(content)) {
      throw new OpenclawError("bad-response", {
        message: "The answer is not one of the Messages API.",
        hint: CHECK_BASE_URL,
      });
    }
    const blocks = (content as unknown[]).flatMap((block, index) => [
      { type: "content_block_start", index, content_block: block },
      { type: "content_block_stop", index },
    ]);
    return [
      { type: "message_start", message },
      ...blocks,
      { type: "message_delta", delta: { stop_reason, stop_sequence } },
      { type: "message_stop" },
    ].flatMap((event) => this.take(event));
  }

  get isOver(): boolean {
    return this.isFinished;
  }

  /** All was said at `message_stop`. */
  end(): ConverseStreamOutput[] {
    return [];
  }

  /** Nothing is held back. */
  rest(): ConverseStreamOutput[] {
    return [];
  }

  #newBlock({ index: number }: JsonObject): number {
    const index = this.#count++;
    if (typeof number === "number") this.#blocks.set(number, index);
    return index;
  }

  /** The block that an event is about: without a number the last one; undefined before there is one. */
  #blockOf({ index: number }: JsonObject): number | undefined {
    return typeof number === "number" ? this.#blocks.get(number) : this.#last;
  }

  #start(parts: ConverseStreamOutput[]): void {
    if (!this.#hasStarted) parts.push({ messageStart: { role: "assistant" } });
    this.#hasStarted = true;
  }

  /** Text and reasoning have no contentBlockStart in a ConverseStream. What a block begins with may be all of it. */
  #begin(index: number, block: JsonObject, parts: ConverseStreamOutput[]): void {
    const type = textAt(block, "type") ?? "";
    const id = textAt(block, "id") ?? textAt(block, "tool_use_id") ?? "";
    // One is written at a time, and an end may be left out.
    for (const other of this.#open.keys()) this.#close(other, parts);
    this.#last = index;
    this.#open.set(index, { input: block["input"], hasInput: false });
    if (type === "tool_use" || type === "server_tool_use") {
      const call = { toolUseId: id, name: textAt(block, "name") ?? "" };
      const toolUse = type === "tool_use" ? call : { ...call, type: "server_tool_use" as const };
      this.#hasCalls ||= type === "tool_use";
      parts.push({ contentBlockStart: { contentBlockIndex: index, start: { toolUse } } });
    } else if (type.endsWith("_tool_result")) {
      const start = { toolResult: { toolUseId: id, type } };
      parts.push({ contentBlockStart: { contentBlockIndex: index, start } });
      // With the encrypted content that the service wants back.
      const json = { content: block["content"] as ToolResultBlockDelta.JsonMember["json"] };
      parts.push({ contentBlockDelta: { contentBlockIndex: index, delta: { toolResult: [{ json }] } } });
    } else if (type === "redacted_thinking") {
      const redactedContent = fromRedactedData(textAt(block, "data") ?? "");
      const delta = { reasoningContent: { redactedContent } };
      parts.push({ contentBlockDelta: { contentBlockIndex: index, delta } });
    } else {
      this.#say(index, block, parts);
      const citations = Array.isArray(block["citations"]) ? (block["citations"] as unknown[]) : [];
      for (const citation of citations) this.#say(index, { citation }, parts);
    }
  }

  #continue(index: number, delta: JsonObject, parts: ConverseStreamOutput[]): void {
    const open = this.#open.get(index) ?? { input: undefined, hasInput: false };
    this.#open.set(index, open);
    this.#last = index;
    const input = argumentsText(delta["partial_json"]);
    if (input === "") return this.#say(index, delta, parts);
    open.hasInput = true;
    parts.push({ contentBlockDelta: { contentBlockIndex: index, delta: { toolUse: { input } } } });
  }

  /** What a delta says, and a block that begins with something: the names of the fields are the same. */
  #say(index: number, said: JsonObject, parts: ConverseStreamOutput[]): void {
    const push = (delta: NonNullable<ConverseStreamOutput["contentBlockDelta"]>["delta"]): void =>
      void parts.push({ contentBlockDelta: { contentBlockIndex: index, delta } });
    const text = textAt(said, "text") ?? "";
    if (text !== "") push({ text });
    const thought = textAt(said, "thinking") ?? "";
    if (thought !== "") push({ reasoningContent: { text: thought } });
    const signature = textAt(said, "signature") ?? "";
    if (signature !== "") push({ reasoningContent: { signature } });
    const citation: CitationsDelta | undefined = toCitation(said["citation"]);
    if (citation) push({ citation });
  }

  #close(index: number | undefined, parts: ConverseStreamOutput[]): void {
    const open = index === undefined ? undefined : this.#open.get(index);
    if (index === undefined || !open) return;
    this.#open.delete(index);
    const { input, hasInput } = open;
    const whole = isRecord(input) && Object.keys(input).length === 0 ? "" : argumentsText(input);
    if (!hasInput && whole !== "") {
      const toolUse = { input: whole };
      parts.push({ contentBlockDelta: { contentBlockIndex: index, delta: { toolUse } } });
    }
    parts.push({ contentBlockStop: { contentBlockIndex: index } });
  }

  #finish(parts: ConverseStreamOutput[]): void {
    for (const index of this.#open.keys()) this.#close(index, parts);
    const stopReason = this.#stopReason ?? (this.#hasCalls ? "tool_use" : "end_turn");
    // In the place that Converse has it in where it is asked to hand it on.
    const own =
      this.#stopSequence === undefined
        ? {}
        : { additionalModelResponseFields: { stop_sequence: this.#stopSequence } };
    parts.push({ messageStop: { stopReason: stopReason as StopReason, ...own } });
    const usage = toTokenUsage(this.#usage);
    const serviceTier = toServiceTier(this.#usage);
    if (usage) {
      parts.push({
        metadata: { usage, metrics: undefined, ...(serviceTier === undefined ? {} : { serviceTier }) },
      });
    }
    this.isFinished = true;
  }
}
