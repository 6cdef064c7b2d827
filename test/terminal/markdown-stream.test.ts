import * as fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { characterOf } from "../../src/terminal/character-references.ts";
import { plainStyle, type Style, styleFor } from "../../src/terminal/color.ts";
import { type CodeColorer, MarkdownStream } from "../../src/terminal/markdown-stream.ts";
import { actOwn } from "../../src/terminal/neutralise.ts";
import { WordWrap } from "../../src/terminal/word-wrap.ts";
import { isThorough } from "../helpers/thorough.ts";

/** Each look as a tag, so that a test reads what a person sees. */
const tags = Object.fromEntries(
  Object.keys(plainStyle).map((name) => [name, (text: string) => `<${name}>${text}</${name}>`]),
) as Style;

function render(text: string, style = tags, columns = 80): string {
  const stream = new MarkdownStream(style, columns, {
    wrap: new WordWrap(Number.POSITIVE_INFINITY),
    characterOf,
  });
  return stream.push(text) + stream.end();
}

function renderPieces(pieces: readonly string[]): string {
  const stream = new MarkdownStream(tags, 80, { wrap: new WordWrap(Number.POSITIVE_INFINITY), characterOf });
  return pieces.map((piece) => stream.push(piece)).join("") + stream.end();
}

/** A look that ends where it begins anew is one look. */
function joined(shown: string): string {
  return shown.replaceAll(/<\/underline><\/bold><bold><underline>|<\/(\w+)><\1>/g, "");
}

/** What ends each look of a terminal. */
const ENDS: Record<string, RegExp> = { 22: /[12]$/, 23: /^3$/, 24: /^4$/, 29: /^9$/, 39: /^3\d$/ };

/** What a terminal makes of it: each character with its looks and its link. */
function seen(shown: string): string[] {
  const looks = new Set<string>();
  let link = "";
  return [...actOwn(shown).matchAll(/\u001B\[(\d+)m|\u001B\]8;;(.*?)\u001B\\|./gsu)].flatMap(
    ([found, look, address]) => {
      if (address !== undefined) link = address;
      else if (look === undefined)
        return [found === "\n" ? found : `${found} ${[...looks].sort().join(" ")} ${link}`];
      else if (ENDS[look]) for (const on of looks) if (ENDS[look].test(on)) looks.delete(on);
      if (look !== undefined && !ENDS[look]) looks.add(look);
      return [];
    },
  );
}

