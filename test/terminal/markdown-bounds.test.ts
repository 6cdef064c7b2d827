import { expect, describe, it } from "vitest";
import { characterOf } from "../../src/terminal/character-references.ts";
import { styleFor, plainStyle } from "../../src/terminal/color.ts";
import { actOwn } from "../../src/terminal/neutralise.ts";
import { isThorough } from "../helpers/thorough.ts";
import { MarkdownStream } from "../../src/terminal/markdown-stream.ts";

/** Characters of the longer texts. */
const SIZE = isThorough ? 4_000_000 : 100_000;
/** What is looked at more closely, in ms: a time that grows with the square is a fourth at half the size. */
const SUSPECT_MS = isThorough ? 2000 : 500;
const COLUMNS = 80;

/** Texts that nobody means, each as long as is asked for. */
const HOSTILE: Record<string, (size: number) => string> = {
  "a paragraph in one line": fill("word "),
  "a word without an end": fill("x"),
  "a word without an end in another script": fill("é"),
  "letters without spaces": fill("日本語"),
  "spaces without an end": (size) => " ".repeat(size) + "x",
  "spaces and a word, in every line": fill(`${" ".repeat(5000)}x\n`),
  "line ends": (size) => "\n".repeat(size) + "x",
  "list items": fill("- item\n"),
  "a list that goes in and in": (size) => nest(size, (depth) => `${" ".repeat(depth)}- x\n`),
  "quotes in quotes": fill("> "),
  quotes: fill("> quoted\n"),
  "emphasis that is never closed": fill("*a "),
  "two kinds of emphasis that are never closed": fill("*a __b "),
  "emphasis in emphasis": (size) => fill("*_")(size / 2) + "x" + fill("_*")(size / 2),
  "emphasis and code that are never closed": fill("*a ` `` *b ``` ```` "),
  "fences of code of every length": (size) => nest(size, (depth) => `${"`".repeat(depth)} *x `),
  "code that is never closed": fill("`` ` ``` "),
  brackets: fill("[a]("),
  "a link without an end": (size) => `[text](https://a.b/${"x".repeat(size)})`,
  backslashes: fill("\\"),
  "a fence that is never closed": (size) => `\`\`\`js\n${fill("let x = `a` | b;\n")(size)}`,
  "a fence with a line of spaces": (size) => `\`\`\`\n${" ".repeat(size)}x`,
  "the name of a fence without an end": (size) => `\`\`\`${"x".repeat(size)}`,
  "a rule without an end": fill("- "),
  "a heading without an end": (size) => `# ${fill("word ")(size)}`,
  "a heading of spaces": (size) => `# x${" ".repeat(size)}x`,
  "numbers of a list": fill("1. "),
  "a table of many rows": (size) => `| a | b |\n|---|---|\n${fill("| 1 | 2 |\n")(size)}`,
  "a table of many columns": (size) => {
    const columns = Math.floor(Math.sqrt(size));
    const row = `${"|x".repeat(columns)}|\n`;
    return `${row}${"|-".repeat(columns)}|\n${fill(row)(size)}`;
  },
  "a row without an end": fill("| cell "),
  bars: fill("|\n"),
  "tables without rules": fill("| a |\n\n"),
  "words that are struck out and never end": fill("~~a "),
  references: fill("&amp;"),
  "references that are none": fill("&a"),
  "addresses that are none": fill("https://"),
  "an address without an end": (size) => `https://a.b/${"x".repeat(size)}`,
  "addresses with brackets": fill("https://a.b/(((("),
  "addresses with marks behind them": fill(`https://a.b/${")".repeat(900)} `),
  "angle brackets": fill("<a"),
  "an angle bracket without an end": (size) => `<${"a".repeat(size)}`,
  "mail without an end": fill("<a@b.c.d.e.f."),
  "links in links": (size) => fill(`${"[".repeat(120)}a${"](b.c)".repeat(120)} `)(size),
  "brackets and code in links": fill("[`a` [b] "),
  "where a link leads, without an end": fill("[a]((b)(c)(d)"),
  "titles of links without an end": fill('[a](b.c "d '),
  images: fill("![a](b.c)"),
  "quotes in quotes, a line each": fill(`${"> ".repeat(300)}x\n`),
  "quoted code": fill("> ```\n> x\n"),
  "quoted tables": fill("> | a |\n> |---|\n> | b |\n> > | c |\n"),
  "bars in rows of one cell": fill("| a |\n|---|\n| `b | c ` `d | e |\n"),
  "rows of bars and code": (size) => `| a |\n|---|\n${fill(`| ${"`|".repeat(5000)} |\n`)(size)}`,
  boxes: fill("- [ ] "),
  "items in an item": fill(`${"- ".repeat(400)}x\n`),
  "a table of words that fit nowhere": (size) =>
    `${"| a title that is long ".repeat(10)}|\n${"|-".repeat(10)}|\n${fill(`${`| ${"x".repeat(30)} `.repeat(10)}|\n`)(size)}`,
  "records of one letter": (size) =>
    `${`| ${"t".repeat(26)} `.repeat(24)}|\n${"|-".repeat(24)}|\n${fill(`${"|x".repeat(24)}|\n`)(size)}`,
  "cells of many lines": (size) => `| a |\n|---|\n${fill(`| ${"<br>".repeat(2000)} |\n`)(size)}`,
  "what is in a cell": (size) => `| a |\n|---|\n${fill(`| ${"*a `b ".repeat(2000)} |\n`)(size)}`,
};

function fill(unit: string): (size: number) => string {
  return (size) => unit.repeat(Math.ceil(size / unit.length));
}

function nest(size: number, line: (depth: number) => string): string {
  let text = "";
  for (let depth = 1; text.length < size; depth += 1) text += line(depth);
  return text;
}

/** Shows a text that comes in pieces. Returns how much was shown, and the time of a core that it took, in ms. */
function show(text: string, piece: number): { length: number; ms: number } {
  const begun = process.cpuUsage();
  const stream = new MarkdownStream(styleFor(3), COLUMNS, { characterOf });
  let length = 0;
  for (let start = 0; start < text.length; start += piece) {
    length += stream.push(text.slice(start, start + piece)).length;
  }
  length += stream.end().length;
  return { length, ms: process.cpuUsage(begun).user / 1000 };
}

/** The quicker of two: code is compiled in the first, and garbage collected in either. */
function quicker(text: string, piece: number): number {
  return Math.min(show(text, piece).ms, show(text, piece).ms);
}

function render(text: string, piece = text.length): string {
  const stream = new MarkdownStream(plainStyle, COLUMNS, { characterOf });
  let shown = "";
  for (let start = 0; start < text.length; start += piece)
    shown += stream.push(text.slice(start, start + piece));
  return shown + stream.end();
}

describe("an answer that nobody means", () => {
  it.each(Object.entries(HOSTILE))("costs no more by the character when it is longer: %s", (_, of) => {
    const [short, long] = [of(SIZE / 8), of(SIZE)];
    for (const piece of [4096, long.length]) {
      if (show(long, piece).ms < SUSPECT_MS) continue;
      const few = quicker(short, piece);
      // Eight times as much: the time grows eightfold where it is linear, 64-fold where it is quadratic.
      expect(quicker(long, piece), `${few} ms for an eighth`).toBeLessThan(Math.max(24 * few, SUSPECT_MS));
    }
  });

  it.each(Object.entries(HOSTILE))("makes little more of it than there is: %s", (_, of) => {
    const text = of(SIZE / 4);
    const stream = new MarkdownStream(styleFor(3), COLUMNS, { characterOf });
    // As it is written: a letter may have a look of its own, and a cell a title in front.
    expect(actOwn(stream.push(text) + stream.end()).length).toBeLessThan(32 * text.length);
  });

  it.each([
    ["many rows", `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(2500)}`],
    ["many columns", `${"|x".repeat(50)}|\n${"|-".repeat(50)}|\n${"|x".repeat(50)}|\n`],
    ["many characters", `| a |\n|---|\n${`| ${"x".repeat(9000)} |\n`.repeat(40)}`],
    ["a long row", `| a |\n|---|\n| ${"x".repeat(50_000)} |\n`],
  ])("shows a table of %s as it came, and what follows as ever", (_, table) => {
    for (const piece of [1000, Number.MAX_SAFE_INTEGER]) {
      expect(render(`${table}\n- **one**\n\n| a |\n|---|\n| 1 |\n`, piece)).toBe(
        `${table}\n• one\n\na\n─\n1`,
      );
    }
  });

  it("shows the rows of such a table as they come", () => {
    const stream = new MarkdownStream(plainStyle, COLUMNS, { characterOf });
    expect(stream.push(`| a |\n|---|\n${"| 1 |\n".repeat(1990)}`)).toBe("");
    expect(stream.push("| 1 |\n".repeat(20))).toMatch(/^\| a \|\n/);
    expect(stream.push("| 2 |\n| 3")).toBe("| 2 |\n| 3");
  });

  it("lays a table out of as many rows as it holds back", () => {
    const table = `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(1900)}`;
    expect(render(table, 1000)).toBe(`a  b\n─  ─\n${"1  2\n".repeat(1900)}`.trimEnd());
  });

  it.each([1, 2, 20])("comes to an end at %i columns, and says all there is", (columns) => {
    for (const [kind, of] of Object.entries(HOSTILE)) {
      const stream = new MarkdownStream(plainStyle, columns, { characterOf });
      const text = of(2000);
      const letters = (from: string): string => from.replaceAll(/&amp;|<br>|[^\p{L}]/gu, "");
      const shown = letters(stream.push(text) + stream.end());
      // Records say the titles of a table again and again.
      if (text.includes("|-")) expect(shown.length, kind).toBeGreaterThanOrEqual(letters(text).length);
      else expect(shown, kind).toBe(letters(text));
    }
  });
});
