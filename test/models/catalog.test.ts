import { describe, expect, test } from "vitest";
import { catalogIds, lookUpCatalog, lookUpUndated } from "../../src/models/catalog.ts";

const models = catalogIds().map((id) => ({ id, entry: lookUpCatalog(id) }));

describe("what the catalog holds", () => {
  test("is not empty", () => {
    expect(models.length).toBeGreaterThan(100);
  });

  test.for(models)("$id is plausible", ({ id, entry }) => {
    expect(entry?.name).toBeTruthy();
    expect(entry?.provider).toBeTruthy();
    expect(entry?.contextWindow).toBeGreaterThanOrEqual(1_000);
    expect(entry?.contextWindow).toBeLessThanOrEqual(10_000_000);
    expect(entry?.maxTokens ?? 1).toBeLessThanOrEqual(entry?.contextWindow ?? 0);
    expect(entry?.maxTokens ?? 1_024).toBeGreaterThanOrEqual(1_024);
    expect(entry?.input?.[0]).toBe("text");
    expect(typeof entry?.reasoning).toBe("boolean");
    const { tiers = [], ...plain } = entry?.cost ?? { input: 0, output: 0 };
    for (const cost of [plain, ...tiers]) {
      expect(cost.input).toBeGreaterThan(0);
      expect(Math.max(cost.input, cost.cacheWrite ?? 0)).toBeLessThanOrEqual(cost.output);
      expect(cost.output).toBeLessThanOrEqual(200);
      expect(cost.cacheRead ?? 0).toBeLessThanOrEqual(cost.input);
      // Nova's cache writes are free, every other model's cost more than its input.
      if (id.includes("amazon.nova")) expect(cost.cacheWrite ?? 0).toBe(0);
      else expect(cost.cacheWrite ?? cost.input).toBeGreaterThanOrEqual(cost.input);
    }
    const prices = [plain, ...tiers];
    for (const [index, tier] of tiers.entries()) {
      expect(tier.inputTokensAbove).toBeGreaterThan(tiers[index - 1]?.inputTokensAbove ?? 0);
      expect(tier.inputTokensAbove).toBeLessThan(entry?.contextWindow ?? 0);
      // Longer prompts cost more, and what has a price in short ones has one in long ones.
      for (const kind of ["input", "output", "cacheRead", "cacheWrite"] as const)
        expect(tier[kind] ?? 0).toBeGreaterThanOrEqual(prices[index]?.[kind] ?? 0);
    }
  });

  test("no price is far from the family's: a profile costs what its model costs, give or take a fifth", () => {
    const outliers = models.flatMap(({ id, entry }) => {
      const model = lookUpCatalog(id.slice(id.indexOf(".") + 1));
      if (!model?.cost || !entry?.cost) return [];
      const ratio = entry.cost.input / model.cost.input;
      return ratio < 0.9 || ratio > 1.21 ? [`${id}: ${ratio}`] : [];
    });
    expect(outliers).toEqual([]);
  });

  test("a profile's prices of long prompts begin where its model's do", () => {
    const beginnings = (id: string) => lookUpCatalog(id)?.cost?.tiers?.map((tier) => tier.inputTokensAbove);
    for (const { id } of models) {
      const model = id.slice(id.indexOf(".") + 1);
      if (lookUpCatalog(model)) expect(beginnings(id)).toEqual(beginnings(model));
    }
  });

  test("an output limit as large as the context window is a guess, but for Palmyra Vision, whose card says so", () => {
    const guesses = models
      .filter(({ entry }) => entry?.maxTokens === entry?.contextWindow)
      .map(({ id }) => id);
    expect(guesses).toEqual(["writer.palmyra-vision-7b"]);
  });
});

/**
 * Well-known models as AWS's pages have them: tokens in all, tokens out, and USD per million of input, output, cache reads and
 * cache writes. Claude's prices are those of https://platform.claude.com/docs/en/about-claude/pricing, which AWS's page has
 * with the premium of its Regions; those of others are in the cards.
 */
