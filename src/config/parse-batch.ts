import JSON5 from "json5";
import { usageError, type OpenclawError } from "../errors.ts";
import type { Edit } from "./edit-value.ts";
import { parsePath } from "./path.ts";
import { isRecord } from "../json.ts";
import { describeValue } from "./validate.ts";

const BATCH_HINT =
  '[{ "path": "models.bedrockDiscovery.region", "value": "us-east-1" }, { "path": "agents", "unset": true }]';

/**
 * Reads a JSON5 list of edits, each `{path, value}` or `{path, unset: true}`. `name` is the file, for messages.
 * Throws `usage` naming the entry that is wrong.
 */
export function parseBatch(text: string, name: string, op: "set" | "merge"): Edit[] {
  const entries = parseInput(text, name);
  if (!Array.isArray(entries))
    throw batchError(`${name} must hold a list of edits, not ${describeValue(entries, true)}.`);
  return entries.map((entry: unknown, index) => toEdit(entry, `${name}, entry ${index + 1}`, op));
}

/** Reads a JSON5 object of settings to merge; null removes. Throws `usage`. */
export function parsePatch(text: string, name: string): Record<string, unknown> {
  const patch = parseInput(text, name);
  if (isRecord(patch)) return patch;
  throw usageError(
    `${name} must hold an object of settings, not ${describeValue(patch, true)}.`,
    '{ "models": { "bedrockDiscovery": { "region": "us-east-1" } } }',
  );
}

function parseInput(text: string, name: string): unknown {
  try {
    return JSON5.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw usageError(
      `${name} is not valid JSON5: ${error.message.replace(/^JSON5: /, "")}.`,
      `Correct ${name}.`,
    );
  }
}

function toEdit(entry: unknown, place: string, op: "set" | "merge"): Edit {
  if (!isRecord(entry) || typeof entry["path"] !== "string") throw batchError(`${place} has no path.`);
  const path = parsePath(entry["path"]);
  const isUnset = entry["unset"] === true;
  if (isUnset === Object.hasOwn(entry, "value")) {
    throw batchError(`${place} must have either a value or unset: true.`);
  }
  return isUnset ? { op: "unset", path } : { op, path, value: entry["value"] };
}

function batchError(message: string): OpenclawError {
  return usageError(message, `Write a list such as ${BATCH_HINT}.`);
}
