import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { exportMarkdown, sessionDocument } from "../../chat/sessions/session-documents.ts";
import { findLatest, findSession } from "../../chat/sessions/find-session.ts";

export interface ExportOptions extends GlobalOptions {
  /** The session that was written last, where none is named. */
  id?: string;
}

/** Prints a session as a Markdown document, or as JSON with every content block as it was sent and came. */
export async function run({ id }: ExportOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const session = id === undefined ? await findLatest(runtime) : await findSession(runtime, id);
  if (terminal.format === "json") await terminal.printJson(sessionDocument(session));
  else await terminal.write(terminal.foreign(exportMarkdown(session)));
}
