import { readFileSync } from "node:fs";
import { readsNothing, isOneTerminal, outputSink } from "./terminal/output-sink.ts";
import { errorCode } from "./errors.ts";
import { Terminal } from "./terminal/terminal.ts";

/** The home folder of a user who has none: nothing is there, and nothing can be made there. */
export const NO_HOME = "/dev/null/no-home";
/** The folder of who stands in one that was removed, likewise. */
const NO_FOLDER = "/dev/null/removed-folder";

export interface ProcessUse {
  residentBytes: number;
  /** Of JavaScript's values. */
  heapBytes: number;
  /** Of all cores, since it began. */
  cpuSeconds: number;
  /** Milliseconds since 1970. */
  startedAt: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything of the outside world that a command may touch. Built once, in main.ts; each test builds its own. */
export interface Runtime {
  /** The environment without variables that are empty or blank, which count as unset, but for those that mean something. */
  readonly env: Environment;
  readonly homeFolder: string;
  readonly currentFolder: string;
  readonly stdin: NodeJS.ReadableStream & {
    isTTY?: boolean;
    fd?: number;
    setRawMode?: (isRaw: boolean) => unknown;
  };
  readonly terminal: Terminal;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; the reason is the `interrupted` error. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds on a clock that never goes back, for durations. */
  readonly elapsed: () => number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly nodeVersion: string;
  readonly platform: NodeJS.Platform;
  readonly processId: number;
  readonly processUse: () => ProcessUse;
  /** Whose rights this process has; undefined on Windows. */
  readonly userId: number | undefined;
  /** Whether a process with this id, or one of a group with this id below zero, is there, seen from this one's namespace. */
  readonly isProcessAlive: (processId: number) => boolean;
  /** Sends a signal to every process of a group, which has the id of its first one, that may be sent one. */
  readonly endGroup: (groupId: number, signal: "SIGTERM" | "SIGKILL") => void;
  /** Asks a process to end, and all that it has started. Returns what kills those of them that have not. */
  readonly endTree: (processId: number) => () => void;
  /** Has `work` done when the process ends, however it ends short of SIGKILL. Returns how to take that back. */
  readonly onExit: (work: () => void) => () => void;
  /** Gives the command so many ms to end after a signal; a second signal ends it at once, as ever. */
  readonly allowGrace: (ms: number) => void;
  /**
   * Has SIGHUP do `work`, such as reading a file again, in place of ending the program. Where a terminal of the program
   * is gone, and while it ends, the signal ends it as ever. Returns how to take that back.
   */
  readonly onReload: (work: () => void) => () => void;
  /** Has `take` judge what is thrown where nobody waits for it, from now on; otherwise that ends the command. */
  readonly onUncaught: (take: (failure: unknown) => void) => void;
  /** Leaves Ctrl-C to a program that this one has started in the terminal, such as a pager, until what it returns is called. */
  readonly lendTerminal: () => () => void;
  /** Stops the process as Ctrl-Z does; resolves when it goes on, and has its terminal again, or `signal` is aborted. */
  readonly suspend: () => Promise<void>;
  /** Has `work` done whenever the process goes on that somebody has stopped. Returns how to take that back. */
  readonly onContinue: (work: () => void) => () => void;
  /**
   * Resolves when the process may read its terminal, or `signal` is aborted. Before it is stopped, as one in the background
   * is that reads: by itself, since the system would stop it again and again, and it would hear no signal.
   */
  readonly untilForeground: () => Promise<void>;
  /** True under `--emulator`: nothing that was learnt is worth keeping on disk. */
  readonly isEmulated: boolean;
}

/**
 * The variables that are kept though they are blank: a door whose key was lost is not one that is to stand open, and an
 * empty PAGER means none.
 */
const KEPT_BLANK = new Set(["OPENCLAW_SERVE_API_KEY", "PAGER"]);

/** The Runtime of the real process. The three streams are opened when first used: each costs a millisecond or two. */
export function createRuntime(
  signal: () => AbortSignal,
  onStdoutError: (error: Error) => void = () => undefined,
  allowGrace: (ms: number) => void = () => undefined,
  onUncaught: Runtime["onUncaught"] = () => undefined,
  lendTerminal: Runtime["lendTerminal"] = () => () => undefined,
  onReload: Runtime["onReload"] = () => () => undefined,
): Runtime {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && (value.trim() !== "" || KEPT_BLANK.has(name))) env[name] = value;
  }
  // What the SDK prints by itself where Node is old, wherever it is loaded: `doctor` says it, and nobody twice.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  let stdin: Runtime["stdin"] | undefined;
  return {
    env,
    homeFolder: findHomeFolder(env, process.platform),
    currentFolder: findCurrentFolder(env),
    get stdin() {
      return (stdin ??= openStdin());
    },
    terminal: new Terminal(
      outputSink(1, () => process.stdout, onStdoutError, process.platform),
      // Nobody is left to be told that stderr is gone.
      outputSink(
        2,
        () => (isOneTerminal(1, 2) && process.stdout.isTTY ? process.stdout : process.stderr),
        () => undefined,
        process.platform,
      ),
      env,
    ),
    get signal() {
      return signal();
    },
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    nodeVersion: process.versions.node,
    platform: process.platform,
    processId: process.pid,
    processUse,
    userId: process.geteuid?.(),
    isProcessAlive,
    endGroup,
    endTree,
    onExit,
    allowGrace,
    onReload,
    onUncaught,
    lendTerminal,
    suspend: async () => {
      await stop();
      await untilForeground(signal());
    },
    onContinue: (work) => {
      process.on("SIGCONT", work);
      return () => process.off("SIGCONT", work);
    },
    untilForeground: () => untilForeground(signal()),
    isEmulated: false,
  };
}

