import type { Terminal } from "./terminal.ts";

/** A spinner shorter than this would only flicker. */
const DELAY_MS = 150;

/** A spinner that a terminal shows or is about to show. */
interface Spinner {
  text: string;
  stop: () => void;
}

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
  const spinner = { text, stop: startSpinner(terminal, text) };
  running.set(terminal, spinner);
  try {
    return await work();
  } finally {
    running.delete(terminal);
    spinner.stop();
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
    if (spinner && running.get(terminal) === spinner) spinner.stop = startSpinner(terminal, spinner.text);
  }
}

/** Shows a spinner after a while. Returns how to take it away. */
function startSpinner(terminal: Terminal, text: string): () => void {
  let isStopped = false;
  let hide = (): void => undefined;
  const show = async (): Promise<void> => {
    const { default: ora } = await import("ora");
    // It may have been stopped while the library was loaded.
    if (isStopped) return;
    const shown = ora({ text, discardStdin: false, color: terminal.stderrColor > 0 ? "cyan" : false });
    shown.start();
    hide = () => void shown.stop();
  };
  const timer = setTimeout(() => void show(), DELAY_MS);
  return () => {
    isStopped = true;
    clearTimeout(timer);
    hide();
  };
}
