import { expect, it } from "vitest";
import { isRecord, withoutUndefined } from "../src/json.ts";

it.each([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  ["text", false],
  [undefined, false],
])("says whether %j is an object", (value, expected) => expect(isRecord(value)).toBe(expected));

it("leaves keys without a value out, and every other value as it is", () => {
  const object = { a: undefined, b: null, c: 0, d: "", e: { f: undefined } };
  expect(Object.entries(withoutUndefined(object))).toEqual([
    ["b", null],
    ["c", 0],
    ["d", ""],
    ["e", { f: undefined }],
  ]);
});
