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
