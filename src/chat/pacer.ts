/** The time as a pacer knows it. */
export interface PaceClock {
  /** In ms, and never back. */
  now(): number;
  /** Has work done in so many ms. Returns what takes that back. */
  after(ms: number, work: () => void): () => void;
}

/** What may be asked in a minute; undefined does not bind. */
export interface PaceLimits {
  tokens?: number | undefined;
  requests?: number | undefined;
}

/** A place that a call has taken, to be settled, given back or cut when it is known what became of the call. */
export interface PacePlace {
  /** How long the call waited for it, in ms. */
  readonly queuedMs: number;
  /** The call has ended and used so many tokens of the quota. */
  settle(tokens: number): void;
  /** The call was not made. */
  giveBack(): void;
  /** The service throttled the call for what it counts: less is let in from now on, and slowly more again. */
  cut(what: keyof PaceLimits): void;
}

/** The answer to a call that wants in. */
export type PaceAnswer =
  | { place: PacePlace }
  /** No room within the time. `retryMs` is when there may be some. */
  | { full: { queuedMs: number; retryMs: number } }
  /** It never fits: it wants more than the whole of the quota, of which so much there is. */
  | { tooLarge: { most: number } };

/**
 * So long counts what was let in, in ms: a minute, and what a call may be slower on its way to the service than one that
 * follows it.
 */
export const PACE_WINDOW_MS = 62_000;
/** A cut leaves this much of what was in use when the service throttled. */
const CUT = 0.75;
/** So much of what a cut left comes back in each ms: an eighth in a minute. */
const REGAINED_PER_MS = 1 / 8 / 60_000;

/** After a cut nobody is let in for so long, in ms, and twice as long after each that follows before anything was let in well. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 16_000;

/** What counts from a time on. A call has one, and a second where it used more than it had reserved. */
interface Taken {
  time: number;
  tokens: number;
  requests: number;
}

/** What a call takes of a quota of tokens. */
export interface PaceWish {
  /** When it begins. */
  reserved: number;
  /** When it has ended, as far as that can be told, where it may be more: output may count several times. */
  expected?: number | undefined;
}

interface Waiter {
  wish: PaceWish;
  since: number;
  admit: (place: PacePlace) => void;
}

/** One kind of quota: what is known of it, and what was learnt from being throttled. */
class Bound {
  /** As it is known; infinite where it is not. */
  given = Number.POSITIVE_INFINITY;
  #left: number | undefined;
  cutAt = Number.NEGATIVE_INFINITY;

  /** The most at a time. */
  at(now: number): number {
    if (this.#left === undefined) return this.given;
    const regained = this.#left * (1 + (now - this.cutAt) * REGAINED_PER_MS);
    if (regained >= this.given) this.#left = undefined;
    return Math.min(this.given, regained);
  }

  cut(used: number, now: number): void {
    this.#left = Math.min(used, this.at(now)) * CUT;
    this.cutAt = now;
  }
}

/**
 * Lets calls in so that what they reserve and what they used stays within the quota of any minute, in the order in which
 * they came; what does not fit waits. What the quota is may be known, or is learnt: each time that the service throttles,
 * less is let in, and as long as it does not, slowly more.
 */
export class Pacer {
  readonly #clock: PaceClock;
  readonly #bounds = { tokens: new Bound(), requests: new Bound() };
  readonly #taken: Taken[] = [];
  readonly #waiting: Waiter[] = [];
  #used = { tokens: 0, requests: 0 };
  /** What calls that are running are expected to take beyond what they have reserved. */
  #held = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #pauseMs = PAUSE_MS;
  #stopTimer = (): void => undefined;

  constructor(clock: PaceClock, limits: PaceLimits = {}) {
    this.#clock = clock;
    this.limitTo(limits);
  }

