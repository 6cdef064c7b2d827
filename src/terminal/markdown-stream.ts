import type { Style } from "./color.ts";
import { type Effort, renderInline } from "./markdown-inline.ts";
import { renderTable } from "./markdown-table.ts";
import { type TextRenderer, WordWrap } from "./word-wrap.ts";

/** What a line turned out to be; undefined while its beginning leaves that open. */
type LineKind = "code" | "text" | undefined;

/*
 * What an answer may cost. Beyond each of these it is shown as it came, which is what a text of that kind is better read
 * as anyway; time and memory grow with the length of the text and not faster.
 */
/** Of a line, the beginning that says what it is, in characters. */
const LONGEST_START = 1000;
/** A table is held back until it is whole: at most so many lines, and so many characters. */
const MOST_ROWS = 2000;
const LARGEST_TABLE = 256 * 1024;
const LONGEST_ROW = 16 * 1024;
/** Looks at characters in search of partners: at first, and more for each character that comes. */
const FIRST_EFFORT = 1_000_000;
const EFFORT = 32;

/**
 * Renders Markdown while it arrives: headings, emphasis, code spans, lists, quotes, rules, links and tables. What stands
 * in a fence is left as it is, so that it can be copied. A piece is held back only while it is open what it is, a word
 * and a table until they are whole. The text is neutral already; `columns` is the width for tables.
 */
export class MarkdownStream implements TextRenderer {
  readonly #style: Style;
  readonly #columns: number;
  readonly #wrap: WordWrap;
  /** The part of the current line that is not shown yet. */
  #held = "";
  #kind: LineKind;
  /** How the words of the current line look, all of them. */
  #look: (text: string) => string = same;
  /** The last character of the current line that was shown. */
  #before = "";
  /** The fence that the code stands in, such as ```` ``` ````. */
  #fence: string | undefined;
  #table: string[] = [];
  /** Characters of the table's lines. */
  #tableSize = 0;
  /** Whether the table has become too large, and its further lines are shown as they come. */
  #isRawTable = false;
  readonly #effort: Effort = { left: FIRST_EFFORT, depth: 0 };

  constructor(style: Style, columns: number, wrap = new WordWrap(columns)) {
    this.#style = style;
    this.#columns = columns;
    this.#wrap = wrap;
  }

