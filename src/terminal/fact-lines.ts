import type { Terminal } from "./terminal.ts";

/** A title and its value; `whole` is for commands, which must be copied as they are. */
export type Fact = readonly [title: string, value: string, form?: "whole"];

const GAP = "  ";

/**
 * Prints facts under each other, titles dimmed and values aligned. On a terminal a long value goes on in the lines below
 * it, broken at spaces, and a title that comes again is left out; in a pipe each fact is one line with its title.
 */
export async function printFacts(facts: readonly Fact[], terminal: Terminal): Promise<void> {
  const { dim } = await terminal.stdoutStyle();
  const width = Math.max(...facts.map(([title]) => title.length));
  const wrap = await wrapper(terminal, width + GAP.length);
  let last: string | undefined;
  for (const [title, value, form] of facts) {
    const shown = terminal.isStdoutTTY && title === last ? "" : title;
    last = title;
    for (const [index, line] of (form === "whole" ? [value] : wrap(value)).entries()) {
      await terminal.print(`${dim((index === 0 ? shown : "").padEnd(width))}${GAP}${line}`);
    }
  }
}

/** What breaks values into lines; measuring text is loaded only where there is a width. */
async function wrapper(terminal: Terminal, indent: number): Promise<(value: string) => string[]> {
  if (!terminal.isStdoutTTY) return (value) => [value];
  const { wrapText } = await import("./wrap-text.ts");
  return (value) => wrapText(value, Math.max(20, terminal.columns - indent));
}
