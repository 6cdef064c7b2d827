import type {
  Citation,
  CitationsDelta,
  ContentBlock,
  ConverseStreamOutput,
  Message,
  ToolUseBlock,
  ToolUseBlockStart,
} from "@aws-sdk/client-bedrock-runtime";
import { wellFormed } from "../json.ts";
import { parseCall } from "../json-bounds.ts";
import type { Turn } from "./conversation.ts";
import { KeptLength } from "./kept-length.ts";
import type { RequestPlan } from "./wire.ts";

interface Block {
  text: string;
  reasoning: string;
  signature: string;
  redacted: Uint8Array[];
  citations: Citation[];
  tool: ToolUseBlockStart | undefined;
  toolInput: string;
  /** What the input of a call is, where that was read before. */
  read?: { input: unknown };
  isWhole: boolean;
}

/** How an answer ends that is cut off, maybe within a call. */
const CUT: ReadonlySet<string | undefined> = new Set(["max_tokens", "model_context_window_exceeded"]);

const EMPTY = { text: "", reasoning: "", signature: "", tool: undefined, toolInput: "", isWhole: false };

/** Puts an answer's content blocks together from the parts of its stream, to the letter. */
export class MessageAssembler {
  readonly #blocks = new Map<number, Block>();
  #length = new KeptLength();
  #stopReason: string | undefined;

  /**
   * Takes one part of a stream. A new `messageStart` begins anew. Throws `bad-response` for an answer without end, of which
   * nothing is kept.
   */
  take(part: ConverseStreamOutput): void {
    if (part.messageStart) this.#begin();
    try {
      this.#count(part);
    } catch (error) {
      this.#begin();
      throw error;
    }
    if (part.contentBlockStart) {
      const { contentBlockIndex, start } = part.contentBlockStart;
      if (start?.toolUse) this.#block(contentBlockIndex).tool = start.toolUse;
    }
    if (part.contentBlockStop) this.#block(part.contentBlockStop.contentBlockIndex).isWhole = true;
    if (part.messageStop) {
      this.#stopReason = part.messageStop.stopReason;
      for (const block of this.#blocks.values()) block.isWhole = true;
    }
    const delta = part.contentBlockDelta?.delta;
    if (!delta) return;
    const block = this.#block(part.contentBlockDelta?.contentBlockIndex);
    block.text += delta.text ?? "";
    block.toolInput += delta.toolUse?.input ?? "";
    if (delta.citation) block.citations.push(toCitation(delta.citation));
    const { text = "", signature = "", redactedContent } = delta.reasoningContent ?? {};
    block.reasoning += text;
    block.signature += signature;
    if (redactedContent) block.redacted.push(redactedContent);
  }

  #begin(): void {
    this.#blocks.clear();
    this.#length = new KeptLength();
    this.#stopReason = undefined;
  }

  #count({ contentBlockStart, contentBlockDelta }: ConverseStreamOutput): void {
    const { text, toolUse, citation, reasoningContent } = contentBlockDelta?.delta ?? {};
    const call = contentBlockStart?.start?.toolUse;
    this.#length.add(
      text?.length,
      toolUse?.input?.length,
      reasoningContent?.text?.length,
      reasoningContent?.signature?.length,
      reasoningContent?.redactedContent?.length,
      citation && JSON.stringify(citation).length,
      call?.name?.length,
      call?.toolUseId?.length,
    );
  }

  /** Has the inputs of calls read by somebody who lets others have their turn; `message` would do so in one go. */
  async readCalls(parse: (input: string) => Promise<unknown>): Promise<void> {
    for (const block of this.#blocks.values()) {
      if (block.tool) block.read = { input: await parse(block.toolInput || "{}") };
    }
  }

  /**
   * The message so far. Of a block that is cut off, text stays; a signature and a tool's input do not. The input of a whole
   * call that is no JSON, or too deep, is the model's text, to be told that it is none.
   */
  message(): Message {
    const blocks = [...this.#blocks].sort(([left], [right]) => left - right).map(([, block]) => block);
    const isCut = this.#stopReason === undefined || CUT.has(this.#stopReason);
    return wellFormed({ role: "assistant", content: blocks.flatMap((block) => toContent(block, isCut)) });
  }

  #block(index = 0): Block {
    const block = this.#blocks.get(index) ?? { ...EMPTY, redacted: [], citations: [] };
    this.#blocks.set(index, block);
    return block;
  }
}

/** Keeps what a turn's calls of the model sent and what came back, for the turns after it. */
export class TurnRecorder {
  #plan: Sent | undefined;
  #assembler = new MessageAssembler();
  /** The messages before the newest: of a turn in which tools are called, those of the rounds that are complete. */
  #done: readonly Message[];
  /** What the model is asked with next; undefined as long as that is the question. */
  #results: Message | undefined;
  /** Whether the model refused the reasoning of earlier turns in one of the rounds. */
  #endsReasoning = false;
  readonly #onBegin: () => Promise<void>;

