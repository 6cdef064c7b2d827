import { PassThrough, Writable } from "node:stream";
import { binary } from "./openclaw.ts";
import type { TerminalChild } from "./pty.ts";
import { startOnStreams } from "./run-in-process.ts";

/** The control characters that a terminal acts on in line mode. */
const INTERRUPT = "\u0003";
const END = "\u0004";
const ERASE = "\u007F";

interface TerminalOptions {
  env: Readonly<Record<string, string>>;
  cwd: string;
  columns: number;
  rows: number;
}

/**
 * Starts the built program inside the tests' process, on a terminal of this process: what termios(3) says of line mode and
 * of raw mode, as far as programs that read keys see it. What the program starts has no terminal, nobody stops it, and it
 * has no job control: that takes a process on a pseudo-terminal.
 */
export function startOnTerminal(
  args: readonly string[],
  { env, cwd, ...size }: TerminalOptions,
): TerminalChild {
  const listeners: ((text: string) => void)[] = [];
  // The terminal itself puts a carriage return before each line end, in raw mode as Node sets it, too.
  const show = (text: string): void => {
    for (const listener of listeners) listener(text.replaceAll("\n", "\r\n"));
  };
  const screen = (): Writable => {
    const decoder = new TextDecoder();
    return Object.defineProperties(
      new Writable({
        write: (chunk: Buffer, _, done) => {
          show(decoder.decode(chunk, { stream: true }));
          done();
        },
      }),
      { isTTY: { value: true }, columns: { get: () => size.columns }, rows: { get: () => size.rows } },
    );
  };
  let isRaw = false;
  let line = "";
  const keys = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => {
      isRaw = raw;
      if (raw) pass();
    },
  });
  const pass = (): void => {
    if (line !== "") program.within(() => keys.write(line));
    line = "";
  };
  const typeInLine = (key: string): void => {
    if (key === INTERRUPT) {
      line = "";
      show("^C");
      program.kill("SIGINT");
    } else if (key === END) {
      if (line === "") program.within(() => keys.end());
      else pass();
    } else if (key === ERASE) {
      if (line !== "") show("\b \b");
      line = line.slice(0, -1);
    } else {
      const shown = key === "\r" ? "\n" : key;
      line += shown;
      show(shown);
      if (shown === "\n") pass();
    }
  };
  const [stdout, stderr] = [screen(), screen()];
  const program = startOnStreams(binary, args, { env, cwd, input: "" }, { stdin: keys, stdout, stderr });
  return {
    write: (text) => {
      if (isRaw) program.within(() => keys.write(text));
      else for (const key of text) typeInLine(key);
    },
    onData: (listener) => listeners.push(listener),
    onExit: (listener) => program.once("close", (exitCode) => listener({ exitCode })),
    resize: (columns, rows) => {
      Object.assign(size, { columns, rows });
      for (const stream of [stdout, stderr]) program.within(() => stream.emit("resize"));
    },
    kill: (signal) => void program.kill(signal as NodeJS.Signals),
  };
}