/** The process's own stdin; where that is /dev/null, a stream that ends at once: Node loads 13 of its parts to read nothing. */
function openStdin(): Runtime["stdin"] {
  if (!readsNothing(0)) return process.stdin;
  const { Readable } = process.getBuiltinModule("node:stream");
  return Object.assign(Readable.from([]), { fd: 0 });
}

/**
 * A folder that was removed while somebody stood in it has only the name that the shell remembers, else none: it must not be
 * one that is there, where a file named in passing would be found, or a tool given the whole disk.
 */
function findCurrentFolder(env: Environment): string {
  try {
    return process.cwd();
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    const remembered = env["PWD"] ?? "";
    return remembered.startsWith("/") ? remembered : NO_FOLDER;
  }
}

/**
 * As os.homedir() finds it, which loads node:os only where HOME does not say: a hundredth of every start. A user without an
 * entry in the system's list of users, as containers have them, gets NO_HOME.
 */
function findHomeFolder(env: Environment, platform: NodeJS.Platform): string {
  const named = platform === "win32" ? undefined : env["HOME"];
  if (named !== undefined) return named;
  const os = process.getBuiltinModule("node:os");
  try {
    // A HOME that is set to nothing is no home.
    return os.homedir() || os.userInfo().homedir;
  } catch (error) {
    if (errorCode(error) !== "ERR_SYSTEM_ERROR") throw error;
    // The SDK looks for itself, and would fail.
    return (process.env["HOME"] = NO_HOME);
  }
}

function processUse(): ProcessUse {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: rss,
    heapBytes: heapUsed,
    cpuSeconds: (user + system) / 1e6,
    startedAt: performance.timeOrigin,
  };
}

function isProcessAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return !isZombie(processId);
  } catch (error) {
    // Signal 0 only asks; a process of another user answers EPERM.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process has ended, and its parent has not asked how: it answers signals, and does nothing any more. */
function isZombie(processId: number): boolean {
  // A group has no state, and only Linux tells that of a process.
  if (processId < 0 || process.platform !== "linux") return false;
  try {
    // The name in front of the state is in brackets, and may have some (proc_pid_stat(5)).
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${processId}/stat`, "utf8"));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

/** What is to be done when the process exits: any number, which Node would take for a leak among its own listeners. */
const atExit = new Set<() => void>();

function onExit(work: () => void): () => void {
  if (atExit.size === 0) process.on("exit", workAtExit);
  atExit.add(work);
  return () => {
    atExit.delete(work);
    if (atExit.size === 0) process.off("exit", workAtExit);
  };
}

function workAtExit(): void {
  for (const work of atExit) work();
}

function endGroup(groupId: number, signal: "SIGTERM" | "SIGKILL"): void {
  endOne(-groupId, signal);
}

function endTree(processId: number): () => void {
  const all = [processId, ...startedBy(processId)];
  for (const id of all) endOne(id, "SIGTERM");
  return () => {
    for (const id of all) if (isProcessAlive(id)) endOne(id, "SIGKILL");
  };
}

/** How long the list of processes may take, in ms. */
const LIST_MS = 300;

/** What a process has started, and what that has, by POSIX's list of processes; nothing where that is not there. */
function startedBy(processId: number): number[] {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { stdout } = spawnSync("ps", ["-A", "-o", "ppid=", "-o", "pid="], {
    encoding: "utf8",
    timeout: LIST_MS,
  });
  const pairs = (stdout ?? "").split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return [...below(processId, pairs)];
}

function* below(processId: number, pairs: readonly number[][]): Generator<number, void, undefined> {
  for (const [parent, id = 0] of pairs) {
    if (parent !== processId || id === 0) continue;
    yield id;
    yield* below(id, pairs);
  }
}

function endOne(id: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(id, signal);
  } catch (error) {
    // Programs of another user, as `sudo` starts them, answer EPERM, and on macOS also those that have ended.
    if (errorCode(error) !== "ESRCH" && errorCode(error) !== "EPERM") throw error;
  }
}

/** How long a signal is waited for that was sent with the one that lets the process go on, in ms. */
const OTHER_SIGNAL_MS = 50;
/** Where nobody could continue the process the system does not stop it: then it goes on at once. */
const NOT_STOPPED_MS = 200;

/** Stops the process as Ctrl-Z does. Resolves to whether somebody let it go on. */
async function stop(): Promise<boolean> {
  if (process.platform === "win32") return false;
  return new Promise<boolean>((resolve) => {
    let goesOn = false;
    const goOn = (): void => {
      goesOn = true;
      // Whoever ends what is stopped sends two signals, of which any may come first: the other one is heard before it stops again.
      setTimeout(resolve, isInBackground() ? OTHER_SIGNAL_MS : 0, true);
    };
    process.once("SIGCONT", goOn);
    process.kill(process.pid, "SIGTSTP");
    // Node looks at what is due before it looks at signals.
    setTimeout(setImmediate, NOT_STOPPED_MS, () => {
      process.off("SIGCONT", goOn);
      if (!goesOn) resolve(false);
    });
  });
}

async function untilForeground(signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isInBackground()) if (!(await stop())) return;
}

/**
 * Whether another group of processes has this one's terminal: its input, and the right to set it. Only Linux tells that:
 * behind the name in brackets are state, parent, group, session, terminal and the group that has it (proc_pid_stat(5)).
 */
export function isInBackground(): boolean {
  if (process.platform !== "linux") return false;
  const behindName = readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /s, "");
  const [, , group, , , foreground = "-1"] = behindName.split(" ");
  return Number(foreground) > 0 && foreground !== group;
}
