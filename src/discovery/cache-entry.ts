import path from "node:path";
import { sha256Hex } from "../aws/digest.ts";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { isRecord, type JsonObject } from "../json.ts";

/** What is kept in the cache, by the beginning of its files' names: lists, printed lists, what refusals taught. */
export type EntryKind = "models" | "ready" | "lessons";

/** Where all of it is kept. */
export function cacheFolder(stateFolder: string): string {
  return path.join(stateFolder, "cache");
}

/** The file of what is kept under a key, of which it tells nothing. */
export function entryFile(stateFolder: string, key: readonly unknown[], kind: EntryKind = "models"): string {
  const digest = sha256Hex(JSON.stringify(key));
  return path.join(cacheFolder(stateFolder), `${kind}-${digest.slice(0, 32)}.json`);
}

/** Reads an entry of a form. Missing, torn, unreadable and of another form come to the same: undefined, and to be asked for. */
export async function readEntry(
  file: string,
  form: number | string | undefined,
): Promise<JsonObject | undefined> {
  try {
    const entry: unknown = JSON.parse((await readRegularFile(file)).bytes.toString("utf8"));
    return isRecord(entry) && entry["form"] === form ? entry : undefined;
  } catch (error) {
    if (error instanceof ReadFailure || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
