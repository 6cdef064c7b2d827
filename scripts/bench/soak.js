// A long load on `openclaw serve`, hostile and honest at once, in every dialect: whether memory stays flat, whether honest
// clients lose anything, and what the others cost them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { bundleModule } from "../bundle-module.js";
import { root } from "../set-up.js";
import { startServe } from "./serve-latency.js";
import { memoryOf } from "./serve-load.js";
import { startServer } from "./start-server.js";

/**
 * @typedef {{ p50: number, p99: number, count: number }} Latency
 * @typedef {{ count: number, told: string[] }} Failures
 * @typedef {object} Honest
 * @property {{ name: string, answers: number, served: Latency }[]} kinds
 * @property {Failures} lost
 * @property {Latency} served
 * @property {Latency} direct
 * @typedef {object} Hostile
 * @property {Record<string, number>} statuses
 * @property {Failures} wrong
 * @property {number} long
 * @property {number} aborted
 * @property {number} slow
 * @property {number} unfinished
 * @typedef {{ minute: number, mebibytes: number }} Look
 */

/** Of an answer; together ten seconds. */
const DELTAS = 20;
const PACE_MS = 500;
/** Between two looks at memory, in ms. */
const LOOK_MS = 1000;
/** Failures of a kind in the table. */
const MOST_SHOWN = 10;

/**
 * Runs for so many minutes, and says each minute how it goes. Resolves to Markdown, and whether memory was flat and no honest
 * request was lost. `work` is a folder to write into.
 * @param {string} work
 * @param {number} minutes
 */
export async function soak(work, minutes) {
  const warmMinutes = Math.min(minutes / 4, 2);
  const bodies = path.join(work, "hostile-bodies.mjs");
  await bundleModule("test/helpers/hostile-bodies.ts", bodies);
  const server = await startServer("soak-server", work, DELTAS, PACE_MS);
  const serve = await startServe(server, work, { flags: ["--max-streams", "2000", "--read-timeout", "5"] });
  const loads = ["honest", "hostile"].map((role) => startLoad(role, serve.url, server.url, bodies));
  const [honest, hostile] = loads;
  if (!honest || !hostile) throw new Error("A soak has two loads.");
  try {
    /** @type {Look[]} */
    const looks = [];
    const startedAt = performance.now();
    const since = () => (performance.now() - startedAt) / 60_000;
    for (let told = 1; since() < minutes;) {
      await sleep(LOOK_MS);
      const minute = since();
      for (const { exitCode } of [serve.child, ...loads.map(({ child }) => child)])
        if (exitCode !== null) throw new Error(`serve, or what loads it, ended with ${exitCode}.`);
      looks.push({ minute, mebibytes: await memoryOf(serve.child.pid ?? 0) });
      if (minute < told) continue;
      console.error(`minute ${told}: ${inShort(looks.at(-1), honest.latest, hostile.latest)}`);
      told += 1;
    }
    for (const { child } of loads) child.stdin.end();
    await Promise.all(loads.map(({ ended }) => ended));
    const warm = looks.filter(({ minute }) => minute > warmMinutes);
    return judge(
      minutes,
      warm,
      /** @type {Honest} */ (honest.latest),
      /** @type {Hostile} */ (hostile.latest),
    );
  } finally {
    for (const { child } of loads) child.kill();
    serve.child.kill();
    server.child.stdin.end();
    if (serve.child.exitCode === null) await once(serve.child, "close");
  }
}

/**
 * Starts one side. `latest` is what it has said last, `ended` resolves when it is done.
 * @param {string} role
 * @param {string} serveUrl
 * @param {string} bedrockUrl
 * @param {string} bodies
 */
