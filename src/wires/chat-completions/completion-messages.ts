import type {
  ContentBlock,
  Message,
  SystemContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import { simplest, toContentParts } from "./completion-content.ts";

/**
 * The messages of a Converse request as those of a chat completion. Tool results become messages of their own, directly
 * behind the calls they answer; images in them follow as a person's. Reasoning is left out: it is its model's own, and
 * servers refuse it. Throws `bad-attachment`.
 */
export function toCompletionMessages(
  system: readonly SystemContentBlock[],
  messages: readonly Message[],
): ChatCompletionMessageParam[] {
  const instructions = system
    .flatMap((block) => block.text ?? block.guardContent?.text?.text ?? [])
    .join("\n\n");
  return [
    ...(instructions === "" ? [] : [{ role: "system", content: instructions } as const]),
    ...messages.flatMap(({ role, content = [] }) =>
      role === "assistant" ? assistantMessages(content) : userMessages(content),
    ),
  ];
}

function assistantMessages(content: readonly ContentBlock[]): ChatCompletionMessageParam[] {
  const calls = content.flatMap(({ toolUse }) => (toolUse ? [toolCall(toolUse)] : []));
  const text = content.flatMap(saidIn).join("\n\n");
  if (text === "" && calls.length === 0) return [];
  return [
    {
      role: "assistant",
      // With calls alone there is nothing said, and OpenAI's own form of that is null.
      content: text === "" ? null : text,
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

function saidIn({ text, citationsContent }: ContentBlock): string[] {
  if (text !== undefined) return [text];
  if (!citationsContent) return [];
  return [(citationsContent.content ?? []).map((part) => part.text ?? "").join("")];
}

function toolCall({ toolUseId = "", name = "", input }: ToolUseBlock): ChatCompletionMessageFunctionToolCall {
  return { id: toolUseId, type: "function", function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function userMessages(content: readonly ContentBlock[]): ChatCompletionMessageParam[] {
  const results = content.flatMap(({ toolResult }) => (toolResult ? [toolResult] : []));
  const answers = results.map(({ toolUseId = "", content: blocks = [] }) => {
    const parts = (blocks ?? []).flatMap(toContentParts);
    const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
    return { toolUseId, text: texts.join("\n\n"), others: parts.filter(({ type }) => type !== "text") };
  });
  const parts = [
    // A tool's message holds text only.
    ...answers.flatMap(({ others }) => others),
    ...content.filter(({ toolResult }) => !toolResult).flatMap(toContentParts),
  ];
  return [
    ...answers.map(
      ({ toolUseId, text }) => ({ role: "tool", tool_call_id: toolUseId, content: text }) as const,
    ),
    ...(parts.length === 0 ? [] : [{ role: "user", content: simplest(parts) } as const]),
  ];
}
