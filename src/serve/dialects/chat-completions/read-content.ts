import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { documentName } from "../../../converse/document-name.ts";
import { detectKind } from "../../../converse/file-kind.ts";
import { readBase64, readDataUrl } from "../../../wires/data-url.ts";
import { isAbsent, readList, readObject, readOptionalText, readText, refused, show } from "./read-value.ts";

/** What the parts of a request need to know of each other. */
export interface ContentContext {
  /** Images that were fetched, by their URL; undefined where fetching is not allowed. */
  remoteImages: ReadonlyMap<string, Uint8Array> | undefined;
  /** The names of the documents so far: Converse refuses two of one name. Grows. */
  documentNames: Set<string>;
}

/** The content of a user's message as content blocks, blank text left out. Throws `invalid-request`. */
export function readUserContent(value: unknown, param: string, context: ContentContext): ContentBlock[] {
  if (typeof value === "string") return textBlocks(value);
  return readList(value, param).flatMap((item, index) => {
    const place = `${param}[${index}]`;
    const part = readObject(item, place);
    switch (part["type"]) {
      case "text":
        return textBlocks(readText(part["text"], `${place}.text`));
      case "image_url":
        return [readImage(part["image_url"], `${place}.image_url`, context)];
      case "file":
        return [readFile(part["file"], `${place}.file`, context)];
      case "input_audio":
        throw refused("Audio is not supported: Converse takes text, images and documents.", place);
      default:
        throw refused(
          `'${place}.type' is ${show(part["type"])}, and must be text, image_url or file.`,
          place,
        );
    }
  });
}

/** Content that may be text only, as one text. Throws `invalid-request`. */
export function readTextContent(value: unknown, param: string, types = ["text"]): string {
  if (typeof value === "string") return value;
  return readList(value, param)
    .map((item, index) => {
      const place = `${param}[${index}]`;
      const part = readObject(item, place);
      const type = types.find((known) => known === part["type"]);
      if (type !== undefined) return readText(part[type], `${place}.${type}`);
      throw refused(
        `'${place}.type' is ${show(part["type"])}, and must be ${types.join(" or ")}.`,
        `${place}.type`,
      );
    })
    .join("");
}

/** The service refuses blank text. */
export function textBlocks(text: string): ContentBlock[] {
  return text.trim() === "" ? [] : [{ text }];
}

/** The remote images of a request, each once. Reads no more of it than that: what is wrong is found later. */
export function remoteImageUrls(messages: unknown): string[] {
  const parts = (Array.isArray(messages) ? messages : []).flatMap((message: unknown) => {
    const content = (message as { content?: unknown } | null)?.content;
    return Array.isArray(content) ? content : [];
  });
  const urls = parts.flatMap((part: { type?: unknown; image_url?: { url?: unknown } | null } | null) => {
    const url = part?.type === "image_url" ? part.image_url?.url : undefined;
    return typeof url === "string" && isRemote(url) ? [url] : [];
  });
  return [...new Set(urls)];
}

function isRemote(url: string): boolean {
  return /^https?:/i.test(url);
}

function readImage(value: unknown, param: string, { remoteImages }: ContentContext): ContentBlock {
  const url = readText(readObject(value, param)["url"], `${param}.url`);
  if (isRemote(url) && remoteImages === undefined) {
    throw refused(
      "Remote images are not fetched by this server: send a data URL, or let it be started with --allow-remote-images.",
      `${param}.url`,
      "invalid_image_url",
    );
  }
  const bytes = isRemote(url) ? remoteImages?.get(url) : readDataUrl(url)?.bytes;
  if (!bytes) {
    throw refused(
      `'${param}.url' is ${show(url.slice(0, 40))}, and must be a data URL: data:image/png;base64,…`,
      `${param}.url`,
      "invalid_image_url",
    );
  }
  const file = detectKind(bytes, undefined);
  if (file.kind === "image") return { image: { format: file.format, source: { bytes } } };
  const why = file.kind === "unsupported" ? file.reason : `it is a ${file.format} document`;
  throw refused(
    `'${param}.url' holds no png, jpeg, gif or webp image: ${why}.`,
    `${param}.url`,
    "invalid_image_format",
  );
}

function readFile(value: unknown, param: string, { documentNames }: ContentContext): ContentBlock {
  const file = readObject(value, param);
  if (!isAbsent(file["file_id"])) {
    throw refused(
      "Files are not kept by this server: send the file itself as 'file_data'.",
      `${param}.file_id`,
    );
  }
  const name = readOptionalText(file["filename"], `${param}.filename`);
  const data = readText(file["file_data"], `${param}.file_data`);
  const bytes = readDataUrl(data)?.bytes ?? readBase64(data);
  if (!bytes) {
    throw refused(
      `'${param}.file_data' is ${show(data.slice(0, 40))}, and must be a data URL or base64.`,
      `${param}.file_data`,
    );
  }
  const kind = detectKind(bytes, name);
  if (kind.kind === "unsupported") {
    throw refused(
      `'${name ?? `${param}.file_data`}' cannot be sent to a model: ${kind.reason}. ` +
        "Send png, jpeg, gif, webp, pdf, csv, doc, docx, xls, xlsx, html, md or plain text.",
      `${param}.file_data`,
    );
  }
  if (kind.kind === "image") return { image: { format: kind.format, source: { bytes } } };
  return { document: { format: kind.format, name: documentName(name, documentNames), source: { bytes } } };
}
