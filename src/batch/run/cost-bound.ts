import { OpenclawError } from "../../errors.ts";
import { roundUpUsd, usdAbove } from "../../models/usage.ts";

/** What a run may cost, in USD, counting what calls that are on their way may come to. */
export class CostBound {
  readonly most: number;
  #spent: number;
  #pending = 0;
  /** That are on their way. */
  #calls = 0;

  /** `spent` is what the run has cost before, in USD. */
  constructor(most: number, spent: number) {
    this.most = most;
    this.#spent = spent;
  }

  /** What was spent and what is on its way, in USD. */
  get committed(): number {
    return this.#spent + this.#pending;
  }

  /** Of the bound, in USD. */
  get left(): number {
    return this.most - this.committed;
  }

  get hasPending(): boolean {
    return this.#calls > 0;
  }

  /** Lets a call pass that costs at most so much; false where that is more than is left. */
  admit(usd: number): boolean {
    if (this.committed + usd > this.most) return false;
    this.#calls += 1;
    this.#pending += usd;
    return true;
  }

  /** A call that was let pass has ended, and cost so much. */
  settle(admitted: number, usd: number): void {
    this.#calls -= 1;
    // What floating point leaves of a sum is nothing that is on its way.
    this.#pending = this.#calls === 0 ? 0 : Math.max(0, this.#pending - admitted);
    this.#spent += usd;
  }
}

/** A run may not go on, because its next line may bring the cost to more than it may be. */
export class CostBoundReached extends OpenclawError {
  /** A bound that lets it go on: twice what the next line asks for, in USD. */
  readonly enough: number;

  /** The next line may cost `usd`. */
  constructor({ committed, most }: CostBound, usd: number) {
    const enough = roundUpUsd(2 * (committed + usd));
    const told = usdAbove(committed + usd, most);
    super("budget-exceeded", {
      message: `The next line may bring the cost to $${told.usd}, and --max-cost is $${told.bound}.`,
      hint: `Allow more: --max-cost ${enough}. Or leave --max-cost out.`,
      details: { usd: committed, maxCost: most },
    });
    this.enough = enough;
  }
}
