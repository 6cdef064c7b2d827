import type { ContentBlock, Message, ToolResultBlock, ToolUseBlock } from "@aws-sdk/client-bedrock-runtime";
import type {
  ResponseFunctionToolCall,
  ResponseInputContent,
  ResponseInputItem,
  ResponseReasoningItem,
} from "openai/resources/responses/responses";
import { type ContentPart, contentParts, onlyText, saidIn, unfit } from "../content-parts.ts";
import { readSignature } from "./reasoning-signature.ts";
import { toJson } from "../../json-numbers.ts";

/**
 * The messages of a Converse request as the input items of Responses, in their order: what was said, calls of tools, their
 * results, and reasoning with its encrypted content (https://platform.openai.com/docs/api-reference/responses/create).
 * Throws `bad-attachment`.
 */
export function toInputItems(messages: readonly Message[]): ResponseInputItem[] {
  return messages.flatMap(({ role, content = [] }) =>
    role === "assistant" ? assistantItems(content) : userItems(content),
  );
}

function assistantItems(content: readonly ContentBlock[]): ResponseInputItem[] {
  const items: ResponseInputItem[] = [];
  let said: string[] = [];
  const say = (): void => {
    const text = said.join("\n\n");
    if (text !== "") items.push({ role: "assistant", content: text });
    said = [];
  };
  for (const block of content) {
    const item = block.toolUse ? callItem(block.toolUse) : reasoningItem(block);
    said.push(...saidIn(block));
    if (!item) continue;
    say();
    items.push(item);
  }
  say();
  // "Item of type 'reasoning' was provided without its required following item."
  while (isReasoning(items.at(-1))) items.pop();
  return items;
}

function isReasoning(item: ResponseInputItem | undefined): boolean {
  return item !== undefined && "type" in item && item.type === "reasoning";
}

/** Reasoning that another API has signed is none of this model's. */
function reasoningItem({ reasoningContent }: ContentBlock): ResponseReasoningItem | undefined {
  const { text = "", signature } = reasoningContent?.reasoningText ?? {};
  const signed = readSignature(signature);
  if (!signed) return undefined;
  return {
    type: "reasoning",
    id: signed.id,
    summary: text === "" ? [] : [{ type: "summary_text", text }],
    encrypted_content: signed.encrypted,
  };
}

function callItem({ toolUseId = "", name = "", input }: ToolUseBlock): ResponseFunctionToolCall {
  return { type: "function_call", call_id: toolUseId, name, arguments: toJson(input ?? {}) };
}

function userItems(content: readonly ContentBlock[]): ResponseInputItem[] {
  const results = content.flatMap(({ toolResult }) => (toolResult ? [resultItem(toolResult)] : []));
  const parts = content.filter(({ toolResult }) => !toolResult).flatMap(contentParts);
  if (parts.length === 0) return results;
  return [...results, { role: "user", content: onlyText(parts) ?? parts.map(toInputPart) }];
}

function resultItem({ toolUseId = "", content }: ToolResultBlock): ResponseInputItem.FunctionCallOutput {
  const parts = (content ?? []).flatMap((block): ContentPart[] =>
    block.json === undefined
      ? contentParts(block as ContentBlock)
      : [{ kind: "text", text: toJson(block.json) }],
  );
  return {
    type: "function_call_output",
    call_id: toolUseId,
    output: onlyText(parts) ?? parts.map(toInputPart),
  };
}

function toInputPart(part: ContentPart): ResponseInputContent {
  switch (part.kind) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image":
      return { type: "input_image", image_url: part.url, detail: "auto" };
    case "file":
      return { type: "input_file", filename: part.name, file_data: part.url };
    case "sound":
      throw unfit("OpenAI's Responses take no recordings.", "audio");
  }
}
