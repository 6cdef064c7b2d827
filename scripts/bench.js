// Measures start-up, lists, first token, streaming and size against their references, in one run:
//   npm run bench -- [--quick] [--node VERSION…] [--runs N] [--only TEXT…] [--check] [--baseline FILE] [--save FILE] [--write]
//   npm run bench -- --serve [--quick]   what `openclaw serve` adds and carries, and nothing else
//   npm run bench -- --batch LINES       what a line of `openclaw batch run` takes, how much memory all of them, and `--resume` with a full journal
//   npm run bench -- --submit MB         what `openclaw batch submit` of so large a file takes, and how much memory
//   npm run bench -- --bodies            how long one hostile body holds up all others in `openclaw serve`; --only picks bodies
//   npm run bench -- --soak MINUTES      hostile and honest load on `openclaw serve`, and nothing else
// Each row and its reference take turns, so that a machine whose speed drifts drifts for both; medians are compared.
// --only measures the rows whose names contain a text. --check names what is slower than the figures in the repository by
// more than the spread of both and ends with 1, --baseline than those that --save kept. --write puts the figures into
// the repository.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { text as readText } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { batchRun } from "./bench/batch-run.js";
import { batchSubmit } from "./bench/batch-submit.js";
import { bodies } from "./bench/bodies.js";
import { compareFigures, quantile, toFigure } from "./bench/figures.js";
import { measure, runOnce } from "./bench/measure.js";
import { DELTAS, MODEL, openclaw, ROUND_TRIP_MS, tables } from "./bench/rows.js";
import { serveLatency } from "./bench/serve-latency.js";
import { serveLoad } from "./bench/serve-load.js";
import { soak } from "./bench/soak.js";
import { startServer } from "./bench/start-server.js";
import { nodeOf } from "./node-binary.js";
import { root, runNpm, setUp } from "./set-up.js";

/**
 * @typedef {import("./bench/figures.js").Figure} Figure
 * @typedef {import("./bench/start-server.js").Listening} Listening
 * @typedef {import("./bench/start-server.js").OverTls} OverTls
 * @typedef {import("./bench/rows.js").Row} Row
 * @typedef {import("./bench/rows.js").Identity} Identity
 * @typedef {Row & Figure & { own: number[], other: number[] }} Measured
 * @typedef {{ version: string, measured: Record<string, Measured[]> }} Results
 */

/** Where --write keeps the figures and --check finds them. */
const figuresFile = path.join(root, "docs", "performance.json");
/** Models in the warm list. */
const LISTED = 150;
/** A load above which the figures are those of other work, too. */
const BUSY = 1;
/** With fewer runs there is no spread to speak of. */
const FEWEST_COMPARED = 5;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", multiple: true },
    runs: { type: "string" },
    only: { type: "string", multiple: true },
    check: { type: "boolean", default: false },
    baseline: { type: "string" },
    save: { type: "string" },
    write: { type: "boolean", default: false },
    serve: { type: "boolean", default: false },
    bodies: { type: "boolean", default: false },
    soak: { type: "string" },
    batch: { type: "string" },
    submit: { type: "string" },
  },
});
const runs = Number(options.runs ?? (options.quick ? 1 : 21));
const versions = options.node ?? (options.quick ? [process.versions.node] : ["24", "20"]);
const baseline = options.baseline ?? (options.check ? figuresFile : undefined);
if (baseline !== undefined && runs < FEWEST_COMPARED)
  throw new Error(`${runs} runs are too few to compare: take --runs ${FEWEST_COMPARED} or more.`);
if (options.only && options.write)
  throw new Error("--write puts every figure on the page: leave --only out.");

if (!options.bodies && !Object.values(tables).flat().some(isWanted))
  throw new Error(`No row is called ${options.only?.join(" or ")}.`);

