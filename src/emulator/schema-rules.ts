import { isRecord } from "../json.ts";

type Check = (value: unknown) => boolean;

const TYPES = new Set<unknown>(["array", "boolean", "integer", "null", "number", "object", "string"]);

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isCount: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
const isFlag: Check = (value) => typeof value === "boolean";
const isList: Check = Array.isArray;
const isSchema: Check = (value) => typeof value === "boolean" || (isRecord(value) && fits(value));
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && (value as unknown[]).every(check);
const someOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length > 0 && listOf(check)(value);
const mapOf =
  (check: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every(check);
const isType: Check = (value) => TYPES.has(value);
const isPattern: Check = (value) => {
  try {
    return isText(value) && new RegExp(String(value), "u").source !== "";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
};

/** What keywords hold by the meta-schema of draft 2020-12: https://json-schema.org/draft/2020-12/schema */
const KEYWORDS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...["$id", "$schema", "$ref", "$anchor", "$comment", "title", "description", "format"].map(
    (name) => [name, isText] as const,
  ),
  ...["multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"].map(
    (name) => [name, isNumber] as const,
  ),
  ...[
    "maxLength",
    "minLength",
    "maxItems",
    "minItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
  ].map((name) => [name, isCount] as const),
  ...["uniqueItems", "deprecated", "readOnly", "writeOnly"].map((name) => [name, isFlag] as const),
  ...[
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
  ].map((name) => [name, isSchema] as const),
  ...["prefixItems", "allOf", "anyOf", "oneOf"].map((name) => [name, someOf(isSchema)] as const),
  ...["$defs", "definitions", "properties", "dependentSchemas"].map(
    (name) => [name, mapOf(isSchema)] as const,
  ),
  ["patternProperties", (value) => mapOf(isSchema)(value) && Object.keys(value as object).every(isPattern)],
  ["type", (value) => isType(value) || someOf(isType)(value)],
  ["required", listOf(isText)],
  ["enum", isList],
  ["examples", isList],
  ["dependentRequired", mapOf(listOf(isText))],
  ["pattern", isPattern],
]);

function fits(schema: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(schema).every(([name, value]) => KEYWORDS.get(name)?.(value) ?? true);
}

/**
 * What Claude refuses in the schema of a tool's input, in its words; undefined where it takes it. Of older drafts the forms
 * that the newest does not have: lists in `items`, `exclusiveMinimum: true`, `required: true`.
 * https://github.com/anthropics/claude-code/issues/7365, https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/709
 */
export function schemaFault(schema: unknown): string | undefined {
  if (!isRecord(schema)) return undefined;
  const { properties } = schema;
  if (isRecord(properties) && Object.keys(properties).some((key) => !/^[a-zA-Z0-9_.-]{1,64}$/.test(key)))
    return ".properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'";
  if (fits(schema)) return undefined;
  return ": JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12). Learn more about tool use at https://docs.claude.com/en/docs/tool-use.";
}
