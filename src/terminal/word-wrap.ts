import stringWidth from "string-width";

/** Turns text that arrives in pieces into what is shown of it. */
export interface TextRenderer {
  /** Takes a piece; returns what can be shown by now. */
  push(text: string): string;
  /** Returns what was still held back, and begins anew. */
  end(): string;
}

/** Spaces, styles, characters of scripts that are written without spaces, and what else makes up a word. */
const PIECES =
  /\s+|\u001B\[[\d;]*m|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\u001B\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu;

/**
 * Breaks lines between words while they arrive. A word waits until it is whole; one that is longer than a line is left to
 * the terminal. Styles may be among the words and have no width.
 */
export class WordWrap {
  readonly #columns: number;
  #column = 0;
  /** Spaces before the word that is being put together. */
  #space = "";
  #word = "";
  /** What the further rows of this line begin with. */
  #indent = "";

  /** `columns` may be Infinity, which breaks nothing. */
  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Begins a line with a text of its own, such as a bullet. */
  begin(start: string, indent: string): string {
    this.#indent = indent;
    this.#column = stringWidth(start);
    return start;
  }

  /** Takes a part of the line; returns the words that are whole. */
  push(text: string): string {
    if (!Number.isFinite(this.#columns)) return text;
    let shown = "";
    for (const [piece] of text.matchAll(PIECES)) {
      if (/^\s/.test(piece)) {
        shown += this.#endWord();
        this.#space += piece;
      } else if (/^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(piece)) {
        shown += this.#endWord();
        this.#word = piece;
      } else this.#word += piece;
    }
    return shown;
  }

  /** Returns the last word of the line. Spaces at the end of a line show nothing. */
  end(): string {
    const shown = this.#endWord();
    this.#column = 0;
    this.#space = "";
    this.#indent = "";
    return shown;
  }

  #endWord(): string {
    const [space, word] = [this.#space, this.#word];
    if (word === "") return "";
    this.#space = "";
    this.#word = "";
    const width = stringWidth(word);
    // A style alone stands for no word.
    if (width === 0 && space === "") return word;
    const [spaceWidth, indentWidth] = [stringWidth(space), stringWidth(this.#indent)];
    if (this.#column > indentWidth && this.#column + spaceWidth + width > this.#columns) {
      this.#column = indentWidth + width;
      return `\n${this.#indent}${word}`;
    }
    this.#column += spaceWidth + width;
    return space + word;
  }
}

/** Breaks a text of several lines between words while it arrives. */
export class WrappedText implements TextRenderer {
  readonly #wrap: WordWrap;

  constructor(columns: number) {
    this.#wrap = new WordWrap(columns);
  }

  push(text: string): string {
    const [first = "", ...others] = text.split("\n");
    return (
      this.#wrap.push(first) + others.map((line) => `${this.#wrap.end()}\n${this.#wrap.push(line)}`).join("")
    );
  }

  end(): string {
    return this.#wrap.end();
  }
}

/**
 * Breaks a text between words into lines of at most `columns`; a longer word stands alone and is never cut. Infinity, as
 * in a pipe, breaks nothing.
 */
export function wrapText(text: string, columns: number): string[] {
  const wrap = new WrappedText(columns);
  return (wrap.push(text) + wrap.end()).split("\n");
}
