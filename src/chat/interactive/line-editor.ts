import stringWidth from "string-width";
import type { Style } from "../../terminal/color.ts";
import { neutralise, ownSequence } from "../../terminal/neutralise.ts";
import { widest } from "../../terminal/table.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { isUnfinished, withoutContinuation } from "./block.ts";
import { hang } from "../../terminal/word-wrap.ts";
import { CLEAR_BELOW, right, ROW_START, up } from "./cursor.ts";
import type { Keyboard } from "./keyboard.ts";
import {
  editLine,
  EMPTY_BUFFER,
  insertText,
  isCharacter,
  type Key,
  type LineBuffer,
  moveLine,
} from "./line-buffer.ts";
import { layOut, type ScreenLayout } from "./screen-layout.ts";

/*
 * An editor of our own, because node:readline edits one line: a pasted text would be sent line by line, and how it shows
 * a text with line ends differs from one Node to the next. It still reads the keys.
 */

const PROMPT = "> ";
const CLEAR_SCREEN = ownSequence("", "H") + ownSequence("2", "J") + ownSequence("3", "J");

/** What may stand in place of the text before the cursor. */
export interface Completions {
  /** Where the part begins that is completed. */
  from: number;
  candidates: readonly string[];
}

export interface LineEditorParts {
  keyboard: Pick<Keyboard, "isIdle" | "next">;
  screen: Screen;
  style: Style;
  /** What was typed before, the oldest first. */
  history: () => readonly string[];
  complete: (textBeforeCursor: string) => Promise<Completions>;
  /** What a pasted text stands for, and what a person is told of it; undefined for one that is what it is. */
  readPaste: (pasted: string) => Promise<{ text: string; says: readonly string[] } | undefined>;
  /** Lets the person edit a text in a program of their own; undefined where that was told to have failed. */
  edit: (text: string) => Promise<string | undefined>;
  /** Whether the terminal lays the line at the cursor out anew when its width changes. */
  reflows: boolean;
}

/** What a person did: sent a text, interrupted while one stood there, or left. */
export type Entry = { kind: "text"; text: string } | { kind: "interrupt"; text: string } | { kind: "end" };

/** A search for the newest entry that has a text in it, or the next older one. */
interface HistorySearch {
  query: string;
  /** Where in the history the last one was found. */
  place: number;
  hasFailed: boolean;
  /** What stood there before. */
  before: LineBuffer;
}

/** Lets a person edit a text of several lines at the terminal's cursor, with history and completion. */
export class LineEditor {
  readonly #parts: LineEditorParts;
  #buffer: LineBuffer = EMPTY_BUFFER;
  /** Which entry of the history stands there; undefined for a text of its own. */
  #historyPlace: number | undefined;
  /** The text that was there before the history was gone through. */
  #draft = "";
  #search: HistorySearch | undefined;
  /** Whether Ctrl-X was the last key: it begins one of two. */
  #hasPrefix = false;
  /** The row of the cursor, counted from the first row that is drawn. */
  #drawnRow = 0;

  constructor(parts: LineEditorParts) {
    this.#parts = parts;
  }

