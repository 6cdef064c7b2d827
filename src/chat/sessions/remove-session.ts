import { stat, unlink } from "node:fs/promises";
import { writeError } from "../../disk/atomic-write.ts";
import { errorCode } from "../../errors.ts";
import { holdLock } from "../../disk/lock.ts";
import { OpenclawError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { unknownSession } from "./find-session.ts";
import { sessionInUse } from "./kept-conversation.ts";
import { sessionFile } from "./session-files.ts";
import { checkSessionId } from "./session-id.ts";

/**
 * Removes sessions from the disk; a damaged one, too. Nothing is removed when one of them is not there. Throws `usage`
 * for that and for a session that another process has open, `internal` for a file that cannot be removed.
 */
export async function removeSessions(runtime: Runtime, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    if (!(await isThere(sessionFile(runtime, checkSessionId(id))))) throw await unknownSession(runtime, id);
  }
  for (const id of ids) await removeSession(runtime, id);
}

async function removeSession(runtime: Runtime, id: string): Promise<void> {
  const file = sessionFile(runtime, id);
  try {
    const lock = await holdLock(file, runtime, 0, (processId) => sessionInUse(id, processId));
    try {
      await unlink(file);
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw error instanceof OpenclawError ? error : writeError(file, error);
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
