import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { withLock } from "../config/lock.ts";
import type { Runtime } from "../runtime.ts";
import { FORM } from "./cache.ts";
import type { Discovered } from "./discovered.ts";

/** Entries untouched for so long belong to identities and regions nobody asks for any more. In ms. */
const PRUNE_AFTER_MS = 30 * 24 * 3600 * 1000;

/** Writes a list so that readers see the old file or the new one, and drops entries that nobody has used for a month. */
export async function writeCache(file: string, discovered: Discovered): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = path.join(folder, `.${path.basename(file)}.${randomUUID()}`);
  const handle = await open(temporary, "wx", 0o600);
  try {
    try {
      await handle.writeFile(JSON.stringify({ form: FORM, ...discovered }));
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await prune(folder, file, discovered.fetchedAt);
}

async function prune(folder: string, kept: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    if (file === kept || !/^\.?models-/.test(name)) continue;
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs > PRUNE_AFTER_MS) await rm(file, { recursive: true, force: true });
  }
}

/** Runs `work` while no other process runs it for the same file. Rejects with Node's own error for a bad folder. */
export async function withCacheLock<T>(file: string, runtime: Runtime, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  return withLock(file, runtime, work);
}
