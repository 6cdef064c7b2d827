import type { DocumentBlock } from "@aws-sdk/client-bedrock-runtime";
import type { InputKind } from "../models/list.ts";
import type { FileKind } from "../models/families.ts";
import { decodeInTurns, hasUtf16Mark, isText, notText, type TextSource } from "../disk/decode-text.ts";
import { findSignature, hasBytesAt, isUtf8, recogniseBytes } from "../disk/recognise-bytes.ts";
import { turnOver } from "../next-turn.ts";
import { detectMedia, nearEnds } from "./media-kind.ts";
import { once } from "../once.ts";
import { isOnlyBlanks, MOST_BLANKS } from "../only-blanks.ts";

/** A file that Converse takes in no form, and why. */
export interface Unsupported {
  kind: "unsupported";
  reason: string;
  isEmpty?: true;
}

/** Document formats that are plain text: a model that takes no documents can be given them as text. */
export const TEXT_FORMATS: ReadonlySet<string> = new Set(["csv", "html", "md", "txt"]);

/** The text of such a document; undefined for one of another kind, or of bytes that are no text. */
export async function textOfDocument({ format = "txt", source }: DocumentBlock): Promise<string | undefined> {
  const { text, bytes } = source ?? {};
  if (text !== undefined || !bytes || !TEXT_FORMATS.has(format)) return text;
  return (await decodeInTurns(bytes, (piece) => piece))?.join("");
}

/** The text that such a document is given as. */
export function documentAsText(name: string | undefined, text: string): string {
  return `<document name=${JSON.stringify(name)}>\n${text}\n</document>`;
}

/** The formats by the extensions of their files' names. All but the texts among them have a signature. */
const EXTENSIONS: {
  [Kind in FileKind["kind"]]: Record<string, Extract<FileKind, { kind: Kind }>["format"]>;
} = {
  image: { png: "png", jpg: "jpeg", jpeg: "jpeg", gif: "gif", webp: "webp" },
  document: Object.fromEntries([
    ...(["csv", "html", "md", "txt", "pdf", "doc", "docx", "xls", "xlsx"] as const).map(own),
    ["htm", "html"],
    ["markdown", "md"],
  ]),
  video: Object.fromEntries([
    ...(["mp4", "mov", "mkv", "webm", "flv", "mpeg", "mpg", "wmv"] as const).map(own),
    ["m4v", "mp4"],
    ["3gp", "three_gp"],
  ]),
  audio: Object.fromEntries([
    ...(["mp3", "wav", "flac", "ogg", "opus", "m4a", "aac", "mka", "mpga", "pcm"] as const).map(own),
    ["oga", "ogg"],
    ["weba", "webm"],
  ]),
};

/** A format whose files are named for it. */
function own<Format extends string>(format: Format): [string, Format] {
  return [format, format];
}

/** The same by extension: a name may end in a word of JavaScript. */
const kinds = once(
  () =>
    new Map(
      Object.entries(EXTENSIONS).flatMap(([kind, formats]) =>
        Object.entries(formats).map(
          ([extension, format]) => [extension, { kind, format } as FileKind] as const,
        ),
      ),
    ),
);

/** What can be attached, in words. */
export const ATTACHABLE =
  "png, jpeg, gif, webp, pdf, csv, doc, docx, xls, xlsx, html, md, plain text, video (mp4, mov, mkv, webm, …) or sound (mp3, wav, flac, ogg, m4a, …)";

/** What a file of this name is taken for where nobody can look into it; undefined for a name that does not tell. */
export function kindByName(fileName: string): FileKind | undefined {
  return kinds().get(extensionOf(fileName));
}

/** A kind of file as it is said of one: `an image`, `an mp4 video`, `a pdf document`. */
export function describeKind({ kind, format }: FileKind): string {
  if (kind === "image") return "an image";
  const name = format === "three_gp" ? "3gp" : format;
  const article = /^(aac|flv|html|m[^o]|o|xls)/.test(name) ? "an" : "a";
  return `${article} ${name} ${kind === "audio" ? "recording" : kind}`;
}

