import type {
  ContentBlock,
  DocumentBlock,
  ImageBlock,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type { ChatCompletionContentPart } from "openai/resources/chat/completions";
import { TEXT_FORMATS } from "../../converse/file-kind.ts";
import { OpenclawError } from "../../errors.ts";

/** Media types of the documents that Converse names by format (https://www.iana.org/assignments/media-types). */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/**
 * The content parts that a block of a person's message or of a tool's result comes to; none for a cache point. Text
 * documents become text, which every server takes, other documents `file` parts, which few do. Throws `bad-attachment`
 * for what OpenAI's API has no part for.
 */
export function toContentParts(block: ContentBlock | ToolResultContentBlock): ChatCompletionContentPart[] {
  if (block.text !== undefined) return [text(block.text)];
  if (block.image) return [imagePart(block.image)];
  if (block.document) return documentParts(block.document);
  if ("json" in block && block.json !== undefined) return [text(JSON.stringify(block.json))];
  if ("guardContent" in block && block.guardContent?.text?.text !== undefined)
    return [text(block.guardContent.text.text)];
  if ("guardContent" in block && block.guardContent?.image) return [imagePart(block.guardContent.image)];
  if ("cachePoint" in block && block.cachePoint) return [];
  const [kind = "unknown"] = Object.keys(block);
  throw unfit(`A ${kind} block has no counterpart in OpenAI's chat completions.`, kind);
}

/** One text where the parts are text only: the form that every server and chat template takes. */
export function simplest(parts: ChatCompletionContentPart[]): string | ChatCompletionContentPart[] {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return texts.length === parts.length ? texts.join("\n\n") : parts;
}

function text(content: string): ChatCompletionContentPart {
  return { type: "text", text: content };
}

function imagePart({ format, source }: Pick<ImageBlock, "format" | "source">): ChatCompletionContentPart {
  if (!source?.bytes) throw unfit("An image that is not in the request itself cannot be sent on.", "image");
  return { type: "image_url", image_url: { url: dataUrl(`image/${format}`, source.bytes) } };
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
  if (TEXT_FORMATS.has(format)) return titled(new TextDecoder().decode(source.bytes));
  const mediaType = MEDIA_TYPES[format] ?? "application/octet-stream";
  const file = { filename: `${name}.${format}`, file_data: dataUrl(mediaType, source.bytes) };
  return [{ type: "file", file }];
}

function dataUrl(mediaType: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return `data:${mediaType};base64,${base64}`;
}

function unfit(message: string, kind: string): OpenclawError {
  return new OpenclawError("bad-attachment", {
    message,
    hint: "Leave it out, or ask a model of Amazon Bedrock: openclaw models list",
    details: { kind },
  });
}
