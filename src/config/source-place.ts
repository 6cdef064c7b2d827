/** A place in a text, both counted from 1; columns in characters. */
export interface Place {
  line: number;
  column: number;
}

/** Every line end of a text, in order, as JSON5 counts lines. */
export function lineEnds(text: string): string[] {
  return text.match(/\r\n|[\n\r\u2028\u2029]/g) ?? [];
}

/** Line and column of an offset. A byte order mark has no column. */
export function placeAt(text: string, offset: number): Place {
  const before = text
    .slice(0, offset)
    .replace(/^\uFEFF/, "")
    .split(/\r\n|[\n\r\u2028\u2029]/);
  return { line: before.length, column: [...(before.at(-1) ?? "")].length + 1 };
}
