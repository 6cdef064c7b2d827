import type { DocumentFormat } from "@aws-sdk/client-bedrock-runtime";
import type { FileKind } from "../models/families.ts";
import { decodeText, hasUtf16Mark, isText, notText, type TextSource } from "../disk/decode-text.ts";
import { findSignature, recogniseBytes } from "../disk/recognise-bytes.ts";

/** A file that Converse takes in no form, and why. */
export interface Unsupported {
  kind: "unsupported";
  reason: string;
  /** There is nothing in it. */
  isEmpty?: true;
}

/** Document formats that are plain text: a model that takes no documents can be given them as text. */
export const TEXT_FORMATS: ReadonlySet<string> = new Set(["csv", "html", "md", "txt"]);

const TEXT_EXTENSIONS: ReadonlyMap<string, DocumentFormat> = new Map([
  ["csv", "csv"],
  ["htm", "html"],
  ["html", "html"],
  ["markdown", "md"],
  ["md", "md"],
  ["txt", "txt"],
]);

/** Extensions whose files have a signature: without it the file is not what its name says. */
const BINARY_EXTENSIONS = /^(docx?|gif|jpe?g|pdf|png|webp|xlsx?)$/;

/** A PDF may have other bytes before its header (ISO 32000-1, implementation note 13). */
const PDF_HEADER_WITHIN = 1024;

/** A file as a model is given it. */
export interface DecodedFile {
  file: FileKind | Unsupported;
  /** As they came; those of a text in UTF-8 without a mark. */
  bytes: Uint8Array;
}

/**
 * Decides what a file is, and reads texts by the one decoder of all texts: what is no Unicode is refused with the source's
 * code, in whatever text format. One that has nothing but blanks is empty.
 */
export function decodeFile(read: Uint8Array, fileName: string | undefined, source: TextSource): DecodedFile {
  const bytes = hasUtf16Mark(read) ? Buffer.from(decodeText(read, source)) : read;
  const file = detectKind(bytes, fileName);
  if (file.kind === "unsupported" && !isText(bytes)) {
    const { iconv, isUnknownText } = recogniseBytes(bytes);
    if (iconv || isUnknownText) throw notText(bytes, source);
  }
  if (file.kind !== "document" || !TEXT_FORMATS.has(file.format)) return { file, bytes };
  const text = decodeText(bytes, source);
  return { file: text.trim() === "" ? EMPTY : file, bytes: Buffer.from(text) };
}

const EMPTY: Unsupported = { kind: "unsupported", reason: "it is empty", isEmpty: true };

/** In bytes; nobody sends more blanks. */
const MOST_BLANKS = 65_536;

/** Whether a text document holds nothing but blanks, which the service refuses as it refuses one of no bytes. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.length <= MOST_BLANKS && new TextDecoder().decode(bytes).trim() === "";
}

/**
 * Decides what a file is: by its signature, and among the text formats, which have none, by the extension of its name.
 * Other UTF-8 text, such as source code, is `txt`. Signatures are those of the formats' own specifications.
 */
export function detectKind(bytes: Uint8Array, fileName: string | undefined): FileKind | Unsupported {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extension = /\.([a-z0-9]+)$/i.exec(fileName ?? "")?.[1]?.toLowerCase() ?? "";
  if (file.length === 0) return EMPTY;
  if (isAt(file, "\x89PNG\r\n\x1a\n")) return { kind: "image", format: "png" };
  if (isAt(file, "\xff\xd8\xff")) return { kind: "image", format: "jpeg" };
  if (isAt(file, "GIF87a") || isAt(file, "GIF89a")) return { kind: "image", format: "gif" };
  if (isAt(file, "RIFF") && isAt(file, "WEBP", 8)) return { kind: "image", format: "webp" };
  if (file.subarray(0, PDF_HEADER_WITHIN).includes("%PDF-")) return { kind: "document", format: "pdf" };
  if (isAt(file, "PK\x03\x04")) return kindOfZip(file);
  if (isAt(file, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) return kindOfCompoundFile(file, extension);
  if (isAt(file, "{\\rtf")) return unsupported("it is an RTF document");
  return kindOfText(file, extension);
}

/** Office files are ZIP archives; the folder inside names the program (ECMA-376, part 2). */
function kindOfZip(file: Buffer): FileKind | Unsupported {
  if (file.includes("word/document")) return { kind: "document", format: "docx" };
  if (file.includes("xl/workbook")) return { kind: "document", format: "xlsx" };
  return unsupported(file.includes("ppt/presentation") ? "it is a PowerPoint file" : "it is a ZIP archive");
}

/** Office files before 2007 are compound files; the name of a stream tells the program ([MS-DOC], [MS-XLS]). */
function kindOfCompoundFile(file: Buffer, extension: string): FileKind | Unsupported {
  const hasStream = (name: string): boolean => file.includes(name, 0, "utf16le");
  if (hasStream("WordDocument")) return { kind: "document", format: "doc" };
  if (hasStream("Workbook") || hasStream("Book")) return { kind: "document", format: "xls" };
  if (extension === "doc" || extension === "xls") return { kind: "document", format: extension };
  return unsupported("it is an Office file of another program than Word and Excel");
}

function kindOfText(file: Buffer, extension: string): FileKind | Unsupported {
  if (file.includes(0)) return unknownKind(file);
  if (BINARY_EXTENSIONS.test(extension))
    return unsupported(`it is named .${extension} but does not hold that`);
  // A table or a page in an older encoding is still one.
  const format = TEXT_EXTENSIONS.get(extension);
  if (format !== undefined) return { kind: "document", format };
  const text = file.toString("utf8");
  // What is not UTF-8 does not survive being read as that.
  if (!Buffer.from(text).equals(file)) return unknownKind(file);
  const isHtml = /^\uFEFF?\s*<(!doctype html|html[\s>])/i.test(text.slice(0, 512));
  return { kind: "document", format: isHtml ? "html" : "txt" };
}

/** Short signatures are asked last: a text may begin like one. */
function unknownKind(file: Buffer): Unsupported {
  const foreign = findSignature(file);
  return unsupported(foreign ? `it is ${foreign.name}` : "its content is not of a known kind");
}

function unsupported(reason: string): Unsupported {
  return { kind: "unsupported", reason };
}

/** Whether a file has these bytes, one a character, from an offset on. */
function isAt(file: Buffer, signature: string, offset = 0): boolean {
  return file.toString("latin1", offset, offset + signature.length) === signature;
}
