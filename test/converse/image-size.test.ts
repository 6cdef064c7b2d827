import { describe, expect, it } from "vitest";
import { imageSize } from "../../src/converse/image-size.ts";

const png = Buffer.alloc(24);
png.writeUInt32BE(9001, 16);
png.writeUInt32BE(7, 20);
const gif = Buffer.from("GIF89a\0\0\0\0", "latin1");
gif.writeUInt16LE(640, 6);
gif.writeUInt16LE(480, 8);
const webp = (chunk: string, ...rest: number[]): Buffer => {
  const file = Buffer.alloc(30);
  file.write(`RIFF\0\0\0\0WEBP${chunk}`, "latin1");
  Buffer.from(rest).copy(file, 20);
  return file;
};
/** Start, an APP0 segment with a decoy of a frame in it, padding, then the frame. */
const jpeg = Buffer.from([
  0xff, 0xd8, 0xff, 0xe0, 0, 6, 0xff, 0xc0, 0, 0, 0xff, 0xff, 0xc2, 0, 17, 8, 0x0b, 0xb8, 0x0f, 0xa0, 3,
]);

describe("an image's size", () => {
  it.each([
    ["png", png, 9001, 7],
    ["gif", gif, 640, 480],
    ["webp", webp("VP8X", 0, 0, 0, 0, 0xff, 0x0f, 0, 0x37, 0x04, 0), 4096, 1080],
    ["webp", webp("VP8X", 0, 0, 0, 0, 0, 0, 0x01, 0, 0, 0x02), 65_537, 131_073],
    ["webp", webp("VP8L", 0x2f, 0xff, 0xc0, 0x0f, 0), 256, 64],
    ["webp", webp("VP8 ", 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00), 320, 240],
    ["jpeg", jpeg, 4000, 3000],
  ] as const)("is read from the header of %s", (format, bytes, width, height) => {
    expect(imageSize(bytes, format)).toEqual({ width, height });
  });

  it.each(["png", "gif", "webp", "jpeg"] as const)("is not known of a %s that is cut off", (format) => {
    for (let length = 0; length < 10; length++)
      expect(imageSize(Buffer.alloc(30, 0xff).subarray(0, length), format)).toBeUndefined();
  });

  it("ends in a JPEG whose segments lead nowhere", () => {
    expect(
      imageSize(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 0, 0, 0, 0, 0, 0]), "jpeg"),
    ).toBeUndefined();
    expect(imageSize(Buffer.alloc(1000, 0xff), "jpeg")).toBeUndefined();
  });
});
