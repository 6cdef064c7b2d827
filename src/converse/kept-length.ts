import { OpenclawError } from "../errors.ts";

/** What a piece of an answer counts for beside its texts, in characters: one that says nothing takes its place, too. */
const FRAME = `{"content":""}`.length;
/**
 * The longest answer that is kept whole, in characters: many times what any model puts out. A server that never ends must
 * not take all memory.
 */
const LONGEST_ANSWER = 24 * 1024 * 1024;

/** Counts what is kept of an answer: whoever keeps one has its own. */
export class KeptLength {
  #length = 0;

  /** Counts one piece with the lengths of its texts. Throws `bad-response` for an answer that is longer than any model's. */
  add(...lengths: readonly (number | undefined)[]): void {
    for (const length of lengths) this.#length += length ?? 0;
    this.#length += FRAME;
    if (this.#length <= LONGEST_ANSWER) return;
    throw new OpenclawError("bad-response", {
      message: `The answer has more than ${LONGEST_ANSWER} characters, which no model's has.`,
      hint: "Ask for less at once; if it stays, a proxy or another server is in between: openclaw doctor",
    });
  }
}