  push(text: string): string {
    let shown = "";
    this.#effort.left += EFFORT * text.length;
    const lines = text.split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      this.#held += line;
      shown += this.#endLine();
    }
    this.#held += last;
    return shown + this.#show(false);
  }

  end(): string {
    const isEmpty = this.#held === "" && this.#kind === undefined;
    const shown = (isEmpty ? "" : this.#endLine()) + this.#endTable();
    this.#fence = undefined;
    // The line end is for whoever writes the answer.
    return shown.replace(/\n$/, "");
  }

  #endLine(): string {
    if (this.#isTableRow()) {
      this.#table.push(this.#held);
      this.#tableSize += this.#held.length;
      this.#held = "";
      return "";
    }
    const shown = `${this.#endTable()}${this.#show(true)}\n`;
    this.#held = "";
    this.#kind = undefined;
    this.#look = same;
    this.#before = "";
    return shown;
  }

  /** Whether the line is one of a table that is still held back. */
  #isTableRow(): boolean {
    if (this.#fence !== undefined || this.#kind !== undefined || !TABLE_ROW.test(this.#held)) return false;
    this.#isRawTable ||=
      this.#table.length >= MOST_ROWS ||
      this.#held.length > LONGEST_ROW ||
      this.#tableSize + this.#held.length > LARGEST_TABLE;
    return !this.#isRawTable;
  }

  #endTable(): string {
    if (this.#table.length === 0) return "";
    const table = this.#isRawTable
      ? undefined
      : renderTable(this.#table, this.#columns, this.#style, this.#effort);
    const lines = table ?? this.#table;
    this.#table = [];
    this.#tableSize = 0;
    return `${lines.join("\n")}\n`;
  }

  /** Shows as much of the current line as is certain; all of it at its end. */
  #show(isEnd: boolean): string {
    if (this.#isTableRow()) return "";
    let start = "";
    if (this.#kind === undefined) {
      const begun = this.#fence === undefined ? this.#beginText(isEnd) : this.#beginCode(this.#fence, isEnd);
      if (begun === undefined) return "";
      start = this.#endTable() + begun;
    }
    const held = this.#held;
    if (this.#kind === "code") {
      this.#held = "";
      return start + held;
    }
    const { shown, rest } = renderInline(held, isEnd, this.#style, this.#effort, this.#before);
    this.#held = rest;
    this.#before = held.charAt(held.length - rest.length - 1) || this.#before;
    const words = shown === "" ? "" : this.#wrap.push(this.#look(shown));
    return start + words + (isEnd ? this.#wrap.end() : "");
  }

  /** Decides what a line inside a fence is: code, or the fence's end. */
  #beginCode(fence: string, isEnd: boolean): string | undefined {
    const mayClose = this.#held.length > LONGEST_START ? null : /^[ \t]*(`*|~*)[ \t]*$/.exec(this.#held);
    if (mayClose && !isEnd) return undefined;
    this.#kind = "code";
    const [, mark = ""] = mayClose ?? [];
    if (!mark.startsWith(fence)) return "";
    this.#fence = undefined;
    return this.#take(this.#held.length, this.#style.dim(this.#held));
  }

  /** Decides what a line of text is by its beginning. Returns what is shown for that; undefined while it is open. */
  #beginText(isEnd: boolean): string | undefined {
    const line = this.#held.slice(0, LONGEST_START);
    const isWhole = line.length === this.#held.length;
    if (!isEnd && isWhole && mayBecomeAnything(line)) return undefined;
    const isRow = TABLE_ROW.test(line);
    // A row that comes here is one of a table that is too large.
    this.#isRawTable &&= isRow;
    if (this.#isRawTable) {
      this.#kind = "code";
      return "";
    }
    const fence = isWhole ? /^[ \t]*(`{3,}(?=[^`]*$)|~{3,})/.exec(line) : null;
    if (fence) {
      if (!isEnd) return undefined;
      [, this.#fence] = fence;
      this.#kind = "code";
      return this.#take(line.length, this.#style.dim(line));
    }
    this.#kind = "text";
    if (isWhole && /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/.test(line)) {
      return this.#take(line.length, this.#style.dim("─".repeat(Math.min(this.#columns, 40))));
    }
    const heading = /^ {0,3}(#{1,6})[ \t]+/.exec(line);
    if (heading?.[1] !== undefined) {
      const { bold, underline } = this.#style;
      this.#look = heading[1].length === 1 ? (text) => bold(underline(text)) : bold;
      return this.#take(heading[0].length, "");
    }
    const item = /^([ \t]*)[-*+][ \t]+(?=\S)/.exec(line);
    if (item?.[1] !== undefined) {
      return this.#take(item[0].length, this.#begin(`${item[1]}• `));
    }
    const quote = /^ {0,3}>[ \t]?/.exec(line);
    const bar = this.#style.dim("│ ");
    if (quote) return this.#take(quote[0].length, this.#wrap.begin(bar, bar));
    const [indent = ""] = /^ *(?:\d{1,9}[.)] +)?/.exec(line) ?? [];
    return this.#take(indent.length, this.#begin(indent));
  }

  /** Begins a line whose further rows begin below its words, unless that is beyond the middle of the screen. */
  #begin(start: string): string {
    return this.#wrap.begin(start, start.length * 2 > this.#columns ? "" : " ".repeat(start.length));
  }

  /** Takes so many characters off the line; `shown` stands for them. */
  #take(length: number, shown: string): string {
    this.#before = "";
    this.#held = this.#held.slice(length);
    return shown;
  }
}

const TABLE_ROW = /^\s*\|/;

function same(text: string): string {
  return text;
}

/** Whether the beginning of a line leaves open what the line is: only marks, numbers and spaces so far. */
function mayBecomeAnything(line: string): boolean {
  return /^[ \t]*(?:#{0,6}|`{0,2}|~{0,2}|[+>]|\d{1,9}[.)]?|[-*_][-*_ \t]*)[ \t]*$/.test(line);
}
