import { digestOf } from "../../src/serve/keys/key-file.ts";

/** A line of a file of keys, with the digest of one as `serve keys add` writes it. */
export function keyLine(name: string, key: string, limits: object): string {
  return `${JSON.stringify({ name, hash: `sha256:${digestOf(key).toString("hex")}`, ...limits })}\n`;
}
