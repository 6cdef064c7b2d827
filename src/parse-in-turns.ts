import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import { EscapeCount, JsonBoundsError, JsonScan, LONGEST_CALL, LONGEST_WIDE_TEXT } from "./json-bounds.ts";
import { markedNumber, markedPieces, parseExactly, replacing } from "./json-numbers.ts";
import { inSteps, nextTurn, TURN_BYTES, turnOver } from "./next-turn.ts";

/** What is parsed at once, in bytes: as much as comes in one piece. */
const SHORT_BYTES = 64 * 1024;
/** Values in the rows of lists: those of 10,000 models of AWS's have 180,000. */
const MOST_IN_ROWS = 400_000;

/**
 * The value that the JSON of an answer is, within bounds; others have their turn between the steps. What is no UTF-8 in it
 * is U+FFFD. With `isExact` each number is as it was written, and the rows of lists are nothing of their own. Throws
 * SyntaxError, JsonBoundsError among them. A scan that is given counts over several documents.
 */
export async function parseInTurns(bytes: Buffer, isExact = false, shared?: JsonScan): Promise<unknown> {
  const scan = shared ?? new JsonScan(Infinity, isExact ? 0 : MOST_IN_ROWS);
  scan.end();
  if (bytes.length <= SHORT_BYTES) {
    scan.take(bytes);
    const text = textOf([bytes.toString("utf8")]);
    return isExact && scan.changesNumbers ? parseExactly(text) : JSON.parse(text);
  }
  const escapes = new EscapeCount();
  const blocks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += SHORT_BYTES) {
    const piece = bytes.subarray(start, start + SHORT_BYTES);
    scan.take(piece);
    escapes.take(piece);
    blocks.push(piece);
    const over = turnOver();
    if (over) await over;
  }
  const value = await parseApart(blocks, scan, { isExact });
  await nextTurn();
  return value;
}

