import type { FileHandle } from "node:fs/promises";
import { errorCode } from "../../errors.ts";

/** What a system says where there is no room for more at the moment. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Waits until there may be room on a disk that is full. Rejects where nobody waits any longer. */
export type Patience = (code: string) => Promise<void>;

/**
 * Writes all of it at a place of a file, and where the disk is full, the rest of it when there is room. Rejects as
 * `patience` does, and with Node's own error for what is no matter of room.
 */
export async function writePatiently(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
  patience: Patience,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    try {
      const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
      written += bytesWritten;
    } catch (error) {
      const code = errorCode(error) ?? "";
      if (!FULL.has(code)) throw error;
      await patience(code);
    }
  }
}

/** Does work on a disk, such as making a file, again and again until there is room for it. Rejects as `writePatiently`. */
export async function patiently<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const code = errorCode(error) ?? "";
      if (!FULL.has(code)) throw error;
      await patience(code);
    }
  }
}
