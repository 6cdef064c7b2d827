import type { Style } from "./color.ts";
import { renderInline } from "./markdown-inline.ts";
import { renderTable } from "./markdown-table.ts";
import { type TextRenderer, WordWrap } from "./word-wrap.ts";

/** What a line turned out to be; undefined while its beginning leaves that open. */
type LineKind = "code" | "text" | undefined;

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

  constructor(style: Style, columns: number, wrap = new WordWrap(columns)) {
    this.#style = style;
    this.#columns = columns;
    this.#wrap = wrap;
  }

  push(text: string): string {
    let shown = "";
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

  #isTableRow(): boolean {
    return this.#fence === undefined && this.#kind === undefined && /^\s*\|/.test(this.#held);
  }

  #endTable(): string {
    if (this.#table.length === 0) return "";
    const lines = renderTable(this.#table, this.#columns, this.#style) ?? this.#table;
    this.#table = [];
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
    const { shown, rest } = renderInline(held, isEnd, this.#style, this.#before);
    this.#held = rest;
    this.#before = held.charAt(held.length - rest.length - 1) || this.#before;
    const words = shown === "" ? "" : this.#wrap.push(this.#look(shown));
    return start + words + (isEnd ? this.#wrap.end() : "");
  }

  /** Decides what a line inside a fence is: code, or the fence's end. */
  #beginCode(fence: string, isEnd: boolean): string | undefined {
    const mayClose = /^[ \t]*(`*|~*)[ \t]*$/.exec(this.#held);
    if (mayClose && !isEnd) return undefined;
    this.#kind = "code";
    const [, mark = ""] = mayClose ?? [];
    if (!mark.startsWith(fence)) return "";
    this.#fence = undefined;
    return this.#take(this.#held.length, this.#style.dim(this.#held));
  }

  /** Decides what a line of text is by its beginning. Returns what is shown for that; undefined while it is open. */
  #beginText(isEnd: boolean): string | undefined {
    const line = this.#held;
    if (!isEnd && mayBecomeAnything(line)) return undefined;
    const fence = /^[ \t]*(`{3,}(?=[^`]*$)|~{3,})/.exec(line);
    if (fence) {
      if (!isEnd) return undefined;
      [, this.#fence] = fence;
      this.#kind = "code";
      return this.#take(line.length, this.#style.dim(line));
    }
    this.#kind = "text";
    if (/^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/.test(line)) {
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
      const start = `${item[1]}• `;
      return this.#take(item[0].length, this.#wrap.begin(start, " ".repeat(start.length)));
    }
    const quote = /^ {0,3}>[ \t]?/.exec(line);
    const bar = this.#style.dim("│ ");
    if (quote) return this.#take(quote[0].length, this.#wrap.begin(bar, bar));
    const [indent = ""] = /^ *(?:\d{1,9}[.)] +)?/.exec(line) ?? [];
    return this.#take(indent.length, this.#wrap.begin(indent, " ".repeat(indent.length)));
  }

  /** Takes so many characters off the line; `shown` stands for them. */
  #take(length: number, shown: string): string {
    this.#before = "";
    this.#held = this.#held.slice(length);
    return shown;
  }
}

function same(text: string): string {
  return text;
}

/** Whether the beginning of a line leaves open what the line is: only marks, numbers and spaces so far. */
function mayBecomeAnything(line: string): boolean {
  return /^[ \t]*(?:#{0,6}|`{0,2}|~{0,2}|[+>]|\d{1,9}[.)]?|[-*_][-*_ \t]*)[ \t]*$/.test(line);
}
