import { isRecord, type JsonObject } from "../json.ts";

/** Deeper than any schema that a person writes; a recursive one ends here. */
const MOST_DEPTH = 20;

/** Makes up the smallest value that a JSON Schema of the usual kind accepts; texts say that they are simulated. */
export function sampleInstance(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isRecord(schema) || depth > MOST_DEPTH) return null;
  if (typeof schema["$ref"] === "string")
    return sampleInstance(resolve(schema["$ref"], root), root, depth + 1);
  if ("const" in schema) return schema["const"];
  const choices = schema["enum"];
  if (Array.isArray(choices)) return choices[0];
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const options = schema[keyword];
    if (Array.isArray(options)) return sampleInstance(options[0], root, depth + 1);
  }
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, root, depth);
    case "array":
      return Array.from({ length: numberAt(schema, "minItems") ?? 0 }, () =>
        sampleInstance(schema["items"], root, depth + 1),
      );
    case "string":
      return "simulated"
        .padEnd(numberAt(schema, "minLength") ?? 0, ".")
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

function sampleObject(schema: JsonObject, root: unknown, depth: number): object {
  const { properties } = schema;
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  return Object.fromEntries(
    required.map((name) => {
      const property = isRecord(properties) ? properties[name] : undefined;
      return [name, sampleInstance(property ?? {}, root, depth + 1)];
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
