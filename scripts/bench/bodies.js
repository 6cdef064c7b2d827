// How long one hostile body holds up all others: the longest time that the main thread of `openclaw serve` works without
// letting anything else have its turn, by body and by how the server is started.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { bundleModule } from "../bundle-module.js";
import { nodeOf } from "../node-binary.js";
import { root } from "../set-up.js";
import { CONVERSE } from "./dialects.js";
import { quantile } from "./figures.js";
import { startServe } from "./serve-latency.js";
import { startServer } from "./start-server.js";

/**
 * @typedef {import("../../test/helpers/hostile-bodies.ts").HostileBody} HostileBody
 * @typedef {{ cpuMs: number, wallMs: number }} Gap
 * @typedef {Gap & { name: string, status: number }} Measured
 */

/** What nobody may be held up for, in ms. */
const LONGEST_MS = 50;
/** What comes near it is measured so often, and the median counts: now and then garbage is collected in between. */
const TIMES = 3;
const NEAR_MS = 40;
/** In the table, the longest first, beside all that are too long. */
const SHOWN = 25;

const KEY = randomBytes(16).toString("hex");
const BUDGET = JSON.stringify({
  name: "bench",
  hash: `sha256:${createHash("sha256").update(KEY).digest("hex")}`,
  dailyBudgetUsd: 1_000_000,
  tpm: 1_000_000_000,
});

/** Teaches what there is to learn of a model by its refusals. */
const TEACHING = JSON.stringify({
  system: [{ text: "Be brief." }],
  messages: [
    {
      role: "user",
      content: [{ text: "a" }, { document: { format: "txt", name: "a", source: { text: "a" } } }],
    },
    { role: "assistant", content: [{ toolUse: { toolUseId: "a", name: "a", input: {} } }] },
    {
      role: "user",
      content: [
        { toolResult: { toolUseId: "a", status: "error", content: [{ json: { a: 1 } }] } },
        { text: "a" },
      ],
    },
  ],
  inferenceConfig: { stopSequences: ["a"] },
  toolConfig: {
    tools: [{ toolSpec: { name: "a", inputSchema: { json: { oneOf: [{ type: "object" }] } } } }],
  },
});

/**
 * How the server is started: with flags, `KEYS` standing for a file of keys, in front of a Bedrock that is told this.
 * @type {readonly { mode: string, flags: readonly string[], bedrock?: string }[]}
 */
const MODES = [
  { mode: "plain", flags: [] },
  { mode: "a key with a budget", flags: ["--api-key-file", "KEYS"] },
  { mode: "--strict --log-content", flags: ["--strict", "--log-content"] },
  {
    mode: "--pace --regions",
    flags: ["--pace", "--tpm", "1000000000000", "--regions", "us-east-1,us-west-2"],
  },
  { mode: "learnt refusals", flags: [], bedrock: "learn" },
];

/**
 * Measures on some versions of Node. Resolves to Markdown, and whether nothing took too long. `wanted` picks those by
 * `MODE: PATH: BODY`; `work` is a folder to write into.
 * @param {string} work
 * @param {readonly string[]} versions
 * @param {(name: string) => boolean} wanted
 */