const CARDS: [id: string, card: string, window: number, out: number | undefined, prices: number[]][] = [
  ["global.anthropic.claude-opus-5-5", "anthropic-claude-opus-5-5", 1_000_000, 128_000, [4, 20, 0.2, 5]],
  ["us.anthropic.claude-opus-5-5", "anthropic-claude-opus-5-5", 1_000_000, 128_000, [4.4, 22, 0.22, 5.5]],
  [
    "global.anthropic.claude-sonnet-5-5",
    "anthropic-claude-sonnet-5-5",
    1_000_000,
    128_000,
    [2, 10, 0.1, 2.5],
  ],
  [
    "global.anthropic.claude-sonnet-4-6",
    "anthropic-claude-sonnet-4-6",
    1_000_000,
    64_000,
    [3, 15, 0.3, 3.75],
  ],
  [
    "global.anthropic.claude-haiku-5-5",
    "anthropic-claude-haiku-5-5",
    1_000_000,
    128_000,
    [0.1, 0.5, 0.01, 0.125],
  ],
  [
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic-claude-haiku-4-5",
    200_000,
    64_000,
    [1.1, 5.5, 0.11, 1.375],
  ],
  ["amazon.nova-2-lite-v1:0", "amazon-nova-2-lite", 1_000_000, 64_000, [0.33, 2.75, 0.0825, 0]],
  ["us.openai.gpt-6.1-sol", "openai-gpt-6-1-sol", 1_000_000, 131_072, [2.2, 11, 0.11, 2.75]],
  ["global.openai.gpt-6.1-sol", "openai-gpt-6-1-sol", 1_000_000, 131_072, [2, 10, 0.1, 2.5]],
  ["openai.gpt-6-astra", "openai-gpt-6-astra", 1_050_000, 128_000, [11, 55, 1.1, 13.75]],
  ["global.openai.gpt-5.6-luna", "openai-gpt-56-luna", 1_050_000, 128_000, [0.2, 1.2, 0.02, 0.25]],
  ["openai.gpt-oss-120b-1:0", "openai-gpt-oss-120b", 128_000, 16_384, [0.15, 0.6]],
  ["us.moonshotai.kimi-k3", "moonshot-ai-kimi-k3", 1_000_000, 128_000, [3.3, 16.5, 0.33, 4.125]],
  ["global.xai.grok-4.7", "xai-grok-4-7", 500_000, undefined, [2, 6, 0.5]],
  ["deepseek.v3-v1:0", "deepseek-deepseek-v3-1", 128_000, 8192, []],
  ["minimax.minimax-m2.5", "minimax-minimax-m2-5", 196_608, 8192, []],
  ["moonshot.kimi-k2-thinking", "moonshot-ai-kimi-k2-thinking", 262_144, 16_384, []],
  ["us.zai.glm-5.3", "zai-glm-5-3", 1_000_000, 128_000, []],
  ["us.meta.llama4-scout-17b-instruct-v1:0", "meta-llama-4-scout-17b-instruct", 10_000_000, 8192, []],
  ["mistral.mistral-large-3-675b-instruct", "mistral-ai-mistral-large-3", 262_144, 32_768, []],
];

test.for(CARDS)("%s is as model-card-%s.html has it", ([id, , contextWindow, maxTokens, prices]) => {
  const entry = lookUpCatalog(id);
  expect({ contextWindow: entry?.contextWindow, maxTokens: entry?.maxTokens }).toEqual({
    contextWindow,
    maxTokens,
  });
  const { input, output, cacheRead, cacheWrite } = entry?.cost ?? {};
  const known = [input, output, cacheRead, cacheWrite].filter((price) => price !== undefined);
  if (prices.length > 0) expect(known).toEqual(prices);
});