/** How many processes wanted to run in the minute before. */
const [load = 0] = loadavg();
const work = await mkdtemp(path.join(tmpdir(), "openclaw-bench-"));
const servers = {};
try {
  await setUp((step) => console.error(`...  ${step}`));
  if (options.soak !== undefined) {
    const { text, isFine } = await soak(work, Number(options.soak));
    console.log(text);
    await end(isFine ? 0 : 1);
  }
  if (options.bodies) {
    const { text, isFine } = await bodies(work, versions, isNamed);
    console.log(text);
    await end(isFine ? 0 : 1);
  }
  if (options.batch !== undefined) {
    console.log(await batchRun(work, Number(options.batch)));
    await end(0);
  }
  if (options.submit !== undefined) {
    console.log(await batchSubmit(work, Number(options.submit)));
    await end(0);
  }
  if (options.serve) {
    console.log(await ofServe());
    await end(0);
  }
  servers.plain = await startServer("server", work, 0);
  servers.stream = await startServer("server", work, options.quick ? 2000 : DELTAS);
  const tls = /** @type {Listening & OverTls & { child: typeof servers.plain.child }} */ (
    await startServer("tls-server", work, ROUND_TRIP_MS)
  );
  servers.near = { ...tls, endpoints: tls.near };
  servers.far = { ...tls, endpoints: tls.far };
  await writeFile(path.join(work, "authority.pem"), tls.authority);
  /** @type {Results[]} */
  const results = [];
  for (const version of versions) results.push(await measureOn(version));
  const size = options.quick || options.only ? undefined : await installedSize();
  const text = [report(results, size, await streamSpeed()), ...(options.only ? [] : [await ofServe()])].join(
    "\n\n",
  );
  console.log(text);
  if (load > BUSY)
    console.error(`Other work was running (load ${load.toFixed(1)}): measure again without it.`);
  const figures = toFigures(results);
  if (options.save) await writeFile(options.save, `${JSON.stringify(figures, undefined, 2)}\n`);
  if (baseline) compare(figures, JSON.parse(await readFile(baseline, "utf8")));
  if (options.write) {
    await writePage(text);
    await writeFile(figuresFile, `${JSON.stringify(figures, undefined, 2)}\n`);
  }
} finally {
  for (const server of Object.values(servers)) server.child.stdin.end();
  await rm(work, { recursive: true, force: true });
}

/**
 * Ends, whatever is still open, and leaves nothing behind.
 * @param {number} code
 */
async function end(code) {
  await rm(work, { recursive: true, force: true });
  process.exit(code);
}

/** What `openclaw serve` adds to an answer, and what one process of it carries, on each Node: clients and servers are all of it. */
async function ofServe() {
  const texts = [];
  for (const version of versions) {
    const node = await nodeOf(version);
    texts.push(node === process.execPath ? await ofServeHere() : await ofServeOn(node));
  }
  return texts.join("\n\n");
}

/**
 * The Node at a path, as `process.versions.node` has it there.
 * @param {string} node
 */
async function versionOf(node) {
  const { stdout } = await runOnce(node, ["-p", "process.versions.node"], process.env);
  return stdout.trim();
}

/**
 * What this program prints with `--serve` on another Node.
 * @param {string} node
 */
