import type { Terminal } from "./terminal.ts";
import { onOneLine } from "./neutralise.ts";
import { hang } from "./word-wrap.ts";

/** A title and its value, if there is one; `whole` is for commands, which must be copied as they are. */
export type Fact = readonly [title: string, value: string | null | undefined, form?: "whole"];

const GAP = "  ";

/**
 * Prints facts under each other, titles dimmed and values aligned. On a terminal a long value goes on in the lines below
 * it, broken at spaces, and a title that comes again is left out; in a pipe each fact is one line with its title. Facts
 * without a value are left out.
 */
export async function printFacts(facts: readonly Fact[], terminal: Terminal): Promise<void> {
  const { dim } = await terminal.stdoutStyle();
  const known = facts.flatMap(([title, value, form]) =>
    value ? [{ title, value: onOneLine(value), form }] : [],
  );
  const width = Math.max(...known.map(({ title }) => title.length)) + GAP.length;
  let last: string | undefined;
  for (const { title, value, form } of known) {
    const isAgain = terminal.isStdoutTTY && title === last;
    last = title;
    const place = dim(title) + " ".repeat(width - title.length);
    const isLong = width + value.length > terminal.columns;
    const whole = isLong ? [place.trimEnd(), value] : [place + value];
    const [first = "", ...others] = form === "whole" ? whole : hang(place, value, terminal.columns);
    const begun = isAgain ? first.replace(dim(title), () => " ".repeat(title.length)) : first;
    for (const line of begun.trim() === "" ? others : [begun, ...others]) await terminal.print(line);
  }
}
