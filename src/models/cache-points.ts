import type { CachePointBlock, Message, SystemContentBlock } from "@aws-sdk/client-bedrock-runtime";
import type { CacheTime, FamilyFacts } from "./families.ts";

/** The cache point for a model, or undefined with a notice where it takes none; the nearest time where not this one. */
export function cachePointFor(
  setting: CacheTime | "off" | undefined,
  model: { modelId: string; family: FamilyFacts },
): { point?: CachePointBlock; notices: string[] } {
  if (setting === undefined || setting === "off") return { notices: [] };
  const { modelId, family } = model;
  const { cachePoints } = family;
  if (!cachePoints) {
    return { notices: [`'${modelId}' is not known to take cache points, so cache '${setting}' is left out`] };
  }
  if (cachePoints.times.length === 0) {
    return {
      notices: [`'${modelId}' caches by itself and takes no cache points, so cache '${setting}' is left out`],
    };
  }
  if (setting === "1h" && cachePoints.times.includes("1h"))
    return { point: { type: "default", ttl: "1h" }, notices: [] };
  const notices = cachePoints.times.includes(setting)
    ? []
    : [`'${modelId}' caches for 5m only, so cache '${setting}' becomes that`];
  // Without a time to live it is five minutes, for models that do not know the field, too.
  return { point: { type: "default" }, notices };
}

/**
 * Puts the cache point after the system prompt, at the end of the newest question, and at the end of the one before, up to
 * which was written when that was asked: of an older place only Claude's caching knows by itself, 20 blocks back
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html). Changes none of its arguments.
 */
export function withCachePoints(
  point: CachePointBlock | undefined,
  system: readonly SystemContentBlock[],
  messages: readonly Message[],
): { system: SystemContentBlock[]; messages: Message[] } {
  if (!point) return { system: [...system], messages: [...messages] };
  const newest = messages.length - 1;
  const before = messages.findLastIndex(({ role }, index) => role === "user" && index < newest);
  const withPoint = ({ role, content }: Message): Message => ({
    role,
    content: [...(content ?? []), { cachePoint: point }],
  });
  return {
    system: system.length === 0 ? [] : [...system, { cachePoint: point }],
    messages: messages.map((message, index) =>
      index === newest || index === before ? withPoint(message) : message,
    ),
  };
}
