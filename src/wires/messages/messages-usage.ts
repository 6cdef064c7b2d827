import type { CacheDetail, ServiceTier, TokenUsage } from "@aws-sdk/client-bedrock-runtime";
import { countAt, isRecord, type JsonObject, recordAt, textAt } from "../../json.ts";

/**
 * Converse's token counts for those of a message, whatever of them a server sends
 * (https://platform.claude.com/docs/en/build-with-claude/prompt-caching): both count cached tokens beside the input's.
 * Undefined where nothing was counted.
 */
export function toTokenUsage(usage: JsonObject): TokenUsage | undefined {
  const inputTokens = countAt(usage, "input_tokens");
  const outputTokens = countAt(usage, "output_tokens");
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const read = countAt(usage, "cache_read_input_tokens");
  const created = recordAt(usage, "cache_creation");
  const cacheDetails = (["1h", "5m"] as const).flatMap((ttl): CacheDetail[] => {
    const written = countAt(created, `ephemeral_${ttl}_input_tokens`);
    return written ? [{ ttl, inputTokens: written }] : [];
  });
  const written =
    countAt(usage, "cache_creation_input_tokens") ??
    cacheDetails.reduce((sum, { inputTokens: tokens = 0 }) => sum + tokens, 0);
  return {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    totalTokens: (inputTokens ?? 0) + (read ?? 0) + written + (outputTokens ?? 0),
    cacheReadInputTokens: read || undefined,
    cacheWriteInputTokens: written || undefined,
    ...(cacheDetails.length === 0 ? {} : { cacheDetails }),
  };
}

/** The tier that the answer was given in, where it has a price of its own. */
export function toServiceTier(usage: JsonObject): ServiceTier | undefined {
  const tier = textAt(usage, "service_tier");
  if (tier === "standard") return { type: "default" };
  return tier === "priority" ? { type: "priority" } : undefined;
}

/** Counts that came so far, with newer ones: those of the end are of the whole answer, and name what they know. */
export function mergeUsage(before: JsonObject, newer: unknown): JsonObject {
  if (!isRecord(newer)) return before;
  const told = Object.entries(newer).filter(([, value]) => value !== null && value !== undefined);
  return { ...before, ...Object.fromEntries(told) };
}
