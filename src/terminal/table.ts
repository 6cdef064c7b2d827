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

/** A column that is shown. */
interface ShownColumn {
  column: Column;
  index: number;
  width: number;
}

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
  const widthOf = ({ title }: Column, index: number): number => {
    const measured = index === 0 ? rows.filter((row) => !isWide(row)) : rows;
    return Math.max(stringWidth(title), ...measured.map((row) => stringWidth(textOf(row[index]))));
  };
  const filled = columns
    .map((column, index): ShownColumn => ({ column, index, width: widthOf(column, index) }))
    .filter(({ index }) => rows.some((row) => textOf(row[index]) !== ""));
  const kept = dropColumns(filled, width);
  const line = (cells: readonly (Cell | undefined)[]): string =>
    kept
      .map(({ column, index, width: own }) => {
        const padding = " ".repeat(Math.max(0, own - stringWidth(textOf(cells[index]))));
        const shown = shownAs(cells[index]);
        return column.align === "right" ? padding + shown : shown + padding;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map((column) => ({ text: column.title, look: titleLook }));
  return [
    line(titles),
    ...rows.flatMap((row) => (isWide(row) ? [shownAs(row[0]), line(["", ...row.slice(1)])] : [line(row)])),
  ].filter((text) => text !== "");
}

function dropColumns(columns: readonly ShownColumn[], width: number): readonly ShownColumn[] {
  const total = columns.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length);
  const first = Math.max(...columns.map(({ column }) => column.dropOrder ?? 0));
  if (total <= width || first <= 0) return columns;
  const dropped = columns.find(({ column }) => column.dropOrder === first);
  return dropColumns(
    columns.filter((column) => column !== dropped),
    width,
  );
}

function textOf(cell: Cell = ""): string {
  return typeof cell === "string" ? cell : cell.text;
}

function shownAs(cell: Cell = ""): string {
  return typeof cell === "string" ? cell : cell.look(cell.text);
}
