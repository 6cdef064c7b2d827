import { expect, test } from "vitest";
import { canConverse } from "../../src/models/not-converse.ts";

test.for([
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
] as const)("canConverse('%s') is %s", ([id, expected]) => {
  expect(canConverse(id)).toBe(expected);
});
