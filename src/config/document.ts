import { OpenclawError } from "../errors.ts";
import { applyEdit, isSameValue, toSteps, type Edit, type Step } from "./edit-value.ts";
import { indentAt, isMultiline, learnLayout, lineStart, type Layout } from "./layout.ts";
import { isBlank } from "./parse-document.ts";
import { parseJson5 } from "./parse-json5.ts";
import { formatPath, type Path, type PathSegment } from "./path.ts";
import { renderKey, renderValue } from "./render.ts";
import {
  followPath,
  isInside,
  scanDocument,
  type Container,
  type Node,
  type Place as FoundPlace,
  type ScannedDocument,
  type Span,
} from "./spans.ts";

export interface EditedDocument {
  text: string;
  value: unknown;
}

interface Splice extends Span {
  text: string;
}

const LINE_END = /\r\n|[\n\r\u2028\u2029]/y;

/**
 * Applies an edit to the text of a JSON5 document, changing only the bytes of the value it touches and what a removal
 * leaves hanging: comments, order, quotes, line ends and indentation of all else stay. The text must be valid JSON5 or blank.
 * Throws what `applyEdit` throws, and `config-invalid` when the result would not hold exactly the edited value or would
 * lose a comment, so that a document is never damaged.
 */
export function editDocument(text: string, edit: Edit, value: unknown = parse(text)): EditedDocument {
  const expected = applyEdit(value, edit);
  let edited = text;
  for (const step of toSteps(value, edit)) {
    const place = locate(edited, step.path);
    const next =
      step.op === "set" ? setValue(edited, place, step.value) : removeValue(edited, place, step.path);
    if (!keepsComments(edited, place, next, step)) throw unfaithful(edit, "a comment would be lost");
    edited = next;
  }
  if (!isSameValue(parse(edited), expected)) throw unfaithful(edit, "the result would hold another value");
  return { text: edited, value: expected };
}

function parse(text: string): unknown {
  return isBlank(text) ? {} : parseJson5(text);
}

function removeValue(text: string, first: Place, path: Path): string {
  let edited = text;
  let place = first;
  do {
    edited = removeMember(edited, place);
    place = locate(edited, path);
    // Of several members with one key the last one counts, so all must go.
  } while (place.rest.length === 0 && typeof path.at(-1) === "string");
  return edited;
}

/** Where a path leads in the text; there is no node in a text without a value. */
type Place = Pick<FoundPlace, "member" | "parent" | "rest"> & {
  document: ScannedDocument;
  node: Node | undefined;
};

function locate(text: string, path: Path): Place {
  const document = scanDocument(text);
  const { root } = document;
  if (root === undefined) return { document, node: root, member: undefined, parent: undefined, rest: path };
  return { document, ...followPath(root, path) };
}

function setValue(text: string, { document, node, parent, rest }: Place, value: unknown): string {
  const layout = learnLayout(text, document);
  if (node === undefined) return appendRoot(text, wrap(rest, value), layout);
  const [key, ...deeper] = rest;
  if (key !== undefined && node.kind !== "scalar") {
    return insertMember(text, document, { container: node, parent }, key, wrap(deeper, value), layout);
  }
  const isInline = parent !== undefined && !isMultiline(text, parent);
  const quote = text[node.start] === "'" ? "'" : text[node.start] === '"' ? '"' : layout.quote;
  const rendered = renderValue(value, { ...layout, quote }, { indent: indentAt(text, node.start), isInline });
  return splice(text, [{ start: node.start, end: node.end, text: rendered }]);
}

/** Builds the objects and lists between the deepest existing place and the value. */
function wrap(path: Path, value: unknown): unknown {
  return path.reduceRight(
    (inner, segment) => (typeof segment === "number" ? [inner] : { [segment]: inner }),
    value,
  );
}

function appendRoot(text: string, value: unknown, layout: Layout): string {
  const gap = /^\uFEFF?$/.test(text) || /[\n\r\u2028\u2029]$/.test(text) ? "" : layout.newline;
  return text + gap + renderValue(value, layout, { indent: "", isInline: false }) + layout.newline;
}

