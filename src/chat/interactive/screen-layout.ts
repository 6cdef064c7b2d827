import stringWidth from "string-width";
import { neutralise } from "../../terminal/neutralise.ts";
import { graphemes } from "./line-buffer.ts";

export interface ScreenLayout {
  rows: readonly ScreenRow[];
  /** Where the cursor stands, counted from the first row and column. */
  row: number;
  column: number;
}

export interface ScreenRow {
  text: string;
  /** Whether the terminal goes on in the next row by itself, because this one is full. */
  isFull: boolean;
}

const TAB = "    ";
/** Lines whose characters all take one column. */
const PLAIN = /^[\u0020-\u007E]*$/;

/** How characters are shown, those that were laid out before: a text is laid out anew with every key. */
const looks = new Map<string, { shown: string; width: number }>();
const MOST_LOOKS = 10_000;

/**
 * Lays a text out as a terminal of so many columns does: rows break where they are full, a wide character that does not
 * fit goes to the next one. The first line begins behind `prompt`, the others behind as many spaces.
 */
export function layOut(text: string, cursor: number, prompt: string, columns: number): ScreenLayout {
  const rows: ScreenRow[] = [];
  const indent = " ".repeat(stringWidth(prompt));
  let place = { row: 0, column: 0 };
  let row = prompt;
  let column = indent.length;
  let offset = 0;
  const endRow = (isFull: boolean): void => {
    rows.push({ text: row, isFull });
    row = "";
    column = 0;
  };
  const notePlace = (): void => {
    // A full row has no place behind it: the cursor waits at the beginning of the next.
    if (offset === cursor)
      place = column >= columns ? { row: rows.length + 1, column: 0 } : { row: rows.length, column };
  };
  const placeCharacter = (character: string): void => {
    const { shown, width } = look(character);
    if (column + width > columns) endRow(true);
    notePlace();
    row += shown;
    column += width;
    offset += character.length;
  };
  /** As much at once as fits into a row: a pasted text may be long. */
  const placePlain = (line: string): void => {
    for (let start = 0; start < line.length;) {
      if (column >= columns) endRow(true);
      const piece = line.slice(start, start + columns - column);
      const ahead = cursor - offset;
      if (ahead >= 0 && ahead < piece.length) place = { row: rows.length, column: column + ahead };
      row += piece;
      column += piece.length;
      offset += piece.length;
      start += piece.length;
    }
  };
  for (const [index, line] of text.split("\n").entries()) {
    if (index > 0) {
      endRow(false);
      row = indent;
      column = indent.length;
      offset += 1;
    }
    if (PLAIN.test(line)) placePlain(line);
    else for (const { segment } of graphemes.segment(line)) placeCharacter(segment);
    notePlace();
  }
  const isFull = column >= columns;
  endRow(isFull);
  // The cursor may stand behind a row that is full.
  if (isFull) endRow(false);
  return { rows, ...place };
}

function look(character: string): { shown: string; width: number } {
  const known = looks.get(character);
  if (known) return known;
  if (looks.size >= MOST_LOOKS) looks.clear();
  const shown = character === "\t" ? TAB : neutralise(character);
  const made = { shown, width: stringWidth(shown) };
  looks.set(character, made);
  return made;
}
