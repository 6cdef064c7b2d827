import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { awaitContent, type Batches, batchOf } from "../../src/converse/answer-batches.ts";

const START: ConverseStreamOutput = { messageStart: { role: "assistant" } };
const DELTA: ConverseStreamOutput = { contentBlockDelta: { contentBlockIndex: 0, delta: { text: "Hi" } } };
const STOP: ConverseStreamOutput = { messageStop: { stopReason: "end_turn" } };
const UNKNOWN: ConverseStreamOutput = { $unknown: ["newPart", {}] };

/** Gives these batches, and tells how many were asked for and whether it was closed. */
function giving(...batches: ConverseStreamOutput[][]) {
  const seen = { given: 0, isClosed: false };
  async function* give() {
    try {
      for (const batch of batches) {
        seen.given += 1;
        yield batch;
      }
    } finally {
      seen.isClosed = true;
    }
  }
  return { seen, batches: give() };
}

describe("an answer", () => {
  it.each([
    ["a delta", DELTA],
    ["its end", STOP],
    ["a part of another kind", UNKNOWN],
  ])("is awaited until %s, and given from its beginning", async (_, said) => {
    const all = [[START], [START, said], [STOP]];
    const { seen, batches } = giving(...all);
    const answer = await awaitContent(batches);
    expect(seen.given).toBe(2);
    const given: ConverseStreamOutput[][] = [];
    for await (const batch of answer) given.push(batch);
    expect(given).toEqual(all);
    expect(seen.isClosed).toBe(true);
  });

  it("without content is an error", async () => {
    await expect(awaitContent(giving([START]).batches)).rejects.toThrow("ends without an answer");
  });

  it("is closed by whoever stops reading early", async () => {
    const { seen, batches } = giving([START], [DELTA], [STOP]);
    for await (const batch of await awaitContent(batches)) {
      expect(batch).toEqual([START]);
      break;
    }
    expect(seen).toEqual({ given: 2, isClosed: true });
  });
});

describe("a batch", () => {
  it("has what was taken before the damage, which is thrown behind it", () => {
    const damage = new Error("The frame is damaged.");
    const batch = batchOf((parts) => {
      parts.push(START);
      throw damage;
    });
    expect(batch.next()).toEqual({ done: false, value: [START] });
    expect(() => batch.next()).toThrow(damage);
    expect([...batchOf(() => undefined)]).toEqual([]);
  });
});

const wordless = (part: object): ConverseStreamOutput => part as ConverseStreamOutput;

describe("an answer that has not said anything yet", () => {
  it.each([
    ["begins", { messageStart: { role: "assistant" } }],
    ["begins blocks", { contentBlockStart: { contentBlockIndex: 0, start: undefined } }],
    [
      "begins calls",
      { contentBlockStart: { start: { toolUse: { name: "x".repeat(1_000_000), toolUseId: "a" } } } },
    ],
    ["ends blocks", { contentBlockStop: { contentBlockIndex: 0 } }],
    ["tells of its use", { metadata: { usage: { inputTokens: 1, outputTokens: 1 } } }],
  ])("is not kept without end: one that %s again and again", async (_, part) => {
    let isClosed = false;
    let count = 0;
    async function* endless(): Batches {
      try {
        // A thousand at once, as they arrive, so that the test takes less time.
        for (; count < 3000; count += 1) yield Array.from({ length: 1000 }, () => wordless(part));
      } finally {
        isClosed = true;
      }
    }
    await expect(awaitContent(endless())).rejects.toMatchObject({
      code: "bad-response",
      message: "The answer has more than 25165824 characters, which no model's has.",
    });
    expect(isClosed).toBe(true);
    expect(count).toBeLessThan(1000);
  });
});
