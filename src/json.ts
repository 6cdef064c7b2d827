import { WrittenNumber } from "./json-numbers.ts";

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is an object that is no list, as JSON has them: none is a number that stays as it was written. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof WrittenNumber)
  );
}

/** The number that a value is, also where it stays as it was written; undefined for anything else. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" || value instanceof WrittenNumber ? Number(value) : undefined;
}

/** Whether objects and lists stand in each other more than so many levels deep. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeperThan(item, levels - 1));
}

/** An object whose keys may lack where their values may be undefined. */
type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without the keys whose values are undefined, for those who take a missing key and no undefined. */
export function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** The text under a name of a JSON object; undefined where there is none. */
export function textAt(value: unknown, name: string): string | undefined {
  const text = isRecord(value) ? value[name] : undefined;
  return typeof text === "string" ? text : undefined;
}

/** The count under a name of a JSON object: a whole number from 0 up; undefined where there is none. */
export function countAt(holder: JsonObject, name: string): number | undefined {
  const value = numberOf(holder[name]);
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The object under a name of a JSON object; an empty one where there is none. */
export function recordAt(holder: JsonObject, name: string): JsonObject {
  const value = holder[name];
  return isRecord(value) ? value : {};
}

/** The objects in the list under a name of a JSON object; none where there is no list. */
export function recordsAt(holder: JsonObject, name: string): JsonObject[] {
  const value = holder[name];
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}

/**
 * A value in which U+FFFD stands for each half of a surrogate pair that is alone, in texts and in names; the value itself
 * where there is none. JSON can say such a half, and hardly anything that reads UTF-8 takes it. Bytes stay as they are.
 */
export function wellFormed<T>(value: T): T {
  return isWellFormed(value) ? value : (mended(value) as T);
}

/** Whether no half of a character is alone in a value: nearly all are so, and nothing is made of them to look. */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  // Of an object of very many names it is slow to ask for each value by its name.
  return Object.keys(value).every((name) => name.isWellFormed()) && Object.values(value).every(isWellFormed);
}

/** A value with something in the place of bytes, which JSON has none of: what is made of their base64. */
export function withBase64As(make: (base64: string) => unknown, value: unknown): unknown {
  if (value instanceof Uint8Array) return make(Buffer.from(value).toString("base64"));
  if (Array.isArray(value)) return value.map((item) => withBase64As(make, item));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withBase64As(make, item)]));
}

function mended(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map((item: unknown) => wellFormed(item));
  if (!isRecord(value) || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name.toWellFormed(), wellFormed(item)] as const),
  );
}

/** Of a longer text, which no model reads, the rest is taken to be like its beginning, in characters. */
const MOST_COUNTED = 8_000_000;

function textBytes(text: string): number {
  const { length } = text;
  if (length <= MOST_COUNTED) return Buffer.byteLength(text);
  return Math.ceil((Buffer.byteLength(text.slice(0, MOST_COUNTED)) / MOST_COUNTED) * length);
}

/**
 * How many bytes a value takes as JSON in UTF-8, but for escapes: the text is not built, which of a body of 31 MB keeps all
 * others waiting. Bytes count as in base64.
 */
export function jsonBytes(value: unknown): number {
  return jsonSize(value, textBytes);
}

/** The same in characters. */
export function jsonLength(value: unknown): number {
  return jsonSize(value, ({ length }) => length);
}

function jsonSize(value: unknown, sizeOf: (text: string) => number): number {
  if (typeof value === "string") return sizeOf(value) + 2;
  if (value instanceof Uint8Array) return Math.ceil((value.length * 4) / 3) + 2;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + jsonSize(item, sizeOf) + 1, 2);
  if (!isRecord(value)) return value === undefined ? 0 : String(value).length;
  let sum = 2;
  for (const [name, item] of Object.entries(value))
    if (item !== undefined) sum += sizeOf(name) + 4 + jsonSize(item, sizeOf);
  return sum;
}