/** The prices of long prompts in the same cards; Haiku 5.5's in https://platform.claude.com/docs/en/about-claude/pricing. */
test.for<[id: string, above: number, prices: number[]]>([
  ["us.openai.gpt-6.1-sol", 272_000, [4.4, 16.5, 0.22, 5.5]],
  ["global.openai.gpt-6.1-sol", 272_000, [4, 15, 0.2, 5]],
  ["openai.gpt-6-astra", 272_000, [22, 82.5, 2.2, 27.5]],
  ["global.openai.gpt-5.6-luna", 272_000, [0.4, 1.8, 0.04, 0.5]],
  ["global.anthropic.claude-haiku-5-5", 100_000, [0.5, 2.5, 0.05, 0.625]],
  ["us.anthropic.claude-haiku-5-5", 100_000, [0.55, 2.75, 0.055, 0.6875]],
])("a prompt to %s of more than %d tokens has a price of its own", ([id, inputTokensAbove, prices]) => {
  const [input, output, cacheRead, cacheWrite] = prices;
  expect(lookUpCatalog(id)?.cost?.tiers).toEqual([
    { inputTokensAbove, input, output, cacheRead, cacheWrite },
  ]);
});

describe("lookUpUndated", () => {
  test("finds the only model that an id is without its date, and no other", () => {
    expect(lookUpUndated("anthropic.claude-haiku-4-5")).toMatchObject({ name: "Claude Haiku 4.5" });
    expect(lookUpUndated("anthropic.claude-opus-4-8")).toEqual(lookUpCatalog("anthropic.claude-opus-4-8"));
    expect(lookUpUndated("anthropic.claude-haiku-4")).toBeUndefined();
    expect(lookUpUndated("anthropic.claude")).toBeUndefined();
  });
});

