import { isRecord, type JsonObject } from "../json.ts";

/** Deeper than any schema that a person writes; a recursive one ends here. */
const MOST_DEPTH = 20;

/** The most values of an instance, and the most characters of a text: a schema may ask for any number. */
const MOST_VALUES = 10_000;
const MOST_CHARACTERS = 10_000;

/** Makes up the smallest value that a JSON Schema of the usual kind accepts; texts say that they are simulated. */
export function sampleInstance(schema: unknown): unknown {
  return sample(schema, { root: schema, left: MOST_VALUES }, 0);
}

/** What all values of an instance share. */
interface Sampling {
  root: unknown;
  /** How many values may still be made. */
  left: number;
}

function sample(schema: unknown, sampling: Sampling, depth: number): unknown {
  sampling.left -= 1;
  if (!isRecord(schema) || depth > MOST_DEPTH || sampling.left < 0) return null;
  if (typeof schema["$ref"] === "string")
    return sample(resolve(schema["$ref"], sampling.root), sampling, depth + 1);
  if ("const" in schema) return schema["const"];
  const choices = schema["enum"];
  if (Array.isArray(choices)) return choices[0];
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const options = schema[keyword];
    if (Array.isArray(options)) return sample(options[0], sampling, depth + 1);
  }
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, sampling, depth);
    case "array":
      return Array.from({ length: bounded(numberAt(schema, "minItems") ?? 0, sampling.left) }, () =>
        sample(schema["items"], sampling, depth + 1),
      );
    case "string":
      return "simulated"
        .padEnd(bounded(numberAt(schema, "minLength") ?? 0, MOST_CHARACTERS), ".")
        .slice(0, numberAt(schema, "maxLength"));
    case "integer":
    case "number":
      return numberAt(schema, "minimum") ?? Math.min(0, numberAt(schema, "maximum") ?? 0);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function bounded(wanted: number, most: number): number {
  return Math.max(Math.min(wanted, most), 0);
}

function sampleObject(schema: JsonObject, sampling: Sampling, depth: number): object {
  const { properties } = schema;
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  return Object.fromEntries(
    required.map((name) => {
      const property = isRecord(properties) ? properties[name] : undefined;
      return [name, sample(property ?? {}, sampling, depth + 1)];
    }),
  );
}

function typeOf(schema: JsonObject): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type[0];
  return type ?? ("properties" in schema ? "object" : undefined);
}

function resolve(reference: string, root: unknown): unknown {
  let target = root;
  for (const part of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    target = isRecord(target) ? target[part.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  }
  return target;
}

function numberAt(schema: JsonObject, name: string): number | undefined {
  const value = schema[name];
  return typeof value === "number" ? value : undefined;
}
