import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { makeFolderOf, writeError } from "../../disk/atomic-write.ts";
import type { LongLock } from "../../disk/lock.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { type Conversation, KeptConversation, lockSession, unkeptConversation } from "./kept-conversation.ts";
import { count } from "../../terminal/numbers.ts";
import {
  checkSessionId,
  createSessionId,
  latestSession,
  readSession,
  type Session,
  sessionFile,
} from "./session-files.ts";

export interface ConversationOptions {
  /** Id of the session to go on with, or to begin under that name. */
  session?: string | undefined;
  /** Go on with the latest session of the current folder. */
  continue?: boolean | undefined;
  /** False with `--no-save`: what is there is read, nothing is written. */
  save: boolean;
}

/** What `writeError` says of a folder. */
const UNWRITABLE: ReadonlySet<string> = new Set(["internal", "config-unreadable"]);

/** How long a single question waits for another process to be done with its session, in ms. */
const PATIENCE_MS = 60_000;

/**
 * Opens the conversation that `--session` or `--continue` names, or a new one. A session that another process has open
 * is waited for with `isPatient`, else refused. Where nothing can be written a person is told, and nothing is kept. Throws
 * `usage` where there is nothing to go on with, `internal` for a file that cannot be read.
 */
export async function openConversation(
  options: ConversationOptions,
  runtime: Runtime,
  isPatient: boolean,
): Promise<Conversation> {
  const id = await chosenId(options, runtime);
  if (id === undefined) {
    return options.save
      ? new KeptConversation(runtime, { id: createSessionId(runtime.random) })
      : unkeptConversation([]);
  }
  if (!options.save) return unkeptConversation((await load(id, runtime))?.turns ?? []);
  const lock = await awaitLock(id, runtime, isPatient).catch((error: unknown) => tellUnkept(error, runtime));
  if (lock === undefined) return unkeptConversation((await load(id, runtime))?.turns ?? []);
  try {
    const session = await load(id, runtime);
    if (!session) runtime.terminal.note(`openclaw: session ${id} is new`);
    return new KeptConversation(runtime, { id, session, lock });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function chosenId(options: ConversationOptions, runtime: Runtime): Promise<string | undefined> {
  const { session } = options;
  if (!options.continue) return session === undefined ? undefined : checkSessionId(session);
  if (session !== undefined)
    throw usageError("--session and --continue both name a session.", "Leave one of them out.");
  const latest = await latestSession(runtime, runtime.currentFolder, runtime.isEmulated);
  if (latest !== undefined) return latest;
  throw usageError(
    `--continue finds no session that was begun in ${runtime.currentFolder}${runtime.isEmulated ? " with --emulator" : ""}.`,
    "See those of other folders: openclaw sessions list",
  );
}

async function load(id: string, runtime: Runtime): Promise<Session | undefined> {
  const session = await readSession(runtime, id);
  if (session && session.turns.length > 0) refuseOther(session, runtime);
  if (session && session.damagedLines > 0) {
    const lines = count(session.damagedLines, "line");
    const verb = session.damagedLines === 1 ? "counts" : "count";
    await runtime.terminal.warn(`${lines} of ${session.file} cannot be read and ${verb} for nothing.`);
  }
  return session;
}

/** What the emulator made up is no part of a conversation with a model, nor the other way round. Throws `usage`. */
function refuseOther({ header: { id, emulated } }: Session, { isEmulated }: Runtime): void {
  if ((emulated === true) === isEmulated) return;
  throw emulated
    ? usageError(
        `Session ${id} was begun with --emulator: no model has said what is in it.`,
        `openclaw chat --emulator --session ${quoteForShell(id)}`,
      )
    : usageError(
        `Session ${id} was begun without --emulator, which would add made-up answers to it.`,
        "Leave --emulator out, or begin another conversation: openclaw chat",
      );
}

/** A home folder that cannot be written to is no reason not to answer. Throws what is another failure. */
async function tellUnkept(error: unknown, { terminal }: Runtime): Promise<undefined> {
  if (!(error instanceof OpenclawError) || !UNWRITABLE.has(error.code)) throw error;
  await terminal.warn(`The conversation is not kept. ${error.message}`, error.hint);
}

async function awaitLock(id: string, runtime: Runtime, isPatient: boolean): Promise<LongLock> {
  const file = sessionFile(runtime, id);
  await makeFolderOf(file);
  try {
    return await lockSession(runtime, id);
  } catch (error) {
    if (!(error instanceof OpenclawError)) throw writeError(file, error);
    if (!isPatient || error.code !== "usage") throw error;
    runtime.terminal.note(
      `openclaw: waiting for process ${error.details?.["processId"]}, which has session ${id} open`,
    );
    return lockSession(runtime, id, PATIENCE_MS);
  }
}
