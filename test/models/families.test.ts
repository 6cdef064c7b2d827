import { describe, expect, it, test } from "vitest";
import {
  beginsInReasoning,
  families,
  familyOf,
  idBehind,
  isCalledAtRuntime,
} from "../../src/models/families.ts";

/** What is known of a model, in short: levels of reasoning, times of cache points, and the names of other facts. */
function known(id: string): string[] {
  const {
    reasoning,
    cachePoints,
    outputConfig,
    namedToolChoice,
    attachments,
    useCaseForm,
    apis,
    media,
    readsS3,
  } = familyOf(id);
  const {
    toolIds,
    richToolResults,
    separateToolTurns,
    flatToolSchemas,
    bareToolSchemas,
    oneSampling,
    prefill,
  } = familyOf(id);
  const { retention } = familyOf(id);
  const { quotaName, embedding } = familyOf(id);
  return [
    ...(reasoning ? [`reasoning ${[reasoning.off ? "off" : "", ...reasoning.levels].join(" ")}`.trim()] : []),
    ...(cachePoints ? [`cache ${cachePoints.times.join(" ")}`.trim()] : []),
    ...(cachePoints?.inTools === false ? ["no cache in tools"] : []),
    ...(cachePoints?.onlyBehindText ? ["cache behind text"] : []),
    ...(outputConfig ? ["outputConfig"] : []),
    ...(namedToolChoice ? ["namedToolChoice"] : []),
    ...(attachments ? [`pdf ${attachments.mostBytes.pdf ?? attachments.mostBytes.document}`] : []),
    ...(media ? media.kinds : []),
    ...(readsS3 ? ["S3"] : []),
    ...(useCaseForm ? ["form"] : []),
    ...(apis ? [`apis at mantle: ${apis.mantle?.join(", ") ?? "none"}`] : []),
    ...(toolIds?.length === 9 ? ["ids of 9"] : []),
    ...(richToolResults ? ["rich results"] : []),
    ...(separateToolTurns ? ["separate tool turns"] : []),
    ...(familyOf(id).freeToolChoice ? ["free tool choice"] : []),
    ...(flatToolSchemas ? ["flat schemas"] : []),
    ...(bareToolSchemas ? ["bare schemas"] : []),
    ...(familyOf(id).topK ? [`top-k ${JSON.stringify(familyOf(id).topK?.fields(5))}`] : []),
    ...(familyOf(id).namesStop ? ["names its stop"] : []),
    ...(oneSampling ? ["one sampling"] : []),
    ...(prefill ? ["prefill"] : []),
    ...(retention ? [`keeps for ${retention.least}`] : []),
    ...(quotaName ? [`quotas of ${quotaName.name}`] : []),
    ...(embedding ? [`vectors of ${embedding.dimensions.join(" ")}`] : []),
  ];
}

const ADAPTIVE = "low medium high xhigh max";
const TOP_K = 'top-k {"top_k":5}';
const CLAUDE = [
  "namedToolChoice",
  "pdf Infinity",
  "form",
  "rich results",
  "flat schemas",
  TOP_K,
  "names its stop",
];
const OLD_CLAUDE = [
  "namedToolChoice",
  "pdf 4718592",
  "form",
  "rich results",
  "flat schemas",
  TOP_K,
  "names its stop",
  "prefill",
];
const NOVA = [
  "namedToolChoice",
  "pdf 18750000",
  "video",
  "S3",
  "rich results",
  "bare schemas",
  'top-k {"inferenceConfig":{"topK":5}}',
];

