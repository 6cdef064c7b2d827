import { isUtf8 } from "node:buffer";
import { type ErrorCode, OpenclawError } from "../errors.ts";
import { TURN_BYTES, turnOver } from "../next-turn.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { decode, decodeNext } from "./guess-encoding.ts";
import { findIso2022, recogniseBytes, type Recognised, ZERO_BYTES } from "./recognise-bytes.ts";

export interface TextSource {
  /** How a person named it, such as `--system-file 'notes.txt'`. Begins the sentence. */
  label: string;
  /** The path as a person may type it; undefined for what comes through a pipe. */
  file: string | undefined;
  /** Of the error for what is no text. */
  code: ErrorCode;
  /** Whether the file is of no use under another name, as one of settings. */
  isInPlace?: boolean;
}

/**
 * The text that bytes are: UTF-8, or UTF-16 with a byte order mark, which is dropped. Anything else is refused with its
 * place, what it looks like and how to convert it: throws the source's code. Zero bytes are no text either, as `file` and
 * `git` have it.
 */
export function decodeText(bytes: Uint8Array, source: TextSource): string {
  const text = decodeIfText(bytes);
  if (text === undefined) throw notText(bytes, source);
  return text;
}

/** Whether bytes are a text by the rule of `decodeText`. */
export function isText(bytes: Uint8Array): boolean {
  if (hasUtf16Mark(bytes)) return decodeIfText(bytes) !== undefined;
  return isUtf8(bytes) && !bytes.includes(0) && findIso2022(bytes) < 0;
}

/** The same for bytes of which it is not known whether they are a text; undefined where they are none. */
function decodeIfText(bytes: Uint8Array): string | undefined {
  const text = decode(bytes, encodingOf(bytes));
  return text === undefined || text.includes("\0") || findIso2022(bytes) >= 0 ? undefined : text;
}

/**
 * What is made of each piece of such a text, in order; undefined where the bytes are none. Others have their turn between the
 * pieces.
 */
export async function decodeInTurns<Made>(
  bytes: Uint8Array,
  make: (piece: string) => Made,
): Promise<Made[] | undefined> {
  if (findIso2022(bytes) >= 0) return undefined;
  const decoder = new TextDecoder(encodingOf(bytes), { fatal: true });
  const made: Made[] = [];
  for (let from = 0, to = 0; from < bytes.length; from = to) {
    to = from + TURN_BYTES;
    const over = turnOver();
    if (over) await over;
    const piece = decodeNext(decoder, bytes.subarray(from, to), to >= bytes.length);
    if (piece === undefined || piece.includes("\0")) return undefined;
    made.push(make(piece));
  }
  return made;
}

/** The error for bytes that are not the text they should be, by what they were recognised as. */
export function notText(
  bytes: Uint8Array,
  source: TextSource,
  found: Recognised = recogniseBytes(bytes),
): OpenclawError {
  const { label, file, code } = source;
  const { looksLike, offset } = found;
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, "0");
  return new OpenclawError(code, {
    message: `${label} is not UTF-8 text: it looks like ${looksLike} (byte ${offset} is 0x${byte}).`,
    hint: adviseOn(found, source),
    details: { ...(file === undefined ? {} : { file }), offset, looksLike },
  });
}

/** What makes text of it: a command that writes another file, or what to put before the program in a pipe. */
function adviseOn(
  { iconv, isCutOff, isAttachable, isUnknownText, looksLike, offset }: Recognised,
  { file, isInPlace = false }: TextSource,
): string {
  const by = (command: string, reads = ""): string =>
    file === undefined ? `… | ${command} | openclaw …` : `${command} ${reads}${intoOther(file, isInPlace)}`;
  if (iconv) return by(`iconv ${iconv.dropsBroken ? "-c " : ""}-f ${iconv.from} -t UTF-8`);
  if (isUnknownText) return `If you know its encoding: ${by("iconv -f ENCODING -t UTF-8")}`;
  if (isCutOff) return by(`head -c ${offset}`);
  if (isAttachable) return `openclaw chat --file ${file === undefined ? "-" : quoteForShell(file)} …`;
  return looksLike === ZERO_BYTES ? by("tr '\\000' '\\n'", "< ") : "Give it as UTF-8 text.";
}

/** The words of a command that reads a file and writes another of the same kind beside it, or the file itself. */
function intoOther(file: string, isInPlace: boolean): string {
  const plain = file.startsWith("-") ? `./${file}` : file;
  const other = plain.replace(/(\.\w+)?$/, ".utf8$1");
  const made = `${quoteForShell(plain)} > ${quoteForShell(other)}`;
  if (!isInPlace) return made;
  // What is written over keeps its mode and owner.
  return `${made} && cat ${quoteForShell(other)} > ${quoteForShell(plain)} && rm ${quoteForShell(other)}`;
}

/** Whether bytes begin with the byte order mark of UTF-16. */
export function hasUtf16Mark(bytes: Uint8Array): boolean {
  return encodingOf(bytes) !== "utf-8";
}

function encodingOf(bytes: Uint8Array): string {
  // With two zeros behind it the mark is that of UTF-32.
  if (bytes[0] === 0xff && bytes[1] === 0xfe && !(bytes[2] === 0 && bytes[3] === 0)) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
}
