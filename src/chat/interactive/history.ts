import { appendFile } from "node:fs/promises";
import path from "node:path";
import { APPEND_FLAGS } from "../../disk/append-lines.ts";
import { makeFolder } from "../../disk/make-folder.ts";
import { readRegularFile, ReadFailure } from "../../disk/read-file.ts";
import { replaceFile } from "../../disk/replace-file.ts";
import { stateFolder } from "../../disk/state-folder.ts";
import { parseIfJson } from "../../json-bounds.ts";
import type { Runtime } from "../../runtime.ts";

/** How many entries are kept. The file is cut down to them when it holds twice as many. */
const MOST_ENTRIES = 1000;

/** What was typed in this session and in those before, the oldest first. */
export interface History {
  readonly entries: readonly string[];
  /** Adds an entry, unless it is the last one again. */
  add(entry: string): Promise<void>;
}

/** A history that is not written anywhere. */
export function forgetfulHistory(): History {
  const entries: string[] = [];
  return {
    entries,
    add: async (entry) => {
      if (entries.at(-1) !== entry) entries.push(entry);
    },
  };
}

/**
 * Opens the history of this user: one JSON string a line, so that several sessions may append at once and an entry may
 * have line ends. What cannot be read or written costs only the history, and is told with `--verbose`.
 */
export async function openHistory(runtime: Runtime): Promise<History> {
  const file = path.join(stateFolder(runtime), "chat-history.jsonl");
  const say = (error: unknown): void => runtime.terminal.verbose(() => `history ${file}: ${String(error)}`);
  let entries: string[] = [];
  try {
    entries = await load(file);
  } catch (error) {
    say(error);
  }
  return {
    entries,
    add: async (entry) => {
      if (entries.at(-1) === entry) return;
      entries.push(entry);
      try {
        makeFolder(path.dirname(file));
        await appendFile(file, lineOf(entry), { mode: 0o600, flag: APPEND_FLAGS });
      } catch (error) {
        say(error);
      }
    },
  };
}

async function load(file: string): Promise<string[]> {
  const text = await readRegularFile(file).then(
    ({ bytes }) => bytes.toString("utf8"),
    (error: unknown) => {
      if (error instanceof ReadFailure && error.code === "ENOENT") return "";
      throw error;
    },
  );
  const entries = text.split("\n").flatMap(parseEntry);
  const kept = entries.slice(-MOST_ENTRIES);
  if (entries.length > 2 * MOST_ENTRIES) await replaceFile(file, kept.map(lineOf).join(""));
  return kept;
}

function lineOf(entry: string): string {
  return `${JSON.stringify(entry)}\n`;
}

/** A line that was cut off when the machine stopped is no entry. */
function parseEntry(line: string): string[] {
  const entry = parseIfJson(line);
  return typeof entry === "string" ? [entry] : [];
}