/** A model of each family, and what is known of it. */
const KNOWN: [id: string, facts: string[]][] = [
  ["anthropic.claude-mythos-5-1", [`reasoning  ${ADAPTIVE}`, "cache 5m 1h", "outputConfig", ...CLAUDE]],
  ...["anthropic.claude-fable-5", "anthropic.claude-fable-5-1"].map((id): [string, string[]] => [
    id,
    [`reasoning  ${ADAPTIVE}`, "cache 5m 1h", "outputConfig", ...CLAUDE, "keeps for aws_review"],
  ]),
  ["anthropic.claude-fable-5-2", [`reasoning  ${ADAPTIVE}`, "cache 5m 1h", "outputConfig", ...CLAUDE]],
  ["anthropic.claude-opus-5-5", [`reasoning  ${ADAPTIVE}`, "cache 5m 1h", "outputConfig", ...CLAUDE]],
  ["anthropic.claude-sonnet-5-5", [`reasoning off ${ADAPTIVE}`, "cache 5m 1h", "outputConfig", ...CLAUDE]],
  ["anthropic.claude-haiku-5-5", [`reasoning off ${ADAPTIVE}`, "cache 5m 1h", "outputConfig", ...CLAUDE]],
  ["anthropic.claude-opus-5", [`reasoning off ${ADAPTIVE}`, "cache 5m 1h", "outputConfig", ...CLAUDE]],
  ["anthropic.claude-haiku-5", ["cache 5m 1h", "outputConfig", ...CLAUDE]],
  ["anthropic.claude-opus-4-8", [`reasoning off ${ADAPTIVE}`, "cache 5m 1h", ...CLAUDE]],
  [
    "anthropic.claude-sonnet-4-6",
    ["reasoning off low medium high max", "cache 5m 1h", "outputConfig", ...CLAUDE, "one sampling"],
  ],
  [
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    [
      `reasoning off minimal ${ADAPTIVE}`,
      "cache 5m 1h",
      "outputConfig",
      ...CLAUDE,
      "one sampling",
      "prefill",
    ],
  ],
  [
    "anthropic.claude-opus-4-1-20250805-v1:0",
    [`reasoning off minimal ${ADAPTIVE}`, "cache 5m", ...CLAUDE, "one sampling", "prefill"],
  ],
  [
    "anthropic.claude-sonnet-4-20250514-v1:0",
    [`reasoning off minimal ${ADAPTIVE}`, "cache 5m", ...CLAUDE, "prefill"],
  ],
  [
    "anthropic.claude-3-7-sonnet-20250219-v1:0",
    [`reasoning off minimal ${ADAPTIVE}`, "cache 5m", ...OLD_CLAUDE],
  ],
  ["anthropic.claude-3-5-haiku-20241022-v1:0", ["cache 5m", ...OLD_CLAUDE]],
  ["anthropic.claude-3-haiku-20240307-v1:0", OLD_CLAUDE],
  [
    "amazon.nova-2-lite-v1:0",
    ["reasoning off low medium high", "cache 5m", "no cache in tools", "cache behind text", ...NOVA],
  ],
  ["amazon.nova-pro-v1:0", ["cache 5m", "no cache in tools", "cache behind text", ...NOVA, "prefill"]],
  ["openai.gpt-oss-20b-1:0", ["reasoning  low medium high", "outputConfig"]],
  ["openai.gpt-5.6-sol", [`reasoning off ${ADAPTIVE}`, "outputConfig"]],
  ["openai.gpt-6-sol", [`reasoning off ${ADAPTIVE}`, "outputConfig"]],
  ["openai.gpt-6-astra", [`reasoning  ${ADAPTIVE}`, "outputConfig"]],
  ["xai.grok-4.3", ["reasoning off low medium high", "apis at mantle: openai-completions, openai-responses"]],
  ["xai.grok-4.6", ["reasoning  low medium high xhigh"]],
  ["xai.grok-4.7", ["reasoning  low medium high xhigh"]],
  ["moonshotai.kimi-k3", [`reasoning off ${ADAPTIVE}`, "cache", "outputConfig"]],
  ["moonshotai.kimi-k2.5", ["reasoning off high", "outputConfig"]],
  ["moonshot.kimi-k2-thinking", ["reasoning", "outputConfig"]],
  ["zai.glm-4.7", ["reasoning off high", "outputConfig"]],
  ["deepseek.v3.2", ["reasoning off low medium high", "outputConfig"]],
  ["deepseek.r1-v1:0", ["reasoning"]],
  ["qwen.qwen3-32b-v1:0", ["reasoning off low medium high", "outputConfig"]],
  ["qwen.qwen3-235b-a22b-2507-v1:0", ["outputConfig"]],
  ["minimax.minimax-m2.1", ["reasoning", "outputConfig"]],
  ["mistral.magistral-small-2509", ["reasoning", "outputConfig", "ids of 9"]],
  ["mistral.pixtral-large-2502-v1:0", ["ids of 9"]],
  ["mistral.voxtral-small-24b-2507", ["outputConfig", "audio", "ids of 9"]],
  ["google.gemma-3-27b-it", ["outputConfig"]],
  ["google.gemma-4-31b", ["apis at mantle: openai-completions, openai-responses"]],
  ["meta.llama3-3-70b-instruct-v1:0", ["separate tool turns", "free tool choice"]],
  ["amazon.titan-embed-text-v1", ["quotas of Titan Text Embeddings", "vectors of 1536"]],
  ["amazon.titan-embed-text-v2:0", ["vectors of 1024 512 256"]],
  ["cohere.embed-english-v3", ["vectors of 1024"]],
  ["cohere.embed-v4:0", ["vectors of 1536 1024 512 256"]],
  [
    "amazon.nova-2-multimodal-embeddings-v1:0",
    [
      "reasoning off low medium high",
      ...NOVA.filter((fact) => fact !== "video" && fact !== "S3"),
      "vectors of 3072 1024 384 256",
    ],
  ],
  ["anthropic.claude-v2:1", [...OLD_CLAUDE, "quotas of Claude V2"]],
  ["mistral.mixtral-8x7b-instruct-v0:1", ["ids of 9", "quotas of Mixtral 8X7BB Instruct"]],
];

