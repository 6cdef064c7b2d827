/**
 * Holds back half a character. A service may cut a text between the two halves of a surrogate pair (JSON can say each
 * of them), and a half that is written by itself is lost.
 */
export class WholeCharacters {
  #half = "";

  /** The text so far that ends with a whole character. */
  take(text: string): string {
    const joined = this.#half + text;
    const last = joined.charCodeAt(joined.length - 1);
    const isHalf = last >= 0xd8_00 && last <= 0xdb_ff;
    this.#half = isHalf ? joined.slice(-1) : "";
    return isHalf ? joined.slice(0, -1) : joined;
  }

  /** What is still held when nothing follows. */
  rest(): string {
    const rest = this.#half;
    this.#half = "";
    return rest;
  }
}
