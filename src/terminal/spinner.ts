import type { Terminal } from "./terminal.ts";

/** A spinner shorter than this would only flicker. */
const DELAY_MS = 150;

/** The spinner that a terminal shows or is about to show. */
const running = new WeakMap<Terminal, Spinner>();

/**
 * Runs `work` and, when it takes longer than 150 ms on a terminal, shows a spinner on stderr that leaves no trace. Inside
 * the work of another spinner that one stays. Rejects with whatever `work` rejects with.
 */
export async function withSpinner<T>(
  holder: { terminal: Terminal },
  text: string,
  work: () => Promise<T>,
): Promise<T> {
  const { terminal } = holder;
  const isSilent = !terminal.isStderrTTY || terminal.isVerbose || terminal.format !== "text";
  if (isSilent || running.has(terminal)) return work();
  const spinner = new Spinner(terminal, text);
  running.set(terminal, spinner);
  spinner.start();
  try {
    return await work();
  } finally {
    running.delete(terminal);
    spinner.stop();
  }
}

/** Takes the spinner away while `work` has the terminal, as for a question to the person at it. */
export async function withoutSpinner<T>(holder: { terminal: Terminal }, work: () => Promise<T>): Promise<T> {
  const spinner = running.get(holder.terminal);
  spinner?.stop();
  try {
    return await work();
  } finally {
    if (spinner && running.get(holder.terminal) === spinner) spinner.start();
  }
}

class Spinner {
  readonly #terminal: Terminal;
  readonly #text: string;
  #timer: NodeJS.Timeout | undefined;
  #hide: (() => void) | undefined;

  constructor(terminal: Terminal, text: string) {
    this.#terminal = terminal;
    this.#text = text;
  }

  start(): void {
    const timer = setTimeout(() => void this.#show(timer), DELAY_MS);
    this.#timer = timer;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#hide?.();
    this.#hide = undefined;
  }

  async #show(timer: NodeJS.Timeout): Promise<void> {
    const { default: ora } = await import("ora");
    // It may have been stopped, and even started again, while the library was loaded.
    if (this.#timer !== timer) return;
    const color = this.#terminal.stderrColor > 0 ? "cyan" : false;
    const shown = ora({ text: this.#text, discardStdin: false, color });
    shown.start();
    this.#hide = () => void shown.stop();
  }
}
