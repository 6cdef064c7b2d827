import { readFileSync } from "node:fs";
import path from "node:path";
import { getAsset, isSea } from "node:sea";

/**
 * Whether the program is a single file with Node in it, and what else comes with it is inside, too:
 * https://nodejs.org/api/single-executable-applications.html
 */
export const isSingleFile = isSea();

/** A file that comes with the program, by its path in the package. Throws Node's error where it is not there. */
export function readPackageFile(place: string): Buffer {
  // src/ and dist/ lie in the package.
  return isSingleFile
    ? Buffer.from(getAsset(place))
    : readFileSync(path.join(import.meta.dirname, "..", place));
}

/**
 * A text that comes with the program, by its path in the package, such as `docs/chat.md`. Throws Node's error where it is
 * not there.
 */
export function readPackageText(place: string): string {
  return readPackageFile(place).toString();
}
