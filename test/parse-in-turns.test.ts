import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonBoundsError, LONGEST_CALL } from "../src/json-bounds.ts";
import { toJson } from "../src/json-numbers.ts";
import { parseCallInTurns, parseInTurns } from "../src/parse-in-turns.ts";

const LONG = 70_000;
const row = { id: "a", texts: ["日本\n", "x".repeat(400)], more: { deep: [1, null, true] } };

describe("parseInTurns", () => {
  it.each<[string, unknown]>([
    ["a list of rows", { data: Array.from({ length: 3000 }, (_, index) => ({ ...row, index })) }],
    ["lists in a list", [[Array.from({ length: 20_000 }, () => "abc"), []]]],
    ["rows that are lists", { data: Array.from({ length: 30_000 }, (_, index) => [index, [], {}]) }],
    ["a row that is long", { data: [{ text: "é".repeat(LONG) }, row] }],
    ["objects where rows could be", { data: { one: { ...row }, other: { text: "a".repeat(LONG) } } }],
    ["a text of escapes", { text: '\\"\n\u2028'.repeat(LONG) }],
  ])("makes of %s what JSON.parse makes", async (_, value) => {
    const text = JSON.stringify(value);
    expect(text.length).toBeGreaterThan(65_536);
    expect(await parseInTurns(Buffer.from(text))).toEqual(value);
  });

  it.each([
    ["short", 0],
    ["long", LONG],
  ])("reads %s JSON behind a byte order mark, and refuses a second mark", async (_, length) => {
    const json = `{"id":12345678901234567890,"pad":"${"x".repeat(length)}"}`;
    for (const isExact of [false, true]) {
      const value = await parseInTurns(Buffer.from(json), isExact);
      expect(await parseInTurns(Buffer.from(`\uFEFF${json}`), isExact)).toEqual(value);
      await expect(parseInTurns(Buffer.from(`\uFEFF\uFEFF${json}`), isExact)).rejects.toThrow(SyntaxError);
    }
  });

  it("makes of any JSON what JSON.parse makes, and refuses what it refuses", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.nat(), fc.boolean(), async (json, cut, isCut) => {
        const padded = `{"data":[${json},${json}],"pad":"${"x".repeat(LONG)}"}`;
        const text = isCut ? padded.slice(0, cut % 60) + padded.slice((cut % 60) + 1) : padded;
        const read = (): unknown => JSON.parse(text);
        let expected: unknown;
        try {
          expected = read();
        } catch {
          await expect(parseInTurns(Buffer.from(text))).rejects.toThrow(SyntaxError);
          return;
        }
        expect(await parseInTurns(Buffer.from(text))).toEqual(expected);
      }),
    );
  });

  it("lets others have their turn while it reads numbers that JavaScript would change", async () => {
    const numbers = Array.from({ length: 30_000 }, (_, index) => `9007199254740993${index}`);
    const text = `{"n":[${numbers.join(",")}]}`;
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    count();
    const value = await parseCallInTurns(text);
    isOver = true;
    expect(toJson(value)).toBe(text);
    expect(turns).toBeGreaterThan(5);
    expect(await parseCallInTurns("{")).toBeUndefined();
    expect(await parseCallInTurns(`"${"x".repeat(LONGEST_CALL)}"`)).toBeUndefined();
  });

  it.each([
    ["values outside of rows", `[${"[],".repeat(50_000)}0]`],
    ["values in rows", `{"data":[${`[${"0,".repeat(5000)}0],`.repeat(100)}0]}`],
    ["levels", "[".repeat(300) + "]".repeat(300)],
    ["escapes", `"${"\\n".repeat(3_000_001)}"`],
  ])("builds nothing of too many %s", async (_, text) => {
    await expect(parseInTurns(Buffer.from(text))).rejects.toThrow(JsonBoundsError);
  });
});
