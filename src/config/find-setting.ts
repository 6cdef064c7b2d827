import type { Field, Kind } from "./setting-kinds.ts";
import { SETTINGS } from "./settings.ts";
import type { PathSegment } from "./path.ts";

/** What the table of settings says about one place. */
export interface FoundSetting {
  kind: Kind;
  /** The table's entry; undefined for the root, items of lists and values of maps. */
  field: Field | undefined;
  isSecret: boolean;
}

const ROOT: FoundSetting = { kind: SETTINGS, field: undefined, isSecret: false };

/** Looks a path up in the table of settings. Returns undefined for a path that is not a setting of this program. */
export function findSetting(
  path: readonly PathSegment[],
  from: FoundSetting = ROOT,
): FoundSetting | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return from;
  for (const step of stepsInto(from, segment)) {
    const found = findSetting(rest, step);
    if (found) return found;
  }
  return undefined;
}

function stepsInto({ kind, isSecret }: FoundSetting, segment: PathSegment): FoundSetting[] {
  switch (kind.kind) {
    case "object": {
      const field =
        typeof segment === "string" && Object.hasOwn(kind.fields, segment) ? kind.fields[segment] : undefined;
      return field ? [{ kind: field.type, field, isSecret: isSecret || field.secret === true }] : [];
    }
    case "map":
      return typeof segment === "string" ? [{ kind: kind.of, field: undefined, isSecret }] : [];
    case "list":
      return typeof segment === "number" ? [{ kind: kind.of, field: undefined, isSecret }] : [];
    case "either":
      return kind.of.flatMap((of) => stepsInto({ kind: of, field: undefined, isSecret }, segment));
    default:
      return [];
  }
}
