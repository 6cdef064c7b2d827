import { neutraliseStyled, onOneLine } from "./neutralise.ts";
import { cutText, hang, KEPT_SPACE, stepOf, widthOf, wrapText } from "./word-wrap.ts";

export interface Column {
  title: string;
  align?: "left" | "right";
  /** Columns with a higher number come later as the terminal grows; 0 is never dropped. */
  dropOrder?: number;
  /** Columns that a terminal has at least where this one, and those that come after it, are shown. */
  from?: number | undefined;
  /** Of the last column: what is too long for the terminal goes on below itself. */
  wraps?: boolean;
  /** Where the terminal is too narrow, what is too long is cut to the room there is, but to no less than so many columns. */
  least?: number | undefined;
  /** So much of it, at most, is shown before the next column comes; by itself no more than `least`. */
  enough?: number | undefined;
  /** Where the terminal is too narrow for the column, what stands in it goes on a line below its row. */
  isBelow?: boolean;
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
 * A first cell wider than this gets a line of its own, unless the terminal has room for the whole table: one long ARN must
 * not push every other column out.
 */
const WIDE_CELL = 50;
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
 * of a column that does not say so. A wider terminal has every column that a narrower one has, and cuts none shorter.
 * Where not even those fit that are never dropped, the cells of a row stand below its first one. Returns lines without
 * trailing spaces.
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
  const whole = filledColumns(columns, rows);
  const mayBeWide =
    columns[0]?.least === undefined &&
    whole.reduce((sum, column) => sum + wholeWidth(column), -GAP.length) > width;
  const isWide = (row: readonly Cell[]): boolean => mayBeWide && widthOf(textOf(row[0])) > WIDE_CELL;
  const narrow = mayBeWide ? rows.filter((row) => !isWide(row)) : rows;
  const firstWidth = narrow.length < rows.length ? columnWidth(columns, 0, narrow) : undefined;
  const filled = whole.map(({ column, index, width: own }): ShownColumn => {
    return { column, index, width: index === 0 ? (firstWidth ?? own) : own };
  });
  const kept = fitColumns(filled, width);
  const used = kept ? kept.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length) : width;
  const alone = (own: OwnLine): string =>
    own.isTitle ? titleLine(own, Math.min(used, width)) : shownAs(own.alone);
  if (!kept) return lines.flatMap((row) => (isAlone(row) ? alone(row) : stack(row, columns, width)));
  const line = (cells: readonly (Cell | undefined)[]): string =>
    kept
      .map(({ column, index, width: own }) => {
        const cell = column.least === undefined ? cells[index] : cutCell(cells[index], own);
        const padding = " ".repeat(Math.max(0, own - widthOf(textOf(cell))));
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
    const lead = start + " ".repeat(Math.max(0, beforeLast - widthOf(start)));
    return hang(lead, shownAs(row[last.index]), width);
  };
  const isLeftOut = (index: number): boolean => !kept.some((column) => column.index === index);
  const below = (row: readonly Cell[]): string[] => {
    const cells = row.filter(
      (cell, index) => columns[index]?.isBelow && isLeftOut(index) && textOf(cell) !== "",
    );
    return cells.flatMap((cell) => hang(" ".repeat(4), shownAs(cell), width));
  };
  const titles = columns.map((column) => ({ text: column.title, look: titleLook }));
  return [
    line(titles),
    ...lines.flatMap((row) => {
      if (isAlone(row)) return alone(row);
      const own = isWide(row) ? [shownAs(row[0])].concat(wrapped(["", ...row.slice(1)])) : wrapped(row);
      return own.concat(below(row));
    }),
  ].filter((text) => text !== "");
}

/** Columns that a table takes where nothing of it is dropped, cut or broken. */
export function tableWidth(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number {
  return filledColumns(columns, rows).reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);
}

/** The columns that a row fills, each as wide as what stands in it. */
function filledColumns(columns: readonly Column[], rows: readonly (readonly Cell[])[]): ShownColumn[] {
  return columns
    .map((column, index): ShownColumn => ({ column, index, width: columnWidth(columns, index, rows) }))
    .filter(({ index }) => rows.some((row) => textOf(row[index]) !== ""));
}

function columnWidth(columns: readonly Column[], index: number, rows: readonly (readonly Cell[])[]): number {
  return widest([columns[index]?.title ?? "", ...rows.map((row) => textOf(row[index]))]);
}

