import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { runTests } from "../../scripts/run-tests.js";
import { root } from "../helpers/documents.ts";
import { createHome } from "../helpers/openclaw.ts";

/** A folder with these files of tests. `isFirstTime(name)` is true the first time that any of them asks for it. */
function project(files: Record<string, string>): string {
  const folder = createHome();
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(path.join(root, "node_modules", "vitest"), path.join(folder, "node_modules", "vitest"));
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(
    path.join(folder, "vitest.config.js"),
    'export default { test: { pool: "threads", isolate: false } };',
  );
  const head = [
    'import { existsSync, writeFileSync } from "node:fs";',
    'import { beforeAll, describe, expect, test } from "vitest";',
    "const isFirstTime = (name) => {",
    `  const marker = ${JSON.stringify(folder)} + "/" + name;`,
    "  return !existsSync(marker) && (writeFileSync(marker, ''), true);",
    "};",
    "",
  ].join("\n");
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), head + text);
  return folder;
}

test("tries few files that failed once more, and tells chance from failure", async () => {
  const folder = project({
    "good.test.js": 'test("is fine", () => {});',
    "bad.test.js":
      'test("always fails", () => expect(1).toBe(2)); test("is fine there", () => {}); test.skip("says not why");',
    "chance.test.js":
      'test("fails once", () => expect(isFirstTime("a")).toBe(false)); test("explains", (context) => context.skip("no network"));',
    "unloadable.test.js": 'if (isFirstTime("b")) throw new Error("busy"); test("loads then", () => {});',
    "hook.test.js":
      'describe("suite", () => { beforeAll(() => { if (isFirstTime("c")) throw new Error("port is taken"); }); test("waits", () => {}); });',
    "turns.test.js":
      'const hasPassed = isFirstTime("d"); test("passes once", () => expect(hasPassed).toBe(true)); test("fails first", () => expect(isFirstTime("e")).toBe(false));',
    "renamed.test.js":
      "test(`has a name of ${isFirstTime('f')}`, () => expect(isFirstTime('g')).toBe(false));",
    "late.test.js":
      'test("leaves an error", async () => { if (isFirstTime("h")) Promise.reject(new Error("nobody waits")); });',
  });
  const outcome = await runTests({ folder });
  expect(outcome).toMatchObject({
    // is fine, is fine there, fails once, loads then, waits, fails first, has a name of false, leaves an error
    passed: 8,
    // always fails, says not why, passes once, has a name of true
    failed: 4,
    skipped: ["explains: no network"],
    unexplained: [`${path.join(folder, "bad.test.js")}: says not why`],
  });
  expect(outcome.passedAlone.toSorted()).toEqual([
    "chance.test.js: fails once",
    "hook.test.js: suite",
    "hook.test.js: suite > waits",
    "late.test.js: an error outside the tests",
    "turns.test.js: fails first",
    "unloadable.test.js: the file",
  ]);
  expect(outcome.output).toContain("port is taken");
});

test("takes many files that failed for no chance", async () => {
  const text = 'test("fails once", () => expect(isFirstTime("mark-FILE")).toBe(false));';
  const names = Array.from({ length: 11 }, (_, index) => `file-${index}.test.js`);
  const folder = project(Object.fromEntries(names.map((name) => [name, text.replace("FILE", name)])));
  expect(await runTests({ folder })).toMatchObject({ passed: 0, failed: 11, passedAlone: [] });
});

test("counts a run that ends without its results as one failure", async () => {
  const folder = project({ "good.test.js": 'test("is fine", () => {});' });
  writeFileSync(path.join(folder, "vitest.config.js"), "throw new Error('no configuration');");
  expect(await runTests({ folder })).toMatchObject({ passed: 0, failed: 1 });
});
