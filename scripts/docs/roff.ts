/** A manual page: its name, section and one line, and what follows in Markdown, from its second heading on. */
export interface ManPage {
  name: string;
  section: number;
  says: string;
  version: string;
  text: string;
}

/**
 * A manual page in the macros of man(7), out of the Markdown that the pages of docs/ are written in: headings, paragraphs,
 * lists, fences and tables, of which each row becomes a term and what it means.
 */
export function manPage({ name, section, says, version, text }: ManPage): string {
  const body = [`${escape(name)} \\- ${inline(says)}`, ...blocksOf(text).flatMap(toRoff)].join("\n");
  // Printers have not every character that a terminal has.
  const special = [...new Set(body.match(/\\\[u[0-9A-F]+\]/g))].map((character) => `.fchar ${character} ?`);
  return [
    `.TH ${name.toUpperCase().replaceAll("-", "\\-")} ${section} "" "openclaw ${version}" "openclaw"`,
    // Names and paths have no place to break at: lines end where they may.
    ".nr HY 0",
    ".nh",
    ".ad l",
    ...special,
    ".SH NAME",
    body,
    "",
  ].join("\n");
}

/** The blocks of a text: fences whole, everything else from one empty line to the next. */
function blocksOf(text: string): string[] {
  const plain = text.replaceAll(/<!--[^]*?-->/g, "");
  return plain
    .split(/^(```[^]*?^```)$/gm)
    .flatMap((piece) => (piece.startsWith("```") ? [piece] : piece.split(/\n{2,}/)))
    .map((block) => block.replaceAll(/^\n+|\s+$/g, ""))
    .filter((block) => block !== "");
}

function toRoff(block: string): string[] {
  if (block.startsWith("```")) {
    const lines = block.split("\n").slice(1, -1);
    return [".PP", ".RS 4", ".EX", ...lines.map((line) => guarded(escape(line))), ".EE", ".RE"];
  }
  const [, marks, heading] = /^(#{2,})[ ]+(.*)$/.exec(block) ?? [];
  if (marks !== undefined && heading !== undefined) {
    const title = withoutLinks(heading).replaceAll(/[`*]/g, "");
    return [marks.length === 2 ? `.SH ${escape(title.toUpperCase())}` : `.SS ${escape(title)}`];
  }
  if (block.startsWith("|")) return toTerms(block.split("\n"));
  if (/^(?:-|\d+\.) /.test(block)) return toItems(block);
  return [".PP", guarded(inline(block.replaceAll("\n", " ")))];
}

/** A table as terms and what they mean: the first column, then the others with their titles, where there are several. */
function toTerms(lines: readonly string[]): string[] {
  const [titles = [], , ...rows] = lines.map(cellsOf);
  return rows.flatMap(([term = "", ...cells]) => {
    const filled = cells
      .map((cell, index) => ({ cell, title: titles[index + 1] ?? "" }))
      .filter(({ cell }) => cell !== "");
    const said = filled.map(({ cell, title }) =>
      guarded(cells.length === 1 || title === "meaning" ? inline(cell) : `${inline(title)}: ${inline(cell)}`),
    );
    return [".TP", guarded(term === "" ? "\\&" : inline(term)), said.join("\n.br\n")];
  });
}

function cellsOf(line: string): string[] {
  return line
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function toItems(block: string): string[] {
  const items = block.split(/\n(?=(?:-|\d+\.) )/);
  return items.flatMap((item) => {
    const [, mark = "-", words = ""] = /^(-|\d+\.) ([^]*)$/.exec(item) ?? [];
    const label = mark === "-" ? "\\(bu 2" : `${mark} 4`;
    return [`.IP ${label}`, guarded(inline(words.replaceAll(/\n\s*/g, " ")))];
  });
}

const LINK = /\[((?:[^[\]`]|`[^`]*`)*)\]\(([^()\s]+)\)/g;

/** Code, emphasis and links of a line; a link within the pages is its words. */
function inline(text: string): string {
  return withoutLinks(text)
    .split(/(``[^]*?``|`[^`]*`)/)
    .map((piece) => (piece.startsWith("`") ? `\\fB${breakable(bare(piece))}\\fR` : words(piece)))
    .join("");
}

function bare(piece: string): string {
  const inside = piece.replaceAll(/^`+|`+$/g, "");
  return /^ .* $/.test(inside) ? inside.slice(1, -1) : inside;
}

function withoutLinks(text: string): string {
  return text.replaceAll(LINK, (_, label: string, target: string) =>
    /^https?:/.test(target) ? `${label} (${target})` : label,
  );
}

function words(text: string): string {
  return breakable(text.replaceAll(/\\([<*_|`[\]])/g, "$1"))
    .replaceAll(/\*\*([^*]+)\*\*/g, "\\fB$1\\fR")
    .replaceAll(/(?<![\w*])\*([^*\s][^*]*)\*/g, "\\fI$1\\fR");
}

/** A longer word, in characters, may end a line behind its punctuation. */
const LONG_WORD = 20;

function breakable(text: string): string {
  return text
    .split(/(\s+)/)
    .map((word) =>
      word.length > LONG_WORD
        ? word
            .split(/(?<=[/._:,=&?(])/)
            .map(escape)
            .join("\\:")
        : escape(word),
    )
    .join("");
}

/** Characters that roff has other uses for. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** A text as roff shows it, to the character; what is not ASCII by its number. */
function escape(text: string): string {
  return [...text]
    .map((character) => {
      const point = character.codePointAt(0) ?? 0;
      if (point > 0x7e) return `\\[u${point.toString(16).toUpperCase().padStart(4, "0")}]`;
      return ESCAPES[character] ?? character;
    })
    .join("");
}

/** A line that no macro is. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
