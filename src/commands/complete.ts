import type { Program } from "../command-line/declaration.ts";
import { findCandidates } from "../completion/find-candidates.ts";
import { formatForBash, formatForFish, formatForZsh } from "../completion/format-offer.ts";
import type { Shell } from "../completion/scripts.ts";
import { readSituation } from "../completion/situation.ts";
import { splitLine } from "../completion/split-line.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";

export interface CompleteOptions extends GlobalOptions {
  shell: Shell;
  /** Of bash, COMP_WORDBREAKS and the line up to the cursor; of others the words up to the cursor, the last one unfinished. */
  words: string[];
  program: Program;
}

/** Prints what may stand at the cursor of a shell, in the form that its completion script reads. */
export async function run(options: CompleteOptions, runtime: Runtime): Promise<void> {
  await runtime.terminal.print((await answer(options, runtime)).join("\n"));
}

async function answer({ shell, words, program }: CompleteOptions, runtime: Runtime): Promise<string[]> {
  if (shell === "bash") {
    const [breaks = "", text = ""] = words;
    const line = splitLine(text, breaks);
    return formatForBash(
      await findCandidates(readSituation(program, line.words, line.current), runtime),
      line,
    );
  }
  const last = words.at(-1) ?? "";
  // fish gives the word at the cursor with its quotes and backslashes.
  const current = shell === "fish" ? splitLine(last, "").current : last;
  const offer = await findCandidates(readSituation(program, words.slice(0, -1), current), runtime);
  return shell === "zsh" ? formatForZsh(offer) : formatForFish(offer);
}
