import { isRecord, type JsonObject } from "../json.ts";

export interface SchemaFault {
  /** Where in the schema, as a JSON pointer; empty for all of it. */
  at: string;
  /** What is wrong there: `must be array`. */
  problem: string;
}

/** Keywords that hold schemas under names of the caller's (https://json-schema.org/draft/2020-12/schema and older). */
const MAPS: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependencies",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);
/** Keywords that hold values, in which nothing is a keyword. */
const VALUES: ReadonlySet<string> = new Set(["const", "default", "enum", "example", "examples"]);
/** Keywords whose schemas judge the same value as the schema that they stand in. */
const SAME_VALUE: ReadonlySet<string> = new Set([
  "allOf",
  "anyOf",
  "dependencies",
  "dependentSchemas",
  "else",
  "if",
  "not",
  "oneOf",
  "then",
]);
/** Keywords that name a schema, and those that refer to one by its name. */
const NAMES = ["$id", "$anchor", "$dynamicAnchor"] as const;
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"] as const;

/** A schema within a schema. */
interface Place {
  schema: JsonObject;
  /** Where it stands, as a JSON pointer. */
  at: string;
  /** Where the schema stands to which its references belong: the nearest around it with an `$id`. */
  resource: string;
  /** Where the schemas within it stand that judge the same value. */
  inner: string[];
}

/**
 * The first thing that makes a valid schema unusable: `$async`, which would make its validator another one; patterns that
 * are none; references that lead in a circle.
 */
export function findFault(schema: JsonObject): SchemaFault | undefined {
  const places = placesIn(schema);
  for (const place of places.values()) {
    const fault = asynchronous(place) ?? badPattern(place) ?? inherited(place, places);
    if (fault) return fault;
  }
  const circle = findCircle(places);
  return circle === undefined ? undefined : { at: circle, problem: "refers to itself without an end" };
}

/**
 * Takes OpenAPI's `nullable` out where it says nothing, which a compiler refuses: without a `type`, and where it is not
 * true (https://spec.openapis.org/oas/v3.0.3#schema-object). JSON Schema knows no such keyword.
 */
export function dropNullable(schema: JsonObject): void {
  for (const { schema: inner } of placesIn(schema).values())
    if (inner["type"] === undefined || inner["nullable"] !== true)
      delete (inner as Record<string, unknown>)["nullable"];
}

/** Where a schema has the keyword, the name or the reference that a compiler complains of; empty where that cannot be told. */
export function whereNamed(schema: JsonObject, name: string): string {
  for (const { schema: inner, at } of placesIn(schema).values()) {
    if (Object.hasOwn(inner, name)) return `${at}/${name}`;
    for (const keyword of [...REFERENCES, ...NAMES]) {
      const text = inner[keyword];
      if (typeof text === "string" && text !== "" && name.endsWith(text)) return `${at}/${keyword}`;
    }
  }
  return "";
}

/** Every schema in a schema, itself included, by where it stands. */
function placesIn(schema: JsonObject): Map<string, Place> {
  const places = new Map<string, Place>();
  const collect = (schema: JsonObject, at: string, outer: string): void => {
    const place: Place = { schema, at, resource: typeof schema["$id"] === "string" ? at : outer, inner: [] };
    places.set(at, place);
    for (const [keyword, value] of Object.entries(schema)) {
      if (VALUES.has(keyword) || typeof value !== "object" || value === null) continue;
      const here = `${at}/${escaped(keyword)}`;
      const held: [string, unknown][] =
        Array.isArray(value) || MAPS.has(keyword)
          ? Object.entries(value).map(([name, item]) => [`${here}/${escaped(name)}`, item])
          : [[here, value]];
      for (const [where, item] of held) {
        if (!isRecord(item)) continue;
        if (SAME_VALUE.has(keyword)) place.inner.push(where);
        collect(item, where, place.resource);
      }
    }
  };
  collect(schema, "", "");
  return places;
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function asynchronous({ schema, at }: Place): SchemaFault | undefined {
  return schema["$async"] ? { at: `${at}/$async`, problem: "is not supported" } : undefined;
}

/** A reference to what every object has and nobody wrote, such as `#/constructor`, which a compiler takes for a schema. */
function inherited(
  { schema, at, resource }: Place,
  places: ReadonlyMap<string, Place>,
): SchemaFault | undefined {
  for (const keyword of REFERENCES) {
    const reference = schema[keyword];
    if (typeof reference !== "string" || !reference.startsWith("#/")) continue;
    let target: unknown = places.get(resource)?.schema;
    for (const part of decoded(reference.slice(2)).split("/")) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof target !== "object" || target === null) break;
      if (!Object.hasOwn(target, name) && name in target)
        return { at: `${at}/${keyword}`, problem: `refers to '${reference}', which is not in the schema` };
      target = (target as JsonObject)[name];
    }
  }
  return undefined;
}

function badPattern({ schema, at }: Place): SchemaFault | undefined {
  const { pattern, patternProperties } = schema;
  const patterns: [string, string][] = typeof pattern === "string" ? [[`${at}/pattern`, pattern]] : [];
  for (const name of isRecord(patternProperties) ? Object.keys(patternProperties) : [])
    patterns.push([`${at}/patternProperties/${escaped(name)}`, name]);
  for (const [where, text] of patterns) {
    try {
      // As the validator reads it.
      RegExp(text, "u");
    } catch (error) {
      const why = (error as Error).message.split(": ").at(-1) ?? "";
      return { at: where, problem: `is not a regular expression: ${why}` };
    }
  }
  return undefined;
}

/** Where a schema stands that sends its own value back to itself. */
function findCircle(places: ReadonlyMap<string, Place>): string | undefined {
  const anchors = new Map<string, string>();
  for (const { schema, at, resource } of places.values())
    for (const keyword of NAMES) anchors.set(`${resource}#${String(schema[keyword])}`, at);
  const done = new Set<string>();
  const open = new Set<string>();
  const visit = (at: string): string | undefined => {
    if (open.has(at)) return at;
    const place = places.get(at);
    if (!place || done.has(at)) return undefined;
    open.add(at);
    const targets = REFERENCES.flatMap((keyword) => {
      const reference = place.schema[keyword];
      if (typeof reference !== "string" || !reference.startsWith("#")) return [];
      return anchors.get(place.resource + reference) ?? place.resource + decoded(reference.slice(1));
    });
    for (const target of [...place.inner, ...targets]) {
      const found = visit(target);
      if (found !== undefined) return found;
    }
    open.delete(at);
    done.add(at);
    return undefined;
  };
  for (const at of places.keys()) {
    const found = visit(at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A pointer in a URI as it stands in JSON. */
function decoded(pointer: string): string {
  try {
    return decodeURIComponent(pointer);
  } catch {
    // Then it refers to nothing, as the validator will say.
    return pointer;
  }
}
