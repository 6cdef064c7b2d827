import { msUntilEnd } from "../../ledger/ledger-files.ts";

/** Amounts of money are whole billionths of a US dollar, which add up the same in every process and store. */
export const NANO_USD = 1e9;
/** What `rpm` and `tpm` count in, in ms. */
export const MINUTE_MS = 60_000;

/** What a key may spend in a day or month of UTC. */
export interface KeyBudget {
  name: "daily" | "monthly";
  /** What the days of it begin with: `2026-11-26`, `2026-11`. */
  period: string;
  /** In nano-USD. */
  limit: number;
}

/** A budget, and what of it is gone. */
export interface BudgetState extends KeyBudget {
  /** In nano-USD. */
  spent: number;
  /** Nano-USD that running calls may cost. */
  running: number;
}

/** What one call asks of the limits of its key before it runs. */
export interface Need {
  /** The name of the key. */
  key: string;
  rpm: number | undefined;
  tpm: number | undefined;
  budgets: readonly KeyBudget[];
  /** The most that it will use, as far as that is known. */
  tokens: number;
  /** The most that it will cost, in nano-USD. */
  cost: number;
}

/** How much of a limit is left, and how long until all of it is, in ms. */
export interface Left {
  limit: number;
  remaining: number;
  resetMs: number;
}

/** What is left of a key's limits by the minute. */
export interface RateState {
  requests?: Left | undefined;
  tokens?: Left | undefined;
}

export interface Use {
  tokens: number;
  /** In nano-USD. */
  cost: number;
}

/** A call that may run: what it asked for is taken until it is settled. */
export interface Granted {
  isGranted: true;
  rate: RateState;
  /** The most that it may cost, in nano-USD; undefined where what it needs is there. */
  most: number | undefined;
  /** What the budgets of the key were before it. */
  budgets: readonly BudgetState[];
  /** Puts what it used in the place of what it asked for. Never rejects. */
  settle: (use: Use) => Promise<void>;
}

/** Why a call may not run: too many in a minute, more at once than a minute has, or a budget without room. */
export interface Refused {
  isGranted: false;
  rate: RateState;
  by: "requests" | "tokens" | "size" | "budget";
  /** Until it is worth to ask again, in ms; undefined where that changes nothing. */
  retryMs: number | undefined;
  /** The budget that is spent, or that running calls may spend. */
  budget?: BudgetState;
}

/** Nano-USD of a day or month, of several counts by day. */
export function spentIn(period: string, ...counts: (ReadonlyMap<string, number> | undefined)[]): number {
  let sum = 0;
  for (const days of counts) for (const [day, cost] of days ?? []) if (day.startsWith(period)) sum += cost;
  return sum;
}

/** What budgets have room for, in nano-USD; without end where there are none. */
export function roomIn(budgets: readonly BudgetState[]): number {
  return Math.max(0, Math.min(...budgets.map(({ limit, spent, running }) => limit - spent - running)));
}

/** For calls that run and may end below what they were let pass with, in ms. */
export const RUNNING_RETRY_MS = 1000;

/**
 * In how many ms of `now` (ms since 1970) a budget may have room for so many nano-USD: when the calls that are running have
 * ended, or with its next day or month; undefined where even all of it is too little.
 */
export function msUntilRoom(
  { period, limit, spent }: BudgetState,
  cost: number,
  now: number,
): number | undefined {
  if (cost > limit) return undefined;
  return spent < limit && spent + cost <= limit ? RUNNING_RETRY_MS : msUntilEnd(period, now);
}

/** Of budgets that have no room at all the one that lacks it longest. */
export function longestOut(budgets: readonly BudgetState[], now: number): BudgetState | undefined {
  const wait = (budget: BudgetState): number => msUntilRoom(budget, 0, now) ?? 0;
  return budgets
    .filter(({ limit, spent, running }) => spent + running >= limit)
    .toSorted((one, other) => wait(other) - wait(one))[0];
}

/** `away`: each server counts alone meanwhile; `refusing`: calls under keys with limits are refused meanwhile. */
export type StoreState = "ok" | "away" | "refusing";

/** Where the rates and budgets of keys are counted. */
export interface LimitStore {
  /** Takes what a call needs, all of it or nothing. Throws `service-unavailable` where the store cannot be asked. */
  take(need: Need): Promise<Granted | Refused>;
  /** Of a store that several servers share; undefined for one in memory. */
  readonly state: StoreState | undefined;
  close(): Promise<void>;
}
