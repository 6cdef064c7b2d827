import { isRewritten, parseExactly } from "./json-numbers.ts";

/** The deepest nesting that is taken, in arrays and objects. What goes through it calls itself once a level. */
export const MOST_DEPTH = 256;
/** The most values that one document may hold: about what the longest conversation needs, two or three times over. */
export const MOST_VALUES = 45_000;
/**
 * The most escapes (`\\n`, `\\u0416`) that the texts of a body may hold: what `JSON.parse` undoes in one go, at 3 to 7 ns
 * each. A text of a million tokens, the longest that a model takes, has fewer, also where it is Russian and each letter of it
 * is escaped, or JSON in a text, of which every fifth character is.
 */
export const MOST_ESCAPES = 3_000_000;
/**
 * The most that the arguments of all tool calls of a request may have, in bytes: JSON in texts, which is parsed in one go. A
 * model writes less than 1 MB in one answer, and reads less than 8 MB.
 */
export const MOST_ARGUMENTS = 16_000_000;
/** The most that the names of fields may have that are longer than `LONG_TEXT`, all together, in bytes. */
export const MOST_NAMES = 4_000_000;
/** The most fields of one object: whatever looks at all of 40,000 takes 25 ms, each time. */
export const MOST_FIELDS_OF_ONE = 10_000;
/** From here on a text is worth reading by itself, in bytes: as many shorter ones as a document may hold are a few MB. */
export const LONG_TEXT = 256;
/**
 * The longest text in which a character is no Latin-1, in characters: V8 keeps it in two bytes for each, and to join its
 * pieces takes 60 ms for each 30 million. A million tokens are 5 million of them.
 */
export const LONGEST_WIDE_TEXT = 16_000_000;
/** The longest number or word outside of texts, in characters. */
const LONGEST_TOKEN = 1000;
/** The rows of a list are the values in an array on this level: `{"data": [row, row]}`. */
const ROW_DEPTH = 3;
/** What is longer than this is no row, in bytes: a row is parsed in one go. */
const LONGEST_ROW = 16 * 1024;

/** JSON that is refused for its size or shape before anything is built from it. For most who read, it is no JSON. */
export class JsonBoundsError extends SyntaxError {}

/**
 * Goes over the bytes of JSON as they come, builds nothing, and knows how many values there are and how deep they lie. What
 * is no JSON is left to the parser. One that has seen a document goes on counting with the next.
 */
export class JsonScan {
  readonly #mostBytes: number;
  readonly #mostInRows: number;
  #bytes = 0;
  #values = 0;
  #depth = 0;
  /** On each level, how many fields the object there has; of a list none are counted. */
  readonly #fields: number[] = [];
  #token = 0;
  /** What of it came before these bytes. */
  #tokenSoFar = "";
  #changesNumbers = false;
  #isInText = false;
  /** Whether the last byte so far is a backslash that escapes the next. */
  #isEscaping = false;
  /** Where the text at hand began, behind its quote. */
  #start = 0;
  #names = 0;
  readonly #longTexts: number[] = [];
  /** Whether what is open on the level above the rows is an array. */
  #isInList = false;
  /** Where the row at hand began, and what had come before it. */
  #row = { start: 0, values: 0, borders: 0 };
  #inRows = 0;
  readonly #rows = new Set<number>();

  /**
   * `mostBytes` is for all documents together. With `mostInRows` the rows of lists, each of which is parsed by itself, may
   * have so many values beside the others.
   */
  constructor(mostBytes = Infinity, mostInRows = 0) {
    this.#mostBytes = mostBytes;
    this.#mostInRows = mostInRows;
  }

  /** Arrays, objects and what follows commas, so far. */
  get values(): number {
    return this.#values;
  }

  /** Whether the document so far may hold a number that JavaScript would write in another way. */
  get changesNumbers(): boolean {
    return this.#changesNumbers || this.#token > 0;
  }

