import { errorCode, OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { followLinks, makeFolderOf, replaceFile, type Replacement, writeError } from "./atomic-write.ts";
import { type HeldLock, withLock } from "./lock.ts";

/** Reads a file's text; undefined where there is none. */
type ReadText = (file: string) => Promise<string | undefined>;

/** The file that is really written, and its lock. */
export interface Held {
  target: string;
  lock: HeldLock;
  read: ReadText;
}

/**
 * Works on a file that a person may write, too, with nobody else who knows its lock; a symbolic link is followed. Throws
 * what `work` throws, and `internal` for what the disk refuses.
 */
export async function underLock<T>(
  file: string,
  read: ReadText,
  runtime: Runtime,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const target = await followLinks(file);
  await makeFolderOf(target);
  try {
    return await withLock(target, runtime, (lock) => work({ target, lock, read }));
  } catch (error) {
    throw errorCode(error) === undefined || error instanceof OpenclawError ? error : writeError(file, error);
  }
}

/**
 * Puts a text in the place of the one before, in one atomic step. Programs that know nothing of the lock may write the
 * file, too: where one has, or the lock is lost, nothing is written, and the answer is false.
 */
export function replaceIfUnchanged(
  { target, lock, read }: Held,
  before: string | undefined,
  replacement: Replacement,
  { random }: Runtime,
  beforeReplaced?: () => Promise<void>,
): Promise<boolean> {
  return replaceFile(target, replacement, random, async () => {
    const mayBe = (await read(target)) === before && (await lock.isStillHeld());
    if (mayBe) await beforeReplaced?.();
    return mayBe;
  });
}

/**
 * Writes what `edit` makes of a file's text, of the newest where somebody else writes it meanwhile. Returns what `edit`
 * last returned. `beforeReplaced` is done when all that is left is to put the new text in its place: where it fails, that is
 * not done. Throws what both throw, and `internal` where the file cannot be written; then it is as it was.
 */
export async function editText<T extends Replacement>(
  held: Held,
  runtime: Runtime,
  edit: (before: string | undefined) => T,
  beforeReplaced?: () => Promise<void>,
): Promise<T> {
  for (;;) {
    runtime.signal.throwIfAborted();
    const before = await held.read(held.target);
    const edited = edit(before);
    if (edited.text === before) return edited;
    if (await replaceIfUnchanged(held, before, edited, runtime, beforeReplaced)) return edited;
    if (!(await held.lock.isStillHeld())) throw lostLock(held.target);
  }
}

function lostLock(file: string): OpenclawError {
  return new OpenclawError("internal", {
    message: `Another process took over the lock of ${file} while this one was suspended. Nothing was changed.`,
    hint: "Run the command again.",
    details: { file },
  });
}