function insertMember(
  text: string,
  document: ScannedDocument,
  { container, parent }: { container: Container; parent: Container | undefined },
  key: PathSegment,
  value: unknown,
  layout: Layout,
): string {
  const write = (indent: string, isInline: boolean): string => {
    const prefix =
      typeof key === "string" ? renderKey(key, siblingLayout(text, container, layout)) + layout.colon : "";
    return prefix + renderValue(value, layout, { indent, isInline });
  };
  const last = container.members.at(-1);
  if (last === undefined) return fillEmpty(text, document, { container, parent }, write, layout);
  const comma = last.comma === undefined ? "" : ",";
  const afterLast = last.comma === undefined ? last.end : last.comma + 1;
  const isInline = !isMultiline(text, container);
  const indent = isInline ? "" : indentAt(text, last.start);
  const gap = isInline ? (/\s*$/.exec(layout.separator)?.[0] ?? "") : layout.newline + indent;
  const at = isInline ? afterLast : endOfLineComments(text, document, afterLast);
  return splice(text, [
    { start: last.end, end: last.end, text: comma === "" ? "," : "" },
    { start: at, end: at, text: gap + write(indent, isInline) + comma },
  ]);
}

/** Adds the first member of a container that may hold comments. */
function fillEmpty(
  text: string,
  { comments }: ScannedDocument,
  { container, parent }: { container: Container; parent: Container | undefined },
  write: (indent: string, isInline: boolean) => string,
  layout: Layout,
): string {
  const close = container.end - 1;
  const lastComment = comments.findLast((comment) => isInside(comment, container));
  const from = lastComment?.end ?? container.start + 1;
  const tail = text.slice(from, close);
  const hasLines = /[\n\r\u2028\u2029]/.test(text.slice(container.start, close));
  if (!hasLines && parent !== undefined && !isMultiline(text, parent)) {
    const padding = container.kind === "object" || lastComment ? layout.padding : "";
    return splice(text, [{ start: from, end: close, text: padding + write("", true) + padding }]);
  }
  const outer = indentAt(text, container.start);
  const ownLine = comments.find((comment) => isInside(comment, container) && startsLine(text, comment.start));
  const indent = ownLine ? indentAt(text, ownLine.start) : outer + layout.indentUnit;
  const closing = /[\n\r\u2028\u2029]/.test(tail) && lastComment ? tail : layout.newline + outer;
  const added =
    layout.newline + indent + write(indent, false) + (layout.hasTrailingCommas ? "," : "") + closing;
  return splice(text, [{ start: from, end: close, text: added }]);
}

function removeMember(text: string, { document: { comments }, parent, member }: Place): string {
  if (parent === undefined || member === undefined)
    throw new Error("The root of a document cannot be removed");
  const end = member.comma === undefined ? member.end : member.comma + 1;
  const left = comments.filter(
    (comment) => isInside(comment, { start: member.start, end }) && !isInside(comment, member.value),
  );
  const splices = [
    left.length > 0
      ? keepComments(text, { start: member.start, end }, left)
      : clearLine(text, { start: member.start, end }),
  ];
  const previousComma = parent.members[parent.members.indexOf(member) - 1]?.comma;
  // Without a trailing comma before, there is none after: strict JSON stays strict JSON.
  if (member.comma === undefined && previousComma !== undefined) {
    splices.unshift({ start: previousComma, end: previousComma + 1, text: "" });
  }
  const edited = splice(text, splices);
  const close = parent.end - (text.length - edited.length);
  const isEmpty = parent.members.length === 1 && edited.slice(parent.start + 1, close - 1).trim() === "";
  return isEmpty ? splice(edited, [{ start: parent.start + 1, end: close - 1, text: "" }]) : edited;
}

/** What is taken away with a member: its whole line when it has one for itself, else the blanks beside it. */
function clearLine(text: string, { start, end }: Span): Splice {
  const after = skipBlanks(text, end);
  const lineEnd = lineEndAt(text, after);
  const line = lineStart(text, start);
  const isFirst = text.slice(line, start).replace("\uFEFF", "").trim() === "";
  if (lineEnd === undefined && after < text.length) return { start, end: after, text: "" };
  if (isFirst && line > 0) return { start: line, end: after + (lineEnd ?? "").length, text: "" };
  return { start: text.slice(0, start).search(/[^\S\n\r\u2028\u2029]*$/), end, text: "" };
}

