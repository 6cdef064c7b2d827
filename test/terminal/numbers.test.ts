import { expect, it } from "vitest";
import catalog from "../../src/models/catalog.json" with { type: "json" };
import { lookUpCatalog } from "../../src/models/catalog.ts";
import {
  formatAge,
  formatBytes,
  formatPrice,
  formatTokenColumn,
  formatTokens,
} from "../../src/terminal/numbers.ts";

it.each([
  [512, "512"],
  [4096, "4.1K"],
  [32_000, "32K"],
  [32_768, "32.8K"],
  [128_000, "128K"],
  [131_072, "131.1K"],
  [200_000, "200K"],
  [204_608, "204.6K"],
  [1_000_000, "1M"],
  [1_048_576, "1M"],
  [3_500_000, "3.5M"],
])("writes %i tokens as %s", (tokens, text) => expect(formatTokens(tokens)).toBe(text));

const LIMITS = Object.keys(catalog.models).flatMap((id) => lookUpCatalog(id) ?? []);

it.each(["contextWindow", "maxTokens"] as const)(
  "writes each %s of the catalog with one unit, so that rows compare as the limits do",
  (kind) => {
    const column = [...new Set(LIMITS.flatMap((model) => model[kind] ?? []))].sort((one, two) => one - two);
    expect(column.length).toBeGreaterThan(5);
    const texts = column.map(formatTokenColumn(column));
    for (const text of texts) expect(text).toMatch(/^\d+K$/);
    const shown = texts.map(Number.parseFloat);
    expect(shown).toEqual([...shown].sort((one, two) => one - two));
    column.forEach((tokens, index) => {
      expect(Math.abs((shown[index] ?? 0) * 1000 - tokens)).toBeLessThanOrEqual(500);
    });
    // All that differ by a thousand or more look different.
    expect(new Set(shown).size).toBe(new Set(column.map((tokens) => Math.round(tokens / 1000))).size);
  },
);

it("writes a column to the token where one of it has fewer than a thousand", () => {
  const column = [512, 8192, 1_048_576];
  expect(column.map(formatTokenColumn(column))).toEqual(["512", "8,192", "1,048,576"]);
});

it.each([
  [0.035, "0.035"],
  [0.06, "0.06"],
  [3, "3"],
  [27.5, "27.5"],
])("writes a price of %f as %s", (price, text) => expect(formatPrice(price)).toBe(text));

it.each([
  [-5, "0 s"],
  [12_000, "12 s"],
  [240_000, "4 min"],
  [3 * 3_600_000, "3 h"],
  [3 * 86_400_000, "3 days"],
])("writes an age of %i ms as %s", (ms, text) => expect(formatAge(ms)).toBe(text));

it.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1000, "1 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [1_540_000, "1.5 MB"],
])("writes a size of %i bytes as %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
