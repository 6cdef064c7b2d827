import { renameSession } from "../../chat/sessions/find-session.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

export interface RenameOptions extends GlobalOptions {
  id: string;
  name: string;
}

/** Gives a session another name. Throws `usage` for one that is not there, is open, or whose new name is taken. */
export async function run({ id, name }: RenameOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const renamed = await renameSession(runtime, id, name);
  if (terminal.format === "json") await terminal.printJson(renamed);
  else await terminal.print(`Session ${renamed.previous} is ${renamed.session} now.`);
}
