import { expect, it } from "vitest";
import { type ColorLevel, colorLevel, styleFor } from "../../src/terminal/color.ts";
import { actOwn } from "../../src/terminal/neutralise.ts";

it.each<[string, boolean, boolean, Record<string, string>, ColorLevel]>([
  ["a plain terminal", true, true, { TERM: "xterm" }, 1],
  ["a terminal of 256 colours", true, true, { TERM: "xterm-256color" }, 2],
  ["a terminal of all colours", true, true, { TERM: "xterm", COLORTERM: "truecolor" }, 3],
  ["another word for all colours", true, true, { COLORTERM: "24bit" }, 3],
  ["a terminal that says nothing of itself", true, true, {}, 1],
  ["a dumb terminal", true, true, { TERM: "dumb" }, 0],
  ["a pipe", false, true, { TERM: "xterm-256color" }, 0],
  ["NO_COLOR", true, true, { TERM: "xterm-256color", NO_COLOR: "1" }, 0],
  ["--no-color", true, false, { TERM: "xterm-256color" }, 0],
  ["--no-color over FORCE_COLOR", true, false, { FORCE_COLOR: "3" }, 0],
  ["FORCE_COLOR in a pipe", false, true, { FORCE_COLOR: "1" }, 1],
  ["FORCE_COLOR=true", false, true, { FORCE_COLOR: "true" }, 1],
  ["FORCE_COLOR=2", false, true, { FORCE_COLOR: "2" }, 2],
  ["FORCE_COLOR=3", false, true, { FORCE_COLOR: "3" }, 3],
  ["FORCE_COLOR=0 on a terminal", true, true, { FORCE_COLOR: "0", TERM: "xterm-256color" }, 0],
  ["FORCE_COLOR=false on a terminal", true, true, { FORCE_COLOR: "false", TERM: "xterm-256color" }, 0],
  ["FORCE_COLOR over NO_COLOR", false, true, { FORCE_COLOR: "1", NO_COLOR: "1" }, 1],
])("%s", (_, isTTY, isAllowed, env, expected) => {
  expect(colorLevel(isTTY, isAllowed, env)).toBe(expected);
});

it("colours a text alone, also in a list, over a look within it, and each line by itself", () => {
  const { dim, bold, red } = styleFor(1);
  expect(["one", "two"].map(dim).map(actOwn)).toEqual(["\u001B[2mone\u001B[22m", "\u001B[2mtwo\u001B[22m"]);
  expect(actOwn(dim(`a${bold("b")}c`))).toBe("\u001B[2ma\u001B[1mb\u001B[22m\u001B[2mc\u001B[22m");
  expect(actOwn(red("a\nb"))).toBe("\u001B[31ma\u001B[39m\n\u001B[31mb\u001B[39m");
  expect(red("")).toBe("");
});
