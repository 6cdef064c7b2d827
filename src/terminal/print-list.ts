import type { Style } from "./color.ts";
import { type Cell, type Column, layoutTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** What a command lists. */
export interface Listing<T> {
  items: readonly T[];
  columns: readonly Column[];
  /** What stands in the columns of a terminal. */
  toCells: (item: T, style: Style) => Cell[];
  /** The fields of its line in a pipe. */
  toFields: (item: T) => readonly (string | number)[];
  /** What is said where there is nothing to list, as a sentence. */
  nothing: string;
}

/** Prints a list: a table on a terminal, in a pipe a line for each item with tabs between its fields. */
export async function printList<T>(listing: Listing<T>, terminal: Terminal): Promise<void> {
  const { items, columns, toCells, toFields, nothing } = listing;
  if (items.length === 0) return terminal.noteNothing(nothing);
  if (!terminal.isStdoutTTY) return terminal.print(items.map((item) => toFields(item).join("\t")).join("\n"));
  const style = await terminal.stdoutStyle();
  const cells = items.map((item) => toCells(item, style));
  await terminal.print(layoutTable(columns, cells, terminal.columns, style.bold).join("\n"));
}
