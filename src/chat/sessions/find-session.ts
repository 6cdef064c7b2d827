import { answerOf, questionOf } from "../../converse/conversation.ts";
import { nearestIds } from "../../models/nearest.ts";
import { type OpenclawError, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { readSession, type Session, sessionIds } from "./session-files.ts";
import { checkSessionId } from "./session-id.ts";
import { packBytes } from "./session-record.ts";

/** Reads the session that a person named. Throws `usage` with the nearest id when there is none, `internal` when it is damaged. */
export async function findSession(runtime: Runtime, id: string): Promise<Session> {
  const session = await readSession(runtime, checkSessionId(id));
  if (session) return session;
  throw await unknownSession(runtime, id);
}

/** The error for a session that is not there. */
export async function unknownSession(runtime: Runtime, id: string): Promise<OpenclawError> {
  const [nearest] = nearestIds(id, await sessionIds(runtime));
  return usageError(
    `There is no session '${id}'.`,
    nearest === undefined ? "openclaw sessions list" : `Did you mean ${nearest}?`,
  );
}

/** A session as its `--json` document, every content block as it was sent and came; bytes as `{"$bytes": base64}`. */
export function sessionDocument({ header, turns, updated, damagedLines }: Session): Record<string, unknown> {
  return {
    ...header,
    updated: new Date(updated).toISOString(),
    turns: turns.map((turn) => {
      const { messages: _, ...rest } = turn;
      return packBytes({ ...rest, user: questionOf(turn), assistant: answerOf(turn) });
    }),
    damagedLines,
  };
}
