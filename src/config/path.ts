import { shorten, usageError } from "../errors.ts";

export type PathSegment = string | number;

/** Where something stands in a configuration, from its root. */
export type Path = readonly PathSegment[];

/** Deeper nesting than any configuration has, and shallower than the call stack. */
export const DEEPEST = 500;

/** Keys that would reach into JavaScript's own objects. */
const UNSAFE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
const SYNTAX_HINT =
  'Write a path such as models.bedrockDiscovery.region or models.providers["amazon-bedrock"].models[0].id.';

/** True for keys that must never be written: they name JavaScript's own machinery. */
export function isUnsafeKey(key: PathSegment): boolean {
  return typeof key === "string" && UNSAFE_KEYS.has(key);
}

/**
 * Parses a path such as `a.b[0].c` or `a["b.c"]`. A shell that eats the quotes leaves `a[b.c]`, which means the same.
 * Throws `usage`, naming the place, for a malformed path and for `__proto__`, `constructor` and `prototype`, and for one
 * that leads more than 500 deep.
 */
export function parsePath(text: string): PathSegment[] {
  if (text.trim() === "") throw usageError("The path is empty.", SYNTAX_HINT);
  const segments: PathSegment[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    if (text[at] === "[") {
      const { segment, end } = parseBracket(text, at);
      segments.push(segment);
      at = end;
    } else {
      if (segments.length > 0) {
        if (/[\]"'\s]/.test(text[at] ?? "")) throw malformed(text, describeBadKey(text, at), at);
        if (text[at] !== ".") throw malformed(text, 'a "." or "[" must come between two keys', at);
        at += 1;
      }
      const key = /^[^.[\]"'\s]+/.exec(text.slice(at))?.[0];
      if (key === undefined) throw malformed(text, describeBadKey(text, at), at);
      segments.push(key);
      at += key.length;
    }
    if (segments.length > DEEPEST)
      throw usageError(
        `The path ${JSON.stringify(shorten(text))} leads more than ${DEEPEST} deep.`,
        SYNTAX_HINT,
      );
    const last = segments.at(-1);
    if (last !== undefined && isUnsafeKey(last)) {
      throw usageError(
        `The path ${JSON.stringify(text)} is refused at character ${start + 1}: ${JSON.stringify(last)} is not a setting but a part of JavaScript itself.`,
        SYNTAX_HINT,
      );
    }
  }
  return segments;
}

/** Writes a path the way `parsePath` reads it, with brackets and quotes only where they are needed. */
export function formatPath(path: Path): string {
  return path
    .map((segment, index) => {
      if (typeof segment === "number") return `[${segment}]`;
      if (!/^[A-Za-z_$][\w$-]*$/.test(segment)) return `[${JSON.stringify(segment)}]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join("");
}

/** True when `path` is `ancestor` or a place below it. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.every((segment, index) => path[index] === segment);
}

function parseBracket(text: string, open: number): { segment: PathSegment; end: number } {
  const quote = text[open + 1];
  if (quote === '"' || quote === "'") {
    const { key, end } = parseQuoted(text, open + 1);
    if (text[end] !== "]") throw malformed(text, 'a "]" must follow the quoted key', end);
    return { segment: key, end: end + 1 };
  }
  const content = /^[^[\]"'\s]*/.exec(text.slice(open + 1))?.[0] ?? "";
  const end = open + 1 + content.length;
  if (text[end] !== "]") {
    throw malformed(text, end >= text.length ? 'the "[" is never closed' : describeBadKey(text, end), end);
  }
  if (content === "") throw malformed(text, "the brackets are empty", open + 1);
  if (!/^[+-]?\d/.test(content) || /[^\d+-]/.test(content)) return { segment: content, end: end + 1 };
  if (!/^(0|[1-9]\d*)$/.test(content) || !Number.isSafeInteger(Number(content))) {
    throw malformed(text, `${content} is not an index; the first item is [0]`, open + 1);
  }
  return { segment: Number(content), end: end + 1 };
}

function parseQuoted(text: string, open: number): { key: string; end: number } {
  const quote = text[open];
  let key = "";
  for (let at = open + 1; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === quote) return { key, end: at + 1 };
    if (character !== "\\") {
      key += character;
      continue;
    }
    const escape = /^\\(?:(["'\\/bfnrt])|u([0-9A-Fa-f]{4}))/.exec(text.slice(at));
    if (!escape) throw malformed(text, "the backslash is followed by nothing it can escape", at);
    key +=
      escape[2] === undefined
        ? (ESCAPES[escape[1] ?? ""] ?? escape[1] ?? "")
        : String.fromCharCode(parseInt(escape[2], 16));
    at += escape[0].length - 1;
  }
  throw malformed(text, `the ${quote} is never closed`, open);
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function malformed(text: string, what: string, place: number): Error {
  return usageError(
    `The path ${JSON.stringify(text)} is malformed at character ${place + 1}: ${what}.`,
    SYNTAX_HINT,
  );
}

function describeBadKey(text: string, at: number): string {
  const character = text[at];
  if (character === undefined) return 'a key must follow the "."';
  if (character === ".") return "a key is missing before the dot";
  if (character === "]") return 'the "]" closes nothing';
  if (character === "[") return "a key is missing before the bracket";
  return `${JSON.stringify(character)} must be inside ["…"]`;
}
