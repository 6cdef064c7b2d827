import headless from "@xterm/headless";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layOut } from "../../../src/chat/interactive/screen-layout.ts";

describe("the layout", () => {
  it.each<[string, string, number, string[], [number, number]]>([
    ["an empty text", "|", 10, ["> "], [0, 2]],
    ["a line", "ab|c", 10, ["> abc"], [0, 4]],
    ["two lines", "ab\nc|", 10, ["> ab", "  c"], [1, 3]],
    ["a line that is too long", "abcdefghij|kl", 8, ["> abcdef", "ghijkl"], [1, 4]],
    ["a line that is full, with the cursor behind it", "abcdef|", 8, ["> abcdef", ""], [1, 0]],
    ["wide characters that do not fit", "abcde日|", 8, ["> abcde", "日"], [1, 2]],
    ["tabs", "\ta|", 10, [">     a"], [0, 7]],
    ["what a terminal would obey", "\u001B[2J|", 20, ["> ␛[2J"], [0, 6]],
  ])("of %s", (_, marked, columns, rows, [row, column]) => {
    const layout = layOut(marked.replace("|", ""), marked.indexOf("|"), "> ", columns);
    expect(layout.rows.map(({ text }) => text)).toEqual(rows);
    expect([layout.row, layout.column]).toEqual([row, column]);
  });

  it("is the same for plain lines, which are laid out at once, and others", () => {
    const text = fc
      .array(fc.constantFrom("a", "bc ", "\n"), { maxLength: 60 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.nat(80), fc.integer({ min: 4, max: 30 }), (typed, place, columns) => {
        const cursor = Math.min(place, typed.length);
        const plain = layOut(typed, cursor, "> ", columns);
        // A character of the same width, which only the slow way knows.
        const other = layOut(typed.replaceAll("a", "é"), cursor, "> ", columns);
        expect({ ...plain, rows: plain.rows.map(({ text: line }) => line) }).toEqual({
          ...other,
          rows: other.rows.map(({ text: line }) => line.replaceAll("é", "a")),
        });
      }),
    );
  });

  it("is what a terminal makes of it", async () => {
    const text = fc
      .array(fc.constantFrom("a", "word ", "日", "é", "\n"), { maxLength: 60 })
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 6, max: 30 }), async (typed, columns) => {
        const { rows, row, column } = layOut(typed, typed.length, "> ", columns);
        const terminal = new headless.Terminal({ cols: columns, rows: 80, allowProposedApi: true });
        const lines = rows.map(({ text: line, isFull }) => (isFull ? line : `${line}\r\n`)).join("");
        await new Promise<void>((resolve) => terminal.write(lines, resolve));
        const shown = rows.map((_, y) =>
          terminal.buffer.active.getLine(y)?.translateToString(true).trimEnd(),
        );
        expect(shown).toEqual(rows.map(({ text: line }) => line.trimEnd()));
        expect(row).toBeLessThan(rows.length);
        expect(column).toBeLessThanOrEqual(columns);
      }),
      { numRuns: 60 },
    );
  });
});