/** Colours code by a state that every line changes. */
function countingColorer(): CodeColorer {
  let count = 0;
  return (line) => {
    count += 1;
    return count % 2 === 0 ? styleFor(1).green(line) : line;
  };
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
    [
      "what is struck out",
      "a ~~b *c*~~ d",
      "a <dim><strikethrough>b <italic>c</italic></strikethrough></dim> d",
    ],
    ["what is struck out in a word", "un~~able~~d", "un<dim><strikethrough>able</strikethrough></dim>d"],
    ["tildes for nothing", "~5 min, ~/bin, ~~~ and ~~ x ~~", "~5 min, ~/bin, ~~~ and ~~ x ~~"],
    ["emphasis in a script without spaces", "这是**重点**内容", "这是<bold>重点</bold>内容"],
    ["boxes of tasks", "- [ ] a\n* [x] b\n  1. [X] c", "☐ a\n☑ b\n  1. ☑ c"],
    ["boxes of no task", "- [ ]\n- [x](y)\n[x] a", "• [ ]\n• [x](y)\n[x] a"],
    ["lists in lists", "- a\n\t- b\n    1. c\n- - d\n1. - e", "• a\n    • b\n    1. c\n• • d\n1. • e"],
    ["a heading in an item", "- ## a", "• <bold>a</bold>"],
    [
      "quotes in quotes, and what stands in them",
      "> a\n> > b\n>> - c\n> # d\n>\n> ---\ne",
      "<dim>│ </dim>a\n<dim>│ │ </dim>b\n<dim>│ │ </dim>• c\n<dim>│ </dim><bold><underline>d</underline></bold>\n" +
        `<dim>│ </dim>\n<dim>│ </dim><dim>${"─".repeat(40)}</dim>\ne`,
    ],
    [
      "code in a quote",
      "> ```js\n> a = `b`\n>\n>   > c\n> ```\n> **d**",
      "<dim>│ </dim><dim>```js</dim>\n<dim>│ </dim>a = `b`\n<dim>│ </dim>\n<dim>│ </dim>  > c\n" +
        "<dim>│ </dim><dim>```</dim>\n<dim>│ </dim><bold>d</bold>",
    ],
    [
      "code in a quote that ends with it",
      "> ```\n> *a*\n*b*\n\n| c |",
      "<dim>│ </dim><dim>```</dim>\n<dim>│ </dim>*a*\n<italic>b</italic>\n\n| c |",
    ],
    [
      "a table in a quote",
      "> | a |\n> |---|\n> | b |\n| c |",
      "<dim>│ </dim><bold>a</bold>\n<dim>│ </dim><dim>─</dim>\n<dim>│ </dim>b\n| c |",
    ],
    ["a table in a list", "- x\n\n  | a |\n  |---|\n  | b |", "• x\n\n  <bold>a</bold>\n  <dim>─</dim>\n  b"],
    ["code in an item", "1. ```sh\n   ls *\n   ```", "1. <dim>```sh</dim>\n   ls *\n<dim>   ```</dim>"],
    [
      "characters by their names",
      "&lt;b&gt; AT&amp;T &copy; &eacute; &rarr; &#39;q&#x27; a&nbsp;b &hellip;",
      "<b> AT&T © é → 'q' a\u00A0b …",
    ],
    [
      "names of no character",
      "AT&T &x; &nosuch; R&D; &#; &#xyz; && a&b",
      "AT&T &x; &nosuch; R&D; &#; &#xyz; && a&b",
    ],
    ["references in code", "`&amp;` \\&lt;", "<cyan>&amp;</cyan> &lt;"],
    ["marks by their numbers", "&#42;a&#42; &#96;b&#96;", "*a* `b`"],
    ["what would act by its number", "&#27;[31m &#x9b;2J &#x202e;x &NewLine;&Tab;|", "␛[31m ›2J x   |"],
    [
      "addresses in brackets",
      "<https://a.b/c?d=e&amp;f> <me@a.org> <mailto:me@a.org>",
      "<underline>https://a.b/c?d=e&f</underline> <underline>me@a.org</underline> <underline>mailto:me@a.org</underline>",
    ],
    [
      "brackets of no address",
      "Vec<std::string> a<b <T> <br> <-- 1<2",
      "Vec<std::string> a<b <T> <br> <-- 1<2",
    ],
    [
      "addresses in a text",
      "See https://a.b/_c_/d_e, (www.a.org/x_(y)) or http://a.b. xhttps://a.b http https:// www.",
      "See <underline>https://a.b/_c_/d_e</underline>, (<underline>www.a.org/x_(y)</underline>) or " +
        "<underline>http://a.b</underline>. xhttps://a.b http https:// www.",
    ],
    [
      "an address in emphasis",
      "**https://a.b/c** *see www.a.b*",
      "<bold><underline>https://a.b/c</underline></bold> <italic>see <underline>www.a.b</underline></italic>",
    ],
    [
      "an address before a stop of another script",
      "见https://a.b/c。好",
      "见<underline>https://a.b/c</underline>。好",
    ],
    [
      "links of every form",
      "[a [b]](<https://a.b/c d>) [`x]`](https://a.b 't') [w](https://a.b/X_(y) \"t\") [](https://a.b)",
      "<underline>a [b]</underline> <dim>(https://a.b/c d)</dim> <underline><cyan>x]</cyan></underline> <dim>(https://a.b)</dim> " +
        "<underline>w</underline> <dim>(https://a.b/X_(y))</dim> <underline>https://a.b</underline>",
    ],
    [
      "an image",
      "![alt *x*](a/b.png)! [!x]",
      "<underline>alt <italic>x</italic></underline> <dim>(a/b.png)</dim>! [!x]",
    ],
  ])("shows %s", (_, text, shown) => {
    expect(render(text)).toBe(shown);
  });

  it.each([
    ["headings", "# Title `x`\n## **Two**", "# Title `x`\n## **Two**"],
    ["emphasis", "**b *i* b** __b__ _i_ ~~s~~ ***bi***", "**b *i* b** __b__ _i_ ~~s~~ ***bi***"],
    ["code", "run `a * b` and `` `x` ``", "run `a * b` and `` `x` ``"],
    ["lists, boxes and quotes", "- a\n  - [x] b\n> c", "• a\n  ☑ b\n│ c"],
    ["links and characters", "[**x**](https://a.b) &amp;", "**x** (https://a.b) &"],
    ["a table", "| a | `b` |\n|---|---|\n| **c** | d |", "a      `b`\n─────  ───\n**c**  d"],
    ["code in a fence", "```js\n**a** = `b`\n```", "```js\n**a** = `b`\n```"],
  ])("lays out where there are no looks, and keeps the marks that stand for them: %s", (_, text, shown) => {
    const show = (pieces: readonly string[]): string => {
      const stream = new MarkdownStream(plainStyle, 80, { keepsMarks: true, characterOf });
      return pieces.map((piece) => stream.push(piece)).join("") + stream.end();
    };
    expect(show([text])).toBe(shown);
    expect(show([...text])).toBe(shown);
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

  it("lays a table out", () => {
    const table = "| Name | Price |\n| --- | ---: |\n| **a** | 1 |\n| 日本 | 100 |\n\nThat.";
    expect(render(table, plainStyle)).toBe("Name  Price\n────  ─────\na         1\n日本    100\n\nThat.");
    expect(render("| no | table |", plainStyle)).toBe("| no | table |");
    expect(render("| a | b |\n|---|---|\n| `x \\| y` \\| z | 1<br>2<br/>3 |", plainStyle)).toBe(
      "a          b\n─────────  ─\nx | y | z  1\n           2\n           3",
    );
  });

  const WIDE =
    "| Way | What it does | Cost |\n|:--|:-:|--:|\n| loop | goes on and on until it is told to stop | 1 |\n" +
    "| `fold` | takes **all that there is** and makes one of it | 100 |\n";

  it("lays a table out whose rows have too many bars, or too few", () => {
    const rows =
      "| `a || b` | c |\n| d | e | f |\n| g |\n| `h | i | j |\n| | k |\n||l|\n| | `o|p` | q |\n|r||s|";
    expect(render(`| m | n |\n|---|---|\n${rows}`, plainStyle)).toBe(
      "m       n\n──────  ───────\na || b  c\nd       e | f\ng\n`h      i | j\n        k\n        l\n        o|p | q\nr       |s",
    );
  });

  it("breaks the cells of a wide table between words, in their columns", () => {
    expect(render(WIDE, plainStyle, 40)).toBe(
      [
        "Way           What it does          Cost",
        "────  ────────────────────────────  ────",
        "loop   goes on and on until it is      1",
        "              told to stop",
        "",
        "fold  takes all that there is and    100",
        "            makes one of it",
      ].join("\n"),
    );
    expect(render(`- x\n\n${WIDE.replaceAll(/^/gm, "  ")}`, plainStyle, 26)).toContain(
      "\n  Way   What it does  Cost\n",
    );
  });

  it("closes the looks of a cell on each of its lines, and goes on with them", () => {
    const lines = render(WIDE, styleFor(1), 24).split("\n").map(actOwn);
    expect(lines.slice(-4)).toEqual([
      "\u001B[36mfold\u001B[39m   takes \u001B[1mall\u001B[22m     100",
      "       \u001B[1mthat there\u001B[22m",
      "      \u001B[1mis\u001B[22m and makes",
      "       one of it",
    ]);
  });

  it("turns the rows of a table into records where a column would be too narrow", () => {
    expect(render(WIDE, plainStyle, 20)).toBe(
      "Way: loop\nWhat it does: goes\n  on and on until it\n  is told to stop\nCost: 1\n\n" +
        "Way: fold\nWhat it does: takes\n  all that there is\n  and makes one of\n  it\nCost: 100",
    );
    const compared =
      "| | Claude | Nova |\n|---|---|---|\n| first token | averyverylongwordthatnocolumnholds | 200 ms |\n| price | | 1 |\n| | | |\n";
    expect(render(compared, plainStyle, 40)).toBe(
      "first token\nClaude\n    averyverylongwordthatnocolumnholds\nNova    200 ms\n\nprice\nNova    1",
    );
    expect(actOwn(render(compared, styleFor(1), 40))).toMatch(
      /^\u001B\[1mfirst token\u001B\[22m\n\u001B\[1mClaude\u001B\[22m\n {4}av/,
    );
    const values =
      "| a title | b |\n|---|---|\n| words that go on and on below themselves, as far as they have to | unbreakable-and-much-too-long |";
    expect(render(values, plainStyle, 38)).toBe(
      "a title  words that go on and on below\n         themselves, as far as they\n         have to\nb        unbreakable-and-much-too-long",
    );
    expect(render(compared, plainStyle, 80)).toMatch(/^ {13}Claude {30}Nova\n─/);
  });

  it.each([10, 17, 23, 40, 80, 200])("loses no word of a table, and stays in %i columns", (columns) => {
    const cell = fc.array(
      fc.constantFrom(
        "a",
        "two",
        "wordy",
        "**bold text**",
        "`x \\| y`",
        "日本語",
        "é",
        "&amp;",
        "<br>",
        "[l](https://a.b)",
      ),
      { maxLength: 12 },
    );
    const tables = fc
      .integer({ min: 1, max: 6 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 2, maxLength: 5 }),
      );
    const letters = (text: string): string =>
      [...text.replaceAll(/<br>|&amp;|[^\p{L}\p{N}]/gu, "")].sort().join("");
    fc.assert(
      fc.property(tables, ([titles = [], ...rows]) => {
        const line = (cells: string[][]): string =>
          `| ${cells.map((parts) => parts.join(" ")).join(" | ")} |`;
        const text = [line(titles), `|${"---|".repeat(titles.length)}`, ...rows.map(line)].join("\n");
        const shown = render(text, plainStyle, columns);
        for (const row of rows)
          for (const parts of row)
            for (const letter of new Set(letters(parts.join(" ")))) expect(shown).toContain(letter);
        const isTable = /^ *─[─ ]*$/m.test(shown);
        // A record repeats the titles, and leaves out those of empty cells.
        if (isTable) expect(letters(shown)).toBe(letters(text));
        else expect(letters(shown).length).toBeGreaterThanOrEqual(letters(rows.map(line).join("")).length);
        for (const shownLine of shown.split("\n").filter(() => isTable))
          expect(stringWidth(shownLine)).toBeLessThanOrEqual(columns);
      }),
      { numRuns: 60 },
    );
  });

  it("shows words as they come and waits only for what is open", () => {
    const stream = new MarkdownStream(tags, 80, {
      wrap: new WordWrap(Number.POSITIVE_INFINITY),
      characterOf,
    });
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
    const stream = new MarkdownStream(tags, 80, {
      wrap: new WordWrap(Number.POSITIVE_INFINITY),
      characterOf,
    });
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

  /** Words, and the Markdown that says them. */
  interface Piece {
    markdown: string;
    words: string[];
  }
  const word = fc.constantFrom("one", "two", "three", "señor", "日", "x1", "and");
  const words = fc.array(word, { minLength: 1, maxLength: 5 });
  const plain = words.map((words): Piece => ({ markdown: words.join(" "), words }));
  const between = (mark: string) =>
    words.map((words): Piece => ({ markdown: mark + words.join(" ") + mark, words }));
  const inline = fc.oneof(
    plain,
    ...["*", "**", "***", "__", "~~", "`"].map(between),
    words.map((words): Piece => ({
      markdown: `[${words.join(" ")}](https://a.b/c)`,
      words: [...words, "https", "a", "b", "c"],
    })),
    fc.constant<Piece>({ markdown: "<https://d.e/f_g_h>", words: ["https", "d", "e", "f", "g", "h"] }),
    fc.constant<Piece>({ markdown: "https://d.e/_f_", words: ["https", "d", "e", "f"] }),
    fc.constantFrom<Piece>(
      { markdown: "&amp; &lt;", words: [] },
      { markdown: "2 * 3 < 4", words: ["2", "3", "4"] },
    ),
    fc.constant<Piece>({ markdown: "p&eacute;re", words: ["pére"] }),
  );
  const line = fc.array(inline, { minLength: 1, maxLength: 6 }).map((parts): Piece => ({
    markdown: parts.map(({ markdown }) => markdown).join(" "),
    words: parts.flatMap(({ words }) => words),
  }));
  const code = fc
    .array(fc.constantFrom("let x = 1;", "/* a", "b */ c", "> d", "", "  | e |", "# f", "``", '"g'), {
      maxLength: 5,
    })
    .map((lines): Piece => ({
      markdown: ["```js", ...lines, "```"].join("\n"),
      words: ["js", ...(lines.join(" ").match(/\w+/g) ?? [])],
    }));
  const table = fc
    .array(fc.tuple(word, word), { minLength: 1, maxLength: 4 })
    .map(([head = ["a", "b"], ...rows]): Piece => ({
      markdown: [
        `| ${head.join(" | ")} |`,
        "|---|:-:|",
        ...rows.map((cells) => `| ${cells.join(" | ")} |`),
      ].join("\n"),
      words: [...head, ...rows.flat()],
    }));
  const before = (mark: string, further = " ".repeat(mark.length), content = fc.oneof(line, code)) =>
    content.map(({ markdown, words }): Piece => ({
      markdown: mark + markdown.replaceAll("\n", `\n${further}`),
      words: [...(mark.match(/\d+/g) ?? []), ...words],
    }));
  const block = fc.oneof(
    line,
    code,
    table,
    before("## ", "", line),
    ...["- ", "  * ", "12. ", "- [ ] ", "- 1. "].map((mark) => before(mark)),
    ...["> ", "> > ", ">"].map((mark) => before(mark, mark)),
    table.map(({ markdown, words }): Piece => ({ markdown: markdown.replaceAll(/^/gm, "> "), words })),
  );
  const answers = fc.array(block, { maxLength: 8 }).map((blocks): Piece => ({
    markdown: blocks.map(({ markdown }) => markdown).join("\n\n"),
    words: blocks.flatMap(({ words }) => words),
  }));

  /** What a text says when it is read: without looks, and the addresses of links behind their words. */
  function wordsOf(shown: string): string[] {
    const read = actOwn(shown)
      .replaceAll(
        /\u001B\]8;;([^\u001B]+)\u001B\\(.*?)\u001B\]8;;\u001B\\/gs,
        (_, address: string, label: string) => (label.includes(address) ? label : `${label} ${address}`),
      )
      .replaceAll(/\u001B\[\d+m/g, "");
    return read.match(/[\p{L}\p{N}]+/gu) ?? [];
  }

  it("says every word of an answer in its place, and the same wherever it is cut", () => {
    fc.assert(
      fc.property(
        answers,
        fc.constantFrom(20, 40, 80, 1000),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        ({ markdown, words }, columns, hasLinks, lengths) => {
          const stream = (): MarkdownStream =>
            new MarkdownStream(styleFor(1), columns, { hasLinks, colorerOf: countingColorer, characterOf });
          const whole = stream();
          const shown = whole.push(markdown) + whole.end();
          // A link that is broken over two lines is two links.
          if (!hasLinks || columns === 1000) expect(wordsOf(shown)).toEqual(words);
          const cut = stream();
          const characters = [...markdown];
          let pieces = "";
          for (let index = 0; characters.length > 0; index += 1)
            pieces += cut.push(characters.splice(0, lengths[index % lengths.length]).join(""));
          expect(seen(pieces + cut.end())).toEqual(seen(shown));
        },
      ),
      { numRuns: isThorough ? 20_000 : 400 },
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
