import { readFile } from "node:fs/promises";
import path from "node:path";
import { usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";

/** Reads the text of a file named by a flag, `-` for stdin. Throws `usage` when it cannot be read. */
export async function readInput(file: string, runtime: Runtime, flag: string): Promise<string> {
  if (file === "-") return readStdin(runtime);
  try {
    return await readFile(path.resolve(runtime.currentFolder, file), "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`Cannot read the file of ${flag} ${file}: ${reason}.`, `ls -l ${file}`);
  }
}

/** Reads stdin to its end. */
async function readStdin(runtime: Runtime): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of runtime.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
