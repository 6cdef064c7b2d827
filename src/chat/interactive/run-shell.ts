import type { ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { endWith } from "../../end-child.ts";
import type { Runtime } from "../../runtime.ts";

/** The most of a command's output that is kept, in bytes: as much as a person may want to send. */
const MOST_OUTPUT_BYTES = 1_000_000;

export interface ShellRun {
  /** What it wrote to both of its outputs, as it came; what is beyond the bound is left out. */
  output: string;
  isCut: boolean;
  /** How it ended, where that was not well. */
  end: string | undefined;
}

/**
 * Runs a command in the person's shell, without input, and shows what it writes as it comes; nothing in it acts on the
 * terminal. Ends it, with all that it started, when `stop` is aborted. Rejects with Node's error where there is no shell.
 */
export async function runShell(command: string, runtime: Runtime, stop: AbortSignal): Promise<ShellRun> {
  const { env, currentFolder, terminal, platform } = runtime;
  const { spawn } = await import("node:child_process");
  const hasGroup = platform !== "win32";
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, {
    shell: env["SHELL"] ?? true,
    cwd: currentFolder,
    env: { ...env },
    detached: hasGroup,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { forget } = endWith(stop, child, hasGroup, runtime);
  let output = "";
  let isCut = false;
  let isAtLineStart = true;
  const take = (text: string): void => {
    terminal.writeAside(text);
    isAtLineStart = text.endsWith("\n");
    const room = MOST_OUTPUT_BYTES - output.length;
    isCut ||= text.length > room;
    output += text.slice(0, room);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", take);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (...end) => resolve(end));
    });
    if (!isAtLineStart) terminal.writeAside("\n");
    const end = stop.aborted
      ? "stopped"
      : signal
        ? `ended by ${signal}`
        : code === 0
          ? undefined
          : `exit code ${code}`;
    return { output, isCut, end };
  } finally {
    forget();
  }
}
