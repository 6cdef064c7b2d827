import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { endRest, endWith } from "../../end-child.ts";
import { errorCode } from "../../errors.ts";
import { isSecretName } from "../../network/clear-text.ts";
import type { Environment, Runtime } from "../../runtime.ts";
import { explainStart } from "./find-program.ts";

export interface Command {
  /** The program and its arguments; no shell reads them. */
  command: readonly string[];
  /** What it is given on stdin; without, that is at its end from the start. */
  input?: string | undefined;
  env: Environment;
  folder: string;
  /** In seconds. */
  timeoutSeconds: number;
}

/** What a command wrote to one of its outputs. */
export interface Output {
  /** All of it, or the beginning of what was longer. */
  beginning: Buffer;
  /** The end of what was longer. */
  end: Buffer;
  /** Bytes of all that it wrote. */
  length: number;
}

export type CommandEnd =
  | { kind: "exit"; code: number }
  | { kind: "signal"; signal: string }
  /** Its time was over. */
  | { kind: "late" }
  /** It wrote more than anybody reads. */
  | { kind: "flood" }
  /** `why` is a sentence. */
  | { kind: "not-started"; why: string };

export interface CommandRun {
  stdout: Output;
  stderr: Output;
  end: CommandEnd;
}

/** What is asked to end has this long to do so, in ms: a person who stops the program waits for it. */
const GRACE_MS = 400;
/** What has ended may have left its outputs to others for so long, in ms. */
const REST_MS = 500;
/** What has been killed is waited for so long, in ms. What waits for a disk that is gone never ends. */
const KILLED_MS = 500;

/** Of an output so much is kept from its beginning, in bytes: an image has to be whole. */
const KEPT_BEGINNING = 4 * 1024 * 1024;
/** Of what is longer so much is kept from its end, in bytes. */
const KEPT_END = 128 * 1024;
/** More than this is written by what never ends, in bytes. */
const MOST_WRITTEN = 256 * 1024 * 1024;

/**
 * Runs a command in a process group of its own, which is ended with it: when it has ended, when its time is over, when it
 * writes without end, when `signal` is aborted, and when this process ends. What it writes is read to its end and takes a
 * bounded part of memory. Rejects with the signal's reason.
 */
export async function runCommand(
  { command, input, env, folder, timeoutSeconds }: Command,
  runtime: Pick<Runtime, "platform" | "endGroup" | "onExit" | "isProcessAlive">,
  signal: AbortSignal,
): Promise<CommandRun> {
  signal.throwIfAborted();
  const [program = "", ...rest] = command;
  const { spawn } = await import("node:child_process");
  signal.throwIfAborted();
  const hasGroup = runtime.platform !== "win32";
  const stdout = new KeptOutput();
  const stderr = new KeptOutput();
  const runOf = (end: CommandEnd): CommandRun => ({ stdout: stdout.kept(), stderr: stderr.kept(), end });
  const notStarted = async (failure: unknown): Promise<CommandRun> => {
    if (errorCode(failure) === undefined) throw failure;
    const why = await explainStart(program, failure as Error, { env, folder, platform: runtime.platform });
    return runOf({ kind: "not-started", why });
  };
  let child: ChildProcess;
  try {
    child = spawn(program, rest, {
      cwd: folder,
      env: { ...env },
      detached: hasGroup,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      windowsHide: true,
    });
  } catch (error) {
    // Zero bytes in an argument, and what the system says at once.
    return notStarted(error);
  }
  const ending = new AbortController();
  const { forget } = endWith(ending.signal, child, hasGroup, runtime, GRACE_MS);
  let ended: CommandEnd | undefined;
  let reason: "late" | "flood" | undefined;
  const endFor = (why: "late" | "flood"): void => {
    if (ended === undefined) reason ??= why;
    ending.abort();
  };
  const onAbort = (): void => ending.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  const timers = [setTimeout(() => endFor("late"), timeoutSeconds * 1000)];
  const onFlood = (): void => endFor("flood");
  stdout.read(child.stdout, onFlood);
  stderr.read(child.stderr, onFlood);
  if (input !== undefined) feed(child.stdin, input);
  let failure: unknown;
  try {
    await new Promise<void>((resolve) => {
      child.once("error", (error) => {
        failure = error;
        resolve();
      });
      child.once("exit", (code, by) => {
        ended = by === null ? { kind: "exit", code: code ?? 0 } : { kind: "signal", signal: by };
        timers.push(setTimeout(onAbort, REST_MS));
      });
      child.once("close", resolve);
      ending.signal.addEventListener("abort", () => timers.push(setTimeout(resolve, GRACE_MS + KILLED_MS)), {
        once: true,
      });
    });
    if (child.pid === undefined) return await notStarted(failure);
    if (hasGroup) await endRest(child.pid, runtime);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    forget();
    child.unref();
  }
  signal.throwIfAborted();
  return runOf(reason ? { kind: reason } : (ended ?? { kind: "late" }));
}

