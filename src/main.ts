import { setMaxListeners } from "node:events";
import { brokenInstall } from "./broken-install.ts";
import { errorCode, OpenclawError, toErrorDocument } from "./errors.ts";
import { workAtOnce } from "./at-once.ts";
import { once } from "./once.ts";
import { runProgram } from "./command-line/run-program.ts";
import { PROGRAM } from "./program.ts";
import { createRuntime, isInBackground, type Runtime } from "./runtime.ts";
import { isHungUp } from "./terminal/output-sink.ts";
import { BUG_HINT } from "./version.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Signal = keyof typeof SIGNALS;
/** How long who reads the answer may take for the rest of it after a signal, in ms. */
const READER_MS = 500;
/** How long a command may take to end after a signal, in ms, before the process ends without it. */
let graceMs = READER_MS;
/** How long the last of a command's own work on files may take then, in ms. */
const POOL_MS = 100;
/** How long that is waited for where the reader of stdout has gone away, in ms. */
const READERLESS_MS = 1000;

/** Made when somebody listens: what Node loads for it costs a start its time. */
const interruption = once(() => {
  const controller = new AbortController();
  // Each of many servers, calls or files that are worked on at once listens.
  setMaxListeners(0, controller.signal);
  return controller;
});
/** The signal that ends the program, once there was one. */
let received: Signal | undefined;
/** How many programs have the terminal, and with it Ctrl-C. */
let lent = 0;
/** What SIGHUP has done in place of ending the program. */
const reloads = new Set<() => void>();

function onSignal(signal: Signal): void {
  if (signal === "SIGINT" && lent > 0 && hasTerminal()) return;
  if (signal === "SIGHUP" && reloads.size > 0 && !received && !isTerminalGone()) {
    for (const work of reloads) work();
    return;
  }
  // A line that is being written is waited for, and no longer.
  if (received) return void endSoon(signal, SIGNALS[signal]);
  received = signal;
  interruption().abort(
    new OpenclawError("interrupted", {
      message: `Interrupted by ${signal}.`,
      hint: "Run the command again.",
      exitCode: SIGNALS[signal],
    }),
  );
  setTimeout(() => endAtOnce(signal), graceMs).unref();
}

function listen(isListening: boolean): void {
  for (const signal of Object.keys(SIGNALS)) process[isListening ? "on" : "off"](signal, onSignal);
}

/** Hears signals from now on. */
const hear = once(() => {
  workAtOnce(false);
  listen(true);
  return true;
});

/** Whether something is done in Node's pool of threads that may never end: a file on a dead server, a name that is looked up. */
function isPoolBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|FILEHANDLECLOSE|Get\w+Info)/.test(name));
}

const isTerminal = (descriptor: number): boolean => process.getBuiltinModule("node:tty").isatty(descriptor);

/** Whether this program was started at a terminal, whose keys are then those of the programs that it is lent to. */
function hasTerminal(): boolean {
  return [0, 1, 2].some(isTerminal);
}

/**
 * Whether a terminal that this program was started at is gone. Node sets terminals back when it exits, and aborts where one
 * takes that no more.
 */
function isTerminalGone(): boolean {
  return [0, 1, 2].some((descriptor) => isHungUp(descriptor, isTerminal));
}

/** Whether Node may not set the terminal back when it exits: another program has it, and whoever sets it then is stopped. */
function isTerminalAway(): boolean {
  return isTerminalGone() || (isTerminal(0) && isInBackground());
}