  /** Reads one text, which begins as `draft`. Rejects with the reason of the runtime's signal. */
  async read(draft = ""): Promise<Entry> {
    const { keyboard, screen } = this.#parts;
    this.#buffer = { text: draft, cursor: draft.length, cut: this.#buffer.cut };
    this.#historyPlace = undefined;
    this.#search = undefined;
    this.#drawnRow = 0;
    const stopResizing = screen.onResize(() => this.#redrawResized());
    try {
      for (;;) {
        // Not between keys that came at once, such as what was typed while an answer came.
        if (keyboard.isIdle) this.#draw();
        const key = await keyboard.next();
        const entry = key ? await this.#press(key) : ({ kind: "end" } as const);
        if (entry) {
          this.#moveToEnd(entry.kind === "interrupt" && entry.text !== "" ? "^C" : "");
          return entry;
        }
      }
    } catch (error) {
      // Whatever is printed next begins a line of its own.
      this.#moveToEnd();
      throw error;
    } finally {
      stopResizing();
    }
  }

  async #press(key: Key): Promise<Entry | undefined> {
    if (this.#search && this.#pressInSearch(key, this.#search)) return undefined;
    const { name, ctrl, meta } = key;
    const { text } = this.#buffer;
    const isSecond = this.#hasPrefix;
    this.#hasPrefix = ctrl && name === "x";
    if (isSecond && ctrl && name === "e") {
      await this.#editElsewhere();
      return undefined;
    }
    if (ctrl && name === "c") return { kind: "interrupt", text };
    if (ctrl && name === "d" && text === "") return { kind: "end" };
    if ((name === "return" || name === "enter") && !meta) return this.#enter();
    if (name === "tab" && !meta) await this.#complete();
    else if (ctrl && name === "l") this.#clearScreen();
    else if (ctrl && name === "r") this.#beginSearch();
    else if (name === "paste") await this.#paste(key.text);
    else if (name === "redraw") this.#drawnRow = 0;
    else if (name === "up" || (ctrl && name === "p")) this.#goVertically(-1);
    else if (name === "down" || (ctrl && name === "n")) this.#goVertically(1);
    else {
      const edited = editLine(this.#buffer, key);
      if (edited && edited.text !== text) this.#historyPlace = undefined;
      this.#buffer = edited ?? this.#buffer;
    }
    return undefined;
  }

  #enter(): Entry | undefined {
    const { text, cursor } = this.#buffer;
    if (!isUnfinished(text)) return { kind: "text", text };
    const isAtEnd = cursor === text.length;
    const shortened = isAtEnd ? withoutContinuation(text) : text;
    this.#buffer = insertText(
      { ...this.#buffer, text: shortened, cursor: Math.min(cursor, shortened.length) },
      "\n",
    );
    return undefined;
  }

  /** Goes up (-1) or down (1), beyond the text into the history. */
  #goVertically(direction: -1 | 1): void {
    const moved = moveLine(this.#buffer, direction);
    if (moved) this.#buffer = moved;
    else this.#recall(direction);
  }

  /** Goes to the next older (-1) or newer (1) entry that begins with what was typed. */
  #recall(direction: -1 | 1): void {
    const entries = this.#parts.history();
    if (this.#historyPlace === undefined) {
      if (direction > 0) return;
      this.#draft = this.#buffer.text;
    }
    let place = (this.#historyPlace ?? entries.length) + direction;
    while (place >= 0 && place < entries.length && !entries[place]?.startsWith(this.#draft))
      place += direction;
    if (place < 0) return;
    const text = entries[place] ?? this.#draft;
    this.#historyPlace = place < entries.length ? place : undefined;
    this.#buffer = { ...this.#buffer, text, cursor: text.length };
  }

  #beginSearch(): void {
    this.#search = {
      query: "",
      place: this.#parts.history().length,
      hasFailed: false,
      before: this.#buffer,
    };
  }

  /** Whether a key was one of the search; any other ends it and does what it does with the entry that was found. */
  #pressInSearch(key: Key, search: HistorySearch): boolean {
    const { name, ctrl } = key;
    if (name === "redraw" || (ctrl && name === "l")) return false;
    if (ctrl && name === "r") this.#find(search, search.place - 1, -1);
    else if (ctrl && name === "s") this.#find(search, search.place + 1, 1);
    else if (name === "backspace" || (ctrl && name === "h")) {
      search.query = Array.from(search.query).slice(0, -1).join("");
      this.#find(search, this.#parts.history().length - 1, -1);
    } else if (name === "paste" || isCharacter(key)) {
      search.query += key.text;
      this.#find(search, search.place, -1);
    } else {
      this.#search = undefined;
      const takesBack = ctrl && (name === "c" || name === "g");
      if (takesBack) this.#buffer = { ...search.before, cut: this.#buffer.cut };
      return takesBack || name === "escape";
    }
    return true;
  }

  /** Goes from a place of the history to the next entry that has the query in it, in any case unless it has capitals. */
  #find(search: HistorySearch, from: number, step: -1 | 1): void {
    const { query } = search;
    search.hasFailed = false;
    if (query === "") return;
    const entries = this.#parts.history();
    const hasCapitals = query !== query.toLowerCase();
    for (
      let place = Math.min(from, entries.length - 1);
      place >= 0 && place < entries.length;
      place += step
    ) {
      const entry = entries[place] ?? "";
      const cursor = (hasCapitals ? entry : entry.toLowerCase()).indexOf(query);
      // The same text again is no other one.
      if (cursor < 0 || (place !== search.place && entry === this.#buffer.text)) continue;
      search.place = place;
      this.#historyPlace = place;
      this.#draft = "";
      this.#buffer = { ...this.#buffer, text: entry, cursor: Math.min(cursor, entry.length) };
      return;
    }
    search.hasFailed = true;
  }

  async #editElsewhere(): Promise<void> {
    this.#writeAbove([]);
    const text = await this.#parts.edit(this.#buffer.text);
    if (text === undefined) return;
    this.#buffer = { ...this.#buffer, text, cursor: text.length };
    this.#historyPlace = undefined;
  }

  /** Puts a pasted text where the cursor stands, or what it stands for. */
  async #paste(pasted: string): Promise<void> {
    // What a command is given is not looked at twice.
    const meant = /^[/!]/.test(this.#buffer.text) ? undefined : await this.#parts.readPaste(pasted);
    const { text, cursor } = this.#buffer;
    const gap = meant && cursor > 0 && !/\s/.test(text[cursor - 1] ?? "") ? " " : "";
    this.#buffer = insertText(this.#buffer, `${gap}${meant?.text ?? pasted}`);
    this.#historyPlace = undefined;
    if (meant) this.#writeAbove(meant.says);
  }

