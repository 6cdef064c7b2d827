import { colorLevel, type ColorLevel, loadStyle, type Style } from "./color.ts";
import { escapeInJson, neutralise, neutraliseStyled } from "./neutralise.ts";

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

/** The terminal behind stderr, for whoever draws on it. What is written here is not looked at: no foreign text. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  onResize(listener: () => void): () => void;
}

/** How the answer is written: for a person or a plain pipe, as one JSON document, or as a line per event. */
export type Format = "text" | "json" | "ndjson";

export interface Mode {
  format: Format;
  color: boolean;
  verbose: boolean;
}

/** Both output streams: stdout is the answer, stderr is everything else. */
export class Terminal {
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #mode: Mode = { format: "text", color: true, verbose: false };
  #hasPrintedJson = false;

  constructor(stdout: Sink, stderr: Sink, env: Readonly<Record<string, string | undefined>>) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#env = env;
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
    return this.isStdoutTTY ? (this.#stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  get stdoutColor(): ColorLevel {
    return colorLevel(this.isStdoutTTY, this.#mode.color, this.#env);
  }

  get stderrColor(): ColorLevel {
    return colorLevel(this.isStderrTTY, this.#mode.color, this.#env);
  }

  /** Colours for stdout. */
  async stdoutStyle(): Promise<Style> {
    return loadStyle(this.stdoutColor);
  }

  async stderrStyle(): Promise<Style> {
    return loadStyle(this.stderrColor);
  }

  /** Foreign text, such as a model's, as stdout may show it: nothing in it acts on a terminal; a pipe gets it as it is. */
  foreign(text: string): string {
    return this.isStdoutTTY ? neutralise(text) : text;
  }

  /** Foreign text as stderr may show it. */
  foreignAside(text: string): string {
    return this.isStderrTTY ? neutralise(text) : text;
  }

  /** The terminal behind stderr; undefined where there is none. */
  get screen(): Screen | undefined {
    const sink = this.#stderr;
    if (!this.isStderrTTY) return undefined;
    return {
      get columns() {
        return sink.columns || 80;
      },
      get rows() {
        return sink.rows || 24;
      },
      write: (text) => void sink.write(text),
      onResize: (listener) => sink.onResize?.(listener) ?? (() => undefined),
    };
  }

  /**
   * Writes a part of the answer. On a terminal nothing but our own colours acts. Resolves when the reader can take more.
   */
  async write(text: string | Uint8Array): Promise<void> {
    const shown = typeof text === "string" && this.isStdoutTTY ? neutraliseStyled(text) : text;
    if (!this.#stdout.write(shown)) await new Promise<void>((resolve) => this.#stdout.once("drain", resolve));
  }

  /** Writes a line of the answer. */
  async print(line: string): Promise<void> {
    await this.write(`${line}\n`);
  }

  /** Resolves when the answer has left this process. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => (this.#stdout.end ? this.#stdout.end(resolve) : resolve()));
  }

  /** Writes a JSON document: one line, but the one of `--json` is indented for a person's TTY. */
  async printJson(document: unknown): Promise<void> {
    this.#hasPrintedJson = true;
    const isIndented = this.isStdoutTTY && this.format !== "ndjson";
    const text = JSON.stringify(document, undefined, isIndented ? 2 : undefined);
    await this.print(this.isStdoutTTY ? escapeInJson(text) : text);
  }

  /** A line on stderr that is neither warning nor error: what was decided, what happens next. */
  note(line: string): void {
    this.writeAside(`${line}\n`);
  }

  /** Writes to stderr without a line end, such as streamed reasoning. */
  writeAside(text: string): void {
    this.#stderr.write(this.isStderrTTY ? neutraliseStyled(text) : text);
  }

  /** A warning on stderr, with one thing to do. */
  async warn(message: string, hint?: string): Promise<void> {
    const style = await this.stderrStyle();
    this.note(`${style.yellow("warning:")} ${message}`);
    if (hint) this.note(`${style.dim("hint:")} ${hint}`);
  }

  /** A line on stderr that only `--verbose` shows. */
  verbose(line: () => string): void {
    if (this.#mode.verbose) this.note(`openclaw: ${line()}`);
  }
}
