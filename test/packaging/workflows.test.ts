import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { root } from "../helpers/documents.ts";

const folder = path.join(root, ".github", "workflows");
const workflows = readdirSync(folder).map(
  (name) => [name, readFileSync(path.join(folder, name), "utf8")] as const,
);

/** The lines of each job, by its name. */
function jobsOf(text: string): Record<string, string> {
  const [, ...pieces] = text.slice(text.indexOf("\njobs:\n") + 6).split(/^ {2}(?=[a-z][\w-]*:$)/m);
  return Object.fromEntries(pieces.map((piece) => [piece.slice(0, piece.indexOf(":")), piece]));
}

describe.each(workflows)("%s", (_, text) => {
  test("runs actions of others by their digest", () => {
    const uses = [...text.matchAll(/uses: (.*)/g)].map(([, what = ""]) => what);
    expect(uses.length).toBeGreaterThan(0);
    for (const what of uses) expect(what).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("may do nothing but what a job says, and keeps no credentials in the clone", () => {
    expect(text).toMatch(/^permissions: \{\}$/m);
    for (const job of Object.values(jobsOf(text))) {
      expect(job).toMatch(/^ {4}permissions:\n {6}[\w-]+: (?:read|write)\n {4}\w/m);
      expect(job).toMatch(/^ {4}timeout-minutes: \d+$/m);
    }
    const clones = text.match(/actions\/checkout@/g)?.length ?? 0;
    expect(text.match(/persist-credentials: false/g) ?? []).toHaveLength(clones);
  });

  test("puts no text from outside into a command", () => {
    for (const [, command = ""] of text.matchAll(/run: (.*)/g))
      expect(command).not.toMatch(/\$\{\{(?! *matrix\.)/);
  });
});

test("a release is published by a job that runs no code but npm's", () => {
  const jobs = jobsOf(readFileSync(path.join(folder, "release.yml"), "utf8"));
  expect(Object.keys(jobs)).toEqual(["build", "publish", "release"]);
  const mayWrite = Object.keys(jobs).filter((name) => /: write$/m.test(jobs[name] ?? ""));
  expect(mayWrite).toEqual(["publish", "release"]);
  for (const name of mayWrite) expect(jobs[name]).not.toMatch(/checkout|npm (?:ci|test|run|install)|node /);
  expect(jobs["build"]).toMatch(/npm test\n[^]*npm run audit\n[^]*npm pack/);
  expect(jobs["publish"]).toMatch(/needs: build\n[^]*id-token: write\n[^]*npm publish .*--provenance/);
  expect(jobs["release"]).toContain("needs: publish");
});

test("the package is published for everybody, with its provenance", () => {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as object;
  expect(manifest).toMatchObject({
    publishConfig: { access: "public", provenance: true },
    // npm compares it with where the workflow runs.
    repository: { url: "git+https://github.com/openclaw/openclaw.git" },
  });
});

describe("the notes of a release", () => {
  function notes(tag: string, changelog: string) {
    const clone = mkdtempSync(path.join(tmpdir(), "openclaw-release-"));
    onTestFinished(() => rmSync(clone, { recursive: true, force: true }));
    mkdirSync(path.join(clone, "scripts"));
    for (const name of ["release-notes.js", "set-up.js"])
      cpSync(path.join(root, "scripts", name), path.join(clone, "scripts", name));
    symlinkSync(path.join(root, "node_modules"), path.join(clone, "node_modules"));
    writeFileSync(path.join(clone, "package.json"), '{ "type": "module", "version": "1.2.0" }');
    writeFileSync(path.join(clone, "CHANGELOG.md"), changelog);
    const script = path.join(clone, "scripts", "release-notes.js");
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, tag], { encoding: "utf8" });
    return { status, stdout, stderr };
  }

  test("are the changelog's entry of its version", () => {
    const changelog = "# Changelog\n\n## 1.2.1\n\n* c\n\n## 1.2.0\n\n* a\n\n    ## b\n\n## 1.1.0\n\n* d\n";
    expect(notes("v1.2.0", changelog)).toEqual({ status: 0, stdout: "* a\n\n    ## b\n", stderr: "" });
  });

  test.each([
    ["a tag of another version", "v1.2.1", "## 1.2.0\n\n* a\n", "the tag of this commit is v1.2.0"],
    ["a tag without its v", "1.2.0", "## 1.2.0\n\n* a\n", "the tag of this commit is v1.2.0"],
    ["a version that the changelog does not have", "v1.2.0", "## 1.1.0\n\n* a\n", "says nothing of 1.2.0"],
    ["an entry that is empty", "v1.2.0", "## 1.2.0\n\n## 1.1.0\n\n* a\n", "says nothing of 1.2.0"],
  ])("fail for %s", (_, tag, changelog, message) => {
    const { status, stdout, stderr } = notes(tag, changelog);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain(message);
  });
});
