import JSON5 from "json5";
import { describeSyntaxError } from "./describe-syntax-error.ts";
import { unsetVariables } from "./expand-env.ts";
import { findSetting } from "./find-setting.ts";
import { maskBrokenText, maskDocument } from "./mask-document.ts";
import { nearestWord } from "./nearest-setting.ts";
import { isBlank } from "./parse-document.ts";
import { formatPath, type PathSegment } from "./path.ts";
import { resolveReferences } from "./resolve.ts";
import { isSecretPath } from "./secrets.ts";
import { drawFrame } from "./source-frame.ts";
import { placeAt, type Place } from "./source-place.ts";
import { findMember, scanDocument, type Container, type Node, type Span } from "./spans.ts";
import { isRecord } from "../json.ts";
import { problemAt, validate, type Problem } from "./validate.ts";
import { listLeaves } from "./walk-value.ts";

/** Something to know about a configuration file, and where in it. */
export interface Finding extends Place {
  /** Problems make the file unusable; warnings point at what is likely a mistake. */
  severity: "problem" | "warning";
  /** Undefined for what concerns the text as a whole. */
  path?: string;
  message: string;
  expected?: string;
  received?: string;
  /** The line, secrets masked, and carets under the place. */
  frame: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Remark {
  severity: Finding["severity"];
  path: readonly PathSegment[];
  message: string;
  expected?: string;
  received?: string;
  /** The key, not the value, is at fault. */
  isAboutKey?: boolean;
}

/** Finds everything wrong or doubtful in the text of a configuration file, in the order of the text. */
export function inspectConfig(text: string, env: Environment): Finding[] {
  if (isBlank(text)) return [];
  let value: unknown;
  try {
    value = JSON5.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [syntaxFinding(text, error)];
  }
  const { root } = scanDocument(text);
  const masked = maskDocument(text);
  const maskedRoot = scanDocument(masked).root;
  if (root === undefined || maskedRoot === undefined) return [];
  return remarksOn(value, root, env)
    .map((remark) => {
      const offset = spanOf(root, remark).start;
      const shown = spanOf(maskedRoot, remark);
      return { remark, offset, frame: drawFrame(masked, shown.start, shown.end - shown.start) };
    })
    .sort((first, second) => first.offset - second.offset)
    .map(({ remark, offset, frame }) => toFinding(remark, placeAt(text, offset), frame));
}

function toFinding(
  { severity, path, message, expected, received }: Remark,
  place: Place,
  frame: string[],
): Finding {
  return {
    severity,
    path: formatPath(path),
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(received === undefined ? {} : { received }),
    line: place.line,
    column: place.column,
    frame,
  };
}

function syntaxFinding(text: string, error: SyntaxError): Finding {
  const { what, offset } = describeSyntaxError(text, error);
  return {
    severity: "problem",
    message: `This is not valid JSON5: ${what}.`,
    ...placeAt(text, offset),
    frame: drawFrame(maskBrokenText(text), offset),
  };
}

function remarksOn(value: unknown, root: Node, env: Environment): Remark[] {
  if (!isRecord(value)) {
    return [toRemark(problemAt([], "an object", value))];
  }
  const problems = validate(resolveReferences(value, env));
  return [...problems.map(toRemark), ...unsetReferences(value, env), ...keyRemarks(root, [])];
}

function toRemark({ path, message, expected, received }: Problem): Remark {
  return { severity: "problem", path, message, expected, received };
}

/** Warnings for `${NAME}` without such a variable. */
function unsetReferences(value: unknown, env: Environment): Remark[] {
  return listLeaves(value).flatMap(({ path, value: leaf }) => {
    if (typeof leaf !== "string" || !leaf.includes("${") || findSetting(path) === undefined) return [];
    return unsetVariables(leaf, env).map((name) => ({
      severity: "warning" as const,
      path,
      message: `${formatPath(path)} takes its value from the environment variable ${name}, which is not set.`,
    }));
  });
}

/** Warnings for keys that stand twice, and for unknown ones that look like a slip of the finger. */
function keyRemarks(node: Node, path: readonly PathSegment[]): Remark[] {
  if (node.kind === "scalar") return [];
  const kind = findSetting(path)?.kind;
  const known = kind?.kind === "object" ? Object.keys(kind.fields) : [];
  return node.members.flatMap((member): Remark[] => {
    const place = [...path, member.key];
    const inner = keyRemarks(member.value, place);
    const about = (message: string): Remark => ({
      severity: "warning",
      path: place,
      message,
      isAboutKey: true,
    });
    if (findMember(node, member.key) !== member)
      return [about(`${formatPath(place)} stands twice; this last one counts.`)];
    if (known.length === 0 || typeof member.key !== "string" || known.includes(member.key)) return inner;
    const nearest = nearestWord(member.key, known);
    return nearest === undefined || isSecretPath(place)
      ? inner
      : [
          about(
            `${formatPath(place)} is not a setting and is ignored; did you mean ${formatPath([...path, nearest])}?`,
          ),
          ...inner,
        ];
  });
}

/** Where a remark points: the value; the key where that is at fault; what encloses a value that is missing. */
function spanOf(root: Node, { path, isAboutKey = false }: Remark): Span {
  let node = root;
  let container: Container | undefined;
  let key: Span | undefined;
  for (const segment of path) {
    const member = node.kind === "scalar" ? undefined : findMember(node, segment);
    if (node.kind === "scalar" || member === undefined)
      return key ?? { start: node.start, end: node.start + 1 };
    container = node;
    key = member.keySpan;
    node = member.value;
  }
  if (isAboutKey && key) return key;
  const isComposite = node.kind !== "scalar" && container !== undefined;
  return isComposite && key
    ? key
    : { start: node.start, end: node.kind === "scalar" ? node.end : node.start + 1 };
}
