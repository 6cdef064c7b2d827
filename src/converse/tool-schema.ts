import { isRecord, type JsonObject, numberOf } from "../json.ts";
import type { FamilyFacts } from "../models/families.ts";

/** Where schemas stand in a schema: as one value, as the values of an object, in a list. */
const PLACES: ReadonlyMap<string, "one" | "map" | "list"> = new Map([
  ...["additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"].map(
    (name) => [name, "one"] as const,
  ),
  ...["$defs", "definitions", "patternProperties", "properties"].map((name) => [name, "map"] as const),
  ...["allOf", "anyOf", "oneOf", "prefixItems"].map((name) => [name, "list"] as const),
]);

/**
 * A schema in the forms of draft 2020-12, which says the same: lists in `items` are `prefixItems`, `exclusiveMinimum: true`
 * is a number, and `required: true` of a field is in the list of its object
 * (https://json-schema.org/draft/2020-12/release-notes, https://json-schema.org/draft-06/json-schema-release-notes).
 */
function inNewestDraft(schema: JsonObject): JsonObject {
  const next: Record<string, unknown> = { ...schema };
  const { items, additionalItems, properties } = schema;
  if (Array.isArray(items)) {
    delete next["items"];
    delete next["additionalItems"];
    if (items.length > 0) next["prefixItems"] = items;
    if (additionalItems !== undefined) next["items"] = additionalItems;
  }
  for (const [exclusive, bound] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    if (typeof schema[exclusive] !== "boolean") continue;
    delete next[exclusive];
    if (schema[exclusive] !== true || numberOf(schema[bound]) === undefined) continue;
    delete next[bound];
    next[exclusive] = schema[bound];
  }
  if (typeof schema["required"] === "boolean") delete next["required"];
  const needed = Object.entries(isRecord(properties) ? properties : {}).flatMap(([name, field]) =>
    isRecord(field) && field["required"] === true ? [name] : [],
  );
  if (needed.length > 0) {
    const known = Array.isArray(next["required"]) ? (next["required"] as unknown[]) : [];
    next["required"] = [...new Set([...known, ...needed])];
  }
  const mended = (value: unknown): unknown => (isRecord(value) ? inNewestDraft(value) : value);
  for (const [name, value] of Object.entries(next)) {
    const place = PLACES.get(name);
    if (place === "list" && Array.isArray(value)) next[name] = (value as unknown[]).map(mended);
    else if (place === "one") next[name] = mended(value);
    else if (place === "map" && isRecord(value))
      next[name] = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mended(each)]));
  }
  return next;
}

const ALTERNATIVES = ["oneOf", "anyOf", "allOf"] as const;

/**
 * The schema of a tool's input as a model takes it: an object at its root, and there nothing that its family refuses. What
 * else changes for a person is told.
 */
export function toolSchema(
  schema: unknown,
  name: string,
  { family, modelId, tell }: { family: FamilyFacts; modelId: string; tell: (notice: string) => void },
): JsonObject {
  if (!isRecord(schema) || Object.keys(schema).length === 0) return { type: "object", properties: {} };
  const { type, ...rest } = schema;
  if (type !== "object" && type !== undefined)
    tell(`The input of the tool '${name}' is of type ${JSON.stringify(type)}, and sent as an object`);
  const typed = type === "object" ? schema : { type: "object", ...rest };
  const root = family.newestToolSchemas ? inNewestDraft(typed) : typed;
  const whole = family.bareToolSchemas ? { ...root, ...resolved(root, root) } : root;
  if (!(family.flatToolSchemas ?? family.bareToolSchemas)) return root;
  const hasAlternatives = ALTERNATIVES.some((keyword) => keyword in whole);
  if (hasAlternatives)
    tell(
      `'${modelId}' takes no alternatives at the root of a schema, so the tool '${name}' has all their fields`,
    );
  const flat = hasAlternatives ? flattened(whole) : whole;
  return family.bareToolSchemas ? bare(flat, root) : flat;
}

/** Fields alone, each with what it refers to in its place: nothing else may stand at the root. */
function bare({ properties, required }: JsonObject, root: JsonObject): JsonObject {
  return {
    type: "object",
    properties: isRecord(properties) ? inlined(properties, { root, left: MOST_INLINED }, 0) : {},
    ...(Array.isArray(required) && required.length > 0 ? { required: required as unknown[] } : {}),
  };
}

/** The most values that a schema may have once its definitions stand where they are referred to. */
const MOST_INLINED = 10_000;
/** How deep they may stand in each other: a definition that refers to itself has no end. */
const DEEPEST_INLINED = 32;

/** A value with each reference to a definition replaced by it; where that would have no end, anything may stand. */
function inlined(value: unknown, inlining: { root: JsonObject; left: number }, depth: number): unknown {
  inlining.left -= 1;
  if (Array.isArray(value)) {
    const items = (value as unknown[]).map((item) => inlined(item, inlining, depth));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isRecord(value)) return value;
  const reference = value["$ref"];
  if (typeof reference === "string" && /^#\/(\$defs|definitions)\//.test(reference)) {
    const { $ref: _, ...others } = value;
    const definition = resolved(value, inlining.root);
    const isEndless = depth >= DEEPEST_INLINED || inlining.left <= 0;
    const isKnown = definition !== value && !isEndless;
    return inlined(isKnown ? { ...definition, ...others } : others, inlining, depth + 1);
  }
  // Most schemas refer to nothing, and some have thousands of fields.
  let changed: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = inlined(value[key], inlining, depth);
    if (item !== value[key]) (changed ??= { ...value })[key] = item;
  }
  return changed ?? value;
}

/** One object with the fields of all alternatives; required is what each of them requires. */
function flattened(root: JsonObject): JsonObject {
  const { oneOf, anyOf, allOf, ...rest } = root;
  const branches = (keyword: unknown): JsonObject[] =>
    (Array.isArray(keyword) ? (keyword as unknown[]) : []).flatMap((branch) => {
      const found = resolved(branch, root);
      return found ? [found] : [];
    });
  const required = (branch: JsonObject): unknown[] =>
    Array.isArray(branch["required"]) ? (branch["required"] as unknown[]) : [];
  const shared = [oneOf, anyOf].flatMap((keyword) => {
    const [first = [], ...others] = branches(keyword).map(required);
    return first.filter((field) => others.every((fields) => fields.includes(field)));
  });
  const all = new Set([...required(root), ...branches(allOf).flatMap(required), ...shared]);
  const fields = [root, ...branches(allOf), ...branches(oneOf), ...branches(anyOf)].map(({ properties }) =>
    isRecord(properties) ? properties : {},
  );
  const properties: JsonObject = Object.assign({}, ...fields.toReversed()) as JsonObject;
  const { required: _, ...others } = rest as JsonObject;
  return { ...others, properties, ...(all.size === 0 ? {} : { required: [...all] }) };
}

/** A branch of a schema, behind a reference to a definition of the same schema; undefined where it is no object. */
function resolved(branch: unknown, root: JsonObject): JsonObject | undefined {
  if (!isRecord(branch)) return undefined;
  const [, place = "", name = ""] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(String(branch["$ref"])) ?? [];
  const definitions = root[place];
  const definition = isRecord(definitions) ? definitions[name] : undefined;
  return isRecord(definition) ? definition : branch;
}
