import { couldBeBare, type Layout } from "./layout.ts";

/** Longest list of plain values that stays on one line, in characters. */
const LONGEST_LINE = 80;

/** Where a value is written: the white space of the line it starts on; inline values have none. */
interface Place {
  indent: string;
  isInline: boolean;
}

/** Writes a value in the layout of its document. */
export function renderValue(value: unknown, layout: Layout, place: Place): string {
  if (typeof value === "string") return renderText(value, layout.quote);
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  if (!Array.isArray(value))
    return renderContainer("{}", layout.padding, Object.entries(value), layout, place);
  const items = value.map((item: unknown) => [undefined, item] as const);
  const inline = renderContainer("[]", "", items, layout, { ...place, isInline: true });
  const isPlain = value.every((item) => typeof item !== "object" || item === null);
  return isPlain && inline.length <= LONGEST_LINE ? inline : renderContainer("[]", "", items, layout, place);
}

/** Writes a key: bare where the document does so and JSON5 allows it. */
export function renderKey(key: string, layout: Pick<Layout, "areKeysQuoted" | "quote">): string {
  return !layout.areKeysQuoted && couldBeBare(key) ? key : renderText(key, layout.quote);
}

function renderText(text: string, quote: '"' | "'"): string {
  // JSON leaves U+2028 and U+2029 as they are; readers of JSON5 warn about them.
  const escaped = JSON.stringify(text).replace(/[\u2028\u2029]/g, (c) =>
    c === "\u2028" ? "\\u2028" : "\\u2029",
  );
  return quote === '"' ? escaped : `'${escaped.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** Writes entries between brackets, on one line with `padding` inside them or on a line each. */
function renderContainer(
  brackets: "{}" | "[]",
  padding: string,
  entries: readonly (readonly [string | undefined, unknown])[],
  layout: Layout,
  { indent, isInline }: Place,
): string {
  if (entries.length === 0) return brackets;
  const [open, close] = brackets;
  const inner = { indent: isInline ? indent : indent + layout.indentUnit, isInline };
  const members = entries.map(([key, value]) => {
    const prefix = key === undefined ? "" : renderKey(key, layout) + layout.colon;
    return prefix + renderValue(value, layout, inner);
  });
  if (isInline) return open + padding + members.join(layout.separator) + padding + close;
  const start = layout.newline + indent;
  const last = layout.hasTrailingCommas ? "," : "";
  return `${open}${members.map((member) => start + layout.indentUnit + member).join(",")}${last}${start}${close}`;
}
