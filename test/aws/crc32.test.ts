import { crc32 as crc32OfNode } from "node:zlib";
import { assert, nat, property, uint8Array } from "fast-check";
import { expect, it, vi } from "vitest";

const pieces = uint8Array({ maxLength: 300, size: "max" });

it("is that of zlib, whatever stands before, for the first bytes of a process and for those behind", async () => {
  // Other tests in this process may have had the first bytes.
  vi.resetModules();
  const { crc32 } = await import("../../src/aws/crc32.ts");
  expect(crc32(Buffer.from("123456789"))).toBe(0xcb_f4_39_26);
  assert(
    property(pieces, nat(), (bytes, sum) => {
      expect(crc32(bytes)).toBe(crc32OfNode(bytes));
      expect(crc32(bytes, sum)).toBe(crc32OfNode(bytes, sum));
    }),
    { numRuns: 300 },
  );
});
