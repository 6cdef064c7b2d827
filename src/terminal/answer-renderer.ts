import type { AnswerRenderer } from "./markdown-renderer.ts";
import type { Terminal } from "./terminal.ts";

/**
 * How a model's text is shown on stdout: Markdown on a terminal with colours, else, and where `isRaw`, as it is. Nothing
 * in it acts on a terminal in either case.
 */
export async function answerRenderer(
  { terminal, env }: { terminal: Terminal; env: Readonly<Record<string, string | undefined>> },
  isRaw: boolean,
): Promise<AnswerRenderer> {
  const foreign = terminal.foreignParts("stdout");
  if (isRaw || terminal.stdoutColor === 0 || !terminal.isStdoutTTY) {
    return { push: async (text) => foreign(text), end: () => "" };
  }
  const { markdownRenderer } = await import("./markdown-renderer.ts");
  const markdown = markdownRenderer(await terminal.stdoutStyle(), terminal.columns, env);
  return { push: (text) => markdown.push(foreign(text)), end: () => markdown.end() };
}
