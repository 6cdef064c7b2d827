import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { readRegularFile, readStart, ReadFailure } from "../../disk/read-file.ts";
import { type FolderNames, stateFolder } from "../../disk/state-folder.ts";
import { errorCode, OpenclawError, shorten, usageError } from "../../errors.ts";
import { parseSession, type SessionContent } from "./session-record.ts";
import { isShownWhole } from "../../terminal/neutralise.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

const EXTENSION = ".jsonl";
/** The header is far shorter, whatever the folder's path. In bytes. */
const HEADER_BYTES = 32_768;
/** Node reads no longer text in one piece, in bytes (https://nodejs.org/api/buffer.html#bufferconstantsmax_string_length). */
const MOST_SESSION_BYTES = 512 * 1024 * 1024;

export interface Session extends SessionContent {
  file: string;
  /** When the last turn was written, in ms since 1970. */
  updated: number;
  /** Size of the file in bytes. */
  bytes: number;
  /** Bytes up to the last line end: what follows is a line that was never finished. */
  wholeBytes: number;
}

/** Lower-case letters and digits that nobody mistakes for one another. */
const ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const ID_LENGTH = 6;

/** Makes an id that is short enough to type. `random` gives numbers from 0 up to 1. */
export function createSessionId(random: () => number): string {
  return Array.from({ length: ID_LENGTH }, () => ID_ALPHABET[Math.floor(random() * ID_ALPHABET.length)]).join(
    "",
  );
}

/** The longest name of a session in bytes of UTF-8: file systems take 255, of which a lock needs its part. */
const LONGEST_ID = 128;

/**
 * Checks an id that a person typed, and returns it as it names a file: in NFC, so that one name is one file however it was
 * typed. Letters, digits and signs of any script may be in it, but nothing that leads to another folder, that a shell would
 * take for two words, or that cannot be seen. Throws `usage`.
 */
export function checkSessionId(typed: string): string {
  const id = typed.normalize("NFC");
  const isName =
    /^[\p{L}\p{N}\p{So}](?:[\p{L}\p{M}\p{N}\p{So}’·._-]|\u200C|\u200D|\uFE0F)*$/u.test(id) &&
    !id.endsWith(".");
  if (isName && isShownWhole(id) && Buffer.byteLength(id) <= LONGEST_ID) return id;
  throw usageError(
    `'${shorten(typed)}' cannot name a session: letters and digits of any script, dots, underscores and dashes can, up to ${LONGEST_ID} bytes.`,
    "openclaw sessions list",
  );
}

/** The file of a session. */
export function sessionFile(runtime: FolderNames, id: string): string {
  return path.join(stateFolder(runtime), "sessions", `${id}${EXTENSION}`);
}

/** Reads a session; undefined when there is none. Throws `internal` for a file that is no session or cannot be read. */
export async function readSession(runtime: FolderNames, id: string): Promise<Session | undefined> {
  const file = sessionFile(runtime, id);
  let text: Buffer;
  let updated: number;
  try {
    const { bytes, stats } = await readRegularFile(file, MOST_SESSION_BYTES);
    text = bytes;
    updated = stats.mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(file, error);
  }
  // Left by a disk that took nothing: nobody has said anything in it.
  if (text.length === 0) return undefined;
  const wholeBytes = text.lastIndexOf("\n") + 1;
  const content = await parseSession(text.toString("utf8", 0, wholeBytes));
  // The name of the file is what counts: it may have been given another.
  if (content)
    return {
      ...content,
      header: { ...content.header, id },
      file,
      updated,
      bytes: text.length,
      wholeBytes,
    };
  throw new OpenclawError("internal", {
    message: `${file} does not begin as a session of this version does.`,
    hint: `openclaw sessions rm ${quoteForShell(id)}`,
    details: { file },
  });
}

/** Whether anything is left of what was said in a session: where all of it was taken back, nobody looks for it. */
export function isSaid({ turns, damagedLines }: Pick<SessionContent, "turns" | "damagedLines">): boolean {
  return turns.length > 0 || damagedLines > 0;
}

/** Reads every session in which something was said, the latest first. What cannot be read is in `damaged`, by its id. */
export async function readSessions(
  runtime: FolderNames,
): Promise<{ sessions: Session[]; damaged: { id: string; reason: string }[] }> {
  const sessions: Session[] = [];
  const damaged: { id: string; reason: string }[] = [];
  for (const { id } of await findSessions(runtime)) {
    try {
      const session = await readSession(runtime, id);
      if (session && isSaid(session)) sessions.push(session);
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      damaged.push({ id, reason: error.message });
    }
  }
  return { sessions, damaged };
}

/**
 * The id of the session of a folder that was written last, of those in which something was said and that the emulator
 * answers, or of the others; undefined when the folder has none. Throws as `readSession` does.
 */
export async function latestSession(
  runtime: FolderNames,
  folder: string,
  isEmulated: boolean,
): Promise<string | undefined> {
  for (const { id, file } of await findSessions(runtime)) {
    const { header } = (await readHead(file)) ?? {};
    if (header?.folder !== folder || (header.emulated === true) !== isEmulated) continue;
    const session = await readSession(runtime, id);
    if (session && isSaid(session)) return id;
  }
  return undefined;
}

/** The ids of the sessions that were last written before a moment, in ms since 1970, the latest first. */
export async function sessionsOlderThan(runtime: FolderNames, time: number): Promise<string[]> {
  return (await findSessions(runtime)).filter(({ updated }) => updated < time).map(({ id }) => id);
}

/** The ids of all sessions, the latest first. */
export async function sessionIds(runtime: FolderNames): Promise<string[]> {
  return (await findSessions(runtime)).map(({ id }) => id);
}

interface FoundSession {
  id: string;
  file: string;
  updated: number;
}

async function findSessions(runtime: FolderNames): Promise<FoundSession[]> {
  const folder = path.dirname(sessionFile(runtime, ""));
  const found: FoundSession[] = [];
  for (const name of await namesIn(folder)) {
    if (!name.endsWith(EXTENSION)) continue;
    const file = path.join(folder, name);
    const stats = await statOf(file).catch((error: unknown) => {
      throw unreadable(file, error);
    });
    // Without any it was removed since the folder was read.
    if (stats) found.push({ id: name.slice(0, -EXTENSION.length), file, updated: stats.mtimeMs });
  }
  return found.sort((left, right) => right.updated - left.updated || (left.id < right.id ? -1 : 1));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // Without a home folder, or with a file in its place, there are none either.
    if (isMissing(error) && (await statOf(folder)) === undefined) return [];
    throw unreadable(folder, error);
  }
}

/** What the disk knows of a file; undefined when there is none. Throws Node's system error. */
export async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Reads a session's header without the rest, which may hold images. */
async function readHead(file: string): Promise<SessionContent | undefined> {
  try {
    const head = await readStart(file, HEADER_BYTES);
    return await parseSession(head.toString("utf8", 0, head.indexOf("\n") + 1));
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error;
    // Whoever asks for this very session is told why; the search goes on without it.
    return undefined;
  }
}

function unreadable(file: string, cause: unknown): OpenclawError {
  return new OpenclawError("internal", {
    message: `Cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`,
    hint: `ls -ld ${file}`,
    details: { file },
  });
}
