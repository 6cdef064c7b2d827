// Measures start-up, lists, first token, streaming and size against their references, in one run:
//   npm run bench -- [--quick] [--node VERSION…] [--runs N] [--baseline FILE] [--save FILE] [--write]
//   npm run bench -- --soak MINUTES      hostile and honest load on `openclaw serve`, and nothing else
// Each row and its reference take turns, so that a machine whose speed drifts drifts for both; medians are compared.
// --write puts the figures into docs/performance.md, --save keeps them, --baseline says what became slower than a save.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { serveLatency } from "./bench/serve-latency.js";
import { soak } from "./bench/soak.js";
import { startServer } from "./bench/start-server.js";
import { nodeBinary } from "./node-binary.js";
import { root, runNpm, setUp } from "./set-up.js";

/**
 * @typedef {import("./bench/start-server.js").Listening} Listening
 * @typedef {object} Row
 * @property {string} name
 * @property {string[]} args
 * @property {string[]} against
 * @property {"wall" | "first" | "cpu" | "memory"} figure
 * @property {number} goal
 * @property {"stream"} [server]
 * @property {number} [runs]
 * @typedef {Row & { own: number[], other: number[], ratio: number }} Measured
 */

const binary = path.join(root, "bin", "openclaw.js");
const bench = path.join(root, "scripts", "bench");
const MODEL = "amazon.nova-lite-v1:0";
const DELTAS = 100_000;
/** Models in the warm list. */
const LISTED = 150;
/** A row that takes this much longer than in the baseline is called slower: less is this kind of machine's noise. */
const SLOWER = 1.1;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", multiple: true },
    runs: { type: "string" },
    baseline: { type: "string" },
    save: { type: "string" },
    write: { type: "boolean", default: false },
    soak: { type: "string" },
  },
});
const runs = Number(options.runs ?? (options.quick ? 2 : 21));
const versions = options.node ?? (options.quick ? [process.versions.node] : ["24", "20"]);

const nothing = ["-e", "0"];
/** @param {string[]} args */
const openclaw = (...args) => [binary, ...args];
const chat = openclaw("chat", "-m", MODEL, "Hello");
/** @param {string} name */
const reference = (name) => [path.join(bench, `reference-${name}.mjs`)];

/**
 * What is measured: `figure` is `wall` (ms until the process ends), `first` (ms until the first byte), `cpu` (ms) or
 * `memory` (peak, MiB). `goal` is the ratio to the reference on Node 24.
 * @type {Row[]}
 */
const rows = [
  { name: "`--version`", args: openclaw("--version"), against: nothing, figure: "wall", goal: 1.2 },
  { name: "`config file`", args: openclaw("config", "file"), against: nothing, figure: "wall", goal: 1.35 },
  {
    name: "`config get`",
    args: openclaw("config", "get", "models.bedrockDiscovery.region"),
    against: nothing,
    figure: "wall",
    goal: 1.35,
  },
  {
    name: "`models list`, warm",
    args: openclaw("models", "list"),
    against: nothing,
    figure: "wall",
    goal: 1.45,
  },
  {
    name: "`models list --json`, warm",
    args: openclaw("models", "list", "--json"),
    against: nothing,
    figure: "wall",
    goal: 1.45,
  },
  { name: "`chat --help`", args: openclaw("chat", "--help"), against: nothing, figure: "wall", goal: 1.4 },
  {
    name: "completion of a flag",
    args: openclaw("complete", "fish", "--", "chat", "--max"),
    against: nothing,
    figure: "wall",
    goal: 1.4,
  },
  {
    name: "`models list --refresh`",
    args: openclaw("models", "list", "--refresh"),
    against: reference("list"),
    figure: "wall",
    goal: 0.9,
  },
  { name: "`chat` to the first token", args: chat, against: reference("chat"), figure: "first", goal: 0.85 },
  {
    name: `CPU of ${DELTAS / 1000},000 deltas`,
    args: chat,
    against: reference("chat"),
    figure: "cpu",
    goal: 0.6,
    server: "stream",
    runs: 5,
  },
  {
    name: "peak memory, warm list",
    args: openclaw("models", "list", "--json"),
    against: nothing,
    figure: "memory",
    goal: 1.3,
  },
  { name: "peak memory, chat", args: chat, against: reference("chat"), figure: "memory", goal: 1 },
];