  /** What is known of the quota from now on. */
  limitTo({ tokens, requests }: PaceLimits): void {
    this.#bounds.tokens.given = tokens ?? Number.POSITIVE_INFINITY;
    this.#bounds.requests.given = requests ?? Number.POSITIVE_INFINITY;
    this.#letIn();
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Tokens and requests that count at this time. */
  get used(): { tokens: number; requests: number } {
    this.#forget();
    return { tokens: this.#used.tokens + this.#held, requests: this.#used.requests };
  }

  /**
   * Takes a place for a call, waiting for at most `mostMs`; with 0 it is there at once or not. Rejects with the reason of the
   * signal, and then the place in the queue is free.
   */
  async enter(wish: PaceWish, mostMs: number, signal?: AbortSignal): Promise<PaceAnswer> {
    signal?.throwIfAborted();
    const { given } = this.#bounds.tokens;
    if (wish.reserved > given || this.#bounds.requests.given < 1) return { tooLarge: { most: given } };
    const since = this.#clock.now();
    this.#forget();
    if (this.#waiting.length === 0 && this.#fits(wish)) return { place: this.#take(wish, since) };
    if (mostMs <= 0) return { full: { queuedMs: 0, retryMs: this.#msUntilFree(wish) } };
    return new Promise<PaceAnswer>((resolve, reject) => {
      const leave = (): void => {
        stopWaiting();
        signal?.removeEventListener("abort", onAbort);
        const at = this.#waiting.indexOf(waiter);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        // Who stood behind it may fit.
        if (at === 0) this.#letIn();
      };
      const onAbort = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      const waiter: Waiter = {
        wish,
        since,
        admit: (place) => {
          leave();
          resolve({ place });
        },
      };
      const stopWaiting = this.#clock.after(mostMs, () => {
        const retryMs = this.#msUntilFree(wish);
        leave();
        resolve({ full: { queuedMs: this.#clock.now() - since, retryMs } });
      });
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
      this.#letIn();
    });
  }

  /** Lets in who stands first for as long as they fit, and comes back when the next one may. */
  #letIn(): void {
    this.#stopTimer();
    this.#forget();
    for (let [first] = this.#waiting; first; [first] = this.#waiting) {
      if (!this.#fits(first.wish)) {
        this.#stopTimer = this.#clock.after(this.#msUntilFree(first.wish), () => this.#letIn());
        return;
      }
      this.#waiting.shift();
      first.admit(this.#take(first.wish, first.since));
    }
  }

  #fits(wish: PaceWish): boolean {
    return this.#clock.now() >= this.#pausedUntil && this.#hasRoom(wish, this.used);
  }

  #hasRoom(wish: PaceWish, { tokens, requests }: { tokens: number; requests: number }): boolean {
    const now = this.#clock.now();
    // What a cut left, or the quota, may be less than one call is expected to take: alone it may pass.
    if (tokens === 0 && requests === 0) return true;
    const wanted = tokens + wish.reserved + beyond(wish);
    return wanted <= this.#bounds.tokens.at(now) && requests + 1 <= this.#bounds.requests.at(now);
  }

  #take(wish: PaceWish, since: number): PacePlace {
    const now = this.#clock.now();
    const { reserved } = wish;
    const taken = this.#add({ time: now, tokens: reserved, requests: 1 });
    this.#held += beyond(wish);
    let isOpen = true;
    const once = (work: () => void) => (): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#held -= beyond(wish);
      work();
      this.#letIn();
    };
    return {
      queuedMs: now - since,
      settle: (used) =>
        once(() => {
          this.#change(taken, Math.min(used, reserved), 1);
          // What is used beyond what was reserved counts from when it is known.
          this.#pauseMs = PAUSE_MS;
          if (used > reserved) this.#add({ time: this.#clock.now(), tokens: used - reserved, requests: 0 });
        })(),
      giveBack: once(() => this.#change(taken, 0, 0)),
      cut: (what) =>
        once(() => {
          const bound = this.#bounds[what];
          // Those that were let in before the last cut say nothing new.
          if (now >= bound.cutAt) {
            bound.cut(this.#used[what], this.#clock.now());
            this.#pausedUntil = this.#clock.now() + this.#pauseMs;
            this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
          }
          this.#change(taken, 0, 0);
        })(),
    };
  }

  #add(taken: Taken): Taken {
    this.#taken.push(taken);
    this.#used.tokens += taken.tokens;
    this.#used.requests += taken.requests;
    return taken;
  }

  #change(taken: Taken, tokens: number, requests: number): void {
    this.#forget();
    if (!this.#taken.includes(taken)) return;
    this.#used.tokens += tokens - taken.tokens;
    this.#used.requests += requests - taken.requests;
    Object.assign(taken, { tokens, requests });
  }

  /** Forgets what no longer counts. */
  #forget(): void {
    const since = this.#clock.now() - PACE_WINDOW_MS;
    for (let [first] = this.#taken; first && first.time <= since; [first] = this.#taken) {
      this.#taken.shift();
      this.#used.tokens -= first.tokens;
      this.#used.requests -= first.requests;
    }
  }

  /** Ms until there is room for a call, as far as what counts now tells; at least 1. */
  #msUntilFree(wish: PaceWish): number {
    const used = this.used;
    let last = Math.max(this.#clock.now(), this.#pausedUntil);
    for (const { time, tokens, requests } of this.#taken) {
      if (this.#hasRoom(wish, used)) break;
      last = Math.max(last, time + PACE_WINDOW_MS);
      used.tokens -= tokens;
      used.requests -= requests;
    }
    // What calls that are running hold comes back when they end, and then it is looked at anew.
    return Math.max(this.#held > 0 ? 1000 : 1, last - this.#clock.now());
  }
}

/** What a call is expected to take beyond what it reserves. */
function beyond({ reserved, expected = reserved }: PaceWish): number {
  return Math.max(0, expected - reserved);
}
