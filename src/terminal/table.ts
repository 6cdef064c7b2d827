import stringWidth from "string-width";

export interface Column {
  title: string;
  align?: "left" | "right";
  /** Columns with a higher number are dropped first when the terminal is too narrow; 0 is never dropped. */
  dropOrder?: number;
}

/** One cell: its text, and how it looks. The look never counts for the width. */
export type Cell = string | { text: string; look: (text: string) => string };

const GAP = "  ";

/** A first cell wider than this gets a line of its own: one long ARN must not push every other column out. */
const WIDE_CELL = 64;

/**
 * Lays rows out under aligned titles within `width` columns, dropping empty columns and then whole ones, never cutting
 * a cell. Returns lines without trailing spaces.
 */
export function layoutTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  titleLook: (text: string) => string = (text) => text,
): string[] {
  const isWide = (row: readonly Cell[]): boolean => stringWidth(textOf(row[0])) > WIDE_CELL;
  const widths = columns.map((column, index) => {
    const measured = index === 0 ? rows.filter((row) => !isWide(row)) : rows;
    return Math.max(stringWidth(column.title), ...measured.map((row) => stringWidth(textOf(row[index]))));
  });
  const filled = columns
    .map((_, index) => index)
    .filter((index) => rows.some((row) => textOf(row[index]) !== ""));
  const kept = keepColumns(columns, filled, widths, width);
  const line = (cells: readonly (Cell | undefined)[]): string =>
    kept
      .map((index, position) => {
        const cell = cells[index] ?? "";
        const text = textOf(cell);
        const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(text)));
        const shown = shownAs(cell);
        if (columns[index]?.align === "right") return padding + shown;
        return position === kept.length - 1 ? shown : shown + padding;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map((column) => ({ text: column.title, look: titleLook }));
  return [
    line(titles),
    ...rows.flatMap((row) => (isWide(row) ? [shownAs(row[0]), line(["", ...row.slice(1)])] : [line(row)])),
  ].filter((text) => text !== "");
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : cell.text;
}

function shownAs(cell: Cell | undefined): string {
  if (cell === undefined || typeof cell === "string") return cell ?? "";
  return cell.look(cell.text);
}

function keepColumns(
  columns: readonly Column[],
  filled: readonly number[],
  widths: readonly number[],
  width: number,
): number[] {
  let kept = [...filled];
  const total = (): number =>
    kept.reduce((sum, index) => sum + (widths[index] ?? 0), 0) + GAP.length * (kept.length - 1);
  while (total() > width) {
    const victim = kept.reduce((worst, index) =>
      (columns[index]?.dropOrder ?? 0) > (columns[worst]?.dropOrder ?? 0) ? index : worst,
    );
    if ((columns[victim]?.dropOrder ?? 0) === 0) break;
    kept = kept.filter((index) => index !== victim);
  }
  return kept;
}
