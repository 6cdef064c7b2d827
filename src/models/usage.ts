import { count } from "../terminal/numbers.ts";
import type { Cost, TokenPrices } from "./catalog.ts";

/** Token counts of one call, in AWS's names. Cached tokens are counted beside `inputTokens`, not within. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cacheReadInputTokens?: number | undefined;
  cacheWriteInputTokens?: number | undefined;
  /** Those of `cacheWriteInputTokens` that are kept for an hour. */
  cacheWrite1hInputTokens?: number | undefined;
  /** The service tier that served the call, in the service's words; undefined where it said nothing and none was asked for. */
  serviceTier?: string | undefined;
  /** How the latency was, in AWS's words: `optimized` or `standard`; undefined as above. */
  latency?: string | undefined;
  /** How many answers are counted together; undefined for one. */
  askings?: number | undefined;
}

/**
 * UTF-8 bytes per token where nobody counts: fewer than texts of any script have, so that an estimate is no less than what
 * it costs.
 */
export const BYTES_PER_TOKEN = 3;

/** Prices in USD per million tokens, and where they come from. */
export interface Price {
  cost: Cost;
  source: "config" | "catalog";
  /** The most tokens of a prompt, cached ones included, of which this is known; undefined where it is of any. */
  longestPrompt?: number;
  /** What the tier `flex` takes of it, as a share; undefined where that is not known. */
  flexShare?: number;
}

/** Writing to the cache for an hour costs twice the input price (https://aws.amazon.com/bedrock/pricing/, Anthropic). */
const HOUR_FACTOR = 2;

/** What has no known price where a prompt is longer than all that have. */
export const LONG_PROMPT = "long prompt";

/** What a call cost, in USD. */
export interface CallCost {
  usd: number;
  source: Price["source"];
}

/**
 * What a call cost: an estimate from list prices for what the service says it did. Each kind of token counts at its own
 * price. Null when one of them is unknown: no other price stands in for it.
 */
export function estimateCost(usage: TokenUsage, price: Price | undefined): CallCost | null {
  const found = priceCall(usage, price);
  return "unknown" in found ? null : found;
}

/** The same, or what it is that has no known price; empty where it is the model itself. */
export function priceCall(usage: TokenUsage, price: Price | undefined): CallCost | { unknown: string } {
  // Counts come last, and a connection may break after the text: then nobody knows what it cost.
  if (usage.totalTokens === 0) return { unknown: "no counts" };
  if (!price) return { unknown: "" };
  const { serviceTier = STANDARD, latency = "standard" } = usage;
  const share = serviceTier === STANDARD ? 1 : serviceTier === FLEX ? price.flexShare : undefined;
  if (share === undefined) return { unknown: `${serviceTier} tier` };
  if (latency !== "standard") return { unknown: `${latency} latency` };
  const prices = pricesFor(usage, price);
  if (!prices) return { unknown: LONG_PROMPT };
  const { input, output, cacheRead, cacheWrite } = prices;
  const read = usage.cacheReadInputTokens ?? 0;
  const writtenForAnHour = usage.cacheWrite1hInputTokens ?? 0;
  const written = Math.max(0, (usage.cacheWriteInputTokens ?? 0) - writtenForAnHour);
  if (read > 0 && cacheRead === undefined) return { unknown: "cache reads" };
  if (written > 0 && cacheWrite === undefined) return { unknown: "cache writes" };
  const total =
    usage.inputTokens * input +
    read * (cacheRead ?? 0) +
    written * (cacheWrite ?? 0) +
    writtenForAnHour * input * HOUR_FACTOR +
    usage.outputTokens * output;
  // Ten digits: more would only show the noise of floating point.
  return { usd: Number(((total * share) / 1_000_000).toFixed(10)), source: price.source };
}

/** AWS's words for the tier of list prices, and for the cheap one (https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html). */
const STANDARD = "default";
const FLEX = "flex";

/** The prices for a prompt of this length; undefined where they are not known. */
function pricesFor(
  { inputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0, askings = 1 }: TokenUsage,
  { cost, longestPrompt = Number.POSITIVE_INFINITY }: Price,
): TokenPrices | undefined {
  const { tiers = [] } = cost;
  const length = inputTokens + cacheReadInputTokens + cacheWriteInputTokens;
  if (length > longestPrompt) return undefined;
  const tier = tiers.findLast(({ inputTokensAbove }) => length > inputTokensAbove);
  // Of several prompts together, nobody knows the length of each.
  return tier && askings > 1 ? undefined : (tier ?? cost);
}

