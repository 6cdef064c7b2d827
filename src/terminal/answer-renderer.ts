import type { Terminal } from "./terminal.ts";

/** Shows a model's text while it arrives, on stdout. */
export interface AnswerRenderer {
  /** Takes a piece; resolves to what can be shown by now. */
  push(text: string): Promise<string>;
  /** Returns what was still held back, and begins anew. */
  end(): string;
}

/**
 * How a model's text is shown on stdout: Markdown on a terminal with colours, else, and where `isRaw`, as it is. Nothing
 * in it acts on a terminal in either case.
 */
export async function answerRenderer(
  { terminal, env }: { terminal: Terminal; env: Readonly<Record<string, string | undefined>> },
  isRaw: boolean,
): Promise<AnswerRenderer> {
  const foreign = terminal.foreignParts();
  if (isRaw || terminal.stdoutColor === 0 || !terminal.isStdoutTTY) {
    return { push: async (text) => foreign(text), end: () => "" };
  }
  const { MarkdownStream } = await import("./markdown-stream.ts");
  const { showsLinks } = await import("./terminal-links.ts");
  const style = await terminal.stdoutStyle();
  let colors: typeof import("./code-colors.ts") | undefined;
  const markdown = new MarkdownStream(style, terminal.columns, {
    hasLinks: showsLinks(env),
    colorerOf: (language) => colors?.colorerOf(language, style),
  });
  return {
    async push(text) {
      const shown = foreign(text);
      const languages = markdown.languagesIn(shown);
      if (languages.length > 0) {
        colors ??= await import("./code-colors.ts");
        await colors.loadLanguages(languages);
      }
      return markdown.push(shown);
    },
    end: () => markdown.end(),
  };
}
