/** No request that a model takes is longer, in bytes: Bedrock's own bound of one is 25 MB. */
export const LONGEST_LINE = 32 * 1024 * 1024;

/** Of a line that is too long so much is kept, in bytes. */
const KEPT_OF_LONG = 1024;

/** A line of a file as its bytes are. */
export interface RawLine {
  /** From 1. */
  number: number;
  /** Where it begins in the file, in bytes. */
  offset: number;
  /** Of the line without its end, in bytes. */
  length: number;
  /**
   * Without the line's end and without a byte order mark; the beginning alone of a line that is too long. They hold until the
   * next line is asked for.
   */
  bytes: Buffer;
  isTooLong: boolean;
}

/** Whether a line has anything in it. */
export function isBlank({ bytes, isTooLong }: RawLine): boolean {
  // Of white space JSON knows these four.
  return !isTooLong && bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

const LINE_END = 0x0a;
const RETURN = 0x0d;
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * The lines of bytes that come in chunks of any size. They end with LF or CRLF, the last one with the file, too. Of a line
 * that has more than `most` bytes only the beginning is held.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  most: number = LONGEST_LINE,
): AsyncGenerator<RawLine, void, undefined> {
  let number = 0;
  let offset = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer): void => {
    const wasTooLong = length > most;
    length += part.length;
    if (length <= most) parts.push(part);
    else if (!wasTooLong)
      parts = [Buffer.from(Buffer.concat([...parts, part]).subarray(0, Math.min(KEPT_OF_LONG, most)))];
  };
  const end = (): RawLine => {
    const isTooLong = length > most;
    let bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
    if (!isTooLong && bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1);
    if (number === 0 && bytes.subarray(0, MARK.length).equals(MARK)) bytes = bytes.subarray(MARK.length);
    const line = { number: (number += 1), offset, length, bytes, isTooLong };
    offset += length + 1;
    [parts, length] = [[], 0];
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(LINE_END); at >= 0; at = chunk.indexOf(LINE_END, from)) {
      keep(chunk.subarray(from, at));
      yield end();
      from = at + 1;
    }
    // What the chunk lies in may hold the next one then.
    if (from < chunk.length) keep(Buffer.from(chunk.subarray(from)));
  }
  if (length > 0) yield end();
}
