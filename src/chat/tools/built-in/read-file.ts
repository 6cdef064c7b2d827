import path from "node:path";
import { describeKind, detectKind, TEXT_FORMATS, whyNot } from "../../../converse/file-kind.ts";
import { hasUtf16Mark } from "../../../disk/decode-text.ts";
import type { JsonObject } from "../../../json.ts";
import { ANY_ATTACHMENTS, type FileKind } from "../../../models/families.ts";
import { formatBytes } from "../../../terminal/numbers.ts";
import { textResult, type ToolResult } from "../tool.ts";
import { imageResult, MOST_TEXT_BYTES } from "../tool-result.ts";
import type { Folder } from "./folder.ts";
import { CallFault, numberIn, requiredText } from "./tool-input.ts";
import { count } from "../../../terminal/numbers.ts";

/** Lines that are given at once, unless fewer are asked for. */
const USUAL_LINES = 2000;
const MOST_LINES = 10_000;
/** Of all lines together, in bytes of UTF-8: what is longer than all results may be would lose its middle. */
const MOST_BYTES = MOST_TEXT_BYTES - 1000;
/** Longer lines are cut, in UTF-16 units. */
const MOST_LINE = 2000;
const FAR = 1_000_000_000;

export const READ_FILE = {
  description: `Reads a file: lines of text with their numbers, or an image (png, jpeg, gif, webp) or document (pdf, doc, docx, xls, xlsx) as it is. Returns at most ${USUAL_LINES} lines and ${MOST_TEXT_BYTES} bytes at once and says where to go on; lines over ${MOST_LINE} characters are cut. Files over 16 MB and those that may hold credentials are not read.`,
  inputSchema: {
    type: "object",
    properties: {
      path: { type: "string", description: "The file, from the folder." },
      offset: {
        type: "integer",
        description: "The first line, from 1. Negative: so many lines from the end.",
      },
      limit: { type: "integer", minimum: 1, maximum: MOST_LINES, description: "How many lines." },
    },
    required: ["path"],
  },
} as const;

/** Reads a file of the folder. Throws a `CallFault`. */
export async function readFile(input: JsonObject, folder: Folder): Promise<ToolResult> {
  const named = requiredText(input, "path");
  const offset = numberIn(input, "offset", -FAR, FAR) ?? 1;
  const limit = numberIn(input, "limit", 1, MOST_LINES) ?? USUAL_LINES;
  const file = await folder.locate(named);
  const bytes = await folder.read(file);
  if (bytes.length === 0) return textResult("(the file is empty)");
  const kind = detectKind(bytes, path.basename(file));
  if (kind.kind !== "unsupported" && !TEXT_FORMATS.has(kind.format)) return asItIs(named, file, bytes, kind);
  const text = readText(bytes);
  if (text === undefined) throw new CallFault(`'${named}' is no text: ${whyNot(kind)}.`);
  refusePrivateKey(named, text);
  return textResult(numberLines(text, offset, limit));
}

/**
 * The text that a file holds: UTF-8, or UTF-16 with its mark; U+FFFD stands for what is neither. Undefined where it has zero
 * bytes, as no text has.
 */
export function readText(bytes: Uint8Array): string | undefined {
  const encoding = hasUtf16Mark(bytes) ? (bytes[0] === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  const text = new TextDecoder(encoding).decode(bytes);
  return text.includes("\0") ? undefined : text;
}

/** The beginning of a private key in PEM (RFC 7468); in JSON its line ends are escaped. */
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
/** Such a key with its bytes, behind what may stand before them: a line end, an indent, the headers of one with a password. */
const KEY_WITHIN = new RegExp(
  `${PRIVATE_KEY.source}(?:[\\s"'+,>|#*]|\\\\[nr]|[A-Z][\\w-]{1,20}: [\\w,. -]{1,80}[\\r\\n]){1,80}[\\w+/]{16}`,
);

/** Whether a text is a private key, or has one in it, by whatever name: PEM, what PuTTY and age write. */
export function isPrivateKey(text: string): boolean {
  if (/^\s*-----BEGIN /.test(text) && PRIVATE_KEY.test(text)) return true;
  return KEY_WITHIN.test(text) || /^PuTTY-User-Key-File-\d:|^AGE-SECRET-KEY-1[A-Z0-9]{50}/m.test(text);
}

function refusePrivateKey(named: string, text: string): void {
  if (isPrivateKey(text)) throw new CallFault(`'${named}' is not read: it holds a private key.`);
}

/** An image or a document as a model takes it. */
function asItIs(named: string, file: string, bytes: Buffer, kind: FileKind): ToolResult {
  const image = imageResult(bytes);
  if (image) return image;
  if (kind.kind !== "document")
    throw new CallFault(`'${named}' is ${describeKind(kind)}, which is not read.`);
  const most = ANY_ATTACHMENTS.mostBytes.document;
  if (bytes.length > most)
    throw new CallFault(
      `'${named}' has ${formatBytes(bytes.length)}, and documents of at most ${formatBytes(most)} are read.`,
    );
  const document = { format: kind.format, name: path.basename(file), source: { bytes } };
  return { content: [{ document }], isError: false };
}

function numberLines(text: string, offset: number, limit: number): string {
  const lines = text.split("\n");
  // What ends the last line begins none.
  if (lines.at(-1) === "") lines.pop();
  const first = offset < 0 ? Math.max(lines.length + offset, 0) : Math.max(offset - 1, 0);
  if (first >= lines.length)
    throw new CallFault(`The file has only ${count(lines.length, "line", "lines")}.`);
  const shown: string[] = [];
  let length = 0;
  for (const line of lines.slice(first, first + limit)) {
    const told = `${first + shown.length + 1}\t${shorten(line.replace(/\r$/, ""))}`;
    length += Buffer.byteLength(told) + 1;
    if (length > MOST_BYTES && shown.length > 0) break;
    shown.push(told);
  }
  const next = first + shown.length + 1;
  if (shown.length < lines.length)
    shown.push(
      `(lines ${first + 1} to ${next - 1} of ${lines.length}${next <= lines.length ? `; go on with offset ${next}` : ""})`,
    );
  return shown.join("\n");
}

function shorten(line: string): string {
  if (line.length <= MOST_LINE) return line;
  return `${line.slice(0, MOST_LINE).toWellFormed()}… (${line.length - MOST_LINE} more characters)`;
}
