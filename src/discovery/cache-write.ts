import { lstat, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { holdLock } from "../disk/lock.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { replaceFile } from "../disk/replace-file.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { errorCode, EXIT_CODES, type ErrorCode, OpenclawError, toErrorDocument } from "../errors.ts";
import { isRecord } from "../json.ts";
import type { Discovered } from "../models/discovered.ts";
import type { Runtime } from "../runtime.ts";
import { FORM, isSince } from "./cache.ts";
import { type EntryKind, readEntry } from "./cache-entry.ts";
import { MOST_READY_MS, READY_FORM, settledStates } from "./ready-list.ts";

/** Entries untouched for so long belong to identities and regions nobody asks for any more. In ms. */
const PRUNE_AFTER_MS = 30 * 24 * 3600 * 1000;
/**
 * Whoever exports new temporary keys each hour is a new identity each hour. So many entries, of up to 200 KB, are kept
 * in any case; surplus ones as long as they may be waited for. In ms.
 */
const MOST_ENTRIES = 50;
const PRUNE_SURPLUS_AFTER_MS = 3600 * 1000;
/** Longer than a refresh takes when nothing answers: three attempts of ten seconds, after credentials that take as long. In ms. */
const LOCK_WAIT_MS = 90_000;

/** Writes a list, ends what was shared in its place, and drops entries that nobody uses any more. */
export async function writeCache(file: string, discovered: Discovered): Promise<void> {
  await replaceFile(file, JSON.stringify({ form: FORM, ...discovered }));
  for (const shared of [failureFile(file), partialFile(file)]) await rm(shared, { force: true });
  // With a new list each model gets a new hearing.
  await forget(path.dirname(file), "lessons");
  await prune(path.dirname(file), "models", discovered.fetchedAt, file);
}

/** Forgets all that is kept of a kind. */
export async function forget(folder: string, kind: EntryKind): Promise<void> {
  const ofKind = new RegExp(`^${kind}-\\w+\\.json$`);
  for (const name of await readdir(folder)) {
    if (ofKind.test(name)) await rm(path.join(folder, name), { force: true });
  }
}

/**
 * Writes what was learnt of a model, and drops what was learnt of those that nobody uses any more. Printed lists are made
 * anew where `changesList` says so. `now` is in ms since 1970.
 */
export async function writeLessons(
  file: string,
  entry: object,
  { now, changesList }: { now: number; changesList: boolean },
): Promise<void> {
  await replaceFile(file, JSON.stringify(entry));
  if (changesList) await forget(path.dirname(file), "ready");
  await prune(path.dirname(file), "lessons", now, file);
}

/**
 * Keeps what was printed of a list, with the files that it was made from: not where one of them is so young that it may
 * have changed since it was read. `startedAt` is when the first was read, `until` how long the list is fresh, both in ms
 * since 1970.
 */
export async function writeReady(
  file: string,
  printed: { text: string; files: readonly string[]; startedAt: number; until: number },
): Promise<void> {
  const { text, startedAt } = printed;
  const files = await settledStates(printed.files, startedAt);
  if (!files) return;
  const until = Math.min(printed.until, startedAt + MOST_READY_MS);
  await replaceFile(file, JSON.stringify({ form: READY_FORM, from: startedAt, until, files, text }));
  await prune(path.dirname(file), "ready", startedAt, file);
}

/** Where a list that lacks something is shared with those who wait for it, without a place among the cached ones. */
export function partialFile(file: string): string {
  return `${file}.partial`;
}

/** Shares a list that lacks something with the processes that wait for the same: each would get no more of AWS. */
export async function sharePartial(file: string, discovered: Discovered): Promise<void> {
  await replaceFile(partialFile(file), JSON.stringify({ form: FORM, ...discovered }));
}

function failureFile(file: string): string {
  return `${file}.failed`;
}

/**
 * Whether a failure is one for all who wait: not an interruption, and not credentials that are missing, which another
 * process may get from the person at its terminal.
 */
export function mayShare(error: unknown): error is OpenclawError {
  return error instanceof OpenclawError && error.code !== "interrupted" && error.code !== "no-credentials";
}

/**
 * Tells the processes that wait for the same list why there is none. Without it each of them would ask in its turn, and
 * twenty would wait twenty times as long for an AWS that cannot be reached. `at` is in ms since 1970.
 */
export async function shareFailure(file: string, error: OpenclawError, at: number): Promise<void> {
  await replaceFile(failureFile(file), JSON.stringify({ at, error: toErrorDocument(error) }));
}

/** The failure that was shared since a moment and before `now` (ms since 1970); undefined when there is none. */
export async function sharedFailure(
  file: string,
  since: number,
  now: number,
): Promise<OpenclawError | undefined> {
  const { at, error } = (await readEntry(failureFile(file), undefined)) ?? {};
  if (typeof at !== "number" || !isSince(at, since, now) || !isRecord(error)) return undefined;
  const { code, message, hint, exitCode, requestId } = error;
  if (!isErrorCode(code) || typeof message !== "string" || typeof exitCode !== "number") return undefined;
  return new OpenclawError(code, {
    message,
    hint: typeof hint === "string" && hint !== "" ? hint : undefined,
    exitCode,
    requestId: typeof requestId === "string" ? requestId : undefined,
  });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(EXIT_CODES, code);
}

/** How a list is got that several processes may want at once. */
interface Refresh<T> {
  /** What another process got meanwhile. */
  find: () => Promise<T | undefined>;
  ask: () => Promise<T>;
  keep: (list: T) => Promise<void>;
  /** Failures since then count for this process, too. In ms since 1970. */
  startedAt: number;
}

/** Of several processes that want a list at once, one asks and the others take what it got: its list, or its failure. */
export async function refreshTogether<T>(
  file: string,
  runtime: Runtime,
  { find, ask, keep, startedAt }: Refresh<T>,
): Promise<{ list: T; source: "network" | "cache" }> {
  return withCacheLock(file, runtime, async () => {
    const found = await find();
    if (found) return { list: found, source: "cache" };
    const failure = await sharedFailure(file, startedAt, runtime.now());
    if (failure) throw failure;
    try {
      const list = await ask();
      await tryToKeep(runtime, () => keep(list));
      return { list, source: "network" };
    } catch (error) {
      if (mayShare(error)) await tryToKeep(runtime, () => shareFailure(file, error, runtime.now()));
      throw error;
    }
  });
}

/** Drops what belongs to identities and regions nobody asks for any more: what is old, and the oldest of what is too much. */
async function prune(folder: string, kind: EntryKind, now: number, kept: string): Promise<void> {
  const others: { file: string; age: number }[] = [];
  const ofKind = new RegExp(`^\\.?${kind}-`);
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    if (file === kept || !ofKind.test(name)) continue;
    // A lock is a link to nothing; another process may remove what was listed.
    const { mtimeMs } = await lstat(file).catch(() => ({ mtimeMs: now }));
    others.push({ file, age: now - mtimeMs });
  }
  others.sort((left, right) => left.age - right.age);
  for (const [index, { file, age }] of others.entries()) {
    if (age > PRUNE_AFTER_MS || (index >= MOST_ENTRIES && age > PRUNE_SURPLUS_AFTER_MS)) {
      await rm(file, { recursive: true, force: true });
    }
  }
}

