import path from "node:path";
import { type FolderNames, stateFolder } from "../disk/state-folder.ts";

/** Beyond this the calls of a month are summed up by hours and days, in bytes. */
export const LARGEST_FILE = 1024 * 1024;

/** What the place of the ledger depends on. */
export type LedgerPlace = FolderNames & { readonly isEmulated: boolean };

/** The folder of the ledger. What the emulator simulates costs nothing, and has one of its own. */
export function ledgerFolder(runtime: LedgerPlace): string {
  return path.join(stateFolder(runtime), runtime.isEmulated ? "usage-emulator" : "usage");
}

/** The month of a moment in ISO 8601, in UTC, as AWS bills: `2026-11`. */
export function monthOf(at: string): string {
  return at.slice(0, "2026-11".length);
}

/** The day of a moment in ISO 8601, in UTC, as AWS bills: `2026-11-26`. */
export function dayOf(at: string): string {
  return at.slice(0, "2026-11-26".length);
}

/** The day and the month of UTC that a moment is in, in ms since 1970. */
export function periodsAt(ms: number): { day: string; month: string } {
  const at = new Date(ms).toISOString();
  return { day: dayOf(at), month: monthOf(at) };
}

/** How long until a day (`2026-11-26`) or month (`2026-11`) of UTC is over, in ms. */
export function msUntilEnd(period: string, now: number): number {
  const end = new Date(period);
  if (period.length > "2026-11".length) end.setUTCDate(end.getUTCDate() + 1);
  else end.setUTCMonth(end.getUTCMonth() + 1);
  return Math.max(1000, end.getTime() - now);
}

export const HOUR_MS = 3_600_000;
/**
 * What is summed up keeps its hours for so long, in ms. Then a day's calls are one: there are no more of them than commands,
 * models, profiles and keys.
 */
export const HOURLY_MS = 48 * HOUR_MS;

/** The file that the calls of a month are appended to. */
export function monthFile(folder: string, month: string): string {
  return path.join(folder, `${month}.jsonl`);
}
