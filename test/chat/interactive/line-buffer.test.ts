import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  editLine,
  EMPTY_BUFFER,
  type LineBuffer,
  moveLine,
  type Key,
} from "../../../src/chat/interactive/line-buffer.ts";

const key = (name: string, more: Partial<Key> = {}): Key => ({
  name,
  text: `\u001B${name}`,
  ctrl: false,
  meta: false,
  ...more,
});
const ctrl = (name: string): Key => key(name, { ctrl: true, text: "\u0001" });
const meta = (name: string): Key => key(name, { meta: true });
const char = (text: string): Key => ({ name: undefined, text, ctrl: false, meta: false });

const paste = (text: string): Key => ({ name: "paste", text, ctrl: false, meta: false });

/** A buffer with its cursor at the bar. */
function at(marked: string): LineBuffer {
  return { ...EMPTY_BUFFER, text: marked.replace("|", ""), cursor: marked.indexOf("|") };
}

function marked({ text, cursor }: LineBuffer): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

describe("editing", () => {
  it.each<[string, Key, string]>([
    ["a|c", char("b"), "ab|c"],
    ["|", char("日"), "日|"],
    ["a|b", paste("x\ny"), "ax\ny|b"],
    ["ab|", key("left"), "a|b"],
    ["a👩‍👧|b", key("left"), "a|👩‍👧b"],
    ["a|é", key("right"), "aé|"],
    ["ab|", key("right"), "ab|"],
    ["|ab", key("left"), "|ab"],
    ["a\n|b", key("left"), "a|\nb"],
    ["a|\nb", key("right"), "a\n|b"],
    ["one two|", ctrl("left"), "one |two"],
    ["one |two", meta("b"), "|one two"],
    ["|one two", meta("f"), "one| two"],
    ["one| two", ctrl("right"), "one two|"],
    ["a\nb|c", key("home"), "a\n|bc"],
    ["a\n|bc\nd", key("end"), "a\nbc|\nd"],
    ["ab|c", ctrl("a"), "|abc"],
    ["a|bc", ctrl("e"), "abc|"],
    ["ab|", ctrl("b"), "a|b"],
    ["|ab", ctrl("f"), "a|b"],
    ["a👩‍👧|", key("backspace"), "a|"],
    ["a\n|b", key("backspace"), "a|b"],
    ["|a", key("backspace"), "|a"],
    ["ab|", ctrl("h"), "a|"],
    ["|ab", key("delete"), "|b"],
    ["|ab", ctrl("d"), "|b"],
    ["one two|", meta("backspace"), "one |"],
    ["one |two", meta("d"), "one |"],
    ["a-b c-d|", ctrl("w"), "a-b |"],
    ["a|bc\nd", ctrl("k"), "a|\nd"],
    ["a|\nb", ctrl("k"), "a|b"],
    ["a\nbc|d", ctrl("u"), "a\n|d"],
    ["a|b", meta("return"), "a\n|b"],
  ])("%s", (before, pressed, after) => {
    const edited = editLine(at(before), pressed);
    expect(edited && marked(edited)).toBe(after);
  });

  it("puts back what was cut", () => {
    const cut = editLine(at("one two|"), ctrl("w"))!;
    expect(marked(editLine(editLine(cut, ctrl("a"))!, ctrl("y"))!)).toBe("two|one ");
  });

  it.each([key("return"), key("up"), key("escape"), ctrl("c"), key("f5"), meta("x")])(
    "leaves %j to others",
    (pressed) => {
      expect(editLine(at("a|"), pressed)).toBeUndefined();
    },
  );

  it.each<[string, -1 | 1, string | undefined]>([
    ["abc\nde|f", -1, "ab|c\ndef"],
    ["ab|c\ndef", 1, "abc\nde|f"],
    ["a\nbcd|", -1, "a|\nbcd"],
    ["日本|\nabc", 1, "日本\nab|c"],
    ["a|", -1, undefined],
    ["a|", 1, undefined],
    ["a\n|", -1, "|a\n"],
    ["|\n", 1, "\n|"],
  ])("%s goes by %i lines", (before, direction, after) => {
    const moved = moveLine(at(before), direction);
    expect(moved && marked(moved)).toBe(after);
  });

  it("never leaves the text, or a character in two, whatever is pressed", () => {
    const names = ["left", "right", "home", "end", "backspace", "delete"];
    const pressed = fc.oneof(
      fc
        .constantFrom(...names, ..."abefhdkuwy")
        .chain((name) =>
          fc.record({ ctrl: fc.boolean(), meta: fc.boolean() }).map((more) => key(name, more)),
        ),
      fc.constantFrom("x", "é", "👩‍👧", "日", "\n").map(paste),
    );
    fc.assert(
      fc.property(fc.array(pressed, { maxLength: 40 }), (keys) => {
        let buffer = EMPTY_BUFFER;
        for (const each of keys) buffer = editLine(buffer, each) ?? buffer;
        expect(buffer.cursor).toBeGreaterThanOrEqual(0);
        expect(buffer.cursor).toBeLessThanOrEqual(buffer.text.length);
        expect(buffer.text.slice(0, buffer.cursor)).not.toMatch(/[\uD800-\uDBFF]$|\u200D$/);
      }),
    );
  });
});
