import type {
  Citation,
  ContentBlockDelta,
  ConverseStreamOutput,
  StopReason,
} from "@aws-sdk/client-bedrock-runtime";
import { isRecord, type JsonObject, recordAt, recordsAt, textAt } from "../../json.ts";
import { toJson } from "../../json-numbers.ts";
import { tierOf, toTokenUsage } from "../chat-completions/completion-usage.ts";
import { argumentsText } from "../chat-completions/streamed-calls.ts";
import type { AnswerReader } from "../read-answer.ts";
import { type Piece, ThinkTags } from "../think-tags.ts";
import { toSignature } from "./reasoning-signature.ts";

interface Block {
  index: number;
  /** Whether pieces of it came by themselves. */
  hasPieces: boolean;
  isClosed: boolean;
}

/** Why an answer is not whole, in Converse's words (https://platform.openai.com/docs/api-reference/responses/object). */
const INCOMPLETE: Readonly<Record<string, StopReason>> = {
  max_output_tokens: "max_tokens",
  content_filter: "content_filtered",
};

/**
 * Turns the events of a streamed response into the parts of a ConverseStream: an output item, or a part of a message, is a
 * content block. Of an item whose pieces did not come, its end has all. Events that are not known say nothing.
 */
export class ResponseReader implements AnswerReader {
  #hasStarted = false;
  /** By the place of what they stand for. */
  readonly #blocks = new Map<string, Block>();
  readonly #tags: ThinkTags;
  /** The place of the text that reasoning is looked for in: the first one. */
  #tagged: string | undefined;
  #hasCalls = false;
  #hasRefused = false;
  isFinished = false;
  #rest: ConverseStreamOutput[] = [];

  /** `mayBeginInside`: the model's reasoning may be in its text, and begin without a tag that says so. */
  constructor(mayBeginInside = false) {
    this.#tags = new ThinkTags(mayBeginInside);
  }

