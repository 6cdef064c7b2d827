import { couldBeBare, type Layout } from "./layout.ts";

/** Longest list of plain values that stays on one line, in characters. */
const LONGEST_LINE = 80;

/** Writes a value in the layout of its document. `indent` is the white space of the line it starts on; inline values have none. */
export function renderValue(
  value: unknown,
  layout: Layout,
  place: { indent: string; isInline: boolean },
): string {
  if (Array.isArray(value)) return renderList(value, layout, place);
  if (typeof value === "object" && value !== null) return renderObject(value, layout, place);
  if (typeof value === "string") return renderText(value, layout.quote);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  return String(value);
}

/** Writes a key: bare where the document does so and JSON5 allows it. */
export function renderKey(key: string, layout: Pick<Layout, "areKeysQuoted" | "quote">): string {
  return !layout.areKeysQuoted && couldBeBare(key) ? key : renderText(key, layout.quote);
}

/** Writes a text in the given quotes. */
function renderText(text: string, quote: '"' | "'"): string {
  // JSON leaves U+2028 and U+2029 as they are; readers of JSON5 warn about them.
  const escaped = JSON.stringify(text).replace(/[\u2028\u2029]/g, (c) =>
    c === "\u2028" ? "\\u2028" : "\\u2029",
  );
  return quote === '"' ? escaped : `'${escaped.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function renderList(
  items: readonly unknown[],
  layout: Layout,
  place: { indent: string; isInline: boolean },
): string {
  const inline = `[${items.map((item) => renderValue(item, layout, { ...place, isInline: true })).join(layout.separator)}]`;
  const isPlain = items.every((item) => typeof item !== "object" || item === null);
  if (items.length === 0 || place.isInline || (isPlain && inline.length <= LONGEST_LINE)) return inline;
  return renderLines(
    "[",
    items.map((item) => renderValue(item, layout, deeper(layout, place))),
    "]",
    layout,
    place,
  );
}

function renderObject(value: object, layout: Layout, place: { indent: string; isInline: boolean }): string {
  const inner = place.isInline ? place : deeper(layout, place);
  const entries = Object.entries(value).map(
    ([key, item]) => `${renderKey(key, layout)}${layout.colon}${renderValue(item, layout, inner)}`,
  );
  if (entries.length === 0) return "{}";
  if (place.isInline) return `{${layout.padding}${entries.join(layout.separator)}${layout.padding}}`;
  return renderLines("{", entries, "}", layout, place);
}

function renderLines(
  open: string,
  lines: readonly string[],
  close: string,
  layout: Layout,
  place: { indent: string },
): string {
  const start = layout.newline + place.indent;
  const last = layout.hasTrailingCommas ? "," : "";
  return `${open}${lines.map((line) => start + layout.indentUnit + line).join(",")}${last}${start}${close}`;
}

function deeper(layout: Layout, place: { indent: string }): { indent: string; isInline: boolean } {
  return { indent: place.indent + layout.indentUnit, isInline: false };
}
