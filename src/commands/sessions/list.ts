import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { readSessions } from "../../chat/sessions/session-files.ts";
import { type SessionSummary, shortTitle, summarize } from "../../chat/sessions/session-documents.ts";
import type { Style } from "../../terminal/color.ts";
import { formatAge } from "../../terminal/numbers.ts";
import { printList } from "../../terminal/print-list.ts";
import type { Cell, Column } from "../../terminal/table.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

export interface ListOptions extends GlobalOptions {
  /** Only those of the current folder. */
  here?: boolean;
}

/** A question longer than this is cut in the table, in characters. */
const TITLE_LENGTH = 48;

const COLUMNS: readonly Column[] = [
  { title: "Session" },
  { title: "Written", align: "right" },
  { title: "Turns", align: "right", dropOrder: 2 },
  { title: "First question", dropOrder: 1, least: 16, enough: TITLE_LENGTH },
  { title: "Model", dropOrder: 3, least: 20 },
  { title: "Folder", dropOrder: 4, least: 16 },
];

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
  else
    await printList(
      {
        items: summaries,
        columns: COLUMNS,
        toCells: (summary, style) => cellsOf(summary, runtime, style),
        toFields: fieldsOf,
        nothing: `No session is kept${here ? ` of ${currentFolder}` : ""}; \`openclaw chat\` begins one.`,
      },
      terminal,
    );
  for (const { message, hint } of warnings) await terminal.warn(message, hint);
}

function cellsOf(
  { id, updated, turns, title, folder, ...summary }: SessionSummary,
  { terminal, now, homeFolder }: Runtime,
  style: Style,
): Cell[] {
  return [
    { text: id, look: style.cyan },
    `${formatAge(now() - Date.parse(updated))} ago`,
    String(turns),
    terminal.foreign(shortTitle(title, TITLE_LENGTH)),
    { text: modelOf(summary), look: style.dim },
    { text: terminal.foreign(shortFolder(folder, homeFolder)), look: style.dim },
  ];
}

function modelOf({ model, emulated }: Pick<SessionSummary, "model" | "emulated">): string {
  return emulated ? `${model ?? ""} (emulator)`.trim() : (model ?? "");
}

function shortFolder(folder: string, home: string): string {
  return folder === home || folder.startsWith(`${home}/`) ? `~${folder.slice(home.length)}` : folder;
}

function fieldsOf({ id, updated, turns, title, folder, ...summary }: SessionSummary): (string | number)[] {
  return [id, updated, turns, title, modelOf(summary), folder];
}
