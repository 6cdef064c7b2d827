import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { callLine, resultLine } from "../../../src/chat/tools/describe-call.ts";
import { textResult, type ToolResult, type ToolSource } from "../../../src/chat/tools/tool.ts";
import { plainStyle, styleFor } from "../../../src/terminal/color.ts";
import { neutraliseStyled } from "../../../src/terminal/neutralise.ts";

const BUILT_IN: ToolSource = { kind: "built-in" };
const call = (name: string, input: Record<string, unknown>) => ({ toolUseId: "t1", name, input });
const wide = { columns: 80, style: plainStyle };

describe("a call", () => {
  it.each<[string, string, Record<string, unknown>, ToolSource | undefined]>([
    ["• read-file notes.txt", "read-file", { path: "notes.txt" }, BUILT_IN],
    ["• shell ls -l | wc", "shell", { command: "ls -l |\n   wc" }, BUILT_IN],
    ["• search-files pattern: TODO, path: src", "search-files", { pattern: "TODO", path: "src" }, BUILT_IN],
    ["• add n: 3", "add", { n: 3 }, { kind: "command", command: ["add"] }],
    ['• add values: [1,{"a":null}]', "add", { values: [1, { a: null }] }, undefined],
    ["• clock", "clock", {}, BUILT_IN],
    [
      "• files__read /tmp/x",
      "files__read",
      { p: "/tmp/x" },
      { kind: "server", server: "files", tool: "read" },
    ],
    [
      "• files__re_d (re d of files) /tmp/x",
      "files__re_d",
      { p: "/tmp/x" },
      { kind: "server", server: "files", tool: "re d" },
    ],
    ["• shell ␛[2J␇rm -rf", "shell", { command: "\u001B[2J\u0007\u202Erm\t-rf" }, BUILT_IN],
  ])("is told as %s", (line, name, input, source) => {
    expect(callLine(call(name, input), source, wide)).toBe(line);
  });
});

it.each<[string, unknown]>([
  ['• add {"n": 1', '{"n": 1'],
  ["• add null", null],
  ["• add [1,2]", [1, 2]],
  ["• add", undefined],
])("a call whose input is no object is told as %s", (line, input) => {
  expect(callLine(call("add", input as Record<string, unknown>), BUILT_IN, wide)).toBe(line);
});

describe("a result", () => {
  const image: ToolResult = {
    content: [{ text: "see" }, { image: { format: "png", source: { bytes: new Uint8Array(2000) } } }],
    isError: false,
  };
  it.each<[string, ToolResult, number]>([
    ["  └ 0.01 s: 21 °C", textResult("21 °C\n"), 12],
    ["  └ 3 lines, 11 bytes, 12.3 s: one", textResult("one\ntwo\n333"), 12_345],
    ["  └ error, 0.50 s: no such file", textResult("no such file", true), 500],
    ["  └ stopped, 2.00 s", textResult("The call was stopped by the person.", true), 2000],
    ["  └ png image of 2 kB, 0.00 s: see", image, 1],
    ['  └ 0.00 s: {"a":[1]}', { content: [{ json: { a: [1] } }], isError: false }, 1],
    ["  └ 0.00 s", { content: [], isError: false }, 1],
    ["  └ 0.00 s: ␛[31mred", textResult("\u001B[31mred"), 1],
  ])("is told as %s", (line, result, durationMs) => {
    expect(resultLine(result, durationMs, wide)).toBe(line);
  });

  it("names its call where others run, and says why one was not run", () => {
    const of = call("read-file", { path: "a/very/long/path/to/some/file.txt" });
    expect(resultLine(textResult("x"), 1, { ...wide, of })).toBe(
      "  └ read-file a/very/long/path/to/som…: 0.00 s: x",
    );
    const refusal = textResult("The call was not run: nobody can be asked.", true);
    expect(resultLine(refusal, 0, { ...wide, isRefused: true })).toBe("  └ not run: nobody can be asked.");
    expect(resultLine(refusal, 0, { ...wide, isRefused: true, of })).toBe(
      "  └ read-file a/very/long/path/to/som…: not run: nobody can be asked.",
    );
  });

  it("has the word for what went wrong in red", () => {
    const style = styleFor(2);
    expect(resultLine(textResult("x", true), 1, { columns: 80, style })).toContain(style.red("error"));
    expect(resultLine(textResult("x", true), 1, { columns: 80, style, isRefused: true })).toContain(
      style.red("not run"),
    );
  });
});

describe("a line", () => {
  it.each([1, 2, 5, 10, 20, 40, 80, 200])("is one that does not fill %i columns", (columns) => {
    const long = "日本語 words and e\u0301 🏳️‍🌈 ".repeat(100_000);
    const of = call("a-tool-with-a-name-that-is-sixty-four-characters-long-or-nearly", { a: long, b: 1 });
    const style = styleFor(2);
    const result = textResult(long);
    const lines = [
      callLine(of, BUILT_IN, { columns, style }),
      resultLine(result, 1, { columns, style }),
      resultLine(result, 1, { columns, style, of }),
      resultLine({ ...result, isError: true }, 1, { columns, style, of }),
      resultLine({ ...result, isError: true }, 1, { columns, style, of, isRefused: true }),
    ];
    for (const line of lines) {
      expect(line).not.toMatch(/\n/);
      // The words for what went wrong are whole where nothing else is.
      expect(stringWidth(neutraliseStyled(line))).toBeLessThanOrEqual(
        Math.max("not run".length, columns - 1),
      );
    }
  });
});
