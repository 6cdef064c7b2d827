import { expect, it } from "vitest";
import type { ChatEvent } from "../../src/converse/chat-event.ts";
import { serveEvents } from "../../src/serve/served-events.ts";

async function served(events: readonly ChatEvent[]): Promise<ChatEvent[]> {
  async function* came() {
    yield* events;
  }
  const told: ChatEvent[] = [];
  for await (const event of serveEvents(came(), { mayCallInParallel: true })) told.push(event);
  return told;
}

const proving = (signature: string | undefined, bytes?: Uint8Array): ChatEvent => ({
  type: "signature",
  index: 0,
  signature,
  redactedContent: bytes,
});
const STOP: ChatEvent = { type: "stop", stopReason: "end_turn" };

it("puts what proves reasoning together from its pieces, and those of each block by themselves", async () => {
  const other = { ...proving("c"), index: 1 } as ChatEvent;
  expect(await served([proving("a"), proving("b"), other, STOP])).toEqual([proving("ab"), other, STOP]);
  const pieces = Array.from({ length: 1000 }, (_, place) => proving(undefined, Buffer.of(place % 256)));
  const [whole] = await served([...pieces, STOP]);
  expect(whole).toEqual(proving(undefined, Buffer.from(pieces.map((_, place) => place % 256))));
});

it("leaves out what is longer than what any model proves, and never hands on a part of it", async () => {
  for (const [size, times] of [
    [2_000_001, 1],
    [300_000, 9],
  ] as const) {
    const signed = Array.from({ length: times }, () => proving("a".repeat(size)));
    const withheld = Array.from({ length: times }, () => proving(undefined, Buffer.alloc(size)));
    expect(await served([...signed, STOP])).toEqual([STOP]);
    expect(await served([...withheld, STOP])).toEqual([STOP]);
  }
});
