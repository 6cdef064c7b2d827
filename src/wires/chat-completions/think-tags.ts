/** A piece of an answer's content. An empty one says nothing but that something came. */
export interface Piece {
  kind: "text" | "reasoning";
  text: string;
}

/**
 * What models write around their reasoning where the server leaves it in the content. Their chat templates have them:
 * `<think>` DeepSeek R1's, Qwen3's and most others', `◁think▷` Kimi's, `[THINK]` Magistral's, `<seed:think>` Seed-OSS's;
 * the others are what models are told to write (https://docs.vllm.ai/en/latest/features/reasoning_outputs.html).
 */
const TAGS: readonly (readonly [opening: string, closing: string])[] = [
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["<thought>", "</thought>"],
  ["<reasoning>", "</reasoning>"],
  ["<seed:think>", "</seed:think>"],
  ["[think]", "[/think]"],
  ["◁think▷", "◁/think▷"],
];
const OPENING = TAGS.map(([opening]) => opening);
const CLOSING = TAGS.map(([, closing]) => closing);
const LONGEST = Math.max(...CLOSING.map(({ length }) => length));

/**
 * Tells the reasoning in an answer's content from its text, however the content is cut into pieces. Reasoning stands at the
 * beginning, between tags; in code and in the middle of a text the same tags are text. An end that is missing is that of
 * the answer.
 */
export class ThinkTags {
  /** Whether the answer may begin inside of the tags, the opening one being part of the prompt. */
  #mayBeginInside: boolean;
  /**
   * `start`: nothing but blanks so far. `inside`: between tags. `either`: text, or reasoning whose end will tell.
   * `text`: nothing is looked for any more.
   */
  #place: "start" | "inside" | "either" | "text" = "start";
  #closing = "";
  /** What has come and is not passed on yet. */
  #held = "";
  /** How much of it was searched. */
  #searched = 0;
  /** Whether what is next begins a piece, the blanks before which are nobody's. */
  #isBlankNobodys = false;

  /**
   * With `mayBeginInside` an answer without an opening tag is held back until a closing one tells what it was:
   * https://github.com/deepseek-ai/DeepSeek-R1/issues/526.
   */
  constructor(mayBeginInside: boolean) {
    this.#mayBeginInside = mayBeginInside;
  }

  /** The server sends reasoning by itself: then the content has none before its first tag. */
  setApart(): void {
    this.#mayBeginInside = false;
  }

  /** Takes the next piece of content, and gives what of it is known by now. */
  take(content: string): Piece[] {
    if (this.#place === "text") return [{ kind: "text", text: content }];
    this.#held += content;
    const pieces: Piece[] = [];
    while (this.#step(pieces));
    return pieces;
  }

  /** What is left when the content is over. */
  end(): Piece[] {
    const text = this.#held;
    this.#held = "";
    if (text === "") return [];
    if (this.#place === "inside")
      return this.#isBlankNobodys && text.trim() === "" ? [] : [{ kind: "reasoning", text }];
    this.#place = "text";
    return [{ kind: "text", text: this.#isBlankNobodys ? text.trimStart() : text }];
  }

  /** Takes one step in what is held; false when it has to wait for more. */
  #step(pieces: Piece[]): boolean {
    switch (this.#place) {
      case "start":
        return this.#begin();
      case "inside":
        return this.#goOn(pieces);
      case "either":
        return this.#lookBack(pieces);
      case "text":
        pieces.push({ kind: "text", text: this.#held });
        this.#held = "";
        return false;
    }
  }

  #begin(): boolean {
    const begun = this.#held.trimStart();
    const word = begun.slice(0, LONGEST).toLowerCase();
    const tag = [...OPENING, ...CLOSING].find((each) => word.startsWith(each));
    if (tag !== undefined) {
      // A closing tag ends reasoning of no words, whose opening tag is part of the prompt.
      const closing = TAGS.find(([opening]) => opening === tag)?.[1];
      this.#place = closing === undefined ? "start" : "inside";
      this.#closing = closing ?? "";
      this.#held = begun.slice(tag.length);
      this.#isBlankNobodys = true;
      return true;
    }
    if (begun === "" || [...OPENING, ...CLOSING].some((each) => each.startsWith(word))) return false;
    const mayBeInside = this.#mayBeginInside && !this.#isBlankNobodys;
    this.#place = mayBeInside ? "either" : "text";
    if (this.#isBlankNobodys) this.#held = begun;
    return true;
  }

  #goOn(pieces: Piece[]): boolean {
    if (this.#isBlankNobodys) this.#held = this.#held.trimStart();
    const end = firstOf(this.#held, [this.#closing])?.at ?? -1;
    const known = end < 0 ? this.#held.length - tailOf(this.#held, this.#closing) : end;
    if (known > 0) {
      pieces.push({ kind: "reasoning", text: this.#held.slice(0, known) });
      this.#isBlankNobodys = false;
    }
    this.#held = this.#held.slice(end < 0 ? known : end + this.#closing.length);
    if (end < 0) return false;
    this.#place = "start";
    this.#isBlankNobodys = true;
    return true;
  }

  /** Looks for the closing tag of reasoning that has no opening one. */
  #lookBack(pieces: Piece[]): boolean {
    const from = Math.max(0, this.#searched - LONGEST);
    const closing = firstOf(this.#held, CLOSING, from, (at) => !isInCode(this.#held, at));
    const opening = firstOf(this.#held, OPENING, from);
    this.#searched = this.#held.length;
    // A text that has the opening tag, too, speaks of them.
    if (opening && (!closing || opening.at < closing.at)) {
      this.#place = "text";
      return true;
    }
    if (!closing) {
      pieces.push({ kind: "reasoning", text: "" });
      return false;
    }
    pieces.push({ kind: "reasoning", text: this.#held.slice(0, closing.at).trim() });
    this.#held = this.#held.slice(closing.at + closing.length);
    this.#place = "start";
    this.#isBlankNobodys = true;
    return true;
  }
}

/** How many characters at the end of a text may be the beginning of the tag. */
function tailOf(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1)
    if (tag.startsWith(text.slice(-length).toLowerCase())) return length;
  return 0;
}

/** The first of these tags in a text, in letters of any case, from a place on. */
function firstOf(
  text: string,
  tags: readonly string[],
  from = 0,
  counts: (at: number) => boolean = () => true,
): { at: number; length: number } | undefined {
  const pattern = new RegExp(tags.map((tag) => tag.replaceAll(/[[\]]/g, "\\$&")).join("|"), "gi");
  pattern.lastIndex = from;
  for (let found = pattern.exec(text); found; found = pattern.exec(text))
    if (counts(found.index)) return { at: found.index, length: found[0].length };
  return undefined;
}

/** Whether a place is in a code fence that is still open, or between backticks of its line. */
function isInCode(text: string, at: number): boolean {
  const before = text.slice(0, at);
  const fences = before.match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0;
  const ticks = before.slice(before.lastIndexOf("\n") + 1).match(/`/g)?.length ?? 0;
  return fences % 2 === 1 || ticks % 2 === 1;
}
