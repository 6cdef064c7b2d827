/**
 * What came of a file of tests: the full names of its tests, skipped ones with their reason, and those parts (the file
 * itself, its suites) that broke outside their tests.
 * @typedef {{ file: string, passed: string[], failed: string[], unexplained: string[], skipped: string[], broken: string[] }} FileResult
 * What this reporter sends. `errors` counts those that belong to no test; each is in `broken` of the file that it came from,
 * where that is known.
 * @typedef {{ results: FileResult[], errors: number }} Results
 * @typedef {Results | { done: number, files: number }} Message
 */

/** A vitest reporter that tells the process which started vitest how far the run is, and at its end what came of it. */
export default class ReportTests {
  #files = 0;
  #done = 0;

  /** @param {readonly import("vitest/node").TestSpecification[]} specifications */
  onTestRunStart(specifications) {
    this.#files = specifications.length;
  }

  onTestModuleEnd() {
    this.#done += 1;
    send({ done: this.#done, files: this.#files });
  }

  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const results = modules.map(resultOf);
    let errors = 0;
    for (const error of unhandledErrors) {
      const file = Object(error).VITEST_TEST_PATH;
      const result = results.find((one) => one.file === file);
      if (result) result.broken.push("an error outside the tests");
      else errors += 1;
    }
    send({ results, errors });
  }
}

/** @param {Message} message */
function send(message) {
  process.send?.(message);
}

/**
 * @param {import("vitest/node").TestModule} module
 * @returns {FileResult}
 */
function resultOf(module) {
  /** @type {FileResult} */
  const found = { file: module.moduleId, passed: [], failed: [], unexplained: [], skipped: [], broken: [] };
  // What could not be loaded has no tests to fail, and counts itself.
  if (module.errors().length > 0) found.broken.push("the file");
  for (const suite of module.children.allSuites())
    if (suite.errors().length > 0) found.broken.push(suite.fullName);
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === "passed") found.passed.push(test.fullName);
    else if (result.state === "failed") found.failed.push(test.fullName);
    else if (result.state === "skipped" && result.note)
      found.skipped.push(`${test.fullName}: ${result.note}`);
    // A test that was skipped without a reason, or never ran, has shown nothing.
    else found.unexplained.push(test.fullName);
  }
  return found;
}
