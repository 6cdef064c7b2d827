import { assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { familyOf, PLAIN_BURNDOWN } from "../../src/models/families.ts";
import {
  dailyQuotaOfAccount,
  judgeCall,
  type ModelQuota,
  jobQuotaOf,
  quotaOf,
  type QuotaScope,
  readQuotaName,
  reservation,
  scopeOfProfile,
  type ServiceQuota,
  settlement,
} from "../../src/models/quotas.ts";

const quota = (name: string, value = 1000): ServiceQuota => ({
  name,
  code: "L-00000000",
  value,
  isAdjustable: false,
});

const model = (id: string, name: string, provider: string) => ({ id, name, provider });
const SONNET_4_5 = model("anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5", "Anthropic");

/** Names as Service Quotas and the AWS General Reference have had them, and the one model, way and limit they are of. */
const NAMES: readonly (readonly [
  name: string,
  of: ReturnType<typeof model>,
  scope: QuotaScope,
  field: keyof ModelQuota,
])[] = [
  [
    "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1",
    SONNET_4_5,
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "Cross-region model inference requests per minute for Anthropic Claude Sonnet 4.5 V1",
    SONNET_4_5,
    "cross-region",
    "requestsPerMinute",
  ],
  [
    "Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1",
    SONNET_4_5,
    "global",
    "tokensPerMinute",
  ],
  [
    "Global cross-region model inference requests per minute for Anthropic Claude Sonnet 4.5 V1",
    SONNET_4_5,
    "global",
    "requestsPerMinute",
  ],
  [
    "Global cross-region model inference tokens per day for Anthropic Claude Sonnet 4.5 V1",
    SONNET_4_5,
    "global",
    "tokensPerDay",
  ],
  [
    "Model invocation max tokens per day for Anthropic Claude Sonnet 4.5 V1 (doubled for cross-region calls)",
    SONNET_4_5,
    "cross-region",
    "tokensPerDay",
  ],
  [
    "Cross-Region InvokeModel tokens per minute for Anthropic Claude 3.5 Haiku",
    model("anthropic.claude-3-5-haiku-20241022-v1:0", "Claude 3.5 Haiku", "Anthropic"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "Cross-region InvokeModel requests per minute for Anthropic Claude 3 Haiku",
    model("anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", "Anthropic"),
    "cross-region",
    "requestsPerMinute",
  ],
  [
    "Cross-Region model inference tokens per minute for Anthropic Claude 3.5 Sonnet V2",
    model("anthropic.claude-3-5-sonnet-20241022-v2:0", "Claude 3.5 Sonnet v2", "Anthropic"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Anthropic Claude 3.5 Sonnet",
    model("anthropic.claude-3-5-sonnet-20240620-v1:0", "Claude 3.5 Sonnet", "Anthropic"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Anthropic Claude V2",
    model("anthropic.claude-v2:1", "Claude", "Anthropic"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for Anthropic Claude Instant",
    model("anthropic.claude-instant-v1", "Claude Instant", "Anthropic"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "Cross-region model inference tokens per minute for Anthropic Claude 3.7 Sonnet V1",
    model("anthropic.claude-3-7-sonnet-20250219-v1:0", "Claude 3.7 Sonnet", "Anthropic"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "Cross-region model inference requests per minute for Anthropic Claude Opus 4 V1",
    model("anthropic.claude-opus-4-20250514-v1:0", "Claude Opus 4", "Anthropic"),
    "cross-region",
    "requestsPerMinute",
  ],
  [
    "Model invocation max tokens per day for Anthropic Claude Sonnet 4 V1 (doubled for cross-region calls)",
    model("anthropic.claude-sonnet-4-20250514-v1:0", "Claude Sonnet 4", "Anthropic"),
    "on-demand",
    "tokensPerDay",
  ],
  [
    "Cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5",
    model("anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5", "Anthropic"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "Cross-region model inference tokens per minute for Anthropic Claude Opus 4.8",
    model("anthropic.claude-opus-4-8", "Claude Opus 4.8", "Anthropic"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 5",
    model("anthropic.claude-sonnet-5", "Claude Sonnet 5", "Anthropic"),
    "global",
    "tokensPerMinute",
  ],
  [
    "[bedrock-mantle endpoint] Input tokens per minute for Claude Opus 4.8",
    model("anthropic.claude-opus-4-8", "Claude Opus 4.8", "Anthropic"),
    "mantle",
    "inputTokensPerMinute",
  ],
  [
    "[bedrock-mantle endpoint] Output tokens per minute for GPT-5.6 Luna",
    model("openai.gpt-5.6-luna", "GPT-5.6 Luna", "OpenAI"),
    "mantle",
    "outputTokensPerMinute",
  ],
  [
    "Global cross-region model inference tokens per minute for GPT-6 Sol",
    model("openai.gpt-6-sol", "GPT-6 Sol", "OpenAI"),
    "global",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for OpenAI GPT OSS 20B",
    model("openai.gpt-oss-20b-1:0", "gpt-oss-20b", "OpenAI"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for GPT OSS Safeguard 20B",
    model("openai.gpt-oss-safeguard-20b", "GPT OSS Safeguard 20B", "OpenAI"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "Model invocation max tokens per day for OpenAI GPT OSS 120B (doubled for cross-region calls)",
    model("openai.gpt-oss-120b-1:0", "gpt-oss-120b", "OpenAI"),
    "on-demand",
    "tokensPerDay",
  ],
  [
    "On-demand model inference tokens per minute for Amazon Nova Micro",
    model("amazon.nova-micro-v1:0", "Nova Micro", "Amazon"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "Cross-region model inference requests per minute for Amazon Nova Premier V1",
    model("amazon.nova-premier-v1:0", "Nova Premier", "Amazon"),
    "cross-region",
    "requestsPerMinute",
  ],
  [
    "Cross-region model inference tokens per minute for Amazon Nova 2 Lite",
    model("amazon.nova-2-lite-v1:0", "Nova 2 Lite", "Amazon"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Amazon Titan Text Embeddings V2",
    model("amazon.titan-embed-text-v2:0", "Titan Text Embeddings V2", "Amazon"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for Amazon Titan Text Embeddings",
    model("amazon.titan-embed-text-v1", "Titan Embeddings G1 - Text", "Amazon"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Amazon Titan Multimodal Embeddings G1",
    model("amazon.titan-embed-image-v1", "Titan Multimodal Embeddings G1", "Amazon"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "Global cross-region model inference requests per minute for Cohere Embed V4",
    model("cohere.embed-v4:0", "Embed v4", "Cohere"),
    "global",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Cohere Embed English",
    model("cohere.embed-english-v3", "Embed English", "Cohere"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Cohere Rerank 3.5",
    model("cohere.rerank-v3-5:0", "Rerank 3.5", "Cohere"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for Cohere Command R Plus",
    model("cohere.command-r-plus-v1:0", "Command R+", "Cohere"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for Cohere Command R",
    model("cohere.command-r-v1:0", "Command R", "Cohere"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Meta Llama 3.2 1B Instruct",
    model("meta.llama3-2-1b-instruct-v1:0", "Llama 3.2 1B Instruct", "Meta"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "Cross-region model inference tokens per minute for Meta Llama 3.2 3B Instruct",
    model("meta.llama3-2-3b-instruct-v1:0", "Llama 3.2 3B Instruct", "Meta"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "Cross-region model inference requests per minute for Meta Llama 4 Maverick V1",
    model("meta.llama4-maverick-17b-instruct-v1:0", "Llama 4 Maverick 17B Instruct", "Meta"),
    "cross-region",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Mistral 7B Instruct",
    model("mistral.mistral-7b-instruct-v0:2", "Mistral 7B Instruct", "Mistral AI"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for Mistral AI Mixtral 8X7BB Instruct",
    model("mistral.mixtral-8x7b-instruct-v0:1", "Mixtral 8x7B Instruct", "Mistral AI"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Mistral Mixtral 8x7b Instruct",
    model("mistral.mixtral-8x7b-instruct-v0:1", "Mixtral 8x7B Instruct", "Mistral AI"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "Cross-region model inference tokens per minute for Mistral Pixtral Large 25.02 V1",
    model("mistral.pixtral-large-2502-v1:0", "Pixtral Large (25.02)", "Mistral AI"),
    "cross-region",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Ministral 14B 3.0",
    model("mistral.ministral-3-14b-instruct", "Ministral 3 14B", "Mistral AI"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference tokens per minute for Qwen3 235B a22b 2507 V1",
    model("qwen.qwen3-235b-a22b-2507-v1:0", "Qwen3 235B A22B 2507", "Qwen"),
    "on-demand",
    "tokensPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Qwen3 32B V1",
    model("qwen.qwen3-32b-v1:0", "Qwen3 32B (dense)", "Qwen"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference requests per minute for Qwen3 Coder 30B a3b V1",
    model("qwen.qwen3-coder-30b-a3b-v1:0", "Qwen3-Coder-30B-A3B-Instruct", "Qwen"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand model inference requests per minute for AI21 Labs Jamba 1.5 Large",
    model("ai21.jamba-1-5-large-v1:0", "Jamba 1.5 Large", "AI21 Labs"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "Model invocation max tokens per day for Kimi K2 Thinking",
    model("moonshot.kimi-k2-thinking", "Kimi K2 Thinking", "Moonshot AI"),
    "on-demand",
    "tokensPerDay",
  ],
  [
    "InvokeModel requests per minute for Anthropic Claude 3 Haiku",
    model("anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", "Anthropic"),
    "on-demand",
    "requestsPerMinute",
  ],
  [
    "On-demand InvokeModel tokens per minute for Anthropic Claude 3 Sonnet",
    model("anthropic.claude-3-sonnet-20240229-v1:0", "Claude 3 Sonnet", "Anthropic"),
    "on-demand",
    "tokensPerMinute",
  ],
];

describe("the name of a quota", () => {
  it.each(NAMES)("'%s' is of one model, in one way", (name, of, scope, field) => {
    expect(quotaOf(of, scope, [quota(name)])[field]?.name).toBe(name);
    // Of no other field, of no other model of this table, and of a way that it does not name only where it names none.
    expect(Object.keys(quotaOf(of, scope, [quota(name)]))).toEqual([field]);
    const strangers = NAMES.filter(([, other]) => other.id !== of.id);
    for (const [, other] of strangers)
      for (const way of ["on-demand", "cross-region", "global", "mantle"] as const)
        expect(quotaOf(other, way, [quota(name)]), `${other.id} ${way}`).toEqual({});
    if (scope === "global" || scope === "mantle")
      expect(quotaOf(of, "cross-region", [quota(name)])).toEqual({});
    if (/^(cross|on)-/i.test(name))
      expect(quotaOf(of, scope === "on-demand" ? "cross-region" : "on-demand", [quota(name)])).toEqual({});
  });

  it.each([
    "Model invocation max latency-optimized tokens per day for Amazon Nova Pro V1",
    "On-demand latency-optimized model inference tokens per minute for Meta Llama 3.1 70B Instruct",
    "Batch inference job size (in GB) for Claude Sonnet 4",
    "Minimum number of records per batch inference job for Nova Pro V1",
    "Model units per provisioned model for Amazon Titan Text Embeddings V2",
    "(Knowledge Bases) Retrieve requests per second",
    "(Guardrails) On-demand ApplyGuardrail contextual grounding policy text units per second",
    "Throttle rate limit for GetDataAutomationStatus",
    "Characters in Agent instructions",
    "Sum of in-progress and submitted batch inference jobs using a base model for DeepSeek v3",
    "On-demand model inference concurrent requests for Amazon Nova Sonic",
    "Cross-Model Max Tokens Per Day",
    "",
  ])("'%s' is of no model's rate", (name) => {
    expect(readQuotaName(name)).toBeUndefined();
  });

  it("with a longer context is of another quota than the model's own", () => {
    const long =
      "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length";
    expect(quotaOf(SONNET_4_5, "cross-region", [quota(long)])).toEqual({});
  });

  it("counts twice across regions where it says so", () => {
    const day = quota(
      "Model invocation max tokens per day for Anthropic Claude Sonnet 4.5 V1 (doubled for cross-region calls)",
      144_000_000,
    );
    expect(quotaOf(SONNET_4_5, "cross-region", [day]).tokensPerDay?.value).toBe(288_000_000);
    expect(quotaOf(SONNET_4_5, "on-demand", [day]).tokensPerDay?.value).toBe(144_000_000);
  });

  it("in two wordings gives the lower one, whichever comes first", () => {
    const two = [
      quota("Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1", 200_000),
      quota("Cross-Region InvokeModel tokens per minute for Claude Sonnet 4.5", 100_000),
    ];
    for (const quotas of [two, two.toReversed()])
      expect(quotaOf(SONNET_4_5, "cross-region", quotas).tokensPerMinute?.value).toBe(100_000);
  });

  it("of the account's day is found beside those of models", () => {
    const all = [
      quota("On-demand model inference tokens per minute for Amazon Nova Micro"),
      quota("Cross-Model Max Tokens Per Day", 7),
    ];
    expect(dailyQuotaOfAccount(all)?.value).toBe(7);
  });
});

it.each([
  [
    ["arn:aws:bedrock:::foundation-model/a.b", "arn:aws:bedrock:us-east-1::foundation-model/a.b"],
    false,
    "global",
  ],
  [
    ["arn:aws:bedrock:us-east-1::foundation-model/a.b", "arn:aws:bedrock:us-west-2::foundation-model/a.b"],
    false,
    "cross-region",
  ],
  [["arn:aws:bedrock:us-east-1::foundation-model/a.b"], true, "on-demand"],
  [
    ["arn:aws:bedrock:us-east-1::foundation-model/a.b", "arn:aws:bedrock:us-west-2::foundation-model/a.b"],
    true,
    "cross-region",
  ],
] as const)("a profile of %j takes its way's quotas", (modelArns, isApplication, scope) => {
  expect(
    scopeOfProfile({
      id: "x",
      arn: "x",
      name: "x",
      isActive: true,
      isApplication,
      modelArns: [...modelArns],
    }),
  ).toBe(scope);
});

/** https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html */
it.each([
  ["anthropic.claude-opus-4-8", 15],
  ["anthropic.claude-sonnet-5", 10],
  ["anthropic.claude-opus-5", 10],
  ["anthropic.claude-opus-5-20260801-v1:0", 10],
  ["anthropic.claude-fable-5-1", 10],
  ["openai.gpt-5.6-luna", 10],
  ["anthropic.claude-opus-4-7", 5],
  ["anthropic.claude-opus-4-6-v1", 5],
  ["anthropic.claude-sonnet-4-5-20250929-v1:0", 5],
  ["anthropic.claude-sonnet-4-20250514-v1:0", 5],
  ["anthropic.claude-3-7-sonnet-20250219-v1:0", 5],
  ["anthropic.claude-3-5-sonnet-20240620-v1:0", 1],
  ["anthropic.claude-opus-5-5", 1],
  ["amazon.nova-lite-v1:0", 1],
  ["openai.gpt-5.2-mini", 1],
])("output of %s takes %i tokens of quota each", (id, output) => {
  expect((familyOf(id).burndown ?? PLAIN_BURNDOWN).output).toBe(output);
});

describe("the quotas of batch inference jobs", () => {
  const quotas = [
    quota("Minimum number of records per batch inference job for Claude Sonnet 4.5", 100),
    quota("Records per batch inference job for Claude Sonnet 4.5", 50_000),
    quota("Records per input file per batch inference job for Claude Sonnet 4.5", 40_000),
    quota("Batch inference input file size (in GB) for Claude Sonnet 4.5", 1),
    quota("Batch inference job size (in GB) for Claude Sonnet 4.5", 5),
    quota(
      "Sum of in-progress and submitted batch inference jobs using a base model for Claude Sonnet 4.5",
      20,
    ),
    quota("Batch inference input file size for Qwen3 32B (in GB)", 2),
    quota("On-demand model inference tokens per minute for Meta Llama 3 70B", 9),
  ];

  it("are those of the model, wherever their unit stands", () => {
    expect(jobQuotaOf(SONNET_4_5, quotas)).toEqual({
      leastRecords: 100,
      mostRecords: 50_000,
      mostRecordsOfFile: 40_000,
      fileGigabytes: 1,
    });
    expect(jobQuotaOf(model("qwen.qwen3-32b-v1:0", "Qwen3 32B (dense)", "Qwen"), quotas)).toEqual({
      fileGigabytes: 2,
    });
  });

  it("are none of a model that has no such jobs", () => {
    expect(
      jobQuotaOf(model("meta.llama3-70b-instruct-v1:0", "Llama 3 70B Instruct", "Meta"), quotas),
    ).toBeUndefined();
  });
});

describe("what a call takes of the quota", () => {
  it("is all that goes in and may come out, when it begins", () => {
    expect(
      reservation({
        inputTokens: 1000,
        cacheReadInputTokens: 300,
        cacheWriteInputTokens: 200,
        maxTokens: 4096,
      }),
    ).toBe(5596);
  });

  it("is output by its rate, without what was read from the cache, when it has ended", () => {
    // The example of https://aws.amazon.com/blogs/machine-learning for Claude Sonnet 4.5.
    expect(settlement({ inputTokens: 1000, cacheWriteInputTokens: 200, outputTokens: 100 }, 5)).toBe(1700);
  });

  const limits = (requests?: number, tokens?: number, day?: number): ModelQuota => ({
    ...(requests === undefined ? {} : { requestsPerMinute: quota("r", requests) }),
    ...(tokens === undefined ? {} : { tokensPerMinute: quota("t", tokens) }),
    ...(day === undefined ? {} : { tokensPerDay: quota("d", day) }),
  });

  it.each([
    ["fits", { inputTokens: 10_000, maxTokens: 4096 }, limits(200, 200_000), undefined, { answer: "fits" }],
    [
      "fits to the last token",
      { inputTokens: 10, maxTokens: 90 },
      limits(1, 100),
      undefined,
      { answer: "fits" },
    ],
    [
      "waits until enough has come back",
      { inputTokens: 10_000, maxTokens: 10_000 },
      limits(200, 60_000),
      { requests: 3, tokens: 50_000 },
      { answer: "wait", waitSeconds: 10 },
    ],
    [
      "waits a minute at most",
      { inputTokens: 50_000, maxTokens: 10_000 },
      limits(200, 60_000),
      { requests: 3, tokens: 90_000 },
      { answer: "wait", waitSeconds: 60 },
    ],
    [
      "waits for a request",
      { inputTokens: 1, maxTokens: 1 },
      limits(2, 60_000),
      { requests: 2, tokens: 10 },
      { answer: "wait", waitSeconds: 30 },
    ],
    [
      "is too large, and would fit with fewer tokens",
      { inputTokens: 10_000, maxTokens: 64_000 },
      limits(200, 50_000),
      undefined,
      { answer: "too-large", fittingMaxTokens: 40_000 },
    ],
    [
      "is too large for the day",
      { inputTokens: 10, maxTokens: 100 },
      limits(200, 50_000, 60),
      undefined,
      { answer: "too-large", fittingMaxTokens: 50 },
    ],
    [
      "is too large by its input",
      { inputTokens: 50_000, maxTokens: 1 },
      limits(200, 50_000),
      undefined,
      { answer: "too-large", fittingMaxTokens: undefined },
    ],
    [
      "has no quota of requests",
      { inputTokens: 1, maxTokens: 1 },
      limits(0, 50_000),
      undefined,
      { answer: "no-quota" },
    ],
    [
      "has no quota of a day",
      { inputTokens: 1, maxTokens: 1 },
      limits(5, 50_000, 0),
      undefined,
      { answer: "no-quota" },
    ],
    [
      "is not known to have one",
      { inputTokens: 1, maxTokens: 1 },
      limits(5),
      undefined,
      { answer: "unknown" },
    ],
  ] as const)("%s", (_, call, quotas, used, verdict) => {
    expect(judgeCall(call, quotas, used)).toEqual(verdict);
  });

  it("takes the answer of a call to Mantle from the tokens of its input, when it begins", () => {
    const mantle: ModelQuota = {
      inputTokensPerMinute: quota("i", 100),
      outputTokensPerMinute: quota("o", 50),
    };
    expect(judgeCall({ inputTokens: 40, maxTokens: 60 }, mantle)).toEqual({ answer: "fits" });
    expect(judgeCall({ inputTokens: 40, maxTokens: 61 }, mantle)).toEqual({
      answer: "too-large",
      fittingMaxTokens: 60,
    });
  });

  it("fits with the length that was named, whatever the numbers", () => {
    const numbers = record({
      inputTokens: integer({ min: 0, max: 200_000 }),
      maxTokens: integer({ min: 1, max: 200_000 }),
      perMinute: integer({ min: 1, max: 300_000 }),
      used: constantFrom(0, 1000, 299_999),
    });
    assert(
      property(numbers, ({ inputTokens, maxTokens, perMinute, used }) => {
        const quotas = limits(undefined, perMinute);
        const verdict = judgeCall({ inputTokens, maxTokens }, quotas, { requests: 0, tokens: used });
        if (verdict.answer === "too-large") {
          expect(inputTokens + maxTokens).toBeGreaterThan(perMinute);
          if (verdict.fittingMaxTokens === undefined) {
            expect(inputTokens).toBeGreaterThanOrEqual(perMinute);
            return;
          }
          expect(judgeCall({ inputTokens, maxTokens: verdict.fittingMaxTokens }, quotas)).toEqual({
            answer: "fits",
          });
          expect(judgeCall({ inputTokens, maxTokens: verdict.fittingMaxTokens + 1 }, quotas).answer).toBe(
            "too-large",
          );
        } else if (verdict.answer === "wait") {
          expect(verdict.waitSeconds).toBeLessThanOrEqual(60);
          expect(inputTokens + maxTokens).toBeGreaterThan(perMinute - used);
        } else expect(inputTokens + maxTokens).toBeLessThanOrEqual(perMinute - used);
      }),
    );
  });
});
