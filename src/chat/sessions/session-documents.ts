import type { ContentBlock, DocumentBlock, Message } from "@aws-sdk/client-bedrock-runtime";
import {
  answerOf,
  blocksOf,
  fileOf,
  isAnswered,
  partsOf,
  questionOf,
  type TurnPart,
} from "../../converse/conversation.ts";
import { SourceList, toCitedSource } from "../../converse/cited-source.ts";
import type { Session } from "./session-files.ts";
import { type KeptTurn, packBytes } from "./session-record.ts";
import { toJson } from "../../json-numbers.ts";

export interface SessionSummary {
  id: string;
  /** What somebody called it, else the first question, on one line. */
  title: string;
  /** The key of the model that was asked last; null before the first answer. */
  model: string | null;
  turns: number;
  /** As ISO 8601. */
  created: string;
  /** When the last turn was written, as ISO 8601. */
  updated: string;
  /** The folder it was begun in. */
  folder: string;
  /** Set where the emulator answers. */
  emulated?: true;
}

type KeptText = Pick<Session, "header" | "turns" | "title" | "updated">;

/** Sums a session up. */
export function summarize({ header, turns, title, updated }: KeptText): SessionSummary {
  const [first] = turns;
  return {
    id: header.id,
    title: title ?? (first ? titleOf(questionOf(first)) : ""),
    model: turns.at(-1)?.key ?? null,
    turns: turns.length,
    created: header.created,
    updated: new Date(updated).toISOString(),
    folder: header.folder,
    ...(header.emulated ? { emulated: true as const } : {}),
  };
}

/** A title of so many characters at most. */
export function shortTitle(title: string, most: number): string {
  const characters = Array.from(title);
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : title;
}

/** A question on one line: its words, or else what was attached. */
function titleOf(question: Message): string {
  const words = wordsOf(question).replaceAll(/\s+/g, " ").trim();
  return words === "" ? attachmentsOf(question).join(", ") : words;
}

/** What a message says in words. */
export function wordsOf({ content }: Message): string {
  return (content ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n\n");
}

/** What was attached to a message, each as a person would name it: `image (png)`, `report (pdf)`, `s3://bucket/talk.mp3`. */
export function attachmentsOf({ content }: Message): string[] {
  return (content ?? []).flatMap((block: ContentBlock) => {
    const { kind, format, s3Location } = fileOf(block) ?? {};
    if (s3Location) return [s3Location.uri ?? ""];
    if (block.document) return [documentLabel(block.document)];
    return format === undefined ? [] : [`${kind} (${format})`];
  });
}

/** What an answer names as its sources, each once, as they are told below it: `[1] report (pdf), page 3`. */
export function sourcesOf(turn: KeptTurn): string[] {
  const sources = new SourceList();
  const blocks = blocksOf({ messages: turn.messages.filter(({ role }) => role === "assistant") });
  for (const citation of blocks.flatMap(({ citationsContent }) => citationsContent?.citations ?? []))
    sources.numberOf(toCitedSource(citation));
  return sources.lines().map((line, index) => `[${index + 1}] ${line.replaceAll(/\s+/g, " ")}`);
}

/** What a reader is told at the end of a turn that did not come to its end: undefined for one that did. */
export function describeEnd(turn: KeptTurn): string | undefined {
  const { failure, stopReason } = turn;
  const where = isAnswered(turn) ? "here" : "before it was answered";
  if (failure)
    return isAnswered(turn) ? `broken off here: ${failure.message}` : `no answer: ${failure.message}`;
  if (stopReason === "interrupted") return `stopped ${where}`;
  const last = partsOf(turn).at(-1);
  if (last && "call" in last && !last.result) return "its calls have no result";
  return isAnswered(turn) ? undefined : "only reasoning";
}

/** Names from before they said their format do without it. */
function documentLabel({ name = "", format }: DocumentBlock): string {
  return format === undefined || name.includes(`(${format})`) ? name : `${name} (${format})`;
}

/** A session as its `--json` document, every content block as it was sent and came; bytes as `{"$bytes": base64}`. */
export function sessionDocument({
  header,
  title,
  turns,
  updated,
  damagedLines,
}: Session): Record<string, unknown> {
  return {
    ...header,
    ...(title === undefined ? {} : { title }),
    updated: new Date(updated).toISOString(),
    turns: turns.map((turn) => {
      const { messages, promptDigest: _, ...rest } = turn;
      const rounds = messages.length > 2 ? { messages } : {};
      return packBytes({ ...rest, user: questionOf(turn), assistant: answerOf(turn), ...rounds });
    }),
    damagedLines,
  };
}

/** Writes a session as a Markdown document: a title, what session it is, and a section for each question and answer. */
export function exportMarkdown(session: KeptText): string {
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
    paragraphs.push(`## Answer of ${turn.model}`, ...partsOf(turn).flatMap(toMarkdown));
    // Two spaces at the end of a line of Markdown keep the next one apart.
    paragraphs.push(sourcesOf(turn).join("  \n"));
    const end = describeEnd(turn);
    if (end !== undefined) paragraphs.push(`*(${end})*`);
  }
  return `${paragraphs
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .join("\n\n")}\n`;
}

/** A part of an answer as paragraphs of Markdown: what a tool was called with, and what it came to, stay what they are. */
function toMarkdown(part: TurnPart): string[] {
  if ("text" in part) return [part.text];
  const { call, result } = part;
  const name = (call.name ?? "").replaceAll(/[`\s]+/g, " ");
  const called = [`Called \`${name}\`:`, fenced(toJson(call.input, undefined, 2) ?? "", "json")];
  if (!result) return called;
  const { content = [], status } = result;
  const texts = content.map(({ text, json, ...file }) => {
    if (text !== undefined) return text;
    return json === undefined
      ? attachmentsOf({ role: "user", content: [file as ContentBlock] }).join(", ")
      : toJson(json);
  });
  return [...called, status === "error" ? "It failed:" : "It came to:", fenced(texts.join("\n"), "text")];
}

/** A text in a fence that is longer than any in it. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n$/, "")}\n${fence}`;
}
