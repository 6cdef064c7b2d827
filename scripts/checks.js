// What is looked at beside the tests. Each check has passed when its program ends with exit code 0.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./set-up.js";

/**
 * A check is the command of a package or a script beside this one.
 * @typedef {{ title: string } & ({ command: [name: string, bin: string, ...args: string[]] } | { script: string[] })} Check
 * @typedef {{ passed: number, failed: number }} Counts
 */

/** The longest first: two run at a time. @type {Check[]} */
export const checks = [
  { title: "benchmark, short form", script: ["bench.js", "--quick"] },
  { title: "types", command: ["typescript", "tsc", "-p", "."] },
  { title: "unused code", command: ["knip", "knip", "--no-progress"] },
  { title: "lint", command: ["oxlint", "oxlint", "."] },
  { title: "third-party notices", script: ["build-notices.js", "--check"] },
  { title: "package", script: ["check-package.js"] },
  { title: "format", command: ["oxfmt", "oxfmt", "--check", "."] },
  { title: "generated documents", script: ["build-docs.js", "--check"] },
];

/** @type {Check} */
export const everyNode = { title: "every Node version", script: ["test-node-versions.js", "--quick"] };

/** @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {string} text */
export function indent(text) {
  return stripVTControlCharacters(text).trimEnd().replaceAll(/^/gm, "     ");
}

/** @param {number} since */
export function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/**
 * Runs a program on this Node. Resolves to its exit code and everything it printed, in order.
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onMessage?: (message: unknown) => void }} [options]
 */
export async function run(args, { cwd = root, env: more = {}, onMessage = () => undefined } = {}) {
  // What is printed here is indented, cut and kept: plain text.
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...env, ...more, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => (output += text));
  child.on("message", onMessage);
  /** @type {number | null} */
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { code, output };
}

/**
 * The script behind a package's command, so that it runs on this Node and needs no shell.
 * @param {string} name
 * @param {string} command
 */
export async function binOf(name, command) {
  const folder = path.join(root, "node_modules", name);
  const { bin } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  return path.join(folder, typeof bin === "string" ? bin : bin[command]);
}

/**
 * Runs checks, so many at a time.
 * @param {readonly Check[]} list
 * @param {number} atOnce
 * @returns {Promise<Counts>}
 */
export async function runChecks(list, atOnce) {
  const waiting = [...list];
  const counts = { passed: 0, failed: 0 };
  const lane = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift())
      counts[(await hasPassed(check)) ? "passed" : "failed"] += 1;
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return counts;
}

/** @param {Check} check */
async function hasPassed(check) {
  const started = performance.now();
  const args =
    "script" in check
      ? [path.join(root, "scripts", check.script[0] ?? ""), ...check.script.slice(1)]
      : [await binOf(check.command[0], check.command[1]), ...check.command.slice(2)];
  const { code, output } = await run(args);
  say(`${code === 0 ? "ok  " : "FAIL"} ${check.title} (${seconds(started)})`);
  if (code !== 0) say(indent(output));
  return code === 0;
}
