import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ThinkTags } from "../../src/wires/think-tags.ts";

/** Reasoning and text of content that comes in these pieces. */
function read(pieces: readonly string[], mayBeginInside = false): { reasoning: string; text: string } {
  const tags = new ThinkTags(mayBeginInside);
  const all = [...pieces.flatMap((piece) => tags.take(piece)), ...tags.end()];
  const joined = (kind: string): string =>
    all.flatMap((piece) => (piece.kind === kind ? [piece.text] : [])).join("");
  return { reasoning: joined("reasoning").trim(), text: joined("text") };
}

const EITHER: [name: string, content: string, reasoning: string, text: string][] = [
  ["DeepSeek's", "<think>\nHm.\n</think>\n\nFour.", "Hm.", "Four."],
  ["blanks before", "\n\n <think>Hm.</think>Four.", "Hm.", "Four."],
  ["another word", "<thinking>Hm.</thinking>Four.", "Hm.", "Four."],
  ["a third word", "<reasoning>Hm.</reasoning>Four.", "Hm.", "Four."],
  ["Gemma's", "<thought>Hm.</thought>Four.", "Hm.", "Four."],
  ["Kimi's", "◁think▷Hm.◁/think▷Four.", "Hm.", "Four."],
  ["Magistral's", "[THINK]Hm.[/THINK]Four.", "Hm.", "Four."],
  ["Seed-OSS's", "<seed:think>Hm.</seed:think>Four.", "Hm.", "Four."],
  ["capitals", "<Think>Hm.</THINK>Four.", "Hm.", "Four."],
  ["capitals that have longer small letters", "<think>İİİ</think>İ Four.", "İİİ", "İ Four."],
  ["reasoning of no words", "<think>\n\n</think>\n\nFour.", "", "Four."],
  ["reasoning in two parts", "<think>Hm.</think>\n<think>Hm!</think>\nFour.", "Hm.Hm!", "Four."],
  ["no end", "<think>Hm. And", "Hm. And", ""],
  ["an end that is cut off", "<think>Hm.</thi", "Hm.</thi", ""],
  ["nothing behind", "<think>Hm.</think>\n", "Hm.", ""],
  ["another tag within", "<think>a <b> </thinking> c</think>Four.", "a <b> </thinking> c", "Four."],
  ["a second tag in the text", "<think>Hm.</think>Four.\n<think>x</think>", "Hm.", "Four.\n<think>x</think>"],
  ["tags in prose", "Models write <think> and </think>.", "", "Models write <think> and </think>."],
  ["tags in a code fence", "```\n<think>x</think>\n```\n", "", "```\n<think>x</think>\n```\n"],
  [
    "tags between backticks",
    "`<think>` begins it, `</think>` ends it.",
    "",
    "`<think>` begins it, `</think>` ends it.",
  ],
  ["another element", "<thinker>x</thinker>", "", "<thinker>x</thinker>"],
  ["half a tag", "<thin", "", "<thin"],
  ["blanks alone", " \n", "", " \n"],
  ["blanks before a text", "\n\n  Four.", "", "\n\n  Four."],
  ["no reasoning", "Four.", "", "Four."],
  ["nothing", "", "", ""],
  ["an end alone", "</think>\n\nFour.", "", "Four."],
  ["a tag with an attribute", "<think id=1>Hm.</think>Four.", "Hm.", "Four."],
  ["a tag with several", "<thinking type=\"deep\" n='2'>\nHm.</thinking>Four.", "Hm.", "Four."],
  ["a tag that is cut off", "<think id=", "", "<think id="],
  ["Gemma 4's", "<|channel>thought\nHm.<channel|>Four.", "Hm.", "Four."],
  [
    "Command A's",
    "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Four.<|END_RESPONSE|>",
    "Hm.",
    "Four.",
  ],
  [
    "gpt-oss's channels",
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>",
    "Hm.",
    "Four.",
  ],
  [
    "its channels behind a role",
    "<|start|>assistant<|channel|>analysis<|message|>Hm.<|end|>\n<|start|>assistant<|channel|>final<|message|>Four.",
    "Hm.",
    "Four.",
  ],
  [
    "its channels without marks of an end",
    "<|channel|>analysis<|message|>Hm.<|channel|>final<|message|>Four.",
    "Hm.",
    "Four.",
  ],
  [
    "its channels without marks of a message",
    "<|channel|>analysis Hm. <|channel|>final Four.",
    "Hm.",
    "Four.",
  ],
  [
    "its calls",
    "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|><|channel|>final<|message|>Four.",
    "{}",
    "Four.",
  ],
  ["its answer alone", "<|channel|>final<|message|>Four.", "", "Four."],
  [
    "its marks in the answer",
    "<|channel|>final<|message|>`<|end|>` ends it.<|return|>",
    "",
    "`<|end|>` ends it.",
  ],
  ["another channel", "<|channel|>other<|message|>x", "", "<|channel|>other<|message|>x"],
  [
    "the tag with an attribute in prose",
    "So <think id=1> and </think>.",
    "",
    "So <think id=1> and </think>.",
  ],
];

