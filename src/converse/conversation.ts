import type { ContentBlock, Message } from "@aws-sdk/client-bedrock-runtime";
import { baseModelId } from "../models/base-model-id.ts";

/** One question and its answer. */
export interface Turn {
  /** The id or ARN of the model that answered. */
  model: string;
  user: Message;
  assistant: Message;
}

/**
 * The turns of a conversation as a model may be sent them. Signed and redacted reasoning goes back as it came, and only
 * to the model that it came from; reasoning without a signature never does. What a model put into a tool's input goes
 * back as text, because nothing answered the tool. A turn whose answer comes to nothing is left out with its question.
 */
export function messagesFor(turns: readonly Turn[], modelId: string): Message[] {
  return turns.flatMap((turn) => {
    const isOwn = isSameModel(turn.model, modelId);
    const content = (turn.assistant.content ?? []).flatMap((block) => sendable(block, isOwn));
    // Reasoning alone is not an answer: the service wants text beside it.
    if (!content.some((block) => block.text !== undefined)) return [];
    return [turn.user, { role: "assistant", content }];
  });
}

function sendable(block: ContentBlock, isOwn: boolean): ContentBlock[] {
  if (block.reasoningContent) {
    const { reasoningText, redactedContent } = block.reasoningContent;
    const isProven = redactedContent !== undefined || Boolean(reasoningText?.signature);
    return isOwn && isProven ? [block] : [];
  }
  return textBlock(textOf(block));
}

/** The service refuses blank text. */
function textBlock(text: string): ContentBlock[] {
  return text.trim() === "" ? [] : [{ text }];
}

/** What a content block says, as text; empty for kinds that say nothing in words. */
export function textOf(block: ContentBlock): string {
  if (block.text !== undefined) return block.text;
  if (block.citationsContent) return (block.citationsContent.content ?? []).map(({ text }) => text).join("");
  return block.toolUse ? JSON.stringify(block.toolUse.input) : "";
}

/** The names of the documents in a conversation: the service refuses a request in which two have the same. */
export function documentNames(turns: readonly Turn[]): Set<string> {
  const blocks = turns.flatMap(({ user }) => user.content ?? []);
  return new Set(blocks.flatMap(({ document }) => document?.name ?? []));
}

/** Whether two ids or ARNs name the same model. Application profiles do not say what is behind them. */
export function isSameModel(one: string, other: string): boolean {
  if (one === other) return true;
  const base = baseModelId(one);
  return base !== undefined && base === baseModelId(other);
}
