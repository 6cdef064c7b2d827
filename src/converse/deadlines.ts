import { OpenclawError } from "../errors.ts";

export interface Bounds {
  /** Until the first event arrives, in ms. */
  firstEventMs: number;
  /** Between two events, in ms. */
  silenceMs: number;
  /** The whole call, in ms. Undefined: as long as it takes. */
  totalMs: number | undefined;
}

/** Watches over one streamed call: aborts it when nothing comes for too long, when it takes too long, or on a signal. */
export class Deadlines {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #bounds: Bounds;
  readonly #onOuterAbort = (): void => this.#controller.abort(this.#outer.reason);
  #lastEventAt: number | undefined;
  readonly #now: () => number;
  #waiting: NodeJS.Timeout;
  readonly #total: NodeJS.Timeout | undefined;

  constructor(bounds: Bounds, outer: AbortSignal, now: () => number) {
    this.#bounds = bounds;
    this.#outer = outer;
    this.#now = now;
    if (outer.aborted) this.#onOuterAbort();
    else outer.addEventListener("abort", this.#onOuterAbort, { once: true });
    this.#waiting = setTimeout(
      () =>
        this.#expire(`The model sent nothing for ${seconds(bounds.firstEventMs)}.`, "--first-token-timeout"),
      bounds.firstEventMs,
    );
    const { totalMs } = bounds;
    this.#total =
      totalMs === undefined
        ? undefined
        : setTimeout(
            () => this.#expire(`The answer took longer than ${seconds(totalMs)}.`, "--timeout"),
            totalMs,
          );
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
    this.#waiting = setTimeout(() => this.#checkSilence(), this.#bounds.silenceMs);
  }

  /** Ends the watch. */
  stop(): void {
    clearTimeout(this.#waiting);
    clearTimeout(this.#total);
    this.#outer.removeEventListener("abort", this.#onOuterAbort);
  }

  #checkSilence(): void {
    const { silenceMs } = this.#bounds;
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
