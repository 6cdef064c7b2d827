import { isRecord } from "../json.ts";
import { isRegionName } from "../aws/region.ts";
import { childrenAt, isForeign } from "./find-setting.ts";
import { formatPath, type Path, type PathSegment } from "./path.ts";
import { maskUserInfo } from "../network/user-info.ts";
import { isSecretPath } from "./secrets.ts";
import type { Fault, Kind, MapRules } from "./setting-kinds.ts";
import { SETTINGS } from "./settings.ts";
import { entriesOf } from "./walk-value.ts";

export interface Problem {
  path: PathSegment[];
  /** A sentence that names path, expected and received. */
  message: string;
  /** What the setting takes, in words. */
  expected: string;
  /** What stands there, in words; never a secret. */
  received: string;
  /** It is likely another program's: worth a warning, not more. */
  isForeign?: boolean;
}

/** Longest text of a value quoted in a message, in characters. */
const QUOTED_LENGTH = 60;

/**
 * Compares a value with the table of settings and returns every problem, in the order of the value's keys.
 * Keys the table does not know belong to other programs and are no problem.
 */
export function validate(value: unknown, kind: Kind = SETTINGS, path: Path = []): Problem[] {
  if (isForeign(kind, value)) return [];
  const form = kind.kind === "either" ? kind.of.find((of) => isOfType(value, of)) : kind;
  if (form === undefined || !isOfType(value, form) || !isInBounds(value, form))
    return [problemAt(path, describeKind(form ?? kind), value)];
  const entries = entriesOf(value);
  const required = form.kind === "object" ? form.required : [];
  const missing = required.filter((name) => !entries.some(([key]) => key === name));
  const kindOf = (key: PathSegment): Kind | undefined => childrenAt(form, key)[0]?.kind;
  const problems = [
    ...missing.map((name) => problemAt([...path, name], describeKind(kindOf(name) ?? form), undefined)),
    ...entries.flatMap(([key, item]) => {
      const inner = kindOf(key);
      if (!inner) return [];
      const place = [...path, key];
      return keyProblems(form, place, item).concat(validate(item, inner, place));
    }),
  ];
  if (problems.length > 0 || form.kind !== "object" || !isRecord(value)) return problems;
  return (form.check?.(value) ?? []).map((fault) => faultAt(path, value, fault));
}

/** Whether a map takes a key. */
export function isFitKey({ keyPattern }: MapRules, key: PathSegment): boolean {
  return keyPattern === undefined || new RegExp(keyPattern).test(String(key));
}

function keyProblems(kind: Kind, path: Path, value: unknown): Problem[] {
  const key = path.at(-1) ?? "";
  if (kind.kind !== "map" || isFitKey(kind, key) || isForeign(kind.of, value)) return [];
  const { keyExpected: expected = "another name" } = kind;
  const received = `the name ${JSON.stringify(key)}`;
  return [
    {
      path: [...path],
      message: `${formatPath(path)} takes ${expected}, not ${received}.`,
      expected,
      received,
    },
  ];
}

function faultAt(path: Path, value: unknown, fault: Fault): Problem {
  const received = fault.path.reduce<unknown>(
    (inner, key) => entriesOf(inner).find(([own]) => own === key)?.[1],
    value,
  );
  const problem = problemAt([...path, ...fault.path], fault.expected, received);
  return {
    ...problem,
    ...(fault.says !== undefined && { message: `${formatPath(problem.path)} ${fault.says}.` }),
    ...(fault.isForeign && { isForeign: true }),
  };
}

