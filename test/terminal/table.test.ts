import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Column, layoutTable } from "../../src/terminal/table.ts";

const columns: Column[] = [
  { title: "Key" },
  { title: "Name", dropOrder: 2 },
  { title: "Tokens", align: "right", dropOrder: 1 },
];
const rows = [
  ["alpha", "The first", "200K"],
  ["beta-longer", "Second", "4K"],
];

describe("layoutTable", () => {
  it("aligns text to the left and numbers to the right", () => {
    expect(layoutTable(columns, rows, 80)).toEqual([
      "Key          Name       Tokens",
      "alpha        The first    200K",
      "beta-longer  Second         4K",
    ]);
  });

  it("drops whole columns until the rest fits, in their order", () => {
    expect(layoutTable(columns, rows, 25)).toEqual([
      "Key          Tokens",
      "alpha          200K",
      "beta-longer      4K",
    ]);
    expect(layoutTable(columns, rows, 15)).toEqual(["Key", "alpha", "beta-longer"]);
  });

  it("shows a column only where those that are worth more are shown, too", () => {
    const wide = [{ title: "Key" }, { title: "Name", dropOrder: 1 }, { title: "N", dropOrder: 2 }];
    expect(layoutTable(wide, [["alpha", "a very long name", "1"]], 10)).toEqual(["Key", "alpha"]);
  });

  it("puts what has no column below its row, where that is said", () => {
    const tagged = [{ title: "Key" }, { title: "Tags", dropOrder: 1, isBelow: true }];
    const rows = [
      ["alpha", "old,new"],
      ["beta", ""],
    ];
    expect(layoutTable(tagged, rows, 14)).toEqual(["Key    Tags", "alpha  old,new", "beta"]);
    expect(layoutTable(tagged, rows, 13)).toEqual(["Key", "alpha", "    old,new", "beta"]);
  });

  it("puts cells that are never dropped below the first where they do not fit beside it", () => {
    const needed = [
      { title: "Key" },
      { title: "Source" },
      { title: "Value" },
      { title: "Note", dropOrder: 1 },
    ];
    expect(layoutTable(needed, [["alpha.beta", "file", "one two three", "no"]], 16)).toEqual([
      "alpha.beta",
      "  file  one two",
      "  three",
    ]);
  });

  it("says there what numbers count, and keeps both on one line", () => {
    const needed = [
      { title: "Key" },
      { title: "Req/min", align: "right" as const },
      { title: "Tok/day", align: "right" as const },
    ];
    expect(layoutTable(needed, [["alpha.beta", "200", "5 M"]], 24)).toEqual([
      "alpha.beta",
      "   Req/min 200",
      "   Tok/day 5 M",
    ]);
  });

  it("lets the last column go on below itself", () => {
    const wrapping = [{ title: "Key" }, { title: "Value", wraps: true }];
    expect(layoutTable(wrapping, [["alpha", "one two three four five six"]], 34)).toEqual([
      "Key    Value",
      "alpha  one two three four five six",
    ]);
    expect(layoutTable(wrapping, [["alpha", "one two three four five six"]], 32)).toEqual([
      "Key    Value",
      "alpha  one two three four five",
      "       six",
    ]);
  });

  it("takes as many rows as there are, and any width", () => {
    const many = Array.from({ length: 150_000 }, (_, index) => [`k${index}`, "a name", "1"]);
    expect(layoutTable(columns, many, 80)).toHaveLength(150_001);
    for (const width of [1, 2, 3, 20, Number.POSITIVE_INFINITY]) {
      expect(layoutTable(columns, [["日本語", "日本", "1"]], width).join("\n")).toContain("日本語");
    }
  });

  it("never cuts the key, however narrow the terminal", () => {
    expect(layoutTable(columns, rows, 3)).toContain("beta-longer");
  });

  it("leaves out a column in which nothing stands", () => {
    expect(layoutTable(columns, [["a", "", "1"]], 80)).toEqual(["Key  Tokens", "a         1"]);
  });

  it("gives a very long key a line of its own, so that it does not push the others out", () => {
    const arn = "a".repeat(90);
    expect(layoutTable(columns, [...rows, [arn, "Third", "1M"]], 40).slice(3)).toEqual([
      arn,
      "             Third          1M",
    ]);
  });

  it("does not count a cell's look for its width", () => {
    const loud = { text: "ab", look: (text: string) => `\u001B[1m${text}\u001B[22m` };
    expect(layoutTable(columns, [[loud, "x", "1"]], 80)[1]).toBe("\u001B[1mab\u001B[22m   x          1");
  });

  it("counts wide characters as two columns", () => {
    expect(
      layoutTable(
        [{ title: "K" }, { title: "N" }],
        [
          ["日本", "x"],
          ["ab", "y"],
        ],
        80,
      ),
    ).toEqual(["K     N", "日本  x", "ab    y"]);
  });
});

