/**
 * What this reporter sends.
 * @typedef {{ passed: number, failed: number, skipped: string[], unexplained: string[] }} Counts
 * @typedef {{ counts: Counts } | { done: number, files: number }} Message
 */

/** A vitest reporter that tells the process which started vitest how far the run is, and at its end the numbers. */
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
    send({ counts: count(modules, unhandledErrors) });
  }
}

/** @param {Message} message */
function send(message) {
  process.send?.(message);
}

/**
 * @param {readonly import("vitest/node").TestModule[]} modules
 * @param {readonly unknown[]} unhandledErrors
 */
function count(modules, unhandledErrors) {
  /** @type {Counts} */
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: [], unexplained: [] };
  for (const module of modules) {
    // What could not be loaded has no tests to fail, and counts itself.
    for (const part of [module, ...module.children.allSuites()])
      if (part.errors().length > 0) counts.failed += 1;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") counts.passed += 1;
      else if (result.state === "skipped" && result.note)
        counts.skipped.push(`${test.fullName}: ${result.note}`);
      else {
        counts.failed += 1;
        // A test that was skipped without a reason, or never ran, has shown nothing.
        if (result.state !== "failed") counts.unexplained.push(`${module.moduleId}: ${test.fullName}`);
      }
    }
  }
  return counts;
}
