import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBase64, readDataUrl } from "../../src/wires/data-url.ts";

describe("data URLs", () => {
  it("give back the bytes that were put in", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        const read = readDataUrl(`data:image/png;charset=x;base64,${text}`);
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
    ["data:image/png;base64,!!!", undefined],
    ["https://example.com", undefined],
    ["data:image/png", undefined],
  ])("%j is %j", (url, text) => {
    const read = readDataUrl(url);
    expect(read && Buffer.from(read.bytes).toString()).toBe(text);
  });

  it("take both alphabets of base64", () => {
    expect(readBase64("-_8=")).toEqual(readBase64("+/8="));
    expect(readBase64("a b*")).toBeUndefined();
  });
});
