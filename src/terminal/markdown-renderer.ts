import type { Style } from "./color.ts";
import { MarkdownStream } from "./markdown-stream.ts";
import { showsLinks } from "./terminal-links.ts";

/** Shows a model's text while it arrives, on stdout. */
export interface AnswerRenderer {
  /** Takes a piece; resolves to what can be shown by now. */
  push(text: string): Promise<string>;
  /** Returns what was still held back, and begins anew. */
  end(): string;
}

/**
 * Renders Markdown that is neutral already: with looks, or where there are none with its marks. What few answers need, the
 * colours of code and the names of characters, is loaded when it comes.
 */
export function markdownRenderer(
  style: Style,
  columns: number,
  env: Readonly<Record<string, string | undefined>>,
  keepsMarks = false,
): AnswerRenderer {
  let code: typeof import("./code-colors.ts") | undefined;
  let characters: typeof import("./character-references.ts") | undefined;
  const markdown = new MarkdownStream(style, columns, {
    keepsMarks,
    hasLinks: showsLinks(env),
    colorerOf: (language) => code?.colorerOf(language, style),
    characterOf: (reference) => characters?.characterOf(reference) ?? reference,
  });
  return {
    async push(text) {
      if (text.includes("&")) characters ??= await import("./character-references.ts");
      const languages = markdown.languagesIn(text);
      if (languages.length > 0 && !keepsMarks) {
        code ??= await import("./code-colors.ts");
        await code.loadLanguages(languages);
      }
      return markdown.push(text);
    },
    end: () => markdown.end(),
  };
}
