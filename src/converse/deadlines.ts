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
  /** The whole call, in ms. Undefined: as long as it takes. */
  totalMs: number | undefined;
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
    const { firstEventMs, totalMs } = bounds;
    const expireAfter = (ms: number, message: string, flag: string): NodeJS.Timeout =>
      setTimeout(() => this.#expire(message, flag), Math.min(ms, LONGEST_MS));
    const silent = `The model sent nothing for ${seconds(firstEventMs)}.`;
    this.#waiting = expireAfter(firstEventMs, silent, "--first-token-timeout");
    if (totalMs !== undefined)
      this.#total = expireAfter(totalMs, `The answer took longer than ${seconds(totalMs)}.`, "--timeout");
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

  /** Ends the watch. */
  stop(): void {
    clearTimeout(this.#waiting);
    clearTimeout(this.#total);
    this.#outer.removeEventListener("abort", this.#onOuterAbort);
  }

  #checkSilence(): void {
    const silenceMs = this.#silenceMs;
    const silent = this.#now() - (this.#lastEventAt ?? 0);
    if (silent >= silenceMs) return this.#expire(`The stream was silent for ${seconds(silenceMs)}.`);
    this.#waiting = setTimeout(() => this.#checkSilence(), silenceMs - silent);
  }

  #expire(message: string, flag?: string): void {
    const hint = flag ? `Try again, or allow more time with ${flag}.` : "Try again.";
    this.#controller.abort(new OpenclawError("timeout", { message, hint }));
  }
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
