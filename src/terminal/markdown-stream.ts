import type { Style } from "./color.ts";
import { InlineState, renderInline } from "./markdown-inline.ts";
import { renderTable } from "./markdown-table.ts";
import { type TextRenderer, WordWrap } from "./word-wrap.ts";

/** What a line turned out to be; undefined while its beginning leaves that open. `raw` is shown as it comes. */
type LineKind = "code" | "raw" | "text" | undefined;

/*
 * What an answer may cost. Beyond each of these it is shown as it came, which is what a text of that kind is better read
 * as anyway; time and memory grow with the length of the text and not faster.
 */
/** Of a line, the beginning that says what it is, in characters. */
const LONGEST_START = 1000;
/** A line of code that is coloured when it is whole; the rest of its fence has no colours either. */
const LONGEST_CODE = 1000;
/** A table is held back until it is whole: at most so many lines, and so many characters. */
const MOST_ROWS = 2000;
const LARGEST_TABLE = 256 * 1024;
const LONGEST_ROW = 16 * 1024;
/** Quotes and items of lists, one in the other, at the beginning of a line. */
const MOST_CONTAINERS = 8;

/** Colours the next line of a piece of code. */
export type CodeColorer = (line: string) => string;

export interface MarkdownOptions {
  wrap?: WordWrap;
  /** Whether the marks of headings, emphasis and code are shown, for want of looks. */
  keepsMarks?: boolean;
  /** Whether the terminal shows words as links. */
  hasLinks?: boolean;
  /** What colours code in a language; undefined for one that nobody knows. */
  colorerOf?: (language: string) => CodeColorer | undefined;
  /** What a reference such as `&amp;` stands for; itself where that is nothing. */
  characterOf?: (reference: string) => string;
}

/** The fence that code stands in: its mark, such as ```` ``` ````, and how many quotes it stands in. */
interface Fence {
  mark: string;
  quotes: number;
  color: CodeColorer | undefined;
}

/** A table that is held back. */
interface Table {
  rows: string[];
  /** Characters of the rows. */
  size: number;
  quotes: number;
}

/**
 * Renders Markdown while it arrives: headings, emphasis, code, lists, quotes, rules, links and tables. Of code in a fence
 * nothing but the colours is changed, so that it can be copied. A piece is held back only while it is open what it is, a
 * word, a coloured line of code and a table until they are whole. The text is neutral already; `columns` is the width for
 * tables.
 */
export class MarkdownStream implements TextRenderer {
  readonly #style: Style;
  readonly #columns: number;
  readonly #wrap: WordWrap;
  readonly #colorerOf: (language: string) => CodeColorer | undefined;
  readonly #inline: InlineState;
  /** The part of the current line that is not shown yet. */
  #held = "";
  #kind: LineKind;
  /** How the words of the current line look, all of them. */
  #look: (text: string) => string = same;
  /** The last character of the current line that was shown. */
  #before = "";
  #fence: Fence | undefined;
  #table: Table | undefined;
  /** Whether the table has become too large, and its further lines are shown as they come. */
  #isRawTable = false;

