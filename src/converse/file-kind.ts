import type { DocumentFormat } from "@aws-sdk/client-bedrock-runtime";
import type { FileKind } from "../models/families.ts";

/** A file that Converse takes in no form, and why. */
export interface Unsupported {
  kind: "unsupported";
  reason: string;
}

/** Document formats that are plain text: a model that takes no documents can be given them as text. */
export const TEXT_FORMATS: ReadonlySet<string> = new Set(["csv", "html", "md", "txt"]);

const TEXT_EXTENSIONS: Readonly<Record<string, DocumentFormat>> = {
  csv: "csv",
  htm: "html",
  html: "html",
  markdown: "md",
  md: "md",
  txt: "txt",
};

/** Extensions whose files have a signature: without it the file is not what its name says. */
const BINARY_EXTENSIONS: ReadonlySet<string> = new Set([
  "doc",
  "docx",
  "gif",
  "jpeg",
  "jpg",
  "pdf",
  "png",
  "webp",
  "xls",
  "xlsx",
]);

/** A PDF may have other bytes before its header (ISO 32000-1, implementation note 13). */
const PDF_HEADER_WITHIN = 1024;

/** Signatures of common files that Converse does not take, to name them in the error. */
const FOREIGN: readonly (readonly [name: string, offset: number, signature: string])[] = [
  ["a TIFF image", 0, "II*\0"],
  ["a TIFF image", 0, "MM\0*"],
  ["a BMP image", 0, "BM"],
  ["a HEIC, AVIF or MP4 file", 4, "ftyp"],
  ["a RIFF sound or video", 0, "RIFF"],
  ["a gzip archive", 0, "\x1f\x8b"],
  ["a 7z archive", 0, "7z\xbc\xaf"],
  ["a program", 0, "\x7fELF"],
];

/**
 * Decides what a file is: by its signature, and among the text formats, which have none, by the extension of its name.
 * Other UTF-8 text, such as source code, is `txt`. Signatures are those of the formats' own specifications.
 */
export function detectKind(bytes: Uint8Array, fileName: string | undefined): FileKind | Unsupported {
  const extension = /\.([a-z0-9]+)$/i.exec(fileName ?? "")?.[1]?.toLowerCase();
  const startsWith = (signature: string, offset = 0): boolean => hasBytes(bytes, signature, offset);
  if (bytes.length === 0) return { kind: "unsupported", reason: "it is empty" };
  if (startsWith("\x89PNG\r\n\x1a\n")) return { kind: "image", format: "png" };
  if (startsWith("\xff\xd8\xff")) return { kind: "image", format: "jpeg" };
  if (startsWith("GIF87a") || startsWith("GIF89a")) return { kind: "image", format: "gif" };
  if (startsWith("RIFF") && startsWith("WEBP", 8)) return { kind: "image", format: "webp" };
  if (toBuffer(bytes).subarray(0, PDF_HEADER_WITHIN).includes("%PDF-"))
    return { kind: "document", format: "pdf" };
  if (startsWith("PK\x03\x04")) return kindOfZip(bytes);
  if (startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) return kindOfCompoundFile(bytes, extension);
  if (startsWith("{\\rtf")) return { kind: "unsupported", reason: "it is an RTF document" };
  return kindOfText(bytes, extension);
}

/** Office files are ZIP archives; the folder inside names the program (ECMA-376, part 2). */
function kindOfZip(bytes: Uint8Array): FileKind | Unsupported {
  const archive = toBuffer(bytes);
  if (archive.includes("word/document")) return { kind: "document", format: "docx" };
  if (archive.includes("xl/workbook")) return { kind: "document", format: "xlsx" };
  const isSlides = archive.includes("ppt/presentation");
  return { kind: "unsupported", reason: isSlides ? "it is a PowerPoint file" : "it is a ZIP archive" };
}

/** Office files before 2007 are compound files; the name of a stream tells the program ([MS-DOC], [MS-XLS]). */
function kindOfCompoundFile(bytes: Uint8Array, extension: string | undefined): FileKind | Unsupported {
  const file = toBuffer(bytes);
  const hasStream = (name: string): boolean => file.includes(Buffer.from(name, "utf16le"));
  if (hasStream("WordDocument")) return { kind: "document", format: "doc" };
  if (hasStream("Workbook") || hasStream("Book")) return { kind: "document", format: "xls" };
  if (extension === "doc" || extension === "xls") return { kind: "document", format: extension };
  return { kind: "unsupported", reason: "it is an Office file of another program than Word and Excel" };
}

function kindOfText(bytes: Uint8Array, extension: string | undefined): FileKind | Unsupported {
  const format = extension === undefined ? undefined : TEXT_EXTENSIONS[extension];
  if (toBuffer(bytes).includes(0)) return unknownKind(bytes);
  if (extension !== undefined && BINARY_EXTENSIONS.has(extension))
    return { kind: "unsupported", reason: `it is named .${extension} but does not hold that` };
  // A table or a page in an older encoding is still one.
  if (format !== undefined) return { kind: "document", format };
  if (!isUtf8(bytes)) return unknownKind(bytes);
  return { kind: "document", format: looksLikeHtml(bytes) ? "html" : "txt" };
}

/** Short signatures are asked last: a text may begin like one. */
function unknownKind(bytes: Uint8Array): Unsupported {
  const foreign = FOREIGN.find(([, offset, signature]) => hasBytes(bytes, signature, offset));
  return {
    kind: "unsupported",
    reason: foreign ? `it is ${foreign[0]}` : "its content is not of a known kind",
  };
}

function looksLikeHtml(bytes: Uint8Array): boolean {
  return /^\uFEFF?\s*<(!doctype html|html[\s>])/i.test(toBuffer(bytes).subarray(0, 512).toString("utf8"));
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function hasBytes(bytes: Uint8Array, signature: string, offset: number): boolean {
  if (bytes.length < offset + signature.length) return false;
  for (let index = 0; index < signature.length; index++) {
    if (bytes[offset + index] !== signature.charCodeAt(index)) return false;
  }
  return true;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
