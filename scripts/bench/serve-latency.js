// What `openclaw serve` adds to an answer: the same questions to the emulator and to serve in front of it, in turns. Beside it
// what a server adds that only hands on what comes: less than that no second process takes on this machine.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { root } from "../set-up.js";
import { CONVERSE, DIALECTS, MODEL } from "./dialects.js";
import { listening, startServer } from "./start-server.js";

/**
 * @typedef {import("./start-server.js").Listening} Listening
 * @typedef {{ firstMs: number[], deltaMs: number[] }} Times
 */

const DELTAS = 40;
/**
 * Answers of each way at once, until the compiler has seen enough: a server runs for days, and after 1,200 answers V8 still
 * optimizes what a request runs once, which takes a third off until 5,000 have run.
 */
const WARM_UP_AT_ONCE = 50;

/** How `relay.ts` is asked, which hands on Converse's frames whatever it is asked by. */
const RELAYED = {
  ...CONVERSE,
  name: "a hono server that hands on what comes",
  path: "/v1/chat/completions",
  body: { model: MODEL },
};

/**
 * Measures on this Node and resolves to Markdown: a table with the medians of both ways and what serve adds, by dialect,
 * and last what a plain relay adds.
 * `work` is a folder to write into, `runs` how many answers each way gives, after so many rounds to warm up.
 * @param {string} work
 * @param {number} runs
 * @param {number} warmUps
 */
export async function serveLatency(work, runs, warmUps) {
  const server = await startServer("paced-server", work, DELTAS);
  const serve = await startServe(server, work);
  const relay = await startServer("relay", work, server.url);
  try {
    const rows = [];
    for (const dialect of [...DIALECTS, RELAYED]) {
      /** @type {Times} */
      const direct = { firstMs: [], deltaMs: [] };
      /** @type {Times} */
      const between = { firstMs: [], deltaMs: [] };
      const { path, body, read } = dialect;
      const origin = (dialect === RELAYED ? relay : serve).url.replace(/\/v1$/, "");
      const askDirectly = () => answer(() => post(`${server.url}${CONVERSE.path}`, {}), CONVERSE.read);
      const askBetween = () => answer(() => post(`${origin}${path}`, body), read);
      for (let round = 0; round < warmUps; round++)
        for (const ask of [askDirectly, askBetween])
          await Promise.all(Array.from({ length: WARM_UP_AT_ONCE }, ask));
      for (let run = 0; run < runs; run++) {
        for (const [into, ask] of /** @type {const} */ ([
          [direct, askDirectly],
          [between, askBetween],
        ])) {
          const took = await ask();
          into.firstMs.push(took.firstMs);
          into.deltaMs.push(...took.deltaMs);
        }
      }
      rows.push(rowOf(dialect.name, "first token", "firstMs", direct, between));
      rows.push(rowOf(dialect.name, "each delta, from sent to received", "deltaMs", direct, between));
    }
    return [
      `### \`openclaw serve\`, Node ${process.versions.node}`,
      "",
      `Medians of ${runs} streamed answers of ${DELTAS} deltas each way, in turns, after ${warmUps * WARM_UP_AT_ONCE} that do not count. Goals: 3 ms to the first token, 0.3 ms each delta.`,
      "",
      "| dialect | what | with a server between | the emulator directly | added |",
      "| --- | --- | --- | --- | --- |",
      ...rows,
    ].join("\n");
  } finally {
    serve.child.kill();
    relay.child.stdin?.end();
    server.child.stdin?.end();
    await once(serve.child, "close");
  }
}

/**
 * The real program in front of a server, with flags of its own. With `hasChannel` it can be sent messages.
 * @param {Listening} server
 * @param {string} work
 * @param {{ node?: string, nodeFlags?: readonly string[], flags?: readonly string[], hasChannel?: boolean }} [options]
 */
export function startServe(
  { url, accessKeyId, secretAccessKey },
  work,
  { node = process.execPath, nodeFlags = [], flags = [], hasChannel = false } = {},
) {
  const program = path.join(root, "bin", "openclaw.js");
  const args = [...nodeFlags, program, "serve", "--port", "0", "--json", ...flags];
  const env = {
    HOME: work,
    PATH: process.env.PATH,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: url,
  };
  const channel = /** @type {"ipc"[]} */ (hasChannel ? ["ipc"] : []);
  const child = spawn(node, args, { env, stdio: ["ignore", "pipe", "ignore", ...channel] });
  return listening(/** @type {import("./start-server.js").Printing} */ (child));
}

/**
 * @param {string} url
 * @param {unknown} body
 */
function post(url, body) {
  const headers = { "content-type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/**
 * @param {() => Promise<Response>} ask
 * @param {(text: string) => number[]} read
 */
async function answer(ask, read) {
  const now = () => performance.timeOrigin + performance.now();
  const startedAt = now();
  const response = await ask();
  /** @type {number[]} */
  const deltaMs = [];
  /** @type {number | undefined} */
  let firstMs;
  let text = "";
  let seen = 0;
  for await (const chunk of response.body ?? []) {
    const at = now();
    text += Buffer.from(chunk).toString("latin1");
    const stamps = read(text).slice(seen);
    seen += stamps.length;
    if (stamps.length > 0) firstMs ??= at - startedAt;
    deltaMs.push(...stamps.map((stamp) => at - stamp));
  }
  if (seen !== DELTAS || firstMs === undefined)
    throw new Error(`${seen} of ${DELTAS} deltas arrived: ${text.slice(0, 500)}`);
  return { firstMs, deltaMs };
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * @param {string} dialect
 * @param {string} what
 * @param {keyof Times} key
 * @param {Times} direct
 * @param {Times} between
 */
function rowOf(dialect, what, key, direct, between) {
  const [own, other] = [median(between[key]), median(direct[key])];
  const added = `**${(own - other).toFixed(2)} ms**`;
  return `| ${dialect} | ${what} | ${own.toFixed(2)} ms | ${other.toFixed(2)} ms | ${added} |`;
}
