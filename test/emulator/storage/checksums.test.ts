import { describe, expect, it } from "vitest";
import { CHECKSUMS, lengthOfChecksum, startChecksum } from "../../../src/emulator/storage/checksums.ts";

/** The check values of the catalogue of parametrised CRC algorithms, and of FIPS 180-4, for these nine digits. */
const OF_DIGITS: Readonly<Record<(typeof CHECKSUMS)[number], string>> = {
  crc32: "cbf43926",
  crc32c: "e3069283",
  crc64nvme: "ae8b14860a799888",
  sha1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
  sha256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
};

describe("a checksum", () => {
  it.each(CHECKSUMS)("%s has its published value, in however many pieces the bytes come", (name) => {
    const digits = Buffer.from("123456789");
    for (let at = 0; at <= digits.length; at++) {
      const checksum = startChecksum(name);
      checksum.update(digits.subarray(0, at));
      checksum.update(digits.subarray(at));
      const value = Buffer.from(checksum.digest(), "base64");
      expect(value.toString("hex")).toBe(OF_DIGITS[name]);
      expect(value).toHaveLength(lengthOfChecksum(name));
    }
  });
});
