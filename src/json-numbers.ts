/*
 * Numbers of JSON that JavaScript would write in another way than they came: ids of 64 bits, 1.0, -0, 1e400, long decimals.
 * What is read exactly has a `WrittenNumber` in their places, and `toJson` gives them back to the digit. On the way they are
 * texts behind a mark that nobody outside can know: Node 20 has neither `JSON.rawJSON` nor a reviver that is told the source.
 */

/** A number as it was written. To JSON.stringify and to arithmetic it is the nearest number that JavaScript has. */
export class WrittenNumber extends Number {
  readonly #text: string;

  constructor(text: string) {
    super(text);
    this.#text = text;
  }

  override toString(): string {
    return this.#text;
  }

  toJSON(): unknown {
    if (!isWriting) return Number(this);
    hasMarked = true;
    return mark() + this.#text;
  }
}

let known: string | undefined;

function mark(): string {
  return (known ??= crypto.randomUUID());
}

/** What is written at this moment is `toJson`'s; and whether it has marks. */
let isWriting = false;
let hasMarked = false;

/** RFC 8259, section 6. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What JavaScript writes of a number at most, in characters: a sign, `0.00000` and 17 digits. */
const LONGEST_WRITTEN = 25;

/** Whether a number of JSON is another, or looks otherwise, when JavaScript has read and written it. */
export function isRewritten(literal: string): boolean {
  return NUMBER.test(literal) && (literal.length > LONGEST_WRITTEN || String(Number(literal)) !== literal);
}

/** What a text has, or something like it, that holds such a number. */
const SUSPECT = /\d(?:[.eE]|\d{15})|-0/;
/** Where a text of JSON begins, and what may be numbers between texts. */
const TOKENS = /"|-?\d[\d.eE+-]*/g;
/** What is behind the name of a field, which no number is. */
const COLON = /\s*:/y;

/** So many characters are gone over at once. */
const PIECE = 256 * 1024;

/** JSON with marked texts in place of the numbers that JavaScript would change, in pieces that take a moment each. */
export function* markedPieces(text: string): Generator<string, void, undefined> {
  const tokens = new RegExp(TOKENS);
  let from = 0;
  for (let found = tokens.exec(text); found; found = tokens.exec(text)) {
    const { 0: token, index } = found;
    const isText = token === '"';
    const end = isText ? endOfText(text, tokens.lastIndex) : tokens.lastIndex;
    tokens.lastIndex = COLON.lastIndex = end;
    if (!isText && isRewritten(token) && !COLON.test(text)) {
      yield `${text.slice(from, index)}"${mark()}${token}"`;
      from = end;
    } else if (end - from > PIECE) {
      yield text.slice(from, end);
      from = end;
    }
  }
  yield text.slice(from);
}

/** Behind the quote that ends a text; the end of all where none does. An expression for all of it has its stack overflow. */
function endOfText(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slash = quote;
    while (text[slash - 1] === "\\") slash -= 1;
    if ((quote - slash) % 2 === 0) return quote + 1;
  }
  return text.length;
}

/** The number that a text stands for; undefined for any other text. */
export function markedNumber(text: string): WrittenNumber | undefined {
  return known !== undefined && text.startsWith(known)
    ? new WrittenNumber(text.slice(known.length))
    : undefined;
}

/** The value with its texts replaced in it by what is found for them. */
export function replaceTexts(value: unknown, find: (text: string) => unknown): unknown {
  const root: [unknown] = [value];
  const steps = replacing(root, find);
  while (steps.next().done !== true);
  return root[0];
}

/** So many texts are replaced at once. */
const TEXTS_AT_ONCE = 1000;

/** Replaces the texts in what is in a list, in steps that take a moment each. */
export function* replacing(
  root: [unknown],
  find: (text: string) => unknown,
): Generator<undefined, void, undefined> {
  const holders: unknown[] = [root];
  let seen = 0;
  for (let holder = holders.pop(); holder !== undefined; holder = holders.pop()) {
    const at = holder as Record<string | number, unknown>;
    for (const key of Array.isArray(holder) ? holder.keys() : Object.keys(at)) {
      const item = at[key];
      if (typeof item === "string") {
        const found = find(item);
        if (found !== undefined && found !== null) at[key] = found;
        if (++seen % TEXTS_AT_ONCE === 0) yield;
      } else if (typeof item === "object" && item !== null && !(item instanceof Uint8Array))
        holders.push(item);
    }
  }
}

type Replacer = (key: string, value: unknown) => unknown;

/** JSON.parse, with each number as it was written. Throws SyntaxError. */
export function parseExactly(text: string, reviver?: Replacer): unknown {
  const pieces = SUSPECT.test(text) ? [...markedPieces(text)] : [];
  if (pieces.length <= 1) return JSON.parse(text, reviver);
  let value: unknown;
  try {
    value = JSON.parse(pieces.join(""), reviver);
  } catch (error) {
    // What is wrong is told of the text as it came.
    if (error instanceof SyntaxError) return JSON.parse(text, reviver);
    throw error;
  }
  return replaceTexts(value, markedNumber);
}

/** A text of JSON in which marked texts stand for the numbers that JavaScript would change, for what reads JSON by itself. */
export function markNumbers(text: string): string {
  return SUSPECT.test(text) ? [...markedPieces(text)].join("") : text;
}

/** The value with numbers of JavaScript's in place of written ones, but for what is under one of the names. */
export function withPlainNumbers(value: unknown, kept: ReadonlySet<string>): unknown {
  if (value instanceof WrittenNumber) return Number(value);
  if (typeof value !== "object" || value === null) return value;
  const holder = value as Record<string, unknown>;
  for (const [name, item] of Object.entries(holder)) {
    if (typeof item === "object" && !kept.has(name)) holder[name] = withPlainNumbers(item, kept);
  }
  return value;
}

/** JSON.stringify, with each number as it was written. */
export function toJson(value: unknown, replacer?: Replacer, indent?: number): string {
  const json = marking(value, replacer, indent);
  return hasMarked ? unmarked(json) : json;
}

/** A copy in which written numbers are marked texts, for what writes JSON by itself: `unmarked` gives them back in that. */
export function markedCopy<T>(value: T): T {
  const json = marking(value);
  return hasMarked ? (JSON.parse(json) as T) : value;
}

/** JSON with the numbers in it that marked texts stand for. */
export function unmarked(json: string): string {
  return known === undefined ? json : json.replaceAll(new RegExp(`"${known}([^"]*)"`, "g"), "$1");
}

function marking(value: unknown, replacer?: Replacer, indent?: number): string {
  const replace: Replacer | undefined =
    replacer && ((key, item) => (isMarked(item) ? item : replacer(key, item)));
  [isWriting, hasMarked] = [true, false];
  try {
    return JSON.stringify(value, replace, indent);
  } finally {
    isWriting = false;
  }
}

function isMarked(value: unknown): boolean {
  return typeof value === "string" && known !== undefined && value.startsWith(known);
}
