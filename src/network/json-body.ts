import { nextTurn, piecesOf, TURN_BYTES, turnOver } from "../next-turn.ts";
import { toJson, WrittenNumber } from "../json-numbers.ts";

/** A body as it is sent: a text, or pieces of one that is too long to be worked on at once. */
export type JsonBody = string | readonly Buffer[];

/**
 * Writes a value as JSON: bytes in base64, as the SDK's clients do, and everything else as `toJson` has it. A long one
 * is written in pieces, between which others have their turn.
 */
export async function toJsonBody(value: unknown): Promise<JsonBody> {
  const short = shortJson(value);
  if (short !== undefined) return short;
  const pieces: Buffer[] = [];
  let last = "";
  for await (const piece of piecesOfLong(value)) {
    if (piece.length < TURN_BYTES) last = piece;
    else pieces.push(Buffer.from(piece));
  }
  if (pieces.length === 0) return last;
  return last === "" ? pieces : [...pieces, Buffer.from(last)];
}

/** What is written at once; undefined for what takes longer. */
function shortJson(value: unknown): string | undefined {
  return roomLeft(value, SHORT) >= 0 ? (toJson(value) ?? "null") : undefined;
}

/** Each piece but the last has `TURN_BYTES` characters or more. */
async function* piecesOfLong(value: unknown): AsyncGenerator<string, void, undefined> {
  const heavy = new Set<object>();
  // Whoever made it has taken this turn, and to go over it takes another.
  await nextTurn();
  weigh(value, heavy);
  await nextTurn();
  let piece = "";
  for (const part of partsOf(value, heavy)) {
    piece += part;
    if (piece.length >= TURN_BYTES) {
      yield piece;
      piece = "";
      await nextTurn();
    }
    const over = turnOver();
    if (over) await over;
  }
  yield piece;
}

/** What is written in no time, in characters. */
const SHORT = 64 * 1024;

/** What the time that a number takes which is written as it came is worth, in characters. */
const WRITTEN = 256;

/** The length of a body, in bytes. */
export function lengthOf(body: string | readonly Uint8Array[]): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  return body.reduce((length, piece) => length + piece.length, 0);
}

/** How many of so many characters a value leaves; less than none where it takes more, or has bytes. */
function roomLeft(value: unknown, most: number): number {
  if (typeof value === "string") return most - value.length;
  if (typeof value !== "object" || value === null) return most - 8;
  if (value instanceof WrittenNumber) return most - WRITTEN;
  if (value instanceof Uint8Array) return -1;
  let left = most - 2;
  if (Array.isArray(value)) {
    for (const item of value) if ((left = roomLeft(item, left)) < 0) break;
    return left;
  }
  for (const name in value) {
    left = roomLeft((value as Record<string, unknown>)[name], left - name.length - 4);
    if (left < 0) break;
  }
  return left;
}

/** About how many characters a value takes, and too many for bytes. Adds to `heavy` what is not to be written at once. */
function weigh(value: unknown, heavy: Set<object>): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof WrittenNumber) return WRITTEN;
  let weight = 2;
  if (value instanceof Uint8Array) weight = TURN_BYTES + 1 + value.length;
  else if (Array.isArray(value)) for (const item of value) weight += weigh(item, heavy);
  else {
    for (const name of Object.keys(value)) weight += name.length + 4;
    for (const item of Object.values(value)) weight += weigh(item, heavy);
  }
  if (weight > TURN_BYTES) heavy.add(value);
  return weight;
}

function* partsOf(value: unknown, heavy: ReadonlySet<unknown>): Generator<string, void, undefined> {
  if (typeof value === "string" && value.length > TURN_BYTES) yield* partsOfText(value);
  else if (typeof value !== "object" || !heavy.has(value)) yield toJson(value) ?? "null";
  else if (value instanceof Uint8Array) yield* partsOfBytes(value);
  else if (Array.isArray(value)) {
    let before = "[";
    for (const item of value) {
      yield before;
      yield* partsOf(item, heavy);
      before = ",";
    }
    yield before === "[" ? "[]" : "]";
  } else if (value) {
    let before = "{";
    for (const [name, item] of Object.entries(value)) {
      if (item === undefined) continue;
      yield before;
      yield* partsOf(name, heavy);
      yield ":";
      yield* partsOf(item, heavy);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  }
}

/** The same as one text. V8 joins what is added to a text when somebody reads it: once, whatever else is added to it. */
export async function toJsonText(value: unknown): Promise<string> {
  const short = shortJson(value);
  if (short !== undefined) return short;
  let text = "";
  for await (const piece of piecesOfLong(value)) text += piece;
  return text;
}

function* partsOfText(text: string): Generator<string, void, undefined> {
  yield '"';
  // The two halves of a character are written together: each alone would be an escape.
  for (const piece of piecesOf(text)) yield JSON.stringify(piece).slice(1, -1);
  yield '"';
}

/** Three bytes are four characters, so the pieces are of whole threes. */
const BYTES_AT_ONCE = Math.floor(TURN_BYTES / 4) * 3;

function* partsOfBytes(bytes: Uint8Array): Generator<string, void, undefined> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  yield '"';
  for (let start = 0; start < buffer.length; start += BYTES_AT_ONCE)
    yield buffer.toString("base64", start, Math.min(start + BYTES_AT_ONCE, buffer.length));
  yield '"';
}
