import { array, assert, double, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { compareFigures, quantile, toFigure } from "../../scripts/bench/figures.js";

describe("a quantile", () => {
  it.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 2, 3], 0.5, 2.5],
    [[5, 1, 2, 3, 4], 0.25, 2],
    [[1, 2], 0.75, 1.75],
    [[7], 0.25, 7],
    [[1, 2, 3], 1, 3],
    [[1, 2, 3], 0, 1],
  ])("of %j at %f is %f", (values, share, expected) => {
    expect(quantile(values, share)).toBeCloseTo(expected);
  });
});

describe("a figure", () => {
  it("is the ratio of the medians, with the middle half of the ratios of runs that took turns", () => {
    expect(toFigure([10, 20, 30, 40, 50], [10, 10, 10, 10, 10])).toEqual({ ratio: 3, low: 2, high: 4 });
  });

  it("stays what it is when the machine is slower for both", () => {
    const drift = [1, 1.5, 2, 3, 5];
    const own = drift.map((slowness) => slowness * 120);
    const other = drift.map((slowness) => slowness * 100);
    expect(toFigure(own, other)).toEqual({ ratio: 1.2, low: 1.2, high: 1.2 });
  });
});

describe("what became slower", () => {
  const before = { row: { ratio: 1.2, low: 1.15, high: 1.25 } };
  const named = (row: { ratio: number; low: number; high: number }) =>
    compareFigures({ row }, before).slower.map(({ name }) => name);

  it.each([
    ["the same", { ratio: 1.2, low: 1.15, high: 1.25 }, []],
    ["slower within the spread", { ratio: 1.26, low: 1.22, high: 1.3 }, []],
    ["at the edge of the spread", { ratio: 1.3, low: 1.25, high: 1.35 }, []],
    ["slower by more than the spread", { ratio: 1.31, low: 1.26, high: 1.36 }, ["row"]],
    ["slower, and so noisy that nothing is known", { ratio: 1.6, low: 1.1, high: 2 }, []],
    ["faster", { ratio: 1, low: 0.98, high: 1.02 }, []],
  ])("%s", (_, row, expected) => {
    expect(named(row)).toEqual(expected);
  });

  it("is asked of the names that both have, and says how many those are", () => {
    const row = { ratio: 9, low: 9, high: 9 };
    expect(compareFigures({ other: row }, before)).toEqual({ slower: [], compared: 0 });
    expect(compareFigures({ other: row, ...before }, before)).toEqual({ slower: [], compared: 1 });
  });

  it("names every row that takes twice as long as its slowest run did, and none that was measured again", () => {
    const times = array(double({ min: 1, max: 1000, noNaN: true }), { minLength: 5, maxLength: 30 });
    assert(
      property(times, (own) => {
        const other = own.map(() => 100);
        const figures = { row: toFigure(own, other) };
        expect(compareFigures(figures, figures).slower).toEqual([]);
        const slow = own.map(() => Math.max(...own) * 2);
        expect(compareFigures({ row: toFigure(slow, other) }, figures).slower).toHaveLength(1);
      }),
    );
  });
});
