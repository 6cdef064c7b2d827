import { describe, expect, it } from "vitest";
import { describeUsage, estimateCost } from "../../src/models/usage.ts";

const usage = { inputTokens: 1000, outputTokens: 500, totalTokens: 1500 };

describe("estimateCost", () => {
  it("multiplies tokens by USD per million", () => {
    const cost = estimateCost(usage, { cost: { input: 3, output: 15 }, source: "catalog" });
    expect(cost).toEqual({ usd: 0.0105, source: "catalog" });
  });

  it("counts cached tokens at their own price, beside the input tokens", () => {
    const cached = { ...usage, cacheReadInputTokens: 10_000, cacheWriteInputTokens: 2000 };
    const price = {
      cost: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
      source: "config" as const,
    };
    expect(estimateCost(cached, price)?.usd).toBeCloseTo(0.0105 + 0.003 + 0.0075, 10);
  });

  it("counts cached tokens at the input price where theirs is unknown", () => {
    const cached = { ...usage, cacheReadInputTokens: 1000 };
    expect(estimateCost(cached, { cost: { input: 1, output: 0 }, source: "config" })?.usd).toBe(0.002);
  });

  it("is null when the price is unknown", () => expect(estimateCost(usage, undefined)).toBeNull());
});

describe("describeUsage", () => {
  it("says tokens, price and source, first token, speed and time", () => {
    const line = describeUsage(
      usage,
      { usd: 0.0105, source: "catalog" },
      { firstTokenMs: 320, totalMs: 1320 },
    );
    expect(line).toBe(
      "1000 tokens in, 500 out · $0.01 (catalog price, estimate) · first token after 0.32 s · 500 tokens/s · 1.32 s",
    );
  });

  it("does not write a small price as zero or with an exponent", () => {
    expect(
      describeUsage(usage, { usd: 0.00000012, source: "catalog" }, { firstTokenMs: 1, totalMs: 2 }),
    ).toContain("$0.00000012 ");
  });

  it("says when the price is unknown", () => {
    expect(describeUsage(usage, null, { firstTokenMs: undefined, totalMs: 2 })).toContain("price unknown");
  });
});