/** Whether what is done in that pool is done within so many ms. */
async function poolEndsWithin(mostMs: number): Promise<boolean> {
  for (let waited = 0; isPoolBusy(); waited += 5) {
    if (waited >= mostMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

/** Ends the process for a signal that the command has heard, when its own work on files is done. */
async function endSoon(signal: Signal, exitCode: number): Promise<never> {
  if (!(await poolEndsWithin(POOL_MS)) || isTerminalAway()) endAtOnce(signal);
  process.exit(exitCode);
}

/** Ends the process for a signal. Its end would wait for the pool of threads, which the signal itself does not. */
function endAtOnce(signal: Signal): never {
  if (isPoolBusy() || isTerminalAway()) {
    // What is done at the end in any case, such as showing the cursor again.
    process.emit("exit", SIGNALS[signal]);
    listen(false);
    process.kill(process.pid, signal);
    // Only the first process of a container gets this far: it is spared what it does not listen to.
  }
  process.exit(SIGNALS[signal]);
}

/**
 * A reader that has gone away has what it wanted: end quietly, as other Unix tools do, when what is being written elsewhere is
 * written, such as what the answer has used.
 */
async function endWithoutReader(): Promise<never> {
  await poolEndsWithin(READERLESS_MS);
  process.exit(0);
}

function onStdoutError(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return void endWithoutReader();
  // A terminal that is gone: the signal that says so may still be on its way.
  if (error.code === "EIO" && process.stdout.isTTY) endAtOnce(received ?? "SIGHUP");
  process.stderr.write(
    `error: The answer cannot be written: ${error.message}.\nhint: Check where stdout leads to.\n`,
  );
  process.exit(1);
}

/** Says what went wrong: two lines for a known error, the stack and where to report it for a bug of ours. */
async function report(error: unknown, runtime: Runtime): Promise<number> {
  const { terminal } = runtime;
  // What else there is to tell a failure by may lie in files that are broken themselves.
  const broken = ofTheMachine(error) ?? brokenInstall(error instanceof OpenclawError ? error.cause : error);
  const known = broken ?? (error instanceof OpenclawError ? error : await fromUnknown(error, runtime));
  const document = terminal.told(toErrorDocument(known));
  if (terminal.format === "json" && !terminal.hasPrintedJson) {
    await terminal.printJson({ ...known.document, error: document });
  }
  if (terminal.format === "ndjson") await terminal.printJson({ type: "error", ...document });
  if (known.code === "interrupted") return known.exitCode;
  await terminal.fail(known.message, known.hint);
  if (known.requestId && terminal.isVerbose) {
    const { dim } = await terminal.stderrStyle();
    terminal.note(known.requestId, `${dim("request id:")} `);
  }
  if (known.code === "internal" && known.cause instanceof Error) {
    const { hideSecrets } = await import("./credentials/hide-secrets.ts");
    const { withSources } = await import("./source-stack.ts");
    // Whole lines, to be copied into a report.
    terminal.writeAside(`${hideSecrets(withSources(known.cause.stack ?? ""), runtime)}\n`);
  }
  return known.exitCode;
}

/** What is wrong with this machine and not with the program, by the system's codes, and what to do. */
const OF_THE_MACHINE: Readonly<Record<string, readonly [told: string, hint: string]>> = {
  ENOSPC: ["The disk is full", "Free some space and run the command again."],
  EDQUOT: ["The disk is full", "Free some space and run the command again."],
  EMFILE: ["This process may open no more files", "Allow it more and run the command again: ulimit -n 1024"],
  ENFILE: ["This machine may open no more files", "End some programs and run the command again."],
};

/** What a failure says of this machine. Of what is told already its causes may say more: see `EMFILE`. */
function ofTheMachine(failure: unknown): OpenclawError | undefined {
  if (!(failure instanceof Error)) return undefined;
  if (failure instanceof OpenclawError && !hasNoFiles(failure)) return undefined;
  const [told, hint] = OF_THE_MACHINE[errorCode(failure) ?? ""] ?? [];
  if (told === undefined || hint === undefined) return ofTheMachine(failure.cause);
  return new OpenclawError("internal", { message: `${told}: ${failure.message}.`, hint });
}

/** Whether something failed for want of files to open: then every file and every server looks broken. */
function hasNoFiles(failure: unknown): boolean {
  if (!(failure instanceof Error)) return false;
  return /^E[MN]FILE$/.test(errorCode(failure) ?? "") || hasNoFiles(failure.cause);
}

async function fromUnknown(error: unknown, runtime: Runtime): Promise<OpenclawError> {
  const { hideSecrets } = await import("./credentials/hide-secrets.ts");
  const failure = error instanceof Error ? error : new Error(String(error));
  return new OpenclawError("internal", {
    message: `Unexpected: ${hideSecrets(failure.message, runtime)}`,
    hint: BUG_HINT,
    cause: failure,
  });
}

/** So many calls of a bug's way are told: Node's ten end before the command that was run. */
const STACK_FRAMES = 20;

async function main(): Promise<void> {
  Error.stackTraceLimit = STACK_FRAMES;
  // Should a disk or a reader not answer, a signal ends the process by itself.
  workAtOnce(true);
  setImmediate(hear);
  // Should that hold the process up, a signal ends it.
  process.on("exit", () => {
    if (isPoolBusy()) listen(false);
  });
  let takeUncaught: ((failure: unknown) => void) | undefined;
  const runtime = createRuntime(
    () => {
      hear();
      return interruption().signal;
    },
    onStdoutError,
    (ms) => {
      graceMs = ms;
    },
    (take) => {
      takeUncaught = take;
    },
    () => {
      lent += 1;
      return () => {
        lent -= 1;
      };
    },
    (work) => {
      reloads.add(work);
      return () => reloads.delete(work);
    },
  );
  const end = async (exitCode: number): Promise<void> => {
    if (received) setTimeout(endAtOnce, READER_MS, received).unref();
    await runtime.terminal.flush();
    if (received) return endSoon(received, exitCode);
    if (isTerminalGone()) endAtOnce("SIGHUP");
    process.exit(exitCode);
  };
  let failing: Promise<void> | undefined;
  // The first failure is the one that is told; should telling it fail, Node tells of that.
  const fail = (failure: unknown): Promise<void> =>
    (failing ??= report(failure, runtime)
      .then(end)
      .finally(() => process.off("uncaughtException", onUncaught)));
  // What is thrown where nobody waits for it is told like any other bug, and ends the command as well.
  const onUncaught = (failure: unknown): void => {
    if (takeUncaught) takeUncaught(failure);
    else void fail(failure);
  };
  process.on("uncaughtException", onUncaught);
  try {
    await runProgram(PROGRAM, process.argv.slice(2), runtime);
  } catch (error) {
    return fail(error);
  }
  await (failing ?? end(0));
}

void main();
