import type { FileHandle } from "node:fs/promises";
import { errorCode } from "../../errors.ts";

/** What a system says where there is no room for more at the moment. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** What is done about a disk that is full. */
export interface Patience {
  /** Waits until there may be room. Rejects where nobody waits any longer. */
  wait: (code: string) => Promise<void>;
  /** There was room in the end. */
  over: () => void;
}

/**
 * Does work on a disk again and again until there is room for it. Rejects as `patience` does, and with Node's own error for
 * what is no matter of room.
 */
export async function patiently<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      const done = await work();
      if (waits > 0) patience.over();
      return done;
    } catch (error) {
      const code = errorCode(error) ?? "";
      if (!FULL.has(code)) throw error;
      await patience.wait(code);
    }
  }
}

/** Writes all of it at a place of a file, and where the disk is full, the rest of it when there is room. Rejects as `patiently`. */
export async function writePatiently(
  handle: FileHandle,
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
