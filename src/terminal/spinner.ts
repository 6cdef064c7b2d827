import type { Runtime } from "../runtime.ts";

/** A spinner shorter than this would only flicker. */
const DELAY_MS = 150;

/**
 * Runs `work` and, when it takes longer than 150 ms on a terminal, shows a spinner on stderr that leaves no trace.
 * Rejects with whatever `work` rejects with.
 */
export async function withSpinner<T>(runtime: Runtime, text: string, work: () => Promise<T>): Promise<T> {
  const { terminal } = runtime;
  if (!terminal.isStderrTTY || terminal.isVerbose || terminal.format !== "text") return work();
  let stop: (() => void) | undefined;
  let isDone = false;
  const timer = setTimeout(async () => {
    const { default: ora } = await import("ora");
    if (isDone) return;
    const spinner = ora({ text, discardStdin: false, color: terminal.stderrColor > 0 ? "cyan" : false });
    spinner.start();
    stop = () => spinner.stop();
  }, DELAY_MS);
  try {
    return await work();
  } finally {
    isDone = true;
    clearTimeout(timer);
    stop?.();
  }
}
