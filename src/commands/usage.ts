import { readTime } from "../command-line/read-time.ts";
import { loadConfig } from "../config/resolve.ts";
import { capitalize } from "../errors.ts";
import { budgetPeriods, tellSpent } from "../ledger/budget.ts";
import { addCounts, addTo, type Counts, type LedgerEntry, NOTHING } from "../ledger/entry.ts";
import { dayOf, HOUR_MS, HOURLY_MS, ledgerFolder, monthOf } from "../ledger/ledger-files.ts";
import { isSince, readLedger, refuseFileAsFolder } from "../ledger/read-ledger.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { formatTokenColumn } from "../terminal/numbers.ts";
import { type Column, layoutTable } from "../terminal/table.ts";
import { hang } from "../terminal/word-wrap.ts";

type Field = "model" | "day" | "profile" | "command" | "key";

export interface UsageOptions extends GlobalOptions {
  /** A time. */
  since: string;
  by: Field;
  csv?: boolean;
}

/** What the calls come to. */
interface Sums {
  /** By what they are asked for; empty where it is not known. */
  named: Map<string, Counts>;
  /** In USD, by day and month of a budget. */
  spent: Map<string, number>;
}

interface Group {
  /** Undefined for those that have none, such as calls without a key of `serve`. */
  name: string | undefined;
  counts: Counts;
}

/**
 * Sums up what the ledger has of the calls made from this machine: tokens and estimated cost. Throws `usage` for a time
 * that is none, `internal` for a ledger that cannot be read.
 */
export async function run(options: UsageOptions, runtime: Runtime): Promise<void> {
  const { terminal, now } = runtime;
  const { value: config } = await loadConfig(options, runtime);
  const since = wholeDays(readTime(options.since, "--since", now()), now());
  const until = new Date(now()).toISOString();
  const periods = budgetPeriods(config.usage?.budget ?? {}, until);
  const month = Date.parse(monthOf(until));
  const from = periods.length > 0 ? Math.min(since, month) : since;
  const newSums = (): Sums => ({
    named: new Map(),
    spent: new Map(periods.map(({ period }) => [period, 0])),
  });
  const folder = ledgerFolder(runtime);
  await refuseFileAsFolder(folder);
  const { named, spent } = await readLedger(folder, from, newSums, (sums, entry) => {
    for (const [period, usd] of sums.spent)
      if (entry.at.startsWith(period)) sums.spent.set(period, usd + entry.usd);
    // A name is never empty.
    if (isSince(entry, since)) addTo(sums.named, nameOf(entry, options.by) ?? "", entry);
  });
  const groups = groupsOf(named, options.by);
  const total = groups.reduce((sum, { counts }) => addCounts(sum, counts), NOTHING as Counts);
  if (config.usage?.ledger === false)
    terminal.note("openclaw: the ledger is off (usage.ledger), so calls are not written into it");
  if (terminal.format === "json")
    return terminal.printJson({
      since: new Date(since).toISOString(),
      until,
      by: options.by,
      ...(runtime.isEmulated ? { emulated: true } : {}),
      groups: groups.map(({ name, counts }) => ({ [options.by]: name ?? null, ...toDocument(counts) })),
      total: toDocument(total),
      budget:
        periods.length > 0
          ? Object.fromEntries(
              periods.map(({ name, limit, period }) => [name, { limit, spent: spent.get(period) ?? 0 }]),
            )
          : null,
    });
  if (options.csv) return printCsv(groups, options.by, runtime);
  const begin = dayOf(new Date(since).toISOString());
  if (groups.length === 0) terminal.noteNothing(`No call is in the ledger since ${begin}.`);
  if (!terminal.isStdoutTTY) {
    for (const { name, counts } of groups) await terminal.print([name ?? "-", ...cellsOf(counts)].join("\t"));
    return;
  }
  if (groups.length > 0) await printTable(groups, total, options.by, runtime);
  const { dim } = await terminal.stdoutStyle();
  const notes = [
    ...(groups.length > 0 ? [`Since ${begin}; tokens in and out, days of UTC, prices are estimates.`] : []),
    ...periods.map((budgeted) => `${tellSpent(spent.get(budgeted.period) ?? 0, budgeted)} is spent.`),
  ];
  if (groups.length > 0 && notes.length > 0) await terminal.print("");
  for (const note of notes)
    for (const line of hang("", note, terminal.columns)) await terminal.print(dim(line));
}

