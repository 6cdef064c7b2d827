import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { findDropped, findMentions, mention } from "../../../src/chat/interactive/file-mentions.ts";

const NAMES = [
  "note.txt",
  "a b.txt",
  "it's (1).png",
  "späß 日本.md",
  "100%.txt",
  'say "hi".txt',
  "back\\slash.txt",
];

const folder = mkdtempSync(path.join(tmpdir(), "openclaw-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(path.join(folder, "deep"));
for (const name of [...NAMES, "deep/inner.txt"]) writeFileSync(path.join(folder, name), "x");
const folders = { homeFolder: folder, currentFolder: folder };

describe("what a text names with @", () => {
  it.each([
    ["@note.txt", ["note.txt"]],
    ["see (@note.txt), or @deep/inner.txt!", ["note.txt", "deep/inner.txt"]],
    ["@\"a b.txt\" and @'a b.txt' and @a\\ b.txt", ["a b.txt"]],
    ["@./note.txt: what?", ["./note.txt"]],
    ["first\n@note.txt\nlast", ["note.txt"]],
    ["@~/note.txt", [path.join(folder, "note.txt")]],
    [`@${folder}/note.txt.`, [path.join(folder, "note.txt")]],
    ["sum up @s3://bucket/report.pdf.", ["s3://bucket/report.pdf"]],
    [
      "@s3://b-1/a\\ b.mp4?owner=123456789012, @note.txt and @S3://bucket",
      ["s3://b-1/a b.mp4?owner=123456789012", "note.txt", "S3://bucket"],
    ],
    ["me@note.txt x@note.txt", []],
    ["@ note.txt @@ @", []],
  ])("%j: %j", async (text, files) => {
    expect(await findMentions(text, folders)).toEqual({ files, missing: [], folders: [] });
  });

  it.each([
    "@ada",
    "@types/node",
    "@Component({})",
    "@media (min-width: 1px)",
    "@app.route('/x')",
    "@v1.2.3",
  ])("%j is no file, and nobody is told", async (text) => {
    expect(await findMentions(text, folders)).toEqual({ files: [], missing: [], folders: [] });
  });

  it("tells what looks like a file and is none", async () => {
    const text = "@nope.pdf, @./nope @~/nope and @deep";
    expect(await findMentions(text, folders)).toEqual({
      files: [],
      missing: ["nope.pdf", "./nope", path.join(folder, "nope")],
      folders: ["deep"],
    });
  });
});

describe("what is dropped", () => {
  const spellings: Record<string, (file: string) => string> = {
    plain: (file) => file,
    "in single quotes": (file) => `'${file.replaceAll("'", String.raw`'\''`)}'`,
    "in double quotes": (file) => `"${file.replaceAll(/["\\$`]/g, String.raw`\$&`)}"`,
    "with backslashes": (file) => file.replaceAll(/[^\p{L}\p{N}./_-]/gu, String.raw`\$&`),
    "as an address": (file) => `file://${file.split("/").map(encodeURIComponent).join("/")}`,
    "as an address of this machine": (file) =>
      `file://localhost${file.split("/").map(encodeURIComponent).join("/")}`,
  };

  for (const [name, spell] of Object.entries(spellings)) {
    it.each(NAMES)(`%j is found ${name}, and named so that it is found again`, async (file) => {
      const whole = path.join(folder, file);
      expect(await findDropped(`${spell(whole)}\n`, folders)).toEqual([whole]);
      expect(mention(whole, folders)).not.toContain(folder);
      expect((await findMentions(`see ${mention(whole, folders)}, please`, folders)).files).toEqual([file]);
    });
  }

  it("may be several at once", async () => {
    const files = ["note.txt", "it's (1).png", "a b.txt"].map((name) => path.join(folder, name));
    for (const spell of ["in single quotes", "with backslashes", "as an address"]) {
      const pasted = files.map((file) => spellings[spell]?.(file)).join(" ");
      expect(await findDropped(pasted, folders)).toEqual(files);
    }
  });

  it.each([
    "note.txt",
    "",
    " ",
    "/",
    `${folder}`,
    `${folder}/nowhere.txt`,
    `look at ${folder}/note.txt`,
    "file://%zz",
  ])("%j is a text", async (pasted) => {
    expect(await findDropped(pasted, folders)).toBeUndefined();
  });

  it("never fails, whatever is pasted", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
        expect(await findDropped(text, folders)).toBeUndefined();
        expect((await findMentions(text, folders)).files).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
