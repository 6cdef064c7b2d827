import { readFile } from "node:fs/promises";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

/** Reads the text of a file named by a flag, `-` for stdin. Throws `usage` when it cannot be read. */
export async function readInput(
  file: string,
  { stdin, currentFolder }: Runtime,
  flag: string,
): Promise<string> {
  if (file === "-") return (await buffer(stdin)).toString("utf8");
  try {
    return await readFile(path.resolve(currentFolder, file), "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot read the file of ${flag} ${file}: ${reason}.`, `ls -l ${quoteForShell(file)}`);
  }
}
