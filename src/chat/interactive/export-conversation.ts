import path from "node:path";
import { writingToFile } from "../../disk/output-file.ts";
import { usageError } from "../../errors.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { exportMarkdown } from "../sessions/session-documents.ts";
import { readSession, statOf } from "../sessions/session-files.ts";
import { readPath } from "./file-path.ts";
import type { Talk } from "./talk.ts";

/**
 * Writes the conversation as Markdown to the file that was typed, else to one named for the session in the current folder,
 * which may be there from the last time. Resolves to its path. Throws `usage` for any other file that is there, and as
 * `writingToFile` does.
 */
export async function exportConversation(
  { conversation, options: { runtime } }: Talk,
  typed: string,
): Promise<string> {
  const { id, turns, title } = conversation;
  const [first] = turns;
  if (!first) throw usageError("There is nothing to write yet.", "Ask something.");
  const file = typed === "" ? `openclaw-${id ?? "chat"}.md` : readPath(typed, runtime);
  const there = await statOf(path.resolve(runtime.currentFolder, file));
  if (typed !== "" && there?.isFile())
    throw usageError(`There is a file ${quoteForShell(file)} already.`, "/export OTHER.md");
  const kept = id === undefined ? undefined : await readSession(runtime, id);
  const header = kept?.header ?? {
    id: id ?? "not kept",
    folder: runtime.currentFolder,
    created: first.at,
  };
  const text = exportMarkdown({ header, turns: [...turns], title, updated: runtime.now() });
  await writingToFile(file, "/export", runtime, (terminal) => terminal.write(text));
  return file;
}
