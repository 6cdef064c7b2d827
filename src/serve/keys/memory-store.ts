import {
  type Granted,
  type LimitStore,
  longestOut,
  msUntilRoom,
  type Need,
  type Refused,
  roomIn,
  spentIn,
  type Use,
} from "./limit-store.ts";
import { periodsAt } from "../../ledger/ledger-files.ts";
import type { Runtime } from "../../runtime.ts";
import { MinuteWindow, type Passed } from "./minute-window.ts";

interface Tally {
  window: MinuteWindow;
  /** Nano-USD that running calls may cost. */
  running: number;
  /** Nano-USD by day, since the process has counted. */
  spent: Map<string, number>;
}

/** What the ledger has of each key: nano-USD by day. */
type SpentBefore = ReadonlyMap<string, ReadonlyMap<string, number>>;

type Clock = Pick<Runtime, "now" | "elapsed">;

/** Counts in the memory of this process, on top of what the ledger had when it began to. */
export class MemoryStore implements LimitStore {
  readonly state = undefined;
  readonly #clock: Clock;
  readonly #readSpent: () => Promise<SpentBefore>;
  readonly #tallies = new Map<string, Tally>();
  #before: Promise<SpentBefore> | undefined;

  /** `readSpent` reads the ledger. */
  constructor(clock: Clock, readSpent: () => Promise<SpentBefore>) {
    this.#clock = clock;
    this.#readSpent = readSpent;
  }

  /** What was spent before, read once, when a budget is first asked for. Throws what the reading throws. */
  before(): Promise<SpentBefore> {
    if (this.#before) return this.#before;
    // What was counted so far is in the ledger.
    for (const { spent } of this.#tallies.values()) spent.clear();
    this.#before = this.#readSpent().catch((error: unknown) => {
      this.#before = undefined;
      throw error;
    });
    return this.#before;
  }

  async take(need: Need): Promise<Granted | Refused> {
    const before = need.budgets.length > 0 ? await this.before() : undefined;
    const now = this.#clock.elapsed();
    const tally = this.#tallyOf(need.key);
    const { window } = tally;
    const budgets = need.budgets.map((budget) => ({
      ...budget,
      spent: spentIn(budget.period, before?.get(need.key), tally.spent),
      running: tally.running,
    }));
    const over = longestOut(budgets, this.#clock.now());
    if (over) {
      const retryMs = msUntilRoom(over, 0, this.#clock.now());
      return { isGranted: false, rate: window.state(now, need), by: "budget", retryMs, budget: over };
    }
    const passed = window.take(now, need, need.tokens);
    if ("by" in passed) return { isGranted: false, rate: window.state(now, need), ...passed };
    const room = roomIn(budgets);
    const taken = budgets.length === 0 ? 0 : Math.min(need.cost, room);
    tally.running += taken;
    return {
      isGranted: true,
      rate: window.state(now, need),
      most: room < need.cost ? room : undefined,
      budgets,
      settle: async ({ tokens, cost }) => {
        tally.running -= taken;
        this.#settle(need.key, passed, tokens, cost);
      },
    };
  }

  /** Takes down a call that another store has let pass; returns what settles it. */
  add(key: string, tokens: number): (use: Use) => void {
    const passed = this.#tallyOf(key).window.add(this.#clock.elapsed(), tokens);
    return (use) => this.#settle(key, passed, use.tokens, use.cost);
  }

  async close(): Promise<void> {
    this.#tallies.clear();
  }

  #settle(key: string, passed: Passed, tokens: number, cost: number): void {
    const { window, spent } = this.#tallyOf(key);
    window.settle(this.#clock.elapsed(), passed, tokens);
    if (cost === 0) return;
    const { day } = periodsAt(this.#clock.now());
    spent.set(day, (spent.get(day) ?? 0) + cost);
  }

  #tallyOf(key: string): Tally {
    const known = this.#tallies.get(key);
    if (known) return known;
    const tally: Tally = { window: new MinuteWindow(), running: 0, spent: new Map() };
    this.#tallies.set(key, tally);
    return tally;
  }
}
