import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFrames, MAX_FRAME_BYTES } from "../../src/aws/frame-guard.ts";

function frame(size: number): Buffer {
  const bytes = Buffer.alloc(size, 7);
  bytes.writeUInt32BE(size, 0);
  return bytes;
}

async function pass(chunks: Iterable<Uint8Array>): Promise<Buffer> {
  const out: Uint8Array[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  for await (const chunk of checkFrames(source())) out.push(chunk);
  return Buffer.concat(out);
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe("checkFrames", () => {
  it("passes every byte of whole frames on, wherever the chunks are cut", async () => {
    const sizes = fc.array(fc.integer({ min: 16, max: 60 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(fc.nat(400)), async (frameSizes, cuts) => {
        const bytes = Buffer.concat(frameSizes.map(frame));
        expect(await pass(split(bytes, cuts))).toEqual(bytes);
      }),
    );
  });

  it.each([0, 15, MAX_FRAME_BYTES + 1, 0xff_ff_ff_ff])(
    "refuses a frame of %i bytes, wherever it is cut",
    async (size) => {
      const prelude = Buffer.alloc(12);
      prelude.writeUInt32BE(size, 0);
      const bytes = Buffer.concat([frame(20), prelude]);
      for (let cut = 0; cut <= bytes.length; cut++) {
        await expect(pass(split(bytes, [cut]))).rejects.toMatchObject({
          code: "bad-response",
          message: expect.stringContaining(String(size)),
        });
      }
    },
  );

  it("leaves a torn last frame to whoever decodes it", async () => {
    const torn = Buffer.concat([frame(20), frame(30).subarray(0, 9)]);
    expect(await pass([torn])).toEqual(torn);
  });
});