/** Whether Converse takes a model, by its id or ARN. */
const CONVERSES: [id: string, expected: boolean][] = [
  ["amazon.nova-sonic-v1:0", false],
  ["amazon.nova-2-sonic-v1:0", false],
  ["amazon.nova-2-5-sonic", false],
  ["us.amazon.nova-2-sonic-v1:0", false],
  ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-sonic-v1:0", false],
  ["amazon.nova-lite-v1:0", true],
  ["amazon.nova-2-lite-v1:0:300k", true],
  ["twelvelabs.pegasus-1-2-v1:0", false],
  ["eu.twelvelabs.pegasus-1-2-v1:0", false],
  ["cohere.rerank-v3-5:0", false],
  ["amazon.rerank-v1:0", false],
  ["cohere.command-r-plus-v1:0", true],
  ["anthropic.claude-mythos-5", false],
  ["anthropic.claude-mythos-5-1", true],
  ["anthropic.claude-3-haiku-20240307-v1:0:48k", true],
  ["google.gemma-4-31b", false],
  ["google.gemma-3-27b-it", true],
  ["openai.gpt-5.4", false],
  ["openai.gpt-5.5", false],
  ["global.openai.gpt-5.6-sol", true],
  ["xai.grok-4.3", false],
  ["us.xai.grok-4.7", true],
  ["vendor.a-model-of-next-year-v1:0", true],
  ["arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456", true],
];

