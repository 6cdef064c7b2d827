// A long load on `openclaw serve`, hostile and honest at once: whether memory stays flat, whether honest clients lose
// anything, and what the others cost them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../set-up.js";
import { startServe } from "./serve-latency.js";
import { memoryOf } from "./serve-load.js";
import { startServer } from "./start-server.js";

/**
 * @typedef {{ p50: number, p99: number, count: number }} Latency
 * @typedef {object} Honest
 * @property {number} answers
 * @property {string[]} lost
 * @property {Latency} served
 * @property {Latency} direct
 * @typedef {object} Hostile
 * @property {Record<string, number>} statuses
 * @property {string[]} wrong
 * @property {number} aborted
 * @property {number} slow
 * @property {number} unfinished
 */

/** Of an answer; together ten seconds. */
const DELTAS = 20;
const PACE_MS = 500;
/** Between two looks at memory, in ms. */
const LOOK_MS = 1000;

/**
 * Runs for so many minutes. Resolves to Markdown, and whether memory was flat and no honest request was lost. `work` is a
 * folder to write into.
 * @param {string} work
 * @param {number} minutes
 */
export async function soak(work, minutes) {
  const ms = minutes * 60_000;
  const warmMs = Math.min(ms / 4, 120_000);
  const server = await startServer("paced-server", work, DELTAS, PACE_MS);
  const serve = await startServe(server, work, "--max-streams", "2000", "--read-timeout", "5");
  const loads = ["honest", "hostile"].map((role) =>
    spawn(
      process.execPath,
      [path.join(root, "scripts", "bench", "soak-load.js"), role, serve.url, server.url, String(DELTAS)],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    ),
  );
  try {
    const reports = loads.map(reportOf);
    /** @type {number[]} */
    const memory = [];
    const startedAt = performance.now();
    while (performance.now() - startedAt < ms) {
      await sleep(LOOK_MS);
      if (performance.now() - startedAt > warmMs) memory.push(await memoryOf(serve.child.pid ?? 0));
      if (serve.child.exitCode !== null) throw new Error(`serve ended with ${serve.child.exitCode}.`);
    }
    for (const { stdin } of loads) stdin.end();
    const [honest, hostile] = /** @type {[Honest, Hostile]} */ (await Promise.all(reports));
    return judge(minutes, memory, honest, hostile);
  } finally {
    for (const load of loads) load.kill();
    serve.child.kill();
    server.child.stdin.end();
    await once(serve.child, "close");
  }
}

/**
 * What a load says when its stdin has ended.
 * @param {import("node:child_process").ChildProcessByStdio<import("node:stream").Writable, import("node:stream").Readable, null>} load
 * @returns {Promise<unknown>}
 */
async function reportOf(load) {
  let text = "";
  load.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const [code] = await once(load, "close");
  if (code !== 0) throw new Error(`A load of the soak ended with ${code}.`);
  return JSON.parse(text);
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * @param {number} minutes
 * @param {number[]} memory
 * @param {Honest} honest
 * @param {Hostile} hostile
 */
function judge(minutes, memory, honest, hostile) {
  const quarter = Math.max(Math.floor(memory.length / 4), 1);
  const [start, end] = [median(memory.slice(0, quarter)), median(memory.slice(-quarter))];
  // In less time the first streams are still filling buffers and warming the compiler up.
  const isFlat = minutes < 2 || end < start * 1.25 + 20;
  const count = (/** @type {number} */ value) => value.toLocaleString("en");
  const latency = (/** @type {Latency} */ { p50, p99 }) => `${p50.toFixed(1)} ms, ${p99.toFixed(1)} ms`;
  const statuses = Object.entries(hostile.statuses).map(([status, times]) => `${status}: ${count(times)}`);
  const { served, direct } = honest;
  const text = [
    `### Soak of \`openclaw serve\`, Node ${process.versions.node}, ${minutes} minutes`,
    "",
    "| what | figure |",
    "| --- | --- |",
    `| honest answers; lost | ${count(honest.answers)}; **${honest.lost.length}** |`,
    `| a delta through serve, p50, p99 | ${latency(served)} |`,
    `| the same from the emulator directly | ${latency(direct)} |`,
    `| added, p50, p99 | **${(served.p50 - direct.p50).toFixed(1)} ms, ${(served.p99 - direct.p99).toFixed(1)} ms** |`,
    `| memory after the warm-up, at the end, highest | **${start.toFixed(0)}, ${end.toFixed(0)}**, ${Math.max(...memory).toFixed(0)} MiB |`,
    `| bad requests by their answer | ${statuses.join(", ")} |`,
    `| answers left in the middle; read slowly; bodies never whole | ${[hostile.aborted, hostile.slow, hostile.unfinished].map(count).join("; ")} |`,
    ...[...new Set([...honest.lost, ...hostile.wrong])].slice(0, 10).map((why) => `| wrong | ${why} |`),
    ...(isFlat ? [] : ["| wrong | memory grows |"]),
  ].join("\n");
  return { text, isFine: isFlat && honest.lost.length === 0 && hostile.wrong.length === 0 };
}