function startLoad(role, serveUrl, bedrockUrl, bodies) {
  const program = path.join(root, "scripts", "bench", "soak-load.js");
  const child = spawn(process.execPath, [program, role, serveUrl, bedrockUrl, String(DELTAS), bodies], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  /** @type {{ child: typeof child, latest: unknown, ended: Promise<void> }} */
  const load = {
    child,
    latest: undefined,
    ended: endOf(child, `The ${role} load of the soak`),
  };
  createInterface({ input: child.stdout }).on("line", (line) => (load.latest = JSON.parse(line)));
  return load;
}

/**
 * Resolves when a process has ended well.
 * @param {import("node:child_process").ChildProcess} child
 * @param {string} name
 */
async function endOf(child, name) {
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${name} ended with ${code}.`);
}

const inWords = (/** @type {number} */ value) => value.toLocaleString("en");

/**
 * @param {Look | undefined} look
 * @param {unknown} honestSeen
 * @param {unknown} hostileSeen
 */
function inShort(look, honestSeen, hostileSeen) {
  const memory = `${look?.mebibytes.toFixed(0)} MiB`;
  if (!honestSeen || !hostileSeen) return memory;
  const { kinds, lost, served } = /** @type {Honest} */ (honestSeen);
  const { statuses, wrong, long } = /** @type {Hostile} */ (hostileSeen);
  const answers = kinds.reduce((sum, kind) => sum + kind.answers, 0);
  const bad = Object.values(statuses).reduce((sum, times) => sum + times, 0);
  return `${memory}, ${inWords(answers)} honest answers, ${lost.count} lost, a delta takes ${served.p50} ms (p99 ${served.p99} ms), ${inWords(bad)} bad requests (${long} long ones), ${wrong.count} wrongly answered`;
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * MiB a minute, by the straight line that is nearest to all looks.
 * @param {Look[]} looks
 */
function slopeOf(looks) {
  const mean = (/** @type {(look: Look) => number} */ of) =>
    looks.reduce((sum, look) => sum + of(look), 0) / looks.length;
  const [minute, memory] = [mean((look) => look.minute), mean((look) => look.mebibytes)];
  const [both, square] = [
    mean((look) => (look.minute - minute) * (look.mebibytes - memory)),
    mean((look) => (look.minute - minute) ** 2),
  ];
  return both / square;
}

/**
 * @param {number} minutes
 * @param {Look[]} looks
 * @param {Honest} honest
 * @param {Hostile} hostile
 */
function judge(minutes, looks, honest, hostile) {
  const memory = looks.map(({ mebibytes }) => mebibytes);
  const quarter = Math.max(Math.floor(memory.length / 4), 1);
  const [start, end] = [median(memory.slice(0, quarter)), median(memory.slice(-quarter))];
  // In less time the first streams are still filling buffers and warming the compiler up.
  const isFlat = minutes < 2 || end < start * 1.25 + 20;
  const latency = (/** @type {Latency} */ { p50, p99 }) => `${p50.toFixed(1)} ms, ${p99.toFixed(1)} ms`;
  const statuses = Object.entries(hostile.statuses).map(([status, times]) => `${status}: ${inWords(times)}`);
  const { served, direct, kinds, lost } = honest;
  const silent = kinds.filter(({ answers }) => answers === 0).map(({ name }) => `no answer of ${name}`);
  const wrong = [
    ...(isFlat ? [] : ["memory grows"]),
    ...silent,
    ...(lost.count > 0 ? [`${lost.count} honest answers lost`] : []),
    ...(hostile.wrong.count > 0 ? [`${hostile.wrong.count} bad requests answered wrongly`] : []),
  ];
  const text = [
    `### Soak of \`openclaw serve\`, Node ${process.versions.node}, ${minutes} minutes`,
    "",
    "| what | figure |",
    "| --- | --- |",
    `| honest answers; lost | ${inWords(kinds.reduce((sum, { answers }) => sum + answers, 0))}; **${lost.count}** |`,
    ...kinds.map(
      ({ name, answers, served: own }) =>
        `| of ${name}${own.count > 0 ? "; a delta, p50, p99" : ""} | ${inWords(answers)}${own.count > 0 ? `; ${latency(own)}` : ""} |`,
    ),
    `| a delta through serve, p50, p99 | ${latency(served)} |`,
    `| the same without it | ${latency(direct)} |`,
    `| added, p50, p99 | **${(served.p50 - direct.p50).toFixed(1)} ms, ${(served.p99 - direct.p99).toFixed(1)} ms** |`,
    `| memory after the warm-up, at the end, highest | **${start.toFixed(0)}, ${end.toFixed(0)}**, ${Math.max(...memory).toFixed(0)} MiB |`,
    `| its slope | ${slopeOf(looks).toFixed(2)} MiB a minute |`,
    `| bad requests by their answer | ${statuses.join(", ")} |`,
    `| of them as long as may be | ${inWords(hostile.long)} |`,
    `| answers left in the middle; read slowly; requests never whole | ${[hostile.aborted, hostile.slow, hostile.unfinished].map(inWords).join("; ")} |`,
    ...[...lost.told, ...hostile.wrong.told].slice(0, MOST_SHOWN).map((why) => `| wrong | ${why} |`),
    "",
    `verdict: ${wrong.length === 0 ? "memory is flat, and nothing honest was lost" : `WRONG: ${wrong.join(", ")}`}`,
  ].join("\n");
  return { text, isFine: wrong.length === 0 };
}
