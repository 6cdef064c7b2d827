import { describe, expect, it } from "vitest";
import { priceOf } from "../../src/models/price.ts";
import type { ResolvedModel } from "../../src/models/resolve-model.ts";
import {
  addUsage,
  describeUsage,
  estimateCost,
  formatUsd,
  usdAbove,
  priceCall,
  type TokenUsage,
} from "../../src/models/usage.ts";

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

  it("is null when the price is unknown", () => expect(estimateCost(usage, undefined)).toBeNull());
});

/** A model and its catalog price: Sonnet 4.6 in the US, Haiku 5.5 and GPT-5.6 with prices of their own for long prompts, and others. */
const SONNET = "us.anthropic.claude-sonnet-4-6";
const HAIKU = "global.anthropic.claude-haiku-5-5";
const NOVA = "amazon.nova-pro-v1:0";
const GPT = "openai.gpt-5.6-luna";
const LLAMA = "meta.llama4-maverick-17b-instruct-v1:0";

const PRICED: [what: string, id: string, counts: Partial<TokenUsage>, price: number | string][] = [
  ["plain", SONNET, {}, 1000 * 3.3 + 500 * 16.5],
  [
    "the tier that is no other",
    SONNET,
    { serviceTier: "default", latency: "standard" },
    1000 * 3.3 + 500 * 16.5,
  ],
  ["flex", NOVA, { serviceTier: "flex" }, (1000 * 0.8 + 500 * 3.2) / 2],
  ["flex of a model without it", SONNET, { serviceTier: "flex" }, "flex tier"],
  ["priority", NOVA, { serviceTier: "priority" }, "priority tier"],
  ["reserved", SONNET, { serviceTier: "reserved" }, "reserved tier"],
  ["a tier of tomorrow", SONNET, { serviceTier: "turbo" }, "turbo tier"],
  ["optimized latency", NOVA, { latency: "optimized" }, "optimized latency"],
  ["a cache read", SONNET, { cacheReadInputTokens: 100 }, 1000 * 3.3 + 500 * 16.5 + 100 * 0.33],
  ["a cache write", SONNET, { cacheWriteInputTokens: 100 }, 1000 * 3.3 + 500 * 16.5 + 100 * 4.125],
  [
    "a cache write of both lifetimes",
    SONNET,
    { cacheWriteInputTokens: 100, cacheWrite1hInputTokens: 40 },
    1000 * 3.3 + 500 * 16.5 + 60 * 4.125 + 40 * 6.6,
  ],
  ["a cache read of Nova", NOVA, { cacheReadInputTokens: 100 }, 1000 * 0.8 + 500 * 3.2 + 100 * 0.2],
  ["a cache write of Nova, which is free", NOVA, { cacheWriteInputTokens: 100 }, 1000 * 0.8 + 500 * 3.2],
  ["a cache write without a price", "amazon.nova-premier-v1:0", { cacheWriteInputTokens: 1 }, "cache writes"],
  ["a cache read without a price", LLAMA, { cacheReadInputTokens: 1 }, "cache reads"],
  ["no cached token where none has a price", LLAMA, { cacheReadInputTokens: 0 }, 1000 * 0.24 + 500 * 0.97],
  [
    "a million tokens of Claude from 4.6 on",
    SONNET,
    { inputTokens: 1_000_000 },
    1_000_000 * 3.3 + 500 * 16.5,
  ],
  ["many such prompts", SONNET, { inputTokens: 1_000_000, askings: 2 }, 1_000_000 * 3.3 + 500 * 16.5],
  ["200K tokens", NOVA, { inputTokens: 200_000 }, 200_000 * 0.8 + 500 * 3.2],
  ["more", NOVA, { inputTokens: 200_001 }, "long prompt"],
  ["more with what is cached", NOVA, { inputTokens: 1, cacheReadInputTokens: 200_000 }, "long prompt"],
  ["100K tokens of Haiku 5.5", HAIKU, { inputTokens: 100_000 }, 100_000 * 0.1 + 500 * 0.5],
  [
    "more, some of them cached",
    HAIKU,
    {
      inputTokens: 100_000,
      cacheReadInputTokens: 1000,
      cacheWriteInputTokens: 10,
      cacheWrite1hInputTokens: 10,
    },
    5 * (100_000 * 0.1 + 1000 * 0.01 + 10 * 0.2 + 500 * 0.5),
  ],
  ["two prompts whose lengths nobody knows", HAIKU, { inputTokens: 100_001, askings: 2 }, "long prompt"],
  ["two short prompts", HAIKU, { askings: 2 }, 1000 * 0.1 + 500 * 0.5],
  ["272K tokens of GPT-5.6", GPT, { inputTokens: 272_000 }, 272_000 * 0.22 + 500 * 1.32],
  ["more of them", GPT, { inputTokens: 272_001 }, 272_001 * 0.44 + 500 * 1.98],
  [
    "more of them, from the cache",
    GPT,
    { inputTokens: 1, cacheReadInputTokens: 272_000 },
    0.44 + 272_000 * 0.044 + 500 * 1.98,
  ],
  ["no counts", SONNET, { totalTokens: 0 }, "no counts"],
  ["a model that nobody knows", "example.model-1", {}, ""],
];

