import type {
  CachePointBlock,
  ContentBlock,
  Message,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type { RequestField } from "../request-field.ts";

/** A cache point for a mark of Anthropic's; undefined without one. Its scope is for Anthropic's own caches. Throws `invalid-request`. */
export function readCachePoint(field: RequestField): CachePointBlock | undefined {
  if (!field.given) return undefined;
  const type = field.at("type");
  if (type.value !== "ephemeral") throw type.mustBe("ephemeral");
  const ttl = field.at("ttl").given?.choice(["5m", "1h"]);
  return { type: "default", ...(ttl === "1h" ? { ttl } : {}) };
}

/** The fields of OpenAI's APIs that `cachedBehind` reads, as rules of fields. */
export const CACHE_MARKS = { cache_control: "read", prompt_cache_breakpoint: "read" } as const;
export type CacheMark = keyof typeof CACHE_MARKS;

/**
 * What is cached behind a message of OpenAI's APIs, a part of one, or a tool: nothing, or one block. The mark is OpenAI's own
 * (https://platform.openai.com/docs/guides/prompt-caching), or Anthropic's, which clients of gateways send for Claude
 * (https://docs.litellm.ai/docs/completion/prompt_caching). Throws `invalid-request`.
 */
export function cachedBehind(field: RequestField): { cachePoint: CachePointBlock }[] {
  const mark = field.at("prompt_cache_breakpoint").given;
  mark?.at("mode").choice(["explicit"]);
  const cachePoint: CachePointBlock | undefined = mark
    ? { type: "default" }
    : readCachePoint(field.at("cache_control"));
  return cachePoint ? [{ cachePoint }] : [];
}

/** A cache point behind all that is said, for the mark of a whole request. Throws `invalid-request`. */
export function withCachePoint(messages: readonly Message[], mark: RequestField): readonly Message[] {
  const cachePoint = readCachePoint(mark);
  const last = messages.at(-1);
  if (!cachePoint || !last) return messages;
  return [...messages.slice(0, -1), { ...last, content: [...(last.content ?? []), { cachePoint }] }];
}

/** What a tool came to, in which there is no place for a cache point: what is marked there is cached behind it. */
export function toToolResult(toolUseId: string, blocks: readonly ContentBlock[]): ContentBlock[] {
  const content = blocks.filter(({ cachePoint }) => !cachePoint) as ToolResultContentBlock[];
  const point = blocks.findLast(({ cachePoint }) => cachePoint);
  return [{ toolResult: { toolUseId, content } }, ...(point ? [point] : [])];
}
