import type { Terminal } from "./terminal.ts";

/** A spinner shorter than this would only flicker. */
const DELAY_MS = 150;
const FRAME_MS = 80;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** More of a body than this is worth telling how much of it is out, in bytes. */
const LONG_BODY_BYTES = 1_000_000;

/** What is waited for, and the same in a word or two, for narrow terminals. */
export interface Wait {
  text: string;
  brief: string;
}

/** What a spinner needs of the Runtime. */
export interface SpinnerHolder {
  terminal: Terminal;
  /** Takes the spinner away at once, whatever the work makes of it. */
  signal: AbortSignal;
  /** Milliseconds. */
  elapsed: () => number;
  onExit: (work: () => void) => () => void;
}

const running = new WeakMap<Terminal, Spinner>();

/**
 * A line on stderr that says what is waited for, how long already, in seconds, and how to stop. It is there after 150 ms
 * of waiting, on a terminal whose width is known, gives way to all that is written, and leaves no trace.
 */
export class Spinner {
  readonly #holder: SpinnerHolder;
  readonly #startedAt: number;
  /** Whether the steps within say what they are waiting for. */
  readonly namesSteps: boolean;
  wait: Wait;
  /** What is waited for until a moment, in ms of `elapsed`. */
  #pause: { wait: Wait; endsAt: number } | undefined;
  /** How much of a body is out, in bytes. */
  #upload: { sent: number; total: number } | undefined;
  readonly #stopKey: string;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;
  #forgetExit: (() => void) | undefined;
  readonly #end = (): void => this.stop();

  constructor(holder: SpinnerHolder, wait: Wait, { namesSteps, stopKey }: Required<SpinnerOptions>) {
    this.#holder = holder;
    this.#stopKey = stopKey;
    this.wait = wait;
    this.namesSteps = namesSteps;
    this.#startedAt = holder.elapsed();
  }

  /** Shows it after a while, unless the command is ending. */
  start(): void {
    const { signal, onExit, terminal } = this.#holder;
    if (signal.aborted || this.#timer) return;
    signal.addEventListener("abort", this.#end, { once: true });
    this.#forgetExit = onExit(() => terminal.hideStatus());
    const draw = (): void => {
      terminal.showStatus(this.#forms());
      this.#frame += 1;
      this.#timer = setTimeout(draw, FRAME_MS).unref();
    };
    this.#timer = setTimeout(draw, DELAY_MS).unref();
  }

  /** Takes it away. It may be started again. */
  stop(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forgetExit?.();
    this.#holder.signal.removeEventListener("abort", this.#end);
    this.#holder.terminal.hideStatus();
  }

  /** Takes it away for good. */
  end(): void {
    const { terminal } = this.#holder;
    this.stop();
    if (running.get(terminal) === this) running.delete(terminal);
  }

  /** Says what is waited for in the next so many ms, and how long still. */
  countDown(wait: Wait, ms: number): void {
    this.#pause = { wait, endsAt: this.#holder.elapsed() + ms };
  }

  /** Says how much of a body is out, until it is. */
  tellUpload(sent: number, total: number): void {
    this.#upload = sent < total && total > LONG_BODY_BYTES ? { sent, total } : undefined;
  }

  /** The line, and shorter ones. */
  #forms(): string[] {
    const frame = FRAMES[this.#frame % FRAMES.length] ?? "";
    const stop = `  (${this.#stopKey} to stop)`;
    const { wait, time } = this.#now();
    const { text, brief } = wait;
    return [`${text}${time}${stop}`, `${brief}${time}${stop}`, `${brief}${time}`].map(
      (line) => `${frame} ${line}`,
    );
  }

  /** What is waited for at this moment, and how long already, or how long still. */
  #now(): { wait: Wait; time: string } {
    const now = this.#holder.elapsed();
    if (this.#pause && now < this.#pause.endsAt) {
      const { wait, endsAt } = this.#pause;
      return { wait, time: ` in ${Math.ceil((endsAt - now) / 1000)} s` };
    }
    const seconds = Math.floor((now - this.#startedAt) / 1000);
    const time = seconds > 0 ? ` … ${seconds} s` : " …";
    if (!this.#upload) return { wait: this.wait, time };
    const { sent, total } = this.#upload;
    const text = `Sending ${(sent / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
    return { wait: { text, brief: text }, time };
  }
}

export interface SpinnerOptions {
  /** Whether it says what the spinners begun meanwhile would. */
  namesSteps?: boolean;
  /** The key that stops what is waited for. */
  stopKey?: string;
}

/**
 * Starts a spinner that its holder stops; one that names its steps says what the spinners begun meanwhile would. Undefined
 * where there is none: in a pipe, with `--verbose` or `--json`, and inside the wait of another.
 */
export function startSpinner(
  holder: SpinnerHolder,
  wait: Wait,
  { namesSteps = false, stopKey = "Ctrl-C" }: SpinnerOptions = {},
): Spinner | undefined {
  const { terminal } = holder;
  if (!terminal.isStderrTTY || terminal.isVerbose || terminal.format !== "text") return undefined;
  if (running.has(terminal)) return undefined;
  const spinner = new Spinner(holder, wait, { namesSteps, stopKey });
  running.set(terminal, spinner);
  spinner.start();
  return spinner;
}

/** Says from here on that something else is waited for, where something is. */
export function changeWait({ terminal }: { terminal: Terminal }, wait: Wait): void {
  const spinner = running.get(terminal);
  if (spinner) spinner.wait = wait;
}

/** Says what is waited for in the next so many ms, and how long still, where something is waited for. */
export function countDown({ terminal }: { terminal: Terminal }, wait: Wait, ms: number): void {
  running.get(terminal)?.countDown(wait, ms);
}

/** Says how many bytes of a long body are out, where something is waited for. */
export function tellUpload(terminal: Terminal, sent: number, total: number): void {
  running.get(terminal)?.tellUpload(sent, total);
}

/**
 * Runs `work` and, when it takes longer than 150 ms on a terminal, shows a spinner on stderr that leaves no trace. Inside
 * the work of another spinner that one stays. Rejects with whatever `work` rejects with.
 */
export async function withSpinner<T>(
  holder: SpinnerHolder,
  text: string,
  work: () => Promise<T>,
): Promise<T> {
  const wait = { text, brief: text };
  const outer = running.get(holder.terminal);
  if (outer) return outer.namesSteps ? asStepOf(outer, wait, work) : work();
  const spinner = startSpinner(holder, wait);
  try {
    return await work();
  } finally {
    spinner?.end();
  }
}

async function asStepOf<T>(spinner: Spinner, wait: Wait, work: () => Promise<T>): Promise<T> {
  const before = spinner.wait;
  spinner.wait = wait;
  try {
    return await work();
  } finally {
    // What was said meanwhile is newer.
    if (spinner.wait === wait) spinner.wait = before;
  }
}

/** Takes the spinner away while `work` has the terminal, as for a question to the person at it. */
export async function withoutSpinner<T>(
  { terminal }: { terminal: Terminal },
  work: () => Promise<T>,
): Promise<T> {
  const spinner = running.get(terminal);
  spinner?.stop();
  try {
    return await work();
  } finally {
    if (spinner && running.get(terminal) === spinner) spinner.start();
  }
}
