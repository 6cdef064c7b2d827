import type { Field, Kind } from "./setting-kinds.ts";
import { SETTINGS } from "./settings.ts";

/** A place in the table: keys that the user chooses are written `<id>`, indexes `[]`. */
export interface ListedSetting {
  /** `models.providers.<id>.models[].id` as segments: `models`, `providers`, `<id>`, `models`, `[]`, `id`. */
  segments: readonly string[];
  field: Field;
}

/** Every setting of the table, parents before children, in the table's order. */
export function listSettings(kind: Kind = SETTINGS, segments: readonly string[] = []): ListedSetting[] {
  switch (kind.kind) {
    case "object":
      return Object.entries(kind.fields).flatMap(([name, field]) => {
        const own: ListedSetting = { segments: [...segments, name], field };
        return [own].concat(listSettings(field.type, own.segments));
      });
    case "map":
      return listSettings(kind.of, [...segments, `<${kind.keyName}>`]);
    case "list":
      return listSettings(kind.of, [...segments, "[]"]);
    case "either":
      return kind.of.flatMap((of) => listSettings(of, segments));
    default:
      return [];
  }
}

/** True for a segment that stands for a key or index of the user's choice. */
export function isPlaceholder(segment: string): boolean {
  return segment === "[]" || segment.startsWith("<");
}
