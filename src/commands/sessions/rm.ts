import { removeSession, removeSessions, requireSessions } from "../../chat/sessions/find-session.ts";
import { checkSessionId, sessionsOlderThan } from "../../chat/sessions/session-files.ts";
import { readTime } from "../../command-line/read-time.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

export interface RemoveOptions extends GlobalOptions {
  ids: string[];
  /** A time: what was last written before is removed. */
  olderThan?: string;
  dryRun?: boolean;
}

/** Removes sessions: those that are named, or all that nobody has written to for so long. Throws what removeSessions throws. */
export async function run({ ids, olderThan, dryRun }: RemoveOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  if (ids.length > 0 === (olderThan !== undefined))
    throw usageError(
      olderThan === undefined
        ? "sessions rm takes the sessions to remove."
        : "--older-than says which sessions are removed, and so do their names.",
      olderThan === undefined ? "openclaw sessions rm --older-than 30d" : "Leave one of them out.",
    );
  const chosen =
    olderThan === undefined
      ? [...new Set(ids.map(checkSessionId))]
      : await sessionsOlderThan(runtime, timeBefore(olderThan, runtime.now()));
  if (dryRun && olderThan === undefined) await requireSessions(runtime, chosen);
  const removed = dryRun
    ? chosen
    : olderThan === undefined
      ? await removeAll(chosen, runtime)
      : await removeOld(chosen, runtime);
  if (terminal.format === "json") return terminal.printJson({ removed, ...(dryRun ? { dryRun: true } : {}) });
  if (removed.length > 0)
    await terminal.print(
      removed.map((id) => (dryRun ? `Would remove session ${id}.` : `Removed session ${id}.`)).join("\n"),
    );
  else terminal.note("No session is that old.");
}

/** A time to come would remove all there is, which nobody means. Throws `usage`. */
function timeBefore(text: string, now: number): number {
  const time = readTime(text, "--older-than", now);
  if (time <= now) return time;
  throw usageError(`--older-than '${text}' is a time to come.`, "openclaw sessions rm --older-than 30d");
}

async function removeAll(ids: readonly string[], runtime: Runtime): Promise<readonly string[]> {
  await removeSessions(runtime, ids);
  return ids;
}

/** Of many old sessions one that is open stays, and the others go. */
async function removeOld(ids: readonly string[], runtime: Runtime): Promise<string[]> {
  const removed: string[] = [];
  for (const id of ids) {
    try {
      if (await removeSession(runtime, id)) removed.push(id);
    } catch (error) {
      if (!(error instanceof OpenclawError) || error.code !== "usage") throw error;
      await runtime.terminal.warn(error.message);
    }
  }
  return removed;
}
