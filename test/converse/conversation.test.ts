import { describe, expect, it } from "vitest";
import { isSameModel } from "../../src/converse/conversation.ts";

describe("the same model", () => {
  const arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
  it.each([
    ["anthropic.claude-opus-4-6-v1", "us.anthropic.claude-opus-4-6-v1", true],
    ["global.anthropic.claude-opus-4-6-v1", "us-gov.anthropic.claude-opus-4-6-v1", true],
    ["amazon.nova-lite-v1:0", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", true],
    [
      "us.amazon.nova-lite-v1:0",
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
      true,
    ],
    ["amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0", false],
    ["deepseek.v3.2", "qwen.v3.2", false],
    [arn, arn, true],
    [arn, `${arn}4`, false],
    [arn, "anthropic.claude-opus-4-6-v1", false],
  ])("%s and %s: %s", (one, other, isSame) => {
    expect(isSameModel(one, other)).toBe(isSame);
    expect(isSameModel(other, one)).toBe(isSame);
  });
});
