import { unlink } from "node:fs/promises";
import { writeError } from "../../disk/atomic-write.ts";
import { nearestIds } from "../../models/nearest.ts";
import { OpenclawError, shorten, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { lockSession } from "./kept-conversation.ts";
import {
  checkSessionId,
  readSession,
  type Session,
  sessionFile,
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
  const [nearest] = nearestIds(id, await sessionIds(runtime));
  return usageError(
    `There is no session '${shorten(id)}'.`,
    nearest === undefined ? "openclaw sessions list" : `Did you mean ${nearest}?`,
  );
}

/**
 * Removes sessions from the disk; a damaged one, too. Nothing is removed when one of them is not there. Throws `usage`
 * for that and for a session that another process has open, `internal` for a file that cannot be removed.
 */
export async function removeSessions(runtime: Runtime, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    if (!(await statOf(sessionFile(runtime, checkSessionId(id))))) throw await unknownSession(runtime, id);
  }
  for (const id of ids) await removeSession(runtime, id);
}

async function removeSession(runtime: Runtime, id: string): Promise<void> {
  const file = sessionFile(runtime, id);
  try {
    const lock = await lockSession(runtime, id);
    try {
      await unlink(file);
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw error instanceof OpenclawError ? error : writeError(file, error);
  }
}
