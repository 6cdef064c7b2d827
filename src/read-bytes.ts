import { ByteBlocks } from "./byte-blocks.ts";

/**
 * Reads a stream to its end, text as UTF-8. Of one that has more than `most` bytes no more is read, and what `tooLong`
 * makes of the length so far is thrown. Throws what the stream throws.
 */
export async function readBytes(
  stream: AsyncIterable<string | Uint8Array>,
  limit?: { most: number; tooLong: (length: number) => Error },
): Promise<Buffer> {
  const read = new ByteBlocks();
  for await (const chunk of stream) {
    read.take(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    if (limit && read.length > limit.most) throw limit.tooLong(read.length);
  }
  const blocks = read.blocks();
  return blocks.length === 1 && blocks[0] ? blocks[0] : Buffer.concat(blocks);
}
