import { findSetting } from "./find-setting.ts";
import { listSettings, isPlaceholder } from "./list-settings.ts";
import { isWithin, type PathSegment } from "./path.ts";
import type { Kind } from "./settings.ts";
import { valueAt } from "./edit-value.ts";
import { isObject } from "./validate.ts";

/** The value of a setting that is in force. */
export interface EffectiveSetting {
  path: readonly PathSegment[];
  /** Null where only the surroundings decide; `defaultText` then says how. */
  value: unknown;
  /** `default`, `file`, `env AWS_REGION`, `flag --region`, `profile NAME` or `instance metadata`. */
  source: string;
  defaultText?: string;
}

/** The region in force and what named it. */
export interface EffectiveRegion {
  value: string;
  source: string;
}

const DISCOVERY: readonly PathSegment[] = ["models", "bedrockDiscovery"];
const PLUGIN_DISCOVERY: readonly PathSegment[] = ["plugins", "entries", "amazon-bedrock", "config", "discovery"];

/**
 * The settings at or below a path that have a value: from the file, from the plugin's entry for the discovery settings,
 * or by default. `region` is what the region order came to. Empty when nothing there is set or has a default.
 */
export function effectiveSettings(
  value: unknown,
  path: readonly PathSegment[],
  region: EffectiveRegion | undefined,
): EffectiveSetting[] {
  const own = findSetting(path);
  if (own === undefined || isLeaf(own.kind) || path.some((segment) => typeof segment === "number")) {
    const setting = effectiveLeaf(value, path, region);
    return setting ? [setting] : [];
  }
  return leafPaths(value)
    .filter((leaf) => isWithin(leaf, path))
    .flatMap((leaf) => effectiveLeaf(value, leaf, region) ?? []);
}

function effectiveLeaf(
  value: unknown,
  path: readonly PathSegment[],
  region: EffectiveRegion | undefined,
): EffectiveSetting | undefined {
  const isDiscovery = path.length === 3 && isWithin(path, DISCOVERY);
  if (isDiscovery && path[2] === "region" && region) {
    return { path, value: region.value, source: region.source.startsWith("models.") ? "file" : region.source };
  }
  const written = valueAt(value, path);
  if (written !== undefined) return { path, value: written, source: "file" };
  const fallback = isDiscovery ? valueAt(value, [...PLUGIN_DISCOVERY, ...path.slice(2)]) : undefined;
  if (fallback !== undefined) return { path, value: fallback, source: "file" };
  // The plugin's entry only fills in for models.bedrockDiscovery: left out, it has no value of its own.
  if (isWithin(path, PLUGIN_DISCOVERY)) return undefined;
  const field = findSetting(path)?.field;
  if (field?.default !== undefined) return { path, value: field.default, source: "default" };
  return field?.defaultText === undefined ? undefined : { path, value: null, source: "default", defaultText: field.defaultText };
}

/** Every path of the table that holds a single value; keys of maps are those of the file. */
function leafPaths(value: unknown): PathSegment[][] {
  return listSettings()
    .filter(({ segments, field }) => isLeaf(field.type) && !segments.includes("[]"))
    .flatMap(({ segments }) => fillKeys(value, segments))
    .filter((path, index, all) => all.findIndex((other) => isWithin(path, other) && path.length >= other.length) === index);
}

function fillKeys(value: unknown, segments: readonly string[]): PathSegment[][] {
  const at = segments.findIndex(isPlaceholder);
  if (at === -1) return [[...segments]];
  const map = valueAt(value, segments.slice(0, at));
  if (!isObject(map)) return [];
  return Object.keys(map).flatMap((key) =>
    fillKeys(valueAt(map, [key]), segments.slice(at + 1)).map((rest) => [...segments.slice(0, at), key, ...rest]),
  );
}

function isLeaf(kind: Kind): boolean {
  return kind.kind !== "object" && !(kind.kind === "map" && kind.of.kind === "object");
}
