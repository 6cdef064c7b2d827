import type {
  AudioBlock,
  ContentBlock,
  DocumentBlock,
  ImageBlock,
  SystemContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { documentAsText } from "../converse/file-kind.ts";
import { OpenclawError } from "../errors.ts";
import type { InputKind } from "../models/list.ts";
import { toBase64, toDataUrl } from "./data-url.ts";

/** A part of a message, as each of OpenAI's APIs has it in words of its own. */
export type ContentPart =
  | { kind: "text"; text: string }
  /** `url` is a data URL. */
  | { kind: "image"; url: string }
  | { kind: "file"; name: string; url: string }
  /** `data` is base64. */
  | { kind: "sound"; data: string; format: "mp3" | "wav" };

/** The kinds of input that there are parts for. */
export const PART_KINDS: readonly InputKind[] = ["text", "image", "document", "audio"];

/** Media types of the documents that Converse names by format (https://www.iana.org/assignments/media-types). */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/** What a system prompt says, as one text; empty where there is none. */
export function instructionsOf(system: readonly SystemContentBlock[]): string {
  return system.flatMap((block) => block.text ?? block.guardContent?.text?.text ?? []).join("\n\n");
}

/** What an assistant's block says in words; nothing for one that says none. */
export function saidIn({ text, citationsContent }: ContentBlock): string[] {
  if (text !== undefined) return [text];
  if (!citationsContent) return [];
  return [(citationsContent.content ?? []).map((part) => part.text ?? "").join("")];
}

/**
 * The parts that a block of a person's message comes to; none for a cache point. Text documents become text, which every
 * server takes, other documents files, which few do. Throws `bad-attachment` for what OpenAI's APIs have no part for.
 */
export function contentParts(block: ContentBlock): ContentPart[] {
  if (block.text !== undefined) return [{ kind: "text", text: block.text }];
  if (block.image) return [imagePart(block.image)];
  if (block.document) return documentParts(block.document);
  if (block.audio) return [soundPart(block.audio)];
  if (block.guardContent?.text?.text !== undefined)
    return [{ kind: "text", text: block.guardContent.text.text }];
  if (block.guardContent?.image) return [imagePart(block.guardContent.image)];
  if (block.cachePoint) return [];
  const [kind = "unknown"] = Object.keys(block);
  throw unfit(`A ${kind} block has no counterpart in OpenAI's API.`, kind);
}

/** The text that parts come to where they are text only: the form that every server and chat template takes. */
export function onlyText(parts: readonly ContentPart[]): string | undefined {
  const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
  return texts.length === parts.length ? texts.join("\n\n") : undefined;
}

function imagePart({ format, source }: Pick<ImageBlock, "format" | "source">): ContentPart {
  if (!source?.bytes) throw unfit("An image that is not in the request itself cannot be sent on.", "image");
  return { kind: "image", url: toDataUrl(`image/${format}`, source.bytes) };
}

/** Chat completions have the two formats only: https://platform.openai.com/docs/api-reference/chat/create */
function soundPart({ format, source }: AudioBlock): ContentPart {
  if (!source?.bytes)
    throw unfit("A recording that is not in the request itself cannot be sent on.", "audio");
  if (format !== "mp3" && format !== "wav")
    throw unfit(`OpenAI's API takes recordings as mp3 or wav, and this one is ${format}.`, "audio");
  return { kind: "sound", data: toBase64(source.bytes), format };
}

function documentParts({ format = "txt", name = "document", source }: DocumentBlock): ContentPart[] {
  const titled = (content: string): ContentPart[] => [{ kind: "text", text: documentAsText(name, content) }];
  if (source?.text !== undefined) return titled(source.text);
  if (source?.content) return titled(source.content.map((part) => part.text ?? "").join("\n"));
  if (!source?.bytes)
    throw unfit(`The document '${name}' is not in the request itself and cannot be sent on.`, "document");
  const mediaType = MEDIA_TYPES[format] ?? "application/octet-stream";
  return [{ kind: "file", name: `${name}.${format}`, url: toDataUrl(mediaType, source.bytes) }];
}

/** What is said of a file that an API has no place for. */
export function unfit(message: string, kind: string): OpenclawError {
  return new OpenclawError("bad-attachment", {
    message,
    hint: "Leave it out, or ask a model of Amazon Bedrock: openclaw models list",
    details: { kind },
  });
}
