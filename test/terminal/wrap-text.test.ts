import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wrapText } from "../../src/terminal/wrap-text.ts";

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
