import { valueAt } from "../config/edit-value.ts";
import { childrenOf, findSetting, foreignPart } from "../config/find-setting.ts";
import { isUnsafeKey, parsePath, type Path, type PathSegment } from "../config/path.ts";
import type { Kind } from "../config/setting-kinds.ts";
import { SETTINGS } from "../config/settings.ts";
import { entriesOf, listLeaves } from "../config/walk-value.ts";
import { errorFrom } from "../errors.ts";
import type { Candidate, SettingUse } from "./value-kinds.ts";

export interface SettingsInput {
  use: SettingUse;
  /** The value of the user's file, keys of other programs included. */
  value: unknown;
  /** Keys of models, for values. */
  modelKeys: readonly string[];
  regions: readonly string[];
}

/**
 * The paths that may stand for what was typed of one, a level at a time: `models.` after `mod`, then what is below it.
 * Reading and writing offer the table of settings, reading and removing what the file holds.
 */
export function settingCandidates(text: string, { use, value }: SettingsInput): Candidate[] {
  const known = use === "unset" ? [] : knownPaths(SETTINGS, value);
  const held = use === "set" ? [] : listLeaves(value).map(({ path }) => path);
  const offered = new Map<string, Candidate>();
  for (const path of [...known, ...held]) {
    // Writing does not invent keys of other programs.
    const isForeign = use === "set" && foreignPart(value, path) !== undefined;
    const candidate = isForeign || path.some(isUnsafeKey) ? undefined : nextOf(path, text);
    if (candidate) offered.set(candidate.value, candidate);
  }
  return [...offered.values()];
}

/** The paths of the table that hold a value, with the keys and indexes that the file has where people choose them. */
function knownPaths(kind: Kind, held: unknown, path: Path = []): Path[] {
  const inner = childrenOf(kind).flatMap((child) => {
    const keys = child.field ? [child.key] : entriesOf(held).map(([key]) => key);
    return keys.flatMap((key) => knownPaths(child.kind, valueAt(held, [key]), [...path, key]));
  });
  const isGroup = kind.kind === "object" ? !kind.isOpen : kind.kind === "map" && inner.length > 0;
  return isGroup ? inner : [path, ...inner];
}

/** A path as far as the level that is being typed; undefined where it does not begin so. */
function nextOf(path: Path, text: string): Candidate | undefined {
  const segments = path.map(writeSegment);
  for (let length = 1; length <= segments.length; length += 1) {
    const written = segments.slice(0, length).join("");
    const next = segments[length];
    if (written.startsWith(text)) {
      const description = findSetting(path.slice(0, length))?.field?.description;
      return next === undefined
        ? { value: written, description }
        : { value: written + next.slice(0, 1), description, isBranch: true };
    }
    if (!text.startsWith(written)) return undefined;
  }
  return undefined;
}

/** A key as it stands in a path, without quotes where it can do without: a shell needs its own already. */
function writeSegment(key: PathSegment, index: number): string {
  if (typeof key === "number") return `[${key}]`;
  if (/^[A-Za-z_$][\w$-]*$/.test(key)) return index === 0 ? key : `.${key}`;
  return /^[^[\]"'\s]+$/.test(key) && /[^\d+-]/.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`;
}

/** What a setting takes, where that can be said in words: true and false, choices, regions, models. */
export function settingValues(path: string, { modelKeys, regions }: SettingsInput): Candidate[] {
  let segments: PathSegment[] = [];
  const malformed = errorFrom(() => (segments = parsePath(path)));
  const found = malformed ? undefined : findSetting(segments);
  if (!found) return [];
  const isModel = /^agents\.defaults\.model(\.primary|\.fallbacks\.\d+)?$/.test(segments.join("."));
  const words = isModel ? modelKeys : valuesOf(found.kind, regions);
  return words.map((value) => ({ value }));
}

function valuesOf(kind: Kind, regions: readonly string[]): readonly string[] {
  switch (kind.kind) {
    case "boolean":
      return ["true", "false"];
    case "choice":
      return kind.values;
    case "string":
      return kind.format === "region" ? regions : [];
    case "either":
      return kind.of.flatMap((of) => valuesOf(of, regions));
    default:
      return [];
  }
}
