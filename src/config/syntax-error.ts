/** A place in a text, both counted from 1; columns in characters. */
export interface Place {
  line: number;
  column: number;
}

/** Line and column of an offset. A byte order mark has no column. */
export function placeAt(text: string, offset: number): Place {
  const before = text
    .slice(0, offset)
    .replace(/^\uFEFF/, "")
    .split(/\r\n|[\n\r\u2028\u2029]/);
  return { line: before.length, column: [...(before.at(-1) ?? "")].length + 1 };
}

/** What is wrong with a text that is not JSON5, and where. */
interface SyntaxProblem extends Place {
  /** In words, without the place. */
  what: string;
  /** Where, in UTF-16 units from the start. */
  offset: number;
}

/** Says in plain words what JSON5's parser found, and where. Its lines end at `\n` only; ours wherever JSON5's do. */
export function describeSyntaxError(text: string, error: SyntaxError): SyntaxProblem {
  const { lineNumber = 1, columnNumber = 1 } = error as SyntaxError & {
    lineNumber?: number;
    columnNumber?: number;
  };
  const lineOffset = text.split("\n", lineNumber - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const offset = Math.min(text.length, Math.max(0, lineOffset + columnNumber - 1));
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  const problem = (what: string, at = offset): SyntaxProblem => ({ what, offset: at, ...placeAt(text, at) });
  if (offset >= text.length || error.message.includes("end of input"))
    return problem(
      "it ends too early; a brace, bracket, quote or comment is not closed",
      text.trimEnd().length,
    );
  if (/[\n\r]/.test(character)) return problem("the line ends inside a text or number");
  return problem(`${JSON.stringify(character)} is not expected here${guess(text, offset, character)}`);
}

function guess(text: string, offset: number, character: string): string {
  const before = text.slice(0, offset).replace(/(?:\s|\/\/[^\n\r]*|\/\*[^]*?\*\/)*$/, "");
  const followsValue = /[\w"'\]}$]$/.test(before) && before.length < offset;
  if (followsValue && /[\w"'{[$]/.test(character)) return "; a comma may be missing before it";
  if (character === "#") return "; comments begin with //";
  return "";
}