describe("the price of a call", () => {
  it.each(PRICED)("%s", (_, id, counts, price) => {
    const priced = priceCall({ ...usage, ...counts }, priceOf(undefined, id));
    if (typeof price === "string") expect(priced).toEqual({ unknown: price });
    else expect(priced).toEqual({ usd: expect.closeTo(price / 1_000_000, 9), source: "catalog" });
  });

  it("is the configuration's for prompts of any length, and not for a tier", () => {
    const configured: ResolvedModel = {
      key: "amazon-bedrock/m",
      id: "m",
      providerId: "amazon-bedrock",
      provider: undefined,
      configured: { id: "m", cost: { input: 1, output: 2 } },
    };
    const price = priceOf(configured, "m");
    const long = { inputTokens: 500_000, outputTokens: 0, totalTokens: 500_000 };
    expect(priceCall(long, price)).toEqual({ usd: 0.5, source: "config" });
    expect(priceCall({ ...long, serviceTier: "flex" }, price)).toEqual({ unknown: "flex tier" });
    expect(priceCall({ ...long, cacheReadInputTokens: 1 }, price)).toEqual({ unknown: "cache reads" });
  });

  it("of two answers is that of all their tokens", () => {
    const one = { ...usage, cacheReadInputTokens: 3, serviceTier: "flex" };
    expect(addUsage(one, one)).toMatchObject({
      inputTokens: 2000,
      outputTokens: 1000,
      totalTokens: 3000,
      cacheReadInputTokens: 6,
      cacheWriteInputTokens: undefined,
      serviceTier: "flex",
      askings: 2,
    });
    expect(addUsage(addUsage(usage, usage), usage).askings).toBe(3);
    const mixed = addUsage(one, { ...usage, serviceTier: "default" });
    expect(priceCall(mixed, priceOf(undefined, SONNET))).toEqual({ unknown: "flex and default tier" });
  });
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

  it("says when the price is unknown, and of what", () => {
    const times = { firstTokenMs: undefined, totalMs: 2 };
    expect(describeUsage(usage, { unknown: "" }, times)).toContain("price unknown · ");
    expect(describeUsage(usage, { unknown: "flex tier" }, times)).toContain("price unknown (flex tier)");
  });
});

describe("usdAbove", () => {
  it.each([
    [0.0100246, 0.01, "0.010025", "0.01"],
    [12.341, 12.34, "12.341", "12.34"],
    [20, 12.34, "20.00", "12.34"],
    [0.01600001, 0.015, "0.02", "0.015"],
    [0.00005, 0, "0.00005", "0"],
    [1.6e-7, 1.5e-7, "0.00000016", "0.00000015"],
  ])("tells %f from %f", (usd, bound, ...told) => {
    expect(Object.values(usdAbove(usd, bound))).toEqual(told);
  });

  it("never tells them as one, whatever they are", () => {
    for (let power = -9; power < 4; power++)
      for (const digits of [0, 1, 1.05, 4.99, 9.96])
        for (const more of [1e-9, 1e-6, 0.001, 1, 100]) {
          const bound = digits * 10 ** power;
          const told = usdAbove(bound + more * 10 ** power, bound);
          expect(Number(told.usd), `${digits}e${power} and ${more}`).toBeGreaterThan(Number(told.bound));
        }
  });
});

describe("formatUsd", () => {
  it.each([
    [0, "0"],
    [1e-9, "0.000000001"],
    [5.34e-6, "0.0000053"],
    [0.0002, "0.0002"],
    [0.00996, "0.01"],
    [0.01, "0.01"],
    [0.25, "0.25"],
    [12, "12.00"],
  ])("shows %f as %s", (usd, text) => expect(formatUsd(usd)).toBe(text));

  it("shows nothing that costs something as nothing", () => {
    for (let power = -20; power < 3; power++)
      for (const digits of [1, 1.05, 4.99, 9.96])
        expect(Number(formatUsd(digits * 10 ** power)), `${digits}e${power}`).toBeGreaterThan(0);
  });
});
