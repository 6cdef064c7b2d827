import type { CompletionUsage } from "openai/resources/completions";
import type { TokenUsage } from "../../../models/usage.ts";

/** Token counts in OpenAI's names. Cached tokens are part of the prompt's there, and beside them with AWS. */
export function toUsage(usage: TokenUsage): CompletionUsage {
  const { inputTokens, outputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  const prompt = inputTokens + cacheReadInputTokens + cacheWriteInputTokens;
  return {
    prompt_tokens: prompt,
    completion_tokens: outputTokens,
    total_tokens: prompt + outputTokens,
    prompt_tokens_details: {
      cached_tokens: cacheReadInputTokens,
      ...(cacheWriteInputTokens === 0 ? {} : { cache_write_tokens: cacheWriteInputTokens }),
    },
  };
}
