import type {
  Response as ResponseObject,
  ResponseCustomToolCallItem,
  ResponseErrorEvent,
  ResponseFunctionToolCallItem,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseOutputText,
  ResponseReasoningItem,
  ResponseStreamEvent,
  ResponseToolSearchCall,
  ResponseUsage,
} from "openai/resources/responses/responses";
import type { ChatEvent, ChatEvents } from "../../../converse/chat-event.ts";
import type { CitedSource } from "../../../converse/cited-source.ts";
import { KeptLength } from "../../../converse/kept-length.ts";
import { wellFormed } from "../../../json.ts";
import { parseCallInTurns } from "../../../parse-in-turns.ts";
import type { TokenUsage } from "../../../models/usage.ts";
import { toCompletionUsage } from "../../../wires/chat-completions/completion-usage.ts";
import { freeformText } from "../../content/freeform-tool.ts";
import { toErrorBody } from "../../content/openai-error.ts";
import { openaiTier } from "../../content/openai-tier.ts";
import type { ErrorAnswer } from "../../error-answer.ts";
import { calledTool, type ClientTools } from "./client-tools.ts";
import { sealRedacted, sealSigned } from "./encrypted-reasoning.ts";

/** A response as it goes over the wire: `output_text` is put together by OpenAI's own client. */
export type ServedResponse = Omit<ResponseObject, "output_text">;

/** What a response says of itself and of its request, whatever the answer is. */
export type ResponseHead = Omit<
  ServedResponse,
  "error" | "incomplete_details" | "model" | "output" | "status" | "usage"
>;

/** An event of the stream before it is numbered. */
type Unnumbered<Event = ResponseStreamEvent> = Event extends unknown ? Omit<Event, "sequence_number"> : never;
type Ending = "completed" | "incomplete" | "failed";

/** Says an event of the stream. */
type Emit = (event: Unnumbered) => void;

/** An item that is being said: `end` says what ends it, whole or cut off, and gives the item as it is then. */
interface OpenItem {
  end: (isWhole: boolean) => ResponseOutputItem;
}

interface OpenMessage extends OpenItem {
  kind: "message";
  say: (text: string) => void;
  cite: (source: CitedSource) => void;
}

interface OpenReasoning extends OpenItem {
  kind: "reasoning";
  think: (text: string) => void;
  prove: (signature: string) => void;
}

interface OpenCall extends OpenItem {
  kind: "call";
  take: (json: string) => void;
  /** Reads what was taken, where the call is not told as the JSON that it is. */
  read?: () => Promise<void>;
}

/** Why an answer is not complete, by Converse's stop reasons (https://platform.openai.com/docs/api-reference/responses/object). */
const INCOMPLETE: Readonly<Record<string, "max_output_tokens" | "content_filter">> = {
  max_tokens: "max_output_tokens",
  model_context_window_exceeded: "max_output_tokens",
  content_filtered: "content_filter",
  guardrail_intervened: "content_filter",
  refusal: "content_filter",
};

/**
 * Tells one answer as the events of a response, in OpenAI's order
 * (https://platform.openai.com/docs/api-reference/responses-streaming): each item is begun, said, and ended before the next,
 * and the last event has all of them.
 */
export class ResponseTeller {
  readonly #head: ResponseHead;
  readonly #tools: ClientTools;
  readonly #output: ResponseOutputItem[] = [];
  readonly #length = new KeptLength();
  #model: string;
  #told: Unnumbered[] = [];
  #sequence = 0;
  #open: OpenMessage | OpenReasoning | OpenCall | undefined;
  #usage: ResponseUsage | undefined;
  #tier: ReturnType<typeof openaiTier>;

  /** `model` is what the client calls it: what is said before the answer has begun has no better name. */
  constructor(head: ResponseHead, model: string, tools: ClientTools) {
    this.#head = head;
    this.#model = model;
    this.#tools = tools;
  }

