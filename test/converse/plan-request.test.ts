import { describe, expect, it } from "vitest";
import { planRequest, withOwnFields } from "../../src/converse/plan-request.ts";
import { namedModel } from "../../src/models/resolve-model.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

describe("fields of the caller's own", () => {
  it.each([
    ["beside those for the model", { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ["in place of one of the same name", { a: 1 }, { a: [2] }, { a: [2] }],
    [
      "in one object with them",
      { output_config: { effort: "high" } },
      { output_config: { format: {} } },
      { output_config: { effort: "high", format: {} } },
    ],
    [
      "but not where the object is of a type",
      { thinking: { type: "adaptive", display: "summarized" } },
      { thinking: { type: "enabled", budget_tokens: 1024 } },
      { thinking: { type: "enabled", budget_tokens: 1024 } },
    ],
  ])("stand %s", (_, fields, own, both) => {
    expect(withOwnFields(fields, own)).toEqual(both);
  });

  it.each([
    [{ thinking: { type: "enabled", budget_tokens: 1024 } }, true],
    [{ thinking: { type: "disabled" } }, false],
    [{ reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } }, true],
    [{ top_k: 5 }, false],
  ])("%j go with the request, and tell whether the model reasons: %s", async (ownFields, isReasoning) => {
    const model = namedModel(CLAUDE, {});
    const ask = {
      model,
      messages: [{ role: "user" as const, content: [{ text: "hi" }] }],
      parameters: {},
      ownFields,
      responseFields: ["/stop_sequence"],
    };
    const plan = await planRequest(ask, CLAUDE, {}, undefined);
    expect(plan.input).toMatchObject({
      additionalModelRequestFields: ownFields,
      additionalModelResponseFieldPaths: ["/stop_sequence"],
    });
    expect(plan.isReasoning).toBe(isReasoning);
  });
});

describe("the most tokens that the settings give a model", () => {
  const planned = async (maxTokens: number, parameters: object) => {
    const models = [{ id: CLAUDE, maxTokens }];
    const config = { models: { providers: { "amazon-bedrock": { models } } } };
    const messages = [{ role: "user" as const, content: [{ text: "hi" }] }];
    return planRequest(
      { model: namedModel(CLAUDE, config), messages, parameters },
      CLAUDE,
      config,
      undefined,
    );
  };

  it("bound what is asked for, with a notice, and are not sent by themselves", async () => {
    const plan = await planned(5000, { maxTokens: 90_000 });
    expect(plan.input.inferenceConfig).toEqual({ maxTokens: 5000 });
    expect(plan.notices).toEqual([expect.stringContaining("at most 5000 tokens here, so max-tokens 90000")]);
    expect((await planned(5000, {})).input.inferenceConfig).toBeUndefined();
    expect((await planned(5000, { maxTokens: 5000 })).notices).toEqual([]);
  });

  it("go before the catalog's, whichever are more", async () => {
    const { input } = await planned(5000, { reasoning: "high" });
    expect(input.inferenceConfig).toEqual({ maxTokens: 5000 });
    expect(input.additionalModelRequestFields).toMatchObject({ thinking: { budget_tokens: 3750 } });
    expect((await planned(100_000, { maxTokens: 90_000 })).input.inferenceConfig).toEqual({
      maxTokens: 90_000,
    });
  });
});
