// Measures how much of src/ the tests reach, in their own process and in every program that they start:
//   node scripts/coverage.js [FILTER…]
// Fails below 95 % of lines and 90 % of branches; with a filter it only tells. The figures per file are in coverage/.
// Vitest measures its own process. The programs run from a build with source maps, and each leaves V8's account of
// itself in a folder (NODE_V8_COVERAGE), which is emptied while the tests run: thousands of them would fill a disk.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { mergeScriptCovs } from "@bcoe/v8-coverage";
import { convert } from "ast-v8-to-istanbul";
import { parseAstAsync } from "vite";
import { buildProgram } from "./build.js";
import { root } from "./set-up.js";

/**
 * What Istanbul says of a file, as far as it is read here.
 * @typedef {object} Istanbul
 * @property {Record<string, { start: { line: number } }>} statementMap
 * @property {Record<string, number>} s
 * @property {Record<string, { type: string, loc: { start: { line: number, column: number } } }>} branchMap
 * @property {Record<string, number[]>} b
 */

const MOST_UNCOVERED = { lines: 5, branches: 10 };

const folder = path.join(root, "coverage");
const program = path.join(folder, "program");
const raw = path.join(folder, "raw");
const inProcess = path.join(folder, "in-process");
const filters = process.argv.slice(2);

await rm(folder, { recursive: true, force: true });
await mkdir(raw, { recursive: true });
await buildProgram(path.join(program, "dist"), { isTraceable: true });
await cp(path.join(root, "bin"), path.join(program, "bin"), { recursive: true });

/** V8's account of each file of the built program, of all processes together. */
const scripts = new Map();

/** Adds what processes have left to the account so far. A file that is still being written is left for later. */
async function collect() {
  for (const name of await readdir(raw)) {
    const file = path.join(raw, name);
    let account;
    try {
      account = JSON.parse(await readFile(file, "utf8"));
    } catch (error) {
      if (error instanceof SyntaxError) continue;
      throw error;
    }
    for (const script of account.result) {
      if (!script.url.startsWith("file://")) continue;
      const source = fileURLToPath(script.url);
      if (!source.startsWith(path.join(program, "dist"))) continue;
      // The bundler's own lines come from no source.
      if (!existsSync(`${source}.map`)) continue;
      const known = scripts.get(source);
      scripts.set(source, known ? mergeScriptCovs([known, script]) : script);
    }
    await rm(file);
  }
}

async function runTests() {
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(
    process.execPath,
    [
      vitest,
      "run",
      ...filters,
      "--coverage.enabled",
      "--coverage.provider=v8",
      "--coverage.reporter=json",
      "--coverage.include=src/**/*.ts",
      `--coverage.reportsDirectory=${inProcess}`,
      "--coverage.reportOnFailure",
      "--testTimeout=60000",
    ],
    {
      cwd: root,
      stdio: "inherit",
      env: {
        ...process.env,
        OPENCLAW_TEST_BINARY: path.join(program, "bin", "openclaw.js"),
        OPENCLAW_TEST_COVERAGE: raw,
      },
    },
  );
  const timer = setInterval(() => {
    collecting = collecting.then(collect);
  }, 1000);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
  } finally {
    clearInterval(timer);
    await collecting;
    await collect();
  }
}

/** One collection after the other: each empties the folder. */
let collecting = Promise.resolve();

/** Hits by line, and by path of each branch, of one file of src/. */
function emptyAccount() {
  return { lines: new Map(), branches: new Map() };
}

const files = new Map();

/**
 * Adds hits to what is known; `isOwn` is whether the account says what there is to be hit.
 * @template K
 * @param {Map<K, number>} map
 * @param {K} key
 * @param {number} hits
 * @param {boolean} isOwn
 */
function raise(map, key, hits, isOwn) {
  if (isOwn || map.has(key)) map.set(key, Math.max(map.get(key) ?? 0, hits));
}