  /**
   * Where the texts longer than `LONG_TEXT` begin and end between their quotes, one after the other, in bytes of all that
   * was taken. Names of fields are not among them. The rows of lists are, in place of the texts in them.
   */
  get longTexts(): readonly number[] {
    return this.#longTexts;
  }

  /** Which of these are rows, by where they begin. */
  get rows(): ReadonlySet<number> {
    return this.#rows;
  }

  /** Takes the next bytes. Throws JsonBoundsError. */
  take(bytes: Buffer): void {
    const before = this.#bytes;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#mostBytes) throw new JsonBoundsError(`it has more than ${this.#mostBytes} bytes`);
    for (let place = 0; place < bytes.length;) {
      if (this.#isInText) {
        place = this.#skipText(bytes, place);
        if (!this.#isInText) this.#endText(before + place - 1);
      } else {
        const length = this.#token;
        this.#takeByte(bytes[place] ?? 0, before + place);
        place += 1;
        if (this.#isInText) this.#start = before + place;
        if (length > this.#token) this.#endToken(bytes, place - 1, length);
      }
    }
    const here = this.#token - this.#tokenSoFar.length;
    if (here > 0) this.#tokenSoFar += bytes.toString("latin1", bytes.length - here);
  }

  /** A number or word of a length has ended. */
  #endToken(bytes: Buffer, end: number, length: number): void {
    const start = end - length + this.#tokenSoFar.length;
    // A digit is the same to everybody.
    if (length > 1)
      this.#changesNumbers ||= isRewritten(this.#tokenSoFar + bytes.toString("latin1", start, end));
    this.#tokenSoFar = "";
  }

  /** The document is whole; another may follow. */
  end(): void {
    this.#depth = 0;
    this.#token = 0;
    this.#tokenSoFar = "";
    this.#changesNumbers = false;
    this.#isInText = false;
    this.#isEscaping = false;
    this.#longTexts.length = 0;
    this.#rows.clear();
  }

  #takeByte(byte: number, place: number): void {
    switch (byte) {
      case 0x22: // "
        this.#isInText = true;
        this.#token = 0;
        return;
      case 0x5b: // [
      case 0x7b: // {
        this.#depth += 1;
        if (this.#depth > MOST_DEPTH)
          throw new JsonBoundsError(`it is nested more than ${MOST_DEPTH} levels deep`);
        if (this.#mostInRows > 0) this.#openRow(byte, place);
        this.#fields[this.#depth] = byte === 0x7b ? 1 : Number.NEGATIVE_INFINITY;
        this.#count();
        return;
      case 0x5d: // ]
      case 0x7d: // }
        if (this.#mostInRows > 0) this.#closeRow(place + 1);
        this.#depth = Math.max(this.#depth - 1, 0);
        this.#token = 0;
        return;
      case 0x2c: // ,
        this.#count();
        this.#countField();
        return;
      case 0x3a: // :
        this.#token = 0;
        this.#takeName();
        return;
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        this.#token = 0;
        return;
      default:
        this.#token += 1;
        if (this.#token > LONGEST_TOKEN)
          throw new JsonBoundsError(`it has a number or word of more than ${LONGEST_TOKEN} characters`);
    }
  }

  #openRow(byte: number, start: number): void {
    if (this.#depth === ROW_DEPTH - 1) this.#isInList = byte === 0x5b;
    else if (this.#depth === ROW_DEPTH)
      this.#row = { start, values: this.#values, borders: this.#longTexts.length };
  }

  #closeRow(end: number): void {
    const { start, values, borders } = this.#row;
    if (this.#depth !== ROW_DEPTH || !this.#isInList || end - start > LONGEST_ROW) return;
    this.#inRows += this.#values - values;
    if (this.#inRows > this.#mostInRows)
      throw new JsonBoundsError(`its lists have more than ${this.#mostInRows} values`);
    this.#values = values;
    this.#longTexts.length = borders;
    this.#longTexts.push(start, end);
    this.#rows.add(start);
  }

  #endText(end: number): void {
    if (end - this.#start > LONG_TEXT) this.#longTexts.push(this.#start, end);
  }

  /** The text before a colon was a name. */
  #takeName(): void {
    if (this.#longTexts.at(-2) !== this.#start) return;
    const end = this.#longTexts.pop() ?? 0;
    this.#names += end - (this.#longTexts.pop() ?? 0);
    if (this.#names > MOST_NAMES)
      throw new JsonBoundsError(`the long names of its fields have more than ${MOST_NAMES} bytes`);
  }

  #countField(): void {
    const fields = (this.#fields[this.#depth] ?? 0) + 1;
    this.#fields[this.#depth] = fields;
    if (fields > MOST_FIELDS_OF_ONE)
      throw new JsonBoundsError(`an object in it has more than ${MOST_FIELDS_OF_ONE} fields`);
  }

  #count(): void {
    this.#token = 0;
    this.#values += 1;
    if (this.#values > MOST_VALUES) throw new JsonBoundsError(`it has more than ${MOST_VALUES} values`);
  }

  /** Goes to the end of a text, or of the bytes: from quote to quote, each judged by the backslashes before it. */
  #skipText(bytes: Buffer, start: number): number {
    let from = this.#isEscaping ? start + 1 : start;
    this.#isEscaping = false;
    for (;;) {
      const quote = bytes.indexOf(0x22, from);
      const end = quote < 0 ? bytes.length : quote;
      let backslash = end;
      while (backslash > from && bytes[backslash - 1] === 0x5c) backslash -= 1;
      const isEscaping = (end - backslash) % 2 === 1;
      if (quote < 0) {
        this.#isEscaping = isEscaping;
        return bytes.length;
      }
      from = quote + 1;
      if (isEscaping) continue;
      this.#isInText = false;
      return from;
    }
  }
}

/** Counts the escapes in the bytes of a body as they come. */
export class EscapeCount {
  #count = 0;

  /** Takes the next bytes. Throws JsonBoundsError. */
  take(bytes: Buffer): void {
    for (let at = bytes.indexOf(0x5c); at >= 0; at = bytes.indexOf(0x5c, at + 2)) this.#count += 1;
    if (this.#count > MOST_ESCAPES) throw new JsonBoundsError(`it has more than ${MOST_ESCAPES} escapes`);
  }
}

/** Parses JSON within bounds. Throws SyntaxError, JsonBoundsError among them. */
export function parseBoundedJson(text: string): unknown {
  scanned(text);
  return JSON.parse(text);
}

/** The same, with each number as it was written. */
export function parseBoundedExactly(text: string): unknown {
  return scanned(text)?.changesNumbers === false ? JSON.parse(text) : parseExactly(text);
}

/** The scan of a text; undefined where so little cannot be out of bounds by itself. Throws JsonBoundsError. */
function scanned(text: string): JsonScan | undefined {
  if (text.length <= MOST_DEPTH) return undefined;
  const scan = new JsonScan();
  scan.take(Buffer.from(text));
  return scan;
}

/** The value that a text is in JSON; undefined where it is none, or none within bounds. */
export function parseIfJson(text: string): unknown {
  return ifJson(() => parseBoundedJson(text));
}

/** The same, with each number as it was written. */
export function parseExactlyIfJson(text: string): unknown {
  return ifJson(() => parseBoundedExactly(text));
}

/**
 * The longest input of a call in an answer that is read, in characters: it is parsed in one go, and the longest answer of a
 * model has half a million.
 */
export const LONGEST_CALL = 2_000_000;

/** The input that a model calls a tool with, each number as it was written; undefined for what is none within bounds. */
export function parseCall(text: string): unknown {
  return text.length > LONGEST_CALL ? undefined : parseExactlyIfJson(text);
}

/** What is parsed; undefined where that is no JSON. */
export function ifJson<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