/** What a file is that is not what was wanted, as the end of a sentence. */
export function whyNot(file: ReturnType<typeof detectKind>): string {
  return file.kind === "unsupported" ? file.reason : `it is ${describeKind(file)}`;
}

function extensionOf(fileName: string | undefined): string {
  return /\.([a-z0-9]+)$/i.exec(fileName ?? "")?.[1]?.toLowerCase() ?? "";
}

/** A PDF may have other bytes before its header (ISO 32000-1, implementation note 13). */
const PDF_HEADER_WITHIN = 1024;

export interface DecodedFile {
  file: FileKind | Unsupported;
  /** As they came; those of a text in UTF-8 without a mark. */
  bytes: Uint8Array;
}

/**
 * Decides what a file is, and reads texts by the one decoder of all texts: what is no Unicode is refused with the source's
 * code, in whatever text format. One that has nothing but blanks is empty.
 */
export async function decodeFile(
  read: Uint8Array,
  fileName: string | undefined,
  source: TextSource,
): Promise<DecodedFile> {
  let bytes = read;
  if (hasUtf16Mark(read)) {
    const pieces = await decodeInTurns(read, (piece) => Buffer.from(piece));
    if (!pieces) throw notText(read, source);
    bytes = Buffer.concat(pieces);
  }
  await turnOver();
  const file = detectKind(bytes, fileName);
  if (file.kind === "unsupported" && !isText(bytes)) {
    const found = recogniseBytes(bytes);
    if (found.iconv || found.isUnknownText) throw notText(bytes, source, found);
  }
  if (file.kind !== "document" || !TEXT_FORMATS.has(file.format)) return { file, bytes };
  await turnOver();
  if (!isText(bytes)) throw notText(bytes, source);
  const text = hasBytesAt(asBuffer(bytes), "\xef\xbb\xbf") ? bytes.subarray(3) : bytes;
  return { file: isBlank(text) ? EMPTY : file, bytes: text };
}

const EMPTY: Unsupported = { kind: "unsupported", reason: "it is empty", isEmpty: true };

/** Whether a text document holds nothing but blanks, which the service refuses as it refuses one of no bytes. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.length <= MOST_BLANKS && isOnlyBlanks(new TextDecoder().decode(bytes));
}

/**
 * Decides what a file is: by its signature, and among the text formats, which have none, by the extension of its name.
 * Other UTF-8 text, such as source code, is `txt`. Signatures are those of the formats' own specifications.
 */
