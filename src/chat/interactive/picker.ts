import stringWidth from "string-width";
import { OpenclawError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import type { Style } from "../../terminal/color.ts";
import { neutralise } from "../../terminal/neutralise.ts";
import { type Cell, type Column, layoutTable } from "../../terminal/table.ts";
import type { Screen } from "../../terminal/terminal.ts";
import { cutText, wrapText } from "../../terminal/word-wrap.ts";
import { CLEAR_BELOW, reflowsCursorLine, right, ROW_START, up } from "./cursor.ts";
import { isInterrupt, Keyboard } from "./keyboard.ts";
import { editLine, EMPTY_BUFFER, type Key, type LineBuffer } from "./line-buffer.ts";

export interface Choice<T> {
  value: T;
  /** What is typed is looked for in this. */
  words: string;
  /** Its line in the list, a cell a column. */
  cells: readonly Cell[];
  /** What is shown of it below the list while it is the one that Enter takes: of these, what its line has no room for. */
  details: readonly string[];
}

export interface Choosing<T> {
  /** What is asked: `Model`. */
  question: string;
  /** The first is never dropped, and may be cut; the others come where there is room: a choice is one row. */
  columns: readonly Column[];
  choices: readonly Choice<T>[];
}

const MARK = "› ";
/** What may be typed, the first that fits. */
const KEYS = [
  "Type to search, ↑ ↓ to move, Enter takes it, Esc leaves",
  "Type, ↑ ↓, Enter takes it, Esc leaves",
  "↑ ↓ Enter Esc",
];
/** So many choices are shown at once, where there is room. */
const MOST_SHOWN = 10;
/** Lines of the detail. */
const MOST_DETAIL = 3;

/**
 * Asks a person at the terminal, one question after the other. What is drawn to choose from is taken away again: what
 * was chosen is for the caller to say.
 */
export class Asker {
  readonly #runtime: Runtime;
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #keyboard: Keyboard;

  /** Asks on the keyboard of whoever has it already, or takes it while `during` runs. */
  constructor(runtime: Runtime, screen: Screen, style: Style, keyboard = new Keyboard(runtime, screen)) {
    this.#runtime = runtime;
    this.#screen = screen;
    this.#style = style;
    this.#keyboard = keyboard;
  }

  /** Has the keyboard while `work` asks; keys that nobody has read by then go to whoever reads next. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    await this.#keyboard.start();
    try {
      return await work();
    } finally {
      this.#keyboard.stop();
      this.#keyboard.giveBack();
    }
  }

  /**
   * Lets a person choose; undefined when they leave by Esc or Ctrl-D, or the terminal has gone. Throws `interrupted` for
   * Ctrl-C, and rejects with the reason of the runtime's signal.
   */
  async choose<T>(choosing: Choosing<T>): Promise<T | undefined> {
    const list = new ChoiceList(choosing, this.#screen, this.#style, reflowsCursorLine(this.#runtime.env));
    const stopResizing = this.#screen.onResize(() => list.redraw());
    try {
      for (;;) {
        if (this.#keyboard.isIdle) list.draw();
        const key = await this.#keyboard.next();
        if (!key || isLeaving(key, list.isSearching)) return undefined;
        if (isInterrupt(key)) throw interrupted();
        if (key.name === "return" || key.name === "enter") {
          const taken = list.selected;
          if (taken) return taken.value;
        } else list.press(key);
      }
    } finally {
      stopResizing();
      list.clear();
    }
  }

  /** Asks for a yes, which Enter is as well; the question and the answer stay on the screen. Throws as `choose` does. */
  async confirm(question: string): Promise<boolean> {
    const { terminal } = this.#runtime;
    terminal.ask(`${neutralise(question)} ${this.#style.dim("[Y/n]")}`);
    let answer = "";
    try {
      for (;;) {
        const key = await this.#keyboard.next();
        if (key && isInterrupt(key)) {
          answer = "^C";
          throw interrupted();
        }
        const isYes = key && /^(y|return|enter)$/.test(key.name ?? "");
        if (!isYes && key && !isLeaving(key, false) && key.name !== "n") continue;
        answer = isYes ? "yes" : "no";
        return isYes === true;
      }
    } finally {
      terminal.writeAside(`${answer}\n`);
    }
  }
}

function isLeaving({ ctrl, name }: Key, isSearching: boolean): boolean {
  return name === "escape" || (ctrl && name === "d" && !isSearching);
}

function interrupted(): OpenclawError {
  return new OpenclawError("interrupted", {
    message: "Interrupted by Ctrl-C.",
    hint: "Run the command again.",
  });
}

/** The list as it is drawn: the cursor stands in its first row, so that all of it is below and easily taken away. */
class ChoiceList<T> {
  readonly #choosing: Choosing<T>;
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #reflows: boolean;
  #typed: LineBuffer = EMPTY_BUFFER;
  #found: readonly Choice<T>[];
  /** The one that Enter takes, and the first that is shown, among those that were found. */
  #place = 0;
  #first = 0;
  #column = 0;
  /** Of the rows that are drawn. */
  #widths: readonly number[] = [];
  /** The lines of all choices, with the width they were laid out for. */
  #laidOut: { width: number; title: string; lines: ReadonlyMap<Choice<T>, string> } | undefined;

  constructor(choosing: Choosing<T>, screen: Screen, style: Style, reflows: boolean) {
    this.#choosing = choosing;
    this.#screen = screen;
    this.#style = style;
    this.#reflows = reflows;
    this.#found = choosing.choices;
  }

  get selected(): Choice<T> | undefined {
    return this.#found[this.#place];
  }

  get isSearching(): boolean {
    return this.#typed.text !== "";
  }

  press(key: Key): void {
    const { name, ctrl } = key;
    if (name === "up" || (ctrl && name === "p")) this.#move(-1);
    else if (name === "down" || (ctrl && name === "n") || name === "tab") this.#move(1);
    else if (name === "pageup") this.#move(-this.#height);
    else if (name === "pagedown") this.#move(this.#height);
    else if (ctrl && name === "l") this.clear();
    else this.#type(key);
  }

  /** Draws it from so many rows above the cursor, which stands in its first row unless the terminal has moved it. */
  draw(above = 0): void {
    const screen = this.#screen;
    const style = this.#style;
    const width = this.#width;
    const { title, lines } = this.#layOut(width);
    const height = this.#height;
    this.#first = Math.min(Math.max(this.#first, this.#place - height + 1), this.#place);
    const { question, choices } = this.#choosing;
    const asked = cutText(`${question}: `, width);
    const typed = lastOf(neutralise(this.#typed.text.slice(0, this.#typed.cursor)), width - asked.length - 1);
    const after = neutralise(this.#typed.text.slice(this.#typed.cursor));
    const count = `  (${this.#found.length === choices.length ? "" : `${this.#found.length} of `}${choices.length})`;
    this.#column = stringWidth(asked + typed);
    const room = width - this.#column;
    const rest = cutText(after, room);
    const rows = [
      style.cyan(asked) + typed + rest + style.dim(cutText(count, room - stringWidth(rest))),
      ...(this.#isRoomy && title !== "" ? [style.dim(title)] : []),
      ...this.#found.slice(this.#first, this.#first + height).map((choice) => {
        const line = lines.get(choice) ?? "";
        return choice === this.selected ? style.bold(`${MARK}${line}`) : `${" ".repeat(MARK.length)}${line}`;
      }),
      ...(this.#found.length === 0 ? [style.dim(cutText("  Nothing has these words in it.", width))] : []),
      ...(this.#isRoomy ? this.#below(width, lines) : []),
    ].slice(0, Math.max(1, screen.rows - 1));
    this.#widths = rows.map((row) => stringWidth(row));
    screen.write(
      `${ROW_START}${up(above)}${CLEAR_BELOW}${rows.join("\n")}${ROW_START}${up(rows.length - 1)}${right(this.#column)}`,
    );
  }

  /** Draws it anew on a screen of another size, from where the terminal has put its first row. */
  redraw(): void {
    const { columns } = this.#screen;
    const above = this.#reflows ? Math.floor(this.#column / columns) : pushedDown(this.#widths, columns);
    this.draw(above);
  }

  clear(): void {
    this.#screen.write(ROW_START + CLEAR_BELOW);
  }

  /** Columns of a row; one that is full would go on in the next. */
  get #width(): number {
    return Math.max(1, this.#screen.columns - 1);
  }

  /** Whether there is room for more than the choices. */
  get #isRoomy(): boolean {
    return this.#screen.rows >= 10;
  }

  /** How many choices are shown at once. */
  get #height(): number {
    const others = this.#isRoomy ? 4 + MOST_DETAIL : 2;
    return Math.max(1, Math.min(MOST_SHOWN, this.#screen.rows - others));
  }

  #below(width: number, rows: ReadonlyMap<Choice<T>, string>): string[] {
    const { dim } = this.#style;
    const { selected } = this;
    const row = (selected && rows.get(selected)) ?? "";
    const lacking = selected?.details.map(neutralise).filter((text) => !row.includes(text)) ?? [];
    const whole = wrapText(lacking.join("  "), width)
      .flatMap((line) => breakWord(line, width))
      .slice(0, MOST_DETAIL)
      .map(dim);
    const keys = KEYS.find((form) => stringWidth(form) <= width) ?? "";
    return [...whole, ...(keys === "" ? [] : [dim(keys)])];
  }

  #move(steps: number): void {
    this.#place = Math.max(0, Math.min(this.#found.length - 1, this.#place + steps));
  }

  #type(key: Key): void {
    const pressed = key.name === "paste" ? { ...key, text: key.text.replaceAll(/\s+/g, " ") } : key;
    const edited = editLine(this.#typed, pressed);
    if (!edited) return;
    const isSame = edited.text === this.#typed.text;
    this.#typed = edited;
    if (isSame) return;
    const words = edited.text.toLowerCase().split(/\s+/);
    this.#found = this.#choosing.choices.filter((choice) => {
      const text = choice.words.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    this.#place = 0;
    this.#first = 0;
  }

  #layOut(width: number): { title: string; lines: ReadonlyMap<Choice<T>, string> } {
    if (this.#laidOut?.width === width) return this.#laidOut;
    const { columns, choices } = this.#choosing;
    const room = Math.max(1, width - MARK.length);
    const [title = "", ...rows] = layoutTable(
      columns,
      choices.map(({ cells }) => cells),
      room,
    );
    const lines = new Map(choices.map((choice, index) => [choice, cutText(rows[index] ?? "", room)]));
    this.#laidOut = { width, title: cutText(`${" ".repeat(MARK.length)}${title}`, width), lines };
    return this.#laidOut;
  }
}

/**
 * How far xterm.js moves the cursor away from the first of some rows, where it stood, when they are broken to so many
 * columns: a row down for each that is added anywhere below, from the last row up, and the row it comes to is left whole
 * (xtermjs/xterm.js, Buffer._reflowSmaller).
 */
function pushedDown(widths: readonly number[], columns: number): number {
  let cursor = 0;
  for (let row = widths.length - 1; row > 0; row--)
    if (row !== cursor) cursor += Math.max(0, Math.ceil((widths[row] ?? 0) / columns) - 1);
  return cursor;
}

/** A line of one word that is too long, in rows of so many columns; nothing of an empty one. */
function breakWord(line: string, columns: number): string[] {
  const rows: string[] = [];
  for (let rest = line; rest !== "";) {
    const row = cutText(rest, columns) || rest;
    rows.push(row);
    rest = rest.slice(row.length);
  }
  return rows;
}

/** The end of a text, as much as fits into so many columns. */
function lastOf(text: string, columns: number): string {
  let shown = text;
  while (shown !== "" && stringWidth(shown) > columns) shown = shown.slice(1);
  return shown;
}
