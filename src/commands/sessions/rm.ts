import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { removeSessions } from "../../chat/sessions/find-session.ts";

export interface RemoveOptions extends GlobalOptions {
  ids: string[];
}

/** Removes sessions. */
export async function run({ ids }: RemoveOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const distinct = [...new Set(ids)];
  await removeSessions(runtime, distinct);
  if (terminal.format === "json") await terminal.printJson({ removed: distinct });
  else await terminal.print(distinct.map((id) => `Removed session ${id}.`).join("\n"));
}
