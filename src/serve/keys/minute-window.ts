import { type Left, MINUTE_MS, type RateState, RUNNING_RETRY_MS } from "./limit-store.ts";

interface Rates {
  rpm?: number | undefined;
  tpm?: number | undefined;
}

/** Something that counts for a minute. */
interface Entry {
  /** From when, in ms. */
  readonly at: number;
  amount: number;
  /** Whether it is the most that a call may come to which is not over. */
  isRunning: boolean;
}

/** What was taken in the last minute: each entry counts for 60 s. */
class LastMinute {
  /** In the order of their time; those before `#first` are over. */
  readonly #entries: Entry[] = [];
  #first = 0;
  #sum = 0;
  /** How much of the sum is of calls that are not over. */
  #running = 0;

  add(now: number, amount: number, isRunning = false): Entry {
    const entry = { at: now, amount, isRunning };
    this.#entries.push(entry);
    this.#sum += amount;
    if (isRunning) this.#running += amount;
    return entry;
  }

  /** Has the entry of a call that is over count what it came to, where it counts still. */
  end(now: number, entry: Entry, amount: number): void {
    this.sum(now);
    if (now - entry.at < MINUTE_MS) {
      this.#sum += amount - entry.amount;
      this.#running -= entry.amount;
    }
    entry.amount = amount;
    entry.isRunning = false;
  }

  sum(now: number): number {
    for (;;) {
      const entry = this.#entries[this.#first];
      if (entry === undefined || now - entry.at < MINUTE_MS) break;
      this.#sum -= entry.amount;
      if (entry.isRunning) this.#running -= entry.amount;
      this.#first += 1;
    }
    // Cut off when they are the greater part: each is moved once.
    if (this.#first > this.#entries.length / 2) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
    return this.#sum;
  }

  /** In how many ms nothing counts any more. */
  msUntilEmpty(now: number): number {
    this.sum(now);
    const last = this.#entries.at(-1);
    return last === undefined ? 0 : Math.max(0, MINUTE_MS - (now - last.at));
  }

  /**
   * In how many ms no more than `most` is left of what is there, if nothing is added; soon, where that may be so as soon as
   * running calls are over.
   */
  msUntil(now: number, most: number): number {
    let left = this.sum(now);
    const longest = left - this.#running <= most ? RUNNING_RETRY_MS : MINUTE_MS;
    for (let index = this.#first; left > most; index += 1) {
      const entry = this.#entries[index];
      if (entry === undefined) break;
      left -= entry.amount;
      if (left <= most) return Math.min(longest, MINUTE_MS - (now - entry.at));
    }
    return 0;
  }
}

export interface Passed {
  readonly tokens: Entry;
}

/** Why a call is not let pass, and for how long, in ms; undefined where it never will be. */
export interface Wait {
  by: "requests" | "tokens" | "size";
  retryMs: number | undefined;
}

/**
 * The calls of a key in the last minute. In no minute, wherever it begins, are more of them begun than `rpm`, nor such that
 * ask for more tokens than `tpm`. What a call used beyond what it asked for counts from when that is known.
 */
export class MinuteWindow {
  readonly #requests = new LastMinute();
  readonly #tokens = new LastMinute();

  /** Lets a call pass, or says why not. `now` is in ms, and never goes back. */
  take(now: number, { rpm, tpm }: Rates, tokens: number): Passed | Wait {
    if (tpm !== undefined && tokens > tpm) return { by: "size", retryMs: undefined };
    if (rpm !== undefined && this.#requests.sum(now) >= rpm)
      return { by: "requests", retryMs: this.#requests.msUntil(now, rpm - 1) };
    if (tpm !== undefined && this.#tokens.sum(now) + tokens > tpm)
      return { by: "tokens", retryMs: this.#tokens.msUntil(now, tpm - tokens) };
    return this.add(now, tokens);
  }

  /** Takes down a call that somebody else has let pass. */
  add(now: number, tokens: number): Passed {
    this.#requests.add(now, 1);
    return { tokens: this.#tokens.add(now, tokens, true) };
  }

  /** Puts what a call used in the place of what it asked for. */
  settle(now: number, { tokens: entry }: Passed, tokens: number): void {
    const asked = entry.amount;
    this.#tokens.end(now, entry, Math.min(asked, tokens));
    if (tokens > asked) this.#tokens.add(now, tokens - asked);
  }

  /** What is left of the limits. */
  state(now: number, { rpm, tpm }: Rates): RateState {
    const left = (limit: number, taken: LastMinute): Left => ({
      limit,
      remaining: Math.max(0, limit - taken.sum(now)),
      resetMs: taken.msUntilEmpty(now),
    });
    return {
      requests: rpm === undefined ? undefined : left(rpm, this.#requests),
      tokens: tpm === undefined ? undefined : left(tpm, this.#tokens),
    };
  }
}
