import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readBytes } from "../src/read-bytes.ts";

const limit = { most: 4, tooLong: (length: number) => new RangeError(`${length} bytes`) };

describe("reading a stream", () => {
  it.each([
    ["nothing", [], ""],
    ["bytes", [Buffer.from("on"), new Uint8Array([0x65])], "one"],
    ["text and bytes", ["é", Buffer.from("s")], "és"],
  ])("brings %s", async (_, chunks, text) => {
    expect((await readBytes(Readable.from(chunks))).toString()).toBe(text);
  });

  it("takes as much as the limit says, in bytes", async () => {
    expect((await readBytes(Readable.from(["éé"]), limit)).toString()).toBe("éé");
    await expect(readBytes(Readable.from(["éé", "s"]), limit)).rejects.toThrow("5 bytes");
  });

  it("reads no further than the limit, and ends the stream there", async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield "abc";
      })(),
    );
    await expect(readBytes(endless, limit)).rejects.toThrow("6 bytes");
    expect(endless.destroyed).toBe(true);
  });

  it("fails as the stream fails", async () => {
    const broken = new Readable({ read: () => undefined });
    const whole = readBytes(broken);
    broken.destroy(new Error("gone"));
    await expect(whole).rejects.toThrow("gone");
  });
});
