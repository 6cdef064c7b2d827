import { rename, unlink } from "node:fs/promises";
import { writeError } from "../../disk/atomic-write.ts";
import { didYouMean } from "../../models/nearest.ts";
import { errorCode, OpenclawError, shorten, usageError } from "../../errors.ts";
import type { LongLock } from "../../disk/lock.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { lockSession } from "./kept-conversation.ts";
import {
  checkSessionId,
  readSession,
  type Session,
  sessionFile,
  isSaid,
  sessionIds,
  statOf,
} from "./session-files.ts";

/** Reads the session that a person named. Throws `usage` with the nearest id when there is none, `internal` when it is damaged. */
export async function findSession(runtime: Runtime, id: string): Promise<Session> {
  const session = await readSession(runtime, checkSessionId(id));
  if (session) return session;
  throw await unknownSession(runtime, id);
}

/** The error for a session that is not there. */
async function unknownSession(runtime: Runtime, id: string): Promise<OpenclawError> {
  return usageError(
    `There is no session '${shorten(id)}'.`,
    didYouMean(id, await sessionIds(runtime), "openclaw sessions list"),
  );
}

/**
 * Removes sessions from the disk; a damaged one, too. Nothing is removed when one of them is not there. Throws `usage`
 * for that and for a session that another process has open, `internal` for a file that cannot be removed.
 */
export async function removeSessions(runtime: Runtime, ids: readonly string[]): Promise<void> {
  await requireSessions(runtime, ids);
  for (const id of ids) if (!(await removeSession(runtime, id))) throw await unknownSession(runtime, id);
}

/** Throws `usage` where one of the sessions is not there. */
export async function requireSessions(runtime: Runtime, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    if (!(await statOf(sessionFile(runtime, checkSessionId(id))))) throw await unknownSession(runtime, id);
  }
}

/**
 * Gives a session another name. Throws `usage` where it is not there, the name is taken or none, or another process has one
 * of them open, and `internal` where the file cannot be renamed.
 */
export async function renameSession(
  runtime: Runtime,
  from: string,
  to: string,
): Promise<{ session: string; previous: string }> {
  const [previous, session] = [checkSessionId(from), checkSessionId(to)];
  const [file, target] = [sessionFile(runtime, previous), sessionFile(runtime, session)];
  const locks: LongLock[] = [];
  try {
    await requireSessions(runtime, [previous]);
    // In one order, so that no two that rename wait for each other.
    if (previous !== session)
      for (const id of [previous, session].toSorted()) locks.push(await lockSession(runtime, id));
    // Another process may have renamed or removed it meanwhile.
    const old = await statOf(file);
    if (!old) throw await unknownSession(runtime, previous);
    const taken = await statOf(target);
    // On a file system that takes capitals for small letters it may be the session itself.
    if (taken && (previous === session || taken.ino !== old.ino))
      throw usageError(
        `There is a session '${session}' already.`,
        `Look at it: openclaw sessions show ${quoteForShell(session)}`,
      );
    await rename(file, target);
  } catch (error) {
    throw error instanceof OpenclawError ? error : writeError(target, error);
  } finally {
    for (const lock of locks) await lock.release();
  }
  return { session, previous };
}

/** The session that was written last. Throws `usage` where there is none. */
export async function findLatest(runtime: Runtime): Promise<Session> {
  for (const id of await sessionIds(runtime)) {
    const session = await readSession(runtime, id);
    // Without any it was removed since.
    if (session && isSaid(session)) return session;
  }
  throw usageError("No session is kept.", "A conversation is: openclaw chat");
}

/** Removes one session; false where it is not there any more. Else throws as `removeSessions` does. */
export async function removeSession(runtime: Runtime, id: string): Promise<boolean> {
  const file = sessionFile(runtime, id);
  try {
    const lock = await lockSession(runtime, id);
    try {
      await unlink(file);
      return true;
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error instanceof OpenclawError ? error : writeError(file, error);
  }
}
