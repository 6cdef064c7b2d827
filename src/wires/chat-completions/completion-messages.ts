import type {
  ContentBlock,
  Message,
  SystemContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  ChatCompletionContentPart,
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import { type ContentPart, contentParts, instructionsOf, onlyText, saidIn } from "../content-parts.ts";
import { toJson } from "../../json-numbers.ts";

/**
 * The messages of a Converse request as those of a chat completion. Tool results become messages of their own, directly
 * behind the calls they answer; images in them follow as a person's. Reasoning is left out: it is its model's own, and
 * servers refuse it. Throws `bad-attachment`.
 */
export function toCompletionMessages(
  system: readonly SystemContentBlock[],
  messages: readonly Message[],
): ChatCompletionMessageParam[] {
  const instructions = instructionsOf(system);
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

function toolCall({ toolUseId = "", name = "", input }: ToolUseBlock): ChatCompletionMessageFunctionToolCall {
  return { id: toolUseId, type: "function", function: { name, arguments: toJson(input ?? {}) } };
}

/** A tool's message holds text only: other content was mended to stand behind the results. */
function userMessages(content: readonly ContentBlock[]): ChatCompletionMessageParam[] {
  const results = content.flatMap(({ toolResult }) => (toolResult ? [toolResult] : []));
  const answers = results.map(({ toolUseId = "", content: blocks }) => {
    const texts = (blocks ?? []).map(({ text: said, json }) => said ?? toJson(json));
    return { role: "tool", tool_call_id: toolUseId, content: texts.join("\n\n") } as const;
  });
  const parts = content.filter(({ toolResult }) => !toolResult).flatMap(contentParts);
  const asked = onlyText(parts) ?? parts.map(toCompletionPart);
  return [...answers, ...(parts.length === 0 ? [] : [{ role: "user", content: asked } as const])];
}

function toCompletionPart(part: ContentPart): ChatCompletionContentPart {
  switch (part.kind) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return { type: "image_url", image_url: { url: part.url } };
    case "file":
      return { type: "file", file: { filename: part.name, file_data: part.url } };
    case "sound":
      return { type: "input_audio", input_audio: { data: part.data, format: part.format } };
  }
}
