import { MessageStream } from "@anthropic-ai/sdk/lib/MessageStream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatEvents } from "../../../../src/converse/chat-event.ts";
import {
  gatherMessage,
  type MessageOptions,
  toMessageEvents,
} from "../../../../src/serve/dialects/messages/to-message.ts";
import { readRedacted, toRedacted } from "../../../../src/serve/dialects/messages/redacted-thinking.ts";

const START: ChatEvent = { type: "start", model: "m", region: "us-east-1", attempts: 1 };
const END: ChatEvent = { type: "stop", stopReason: "end_turn" };
const USAGE: ChatEvent = { type: "usage", inputTokens: 5, outputTokens: 2, totalTokens: 7 };

async function* arriving(events: readonly ChatEvent[]): ChatEvents {
  yield* events;
}

const told = (events: readonly ChatEvent[], more: Partial<MessageOptions> = {}) =>
  toMessageEvents(arriving(events), { id: () => "msg_1", stops: [], ...more });

async function streamed(...events: ChatEvent[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const event of told([START, ...events, END, USAGE])) all.push(event);
  return all.slice(1, -2);
}

const begin = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, fields: object) => ({ type: "content_block_delta", index, delta: fields });
const end = (index: number) => ({ type: "content_block_stop", index });
const TEXT = { type: "text", text: "" };
const THINKING = { type: "thinking", thinking: "", signature: "" };
const call = (id: string) => ({ type: "tool_use", id, name: "add", input: {}, caller: { type: "direct" } });

