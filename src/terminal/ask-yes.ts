import { createInterface } from "node:readline";
import type { Terminal } from "./terminal.ts";

/** What asking needs of the Runtime. */
interface Asker {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  terminal: Terminal;
  signal: AbortSignal;
  untilForeground: () => Promise<void>;
}

/** Whether a person sits at both ends, who can be asked. */
export function canAsk({ stdin, terminal }: Pick<Asker, "stdin" | "terminal">): boolean {
  return stdin.isTTY === true && terminal.isStderrTTY;
}

/** Asks the person at the terminal; Enter alone is a yes, and the end of the input a no. Rejects as `askLine` does. */
export async function askYes(question: string, asker: Asker): Promise<boolean> {
  const answer = await askLine(`${question} [Y/n]`, asker);
  return answer !== undefined && /^(y(es)?)?$/i.test(answer);
}

/**
 * What the person at the terminal types in answer, without spaces around it; undefined at the end of the input. Rejects with
 * the reason of the runtime's signal.
 */
export async function askLine(
  question: string,
  { stdin, terminal, signal, untilForeground }: Asker,
): Promise<string | undefined> {
  await untilForeground();
  signal.throwIfAborted();
  terminal.ask(question);
  // Of one that has ended nobody is told again.
  if (!stdin.readable) return undefined;
  const lines = createInterface({ input: stdin, terminal: false });
  let stop: () => void = () => undefined;
  try {
    const answer = await new Promise<string | undefined>((resolve, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      lines.once("line", resolve);
      lines.once("close", () => resolve(undefined));
    });
    if (answer !== undefined) terminal.noteTypedLine();
    return answer?.trim();
  } finally {
    signal.removeEventListener("abort", stop);
    lines.close();
  }
}