const work = await mkdtemp(path.join(tmpdir(), "openclaw-bench-"));
const servers = {};
try {
  await setUp((step) => console.error(`...  ${step}`));
  if (options.soak !== undefined) {
    const { text, isFine } = await soak(work, Number(options.soak));
    console.log(text);
    process.exit(isFine ? 0 : 1);
  }
  servers.plain = await startServer("server", 0, work);
  servers.stream = await startServer("server", options.quick ? 2000 : DELTAS, work);
  const results = [];
  for (const version of versions) results.push(await measureOn(version));
  const size = options.quick ? undefined : await installedSize();
  const speed = await streamSpeed();
  const text = `${report(results, size, speed)}\n\n${await serveLatency(work, options.quick ? 2 : 50)}`;
  console.log(text);
  const figures = Object.fromEntries(
    results.flatMap(({ version, measured }) => measured.map((row) => [`${version} ${row.name}`, row.ratio])),
  );
  if (options.save) await writeFile(options.save, `${JSON.stringify(figures, undefined, 2)}\n`);
  if (options.baseline) compare(figures, JSON.parse(await readFile(options.baseline, "utf8")));
  if (options.write) await writePage(text);
} finally {
  for (const server of Object.values(servers)) server.child.stdin.end();
  await rm(work, { recursive: true, force: true });
}

/**
 * @param {Listening} server
 * @param {string} home
 * @returns {NodeJS.ProcessEnv}
 */
