import * as asyncHooks from "node:async_hooks";
import { AsyncLocalStorage } from "node:async_hooks";
import * as childProcess from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as http from "node:http";
import * as net from "node:net";
import type { Server, Socket } from "node:net";
import { constants } from "node:os";
import path from "node:path";
import * as performance from "node:perf_hooks";
import { PassThrough, Readable, Writable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
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
  timeout: typeof setTimeout,
  interval: typeof setInterval,
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

/** What judges schemas: a process whose cost is its beginning, and which has nothing of the program that asks it. */
const SCHEMA_WORKER = "schema-worker.js";

/** A process that a program has forked. */
class Fork {
  /** Workers of programs that have ended, for those that come. */
  static readonly #spares = new Set<Fork>();
  readonly child: childProcess.ChildProcess;
  readonly #isWorker: boolean;
  #isStarted = false;
  #unanswered = 0;

  constructor(file: string, args: readonly string[], options: childProcess.ForkOptions) {
    this.child = childProcess.fork(file, args, options);
    this.#isWorker = path.basename(file) === SCHEMA_WORKER;
    const send = this.child.send.bind(this.child) as (message: childProcess.Serializable) => boolean;
    this.child.send = (message: childProcess.Serializable) => {
      this.#unanswered += 1;
      return send(message);
    };
  }

  /** One that waits to be asked, which says that it is ready as a new one does; or a new one. */
  static start(file: string, args: readonly string[], options: childProcess.ForkOptions): Fork {
    const [spare] = path.basename(file) === SCHEMA_WORKER ? Fork.#spares : [];
    const fork = spare ?? new Fork(file, args, options);
    fork.child.on("message", (message) => {
      if (message === "ready") fork.#isStarted = true;
      else fork.#unanswered -= 1;
    });
    if (!spare) return fork;
    Fork.#spares.delete(spare);
    setImmediate(() => fork.child.emit("message", "ready"));
    return fork;
  }

  /** Ends what belongs to one program; a worker that nobody waits for is the next one's. */
  leave(): void {
    const { child } = this;
    if (!child.connected) return;
    if (!this.#isWorker || !this.#isStarted || this.#unanswered > 0 || child.killed) {
      child.disconnect();
      return;
    }
    for (const event of ["message", "error", "exit", "close"]) child.removeAllListeners(event);
    child.on("error", () => undefined);
    child.once("exit", () => Fork.#spares.delete(this));
    child.unref();
    child.channel?.unref();
    Fork.#spares.add(this);
  }
}

/** What a program has open: servers, connections, timers, channels to processes and contexts, which end with it. */
class Belongings {
  readonly #forks = new Set<Fork>();
  readonly #sockets = new Set<Socket>();
  readonly #servers = new Set<Server>();
  readonly #contexts = new Set<AsyncLocalStorage<unknown>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isOver = false;

  readonly setTimeout = Object.assign(
    (work: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): NodeJS.Timeout => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        work(...args);
      }, ms);
      return this.#addTimer(timer);
    },
    { [promisify.custom]: wait },
  ) as unknown as typeof setTimeout;

  readonly setInterval = ((work: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
    this.#addTimer(setInterval(work, ms, ...args))) as typeof setInterval;

  #addTimer(timer: NodeJS.Timeout): NodeJS.Timeout {
    if (this.#isOver) clearTimeout(timer);
    else this.#timers.add(timer);
    return timer;
  }

  add(socket: Socket): void {
    if (this.#isOver) socket.destroy();
    else this.#sockets.add(socket.on("close", () => this.#sockets.delete(socket)));
  }

  addServer(server: Server): void {
    this.#servers.add(server.on("close", () => this.#servers.delete(server)));
  }

  /** Node 20 asks each one that was ever used at every promise: those of hundreds of programs take all of the time. */
  readonly AsyncLocalStorage = ((contexts) =>
    class<Store> extends AsyncLocalStorage<Store> {
      constructor() {
        super();
        contexts.add(this);
      }
    })(this.#contexts);

  addFork(fork: Fork): void {
    this.#forks.add(fork);
    fork.child.once("close", () => this.#forks.delete(fork));
  }

  end(): void {
    this.#isOver = true;
    for (const fork of this.#forks) fork.leave();
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const context of this.#contexts) context.disable();
  }
}

const running = new AsyncLocalStorage<Belongings>();
for (const side of ["client", "server"])
  subscribe(`net.${side}.socket`, (message) =>
    running.getStore()?.add((message as { socket: Socket }).socket),
  );

/** A module of Node's for a program: its servers end with it. */
function withServers<Module extends { createServer: (...args: never[]) => Server }>(
  from: Module,
  belongings: Belongings,
): Module {
  const createServer = (...args: never[]): Server => {
    const server = from.createServer(...args);
    belongings.addServer(server);
    return server;
  };
  return { ...from, createServer };
}

/** One for all programs of this process: Node never lets go of any, nor of the program that made it. */
let eventLoopDelay: performance.IntervalHistogram | undefined;
const measuring: typeof performance = {
  ...performance,
  monitorEventLoopDelay: (options) =>
    (eventLoopDelay ??= running.exit(() => performance.monitorEventLoopDelay(options))),
};

/** Compiled once, run afresh for every program. */
const wrappers = new Map<string, Wrapper>();

function wrapperOf(file: string): Wrapper {
  const known = wrappers.get(file);
  if (known) return known;
  const code = fs.readFileSync(file, "utf8").replace(/^#!/, "//");
  const head =
    "(function (exports, require, module, __filename, __dirname, process, setTimeout, setInterval) {";
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

/** A program that runs inside this process, as much like a child process as tests look at it. */
export interface InProcessProgram {
  /** It has none. */
  pid: undefined;
  /** Signals are what the program listens to, and end it where it does not. */
  kill(signal: NodeJS.Signals): boolean;
  /** Calls with the exit code when it has ended. */
  once(event: "close", listener: (code: number) => void): unknown;
  /** Does what happens to the program from outside: what comes of it belongs to it. */
  within(work: () => void): void;
}

/** One whose outputs are read as those of a child process. */
interface PipedProgram extends InProcessProgram {
  stdout: Readable;
  stderr: Readable;
}

interface Streams {
  stdin?: Readable;
  stdout: Writable;
  stderr: Writable;
}

/**
 * Runs the built program inside this process, at a tenth of what a process of its own costs. Each run has fresh modules
 * and a `process` of its own with arguments, environment, streams and an end; files and sockets are real. What needs a
 * process is not here: signals of the system, pipes, keys and sizes of terminals, memory, options of Node, and what is
 * thrown where nobody waits for it.
 */
export async function runInProcess(
  binary: string,
  args: readonly string[],
  options: InProcessOptions,
): Promise<InProcessResult> {
  return new Promise((resolve) => {
    const written: Record<"stdout" | "stderr" | "output", Buffer[]> = { stdout: [], stderr: [], output: [] };
    const sink = (name: "stdout" | "stderr"): Writable =>
      new Writable({
        write: (chunk: Buffer, _, done) => {
          for (const kept of [written[name], written.output]) kept.push(chunk);
          done();
        },
      });
    const screen = options.columns === undefined ? {} : { isTTY: true, columns: options.columns, rows: 24 };
    const streams = {
      stdout: Object.assign(sink("stdout"), screen),
      stderr: Object.assign(sink("stderr"), screen),
    };
    launch(binary, args, options, streams, (code) =>
      resolve({
        code,
        signal: null,
        stdout: Buffer.concat(written.stdout).toString(),
        stderr: Buffer.concat(written.stderr).toString(),
        ...(options.columns === undefined ? {} : { output: Buffer.concat(written.output).toString() }),
      }),
    );
  });
}

/** Starts the built program inside this process, for tests that use it while it runs. */
export function startInProcess(
  binary: string,
  args: readonly string[],
  options: InProcessOptions,
): PipedProgram {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  return { ...startOnStreams(binary, args, options, { stdout, stderr }), stdout, stderr };
}

/** Starts it with streams of one's own, such as those of a terminal. */
export function startOnStreams(
  binary: string,
  args: readonly string[],
  options: InProcessOptions,
  streams: Streams,
): InProcessProgram {
  const events = new EventEmitter();
  const { emit, within } = launch(binary, args, options, streams, (code) => {
    streams.stdout.end();
    streams.stderr.end();
    events.emit("close", code);
  });
  return {
    pid: undefined,
    kill: (signal) => (emit(signal, signal), true),
    once: (event, listener) => events.once(event, listener),
    within,
  };
}

/** Runs a program. Returns what tells its `process` of an event, such as a signal, and what else happens to it. */
function launch(
  binary: string,
  args: readonly string[],
  { env, cwd, input, nodeVersion }: InProcessOptions,
  streams: Streams,
  onEnd: (code: number) => void,
): { emit: EventEmitter["emit"]; within: InProcessProgram["within"] } {
  const belongings = new Belongings();
  const listeners = new EventEmitter();
  let isOver = false;
  const end = (code: number): void => {
    if (isOver) return;
    listeners.emit("exit", code);
    isOver = true;
    belongings.end();
    onEnd(code);
  };
  const whileRunning = (name: "stdout" | "stderr"): Writable => {
    const stream = streams[name];
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    return Object.assign(stream, { write: (...args: unknown[]) => isOver || write(...args) });
  };
  const parts = {
    argv: [process.execPath, binary, ...args],
    env: { ...env },
    cwd: () => cwd,
    versions: { ...process.versions, ...(nodeVersion === undefined ? {} : { node: nodeVersion }) },
    stdin: streams.stdin ?? Readable.from(input.length === 0 ? [] : [Buffer.from(input)]),
    stdout: whileRunning("stdout"),
    stderr: whileRunning("stderr"),
    on: listeners.on.bind(listeners),
    once: listeners.once.bind(listeners),
    off: listeners.off.bind(listeners),
    emit: listeners.emit.bind(listeners),
    exitCode: undefined as number | undefined,
    exit: end,
    kill: (processId: number, signal?: NodeJS.Signals | 0) => {
      if (processId !== process.pid || signal === 0) return process.kill(processId, signal);
      end(128 + constants.signals[signal ?? "SIGTERM"]);
      return true;
    },
    // Those of this process are not its own.
    getActiveResourcesInfo: () => [],
  };
  const own = Object.create(process, Object.getOwnPropertyDescriptors(parts)) as NodeJS.Process;
  running.run(belongings, () => loader(own, belongings)(binary));
  return {
    emit: (event, ...more) => {
      if (listeners.listenerCount(event) > 0)
        return running.run(belongings, () => listeners.emit(event, ...more));
      return own.kill(process.pid, event as NodeJS.Signals);
    },
    within: (work) => running.run(belongings, work),
  };
}

/** Loads files as Node's require does, for one program. */
function loader(own: NodeJS.Process, belongings: Belongings): (file: string) => unknown {
  const loaded = new Map<string, { exports: unknown }>();
  const builtins: Record<string, unknown> = {
    "node:process": own,
    "node:async_hooks": { ...asyncHooks, AsyncLocalStorage: belongings.AsyncLocalStorage },
    "node:net": withServers(net, belongings),
    "node:http": withServers(http, belongings),
    "node:perf_hooks": measuring,
    "node:fs": {
      ...fs,
      fstatSync: (descriptor: number, ...rest: [fs.StatSyncOptions?]) => {
        // Then the program takes its streams for the outputs, and not the descriptors of this process.
        if (descriptor <= 2) throw new Error("There is no such descriptor.");
        return fs.fstatSync(descriptor, ...rest);
      },
      readFileSync: ((file: fs.PathOrFileDescriptor, ...rest: [fs.ObjectEncodingOptions?]) => {
        // That of a process which has no terminal to wait for, wherever the tests run.
        if (file === "/proc/self/stat") return "1 (node) R 1 1 1 0 -1 ";
        return fs.readFileSync(file, ...rest);
      }) as typeof fs.readFileSync,
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
      fork: (file: string, ...rest: [childProcess.ForkOptions?] | [string[], childProcess.ForkOptions?]) => {
        const [args, options] = Array.isArray(rest[0]) ? [rest[0], rest[1]] : [[], rest[0]];
        const all = { env: own.env, cwd: own.cwd(), execArgv: [], ...options };
        const fork = Fork.start(file, args, all);
        belongings.addFork(fork);
        return fork.child;
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
    wrapperOf(file).call(
      module.exports,
      module.exports,
      require,
      module,
      file,
      path.dirname(file),
      own,
      belongings.setTimeout,
      belongings.setInterval,
    );
    return module.exports;
  };
  return load;
}