  /** The events of an answer. Throws what its events throw, and `bad-response` for an answer longer than any model's. */
  async *tell(events: ChatEvents): AsyncGenerator<ResponseStreamEvent, void, undefined> {
    let stopReason = "end_turn";
    try {
      for await (const event of events) {
        if (event.type === "stop") ({ stopReason } = event);
        if (event.type !== "tool-input") await this.#readCall();
        this.#take(event);
        // By yield* each would wait for a promise of its own.
        for (const told of this.#numbered()) yield told;
      }
    } catch (failure) {
      await this.#readCall();
      throw failure;
    }
    const reason = INCOMPLETE[stopReason];
    const state = reason ? "incomplete" : "completed";
    const response = this.#response(state, { incomplete_details: reason ? { reason } : null });
    this.#emit({ type: `response.${state}`, response });
    yield* this.#numbered();
  }

  /**
   * The events that end an answer which fails on its way. It is told twice, as by OpenAI's own servers: their client throws at
   * the first, and others wait for the second, which has what was said until then. An item that is cut off is not done:
   * Codex runs a call as soon as it is.
   */
  fail(answer: ErrorAnswer): ResponseStreamEvent[] {
    const cut = this.#open?.end(false);
    if (cut) this.#output.push(cut);
    this.#open = undefined;
    this.#told = [];
    const { error } = toErrorBody(answer);
    const { code, message, param } = error;
    this.#emit({ type: "error", code, message, param, error } as Unnumbered<ResponseErrorEvent>);
    // Clients look for some of the codes; others are for people.
    const failure = { code, message } as ResponseObject["error"];
    this.#emit({ type: "response.failed", response: this.#response("failed", { error: failure }) });
    return this.#numbered();
  }

  /** Reads the call that is being said, before it is ended. */
  async #readCall(): Promise<void> {
    if (this.#open?.kind === "call") await this.#open.read?.();
  }

  readonly #emit: Emit = (event) => void this.#told.push(event);

  /** What was said since the last time, in its order. */
  #numbered(): ResponseStreamEvent[] {
    const told = this.#told;
    this.#told = [];
    return told.map(
      (event) => Object.assign(event, { sequence_number: this.#sequence++ }) as ResponseStreamEvent,
    );
  }

  #response(status: "in_progress" | Ending, ending: Partial<ServedResponse> = {}): ResponseObject {
    const response: ServedResponse = {
      ...this.#head,
      status,
      model: this.#model,
      error: null,
      incomplete_details: null,
      output: [...this.#output],
      ...(this.#usage ? { usage: this.#usage } : {}),
      ...(this.#tier ? { service_tier: this.#tier } : {}),
      ...ending,
    };
    return response as ResponseObject;
  }

  #take(event: ChatEvent): void {
    switch (event.type) {
      case "start":
        this.#model = event.model;
        this.#emit({ type: "response.created", response: this.#response("in_progress") });
        this.#emit({ type: "response.in_progress", response: this.#response("in_progress") });
        return;
      case "text":
        this.#length.add(event.text.length);
        return this.#message().say(event.text);
      case "citation":
        return this.#message().cite(event);
      case "reasoning":
        this.#length.add(event.text.length);
        return this.#reasoning().think(event.text);
      case "signature":
        return this.#prove(event);
      case "tool-start":
        this.#length.add(event.id.length, event.name.length);
        this.#begin(this.#call(event.id, event.name));
        return;
      case "tool-input":
        this.#length.add(event.text.length);
        if (this.#open?.kind === "call") this.#open.take(event.text);
        return;
      case "stop":
        return this.#end(INCOMPLETE[event.stopReason] === undefined);
      case "usage":
        this.#usage = toResponseUsage(event);
        this.#tier = openaiTier(event);
    }
  }

  #message(): OpenMessage {
    if (this.#open?.kind === "message") return this.#open;
    return this.#begin(() => openMessage(this.#place("msg"), this.#emit));
  }

  #reasoning(): OpenReasoning {
    if (this.#open?.kind === "reasoning") return this.#open;
    return this.#begin(() => openReasoning(this.#place("rs"), this.#emit));
  }

  /** What proves reasoning ends it; reasoning that was withheld is an item of its own, with nothing in it to read. */
  #prove({ signature, redactedContent }: Extract<ChatEvent, { type: "signature" }>): void {
    this.#length.add(signature?.length, redactedContent?.length);
    if (signature) {
      this.#reasoning().prove(signature);
      this.#end();
    }
    if (!redactedContent) return;
    this.#begin(() => openReasoning(this.#place("rs"), this.#emit, sealRedacted(redactedContent)));
    this.#end();
  }

  #call(callId: string, called: string): () => OpenCall {
    const { kind, name, namespace } = calledTool(this.#tools, called);
    const named = { call_id: callId, name, ...(namespace === undefined ? {} : { namespace }) };
    switch (kind) {
      case "function":
        return () => openFunctionCall(this.#place("fc"), named, this.#emit);
      case "custom":
        return () => openCustomCall(this.#place("ctc"), named, this.#emit);
      case "tool_search":
        return () => openToolSearch(this.#place("tsc"), callId, this.#emit);
    }
  }

  #begin<Item extends OpenMessage | OpenReasoning | OpenCall>(open: () => Item): Item {
    this.#end();
    const item = open();
    this.#open = item;
    return item;
  }

  #end(isWhole = true): void {
    const item = this.#open?.end(isWhole);
    this.#open = undefined;
    if (!item) return;
    const output_index = this.#output.push(item) - 1;
    this.#emit({ type: "response.output_item.done", output_index, item });
  }

  /** Where the next item is, under an id that no other has. */
  #place(prefix: string): Place {
    const index = this.#output.length;
    const id = `${prefix}_${this.#head.id.replace(/^resp_/, "")}${index.toString(16).padStart(4, "0")}`;
    return { output_index: index, item_id: id };
  }
}

interface Place {
  output_index: number;
  item_id: string;
}

function added({ output_index }: Place, item: ResponseOutputItem): Unnumbered {
  return { type: "response.output_item.added", output_index, item };
}

function openMessage(place: Place, emit: Emit): OpenMessage {
  const at = { ...place, content_index: 0 };
  const pieces: string[] = [];
  const annotations: ResponseOutputText["annotations"] = [];
  let length = 0;
  /** The words that the newest source is of. */
  let cited = { start: 0, end: 0 };
  const message = (
    status: ResponseOutputMessage["status"],
    content: ResponseOutputText[],
  ): ResponseOutputMessage => ({ id: place.item_id, type: "message", status, role: "assistant", content });
  emit(added(place, message("in_progress", [])));
  const empty: ResponseOutputText = { type: "output_text", text: "", annotations: [], logprobs: [] };
  emit({ type: "response.content_part.added", ...at, part: empty });
  return {
    kind: "message",
    say: (delta) => {
      pieces.push(delta);
      length += delta.length;
      emit({ type: "response.output_text.delta", ...at, delta, logprobs: [] });
    },
    cite: (source) => {
      if (length > cited.end) cited = { start: cited.end, end: length };
      const annotation = toAnnotation(source, cited);
      const annotation_index = annotations.push(annotation) - 1;
      emit({ type: "response.output_text.annotation.added", ...at, annotation_index, annotation });
    },
    end: (isWhole) => {
      const text = pieces.join("");
      const part: ResponseOutputText = { ...empty, text, annotations };
      emit({ type: "response.output_text.done", ...at, text, logprobs: [] });
      emit({ type: "response.content_part.done", ...at, part });
      return message(isWhole ? "completed" : "incomplete", [part]);
    },
  };
}

/** A page of the web is named with the words that are from it; of a document clients get the name alone. */
function toAnnotation(
  { url, title, document = 0 }: CitedSource,
  { start, end }: { start: number; end: number },
): ResponseOutputText["annotations"][number] {
  if (url !== undefined)
    return { type: "url_citation", url, title: title ?? url, start_index: start, end_index: end };
  const filename = title ?? `Document ${document + 1}`;
  return { type: "file_citation", file_id: filename, filename, index: end };
}

/** `encrypted` is what the item has where nothing of it can be read. */
function openReasoning(place: Place, emit: Emit, encrypted?: string): OpenReasoning {
  const at = { ...place, summary_index: 0 };
  const pieces: string[] = [];
  let signature: string | undefined;
  const item: ResponseReasoningItem = { id: place.item_id, type: "reasoning", summary: [] };
  emit(added(place, item));
  return {
    kind: "reasoning",
    think: (delta) => {
      const part = { type: "summary_text", text: "" } as const;
      if (pieces.length === 0) emit({ type: "response.reasoning_summary_part.added", ...at, part });
      pieces.push(delta);
      emit({ type: "response.reasoning_summary_text.delta", ...at, delta });
    },
    prove: (proof) => {
      signature = proof;
    },
    end: (isWhole) => {
      const text = pieces.join("");
      const part = { type: "summary_text", text } as const;
      const sealed = signature === undefined ? encrypted : sealSigned(text, signature);
      const told: ResponseReasoningItem = isWhole ? item : { ...item, status: "incomplete" };
      const proven = sealed === undefined ? told : { ...told, encrypted_content: sealed };
      if (pieces.length === 0) return proven;
      emit({ type: "response.reasoning_summary_text.done", ...at, text });
      emit({ type: "response.reasoning_summary_part.done", ...at, part });
      return { ...proven, summary: [part] };
    },
  };
}

/** A call, as far as the client has its words for it. */
type Named = Pick<ResponseFunctionToolCallItem, "call_id" | "name" | "namespace">;

function openFunctionCall(place: Place, named: Named, emit: Emit): OpenCall {
  const pieces: string[] = [];
  const call = (
    status: ResponseFunctionToolCallItem["status"],
    json: string,
  ): ResponseFunctionToolCallItem => ({
    id: place.item_id,
    type: "function_call",
    status,
    arguments: json,
    ...named,
  });
  emit(added(place, call("in_progress", "")));
  return {
    kind: "call",
    take: (delta) => {
      pieces.push(delta);
      emit({ type: "response.function_call_arguments.delta", ...place, delta });
    },
    end: (isWhole) => {
      const json = pieces.join("");
      const { name } = named;
      emit({ type: "response.function_call_arguments.done", ...place, name, arguments: json });
      return call(isWhole ? "completed" : "incomplete", json);
    },
  };
}

/** The text of such a call stands in JSON, so it is told when that is whole. */
function openCustomCall(place: Place, named: Named, emit: Emit): OpenCall {
  const pieces: string[] = [];
  const call = (status: ResponseCustomToolCallItem["status"], input: string): ResponseCustomToolCallItem => ({
    id: place.item_id,
    type: "custom_tool_call",
    status,
    input,
    ...named,
  });
  emit(added(place, call("in_progress", "")));
  let text: string | undefined;
  return {
    kind: "call",
    take: (json) => void pieces.push(json),
    read: async () => {
      text = await freeformText(pieces.join(""));
    },
    end: (isWhole) => {
      const input = text ?? pieces.join("");
      emit({ type: "response.custom_tool_call_input.delta", ...place, delta: input });
      emit({ type: "response.custom_tool_call_input.done", ...place, input });
      return call(isWhole ? "completed" : "incomplete", input);
    },
  };
}

function openToolSearch(place: Place, callId: string, emit: Emit): OpenCall {
  const pieces: string[] = [];
  const call = (status: ResponseToolSearchCall["status"], given: unknown): ResponseToolSearchCall => ({
    id: place.item_id,
    type: "tool_search_call",
    execution: "client",
    status,
    call_id: callId,
    arguments: given,
  });
  emit(added(place, call("in_progress", {})));
  let given: unknown;
  return {
    kind: "call",
    take: (json) => void pieces.push(json),
    read: async () => {
      given = await parseCallInTurns(pieces.join(""));
    },
    end: (isWhole) => call(isWhole ? "completed" : "incomplete", wellFormed(given ?? {})),
  };
}

/**
 * Token counts in OpenAI's names for Responses. Converse does not tell those of reasoning apart; OpenAI's type wants a number
 * (`ResponseUsage.OutputTokensDetails`), and its clients add it up.
 */
function toResponseUsage(usage: TokenUsage): ResponseUsage {
  const { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details } = toCompletionUsage(usage);
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: {
      cached_tokens: prompt_tokens_details?.cached_tokens ?? 0,
      cache_write_tokens: usage.cacheWriteInputTokens ?? 0,
    },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens,
  };
}

/** The response that its events end with. Throws what the events throw. */
export async function gatherResponse(
  events: AsyncGenerator<ResponseStreamEvent, void, undefined>,
): Promise<object> {
  let last: object = {};
  for await (const event of events) if ("response" in event) last = event.response;
  return last;
}
