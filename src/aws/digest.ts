import { Sha256 } from "@aws-crypto/sha256-js";

/**
 * SHA-256 of a text, as hex. AWS's own JavaScript version: loading node:crypto costs more than a whole cached list, and
 * what is digested here is a few hundred bytes.
 */
export function sha256Hex(text: string): string {
  const hash = new Sha256();
  hash.update(text);
  return Buffer.from(hash.digestSync()).toString("hex");
}
