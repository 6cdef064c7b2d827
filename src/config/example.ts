import type { FoundSetting } from "./find-setting.ts";
import type { Kind } from "./setting-kinds.ts";

/** A value the setting takes, as it is typed on the command line: the table's own example where it has one. */
export function exampleFor({ kind, field }: Pick<FoundSetting, "kind" | "field">): string {
  if (field?.example !== undefined) return field.example;
  const isTelling = field?.default !== undefined && JSON.stringify(field.default).length > 2;
  const value = isTelling ? field.default : exampleOf(kind);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A value of a kind. */
export function exampleOf(kind: Kind): unknown {
  switch (kind.kind) {
    case "boolean":
      return true;
    case "scalar":
    case "anything":
      return "text";
    case "string":
      if (kind.format === "url") return "https://example.com";
      return kind.format === "region" ? "us-east-1" : "text";
    case "number":
      return kind.maximum ?? kind.minimum;
    case "integer":
      return Math.max(kind.minimum, 1);
    case "choice":
      return kind.values[0];
    case "list":
      return [exampleOf(kind.of)];
    case "map":
      return { [kind.keyName]: exampleOf(kind.of) };
    case "object": {
      const names = kind.required.length > 0 ? kind.required : Object.keys(kind.fields).slice(0, 1);
      return Object.fromEntries(names.map((name) => [name, fieldExample(kind.fields[name])]));
    }
    case "either":
      return exampleOf(kind.of[0]);
  }
}

function fieldExample(field: FoundSetting["field"]): unknown {
  if (field === undefined) return "text";
  const { example, type } = field;
  if (example === undefined) return field.default ?? exampleOf(type);
  return type.kind === "string" || type.kind === "choice" ? example : JSON.parse(example);
}
