import type { PaceClock } from "../../src/chat/pacer.ts";

interface Item {
  at: number;
  nth: number;
  work: (() => void) | undefined;
}

/**
 * A clock that goes from one thing to do to the next, and lets everybody who waits have their turn between. `lateMs` says how
 * late a timer is, as those of a busy process are.
 */
export class SimulatedClock implements PaceClock {
  #now = 0;
  #nth = 0;
  /** A heap: what is due first is first. */
  readonly #due: Item[] = [];
  readonly #lateMs: () => number;

  constructor(lateMs = (): number => 0) {
    this.#lateMs = lateMs;
  }

  now = (): number => this.#now;

  after = (ms: number, work: () => void): (() => void) => {
    const item: Item = { at: this.#now + Math.max(0, ms) + this.#lateMs(), nth: this.#nth++, work };
    this.#push(item);
    return () => {
      item.work = undefined;
    };
  };

  /** Does what is due until so many ms have passed, or all there is. */
  async run(ms = Number.POSITIVE_INFINITY): Promise<void> {
    const end = this.#now + ms;
    for (let [next] = this.#due; next && next.at <= end; [next] = this.#due) {
      this.#pop();
      if (!next.work) continue;
      this.#now = next.at;
      next.work();
      // Promises that were settled have their turn.
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    }
    if (Number.isFinite(end)) this.#now = end;
  }

  #push(item: Item): void {
    const due = this.#due;
    let place = due.push(item) - 1;
    for (let up = (place - 1) >> 1; place > 0; up = (place - 1) >> 1) {
      const above = due[up];
      if (!above || isBefore(above, item)) break;
      due[place] = above;
      place = up;
    }
    due[place] = item;
  }

  #pop(): void {
    const due = this.#due;
    const last = due.pop();
    if (!last || due.length === 0) return;
    let place = 0;
    for (;;) {
      const [left, right] = [due[2 * place + 1], due[2 * place + 2]];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const below = isRight ? right : left;
      if (!below || isBefore(last, below)) break;
      due[place] = below;
      place = 2 * place + (isRight ? 2 : 1);
    }
    due[place] = last;
  }
}

function isBefore(one: Item, other: Item): boolean {
  return one.at < other.at || (one.at === other.at && one.nth < other.nth);
}

/** Numbers from 0 to 1 that are the same each time. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
