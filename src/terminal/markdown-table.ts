import stringWidth from "string-width";
import { type InlineState, renderInline } from "./markdown-inline.ts";
import { widest } from "./table.ts";
import { stepOf, widestWord, WordWrap, wrapText } from "./word-wrap.ts";

const GAP = "  ";
/** A column is not made narrower than this for the others' sake. */
const LEAST = 10;
/** A row of more fields than this is no record that anybody could read. */
const MOST_FIELDS = 24;

/**
 * Lays the lines of a Markdown table out under bold titles within `columns`: in aligned columns, whose cells are broken
 * between words where they have to; where a column would be too narrow for that, each row as a record, with its titles in
 * front. Undefined when the lines are no table, or one that is better left as it is.
 */
export function renderTable(
  lines: readonly string[],
  columns: number,
  state: InlineState,
): string[] | undefined {
  const [titles, rule] = lines.slice(0, 2).map((line) => cellsOf(line));
  if (!titles || !rule?.every((cell) => /^:?-+:?$/.test(cell))) return undefined;
  // Before the cells are looked at: there may be a hundred thousand in a row.
  if (GAP.length * (titles.length - 1) > columns && titles.length > MOST_FIELDS) return undefined;
  const rows = lines.slice(2).map((line) => cellsOf(line, titles.length));
  const [head = [], ...body] = [titles, ...rows].map((cells) =>
    titles.map((_, index) => renderCell(cells[index] ?? "", state)),
  );
  const widths = fitColumns([head, ...body], columns);
  if (!widths) return layRecords(head, body, columns, state);
  const { bold, dim } = state.style;
  const layRow = (cells: readonly string[]): string[] => layCells(cells, widths, rule);
  const laid = body.map(layRow);
  // Rows of several lines would run into each other.
  const isTall = laid.some((row) => row.length > 1);
  return [
    ...layRow(head.map((cell) => bold(cell))),
    dim(widths.map((width) => "─".repeat(width)).join(GAP)),
    ...laid.flatMap((row, index) => (isTall && index > 0 ? ["", row] : [row])).flat(),
  ];
}

/**
 * The cells of a line, at most so many: of bars too many those in code are text, and then the last. A backslash before a
 * bar makes it text, in code, too.
 */
function cellsOf(line: string, most = Number.POSITIVE_INFINITY): string[] {
  const inside = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  let cells = inside.split(/(?<!\\)\|/);
  if (cells.length > most) cells = inside.match(/(?:`[^`]*`|\\.|[^|])+|(?<=^|\|)(?=\||$)/gs) ?? [];
  if (cells.length > most) cells.splice(most - 1, cells.length, cells.slice(most - 1).join("|"));
  return cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** What a cell shows, which may have several lines: HTML's line end is the only one in a table. */
function renderCell(cell: string, state: InlineState): string {
  const lines = cell.split(/<br *\/?>/i).map((line) => {
    state.isSpent = false;
    return renderInline(line.trim(), true, state).shown;
  });
  return lines.join("\n");
}

/**
 * The width of each column within `columns`: what its cells take, and less where that is too much, but never less than a
 * word. Undefined where not even that fits.
 */
function fitColumns(rows: readonly (readonly string[])[], columns: number): number[] | undefined {
  const cellsBelow = (index: number): string[] => rows.flatMap((cells) => (cells[index] ?? "").split("\n"));
  const count = rows[0]?.length ?? 0;
  const wanted = Array.from({ length: count }, (_, index) => widest(cellsBelow(index)));
  const sum = (widths: readonly number[]): number => widths.reduce((total, width) => total + width, 0);
  const room = columns - GAP.length * (count - 1);
  if (sum(wanted) <= room) return wanted;
  const widths = wanted.map((width, index) =>
    Math.min(
      width,
      cellsBelow(index)
        .map(widestWord)
        .reduce((most, word) => Math.max(most, word), LEAST),
    ),
  );
  let left = room - sum(widths);
  if (left < 0) return undefined;
  // What is left over goes to all alike, and from those that need less to the others.
  const missing = (index: number): number => (wanted[index] ?? 0) - (widths[index] ?? 0);
  const order = [...widths.keys()].sort((one, other) => missing(one) - missing(other));
  for (const [place, index] of order.entries()) {
    const share = Math.min(missing(index), Math.floor(left / (count - place)));
    widths[index] = (widths[index] ?? 0) + share;
    left -= share;
  }
  return widths;
}

/** The lines of a row. */
function layCells(cells: readonly string[], widths: readonly number[], rule: readonly string[]): string[] {
  const laid = cells.map((cell, index) => wrapText(cell, widths[index] ?? 0));
  const height = Math.max(...laid.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    laid
      .map((lines, index) => pad(lines[row] ?? "", widths[index] ?? 0, rule[index] ?? ""))
      .join(GAP)
      .trimEnd(),
  );
}

function pad(cell: string, width: number, rule: string): string {
  const space = Math.max(0, width - stringWidth(cell));
  if (!rule.endsWith(":")) return cell + " ".repeat(space);
  const left = rule.startsWith(":") ? Math.floor(space / 2) : space;
  return " ".repeat(left) + cell + " ".repeat(space - left);
}

/** Each row as a block: a line for each of its cells, behind its title. Undefined where there are too many. */
function layRecords(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
  { style }: InlineState,
): string[] | undefined {
  if (titles.length > MOST_FIELDS || rows.length === 0) return undefined;
  const names = titles.map((title) => title.replaceAll("\n", " "));
  const width = widest(names);
  const isAligned = width <= columns / 3;
  const layField = (cell: string, index: number): string[] => {
    const name = names[index] ?? "";
    if (cell.trim() === "") return [];
    // What has no title is the title of the rest.
    if (name === "") return wrapText(style.bold(cell), columns);
    const space = isAligned ? " ".repeat(width - stringWidth(name)) + GAP : " ";
    const title = style.bold(isAligned || name.endsWith(":") ? name : `${name}:`);
    return layBeside(title + space, cell, columns);
  };
  const records = rows.map((cells) => cells.flatMap(layField)).filter((lines) => lines.length > 0);
  return records.flatMap((lines, index) => (index === 0 ? [lines] : [[""], lines])).flat();
}

/** Beside a title a cell goes on below its own beginning where there are so many columns for it, or it is whole there. */
const LEAST_BESIDE = 24;

/** Lays a cell out behind a title. */
function layBeside(title: string, cell: string, columns: number): string[] {
  const room = columns - stringWidth(title);
  const isBeside = room >= Math.min(LEAST_BESIDE, widest(cell.split("\n"))) && room >= widestWord(cell);
  const indent = isBeside ? " ".repeat(columns - room) : stepOf(columns);
  const wrap = new WordWrap(columns);
  const lines = cell.split("\n").map((line, index) => {
    return wrap.begin(index === 0 ? title : indent, indent) + wrap.push(line) + wrap.end();
  });
  return lines.flatMap((line) => line.split("\n")).map((line) => line.trimEnd());
}
