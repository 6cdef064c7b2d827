import { crc32 as crc32OfNode } from "node:zlib";

/** So many bytes of a process are summed here: loading node:zlib takes 5 ms on Node 24, longer than these. */
const FIRST_BYTES = 16 * 1024;

let seenBytes = 0;

/** What each byte makes of the rest of a sum. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xed_b8_83_20 : sum >>> 1;
  return sum;
});

/**
 * The CRC-32 of bytes, from 0 to 2³² − 1: the checksum of gzip (RFC 1952, section 8) and of AWS's event streams. `sum` is
 * that of what stands before them.
 */
export function crc32(bytes: Uint8Array, sum = 0): number {
  const { length } = bytes;
  seenBytes += length;
  if (seenBytes > FIRST_BYTES) return crc32OfNode(bytes, sum);
  let rest = ~sum;
  for (let index = 0; index < length; index += 1)
    rest = (rest >>> 8) ^ (TABLE[(rest ^ (bytes[index] ?? 0)) & 0xff] ?? 0);
  return ~rest >>> 0;
}
