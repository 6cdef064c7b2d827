import type { FileHandle } from "node:fs/promises";
import { DISK_REASONS } from "../../disk/disk-reasons.ts";
import { errorCode, OpenclawError } from "../../errors.ts";

/** What a system says where there is no room for more at the moment, and what that is for a person. */
export const FULL: Readonly<Record<string, string>> = {
  ENOSPC: DISK_REASONS.ENOSPC,
  EDQUOT: DISK_REASONS.EDQUOT,
};

/** What no waiting helps against, in the words of a person, and what to do before the run goes on. */
const BROKEN: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  EFBIG: [DISK_REASONS.EFBIG, "ulimit -f unlimited"],
  EROFS: [DISK_REASONS.EROFS, "Make it writable again, and go on with --resume."],
  EIO: [DISK_REASONS.EIO, "dmesg | tail"],
};

/** What is done about a disk that is full. */
export interface Patience {
  /** Waits until there may be room. Rejects where nobody waits any longer. */
  wait: (code: string) => Promise<void>;
  /** There was room in the end. */
  over: () => void;
}

/**
 * Does work on a disk again and again until there is room for it. Rejects as `patience` does, with `internal` for a disk that
 * takes nothing more, and with Node's own error for the rest.
 */
export async function patiently<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      const done = await work();
      if (waits > 0) patience.over();
      return done;
    } catch (error) {
      const code = errorCode(error) ?? "";
      if (!(code in FULL)) throw broken(code, error);
      await patience.wait(code);
    }
  }
}

function broken(code: string, cause: unknown): unknown {
  const [reason, hint] = BROKEN[code] ?? [];
  if (reason === undefined) return cause;
  const message = `The results cannot be written: ${reason}. Those until then are kept.`;
  return new OpenclawError("internal", { message, hint, details: { reason: code } });
}

/** Writes all of it at a place of a file, and where the disk is full, the rest of it when there is room. Rejects as `patiently`. */
export async function writePatiently(
  handle: Pick<FileHandle, "write">,
  bytes: Uint8Array,
  position: number,
  patience: Patience,
): Promise<void> {
  let written = 0;
  const write = async (): Promise<void> => {
    while (written < bytes.length) {
      const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
      written += bytesWritten;
    }
  };
  await patiently(write, patience);
}

/** So much is written at once, in bytes. */
const PIECE = 1024 * 1024;

/** Writes a file from its beginning, many small pieces at once. Rejects as `patiently`. */
export class PatientWriter {
  readonly #handle: Pick<FileHandle, "write">;
  readonly #patience: Patience;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #written = 0;

  constructor(handle: Pick<FileHandle, "write">, patience: Patience) {
    this.#handle = handle;
    this.#patience = patience;
  }

  /** Of all that was added, in bytes. */
  get size(): number {
    return this.#written + this.#heldBytes;
  }

  async add(...pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) this.#heldBytes += piece.length;
    this.#held.push(...pieces);
    if (this.#heldBytes >= PIECE) await this.flush();
  }

  /** Resolves when all that was added is written. */
  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#held, this.#heldBytes);
    [this.#held, this.#heldBytes] = [[], 0];
    await writePatiently(this.#handle, bytes, this.#written, this.#patience);
    this.#written += bytes.length;
  }
}
