import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { readSessions } from "../../chat/sessions/session-files.ts";
import { type SessionSummary, summarize } from "../../chat/sessions/session-documents.ts";
import type { Style } from "../../terminal/color.ts";
import { formatAge } from "../../terminal/numbers.ts";
import { type Column, layoutTable } from "../../terminal/table.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

export interface ListOptions extends GlobalOptions {
  /** Only those of the current folder. */
  here?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "Session" },
  { title: "Written", align: "right" },
  { title: "Turns", align: "right", dropOrder: 2 },
  { title: "First question", dropOrder: 1 },
  { title: "Model", dropOrder: 3 },
  { title: "Folder", dropOrder: 4 },
];
/** A question longer than this is cut in the table, in characters. */
const TITLE_LENGTH = 48;

/** Lists the sessions on this machine, the latest first. */
export async function run({ here }: ListOptions, runtime: Runtime): Promise<void> {
  const { terminal, currentFolder } = runtime;
  const { sessions, damaged } = await readSessions(runtime);
  const summaries = sessions.map(summarize).filter(({ folder }) => !here || folder === currentFolder);
  const warnings = damaged.map(({ id, reason }) => ({
    code: "internal",
    message: reason,
    hint: `openclaw sessions rm ${quoteForShell(id)}`,
  }));
  if (terminal.format === "json")
    await terminal.printJson({ count: summaries.length, sessions: summaries, warnings });
  else if (summaries.length > 0) {
    const lines = terminal.isStdoutTTY
      ? tableLines(summaries, runtime, await terminal.stdoutStyle())
      : summaries.map(tabLine);
    await terminal.print(lines.join("\n"));
  } else if (terminal.isStdoutTTY)
    terminal.note(`No session is kept${here ? ` of ${currentFolder}` : ""}; \`openclaw chat\` begins one.`);
  for (const { message, hint } of warnings) await terminal.warn(message, hint);
}

function tableLines(
  summaries: readonly SessionSummary[],
  { terminal, now, homeFolder }: Runtime,
  style: Style,
): string[] {
  const rows = summaries.map(({ id, updated, turns, title, folder, ...summary }) => [
    { text: id, look: style.cyan },
    `${formatAge(now() - Date.parse(updated))} ago`,
    String(turns),
    terminal.foreign(cut(title)),
    { text: modelOf(summary), look: style.dim },
    { text: terminal.foreign(shortFolder(folder, homeFolder)), look: style.dim },
  ]);
  return layoutTable(COLUMNS, rows, terminal.columns, style.bold);
}

function modelOf({ model, emulated }: Pick<SessionSummary, "model" | "emulated">): string {
  return emulated ? `${model ?? ""} (emulator)`.trim() : (model ?? "");
}

function cut(title: string): string {
  const characters = Array.from(title);
  return characters.length > TITLE_LENGTH ? `${characters.slice(0, TITLE_LENGTH - 1).join("")}…` : title;
}

function shortFolder(folder: string, home: string): string {
  return folder === home || folder.startsWith(`${home}/`) ? `~${folder.slice(home.length)}` : folder;
}

function tabLine({ id, updated, turns, title, folder, ...summary }: SessionSummary): string {
  return [id, updated, turns, title, modelOf(summary), folder].join("\t");
}
