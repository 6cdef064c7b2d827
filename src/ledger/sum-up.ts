import { rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { ignoring } from "../disk/atomic-write.ts";
import { holdLock } from "../disk/lock.ts";
import { replaceFile } from "../disk/replace-file.ts";
import { OpenclawError } from "../errors.ts";
import { mapInTurns } from "../next-turn.ts";
import type { Runtime } from "../runtime.ts";
import { addTo, type Counts, entryLine, type LedgerEntry } from "./entry.ts";
import { dayOf, HOURLY_MS, LARGEST_FILE, monthOf } from "./ledger-files.ts";
import { findMonths, type MonthFiles, readEntries, readSums, sumsHead } from "./read-ledger.ts";

/** So many months are kept, besides the one that is running. */
const MONTHS_KEPT = 24;

/**
 * Begins a new file for a month whose file has become large, and sums up by hours and days what was taken out of use the time before:
 * whoever had that one open has long written to it. Killed at any moment, nothing is lost and nothing counts twice. Where
 * another process is at it, it is left to that one.
 */
export async function sumUp(folder: string, month: string, runtime: Runtime): Promise<void> {
  const files = (await findMonths(folder)).find((found) => found.month === month);
  if (!files) return;
  const lock = await holdLock(files.sums, runtime, 0).catch((error: unknown) => {
    if (!(error instanceof OpenclawError) || error.code === "interrupted") throw error;
  });
  if (!lock) return;
  try {
    const size = (await ignoring("ENOENT", stat(files.current)))?.size ?? 0;
    // Another process was first.
    if (size <= LARGEST_FILE) return;
    const name = Math.floor(runtime.random() * 2 ** 48).toString(36);
    await addToSums(files, runtime.now());
    await rename(files.current, path.join(folder, `${month}.part-${name}.jsonl`));
  } finally {
    await lock.release();
  }
}

async function addToSums({ sums, parts }: MonthFiles, now: number): Promise<void> {
  if (parts.length === 0) return;
  const summed = new EntrySums(now);
  const known = await readSums(sums, summed.add);
  for (const part of parts) if (!known.has(path.basename(part))) await readEntries(part, summed.add);
  const names = parts.map((part) => path.basename(part));
  const lines = await mapInTurns(summed.entries(), entryLine);
  await replaceFile(sums, sumsHead(names) + lines.join(""));
  for (const part of parts) await rm(part, { force: true });
}

/** The entries of one hour, or of one day where it is long ago, that differ in nothing but their counts, as one. */
export class EntrySums {
  readonly #recent: string;
  readonly #sums = new Map<string, Counts>();

  constructor(now: number) {
    this.#recent = new Date(now - HOURLY_MS).toISOString();
  }

  readonly add = (entry: LedgerEntry): void => {
    const { at, command, model, profile, region, key } = entry;
    const begin =
      at >= this.#recent ? `${at.slice(0, "2026-11-26T11".length)}:00:00.000Z` : `${dayOf(at)}T00:00:00.000Z`;
    addTo(this.#sums, JSON.stringify([begin, command, model, profile, region, key]), entry);
  };

  *entries(): Generator<LedgerEntry, void, undefined> {
    for (const [fields, counts] of this.#sums) {
      const [at = "", command = "", model = "", ...rest] = JSON.parse(fields) as (string | null)[];
      const [profile, region, key] = rest.map((text) => text ?? undefined);
      const named = { at: at ?? "", command: command ?? "", model: model ?? "" };
      yield Object.assign(named, { profile, region, key }, counts);
    }
  }
}

/** Removes what is older than is kept. `month` is the one that has begun. */
export async function forgetOld(folder: string, month: string): Promise<void> {
  const [year = 0, number = 0] = month.split("-").map(Number);
  const first = monthOf(new Date(Date.UTC(year, number - 1 - MONTHS_KEPT, 1)).toISOString());
  for (const files of await findMonths(folder)) {
    if (files.month >= first) continue;
    for (const file of [files.current, files.sums, ...files.parts]) await rm(file, { force: true });
  }
}
