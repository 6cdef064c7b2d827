import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberOf, wellFormed } from "../src/json.ts";
import { JsonScan, parseBoundedExactly } from "../src/json-bounds.ts";
import { isRewritten, markedCopy, parseExactly, toJson, unmarked } from "../src/json-numbers.ts";
import { NUMBER } from "./helpers/json-numbers.ts";

/** JSON as JSON.stringify writes it, but for its numbers; and these in order. */
const { document } = fc.letrec<{ document: string; list: string; object: string }>((tie) => ({
  document: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    NUMBER,
    fc
      .oneof(
        fc.string({ unit: fc.constantFrom("1", ".", "0", "e", "\\", '"', ":", "-", "é", "\uD800") }),
        fc.boolean(),
        fc.constant(null),
      )
      .map((value) => JSON.stringify(value)),
    tie("list"),
    tie("object"),
  ),
  list: fc.array(tie("document")).map((items) => `[${(items as string[]).join(",")}]`),
  object: fc
    .uniqueArray(
      fc.tuple(
        fc.string().map((name) => `n${name}`),
        tie("document"),
      ),
      {
        selector: ([name]) => name,
      },
    )
    .map(
      (members) =>
        `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value as string}`).join(",")}}`,
    ),
}));

describe("numbers as they were written", () => {
  it("are found beside a text of very many escapes, and behind the quotes in it", () => {
    const text = `{"b":"${String.raw`\n\"1.0\\`.repeat(2_000_000)}","a":1.0}`;
    expect(toJson(parseExactly(text)) === text).toBe(true);
  });

  it("are there to the digit when a document is written again, and JavaScript's to all others", () => {
    fc.assert(
      fc.property(document, (text) => {
        const value = parseExactly(text);
        expect(toJson(value)).toBe(text);
        expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
        expect(toJson(parseExactly(toJson(value, undefined, 2)))).toBe(text);
        expect(toJson(parseBoundedExactly(text.padEnd(300)))).toBe(text);
        expect(unmarked(JSON.stringify(markedCopy(value)))).toBe(text);
        expect(toJson(wellFormed([value, "\uD800"]))).toBe(toJson([wellFormed(value), "\uFFFD"]));
      }),
    );
  });

  it("are found by the scan wherever its bytes are cut, and nothing else is", () => {
    fc.assert(
      fc.property(document, fc.array(fc.nat(), { maxLength: 8 }), (text, pieces) => {
        const scan = new JsonScan();
        const bytes = Buffer.from(`[${text}]`);
        const cuts = [0, ...pieces.map((piece) => piece % bytes.length).sort((a, b) => a - b), bytes.length];
        for (const [index, cut] of cuts.entries()) scan.take(bytes.subarray(cuts[index - 1] ?? 0, cut));
        expect(scan.changesNumbers).toBe(`[${text}]` !== JSON.stringify(JSON.parse(`[${text}]`)));
      }),
    );
  });

  it.each([
    "{1.0:2}",
    "{1.0 :[2.0]}",
    "[01.0]",
    "[1.]",
    "[-]",
    "[1.0 2.0]",
    '["1.0',
    '["\\',
    "[1.0,]",
    "1e400x",
  ])("make no JSON of %s, and what is wrong is told of it as it came", (text) => {
    expect(() => parseExactly(text)).toThrow(expect.objectContaining({ name: "SyntaxError" }));
    let message = "";
    try {
      JSON.parse(text);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(() => parseExactly(text)).toThrow(message);
  });

  it("are numbers to whoever asks what they are, and to a replacer what they are", () => {
    const [value] = parseExactly("[12345678901234567890]") as [unknown];
    expect([numberOf(value), String(value), numberOf("1.0")]).toEqual([
      12345678901234567000,
      "12345678901234567890",
      undefined,
    ]);
    expect(
      toJson({ value, text: "long" }, (_, item) => (typeof item === "string" ? item.slice(0, 2) : item)),
    ).toBe('{"value":12345678901234567890,"text":"lo"}');
  });

  it("differ from those that JavaScript writes in the same way", () => {
    expect(["0", "-1", "0.1", "1e+21", "9007199254740991", "true", "1.", ""].filter(isRewritten)).toEqual([]);
    fc.assert(fc.property(fc.double({ noNaN: true }), (value) => !isRewritten(String(value))));
    // As long as any that JavaScript writes, and one digit longer.
    expect(isRewritten("-0.0000012345678901234567")).toBe(false);
    expect(isRewritten("-0.00000123456789012345678")).toBe(true);
  });
});
