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

const KINDS = ["tokens", "requests"] as const;

/** What counts at one time. */
interface PaceUse {
  tokens: number;
  requests: number;
}

/** A place that a call has taken, to be settled, given back or cut when it is known what became of the call. */
export interface PacePlace {
  /** How long the call waited for it, in ms. */
  readonly queuedMs: number;
  /** The request goes out now: the service counts it from here, however long its credentials were in coming. */
  sent(): void;
  /** The call has ended and used so many tokens of the quota. */
  settle(tokens: number): void;
  /** The call was not made. */
  giveBack(): void;
  /**
   * The service throttled the call for what it counts: less is let in from now on, and slowly more again. Nobody is let in
   * before the `pauseMs` are over that the service asked for.
   */
  cut(what: keyof PaceLimits, pauseMs?: number): void;
}

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
const MINUTE_MS = 60_000;
/** A cut leaves this much of what the service has let through: more would soon be throttled again. */
const CUT = 0.95;
/** In the first minute after a cut so much of what it left comes back, and twice as much in each that follows. */
const REGAINED = 0.01;

/** After a cut nobody is let in for so long, in ms, and twice as long after each that follows before anything was let in well. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 16_000;

/** What was taken so close together counts until the last of it no longer does, so that there are few slices. In ms. */
const SLICE_MS = 100;
/** The longest that a timer of Node's waits, in ms; one that is to wait for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What was taken at about the same time. */
interface Slice {
  readonly begin: number;
  /** Of the last that was taken. */
  end: number;
  tokens: number;
  requests: number;
  /** Whether it is forgotten. */
  isOver: boolean;
}

/** What counts of one call. It has one, and a second where it used more than it had reserved. */
interface Taken {
  /** Undefined until it is sent: so long it counts. */
  slice: Slice | undefined;
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

/** A call that wants in. */
interface Comer {
  wish: PaceWish;
  since: number;
  /** Whether the service throttled it, so that it may find out alone whether there is room again. */
  comesBack: boolean;
}

interface Waiter extends Comer {
  admit: (place: PacePlace) => void;
  /** Who stands before and behind it; undefined once it has left. */
  neighbours: { before: Waiter | undefined; behind: Waiter | undefined } | undefined;
}

class WaitingLine {
  first: Waiter | undefined;
  #last: Waiter | undefined;
  length = 0;

  push(waiter: Waiter): void {
    waiter.neighbours = { before: this.#last, behind: undefined };
    if (this.#last?.neighbours) this.#last.neighbours.behind = waiter;
    else this.first = waiter;
    this.#last = waiter;
    this.length += 1;
  }

  unshift(waiter: Waiter): void {
    waiter.neighbours = { before: undefined, behind: this.first };
    if (this.first?.neighbours) this.first.neighbours.before = waiter;
    else this.#last = waiter;
    this.first = waiter;
    this.length += 1;
  }

  /** Takes somebody out, who may have left before. */
  remove(waiter: Waiter): void {
    if (!waiter.neighbours) return;
    const { before, behind } = waiter.neighbours;
    if (before?.neighbours) before.neighbours.behind = behind;
    else this.first = behind;
    if (behind?.neighbours) behind.neighbours.before = before;
    else this.#last = before;
    waiter.neighbours = undefined;
    this.length -= 1;
  }
}

/** Who is told that a signal is aborted. A signal with a listener for each of many calls takes long to find each of them. */
class Departures {
  readonly #told = new WeakMap<AbortSignal, Set<() => void>>();

  /** Has work done when the signal is aborted. Returns what takes that back. */
  on(signal: AbortSignal, work: () => void): () => void {
    const told = this.#told.get(signal) ?? this.#listen(signal);
    told.add(work);
    return () => void told.delete(work);
  }

  #listen(signal: AbortSignal): Set<() => void> {
    const told = new Set<() => void>();
    this.#told.set(signal, told);
    const tell = (): void => {
      for (const work of told) work();
    };
    signal.addEventListener("abort", tell, { once: true });
    return told;
  }
}

/** One kind of quota: what is known of it, and what was learnt from being throttled. */
class Bound {
  /** As it is known; infinite where it is not. */
  given = Number.POSITIVE_INFINITY;
  #left: number | undefined;
  #leftAt = 0;
  cutAt = Number.NEGATIVE_INFINITY;
  /** What was in use, with the call that was throttled, at the last cut. */
  tooMuch = Number.POSITIVE_INFINITY;

