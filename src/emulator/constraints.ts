import { isRecord, type JsonObject } from "../json.ts";
import { constraintError, describeBreach, validationError } from "./aws-error.ts";

/** What a value of the service model may be. Lengths of texts are in characters, of lists in members. */
export type Shape =
  | { kind: "text"; min?: number; max?: number; pattern?: RegExp; values?: readonly string[] }
  | { kind: "number"; min?: number; max?: number }
  | { kind: "list"; of: Shape; min?: number; max?: number }
  | { kind: "object"; fields: Readonly<Record<string, Shape>>; required?: readonly string[] }
  /** An object with exactly one of the fields. */
  | { kind: "union"; fields: Readonly<Record<string, Shape>> }
  | { kind: "any" };

/** Anything at all. */
export const ANY: Shape = { kind: "any" };
/** Any text. */
export const TEXT: Shape = { kind: "text" };
/** A text with something in it. */
export const NOT_EMPTY: Shape = { kind: "text", min: 1 };
/** One of some words. */
export const oneOf = (...values: readonly string[]): Shape => ({ kind: "text", values });
/** A list of one kind of values. */
export const list = (of: Shape, more: { min?: number; max?: number } = {}): Shape => ({
  kind: "list",
  of,
  ...more,
});
/** An object with exactly one of the fields. */
export const union = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: "union", fields });
/** An object; the names behind its fields are of those that must be there. */
export const object = (fields: Readonly<Record<string, Shape>>, ...required: readonly string[]): Shape => ({
  kind: "object",
  fields,
  required,
});

/** Refuses what a shape does not allow, all findings in one message, as the service frames them. Throws `AwsError`. */
export function checkShape(request: JsonObject, shape: Shape): void {
  const breaches: string[] = [];
  check(request, shape, "", breaches);
  if (breaches.length > 0) throw constraintError(...breaches);
}

function check(value: unknown, shape: Shape, path: string, breaches: string[]): void {
  const refuse = (constraint: string): void => void breaches.push(describeBreach(value, path, constraint));
  const checkRange = (size: number, { min, max }: { min?: number; max?: number }, what: string): void => {
    if (min !== undefined && size < min) refuse(`have ${what} greater than or equal to ${min}`);
    if (max !== undefined && size > max) refuse(`have ${what} less than or equal to ${max}`);
  };
  switch (shape.kind) {
    case "any":
      return;
    case "number":
      if (typeof value !== "number") throw malformed(path);
      return checkRange(value, shape, "value");
    case "text":
      if (typeof value !== "string") throw malformed(path);
      if (shape.values && !shape.values.includes(value))
        refuse(`satisfy enum value set: [${shape.values.join(", ")}]`);
      checkRange(value.length, shape, "length");
      if (shape.pattern && value !== "" && !shape.pattern.test(value))
        refuse(
          `satisfy regular expression pattern: ${shape.pattern.source.slice(1, -1).replaceAll("\\/", "/")}`,
        );
      return;
    case "list":
      if (!Array.isArray(value)) throw malformed(path);
      checkRange(value.length, shape, "length");
      for (const [index, item] of (value as unknown[]).entries())
        check(item, shape.of, `${path}.${index + 1}.member`, breaches);
      return;
    case "object":
    case "union": {
      if (!isRecord(value)) throw malformed(path);
      const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
      const given = Object.keys(shape.fields).filter((name) => (value[name] ?? null) !== null);
      if (shape.kind === "union" && given.length !== 1) throw malformed(path);
      for (const name of (shape.kind === "object" && shape.required) || [])
        if (!given.includes(name)) breaches.push(describeBreach(null, at(name), "not be null"));
      for (const name of given) check(value[name], shape.fields[name] ?? ANY, at(name), breaches);
    }
  }
}

/** The refusal of what is of another kind than the service model has there. */
export function malformed(path: string): Error {
  return validationError(`Malformed input request at '${path}', please reformat your input and try again.`);
}
