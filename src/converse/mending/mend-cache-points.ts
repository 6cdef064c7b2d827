import type { CachePointBlock, ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import type { Input, Mending } from "./recipient.ts";

/** The most cache points of a request: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html */
const MOST_CACHE_POINTS = 4;

/**
 * Cache points stand behind something, where the model can cache it, at most four of them and those for an hour first.
 * What is over the most are the oldest in the messages.
 */
export function mendCachePoints(input: Input, { family, modelId, tell }: Mending): Input {
  const { toolConfig } = input;
  const times = family.cachePoints?.times ?? [];
  const tools = placeCachePoints(toolConfig?.tools ?? []).filter(
    (tool) => !tool.cachePoint || family.cachePoints?.inTools,
  );
  const system = placeCachePoints(input.system ?? []);
  const messages = (input.messages ?? []).map(({ role, content }) => ({
    role,
    content: placeCachePoints(content ?? [], family.cachePoints?.onlyBehindText),
  }));
  const before = [...tools, ...system].filter(isCachePoint).length;
  const behind = messages.flatMap(({ content }) => content).filter(isCachePoint).length;
  if (times.length === 0 && before + behind > 0)
    tell(`'${modelId}' is not known to take cache points, so they are left out`);
  const most = times.length === 0 ? 0 : MOST_CACHE_POINTS;
  let [overBefore, overBehind] = [before - most, Math.min(before, most) + behind - most];
  let mayBeLong = times.includes("1h");
  const keep = <Block extends MayBeCachePoint>(block: Block, isOver: () => boolean): Block[] => {
    if (!block.cachePoint) return [block];
    if (isOver()) return [];
    mayBeLong &&= block.cachePoint.ttl === "1h";
    return [{ ...block, cachePoint: { type: "default", ...(mayBeLong ? { ttl: "1h" } : {}) } }];
  };
  const keepBefore = <Block extends MayBeCachePoint>(block: Block): Block[] =>
    keep(block, () => overBefore-- > 0);
  // In the order in which the model reads them.
  return {
    ...input,
    ...(toolConfig ? { toolConfig: { ...toolConfig, tools: tools.flatMap(keepBefore) } } : {}),
    ...(input.system ? { system: system.flatMap(keepBefore) } : {}),
    messages: messages.map(({ role, content }) => ({
      role,
      content: content.flatMap((block) => keep(block, () => overBehind-- > 0)),
    })),
  };
}

type MayBeCachePoint = { cachePoint?: CachePointBlock | undefined };

function isCachePoint({ cachePoint }: MayBeCachePoint): boolean {
  return cachePoint !== undefined;
}

/**
 * A cache point is refused behind reasoning ("Cache point cannot be inserted after reasoning block") and behind a document
 * other than a pdf (https://github.com/strands-agents/harness-sdk/pull/2001): it goes before them. `onlyBehindText` has the
 * models that refuse it behind all but text.
 */
function placeCachePoints<Block extends MayBeCachePoint>(
  list: readonly Block[],
  onlyBehindText = false,
): Block[] {
  const placed: Block[] = [];
  for (const block of list) {
    if (!block.cachePoint) {
      placed.push(block);
      continue;
    }
    const before = placed.findLastIndex(
      (other: Block & Pick<ContentBlock, "text" | "reasoningContent" | "document">) => {
        const { text, reasoningContent, document } = other;
        if (onlyBehindText) return text !== undefined || other.cachePoint !== undefined;
        return !reasoningContent && (!document || document.format === "pdf");
      },
    );
    const behind = placed[before];
    if (behind && !behind.cachePoint) placed.splice(before + 1, 0, block);
  }
  return placed;
}
