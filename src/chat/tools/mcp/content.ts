import type { DocumentBlock, ImageBlock, ToolResultContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { documentAsText, detectKind, TEXT_FORMATS } from "../../../converse/file-kind.ts";
import { decodeText, isText } from "../../../disk/decode-text.ts";
import { isDeeperThan, isRecord, type JsonObject, recordAt, recordsAt, textAt } from "../../../json.ts";
import { toJson } from "../../../json-numbers.ts";
import { ANY_ATTACHMENTS } from "../../../models/families.ts";
import { formatBytes } from "../../../terminal/numbers.ts";
import { boundText, MOST_TEXT_BYTES } from "../tool-result.ts";
import { textResult, type ToolResult } from "../tool.ts";

/** What a model is given of a server's content, in a result as in a question. */
export type GivenBlock =
  | { text: string }
  | { image: ImageBlock & { source: { bytes: Uint8Array } } }
  | { document: DocumentBlock & { source: { bytes: Uint8Array } } };

/** Deeper nesting of a structured result is not handed on. */
const MOST_LEVELS = 64;
/** So many values of it are looked for in the texts beside it. */
const MOST_COMPARED = 1000;

/**
 * What came of a call (CallToolResult of https://modelcontextprotocol.io/specification/2025-11-25/schema): texts, images
 * and documents as they are, what no model takes in words. Structured content is added where the texts do not say it.
 */
export function toToolResult(result: JsonObject): ToolResult {
  const isError = result["isError"] === true;
  const items = recordsAt(result, "content");
  const content: ToolResultContentBlock[] = items.flatMap(toBlocks);
  const { structuredContent: structured } = result;
  if (isRecord(structured)) {
    const texts = items.flatMap((item) => (item["type"] === "text" ? (textAt(item, "text") ?? []) : []));
    if (isDeeperThan(structured, MOST_LEVELS))
      content.push({ text: `[structured content that is nested more than ${MOST_LEVELS} levels deep]` });
    else if (!sayAll(texts.join("\n"), structured)) content.push({ json: structured as never });
  }
  if (content.length === 0) return textResult("", isError);
  return { content: boundTexts(content), isError };
}

/** Content within the bound of a result. What is longer becomes one text, without its middle, before the files. */
function boundTexts(content: readonly ToolResultContentBlock[]): ToolResultContentBlock[] {
  const isSaid = ({ text, json }: ToolResultContentBlock): boolean =>
    text !== undefined || json !== undefined;
  const said = content.filter(isSaid).map(({ text, json }) => text ?? toJson(json));
  const length = said.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (length <= MOST_TEXT_BYTES) return [...content];
  return [{ text: boundText(said.join("\n")) }, ...content.filter((block) => !isSaid(block))];
}

/**
 * Whether the texts have each value of the structured content, as they should for older clients: as JSON, or a file's
 * text by itself. The model is not given all of it twice.
 */
function sayAll(texts: string, structured: JsonObject): boolean {
  if (texts === "") return false;
  const values = valuesIn(structured);
  // What has so many is a table, and hardly one beside which there is a text of something else.
  if (values.length > MOST_COMPARED) return true;
  return values.every((value) => {
    const written = toJson(value);
    if (typeof value !== "string") return texts.includes(written);
    return texts.includes(value) || texts.includes(written.slice(1, -1));
  });
}

function valuesIn(value: unknown): unknown[] {
  if (!Array.isArray(value) && !isRecord(value)) return [value];
  return Object.values(value).flatMap(valuesIn);
}

/** A piece of content (ContentBlock of MCP) as a model is given it. */
export function toBlocks(item: JsonObject): GivenBlock[] {
  switch (item["type"]) {
    case "text":
      return textOf(textAt(item, "text") ?? "");
    case "image":
    case "audio":
      return [fileBlock(decodeBase64(item["data"]), `${textAt(item, "mimeType") ?? item["type"]}`)];
    case "resource":
      return resourceBlocks(recordAt(item, "resource"), "");
    case "resource_link": {
      const facts = ["title", "description", "mimeType"].flatMap((name) => textAt(item, name) ?? []);
      const link = `${textAt(item, "name") ?? "resource"}: ${textAt(item, "uri") ?? ""}`;
      return [{ text: facts.length === 0 ? link : `${link} (${facts.join("; ")})` }];
    }
    default:
      return [
        {
          text: `[content of the type ${JSON.stringify(item["type"]) ?? "undefined"}, which is not known here]`,
        },
      ];
  }
}

/** What is read of a resource (TextResourceContents, BlobResourceContents), with its address. */
export function resourceBlocks(resource: JsonObject, asked: string): GivenBlock[] {
  const uri = textAt(resource, "uri") ?? asked;
  const text = textAt(resource, "text");
  if (text !== undefined) return [{ text: documentAsText(uri, text) }];
  return [fileBlock(decodeBase64(resource["blob"]), textAt(resource, "mimeType") ?? "file", uri)];
}

/** Empty texts are refused by Converse. */
function textOf(text: string): GivenBlock[] {
  return text === "" ? [] : [{ text }];
}

function decodeBase64(data: unknown): Buffer {
  return Buffer.from(typeof data === "string" ? data : "", "base64");
}

/** A file by what it is, not by what it is called; in words where no model takes it. */
function fileBlock(bytes: Buffer, called: string, uri = ""): GivenBlock {
  const name = nameOf(uri);
  const file = detectKind(bytes, name);
  if (file.kind === "image" && bytes.length <= ANY_ATTACHMENTS.mostBytes.image)
    return { image: { format: file.format, source: { bytes } } };
  if (file.kind === "document") {
    if (TEXT_FORMATS.has(file.format)) {
      const label = uri || called;
      if (isText(bytes))
        return {
          text: documentAsText(label, decodeText(bytes, { label, file: undefined, code: "bad-response" })),
        };
    } else if (bytes.length <= ANY_ATTACHMENTS.mostBytes.document)
      return { document: { format: file.format, name: name || "document", source: { bytes } } };
  }
  const size = bytes.length === 0 ? "nothing" : formatBytes(bytes.length);
  return {
    text: `[${uri === "" ? "" : `${uri}, `}${called} of ${size}, which cannot be shown to the model]`,
  };
}

/** The name of a file by its address. */
function nameOf(uri: string): string {
  return uri.split(/[?#]/, 1)[0]?.split("/").at(-1) ?? "";
}
