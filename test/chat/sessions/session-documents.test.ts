import { expect, it } from "vitest";
import { attachmentsOf, summarize, wordsOf } from "../../../src/chat/sessions/session-documents.ts";
import type { KeptTurn } from "../../../src/chat/sessions/session-record.ts";

const turn = (key: string, question: string): KeptTurn => ({
  at: "2026-11-22T10:01:00.000Z",
  key,
  model: key,
  stopReason: "end_turn",
  messages: [
    { role: "user", content: [{ text: question }] },
    { role: "assistant", content: [{ text: "Yes." }] },
  ],
});
const session = (turns: KeptTurn[]) => ({
  header: { id: "s", folder: "/somewhere", created: "2026-11-22T10:00:00.000Z" },
  turns,
  damagedLines: 0,
  file: "/s.jsonl",
  updated: Date.parse("2026-11-22T10:02:00.000Z"),
  bytes: 1,
  wholeBytes: 1,
});

it("sums a session up by its first question and its last model", () => {
  expect(summarize(session([turn("one", "Why\n  is it? "), turn("two", "And?")]))).toEqual({
    id: "s",
    title: "Why is it?",
    model: "two",
    turns: 2,
    created: "2026-11-22T10:00:00.000Z",
    updated: "2026-11-22T10:02:00.000Z",
    folder: "/somewhere",
  });
});

it("sums up a session without an answer", () => {
  expect(summarize(session([]))).toMatchObject({ title: "", model: null, turns: 0 });
});

it("tells a message's words from what was attached to it", () => {
  const bytes = new Uint8Array(1);
  const message = {
    role: "user" as const,
    content: [
      { image: { format: "png" as const, source: { bytes } } },
      { document: { format: "pdf" as const, name: "report", source: { bytes } } },
      { text: "What" },
      { text: "is it?" },
    ],
  };
  expect(wordsOf(message)).toBe("What\n\nis it?");
  expect(attachmentsOf(message)).toEqual(["image (png)", "report (pdf)"]);
  expect(wordsOf({ role: "user", content: undefined })).toBe("");
  expect(attachmentsOf({ role: "user", content: undefined })).toEqual([]);
});
