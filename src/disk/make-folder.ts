import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { errorCode } from "../errors.ts";

/**
 * Makes a folder, with all above it that is not there, for this user only; at once, as the end of a process needs it. Not
 * by Node's own `recursive`, which tries for ever where a folder that is there says that nothing can be in it (ENOENT, as
 * /proc and automounters do): it goes up and finds it, and down again. Throws Node's own error.
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (isThere(folder)) return;
    const parent = path.dirname(folder);
    if (errorCode(error) !== "ENOENT" || parent === folder || isThere(parent)) throw error;
    makeFolder(parent);
    makeFolder(folder);
  }
}

/** Whether there is a folder; a link that leads nowhere is none. */
function isThere(folder: string): boolean {
  try {
    return statSync(folder).isDirectory();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