it("a cell is one line on a terminal, in which nothing acts, and what came in a pipe", () => {
  const columns = [{ title: "a" }, { title: "b" }];
  const rows = [["x\u001B[2Jy\tz", "one\nhint: two"]];
  expect(layoutTable(columns, rows, 80)).toEqual(["a         b", "x␛[2Jy z  one hint: two"]);
  expect(layoutTable(columns, rows, Number.POSITIVE_INFINITY)[1]).toBe("x\u001B[2Jy\tz  one\nhint: two");
});

function letterOf(index: number): string {
  return "abcdefg".charAt(index);
}

/** Columns of any kind, the first one never dropped, with rows whose cells tell where they stand. */
const tables = fc
  .record({
    kinds: fc.array(
      fc.record({
        title: fc.integer({ min: 1, max: 12 }),
        widths: fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 3, maxLength: 3 }),
        kind: fc.record({
          dropOrder: fc.integer({ min: 0, max: 9 }),
          least: fc.option(fc.integer({ min: 4, max: 30 }), { nil: undefined }),
          enough: fc.option(fc.integer({ min: 4, max: 60 }), { nil: undefined }),
          from: fc.option(fc.integer({ min: 1, max: 160 }), { nil: undefined }),
          isBelow: fc.boolean(),
        }),
      }),
      { minLength: 1, maxLength: 7 },
    ),
    keys: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 3, maxLength: 3 }),
  })
  .map(({ kinds, keys }) => {
    const columns: Column[] = [
      { title: "Key" },
      ...kinds.map(({ title, kind }, index): Column =>
        Object.assign(kind, { title: `${"T".repeat(title)}${index}` }),
      ),
    ];
    const rows = keys.map((width, row) => [
      `${"k".repeat(width)}${row}`,
      ...kinds.map(({ widths }, index) => letterOf(index).repeat(widths[row] ?? 0)),
    ]);
    return { columns, rows };
  });

it("has every column of a narrower terminal on a wider one, and cuts nothing shorter there", () => {
  fc.assert(
    fc.property(tables, ({ columns, rows }) => {
      let titles: string[] = [];
      let cells = new Map<string, number>();
      for (let width = 10; width <= 240; width++) {
        const lines = layoutTable(columns, rows, width);
        const isStacked = !/^Key\b/.test(lines[0] ?? "");
        const shown = isStacked ? [] : (lines[0] ?? "").split(/ +/);
        expect(shown, `${width}`).toEqual(expect.arrayContaining(titles));
        titles = shown;
        if (isStacked) continue;
        const lengths = new Map<string, number>();
        for (const letter of shown.slice(1).map((title) => letterOf(Number(title.at(-1)))))
          for (const [text] of lines.join("\n").matchAll(new RegExp(`${letter}+`, "g")))
            lengths.set(letter, Math.max(lengths.get(letter) ?? 0, text.length));
        for (const [letter, length] of cells)
          expect(lengths.get(letter) ?? 0, `${letter} at ${width}`).toBeGreaterThanOrEqual(length);
        cells = lengths;
      }
    }),
    { numRuns: 10 },
  );
});
