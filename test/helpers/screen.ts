import pty from "@lydell/node-pty";
import headless from "@xterm/headless";

export interface Screen {
  exitCode: number;
  /** What a person sees when the command has ended: one entry a line, wrapped ones joined, no white space at their ends. */
  lines: string[];
}

export interface ScreenOptions {
  env: Readonly<Record<string, string>>;
  cwd: string;
  columns?: number;
  /** Ctrl-C is typed as soon as the screen is like this and its last line has ended (a terminal delivers text in pieces). */
  interruptAt?: RegExp | undefined;
}

/** Runs a shell command in a pseudo-terminal (default: 100 columns) until it ends, and reads the screen. */
export async function showOnScreen(
  command: string,
  { env, cwd, columns = 100, interruptAt }: ScreenOptions,
): Promise<Screen> {
  const terminal = new headless.Terminal({
    cols: columns,
    rows: 24,
    scrollback: 10_000,
    allowProposedApi: true,
  });
  const shell = pty.spawn("/bin/sh", ["-c", command], {
    name: "xterm-256color",
    cols: columns,
    rows: 24,
    cwd,
    env: { TERM: "xterm-256color", ...env },
  });
  let isInterrupted = false;
  const interruptWhenReached = (): void => {
    const isWithinLine = terminal.buffer.active.cursorX > 0;
    if (isInterrupted || isWithinLine || !interruptAt?.test(textOf(readLines(terminal)))) return;
    isInterrupted = true;
    shell.write("\u0003");
  };
  shell.onData((text) => terminal.write(text, interruptWhenReached));
  const { exitCode } = await new Promise<{ exitCode: number }>((resolve) => shell.onExit(resolve));
  await new Promise<void>((resolve) => terminal.write("", resolve));
  return { exitCode, lines: readLines(terminal) };
}

/** The lines as one text, each with its line end. */
export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function readLines(terminal: headless.Terminal): string[] {
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let y = 0; y < active.length; y += 1) {
    const line = active.getLine(y);
    const text = line?.translateToString(false) ?? "";
    if (line?.isWrapped) lines.push(`${lines.pop() ?? ""}${text}`);
    else lines.push(text);
  }
  const trimmed = lines.map((line) => line.trimEnd());
  return trimmed.slice(0, trimmed.findLastIndex((line) => line !== "") + 1);
}
