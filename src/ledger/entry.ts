import { isRecord } from "../json.ts";
import { ifJson } from "../json-bounds.ts";

/** One call, or the sum of several of one hour or day. It holds no content: nothing that was asked or answered. */
export interface LedgerEntry {
  /** When the call ended, as ISO 8601; of a sum the beginning of its hour or day. */
  at: string;
  command: string;
  /** The id that answered; with the provider in front where that is not Amazon Bedrock. */
  model: string;
  /** The profile that signed, or what did in its place; undefined where AWS had no part in it. */
  profile?: string | undefined;
  /** The region that answered; undefined where it is not known, or AWS had no part in it. */
  region?: string | undefined;
  /** The name of the key that a client of `serve` came with. */
  key?: string | undefined;
  calls: number;
  /** How many of them have no known price, for which `usd` has nothing. */
  unpriced: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens: number;
  cacheWriteInputTokens: number;
  /** What those with a known price cost, in USD. */
  usd: number;
}

/** What is added up. */
export const COUNTS = [
  "calls",
  "unpriced",
  "inputTokens",
  "outputTokens",
  "cacheReadInputTokens",
  "cacheWriteInputTokens",
  "usd",
] as const;

/** The counts of an entry, or of several. */
export type Counts = Pick<LedgerEntry, (typeof COUNTS)[number]>;

/** The line of an entry, with its line end. A single call without a known price has null in its place. */
export function entryLine(entry: LedgerEntry): string {
  const { calls, unpriced, usd, cacheReadInputTokens, cacheWriteInputTokens, ...rest } = entry;
  const isSum = calls !== 1;
  return `${JSON.stringify({
    ...rest,
    ...(cacheReadInputTokens > 0 ? { cacheReadInputTokens } : {}),
    ...(cacheWriteInputTokens > 0 ? { cacheWriteInputTokens } : {}),
    usd: !isSum && unpriced > 0 ? null : usd,
    ...(isSum ? { calls, unpriced } : {}),
  })}\n`;
}

/** Reads a line. Undefined for one that was never written whole, or is none. */
export function parseEntry(line: string): LedgerEntry | undefined {
  const value = parseLine(line);
  if (!isRecord(value)) return undefined;
  const text = (name: string): string | undefined =>
    typeof value[name] === "string" && value[name] !== "" ? value[name] : undefined;
  const [at, command, model] = [text("at"), text("command"), text("model")];
  if (at === undefined || command === undefined || model === undefined) return undefined;
  if (Number.isNaN(Date.parse(at))) return undefined;
  const count = (name: string, otherwise = 0): number => {
    const number = value[name];
    return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : otherwise;
  };
  return {
    at,
    command,
    model,
    profile: text("profile"),
    region: text("region"),
    key: text("key"),
    calls: count("calls", 1),
    unpriced: count("unpriced", typeof value["usd"] === "number" ? 0 : 1),
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    cacheReadInputTokens: count("cacheReadInputTokens"),
    cacheWriteInputTokens: count("cacheWriteInputTokens"),
    usd: count("usd"),
  };
}

/** The JSON of a line; undefined where it is none. */
export function parseLine(line: string, parse: (text: string) => unknown = JSON.parse): unknown {
  return ifJson(() => parse(line));
}

/** Adds an entry to the sum that has its key. */
export function addTo(sums: Map<string, Counts>, key: string, more: Counts): void {
  sums.set(key, addCounts(sums.get(key), more));
}

/** Adds the counts of one more. USD with ten digits: more would only show the noise of floating point. */
export function addCounts(sum: Counts | undefined, more: Counts): Counts {
  const added = { ...NOTHING };
  for (const name of COUNTS) added[name] = (sum?.[name] ?? 0) + more[name];
  added.usd = Number(added.usd.toFixed(10));
  return added;
}

/** Of no call. */
export const NOTHING: Readonly<Counts> = {
  calls: 0,
  unpriced: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadInputTokens: 0,
  cacheWriteInputTokens: 0,
  usd: 0,
};
