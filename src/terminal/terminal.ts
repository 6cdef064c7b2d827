import stringWidth from "string-width";
import { wellFormed } from "../json.ts";
import { toJson } from "../json-numbers.ts";
import { colorLevel, type ColorLevel, type Style, styleFor } from "./color.ts";
import { actOwn, escapeInJson, neutralise, Neutraliser, onOneLine } from "./neutralise.ts";
import { cutText, hang } from "./word-wrap.ts";

/** Where text goes: a TTY, a pipe or a file. */
export interface Sink {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
  write(text: string | Uint8Array): boolean;
  once(event: "drain", listener: () => void): unknown;
  /** Calls back when everything written has left this process. */
  end?(whenWritten: () => void): void;
  /** Calls `listener` whenever the terminal's size changes. Returns how to stop that. */
  onResize?(listener: () => void): () => void;
}

/** The terminal behind stderr, for whoever draws on it, with sequences of our own (`ownSequence`): no other acts. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  onResize(listener: () => void): () => void;
  /**
   * Puts a text into the clipboard of the terminal, which may be at the other end of an ssh (OSC 52,
   * https://invisible-island.net/xterm/ctlseqs/ctlseqs.html). Nobody says whether it took it.
   */
  copy(text: string): void;
}

/** How the answer is written: for a person or a plain pipe, as one JSON document, or as a line per event. */
export type Format = "text" | "json" | "ndjson";

export interface Mode {
  format: Format;
  color: boolean;
  verbose: boolean;
  /** Whether notices are left out: warnings, errors and what was asked for stay. */
  quiet: boolean;
  /** Whether what was noted is not noted again in the same words: for commands that last. */
  notesOnce: boolean;
  /** Says in a text's commands to paste what the command line said to every command. */
  completeCommands: (text: string) => string;
}

/** What a terminal that does not tell its size is taken to have, as the VT100 had. */
const USUAL = { columns: 80, rows: 24 };
/** What notices begin with. */
const PROGRAM = "openclaw: ";
/** Erases from the cursor to the end of the screen. */
const CLEAR_BELOW = "\u001B[J";
const CURSOR_UP = "\u001B[A";
const CURSOR_DOWN = "\u001B[B";
const SAVE_CURSOR = "\u001B7";
const RESTORE_CURSOR = "\u001B8";
/** Down and up again (IND, RI), which scrolls at the lower edge: then there is a row below. */
const MAKE_ROW_BELOW = "\u001BD\u001BM";
/** The width of a longer line is not asked for again with every piece of it, in characters. */
const LONGEST_LINE = 10_000;

/**
 * The columns or rows that a terminal has; undefined where it does not say: without a size (`script`, `docker exec -t`,
 * CI) it tells 0, and some emulators tell nonsense.
 */
function knownSize(sink: Sink, side: "columns" | "rows"): number | undefined {
  const size = sink[side];
  return size !== undefined && Number.isInteger(size) && size > 0 ? size : undefined;
}

/** Columns of the terminal behind a sink; Infinity in a pipe, where nothing is cut or dropped. */
function columnsOf(sink: Sink): number {
  return sink.isTTY ? (knownSize(sink, "columns") ?? USUAL.columns) : Number.POSITIVE_INFINITY;
}

/**
 * Both output streams: stdout is the answer, stderr is everything else. This is the way out: whatever a text holds, only
 * what this program made acts on a terminal or in a log. stdout in a pipe is data and stays to the byte.
 */
