/** So many bytes are kept together. */
const BLOCK_BYTES = 256 * 1024;
/** Chunks may be of a byte each, and each takes a hundred times that to keep. */
const BLOCK_CHUNKS = 256;

/** Bytes as they come, kept in blocks: neither what comes in small chunks nor what comes in one takes much more than it has. */
export class ByteBlocks {
  readonly #blocks: Buffer[] = [];
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #length = 0;

  /** Of all that was taken, in bytes. */
  get length(): number {
    return this.#length;
  }

  take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#length += chunk.length;
    if (this.#bytes >= BLOCK_BYTES || this.#chunks.length >= BLOCK_CHUNKS) this.#close();
  }

  drop(): void {
    this.#blocks.length = 0;
    this.#chunks = [];
    this.#bytes = 0;
    this.#length = 0;
  }

  blocks(): readonly Buffer[] {
    this.#close();
    return this.#blocks;
  }

  #close(): void {
    const [first, ...others] = this.#chunks;
    if (first) {
      const isOne = others.length === 0;
      this.#blocks.push(
        isOne
          ? Buffer.from(first.buffer, first.byteOffset, first.length)
          : Buffer.concat(this.#chunks, this.#bytes),
      );
    }
    this.#chunks = [];
    this.#bytes = 0;
  }
}
