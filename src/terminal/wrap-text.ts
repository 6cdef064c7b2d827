import stringWidth from "string-width";

/**
 * Breaks a text at its spaces into lines of at most `width` columns; a longer word stands alone and is never cut.
 * An Infinity width, as in a pipe, leaves one line.
 */
export function wrapText(text: string, width: number): string[] {
  if (!Number.isFinite(width)) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && stringWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  lines.push(line);
  return lines;
}