export function detectKind(bytes: Uint8Array, fileName: string | undefined): FileKind | Unsupported {
  const file = asBuffer(bytes);
  const extension = extensionOf(fileName);
  if (file.length === 0) return EMPTY;
  if (hasBytesAt(file, "\x89PNG\r\n\x1a\n")) return { kind: "image", format: "png" };
  if (hasBytesAt(file, "\xff\xd8\xff")) return { kind: "image", format: "jpeg" };
  if (hasBytesAt(file, "GIF87a") || hasBytesAt(file, "GIF89a")) return { kind: "image", format: "gif" };
  if (hasBytesAt(file, "RIFF") && hasBytesAt(file, "WEBP", 8)) return { kind: "image", format: "webp" };
  const media = detectMedia(file, extension);
  if (media) return typeof media === "string" ? unsupported(media) : media;
  if (file.subarray(0, PDF_HEADER_WITHIN).includes("%PDF-")) return { kind: "document", format: "pdf" };
  if (hasBytesAt(file, "PK\x03\x04")) return kindOfZip(file);
  if (hasBytesAt(file, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) return kindOfCompoundFile(file, extension);
  if (hasBytesAt(file, "{\\rtf")) return unsupported("it is an RTF document");
  return kindOfText(file, extension);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Office files are ZIP archives; the folder inside names the program (ECMA-376, part 2). The list of names is at the end. */
function kindOfZip(file: Buffer): FileKind | Unsupported {
  const has = (name: string): boolean => nearEnds(file).some((part) => part.includes(name));
  if (has("word/document")) return { kind: "document", format: "docx" };
  if (has("xl/workbook")) return { kind: "document", format: "xlsx" };
  return unsupported(has("ppt/presentation") ? "it is a PowerPoint file" : "it is a ZIP archive");
}

/** The names of so many streams in a compound file are looked at, in bytes: each takes 128. */
const DIRECTORY_BYTES = 64 * 1024;

/**
 * Office files before 2007 are compound files; the name of a stream tells the program ([MS-DOC], [MS-XLS]). The directory
 * of streams begins in a sector that the header names ([MS-CFB], 2.2 and 2.6), anywhere in the file.
 */
function kindOfCompoundFile(file: Buffer, extension: string): FileKind | Unsupported {
  const sectorBytes = file.length < HEADER_BYTES || file.readUInt16LE(30) === 9 ? 512 : 4096;
  const start = file.length < HEADER_BYTES ? 0 : (file.readUInt32LE(48) + 1) * sectorBytes;
  const parts = [...nearEnds(file), file.subarray(start, start + DIRECTORY_BYTES)];
  // Looking for bytes takes a third of the time of looking for characters.
  const hasStream = (name: string): boolean => {
    const bytes = Buffer.from(name, "utf16le");
    return parts.some((part) => part.includes(bytes));
  };
  if (hasStream("WordDocument")) return { kind: "document", format: "doc" };
  if (hasStream("Workbook") || hasStream("Book")) return { kind: "document", format: "xls" };
  if (extension === "doc" || extension === "xls") return { kind: "document", format: extension };
  return unsupported("it is an Office file of another program than Word and Excel");
}

/** Of a compound file. */
const HEADER_BYTES = 512;

function kindOfText(file: Buffer, extension: string): FileKind | Unsupported {
  const named = kinds().get(extension);
  // Samples have nothing before them that tells what they are.
  if (named?.format === "pcm") return named;
  if (file.includes(0)) return unknownKind(file, extension);
  if (hasSignature(extension)) return unsupported(notNamed(extension));
  // A table or a page in an older encoding is still one.
  if (named) return named;
  if (!isUtf8(file)) return unknownKind(file, extension);
  const isHtml = /^\uFEFF?\s*<(!doctype html|html[\s>])/i.test(file.toString("utf8", 0, 512));
  return { kind: "document", format: isHtml ? "html" : "txt" };
}

/** Short signatures are asked last: a text may begin like one. */
function unknownKind(file: Buffer, extension: string): Unsupported {
  const foreign = findSignature(file);
  if (foreign) return unsupported(`it is ${foreign.name}`);
  return unsupported(hasSignature(extension) ? notNamed(extension) : "its content is not of a known kind");
}

/** Whether the files of an extension have a signature: all that can be attached do, but texts. */
function hasSignature(extension: string): boolean {
  const named = kinds().get(extension);
  return named !== undefined && !TEXT_FORMATS.has(named.format);
}

function notNamed(extension: string): string {
  return `it is named .${extension} but does not hold that`;
}

function unsupported(reason: string): Unsupported {
  return { kind: "unsupported", reason };
}

/** What one file of a kind is called, and several. */
export const KIND_WORDS = {
  image: { one: "an image", many: "images" },
  document: { one: "a document", many: "documents" },
  video: { one: "a video", many: "videos" },
  audio: { one: "a recording", many: "recordings" },
} as const;

/** Kinds of input by their names, as what a model takes. */
export function inputInWords(kind: InputKind): string {
  return kind === "text" ? "text" : KIND_WORDS[kind].many;
}
