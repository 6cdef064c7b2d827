import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { holdLock, type LongLock } from "../disk/lock.ts";
import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { FORM } from "./cache.ts";
import type { Discovered } from "../models/discovered.ts";
import { replaceFile } from "../disk/replace-file.ts";
import { failureFile } from "./shared-failure.ts";

/** Entries untouched for so long belong to identities and regions nobody asks for any more. In ms. */
const PRUNE_AFTER_MS = 30 * 24 * 3600 * 1000;
/**
 * Whoever exports new temporary keys each hour is a new identity each hour. So many entries, of up to 200 KB, are kept
 * in any case; surplus ones as long as they may be waited for. In ms.
 */
const MOST_ENTRIES = 50;
const PRUNE_SURPLUS_AFTER_MS = 3600 * 1000;
/** Longer than a refresh takes when nothing answers: three attempts of ten seconds, after credentials that take as long. In ms. */
const PATIENCE_MS = 90_000;

/** Writes a list, ends what was shared in its place, and drops entries that nobody uses any more. */
export async function writeCache(file: string, discovered: Discovered): Promise<void> {
  await replaceFile(file, JSON.stringify({ form: FORM, ...discovered }));
  await rm(failureFile(file), { force: true });
  await rm(partialFile(file), { force: true });
  await prune(path.dirname(file), file, discovered.fetchedAt);
}

/** Where a list that lacks something is shared with those who wait for it, without a place among the cached ones. */
export function partialFile(file: string): string {
  return `${file}.partial`;
}

/** Shares a list that lacks something with the processes that wait for the same: each would get no more of AWS. */
export async function sharePartial(file: string, discovered: Discovered): Promise<void> {
  await replaceFile(partialFile(file), JSON.stringify({ form: FORM, ...discovered }));
}

/** Drops what belongs to identities and regions nobody asks for any more: what is old, and the oldest of what is too much. */
async function prune(folder: string, kept: string, now: number): Promise<void> {
  const others: { file: string; age: number }[] = [];
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    if (file === kept || !/^\.?models-/.test(name)) continue;
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
  const lock = await takeLock(file, runtime);
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
    runtime.terminal.verbose(
      () => `AWS's answer is not cached: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function takeLock(file: string, runtime: Runtime): Promise<LongLock | undefined> {
  const tooLong = (processId: number): OpenclawError =>
    new OpenclawError("internal", {
      message: `process ${processId} has refreshed ${file} for more than ${PATIENCE_MS / 1000} s`,
    });
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    return await holdLock(file, runtime, PATIENCE_MS, tooLong);
  } catch (error) {
    if (error instanceof OpenclawError && error.code === "interrupted") throw error;
    runtime.terminal.verbose(
      () => `the cache is not locked: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
