import { structuredPatch } from "diff";

/** Lines shown around a change. */
const CONTEXT = 3;

/**
 * The changes between two texts in unified format, without the two header lines; empty when they are the same.
 * `show` gives the text to print for a line of the old or new text, by its index: what is printed need not be what is compared.
 */
export function diffTexts(
  before: string,
  after: string,
  show: { before: string; after: string } = { before, after },
): string[] {
  const old = splitLines(show.before);
  const fresh = splitLines(show.after);
  // Lines are compared without their ends, the last one's included.
  const [from, to] = [before, after].map((text) =>
    splitLines(text)
      .map((line) => `${line}\n`)
      .join(""),
  );
  const { hunks } = structuredPatch("", "", from ?? "", to ?? "", "", "", { context: CONTEXT });
  return hunks.flatMap((hunk) => {
    let oldLine = hunk.oldStart - 1;
    let newLine = hunk.newStart - 1;
    const lines = hunk.lines.map((line) => {
      const mark = line.charAt(0);
      const text = mark === "+" ? fresh[newLine] : old[oldLine];
      if (mark !== "+") oldLine += 1;
      if (mark !== "-") newLine += 1;
      return `${mark}${text}`;
    });
    const before = range(hunk.oldStart, hunk.oldLines);
    const after = range(hunk.newStart, hunk.newLines);
    return [`@@ -${before} +${after} @@`].concat(lines);
  });
}

/** Of no lines, the place is the line before. */
function range(line: number, count: number): string {
  return `${count === 0 ? line - 1 : line},${count}`;
}

/** A text that ends with a line end has no empty line after it. */
function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r]/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
