import type { ContentBlock, Message } from "@aws-sdk/client-bedrock-runtime";
import { isRecord, isWellFormed, wellFormed } from "../../json.ts";
import { mapInTurns, nextTurn, piecesOf, TURN_BYTES } from "../../next-turn.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";
import { blocksOf, textBlocks, textOf } from "../conversation.ts";
import { isMedia, tellEmpty, tellFound } from "./mend-files.ts";
import { mendCall, mendResult, tellCall, tellResult } from "./mend-tools.ts";
import type { Input, Mending } from "./recipient.ts";

/** JSON can say half a character, and those who read it refuse to. */
export async function mendCharacters(input: Input, { tell }: Mending): Promise<Input> {
  if (isWellFormed(input)) return input;
  tell("Halves of characters, which no model reads, are sent as U+FFFD");
  return (await inTurnsWellFormed(input)) as Input;
}

/** What `wellFormed` makes of a value, piece by piece: to mend a text takes ten times as long as to look at it. */
async function inTurnsWellFormed(value: unknown): Promise<unknown> {
  if (typeof value === "string" && value.length > TURN_BYTES) {
    const mended = (await mapInTurns(piecesOf(value), wellFormed)).join("");
    await nextTurn();
    return mended;
  }
  if (Array.isArray(value)) return mapInTurns(value, inTurnsWellFormed);
  if (!isRecord(value) || value instanceof Uint8Array) return wellFormed(value);
  const entries = await mapInTurns(
    Object.entries(value),
    async ([name, item]) => [name.toWellFormed(), await inTurnsWellFormed(item)] as const,
  );
  return Object.fromEntries(entries);
}

/** Blank text is refused, and so is a system prompt of nothing else. */
export function mendSystem(input: Input): Input {
  const { system, ...rest } = input;
  const kept = (system ?? []).filter(({ text }) => text === undefined || !isOnlyBlanks(text));
  return kept.every(({ cachePoint }) => cachePoint) ? rest : { ...input, system: kept };
}

/**
 * Each block is one that its message may hold, with something in it. Calls and results of tools are told as text where no
 * tools are declared: Converse wants them declared, and a model that has them declared may call them.
 */
export async function mendBlocks(input: Input, mending: Mending): Promise<Input> {
  const names = new Map(
    blocksOf(input).flatMap(({ toolUse }) => (toolUse ? [[toolUse.toolUseId, toolUse.name] as const] : [])),
  );
  const mend = async (block: ContentBlock, role: string): Promise<ContentBlock[]> => {
    const { toolUse, toolResult, citationsContent } = block;
    if (citationsContent || block.text !== undefined) return textBlocks(textOf(block));
    // What the service did by itself while it answered is in the answer.
    if (toolUse?.type === "server_tool_use") return [];
    if (toolUse) {
      const use = mendCall(toolUse, mending);
      const isCall = input.toolConfig && role === "assistant";
      return isCall ? [{ toolUse: use }] : tellCall(use);
    }
    if (toolResult) {
      const result = await mendResult(toolResult, mending);
      if (input.toolConfig && role === "user") return result;
      const name = names.get(toolResult.toolUseId);
      return (await mapInTurns(result, (part) => tellResult(part, name))).flat();
    }
    if (block.reasoningContent) return role === "assistant" ? mendReasoning(block) : [];
    const words = tellEmpty(block, mending) ?? tellFound(block, mending);
    if (words !== undefined) return [{ text: words }];
    const isFit = isMedia(block) || block.cachePoint || (block.guardContent && role === "user");
    return isFit ? [block] : [];
  };
  const messages: Message[] = [];
  /** What an assistant cannot say, for the person's next message. */
  let moved: ContentBlock[] = [];
  for (const { role, content } of input.messages ?? []) {
    const given = (content ?? []).filter(isRecord);
    const blocks = (await mapInTurns(given, (block) => mend(block, role ?? ""))).flat();
    if (role === "assistant") {
      messages.push({ role, content: blocks.filter((block) => !isMedia(block)) });
      for (const block of blocks) if (isMedia(block)) moved.push(block);
      if (moved.length > 0) mending.tell("Files in an answer are sent with the message after it");
      continue;
    }
    messages.push({ role, content: [...moved, ...blocks] });
    moved = [];
  }
  if (moved.length > 0) messages.push({ role: "user", content: moved });
  return { ...input, messages };
}

/** Reasoning goes back only with what proves that it is the model's own. */
function mendReasoning({ reasoningContent }: ContentBlock): ContentBlock[] {
  const { reasoningText, redactedContent } = reasoningContent ?? {};
  if (redactedContent) return redactedContent.length === 0 ? [] : [{ reasoningContent: { redactedContent } }];
  const { text = "", signature } = reasoningText ?? {};
  return signature ? [{ reasoningContent: { reasoningText: { text, signature } } }] : [];
}
