import { AsyncLocalStorage } from "node:async_hooks";
import * as childProcess from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import path from "node:path";
import { Readable, Writable } from "node:stream";
import vm from "node:vm";

/** What a CommonJS file is to Node, and the process that it is to believe in. */
type Wrapper = (
  this: unknown,
  exports: unknown,
  require: (id: string) => unknown,
  module: { exports: unknown },
  file: string,
  folder: string,
  process: NodeJS.Process,
) => void;

export interface InProcessOptions {
  env: Readonly<Record<string, string>>;
  cwd: string;
  input: string | Buffer;
  /** Columns of the terminal that both outputs are, for what is printed on one. */
  columns?: number;
  /** The version of Node that it takes itself to run on. */
  nodeVersion?: string;
}

export interface InProcessResult {
  code: number;
  signal: null;
  stdout: string;
  stderr: string;
  /** Where both are a terminal, both in the order in which they were written. */
  output?: string;
}

/** The connections of a program, which end with it. */
class Connections {
  readonly #sockets = new Set<Socket>();
  #isOver = false;

  add(socket: Socket): void {
    if (this.#isOver) socket.destroy();
    else this.#sockets.add(socket.on("close", () => this.#sockets.delete(socket)));
  }

  end(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

const running = new AsyncLocalStorage<Connections>();
subscribe("net.client.socket", (message) => running.getStore()?.add((message as { socket: Socket }).socket));

/** Compiled once, run afresh for every program. */
const wrappers = new Map<string, Wrapper>();

function wrapperOf(file: string): Wrapper {
  const known = wrappers.get(file);
  if (known) return known;
  const code = fs.readFileSync(file, "utf8").replace(/^#!/, "//");
  const head = "(function (exports, require, module, __filename, __dirname, process) {";
  const script = new vm.Script(`${head}${code}\n})`, {
    filename: file,
    // Stacks name the places of the file.
    columnOffset: -head.length,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const wrapper = script.runInThisContext() as Wrapper;
  wrappers.set(file, wrapper);
  return wrapper;
}

/**
 * Runs the built program inside this process, at a tenth of what a process of its own costs. Each run has fresh modules
 * and a `process` of its own with arguments, environment, streams and an end; files and sockets are real. What needs a
 * process is not here: signals, pipes, keys and sizes of terminals, memory, options of Node.
 */
export async function runInProcess(
  binary: string,
  args: readonly string[],
  options: InProcessOptions,
): Promise<InProcessResult> {
  return new Promise((resolve) => {
    const written: Written = { stdout: [], stderr: [], output: [] };
    const connections = new Connections();
    const own = ownProcess([process.execPath, binary, ...args], options, written, (code) => {
      connections.end();
      resolve({
        code,
        signal: null,
        stdout: Buffer.concat(written.stdout).toString(),
        stderr: Buffer.concat(written.stderr).toString(),
        ...(options.columns === undefined ? {} : { output: Buffer.concat(written.output).toString() }),
      });
    });
    running.run(connections, () => loader(own)(binary));
  });
}

type Written = Record<"stdout" | "stderr" | "output", Buffer[]>;

function ownProcess(
  argv: readonly string[],
  { env, cwd, input, columns, nodeVersion }: InProcessOptions,
  written: Written,
  onEnd: (code: number) => void,
): NodeJS.Process {
  let isOver = false;
  const screen = columns === undefined ? {} : { isTTY: true, columns, rows: 24 };
  const sink = (name: "stdout" | "stderr"): Writable =>
    Object.assign(
      new Writable({
        write: (chunk: Buffer, _, done) => {
          if (!isOver) for (const kept of [written[name], written.output]) kept.push(chunk);
          done();
        },
      }),
      screen,
    );
  const listeners = new EventEmitter();
  const parts = {
    argv,
    env: { ...env },
    cwd: () => cwd,
    versions: { ...process.versions, ...(nodeVersion === undefined ? {} : { node: nodeVersion }) },
    stdin: Readable.from(input.length === 0 ? [] : [Buffer.from(input)]),
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    on: (...args: Parameters<EventEmitter["on"]>) => listeners.on(...args),
    once: (...args: Parameters<EventEmitter["once"]>) => listeners.once(...args),
    off: (...args: Parameters<EventEmitter["off"]>) => listeners.off(...args),
    exitCode: undefined as number | undefined,
    exit: (code: number) => {
      if (isOver) return;
      listeners.emit("exit", code);
      isOver = true;
      onEnd(code);
    },
  };
  return Object.create(process, Object.getOwnPropertyDescriptors(parts)) as NodeJS.Process;
}

/** Loads files as Node's require does, for one program. */
function loader(own: NodeJS.Process): (file: string) => unknown {
  const loaded = new Map<string, { exports: unknown }>();
  const builtins: Record<string, unknown> = {
    "node:process": own,
    "node:fs": {
      ...fs,
      fstatSync: (descriptor: number, ...rest: [fs.StatSyncOptions?]) => {
        // Then the program takes its streams for the outputs, and not the descriptors of this process.
        if (descriptor <= 2) throw new Error("There is no such descriptor.");
        return fs.fstatSync(descriptor, ...rest);
      },
    },
    "node:child_process": {
      ...childProcess,
      spawn: (
        command: string,
        ...rest: [childProcess.SpawnOptions] | [string[], childProcess.SpawnOptions]
      ) => {
        const [args, options] = rest.length === 1 ? [[], rest[0]] : rest;
        return childProcess.spawn(command, args, { env: own.env, cwd: own.cwd(), ...options });
      },
    },
    // Its cache of compiled code is for processes.
    "node:module": {},
  };
  const load = (file: string): unknown => {
    const known = loaded.get(file);
    if (known) return known.exports;
    const module: { exports: unknown } = { exports: {} };
    loaded.set(file, module);
    const nodes = createRequire(file);
    const require = (id: string): unknown =>
      builtins[id] ?? (id.startsWith(".") ? load(nodes.resolve(id)) : nodes(id));
    wrapperOf(file).call(module.exports, module.exports, require, module, file, path.dirname(file), own);
    return module.exports;
  };
  return load;
}
