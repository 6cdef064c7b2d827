import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { inject, onTestFinished } from "vitest";
import type { Group } from "../../src/command-line/declaration.ts";
import { errorCode } from "../../src/errors.ts";
import { PROGRAM } from "../../src/program.ts";
import { runInProcess, startInProcess } from "./run-in-process.ts";
import { isThorough } from "./thorough.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Has a folder for each command that has run as a process in this run of the tests. */
    provenFolder: string;
  }
}

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** The Node that runs the program under test: this one, or the one that OPENCLAW_TEST_NODE names. */
export const nodeBinary = process.env["OPENCLAW_TEST_NODE"] ?? process.execPath;
/** The program under test; scripts/coverage.js names one that it has built to be traced. */
export const binary = process.env["OPENCLAW_TEST_BINARY"] ?? path.join(root, "bin", "openclaw.js");

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string | undefined>;
  /** Written to stdin, which is then closed. Without it stdin is closed at once. */
  input?: string | Buffer;
  /** Leaves stdin open after `input`: of `start` only. */
  isStdinOpen?: boolean;
  cwd?: string;
  /** A process of its own in any case: its memory, its time or what it shares with others is looked at. */
  isAlone?: boolean;
}

/** Takes what is to be done at the end: of a test, or of a file. */
export type AtEnd = (end: () => void | Promise<void>) => void;

/** A home folder of its own for one test, removed when the test ends. */
export function createHome(atEnd: AtEnd = onTestFinished): string {
  const home = mkdtempSync(path.join(tmpdir(), "openclaw-test-"));
  atEnd(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  return home;
}

/** Writes the configuration file of a home folder. */
export function writeConfig(home: string, text: string): void {
  mkdirSync(path.join(home, ".openclaw"), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(home, ".openclaw", "openclaw.json"), text, { mode: 0o600 });
}

/** The environment of a user who has set nothing: no AWS variable, IMDS off so that nothing leaves the machine. */
export function emptyEnvironment(home: string, extra: RunOptions["env"] = {}): Record<string, string> {
  const env: Record<string, string | undefined> = {
    HOME: home,
    PATH: process.env["PATH"],
    AWS_EC2_METADATA_DISABLED: "true",
    // Lets scripts/coverage.js see into the spawned program.
    NODE_V8_COVERAGE: process.env["OPENCLAW_TEST_COVERAGE"],
    ...extra,
  };
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A PATH on which a shell finds the real program under its name, for one test. */
export function pathWithOpenclaw(home: string): string {
  const folder = path.join(home, "bin");
  mkdirSync(folder);
  const program = `exec "${nodeBinary}" "${binary}" "$@"`;
  writeFileSync(path.join(folder, "openclaw"), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  return `${folder}${path.delimiter}${process.env["PATH"]}`;
}

/** Starts the real program, for tests that look at it while it runs. */
export function start(args: readonly string[], home: string, options: RunOptions = {}) {
  const child = spawn(nodeBinary, [binary, ...args], {
    env: emptyEnvironment(home, options.env),
    cwd: options.cwd ?? home,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  if (!options.isStdinOpen) child.stdin.end(options.input ?? "");
  else if (options.input !== undefined) child.stdin.write(options.input);
  return child;
}

/** Whether every run is a process: where what is looked at is Node, coverage, or the suite itself. */
const needsProcess =
  isThorough || ["OPENCLAW_TEST_NODE", "OPENCLAW_TEST_COVERAGE"].some((name) => process.env[name]);

/** The words of the command that is called, which may have others under its name. */
function commandOf(args: readonly string[]): string {
  const words = [PROGRAM.name];
  let members: Group["members"] | undefined = PROGRAM.members;
  for (const word of args) {
    if (!members || !Object.hasOwn(members, word)) break;
    words.push(word);
    members = members[word]?.members;
  }
  return words.join("-");
}

/** Whether this command has not run as a process yet, in none of the workers. */
function isFirst(args: readonly string[]): boolean {
  try {
    mkdirSync(path.join(inject("provenFolder"), commandOf(args)));
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** Whether a command runs as a process: each does the first time. */
export function isProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  isAlone = false,
): boolean {
  const isNodeAsked = Object.keys(env).some((name) => name.startsWith("NODE_"));
  return needsProcess || isAlone || isNodeAsked || isFirst(args);
}

/** A program that runs, as a process or inside this one. */
export interface Started {
  /** Of a process only. */
  pid?: number | undefined;
  stdout: Readable;
  stderr: Readable;
  kill(signal: NodeJS.Signals): boolean;
  once: ChildProcess["once"];
}

/**
 * Starts the real program for tests that use it while it runs: each command as a process the first time, and from then on
 * inside this one.
 */
export function startShared(args: readonly string[], home: string, options: RunOptions = {}): Started {
  const env = emptyEnvironment(home, options.env);
  if (isProcess(args, env, options.isAlone)) return start(args, home, options);
  const { cwd = home, input = "" } = options;
  return startInProcess(binary, args, { env, cwd, input }) as unknown as Started;
}

/**
 * Runs the real program to its end: each command as a process the first time, and from then on inside this one, which
 * prints and asks for the same in a tenth of the time.
 */
export async function openclaw(
  args: readonly string[],
  home: string,
  options: RunOptions = {},
): Promise<Result> {
  const env = emptyEnvironment(home, options.env);
  if (isProcess(args, env, options.isAlone)) return runProcess(args, home, options);
  return runInProcess(binary, args, { env, cwd: options.cwd ?? home, input: options.input ?? "" });
}

async function runProcess(args: readonly string[], home: string, options: RunOptions): Promise<Result> {
  const child = start(args, home, options);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
  });
}
