import { expect, it } from "vitest";
import catalog from "../../src/models/catalog.json" with { type: "json" };
import { lookUpCatalog } from "../../src/models/catalog.ts";
import {
  formatAge,
  formatBytes,
  formatLimitColumn,
  formatPrice,
  formatPriceColumn,
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
  [999_949, "999.9K"],
  [999_999, "1M"],
  [1_000_000, "1M"],
  [1_048_576, "1M"],
  [3_500_000, "3.5M"],
])("writes %i tokens as %s", (tokens, text) => expect(formatTokens(tokens)).toBe(text));

const LIMITS = Object.keys(catalog.models).flatMap((id) => lookUpCatalog(id) ?? []);

it.each(["contextWindow", "maxTokens"] as const)(
  "writes each %s of the catalog to the thousand, so that rows compare as the limits do",
  (kind) => {
    const column = [...new Set(LIMITS.flatMap((model) => model[kind] ?? []))].sort((one, two) => one - two);
    expect(column.length).toBeGreaterThan(5);
    const texts = column.map(formatTokenColumn(column));
    for (const text of texts) expect(text).toMatch(/^(?:\d{1,3}K|\d+(?:\.\d{1,3})?M)$/);
    const shown = texts.map((text) => Math.round(Number.parseFloat(text) * (text.endsWith("M") ? 1000 : 1)));
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
  [[], 0, "0"],
  [[200, 1000], 1000, "1,000"],
  [[200_000, 800_000], 200_000, "200K"],
  [[200_000, 1_000_000], 200_000, "0.2M"],
  [[200_000, 1_000_000], 1_000_000, "1.0M"],
  [[0, 288_000_000, 576_000_000], 576_000_000, "576M"],
  [[0, 288_000_000], 0, "0M"],
])("writes the limits of one column, %j, with one unit: %i as %s", (column, limit, text) =>
  expect(formatLimitColumn(column)(limit)).toBe(text),
);

it("shows no price that is more than nothing as nothing, alone and in a column of one precision", () => {
  for (let power = -30; power <= 3; power++)
    for (let digit = 1; digit <= 9; digit++) {
      const price = digit * 10 ** power;
      for (const text of [formatPrice(price), formatPriceColumn([price, 3])(price)])
        expect(Number(text.replace("<", "")), text).toBeGreaterThan(0);
      const decimals = [price, 3, 0].map(
        (one) => formatPriceColumn([price, 3, 0])(one).split(".")[1]?.length,
      );
      expect(new Set(decimals).size).toBe(1);
    }
  expect(formatPrice(0)).toBe("0");
  expect([0.000_01, 3].map(formatPriceColumn([0.000_01, 3]))).toEqual(["<0.0001", "3.0000"]);
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
