import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContentBlock, ConverseRequest } from "../../src/emulator/converse-model.ts";
import { MODELS, type EmulatedModel } from "../../src/emulator/models.ts";
import { simulateAnswer, splitIntoDeltas } from "../../src/emulator/simulated-answer.ts";

function model(modelId: string): EmulatedModel {
  const found = MODELS.find((candidate) => candidate.modelId === modelId);
  if (found === undefined) throw new Error(`The emulator has no ${modelId}.`);
  return found;
}

const CLAUDE = model("anthropic.claude-opus-4-6-v1");
const NOVA = model("amazon.nova-micro-v1:0");
const INTRODUCTION = "This is a simulated answer from the openclaw emulator (model Nova Micro). You asked: ";

function request(content: ContentBlock[], more: Partial<ConverseRequest> = {}): ConverseRequest {
  return {
    messages: [{ role: "user", content }],
    system: [],
    maxTokens: undefined,
    temperature: undefined,
    topP: undefined,
    tools: undefined,
    stopSequences: [],
    additionalFields: {},
    ...more,
  };
}

describe("simulated answers", () => {
  it.each<[string, ConverseRequest, { text: string; stopReason: string; outputTokens: number }]>([
    [
      "ends by itself",
      request([{ text: "Hi" }]),
      { text: `${INTRODUCTION}Hi`, stopReason: "end_turn", outputTokens: 22 },
    ],
    [
      "is cut at four characters a token",
      request([{ text: "Hi" }], { maxTokens: 5 }),
      { text: "This is a simulated ", stopReason: "max_tokens", outputTokens: 5 },
    ],
    [
      "is not cut when it fits exactly",
      request([{ text: "Hi" }], { maxTokens: 22 }),
      { text: `${INTRODUCTION}Hi`, stopReason: "end_turn", outputTokens: 22 },
    ],
    [
      "ends before the earliest stop sequence",
      request([{ text: "alpha beta gamma" }], { stopSequences: ["gamma", "beta", "delta"] }),
      { text: `${INTRODUCTION}alpha `, stopReason: "stop_sequence", outputTokens: 23 },
    ],
    [
      "is empty when it begins with a stop sequence",
      request([{ text: "Hi" }], { stopSequences: ["This"] }),
      { text: "", stopReason: "stop_sequence", outputTokens: 0 },
    ],
    [
      "is cut at the tokens when they end before the stop sequence",
      request([{ text: "Hi" }], { stopSequences: ["Hi"], maxTokens: 1 }),
      { text: "This", stopReason: "max_tokens", outputTokens: 1 },
    ],
    [
      "puts the texts of a question together and counts its files",
      request([{ text: "a" }, { image: {} }, { text: "b" }, { document: { name: "a" } }, { image: {} }]),
      {
        text: `${INTRODUCTION}a\nb\nYou attached 2 images, 1 document.`,
        stopReason: "end_turn",
        outputTokens: 31,
      },
    ],
  ])("%s", (_, question, expected) => {
    expect(simulateAnswer(question, NOVA)).toMatchObject(expected);
  });

  it("counts calls of tools and what they came to", () => {
    const call = { toolUseId: "1", name: "four", input: {} };
    const content = [{ text: "12345" }, { json: { a: 1 } }, { image: {} }];
    const messages: ConverseRequest["messages"] = [
      { role: "user", content: [{ text: "four" }] },
      { role: "assistant", content: [{ toolUse: call }] },
      { role: "user", content: [{ toolResult: { toolUseId: "1", content } }] },
    ];
    expect(simulateAnswer(request([], { messages }), NOVA).inputTokens).toBe(1 + 2 + 2 + 2 + 1000);
  });

  it("repeats the last question of a conversation", () => {
    const messages: ConverseRequest["messages"] = [
      { role: "user", content: [{ text: "first" }] },
      { role: "assistant", content: [{ text: "answer" }] },
      { role: "user", content: [{ text: "second" }] },
    ];
    expect(simulateAnswer(request([], { messages }), NOVA).text).toBe(`${INTRODUCTION}second`);
  });

  it("does not repeat a very long question whole", () => {
    const { text, inputTokens } = simulateAnswer(request([{ text: "é".repeat(100_000) }]), NOVA);
    expect(text).toHaveLength(INTRODUCTION.length + 4000 + "… (100000 characters in all)".length);
    expect(inputTokens).toBe(25_000);
  });
  it("counts characters of two units once, and cuts none of them", () => {
    const prompt = "a👩日".repeat(5000);
    const { text, inputTokens } = simulateAnswer(request([{ text: prompt }]), NOVA);
    const echoed = Array.from(prompt).slice(0, 4000).join("");
    expect(text).toBe(`${INTRODUCTION}${echoed}… (15000 characters in all)`);
    expect(inputTokens).toBe(15_000 / 4);
  });

  it.each([
    [{ thinking: { type: "enabled", budget_tokens: 1024 } }, true],
    [{ thinking: { type: "adaptive" } }, true],
    [{ thinking: { type: "disabled" } }, false],
    [{ reasoningConfig: { type: "enabled" } }, true],
    [{ reasoning_config: { type: "enabled" } }, true],
    [{ reasoning_effort: "low" }, true],
    [{}, false],
    [{ other: 1 }, false],
  ])("with %j reasons: %s", (additionalFields, isReasoning) => {
    const question = request([{ text: "Hi" }], { additionalFields });
    expect(simulateAnswer(question, CLAUDE).reasoning !== undefined).toBe(isReasoning);
    expect(simulateAnswer(question, NOVA).reasoning).toBeUndefined();
  });

  it("spends tokens on reasoning first", () => {
    const answer = simulateAnswer(
      request([{ text: "Hi" }], { additionalFields: { reasoning_effort: "high" }, maxTokens: 5 }),
      CLAUDE,
    );
    expect(answer).toMatchObject({
      reasoning: { text: "This is simulated re" },
      text: "",
      stopReason: "max_tokens",
      outputTokens: 5,
    });
  });
});

describe("deltas", () => {
  it("put together are the text again, each a short piece", () => {
    assert(
      property(string({ unit: "binary", maxLength: 200 }), (text) => {
        const deltas = splitIntoDeltas(text);
        expect(deltas.join("")).toBe(text);
        expect(deltas).not.toContain("");
      }),
    );
  });

  it("never split a character", () => {
    const deltas = splitIntoDeltas("👩‍👩‍👧".repeat(30));
    expect(deltas.length).toBeGreaterThan(3);
    for (const delta of deltas) expect(delta).not.toMatch(/\p{Surrogate}/u);
  });
});
