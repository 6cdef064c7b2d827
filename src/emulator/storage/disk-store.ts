import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../../errors.ts";
import { StorageError } from "./storage-error.ts";

/** All that is kept at once may have so many bytes: a job's 5 GB of input, and its output. */
const MOST_STORED_BYTES = 16 * 1024 ** 3;
/** A file is read in pieces of so many bytes. */
const PIECE_BYTES = 256 * 1024;

/** Bytes on disk that do not change. */
export interface Blob {
  readonly path: string;
  readonly bytes: number;
}

export interface BlobDraft {
  /** Throws `StorageError` where there is no room for it. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes it as it is. */
  finish(): Promise<Blob>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

/** A folder of the emulator's own, made when the first bytes come, for nobody else to read. */
export class DiskStore {
  #folder: Promise<string> | undefined;
  #bytes = 0;
  #count = 0;
  /** How many read a file, and which are to be removed when nobody does any more. */
  readonly #readers = new Map<string, number>();
  readonly #removed = new Set<string>();

  async start(): Promise<BlobDraft> {
    this.#folder ??= mkdtemp(join(tmpdir(), "openclaw-emulator-"));
    // Taken before anything is waited for: others begin meanwhile.
    const name = String((this.#count += 1));
    const path = join(await this.#folder, name);
    const file = await open(path, "wx", 0o600);
    let bytes = 0;
    return {
      write: async (piece) => {
        if (this.#bytes + piece.length > MOST_STORED_BYTES)
          throw noRoom("The emulator keeps 16 GiB at most.");
        await writeWhole(file, piece);
        bytes += piece.length;
        this.#bytes += piece.length;
      },
      finish: async () => {
        await file.close();
        return { path, bytes };
      },
      discard: async () => {
        await file.close();
        await this.remove([{ path, bytes }]);
      },
    };
  }

  /**
   * The bytes of blobs one after the other, from `start` up to and without `end`. They stay to be read to their end, also
   * where they are removed meanwhile.
   */
  read(blobs: readonly Blob[], start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    for (const { path } of blobs) this.#readers.set(path, (this.#readers.get(path) ?? 0) + 1);
    return this.#readHeld(blobs, start, end);
  }

  async *#readHeld(
    blobs: readonly Blob[],
    start: number,
    end: number,
  ): AsyncGenerator<Buffer, void, undefined> {
    try {
      let offset = 0;
      for (const { path, bytes } of blobs) {
        const [from, to] = [Math.max(start - offset, 0), Math.min(end - offset, bytes)];
        if (from < to) yield* readPieces(path, from, to);
        offset += bytes;
      }
    } finally {
      for (const { path } of blobs) await this.#release(path);
    }
  }

  async #release(path: string): Promise<void> {
    const left = (this.#readers.get(path) ?? 1) - 1;
    if (left > 0) return void this.#readers.set(path, left);
    this.#readers.delete(path);
    if (this.#removed.delete(path)) await rm(path, { force: true });
  }

  async remove(blobs: readonly Blob[]): Promise<void> {
    for (const { path, bytes } of blobs) {
      this.#bytes -= bytes;
      if (this.#readers.has(path)) this.#removed.add(path);
      else await rm(path, { force: true });
    }
  }

  /** Removes everything. */
  async close(): Promise<void> {
    const folder = await this.#folder;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function writeWhole(file: FileHandle, piece: Uint8Array): Promise<void> {
  try {
    await file.writeFile(piece);
  } catch (error) {
    if (errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT")
      throw noRoom("The disk of the emulator is full.");
    throw error;
  }
}

async function* readPieces(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  const file = await open(path, "r");
  try {
    for (let at = start; at < end;) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw new Error(`${path} is shorter than ${end} bytes.`);
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Amazon S3 has room for everything: the words are the emulator's own. */
function noRoom(message: string): StorageError {
  return new StorageError("EntityTooLarge", message);
}
