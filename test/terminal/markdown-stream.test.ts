import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { styleFor } from "../../src/terminal/color.ts";
import { plainStyle, type Style } from "../../src/terminal/color.ts";
import { MarkdownStream } from "../../src/terminal/markdown-stream.ts";
import { WordWrap } from "../../src/terminal/word-wrap.ts";

/** Each look as a tag, so that a test reads what a person sees. */
const tags = Object.fromEntries(
  Object.keys(plainStyle).map((name) => [name, (text: string) => `<${name}>${text}</${name}>`]),
) as Style;

function render(text: string, style = tags, columns = 80): string {
  const stream = new MarkdownStream(style, columns, new WordWrap(Number.POSITIVE_INFINITY));
  return stream.push(text) + stream.end();
}

function renderPieces(pieces: readonly string[]): string {
  const stream = new MarkdownStream(tags, 80, new WordWrap(Number.POSITIVE_INFINITY));
  return pieces.map((piece) => stream.push(piece)).join("") + stream.end();
}

/** A look that ends where it begins anew is one look. */
function joined(shown: string): string {
  return shown.replaceAll(/<\/underline><\/bold><bold><underline>|<\/(\w+)><\1>/g, "");
}

describe("markdown on a terminal", () => {
  it.each([
    ["plain text", "Hello, world.", "Hello, world."],
    ["bold", "a **b c** d", "a <bold>b c</bold> d"],
    ["bold with underscores", "__b__", "<bold>b</bold>"],
    ["italics", "*i* and _j_", "<italic>i</italic> and <italic>j</italic>"],
    ["bold italics", "***bi***", "<bold><italic>bi</italic></bold>"],
    ["italics within bold", "**b *i* b**", "<bold>b <italic>i</italic> b</bold>"],
    ["bold within italics", "*i **b** i*", "<italic>i <bold>b</bold> i</italic>"],
    ["italics at the end of bold", "**b *i***", "<bold>b <italic>i</italic></bold>"],
    ["code", "run `a * b * c` now", "run <cyan>a * b * c</cyan> now"],
    ["code with backticks", "``a ` b``", "<cyan>a ` b</cyan>"],
    ["padded code", "`` `a` ``", "<cyan>`a`</cyan>"],
    ["code within bold", "**run `a**b` now**", "<bold>run <cyan>a**b</cyan> now</bold>"],
    [
      "a link",
      "see [the docs](https://a.b/c)",
      "see <underline>the docs</underline> <dim>(https://a.b/c)</dim>",
    ],
    ["a link that is its own text", "[https://a.b](https://a.b)", "<underline>https://a.b</underline>"],
    ["emphasis that ends within code", "__`__**`", "__<cyan>__**</cyan>"],
    ["escapes", "\\*no\\* \\`code\\`", "*no* `code`"],
    ["formulas", "\\(x_1 + y\\) and \\frac", "\\(x_1 + y\\) and \\frac"],
    ["a heading", "## Title `x`\nText", "<bold>Title <cyan>x</cyan></bold>\nText"],
    ["a top heading", "# Title", "<bold><underline>Title</underline></bold>"],
    ["a list", "- a\n  * **b**\n+ c", "• a\n  • <bold>b</bold>\n• c"],
    ["a numbered list", "1. a\n2. b", "1. a\n2. b"],
    ["a quote", "> said *he*", "<dim>│ </dim>said <italic>he</italic>"],
    ["a rule", "a\n\n---\n\nb", `a\n\n<dim>${"─".repeat(40)}</dim>\n\nb`],
    ["arithmetic", "2 * 3 * 4, 2*3*4, x**2 + y**2, a_b_c", "2 * 3 * 4, 2*3*4, x**2 + y**2, a_b_c"],
    ["a star for nothing", "5 stars: *****, one *", "5 stars: *****, one *"],
    ["an open delimiter", "**bold\nnext `line", "**bold\nnext `line"],
    ["brackets", "a[0] = b[i](x), [1], [open", "a[0] = b[i](x), [1], [open"],
    ["a hashtag", "#no heading", "#no heading"],
    ["a line of marks", "*", "*"],
  ])("shows %s", (_, text, shown) => {
    expect(render(text)).toBe(shown);
  });

  it("leaves fenced code exactly as it is", () => {
    const code = "def f(*args, **kw):\n    return `x` # **not bold** | a | b |\n\n\t- item\n> quote\n  ~~~";
    expect(render(`Look:\n\`\`\`python\n${code}\n\`\`\`\n**done**`)).toBe(
      `Look:\n<dim>\`\`\`python</dim>\n${code}\n<dim>\`\`\`</dim>\n<bold>done</bold>`,
    );
  });

  it("ends a fence only with one as long, and takes other fences within for code", () => {
    expect(render("````md\n```\n**a**\n```\n````\n**b**")).toBe(
      "<dim>````md</dim>\n```\n**a**\n```\n<dim>````</dim>\n<bold>b</bold>",
    );
  });

  it("lays a table out, and leaves one that is too wide as it is", () => {
    const table = "| Name | Price |\n| --- | ---: |\n| **a** | 1 |\n| 日本 | 100 |\n\nThat.";
    expect(render(table, plainStyle)).toBe("Name  Price\n────  ─────\na         1\n日本    100\n\nThat.");
    expect(render(table, plainStyle, 10)).toBe(table);
    expect(render("| no | table |", plainStyle)).toBe("| no | table |");
  });

  it("shows words as they come and waits only for what is open", () => {
    const stream = new MarkdownStream(tags, 80, new WordWrap(Number.POSITIVE_INFINITY));
    expect(stream.push("Hel")).toBe("Hel");
    expect(stream.push("lo **wor")).toBe("lo ");
    expect(stream.push("ld** and")).toBe("<bold>world</bold> and");
    expect(stream.push("\n``")).toBe("\n");
    expect(stream.push("`js\nlet x")).toBe("<dim>```js</dim>\nlet x");
    expect(stream.push(" = 1;\n  ")).toBe(" = 1;\n");
    expect(stream.push("y")).toBe("  y");
    expect(stream.end()).toBe("");
  });

  it("gives up on a partner that does not come within a thousand characters", () => {
    const stream = new MarkdownStream(tags, 80, new WordWrap(Number.POSITIVE_INFINITY));
    expect(stream.push(`**${"x".repeat(500)}`)).toBe("");
    expect(stream.push("y".repeat(600))).toBe(`**${"x".repeat(500)}${"y".repeat(600)}`);
  });

  const markdown = fc
    .array(
      fc.constantFrom(
        ..."**|*|_|__|`|``|```|~~~|#|## |- |> |1. |\n|\n\n| |a|word|[|](|)|\\|| x | y ||---|:-:|é|👩‍👧|.|    ".split(
          "|",
        ),
        "|",
        "| a | b |\n",
        "|---|---|\n",
      ),
      { maxLength: 60 },
    )
    .map((parts) => ({ parts, text: parts.join("") }));

  it("shows the same wherever the text is cut", () => {
    fc.assert(
      fc.property(markdown, ({ parts, text }) => {
        expect(joined(renderPieces(parts))).toBe(joined(render(text)));
        expect(joined(renderPieces([...text]))).toBe(joined(render(text)));
      }),
      { numRuns: 500, examples: [[{ parts: ["__", "`", "__", "**", "`"], text: "__`__**`" }]] },
    );
  });

  it("loses no word", () => {
    fc.assert(
      fc.property(markdown, ({ text }) => {
        const words = (from: string): string => from.replaceAll(/[^\p{L}\p{N}]/gu, "");
        expect(words(render(text, plainStyle))).toBe(words(text));
      }),
      { numRuns: 500 },
    );
  });

  it("breaks prose between words, under bullets and behind quotes, and never code", () => {
    const text =
      "- one two three four five\n2. alpha beta gamma\n> quoted words go on\n```\na line of code that is long\n```";
    const stream = new MarkdownStream(plainStyle, 16);
    expect(stream.push(text) + stream.end()).toBe(
      "• one two three\n  four five\n2. alpha beta\n   gamma\n│ quoted words\n│ go on\n```\na line of code that is long\n```",
    );
  });

  it("closes every style it opens on each line", async () => {
    const shown = render("**a**\n# b\n- `c`\n*d*", styleFor(1));
    for (const line of shown.split("\n")) {
      expect(line.match(/\u001B\[(?:1|3|4|36)m/g)?.length ?? 0).toBe(
        line.match(/\u001B\[(?:22|23|24|39)m/g)?.length ?? 0,
      );
    }
  });
});
