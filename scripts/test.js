// `npm test`: sets the clone up, then runs every check. The last line is `N passed, N failed`: each check before the
// tests counts as one, each test as one. `--every-node` adds a short run on each supported Node version, `--fuzz-cases N`
// and `--fuzz-seed N` say how much the fuzz tests try, and from where on.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { root, setUp } from "./set-up.js";

/** A check has passed when its program, the command of a package or a script beside this one, ends with exit code 0. */
const checks = [
  { title: "types", command: ["typescript", "tsc", "-p", "."] },
  { title: "lint", command: ["oxlint", "oxlint", "."] },
  { title: "format", command: ["oxfmt", "oxfmt", "--check", "."] },
  { title: "unused code", command: ["knip", "knip", "--no-progress"] },
  { title: "generated documents", script: ["build-docs.js", "--check"] },
  { title: "third-party notices", script: ["build-notices.js", "--check"] },
  { title: "package", script: ["check-package.js"] },
  { title: "benchmark, short form", script: ["bench.js", "--quick"] },
];

const everyNode = { title: "every Node version", script: ["test-node-versions.js", "--quick"] };

const { values: options } = parseArgs({
  options: {
    "every-node": { type: "boolean", default: false },
    "fuzz-cases": { type: "string" },
    "fuzz-seed": { type: "string" },
  },
});

/** How often a run that nobody watches says how far the tests are, in ms. */
const PROGRESS_MS = 20_000;

function say(line) {
  process.stdout.write(`${line}\n`);
}

function indent(text) {
  return stripVTControlCharacters(text).trimEnd().replaceAll(/^/gm, "     ");
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/** Runs a program on this Node. Resolves to its exit code and everything it printed, in order. */
async function run(args, onMessage = () => undefined) {
  // What is printed here is indented, cut and kept: plain text.
  const { FORCE_COLOR: _, ...env } = process.env;
  if (options["fuzz-cases"]) env.OPENCLAW_FUZZ_CASES = options["fuzz-cases"];
  if (options["fuzz-seed"]) env.OPENCLAW_FUZZ_SEED = options["fuzz-seed"];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (output += text));
  child.on("message", onMessage);
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { code, output };
}

/** The script behind a package's command, so that it runs on this Node and needs no shell. */
async function binOf(name, command) {
  const folder = path.join(root, "node_modules", name);
  const { bin } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  return path.join(folder, typeof bin === "string" ? bin : bin[command]);
}

async function runCheck({ title, command, script }) {
  const started = performance.now();
  const args = script
    ? [path.join(root, "scripts", script[0]), ...script.slice(1)]
    : [await binOf(command[0], command[1]), ...command.slice(2)];
  const { code, output } = await run(args);
  say(`${code === 0 ? "ok  " : "FAIL"} ${title} (${seconds(started)})`);
  if (code !== 0) say(indent(output));
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Unit, property and end-to-end tests. A run that ends without telling its numbers counts as one failure. */
async function runTests() {
  const started = performance.now();
  let lastProgress = started;
  let counts = { passed: 0, failed: 1, skipped: [], unexplained: [] };
  const reporters = ["minimal", path.join(root, "scripts", "report-tests.js")].map(
    (name) => `--reporter=${name}`,
  );
  const { code, output } = await run([await binOf("vitest", "vitest"), "run", ...reporters], (message) => {
    if (message.counts) counts = message.counts;
    else if (performance.now() - lastProgress > PROGRESS_MS) {
      lastProgress = performance.now();
      say(`...  tests: ${message.done} of ${message.files} files (${seconds(started)})`);
    }
  });
  const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
  for (const reason of counts.skipped) say(`skip ${reason}`);
  for (const name of counts.unexplained) say(`FAIL skipped without a reason, or not run: ${name}`);
  say(
    `${failed === 0 ? "ok  " : "FAIL"} tests: ${counts.passed} passed, ${failed} failed (${seconds(started)})`,
  );
  if (failed > 0) say(indent(output));
  return { passed: counts.passed, failed };
}

async function prepare() {
  try {
    await setUp((step) => say(`...  ${step}`));
    return { passed: 0, failed: 0 };
  } catch (error) {
    say(`FAIL set-up\n${indent(error.message)}`);
    return { passed: 0, failed: 1 };
  }
}

async function runAll() {
  const prepared = await prepare();
  if (prepared.failed > 0) return [prepared];
  const results = [];
  for (const check of options["every-node"] ? [...checks, everyNode] : checks)
    results.push(await runCheck(check));
  return [...results, await runTests()];
}

const results = await runAll();
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
process.exitCode = failed === 0 ? 0 : 1;
say(`${passed} passed, ${failed} failed`);
