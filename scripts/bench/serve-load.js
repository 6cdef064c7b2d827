// What one process of `openclaw serve` carries: a thousand streams at once, and short answers one after the other.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "./figures.js";
import { startServe } from "./serve-latency.js";
import { startServer } from "./start-server.js";

const MODEL = "amazon.nova-lite-v1:0";
/** Between two deltas of a stream: twenty take five seconds, so that all streams run at once. */
const PACE_MS = 250;
/** Streams begin so many ms apart. */
const APART_MS = 1;
/** Between two looks at memory, in ms. */
const LOOK_MS = 100;
/** Of those who ask for short answers. */
const CONNECTIONS = 32;
/** How many bytes a short answer takes at most: less, and it was none. */
const SHORTEST = 50;

/**
 * How much is asked: so many streams at once of so many deltas, how often each is done, and for how long short answers are
 * asked for in each round, in ms.
 * @typedef {{ streams: number, deltas: number, rounds: number, ms: number }} Load
 */

/**
 * Measures on this Node and resolves to Markdown. `work` is a folder to write into.
 * @param {string} work
 * @param {Load} load
 */
export async function serveLoad(work, load) {
  return [await manyStreams(work, load), await shortAnswers(work, load)].join("\n\n");
}

/**
 * @param {string} work
 * @param {Load} load
 */
async function manyStreams(work, { streams, deltas, rounds }) {
  const server = await startServer("paced-server", work, deltas, PACE_MS);
  const serve = await startServe(server, work);
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  try {
    /** @type {string[]} */
    const rows = [];
    for (let round = 1; round <= rounds; round++) {
      const over = new AbortController();
      const watched = watchMemory(serve.child.pid ?? 0, over.signal);
      const texts = await Promise.all(
        Array.from({ length: streams }, async (_, index) => {
          await sleep(index * APART_MS);
          return ask(serve.url, agent, true);
        }),
      );
      over.abort();
      const whole = texts.filter((text) => text.endsWith("data: [DONE]\n\n")).length;
      const { highest, last } = await watched;
      rows.push(`| ${round} | ${whole} | ${highest.toFixed(0)} MiB | ${last.toFixed(0)} MiB |`);
    }
    return [
      `### ${streams.toLocaleString("en")} streams at once in one process, Node ${process.versions.node}`,
      "",
      "| round | whole answers | memory, highest | at the end |",
      "| --- | --- | --- | --- |",
      ...rows,
    ].join("\n");
  } finally {
    agent.destroy();
    await end(serve, server);
  }
}

/**
 * @param {string} work
 * @param {Load} load
 */
async function shortAnswers(work, { rounds, ms }) {
  const server = await startServer("paced-server", work, 1, 0);
  const serve = await startServe(server, work);
  const relay = await startServer("relay", work, server.url);
  try {
    const sides = [
      { url: serve.url, rates: /** @type {number[]} */ ([]) },
      { url: relay.url, rates: /** @type {number[]} */ ([]) },
    ];
    // The first round warms both up.
    for (let round = 0; round <= rounds; round++)
      for (const { url, rates } of sides) {
        const rate = await rateOf(url, ms);
        if (round > 0) rates.push(rate);
      }
    const [own = 0, other = 0] = sides.map(({ rates }) => quantile(rates, 0.5));
    const inWords = (/** @type {number} */ rate) => Math.round(rate).toLocaleString("en");
    return [
      `### Short answers that are not streamed, Node ${process.versions.node}`,
      "",
      `Medians of ${rounds} rounds in turns, ${CONNECTIONS} connections, everything on this machine.`,
      "",
      "| what | requests a second |",
      "| --- | --- |",
      `| \`openclaw serve\` | ${inWords(own)} |`,
      `| a hono server that hands on what comes | ${inWords(other)} |`,
      `| ratio | **${(own / other).toFixed(2)}** |`,
    ].join("\n");
  } finally {
    relay.child.stdin?.end();
    await end(serve, server);
  }
}

/**
 * @param {{ child: import("node:child_process").ChildProcess }} serve
 * @param {{ child: import("node:child_process").ChildProcess }} server
 */
async function end(serve, server) {
  const closed = once(serve.child, "close");
  serve.child.kill();
  await closed;
  server.child.stdin?.end();
}

/**
 * Answers a second.
 * @param {string} url
 * @param {number} ms
 */
async function rateOf(url, ms) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const startedAt = performance.now();
  let answers = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() - startedAt < ms) {
        const text = await ask(url, agent, false);
        if (text.length < SHORTEST) throw new Error(`This is no answer: ${text}`);
        answers += 1;
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  return answers / seconds;
}

/**
 * Resolves to the body of an answer.
 * @param {string} url
 * @param {Agent} agent
 * @param {boolean} stream
 * @returns {Promise<string>}
 */
function ask(url, agent, stream) {
  const body = JSON.stringify({ model: MODEL, stream, messages: [{ role: "user", content: "Hello" }] });
  const headers = { "content-type": "application/json", "content-length": String(body.length) };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/chat/completions`, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (chunk) => (text += chunk));
      response.on("end", () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`)),
      );
      response.on("error", reject);
    });
    sent.on("error", reject).end(body);
  });
}

/**
 * What a process takes of memory until `signal`, in MiB, as the kernel counts it.
 * @param {number} processId
 * @param {AbortSignal} signal
 */
async function watchMemory(processId, signal) {
  let [highest, last] = [0, 0];
  while (!signal.aborted) {
    last = await memoryOf(processId);
    highest = Math.max(highest, last);
    await sleep(LOOK_MS);
  }
  return { highest, last };
}

/**
 * In MiB.
 * @param {number} processId
 */
export async function memoryOf(processId) {
  const [, kilobytes] =
    /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${processId}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