/** What is longer ago than hours are told begins with a whole day, as what was summed up does. */
function wholeDays(time: number, now: number): number {
  return now - time > HOURLY_MS ? Math.floor(time / (24 * HOUR_MS)) * 24 * HOUR_MS : time;
}

function nameOf(entry: LedgerEntry, by: Field): string | undefined {
  return by === "day" ? dayOf(entry.at) : entry[by];
}

function groupsOf(sums: ReadonlyMap<string, Counts>, by: Field): Group[] {
  const groups = [...sums].map(([name, counts]) => ({ name: name === "" ? undefined : name, counts }));
  if (by === "day") return groups.toSorted((one, other) => ((one.name ?? "") < (other.name ?? "") ? -1 : 1));
  return groups.toSorted(
    (one, other) => other.counts.usd - one.counts.usd || other.counts.calls - one.counts.calls,
  );
}

/** Null for a price that nobody knows. */
function usdOf({ usd, calls, unpriced }: Counts): number | null {
  return calls > 0 && calls === unpriced ? null : usd;
}

function toDocument(counts: Counts): Record<string, number | null> {
  const { unpriced, usd: _, ...rest } = counts;
  return { ...rest, usd: usdOf(counts), unpricedCalls: unpriced };
}

function cellsOf(counts: Counts): (number | string)[] {
  const { calls, inputTokens, outputTokens, cacheReadInputTokens, cacheWriteInputTokens, unpriced } = counts;
  const usd = usdOf(counts);
  return [
    calls,
    inputTokens,
    outputTokens,
    cacheReadInputTokens,
    cacheWriteInputTokens,
    usd === null ? "" : usd.toFixed(10).replace(/\.?0+$/, ""),
    unpriced,
  ];
}

const CSV_FIELDS = [
  "calls",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "usd",
  "unpriced_calls",
];

async function printCsv(groups: readonly Group[], by: Field, { terminal }: Runtime): Promise<void> {
  const rows = [[by, ...CSV_FIELDS], ...groups.map(({ name, counts }) => [name ?? "", ...cellsOf(counts)])];
  // As RFC 4180 has it, but for the line ends, which are those of this machine's tools.
  const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  for (const row of rows) await terminal.print(row.map((cell) => quote(String(cell))).join(","));
}

async function printTable(
  groups: readonly Group[],
  total: Counts,
  by: Field,
  { terminal }: Runtime,
): Promise<void> {
  const style = await terminal.stdoutStyle();
  const columns: Column[] = [
    { title: capitalize(by) },
    { title: "Calls", align: "right" },
    { title: "In", align: "right", dropOrder: 3 },
    { title: "Out", align: "right", dropOrder: 2 },
    { title: "Cache read", align: "right", dropOrder: 4 },
    { title: "Cache write", align: "right", dropOrder: 5 },
    { title: "USD", align: "right" },
    { title: "No price", align: "right", dropOrder: 1 },
  ];
  const digits = digitsFor(Math.max(...groups.map(({ counts }) => counts.usd)));
  const cells = TOKEN_KINDS.map((kind) => {
    const format = formatTokenColumn(groups.map(({ counts }) => counts[kind]));
    return (counts: Counts) => (total[kind] > 0 || !kind.startsWith("cache") ? format(counts[kind]) : "");
  });
  const row = (name: string, counts: Counts): string[] => [
    terminal.foreign(name),
    String(counts.calls),
    ...cells.map((cell) => cell(counts)),
    usdOf(counts) === null ? "unknown" : formatCost(counts.usd, digits),
    counts.unpriced === 0 ? "" : String(counts.unpriced),
  ];
  const rows = groups.map(({ name = "-", counts }) => row(name, counts));
  const all = groups.length > 1 ? [...rows, row("Total", total)] : rows;
  const lines = layoutTable(columns, all, terminal.columns, style.bold);
  for (const line of lines) await terminal.print(line);
}

const TOKEN_KINDS = ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"] as const;

/** One precision for a column, by what is most in it. */
function digitsFor(usd: number): number {
  return usd >= 10 ? 2 : usd >= 0.1 ? 4 : 6;
}

function formatCost(usd: number, digits: number): string {
  const least = 10 ** -digits;
  return usd > 0 && usd < least ? `<${least.toFixed(digits)}` : usd.toFixed(digits);
}
