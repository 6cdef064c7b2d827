import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionMessage,
  ChatCompletionMessageToolCall,
} from "openai/resources/chat/completions/completions";
import type { ChatEvent, ChatEvents } from "../../../converse/chat-event.ts";
import { KeptLength } from "../../../converse/kept-length.ts";
import { openaiTier } from "../../content/openai-tier.ts";
import { freeformText } from "../../content/freeform-tool.ts";
import { toCompletionUsage } from "../../../wires/chat-completions/completion-usage.ts";
import { type FinishReason, finishReason } from "../../../wires/chat-completions/stop-reason.ts";

export type Chunks = AsyncGenerator<ChatCompletionChunk, void, undefined>;

/** `reasoning_content` is not OpenAI's: vLLM, DeepSeek and others send a model's reasoning under this name. */
interface Reasoned {
  reasoning_content?: string;
}

/** What a chunk says, without the head that it shares with all others of its answer. */
type Saying = Pick<ChatCompletionChunk, "choices" | "service_tier" | "usage">;

/** The head of every chunk of an answer, but for its model. */
export interface ChunkOptions {
  id: string;
  /** Seconds since 1970. */
  created: number;
  /** The tools whose calls are told as texts. */
  custom?: ReadonlySet<string>;
}

/** Turns an answer's events into chunks, the last of them with the usage. Throws what the events throw. */
export async function* toChunks(events: ChatEvents, { id, created, custom }: ChunkOptions): Chunks {
  let model = "";
  const calls = new CallNumbers(custom);
  const chunk = (saying: Saying): ChatCompletionChunk => ({
    id,
    object: "chat.completion.chunk",
    created,
    model,
    ...saying,
  });
  for await (const event of events) {
    switch (event.type) {
      case "start":
        ({ model } = event);
        yield chunk(say({ role: "assistant", content: "", refusal: null }));
        break;
      case "text":
        yield chunk(say({ content: event.text }));
        break;
      case "reasoning":
        yield chunk(say({ reasoning_content: event.text }));
        break;
      case "tool-start":
        yield* (await calls.endText()).map(chunk);
        yield chunk(calls.begin(event));
        break;
      case "tool-input":
        yield* calls.input(event).map(chunk);
        break;
      case "stop":
        yield* (await calls.endText()).map(chunk);
        yield chunk(say({}, finishReason(event.stopReason, calls.count > 0)));
        break;
      case "usage": {
        const tier = openaiTier(event);
        const tiered = tier === undefined ? {} : { service_tier: tier };
        yield chunk({ choices: [], ...tiered, usage: toCompletionUsage(event) });
      }
    }
  }
}

function say(delta: ChatCompletionChunk.Choice.Delta & Reasoned, reason: FinishReason | null = null): Saying {
  return { choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] };
}

/** Numbers the calls of an answer from 0; its events name content blocks. */
class CallNumbers {
  readonly #numbers = new Map<number, number>();
  readonly #custom: ReadonlySet<string>;
  /** The call that is told as a text when it is whole: what the model writes is JSON that holds it. */
  #text: { index: number; json: string } | undefined;

  constructor(custom: ReadonlySet<string> = new Set()) {
    this.#custom = custom;
  }

  get count(): number {
    return this.#numbers.size;
  }

  begin({ index: block, id, name }: ChatEvent & { type: "tool-start" }): Saying {
    const index = this.count;
    this.#numbers.set(block, index);
    if (!this.#custom.has(name))
      return say({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
    this.#text = { index, json: "" };
    return sayCustom({ index, id, type: "custom", custom: { name, input: "" } });
  }

  input({ index: block, text }: ChatEvent & { type: "tool-input" }): Saying[] {
    const index = this.#numbers.get(block) ?? 0;
    if (this.#text?.index !== index) return [say({ tool_calls: [{ index, function: { arguments: text } }] })];
    this.#text.json += text;
    return [];
  }

  /** Tells the text of the call before, where it is one. */
  async endText(): Promise<Saying[]> {
    const call = this.#text;
    this.#text = undefined;
    return call ? [sayCustom({ index: call.index, custom: { input: await freeformText(call.json) } })] : [];
  }
}

/** A piece of a custom call, which OpenAI streams as it streams those of functions; its types have no place for it. */
type CustomPiece = Omit<ChatCompletionChunk.Choice.Delta.ToolCall, "function" | "type"> & {
  type?: string;
  custom: { name?: string; input: string };
};

function sayCustom(piece: CustomPiece): Saying {
  return say({ tool_calls: [piece as ChatCompletionChunk.Choice.Delta.ToolCall] });
}

/** Gathers the chunks of an answer into one completion. Throws what the chunks throw, and `bad-response` for one without end. */
export async function toCompletion(chunks: Chunks): Promise<ChatCompletion> {
  const text: string[] = [];
  const reasoning: string[] = [];
  const calls: ChatCompletionMessageToolCall[] = [];
  let head: Pick<ChatCompletionChunk, "id" | "created" | "model" | "service_tier"> = {
    id: "",
    created: 0,
    model: "",
  };
  let reason: FinishReason = "stop";
  let usage: ChatCompletion["usage"];
  const length = new KeptLength();
  for await (const chunk of chunks) {
    head = chunk;
    usage = chunk.usage ?? usage;
    const { delta = {}, finish_reason: given }: Partial<ChatCompletionChunk.Choice> = chunk.choices[0] ?? {};
    const { content, reasoning_content: thought, tool_calls: pieces = [] }: typeof delta & Reasoned = delta;
    if (content) text.push(content);
    if (thought) reasoning.push(thought);
    length.add(content?.length, thought?.length);
    for (const piece of pieces as ((typeof pieces)[number] & Partial<Pick<CustomPiece, "custom">>)[]) {
      const { index, id = "", custom, function: { name = "", arguments: input = "" } = {} } = piece;
      length.add(id.length, name.length, input.length, custom?.input.length);
      calls[index] ??= custom
        ? { id, type: "custom", custom: { name: custom.name ?? "", input: "" } }
        : { id, type: "function", function: { name, arguments: "" } };
      const call = calls[index];
      if (call.type === "function") call.function.arguments += input;
      else call.custom.input += custom?.input ?? "";
    }
    reason = given ?? reason;
  }
  const message: ChatCompletionMessage & Reasoned = {
    role: "assistant",
    content: text.length === 0 && (calls.length > 0 || reasoning.length > 0) ? null : text.join(""),
    refusal: null,
    ...(reasoning.length === 0 ? {} : { reasoning_content: reasoning.join("") }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    id: head.id,
    object: "chat.completion",
    created: head.created,
    model: head.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: reason }],
    ...(head.service_tier ? { service_tier: head.service_tier } : {}),
    ...(usage ? { usage } : {}),
  };
}