async function ofServeOn(node) {
  const program = fileURLToPath(import.meta.url);
  const args = [program, "--serve", "--node", await versionOf(node), ...(options.quick ? ["--quick"] : [])];
  const child = spawn(node, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [text] = await Promise.all([readText(child.stdout), once(child, "close")]);
  if (child.exitCode !== 0) throw new Error(`${node} ended with exit code ${child.exitCode}.`);
  return text.trimEnd();
}

async function ofServeHere() {
  const load = options.quick
    ? { streams: 20, deltas: 2, rounds: 1, ms: 50 }
    : { streams: 1000, deltas: 20, rounds: 3, ms: 5000 };
  const [answers, warmUps] = options.quick ? [1, 0] : [50, 100];
  return [await serveLatency(work, answers, warmUps), await serveLoad(work, load)].join("\n\n");
}

/**
 * The environment in which a server is asked by somebody with such credentials.
 * @param {Row["server"]} name
 * @param {string} home
 * @param {Identity} [as]
 * @returns {NodeJS.ProcessEnv}
 */
function environment(name, home, as = "keys") {
  /** @type {Listening} */
  const { url, endpoints, accessKeyId, secretAccessKey, bearerToken } = servers[name];
  const credentials = {
    keys: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    token: { AWS_BEARER_TOKEN_BEDROCK: bearerToken },
    role: { AWS_PROFILE: "bench" },
  };
  return {
    HOME: home,
    PATH: process.env.PATH,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    ...credentials[as],
    ...(endpoints
      ? {
          // Beside Node's own authorities, which everybody has.
          NODE_EXTRA_CA_CERTS: path.join(work, "authority.pem"),
          AWS_ENDPOINT_URL_BEDROCK: endpoints.bedrock,
          AWS_ENDPOINT_URL_BEDROCK_RUNTIME: endpoints.runtime,
          AWS_ENDPOINT_URL_STS: endpoints.sts,
        }
      : { AWS_ENDPOINT_URL: url }),
  };
}

/**
 * @param {string} wanted
 * @returns {Promise<Results>}
 */
async function measureOn(wanted) {
  const node = await nodeOf(wanted);
  const plainHome = await mkdtemp(path.join(work, "home-"));
  const version = await versionOf(node);
  await fillCache(node, plainHome);
  /** @type {Results["measured"]} */
  const measured = {};
  for (const [title, rows] of Object.entries(tables)) {
    measured[title] = [];
    for (const row of rows.filter(isWanted)) {
      const isTls = row.server === "near" || row.server === "far";
      const figure = await measureRow(node, row, isTls ? await createHome(node, row) : plainHome);
      measured[title].push(figure);
      console.error(`     Node ${version}: ${row.name} ${figure.ratio.toFixed(2)}`);
    }
  }
  return { version, measured };
}

/** @param {Row} row */
function isWanted({ name }) {
  return isNamed(name);
}

/** @param {string} name */
function isNamed(name) {
  const plain = (/** @type {string} */ text) => text.replaceAll("`", "").toLowerCase();
  return options.only?.some((text) => plain(name).includes(plain(text))) ?? true;
}

/**
 * @param {string} node
 * @param {Row} row
 * @param {string} home
 * @returns {Promise<Measured>}
 */
async function measureRow(node, row, home) {
  const { args, as, against, figure, server, forgets = [] } = row;
  /** @type {number[]} */
  const own = [];
  /** @type {number[]} */
  const other = [];
  // One of each that does not count, where any does: it fills the file system's cache and Node's.
  for (let run = options.quick ? 0 : -1; run < Math.min(runs, row.runs ?? runs); run++) {
    await forget(home, forgets);
    const took = await measure(node, args, environment(server, home, as), figure);
    await forget(home, forgets);
    const reference =
      typeof against === "number"
        ? against
        : await measure(node, against.args, environment(server, home, against.as), figure);
    if (run < 0) continue;
    own.push(took);
    other.push(reference);
  }
  return { ...row, own, other, ...toFigure(own, other) };
}

/**
 * Removes what is cached in folders of a home; Node's own cache may lie below.
 * @param {string} home
 * @param {string[]} folders
 */
async function forget(home, folders) {
  for (const folder of folders) {
    const place = path.join(home, folder);
    await mkdir(place, { recursive: true, mode: 0o700 });
    const names = (await readdir(place)).filter((name) => name.endsWith(".json"));
    await Promise.all(names.map((name) => rm(path.join(place, name))));
  }
}

/**
 * A home with a profile that assumes a role, a default model and, for those who call in this row, a fresh list of models.
 * @param {string} node
 * @param {Row} row
 */
async function createHome(node, { server, as, against }) {
  const home = await mkdtemp(path.join(work, "home-"));
  /** @type {Record<string, string>} */
  const files = {
    ".aws/config":
      "[profile bench]\nrole_arn = arn:aws:iam::123456789012:role/Bench\nsource_profile = base\n",
    ".aws/credentials": "[base]\naws_access_key_id = AKIABENCHBASE0000001\naws_secret_access_key = secret\n",
    ".openclaw/openclaw.json": JSON.stringify({ agents: { defaults: { model: MODEL } } }),
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(home, name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode: 0o600 });
  }
  const callers = new Set([as, typeof against === "number" ? as : against.as]);
  for (const caller of options.quick ? [] : callers)
    await runOnce(node, openclaw("models", "list"), environment(server, home, caller));
  return home;
}

