import type { Ask } from "../../converse/plan-request.ts";
import { textAt } from "../../json.ts";

/** What an answer may have before it is known how long they are, in tokens; with reasoning, which counts, more. */
const FIRST = 4096;
export const FIRST_REASONING = 16_384;
/** The least that is allowed, in tokens: an answer now and then is longer than those before it. */
const LEAST = 512;
/** So many answers tell how long they are. */
const ENOUGH = 50;
/** An answer may be so many times as long as the longest so far. */
const SPARE = 2;
/** With less than this nobody finds out how long answers are, in tokens. */
const LEAST_TO_TRY = 128;

/**
 * How many tokens the answers to lines may have that do not say so themselves. A call reserves them of the quota when it
 * begins, and all that the model can where none are named, so it is what the lines need: a usual number at first, and then
 * by the longest of the answers. One that ends there all the same is asked for again with all that the model can.
 */
export class AnswerLength {
  /** What the model can; undefined where that is not known. */
  readonly most: number | undefined;
  #answers = 0;
  #longest = 0;

  constructor(most?: number) {
    this.most = most;
  }

  /** What is allowed to begin with, in tokens. */
  get usual(): number {
    return Math.min(FIRST, this.most ?? FIRST);
  }

  /** For the next line. Where money is short, the first answer has to tell how long they are. */
  allowedFor(ask: Pick<Ask, "parameters" | "ownFields">, { isShort = false } = {}): number {
    return Math.min(this.#neededFor(ask, isShort ? 1 : ENOUGH), this.most ?? Number.POSITIVE_INFINITY);
  }

  /** With fewer tokens a line is not worth to be asked, as far as the answers so far tell. */
  leastFor(ask: Pick<Ask, "parameters" | "ownFields">): number {
    if (isReasoning(ask)) return FIRST_REASONING;
    return this.#answers === 0 ? LEAST_TO_TRY : this.#longest;
  }

  #neededFor(ask: Pick<Ask, "parameters" | "ownFields">, enough: number): number {
    if (isReasoning(ask)) return FIRST_REASONING;
    if (this.#answers < enough) return FIRST;
    return Math.max(LEAST, 2 ** Math.ceil(Math.log2(Math.max(1, this.#longest * SPARE))));
  }

  /** Learns how long an answer was, in tokens, that no line has bounded. */
  learn(outputTokens: number): void {
    this.#answers += 1;
    this.#longest = Math.max(this.#longest, outputTokens);
  }
}

function isReasoning({
  parameters: { reasoning = "off" },
  ownFields = {},
}: Pick<Ask, "parameters" | "ownFields">) {
  const own =
    textAt(ownFields["thinking"], "type") ?? textAt(ownFields["reasoningConfig"], "type") ?? "disabled";
  return reasoning !== "off" || own !== "disabled" || ownFields["reasoning_effort"] !== undefined;
}
