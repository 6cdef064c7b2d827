import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  JsonBoundsError,
  JsonScan,
  MOST_DEPTH,
  MOST_FIELDS_OF_ONE,
  MOST_VALUES,
  parseBoundedJson,
} from "../src/json-bounds.ts";
import { parseInTurns } from "../src/parse-in-turns.ts";

/** What a scan finds, reached in the slow way: over the parsed value. */
function count(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const items = Object.values(value);
  return 1 + Math.max(items.length - 1, 0) + items.map(count).reduce((sum, each) => sum + each, 0);
}

function scanned(text: string, pieces: readonly number[] = []): number {
  const scan = new JsonScan();
  const bytes = Buffer.from(text);
  const cuts = [0, ...pieces.map((piece) => piece % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, cut] of cuts.entries()) scan.take(bytes.subarray(cuts[index - 1] ?? 0, cut));
  return scan.values;
}

describe("the scan of JSON", () => {
  it("counts what any document holds, wherever its bytes are cut", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (text, pieces) => {
        expect(scanned(text, pieces)).toBe(count(JSON.parse(text)));
      }),
    );
  });

  it("is not led astray by quotes, backslashes and brackets in texts", () => {
    const nasty = fc.string({
      unit: fc.constantFrom("\\", '"', "[", "{", "]", "}", ",", "é", "\n", "\u0001"),
    });
    fc.assert(
      fc.property(fc.array(nasty), fc.array(fc.nat(), { maxLength: 8 }), (texts, pieces) => {
        expect(scanned(JSON.stringify(texts), pieces)).toBe(count(texts));
      }),
    );
  });

  it("never fails on what is no JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("[", "]", "{", "}", '"', "\\", ",", "1") }), (text) => {
        expect(scanned(text)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it.each([
    ["arrays", "[".repeat(MOST_DEPTH), "]".repeat(MOST_DEPTH)],
    ["objects", '{"a":'.repeat(MOST_DEPTH) + "1", "}".repeat(MOST_DEPTH)],
  ])("takes %s of the greatest depth, and not one level more", (_, open, close) => {
    expect(parseBoundedJson(open + close)).toBeDefined();
    expect(() => parseBoundedJson(`[${open}${close}]`)).toThrow(JsonBoundsError);
  });

  it.each([
    ["nulls", "null"],
    ["objects", "{}"],
    ["pairs", '{"a":1,"b":2}'],
    ["texts", '"a"'],
  ])("refuses too many values of all kinds: %s", (_, item) => {
    expect(() => parseBoundedJson(`[${`${item},`.repeat(MOST_VALUES)}1]`)).toThrow(/more than 45000 values/);
  });

  it("takes an object of so many fields, and not one more, wherever it stands, and a list of more items", () => {
    const fields = (count: number): string =>
      `{${Array.from({ length: count }, (_, index) => `"${index}":[1,{}]`).join(",")}}`;
    for (const holder of [
      ["", ""],
      ["[1,2,", ",3]"],
      ['{"a":{"b":[],"c":', '},"d":1}'],
    ]) {
      const document = (count: number): string => `${holder[0]}${fields(count)}${holder[1]}`;
      expect(parseBoundedJson(document(MOST_FIELDS_OF_ONE))).toBeDefined();
      expect(() => parseBoundedJson(document(MOST_FIELDS_OF_ONE + 1))).toThrow(/more than 10000 fields/);
    }
    expect(parseBoundedJson(`[${"1,".repeat(MOST_FIELDS_OF_ONE * 2)}1]`)).toBeDefined();
  });

  it("counts on over several documents", async () => {
    const scan = new JsonScan();
    const half = Buffer.from(`[${"1,".repeat(MOST_VALUES / 2)}1]`);
    await parseInTurns(half, false, scan);
    await expect(parseInTurns(half, false, scan)).rejects.toThrow(JsonBoundsError);
  });

  it("bounds the bytes of several documents together, before it goes over them", async () => {
    const scan = new JsonScan(1000);
    const half = Buffer.from(JSON.stringify("a".repeat(498)));
    expect(await parseInTurns(half, false, scan)).toHaveLength(498);
    expect(await parseInTurns(half, false, scan)).toHaveLength(498);
    await expect(parseInTurns(Buffer.from("1"), false, scan)).rejects.toThrow("it has more than 1000 bytes");
  });

  it("refuses a number of a million digits, and takes a long text", () => {
    expect(() => parseBoundedJson("1".repeat(1_000_000))).toThrow(
      /number or word of more than 1000 characters/,
    );
    expect(parseBoundedJson(JSON.stringify("1,[{".repeat(1_000_000)))).toHaveLength(4_000_000);
  });

  it("goes over 30 MB of anything in less time than the parser needs", () => {
    const size = 30_000_000;
    const texts = [
      `["${"a".repeat(size)}"]`,
      `["${'\\"'.repeat(size / 2)}"]`,
      `["${"\\\\".repeat(size / 2)}"]`,
      " ".repeat(size),
    ];
    for (const text of texts) {
      const bytes = Buffer.from(text);
      const scan = new JsonScan();
      const started = performance.now();
      for (let place = 0; place < bytes.length; place += 65_536)
        scan.take(bytes.subarray(place, place + 65_536));
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });
});
