import { execFileSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import * as pty from "@lydell/node-pty";
import headless from "@xterm/headless";
import { onTestFinished } from "vitest";
import { startOnTerminal } from "./line-discipline.ts";
import { binary, emptyEnvironment, isProcess, nodeBinary } from "./openclaw.ts";

export interface PtyOptions {
  env?: Record<string, string | undefined>;
  /** What the terminal shows and, but for `tells`, what it says it has. */
  columns?: number;
  rows?: number;
  /** What the program is told instead: no columns or rows, as with `docker exec -t`, or one. */
  tells?: { columns: number; rows: number };
  cwd?: string;
  /** For how many seconds it stays open when the program has ended: a closed one loses what was not read of it yet. */
  lingerSeconds?: number;
  /** Runs this in the terminal instead of the program. */
  command?: readonly [string, ...string[]];
}

export interface TerminalOptions extends Pick<PtyOptions, "env" | "columns" | "rows" | "cwd"> {
  /** A process in any case: its signals are looked at, or what it starts asks the person at its terminal. */
  isAlone?: boolean;
}

/** The real program at a terminal, and a terminal emulator that shows what a person would see. */
export interface Sight {
  /** Types text and keys. */
  type(text: string): void;
  /** Resolves when the screen, without what has scrolled away, shows this. Rejects with the screen when it does not. */
  see(what: string | RegExp): Promise<string>;
  /** The lines on the screen and above it, without empty ones at the end. */
  lines(): string[];
  /** Row and column of the cursor, from 0. */
  cursor(): { row: number; column: number };
  /** The look of the first cell of a text on the screen. */
  lookOf(text: string): { isBold: boolean; isDim: boolean; isItalic: boolean; color: number };
  resize(columns: number, rows: number): Promise<void>;
  /** Everything that the program wrote, to the byte. */
  output(): string;
  kill(signal: string): void;
  /** Resolves to the exit code, or the signal's number plus 128. */
  exit: Promise<number>;
}

/** The real program as a process in a pseudo-terminal. */
export interface Pty extends Sight {
  /** Lets the terminal tell another size than it shows, such as none. */
  tell(columns: number, rows: number): void;
  /** Takes nothing any more of what the program writes, as after Ctrl-S, or when the connection is stuck. */
  freeze(): void;
  /** Closes the terminal, as its window is closed. */
  hangUp(): void;
  /** The process that was started. */
  processId: number;
}

/** A program that was started at a terminal. */
export interface TerminalChild {
  write(text: string): void;
  onData(listener: (text: string) => void): unknown;
  onExit(listener: (ended: { exitCode: number; signal?: number | undefined }) => void): unknown;
  resize(columns: number, rows: number): void;
  kill(signal: string): void;
}

/** How long a person would look at a screen that does not change, in ms. */
const PATIENCE_MS = 10_000;

/** The environment of a program at the terminal emulator used here, xterm.js, under the name that programs know it by. */
function environmentAt(home: string, env: PtyOptions["env"]): Record<string, string> {
  return emptyEnvironment(home, {
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    TERM_PROGRAM: "vscode",
    ...env,
  });
}

/** Starts the program as a process in a pseudo-terminal. */
export function openPty(args: readonly string[], home: string, options: PtyOptions = {}): Pty {
  const { columns = 80, rows = 24, cwd = home, tells, lingerSeconds } = options;
  const program = options.command ?? [nodeBinary, binary, ...args];
  const size = tells ? `stty cols ${tells.columns} rows ${tells.rows} && ` : "";
  const run =
    lingerSeconds === undefined ? 'exec "$@"' : `{ "$@"; code=$?; sleep ${lingerSeconds}; exit $code; }`;
  const isPlain = tells === undefined && lingerSeconds === undefined;
  const command = isPlain ? program : ["/bin/sh", "-c", size + run, "sh", ...program];
  const child = pty.spawn(command[0] ?? "", command.slice(1), {
    name: "xterm-256color",
    cols: columns,
    rows,
    cwd,
    env: environmentAt(home, options.env),
  });
  return {
    ...watch(child, columns, rows),
    freeze: () => child.pause(),
    // It has a way to do so which its types do not tell of.
    hangUp: () => (child as unknown as { destroy(): void }).destroy(),
    processId: child.pid,
    // The library refuses what a terminal never should tell.
    tell: (wide, high) => {
      const device = readlinkSync(`/proc/${child.pid}/fd/2`);
      execFileSync("stty", ["-F", device, "cols", `${wide}`, "rows", `${high}`]);
    },
  };
}

/**
 * As `openPty`, for tests that look at screen and keys alone: as other programs are, it is a process where its command has
 * been none yet, and then runs inside this one.
 */
export function openTerminal(args: readonly string[], home: string, options: TerminalOptions = {}): Sight {
  const { columns = 80, rows = 24, cwd = home, isAlone } = options;
  const env = environmentAt(home, options.env);
  if (isProcess(args, env, isAlone)) return openPty(args, home, options);
  return watch(startOnTerminal(args, { env, cwd, columns, rows }), columns, rows);
}

/** Shows on a terminal emulator what a program writes that was started at a terminal. */
function watch(child: TerminalChild, columns: number, rows: number): Sight {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 5000 });
  let output = "";
  const waiting = new Set<() => void>();
  child.onData((text) => {
    output += text;
    terminal.write(text, () => {
      for (const look of waiting) look();
    });
  });
  let hasEnded = false;
  const exit = new Promise<number>((resolve) =>
    child.onExit(({ exitCode, signal }) => {
      hasEnded = true;
      terminal.write("", () => {
        for (const look of waiting) look();
        resolve(signal ? 128 + signal : exitCode);
      });
    }),
  );
  onTestFinished(async () => {
    if (hasEnded) return;
    // A program that is killed tells nothing of what it did.
    child.kill(process.env["OPENCLAW_TEST_COVERAGE"] ? "SIGHUP" : "SIGKILL");
    await exit;
  });
  const lines = (): string[] => {
    const { active } = terminal.buffer;
    const texts = Array.from(
      { length: active.length },
      (_, y) => active.getLine(y)?.translateToString(true) ?? "",
    );
    while (texts.at(-1) === "") texts.pop();
    return texts;
  };
  const shown = (): string => lines().slice(terminal.buffer.active.baseY).join("\n");
  return {
    type: (text) => child.write(text),
    lines,
    see: (what) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`The screen does not show ${what}:\n${lines().join("\n")}`));
        }, PATIENCE_MS);
        const look = (): void => {
          const text = shown();
          if (typeof what === "string" ? !text.includes(what) : !what.test(text)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(text);
        };
        waiting.add(look);
        look();
      }),
    cursor: () => ({ row: terminal.buffer.active.cursorY, column: terminal.buffer.active.cursorX }),
    lookOf: (text) => {
      const all = lines();
      const y = all.findLastIndex((line) => line.includes(text));
      const cell = terminal.buffer.active.getLine(y)?.getCell(all[y]?.indexOf(text) ?? 0);
      if (!cell) throw new Error(`The screen does not show ${text}.`);
      return {
        isBold: cell.isBold() !== 0,
        isDim: cell.isDim() !== 0,
        isItalic: cell.isItalic() !== 0,
        color: cell.getFgColor(),
      };
    },
    resize: (wide, high) =>
      new Promise((resolve) => {
        terminal.resize(wide, high);
        child.resize(wide, high);
        terminal.write("", resolve);
      }),
    output: () => output,
    kill: (signal) => child.kill(signal),
    exit,
  };
}