/** The beginning and the end of what a stream has, and how much that is. Copied: very many small pieces would take more. */
class KeptOutput {
  #beginning = Buffer.alloc(0);
  #beginningLength = 0;
  #end = Buffer.alloc(0);
  #endLength = 0;
  #length = 0;

  read(stream: Readable | null, onFlood: () => void): void {
    stream?.on("data", (piece: Buffer) => {
      this.#take(piece);
      if (this.#length > MOST_WRITTEN) onFlood();
    });
    // That it is gone is told by its end.
    stream?.on("error", () => stream.destroy());
  }

  #take(piece: Buffer): void {
    this.#length += piece.length;
    const first = piece.subarray(0, KEPT_BEGINNING - this.#beginningLength);
    this.#beginning = withRoom(this.#beginning, this.#beginningLength, first.length, KEPT_BEGINNING);
    first.copy(this.#beginning, this.#beginningLength);
    this.#beginningLength += first.length;
    const last = piece.subarray(first.length).subarray(-KEPT_END);
    if (last.length === 0) return;
    this.#end = withRoom(this.#end, this.#endLength, last.length, 2 * KEPT_END);
    if (this.#endLength + last.length > this.#end.length) {
      this.#end.copyWithin(0, this.#endLength - KEPT_END, this.#endLength);
      this.#endLength = KEPT_END;
    }
    last.copy(this.#end, this.#endLength);
    this.#endLength += last.length;
  }

  kept(): Output {
    const end = this.#end.subarray(0, this.#endLength).subarray(-KEPT_END);
    return { beginning: this.#beginning.subarray(0, this.#beginningLength), end, length: this.#length };
  }
}

/** A buffer that takes so many bytes more, as far as `most` lets it. */
function withRoom(
  buffer: Buffer<ArrayBuffer>,
  used: number,
  more: number,
  most: number,
): Buffer<ArrayBuffer> {
  if (used + more <= buffer.length || buffer.length === most) return buffer;
  const larger = Buffer.alloc(Math.min(most, Math.max(used + more, 2 * buffer.length)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

/** Gives a program its input. One that ends without reading it all has what it wants. */
function feed(stdin: Writable | null, input: string): void {
  stdin?.on("error", () => stdin.destroy());
  stdin?.end(input);
}

/** Variables that hold what a program of a model is not to have. */
const WITHHELD = /^(AWS|OPENCLAW)_/;

/**
 * The environment of a program that a model has run: the caller's without the variables of AWS and of openclaw, and what
 * the settings name for it. On Windows names are the same in any case.
 */
export function environmentFor(
  env: Environment,
  named: Readonly<Record<string, unknown>> | undefined,
  platform: NodeJS.Platform,
): Record<string, string> {
  const nameOf = (name: string): string => (platform === "win32" ? name.toUpperCase() : name);
  const set = new Map(Object.entries(named ?? {}).map(([name, value]) => [name, String(value)]));
  const taken = new Set([...set.keys()].map(nameOf));
  const kept = Object.entries(env).flatMap(([name, value]) =>
    value === undefined || WITHHELD.test(nameOf(name)) || taken.has(nameOf(name))
      ? []
      : [[name, value] as const],
  );
  return Object.fromEntries([...kept, ...set]);
}

/**
 * The secrets of an entry of the settings, by the names of the variables that it sets and of those that it takes in:
 * `written` has `${NAME}` where `expanded` has their values.
 */
export function secretsOf(
  written: unknown,
  { env: set = {} }: { env?: Readonly<Record<string, unknown>> | undefined },
  env: Environment,
): string[] {
  const taken = [...JSON.stringify(written).matchAll(/\$\{(\w+)/g)].map(
    ([, name = ""]) => [name, env[name]] as const,
  );
  return [...Object.entries(set), ...taken].flatMap(([name, value]) =>
    isSecretName(name) && value !== undefined ? [String(value)] : [],
  );
}
