import type {
  ContentBlock,
  DocumentBlock,
  ImageBlock,
  Message,
  SystemContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  ChatCompletionContentPart,
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import { TEXT_FORMATS } from "../../converse/file-kind.ts";
import { decodeText } from "../../disk/decode-text.ts";
import { OpenclawError } from "../../errors.ts";
import { toDataUrl } from "../data-url.ts";

/** Media types of the documents that Converse names by format (https://www.iana.org/assignments/media-types). */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

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

/** A tool's message holds text only: other content was mended to stand behind the results. */
function userMessages(content: readonly ContentBlock[]): ChatCompletionMessageParam[] {
  const results = content.flatMap(({ toolResult }) => (toolResult ? [toolResult] : []));
  const answers = results.map(({ toolUseId = "", content: blocks }) => {
    const texts = (blocks ?? []).map(({ text: said, json }) => said ?? JSON.stringify(json));
    return { role: "tool", tool_call_id: toolUseId, content: texts.join("\n\n") } as const;
  });
  const parts = content.filter(({ toolResult }) => !toolResult).flatMap(toContentParts);
  return [...answers, ...(parts.length === 0 ? [] : [{ role: "user", content: simplest(parts) } as const])];
}

/**
 * The content parts that a block of a person's message comes to; none for a cache point. Text
 * documents become text, which every server takes, other documents `file` parts, which few do. Throws `bad-attachment`
 * for what OpenAI's API has no part for.
 */
function toContentParts(block: ContentBlock): ChatCompletionContentPart[] {
  if (block.text !== undefined) return [text(block.text)];
  if (block.image) return [imagePart(block.image)];
  if (block.document) return documentParts(block.document);
  if (block.guardContent?.text?.text !== undefined) return [text(block.guardContent.text.text)];
  if (block.guardContent?.image) return [imagePart(block.guardContent.image)];
  if (block.cachePoint) return [];
  const [kind = "unknown"] = Object.keys(block);
  throw unfit(`A ${kind} block has no counterpart in OpenAI's chat completions.`, kind);
}

/** One text where the parts are text only: the form that every server and chat template takes. */
function simplest(parts: ChatCompletionContentPart[]): string | ChatCompletionContentPart[] {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return texts.length === parts.length ? texts.join("\n\n") : parts;
}

function text(content: string): ChatCompletionContentPart {
  return { type: "text", text: content };
}

function imagePart({ format, source }: Pick<ImageBlock, "format" | "source">): ChatCompletionContentPart {
  if (!source?.bytes) throw unfit("An image that is not in the request itself cannot be sent on.", "image");
  return { type: "image_url", image_url: { url: toDataUrl(`image/${format}`, source.bytes) } };
}

function documentParts({
  format = "txt",
  name = "document",
  source,
}: DocumentBlock): ChatCompletionContentPart[] {
  const titled = (content: string): ChatCompletionContentPart[] => [
    text(`<document name=${JSON.stringify(name)}>\n${content}\n</document>`),
  ];
  if (source?.text !== undefined) return titled(source.text);
  if (source?.content) return titled(source.content.map((part) => part.text ?? "").join("\n"));
  if (!source?.bytes)
    throw unfit(`The document '${name}' is not in the request itself and cannot be sent on.`, "document");
  if (TEXT_FORMATS.has(format)) {
    const from = { label: `The document '${name}'`, file: undefined, code: "bad-attachment" } as const;
    return titled(decodeText(source.bytes, from));
  }
  const mediaType = MEDIA_TYPES[format] ?? "application/octet-stream";
  const file = { filename: `${name}.${format}`, file_data: toDataUrl(mediaType, source.bytes) };
  return [{ type: "file", file }];
}

function unfit(message: string, kind: string): OpenclawError {
  return new OpenclawError("bad-attachment", {
    message,
    hint: "Leave it out, or ask a model of Amazon Bedrock: openclaw models list",
    details: { kind },
  });
}
