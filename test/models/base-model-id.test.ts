import { expect, it } from "vitest";
import { baseModelId } from "../../src/models/base-model-id.ts";
import type { Discovered } from "../../src/models/discovered.ts";

const ACCOUNT = "arn:aws:bedrock:us-east-1:123456789012";

it.each([
  ["amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"],
  ["us.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6-v1"],
  ["global.openai.gpt-6.1-sol", "openai.gpt-6.1-sol"],
  ["us-gov.anthropic.claude-3-7-sonnet-20250219-v1:0", "anthropic.claude-3-7-sonnet-20250219-v1:0"],
  ["us.deepseek.v3.2", "deepseek.v3.2"],
  // Dots in a name are not a prefix.
  ["deepseek.v3.2", "deepseek.v3.2"],
  ["openai.gpt-5.6-sol", "openai.gpt-5.6-sol"],
  ["zai.glm-4.7", "zai.glm-4.7"],
  ["moonshotai.kimi-k2.5", "moonshotai.kimi-k2.5"],
  ["minimax.minimax-m2.1", "minimax.minimax-m2.1"],
  ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"],
  [`${ACCOUNT}:inference-profile/eu.amazon.nova-lite-v1:0`, "amazon.nova-lite-v1:0"],
  [`${ACCOUNT}:application-inference-profile/abc123`, undefined],
  [`${ACCOUNT}:default-prompt-router/anthropic.claude:1`, undefined],
  [`${ACCOUNT}:provisioned-model/abc123abc123`, undefined],
])("behind %s is %s", (id, base) => {
  expect(baseModelId(id)).toBe(base);
});

it("is found in AWS's list for an application profile", () => {
  const arn = `${ACCOUNT}:application-inference-profile/abc123`;
  const modelArns = ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"];
  const discovered = { profiles: [{ arn, modelArns }] } as unknown as Discovered;
  expect(baseModelId(arn, discovered)).toBe("amazon.nova-pro-v1:0");
});
