import { partsOf, questionOf } from "../../converse/conversation.ts";
import type { GlobalOptions } from "../../options.ts";
import { turnOver } from "../../next-turn.ts";
import type { Runtime } from "../../runtime.ts";
import { findLatest, findSession } from "../../chat/sessions/find-session.ts";
import {
  attachmentsOf,
  describeEnd,
  sessionDocument,
  sourcesOf,
  wordsOf,
} from "../../chat/sessions/session-documents.ts";
import { answerRenderer } from "../../terminal/answer-renderer.ts";
import { wrapText } from "../../terminal/word-wrap.ts";

export interface ShowOptions extends GlobalOptions {
  /** The session that was written last, where none is named. */
  id?: string;
  raw?: boolean;
}

/** Prints a session as it went: each question after `> `, then its answer. */
export async function run({ id, raw }: ShowOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const session = id === undefined ? await findLatest(runtime) : await findSession(runtime, id);
  if (terminal.format === "json") return terminal.printJson(sessionDocument(session));
  const style = await terminal.stdoutStyle();
  if (session.header.emulated) terminal.note("openclaw: the answers of this session are the emulator's");
  for (const [index, turn] of session.turns.entries()) {
    const over = turnOver();
    if (over) await over;
    if (index > 0) await terminal.print("");
    const question = terminal.foreign(wordsOf(questionOf(turn)));
    const lines = question === "" ? [] : wrapText(question, terminal.columns - "> ".length);
    for (const line of lines) {
      await terminal.print(style.bold(`> ${line}`));
    }
    for (const name of attachmentsOf(questionOf(turn)))
      await terminal.print(style.dim(`> [${terminal.foreign(name)}]`));
    const parts = partsOf(turn);
    const renderer = await answerRenderer(runtime, raw === true);
    let isCall = false;
    for (const part of parts) {
      // Calls stand together.
      if (!isCall || "text" in part) await terminal.print("");
      isCall = "call" in part;
      if ("text" in part) await terminal.print(`${await renderer.push(part.text.trim())}${renderer.end()}`);
      else {
        const { keptCallLines } = await import("../../chat/tools/describe-call.ts");
        const look = { columns: terminal.columns, style };
        for (const line of keptCallLines(part.call, part.result, look)) await terminal.print(line);
      }
    }
    if (parts.length === 0) await terminal.print("");
    for (const source of sourcesOf(turn)) await terminal.print(style.dim(terminal.foreign(source)));
    const end = describeEnd(turn);
    if (end !== undefined) await terminal.print(style.dim(terminal.foreign(`(${end})`)));
  }
}
