import type { Configured } from "../../config/configured-tools.ts";
import { VALIDATE } from "../../config/parse-document.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** Returns the entries that can be used, and warns of each other one by its place: it may be another program's. */
export async function warnOfUnfit<TEntry extends Configured<unknown>>(
  entries: ReadonlyMap<string, TEntry>,
  terminal: Terminal,
): Promise<[name: string, entry: TEntry][]> {
  const fit: [string, TEntry][] = [];
  for (const [name, entry] of entries) {
    if (entry.problem === undefined) fit.push([name, entry]);
    else await terminal.warn(`${entry.problem} It is left out.`, VALIDATE);
  }
  return fit;
}
