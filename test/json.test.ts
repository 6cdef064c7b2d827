import { anything, assert, jsonValue, object, property, string } from "fast-check";
import { expect, it } from "vitest";
import {
  countAt,
  isRecord,
  jsonBytes,
  recordAt,
  recordsAt,
  wellFormed,
  withoutUndefined,
} from "../src/json.ts";

it.each([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  ["text", false],
  [undefined, false],
])("says whether %j is an object", (value, expected) => expect(isRecord(value)).toBe(expected));

it("reads the objects under a name, and passes over what is none", () => {
  const holder = { one: { a: 1 }, many: [{ b: 2 }, null, [], "text", { c: 3 }], text: "text", none: null };
  expect(recordAt(holder, "one")).toBe(holder.one);
  expect(["many", "text", "none", "other"].map((name) => recordAt(holder, name))).toEqual([{}, {}, {}, {}]);
  expect(recordsAt(holder, "many")).toEqual([{ b: 2 }, { c: 3 }]);
  expect(["one", "text", "none", "other"].map((name) => recordsAt(holder, name))).toEqual([[], [], [], []]);
});

it.each([
  [0, 0],
  [7, 7],
  [-1, undefined],
  [1.5, undefined],
  [Number.NaN, undefined],
  [2 ** 53, undefined],
  ["7", undefined],
  [null, undefined],
])("takes %j for a count as %j", (value, count) => expect(countAt({ value }, "value")).toBe(count));

it("leaves keys without a value out, and every other value as it is", () => {
  const object = { a: undefined, b: null, c: 0, d: "", e: { f: undefined } };
  expect(Object.entries(withoutUndefined(object))).toEqual([
    ["b", null],
    ["c", 0],
    ["d", ""],
    ["e", { f: undefined }],
  ]);
});

it("puts U+FFFD in place of halves of characters, in names, too, and leaves all else as it is", () => {
  const bytes = new Uint8Array([1]);
  const value = { "a\ud83d": ["\udc69", "👩", 1, null, { b: "c\ud83d" }], bytes };
  expect(wellFormed(value)).toEqual({ "a\ufffd": ["\ufffd", "👩", 1, null, { b: "c\ufffd" }], bytes });
  const texts = string({ unit: "binary" });
  assert(
    property(object({ key: texts, values: [texts, anything()] }), (any) => {
      const mended = wellFormed(any);
      expect(JSON.stringify(mended).isWellFormed()).toBe(true);
      expect(JSON.stringify(mended)).not.toMatch(/(?<!\\)(?:\\\\)*\\ud[89a-f]/);
      expect(wellFormed(mended)).toBe(mended);
    }),
  );
});

it("tells how long a value is as JSON, but for escapes, and at most a comma for each part", () => {
  assert(
    property(jsonValue({ stringUnit: "grapheme" }), (value) => {
      const text = JSON.stringify(value);
      if (text.includes("\\")) return;
      const [own, parts] = [Buffer.byteLength(text), text.split(/[,:[{]/).length];
      const told = jsonBytes(value);
      expect(told).toBeGreaterThanOrEqual(own);
      expect(told).toBeLessThanOrEqual(own + 2 * parts);
    }),
  );
});

it.each([
  ["a", 1],
  ["é", 2],
  ["語", 3],
])("tells it of a text too long to be counted whole: %s", (character, bytes) => {
  const count = 9_000_000;
  expect(jsonBytes({ text: character.repeat(count) })).toBeGreaterThanOrEqual(count * bytes);
});
