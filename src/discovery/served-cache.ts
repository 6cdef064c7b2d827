import { readFileSync } from "node:fs";
import path from "node:path";
import { sha256Hex } from "../aws/digest.ts";
import type { OpenaiServer } from "../wires/chat-completions/server.ts";

/** Raised when the form of an entry changes; entries of another form are ignored. */
const FORM = "served-1";

/** A server's list of models, as it was kept. */
export interface ServedList {
  /** Milliseconds since 1970. */
  fetchedAt: number;
  /** In the server's own order. */
  ids: string[];
}

/** The file of a server's list: by its name and address, and a digest of what is sent to it, which may decide what it lists. */
export function servedFile(stateFolder: string, { name, url, headers }: OpenaiServer): string {
  const sent = Object.entries(headers).sort(([left], [right]) => (left < right ? -1 : 1));
  const digest = sha256Hex(JSON.stringify([FORM, name, url.href, sha256Hex(JSON.stringify(sent))]));
  return path.join(stateFolder, "cache", `models-${digest.slice(0, 32)}.json`);
}

/** Reads a kept list; undefined when there is none, or when what is there is not one. */
export function readServed(file: string): ServedList | undefined {
  try {
    const entry = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown> | null;
    const { form, fetchedAt, ids } = entry ?? {};
    if (form !== FORM || typeof fetchedAt !== "number" || !Array.isArray(ids)) return undefined;
    return { fetchedAt, ids: ids.filter((id): id is string => typeof id === "string") };
  } catch {
    // Missing, torn and unreadable come to the same: the server is asked instead.
    return undefined;
  }
}

/** Keeps a list, readable by its owner only. */
export async function writeServed(file: string, list: ServedList): Promise<void> {
  const { replaceFile } = await import("../disk/replace-file.ts");
  await replaceFile(file, JSON.stringify({ form: FORM, ...list }));
}
