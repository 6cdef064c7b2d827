import type { Stats } from "node:fs";
import path from "node:path";
import { OpenclawError } from "../errors.ts";
import { formatUsd, roundUpUsd } from "../models/usage.ts";
import type { Configuration } from "../config/settings.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { parseEntry } from "./entry.ts";
import { dayOf, ledgerFolder, monthOf, msUntilEnd } from "./ledger-files.ts";
import { findMonths, readLines, summedParts, unreadable } from "./read-ledger.ts";

type Limits = NonNullable<NonNullable<Configuration["usage"]>["budget"]>;

/** From this share of a budget on a warning says so. */
const WARNED_FROM = 0.8;

/** Days and months are those of UTC, by which AWS bills. */
const PERIODS = [
  { name: "daily", periodOf: dayOf, beginOf: (day: string) => `${day}, 00:00 UTC` },
  { name: "monthly", periodOf: monthOf, beginOf: (month: string) => `${month}-01, 00:00 UTC` },
] as const;

/** A day or month with a budget. */
interface BudgetPeriod {
  name: (typeof PERIODS)[number]["name"];
  /** In USD. */
  limit: number;
  /** What the days of it begin with. */
  period: string;
  /** Its beginning, in words. */
  begin: string;
}

/** The day and the month that a moment in ISO 8601 is in, where they have a budget. */
export function budgetPeriods(limits: Limits, now: string): BudgetPeriod[] {
  return PERIODS.flatMap(({ name, periodOf, beginOf }) => {
    const limit = limits[name];
    const period = periodOf(now);
    return limit === undefined ? [] : [{ name, limit, period, begin: beginOf(period) }];
  });
}

/** How much of a budget is spent, in words. */
export function tellSpent(spent: number, { name, limit }: Pick<BudgetPeriod, "name" | "limit">): string {
  return `$${formatUsd(spent)} of the ${name} budget of $${formatUsd(limit)}`;
}

/** What may be spent in a day and in a month, and what was. */
export class Budget {
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #isOn: boolean;
  readonly #spending: Spending;
  /** Periods that a warning was given of, and its budget. */
  readonly #warned = new Set<string>();

  constructor(runtime: Runtime, limits: Limits, isOn: boolean) {
    this.#runtime = runtime;
    this.#limits = limits;
    this.#isOn = isOn;
    this.#spending = new Spending(ledgerFolder(runtime));
  }

  /**
   * Throws `budget-exceeded` where a budget is spent, and warns, once in a period, where four fifths of it are. Calls that
   * are running, and those without a known price, count for nothing.
   */
  async check(): Promise<void> {
    const now = new Date(this.#runtime.now()).toISOString();
    const periods = budgetPeriods(this.#limits, now);
    if (periods.length === 0) return;
    if (!this.#isOn) throw withoutLedger();
    const byDay = await this.#spending.byDay(monthOf(now));
    for (const budgeted of periods) {
      const { name, limit, period, begin } = budgeted;
      const { usd: spent, dearest } = [...byDay]
        .filter(([day]) => day.startsWith(period))
        .reduce((sum, [, own]) => addSpent(sum, own), NOTHING);
      const told = tellSpent(spent, budgeted);
      if (spent >= limit) {
        const message = `${told} is spent since ${begin}.`;
        throw exceeded(budgeted, message, { enough: enoughFor(spent, dearest), now: this.#runtime.now() });
      }
      if (spent < limit * WARNED_FROM || this.#warned.has(name + period)) continue;
      this.#warned.add(name + period);
      const share = `${Math.floor((spent / limit) * 100)} %`;
      await this.#runtime.terminal.warn(
        `${told} is spent (${share}).`,
        `What for: openclaw usage --since ${name === "daily" ? "today" : "month"}`,
      );
    }
  }
}

/** A budget of which what is spent and a call like the dearest are less than a warning tells of, in USD. */
function enoughFor(spent: number, dearest: number): number {
  return spent > 0 ? roundUpUsd((spent + dearest) / WARNED_FROM) : 1;
}

function exceeded(
  { name, period }: BudgetPeriod,
  message: string,
  { enough, now }: { enough: number; now: number },
): OpenclawError {
  return new OpenclawError("budget-exceeded", {
    message,
    hint: `Raise it (openclaw config set ${quoteForShell(`usage.budget.${name}`)} ${enough}), or pass it once: --ignore-budget`,
    details: { retryAfter: Math.ceil(msUntilEnd(period, now) / 1000) },
  });
}

function withoutLedger(): OpenclawError {
  return new OpenclawError("config-invalid", {
    message: "usage.budget cannot be kept while usage.ledger is false: nobody knows what was spent.",
    hint: "openclaw config set usage.ledger true",
  });
}

/** What was spent in a time, and what one call of it cost at most, in USD. */
interface Spent {
  usd: number;
  dearest: number;
}

const NOTHING: Spent = { usd: 0, dearest: 0 };

function addSpent(one: Spent, other: Spent): Spent {
  return { usd: one.usd + other.usd, dearest: Math.max(one.dearest, other.dearest) };
}

/** What was spent on the days of a file, up to the last line that was read of it. */
class SpentInFile {
  readonly #inode: number;
  readonly byDay = new Map<string, Spent>();
  /** The names of the parts that are in it, where it is the sums. */
  readonly summed = new Set<string>();
  /** In bytes. */
  end = 0;

  constructor({ ino }: Stats) {
    this.#inode = ino;
  }

  /** Whether it is of this very file, of which there is no less than before. */
  isOf({ ino, size }: Stats): boolean {
    return this.#inode === ino && this.end <= size;
  }

  /** One without a line end may not be written whole yet. */
  take(line: string, end: number | undefined): void {
    if (end === undefined) return;
    this.end = end;
    const entry = parseEntry(line);
    if (!entry) {
      for (const name of summedParts(line)) this.summed.add(name);
      return;
    }
    const day = dayOf(entry.at);
    // Of a sum it is the mean that is known of a call.
    const own = { usd: entry.usd, dearest: entry.usd / Math.max(1, entry.calls) };
    this.byDay.set(day, addSpent(this.byDay.get(day) ?? NOTHING, own));
  }
}

/** What was spent, read from the ledger again only as far as it has grown. */
class Spending {
  readonly #folder: string;
  #read = new Map<string, SpentInFile>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What the days of a month cost. Throws `internal` for a ledger that cannot be read. */
  async byDay(month: string): Promise<Map<string, Spent>> {
    // Two at once would count the lines twice that have come since.
    const sum = this.#last.then(() => this.#sum(month));
    this.#last = sum.catch(() => undefined);
    try {
      return await sum;
    } catch (error) {
      throw unreadable(this.#folder, error);
    }
  }

  async #sum(month: string): Promise<Map<string, Spent>> {
    const byDay = new Map<string, Spent>();
    const files = (await findMonths(this.#folder)).find((found) => found.month === month);
    if (!files) return byDay;
    const read = new Map<string, SpentInFile>();
    // The sums last: they know of a part that is summed up meanwhile.
    for (const file of [files.current, ...files.parts, files.sums]) {
      const before = this.#read.get(file);
      const known = await readLines(file, (stats) =>
        before?.isOf(stats) === true ? before : new SpentInFile(stats),
      );
      if (known) read.set(file, known);
    }
    this.#read = read;
    const summed = read.get(files.sums)?.summed;
    for (const [file, known] of read) {
      if (summed?.has(path.basename(file))) continue;
      for (const [day, own] of known.byDay) byDay.set(day, addSpent(byDay.get(day) ?? NOTHING, own));
    }
    return byDay;
  }
}