/**
 * A fresh list of 150 models in the cache, as a large account has it.
 * @param {string} node
 * @param {string} home
 */
async function fillCache(node, home) {
  await runOnce(node, openclaw("models", "list", "--refresh"), environment("plain", home));
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

/**
 * @param {number[]} values
 * @param {string} unit
 */
function spread(values, unit) {
  const median = quantile(values, 0.5);
  const digits = unit === "MiB" || median >= 100 ? 0 : 1;
  const inDigits = (/** @type {number} */ value) => value.toFixed(digits);
  return `${inDigits(median)} (${inDigits(Math.min(...values))}–${inDigits(Math.max(...values))}) ${unit}`;
}

/** @param {Measured} row */
function toLine({ name, own, other, ratio, goal, figure, against }) {
  const unit = figure === "memory" ? "MiB" : "ms";
  const reference =
    typeof against === "number" ? `one round trip: ${against} ms` : `${against.name}: ${spread(other, unit)}`;
  return `| ${name} | ${spread(own, unit)} | ${reference} | **${ratio.toFixed(2)}** | ${goal} |`;
}

/**
 * @param {Results[]} results
 * @param {number | undefined} size
 * @param {number} speed
 */
function report(results, size, speed) {
  const sections = results.map(({ version, measured }) =>
    [
      `### Node ${version}`,
      ...Object.entries(measured)
        .filter(([, rows]) => rows.length > 0)
        .map(([title, rows]) =>
          [
            `| ${title} | openclaw | reference | ratio | goal on 24 |`,
            "| --- | --- | --- | --- | --- |",
            ...rows.map(toLine),
          ].join("\n"),
        ),
    ].join("\n\n"),
  );
  const [{ model = "unknown" } = {}] = cpus();
  return [
    `Medians of ${runs} interleaved runs (lowest–highest), ${cpus().length} cores of ${model}, load ${load.toFixed(1)} before.`,
    ...sections,
    ...(size === undefined
      ? []
      : [
          `Installed size (production install of the packed tarball): ${(size / 1e6).toFixed(2)} MB; goal 6 MB.`,
        ]),
    `The server of the deltas delivers ${Math.round(speed).toLocaleString("en")} a second through one connection.`,
  ].join("\n\n");
}

/**
 * The figures by Node's major version and the name of the row.
 * @param {Results[]} results
 * @returns {Record<string, Figure>}
 */
function toFigures(results) {
  return Object.fromEntries(
    results.flatMap(({ version, measured }) =>
      Object.values(measured)
        .flat()
        .map(({ name, ratio, low, high }) => [`${version.split(".")[0]} ${name}`, { ratio, low, high }]),
    ),
  );
}

/**
 * Says what became slower, and lets the run fail for it.
 * @param {Record<string, Figure>} now
 * @param {Record<string, Figure>} before
 */
function compare(now, before) {
  const { slower, compared } = compareFigures(now, before);
  if (compared === 0) throw new Error("None of these rows is among the earlier figures.");
  const inWords = (/** @type {Figure} */ { ratio, low, high }) =>
    `${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
  for (const { name, figure, earlier } of slower)
    console.log(`slower: ${name} ${inWords(earlier)} → ${inWords(figure)}`);
  if (slower.length === 0) console.log(`None of ${compared} rows became slower by more than the spread.`);
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
