// Runs the tests, and those files once more, alone, in which something failed.
import path from "node:path";
import { binOf, run } from "./checks.js";
import { root } from "./set-up.js";

/**
 * @typedef {import("./report-tests.js").FileResult} FileResult
 * `passedAlone` names what failed beside others and passed alone: it is among the passed. `output` is what was printed of
 * all that failed, in either run.
 * @typedef {{ passed: number, failed: number, skipped: string[], unexplained: string[], passedAlone: string[], output: string }} Outcome
 */

/** More files than this have not failed by chance. */
const FILES_TO_TRY_AGAIN = 10;

/**
 * Unit, property and end-to-end tests. A run that ends without telling its results counts as one failure. Where few files
 * failed they run once more, one at a time: what fails twice has failed, and what passes alone is named.
 * @param {{ folder?: string, env?: NodeJS.ProcessEnv, onProgress?: (done: number, files: number) => void }} [options]
 * @returns {Promise<Outcome>}
 */
export async function runTests({ folder = root, env = {}, onProgress = () => undefined } = {}) {
  /** @param {string[]} more */
  const runVitest = async (...more) => {
    /** @type {import("./report-tests.js").Results | undefined} */
    let told;
    const reporters = ["minimal", path.join(root, "scripts", "report-tests.js")];
    const args = [
      await binOf("vitest", "vitest"),
      "run",
      ...reporters.map((name) => `--reporter=${name}`),
      ...more,
    ];
    const { code, output } = await run(args, {
      env,
      cwd: folder,
      onMessage: (sent) => {
        const message = /** @type {import("./report-tests.js").Message} */ (sent);
        if ("results" in message) told = message;
        else onProgress(message.done, message.files);
      },
    });
    const results = told?.results ?? [];
    const isUntold = code !== 0 && !told?.errors && !results.some(hasFailed);
    return { results, errors: isUntold ? 1 : (told?.errors ?? 0), output };
  };

  const first = await runVitest();
  const failed = first.results.filter(hasFailed);
  if (failed.length === 0 || failed.length > FILES_TO_TRY_AGAIN)
    return outcomeOf(first.results, first.errors, [], first.output);
  const second = await runVitest("--no-file-parallelism", "--isolate", ...failed.map(({ file }) => file));
  const tried = failed.map((before) => {
    const after = second.results.find(({ file }) => file === before.file);
    return after ? tellApart(before, after) : { result: before, passedAlone: [] };
  });
  const others = first.results.filter((result) => !failed.includes(result));
  return outcomeOf(
    [...others, ...tried.map(({ result }) => result)],
    first.errors + second.errors,
    tried.flatMap(({ result, passedAlone }) =>
      passedAlone.map((name) => `${path.relative(folder, result.file)}: ${name}`),
    ),
    first.output + second.output,
  );
}

/** @param {FileResult} result */
function hasFailed({ failed, unexplained, broken }) {
  return failed.length + unexplained.length + broken.length > 0;
}

/**
 * What a file's second run says, with everything that failed in the first and was not seen to pass in the second.
 * @param {FileResult} before
 * @param {FileResult} after
 */
function tellApart(before, after) {
  const again = new Set([...after.failed, ...after.unexplained]);
  const isSaved = (/** @type {string} */ name) => after.passed.includes(name) && !again.has(name);
  const isGone = (/** @type {string} */ name) => !isSaved(name) && !again.has(name);
  const broke = before.broken.filter((part) => !after.broken.includes(part));
  return {
    result: { ...after, failed: [...after.failed, ...before.failed.filter(isGone)] },
    passedAlone: [...[...before.failed, ...before.unexplained].filter(isSaved), ...broke],
  };
}

/**
 * @param {readonly FileResult[]} results
 * @param {number} errors
 * @param {string[]} passedAlone
 * @param {string} output
 * @returns {Outcome}
 */
function outcomeOf(results, errors, passedAlone, output) {
  const all = (/** @type {"passed" | "failed" | "skipped" | "broken"} */ kind) =>
    results.flatMap((result) => result[kind]);
  const unexplained = results.flatMap((result) =>
    result.unexplained.map((name) => `${result.file}: ${name}`),
  );
  return {
    passed: all("passed").length,
    failed: errors + all("failed").length + unexplained.length + all("broken").length,
    skipped: all("skipped"),
    unexplained,
    passedAlone,
    output,
  };
}
