import type {
  CachePointBlock,
  Message,
  SystemContentBlock,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
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

interface Cacheable {
  system: readonly SystemContentBlock[];
  messages: readonly Message[];
  tools?: ToolConfiguration | undefined;
}

/**
 * Puts the cache point after the tools and the system prompt, at the end of the newest message of the person, and at the end
 * of the one before, up to which was written when that was sent: of an older place only Claude's caching knows by itself, 20
 * blocks back (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html). Only where the model's family
 * takes one. Changes none of its arguments.
 */
export function withCachePoints(
  point: CachePointBlock | undefined,
  { system, messages, tools }: Cacheable,
  {
    inTools = false,
    onlyBehindText = false,
  }: Pick<NonNullable<FamilyFacts["cachePoints"]>, "inTools" | "onlyBehindText"> = {},
): { system: SystemContentBlock[]; messages: Message[]; tools: ToolConfiguration | undefined } {
  if (!point) return { system: [...system], messages: [...messages], tools };
  const canEnd = ({ role, content }: Message): boolean =>
    role === "user" && (!onlyBehindText || content?.at(-1)?.text !== undefined);
  const newest = messages.findLastIndex(canEnd);
  const before = messages.findLastIndex((message, index) => index < newest && canEnd(message));
  const offered = tools?.tools ?? [];
  const withPoint = ({ role, content }: Message): Message => ({
    role,
    content: [...(content ?? []), { cachePoint: point }],
  });
  return {
    system: system.length === 0 ? [] : [...system, { cachePoint: point }],
    messages: messages.map((message, index) =>
      index === newest || index === before ? withPoint(message) : message,
    ),
    tools:
      inTools && offered.some(({ toolSpec }) => toolSpec)
        ? { ...tools, tools: [...offered, { cachePoint: point }] }
        : tools,
  };
}