function environment({ url, accessKeyId, secretAccessKey }, home) {
  return {
    HOME: home,
    PATH: process.env.PATH,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL: url,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
}

/** @param {string} wanted */
async function measureOn(wanted) {
  const node = wanted === process.versions.node ? process.execPath : await nodeBinary(wanted);
  const home = await mkdtemp(path.join(work, "home-"));
  const version = (
    await runOnce(node, ["-p", "process.versions.node"], environment(servers.plain, home))
  ).stdout.trim();
  await fillCache(node, home);
  const measured = [];
  for (const row of rows) {
    const env = environment(servers[row.server ?? "plain"], home);
    /** @type {number[]} */
    const own = [];
    /** @type {number[]} */
    const other = [];
    // One of each that does not count: it fills the file system's cache and Node's.
    for (let run = -1; run < Math.min(runs, row.runs ?? runs); run++) {
      const took = await measure(node, row.args, env, row.figure);
      const reference = await measure(node, row.against, env, row.figure);
      if (run < 0) continue;
      own.push(took);
      other.push(reference);
    }
    const ratio = median(own) / median(other);
    measured.push({ ...row, own, other, ratio });
    console.error(`     Node ${version}: ${row.name} ${ratio.toFixed(2)}`);
  }
  return { version, measured };
}

/**
 * A fresh list of 150 models in the cache, as a large account has it.
 * @param {string} node
 * @param {string} home
 */
async function fillCache(node, home) {
  const env = environment(servers.plain, home);
  await runOnce(node, openclaw("models", "list", "--refresh"), env);
  const folder = path.join(home, ".openclaw", "cache");
  const name = (await readdir(folder)).find((entry) => entry.endsWith(".json")) ?? "";
  const file = path.join(folder, name);
  const entry = JSON.parse(await readFile(file, "utf8"));
  /** @type {{ id: string, name: string, inferenceTypes?: string[] }[]} */
  const models = entry.models;
  const plain = models.filter(({ inferenceTypes }) => inferenceTypes?.includes("ON_DEMAND"));
  for (let index = 0; entry.models.length + entry.profiles.length < LISTED + 50; index++) {
    const model = plain[index % plain.length];
    if (!model) throw new Error("The emulator lists no model that is called by its own id.");
    models.push({ ...model, id: `${model.id}-copy${index}`, name: `${model.name} copy ${index}` });
  }
  await writeFile(file, JSON.stringify({ ...entry, fetchedAt: Date.now() }));
}

/**
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {Row["figure"]} figure
 * @returns {Promise<number>}
 */
async function measure(node, args, env, figure) {
  if (figure === "cpu" || figure === "memory") {
    const file = path.join(work, "usage.json");
    await runOnce(node, ["--require", path.join(bench, "report-usage.cjs"), ...args], {
      ...env,
      OPENCLAW_USAGE: file,
    });
    const { cpuMs, peakMiB } = JSON.parse(await readFile(file, "utf8"));
    return figure === "cpu" ? cpuMs : peakMiB;
  }
  const { wallMs, firstMs } = await runOnce(node, args, env);
  return figure === "first" ? (firstMs ?? Number.NaN) : wallMs;
}

/**
 * Runs a process to its end and times it. Fails on any exit code but 0: what fails fast is not fast.
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
async function runOnce(node, args, env) {
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
    throw new Error(`${args.join(" ")} ended with ${code}:\n${stderr}`);
  return { wallMs: since(), firstMs, stdout };
}

/** Bytes on disk of a production install of the packed tarball. */
async function installedSize() {
  const folder = path.join(work, "installed");
  await runNpm(["pack", "--silent", "--pack-destination", work], { stdio: ["ignore", "ignore", "inherit"] });
  const tarball = (await readdir(work)).find((name) => name.endsWith(".tgz")) ?? "";
  await runNpm(
    ["install", "--silent", "--omit=dev", "--no-save", "--prefix", folder, path.join(work, tarball)],
    { cwd: work },
  );
  return sizeOf(path.join(folder, "node_modules"));
}

/**
 * @param {string} place
 * @returns {Promise<number>}
 */
async function sizeOf(place) {
  const status = await stat(place);
  if (!status.isDirectory()) return status.size;
  const names = await readdir(place);
  const sizes = await Promise.all(names.map((name) => sizeOf(path.join(place, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Deltas a second that the server side delivers through one connection, to a reader that only counts bytes. */
async function streamSpeed() {
  const { url } = servers.stream;
  const started = performance.now();
  const response = await fetch(`${url}/model/${encodeURIComponent(MODEL)}/converse-stream`, {
    method: "POST",
    body: "{}",
  });
  for await (const chunk of response.body ?? []) if (chunk.length === 0) break;
  return ((options.quick ? 2000 : DELTAS) / (performance.now() - started)) * 1000;
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * @param {number[]} values
 * @param {string} unit
 */
function spread(values, unit) {
  const digits = unit === "MiB" || median(values) >= 100 ? 0 : 1;
  const inDigits = (/** @type {number} */ value) => value.toFixed(digits);
  return `${inDigits(median(values))} (${inDigits(Math.min(...values))}–${inDigits(Math.max(...values))}) ${unit}`;
}

/**
 * @param {{ version: string, measured: Measured[] }[]} results
 * @param {number | undefined} size
 * @param {number} speed
 */
function report(results, size, speed) {
  const tables = results.map(({ version, measured }) => {
    const lines = measured.map(({ name, own, other, ratio, goal, figure }) => {
      const unit = figure === "memory" ? "MiB" : "ms";
      return `| ${name} | ${spread(own, unit)} | ${spread(other, unit)} | **${ratio.toFixed(2)}** | ${goal} |`;
    });
    return [
      `### Node ${version}`,
      "",
      "| what | openclaw | reference | ratio | goal on 24 |",
      "| --- | --- | --- | --- | --- |",
      ...lines,
    ].join("\n");
  });
  const [{ model = "unknown" } = {}] = cpus();
  return [
    `Medians of ${runs} interleaved runs (lowest–highest), ${cpus().length} cores of ${model}.`,
    ...tables,
    [
      ...(size === undefined
        ? []
        : [
            `Installed size (production install of the packed tarball): ${(size / 1e6).toFixed(2)} MB; goal 6 MB.`,
          ]),
      `The server of these figures delivers ${Math.round(speed).toLocaleString("en")} deltas a second through one connection.`,
    ].join("\n\n"),
  ].join("\n\n");
}

/**
 * @param {Record<string, number>} figures
 * @param {Record<string, number>} baseline
 */
function compare(figures, baseline) {
  const slower = Object.entries(figures).filter(
    ([name, ratio]) => ratio > (baseline[name] ?? Number.POSITIVE_INFINITY) * SLOWER,
  );
  for (const [name, ratio] of slower)
    console.log(`slower: ${name} ${baseline[name]?.toFixed(2)} → ${ratio.toFixed(2)}`);
  if (slower.length === 0) console.log("Nothing became slower.");
  else process.exitCode = 1;
}

/**
 * Puts the figures between the two marks of docs/performance.md; the notes around them are written by hand.
 * @param {string} text
 */
async function writePage(text) {
  const file = path.join(root, "docs", "performance.md");
  const page = await readFile(file, "utf8");
  const [start, end] = ["<!-- figures -->", "<!-- /figures -->"];
  const next = `${page.slice(0, page.indexOf(start) + start.length)}\n\n${text}\n\n${page.slice(page.indexOf(end))}`;
  await writeFile(file, next);
}
