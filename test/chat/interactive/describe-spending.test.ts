import { expect, it } from "vitest";
import { describeSpending } from "../../../src/chat/interactive/describe-spending.ts";
import type { Spending } from "../../../src/chat/interactive/talk.ts";

const answer = (model: string, usage: Partial<Spending["usage"]> = {}): Spending => ({
  key: `amazon-bedrock/${model}`,
  model,
  usage: { inputTokens: 1000, outputTokens: 500, totalTokens: 1500, ...usage },
  rounds: 1,
});
const prices = (_: string, model: string) =>
  model === "priced" ? { cost: { input: 1, output: 2 }, source: "catalog" as const } : undefined;

it.each<[string, Spending[], string]>([
  ["before the first answer", [], "nothing was asked yet"],
  ["one answer", [answer("priced")], "1 answer · 1000 tokens in, 500 out · $0.002 (estimate)"],
  [
    "answers for which tools were called",
    [{ ...answer("priced"), rounds: 3 }, answer("priced")],
    "2 answers in 4 rounds · 2000 tokens in, 1000 out · $0.004 (estimate)",
  ],
  ["a price that nobody knows", [answer("other")], "1 answer · 1000 tokens in, 500 out · price unknown"],
  [
    "some prices known",
    [answer("priced"), answer("other")],
    "2 answers · 2000 tokens in, 1000 out · $0.002 (estimate), some prices unknown",
  ],
  [
    "a cache",
    [answer("other", { cacheReadInputTokens: 70 }), answer("other", { cacheWriteInputTokens: 30 })],
    "2 answers · 2000 tokens in, 1000 out · 70 read from cache · 30 written to cache · price unknown",
  ],
])("sums up %s", (_, spending, text) => {
  expect(describeSpending(spending, prices)).toBe(text);
});
