import type { Terminal } from "./terminal.ts";
import type { TextRenderer } from "./word-wrap.ts";

/**
 * How a model's text is shown on stdout: Markdown on a terminal with colours, else, and where `isRaw`, as it is. Nothing
 * in it acts on a terminal in either case.
 */
export async function answerRenderer(terminal: Terminal, isRaw: boolean): Promise<TextRenderer> {
  if (isRaw || terminal.stdoutColor === 0 || !terminal.isStdoutTTY) {
    return { push: (text) => terminal.foreign(text), end: () => "" };
  }
  const { MarkdownStream } = await import("./markdown-stream.ts");
  const markdown = new MarkdownStream(await terminal.stdoutStyle(), terminal.columns);
  return { push: (text) => markdown.push(terminal.foreign(text)), end: () => markdown.end() };
}
