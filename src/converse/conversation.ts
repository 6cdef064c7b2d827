import type { ContentBlock, Message } from "@aws-sdk/client-bedrock-runtime";
import { baseModelId } from "../models/base-model-id.ts";

/** One question and what came of it. */
export interface Turn {
  /** The id or ARN of the model that answered. */
  model: string;
  /** The question first, the answer last; between them calls of tools and their results. */
  messages: readonly Message[];
}

/** The message that a turn began with. */
export function questionOf({ messages }: Turn): Message {
  return messages[0] ?? { role: "user", content: [] };
}

/** The message that a turn ended with. */
export function answerOf({ messages }: Turn): Message {
  return messages.at(-1) ?? { role: "assistant", content: [] };
}

/**
 * The turns of a conversation as a model may be sent them. Signed and redacted reasoning goes back as it came, and only
 * to the model that it came from; reasoning without a signature never does. What a model put into the input of a tool
 * that nothing answered goes back as text. A turn whose answer comes to nothing is left out with its question.
 */
export function messagesFor(turns: readonly Turn[], modelId: string): Message[] {
  return turns.flatMap((turn) => {
    const isOwn = isSameModel(turn.model, modelId);
    const answered = new Set(
      turn.messages.flatMap(({ content = [] }) =>
        content.flatMap(({ toolResult }) => toolResult?.toolUseId ?? []),
      ),
    );
    const messages = turn.messages.map((message): Message => {
      if (message.role === "user") return message;
      const content = (message.content ?? []).flatMap((block) => sendable(block, isOwn, answered));
      return { role: "assistant", content };
    });
    // Reasoning alone is not an answer: the service wants text beside it.
    return messages.at(-1)?.content?.some((block) => block.text !== undefined) ? messages : [];
  });
}

function sendable(block: ContentBlock, isOwn: boolean, answered: ReadonlySet<string>): ContentBlock[] {
  if (block.reasoningContent) {
    const { reasoningText, redactedContent } = block.reasoningContent;
    const isProven = redactedContent !== undefined || Boolean(reasoningText?.signature);
    return isOwn && isProven ? [block] : [];
  }
  if (block.toolUse && answered.has(block.toolUse.toolUseId ?? "")) return [block];
  return textBlocks(textOf(block));
}

/** A text as content: the service refuses blank text. */
export function textBlocks(text: string): ContentBlock[] {
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
  const blocks = turns.flatMap(({ messages }) => messages.flatMap(({ content }) => content ?? []));
  return new Set(blocks.flatMap(({ document }) => document?.name ?? []));
}

/** Whether two ids or ARNs name the same model. Application profiles do not say what is behind them. */
export function isSameModel(one: string, other: string): boolean {
  if (one === other) return true;
  const base = baseModelId(one);
  return base !== undefined && base === baseModelId(other);
}