describe("an answer becomes blocks, one after the other", () => {
  it.each<[string, ChatEvent[], object[]]>([
    ["nothing", [], []],
    [
      "text in pieces",
      [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
      [
        begin(0, TEXT),
        delta(0, { type: "text_delta", text: "a" }),
        delta(0, { type: "text_delta", text: "b" }),
        end(0),
      ],
    ],
    [
      "thinking that is signed, and an answer",
      [
        { type: "reasoning", text: "hm" },
        { type: "signature", index: 0, signature: "sig" },
        { type: "text", text: "a" },
      ],
      [
        begin(0, THINKING),
        delta(0, { type: "thinking_delta", thinking: "hm" }),
        delta(0, { type: "signature_delta", signature: "sig" }),
        end(0),
        begin(1, TEXT),
        delta(1, { type: "text_delta", text: "a" }),
        end(1),
      ],
    ],
    [
      "thinking of which there is nothing to read, twice",
      [
        { type: "signature", index: 0, signature: "one" },
        { type: "signature", index: 1, signature: "two" },
      ],
      [
        begin(0, THINKING),
        delta(0, { type: "signature_delta", signature: "one" }),
        end(0),
        begin(1, THINKING),
        delta(1, { type: "signature_delta", signature: "two" }),
        end(1),
      ],
    ],
    [
      "thinking that was withheld",
      [{ type: "signature", index: 0, redactedContent: Buffer.from("EmwK") }],
      [begin(0, { type: "redacted_thinking", data: "EmwK" }), end(0)],
    ],
    [
      "text and two calls",
      [
        { type: "text", text: "a" },
        { type: "tool-start", index: 1, id: "1", name: "add" },
        { type: "tool-input", index: 1, text: '{"a":' },
        { type: "tool-input", index: 1, text: "1}" },
        { type: "tool-start", index: 2, id: "2", name: "add" },
        { type: "tool-input", index: 2, text: "{}" },
      ],
      [
        begin(0, TEXT),
        delta(0, { type: "text_delta", text: "a" }),
        end(0),
        begin(1, call("1")),
        delta(1, { type: "input_json_delta", partial_json: '{"a":' }),
        delta(1, { type: "input_json_delta", partial_json: "1}" }),
        end(1),
        begin(2, call("2")),
        delta(2, { type: "input_json_delta", partial_json: "{}" }),
        end(2),
      ],
    ],
    [
      "text with its source, and text without",
      [
        { type: "text", text: "a" },
        { type: "citation", title: "t", document: 0, pages: { start: 1, end: 2 }, quote: "q" },
        { type: "text", text: "b" },
      ],
      [
        begin(0, TEXT),
        delta(0, { type: "text_delta", text: "a" }),
        delta(0, {
          type: "citations_delta",
          citation: {
            type: "page_location",
            cited_text: "q",
            document_index: 0,
            document_title: "t",
            file_id: null,
            start_page_number: 1,
            end_page_number: 2,
          },
        }),
        end(0),
        begin(1, TEXT),
        delta(1, { type: "text_delta", text: "b" }),
        end(1),
      ],
    ],
  ])("%s", async (_, events, expected) => {
    expect(await streamed(...events)).toEqual(expected);
  });
});

describe("an answer ends with", () => {
  const ended = async (stop: Extract<ChatEvent, { type: "stop" }>, stops: string[] = [], calls = false) => {
    const called: ChatEvent[] = calls ? [{ type: "tool-start", index: 0, id: "1", name: "add" }] : [];
    const { stop_reason, stop_sequence, stop_details } = await gatherMessage(
      told([START, ...called, stop], { stops }),
    );
    return [stop_reason, stop_sequence, stop_details?.explanation];
  };
  it.each<[string, string, unknown]>([
    ["end_turn", "end_turn", undefined],
    ["max_tokens", "max_tokens", undefined],
    ["tool_use", "tool_use", undefined],
    ["guardrail_intervened", "refusal", "A guardrail intervened."],
    ["content_filtered", "refusal", "A content filter withheld the answer."],
    ["refusal", "refusal", null],
    ["model_context_window_exceeded", "model_context_window_exceeded", undefined],
    ["something new", "end_turn", undefined],
  ])("%s as %s", async (stopReason, reason, why) => {
    expect(await ended({ type: "stop", stopReason })).toEqual([reason, null, why]);
  });
  it("calls, whatever the model says", async () => {
    expect(await ended({ type: "stop", stopReason: "end_turn" }, [], true)).toEqual([
      "tool_use",
      null,
      undefined,
    ]);
  });
  it.each<[string | undefined, string[], string | null]>([
    ["END", ["END", "STOP"], "END"],
    [undefined, ["END"], "END"],
    [undefined, ["END", "STOP"], null],
  ])("the text that ended it: told %s of %j", async (matchedStop, stops, expected) => {
    const stop = { type: "stop", stopReason: "stop_sequence", matchedStop } as const;
    expect(await ended(stop, stops)).toEqual(["stop_sequence", expected, undefined]);
  });
});

it("counts cached tokens beside those of the input", async () => {
  const usage: ChatEvent = {
    type: "usage",
    inputTokens: 5,
    outputTokens: 2,
    totalTokens: 37,
    cacheReadInputTokens: 10,
    cacheWriteInputTokens: 20,
    cacheWrite1hInputTokens: 15,
    serviceTier: "priority",
  };
  expect((await gatherMessage(told([START, END, usage]))).usage).toMatchObject({
    input_tokens: 5,
    output_tokens: 2,
    cache_read_input_tokens: 10,
    cache_creation_input_tokens: 20,
    cache_creation: { ephemeral_1h_input_tokens: 15, ephemeral_5m_input_tokens: 5 },
    service_tier: "priority",
  });
});

it("gives withheld thinking back as it came, whatever its bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (bytes) => {
      expect(Buffer.from(await readRedacted(toRedacted(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
  expect(toRedacted(Buffer.from("EmwK"))).toBe("EmwK");
});

describe("an answer that the SDK gathers from its stream", () => {
  const said = fc.string({ unit: "grapheme", minLength: 1 });
  const input = fc.jsonValue().map((value) => JSON.stringify({ value }));
  const cut = (text: string, at: number): string[] => {
    const place = text.length === 0 ? 0 : at % text.length;
    return [text.slice(0, place), text.slice(place)].filter((piece) => piece !== "");
  };
  const citation: fc.Arbitrary<ChatEvent> = fc.record({
    type: fc.constant("citation" as const),
    title: said,
    document: fc.nat(5),
    pages: fc.option(fc.record({ start: fc.nat(9), end: fc.nat(9) }), { nil: undefined }),
    url: fc.option(fc.webUrl(), { nil: undefined }),
    quote: said,
  });
  /** What a model does next, under the number of its content block. */
  const part = (index: number): fc.Arbitrary<ChatEvent[]> =>
    fc.oneof(
      fc
        .tuple(said, fc.nat())
        .map(([text, at]) => cut(text, at).map((piece) => ({ type: "text" as const, text: piece }))),
      fc.tuple(said, citation).map(([text, cited]): ChatEvent[] => [{ type: "text", text }, cited]),
      fc.tuple(fc.array(said), said).map(([thoughts, signature]) => {
        const events: ChatEvent[] = thoughts.map((text) => ({ type: "reasoning", text }));
        return events.concat({ type: "signature", index, signature });
      }),
      fc
        .uint8Array({ minLength: 1 })
        .map((redactedContent): ChatEvent[] => [{ type: "signature", index, redactedContent }]),
      fc.tuple(input, fc.nat()).map(([json, at]) => {
        const begun: ChatEvent[] = [{ type: "tool-start", index, id: `call-${index}`, name: "add" }];
        return begun.concat(cut(json, at).map((text) => ({ type: "tool-input", index, text })));
      }),
    );
  const answer = fc
    .array(fc.nat(), { maxLength: 6 })
    .chain((numbers) => fc.tuple(...numbers.map((_, index) => part(index))))
    .map((parts) => parts.flat());

  it("is the whole answer", async () => {
    await fc.assert(
      fc.asyncProperty(answer, async (events) => {
        const all = [START, ...events, END, USAGE];
        const whole = await gatherMessage(told(all));
        const lines: string[] = [];
        for await (const event of told(all)) lines.push(`${JSON.stringify(event)}\n`);
        const stream = MessageStream.fromReadableStream(new Blob(lines).stream());
        const { content, stop_reason, usage } = await stream.finalMessage();
        const parsed = content.map((block) => {
          const { parsed_output: _, ...rest } = block as typeof block & { parsed_output?: unknown };
          return rest;
        });
        expect(parsed).toEqual(JSON.parse(JSON.stringify(whole.content)));
        expect(stop_reason).toBe(whole.stop_reason);
        expect(usage.output_tokens).toBe(whole.usage.output_tokens);
      }),
    );
  });
});
