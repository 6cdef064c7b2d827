import { completionScript, type Shell } from "../completion/scripts.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";

export interface CompletionOptions extends GlobalOptions {
  shell: Shell;
}

/** Prints the script that makes a shell complete this program's commands. */
export async function run({ shell }: CompletionOptions, { terminal }: Runtime): Promise<void> {
  const script = completionScript(shell);
  if (terminal.format === "json") return terminal.printJson({ shell, script });
  await terminal.write(script);
}
