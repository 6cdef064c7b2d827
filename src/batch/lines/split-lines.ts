import { LineCutter, type RawLine } from "../../disk/line-cutter.ts";

/** No request that a model takes is longer, in bytes: Bedrock's own bound of one is 25 MB. */
export const LONGEST_LINE = 32 * 1024 * 1024;

/** Whether a line has anything in it. */
export function isBlank({ bytes, isTooLong }: RawLine): boolean {
  // Of white space JSON knows these four.
  return !isTooLong && bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/**
 * The lines of bytes that come in chunks of any size. They end with LF or CRLF, the last one with the file, too. Of a line
 * that has more than `most` bytes only the beginning is held.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  most: number = LONGEST_LINE,
): AsyncGenerator<RawLine, void, undefined> {
  const cutter = new LineCutter(most);
  for await (const chunk of chunks) yield* cutter.cut(chunk);
  const last = cutter.rest();
  if (last) yield last;
}