  /** The parts that an event stands for. */
  take(event: JsonObject): ConverseStreamOutput[] {
    const parts: ConverseStreamOutput[] = [];
    if (!this.#hasStarted) parts.push({ messageStart: { role: "assistant" } });
    this.#hasStarted = true;
    const item = recordAt(event, "item");
    // Some servers number nothing.
    const place = String(event["output_index"] ?? event["item_id"] ?? item["id"] ?? 0);
    const part = `${place}/${String(event["content_index"] ?? 0)}`;
    const delta = textAt(event, "delta") ?? "";
    switch (textAt(event, "type")) {
      case "response.output_item.added":
        if (textAt(item, "type") === "function_call" && textAt(item, "name"))
          this.#beginCall(place, item, parts);
        break;
      case "response.output_text.delta":
        this.#say(part, delta, parts);
        break;
      case "response.refusal.delta":
        this.#hasRefused = true;
        this.#pass(part, delta, "text", parts);
        break;
      case "response.reasoning_summary_part.added":
        // Summaries have several parts, with a title each.
        if (this.#blocks.has(place)) this.#pass(place, BETWEEN, "reasoning", parts);
        break;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        this.#tags.setApart();
        this.#pass(place, delta, "reasoning", parts);
        break;
      case "response.function_call_arguments.delta":
        // Before anybody has said which tool is called, its end has to tell all of it.
        if (this.#blocks.has(place)) this.#pass(place, delta, "input", parts);
        break;
      case "response.function_call_arguments.done":
        if (this.#blocks.get(place)?.hasPieces === false)
          this.#pass(place, argumentsText(event["arguments"]), "input", parts);
        break;
      case "response.output_item.done":
        this.#endItem(place, item, parts);
        break;
      case "response.completed":
      case "response.incomplete":
        this.#finish(recordAt(event, "response"), parts);
    }
    return parts;
  }

  /** A whole response is read as the events that say the same. */
  takeWhole(response: JsonObject): ConverseStreamOutput[] {
    return [
      ...this.#takeItems(response),
      ...(FINISHED.has(textAt(response, "status") ?? "")
        ? this.take({ type: "response.completed", response })
        : []),
    ];
  }

  #takeItems({ output }: JsonObject): ConverseStreamOutput[] {
    const items = Array.isArray(output) ? (output as unknown[]) : [];
    return items.flatMap((item, index) =>
      this.take({ type: "response.output_item.done", output_index: index, item }),
    );
  }

  /** The token counts. */
  end(): ConverseStreamOutput[] {
    const rest = this.#rest;
    this.#rest = [];
    return rest;
  }

  rest(): ConverseStreamOutput[] {
    const parts: ConverseStreamOutput[] = [];
    // Before anything was said the answer can still be asked for again.
    if (this.#blocks.size > 0 && !this.isFinished) this.#endTags(parts);
    return parts;
  }

  /** Passes on a piece of text, and reasoning in it as such. */
  #say(place: string, text: string, parts: ConverseStreamOutput[]): void {
    this.#tagged ??= place;
    if (place === this.#tagged) this.#passPieces(this.#tags.take(text), parts);
    else this.#pass(place, text, "text", parts);
  }

  #passPieces(pieces: readonly Piece[], parts: ConverseStreamOutput[]): void {
    const place = this.#tagged ?? "";
    for (const { kind, text } of pieces) {
      if (kind === "text") {
        this.#end(thoughtIn(place), "", "reasoning", parts);
        this.#pass(place, text, "text", parts);
        continue;
      }
      // One without words says that something came.
      const { index } = this.#block(thoughtIn(place));
      parts.push({ contentBlockDelta: { contentBlockIndex: index, delta: DELTAS.reasoning(text) } });
    }
  }

  /** Passes on what was held back of the text. */
  #endTags(parts: ConverseStreamOutput[]): void {
    if (this.#tagged === undefined) return;
    this.#passPieces(this.#tags.end(), parts);
    this.#end(thoughtIn(this.#tagged), "", "reasoning", parts);
  }

  /** Passes on a piece of a block, which begins with it where it is the first. */
  #pass(place: string, text: string, kind: keyof typeof DELTAS, parts: ConverseStreamOutput[]): void {
    if (text === "") return;
    const block = this.#block(place);
    block.hasPieces = true;
    parts.push({ contentBlockDelta: { contentBlockIndex: block.index, delta: DELTAS[kind](text) } });
  }

  /** Passes on a whole text of which no pieces came, and what comes with its end. */
  #end(
    place: string,
    whole: string,
    kind: keyof typeof DELTAS,
    parts: ConverseStreamOutput[],
    more: readonly ContentBlockDelta[] = [],
  ): void {
    const known = this.#blocks.get(place);
    if (known?.isClosed) return;
    if (!known?.hasPieces) this.#pass(place, whole, kind, parts);
    if (more.length === 0 && !this.#blocks.has(place)) return;
    const block = this.#block(place);
    for (const delta of more) parts.push({ contentBlockDelta: { contentBlockIndex: block.index, delta } });
    parts.push({ contentBlockStop: { contentBlockIndex: block.index } });
    block.isClosed = true;
  }

  #block(place: string): Block {
    const block = this.#blocks.get(place) ?? { index: this.#blocks.size, hasPieces: false, isClosed: false };
    this.#blocks.set(place, block);
    return block;
  }

  #beginCall(place: string, item: JsonObject, parts: ConverseStreamOutput[]): void {
    if (this.#blocks.has(place)) return;
    this.#hasCalls = true;
    const toolUseId = textAt(item, "call_id") || textAt(item, "id") || `call_${place}`;
    const toolUse = { toolUseId, name: textAt(item, "name") ?? "" };
    parts.push({ contentBlockStart: { contentBlockIndex: this.#block(place).index, start: { toolUse } } });
  }

  #endItem(place: string, item: JsonObject, parts: ConverseStreamOutput[]): void {
    switch (textAt(item, "type")) {
      case "message":
        for (const [index, part] of recordsAt(item, "content").entries()) {
          const here = `${place}/${index}`;
          const citations = recordsAt(part, "annotations").flatMap(toCitation);
          const text = textAt(part, "text");
          if (textAt(part, "type") === "refusal") this.#hasRefused = true;
          else if (text !== undefined && this.#tagged === undefined) this.#say(here, text, parts);
          if (here === this.#tagged) this.#endTags(parts);
          const whole = here === this.#tagged ? "" : (text ?? textAt(part, "refusal") ?? "");
          this.#end(here, whole, "text", parts, citations);
        }
        return;
      case "reasoning":
        return this.#endReasoning(place, item, parts);
      case "function_call":
        this.#beginCall(place, item, parts);
        return this.#end(place, argumentsText(item["arguments"]), "input", parts);
      case "web_search_call":
        return this.#tellSearch(place, item, parts);
    }
  }

  #endReasoning(place: string, item: JsonObject, parts: ConverseStreamOutput[]): void {
    const texts = (name: string): string[] => recordsAt(item, name).map((part) => textAt(part, "text") ?? "");
    const [content, summary] = [texts("content").join(""), texts("summary").join(BETWEEN)];
    const encrypted = textAt(item, "encrypted_content") ?? "";
    const signature = encrypted === "" ? undefined : toSignature({ id: textAt(item, "id") ?? "", encrypted });
    this.#tags.setApart();
    const proof = signature === undefined ? [] : [{ reasoningContent: { signature } } as ContentBlockDelta];
    this.#end(place, content || summary, "reasoning", parts, proof);
  }

  /** A search of the server's own is kept as Converse has tools of the service. */
  #tellSearch(place: string, item: JsonObject, parts: ConverseStreamOutput[]): void {
    if (this.#blocks.has(place)) return;
    const { index } = this.#block(place);
    const toolUse = { toolUseId: textAt(item, "id"), name: "web_search", type: "server_tool_use" } as const;
    parts.push({ contentBlockStart: { contentBlockIndex: index, start: { toolUse } } });
    this.#end(place, toJson(item["action"] ?? {}), "input", parts);
  }

  #finish(response: JsonObject, parts: ConverseStreamOutput[]): void {
    if (this.isFinished) return;
    // Some servers say nothing before their last event, which has all.
    if (this.#blocks.size === 0) parts.push(...this.#takeItems(response));
    this.#endTags(parts);
    this.isFinished = true;
    for (const { index, isClosed } of this.#blocks.values())
      if (!isClosed) parts.push({ contentBlockStop: { contentBlockIndex: index } });
    const why = textAt(response["incomplete_details"], "reason");
    const isWhole = textAt(response, "status") !== "incomplete";
    const ended = this.#hasCalls ? "tool_use" : this.#hasRefused ? "refusal" : "end_turn";
    const stopReason = isWhole ? ended : (INCOMPLETE[why ?? ""] ?? why ?? "max_tokens");
    parts.push({ messageStop: { stopReason: stopReason as StopReason } });
    const usage = toTokenUsage(inWordsOfCompletions(response["usage"]));
    if (!usage) return;
    const serviceTier = tierOf(response);
    this.#rest = [{ metadata: { usage, metrics: undefined, ...(serviceTier ? { serviceTier } : {}) } }];
  }
}

/** The place of the reasoning in a text. */
function thoughtIn(place: string): string {
  return `${place} thought`;
}

/** What stands between the parts of a summary. */
const BETWEEN = "\n\n";

/** The states in which a response is over, and not failed. */
const FINISHED: ReadonlySet<string> = new Set(["completed", "incomplete"]);

const DELTAS = {
  text: (text: string): ContentBlockDelta => ({ text }),
  reasoning: (text: string): ContentBlockDelta => ({ reasoningContent: { text } }),
  input: (input: string): ContentBlockDelta => ({ toolUse: { input } }),
};

/** The citation that an annotation is, of those that name a page of the web. */
function toCitation(annotation: JsonObject): ContentBlockDelta[] {
  const url = textAt(annotation, "url");
  if (textAt(annotation, "type") !== "url_citation" || url === undefined) return [];
  const title = textAt(annotation, "title");
  const domain = URL.canParse(url) ? new URL(url).hostname : undefined;
  const web = { url, ...(domain ? { domain } : {}) };
  const citation: Citation = { ...(title === undefined ? {} : { title }), location: { web } };
  return [{ citation }];
}

/** The counts of a response by the names of a completion's, which count the same. */
function inWordsOfCompletions(usage: unknown): unknown {
  if (!isRecord(usage)) return undefined;
  const { input_tokens, output_tokens, total_tokens, input_tokens_details } = usage;
  return {
    prompt_tokens: input_tokens,
    completion_tokens: output_tokens,
    total_tokens,
    prompt_tokens_details: input_tokens_details,
  };
}