  constructor(
    style: Style,
    columns: number,
    {
      wrap = new WordWrap(columns),
      keepsMarks = false,
      hasLinks = false,
      colorerOf = () => undefined,
      characterOf = same,
    }: MarkdownOptions = {},
  ) {
    this.#style = style;
    this.#columns = columns;
    this.#wrap = wrap;
    this.#colorerOf = colorerOf;
    this.#inline = new InlineState(style, { keepsMarks, hasLinks, characterOf });
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

  /** The languages of code that may begin in a text which is about to be pushed. */
  languagesIn(text: string): string[] {
    if (!text.includes("\n")) return [];
    const begun = (this.#held.slice(-LONGEST_START) + text).matchAll(CODE_BEGINS);
    return [...new Set(Array.from(begun, ([, language = ""]) => language.toLowerCase()))];
  }

  #endLine(): string {
    this.#endFenceOfQuote(true);
    const row = this.#rowOfTable();
    if (row) {
      const shown = this.#table?.quotes === row.quotes ? "" : this.#endTable();
      this.#table ??= { rows: [], size: 0, quotes: row.quotes };
      this.#table.rows.push(row.text);
      this.#table.size += row.text.length;
      this.#held = "";
      return shown;
    }
    const shown = `${this.#endTable()}${this.#show(true)}\n`;
    this.#held = "";
    this.#kind = undefined;
    this.#look = same;
    this.#before = "";
    this.#inline.isSpent = false;
    return shown;
  }

  /** The line as one of a table that is still held back; undefined where it is none. */
  #rowOfTable(): { text: string; quotes: number } | undefined {
    if (this.#fence !== undefined || this.#kind !== undefined) return undefined;
    const { depth: quotes, length } = readQuotes(this.#held.slice(0, LONGEST_START));
    if (!TABLE_ROW.test(this.#held.slice(length, LONGEST_START))) return undefined;
    const { rows = [], size = 0 }: Partial<Table> = this.#table?.quotes === quotes ? this.#table : {};
    this.#isRawTable ||=
      rows.length >= MOST_ROWS || this.#held.length > LONGEST_ROW || size + this.#held.length > LARGEST_TABLE;
    return this.#isRawTable ? undefined : { text: this.#held.slice(length), quotes };
  }

  #endTable(): string {
    if (!this.#table) return "";
    const { rows, quotes } = this.#table;
    this.#table = undefined;
    const bars = this.#bars(quotes);
    const indent = withoutTabs(/^[ \t]*/.exec(rows[0] ?? "")?.[0] ?? "");
    const room = Math.max(1, this.#columns - widthOfBars(quotes) - indent.length);
    const laid = this.#isRawTable ? undefined : renderTable(rows, room, this.#inline);
    const lines = laid ? laid.map((line) => (line === "" ? line : indent + line)) : rows;
    return lines.map((line) => `${bars}${line}\n`).join("");
  }

  /** Shows as much of the current line as is certain; all of it at its end. */
  #show(isEnd: boolean): string {
    this.#endFenceOfQuote(isEnd);
    if (this.#rowOfTable()) return "";
    let start = "";
    if (this.#kind === undefined) {
      const begun = this.#fence === undefined ? this.#beginText(isEnd) : this.#beginCode(this.#fence, isEnd);
      if (begun === undefined) return "";
      start = this.#endTable() + begun;
    }
    if (this.#kind === "text") return start + this.#showText(isEnd);
    if (this.#kind === "code" && this.#fence?.color) {
      const isLong = this.#held.length > LONGEST_CODE;
      if (isLong) this.#fence.color = undefined;
      else if (!isEnd) return start;
      else return start + this.#fence.color(this.#held);
    }
    return start + this.#take(this.#held.length, this.#held);
  }

  #showText(isEnd: boolean): string {
    const held = this.#held;
    const { shown, rest } = renderInline(held, isEnd, this.#inline, this.#before);
    this.#held = rest;
    this.#before = held.charAt(held.length - rest.length - 1) || this.#before;
    const words = shown === "" ? "" : this.#wrap.push(this.#look(shown));
    return words + (isEnd ? this.#wrap.end() : "");
  }

  /** Ends the code in a quote when a line has no part in it. */
  #endFenceOfQuote(isEnd: boolean): void {
    if (!this.#fence || this.#kind !== undefined) return;
    const line = this.#held.slice(0, LONGEST_START);
    const isOpen = !isEnd && /^[ >\t]*$/.test(line) && line.length === this.#held.length;
    if (!isOpen && readQuotes(line, this.#fence.quotes).depth < this.#fence.quotes) this.#fence = undefined;
  }

  /** Decides what a line inside a fence is: code, or the fence's end. */
  #beginCode({ mark, quotes }: Fence, isEnd: boolean): string | undefined {
    const start = readQuotes(this.#held.slice(0, LONGEST_START), quotes);
    const code = this.#held.slice(start.length);
    const isWhole = this.#held.length <= LONGEST_START;
    if (start.depth < quotes) return undefined;
    const mayClose = isWhole ? /^[ \t]*(`*|~*)[ \t]*$/.exec(code) : null;
    if (mayClose && !isEnd) return undefined;
    const bars = this.#bars(quotes);
    const [, end = ""] = mayClose ?? [];
    if (!end.startsWith(mark)) {
      this.#kind = "code";
      return this.#take(start.length, bars);
    }
    this.#fence = undefined;
    this.#kind = "raw";
    return this.#take(this.#held.length, bars + this.#style.dim(code));
  }

  /** Decides what a line of text is by its beginning. Returns what is shown for that; undefined while it is open. */
  #beginText(isEnd: boolean): string | undefined {
    const line = this.#held.slice(0, LONGEST_START);
    const isWhole = line.length === this.#held.length;
    const start = readStart(line);
    const content = line.slice(start.length);
    if (!isEnd && isWhole && mayBecomeAnything(content)) return undefined;
    const { style, keepsMarks } = this.#inline;
    const bars = this.#bars(start.quotes);
    const quoted = line.slice(start.quotesLength);
    const isRow = TABLE_ROW.test(quoted);
    // A row that comes here is one of a table that is too large.
    this.#isRawTable &&= isRow;
    if (this.#isRawTable) {
      this.#kind = "raw";
      return this.#take(start.quotesLength, bars);
    }
    const fence = isWhole ? /^[ \t]*(`{3,}(?=[^`]*$)|~{3,})[ \t]*\{?\.?([\w#+.-]*)/.exec(content) : null;
    if (fence) {
      if (!isEnd) return undefined;
      const [, mark = "", language = ""] = fence;
      this.#fence = { mark, quotes: start.quotes, color: this.#colorerOf(language.toLowerCase()) };
      this.#kind = "raw";
      return this.#take(line.length, bars + start.shown + style.dim(content));
    }
    this.#kind = "text";
    if (isWhole && /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/.test(quoted)) {
      return this.#take(line.length, bars + style.dim("─".repeat(Math.min(this.#columns, 40))));
    }
    const heading = /^ {0,3}(#{1,6})[ \t]+/.exec(content);
    if (heading?.[1] !== undefined) {
      const { bold, underline } = style;
      this.#look = heading[1].length === 1 ? (text) => bold(underline(text)) : bold;
    }
    const [lead] = heading ?? /^[ \t]*/.exec(content) ?? [""];
    const marks = heading && keepsMarks ? `${heading[1]} ` : "";
    const shown = start.shown + (heading ? marks : withoutTabs(lead));
    return this.#take(start.length + lead.length, this.#begin(start.quotes, shown));
  }

  /** Begins a line whose further rows begin below its words, unless that is beyond the middle of the screen. */
  #begin(quotes: number, shown: string): string {
    const bars = this.#bars(quotes);
    const fits = (width: number): boolean => width * 2 <= this.#columns;
    const space = fits(widthOfBars(quotes) + shown.length) ? " ".repeat(shown.length) : "";
    return this.#wrap.begin(bars + shown, fits(widthOfBars(quotes)) ? bars + space : "");
  }

  #bars(quotes: number): string {
    return quotes === 0 ? "" : this.#style.dim(BAR.repeat(quotes));
  }

  /** Takes so many characters off the line; `shown` stands for them. */
  #take(length: number, shown: string): string {
    this.#before = "";
    this.#held = this.#held.slice(length);
    return shown;
  }
}

const TABLE_ROW = /^\s*\|/;
const BAR = "│ ";

/** A line that begins code with the name of its language, whatever it stands in. */
const CODE_BEGINS = /^[ \t>*+\d.)[\]xX-]*(?:`{3,}|~{3,})[ \t]*\{?\.?([\w#+.-]+)/gm;

function same(text: string): string {
  return text;
}

function widthOfBars(quotes: number): number {
  return BAR.length * quotes;
}

/** Spaces in place of tabs, of which nobody knows how wide they are. */
function withoutTabs(space: string): string {
  return space.replaceAll("\t", "    ");
}

/** How many quotes a line begins in, at most so many, and the characters that say so. */
function readQuotes(line: string, most = MOST_CONTAINERS): { depth: number; length: number } {
  let depth = 0;
  let length = 0;
  for (; depth < most; depth += 1) {
    const quote = /^ {0,3}>[ \t]?/.exec(line.slice(length));
    if (!quote) break;
    length += quote[0].length;
  }
  return { depth, length };
}

/** What a line begins with before its content. */
interface Start {
  quotes: number;
  /** Characters of the quotes, and of the items, too. */
  quotesLength: number;
  length: number;
  /** What stands for the items of lists, a column wide each character. */
  shown: string;
}

/** Reads the quotes that a line stands in, and the items of lists that begin in it. */
function readStart(line: string): Start {
  const { depth: quotes, length: quotesLength } = readQuotes(line);
  let length = quotesLength;
  let shown = "";
  for (let items = 0; items < MOST_CONTAINERS; items += 1) {
    const item = /^([ \t]*)(?:[-*+]|(\d{1,9}[.)]))([ \t]+)(?=\S)/.exec(line.slice(length));
    if (!item) break;
    const [whole, lead = "", number, space = ""] = item;
    length += whole.length;
    const box = /^\[([ xX])\][ \t]+(?=\S)/.exec(line.slice(length));
    length += box?.[0].length ?? 0;
    const bullet = number === undefined ? (box ? "" : "• ") : number + withoutTabs(space);
    shown += withoutTabs(lead) + bullet + (box ? (box[1] === " " ? "☐ " : "☑ ") : "");
  }
  return { quotes, quotesLength, length, shown };
}

/** Whether the beginning of a line leaves open what the line is: only marks, numbers and spaces so far. */
function mayBecomeAnything(line: string): boolean {
  return /^[ \t]*(?:#{0,6}|`{0,2}|~{0,2}|[+>]|\d{1,9}[.)]?|[-*_][-*_ \t]*|\[[ xX]?\]?)[ \t]*$/.test(line);
}
