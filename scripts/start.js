// `npm start`: sets the clone up, then runs `openclaw` with the arguments given, or a tour where none are.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import path from "node:path";
import { root, setUp } from "./set-up.js";

const binary = path.join(root, "bin", "openclaw.js");

/** What a stranger sees first: where credentials come from, which models there are, an answer that streams. */
const tour = [
  ["doctor", "--emulator"],
  ["models", "list", "--emulator"],
  ["chat", "--emulator", "Why is the sky blue?"],
];

/** Variables that by themselves mean that this machine has AWS credentials. */
const credentialVariables = [
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

const isColored = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
/** @param {string} text */
const bold = (text) => (isColored ? `\u001b[1m${text}\u001b[22m` : text);
/** @param {string} text */
const dim = (text) => (isColored ? `\u001b[2m${text}\u001b[22m` : text);

/**
 * Runs the program to its end with this process's streams. Resolves to its exit code, 128 + n for signal n.
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 * @returns {Promise<number>}
 */
async function run(args, options = {}) {
  const child = spawn(process.execPath, [binary, ...args], { stdio: "inherit", ...options });
  const isOnTerminal = process.stdin.isTTY === true;
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // A terminal sends Ctrl-C to every process in the foreground: the program has it already.
    if (signal !== "SIGINT" || !isOnTerminal) child.kill(signal);
  };
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

async function runTour() {
  // `npm start | head` has seen what it wants.
  let isReaderGone = false;
  process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== "EPIPE") throw error;
    isReaderGone = true;
  });
  // A folder of its own: the tour shows the program as it comes, not what this user has configured.
  const stateFolder = await mkdtemp(path.join(tmpdir(), "openclaw-tour-"));
  const { OPENCLAW_CONFIG_PATH: _, ...env } = process.env;
  try {
    for (const args of tour) {
      process.stdout.write(`\n${dim("$")} ${bold(commandLine(args))}\n\n`);
      const code = await run(args, { env: { ...env, OPENCLAW_STATE_DIR: stateFolder } });
      if (code !== 0 || isReaderGone) return code;
    }
  } finally {
    await rm(stateFolder, { recursive: true, force: true });
  }
  process.stdout.write(`\n${farewell()}\n`);
  return 0;
}

/** @param {string[]} args */
function commandLine(args) {
  return ["openclaw", ...args.map((arg) => (/[^\w./-]/.test(arg) ? `"${arg}"` : arg))].join(" ");
}

/** How to go on: the tour itself never talks to AWS. */
function farewell() {
  const found = credentialVariables.find((name) => (process.env[name] ?? "").trim() !== "");
  const opening = found
    ? `That was the Bedrock inside openclaw. ${found} is set, so the same three commands work against AWS:`
    : "That was the Bedrock inside openclaw. With AWS credentials the same three commands work against AWS:";
  return [
    opening,
    ...tour.map((args) => `  ${bold(npmCommandLine(args.filter((arg) => arg !== "--emulator")))}`),
  ].join("\n");
}

/** @param {string[]} args */
function npmCommandLine(args) {
  return commandLine(args).replace(/^openclaw/, "node bin/openclaw.js");
}

/** @param {string[]} args */
async function main(args) {
  try {
    await setUp((step) => process.stderr.write(`openclaw: ${step}\n`));
  } catch (error) {
    process.stderr.write(`openclaw: set-up failed: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
  if (args.length === 0) return runTour();
  // npm runs scripts in the package's folder; file names among the arguments are meant from where the user stands.
  return run(args, { cwd: process.env.INIT_CWD ?? process.cwd() });
}

process.exitCode = await main(process.argv.slice(2));