/** The counts of several answers to one question. A tier that differs is none that has a price. */
export function addUsage(one: TokenUsage, other: TokenUsage): TokenUsage {
  const sum = (left: number | undefined, right: number | undefined): number | undefined =>
    left === undefined && right === undefined ? undefined : (left ?? 0) + (right ?? 0);
  const same = (left: string | undefined, right: string | undefined): string | undefined =>
    left === right ? left : [left, right].filter((word) => word !== undefined).join(" and ");
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    totalTokens: one.totalTokens + other.totalTokens,
    cacheReadInputTokens: sum(one.cacheReadInputTokens, other.cacheReadInputTokens),
    cacheWriteInputTokens: sum(one.cacheWriteInputTokens, other.cacheWriteInputTokens),
    cacheWrite1hInputTokens: sum(one.cacheWrite1hInputTokens, other.cacheWrite1hInputTokens),
    serviceTier: same(one.serviceTier, other.serviceTier),
    latency: same(one.latency, other.latency),
    askings: (one.askings ?? 1) + (other.askings ?? 1),
  };
}

/** Tokens for people: `12 tokens in, 7 out`. */
export function tokensInAndOut({
  inputTokens,
  outputTokens,
}: Pick<TokenUsage, "inputTokens" | "outputTokens">): string {
  return `${count(inputTokens, "token")} in, ${outputTokens} out`;
}

/** What no list price of tokens has in it. */
export const WEB_SEARCH = "the web search";

/** The line of `--usage`: tokens, price and its source, time to first token, tokens per second. Times in ms. `beside` is what costs extra. */
export function describeUsage(
  usage: TokenUsage,
  cost: CallCost | { unknown: string },
  times: { firstTokenMs: number | undefined; totalMs: number },
  beside?: string,
): string {
  const { outputTokens, cacheReadInputTokens, cacheWriteInputTokens } = usage;
  const { firstTokenMs, totalMs } = times;
  const writingMs = totalMs - (firstTokenMs ?? 0);
  const parts = [
    tokensInAndOut(usage),
    ...(cacheReadInputTokens ? [`${cacheReadInputTokens} read from cache`] : []),
    ...(cacheWriteInputTokens ? [`${cacheWriteInputTokens} written to cache`] : []),
    "unknown" in cost
      ? `price unknown${cost.unknown === "" ? "" : ` (${cost.unknown})`}`
      : `$${formatUsd(cost.usd)} (${cost.source} price, estimate)${beside === undefined ? "" : ` without ${beside}`}`,
    ...(firstTokenMs === undefined ? [] : [`first token after ${formatSeconds(firstTokenMs)}`]),
    ...(writingMs > 0 && outputTokens > 0
      ? [`${Math.round((outputTokens / writingMs) * 1000)} tokens/s`]
      : []),
    formatSeconds(totalMs),
  ];
  return parts.join(" · ");
}

/** USD with as many digits as say something: what is not nothing is never shown as nothing. */
export function formatUsd(usd: number): string {
  if (usd >= 0.01 || usd <= 0) return usd > 0 ? usd.toFixed(2) : "0";
  return usd.toFixed(Math.min(100, 1 - Math.floor(Math.log10(usd)))).replace(/0+$/, "");
}

/** USD to name as a bound that is enough: to two digits that count, and never down. */
export function roundUpUsd(usd: number): number {
  const step = 10 ** (Math.floor(Math.log10(usd)) - 1);
  return Number((Math.ceil(usd / step) * step).toPrecision(2));
}

/** An amount of USD that is more than a bound, and the bound, with as many digits as tell them apart. */
export function usdAbove(usd: number, bound: number): { usd: string; bound: string } {
  const exactly = (value: number): string =>
    Number(formatUsd(value)) === value
      ? formatUsd(value)
      : Number(value.toPrecision(15)).toLocaleString("en-US", {
          useGrouping: false,
          maximumFractionDigits: 20,
        });
  const told = exactly(bound);
  return {
    usd: Number(formatUsd(usd)) > Number(told) ? formatUsd(usd) : exactly(bound + roundUpUsd(usd - bound)),
    bound: told,
  };
}

/** A duration for people, from ms: `0.05 s`, `12.3 s`. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
