import { describe, expect, it } from "vitest";
import { isUnfinished, unwrapBlock, withoutContinuation } from "../../../src/chat/interactive/block.ts";

describe("a text of several lines", () => {
  it.each([
    ["hello", false],
    ["", false],
    ['"""', true],
    ['"""\n', true],
    ['"""first line', true],
    ['"""\na\nb\n"""', false],
    ['"""one"""', false],
    ['  """\na', true],
    ['a """', false],
    ["one \\", true],
    ["one \\\\", false],
    ["one \\\\\\", true],
  ])("%j goes on: %s", (text, goesOn) => {
    expect(isUnfinished(text)).toBe(goesOn);
  });

  it.each([
    ['"""\na\n\nb\n"""', "a\n\nb"],
    ['"""one"""', "one"],
    ['"""  a"""  ', "  a"],
    ['""""""', ""],
    ["plain", "plain"],
    ['say """', 'say """'],
  ])("%j means %j", (text, meant) => {
    expect(unwrapBlock(text)).toBe(meant);
  });

  it("takes only the backslash that stands for a line end", () => {
    expect(withoutContinuation("a\\")).toBe("a");
    expect(withoutContinuation("a\\\\")).toBe("a\\\\");
  });
});
