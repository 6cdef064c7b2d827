import stringWidth from "string-width";
import { neutraliseStyled, onOneLine } from "./neutralise.ts";
import { cutText, hang, stepOf, wrapText } from "./word-wrap.ts";

export interface Column {
  title: string;
  align?: "left" | "right";
  /** Columns with a higher number are dropped first when the terminal is too narrow; 0 is never dropped. */
  dropOrder?: number;
  /** Of the last column: what is too long for the terminal goes on below itself. */
  wraps?: boolean;
  /** Where the terminal is too narrow, what is too long is cut to the room there is, but to no less than so many columns. */
  least?: number;
}

/** One cell: its text, and how it looks. The look never counts for the width. */
export type Cell = string | { text: string; look: (text: string) => string };

/** A line between the rows that no column bounds: the title of those that follow, with a rule, or what belongs to one. */
export interface OwnLine {
  alone: Cell;
  isTitle?: boolean;
}

const GAP = "  ";
const RULE = "─";
const CUT = "…";

/**
 * A first cell wider than this, or than two fifths of the terminal, gets a line of its own: one long ARN must not push
 * every other column out.
 */
const WIDE_CELL = 64;
/** A column that wraps is not made narrower than this. */
const LEAST_WRAPPED = 16;

/** A column that is shown. */
interface ShownColumn {
  column: Column;
  index: number;
  width: number;
}

/**
 * Lays rows out under aligned titles within `width` columns, dropping empty columns and then whole ones, cutting no cell
 * of a column that does not say so. Where not even those fit that are never dropped, the cells of a row stand below its first one. Returns lines
 * without trailing spaces.
 */
export function layoutTable(
  columns: readonly Column[],
  cells: readonly (readonly Cell[] | OwnLine)[],
  width: number,
  titleLook: (text: string) => string = (text) => text,
): string[] {
  // A pipe gets what came; on a terminal a cell is one line, and what is measured is what will be shown.
  const lines = Number.isFinite(width) ? cells.map(lineAsShown) : cells;
  const rows = lines.flatMap((row) => (isAlone(row) ? [] : [row]));
  const widestCell = Math.max(WIDE_CELL, width * 0.4);
  const isWide = (row: readonly Cell[]): boolean => stringWidth(textOf(row[0])) > widestCell;
  const widthOf = ({ title }: Column, index: number): number => {
    const measured = index === 0 ? rows.filter((row) => !isWide(row)) : rows;
    return widest([title, ...measured.map((row) => textOf(row[index]))]);
  };
  const filled = columns
    .map((column, index): ShownColumn => ({ column, index, width: widthOf(column, index) }))
    .filter(({ index }) => rows.some((row) => textOf(row[index]) !== ""));
  const kept = fitColumns(filled, width);
  const used = kept ? kept.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length) : width;
  const alone = (own: OwnLine): string =>
    own.isTitle ? titleLine(own, Math.min(used, width)) : shownAs(own.alone);
  if (!kept) return lines.flatMap((row) => (isAlone(row) ? alone(row) : stack(row, columns, width)));
  const line = (cells: readonly (Cell | undefined)[]): string =>
    kept
      .map(({ column, index, width: own }) => {
        const cell = column.least === undefined ? cells[index] : cutCell(cells[index], own);
        const padding = " ".repeat(Math.max(0, own - stringWidth(textOf(cell))));
        const shown = shownAs(cell);
        return column.align === "right" ? padding + shown : shown + padding;
      })
      .join(GAP)
      .trimEnd();
  const beforeLast = kept.slice(0, -1).reduce((sum, column) => sum + column.width + GAP.length, 0);
  const last = kept.at(-1);
  /** The rest of a row whose last cell may go on below itself. */
  const wrapped = (row: readonly (Cell | undefined)[]): string[] => {
    if (!last?.column.wraps || beforeLast + last.width <= width) return [line(row)];
    const start = line(row.with(last.index, ""));
    const lead = start + " ".repeat(Math.max(0, beforeLast - stringWidth(start)));
    return hang(lead, shownAs(row[last.index]), width);
  };
  const titles = columns.map((column) => ({ text: column.title, look: titleLook }));
  return [
    line(titles),
    ...lines.flatMap((row) =>
      isAlone(row)
        ? alone(row)
        : isWide(row)
          ? [shownAs(row[0])].concat(wrapped(["", ...row.slice(1)]))
          : wrapped(row),
    ),
  ].filter((text) => text !== "");
}

