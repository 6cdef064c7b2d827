import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * The checksums of an object, by the ends of the headers `x-amz-checksum-…`:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export const CHECKSUMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;

export type ChecksumName = (typeof CHECKSUMS)[number];

/** A checksum that is taken of bytes as they come. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** In base64, as headers have it. */
  digest(): string;
}

/** Begins a checksum. */
export function startChecksum(name: ChecksumName): RunningChecksum {
  switch (name) {
    case "crc32":
      return cyclic((bytes, crc) => crc32(bytes, crc));
    case "crc32c":
      return cyclic(crc32c);
    case "crc64nvme":
      return crc64();
    case "sha1":
    case "sha256": {
      const hash = createHash(name);
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("base64") };
    }
  }
}

/** The length of a checksum in bytes. */
export function lengthOfChecksum(name: ChecksumName): number {
  return { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 }[name];
}

function cyclic(next: (bytes: Uint8Array, crc: number) => number): RunningChecksum {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = next(bytes, crc);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc >>> 0);
      return bytes.toString("base64");
    },
  };
}

/** CRC-32C (RFC 3720, appendix B.4): the polynomial of Castagnoli, lowest bit first. */
const CASTAGNOLI = 0x82f63b78;

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  return crc;
});

function crc32c(bytes: Uint8Array, before: number): number {
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** CRC-64/NVME (NVM Express command set, section 5.2.1.3.4), its polynomial lowest bit first, in two halves of 32 bits. */
const NVME = { high: 0x9a6c9329, low: 0xac4bc9b5 };

const CRC64_HIGH = new Uint32Array(256);
const CRC64_LOW = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let [high, low] = [0, index];
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) === 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (isOdd) {
      high ^= NVME.high;
      low ^= NVME.low;
    }
  }
  CRC64_HIGH[index] = high;
  CRC64_LOW[index] = low;
}

function crc64(): RunningChecksum {
  let [high, low] = [-1, -1];
  return {
    update: (bytes) => {
      for (const byte of bytes) {
        const index = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[index] ?? 0);
        high = (high >>> 8) ^ (CRC64_HIGH[index] ?? 0);
      }
    },
    digest: () => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes.toString("base64");
    },
  };
}
