import JSON5 from "json5";
import { usageError } from "../errors.ts";
import { findSetting } from "./find-setting.ts";
import { formatPath, type PathSegment } from "./path.ts";
import { isSecretPath } from "./secrets.ts";
import type { Kind } from "./setting-kinds.ts";

/**
 * Reads a value typed on the command line. For a setting that is a text: the text as it is, unless it is a quoted JSON5
 * string. For any other: JSON5 when it parses, else the raw text. With `isStrict` only JSON, else `usage` is thrown.
 */
export function parseValue(text: string, path: readonly PathSegment[], isStrict = false): unknown {
  if (isStrict) return parseStrictly(text, path);
  const kind = findSetting(path)?.kind;
  const parsed = tryParse(text);
  if (kind === undefined || !takesText(kind)) return parsed === undefined ? text : parsed.value;
  if (typeof parsed?.value === "string") return parsed.value;
  const isComposite = typeof parsed?.value === "object" && parsed.value !== null;
  return kind.kind === "either" && isComposite ? parsed.value : text;
}

function takesText(kind: Kind): boolean {
  return (
    kind.kind === "string" || kind.kind === "choice" || (kind.kind === "either" && kind.of.some(takesText))
  );
}

function tryParse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON5.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseStrictly(text: string, path: readonly PathSegment[]): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const value = isSecretPath(path) ? "The value" : `The value ${text}`;
    throw usageError(
      `${value} for ${formatPath(path)} is not JSON, which --strict-json demands.`,
      `Quote a text as '"…"', or leave --strict-json out.`,
    );
  }
}