export async function bodies(work, versions, wanted) {
  const module = path.join(work, "hostile-bodies.mjs");
  await bundleModule("test/helpers/hostile-bodies.ts", module);
  /** @type {{ HOSTILE_BODIES: readonly HostileBody[] }} */
  const { HOSTILE_BODIES } = await import(pathToFileURL(module).href);
  const keys = path.join(work, "keys.jsonl");
  await writeFile(keys, `${BUDGET}\n`, { mode: 0o600 });
  const texts = [];
  let isFine = true;
  for (const version of versions) {
    const node = await nodeOf(version);
    /** @type {Measured[]} */
    const all = [];
    for (const { mode, flags, bedrock = "" } of MODES) {
      const chosen = HOSTILE_BODIES.map(({ path, what, make }) => ({
        path,
        make,
        name: `${mode}: ${path}: ${what}`,
      }));
      const asked = chosen.filter(({ name }) => wanted(name));
      if (asked.length === 0) continue;
      const own = flags.map((flag) => (flag === "KEYS" ? keys : flag));
      all.push(...(await measureAll(work, node, own, bedrock, asked)));
      console.error(`     Node ${version}, ${mode}: ${asked.length} bodies`);
    }
    const sorted = all.toSorted((one, other) => other.cpuMs - one.cpuMs);
    const long = sorted.filter(({ cpuMs }) => cpuMs > LONGEST_MS);
    isFine &&= long.length === 0;
    texts.push(tableOf(version, sorted.slice(0, Math.max(long.length, SHOWN)), all.length, long.length));
  }
  return { text: texts.join("\n\n"), isFine };
}

/**
 * @param {string} work
 * @param {string} node
 * @param {readonly string[]} flags
 * @param {string} bedrock
 * @param {readonly { name: string, path: string, make: () => string }[]} asked
 */
async function measureAll(work, node, flags, bedrock, asked) {
  const server = await startServer("bodies-server", work, bedrock);
  const gaps = path.join(root, "scripts", "bench", "gaps.cjs");
  const serve = await startServe(server, work, {
    node,
    nodeFlags: ["--require", gaps],
    flags,
    hasChannel: true,
  });
  const origin = serve.url.replace(/\/v1$/, "");
  /** @type {() => Promise<Gap>} */
  const takeLongest = async () => {
    const told = once(serve.child, "message");
    serve.child.send("gap");
    const [gap] = await told;
    return gap;
  };
  /**
   * @param {string} place
   * @param {string} body
   */
  const ask = async (place, body) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${KEY}` };
    const response = await fetch(`${origin}${place}`, { method: "POST", headers, body });
    await response.arrayBuffer();
    return response.status;
  };
  try {
    // Loads what all others need, and teaches.
    for (let time = 0; time < 8; time += 1) await ask(CONVERSE.path, TEACHING);
    /** @type {Measured[]} */
    const measured = [];
    for (const { path: place, name, make } of asked) {
      const body = make();
      /** @type {(Gap & { status: number })[]} */
      const seen = [];
      do {
        await sleep(20);
        await takeLongest();
        const status = await ask(place, body);
        await sleep(20);
        seen.push({ ...(await takeLongest()), status });
      } while (seen.length < TIMES && (seen[0]?.cpuMs ?? 0) > NEAR_MS);
      const middle = (/** @type {(gap: Gap) => number} */ of) => quantile(seen.map(of), 0.5);
      measured.push({
        name,
        status: seen[0]?.status ?? 0,
        cpuMs: middle(({ cpuMs }) => cpuMs),
        wallMs: middle(({ wallMs }) => wallMs),
      });
    }
    return measured;
  } finally {
    serve.child.kill();
    server.child.stdin.end();
    if (serve.child.exitCode === null) await once(serve.child, "close");
  }
}

/**
 * @param {string} version
 * @param {readonly Measured[]} rows
 * @param {number} count
 * @param {number} long
 */
function tableOf(version, rows, count, long) {
  return [
    `### Hostile bodies to \`openclaw serve\`, Node ${version}`,
    "",
    `${count} bodies; **${long}** take more than ${LONGEST_MS} ms of the main thread in one go. The longest:`,
    "",
    "| body | CPU | on the clock | status |",
    "| --- | --- | --- | --- |",
    ...rows.map(({ name, cpuMs, wallMs, status }) => {
      const cpu = `${cpuMs.toFixed(0)} ms`;
      return `| ${name} | ${cpuMs > LONGEST_MS ? `**${cpu}**` : cpu} | ${wallMs.toFixed(0)} ms | ${status} |`;
    }),
  ].join("\n");
}