/** What a kind takes, in words that follow "takes": `a whole number of seconds, at least 0`. */
export function describeKind(kind: Kind): string {
  switch (kind.kind) {
    case "boolean":
      return "true or false";
    case "scalar":
      return "a string, a number, true or false";
    case "anything":
      return "anything";
    case "string":
      if (kind.format === "url") return "an http or https URL";
      if (kind.format === "region") return "an AWS region such as us-east-1";
      return kind.minLength ? "a non-empty string" : "a string";
    case "number":
      return `a number${kind.unit ? ` in ${kind.unit}` : ""}${describeBounds(kind)}`;
    case "integer":
      return `a whole number of ${kind.unit}${describeBounds(kind)}`;
    case "choice":
      return kind.values.length === 1 ? String(kind.values[0]) : joinWords(kind.values);
    case "list":
      return `a list of ${describeItems(kind.of)}${kind.minItems ? `, at least ${kind.minItems}` : ""}`;
    case "map":
      return `an object of ${describeItems(kind.of)} by ${kind.keyName}`;
    case "object":
      return kind.required.length > 0 ? `an object with ${kind.required.join(" and ")}` : "an object";
    case "either":
      return `${describeKind(kind.of[0])}, or ${describeKind(kind.of[1])}`;
  }
}

/** What a value is, in words: `the string "soon"`, `a list`. `isSecret` keeps the value itself out. */
export function describeValue(value: unknown, isSecret = false): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") {
    if (value === "") return "an empty string";
    if (isSecret) return "a string";
    const shown = maskUserInfo(value);
    return `the string ${JSON.stringify(shown.length > QUOTED_LENGTH ? `${shown.slice(0, QUOTED_LENGTH)}…` : shown)}`;
  }
  if (isSecret) return `a ${typeof value}`;
  return typeof value === "number" ? `the number ${value}` : String(value);
}

/** A problem as the details of an error have it. */
export function problemDetails({ path, expected, received }: Problem): Record<string, string> {
  return { path: formatPath(path), expected, received };
}

/** A problem at a path, its message made from what was expected and what stands there. */
export function problemAt(path: Path, expected: string, value: unknown): Problem {
  const received = describeValue(value, isSecretPath(path));
  const name = path.length === 0 ? "The configuration" : formatPath(path);
  const message =
    value === undefined
      ? `${name} is missing: it takes ${expected}.`
      : `${name} takes ${expected}, not ${received}.`;
  return { path: [...path], message, expected, received };
}

function isOfType(value: unknown, kind: Kind): boolean {
  switch (kind.kind) {
    case "list":
      return Array.isArray(value);
    case "map":
    case "object":
      return isRecord(value);
    case "anything":
      return true;
    case "scalar":
      return ["string", "number", "boolean"].includes(typeof value);
    case "either":
      return kind.of.some((of) => isOfType(value, of));
    default:
      return typeof value === TYPES[kind.kind];
  }
}

const TYPES = {
  boolean: "boolean",
  string: "string",
  choice: "string",
  number: "number",
  integer: "number",
} as const;

function isInBounds(value: unknown, kind: Kind): boolean {
  if (typeof value === "string") {
    // What `${NAME}` stands for is known only where it is used, and checked there.
    if (/\$\{[A-Za-z_]\w*\}/.test(value)) return true;
    if (kind.kind === "choice") return kind.values.includes(value);
    if (kind.kind !== "string") return true;
    if (kind.format === "url") return isHttpUrl(value);
    if (kind.format === "region") return isRegionName(value);
    return value.length >= (kind.minLength ?? 0);
  }
  if (kind.kind === "list") return !Array.isArray(value) || value.length >= (kind.minItems ?? 0);
  if (kind.kind !== "integer" && kind.kind !== "number") return true;
  const isNumber = kind.kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
  return (
    isNumber && Number(value) >= kind.minimum && Number(value) <= (kind.maximum ?? Number.POSITIVE_INFINITY)
  );
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

function describeBounds({ minimum, maximum }: { minimum: number; maximum?: number }): string {
  return maximum === undefined ? `, at least ${minimum}` : ` from ${minimum} to ${maximum}`;
}

function describeItems(kind: Kind): string {
  switch (kind.kind) {
    case "string":
      return kind.minLength ? "non-empty strings" : "strings";
    case "choice":
      return `${kind.values.slice(0, -1).join(", ")} and ${kind.values.at(-1)}`;
    case "map":
    case "object":
    case "either":
      return "objects";
    case "scalar":
    case "anything":
      return "values";
    default:
      return `${kind.kind}s`;
  }
}

function joinWords(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