/** The comments between key, colon, value and comma of a removed member belong to its reader, and stay. */
function keepComments(
  text: string,
  { start, end }: Span,
  comments: readonly (Span & { isLine: boolean })[],
): Splice {
  const newline = learnNewline(text) + indentAt(text, start);
  // Blanks that a line comment would swallow go.
  const lineEnd = skipBlanks(text, end);
  const endsLine = lineEndAt(text, lineEnd) !== undefined;
  const kept = comments.map((comment, index) => {
    const source = text.slice(comment.start, comment.end);
    const isLast = index === comments.length - 1;
    if (comment.isLine) return isLast && endsLine ? source : source + newline;
    return isLast ? source : `${source} `;
  });
  return { start, end: comments.at(-1)?.isLine && endsLine ? lineEnd : end, text: kept.join("") };
}

function learnNewline(text: string): string {
  return /\r\n|\n|\r/.exec(text)?.[0] ?? "\n";
}

/** Keys are quoted as those beside them are. */
function siblingLayout(text: string, { members }: Container, layout: Layout): Layout {
  const opening = members.flatMap(({ keySpan }) => (keySpan ? [text[keySpan.start] ?? ""] : [])).at(-1);
  if (opening === '"' || opening === "'") return { ...layout, quote: opening };
  return layout;
}

/** The end of the comments that begin on the same line as `offset`, or `offset`. */
function endOfLineComments(text: string, { comments }: ScannedDocument, offset: number): number {
  let at = offset;
  for (;;) {
    const next = skipBlanks(text, at);
    const comment = comments.find(({ start }) => start === next);
    if (comment === undefined) return at;
    at = comment.end;
    if (comment.isLine || /[\n\r\u2028\u2029]/.test(text.slice(comment.start, comment.end))) return at;
  }
}

function startsLine(text: string, offset: number): boolean {
  return text.slice(lineStart(text, offset), offset).trim() === "";
}

function skipBlanks(text: string, offset: number): number {
  let at = offset;
  while (/[^\S\n\r\u2028\u2029]/.test(text[at] ?? "")) at += 1;
  return at;
}

function lineEndAt(text: string, offset: number): string | undefined {
  LINE_END.lastIndex = offset;
  return LINE_END.exec(text)?.[0];
}

/** Replaces stretches of a text, given in the order they stand. */
function splice(text: string, splices: readonly Splice[]): string {
  let edited = "";
  let at = 0;
  for (const { start, end, text: replacement } of splices) {
    edited += text.slice(at, start) + replacement;
    at = end;
  }
  return edited + text.slice(at);
}

/** True when every comment outside the values a step takes away is in the new text, in the same order, and no other. */
function keepsComments(before: string, place: Place, after: string, step: Step): boolean {
  const { comments } = place.document;
  const gone = goneNodes(step, place);
  const kept = comments.filter((comment) => !gone.some((value) => isInside(comment, value)));
  const texts = (text: string, spans: readonly Span[]): string[] =>
    spans.map(({ start, end }) => text.slice(start, end));
  return isSameValue(texts(before, kept), texts(after, scanDocument(after).comments));
}

function goneNodes(
  { op, path }: Step,
  { node, parent, rest }: Pick<Place, "node" | "parent" | "rest">,
): readonly Node[] {
  if (rest.length > 0 || node === undefined) return [];
  if (op === "set" || parent === undefined) return [node];
  return parent.members.filter(({ key }) => key === path.at(-1)).map(({ value }) => value);
}

function unfaithful(edit: Edit, reason: string): OpenclawError {
  const place = formatPath(edit.path);
  return new OpenclawError("config-invalid", {
    message: `${place} cannot be changed without damage to the rest of the file: ${reason}.`,
    hint: `Change ${place} in an editor.`,
    details: { path: place },
  });
}
