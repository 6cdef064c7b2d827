import { estimateCost, formatUsd, type Price, tokensInAndOut } from "../../models/usage.ts";
import { count } from "../../terminal/numbers.ts";
import type { Spending } from "./talk.ts";

/** Sums up what a conversation has cost: answers, tokens, and the price as far as it is known. */
export function describeSpending(
  spending: readonly Spending[],
  priceOf: (key: string, model: string) => Price | undefined,
): string {
  if (spending.length === 0) return "nothing was asked yet";
  const sum = (of: (usage: Spending["usage"]) => number | undefined): number =>
    spending.reduce((total, { usage }) => total + (of(usage) ?? 0), 0);
  const costs = spending.map(({ key, model, usage }) => estimateCost(usage, priceOf(key, model))?.usd);
  const known = costs.flatMap((usd) => usd ?? []);
  const price = `$${formatUsd(known.reduce((total, usd) => total + usd, 0))} (estimate)`;
  const read = sum((usage) => usage.cacheReadInputTokens);
  const written = sum((usage) => usage.cacheWriteInputTokens);
  const answers = count(spending.length, "answer");
  const rounds = spending.reduce((total, one) => total + one.rounds, 0);
  return [
    // Each round of tools is a call of the model.
    rounds > spending.length ? `${answers} in ${rounds} rounds` : answers,
    tokensInAndOut({
      inputTokens: sum((usage) => usage.inputTokens),
      outputTokens: sum((usage) => usage.outputTokens),
    }),
    ...(read > 0 ? [`${read} read from cache`] : []),
    ...(written > 0 ? [`${written} written to cache`] : []),
    known.length === 0
      ? "price unknown"
      : known.length < costs.length
        ? `${price}, some prices unknown`
        : price,
  ].join(" · ");
}
