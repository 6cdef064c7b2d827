import type { ServiceTier, TokenUsage } from "@aws-sdk/client-bedrock-runtime";
import type { CompletionUsage } from "openai/resources/completions";
import { countAt, isRecord, type JsonObject, recordAt, textAt } from "../../json.ts";
import type { TokenUsage as CountedTokens } from "../../models/usage.ts";

/**
 * Converse's token counts for those of a completion, whatever of them a server sends. OpenAI counts cached tokens among
 * the prompt's, Converse beside them. Undefined where nothing was counted.
 */
export function toTokenUsage(usage: unknown): TokenUsage | undefined {
  if (!isRecord(usage)) return undefined;
  const prompt = countAt(usage, "prompt_tokens");
  const outputTokens = countAt(usage, "completion_tokens") ?? 0;
  if (prompt === undefined && outputTokens === 0) return undefined;
  const details = recordAt(usage, "prompt_tokens_details");
  // DeepSeek's own name for the same.
  const read = countAt(details, "cached_tokens") ?? countAt(usage, "prompt_cache_hit_tokens");
  const written = countAt(details, "cache_creation_tokens") ?? countAt(details, "cache_write_tokens");
  const inputTokens = Math.max(0, (prompt ?? 0) - (read ?? 0) - (written ?? 0));
  const totalTokens = countAt(usage, "total_tokens") ?? (prompt ?? 0) + outputTokens;
  return {
    inputTokens,
    outputTokens,
    totalTokens,
    cacheReadInputTokens: read || undefined,
    cacheWriteInputTokens: written || undefined,
  };
}

/** Token counts in OpenAI's names. Cached tokens are part of the prompt's there, and beside them with AWS. */
export function toCompletionUsage(usage: CountedTokens): CompletionUsage {
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

/**
 * The tier that an answer was served in, of those of OpenAI's API that have prices of their own
 * (https://platform.openai.com/docs/api-reference/chat/object).
 */
export function tierOf(answer: JsonObject): ServiceTier | undefined {
  const tier = textAt(answer, "service_tier");
  return tier === "flex" || tier === "priority" ? { type: tier } : undefined;
}
