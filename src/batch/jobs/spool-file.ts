import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { ReadFailure, toReadFailure } from "../../disk/read-file.ts";
import { makePrivateFolder, type PrivateFolder, temporaryError } from "../../disk/private-folder.ts";
import { OpenclawError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";

/** Written at once, in bytes. */
const BLOCK_BYTES = 256 * 1024;

/**
 * A private temporary file that is written once and read at any place: what does not fit into memory. Where the system allows
 * it, it has no name, and is gone with the process. Throws `internal` for a disk that takes or gives no more.
 */
export class SpoolFile {
  readonly #handle: FileHandle;
  readonly #folder: PrivateFolder;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #written = 0;

  private constructor(handle: FileHandle, folder: PrivateFolder) {
    this.#handle = handle;
    this.#folder = folder;
  }

  static async create(runtime: Pick<Runtime, "env" | "onExit" | "platform">): Promise<SpoolFile> {
    const folder = await makePrivateFolder(runtime);
    try {
      const handle = await open(path.join(folder.path, "spool"), "wx+", 0o600);
      if (runtime.platform !== "win32") folder.remove();
      return new SpoolFile(handle, folder);
    } catch (error) {
      folder.close();
      throw temporaryError(folder.path, error);
    }
  }

  /** Appends bytes. Resolves to where they begin. */
  async append(bytes: Buffer): Promise<number> {
    const offset = this.#written + this.#heldBytes;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= BLOCK_BYTES) await this.#flush();
    return offset;
  }

  /** So many bytes from a place on. */
  async read(offset: number, length: number): Promise<Buffer> {
    await this.#flush();
    const buffer = Buffer.allocUnsafe(length);
    for (let at = 0; at < length;) {
      const { bytesRead } = await this.#handle
        .read(buffer, at, length - at, offset + at)
        .catch((error: unknown) => {
          throw readError(path.dirname(this.#folder.path), error);
        });
      if (bytesRead === 0) return buffer.subarray(0, at);
      at += bytesRead;
    }
    return buffer;
  }

  async close(): Promise<void> {
    await this.#handle.close();
    this.#folder.close();
  }

  async #flush(): Promise<void> {
    if (this.#heldBytes === 0) return;
    const block = Buffer.concat(this.#held);
    [this.#held, this.#heldBytes] = [[], 0];
    try {
      for (let at = 0; at < block.length;)
        at += (await this.#handle.write(block, at, block.length - at, this.#written + at)).bytesWritten;
    } catch (error) {
      throw temporaryError(this.#folder.path, error);
    }
    this.#written += block.length;
  }
}

/** Node's error of reading what was written as one that says where it was. Others stay as they are. */
function readError(parent: string, error: unknown): unknown {
  const failure = toReadFailure(error);
  if (!(failure instanceof ReadFailure)) return error;
  return new OpenclawError("internal", {
    message: `A temporary file in ${parent} cannot be read back: ${failure.message}.`,
    hint: "Name a folder on another disk for temporary files: export TMPDIR=FOLDER",
    cause: error,
  });
}