  /** The most at a time. */
  at(now: number): number {
    if (this.#left === undefined) return this.given;
    const minutes = (now - this.#leftAt) / MINUTE_MS;
    const regained = this.#left * (1 + REGAINED * (2 ** minutes - 1));
    if (regained >= this.given) this.#left = undefined;
    return Math.min(this.given, regained);
  }

  /** The service has throttled one, and let so much through. */
  cut(used: number, now: number): void {
    this.#left = Math.min(used * CUT, this.at(now));
    this.#leftAt = now;
  }

  /** So much is in use, and the service has let it through. */
  allow(used: number, now: number): void {
    if (this.#left === undefined || used <= this.at(now)) return;
    this.#left = used;
    this.#leftAt = now;
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
  /** As many as there are slices in the time that counts, at most. */
  readonly #slices: Slice[] = [];
  readonly #waiting = new WaitingLine();
  readonly #departures = new Departures();
  #used = { tokens: 0, requests: 0 };
  /** What calls that are running are expected to take beyond what they have reserved. */
  #held = 0;
  /** Calls that are let in and not yet sent. */
  #unsent = 0;
  /** Whether one that was throttled is on its way to find out whether there is room again. */
  #isTrying = false;
  /** Whether the last that tried was let through: then others may, too, one after another. */
  #isOpenAgain = false;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #pauseMs = PAUSE_MS;
  #stopTimer = (): void => undefined;

  constructor(clock: PaceClock, limits: PaceLimits = {}) {
    this.#clock = clock;
    this.limitTo(limits);
  }

  limitTo({ tokens, requests }: PaceLimits): void {
    this.#bounds.tokens.given = tokens ?? Number.POSITIVE_INFINITY;
    this.#bounds.requests.given = requests ?? Number.POSITIVE_INFINITY;
    this.#letIn();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Tokens and requests that count at this time. */
  get used(): PaceUse {
    this.#forget();
    return { tokens: this.#used.tokens + this.#held, requests: this.#used.requests };
  }

  /**
   * Takes a place for a call, waiting for at most `mostMs`; with 0 it is there at once or not. Who `comesBack`, because the
   * service did not answer, stands before all others. `onWaiting` is told that it waits, and in how many ms there may be room.
   * Rejects with the reason of the signal, and then the place in the line
   * is free.
   */
  async enter(
    wish: PaceWish,
    mostMs: number,
    signal?: AbortSignal,
    {
      comesBack = false,
      onWaiting,
    }: { comesBack?: boolean; onWaiting?: ((ms: number) => void) | undefined } = {},
  ): Promise<PaceAnswer> {
    signal?.throwIfAborted();
    const { given } = this.#bounds.tokens;
    if (wish.reserved > given || this.#bounds.requests.given < 1) return { tooLarge: { most: given } };
    const since = this.#clock.now();
    this.#forget();
    const newcomer = { wish, since, comesBack };
    if ((comesBack || this.#waiting.length === 0) && this.#fits(newcomer))
      return { place: this.#take(newcomer) };
    if (mostMs <= 0) return { full: { queuedMs: 0, retryMs: this.#msUntilFree(newcomer) } };
    onWaiting?.(this.#msUntilFree(newcomer));
    // Who is told may want no waiting.
    signal?.throwIfAborted();
    return new Promise<PaceAnswer>((resolve, reject) => {
      const leave = (): void => {
        stopWaiting();
        stopListening?.();
        const isFirst = this.#waiting.first === waiter;
        this.#waiting.remove(waiter);
        // Who stood behind it may fit.
        if (isFirst) this.#letIn();
      };
      const waiter: Waiter = {
        ...newcomer,
        admit: (place) => {
          leave();
          resolve({ place });
        },
        neighbours: undefined,
      };
      const stopWaiting = this.#afterAtMost(mostMs, () => {
        const retryMs = this.#msUntilFree(waiter);
        leave();
        resolve({ full: { queuedMs: this.#clock.now() - since, retryMs } });
      });
      const stopListening =
        signal &&
        this.#departures.on(signal, () => {
          leave();
          reject(signal.reason as Error);
        });
      if (comesBack) this.#waiting.unshift(waiter);
      else this.#waiting.push(waiter);
      if (this.#waiting.first === waiter) this.#letIn();
    });
  }

  #afterAtMost(ms: number, work: () => void): () => void {
    // Nobody has waited so long.
    return ms > LONGEST_TIMER_MS ? () => undefined : this.#clock.after(ms, work);
  }

  /** Lets in who stands first for as long as they fit, and comes back when the next one may. */
  #letIn(): void {
    this.#stopTimer();
    this.#forget();
    for (let { first } = this.#waiting; first; { first } = this.#waiting) {
      if (!this.#fits(first)) {
        this.#stopTimer = this.#clock.after(this.#msUntilFree(first), () => this.#letIn());
        return;
      }
      this.#waiting.remove(first);
      first.admit(this.#take(first));
    }
  }

  #fits(comer: Comer): boolean {
    return this.#clock.now() >= this.#pausedUntil && this.#hasRoom(comer, this.used);
  }

  #hasRoom(comer: Comer, used: PaceUse): boolean {
    const now = this.#clock.now();
    // What a cut left, or the quota, may be less than one call is expected to take: alone it may pass.
    if (used.tokens === 0 && used.requests === 0) return true;
    // Only what was learnt may be tried again.
    const tries = (comer.comesBack || this.#isOpenAgain) && !this.#isTrying;
    return this.#staysWithin(comer.wish, used, (bound) => (tries ? bound.given : bound.at(now)));
  }

  #staysWithin(wish: PaceWish, used: PaceUse, mostOf: (bound: Bound) => number): boolean {
    const { tokens, requests } = this.#bounds;
    return (
      used.tokens + wish.reserved + beyond(wish) <= mostOf(tokens) && used.requests + 1 <= mostOf(requests)
    );
  }

  #take({ wish, since }: Comer): PacePlace {
    const now = this.#clock.now();
    const { reserved } = wish;
    const tries = !this.#staysWithin(wish, this.used, (bound) => bound.at(now));
    if (tries) this.#isTrying = true;
    const taken: Taken = { slice: undefined, tokens: 0, requests: 0 };
    this.#change(taken, reserved, 1);
    this.#held += beyond(wish);
    this.#unsent += 1;
    const level = this.#usedLately();
    const send = (): void => {
      if (taken.slice) return;
      this.#unsent -= 1;
      this.#put(taken);
    };
    let isOpen = true;
    const once = (work: () => void): void => {
      if (!isOpen) return;
      isOpen = false;
      if (tries) this.#isTrying = false;
      this.#held -= beyond(wish);
      send();
      work();
      this.#letIn();
    };
    return {
      queuedMs: now - since,
      sent: () => {
        if (isOpen) send();
      },
      settle: (used) =>
        once(() => {
          this.#change(taken, Math.min(used, reserved), 1);
          // What is used beyond what was reserved counts from when it is known.
          this.#pauseMs = PAUSE_MS;
          if (tries) {
            // What was too much is let through, so it was not the quota.
            this.#isOpenAgain ||= KINDS.some((kind) => level[kind] >= this.#bounds[kind].tooMuch);
            this.#bounds.tokens.allow(this.#used.tokens, this.#clock.now());
            this.#bounds.requests.allow(this.#used.requests, this.#clock.now());
          }
          if (used <= reserved) return;
          const more: Taken = { slice: undefined, tokens: 0, requests: 0 };
          this.#put(more);
          this.#change(more, used - reserved, 0);
        }),
      giveBack: () => once(() => this.#change(taken, 0, 0)),
      cut: (what, pauseMs = 0) =>
        once(() => {
          const bound = this.#bounds[what];
          this.#isOpenAgain = false;
          let pause = pauseMs;
          const tooMuch = this.#used[what];
          this.#change(taken, 0, 0);
          // Who tried has told only that it is still full.
          if (!tries) bound.cut(this.#used[what], this.#clock.now());
          // Those that were let in before the last cut say only how much was let through.
          if (now >= bound.cutAt) {
            if (!tries) Object.assign(bound, { tooMuch, cutAt: this.#clock.now() });
            pause = Math.max(pause, this.#pauseMs);
            this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
          }
          this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + pause);
        }),
    };
  }

  /** Lets something count from now on, for as long as the service counts it. */
  #put(taken: Taken): void {
    const now = this.#clock.now();
    let slice = this.#slices.at(-1);
    if (!slice || now - slice.begin >= SLICE_MS) {
      slice = { begin: now, end: now, tokens: 0, requests: 0, isOver: false };
      this.#slices.push(slice);
    }
    slice.end = now;
    slice.tokens += taken.tokens;
    slice.requests += taken.requests;
    taken.slice = slice;
  }

  /** Lets something count as so much, unless it no longer counts. */
  #change(taken: Taken, tokens: number, requests: number): void {
    this.#forget();
    const { slice } = taken;
    if (slice?.isOver) return;
    for (const sum of slice ? [slice, this.#used] : [this.#used]) {
      sum.tokens += tokens - taken.tokens;
      sum.requests += requests - taken.requests;
    }
    Object.assign(taken, { tokens, requests });
  }

  /** Forgets what no longer counts. */
  #forget(): void {
    const since = this.#clock.now() - PACE_WINDOW_MS;
    for (let [first] = this.#slices; first && first.end <= since; [first] = this.#slices) {
      this.#slices.shift();
      first.isOver = true;
      this.#used.tokens -= first.tokens;
      this.#used.requests -= first.requests;
    }
  }

  /** What was let in within the last minute. */
  #usedLately(): PaceUse {
    const used = { ...this.#used };
    for (const { end, tokens, requests } of this.#slices) {
      if (end > this.#clock.now() - MINUTE_MS) break;
      used.tokens -= tokens;
      used.requests -= requests;
    }
    return used;
  }

  /** Ms until there is room for a call, as far as what counts now tells; at least 1. */
  #msUntilFree(comer: Comer): number {
    const used = this.used;
    let last = Math.max(this.#clock.now(), this.#pausedUntil);
    for (const { end, tokens, requests } of this.#slices) {
      if (this.#hasRoom(comer, used)) break;
      last = Math.max(last, end + PACE_WINDOW_MS);
      used.tokens -= tokens;
      used.requests -= requests;
    }
    // What calls that are running hold comes back when they end, and then it is looked at anew.
    return Math.max(this.#held > 0 || this.#unsent > 0 ? 1000 : 1, last - this.#clock.now());
  }
}

/** What a call is expected to take beyond what it reserves. */
function beyond({ reserved, expected = reserved }: PaceWish): number {
  return Math.max(0, expected - reserved);
}