/** The same; undefined for what is no JSON, or none within bounds. */
export async function parseInTurnsIfJson(bytes: Buffer, isExact = false): Promise<unknown> {
  try {
    return await parseInTurns(bytes, isExact);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What `parseCall` makes of the input that a model calls a tool with. */
export async function parseCallInTurns(text: string): Promise<unknown> {
  return text.length > LONGEST_CALL ? undefined : parseInTurnsIfJson(Buffer.from(text), true);
}

/** How bytes are read as JSON. */
export interface Reading {
  /** Is told what the texts take beside the bytes, in bytes. */
  grow?: (bytes: number) => void;
  /** Makes the error for what is not UTF-8; without it such bytes are U+FFFD. */
  refuse?: (what: string) => Error;
  /** Whether each number outside of rows is as it was written. */
  isExact?: boolean;
}

/**
 * What `JSON.parse` makes of bytes that were scanned, their long texts and the rows of their lists read by themselves:
 * parsed as one, 31 MB of which one character is no Latin-1 take 50 ms, and as long with an escape in every few letters.
 * Throws SyntaxError exactly where the whole is no JSON, JsonBoundsError, and what `refuse` makes.
 */
export async function parseApart(
  blocks: readonly Buffer[],
  scan: JsonScan,
  reading: Reading = {},
): Promise<unknown> {
  // Nobody who wrote the bytes could know it.
  const mark = randomUUID();
  const between: string[] = [];
  const apart: unknown[] = [];
  const { grow = () => undefined, isExact = false } = reading;
  let pieces: string[] = [];
  let size = 0;
  let characters = 0;
  let isWide = false;
  for (const { text, bytes: length, of, isEnd } of partsOf(blocks, scan, reading)) {
    if (of === "rest") between.push(text);
    else if (of === "row") pieces.push(text);
    else {
      const piece = JSON.parse(`"${text}"`) as string;
      pieces.push(piece);
      characters += piece.length;
      isWide ||= /[^\0-\xff]/.test(piece);
      if (isWide && characters > LONGEST_WIDE_TEXT)
        throw new JsonBoundsError(
          `a text in it has more than ${LONGEST_WIDE_TEXT} characters, and not all of them are Latin-1`,
        );
    }
    size += length;
    if (isEnd) {
      if (of !== "rest") {
        const name = `${mark}${apart.length}`;
        between.push(of === "row" ? `"${name}"` : name);
        if (size > TURN_BYTES) await nextTurn();
        const whole = pieces.length === 1 ? (pieces[0] ?? "") : pieces.join("");
        apart.push(of === "row" ? JSON.parse(whole) : whole);
        if (size > TURN_BYTES) await nextTurn();
        // V8 keeps a text with a single character that is no Latin-1 in two bytes for each.
        if (isWide) grow(Math.max(whole.length * 2 - size, 0));
      }
      [pieces, size, characters, isWide] = [[], 0, 0, false];
    }
    const over = turnOver();
    if (over) await over;
  }
  const rest = textOf(between);
  const restBytes = Buffer.byteLength(rest);
  if (rest.length < restBytes) grow(Math.max(rest.length * 2 - restBytes, 0));
  await nextTurn();
  const value: unknown = JSON.parse(isExact && scan.changesNumbers ? await markInTurns(rest) : rest);
  await nextTurn();
  const root: [unknown] = [value];
  await inSteps(
    replacing(root, (text) =>
      text.startsWith(mark) ? apart[Number(text.slice(mark.length))] : markedNumber(text),
    ),
  );
  return root[0];
}

async function markInTurns(text: string): Promise<string> {
  const pieces: string[] = [];
  for (const piece of markedPieces(text)) {
    pieces.push(piece);
    const over = turnOver();
    if (over) await over;
  }
  await nextTurn();
  return pieces.join("");
}

/**
 * The whole of a text of JSON. The byte order mark that some programs put in front of UTF-8 is none of it: readers may ignore
 * it (RFC 8259, section 8.1), and those of the Web do (https://encoding.spec.whatwg.org/#utf-8-decode).
 */
export function textOf(texts: readonly string[]): string {
  const text = texts.join("");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

interface Part {
  text: string;
  /** How many it was. */
  bytes: number;
  /** A long text, a row, or what is between them. */
  of: "text" | "row" | "rest";
  /** Whether what it is of ends with it. */
  isEnd: boolean;
}

/**
 * The text of bytes in parts, each of which takes a few ms at most; without a scan all is the rest. A part ends behind a
 * whole character, in a long text behind a whole escape. Throws what `refuse` makes.
 */
export function* partsOf(
  blocks: readonly Buffer[],
  scan: JsonScan | undefined,
  { refuse }: Reading,
): Generator<Part, void, undefined> {
  const borders = scan?.longTexts ?? [];
  let rest: Buffer = Buffer.alloc(0);
  let passed = 0;
  let next = 0;
  for (const [index, block] of blocks.entries()) {
    for (let from = 0; from < block.length;) {
      const to = Math.min((borders[next] ?? Infinity) - passed, block.length);
      const isApart = next % 2 === 1;
      const of = isApart ? (scan?.rows.has(borders[next - 1] ?? 0) ? "row" : "text") : "rest";
      const isLast = index === blocks.length - 1 && to === block.length;
      const isEnd = isLast || borders[next] === passed + to;
      const bytes = block.subarray(from, to);
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let end = isEnd ? all.length : startOfPart(all);
      if (of === "text" && !isEnd) end = startOfEscape(all, end);
      const whole = all.subarray(0, end);
      if (refuse && !isUtf8(whole)) throw refuse("is not valid UTF-8");
      yield { text: whole.toString("utf8"), bytes: end, of, isEnd };
      rest = all.subarray(end);
      from = to;
      if (isEnd) next += 1;
    }
    passed += block.length;
  }
}

/** Where a character begins whose last bytes are still to come; the length where there is none. */
function startOfPart(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    // The first byte of a character says how many it has.
    if (byte >= 0xc0)
      return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Where an escape begins whose last bytes are still to come; `end` where there is none. What begins with half of one has none. */
function startOfEscape(bytes: Buffer, end: number): number {
  const last = bytes.subarray(0, end).lastIndexOf(0x5c);
  if (last < 0 || last <= end - 6) return end;
  let first = last;
  while (first > 0 && bytes[first - 1] === 0x5c) first -= 1;
  // Of an even number each second one is escaped itself.
  if ((last - first) % 2 === 1) return end;
  return last === end - 1 || bytes[last + 1] === 0x75 ? last : end;
}