/** What a column takes, with the gap before it, where nothing is left out. */
function wholeWidth({ column, width }: ShownColumn): number {
  return (column.wraps ? Math.min(width, LEAST_WRAPPED) : width) + GAP.length;
}

/**
 * The columns that fit: those that are never dropped and, from the one that is worth most, each that fits beside those
 * before it. What may be cut gets no more of the rest than it will have when the next column comes, so that nothing is
 * shorter on a wider terminal. Undefined where those that are never dropped do not fit, and there are several.
 */
function fitColumns(columns: readonly ShownColumn[], width: number): readonly ShownColumn[] | undefined {
  const worth = ({ column }: ShownColumn): number => column.dropOrder ?? 0;
  const lackOf = ({ column, width: own }: ShownColumn): number =>
    column.least === undefined ? 0 : Math.max(0, own - Math.max(column.least, widthOf(column.title)));
  const enoughOf = ({ column: { enough = 0, least = 0 } }: ShownColumn): number =>
    Math.max(0, enough - least);
  const kept: ShownColumn[] = [];
  let used = -GAP.length;
  let room = Number.POSITIVE_INFINITY;
  let opensAt = 0;
  let wanted = used;
  let grown = 0;
  for (const shown of columns.toSorted((one, other) => worth(one) - worth(other))) {
    wanted += wholeWidth(shown) - lackOf(shown);
    opensAt = Math.max(opensAt, shown.column.from ?? 0, wanted + grown);
    grown += Math.min(lackOf(shown), enoughOf(shown));
    if (worth(shown) > 0 && opensAt > width) room = Math.min(room, opensAt - wanted);
    else {
      kept.push(shown);
      used = wanted;
    }
  }
  if (used > width && kept.length > 1) return undefined;
  room = Math.max(0, Math.min(room, width - used));
  const widths = new Map<ShownColumn, number>();
  // What is worth most gets it first, and of those that are never dropped what lacks little.
  const share = (one: ShownColumn, other: ShownColumn): number =>
    worth(one) - worth(other) || (worth(one) === 0 ? lackOf(one) - lackOf(other) : 0);
  for (const shown of kept.toSorted(share)) {
    const given = Math.min(room, lackOf(shown));
    widths.set(shown, shown.width - lackOf(shown) + given);
    room -= given;
  }
  // What may be cut is not wider than the terminal, however little it is told to have.
  const mostOf = ({ least }: Column): number => (least === undefined ? Number.POSITIVE_INFINITY : width);
  return columns.flatMap((shown) => {
    const own = widths.get(shown);
    return own === undefined ? [] : [{ ...shown, width: Math.min(own, mostOf(shown.column)) }];
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
  return title.look(start + RULE.repeat(Math.max(0, width - widthOf(start))));
}

/** As much of a cell as fits into so many columns. */
function cutCell(cell: Cell | undefined, width: number): Cell | undefined {
  const text = textOf(cell);
  if (widthOf(text) <= width) return cell;
  const cut = `${cutText(text, width - CUT.length).trimEnd()}${CUT}`;
  return typeof cell === "object" ? { ...cell, text: cut } : cut;
}

/**
 * A row as a block: its first cell, and those that are never dropped below it. What a number counts is said, for want of
 * a title above it.
 */
function stack(row: readonly Cell[], columns: readonly Column[], width: number): string[] {
  const isKept = (index: number): boolean =>
    index > 0 && (!columns[index]?.dropOrder || columns[index]?.isBelow === true);
  const others = row.flatMap((cell, index) => {
    if (!isKept(index) || textOf(cell) === "") return [];
    const { align, title = "" } = columns[index] ?? {};
    return align === "right" ? `${title} ${shownAs(cell)}`.replaceAll(" ", KEPT_SPACE) : shownAs(cell);
  });
  const indent = stepOf(width);
  const text = wrapText(others.join(GAP), width - indent.length);
  const below = text.map((line) => line.replaceAll(KEPT_SPACE, " "));
  const first = shownAs(row[0]).trimEnd();
  return [
    ...(first === "" ? [] : [first]),
    ...(others.length === 0 ? [] : below.map((line) => indent + line)),
  ];
}

/** Columns of the widest of any number of texts. */
export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, widthOf(text)), 0);
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
