import { shorten } from "./errors.ts";

/** The values of a list that a person wrote, each once; stderr says which one stands in it twice. `list` is its flag or setting. */
export function eachOnce(
  values: readonly string[],
  list: string,
  { terminal }: { terminal: { note: (line: string) => void } },
): string[] {
  const unique = new Set(values);
  const twice = new Set(values.filter((value, at) => values.indexOf(value) < at));
  for (const value of twice)
    terminal.note(`openclaw: ${list} names '${shorten(value)}' more than once, and it counts once.`);
  return [...unique];
}