/** By which of the cheaper ways a model is offered. */
test.each([
  ["anthropic.claude-3-haiku-20240307-v1:0", "batch"],
  ["anthropic.claude-3-5-sonnet-20241022-v2:0", "batch"],
  ["anthropic.claude-3-7-sonnet-20250219-v1:0", "batch"],
  ["anthropic.claude-sonnet-4-20250514-v1:0", "batch"],
  ["anthropic.claude-sonnet-4-6", "batch"],
  ["anthropic.claude-haiku-4-5-20251001-v1:0", "batch"],
  ["anthropic.claude-opus-4-6-v1", "batch"],
  ["anthropic.claude-opus-4-1-20250805-v1:0", ""],
  ["anthropic.claude-fable-5-1", ""],
  ["amazon.nova-micro-v1:0", "batch"],
  ["amazon.nova-pro-v1:0", "batch flex"],
  ["amazon.nova-2-lite-v1:0", "batch flex"],
  ["amazon.titan-embed-text-v2:0", "batch"],
  ["deepseek.v3-v1:0", "batch flex"],
  ["deepseek.v3.2", "flex"],
  ["meta.llama3-3-70b-instruct-v1:0", "batch"],
  ["meta.llama3-70b-instruct-v1:0", ""],
  ["mistral.mistral-small-2402-v1:0", "batch"],
  ["openai.gpt-oss-120b-1:0", "batch flex"],
  ["openai.gpt-oss-safeguard-20b", "flex"],
  ["openai.gpt-5.6-sol", ""],
  ["qwen.qwen3-32b-v1:0", "batch flex"],
  ["qwen.qwen3-next-80b-a3b", "flex"],
  ["google.gemma-3-27b-it", "flex"],
  ["nvidia.nemotron-nano-12b-v2", "flex"],
  ["minimax.minimax-m2.1", "batch"],
  ["zai.glm-4.7-flash", "batch flex"],
])("%s is offered in: %s", (id, ways) => {
  const { batch, flex } = familyOf(id);
  expect([...(batch ? ["batch"] : []), ...(flex ? ["flex"] : [])].join(" ")).toBe(ways);
});

test.each([
  ["claude-haiku-4-5", "anthropic.claude-haiku-4-5"],
  ["claude-haiku-4-5-20251001", "anthropic.claude-haiku-4-5-20251001"],
  ["claude-3-5-haiku-latest", "anthropic.claude-3-5-haiku"],
  ["anthropic/claude-haiku-4.5", "anthropic.claude-haiku-4-5"],
  ["anthropic/claude-opus-4.8:thinking", "anthropic.claude-opus-4-8"],
  ["claude-haiku-4-5@20251001", "anthropic.claude-haiku-4-5-20251001"],
  ["us.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6-v1"],
  ["MiniMax-M2", undefined],
  ["not-claude-opus", undefined],
])("a server's %s is %s in Bedrock", (id, expected) => {
  expect(idBehind(id)).toBe(expected);
});

describe("the table of model families", () => {
  test.each(KNOWN)("knows of %s: %j", (id, facts) => {
    expect(known(id)).toEqual(facts);
  });

  test.each(CONVERSES)("isCalledAtRuntime('%s') is %s", (id, expected) => {
    expect(isCalledAtRuntime(id)).toBe(expected);
  });

  test.each([
    ["deepseek-r1:7b", true],
    ["deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", true],
    ["deepseek-reasoner", true],
    ["r1-1776", true],
    ["qwq:32b", true],
    ["Qwen/Qwen3-30B-A3B-Thinking-2507", true],
    ["qwen3.6:35b", true],
    ["qwen3:8b", false],
    ["Qwen3-30B-A3B-Instruct-2507", false],
    ["glm-4-non-thinking", false],
    ["llama3.1:8b", false],
    ["mirror1", false],
  ])("beginsInReasoning('%s') is %s", (id, expected) => {
    expect(beginsInReasoning(id)).toBe(expected);
  });

  it("knows nothing of a model whose id is not known", () => {
    expect(familyOf(undefined)).toEqual({});
  });

  it("names a page for each fact", () => {
    for (const { models, ...facts } of families()) {
      expect(models.source.startsWith("^")).toBe(true);
      for (const fact of Object.values(facts)) expect(fact?.source).toMatch(/^https:\/\//);
    }
  });

  it("has an example above for each of its rows", () => {
    const ids = [...KNOWN, ...CONVERSES].flatMap(([id]) => [id, id.replace(/(-v\d+)?(:\d+)?$/, "")]);
    const without = families().filter(({ models }) => !ids.some((id) => models.test(id)));
    expect(without.map(({ models }) => String(models))).toEqual([]);
  });
});
