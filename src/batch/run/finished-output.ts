import { createReadStream } from "node:fs";
import { textAt } from "../../json.ts";
import { ifJson } from "../../json-bounds.ts";
import { splitLines } from "../lines/split-lines.ts";
import { addToTally, emptyTally } from "./line-result.ts";
import type { ResultOutput } from "./ordered-output.ts";
import type { LineSource } from "./run-record.ts";

/**
 * The output of a run that has ended well and taken its journal away: it has a result for each line, in their order. Undefined
 * where it is anything else. What the run has used is not known any more.
 */
export async function openFinished(file: string, lines: LineSource): Promise<ResultOutput | undefined> {
  const ids = lines()[Symbol.asyncIterator]();
  const tally = emptyTally();
  const nothing = { inputTokens: 0, outputTokens: 0, usd: 0, unpriced: 0 };
  for await (const { bytes, isTooLong } of splitLines(createReadStream(file), Number.POSITIVE_INFINITY)) {
    const { value: id, done } = await ids.next();
    if (done === true || isTooLong || idOf(bytes.toString()) !== id) return undefined;
    addToTally(tally, { outcome: "ok", ...nothing });
  }
  if ((await ids.next()).done !== true) return undefined;
  const settled = async (): Promise<void> => undefined;
  const put = async (): Promise<void> => {
    throw new Error(`${file} is whole.`);
  };
  return {
    tally,
    before: tally.lines,
    knowsUse: false,
    has: () => true,
    put,
    roomFor: settled,
    settle: settled,
    finish: settled,
    close: settled,
  };
}

/** The id of a result, in whichever form it is. */
function idOf(line: string): string | undefined {
  const result = ifJson<unknown>(() => JSON.parse(line));
  return textAt(result, "recordId") ?? textAt(result, "custom_id");
}
