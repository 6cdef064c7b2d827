import type { Environment } from "../../runtime.ts";
import { ownSequence } from "../../terminal/neutralise.ts";

/** Goes to the first column. */
export const ROW_START = ownSequence("", "G");
export const CLEAR_BELOW = ownSequence("", "J");

/** Goes so many rows up. */
export function up(rows: number): string {
  return rows > 0 ? ownSequence(String(rows), "A") : "";
}

/** Goes so many columns to the right. */
export function right(columns: number): string {
  return columns > 0 ? ownSequence(String(columns), "C") : "";
}

/** Terminals built on xterm.js, which leaves the lines around the cursor to the program (its option reflowCursorLine). */
const XTERM_JS = /^(vscode|hyper|tabby)$/i;

/** Whether the terminal lays the line at the cursor out anew when its width changes. */
export function reflowsCursorLine(env: Environment): boolean {
  return !XTERM_JS.test(env["TERM_PROGRAM"] ?? "");
}
