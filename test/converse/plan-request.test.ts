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
