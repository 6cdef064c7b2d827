// A vitest reporter that tells the process which started vitest how far the run is, and at its end the numbers.
export default class ReportTests {
  #files = 0;
  #done = 0;

  onTestRunStart(specifications) {
    this.#files = specifications.length;
  }

  onTestModuleEnd() {
    this.#done += 1;
    process.send({ done: this.#done, files: this.#files });
  }

  onTestRunEnd(modules, unhandledErrors) {
    process.send({ counts: count(modules, unhandledErrors) });
  }
}

function count(modules, unhandledErrors) {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: [], unexplained: [] };
  for (const module of modules) {
    // What could not be loaded has no tests to fail, and counts itself.
    for (const part of [module, ...module.children.allSuites()])
      if (part.errors().length > 0) counts.failed += 1;
    for (const test of module.children.allTests()) {
      const { state, note } = test.result();
      if (state === "passed") counts.passed += 1;
      else if (state === "skipped" && note) counts.skipped.push(`${test.fullName}: ${note}`);
      else {
        counts.failed += 1;
        // A test that was skipped without a reason, or never ran, has shown nothing.
        if (state !== "failed") counts.unexplained.push(`${module.moduleId}: ${test.fullName}`);
      }
    }
  }
  return counts;
}
