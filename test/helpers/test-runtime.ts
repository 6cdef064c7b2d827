import { Readable } from "node:stream";
import { onTestFinished, vi } from "vitest";
import { createRuntime, type Runtime } from "../../src/runtime.ts";
import { Terminal, type Sink } from "../../src/terminal/terminal.ts";

const { endGroup, endTree, isProcessAlive, processUse } = createRuntime(() => new AbortController().signal);

/** A Runtime for code under test in this process, with what it wrote. */
export interface TestRuntime extends Runtime {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export interface TestRuntimeOptions {
  env?: Record<string, string>;
  home: string;
  stdin?: NodeJS.ReadableStream & { isTTY?: boolean };
  /** Whether stderr is a terminal. */
  isTTY?: boolean;
  signal?: AbortSignal;
  now?: () => number;
}

/** Builds a Runtime of its own for one test. */
export function testRuntime(options: TestRuntimeOptions): TestRuntime {
  const env = options.env ?? {};
  const written = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr", isTTY: boolean): Sink => ({
    isTTY,
    write: (text) => {
      written[name] += text.toString();
      return true;
    },
    once: () => undefined,
  });
  return {
    env,
    homeFolder: options.home,
    currentFolder: options.home,
    stdin: options.stdin ?? Readable.from([]),
    terminal: new Terminal(sink("stdout", false), sink("stderr", options.isTTY === true), env),
    signal: options.signal ?? new AbortController().signal,
    now: options.now ?? Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    nodeVersion: process.versions.node,
    platform: process.platform,
    processId: process.pid,
    processUse,
    userId: process.geteuid?.(),
    // Of a group, by a number below zero, it is asked what is left of it.
    isProcessAlive: (processId) => processId > 0 || isProcessAlive(processId),
    endGroup,
    endTree,
    onExit: () => () => undefined,
    allowGrace: () => undefined,
    onReload: () => () => undefined,
    onUncaught: () => undefined,
    lendTerminal: () => () => undefined,
    suspend: async () => undefined,
    onContinue: () => () => undefined,
    untilForeground: async () => undefined,
    isEmulated: false,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
  };
}

/** Makes the process's environment this one until the test ends, for the parts of the SDK that read it themselves. */
export function useEnvironment(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) {
    if (/^(AWS_|HOME$|.*_proxy$)/i.test(name)) vi.stubEnv(name, undefined);
  }
  // As bin/openclaw.js does.
  vi.stubEnv("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true");
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}