export class Terminal {
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #mode: Mode = {
    format: "text",
    color: true,
    verbose: false,
    quiet: false,
    notesOnce: false,
    completeCommands: (text) => text,
  };
  readonly #noted = new Set<string>();
  #hasPrintedJson = false;
  #hasStatus = false;
  /** The line that shows what is typed ahead, below everything; "" for none. */
  #typed = "";
  /** What stands on the line of the cursor, as far as it is known: how wide it is decides what can be below. */
  #line: string | undefined = "";
  readonly #answer = new Neutraliser();
  readonly #aside = new Neutraliser();

  constructor(stdout: Sink, stderr: Sink, env: Readonly<Record<string, string | undefined>>) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#env = env;
  }

  /** A terminal with the same stderr whose answer goes to another place. */
  writingTo(sink: Sink): Terminal {
    const terminal = new Terminal(sink, this.#stderr, this.#env);
    terminal.setMode(this.#mode);
    return terminal;
  }

  /** Set once, from the command line, before the command runs. */
  setMode(mode: Partial<Mode>): void {
    this.#mode = { ...this.#mode, ...mode };
  }

  get format(): Format {
    return this.#mode.format;
  }

  /** Whether the one document of `--json` is out already: then nothing may follow it. */
  get hasPrintedJson(): boolean {
    return this.#hasPrintedJson;
  }

  get isVerbose(): boolean {
    return this.#mode.verbose;
  }

  get isStdoutTTY(): boolean {
    return this.#stdout.isTTY === true;
  }

  get isStderrTTY(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** Columns of the terminal behind stdout; Infinity in a pipe, where nothing is cut or dropped. */
  get columns(): number {
    return columnsOf(this.#stdout);
  }

  get stdoutColor(): ColorLevel {
    return colorLevel(this.isStdoutTTY, this.#mode.color, this.#env);
  }

  get stderrColor(): ColorLevel {
    return colorLevel(this.isStderrTTY, this.#mode.color, this.#env);
  }

  /** Colours for stdout. */
  async stdoutStyle(): Promise<Style> {
    return styleFor(this.stdoutColor);
  }

  async stderrStyle(): Promise<Style> {
    return styleFor(this.stderrColor);
  }

  /** Foreign text as stdout will show it, for what is measured or laid out before it is written. */
  foreign(text: string): string {
    return this.isStdoutTTY ? neutralise(text) : text;
  }

  /** A text for a program that writes it on this terminal, such as a pager: nothing acts but our own styles. */
  forOthers(text: string): string {
    return new Neutraliser().push(text);
  }

  /** The same for a text that comes in parts, on either stream: joined letters and emoji may be cut between any two. */
  foreignParts(stream: "stdout" | "stderr"): (part: string) => string {
    if (stream === "stdout" && !this.isStdoutTTY) return (part) => part;
    const neutraliser = new Neutraliser();
    return (part) => neutraliser.pushForeign(part);
  }

  /** The terminal behind stderr; undefined where there is none. */
  get screen(): Screen | undefined {
    const sink = this.#stderr;
    if (!this.isStderrTTY) return undefined;
    return {
      get columns() {
        return columnsOf(sink);
      },
      get rows() {
        return knownSize(sink, "rows") ?? USUAL.rows;
      },
      // A row goes on in the next one only from its beginning.
      write: (text) => void sink.write(new Neutraliser().push(text).replaceAll("\n", "\r\n")),
      onResize: (listener) => sink.onResize?.(listener) ?? (() => undefined),
      copy: (text) => void sink.write(`\u001B]52;c;${Buffer.from(text).toString("base64")}\u0007`),
    };
  }

  /**
   * Writes a part of the answer. On a terminal nothing acts but our own styles. Resolves when the reader can take more.
   */
  async write(text: string | Uint8Array): Promise<void> {
    const shown = typeof text !== "string" ? text : this.isStdoutTTY ? this.#answer.push(text) : actOwn(text);
    if (this.isStdoutTTY) this.#makeRoomFor(shown);
    const hasRoom = this.#stdout.write(shown);
    if (this.isStdoutTTY) this.#drawTyped();
    if (!hasRoom) await new Promise<void>((resolve) => this.#stdout.once("drain", resolve));
  }

  /** Writes a line of the answer. */
  async print(line: string): Promise<void> {
    await this.write(`${line}\n`);
  }

  /** Resolves when the answer has left this process, and what was said beside it. */
  async flush(): Promise<void> {
    for (const sink of [this.#stdout, this.#stderr])
      await new Promise<void>((resolve) => (sink.end ? sink.end(resolve) : resolve()));
  }

  /** Writes the document of `--json`: one line, but indented for a person's TTY. */
  async printJson(document: unknown): Promise<void> {
    this.#hasPrintedJson = true;
    await this.printDocument(document, { isIndented: this.isStdoutTTY && this.format !== "ndjson" });
  }

  /**
   * Writes an answer that is JSON in every format. What would act on a terminal stands in it as escapes, and U+FFFD for
   * half a character, which no strict reader of JSON takes.
   */
  async printDocument(document: unknown, { isIndented = true } = {}): Promise<void> {
    await this.write(jsonLine(document, isIndented ? 2 : undefined));
  }

  /**
   * A line on stderr that is neither warning nor error: what was decided, what happens next. It stays one line, so that
   * nothing within it passes for another; on a terminal it goes on below itself, behind its title: the one that is given,
   * or the program's name.
   */
  note(line: string, title?: string): void {
    if (this.#mode.notesOnce && title === undefined) {
      if (this.#noted.has(line)) return;
      this.#noted.add(line);
    }
    this.noteAnew(line, title);
  }

  /** The same, of something that is new each time, whatever its words. */
  noteAnew(line: string, title?: string): void {
    const isNotice = title === undefined && line.startsWith(PROGRAM);
    if (!isNotice) this.#noteLine(line, title);
    else if (!this.#mode.quiet) this.#noteLine(this.completeCommands(line));
  }

  /** Says on stderr that there is nothing to print, since silence looks like a failure; in a pipe it is a notice. */
  noteNothing(sentence: string): void {
    this.note(this.isStdoutTTY ? this.completeCommands(sentence) : `${PROGRAM}${sentence}`);
  }

  #noteLine(line: string, title?: string): void {
    const name = title === undefined && line.startsWith(PROGRAM) ? PROGRAM : "";
    const text = onOneLine(line.slice(name.length));
    this.writeAside(`${hang(title ?? name, text, columnsOf(this.#stderr)).join("\n")}\n`);
  }

  /** Writes a question, behind which the answer is typed, as wide as the terminal of stderr. */
  ask(question: string): void {
    this.writeAside(`${hang("", question, columnsOf(this.#stderr)).join("\n")} `);
  }

  /**
   * Writes to stderr without a line end, such as streamed reasoning. In a pipe, too, only our own acts: logs are read.
   * Returns whether its reader can take more.
   */
  writeAside(text: string): boolean {
    const shown = this.#aside.push(text);
    if (this.isStderrTTY) this.#makeRoomFor(shown);
    const canTakeMore = this.#stderr.write(shown);
    this.#drawTyped();
    return canTakeMore;
  }

  /** Takes note that the person has ended the line that the cursor stood in: the terminal has shown that itself. */
  noteTypedLine(): void {
    this.#line = "";
  }

  /** Calls back when the reader of stderr, who could take no more, has taken all. */
  onceAsideIsTaken(listener: () => void): void {
    this.#stderr.once("drain", listener);
  }

  /**
   * Shows a line below all that was written, until something is written or it is hidden: the first of `forms` that fits
   * the terminal's width, or the last, cut. Shows nothing where lines cannot be taken back, or nobody knows how wide they
   * may be, and in the middle of another line.
   */
  showStatus(forms: readonly string[]): void {
    const columns = this.#statusColumns;
    this.hideStatus();
    if (columns === undefined || !this.#isAtLineStart) return;
    const lines = forms.map((form) => neutralise(onOneLine(form)));
    // A line that is full would go on in the next one.
    const room = columns - 1;
    const line = lines.find((form) => stringWidth(form) <= room) ?? cutText(lines.at(-1) ?? "", room);
    if (line === "") return;
    const typed = cutText(this.#typed, room);
    // The cursor waits in front: what the terminal makes of the line when its width changes is then still below it.
    this.#stderr.write(typed === "" ? `${line}\r` : `${line}\r\n${typed}\r${CURSOR_UP}`);
    this.#hasStatus = true;
  }

  /**
   * Shows what a person types ahead below all that was written, within a line of the answer, too, until it is "". Shows
   * nothing where `showStatus` would not.
   */
  showTyped(text: string): void {
    this.#typed = text === "" ? "" : `> ${neutralise(onOneLine(text))}`;
    this.hideStatus();
    this.#drawTyped();
  }

  /** Whether the cursor stands at the beginning of a line, as far as this program has moved it. */
  get #isAtLineStart(): boolean {
    return this.#line === "";
  }

  /** Whether `showStatus` shows anything. */
  get showsStatus(): boolean {
    return this.#statusColumns !== undefined;
  }

  /** Columns of the terminal on which a line can be shown that is taken back; undefined where none can. */
  get #statusColumns(): number | undefined {
    if (!this.isStderrTTY || this.#mode.quiet) return undefined;
    if (this.#env["TERM"] === "dumb" || this.#env["CI"] !== undefined) return undefined;
    return knownSize(this.#stderr, "columns");
  }

  #drawTyped(): void {
    // Most of what is written has nothing below it.
    if (this.#typed === "") return;
    const columns = this.#statusColumns;
    if (columns === undefined) return;
    const typed = cutText(this.#typed, columns - 1);
    if (this.#isAtLineStart) this.#stderr.write(`${typed}\r`);
    else {
      const width = this.#line === undefined ? 0 : stringWidth(this.#line);
      // Behind a line that is full some terminals are in the next one already, and others are not.
      if (width === 0 || width % columns === 0) return;
      this.#stderr.write(`${MAKE_ROW_BELOW}${SAVE_CURSOR}${CURSOR_DOWN}\r${typed}${RESTORE_CURSOR}`);
    }
    this.#hasStatus = true;
  }

  /** Takes that line away. */
  hideStatus(): void {
    if (this.#hasStatus) this.#stderr.write(CLEAR_BELOW);
    this.#hasStatus = false;
  }

  /** Before text comes to the screen that both streams share. */
  #makeRoomFor(text: string | Uint8Array): void {
    if (text.length === 0) return;
    this.hideStatus();
    if (typeof text !== "string") this.#line = text.at(-1) === 0x0a ? "" : undefined;
    else {
      const end = text.lastIndexOf("\n") + 1;
      const line = end > 0 ? text.slice(end) : this.#line === undefined ? undefined : this.#line + text;
      this.#line = line !== undefined && line.length > LONGEST_LINE ? undefined : line;
    }
  }

  /** A warning on stderr, with one thing to do. */
  async warn(message: string, hint?: string): Promise<void> {
    await this.#tell("warning", message, hint);
  }

  /** What went wrong, on stderr, with one thing to do. */
  async fail(message: string, hint?: string): Promise<void> {
    await this.#tell("error", message, hint);
  }

  /** A text as it is told: its commands to paste look where this one did. */
  completeCommands(text: string): string {
    return this.#mode.completeCommands(text);
  }

  /** Something whose hint is completed so. */
  told<T extends { hint?: string | null | undefined }>(thing: T): T {
    return thing.hint ? { ...thing, hint: this.completeCommands(thing.hint) } : thing;
  }

  async #tell(kind: "error" | "warning", message: string, hint: string | undefined): Promise<void> {
    const { red, yellow, dim } = await this.stderrStyle();
    this.note(message, `${(kind === "error" ? red : yellow)(`${kind}:`)} `);
    if (hint) this.note(this.completeCommands(hint), `${dim("hint:")} `);
  }

  /** A line on stderr that only `--verbose` shows. */
  verbose(line: () => string): void {
    if (this.#mode.verbose) this.#noteLine(`openclaw: ${line()}`);
  }
}

/** JSON as it is printed, with its line end. */
export function jsonLine(document: unknown, indent?: number): string {
  return `${escapeInJson(toJson(wellFormed(document), undefined, indent))}\n`;
}
