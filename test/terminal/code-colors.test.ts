import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { colorerOf, LANGUAGE_NAMES, loadLanguages } from "../../src/terminal/code-colors.ts";
import { plainStyle, type Style, styleFor } from "../../src/terminal/color.ts";
import { isThorough } from "../helpers/thorough.ts";

/** Each look as a letter in brackets, so that a test reads what a person sees. */
const LETTERS: Partial<Record<keyof Style, string>> = {
  magenta: "k",
  green: "s",
  cyan: "c",
  dim: "d",
  bold: "b",
  red: "r",
};
const tags = Object.fromEntries(
  Object.keys(plainStyle).map((name) => {
    const letter = LETTERS[name as keyof Style] ?? name;
    return [name, (text: string) => (text === "" ? "" : `<${letter}>${text}</${letter}>`)];
  }),
) as Style;

function colored(language: string, code: string, style = tags): string {
  const color = colorerOf(language, style);
  return code
    .split("\n")
    .map((line) => color?.(line) ?? line)
    .join("\n")
    .replaceAll(/<\/(\w)><\1>/g, "");
}

beforeAll(() => loadLanguages(LANGUAGE_NAMES));

describe("the colours of code", () => {
  it.each([
    ["js", "let a = `b ${c}`; // d", "<k>let</k> a = <s>`b </s>${c}<s>`</s>; <d>// d</d>"],
    [
      "tsx",
      'const a = <B c="d">e</B>;',
      '<k>const</k> a = <<k>B</k> <c>c</c>=<s>"d"</s>><s>e</s></<k>B</k>>;',
    ],
    ["ts", "function f(a: number) {}", "<k>function</k> f(a: <k>number</k>) {}"],
    ["py", "def f(): # a\n    return 'b'", "<k>def</k> f(): <d># a</d>\n    <k>return</k> <s>'b'</s>"],
    [
      "bash",
      'if true; then echo "a"; fi # b',
      '<k>if</k> true; <k>then</k> <c>echo</c> <s>"a"</s>; <k>fi</k> <d># b</d>',
    ],
    ["json", '{"a": [1, true, "b"]}', '{"a": [<c>1</c>, <c>true</c>, <s>"b"</s>]}'],
    ["yaml", "a: 'b' # c", "<c>a</c><k>:</k> <s>'b'</s> <d># c</d>"],
    ["go", 'var s string = "a"', '<k>var</k> s <c>string</c> = <s>"a"</s>'],
    ["rust", "let mut a = 1;", "<k>let</k> <k>mut</k> a = <c>1</c>;"],
    ["sql", "SELECT a FROM b -- c", "<k>SELECT</k> a <k>FROM</k> b <d>-- c</d>"],
    [
      "diff",
      "--- a\n+++ b\n@@ -1 +1 @@\n--- c\n+d\n e",
      "<b>--- a</b>\n<b>+++ b</b>\n<c>@@ -1 +1 @@</c>\n<r>--- c</r>\n<s>+d</s>\n e",
    ],
    [
      "patch",
      "diff --git a b\nindex 1..2\n-c\ndiff --git d e\n--- d",
      "<b>diff --git a b</b>\n<b>index 1..2</b>\n<r>-c</r>\n<b>diff --git d e</b>\n<b>--- d</b>",
    ],
  ])("are those of %s", (language, code, shown) => {
    expect(colored(language, code)).toBe(shown);
  });

  it.each([
    [
      "a comment of TypeScript",
      "ts",
      "/* a\nlet b\n*/ let c",
      "<d>/* a</d>\n<d>let b</d>\n<d>*/</d> <k>let</k> c",
    ],
    ["a comment of C", "c", "/* a\nint b\n*/ int c;", "<d>/* a</d>\n<d>int b</d>\n<d>*/</d> <k>int</k> c;"],
    ["a template", "js", "`a\nlet b\n` + 1", "<s>`a</s>\n<s>let b</s>\n<s>`</s> + <c>1</c>"],
    ["a text of Python", "py", '"""a\ndef b\n"""; 1', '<s>"""a</s>\n<s>def b</s>\n<s>"""</s>; <c>1</c>'],
    ["a text of Go", "go", "`a\nvar b\n` 1", "<s>`a</s>\n<s>var b</s>\n<s>`</s> <c>1</c>"],
    [
      "a document of a shell",
      "sh",
      "cat <<E\nif b\nE\nif",
      "cat <c><<E</c>\n<s>if b</s>\n<c>E</c>\n<k>if</k>",
    ],
    ["a comment of HTML", "html", "<!-- a\n<b>\n--> <i>", "<d><!-- a</d>\n<d><b></d>\n<d>--></d> <<k>i</k>>"],
    [
      "a script in HTML",
      "html",
      "<script>\nlet a\n</script>",
      "<<k>script</k>>\n<k>let</k> a\n</<k>script</k>>",
    ],
    ["a comment with an empty line", "java", "/* a\n\nint */ int", "<d>/* a</d>\n\n<d>int */</d> <k>int</k>"],
  ])("go on over lines: %s", (_, language, code, shown) => {
    expect(colored(language, code)).toBe(shown);
  });

  it("are there for every name, and not for others", () => {
    for (const name of LANGUAGE_NAMES) expect(colorerOf(name, plainStyle), name).toBeDefined();
    for (const name of ["", "text", "txt", "console", "nosuch", "constructor", "__proto__"])
      expect(colorerOf(name, plainStyle), name).toBeUndefined();
  });

  it("are of one piece of code, and of no other", () => {
    const [one, other] = [colorerOf("c", tags), colorerOf("c", tags)];
    expect(one?.("/* a")).toBe("<d>/* a</d>");
    expect(other?.("int")).toBe("<k>int</k>");
    expect(one?.("int")).toBe("<d>int</d>");
  });

  it("change nothing else, whatever the code", () => {
    const line = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          ..."/* */ // # -- <!-- --> ' \" ` ''' \"\"\" ${ } { ( ) [ ] < > </ \\ = => :: @ <<E E def if function class 0 1.5e3 é 日".split(
            " ",
          ),
          " ",
          "\t",
          "a".repeat(250),
        ),
      ),
      { maxLength: 12 },
    );
    const looks = (shown: string): string => shown.replaceAll(/\u001B\[[\d;]+m/g, "");
    fc.assert(
      fc.property(fc.constantFrom(...LANGUAGE_NAMES), fc.array(line, { maxLength: 6 }), (language, lines) => {
        const code = lines.map((parts) => parts.join("").replaceAll(/[\n\u001B]/g, "")).join("\n");
        expect(looks(colored(language, code, styleFor(1)))).toBe(code);
      }),
      { numRuns: isThorough ? 50_000 : 2000 },
    );
  });

  it.each(["js", "tsx", "html", "php", "scss", "ruby", "swift", "kotlin"])(
    "cost no more by the line where %s goes in and in",
    (name) => {
      const color = colorerOf(name, plainStyle);
      const timeOf = (count: number): number => {
        const begun = performance.now();
        for (let line = 0; line < count; line += 1) color?.('`${"#{f(<a b={{[(');
        return performance.now() - begun;
      };
      const first = timeOf(2000);
      timeOf(4000);
      expect(timeOf(2000), `${first} ms for the first`).toBeLessThan(Math.max(8 * first, 1000));
    },
  );

  it.each([
    ["digits", "0".repeat(1000)],
    ["letters", "a".repeat(1000)],
    ["words in a row", "a1 ".repeat(333)],
    ["exponents", "1e".repeat(500)],
    ["brackets", "(".repeat(1000)],
    ["quotes", "\"'".repeat(500)],
    ["tags", '<a b="'.repeat(160)],
    ["spaces", " ".repeat(1000)],
    ["backslashes", "\\".repeat(1000)],
    ["operators", "-->=<".repeat(200)],
  ])("take little time in every language for a line of %s", (_, line) => {
    for (const name of LANGUAGE_NAMES) {
      const color = colorerOf(name, plainStyle);
      const begun = performance.now();
      for (let count = 0; count < 5; count += 1) color?.(`${line}x`);
      // Rules that try every way to read a line take seconds for one of these.
      expect(performance.now() - begun, name).toBeLessThan(1000);
    }
  });
});
