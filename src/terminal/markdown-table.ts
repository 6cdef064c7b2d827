import stringWidth from "string-width";
import type { Style } from "./color.ts";
import { type Effort, renderInline } from "./markdown-inline.ts";
import { widest } from "./table.ts";

const GAP = "  ";

/**
 * Lays the lines of a Markdown table out in aligned columns under bold titles. Undefined when the lines are no table, or
 * one that is wider than `columns`: they are then better left as they are.
 */
export function renderTable(
  lines: readonly string[],
  columns: number,
  style: Style,
  effort: Effort,
): string[] | undefined {
  const [titles, rule, ...rows] = lines.map(cellsOf);
  if (!titles || !rule?.every((cell) => /^:?-+:?$/.test(cell))) return undefined;
  // Before the cells are looked at: there may be a hundred thousand in a row.
  if (GAP.length * (titles.length - 1) > columns) return undefined;
  const shown = [titles, ...rows].map((cells) =>
    titles.map((_, index) => renderInline(cells[index] ?? "", true, style, effort).shown),
  );
  const widths = titles.map((_, index) => widest(shown.map((cells) => cells[index] ?? "")));
  const total = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  if (total > columns || rows.some((cells) => cells.length > titles.length)) return undefined;
  const [head = [], ...body] = shown.map((cells) =>
    cells.map((cell, index) => pad(cell, widths[index] ?? 0, rule[index] ?? "")),
  );
  return [
    head.map((cell) => style.bold(cell)).join(GAP),
    style.dim(widths.map((width) => "─".repeat(width)).join(GAP)),
    ...body.map((cells) => cells.join(GAP).trimEnd()),
  ];
}

/** The cells of a line; a backslash before a bar makes it text. */
function cellsOf(line: string): string[] {
  const inside = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim());
}

function pad(cell: string, width: number, rule: string): string {
  const space = width - stringWidth(cell);
  if (!rule.endsWith(":")) return cell + " ".repeat(space);
  const left = rule.startsWith(":") ? Math.floor(space / 2) : space;
  return " ".repeat(left) + cell + " ".repeat(space - left);
}
