import type { Cost } from "./list.ts";

/** Token counts of one call, in AWS's names. Cached tokens are counted beside `inputTokens`, not within. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cacheReadInputTokens?: number | undefined;
  cacheWriteInputTokens?: number | undefined;
  /** Those of `cacheWriteInputTokens` that are kept for an hour. */
  cacheWrite1hInputTokens?: number | undefined;
}

/** Prices in USD per million tokens, and where they come from. */
export interface Price {
  cost: Cost;
  source: "config" | "catalog";
}

/** Writing to the cache for an hour costs twice the input price (https://aws.amazon.com/bedrock/pricing/, Anthropic). */
const HOUR_FACTOR = 2;

/**
 * What a call cost, in USD: an estimate from list prices. Tokens read from or written to the prompt cache count at their
 * own price, or at the input price where that is not known. Null when the price is unknown.
 */
export function estimateCost(
  usage: TokenUsage,
  price: Price | undefined,
): { usd: number; source: Price["source"] } | null {
  if (!price) return null;
  const { input, output, cacheRead = input, cacheWrite = input } = price.cost;
  const writtenForAnHour = usage.cacheWrite1hInputTokens ?? 0;
  const total =
    usage.inputTokens * input +
    usage.outputTokens * output +
    (usage.cacheReadInputTokens ?? 0) * cacheRead +
    Math.max(0, (usage.cacheWriteInputTokens ?? 0) - writtenForAnHour) * cacheWrite +
    writtenForAnHour * input * HOUR_FACTOR;
  // Ten digits: more would only show the noise of floating point.
  return { usd: Number((total / 1_000_000).toFixed(10)), source: price.source };
}

/** The line of `--usage`: tokens, price and its source, time to first token, tokens per second. Times in ms. */
export function describeUsage(
  usage: TokenUsage,
  cost: { usd: number; source: string } | null,
  times: { firstTokenMs: number | undefined; totalMs: number },
): string {
  const { inputTokens, outputTokens, cacheReadInputTokens, cacheWriteInputTokens } = usage;
  const { firstTokenMs, totalMs } = times;
  const writingMs = totalMs - (firstTokenMs ?? 0);
  const parts = [
    `${inputTokens} tokens in, ${outputTokens} out`,
    ...(cacheReadInputTokens ? [`${cacheReadInputTokens} read from cache`] : []),
    ...(cacheWriteInputTokens ? [`${cacheWriteInputTokens} written to cache`] : []),
    cost ? `$${formatUsd(cost.usd)} (${cost.source} price, estimate)` : "price unknown",
    ...(firstTokenMs === undefined ? [] : [`first token after ${formatSeconds(firstTokenMs)}`]),
    ...(writingMs > 0 && outputTokens > 0
      ? [`${Math.round((outputTokens / writingMs) * 1000)} tokens/s`]
      : []),
    formatSeconds(totalMs),
  ];
  return parts.join(" · ");
}

/** USD with as many digits as say something. */
export function formatUsd(usd: number): string {
  return usd >= 0.01
    ? usd.toFixed(2)
    : Number(usd.toPrecision(2)).toFixed(8).replace(/0+$/, "").replace(/\.$/, "");
}

function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
