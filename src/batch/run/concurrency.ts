/** As many are asked at once to begin with. */
const FIRST = 4;
/** A throttle leaves so much of how many are asked at once. */
const CUT = 0.5;
/** Throttles within so many ms of one that was acted upon say nothing new. */
const CUT_MS = 2000;

/**
 * How many lines of one model are asked at once: a few at first, one more for each that is answered until the first throttle,
 * then one more for each round of answers; half as many after a throttle. Never more than `most`.
 */
export class Concurrency {
  readonly #most: number;
  readonly #now: () => number;
  #limit: number;
  #hasBeenCut = false;
  #cutAt = Number.NEGATIVE_INFINITY;

  /** `now` is in ms. */
  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
    this.#limit = Math.min(FIRST, most);
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  answered(): void {
    this.#limit = Math.min(this.#most, this.#limit + (this.#hasBeenCut ? 1 / this.#limit : 1));
  }

  throttled(): void {
    if (this.#now() - this.#cutAt < CUT_MS) return;
    this.#cutAt = this.#now();
    this.#hasBeenCut = true;
    this.#limit = Math.max(1, this.#limit * CUT);
  }
}
