import * as fc from "fast-check";
import { expect, test } from "vitest";
import { diffTexts } from "../../src/config/text-diff.ts";

test("shows three lines around each change, and each change once", () => {
  const before = "a b c d e f g h i j k l m n".replaceAll(" ", "\n");
  expect(diffTexts(`${before}\n`, `${before.replace("b", "B").replace("m", "m\nM")}\n`)).toEqual([
    "@@ -1,5 +1,5 @@",
    " a",
    "-b",
    "+B",
    " c",
    " d",
    " e",
    "@@ -11,4 +11,5 @@",
    " k",
    " l",
    " m",
    "+M",
    " n",
  ]);
});

test("of a new file has only additions", () => {
  expect(diffTexts("", "a\nb\n")).toEqual(["@@ -0,0 +1,2 @@", "+a", "+b"]);
});

test("of equal texts is empty", () => {
  expect(diffTexts("a\n", "a\n")).toEqual([]);
});

test("prints what it is told to in place of what it compares", () => {
  expect(diffTexts("k: 1", "k: 2", { before: "k: *", after: "k: *" })).toEqual([
    "@@ -1,1 +1,1 @@",
    "-k: *",
    "+k: *",
  ]);
});

/** What `patch` does: replaces the lines of each hunk. Fails where a hunk does not fit. */
function applyDiff(before: readonly string[], diff: readonly string[]): string[] {
  const after: string[] = [];
  let at = 0;
  for (const line of diff) {
    const hunk = /^@@ -(\d+),(\d+)/.exec(line);
    if (hunk) {
      const start = Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1);
      after.push(...before.slice(at, start));
      at = start;
    } else if (line.startsWith("+")) after.push(line.slice(1));
    else {
      expect(before[at]).toBe(line.slice(1));
      if (line.startsWith(" ")) after.push(line.slice(1));
      at += 1;
    }
  }
  return [...after, ...before.slice(at)];
}

const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 });

test("applied to the old text gives the new one", () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const text = (items: readonly string[]): string => items.map((item) => `${item}\n`).join("");
      expect(applyDiff(before, diffTexts(text(before), text(after)))).toEqual(after);
    }),
  );
});
