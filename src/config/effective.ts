import { maskedAt, valueAt } from "./edit-value.ts";
import { childrenOf, findSetting, foreignPart, isForeign, isPlaceholder } from "./find-setting.ts";
import { isWithin, type Path } from "./path.ts";
import type { Kind } from "./setting-kinds.ts";
import { entriesOf } from "./walk-value.ts";

/** The value of a setting that is in force, secrets masked. */
export interface EffectiveSetting {
  path: Path;
  /** Null where only the surroundings decide; `defaultText` then says how. */
  value: unknown;
  /** `default`, `file`, `env AWS_REGION`, `flag --region`, `profile NAME` or `instance metadata`. */
  source: string;
  defaultText?: string;
}

export interface EffectiveRegion {
  value: string;
  source: string;
}

const DISCOVERY: Path = ["models", "bedrockDiscovery"];
const PLUGIN_DISCOVERY: Path = ["plugins", "entries", "amazon-bedrock", "config", "discovery"];

/**
 * The settings at or below a path that have a value: from the file, from the plugin's entry for the discovery settings,
 * or by default. `region` is what the region order came to. Empty when nothing there is set or has a default.
 */
export function effectiveSettings(value: unknown, path: Path, region: EffectiveRegion): EffectiveSetting[] {
  const found = findSetting(path);
  const leaves = leafPaths(found?.kind, path, value).flatMap(
    (leaf) => effectiveLeaf(value, leaf, region) ?? [],
  );
  // A group of which nothing is set has a default as a whole.
  const whole = leaves.length === 0 && path.length > 0 ? found?.field?.default : undefined;
  return whole === undefined || isWithin(path, PLUGIN_DISCOVERY)
    ? leaves
    : [{ path, value: whole, source: "default" }];
}

/** Where the value is in force that a path stands for: that of the plugin's entry only fills in for another. */
export function placeInForce(path: Path): Path {
  return isWithin(path, PLUGIN_DISCOVERY) ? [...DISCOVERY, ...path.slice(PLUGIN_DISCOVERY.length)] : path;
}

function effectiveLeaf(value: unknown, path: Path, region: EffectiveRegion): EffectiveSetting | undefined {
  const isDiscovery = path.length === 3 && isWithin(path, DISCOVERY);
  if (isDiscovery && path[2] === "region") {
    return {
      path,
      value: region.value,
      source: region.source.startsWith("models.") ? "file" : region.source,
    };
  }
  const written = maskedAt(value, path);
  if (written !== undefined) return { path, value: written, source: "file" };
  const fallback = isDiscovery ? maskedAt(value, [...PLUGIN_DISCOVERY, ...path.slice(2)]) : undefined;
  if (fallback !== undefined) return { path, value: fallback, source: "file" };
  // The plugin's entry only fills in for models.bedrockDiscovery: left out, it has no value of its own.
  if (isWithin(path, PLUGIN_DISCOVERY)) return undefined;
  const field = findSetting(path)?.field;
  if (field?.default !== undefined) return { path, value: field.default, source: "default" };
  const { defaultText } = field ?? {};
  return defaultText === undefined ? undefined : { path, value: null, source: "default", defaultText };
}

/** Every path at or below one that holds a single value; keys of maps are those of the file. */
function leafPaths(kind: Kind | undefined, path: Path, value: unknown): Path[] {
  if (kind === undefined || !isGroup(kind) || foreignPart(value, path)) return [path];
  const held = entriesOf(valueAt(value, path));
  const below = childrenOf(kind).flatMap((child) => {
    const own = held.filter(([, inner]) => !isForeign(child.kind, inner));
    const keys = isPlaceholder(child.key) ? own.map(([key]) => key) : [child.key];
    return keys.flatMap((key) => leafPaths(child.kind, [...path, key], value));
  });
  return below.length > 0 || held.length > 0 ? below : [path];
}

function isGroup(kind: Kind): boolean {
  if (kind.kind === "object") return !kind.isOpen;
  return kind.kind === "map" && kind.of.kind === "object";
}
