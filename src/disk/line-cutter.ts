/** Of a line that is too long so much is kept, in bytes. */
const KEPT_OF_LONG = 1024;

/** A line as its bytes are. */
export interface RawLine {
  /** From 1. */
  number: number;
  /** Where it begins, in bytes. */
  offset: number;
  /** Of the line without its end, in bytes. */
  length: number;
  /**
   * Without the line's end and without a byte order mark; the beginning alone of a line that is too long. They hold as long as
   * the chunk does that the line ends in.
   */
  bytes: Buffer;
  isTooLong: boolean;
}

const LINE_END = 0x0a;
const RETURN = 0x0d;
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Cuts bytes that come in chunks of any size into lines, which end with LF or CRLF. Of a line that has more than `most` bytes
 * only the beginning is held.
 */
export class LineCutter {
  readonly #most: number;
  #number = 0;
  #offset = 0;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether the line whose end has not come is too long. */
  get isTooLong(): boolean {
    return this.#length > this.#most;
  }

  /** The lines that end in a chunk, each made when it is asked for. All of them are to be asked for. */
  *cut(chunk: Buffer): Generator<RawLine, void, undefined> {
    let from = 0;
    for (let at = chunk.indexOf(LINE_END); at >= 0; at = chunk.indexOf(LINE_END, from)) {
      this.#keep(chunk.subarray(from, at));
      yield this.#end();
      from = at + 1;
    }
    // What the chunk lies in may hold the next one then.
    if (from < chunk.length) this.#keep(Buffer.from(chunk.subarray(from)));
  }

  /** The line that no end came of; undefined where there is none. */
  rest(): RawLine | undefined {
    return this.#length > 0 ? this.#end() : undefined;
  }

  #keep(part: Buffer): void {
    const wasTooLong = this.isTooLong;
    this.#length += part.length;
    if (!this.isTooLong) this.#parts.push(part);
    else if (!wasTooLong) {
      const beginning = Buffer.concat([...this.#parts, part], Math.min(KEPT_OF_LONG, this.#most));
      this.#parts = [beginning];
    }
  }

  #end(): RawLine {
    const { isTooLong } = this;
    const length = this.#length;
    const [first] = this.#parts;
    let bytes = first && this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    if (!isTooLong && bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1);
    if (this.#number === 0 && bytes.subarray(0, MARK.length).equals(MARK))
      bytes = bytes.subarray(MARK.length);
    const line = { number: (this.#number += 1), offset: this.#offset, length, bytes, isTooLong };
    this.#offset += length + 1;
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}
