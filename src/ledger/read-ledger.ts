import { readdir } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { linesIn } from "../disk/lines-in.ts";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { errorCode, OpenclawError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { mapInTurns } from "../next-turn.ts";
import { type LedgerEntry, parseEntry, parseLine } from "./entry.ts";
import { HOUR_MS, monthFile, monthOf } from "./ledger-files.ts";

/** No longer file is read, in bytes. */
const MOST_BYTES = 512 * 1024 * 1024;

export interface MonthFiles {
  month: string;
  /** What calls are appended to. */
  current: string;
  /** What was summed up. */
  sums: string;
  /** What no call is appended to any more, and is not summed up yet. */
  parts: string[];
}

/** The names of the files of a month: `2026-11.jsonl`, `2026-11.sums.jsonl`, `2026-11.part-k3j.jsonl`. */
const NAME = /^(\d{4}-\d{2})(?:\.(sums|part-\w+))?\.jsonl$/;

/** The months of which there is something, the first one first. Rejects with Node's own error. */
export async function findMonths(folder: string): Promise<MonthFiles[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
    throw error;
  });
  const months = new Map<string, MonthFiles>();
  for (const name of names.toSorted()) {
    const [, month, kind] = NAME.exec(name) ?? [];
    if (month === undefined) continue;
    const files = months.get(month) ?? filesOf(folder, month);
    if (kind?.startsWith("part-")) files.parts.push(path.join(folder, name));
    months.set(month, files);
  }
  return [...months.values()];
}

function filesOf(folder: string, month: string): MonthFiles {
  const current = monthFile(folder, month);
  return { month, current, sums: path.join(folder, `${month}.sums.jsonl`), parts: [] };
}

/**
 * Reads what the ledger has of the time since a moment, in ms since 1970: of what was summed up whole hours. Lines that are
 * none count for nothing. Others have their turn in between. Throws `internal` for a file that cannot be read.
 */
export async function readLedger(folder: string, since: number): Promise<LedgerEntry[]> {
  const firstMonth = monthOf(new Date(since).toISOString());
  const entries: LedgerEntry[] = [];
  try {
    for (let files = await findMonths(folder); ;) {
      for (const month of files) {
        if (month.month < firstMonth) continue;
        // Not at once: what is handed to a function has to fit its stack.
        for (const entry of await readMonth(month, since)) entries.push(entry);
      }
      const after = await findMonths(folder);
      if (isDeepStrictEqual(files, after)) break;
      // Something was summed up meanwhile, and may have been read twice or not at all.
      files = after;
      entries.length = 0;
    }
  } catch (error) {
    throw unreadable(folder, error);
  }
  return entries;
}

/** Whether an entry is of the time since a moment, in ms since 1970; a sum is where a part of its hour is. */
export function isSince({ at, calls }: LedgerEntry, since: number): boolean {
  return Date.parse(at) >= (calls === 1 ? since : Math.floor(since / HOUR_MS) * HOUR_MS);
}

async function readMonth({ sums, parts, current }: MonthFiles, since: number): Promise<LedgerEntry[]> {
  const summed = await readSums(sums, since);
  const unsummed = parts.filter((file) => !summed.parts.has(path.basename(file)));
  const read: LedgerEntry[] = summed.entries;
  for (const file of [...unsummed, current])
    for (const entry of await readEntries(file, since)) read.push(entry);
  return read;
}

/** What was summed up, and of which parts. */
export async function readSums(
  file: string,
  since?: number,
): Promise<{ parts: Set<string>; entries: LedgerEntry[] }> {
  const bytes = await readFile(file);
  const [head = ""] = linesOf(bytes);
  // The head is no entry.
  return { parts: summedParts(head), entries: await entriesIn(bytes, since) };
}

/** The first line of the sums: the parts that are in them, and may not have been removed. */
export function sumsHead(parts: readonly string[]): string {
  return `${JSON.stringify({ summed: parts })}\n`;
}

/** The parts that the first line of the sums names; none in any other line. */
export function summedParts(head: string): Set<string> {
  const value = parseLine(head);
  const names = isRecord(value) && Array.isArray(value["summed"]) ? value["summed"] : [];
  return new Set(names.filter((name) => typeof name === "string"));
}

/** The entries of a file, or those since a moment; none where there is no file. */
export async function readEntries(file: string, since?: number): Promise<LedgerEntry[]> {
  return entriesIn(await readFile(file), since);
}

async function entriesIn(bytes: Buffer, since = Number.NEGATIVE_INFINITY): Promise<LedgerEntry[]> {
  const entries = await mapInTurns(linesOf(bytes), (line) => {
    const entry = parseEntry(line);
    return entry && isSince(entry, since) ? entry : undefined;
  });
  return entries.filter((entry) => entry !== undefined);
}

/** The lines of a text, each made when it is asked for. */
export function* linesOf(bytes: Buffer): Generator<string, void, undefined> {
  for (const line of linesIn(bytes)) yield line.toString("utf8");
}

async function readFile(file: string): Promise<Buffer> {
  try {
    return (await readRegularFile(file, MOST_BYTES)).bytes;
  } catch (error) {
    if (error instanceof ReadFailure && error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** The error for a ledger that cannot be read. */
export function unreadable(folder: string, cause: unknown): unknown {
  if (!(cause instanceof ReadFailure) && errorCode(cause) === undefined) return cause;
  return new OpenclawError("internal", {
    message: `The ledger in ${folder} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
    hint: `ls -ld ${folder}`,
  });
}
