import type { BatchLine } from "../../src/batch/lines/batch-line.ts";
import { readLine } from "../../src/batch/lines/read-line.ts";

/** A line of a file as it is read, of a kind that it says itself. */
export async function lineOf(line: object, number = 1): Promise<BatchLine> {
  const bytes = Buffer.from(JSON.stringify(line));
  const raw = { number, offset: 0, length: bytes.length, bytes, isTooLong: false };
  return readLine(raw, { kind: undefined, signal: new AbortController().signal });
}
