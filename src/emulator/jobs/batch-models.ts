import type { EmulatedModel } from "../models.ts";

/**
 * The models that batch inference is for, after https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html.
 * Others are refused even where they have a price for it: https://github.com/stdapi-ai/stdapi.ai/issues/292
 */
const WITH_BATCH: readonly RegExp[] = [
  /^amazon\.nova-(2-lite|lite|micro|premier|pro)-v1:0$/,
  /^amazon\.titan-embed-text-v2:0$/,
  /^anthropic\.claude-(3-|haiku-4-5|opus-4-[56]|sonnet-4-)/,
  /^deepseek\.v3/,
  /^google\.gemma-3/,
  /^meta\.llama(3-[123]|4)-/,
  /^minimax\./,
  /^mistral\.mistral-large-(24|3)/,
  /^moonshot\.kimi-k2/,
  /^nvidia\.nemotron/,
  /^openai\.gpt-oss/,
  /^qwen\.qwen3/,
  /^zai\.glm/,
];

/** Whether jobs can be made of a model. */
export function hasBatch({ modelId }: Pick<EmulatedModel, "modelId">): boolean {
  return WITH_BATCH.some((ids) => ids.test(modelId));
}
