import type {
  AudioBlock,
  ContentBlock,
  Message,
  S3Location,
  SystemContentBlock,
  ToolResultBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { baseModelId } from "../models/base-model-id.ts";
import type { FileKind } from "../models/families.ts";
import { TEXT_FORMATS } from "./file-kind.ts";
import { ANSWER_TOOL } from "./request.ts";
import { toJson } from "../json-numbers.ts";
import { isOnlyBlanks } from "../only-blanks.ts";

export interface Turn {
  /** The id or ARN of the model that answered. */
  model: string;
  /** The question first, the answer last; between them calls of tools and their results. */
  messages: readonly Message[];
  system?: string | undefined;
  /** Identifies its whole prompt, tools and all; undefined where there was none, or where it was not kept. */
  promptDigest?: string | undefined;
  /** That the model refused the reasoning of the turns before it, which is not sent again. */
  endsReasoning?: true | undefined;
  /** Why there is no answer, or only the beginning of one. */
  failure?: { code: string; message: string } | undefined;
}

export function isReasoning({ reasoningContent }: ContentBlock): boolean {
  return reasoningContent !== undefined;
}

/** The message that a turn began with. */
export function questionOf({ messages }: Turn): Message {
  return messages[0] ?? { role: "user", content: [] };
}

/** The message that a turn ended with. */
export function answerOf({ messages }: Turn): Message {
  return messages.at(-1) ?? { role: "assistant", content: [] };
}

/** Something in the answers of a turn: words, or a call with what came of it, where something did. */
export type TurnPart = { text: string } | { call: ToolUseBlock; result: ToolResultBlock | undefined };

/** What the answers of a turn say and call, in order; what they say before a call, or at the end, in one. */
export function partsOf({ messages }: Pick<Turn, "messages">): TurnPart[] {
  const parts: TurnPart[] = [];
  for (const [index, { role, content = [] }] of messages.entries()) {
    if (role !== "assistant") continue;
    const results = (messages[index + 1]?.content ?? []).flatMap(({ toolResult }) => toolResult ?? []);
    let text = "";
    const end = (): void => {
      if (!isOnlyBlanks(text)) parts.push({ text });
      text = "";
    };
    for (const block of content) {
      const { toolUse } = block;
      const at = results.findIndex(({ toolUseId }) => toolUseId === toolUse?.toolUseId);
      const [result] = at < 0 ? [] : results.splice(at, 1);
      // By a call of this one a model answers that is held to a schema.
      if (!toolUse || toolUse.type === "server_tool_use" || (toolUse.name === ANSWER_TOOL && !result))
        text += textOf(block);
      else {
        end();
        parts.push({ call: toolUse, result });
      }
    }
    end();
  }
  return parts;
}

/** What the answers of a turn say, those of its rounds with a blank line between; empty where there is nothing. */
export function answerTextOf(turn: Turn): string {
  return joinTexts(partsOf(turn).flatMap((part) => ("text" in part ? part.text : [])));
}

/** Texts with exactly one blank line between; those without anything in them are left out. */
export function joinTexts(texts: readonly string[]): string {
  // What is alone stays to the letter.
  const [first = "", ...others] = texts.length === 1 ? texts : texts.filter((text) => !isOnlyBlanks(text));
  return others.reduce((text, other) => `${withoutLineEnds(text)}\n\n${other.replace(/^\n+/, "")}`, first);
}

/** Not by an expression: a search for line ends at the end begins anew at each of those before. */
function withoutLineEnds(text: string): string {
  let end = text.length;
  while (text[end - 1] === "\n") end -= 1;
  return text.slice(0, end);
}

/** Whether a turn has an answer that says something, or the beginning of one: reasoning alone is none. */
export function isAnswered(turn: Turn): boolean {
  const answers = turn.messages.filter(({ role }) => role === "assistant");
  return blocksOf({ messages: answers }).some((block) => !isOnlyBlanks(textOf(block)));
}

/** The content blocks of all messages of a request. */
export function blocksOf({ messages }: { messages?: readonly Message[] | undefined }): ContentBlock[] {
  return (messages ?? []).flatMap(({ content }) => content ?? []);
}

/** A text as content: the service refuses blank text. */
export function textBlocks(text: string): ContentBlock[] {
  return isOnlyBlanks(text) ? [] : [{ text }];
}

/** The texts of a system prompt, as a message holds them. */
export function systemAsContent(system: readonly SystemContentBlock[] = []): ContentBlock[] {
  return system.flatMap(({ text }) => (text === undefined ? [] : [{ text }]));
}

/** What a content block says, as text; empty for kinds that say nothing in words. */
export function textOf(block: ContentBlock): string {
  if (block.text !== undefined) return block.text;
  if (block.citationsContent) return (block.citationsContent.content ?? []).map(({ text }) => text).join("");
  const { toolUse } = block;
  // What a service's own tool was asked, such as a search of the web, is nothing that the model said.
  return toolUse && toolUse.type !== "server_tool_use" ? toJson(toolUse.input) : "";
}

/** A file that a content block holds: its kind, and what is here of it. */
export interface HeldFile {
  kind: FileKind["kind"];
  format: string | undefined;
  /** Its words, where it was given as words; those of a document that is a text are in `bytes`. */
  text?: string | undefined;
  bytes?: Uint8Array | undefined;
  /** Where the model reads it in Amazon S3 by itself. */
  s3Location?: S3Location | undefined;
  /** That a document is no text. */
  isOpaque: boolean;
}

/** The blocks that are files, of messages and of the results of tools, which have none with sound. */
type FileBlocks = Pick<ContentBlock, "image" | "document" | "video"> & { audio?: AudioBlock | undefined };

/** The file that a block is; undefined for one that is none. */
export function fileOf({ image, document, video, audio }: FileBlocks): HeldFile | undefined {
  const held = image ?? document ?? video ?? audio;
  if (!held) return undefined;
  const kind = image ? "image" : document ? "document" : video ? "video" : "audio";
  const { format, source } = held;
  const { bytes, s3Location } = source ?? {};
  const text = document?.source?.text;
  const isText = text !== undefined || (kind === "document" && TEXT_FORMATS.has(format ?? ""));
  return { kind, format, text, bytes, s3Location, isOpaque: !isText };
}

/** Whether two ids or ARNs name the same model. Application profiles do not say what is behind them. */
export function isSameModel(one: string, other: string): boolean {
  if (one === other) return true;
  const base = baseModelId(one);
  return base !== undefined && base === baseModelId(other);
}