  /** Puts lines in the place of the prompt, which is drawn anew below them. */
  #writeAbove(lines: readonly string[]): void {
    const { screen, style } = this.#parts;
    const shown = lines
      .flatMap((line) => hang("", neutralise(line), screen.columns))
      .map((line) => `${style.dim(line)}\n`)
      .join("");
    screen.write(`${ROW_START}${up(this.#drawnRow)}${CLEAR_BELOW}${shown}`);
    this.#drawnRow = 0;
  }

  async #complete(): Promise<void> {
    const { text, cursor } = this.#buffer;
    const { from, candidates } = await this.#parts.complete(text.slice(0, cursor));
    const [first] = candidates;
    if (first === undefined) return;
    const common = candidates.reduce(commonStart);
    const completed = candidates.length === 1 && !/[/:]$/.test(common) ? `${common} ` : common;
    const typed = text.slice(from, cursor);
    if (completed.length > typed.length || candidates.length === 1) {
      this.#buffer = insertText(
        { ...this.#buffer, text: text.slice(0, from) + text.slice(cursor), cursor: from },
        completed,
      );
    } else this.#list(candidates);
  }

  /** Shows the candidates above a prompt that is drawn anew. */
  #list(names: readonly string[]): void {
    const { screen, style } = this.#parts;
    const candidates = names.map(neutralise);
    const width = widest(candidates) + 2;
    const perRow = Math.max(1, Math.floor(screen.columns / width));
    const rows: string[] = [];
    for (let index = 0; index < candidates.length; index += perRow) {
      const cells = candidates.slice(index, index + perRow);
      rows.push(
        cells
          .map((cell) => cell + " ".repeat(width - stringWidth(cell)))
          .join("")
          .trimEnd(),
      );
    }
    this.#moveToEnd();
    screen.write(`${rows.map((row) => style.dim(row)).join("\n")}\n`);
    this.#drawnRow = 0;
  }

  #clearScreen(): void {
    this.#parts.screen.write(CLEAR_SCREEN);
    this.#drawnRow = 0;
  }

  /** Shows the whole text and goes to the row below it. */
  #moveToEnd(mark = ""): void {
    this.#search = undefined;
    this.#buffer = { ...this.#buffer, cursor: this.#buffer.text.length };
    this.#draw();
    this.#parts.screen.write(`${this.#parts.style.dim(mark)}\n`);
    this.#drawnRow = 0;
  }

  #layout(): ScreenLayout {
    const { text, cursor } = this.#buffer;
    return layOut(text, cursor, this.#prompt(), this.#parts.screen.columns);
  }

  /** What the text stands behind; of a long query its end, so that there is room for what was found. */
  #prompt(): string {
    if (!this.#search) return PROMPT;
    const { query, hasFailed } = this.#search;
    const title = hasFailed ? "nothing has" : "search";
    const room = Math.max(1, this.#parts.screen.columns - title.length - 16);
    const all = Array.from(neutralise(query.replaceAll(/\s+/g, " ")));
    const end = all.length > room ? `…${all.slice(-room).join("")}` : all.join("");
    return this.#parts.screen.columns < 32 ? PROMPT : `${title} '${end}': `;
  }

  #draw(): void {
    const { screen, style } = this.#parts;
    const prompt = this.#prompt();
    const { rows, row, column } = this.#layout();
    // Of a text that is higher than the screen, the part around the cursor.
    const height = Math.max(1, screen.rows - 1);
    const first = Math.min(Math.max(0, row - Math.floor(height / 2)), Math.max(0, rows.length - height));
    const shown = rows.slice(first, first + height);
    const lines = shown.map(({ text, isFull }, index) => {
      const look = index === 0 && first === 0 ? style.cyan(prompt) + text.slice(prompt.length) : text;
      // A row that is full goes on in the next one, also when the terminal is made wider.
      return isFull || index === shown.length - 1 ? look : `${look}\n`;
    });
    const upFromEnd = shown.length - 1 - (row - first);
    screen.write(
      `${ROW_START}${up(this.#drawnRow)}${CLEAR_BELOW}${lines.join("")}${shown.at(-1)?.isFull ? "\n" : ""}` +
        `${ROW_START}${up(upFromEnd)}${right(column)}`,
    );
    this.#drawnRow = row - first;
  }

  #redrawResized(): void {
    // Where the terminal has laid out anew what stood there, the first row is as far up as the new layout says.
    if (this.#parts.reflows)
      this.#drawnRow = Math.min(this.#layout().row, Math.max(0, this.#parts.screen.rows - 1));
    this.#draw();
  }
}

function commonStart(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return one.slice(0, length);
}
