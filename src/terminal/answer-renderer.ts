import type { AnswerRenderer } from "./markdown-renderer.ts";
import type { Terminal } from "./terminal.ts";

/**
 * How a model's text is shown on stdout: as Markdown on a terminal, whose layout is the same without colours, with its
 * marks in place of looks, as glow and gh do it (https://github.com/charmbracelet/glamour, `notty`); else, on a terminal
 * that only goes forward, and where `isRaw`, as it is. Nothing in it acts on a terminal in any case.
 */
export async function answerRenderer(
  { terminal, env }: { terminal: Terminal; env: Readonly<Record<string, string | undefined>> },
  isRaw: boolean,
): Promise<AnswerRenderer> {
  const foreign = terminal.foreignParts("stdout");
  const hasLooks = terminal.stdoutColor > 0;
  if (isRaw || !terminal.isStdoutTTY || (!hasLooks && env["TERM"] === "dumb")) {
    return { push: async (text) => foreign(text), end: () => "" };
  }
  const { markdownRenderer } = await import("./markdown-renderer.ts");
  const markdown = markdownRenderer(await terminal.stdoutStyle(), terminal.columns, env, !hasLooks);
  return { push: (text) => markdown.push(foreign(text)), end: () => markdown.end() };
}
