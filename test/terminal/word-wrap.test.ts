import * as fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { plainStyle, styleFor } from "../../src/terminal/color.ts";
import { actOwn } from "../../src/terminal/neutralise.ts";
import { hang, widestWord, WordWrap, WrappedText, wrapText } from "../../src/terminal/word-wrap.ts";

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

  it("ends looks before it breaks a line, and begins them again", () => {
    const { bold, underline } = styleFor(1);
    const wrap = new WordWrap(11);
    const text = `one ${bold(`two ${underline("three four")} five`)} six`;
    const shown = wrap.begin(plainStyle.dim("| "), "| ") + wrap.push(text) + wrap.end();
    expect(actOwn(shown)).toBe(
      actOwn(
        `| one ${bold("two")}\n| ${bold(underline("three"))}\n| ${bold(`${underline("four")} five`)}\n| six`,
      ),
    );
  });

  it("leaves no space at the end of a line, wherever looks begin and end", () => {
    const { bold } = styleFor(1);
    for (const pieces of [
      [bold("one three "), bold("日本")],
      [bold("one "), "three", bold(" "), bold("日")],
      [bold("one three "), " ", bold("日")],
    ]) {
      const wrap = new WordWrap(10);
      const shown = actOwn(pieces.map((piece) => wrap.push(piece)).join("") + wrap.end());
      expect(shown.replaceAll(/\u001B\[\d+m/g, "")).toMatch(/^one three\n日/);
    }
  });

  it("breaks no line at a space that keeps words together", () => {
    for (const space of ["\u00A0", "\u202F", "\u2007"])
      expect(wrapText(`one two${space}three`, 9)).toEqual(["one", `two${space}three`]);
  });

  it("measures the widest word", () => {
    expect(widestWord("a bcd ef")).toBe(3);
    expect(widestWord(`a ${styleFor(1).bold("b")}cd`)).toBe(3);
    expect(widestWord("日本語。 ab")).toBe(4);
    expect(widestWord("a\u00A0b")).toBe(3);
    expect(widestWord("")).toBe(0);
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

  it("measures every character as the terminal does", () => {
    // Each where scripts change, and some of the rest.
    for (let code = 0x20; code < 0x1_0000; code += code >= 0x3000 && code < 0x3100 ? 1 : 61) {
      const character = String.fromCharCode(code);
      // Two columns, then the character: it stays in the line if it takes one, and a space before it none.
      if (/[\s\u001B\p{Surrogate}]/u.test(character) || stringWidth(character) === 0) continue;
      const shown = wrap([`a ${character}`], 3);
      expect(shown.includes("\n"), `U+${code.toString(16)}`).toBe(stringWidth(character) > 1);
    }
  });

  it("loses nothing but the spaces at breaks and at the end", () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 4, max: 20 }), (parts, columns) => {
        // Looks end before a break, and begin again behind it.
        const words = (text: string): string => text.replaceAll(/\s+|\u001B\[[\d;]*m/g, "");
        expect(words(wrap(parts, columns))).toBe(words(parts.join("")));
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

describe("a text behind a title", () => {
  const title = "error: ";
  it.each<[string, string, string, number, string[]]>([
    [
      "goes on below itself",
      title,
      "one two three four five six",
      31,
      ["error: one two three four five", "       six"],
    ],
    [
      "begins beside a short title in any case",
      title,
      "one two three four",
      20,
      ["error: one two three", "  four"],
    ],
    [
      "stands below a long one where there is no room beside it",
      "  --flag <value>      ",
      "one two three four five",
      30,
      ["  --flag <value>", "     one two three four five"],
    ],
    [
      "is no line of its own where it is empty",
      "1  AWS_PROFILE  not set  ",
      "",
      30,
      ["1  AWS_PROFILE  not set"],
    ],
    ["is whole in a pipe", title, "one two three", Number.POSITIVE_INFINITY, ["error: one two three"]],
    [
      "keeps a command whole that fits",
      "hint: ",
      "Choose one from `openclaw models list`, then another",
      40,
      ["hint: Choose one from", "      `openclaw models list`, then", "      another"],
    ],
    [
      "keeps the command at its end whole",
      "hint: ",
      "Renew them first: aws sso login --profile work",
      44,
      ["hint: Renew them first:", "      aws sso login --profile work"],
    ],
    [
      "breaks no command that has no room beside its title",
      "              hint: ",
      "Run: openclaw config set one.two.three value",
      50,
      ["              hint: Run:", "           openclaw config set one.two.three value"],
    ],
    [
      "breaks no command that fits no line",
      "hint: ",
      "Raise it (openclaw config set one.two.three 4), or leave it.",
      30,
      ["hint: Raise it", "openclaw config set one.two.three 4", "      or leave it."],
    ],
    [
      "leaves the title alone where a command has no room beside it",
      "hint: ",
      bold("openclaw config set one.two.three 4"),
      30,
      ["hint:", bold("openclaw config set one.two.three 4")],
    ],
    ["has the lines that it has", title, "one\n  two", 40, ["error: one", "         two"]],
  ])("%s", (_, head, text, columns, lines) => expect(hang(head, text, columns)).toEqual(lines));

  it("comes to an end at every width, with no word lost or cut", () => {
    const words = fc.array(
      fc.constantFrom("a", "word", "日", "👩‍👧", "extraordinarily", "`openclaw x`", bold("b")),
    );
    fc.assert(
      fc.property(
        words,
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom("", "error: ", "  -h, --help        "),
        (parts, columns, head) => {
          const text = parts.join(" ");
          const shown = hang(head, text, columns).join("\n");
          const letters = (from: string): string => from.replaceAll(/[\s`]+/g, "");
          expect(letters(shown)).toBe(letters(head + text));
          for (const word of text.split(" ")) expect(shown).toContain(word.replaceAll("`", ""));
        },
      ),
    );
  });
});

describe("a word without an end", () => {
  it("is shown as it comes, and the next one begins a line", () => {
    const words = new WordWrap(20);
    const piece = "x".repeat(1000);
    let shown = "";
    for (let index = 0; index < 100; index += 1) shown += words.push(piece);
    expect(shown.length).toBeGreaterThan(90_000);
    expect(shown + words.push(" and more") + words.end()).toBe(`${piece.repeat(100)}\nand more`);
  });

  it("costs no more by the character, however long it is", () => {
    const words = new WordWrap(20);
    let shown = 0;
    for (let index = 0; index < 5000; index += 1) shown += words.push("é".repeat(1000)).length;
    shown += words.push(" ".repeat(1_000_000)).length + words.end().length;
    expect(shown).toBe(5_000_000);
  });
});

it("shows what would act on the terminal as what it is, and measures that", () => {
  expect(hang("error: ", `a${"\u001B[2A".repeat(3)} b`, 20)).toEqual(["error: a␛[2A␛[2A␛[2A", "  b"]);
  expect(wrapText("\u001B[31m\u001B[31m x\u200By", 10)).toEqual(["␛[31m␛[31m", "xy"]);
  expect(hang("", "a\u001B[2Ab", Number.POSITIVE_INFINITY)).toEqual(["a\u001B[2Ab"]);
});

/** Hints with their commands. */
const HINTS: readonly (readonly [hint: string, ...commands: string[]])[] = [
  ["Name the profile: export AWS_PROFILE=work", "export AWS_PROFILE=work"],
  [
    "Choose one from `openclaw models list --search claude`, then: openclaw models set MODEL",
    "openclaw models list --search claude",
    "openclaw models set MODEL",
  ],
  [
    "In a container on EC2, raise the hop limit: aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2",
    "aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2",
  ],
  ["Set some up with: aws configure   (on EC2, attach an instance role)", "aws configure"],
  [
    "Raise it (openclaw config set usage.budget.monthly 120), or pass it once: --ignore-budget",
    "openclaw config set usage.budget.monthly 120",
  ],
  [
    "Did you mean amazon.nova-lite-v1:0? Then: openclaw models set amazon-bedrock/amazon.nova-lite-v1:0",
    "openclaw models set amazon-bedrock/amazon.nova-lite-v1:0",
  ],
  [
    "openclaw config set models.bedrockDiscovery.region VALUE (or --force, to write it for another program)",
    "openclaw config set models.bedrockDiscovery.region VALUE",
  ],
  [
    "Move it out of the way: mv /home/me/.openclaw/openclaw.json /home/me/.openclaw/openclaw.json.old",
    "mv /home/me/.openclaw/openclaw.json /home/me/.openclaw/openclaw.json.old",
  ],
];

describe.each([20, 40, 60, 80])("a hint on %d columns", (columns) => {
  it.each(["hint: ", `${" ".repeat(28)}hint: `, ""])("has its commands in one piece, behind %j", (title) => {
    for (const [hint, ...commands] of HINTS)
      for (const styled of [hint, bold(hint)]) {
        const lines = hang(title, styled, columns);
        for (const command of commands)
          expect(
            lines.filter((line) => line.includes(command)),
            `${command}\n${lines.join("\n")}`,
          ).toHaveLength(1);
        if (styled !== hint) continue;
        // What does not fit stands alone.
        for (const line of lines.map((text) => text.trim()))
          if (line.includes(" ") && stringWidth(line) > columns) expect(commands).toContain(line);
      }
  });
});
