import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBase64, readDataUrl } from "../../src/wires/data-url.ts";

describe("data URLs", () => {
  it("give back the bytes that were put in", () => {
    return fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        const read = await readDataUrl(`data:image/png;charset=x;base64,${text}`);
        expect(read?.mediaType).toBe("image/png");
        expect(Buffer.from(read?.bytes ?? []).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  it.each([
    ["data:,a%20b", "a b"],
    ["data:text/plain;charset=utf-8,caf%C3%A9", "café"],
    ["DATA:text/plain;BASE64,aGk", "hi"],
    ["data:;base64,aG\nk=", "hi"],
    ["data:;base64, a\tG\r\nk\f= ", "hi"],
    ["data:text/plain,%zz", undefined],
    ["data:text/plain,a%4", undefined],
    ["data:text/plain,%C3%", undefined],
    ["data:text/plain,%E9", undefined],
    ["data:image/png;base64,!!!", undefined],
    ["https://example.com", undefined],
    ["data:image/png", undefined],
  ])("%j is %j", async (url, text) => {
    const read = await readDataUrl(url);
    expect(read && Buffer.from(read.bytes).toString()).toBe(text);
  });

  it("take both alphabets of base64", async () => {
    expect(await readBase64("-_8=")).toEqual(await readBase64("+/8="));
    expect(await readBase64("a b*")).toBeUndefined();
  });

  // As long as what is read in one go, a little less, and much longer.
  const PIECE = 1024 * 1024;
  const wide = (text: string): string => text.replaceAll(/.{1,76}/g, "$&\r\n");
  it.each([
    ["a piece", (PIECE * 3) / 4],
    ["a piece and a byte", (PIECE * 3) / 4 + 1],
    ["a piece and two", (PIECE * 3) / 4 + 2],
    ["several pieces", PIECE * 3 + 100],
  ])("read %s like all at once, with blanks or without", async (_, length) => {
    const bytes = randomBytes(length);
    const text = bytes.toString("base64");
    const bare = bytes.toString("base64url");
    for (const written of [text, bare, wide(text), wide(bare), ` ${text}\n`, text.replace("=", " =")])
      expect(bytes.equals((await readBase64(written)) ?? Buffer.of())).toBe(true);
    for (const at of [0, 1, PIECE - 1, PIECE, PIECE + 1, text.length - 3]) {
      for (const odd of ["!", "é", "日", "=A"]) {
        const damaged = text.slice(0, at) + odd + text.slice(at + odd.length);
        expect([at, odd, await readBase64(damaged)]).toEqual([at, odd, undefined]);
        expect([at, odd, await readBase64(wide(damaged))]).toEqual([at, odd, undefined]);
      }
    }
    expect(await readBase64(`${text}${"=".repeat(3)}`)).toBeUndefined();
    expect(await readBase64(`${text}\n${"A".repeat(PIECE)}=\nQQ==`)).toBeUndefined();
  });

  it("let others have their turn while they read a long one", async () => {
    for (const text of [" A".repeat(10 * PIECE), `data:,${"%41".repeat(5 * PIECE)}`]) {
      let turns = 0;
      const beat = setInterval(() => (turns += 1), 0);
      await (text.startsWith("data:") ? readDataUrl(text) : readBase64(text));
      clearInterval(beat);
      expect(turns).toBeGreaterThan(2);
    }
  });
});
