// `npm test`: sets the clone up, then runs every check. The last line is `N passed, N failed`: each check beside the
// tests counts as one, each test as one.
//   --no-tests    the checks alone (`npm run check`)
//   --every-node  a short run on each supported Node version, too
//   --thorough    the large form of what has two: each program a process, hundreds of kills, crowds and fuzzed cases
//   --fuzz-cases N, --fuzz-seed N    how much the fuzz tests try, and from where on
import path from "node:path";
import { parseArgs } from "node:util";
import { binOf, checks, everyNode, indent, run, runChecks, say, seconds } from "./checks.js";
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

/**
 * Unit, property and end-to-end tests. A run that ends without telling its numbers counts as one failure.
 * @returns {Promise<import("./checks.js").Counts>}
 */
async function runTests() {
  const started = performance.now();
  let lastProgress = started;
  /** @type {import("./report-tests.js").Counts} */
  let counts = { passed: 0, failed: 1, skipped: [], unexplained: [] };
  /** @param {unknown} sent */
  const onMessage = (sent) => {
    const message = /** @type {import("./report-tests.js").Message} */ (sent);
    if ("counts" in message) counts = message.counts;
    else if (performance.now() - lastProgress > PROGRESS_MS) {
      lastProgress = performance.now();
      say(`...  tests: ${message.done} of ${message.files} files (${seconds(started)})`);
    }
  };
  const reporters = ["minimal", path.join(root, "scripts", "report-tests.js")].map(
    (name) => `--reporter=${name}`,
  );
  const args = [await binOf("vitest", "vitest"), "run", ...reporters];
  const { code, output } = await run(args, { env: testEnvironment(), onMessage });
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
    say(`FAIL set-up\n${indent(error instanceof Error ? error.message : String(error))}`);
    return { passed: 0, failed: 1 };
  }
}

async function runAll() {
  const prepared = await prepare();
  if (prepared.failed > 0) return [prepared];
  // That one mostly waits for the network.
  const versions = options["every-node"] ? runChecks([everyNode], 1) : { passed: 0, failed: 0 };
  const results = [await runChecks(checks, 2), await versions];
  return options["no-tests"] ? results : [...results, await runTests()];
}

const results = await runAll();
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
process.exitCode = failed === 0 ? 0 : 1;
say(`${passed} passed, ${failed} failed`);
