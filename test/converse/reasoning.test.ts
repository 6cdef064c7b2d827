import { describe, expect, it } from "vitest";
import { planReasoning, type ReasoningQuestion } from "../../src/converse/reasoning.ts";
import { familyOf, levelOfBudget } from "../../src/models/families.ts";
import type { ChatParameters } from "../../src/converse/request.ts";

function plan(baseId: string, parameters: ChatParameters, more: Partial<ReasoningQuestion> = {}) {
  return planReasoning({
    modelId: baseId,
    family: familyOf(baseId),
    canReason: true,
    parameters,
    mostTokens: undefined,
    isShown: false,
    ...more,
  });
}

const adaptive = (effort: string) => ({ thinking: { type: "adaptive" }, output_config: { effort } });
const budget = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens } });

describe("a reasoning level becomes what the model takes", () => {
  it.each<[string, NonNullable<ChatParameters["reasoning"]>, object]>([
    ["anthropic.claude-3-7-sonnet-20250219-v1:0", "high", budget(16_384)],
    ["anthropic.claude-sonnet-4-20250514-v1:0", "minimal", budget(1024)],
    ["anthropic.claude-opus-4-20250514-v1:0", "low", budget(4096)],
    ["anthropic.claude-opus-4-1-20250805-v1:0", "medium", budget(8192)],
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", "xhigh", budget(24_576)],
    ["anthropic.claude-opus-4-5-20251101-v1:0", "max", budget(32_000)],
    ["anthropic.claude-haiku-4-5-20251001-v1:0", "off", {}],
    ["anthropic.claude-opus-4-6-v1", "max", adaptive("max")],
    ["anthropic.claude-sonnet-4-6", "off", {}],
    ["anthropic.claude-opus-4-7", "xhigh", adaptive("xhigh")],
    ["anthropic.claude-opus-4-8", "off", {}],
    ["anthropic.claude-opus-5", "medium", adaptive("medium")],
    ["anthropic.claude-opus-5", "off", { thinking: { type: "disabled" } }],
    ["anthropic.claude-sonnet-5", "off", { thinking: { type: "disabled" } }],
    ["anthropic.claude-haiku-5-5", "off", { thinking: { type: "disabled" } }],
    ["anthropic.claude-sonnet-5-5", "off", { thinking: { type: "between_tools" } }],
    ["anthropic.claude-opus-5-5", "low", adaptive("low")],
    ["anthropic.claude-fable-5-1", "max", adaptive("max")],
    [
      "amazon.nova-2-lite-v1:0",
      "medium",
      { reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" } },
    ],
    ["amazon.nova-2-lite-v1:0", "off", {}],
    ["openai.gpt-oss-120b-1:0", "high", { reasoning_effort: "high" }],
    ["openai.gpt-5.6-sol", "xhigh", { reasoning: { effort: "xhigh" } }],
    ["openai.gpt-6-luna", "off", { reasoning: { effort: "none" } }],
    ["xai.grok-4.3", "off", { reasoning: { effort: "none" } }],
    ["xai.grok-4.6", "xhigh", { reasoning: { effort: "xhigh" } }],
    ["moonshotai.kimi-k3", "low", { reasoning: { effort: "low" } }],
    ["moonshotai.kimi-k2.5", "high", { reasoning_config: "high" }],
    ["zai.glm-5", "high", { reasoning_config: "high" }],
    ["deepseek.v3-v1:0", "low", { reasoning_config: "low" }],
    ["qwen.qwen3-32b-v1:0", "medium", { reasoning_effort: "medium" }],
  ])("%s, %s", (id, reasoning, fields) => {
    expect(plan(id, { reasoning })).toMatchObject({ fields, notices: [], isReasoning: reasoning !== "off" });
    expect(plan(id, { reasoning }).fields).toEqual(fields);
  });

  it.each<[string, NonNullable<ChatParameters["reasoning"]>, object, RegExp]>([
    ["anthropic.claude-opus-4-6-v1", "xhigh", adaptive("high"), /'xhigh'.*'high' is sent/],
    ["anthropic.claude-opus-4-6-v1", "minimal", adaptive("low"), /'minimal'.*'low' is sent/],
    ["anthropic.claude-opus-5-5", "off", adaptive("low"), /cannot stop reasoning, so 'low'/],
    [
      "amazon.nova-2-lite-v1:0",
      "max",
      { reasoningConfig: { type: "enabled", maxReasoningEffort: "high" } },
      /'high'/,
    ],
    ["openai.gpt-oss-20b-1:0", "off", { reasoning_effort: "low" }, /cannot stop reasoning/],
    ["openai.gpt-6-sol", "minimal", { reasoning: { effort: "low" } }, /'low' is sent/],
    ["zai.glm-4.7", "low", { reasoning_config: "high" }, /'high' is sent/],
    ["deepseek.r1-v1:0", "high", {}, /reasons as it likes/],
    ["moonshot.kimi-k2-thinking", "off", {}, /always reasons/],
    ["openai.gpt-6-astra", "off", { reasoning: { effort: "low" } }, /cannot stop reasoning, so 'low'/],
    ["xai.grok-4.7", "max", { reasoning: { effort: "xhigh" } }, /'xhigh' is sent/],
    ["nvidia.nemotron-super-3-120b", "high", {}, /not known/],
  ])("%s, %s: the nearest, with a notice", (id, reasoning, fields, notice) => {
    const planned = plan(id, { reasoning });
    expect(planned.fields).toEqual(fields);
    expect(planned.notices).toEqual([expect.stringMatching(notice)]);
  });

  it("says of a model that does not reason that it does not", () => {
    const { fields, notices } = plan("amazon.nova-lite-v1:0", { reasoning: "high" }, { canReason: false });
    expect(fields).toEqual({});
    expect(notices).toEqual(["'amazon.nova-lite-v1:0' does not reason, so reasoning 'high' is left out"]);
    expect(plan("amazon.nova-lite-v1:0", { reasoning: "off" }, { canReason: false }).notices).toEqual([]);
  });
});

describe("a turn in which Claude refuses to reason goes without, with a notice", () => {
  const BUDGETED = "anthropic.claude-sonnet-4-5-20250929-v1:0";
  const ADAPTIVE = "anthropic.claude-opus-4-6-v1";
  it.each([
    [BUDGETED, "lost-reasoning", "'low' is left out"],
    [BUDGETED, "forced-tool", "must call a tool"],
    [ADAPTIVE, "forced-tool", "must call a tool"],
  ] as const)("%s, %s", (id, obstacle, notice) => {
    const planned = plan(id, { reasoning: "low", temperature: 0.5 }, { obstacle });
    expect(planned).toMatchObject({ fields: {}, isReasoning: false, parameters: { temperature: 0.5 } });
    expect(planned.notices).toEqual([expect.stringContaining(notice)]);
  });

  it.each([
    [ADAPTIVE, "lost-reasoning", adaptive("low")],
    ["openai.gpt-oss-120b-1:0", "forced-tool", { reasoning_effort: "low" }],
    ["anthropic.claude-fable-5-1", "forced-tool", adaptive("low")],
  ] as const)("%s, %s: no reason to", (id, obstacle, fields) => {
    expect(plan(id, { reasoning: "low" }, { obstacle })).toMatchObject({ fields, notices: [] });
  });
});

describe("a budget", () => {
  const OPUS_4_1 = "anthropic.claude-opus-4-1-20250805-v1:0";

  it.each([
    ["leaves a quarter of a short answer to be said", { maxTokens: 5000 }, undefined, 3750],
    ["leaves the model tokens for its answer", {}, 32_000, 27_904],
    ["leaves a model that puts out little a quarter", {}, 8000, 6000],
    ["stays below what the model can put out", { maxTokens: 60_000 }, 32_000, 27_904],
    ["is the level's own where both allow it", { maxTokens: 60_000 }, 64_000, 32_000],
    ["is at least 1024", { maxTokens: 1365 }, undefined, 1024],
  ])("%s", (_, parameters, mostTokens, tokens) => {
    const planned = plan(OPUS_4_1, { reasoning: "max", ...parameters }, { mostTokens });
    expect(planned.fields).toEqual(budget(tokens));
  });

  it.each([
    [1024, undefined, "max-tokens allows 1024"],
    [1364, 32_000, "max-tokens allows 1364"],
    [undefined, 1300, "puts out at most 1300"],
    [5000, 1300, "puts out at most 1300"],
  ])("is left out with a notice when the answer may have too few: %s of %s", (maxTokens, mostTokens, why) => {
    const asked = { reasoning: "low" as const, ...(maxTokens !== undefined && { maxTokens }) };
    const planned = plan(OPUS_4_1, asked, { mostTokens });
    expect(planned).toMatchObject({ fields: {}, isReasoning: false });
    expect(planned.notices).toEqual([expect.stringContaining(`others to answer, and ${why}`)]);
  });
});

describe("parameters that the model or its mode refuses are left out, with a notice for each", () => {
  const all: ChatParameters = { temperature: 0.5, topP: 0.5, maxTokens: 9000, stopSequences: ["END"] };
  it.each<[string, ChatParameters["reasoning"], string[]]>([
    ["anthropic.claude-opus-4-6-v1", undefined, ["maxTokens", "stopSequences", "temperature", "topP"]],
    ["anthropic.claude-opus-4-6-v1", "off", ["maxTokens", "stopSequences", "temperature", "topP"]],
    ["anthropic.claude-opus-4-6-v1", "low", ["maxTokens", "stopSequences"]],
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", "low", ["maxTokens", "stopSequences"]],
    ["anthropic.claude-opus-4-7", undefined, ["maxTokens", "stopSequences"]],
    ["anthropic.claude-sonnet-5", "off", ["maxTokens", "stopSequences"]],
    ["amazon.nova-2-lite-v1:0", "medium", ["maxTokens", "stopSequences", "temperature", "topP"]],
    ["amazon.nova-2-lite-v1:0", "high", ["stopSequences"]],
    ["openai.gpt-5.6-sol", undefined, ["maxTokens"]],
    ["amazon.nova-lite-v1:0", undefined, ["maxTokens", "stopSequences", "temperature", "topP"]],
  ])("%s, %s", (id, reasoning, kept) => {
    const { parameters, notices } = plan(id, { ...all, reasoning });
    const { reasoning: _, ...others } = parameters;
    expect(Object.keys(others).sort()).toEqual(kept);
    expect(notices).toHaveLength(4 - kept.length);
  });

  it("keeps the values that Claude tolerates while it thinks", () => {
    const { parameters, notices } = plan("anthropic.claude-opus-4-6-v1", {
      reasoning: "low",
      temperature: 1,
      topP: 0.97,
    });
    expect(parameters).toMatchObject({ temperature: 1, topP: 0.97 });
    expect(notices).toEqual([]);
  });
});

describe("reasoning that is to be read", () => {
  it.each([
    [
      "anthropic.claude-opus-4-7",
      "low" as const,
      { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "low" } },
    ],
    ["anthropic.claude-opus-5", undefined, { thinking: { type: "adaptive", display: "summarized" } }],
    ["anthropic.claude-opus-4-7", undefined, {}],
    ["anthropic.claude-opus-4-6-v1", "low" as const, adaptive("low")],
    ["amazon.nova-2-lite-v1:0", undefined, {}],
  ])("is asked for where the model hides it: %s, %s", (id, reasoning, fields) => {
    expect(plan(id, { reasoning }, { isShown: true }).fields).toEqual(fields);
  });
});

it("gives no more tokens to think than are asked for", () => {
  const model = "anthropic.claude-opus-4-1-20250805-v1:0";
  const asked = plan(model, { reasoning: "medium" }, { mostReasoning: 5000 });
  expect(asked.fields).toEqual(budget(5000));
  expect(plan(model, { reasoning: "medium", maxTokens: 3000 }, { mostReasoning: 5000 }).fields).toEqual(
    budget(2999),
  );
});

it.each<[number, string]>([
  [1024, "minimal"],
  [1025, "low"],
  [16_384, "high"],
  [31_999, "max"],
  [100_000, "max"],
])("takes a budget of %d tokens for the level %s", (tokens, level) => {
  expect(levelOfBudget(tokens)).toBe(level);
});
