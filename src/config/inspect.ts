import stringWidth from "string-width";
import { isRecord } from "../json.ts";
import { unsetVariables } from "./expand-env.ts";
import { findSetting, foreignPart } from "./find-setting.ts";
import { maskBrokenText, maskDocument } from "./mask-document.ts";
import { settingMeant } from "./nearest-setting.ts";
import { isBlank } from "./parse-document.ts";
import { tryJson5 } from "./parse-json5.ts";
import { formatPath, type Path } from "./path.ts";
import { resolveReferences } from "./resolve.ts";
import { findMember, followPath, scanDocument, type Node, type Span } from "./spans.ts";
import { describeSyntaxError, placeAt, type Place } from "./syntax-error.ts";
import { type Problem, problemAt, validate } from "./validate.ts";
import { listLeaves } from "./walk-value.ts";

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

/** A finding before it is known where in the text it is. */
interface Remark {
  path: Path;
  /** The key, not the value, is at fault. */
  isAboutKey?: boolean;
  says: Pick<Finding, "severity" | "message" | "expected" | "received">;
}

/** Most columns of a source line to show. */
const WIDEST = 100;

/** Finds everything wrong or doubtful in the text of a configuration file, in the order of the text. */
export function inspectConfig(text: string, env: Environment): Finding[] {
  if (isBlank(text)) return [];
  const { value, error } = tryJson5(text);
  if (error) return [syntaxFinding(text, error)];
  const { root } = scanDocument(text);
  const masked = maskDocument(text);
  const maskedRoot = scanDocument(masked).root;
  if (root === undefined || maskedRoot === undefined) return [];
  return remarksOn(value, root, env)
    .map((remark) => ({ remark, offset: spanOf(root, remark).start }))
    .sort((first, second) => first.offset - second.offset)
    .map(({ remark, offset }) => {
      const shown = spanOf(maskedRoot, remark);
      return toFinding(
        remark,
        placeAt(text, offset),
        drawFrame(masked, shown.start, shown.end - shown.start),
      );
    });
}

function toFinding({ path, says }: Remark, place: Place, frame: string[]): Finding {
  return { ...says, path: formatPath(path), ...place, frame };
}

function syntaxFinding(text: string, error: SyntaxError): Finding {
  const { what, offset, line, column } = describeSyntaxError(text, error);
  const message = `This is not valid JSON5: ${what}.`;
  return { severity: "problem", message, line, column, frame: drawFrame(maskBrokenText(text), offset) };
}

function remarksOn(value: unknown, root: Node, env: Environment): Remark[] {
  const problems = isRecord(value)
    ? validate(resolveReferences(value, env))
    : [problemAt([], "an object", value)];
  const remarks = problems.map(toRemark);
  return isRecord(value)
    ? [...remarks, ...unsetReferences(value, env), ...keyRemarks(root, [], value)]
    : remarks;
}

function toRemark({ path, isForeign, ...problem }: Problem): Remark {
  return { path, says: { severity: isForeign ? "warning" : "problem", ...problem } };
}

/** Warnings for `${NAME}` without such a variable. */
function unsetReferences(value: unknown, env: Environment): Remark[] {
  return listLeaves(value).flatMap(({ path, value: leaf }) => {
    if (typeof leaf !== "string" || !leaf.includes("${")) return [];
    if (findSetting(path)?.hasPlaceholders !== false || foreignPart(value, path)) return [];
    return unsetVariables(leaf, env).map((name) => ({
      path,
      says: warning(path, `takes its value from the environment variable ${name}, which is not set.`),
    }));
  });
}

/** Warnings for keys that stand twice, and for unknown ones that look like a slip of the finger. */
function keyRemarks(node: Node, path: Path, value: unknown): Remark[] {
  if (node.kind === "scalar") return [];
  return node.members.flatMap((member): Remark[] => {
    const place = [...path, member.key];
    const about = (what: string): Remark => ({ path: place, says: warning(place, what), isAboutKey: true });
    if (findMember(node, member.key) !== member) return [about("stands twice; this last one counts.")];
    const inner = keyRemarks(member.value, place, value);
    const nearest = foreignPart(value, path) ? undefined : settingMeant(path, member.key);
    if (nearest === undefined) return inner;
    const meant = formatPath([...path, nearest]);
    return [about(`is not a setting and is ignored; did you mean ${meant}?`), ...inner];
  });
}

function warning(path: Path, what: string): Remark["says"] {
  return { severity: "warning", message: `${formatPath(path)} ${what}` };
}

/** Where a remark points: the value; the key where that is at fault; what encloses a value that is missing. */
function spanOf(root: Node, { path, isAboutKey = false }: Pick<Remark, "path" | "isAboutKey">): Span {
  const { node, member, rest } = followPath(root, path);
  const isWhole = rest.length === 0 && node.kind === "scalar";
  if (isWhole && !(isAboutKey && member?.keySpan)) return node;
  return member?.keySpan ?? { start: node.start, end: node.start + 1 };
}

/** The line of a place with a caret under it, as long as the `length` characters that follow on the line. */
function drawFrame(text: string, offset: number, length = 1): string[] {
  const { line, column } = placeAt(text, offset);
  const characters = [...(text.replace(/^\uFEFF/, "").split(/\r\n|[\n\r\u2028\u2029]/)[line - 1] ?? "")];
  const skipped = characters.length > WIDEST ? Math.max(0, column - 1 - WIDEST / 2) : 0;
  const shown = characters.slice(skipped, skipped + WIDEST);
  const before = shown.slice(0, column - 1 - skipped);
  const marked = shown.slice(before.length, before.length + length).join("");
  const number = String(line);
  const source = `${number} | ${skipped > 0 ? "…" : ""}${shown.join("")}`.trimEnd();
  const indent =
    (skipped > 0 ? " " : "") + before.map((c) => (c === "\t" ? c : " ".repeat(stringWidth(c)))).join("");
  return [source, `${" ".repeat(number.length)} | ${indent}${"^".repeat(Math.max(1, stringWidth(marked)))}`];
}
