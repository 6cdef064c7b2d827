import type {
  CachePointBlock,
  ContentBlock,
  Message,
  SystemContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type { ModelParameters } from "../config/settings.ts";

export type CacheSetting = NonNullable<ModelParameters["cache"]>;
type TimeToLive = Exclude<CacheSetting, "off">;

interface CacheRow {
  /** Matches the id of the foundation model. */
  models: RegExp;
  /** The times to live it takes; empty where cache points are refused. */
  times: readonly TimeToLive[];
  source: string;
}

const PAGE = "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html";

/** The models that take cache points; the first row whose pattern matches counts. */
const ROWS: readonly CacheRow[] = [
  { models: /^anthropic\.claude-(opus|sonnet|haiku)-(4-[5-9]|[5-9])/, times: ["5m", "1h"], source: PAGE },
  { models: /^anthropic\.claude-(fable|mythos)-/, times: ["5m", "1h"], source: PAGE },
  { models: /^anthropic\.claude-((opus|sonnet)-4|3-7-sonnet|3-5-haiku)/, times: ["5m"], source: PAGE },
  { models: /^amazon\.nova-(micro|lite|pro|premier|2-lite)/, times: ["5m"], source: PAGE },
  {
    // Caches by itself and refuses every cache point.
    models: /^moonshot(ai)?\.kimi-k[3-9]/,
    times: [],
    source: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-moonshot-ai-kimi-k3.html",
  },
];

/** The cache point for a model, or undefined with a notice where it takes none; the nearest time where not this one. */
export function cachePointFor(
  setting: CacheSetting | undefined,
  model: { modelId: string; baseId: string | undefined },
): { point?: CachePointBlock; notices: string[] } {
  if (setting === undefined || setting === "off") return { notices: [] };
  const { modelId, baseId } = model;
  const row = baseId === undefined ? undefined : ROWS.find(({ models }) => models.test(baseId));
  if (!row) {
    return { notices: [`'${modelId}' is not known to take cache points, so cache '${setting}' is left out`] };
  }
  if (row.times.length === 0) {
    return {
      notices: [`'${modelId}' caches by itself and takes no cache points, so cache '${setting}' is left out`],
    };
  }
  if (setting === "1h" && row.times.includes("1h"))
    return { point: { type: "default", ttl: "1h" }, notices: [] };
  const notices = row.times.includes(setting)
    ? []
    : [`'${modelId}' caches for 5m only, so cache '${setting}' becomes that`];
  // Without a time to live it is five minutes, for models that do not know the field, too.
  return { point: { type: "default" }, notices };
}

/** Puts the cache point after the system prompt and at the end of the newest turn. Changes none of its arguments. */
export function withCachePoints(
  point: CachePointBlock | undefined,
  system: readonly SystemContentBlock[],
  messages: readonly Message[],
): { system: SystemContentBlock[]; messages: Message[] } {
  const newest = messages.at(-1);
  if (!point || !newest) return { system: [...system], messages: [...messages] };
  const content: ContentBlock[] = [...(newest.content ?? []), { cachePoint: point }];
  return {
    system: system.length === 0 ? [] : [...system, { cachePoint: point }],
    messages: [...messages.slice(0, -1), { ...newest, content }],
  };
}
