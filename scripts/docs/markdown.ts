/** First line of every generated page, so that nobody edits one by hand. */
const GENERATED = "<!-- Made by `npm run docs` from the code; edit that. -->";

/** A Markdown table; columns that are empty in every row are left out. Cells are Markdown already. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const kept = titles.map((_, index) => rows.some((row) => row[index] !== ""));
  const line = (cells: readonly string[]): string =>
    `| ${cells
      .filter((_, index) => kept[index])
      .map((cell) => cell.replaceAll("|", "\\|"))
      .join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Text as inline code, also when it holds backticks. */
export function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** A fenced block. */
export function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

/** Paragraphs as a page: one empty line between them, a line end at the end, empty ones left out. */
export function page(...paragraphs: readonly string[]): string {
  return `${[...paragraphs, GENERATED].filter((text) => text !== "").join("\n\n")}\n`;
}
