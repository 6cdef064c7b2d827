/** The beginning of a fenced block: its indentation, its marks and what follows them (https://spec.commonmark.org/0.31.2/#fenced-code-blocks). */
const OPENING = /^([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}|~{3,})(.*)$/;

/**
 * The first fenced code block of a Markdown text, without its fences, which may stand in a list; undefined where there is
 * none. One that is not closed goes on to the end; of a text that was cut off it is none.
 */
export function firstCodeBlock(text: string, { isCut = false } = {}): string | undefined {
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const [, lead = "", marks, info = ""] = OPENING.exec(line) ?? [];
    // Backticks behind backticks are code within a line.
    if (marks === undefined || (marks.startsWith("`") && info.includes("`"))) continue;
    const rest = lines.slice(index + 1);
    const end = rest.findIndex((other) => closes(other, marks));
    if (end < 0 && isCut) return undefined;
    const block = rest.slice(0, end < 0 ? undefined : end).map((inner) => outdent(inner, lead.length));
    // What ends the text is no line of the block.
    if (end < 0 && block.at(-1) === "") block.pop();
    return block.join("\n");
  }
  return undefined;
}

function closes(line: string, marks: string): boolean {
  const text = line.trim();
  return text.length >= marks.length && text === marks.charAt(0).repeat(text.length);
}

/** A line without as much of its indentation as the fence has. */
function outdent(line: string, width: number): string {
  let from = 0;
  while (from < width && (line[from] === " " || line[from] === "\t")) from += 1;
  return line.slice(from);
}