/**
 * Adds Istanbul's account of files; what one account calls unreached may be reached in another. What there is to be
 * reached is what Vitest's account of the sources names: the bundler's code has branches of its own.
 * @param {Record<string, Istanbul>} data
 * @param {boolean} isOwn
 */
function add(data, isOwn) {
  for (const [name, { statementMap, s, branchMap, b }] of Object.entries(data)) {
    const file = path.relative(root, name);
    if (!file.startsWith(`src${path.sep}`)) continue;
    const account = files.get(file) ?? emptyAccount();
    files.set(file, account);
    for (const [id, { start }] of Object.entries(statementMap))
      raise(account.lines, start.line, s[id] ?? 0, isOwn);
    for (const [id, name] of nameBranches(branchMap)) {
      for (const [index, hits] of (b[id] ?? []).entries())
        raise(account.branches, `${name} ${index}`, hits, isOwn);
    }
  }
}

/**
 * Names each branch by line, kind and place among those of its kind on the line: the column is not the same in the two
 * accounts, for a bundle's map and a file's own differ in it.
 * @param {Istanbul["branchMap"]} branchMap
 * @returns {[id: string, name: string][]}
 */
function nameBranches(branchMap) {
  const counts = new Map();
  return Object.entries(branchMap)
    .sort(([, { loc: left }], [, { loc: right }]) => left.start.column - right.start.column)
    .map(([id, { type, loc }]) => {
      const kind = `${loc.start.line} ${type}`;
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      return [id, `${kind} ${count}`];
    });
}

async function convertScripts() {
  for (const [file, coverage] of scripts) {
    const [code, map] = await Promise.all([readFile(file, "utf8"), readFile(`${file}.map`, "utf8")]);
    const sourceMap = JSON.parse(map);
    sourceMap.sources = sourceMap.sources.map((/** @type {string} */ source) =>
      path.resolve(path.dirname(file), source),
    );
    add(await convert({ ast: parseAstAsync(code), code, wrapperLength: 0, coverage, sourceMap }), false);
  }
}

/** @param {Map<unknown, number>[]} maps */
function share(maps) {
  let all = 0;
  let reached = 0;
  for (const map of maps) {
    all += map.size;
    for (const hits of map.values()) if (hits > 0) reached += 1;
  }
  return { all, reached, percent: all === 0 ? 100 : (reached / all) * 100 };
}

/** @param {Map<unknown, number>} map */
const unreached = (map) => [...map].filter(([, hits]) => hits === 0).map(([key]) => key);
/** @param {{ percent: number }} share */
const format = ({ percent }) => `${percent.toFixed(1).padStart(5)} %`;

const code = await runTests();
add(JSON.parse(await readFile(path.join(inProcess, "coverage-final.json"), "utf8")), true);
await convertScripts();
await writeFile(
  path.join(folder, "unreached.json"),
  JSON.stringify(
    Object.fromEntries(
      [...files]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([file, { lines, branches }]) => [
          file,
          { lines: unreached(lines), branches: unreached(branches) },
        ]),
    ),
    undefined,
    1,
  ),
);
const rows = [...files]
  .map(([file, { lines, branches }]) => ({ file, lines: share([lines]), branches: share([branches]) }))
  .sort(
    (left, right) =>
      left.lines.percent - right.lines.percent || left.branches.percent - right.branches.percent,
  );
for (const { file, lines, branches } of rows) {
  if (lines.percent < 95 || branches.percent < 85)
    console.log(`${format(lines)} ${format(branches)}  ${file}`);
}
const accounts = [...files.values()];
const lines = share(accounts.map((account) => account.lines));
const branches = share(accounts.map((account) => account.branches));
console.log(`${format(lines)} of ${lines.all} lines, ${format(branches)} of ${branches.all} branches`);
await rm(raw, { recursive: true, force: true });
const isEnough =
  lines.percent >= 100 - MOST_UNCOVERED.lines && branches.percent >= 100 - MOST_UNCOVERED.branches;
process.exitCode = code === 0 && (isEnough || filters.length > 0) ? 0 : 1;
