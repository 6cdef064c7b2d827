import type { EmulatedModel } from "../models.ts";

/**
 * The models that batch inference is for, after https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html.
 * Others are refused even where they have a price for it: https://github.com/stdapi-ai/stdapi.ai/issues/292
 */
const WITH_BATCH: readonly RegExp[] = [
  /^amazon\.(nova-(2-lite|lite|micro|premier|pro)-v1:0|titan-embed-text-v2:0)$/,
  /^anthropic\.claude-(3-(5-|7-)?(haiku|sonnet)-\d{8}-v\d:0$|(haiku|opus|sonnet)-4-[56](?!\d))/,
  /^deepseek\.v3-v1/,
  /^meta\.llama(3-[123]|4)-/,
  /^openai\.gpt-oss/,
  /^qwen\.qwen3-(32b|coder-480b)/,
];

/** Whether jobs can be made of a model. */
export function hasBatch({ modelId }: Pick<EmulatedModel, "modelId">): boolean {
  return WITH_BATCH.some((ids) => ids.test(modelId));
}
