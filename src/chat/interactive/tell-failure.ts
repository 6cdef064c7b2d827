import { OpenclawError } from "../../errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** Tells a failure as the end of the program would, for a session that goes on. Throws what is a bug of ours. */
export async function tellFailure(failure: unknown, terminal: Terminal): Promise<void> {
  if (!(failure instanceof OpenclawError)) throw failure;
  const style = await terminal.stderrStyle();
  terminal.note(`${style.red("error:")} ${terminal.foreignAside(failure.message)}`);
  const hint = hintOf(failure);
  if (hint) terminal.note(`${style.dim("hint:")} ${terminal.foreignAside(hint)}`);
}

/** What a command line would be told to run again is asked again here. */
function hintOf({ hint }: OpenclawError): string | undefined {
  return hint !== undefined && /^(Run the command|Try) again/.test(hint) ? "/retry asks again." : hint;
}
