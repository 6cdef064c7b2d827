import stringWidth from "string-width";
import { placeAt } from "./source-place.ts";

/** Most columns of a source line to show. */
const WIDEST = 100;

/** The line of a place with a caret under it, as long as the `length` characters that follow on the line. */
export function drawFrame(text: string, offset: number, length = 1): string[] {
  const { line, column } = placeAt(text, offset);
  const characters = [...(text.replace(/^\uFEFF/, "").split(/\r\n|[\n\r\u2028\u2029]/)[line - 1] ?? "")];
  const skipped = characters.length > WIDEST ? Math.max(0, column - 1 - WIDEST / 2) : 0;
  const shown = characters.slice(skipped, skipped + WIDEST);
  const before = shown.slice(0, column - 1 - skipped);
  const marked = shown.slice(before.length, before.length + length).join("");
  const number = String(line);
  const source = `${number} | ${skipped > 0 ? "…" : ""}${shown.join("")}`.trimEnd();
  const indent =
    (skipped > 0 ? " " : "") + before.map((c) => (c === "\t" ? c : " ".repeat(stringWidth(c)))).join("");
  return [source, `${" ".repeat(number.length)} | ${indent}${"^".repeat(Math.max(1, stringWidth(marked)))}`];
}
