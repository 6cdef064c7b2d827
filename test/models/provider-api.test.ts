import { describe, expect, test } from "vitest";
import type { ProviderSettings } from "../../src/config/settings.ts";
import { apiOf, isServed, nameOfWay, waysTo } from "../../src/models/provider-api.ts";

const of = (providerId: string, id: string, provider?: ProviderSettings) => ({ providerId, id, provider });
const BEDROCK = "amazon-bedrock";
const MANTLE = "amazon-bedrock-mantle";

describe("the ways to a model", () => {
  test.each<[string, string, ProviderSettings | undefined, string[]]>([
    // Of Amazon Bedrock: Converse, and what its maker's API is.
    [BEDROCK, "anthropic.claude-opus-4-8", undefined, ["Converse", "Messages (/anthropic/v1)"]],
    [BEDROCK, "us.anthropic.claude-opus-4-8", undefined, ["Converse", "Messages (/anthropic/v1)"]],
    [
      BEDROCK,
      "openai.gpt-oss-120b-1:0",
      undefined,
      ["Converse", "chat completions (/openai/v1)", "Responses (/openai/v1)"],
    ],
    [
      BEDROCK,
      "global.openai.gpt-5.6-sol",
      undefined,
      ["Converse", "Responses (/openai/v1)", "chat completions (/openai/v1)"],
    ],
    [
      BEDROCK,
      "arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-5.6-sol",
      undefined,
      ["Converse", "Responses (/openai/v1)", "chat completions (/openai/v1)"],
    ],
    [BEDROCK, "amazon.nova-lite-v1:0", undefined, ["Converse"]],
    [BEDROCK, "eu.meta.llama3-2-1b-instruct-v1:0", undefined, ["Converse"]],
    // What no API takes is asked by Converse, for AWS to refuse.
    [BEDROCK, "amazon.nova-2-sonic-v1:0", undefined, ["Converse"]],
    [BEDROCK, "cohere.rerank-v3-5:0", undefined, ["Converse"]],
    // As the settings say, and then as usual.
    [
      BEDROCK,
      "openai.gpt-oss-120b-1:0",
      { api: "openai-completions" },
      ["chat completions (/openai/v1)", "Converse", "Responses (/openai/v1)"],
    ],
    [BEDROCK, "amazon.nova-lite-v1:0", { api: "bedrock-converse-stream" }, ["Converse"]],
    // What the settings name for all of them goes first for those that are known to take it, and for what nobody knows.
    [
      BEDROCK,
      "amazon.nova-lite-v1:0",
      { api: "anthropic-messages" },
      ["Converse", "Messages (/anthropic/v1)"],
    ],
    [
      BEDROCK,
      "us.anthropic.claude-sonnet-4-6",
      { api: "anthropic-messages" },
      ["Messages (/anthropic/v1)", "Converse"],
    ],
    [
      BEDROCK,
      "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/k9m2x7q4w1ab",
      { api: "anthropic-messages" },
      ["Messages (/anthropic/v1)", "Converse", "chat completions (/openai/v1)", "Responses (/openai/v1)"],
    ],
    ["corp", "amazon.nova-lite-v1:0", { api: "bedrock-converse-stream" }, ["Converse"]],
    // At Mantle the prefix differs by the model.
    [MANTLE, "openai.gpt-5.5", {}, ["Responses (/openai/v1)", "Responses (/v1)"]],
    [
      MANTLE,
      "qwen.qwen3-32b",
      {},
      [
        "chat completions (/v1)",
        "chat completions (/openai/v1)",
        "Responses (/v1)",
        "Responses (/openai/v1)",
      ],
    ],
    [MANTLE, "anthropic.claude-mythos-5", {}, ["Messages (/anthropic/v1)"]],
    // What the settings name for all of them goes first for those that are known to take it.
    [
      MANTLE,
      "anthropic.claude-mythos-5",
      { api: "openai-completions" },
      ["Messages (/anthropic/v1)", "chat completions (/v1)", "chat completions (/openai/v1)"],
    ],
    [
      MANTLE,
      "xai.grok-4.3",
      { api: "openai-responses" },
      [
        "Responses (/openai/v1)",
        "Responses (/v1)",
        "chat completions (/openai/v1)",
        "chat completions (/v1)",
      ],
    ],
    [
      MANTLE,
      "writer.palmyra-x6",
      {},
      [
        "chat completions (/v1)",
        "chat completions (/openai/v1)",
        "Responses (/v1)",
        "Responses (/openai/v1)",
      ],
    ],
    // Other servers have the one API.
    ["ollama", "llama3", { baseUrl: "http://127.0.0.1:11434/v1" }, ["chat completions"]],
    ["openai", "gpt-5", { baseUrl: "https://api.openai.com/v1", api: "openai-responses" }, ["Responses"]],
    [BEDROCK, "m", { baseUrl: "http://127.0.0.1:1/v1", api: "openai-completions" }, ["chat completions"]],
  ])("of %s, %s, with %j", (providerId, id, provider, names) => {
    const model = of(providerId, id, provider);
    expect(waysTo(model).map(nameOfWay)).toEqual(names);
    expect(apiOf(model)).toBe(waysTo(model)[0].api);
  });

  test.each<[string, ProviderSettings | undefined, boolean]>([
    [BEDROCK, undefined, false],
    [BEDROCK, { api: "openai-completions" }, false],
    [
      BEDROCK,
      { api: "openai-completions", baseUrl: "https://bedrock-runtime.eu-west-1.amazonaws.com" },
      false,
    ],
    [BEDROCK, { api: "openai-completions", auth: "aws-sdk" }, false],
    [BEDROCK, { api: "openai-completions", auth: "api-key", apiKey: "k" }, true],
    [BEDROCK, { api: "openai-completions", baseUrl: "http://127.0.0.1:1/v1" }, true],
    [BEDROCK, { baseUrl: "http://127.0.0.1:1" }, false],
    [MANTLE, {}, false],
    [MANTLE, { baseUrl: "https://mantle.corp.test" }, false],
    ["ollama", undefined, true],
    ["corp", { api: "bedrock-converse-stream" }, false],
  ])("%s with %j is another server's: %s", (providerId, provider, expected) => {
    expect(isServed(of(providerId, "m", provider))).toBe(expected);
  });
});
