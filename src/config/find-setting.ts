import { isRecord } from "../json.ts";
import { oncePer } from "../once.ts";
import type { Path, PathSegment } from "./path.ts";
import { anything, type Field, type Kind } from "./setting-kinds.ts";
import { SETTINGS } from "./settings.ts";

/** What may stand in a value: a field by its name, or what any key (`<id>`) or index (`[]`) of the user's choice holds. */
export interface SettingChild {
  key: string;
  kind: Kind;
  /** The table's entry; undefined for items of lists and values of maps. */
  field?: Field;
}

export interface FoundSetting {
  kind: Kind;
  /** The table's entry; undefined for the root, items of lists and values of maps. */
  field: Field | undefined;
  isSecret: boolean;
  hasPlaceholders: boolean;
  isExpandedInUse: boolean;
}

/** A place in the table: keys that the user chooses are written `<id>`, indexes `[]`. */
export interface ListedSetting {
  /** `models.providers.<id>.models[].id` as segments: `models`, `providers`, `<id>`, `models`, `[]`, `id`. */
  segments: readonly string[];
  field: Field;
}

const ROOT: FoundSetting = {
  kind: SETTINGS,
  field: undefined,
  isSecret: false,
  hasPlaceholders: false,
  isExpandedInUse: false,
};

/** What may stand in a value of this kind, in the table's order. It is asked for each part of each path of a configuration. */
export const childrenOf: (kind: Kind) => readonly SettingChild[] = oncePer((kind) => {
  switch (kind.kind) {
    case "object":
      return Object.entries(kind.fields).map(([key, field]) => ({ key, kind: field.type, field }));
    case "map":
      return [{ key: `<${kind.keyName}>`, kind: kind.of }];
    case "list":
      return [{ key: "[]", kind: kind.of }];
    case "either":
      return kind.of.flatMap(childrenOf);
    default:
      return [];
  }
});

/** What the table knows below a kind by this key or index; for a kind of two forms there may be several. */
export function childrenAt(kind: Kind, segment: PathSegment): readonly SettingChild[] {
  const found = childrenOf(kind).filter(({ key, field }) =>
    field ? key === segment : (key === "[]") === (typeof segment === "number"),
  );
  const isOpen = kind.kind === "anything" || (kind.kind === "object" && kind.isOpen);
  return found.length === 0 && isOpen ? [{ key: String(segment), kind: anything }] : found;
}

/** Whether a value in a place of the table is an object of another program. */
export function isForeign(kind: Kind, value: unknown): boolean {
  if (kind.kind !== "object" || kind.ownBy === undefined || value === undefined) return false;
  return !isRecord(value) || !Object.hasOwn(value, kind.ownBy);
}

/** The part of a path that leads to an object of another program; undefined where it leads to none. */
export function foreignPart(value: unknown, path: Path): Path | undefined {
  let current = value;
  for (const [index, segment] of path.entries()) {
    const isThere = typeof current === "object" && current !== null && Object.hasOwn(current, segment);
    current = isThere ? (current as Record<PathSegment, unknown>)[segment] : undefined;
    const part = path.slice(0, index + 1);
    const kind = findSetting(part)?.kind;
    if (kind === undefined) return undefined;
    if (isForeign(kind, current)) return part;
  }
  return undefined;
}

/** Looks a path up in the table of settings. Returns undefined for a path that is not a setting of this program. */
export function findSetting(path: Path, from: FoundSetting = ROOT): FoundSetting | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return from;
  for (const { kind, field } of childrenAt(from.kind, segment)) {
    const found = findSetting(rest, {
      kind,
      field,
      isSecret: from.isSecret || field?.secret === true,
      hasPlaceholders: from.hasPlaceholders || field?.hasPlaceholders === true,
      isExpandedInUse: from.isExpandedInUse || field?.isExpandedInUse === true,
    });
    if (found) return found;
  }
  return undefined;
}

/** Every setting of the table, parents before children, in the table's order; nothing within what takes any keys. */
export function listSettings(kind: Kind = SETTINGS, above: readonly string[] = []): ListedSetting[] {
  if (kind.kind === "object" && kind.isOpen) return [];
  return childrenOf(kind).flatMap(({ key, kind, field }) => {
    const segments = [...above, key];
    const own: ListedSetting[] = field ? [{ segments, field }] : [];
    return own.concat(listSettings(kind, segments));
  });
}

/** True for a segment that stands for a key or index of the user's choice. */
export function isPlaceholder(segment: string): boolean {
  return segment === "[]" || segment.startsWith("<");
}
