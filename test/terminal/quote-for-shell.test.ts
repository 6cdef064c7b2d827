import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isShownWhole } from "../../src/terminal/neutralise.ts";
import { quoteForShell } from "../../src/terminal/quote-for-shell.ts";

describe("quoteForShell", () => {
  it.each([
    ["dev", "dev"],
    ["~/a-b.json", "~/a-b.json"],
    ["", "''"],
    ["my prof", "'my prof'"],
    ["it's", `'it'\\''s'`],
    ["$(id)", "'$(id)'"],
    ["日本 é", "'日本 é'"],
    ["a\nb", String.raw`$'a\x0ab'`],
    ["it's\u001B[2J\\", String.raw`$'it\'s\x1b[2J\\'`],
    ["a\u202Eb\u009B", String.raw`$'a\xe2\x80\xaeb\xc2\x9b'`],
  ])("writes %j as %s", (word, quoted) => {
    expect(quoteForShell(word)).toBe(quoted);
  });

  it("writes words that bash reads back, and that show whole", () => {
    const words = fc
      .sample(fc.string({ unit: "binary", maxLength: 40 }), 300)
      .map((word) => word.replaceAll("\0", ""));
    const quoted = words.map(quoteForShell);
    expect(quoted.filter((word) => !isShownWhole(word))).toEqual([]);
    const tilde = words.filter((word) => !word.startsWith("~"));
    const script = `printf '%s\\0' ${tilde.map(quoteForShell).join(" ")}`;
    const read = execFileSync("bash", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
    expect(read).toEqual(tilde);
  });
});