describe("reasoning in content", () => {
  test.each(EITHER)("%s", (_, content, reasoning, text) => {
    expect(read([content])).toEqual({ reasoning, text });
    expect(read([content], true)).toEqual({ reasoning, text });
    expect(read(Array.from(content))).toEqual({ reasoning, text });
    expect(read(Array.from(content), true)).toEqual({ reasoning, text });
  });

  const INSIDE: typeof EITHER = [
    ["on a line of its own", "Hm.\n</think>\n\nFour.", "Hm.", "Four."],
    ["in a line", "Hm.</think>Four.", "Hm.", "Four."],
    ["Kimi's", "Hm.◁/think▷Four.", "Hm.", "Four."],
    [
      "of a channel",
      "Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>",
      "Hm.",
      "Four.",
    ],
    ["missing before the next channel", "Hm.<|channel|>final<|message|>Four.", "Hm.", "Four."],
    ["behind code", "Hm.\n```\nx\n```\n</think>\nFour.", "Hm.\n```\nx\n```", "Four."],
    ["in code", "```\n</think>\n```\nFour.", "", "```\n</think>\n```\nFour."],
    ["between backticks", "The tag `</think>` ends it.", "", "The tag `</think>` ends it."],
  ];
  test.each(INSIDE)("without an opening tag, the closing one %s", (_, content, reasoning, text) => {
    expect(read([content], true)).toEqual({ reasoning, text });
    expect(read(Array.from(content), true)).toEqual({ reasoning, text });
    // Whoever has passed it on already cannot take it back.
    expect(read([content])).toEqual({ reasoning: "", text: content });
  });

  it("is no more looked for without an opening tag where the server sends it by itself", () => {
    const tags = new ThinkTags(true);
    tags.setApart();
    expect(tags.take("Four.</think>")).toEqual([{ kind: "text", text: "Four.</think>" }]);
  });

  it("tells at once what is text, and says that something comes while it cannot tell", () => {
    expect(new ThinkTags(false).take("Four")).toEqual([{ kind: "text", text: "Four" }]);
    const held = new ThinkTags(true);
    expect(held.take("Hm")).toContainEqual({ kind: "reasoning", text: "" });
    expect(held.take(".")).toEqual([{ kind: "reasoning", text: "" }]);
  });

  it("is the same however the content is cut, and loses no word", () => {
    const word = fc.constantFrom(
      "<think>",
      "</think>",
      "<thi",
      "nk>",
      "◁think▷",
      "◁/think▷",
      "<think id=1>",
      "<|channel|>analysis",
      "<|channel|>final",
      "<|start|>assistant",
      "<|message|>",
      "<|end|>",
      "<|return|>",
      "```\n",
      "`",
      "\n",
      " ",
      "a",
      "é",
      "İ",
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.array(fc.nat(8), { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        (words, cuts, mayBeginInside) => {
          const content = words.join("");
          const pieces: string[] = [];
          let at = 0;
          for (let nth = 0; at < content.length; nth += 1) {
            const length = 1 + (cuts[nth % cuts.length] ?? 0);
            pieces.push(content.slice(at, at + length));
            at += length;
          }
          const whole = read([content], mayBeginInside);
          expect(read(pieces, mayBeginInside)).toEqual(whole);
          const letters = (text: string): string => text.replaceAll(/[^éİ]/g, "");
          expect([...letters(whole.reasoning + whole.text)].sort()).toEqual([...letters(content)].sort());
        },
      ),
      { numRuns: 2000 },
    );
  });
});
