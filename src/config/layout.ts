import { tryJson } from "./parse-json5.ts";
import { type Container, listNodes, type ScannedDocument } from "./spans.ts";

/** How a document is written, so that what is added to it looks as if its author had. */
export interface Layout {
  newline: string;
  /** White space of one level. */
  indentUnit: string;
  quote: '"' | "'";
  areKeysQuoted: boolean;
  /** Between key and value. */
  colon: string;
  /** Between members on one line, comma included. */
  separator: string;
  /** Inside the braces of an object on one line. */
  padding: string;
  hasTrailingCommas: boolean;
}

/** What a new file looks like, and one too small to tell: plain JSON, which every other tool reads as well. */
const DEFAULT_LAYOUT: Layout = {
  newline: "\n",
  indentUnit: "  ",
  quote: '"',
  areKeysQuoted: true,
  colon: ": ",
  separator: ", ",
  padding: " ",
  hasTrailingCommas: false,
};

/** Characters that end a line in JSON5. */
const LINE_END = /[\n\r\u2028\u2029]/;

/** Learns the layout of a document: the most frequent choice wins, strict JSON stays strict JSON. */
export function learnLayout(text: string, { root }: ScannedDocument): Layout {
  const newline = /\r\n|\n|\r/.exec(text)?.[0] ?? DEFAULT_LAYOUT.newline;
  const nodes = root === undefined ? [] : listNodes(root).map(({ node }) => node);
  const containers = nodes
    .filter((node) => node.kind !== "scalar")
    .filter(({ members }) => members.length > 0);
  if (containers.length === 0) return { ...DEFAULT_LAYOUT, newline, indentUnit: firstIndent(text) };
  const multiline = containers.filter((container) => isMultiline(text, container));
  const inline = containers.filter((container) => !isMultiline(text, container));
  const members = containers.flatMap((container) => container.members);
  const keys = members.flatMap(({ keySpan }) => (keySpan ? [text.slice(keySpan.start, keySpan.end)] : []));
  const texts = members.map(({ value }) => text[value.start]).concat(keys.map((key) => key[0]));
  const isStrict = isStrictJson(text);
  return {
    newline,
    indentUnit: mostFrequent(multiline.map((container) => indentStep(text, container))) ?? firstIndent(text),
    quote: isStrict
      ? '"'
      : texts.filter((c) => c === "'").length > texts.filter((c) => c === '"').length
        ? "'"
        : '"',
    areKeysQuoted:
      isStrict || (mostFrequent(keys.filter(couldBeBare).map((key) => /^["']/.test(key))) ?? false),
    colon:
      mostFrequent(members.map((member) => plainGap(text, member.keySpan?.end, member.value.start))) ?? ": ",
    separator:
      mostFrequent(inline.flatMap((container) => separators(text, container))) ??
      (isCompact(text, inline) ? "," : ", "),
    padding: mostFrequent(inline.map((container) => paddingOf(text, container))) ?? DEFAULT_LAYOUT.padding,
    hasTrailingCommas:
      !isStrict && (mostFrequent(multiline.map((c) => c.members.at(-1)?.comma !== undefined)) ?? false),
  };
}

/** True when the last member stands on a line of its own. */
export function isMultiline(text: string, { members, start }: Container): boolean {
  const last = members.at(-1);
  if (last === undefined) return false;
  const before = members.at(-2);
  const previousEnd = before === undefined ? start + 1 : (before.comma ?? before.end) + 1;
  return LINE_END.test(text.slice(previousEnd, last.start));
}

/** The white space at the start of the line that `offset` is on. */
export function indentAt(text: string, offset: number): string {
  return (
    /^[^\S\n\r\u2028\u2029]*/.exec(text.slice(lineStart(text, offset), offset))?.[0].replace("\uFEFF", "") ??
    ""
  );
}

/** Where the line begins that `offset` is on. */
export function lineStart(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && !LINE_END.test(text[at - 1] ?? "")) at -= 1;
  return at;
}

/** True for a key that JSON5 allows without quotes, whether it has them or not. Only ASCII, to be on the safe side. */
export function couldBeBare(key: string): boolean {
  return /^(["']?)[A-Za-z_$][\w$]*\1$/.test(key);
}

function indentStep(text: string, container: Container): string | undefined {
  const outer = indentAt(text, container.start);
  const inner = indentAt(text, container.members.at(-1)?.start ?? container.start);
  return inner.length > outer.length && inner.startsWith(outer) ? inner.slice(outer.length) : undefined;
}

/** The white space of the first indented line, such as a comment in an object that is still empty. */
function firstIndent(text: string): string {
  return /[\n\r]([ \t]+)\S/.exec(text)?.[1] ?? DEFAULT_LAYOUT.indentUnit;
}

/** The colon with the blanks around it; undefined where a comment or line end is among them. */
function plainGap(text: string, from: number | undefined, to: number): string | undefined {
  if (from === undefined) return undefined;
  const gap = text.slice(from, to);
  return /^[ \t]*:[ \t]*$/.test(gap) ? gap : undefined;
}

function separators(text: string, { members }: Container): (string | undefined)[] {
  return members.slice(1).map((member, index) => {
    const gap = text.slice(members[index]?.comma ?? member.start, member.start);
    return /^,[ \t]*$/.test(gap) ? gap : undefined;
  });
}

function paddingOf(text: string, { kind, start, members }: Container): string | undefined {
  const gap = text.slice(start + 1, members[0]?.start);
  return kind === "object" && /^[ \t]*$/.test(gap) ? gap : undefined;
}

/** Minified: all on one line, and no blank after a colon. */
function isCompact(text: string, inline: readonly Container[]): boolean {
  return inline.some((container) => {
    const [member] = container.members;
    return member?.keySpan !== undefined && text.slice(member.keySpan.end, member.value.start) === ":";
  });
}

function isStrictJson(text: string): boolean {
  return tryJson(text.replace(/^\uFEFF/, "")).error === undefined;
}

function mostFrequent<T>(values: readonly (T | undefined)[]): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce<[T, number] | undefined>(
    (best, entry) => (best && best[1] >= entry[1] ? best : entry),
    undefined,
  )?.[0];
}