  /** `onBegin` is waited for before a call goes out. A turn that goes on has `done` before its newest message. */
  constructor(onBegin = async (): Promise<void> => undefined, done: readonly Message[] = []) {
    this.#onBegin = onBegin;
    this.#done = done;
  }

  /** A call begins; what an earlier one of this round brought is forgotten. Throws what keeps it from being kept. */
  async begin(plan: Sent): Promise<void> {
    this.#plan = plan;
    this.#endsReasoning ||= plan.endsReasoning === true;
    this.#assembler = new MessageAssembler();
    await this.#onBegin();
  }

  /** The answer is complete, and its calls are answered with a message of results, which are sent next. */
  goOn(results: Message): void {
    const turn = this.turn();
    if (!turn) return;
    this.#done = turn.messages;
    this.#results = results;
    this.#assembler = new MessageAssembler();
  }

  /** Takes the reasoning out of the rounds so far: it holds for the tools of then. */
  dropReasoning(): void {
    this.#done = this.#done.map(({ role, content = [] }) => ({
      role,
      content: content.filter(({ reasoningContent }) => !reasoningContent),
    }));
  }

  take(part: ConverseStreamOutput): void {
    this.#assembler.take(part);
  }

  /** The turn so far; undefined before anything was sent. Cache points belong to the call, not to the conversation. */
  turn(): Turn | undefined {
    const { input, question, toolNames } = this.#plan ?? {};
    const newest = this.#results ?? question ?? input?.messages?.at(-1);
    const model = input?.modelId;
    if (!newest || model === undefined) return undefined;
    const content = (newest.content ?? []).filter(({ cachePoint }) => cachePoint === undefined);
    const answer = withOwnNames(this.#assembler.message(), toolNames);
    const messages = [...this.#done, { ...newest, content }, answer];
    const promptDigest = this.#plan?.promptDigest?.();
    return {
      model,
      messages,
      ...(promptDigest === undefined ? {} : { promptDigest }),
      ...(this.#endsReasoning ? { endsReasoning: true as const } : {}),
    };
  }
}

type Sent = Pick<RequestPlan, "input" | "question" | "promptDigest" | "endsReasoning"> &
  Partial<Pick<RequestPlan, "toolNames">>;

/** An answer with the tools that it calls under the caller's names. */
function withOwnNames(message: Message, names: ReadonlyMap<string, string> = new Map()): Message {
  if (names.size === 0) return message;
  const content = (message.content ?? []).map((block): ContentBlock => {
    const { toolUse } = block;
    const name = names.get(toolUse?.name ?? "");
    return toolUse && name !== undefined ? { toolUse: { ...toolUse, name } } : block;
  });
  return { ...message, content };
}

function toContent(block: Block, isCut: boolean): ContentBlock[] {
  if (block.tool) return toolUse(block.tool, block, isCut);
  if (block.redacted.length > 0)
    return [{ reasoningContent: { redactedContent: Buffer.concat(block.redacted) } }];
  if (block.reasoning !== "" || block.signature !== "") {
    // Half a signature proves nothing.
    const signature = block.isWhole ? block.signature : "";
    const reasoningText = { text: block.reasoning, ...(signature === "" ? {} : { signature }) };
    return [{ reasoningContent: { reasoningText } }];
  }
  const { text, citations } = block;
  if (citations.length === 0) return text === "" ? [] : [{ text }];
  // Nova's citations come in a block of their own, behind that with the words.
  return [{ citationsContent: { ...(text === "" ? {} : { content: [{ text }] }), citations } }];
}

function toolUse(
  { toolUseId, name, type }: ToolUseBlockStart,
  { toolInput, read: before, isWhole }: Block,
  isCut: boolean,
): ContentBlock[] {
  // A tool without arguments may send nothing. What is too deep nobody could write down again.
  const read = (before ? before.input : parseCall(toolInput || "{}")) as ToolUseBlock["input"];
  if (!isWhole || (read === undefined && isCut)) return [];
  const input = read ?? toolInput;
  const tool: ToolUseBlock = { toolUseId, name, input };
  // The service answers with other types, too, and refuses them when they are sent back.
  if (type === "server_tool_use") tool.type = type;
  return [{ toolUse: tool }];
}

function toCitation({ sourceContent, ...citation }: CitationsDelta): Citation {
  const texts = sourceContent?.flatMap(({ text }) => (text === undefined ? [] : [{ text }]));
  return texts === undefined ? citation : { ...citation, sourceContent: texts };
}
