import type { Field, Kind } from "./setting-kinds.ts";
import { SETTINGS } from "./settings.ts";
import { describeKind } from "./validate.ts";

/** A JSON Schema, as far as it is used here. */
export type JsonSchema = { [keyword: string]: unknown };

/** `${NAME}` may stand in any text; what it stands for is checked where it is used. */
const REFERENCE_PATTERN = "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}";

/**
 * The table of settings as a JSON Schema, draft 2020-12, with descriptions and defaults. Keys of other programs are
 * allowed beside those of the table, as in the file itself.
 */
export function settingsSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "openclaw configuration",
    description:
      "The configuration file of openclaw (JSON5). Keys that are not described here belong to other programs.",
    ...kindSchema(SETTINGS),
  };
}

function kindSchema(kind: Kind): JsonSchema {
  switch (kind.kind) {
    case "boolean":
      return { type: "boolean" };
    case "string":
      return { type: "string", ...textKeywords(kind) };
    case "choice":
      return { anyOf: [{ enum: [...kind.values] }, { type: "string", pattern: REFERENCE_PATTERN }] };
    case "number":
    case "integer":
      return {
        type: kind.kind,
        minimum: kind.minimum,
        ...(kind.maximum === undefined ? {} : { maximum: kind.maximum }),
      };
    case "list":
      return {
        type: "array",
        items: kindSchema(kind.of),
        ...(kind.minItems === undefined ? {} : { minItems: kind.minItems }),
      };
    case "scalar":
      return { type: ["string", "number", "boolean"] };
    case "anything":
      return {};
    case "map":
      return { type: "object", ...mapKeywords(kind) };
    case "either":
      return { anyOf: kind.of.map(kindSchema) };
    case "object":
      return ownOnly(kind, {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(kind.fields).map(([name, field]) => [name, fieldSchema(field)]),
        ),
        ...(kind.required.length > 0 ? { required: [...kind.required] } : {}),
      });
  }
}

type KindOf<K extends Kind["kind"]> = Extract<Kind, { kind: K }>;

function notOwn(ownBy: string): JsonSchema {
  return { not: { type: "object", properties: { [ownBy]: {} }, required: [ownBy] } };
}

/** What another program has there is left alone. */
function ownOnly({ ownBy }: KindOf<"object">, schema: JsonSchema): JsonSchema {
  return ownBy === undefined ? schema : { anyOf: [notOwn(ownBy), schema] };
}

function mapKeywords({ of, keyPattern }: KindOf<"map">): JsonSchema {
  if (keyPattern === undefined) return { additionalProperties: kindSchema(of) };
  const ownBy = of.kind === "object" ? of.ownBy : undefined;
  return {
    patternProperties: { [keyPattern]: kindSchema(of) },
    additionalProperties: ownBy === undefined ? false : notOwn(ownBy),
  };
}

function fieldSchema(field: Field): JsonSchema {
  const sentences = [field.description];
  if (field.default === undefined && field.defaultText) sentences.push(`Default: ${field.defaultText}.`);
  const { kind } = field.type;
  if (kind === "number" || kind === "integer") sentences.push(`Takes ${describeKind(field.type)}.`);
  return {
    description: sentences.join(" "),
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(field.example === undefined ? {} : { examples: [parseExample(field)] }),
    ...(field.secret ? { writeOnly: true } : {}),
    ...kindSchema(field.type),
  };
}

function textKeywords(kind: Extract<Kind, { kind: "string" }>): JsonSchema {
  if (kind.format === "url") return { pattern: `^[hH][tT][tT][pP][sS]?://|${REFERENCE_PATTERN}` };
  if (kind.format === "region") return { pattern: `^[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}$|${REFERENCE_PATTERN}` };
  return kind.minLength === undefined ? {} : { minLength: kind.minLength };
}

function parseExample(field: Field): unknown {
  const isText = ["string", "choice", "either"].includes(field.type.kind);
  return isText ? field.example : JSON.parse(field.example ?? "null");
}