/**
 * The columns that fit: those that are never dropped and, from the one that is worth most, each that fits beside what is
 * there. Undefined where those that are never dropped do not fit, and there are several.
 */
function fitColumns(columns: readonly ShownColumn[], width: number): readonly ShownColumn[] | undefined {
  const worth = ({ column }: ShownColumn): number => column.dropOrder ?? 0;
  const needed = ({ column, width: own }: ShownColumn): number =>
    Math.min(own, column.wraps ? LEAST_WRAPPED : (column.least ?? own)) + GAP.length;
  const kept = new Set<ShownColumn>();
  let used = -GAP.length;
  for (const column of columns.toSorted((one, other) => worth(one) - worth(other))) {
    const wanted = used + needed(column);
    if (worth(column) > 0 && wanted > width) continue;
    kept.add(column);
    used = wanted;
  }
  if (used > width && kept.size > 1) return undefined;
  let room = Math.max(0, width - used);
  const widths = new Map<ShownColumn, number>();
  // What lacks little gets it first.
  const lackOf = ({ column, width: own }: ShownColumn): number => own - Math.min(own, column.least ?? own);
  for (const shown of [...kept].toSorted((one, other) => lackOf(one) - lackOf(other))) {
    const given = Math.min(room, lackOf(shown));
    widths.set(shown, shown.width - lackOf(shown) + given);
    room -= given;
  }
  return columns.flatMap((shown) => {
    const own = widths.get(shown);
    return own === undefined ? [] : [{ column: shown.column, index: shown.index, width: own }];
  });
}

function isAlone(row: readonly Cell[] | OwnLine): row is OwnLine {
  return "alone" in row;
}

function lineAsShown(row: readonly Cell[] | OwnLine): readonly Cell[] | OwnLine {
  return isAlone(row) ? { ...row, alone: asShown(row.alone) } : row.map(asShown);
}

/** A title within a rule of so many columns. */
function titleLine({ alone }: OwnLine, width: number): string {
  const title = typeof alone === "string" ? { text: alone, look: (text: string) => text } : alone;
  const start = `${RULE.repeat(2)} ${title.text} `;
  return title.look(start + RULE.repeat(Math.max(0, width - stringWidth(start))));
}

/** As much of a cell as fits into so many columns. */
function cutCell(cell: Cell | undefined, width: number): Cell | undefined {
  const text = textOf(cell);
  if (stringWidth(text) <= width) return cell;
  const cut = `${cutText(text, width - CUT.length).trimEnd()}${CUT}`;
  return typeof cell === "object" ? { ...cell, text: cut } : cut;
}

/** A row as a block: its first cell, and those that are never dropped below it. */
function stack(row: readonly Cell[], columns: readonly Column[], width: number): string[] {
  const others = row.filter((cell, index) => index > 0 && !columns[index]?.dropOrder && textOf(cell) !== "");
  const indent = stepOf(width);
  const below = wrapText(others.map(shownAs).join(GAP), width - indent.length);
  const first = shownAs(row[0]).trimEnd();
  return [
    ...(first === "" ? [] : [first]),
    ...(others.length === 0 ? [] : below.map((line) => indent + line)),
  ];
}

/** Columns of the widest of any number of texts. */
export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, stringWidth(text)), 0);
}

function asShown(cell: Cell): Cell {
  const harmless = (text: string): string => neutraliseStyled(onOneLine(text).replaceAll("\t", " "));
  return typeof cell === "string" ? harmless(cell) : { text: harmless(cell.text), look: cell.look };
}

function textOf(cell: Cell = ""): string {
  return typeof cell === "string" ? cell : cell.text;
}

function shownAs(cell: Cell = ""): string {
  return typeof cell === "string" ? cell : cell.look(cell.text);
}
