import { isRecord, type JsonObject } from "../json.ts";
import { constraintError, describeBreach, validationError } from "./aws-error.ts";

/** What a value of the service model may be. Lengths of texts are in characters, of lists in members. */
export type Shape =
  | { kind: "text"; min?: number; max?: number; pattern?: RegExp; values?: readonly string[] }
  | { kind: "number"; min?: number; max?: number }
  /** A whole number: one with a fraction is no integer of the model, https://smithy.io/2.0/spec/simple-types.html */
  | { kind: "integer"; min?: number; max?: number }
  | { kind: "flag" }
  /** Bytes, in base64; lengths are those of the text. */
  | { kind: "bytes"; min?: number; max?: number }
  | { kind: "list"; of: Shape; min?: number; max?: number }
  /** An object of any names. */
  | { kind: "map"; key: Shape; value: Shape; min?: number; max?: number }
  | { kind: "object"; fields: Readonly<Record<string, Shape>>; required?: readonly string[] }
  /** An object with exactly one of the fields. */
  | { kind: "union"; fields: Readonly<Record<string, Shape>> }
  | { kind: "any" };

export const ANY: Shape = { kind: "any" };
export const TEXT: Shape = { kind: "text" };
export const NOT_EMPTY: Shape = { kind: "text", min: 1 };
export const FLAG: Shape = { kind: "flag" };
/** Some bytes. */
export const BYTES: Shape = { kind: "bytes", min: 1 };
/** How a list is asked for in pages. */
export const PAGE_LENGTH: Shape = { kind: "integer", min: 1, max: 1000 };
export const PAGE_TOKEN: Shape = { kind: "text", min: 1, max: 2048, pattern: /^\S*$/ };
export const oneOf = (...values: readonly string[]): Shape => ({ kind: "text", values });
export const list = (of: Shape, more: { min?: number; max?: number } = {}): Shape => ({
  kind: "list",
  of,
  ...more,
});
export const map = (key: Shape, value: Shape, more: { min?: number; max?: number } = {}): Shape => ({
  kind: "map",
  key,
  value,
  ...more,
});
export const union = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: "union", fields });
/** An object; the names behind its fields are of those that must be there. */
export const object = (fields: Readonly<Record<string, Shape>>, ...required: readonly string[]): Shape => ({
  kind: "object",
  fields,
  required,
});

/** Refuses what a shape does not allow, all findings in one message, as the service frames them; `place` is where it stands. Throws `AwsError`. */
export function checkShape(request: JsonObject, shape: Shape, place = ""): void {
  const breaches = breachesOf(request, shape, place);
  if (breaches.length > 0) throw constraintError(...breaches);
}

function check(value: unknown, shape: Shape, path: string, breaches: string[]): void {
  const refuse = (constraint: string, what?: string): void =>
    void breaches.push(describeBreach(value, path, constraint, what));
  const checkRange = (size: number, { min, max }: { min?: number; max?: number }, what: string): void => {
    if (min !== undefined && size < min) refuse(`have ${what} greater than or equal to ${min}`);
    if (max !== undefined && size > max) refuse(`have ${what} less than or equal to ${max}`);
  };
  switch (shape.kind) {
    case "any":
      return;
    case "flag":
      if (typeof value !== "boolean") throw malformed(path);
      return;
    case "bytes":
      if (typeof value !== "string" || !isBase64(value)) throw malformed(path);
      return checkRange(value.length, shape, "length");
    case "number":
    case "integer":
      if (typeof value !== "number" || (shape.kind === "integer" && !Number.isInteger(value)))
        throw malformed(path);
      return checkRange(value, shape, "value");
    case "text":
      if (typeof value !== "string") throw malformed(path);
      if (shape.values && !shape.values.includes(value))
        refuse(`satisfy enum value set: [${shape.values.join(", ")}]`);
      checkRange(value.length, shape, "length");
      if (shape.pattern && value !== "" && !shape.pattern.test(value))
        refuse(`satisfy regular expression pattern: ${patternOf(shape.pattern)}`);
      return;
    case "list":
      if (!Array.isArray(value)) throw malformed(path);
      checkRange(value.length, shape, "length");
      for (const [index, item] of (value as unknown[]).entries())
        check(item, shape.of, `${path}.${index + 1}.member`, breaches);
      return;
    case "map": {
      if (!isRecord(value)) throw malformed(path);
      const entries = Object.entries(value);
      checkRange(entries.length, shape, "length");
      const refuseAny = (what: string, items: readonly unknown[], one: Shape): void => {
        const isBroken = items.some((item) => breachesOf(item, one, path).length > 0);
        const all = constraintsOf(one).map((constraint) => `Member must ${constraint}`);
        if (isBroken) refuse(`satisfy constraint: [${all.join(", ")}]`, what);
      };
      refuseAny("Map keys", Object.keys(value), shape.key);
      return refuseAny("Map value", Object.values(value), shape.value);
    }
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

/** A whole number in the query of a path; undefined where there is none. Throws `AwsError` for anything else. */
export function wholeNumber(query: Readonly<Record<string, string>>, name: string): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  if (/^-?\d+$/.test(text)) return Number(text);
  throw malformed(name);
}

/** Looks for what is out of place, since files are too long to be matched as a whole. */
function isBase64(text: string): boolean {
  const end = text.indexOf("=");
  const isPadded = end < 0 || (end >= text.length - 2 && text.endsWith("="));
  return text.length % 4 === 0 && isPadded && !/[^a-zA-Z0-9+/=]/.test(text);
}

function breachesOf(value: unknown, shape: Shape, path: string): string[] {
  const breaches: string[] = [];
  check(value, shape, path, breaches);
  return breaches;
}

/** All that a text has to be, as it is said of the names and the values of a map, whichever of it is broken. */
function constraintsOf(shape: Shape): string[] {
  if (shape.kind !== "text") return [];
  const { min, max, pattern } = shape;
  return [
    ...(max === undefined ? [] : [`have length less than or equal to ${max}`]),
    ...(min === undefined ? [] : [`have length greater than or equal to ${min}`]),
    ...(pattern ? [`satisfy regular expression pattern: ${patternOf(pattern)}`] : []),
  ];
}

/** A pattern as the service model has it: it holds for the whole text. */
export function patternOf({ source }: RegExp): string {
  return source.slice(1, -1).replaceAll("\\/", "/");
}

/** The refusal of what is of another kind than the service model has there. */
export function malformed(path: string): Error {
  return validationError(`Malformed input request at '${path}', please reformat your input and try again.`);
}
