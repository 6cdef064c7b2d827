import { describe, expect, it } from "vitest";
import { buildRequest, mergeParameters, userMessage } from "../../src/converse/request.ts";

const messages = [userMessage("hi")];

describe("buildRequest", () => {
  it("sends nothing that was not asked for", () => {
    expect(buildRequest({ modelId: "m", messages, parameters: {} })).toEqual({
      modelId: "m",
      messages: [{ role: "user", content: [{ text: "hi" }] }],
    });
  });

  it.each([
    ["a system prompt", { system: "Be brief." }, {}, { system: [{ text: "Be brief." }] }],
    ["a token limit", {}, { maxTokens: 5 }, { inferenceConfig: { maxTokens: 5 } }],
    ["temperature 0", {}, { temperature: 0 }, { inferenceConfig: { temperature: 0 } }],
    ["top-p", {}, { topP: 0.5 }, { inferenceConfig: { topP: 0.5 } }],
    ["stop texts", {}, { stopSequences: ["END"] }, { inferenceConfig: { stopSequences: ["END"] } }],
    ["a service tier", {}, { serviceTier: "flex" as const }, { serviceTier: { type: "flex" } }],
    [
      "a latency mode",
      {},
      { latency: "optimized" as const },
      { performanceConfig: { latency: "optimized" } },
    ],
    [
      "a guardrail",
      { guardrail: { guardrailIdentifier: "g", guardrailVersion: "1" } },
      {},
      { guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" } },
    ],
    [
      "tools",
      { tools: { tools: [{ toolSpec: { name: "clock", inputSchema: { json: { type: "object" } } } }] } },
      {},
      { toolConfig: { tools: [{ toolSpec: { name: "clock", inputSchema: { json: { type: "object" } } } }] } },
    ],
  ])("sends %s where Converse wants it", (_, more, parameters, expected) => {
    const plain = buildRequest({ modelId: "m", messages, parameters: {} });
    const request = buildRequest({ modelId: "m", messages, parameters, ...more });
    expect(request).toEqual({ ...plain, ...expected });
  });

  it("sends the blocks of a system prompt as they are", () => {
    const system = [{ text: "a" }, { cachePoint: { type: "default" as const } }, { text: "b" }];
    expect(buildRequest({ modelId: "m", messages, system, parameters: {} }).system).toEqual(system);
    expect(buildRequest({ modelId: "m", messages, system: [], parameters: {} })).not.toHaveProperty("system");
  });

  it("asks for fields of the model's own answer where some are wanted", () => {
    const asking = { modelId: "m", messages, parameters: {}, responseFields: ["/stop_sequence"] };
    expect(buildRequest(asking)).toHaveProperty("additionalModelResponseFieldPaths", ["/stop_sequence"]);
  });

  it("sends no empty system block", () => {
    expect(buildRequest({ modelId: "m", messages, system: "", parameters: {} })).not.toHaveProperty("system");
  });
});

it("takes parameters from the flag, then from the model's entry, then from the defaults", () => {
  const config = {
    agents: {
      defaults: {
        params: { maxTokens: 1, temperature: 0.1, topP: 0.2 },
        models: { "amazon-bedrock/m": { params: { maxTokens: 2, temperature: 0.3 } } },
      },
    },
  };
  expect(mergeParameters({ maxTokens: 3 }, config, ["m", "amazon-bedrock/m"])).toEqual({
    maxTokens: 3,
    temperature: 0.3,
    topP: 0.2,
  });
});
