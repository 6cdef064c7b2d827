import { OpenclawError, usageError } from "../errors.ts";
import { isRecord } from "../json.ts";
import type { Edit } from "./edit-value.ts";
import { findSetting } from "./find-setting.ts";
import { tryJson, tryJson5 } from "./parse-json5.ts";
import { formatPath, parsePath, type Path } from "./path.ts";
import { isSecretPath } from "./secrets.ts";
import type { Kind } from "./setting-kinds.ts";
import { describeValue } from "./validate.ts";

const BATCH_HINT =
  '[{ "path": "models.bedrockDiscovery.region", "value": "us-east-1" }, { "path": "agents", "unset": true }]';

/**
 * Reads a value typed on the command line. For a setting that is a text: the text as it is, unless it is a quoted JSON5
 * string. For any other: JSON5 when it parses, else the raw text. With `isStrict` only JSON, else `usage` is thrown.
 */
export function parseValue(text: string, path: Path, isStrict = false): unknown {
  if (isStrict) return parseStrictly(text, path);
  const kind = findSetting(path)?.kind;
  const { value, error } = tryJson5(text);
  if (kind === undefined || !takesText(kind)) return error ? text : value;
  const isComposite = typeof value === "object" && value !== null;
  return typeof value === "string" || (kind.kind === "either" && isComposite) ? value : text;
}

/**
 * Reads a JSON5 list of edits, each `{path, value}` or `{path, unset: true}`. `name` is the file, for messages.
 * Throws `usage` naming the entry that is wrong.
 */
export function parseBatch(text: string, name: string, op: "set" | "merge"): Edit[] {
  const entries = parseFile(text, name);
  if (!Array.isArray(entries))
    throw batchError(`${name} must hold a list of edits, not ${describeValue(entries, true)}.`);
  return entries.map((entry: unknown, index) => toEdit(entry, `${name}, entry ${index + 1}`, op));
}

/** Reads a JSON5 object of settings to merge; null removes. Throws `usage`. */
export function parsePatch(text: string, name: string): Record<string, unknown> {
  const patch = parseFile(text, name);
  if (isRecord(patch)) return patch;
  throw usageError(
    `${name} must hold an object of settings, not ${describeValue(patch, true)}.`,
    '{ "models": { "bedrockDiscovery": { "region": "us-east-1" } } }',
  );
}

function takesText(kind: Kind): boolean {
  return kind.kind === "either" ? kind.of.some(takesText) : kind.kind === "string" || kind.kind === "choice";
}

function parseStrictly(text: string, path: Path): unknown {
  const { value, error } = tryJson(text);
  if (!error) return value;
  throw usageError(
    `The value ${isSecretPath(path) ? "" : `${text} `}for ${formatPath(path)} is not JSON, which --strict-json demands.`,
    `Quote a text as '"…"', or leave --strict-json out.`,
  );
}

function parseFile(text: string, name: string): unknown {
  const { value, error } = tryJson5(text);
  if (!error) return value;
  throw usageError(
    `${name} is not valid JSON5: ${error.message.replace(/^JSON5: /, "")}.`,
    `Correct ${name}.`,
  );
}

function toEdit(entry: unknown, place: string, op: "set" | "merge"): Edit {
  if (!isRecord(entry) || typeof entry["path"] !== "string") throw batchError(`${place} has no path.`);
  const path = parsePath(entry["path"]);
  const isUnset = entry["unset"] === true;
  if (isUnset === Object.hasOwn(entry, "value"))
    throw batchError(`${place} must have either a value or unset: true.`);
  return isUnset ? { op: "unset", path } : { op, path, value: entry["value"] };
}

function batchError(message: string): OpenclawError {
  return usageError(message, `Write a list such as ${BATCH_HINT}.`);
}
