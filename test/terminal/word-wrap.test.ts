import * as fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { styleFor } from "../../src/terminal/color.ts";
import { WordWrap, WrappedText, wrapText } from "../../src/terminal/word-wrap.ts";

const { bold } = styleFor(1);

function wrap(pieces: readonly string[], columns: number): string {
  const words = new WordWrap(columns);
  return pieces.map((piece) => words.push(piece)).join("") + words.end();
}

describe("the word wrap", () => {
  it.each([
    ["between words", "one two three", "one two\nthree"],
    ["with two spaces", "one  two", "one  two"],
    ["never within a word", "extraordinarily so", "extraordinarily\nso"],
    [
      "with styles, which have no width",
      `${bold("one")} ${bold("two")} x`,
      `${bold("one")} ${bold("two")}\nx`,
    ],
    ["by characters where there are no spaces", "日本語日本語", "日本語日\n本語"],
    ["with punctuation at its character", "日本語日。本", "日本語\n日。本"],
  ])("breaks a line of eight columns %s", (_, text, shown) => {
    expect(wrap([text], 8)).toBe(shown);
  });

  it("indents the further rows", () => {
    const words = new WordWrap(8);
    expect(words.begin("• ", "  ") + words.push("one two three") + words.end()).toBe("• one\n  two\n  three");
    expect(words.push("one two three") + words.end()).toBe("one two\nthree");
  });

  it("goes on from line to line", () => {
    const text = new WrappedText(8);
    expect(text.push("one two three\n\n  fo") + text.push("ur five\nsix") + text.end()).toBe(
      "one two\nthree\n\n  four\nfive\nsix",
    );
  });

  const pieces = fc.array(
    fc.constantFrom("a", "word", " ", "  ", bold("b"), bold("c d"), "日", "é", ".", "👩‍👧"),
  );

  it("breaks at the same places wherever the text is cut, and never over the edge", () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 4, max: 20 }), (parts, columns) => {
        const shown = wrap(parts, columns);
        expect(shown).toBe(wrap([parts.join("")], columns));
        for (const line of shown.split("\n")) {
          expect(stringWidth(line) <= columns || !/\S\s+\S/.test(line.trim())).toBe(true);
        }
      }),
    );
  });

  it("loses nothing but the spaces at breaks and at the end", () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 4, max: 20 }), (parts, columns) => {
        expect(wrap(parts, columns).replaceAll(/\s+/g, "")).toBe(parts.join("").replaceAll(/\s+/g, ""));
      }),
    );
  });
});

describe("wrapping a text", () => {
  it.each([
    ["one two three", 8, ["one two", "three"]],
    ["one two three", Number.POSITIVE_INFINITY, ["one two three"]],
    ["a-word-that-is-too-long for it", 6, ["a-word-that-is-too-long", "for it"]],
    ["", 10, [""]],
    ["日本 日本 日本", 9, ["日本 日本", "日本"]],
  ])("%j at %d columns", (text, width, lines) => expect(wrapText(text, width)).toEqual(lines));

  it("loses nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/)),
        fc.integer({ min: 1, max: 40 }),
        (words, width) => {
          const text = words.join(" ");
          expect(wrapText(text, width).join(" ")).toBe(text);
        },
      ),
    );
  });
});
