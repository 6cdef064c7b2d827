import type { ContentBlock, Message } from "@aws-sdk/client-bedrock-runtime";
import { questionOf } from "../../converse/conversation.ts";
import type { Session } from "./session-files.ts";

/** What a list shows of a session. */
export interface SessionSummary {
  id: string;
  /** The first question, on one line. */
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
}

/** Sums a session up. */
export function summarize({ header, turns, updated }: Session): SessionSummary {
  const [first] = turns;
  return {
    id: header.id,
    title: first ? wordsOf(questionOf(first)).replaceAll(/\s+/g, " ").trim() : "",
    model: turns.at(-1)?.key ?? null,
    turns: turns.length,
    created: header.created,
    updated: new Date(updated).toISOString(),
    folder: header.folder,
  };
}

/** What a message says in words. */
export function wordsOf({ content }: Message): string {
  return (content ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n\n");
}

/** What was attached to a message, each as a person would name it: `image (png)`, `report (pdf)`. */
export function attachmentsOf({ content }: Message): string[] {
  return (content ?? []).flatMap((block: ContentBlock) => {
    if (block.image) return [`image (${block.image.format})`];
    if (block.document) return [`${block.document.name} (${block.document.format})`];
    return [];
  });
}
