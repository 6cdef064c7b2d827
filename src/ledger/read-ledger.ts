import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ignoring } from "../disk/atomic-write.ts";
import { LineCutter, type RawLine } from "../disk/line-cutter.ts";
import { blocksOf, isNothing, ReadFailure, refuseIrregular, withFile } from "../disk/read-file.ts";
import { errorCode, ifSystemLets, OpenclawError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { turnOver } from "../next-turn.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { type LedgerEntry, parseEntry, parseLine } from "./entry.ts";
import { HOUR_MS, monthFile, monthOf } from "./ledger-files.ts";

/** No line that was written is longer, in bytes: the head of the sums names parts, an entry a model and a key. */
const LONGEST_LINE = 1024 * 1024;

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

type TakeEntry = (entry: LedgerEntry) => void;

/**
 * What comes of handing `take` each entry that the ledger has of the time since a moment, in ms since 1970: of what was summed
 * up whole hours. Lines that are none count for nothing. `begin` makes what they are added to, and makes it anew where all
 * are read once more. Others have their turn in between. Throws `internal` for a file that cannot be read.
 */
export async function readLedger<Made>(
  folder: string,
  since: number,
  begin: () => Made,
  take: (made: Made, entry: LedgerEntry) => void,
): Promise<Made> {
  const firstMonth = monthOf(new Date(since).toISOString());
  try {
    for (let files = await findMonths(folder); ;) {
      const made = begin();
      const takeSince = (entry: LedgerEntry): void => {
        if (isSince(entry, since)) take(made, entry);
      };
      for (const month of files) if (month.month >= firstMonth) await readMonth(month, takeSince);
      const after = await findMonths(folder);
      if (isDeepStrictEqual(files, after)) return made;
      // Something was summed up meanwhile, and may have been read twice or not at all.
      files = after;
    }
  } catch (error) {
    throw unreadable(folder, error);
  }
}

/** Whether an entry is of the time since a moment, in ms since 1970; a sum is where a part of its hour is. */
export function isSince({ at, calls }: LedgerEntry, since: number): boolean {
  return Date.parse(at) >= (calls === 1 ? since : Math.floor(since / HOUR_MS) * HOUR_MS);
}

async function readMonth({ sums, parts, current }: MonthFiles, take: TakeEntry): Promise<void> {
  const summed = await readSums(sums, take);
  const unsummed = parts.filter((file) => !summed.has(path.basename(file)));
  for (const file of [...unsummed, current]) await readEntries(file, take);
}

/** Hands on what was summed up. Returns the names of the parts that are in it. */
export async function readSums(file: string, take: TakeEntry): Promise<Set<string>> {
  const parts = new Set<string>();
  await readLines(file, () => ({
    end: 0,
    take: (line) => {
      const entry = parseEntry(line);
      if (entry) take(entry);
      else for (const name of summedParts(line)) parts.add(name);
    },
  }));
  return parts;
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

/** Hands on the entries of a file; none where there is no file. */
export async function readEntries(file: string, take: TakeEntry): Promise<void> {
  await readLines(file, () => ({
    end: 0,
    take: (line) => {
      const entry = parseEntry(line);
      if (entry) take(entry);
    },
  }));
}

/** Who reads a file. */
interface LineReader {
  /** What lies behind it is read, in bytes. */
  readonly end: number;
  /** Takes a line, and where it ends with its line end; undefined for the last one that has none. */
  take: (line: string, end: number | undefined) => void;
}

/**
 * Has the lines of a file read by whom `begin` names for it, what is too long for an entry as an empty one. Returns that
 * reader; undefined where there is no file. Others have their turn in between. Throws `internal` for a file that cannot be
 * read.
 */
export async function readLines<Reader extends LineReader>(
  file: string,
  begin: (stats: Stats) => Reader,
): Promise<Reader | undefined> {
  const reading = withFile(file, async (descriptor, stats) => {
    if (!(await isNothing(descriptor, stats))) refuseIrregular(stats);
    const reader = begin(stats);
    const start = reader.end;
    const cutter = new LineCutter(LONGEST_LINE);
    const take = ({ bytes, isTooLong }: RawLine, end?: number): void =>
      reader.take(isTooLong ? "" : bytes.toString("utf8"), end);
    for await (const block of blocksOf(descriptor, start, stats.size))
      for (const line of cutter.cut(block)) {
        take(line, start + line.offset + line.length + 1);
        const over = turnOver();
        if (over) await over;
      }
    const last = cutter.rest();
    if (last) take(last);
    return reader;
  });
  try {
    return await ignoring("ENOENT", reading);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Throws `internal` for a file in the place of the ledger's folder: no call is written down, and none holds up an answer. */
export async function refuseFileAsFolder(folder: string): Promise<void> {
  const stats = await ifSystemLets(stat(folder));
  if (stats?.isDirectory() === false) throw unreadable(folder, new ReadFailure("it is no folder"));
}

/** The error for a file or the folder of the ledger that cannot be read. */
export function unreadable(place: string, cause: unknown): unknown {
  if (cause instanceof OpenclawError) return cause;
  if (!(cause instanceof ReadFailure) && errorCode(cause) === undefined) return cause;
  return new OpenclawError("internal", {
    message: `The ledger in ${place} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
    hint: `ls -ld ${quoteForShell(place)}`,
  });
}
