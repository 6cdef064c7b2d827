// Runs a process and times it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import pty from "@lydell/node-pty";
import { root } from "../set-up.js";

const reportUsage = path.join(root, "scripts", "bench", "report-usage.cjs");

/** Longer than any answer is waited for at a terminal, in ms. */
const PATIENCE_MS = 20_000;

/**
 * One figure of one run, in the unit of its kind.
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {import("./rows.js").Row["figure"]} figure
 * @returns {Promise<number>}
 */
export async function measure(node, args, env, figure) {
  if (figure === "turn") return secondTurn(node, args, env);
  if (figure === "cpu" || figure === "memory") {
    const file = path.join(env["HOME"] ?? "", "usage.json");
    await runOnce(node, ["--require", reportUsage, ...args], { ...env, OPENCLAW_USAGE: file });
    const { cpuMs, peakMiB } = JSON.parse(await readFile(file, "utf8"));
    return figure === "cpu" ? cpuMs : peakMiB;
  }
  const { wallMs, firstMs } = await runOnce(node, args, env);
  if (figure === "wall") return wallMs;
  if (firstMs === undefined) throw new Error(`${args.join(" ")} printed nothing.`);
  return firstMs;
}

/**
 * Runs a process to its end and times it. Fails on any exit code but 0: what fails fast is not fast.
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export async function runOnce(node, args, env) {
  const started = process.hrtime.bigint();
  const since = () => Number(process.hrtime.bigint() - started) / 1e6;
  const child = spawn(node, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {number | undefined} */
  let firstMs;
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    firstMs ??= since();
    if (stdout.length < 1000) stdout += chunk;
  });
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [code] = await once(child, "close");
  // `config get` of a setting that is not set ends in 3, and says so.
  if (code !== 0 && !(code === 3 && args.includes("get")))
    throw new Error(`${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  return { wallMs: since(), firstMs, stdout };
}

/**
 * Asks twice at a terminal. Resolves to the ms between the Enter of the second question and the first of its answer.
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
async function secondTurn(node, args, env) {
  const child = pty.spawn(node, args, { name: "xterm-256color", cols: 100, rows: 40, cwd: root, env });
  let shown = "";
  let look = () => {};
  child.onData((text) => {
    shown += text;
    look();
  });
  const ended = new Promise((resolve) => child.onExit(resolve));
  /** @param {RegExp} what */
  const see = (what) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Not seen: ${what}\n${shown}`)), PATIENCE_MS);
      look = () => {
        if (!what.test(stripVTControlCharacters(shown))) return;
        clearTimeout(timer);
        resolve(undefined);
      };
      look();
    });
  /** @param {string} question */
  const ask = (question) => {
    shown = "";
    child.write(`${question}\r`);
  };
  try {
    await see(/> $/);
    ask("One");
    await see(/simulated answer[^]*> $/);
    const started = performance.now();
    ask("Two");
    await see(/simulated/);
    return performance.now() - started;
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}
