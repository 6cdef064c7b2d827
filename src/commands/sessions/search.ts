import { answerTextOf, questionOf } from "../../converse/conversation.ts";
import { readSession, sessionIds } from "../../chat/sessions/session-files.ts";
import { shortTitle, summarize, wordsOf } from "../../chat/sessions/session-documents.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { Warning } from "../../models/discovered.ts";
import { turnOver } from "../../next-turn.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { formatAge } from "../../terminal/numbers.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { hang } from "../../terminal/word-wrap.ts";

export interface SearchOptions extends GlobalOptions {
  text: string[];
  /** Only in sessions of the current folder. */
  here?: boolean;
}

interface Match {
  session: string;
  /** From 1. */
  turn: number;
  role: "question" | "answer";
  /** What stands around it, on one line: before, itself, and behind. */
  parts: readonly [string, string, string];
}

/** What the sessions hold of it, and those that could not be read. */
interface Findings {
  matches: Match[];
  /** By their ids. */
  sessions: ReadonlyMap<string, { title: string; updated: string }>;
  warnings: Warning[];
}

/** What is shown on either side of a match, in characters. */
const AROUND = 60;
/** What is searched for has no more characters: an expression of tens of thousands is too large for the engine. */
const LONGEST_QUERY = 2000;

/**
 * Finds a text in the questions and answers of the sessions, in any case, the latest session first; each question and answer
 * once. Throws `usage` for an empty text, and for one that is too long.
 */
export async function run({ text, here }: SearchOptions, runtime: Runtime): Promise<void> {
  const { terminal, currentFolder } = runtime;
  const query = text.join(" ").trim();
  if (query === "")
    throw usageError("There is nothing to search for.", 'openclaw sessions search "rate limit"');
  if (query.length > LONGEST_QUERY)
    throw usageError(
      `The text to search for has ${query.length} characters; at most ${LONGEST_QUERY} are taken.`,
      "Search for a few words of it.",
    );
  const findings = await searchSessions(patternOf(query), here ? currentFolder : undefined, runtime);
  const { matches, sessions, warnings } = findings;
  if (terminal.format === "json") {
    const documents = matches.map(({ parts, ...match }) => ({
      ...match,
      text: parts.join(""),
      ...sessions.get(match.session),
    }));
    return terminal.printJson({ query, count: matches.length, matches: documents, warnings });
  }
  if (matches.length === 0)
    terminal.noteNothing(`Nobody has said '${query}'${here ? ` in ${currentFolder}` : ""}.`);
  else if (terminal.isStdoutTTY) await showMatches(findings, runtime);
  else
    for (const { session, turn, role, parts } of matches)
      await terminal.print([session, turn, role, parts.join("").replaceAll("\t", " ")].join("\t"));
  for (const { message, hint } of warnings) await terminal.warn(message, hint);
}

async function searchSessions(
  pattern: RegExp,
  folder: string | undefined,
  runtime: Runtime,
): Promise<Findings> {
  const matches: Match[] = [];
  const warnings: Warning[] = [];
  const sessions = new Map<string, { title: string; updated: string }>();
  // One after the other: together they may be larger than the memory.
  for (const id of await sessionIds(runtime)) {
    runtime.signal.throwIfAborted();
    const session = await readSession(runtime, id).catch((error: unknown) => {
      if (!(error instanceof OpenclawError)) throw error;
      const hint = `openclaw sessions rm ${quoteForShell(id)}`;
      warnings.push({ code: error.code, message: error.message, hint });
    });
    if (!session || (folder !== undefined && session.header.folder !== folder)) continue;
    const { title, updated } = summarize(session);
    sessions.set(id, { title, updated });
    for (const [index, turn] of session.turns.entries()) {
      const over = turnOver();
      if (over) await over;
      const found = [
        ["question", find(pattern, wordsOf(questionOf(turn)))],
        ["answer", find(pattern, answerTextOf(turn))],
      ] as const;
      for (const [role, parts] of found)
        if (parts) matches.push({ session: id, turn: index + 1, role, parts });
    }
  }
  return { matches, sessions, warnings };
}

/** Shows a person the matches, under a heading for each session. */
async function showMatches({ matches, sessions }: Findings, { terminal, now }: Runtime): Promise<void> {
  const { cyan, dim, bold } = await terminal.stdoutStyle();
  let last: string | undefined;
  for (const { session, turn, role, parts } of matches) {
    if (session !== last) {
      if (last !== undefined) await terminal.print("");
      const { title = "", updated = "" } = sessions.get(session) ?? {};
      const age = dim(`${formatAge(now() - Date.parse(updated))} ago`);
      const heading = `${age}  ${terminal.foreign(shortTitle(title, AROUND))}`;
      await terminal.print(hang(`${cyan(session)}  `, heading, terminal.columns).join("\n"));
    }
    last = session;
    const [before, itself, behind] = parts.map((part) => terminal.foreign(part));
    const place = dim(`  ${turn} ${role === "question" ? ">" : " "} `);
    const line = `${before}${bold(itself ?? "")}${behind}`;
    await terminal.print(hang(place, line, terminal.columns).join("\n"));
  }
}

/** What finds a text in any case, whatever white space stands between its words. */
function patternOf(query: string): RegExp {
  const words = query.normalize("NFC").split(/\s+/);
  return new RegExp(
    words.map((word) => word.replaceAll(/[^\p{L}\p{M}\p{N}\s_]/gu, escapeCharacter)).join("\\s+"),
    "iu",
  );
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function find(pattern: RegExp, said: string): Match["parts"] | undefined {
  const text = said.normalize("NFC");
  const found = pattern.exec(text);
  if (!found) return undefined;
  const end = found.index + found[0].length;
  const before = Array.from(
    text.slice(Math.max(0, found.index - 4 * AROUND), found.index).replaceAll(/\s+/g, " "),
  );
  const behind = Array.from(text.slice(end, end + 4 * AROUND).replaceAll(/\s+/g, " "));
  const isCutBefore = before.length > AROUND || found.index > 4 * AROUND;
  const isCutBehind = behind.length > AROUND || text.length > end + 4 * AROUND;
  return [
    `${isCutBefore ? "…" : ""}${before.slice(-AROUND).join("").trimStart()}`,
    found[0].replaceAll(/\s+/g, " "),
    `${behind.slice(0, AROUND).join("").trimEnd()}${isCutBehind ? "…" : ""}`,
  ];
}
