import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../src/converse/chat-event.ts";
import type { Deadlines } from "../../src/converse/deadlines.ts";
import { readEvents } from "../../src/converse/read-events.ts";
import { OpenclawError } from "../../src/errors.ts";

const CITATION = {
  title: "a.pdf",
  location: { documentPage: { documentIndex: 0, start: 1, end: 1 } },
};
const TRACE = { guardrail: { actionReason: "No action." }, promptRouter: { invokedModelId: "arn:m" } };

/** What one batch of parts holds, block for block. */
const PARTS = [
  { messageStart: { role: "assistant" } },
  { contentBlockDelta: { contentBlockIndex: 0, delta: { reasoningContent: { text: "hm" } } } },
  { contentBlockDelta: { contentBlockIndex: 1, delta: { text: "one " } } },
  { contentBlockDelta: { contentBlockIndex: 1, delta: { text: "and " } } },
  { contentBlockDelta: { contentBlockIndex: 2, delta: { text: "two" } } },
  { contentBlockDelta: { contentBlockIndex: 2, delta: { citation: CITATION } } },
  { messageStop: { stopReason: "end_turn", additionalModelResponseFields: { a: 1 } } },
  {
    metadata: {
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
      metrics: { latencyMs: 40 },
      trace: TRACE,
    },
  },
] as unknown as ConverseStreamOutput[];

async function eventsOf(passesDetails: boolean): Promise<ChatEvent[]> {
  const deadlines = { heard() {}, expectEnd() {}, signal: new AbortController().signal };
  const events: ChatEvent[] = [];
  const batches = (async function* () {
    yield structuredClone(PARTS);
  })();
  const reading = {
    requestId: "r",
    deadlines: deadlines as unknown as Deadlines,
    hasTools: false,
    toolNames: new Map<string, string>(),
    coalesces: true,
    passesDetails,
    recorder: undefined,
    toFailure: (failure: unknown) => new OpenclawError("internal", { message: String(failure) }),
    isSaid: () => false,
  };
  for await (const event of readEvents(batches, reading)) events.push(event);
  return events;
}

describe("the events of an answer", () => {
  it("have what only Converse tells where that is asked for, and texts by their blocks", async () => {
    expect(await eventsOf(true)).toMatchObject([
      { type: "reasoning", text: "hm", index: 0 },
      { type: "text", text: "one and ", index: 1 },
      { type: "text", text: "two", index: 2 },
      { type: "citation", index: 2, delta: CITATION, title: "a.pdf", pages: { start: 1, end: 1 } },
      { type: "stop", stopReason: "end_turn", ownFields: { a: 1 } },
      { type: "usage", totalTokens: 3, latencyMs: 40, trace: TRACE, invokedModel: "arn:m" },
    ]);
  });

  it("have nothing of it where it is not, and one text of all blocks", async () => {
    const events = await eventsOf(false);
    expect(events.map(({ type }) => type)).toEqual(["reasoning", "text", "citation", "stop", "usage"]);
    expect(events[1]).toEqual({ type: "text", text: "one and two" });
    const names = new Set(events.flatMap((event) => Object.keys(event)));
    for (const name of ["index", "delta", "ownFields", "trace", "latencyMs"])
      expect(names).not.toContain(name);
  });
});
