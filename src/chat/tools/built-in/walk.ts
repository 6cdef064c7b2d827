import path from "node:path";
import { onOneLine } from "../../../terminal/neutralise.ts";
import type { Folder } from "./folder.ts";
import { CallFault } from "./tool-input.ts";
import { count } from "../../../terminal/numbers.ts";

/** A walk looks at so many entries, and lasts so long, in ms. */
const MOST_SEEN = 50_000;
const MOST_MS = 20_000;

export interface Entry {
  /** From the folder that tools read in, with slashes. */
  name: string;
  /** The same on one line, whatever is in it. */
  told: string;
  /** Its path: no link leads there. */
  file: string;
  kind: "file" | "folder" | "link" | "other";
}

export interface WalkOptions {
  /** How many folders deep; 1 for what is in the first one. */
  depth: number;
  /** Whether what begins with a dot is walked, too, but for `.git`. */
  hidden: boolean;
  signal: AbortSignal;
  /** Milliseconds on a clock that never goes back. */
  elapsed: () => number;
}

/** What a walk has left out, for the model to know. */
export interface LeftOut {
  hidden: number;
  credentials: number;
  unreadable: number;
  /** Folders that are not entered unless they are named: what is in there is not what people wrote. */
  skipped: Set<string>;
  /** Why the walk ended early, completing "the walk ended early: …". */
  cut?: string;
}

/** As `ripgrep` leaves out what Git ignores: what programs put there. */
const SKIPPED = new Set([".git", "node_modules"]);

export function nothingLeftOut(): LeftOut {
  return { hidden: 0, credentials: 0, unreadable: 0, skipped: new Set() };
}

/**
 * What is in a folder, by its real path, and in the folders in it, the nearest first, sorted by name. Links are not followed.
 * Notes in `leftOut` what is not there.
 */
export async function* walk(
  folder: Folder,
  start: string,
  { depth, hidden, signal, elapsed }: WalkOptions,
  leftOut: LeftOut,
): AsyncGenerator<Entry> {
  const began = elapsed();
  let seen = 0;
  let level = [start];
  for (let at = 1; level.length > 0 && at <= depth; at++) {
    const next: string[] = [];
    for (const parent of level) {
      signal.throwIfAborted();
      const found = await folder.entriesOf(parent).catch((error: unknown) => {
        // What was named has to be readable; what is found on the way need not.
        if (!(error instanceof CallFault) || parent === start) throw error;
        leftOut.unreadable++;
        return { entries: [], isCut: false };
      });
      if (found.isCut) leftOut.cut = `'${folder.nameOf(parent)}' has too many entries`;
      for (const entry of found.entries) {
        seen++;
        const isTooMany = seen > MOST_SEEN;
        if (isTooMany || elapsed() - began > MOST_MS) {
          leftOut.cut = isTooMany
            ? `there are more than ${MOST_SEEN} entries`
            : `it took more than ${MOST_MS / 1000} seconds`;
          return;
        }
        const file = path.join(parent, entry.name);
        if (!hidden && entry.name.startsWith(".")) {
          leftOut.hidden++;
          continue;
        }
        const kind = entry.isFile()
          ? "file"
          : entry.isDirectory()
            ? "folder"
            : entry.isSymbolicLink()
              ? "link"
              : "other";
        yield entryOf(folder, file, kind);
        if (kind !== "folder") continue;
        if (folder.credentialsAt(file) !== undefined) leftOut.credentials++;
        else if (SKIPPED.has(entry.name)) leftOut.skipped.add(entry.name);
        else next.push(file);
      }
    }
    level = next;
    if (at === depth && next.length > 0) leftOut.cut ??= `folders more than ${depth} deep are not entered`;
  }
}

/** What is at a real path. */
export function entryOf(folder: Folder, file: string, kind: Entry["kind"]): Entry {
  const name = folder.nameOf(file);
  return { name, told: onOneLine(name), file, kind };
}

/** What a walk has left out, as a line a thing; none where nothing is. */
export function describeLeftOut({ hidden, credentials, unreadable, skipped, cut }: LeftOut): string[] {
  return [
    ...(hidden > 0
      ? [`${count(hidden, "hidden entry", "hidden entries")} left out (hidden: true includes them)`]
      : []),
    ...(skipped.size > 0 ? [`not entered unless named by path: ${[...skipped].join(", ")}`] : []),
    ...(credentials > 0 ? [`${count(credentials, "place", "places")} not read: may hold credentials`] : []),
    ...(unreadable > 0 ? [`${count(unreadable, "entry", "entries")} cannot be read`] : []),
    ...(cut === undefined ? [] : [`not everything was looked at: ${cut}`]),
  ];
}
