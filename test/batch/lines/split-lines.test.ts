import { array, assert, asyncProperty, constantFrom, integer } from "fast-check";
import { describe, expect, it } from "vitest";
import { LineIds } from "../../../src/batch/lines/line-ids.ts";
import { splitLines } from "../../../src/batch/lines/split-lines.ts";
import type { RawLine } from "../../../src/disk/line-cutter.ts";

async function linesOf(chunks: readonly Buffer[], most?: number): Promise<RawLine[]> {
  async function* stream(): AsyncGenerator<Buffer> {
    yield* chunks;
  }
  const lines: RawLine[] = [];
  for await (const line of splitLines(stream(), most)) lines.push(line);
  return lines;
}

const texts = async (text: string): Promise<string[]> =>
  (await linesOf([Buffer.from(text)])).map(({ bytes }) => bytes.toString());

describe("the lines of a file", () => {
  it.each([
    ["", []],
    ["\n", [""]],
    ["one", ["one"]],
    ["one\ntwo\n", ["one", "two"]],
    ["one\r\ntwo\r\n", ["one", "two"]],
    ["one\n\n\ntwo", ["one", "", "", "two"]],
    ["\uFEFFone\n\uFEFFtwo", ["one", "\uFEFFtwo"]],
    ["\uFEFF", [""]],
    ["a\rb\u2028c\n", ["a\rb\u2028c"]],
  ])("of %j", async (text, expected) => {
    expect(await texts(text)).toEqual(expected);
  });

  it("are the same however the bytes come, and lie where they say", async () => {
    const piece = constantFrom("a", "é", "\n", "\r\n", "\r", "\uFEFF", "x".repeat(9), "𝄞");
    const text = array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));
    await assert(
      asyncProperty(text, array(integer({ min: 1, max: 7 }), { minLength: 1 }), async (all, sizes) => {
        const bytes = Buffer.from(all);
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const [split, whole] = [await linesOf(chunks, 8), await linesOf([bytes], 8)];
        expect(split).toEqual(whole);
        for (const [index, { number, offset, length, isTooLong }] of whole.entries()) {
          expect([number, isTooLong]).toEqual([index + 1, length > 8]);
          expect(bytes.subarray(offset, offset + length).includes(0x0a)).toBe(false);
          expect(bytes[offset + length] ?? 0x0a).toBe(0x0a);
        }
      }),
    );
  });

  it("hold of one that is too long its beginning alone", async () => {
    const chunk = Buffer.alloc(64 * 1024, "x");
    const lines = await linesOf([...Array<Buffer>(100).fill(chunk), Buffer.from("\nnext")], 1000);
    expect(lines.map(({ length, isTooLong }) => [length, isTooLong])).toEqual([
      [100 * 64 * 1024, true],
      [4, false],
    ]);
    expect(lines[0]?.bytes.length).toBe(1000);
  });
});

describe("the ids of lines", () => {
  it("tell which line had one before, through every growth", () => {
    const ids = new LineIds();
    const most = 20_000;
    for (let line = 1; line <= most; line++) expect(ids.add(`id-${line}`, line)).toBeUndefined();
    for (const line of [1, 2, 511, 512, 513, 9999, most])
      expect(ids.add(`id-${line}`, most + line)).toBe(line);
  });
});
