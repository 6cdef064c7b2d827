import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replacement, splitLine } from "../../src/completion/split-line.ts";

/** bash's own COMP_WORDBREAKS. */
const BREAKS = " \t\n\"'><=;|&(:";

describe("splitLine", () => {
  it.each<[line: string, words: string[], current: string, replaced: string, quote: string]>([
    ["openclaw ", [], "", "", ""],
    ["openclaw mod", [], "mod", "mod", ""],
    ["openclaw models  list ", ["models", "list"], "", "", ""],
    ["openclaw chat -m us.amazon.nova-lite-v1:", ["chat", "-m"], "us.amazon.nova-lite-v1:", "", ""],
    [
      "openclaw chat -m us.amazon.nova-lite-v1:0,us",
      ["chat", "-m"],
      "us.amazon.nova-lite-v1:0,us",
      "0,us",
      "",
    ],
    ["openclaw --region=us-", [], "--region=us-", "us-", ""],
    ["openclaw chat -m a\\:b", ["chat", "-m"], "a:b", "a:b", ""],
    ["openclaw chat -m 'a:b'c", ["chat", "-m"], "a:bc", "a:bc", ""],
    ["openclaw chat -m 'a:b", ["chat", "-m"], "a:b", "a:b", "'"],
    ['openclaw chat -m x:"a:b', ["chat", "-m"], "x:a:b", "a:b", '"'],
    ['openclaw chat "two words" th', ["chat", "two words"], "th", "th", ""],
    ["openclaw chat two\\ wo", ["chat"], "two wo", "two wo", ""],
    ['openclaw chat "a \\" b" c', ["chat", 'a " b'], "c", "c", ""],
    ["openclaw chat 'it'\\''s' c", ["chat", "it's"], "c", "c", ""],
    ["AWS_PROFILE=dev X=1 openclaw models ", ["models"], "", "", ""],
    ["openclaw config get models\\[a", ["config", "get"], "models[a", "models[a", ""],
    ["openclaw chat ''", ["chat"], "", "", ""],
    ["openclaw chat \\", ["chat"], "", "", ""],
    ["", [], "", "", ""],
  ])("%j", (line, words, current, replaced, quote) => {
    const split = splitLine(line, BREAKS);
    expect(split).toMatchObject({ words, current, quote });
    expect(current.slice(split.replacedFrom)).toBe(replaced);
  });

  it("breaks words where the person has told bash to", () => {
    const line = "openclaw chat -m us.amazon.nova-lite-v1:0";
    expect(splitLine(line, " \t\n").replacedFrom).toBe(0);
  });

  it("takes any line apart and puts any word back as it was", () => {
    const word = fc.string({ unit: fc.constantFrom(..."ab:=.-[]\"'\\$ ,/~`"), minLength: 1 });
    fc.assert(
      fc.property(fc.array(word), word, (words, last) => {
        const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
        const line = ["openclaw", ...words.map(quoted), quoted(last)].join(" ");
        const split = splitLine(line, BREAKS);
        expect(split.words).toEqual(words);
        expect(split.current).toBe(last);
      }),
    );
  });
});

describe("replacement", () => {
  it.each<[line: string, value: string, expected: string]>([
    ["openclaw mod", "models", "models"],
    ["openclaw chat -m us.amazon.nova-lite-v1:", "us.amazon.nova-lite-v1:0", "0"],
    ["openclaw --region=us-", "--region=us-east-1", "us-east-1"],
    ["openclaw --provider ", "AI21 Labs", "AI21\\ Labs"],
    ["openclaw --provider 'AI", "AI21 Labs", "AI21 Labs"],
    ['openclaw --provider "AI', "AI21 Labs", "AI21 Labs"],
    ["openclaw config get a", 'a["b $c`"]', 'a\\[\\"b\\ \\$c\\`\\"\\]'],
    ['openclaw config get "a', 'a["b $c`"]', 'a[\\"b \\$c\\`\\"]'],
    ["openclaw config get 'a", "a['b']", "a['\\''b'\\'']"],
  ])("%j becomes %j by %j", (line, value, expected) => {
    expect(replacement(value, splitLine(line, BREAKS))).toBe(expected);
  });

  it("leaves a line that reads as the value", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab:=.-[]\"'\\$ ,/`"), minLength: 1 });
    fc.assert(
      fc.property(text, fc.nat(), fc.constantFrom("", "'", '"'), (value, at, quote) => {
        // The person has typed the beginning of the value without any quotes, or behind an open one.
        const typed = value.slice(0, at % (value.length + 1));
        fc.pre(/^[ab.,/=:-]*$/.test(typed));
        const line = `openclaw chat ${quote}${typed}`;
        const split = splitLine(line, BREAKS);
        const kept = line.slice(0, line.length - (split.current.length - split.replacedFrom));
        expect(splitLine(kept + replacement(value, split) + quote, BREAKS).current).toBe(value);
      }),
    );
  });
});
