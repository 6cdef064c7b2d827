// `npm test`: sets the clone up, then runs every check. The last line is `N passed, N failed`: each check beside the
// tests counts as one, each test as one.
//   --no-tests    the checks alone (`npm run check`)
//   --every-node  a short run on each supported Node version, too
//   --thorough    the large form of what has two: each program a process, hundreds of kills, crowds and fuzzed cases
//   --fuzz-cases N, --fuzz-seed N    how much the fuzz tests try, and from where on
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { checks, everyNode, indent, runChecks, say, seconds } from "./checks.js";
import { runTests } from "./run-tests.js";
import { root, setUp } from "./set-up.js";

const { values: options } = parseArgs({
  options: {
    "no-tests": { type: "boolean", default: false },
    "every-node": { type: "boolean", default: false },
    thorough: { type: "boolean", default: false },
    "fuzz-cases": { type: "string" },
    "fuzz-seed": { type: "string" },
  },
});

/** How often a run that nobody watches says how far the tests are, in ms. */
const PROGRESS_MS = 20_000;
/** How many cases the fuzz tests make in a thorough run. */
const THOROUGH_CASES = "20000";

/** @returns {NodeJS.ProcessEnv} */
function testEnvironment() {
  const cases = options["fuzz-cases"] ?? (options.thorough ? THOROUGH_CASES : undefined);
  return {
    ...(cases ? { OPENCLAW_FUZZ_CASES: cases } : {}),
    ...(options["fuzz-seed"] ? { OPENCLAW_FUZZ_SEED: options["fuzz-seed"] } : {}),
    ...(options.thorough ? { OPENCLAW_TEST_THOROUGH: "1" } : {}),
  };
}

/** The files of tests that have a large form, too. */
async function filesInSmall() {
  const folder = path.join(root, "test");
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".test.ts"));
  const texts = await Promise.all(files.map((name) => readFile(path.join(folder, name), "utf8")));
  return files.filter((_, index) => texts[index]?.includes("isThorough")).toSorted();
}

/** @returns {Promise<import("./checks.js").Counts>} */
async function showTests() {
  const started = performance.now();
  let lastProgress = started;
  const outcome = await runTests({
    env: testEnvironment(),
    onProgress: (done, files) => {
      if (performance.now() - lastProgress <= PROGRESS_MS) return;
      lastProgress = performance.now();
      say(`...  tests: ${done} of ${files} files (${seconds(started)})`);
    },
  });
  const { passed, failed, passedAlone } = outcome;
  for (const reason of outcome.skipped) say(`skip ${reason}`);
  if (!options.thorough)
    say(
      `skip what only npm test -- --thorough tries as often as it takes: ${(await filesInSmall()).join(", ")}`,
    );
  for (const name of outcome.unexplained) say(`FAIL skipped without a reason, or not run: ${name}`);
  say(`${failed === 0 ? "ok  " : "FAIL"} tests: ${passed} passed, ${failed} failed (${seconds(started)})`);
  if (failed + passedAlone.length > 0) say(indent(outcome.output));
  if (passedAlone.length > 0) {
    const tests = passedAlone.length === 1 ? "1 test" : `${passedAlone.length} tests`;
    say(`${tests} failed beside others and passed alone: ${passedAlone.join("; ")}`);
  }
  return { passed, failed };
}

async function prepare() {
  try {
    await setUp((step) => say(`...  ${step}`));
    return { passed: 0, failed: 0 };
  } catch (error) {
    say(`FAIL set-up\n${indent(error instanceof Error ? error.message : String(error))}`);
    return { passed: 0, failed: 1 };
  }
}

async function runAll() {
  const prepared = await prepare();
  if (prepared.failed > 0) return [prepared];
  // That one mostly waits for the network, beside all others.
  const versions = options["every-node"] ? runChecks([everyNode], 1) : { passed: 0, failed: 0 };
  const checked = await runChecks(checks, 2);
  const tested = options["no-tests"] ? [] : [await showTests()];
  return [checked, ...tested, await versions];
}

const results = await runAll();
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
process.exitCode = failed === 0 ? 0 : 1;
say(`${passed} passed, ${failed} failed`);
