/**
 * Reads a stream to its end, text as UTF-8. Of one that has more than `most` bytes no more is read, and what `tooLong`
 * makes of the length so far is thrown. Throws what the stream throws.
 */
export async function readBytes(
  stream: AsyncIterable<string | Uint8Array>,
  limit?: { most: number; tooLong: (length: number) => Error },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    length += bytes.length;
    if (limit && length > limit.most) throw limit.tooLong(length);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