describe("lookUpCatalog", () => {
  const opus = {
    name: "Claude Opus 4.6",
    contextWindow: 1_000_000,
    maxTokens: 128_000,
    cost: { input: 5.5 },
  };

  test.for([
    ["anthropic.claude-opus-4-6-v1", opus],
    ["us.anthropic.claude-opus-4-6-v1", opus],
    ["us-gov.anthropic.claude-opus-4-6-v1", opus],
    ["ca.anthropic.claude-opus-4-6-v1", opus],
    ["anthropic.claude-opus-4-6-v1:0", opus],
    ["anthropic.claude-opus-4-6", opus],
    ["us.anthropic.claude-opus-4-6-v1:0", opus],
    ["arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-6-v1", opus],
    [
      "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.anthropic.claude-opus-4-6-v1",
      opus,
    ],
    ["amazon.nova-2-lite-v1:0", { contextWindow: 1_000_000, maxTokens: 64_000, provider: "Amazon" }],
    ["amazon.nova-2-lite-v1", { contextWindow: 1_000_000 }],
    ["apac.amazon.nova-lite-v1:0", { contextWindow: 300_000, input: ["text", "image", "document"] }],
    ["deepseek.v3.2", { name: "DeepSeek-V3.2", provider: "DeepSeek" }],
    ["us.deepseek.r1-v1:0", { name: "DeepSeek-R1", reasoning: true }],
    ["openai.gpt-oss-120b-1:0", { name: "gpt-oss-120b" }],
    ["us.openai.gpt-6.1-sol", { name: "GPT-6.1 Sol" }],
    ["mistral.magistral-small-2509", { provider: "Mistral AI", reasoning: true }],
  ] as const)("finds %s", ([id, expected]) => {
    expect(lookUpCatalog(id)).toMatchObject(expected);
  });

  test.for([
    ["global.anthropic.claude-opus-4-6-v1", 5],
    ["us.anthropic.claude-opus-4-6-v1", 5.5],
    ["eu.anthropic.claude-opus-4-6-v1", 5.5],
    ["au.anthropic.claude-opus-4-6-v1", 5.5],
    ["jp.anthropic.claude-opus-4-8", 5.5],
    ["anthropic.claude-opus-4-1-20250805-v1:0", 15],
    ["us.anthropic.claude-opus-4-1-20250805-v1:0", 15],
    ["us.amazon.nova-2-lite-v1:0", 0.33],
    ["global.amazon.nova-2-lite-v1:0", 0.3],
    ["global.xai.grok-4.7", 2],
    ["arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-4-6-v1", 5],
  ] as const)("prices %s at %d USD per million input tokens", ([id, input]) => {
    expect(lookUpCatalog(id)?.cost?.input).toBe(input);
  });

  test("gives a profile with a price of its own everything else of its model", () => {
    const { cost, ...rest } = lookUpCatalog("global.anthropic.claude-sonnet-5") ?? {};
    const { cost: modelCost, ...modelRest } = lookUpCatalog("anthropic.claude-sonnet-5") ?? {};
    expect(rest).toEqual(modelRest);
    expect(cost).not.toEqual(modelCost);
  });

  test.for([
    ["anthropic.claude-3-haiku-20240307-v1:0", 200_000, 4_096],
    ["anthropic.claude-3-haiku-20240307-v1:0:48k", 48_000, 4_096],
    ["anthropic.claude-3-haiku-20240307-v1:0:200k", 200_000, 4_096],
    ["amazon.nova-lite-v1:0:24k", 24_000, 10_000],
    ["amazon.nova-lite-v1:0:4k", 4_000, 4_000],
    ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k", 128_000, 10_000],
  ] as const)("reads the context window of %s: %d tokens", ([id, contextWindow, maxTokens]) => {
    expect(lookUpCatalog(id)).toMatchObject({ contextWindow, maxTokens });
  });

  test.for([
    ["", "nothing"],
    ["us.", "a prefix alone"],
    ["anthropic.", "a vendor alone"],
    ["claude-opus-4-6-v1", "a model without its vendor"],
    ["anthropic.claude-opus-4-6-v2", "another major version"],
    ["anthropic.claude-opus-4-6-v1:1", "another minor version"],
    ["anthropic.claude-opus-4-60", "a longer number"],
    ["anthropic.claude-opus-4", "a shorter number"],
    ["anthropic.claude-sonnet-4-5", "an id without its date"],
    ["us.eu.anthropic.claude-opus-4-6-v1", "two prefixes"],
    [".anthropic.claude-opus-4-6-v1", "an empty prefix"],
    ["amazon.nova-lite-v1:0:300x", "a suffix that is no context window"],
    ["cohere.embed-v4:0", "a model that is not there"],
    ["__proto__", "a name that every object has"],
    ["us.constructor", "a name that every object has, behind a prefix"],
    [
      "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456",
      "a profile whose model the ARN hides",
    ],
    ["arn:aws:bedrock:us-east-1:123456789012:imported-model/amazon.nova-lite-v1:0", "an ARN of another kind"],
  ] as const)("knows nothing of '%s': %s", ([id]) => {
    expect(lookUpCatalog(id)).toBeUndefined();
  });

  test("hands out copies: what a caller does to an entry stays with the caller", () => {
    const before = structuredClone(lookUpCatalog("amazon.nova-2-lite-v1:0"));
    const entry = lookUpCatalog("amazon.nova-2-lite-v1:0");
    entry?.input?.pop();
    Object.assign(entry?.cost ?? {}, { input: 99 });
    expect(lookUpCatalog("amazon.nova-2-lite-v1:0")).toEqual(before);
    const tier = lookUpCatalog("openai.gpt-6-sol")?.cost?.tiers?.[0];
    Object.assign(tier ?? {}, { input: 99 });
    expect(lookUpCatalog("openai.gpt-6-sol")?.cost?.tiers?.[0]?.input).toBe(4.4);
  });
});

test("catalogIds names models and profiles, for suggestions", () => {
  expect(catalogIds()).toEqual(
    expect.arrayContaining(["us.anthropic.claude-opus-4-6-v1", "amazon.nova-pro-v1:0"]),
  );
});
