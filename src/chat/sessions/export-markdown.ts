import { answerOf, questionOf, textOf } from "../../converse/conversation.ts";
import type { Session } from "./session-files.ts";
import { attachmentsOf, summarize, wordsOf } from "./session-summary.ts";

/** Writes a session as a Markdown document: a title, what session it is, and a section for each question and answer. */
export function exportMarkdown(session: Session): string {
  const { id, title, created, folder } = summarize(session);
  const paragraphs = [
    `# ${title === "" ? `Session ${id}` : title}`,
    `Session \`${id}\`, begun ${created} in \`${folder}\`.`,
  ];
  let system: string | undefined;
  for (const turn of session.turns) {
    if (turn.system !== system && turn.system !== undefined) paragraphs.push("## System prompt", turn.system);
    system = turn.system;
    paragraphs.push("## Question", wordsOf(questionOf(turn)));
    const attached = attachmentsOf(questionOf(turn));
    if (attached.length > 0) paragraphs.push(`Attached: ${attached.join(", ")}`);
    const answer = (answerOf(turn).content ?? []).map(textOf).join("");
    paragraphs.push(`## Answer of ${turn.model}`, answer);
    if (turn.stopReason === "interrupted") paragraphs.push("*The answer was stopped here.*");
  }
  return `${paragraphs
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .join("\n\n")}\n`;
}
