import { array, assert, asyncProperty, constantFrom, nat, oneof, record, string } from "fast-check";
import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatEvents } from "../../../../src/converse/chat-event.ts";
import { toConverseAnswer, toConverseParts } from "../../../../src/serve/dialects/bedrock/to-converse.ts";

const START: ChatEvent = { type: "start", model: "m", region: "us-east-1", attempts: 1 };
const STOP: ChatEvent = { type: "stop", stopReason: "end_turn" };
const USAGE: ChatEvent = { type: "usage", inputTokens: 1, outputTokens: 2, totalTokens: 3, latencyMs: 40 };

async function* eventsOf(events: readonly ChatEvent[]): ChatEvents {
  yield* events;
}

const telling = { since: () => 12.4, showsGuardrail: false };
const partsFrom = (events: readonly ChatEvent[], showsGuardrail = false) =>
  toConverseParts(eventsOf(events), { ...telling, showsGuardrail });

async function partsOf(
  events: readonly ChatEvent[],
  showsGuardrail = false,
): Promise<ConverseStreamOutput[]> {
  const parts: ConverseStreamOutput[] = [];
  for await (const part of partsFrom(events, showsGuardrail)) parts.push(part);
  return parts;
}

const CITATION = { title: "a.pdf", location: { documentPage: { documentIndex: 0, start: 1, end: 1 } } };

describe("an answer as Converse tells it", () => {
  it("has its blocks one after another, each with what belongs to it", async () => {
    const parts = await partsOf([
      START,
      { type: "reasoning", text: "hm", index: 0 },
      { type: "signature", index: 0, signature: "sig" },
      { type: "signature", index: 1, redactedContent: Buffer.from("x") },
      { type: "text", text: "one", index: 2 },
      { type: "text", text: "two", index: 3 },
      { type: "citation", index: 3, delta: CITATION, title: "a.pdf" },
      { type: "tool-start", index: 5, id: "t1", name: "weather" },
      { type: "tool-input", index: 5, text: '{"a":' },
      { type: "tool-input", index: 5, text: "1}" },
      STOP,
      USAGE,
    ]);
    const delta = (contentBlockIndex: number, what: object) => ({
      contentBlockDelta: { contentBlockIndex, delta: what },
    });
    const end = (contentBlockIndex: number) => ({ contentBlockStop: { contentBlockIndex } });
    expect(parts).toEqual([
      { messageStart: { role: "assistant" } },
      delta(0, { reasoningContent: { text: "hm" } }),
      delta(0, { reasoningContent: { signature: "sig" } }),
      end(0),
      delta(1, { reasoningContent: { redactedContent: Buffer.from("x") } }),
      end(1),
      delta(2, { text: "one" }),
      end(2),
      delta(3, { text: "two" }),
      delta(3, { citation: CITATION }),
      end(3),
      {
        contentBlockStart: { contentBlockIndex: 4, start: { toolUse: { toolUseId: "t1", name: "weather" } } },
      },
      delta(4, { toolUse: { input: '{"a":' } }),
      delta(4, { toolUse: { input: "1}" } }),
      end(4),
      { messageStop: { stopReason: "tool_use" } },
      {
        metadata: { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 }, metrics: { latencyMs: 40 } },
      },
    ]);
  });

  it.each([
    ["end_turn", "end_turn"],
    ["max_tokens", "max_tokens"],
    ["stop_sequence", "stop_sequence"],
    ["guardrail_intervened", "guardrail_intervened"],
    ["content_filtered", "content_filtered"],
    ["model_context_window_exceeded", "model_context_window_exceeded"],
    // Of other APIs.
    ["refusal", "content_filtered"],
  ])("stops with %s as %s", async (stopReason, told) => {
    const parts = await partsOf([START, { type: "text", text: "a" }, { type: "stop", stopReason }]);
    expect(parts.find(({ messageStop }) => messageStop)).toEqual({ messageStop: { stopReason: told } });
  });

  it("has all that Converse tells beside the words", async () => {
    const trace = { guardrail: { actionReason: "a" }, promptRouter: { invokedModelId: "arn:m" } };
    const events: ChatEvent[] = [
      START,
      { type: "text", text: "a" },
      { ...STOP, ownFields: { stop_sequence: "END" } } as ChatEvent,
      {
        type: "usage",
        inputTokens: 1,
        outputTokens: 2,
        totalTokens: 16,
        cacheReadInputTokens: 3,
        cacheWriteInputTokens: 10,
        cacheWrite1hInputTokens: 4,
        serviceTier: "flex",
        latency: "optimized",
        trace,
      },
    ];
    const told = {
      stopReason: "end_turn",
      additionalModelResponseFields: { stop_sequence: "END" },
      usage: {
        inputTokens: 1,
        outputTokens: 2,
        totalTokens: 16,
        cacheReadInputTokens: 3,
        cacheWriteInputTokens: 10,
        cacheDetails: [
          { ttl: "5m", inputTokens: 6 },
          { ttl: "1h", inputTokens: 4 },
        ],
      },
      metrics: { latencyMs: 12 },
      performanceConfig: { latency: "optimized" },
      serviceTier: { type: "flex" },
    };
    const message = { role: "assistant", content: [{ text: "a" }] };
    expect(await toConverseAnswer(partsFrom(events, true))).toEqual({ output: { message }, ...told, trace });
    // A guardrail of the server's own tells nobody what it found.
    expect(await toConverseAnswer(partsFrom(events))).toEqual({
      output: { message },
      ...told,
      trace: { promptRouter: trace.promptRouter },
    });
  });

  it("has counts where nobody counted", async () => {
    const answer = await toConverseAnswer(partsFrom([START, { type: "text", text: "a" }, STOP]));
    expect(answer).toMatchObject({
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
      metrics: { latencyMs: 12 },
    });
  });

  it("is the same streamed and whole, its blocks numbered and ended, whatever the model says", async () => {
    const index = nat(3);
    const text = string({ minLength: 1, maxLength: 3 });
    const event = oneof(
      record({ type: constantFrom("text" as const), text, index }),
      record({ type: constantFrom("reasoning" as const), text, index }),
    );
    await assert(
      asyncProperty(array(event, { maxLength: 20 }), async (said) => {
        const events = [START, ...said, STOP, USAGE];
        const parts = await partsOf(events);
        const indices = parts.flatMap(({ contentBlockDelta: delta, contentBlockStop: stop }) => {
          const at = (delta ?? stop)?.contentBlockIndex;
          return at === undefined ? [] : [{ at, isEnd: stop !== undefined }];
        });
        let open = 0;
        for (const { at, isEnd } of indices) {
          expect(at).toBe(open);
          if (isEnd) open += 1;
        }
        const { output } = await toConverseAnswer(partsFrom(events));
        const words = (output?.message?.content ?? []).map(
          (block) => block.text ?? block.reasoningContent?.reasoningText?.text ?? "",
        );
        expect(words.join("")).toBe(said.map((one) => one.text).join(""));
        expect(words).toHaveLength(open);
      }),
    );
  });
});
