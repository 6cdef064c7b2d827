import { stat, type Stats, statSync } from "node:fs";
import { promisify } from "node:util";
import { orAtOnce } from "../at-once.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { errorCode } from "../errors.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { entryFile, readEntry } from "./cache-entry.ts";

/*
 * What `models list` prints into a pipe is kept as it was printed, with what it was made from. While all of that is as it
 * was, nothing needs to be parsed, joined and laid out again, and the program that does it is not even loaded.
 */

/** Raised when the form of an entry changes. */
export const READY_FORM = 2;

/** Files that are read while something is printed may change meanwhile: what is so young is not trusted, in ms. */
const SETTLED_MS = 1000;
/** What is printed may depend on the day: so long it holds at most, in ms. */
export const MOST_READY_MS = 3600_000;

/** What decides, beside files, what is printed. */
const NAMES = /^(?:AWS_|OPENCLAW_)/;

/** A printed answer: between two times (ms since 1970), and while the files are what they were. */
export interface ReadyList {
  from: number;
  until: number;
  files: Record<string, string>;
  text: string;
}

/** Where the answer to this call is kept; undefined for a call whose answer is made anew each time. */
export function readyFile(
  options: GlobalOptions & { refresh?: boolean; access?: boolean },
  runtime: Runtime,
): string | undefined {
  const { env, homeFolder, currentFolder, terminal } = runtime;
  const isAsked = options.refresh === true || options.access === true || options.verbose === true;
  if (isAsked || runtime.isEmulated || terminal.isStdoutTTY) return undefined;
  const variables = Object.keys(env)
    .filter((name) => NAMES.test(name))
    .sort()
    .map((name) => [name, env[name]]);
  const key = [VERSION, options, terminal.format, homeFolder, currentFolder, variables];
  return entryFile(stateFolder(runtime), key, "ready");
}

/** The text that was printed, if nothing that it was made from has changed. */
export async function readReady(file: string, now: number): Promise<string | undefined> {
  const entry = (await readEntry(file, READY_FORM)) as Partial<ReadyList> | undefined;
  const { from = Infinity, until = 0, files = {}, text } = entry ?? {};
  if (typeof text !== "string" || now < from || now >= until) return undefined;
  const states = await Promise.all(Object.keys(files).map(stateOf));
  return Object.values(files).every((state, index) => state === states[index]) ? text : undefined;
}

/** The state of files that have not changed since a moment (ms since 1970), or shortly before; undefined where one may have. */
export async function settledStates(
  files: readonly string[],
  since: number,
): Promise<Record<string, string> | undefined> {
  const states = await Promise.all(files.map(stateOf));
  const isSettled = states.every((state) => Number(state.split(" ")[0]) < since - SETTLED_MS);
  return isSettled ? Object.fromEntries(files.map((file, index) => [file, states[index] ?? ""])) : undefined;
}

const statFile = orAtOnce<[string], Stats>(promisify(stat), statSync);

/** What changes when a file changes: its time of change in ms first, 0 for one that is not there. */
async function stateOf(file: string): Promise<string> {
  try {
    const { ctimeMs, mtimeMs, size, ino, dev } = await statFile(file);
    return [ctimeMs, mtimeMs, size, ino, dev].join(" ");
  } catch (error) {
    return `0 ${errorCode(error)}`;
  }
}
