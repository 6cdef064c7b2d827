import { OpenclawError } from "../errors.ts";

/** Until the model says something, in ms. */
const FIRST_CONTENT_MS = 2 * 60_000;
/** The same for a model that reasons, which may say nothing of it. */
const REASONED_CONTENT_MS = 15 * 60_000;
/** Between an answer's last word and the end of its stream, in ms. */
const END_MS = 5000;
/** The longest that Node's timers wait; beyond it they fire at once. In ms. */
const LONGEST_MS = 2 ** 31 - 1;

export interface Bounds {
  /** Until the model says something, in ms. */
  firstEventMs: number;
  /** Between two events, in ms. */
  silenceMs: number;
  /** The whole turn, in ms. Undefined: as long as it takes. */
  totalMs: number | undefined;
  /** What of it is over when the call begins, in ms: by the calls before it. */
  spentMs?: number | undefined;
  /** Told when the call begins, which from then on is watched over. */
  onCall?: (() => void) | undefined;
}

/** Bounds as they are asked for. */
export type WantedBounds = Omit<Bounds, "firstEventMs"> & {
  /** Undefined: 2 minutes, or 15 for a model that reasons. */
  firstEventMs: number | undefined;
};

/** The bounds of one call. */
export function boundsFor(wanted: WantedBounds, isReasoning: boolean): Bounds {
  const firstEventMs = wanted.firstEventMs ?? (isReasoning ? REASONED_CONTENT_MS : FIRST_CONTENT_MS);
  return { ...wanted, firstEventMs };
}

/** Watches over one streamed call: aborts it when nothing comes for too long, when it takes too long, or on a signal. */
export class Deadlines {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onOuterAbort = (): void => this.#controller.abort(this.#outer.reason);
  #silenceMs: number;
  #lastEventAt: number | undefined;
  readonly #now: () => number;
  #waiting: NodeJS.Timeout;
  #total: NodeJS.Timeout | undefined;

  constructor(bounds: Bounds, outer: AbortSignal, now: () => number) {
    this.#silenceMs = bounds.silenceMs;
    this.#outer = outer;
    this.#now = now;
    if (outer.aborted) this.#onOuterAbort();
    else outer.addEventListener("abort", this.#onOuterAbort, { once: true });
    const { firstEventMs, totalMs, spentMs = 0, onCall } = bounds;
    onCall?.();
    const expireAfter = (ms: number, toError: () => OpenclawError): NodeJS.Timeout =>
      setTimeout(() => this.#controller.abort(toError()), Math.min(ms, LONGEST_MS));
    this.#waiting = expireAfter(firstEventMs, () => sentNothing(firstEventMs));
    if (totalMs !== undefined) this.#total = expireAfter(totalMs - spentMs, () => tookTooLong(totalMs));
  }

  /** Aborted when a bound is passed or the outer signal fires; the reason is the error to report. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Notes that an event arrived. Cheap: one timer serves a whole stream, however many events it has. */
  heard(): void {
    const isFirst = this.#lastEventAt === undefined;
    this.#lastEventAt = this.#now();
    if (!isFirst) return;
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#checkSilence(), this.#silenceMs);
  }

  /** The answer is whole: what may still come is bookkeeping, and nobody waits for that as for a model. */
  expectEnd(): void {
    this.#silenceMs = Math.min(this.#silenceMs, END_MS);
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#checkSilence(), this.#silenceMs);
  }

  stop(): void {
    clearTimeout(this.#waiting);
    clearTimeout(this.#total);
    this.#outer.removeEventListener("abort", this.#onOuterAbort);
  }

  #checkSilence(): void {
    const silenceMs = this.#silenceMs;
    const silent = this.#now() - (this.#lastEventAt ?? 0);
    if (silent >= silenceMs)
      return this.#controller.abort(late(`The stream was silent for ${seconds(silenceMs)}.`));
    this.#waiting = setTimeout(() => this.#checkSilence(), silenceMs - silent);
  }
}

/** Watches over the time of a turn of which a call of the model is only a part. A person's time to think does not count. */
export class TurnClock {
  readonly #controller = new AbortController();
  readonly #totalMs: number | undefined;
  readonly #now: () => number;
  #spentMs = 0;
  /** Since when it runs; undefined while it stands. */
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `totalMs` is all the time there is; undefined where it takes as long as it takes. */
  constructor(totalMs: number | undefined, now: () => number) {
    this.#totalMs = totalMs;
    this.#now = now;
    this.#run();
  }

  /** Aborted when the time is over; the reason is the `timeout` error to report. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What is over of it, in ms. */
  get spentMs(): number {
    return this.#spentMs + (this.#since === undefined ? 0 : this.#now() - this.#since);
  }

  /** Stands still while `work` is done. */
  async whileStanding<T>(work: () => Promise<T>): Promise<T> {
    this.stop();
    try {
      return await work();
    } finally {
      this.#run();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#spentMs = this.spentMs;
    this.#since = undefined;
  }

  #run(): void {
    this.#since = this.#now();
    const totalMs = this.#totalMs;
    if (totalMs === undefined) return;
    const expire = (): void => this.#controller.abort(tookTooLong(totalMs));
    this.#timer = setTimeout(expire, Math.min(totalMs - this.#spentMs, LONGEST_MS));
  }
}

/**
 * Watches over what comes before the first call, such as names, credentials and counts: it has no more time than was given
 * for the answer. The reason of its signal is the error to report.
 */
export function boundOpening({ firstEventMs, totalMs }: WantedBounds): {
  signal: AbortSignal;
  stop: () => void;
} {
  const controller = new AbortController();
  const timers = [[totalMs, tookTooLong] as const, [firstEventMs, sentNothing] as const].flatMap(
    ([ms, toError]) =>
      ms === undefined ? [] : setTimeout(() => controller.abort(toError(ms)), Math.min(ms, LONGEST_MS)),
  );
  return { signal: controller.signal, stop: () => timers.forEach((timer) => clearTimeout(timer)) };
}

function sentNothing(firstEventMs: number): OpenclawError {
  return late(`The model sent nothing for ${seconds(firstEventMs)}.`, "--first-token-timeout");
}

function tookTooLong(totalMs: number): OpenclawError {
  return late(`The answer took longer than ${seconds(totalMs)}.`, "--timeout");
}

function late(message: string, flag?: string): OpenclawError {
  const hint = flag ? `Try again, or allow more time with ${flag}.` : "Try again.";
  return new OpenclawError("timeout", { message, hint });
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** The error that an aborted call ends with. */
export function abortReason({ reason }: AbortSignal): OpenclawError {
  return reason instanceof OpenclawError
    ? reason
    : new OpenclawError("interrupted", { message: "Interrupted.", cause: reason });
}
