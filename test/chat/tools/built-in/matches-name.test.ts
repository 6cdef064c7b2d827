import { describe, expect, test } from "vitest";
import { nameMatcher } from "../../../../src/chat/tools/built-in/matches-name.ts";

describe("a pattern of files' names", () => {
  test.each([
    ["*.ts", "a.ts", true],
    ["*.ts", "src/deep/a.ts", true],
    ["*.ts", "a.tsx", false],
    ["main", "src/main", true],
    ["src/*.ts", "src/a.ts", true],
    ["src/*.ts", "src/deep/a.ts", false],
    ["src/**/*.ts", "src/a.ts", true],
    ["src/**/*.ts", "src/deep/er/a.ts", true],
    ["**/*.ts", "a.ts", true],
    ["**/deep/**", "src/deep/er/a.ts", true],
    ["**/deep/**", "src/shallow/a.ts", false],
    ["/src/*", "src/a.ts", true],
    ["./src/*", "src/a.ts", true],
    ["*.{js,ts}", "src/a.js", true],
    ["*.{js,ts}", "src/a.css", false],
    ["{src,test}/{a,b}.ts", "test/b.ts", true],
    ["{a,{b,c}}", "c", true],
    ["{a}", "{a}", true],
    ["a.b", "axb", false],
    ["**", "any/thing", true],
  ])("'%s' for '%s': %s", (pattern, name, fits) => {
    expect(nameMatcher(pattern)(name)).toBe(fits);
  });

  test("takes no longer for one that is meant to", () => {
    const began = performance.now();
    expect(nameMatcher("*a".repeat(400))(`${"a".repeat(4000)}b`)).toBe(false);
    expect(nameMatcher(`${"**/".repeat(200)}x`)(`${"a/".repeat(400)}b`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test.each(["{a,b}".repeat(7), "x".repeat(1001)])("refuses one for too many names", (pattern) => {
    expect(() => nameMatcher(pattern)).toThrow(/'pattern'/);
  });
});
