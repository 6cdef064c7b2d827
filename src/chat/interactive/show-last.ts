import { partsOf, questionOf } from "../../converse/conversation.ts";
import { answerRenderer } from "../../terminal/answer-renderer.ts";
import { attachmentsOf, describeEnd, sourcesOf, wordsOf } from "../sessions/session-documents.ts";
import { count } from "../../terminal/numbers.ts";
import type { Talk } from "./talk.ts";

/** Of a long question a person needs only the beginning, to know it again. */
const MOST_QUESTION_LINES = 6;

/** Shows what was said last in a conversation, on the terminal where the prompt is: what was asked, and the answer. */
export async function showLast({ conversation, options: { runtime, isRaw } }: Talk): Promise<void> {
  const turn = conversation.turns.at(-1);
  if (!turn) return;
  const { terminal } = runtime;
  const style = await terminal.stderrStyle();
  const { bold, dim } = style;
  const lines = wordsOf(questionOf(turn)).split("\n");
  for (const line of lines.slice(0, MOST_QUESTION_LINES)) terminal.note(bold(line), bold("> "));
  if (lines.length > MOST_QUESTION_LINES)
    terminal.note(dim(`… ${count(lines.length - MOST_QUESTION_LINES, "more line")}`), "  ");
  for (const name of attachmentsOf(questionOf(turn))) terminal.note(dim(`[${name}]`), "  ");
  const renderer = await answerRenderer(runtime, isRaw);
  for (const [index, part] of partsOf(turn).entries()) {
    if ("text" in part) {
      const gap = index === 0 ? "" : "\n";
      terminal.writeAside(`${gap}${await renderer.push(part.text.trim())}${renderer.end()}\n`);
    } else {
      const { keptCallLines } = await import("../tools/describe-call.ts");
      const look = { columns: terminal.screen?.columns ?? Number.POSITIVE_INFINITY, style };
      for (const line of keptCallLines(part.call, part.result, look)) terminal.note(line, "");
    }
  }
  for (const source of sourcesOf(turn)) terminal.note(dim(source), "");
  const end = describeEnd(turn);
  if (end !== undefined) terminal.note(dim(`(${end})`), "");
}