/**
 * Runs `work` while no other process runs it for the same file, however long AWS takes; without that where the lock
 * cannot be had. Rejects with `interrupted` and with whatever `work` rejects with.
 */
export async function withCacheLock<T>(file: string, runtime: Runtime, work: () => Promise<T>): Promise<T> {
  const tooLong = (processId: number): OpenclawError =>
    new OpenclawError("internal", {
      message: `process ${processId} has refreshed ${file} for more than ${LOCK_WAIT_MS / 1000} s`,
    });
  const hold = async () => {
    makeFolder(path.dirname(file));
    return holdLock(file, runtime, LOCK_WAIT_MS, tooLong);
  };
  const lock = await hold().catch((error: unknown) => {
    if (error instanceof OpenclawError && error.code === "interrupted") throw error;
    runtime.terminal.verbose(() => `the cache is not locked: ${messageOf(error)}`);
    const code = errorCode(error);
    // Without a home nobody has named one.
    if (runtime.env["OPENCLAW_STATE_DIR"] === undefined || (code !== "ENOTDIR" && code !== "EEXIST")) return;
    const folder = stateFolder(runtime);
    runtime.terminal.note(
      `openclaw: nothing is kept: ${folder} is no folder. Name one: export OPENCLAW_STATE_DIR=FOLDER`,
    );
  });
  try {
    return await work();
  } finally {
    await lock?.release();
  }
}

/** The answer is worth more than its cache: a folder that cannot be written costs only the cache. */
export async function tryToKeep(runtime: Runtime, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    runtime.terminal.verbose(() => `AWS's answer is not cached: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
