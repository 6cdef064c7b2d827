import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageAssembler } from "../../../src/converse/message-assembler.ts";
import { MessagesReader } from "../../../src/wires/messages/messages-reader.ts";
import { toMessagesRequest } from "../../../src/wires/messages/messages-request.ts";

type Event = Record<string, unknown>;

function read(...events: Event[]): ConverseStreamOutput[] {
  const reader = new MessagesReader();
  const parts = events.flatMap((event) => reader.take(event));
  return [...parts, ...reader.end()];
}

const begin = (usage: object = { input_tokens: 5, output_tokens: 1 }): Event => ({
  type: "message_start",
  message: { id: "msg_1", type: "message", role: "assistant", content: [], usage },
});
const open = (index: number, block: object): Event => ({
  type: "content_block_start",
  index,
  content_block: block,
});
const delta = (index: number, fields: object): Event => ({
  type: "content_block_delta",
  index,
  delta: fields,
});
const close = (index: number): Event => ({ type: "content_block_stop", index });
const finish = (reason: string | null, usage: object = { output_tokens: 2 }): Event[] => [
  { type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage },
  { type: "message_stop" },
];
const words = (index: number, text: string): Event[] => [
  open(index, { type: "text", text: "" }),
  delta(index, { type: "text_delta", text }),
  close(index),
];

const start = { messageStart: { role: "assistant" } };
const said = (contentBlockIndex: number, fields: object) => ({
  contentBlockDelta: { contentBlockIndex, delta: fields },
});
const called = (contentBlockIndex: number, toolUse: object) => ({
  contentBlockStart: { contentBlockIndex, start: { toolUse } },
});
const stop = (contentBlockIndex: number) => ({ contentBlockStop: { contentBlockIndex } });
const end = (stopReason: string) => ({ messageStop: { stopReason } });
const counted = (usage: object, more: object = {}) => ({ metadata: { usage, metrics: undefined, ...more } });
const seven = counted({ inputTokens: 5, outputTokens: 2, totalTokens: 7 });

it("hands on which text ended the answer, in the place that Converse has it in", () => {
  const [, last] = finish("stop_sequence");
  const delta = { stop_reason: "stop_sequence", stop_sequence: "END" };
  const stopped = {
    ...end("stop_sequence").messageStop,
    additionalModelResponseFields: { stop_sequence: "END" },
  };
  expect(read(begin(), ...words(0, "a"), { type: "message_delta", delta }, last ?? {})).toContainEqual({
    messageStop: stopped,
  });
  const whole = new MessagesReader().takeWhole({ content: [{ type: "text", text: "a" }], ...delta });
  expect(whole).toContainEqual({ messageStop: stopped });
});

it("makes a text answer one block, with the counts of its end", () => {
  expect(
    read(
      begin(),
      open(0, { type: "text", text: "" }),
      { type: "ping" },
      delta(0, { type: "text_delta", text: "Hel" }),
      delta(0, { type: "text_delta", text: "lo" }),
      close(0),
      ...finish("end_turn"),
    ),
  ).toEqual([start, said(0, { text: "Hel" }), said(0, { text: "lo" }), stop(0), end("end_turn"), seven]);
});

it.each([
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
])("tells that it stopped for %s", (reason) => {
  expect(read(begin(), ...finish(reason))).toEqual([start, end(reason), seven]);
});

it("is whole only with message_stop, and over then", () => {
  const reader = new MessagesReader();
  const [last = {}, over = {}] = finish("end_turn");
  for (const event of [begin(), ...words(0, "Hi"), last])
    expect(reader.take(event)).not.toContainEqual(end("end_turn"));
  expect(reader.isFinished).toBe(false);
  expect(reader.take(over)).toContainEqual(end("end_turn"));
  expect(reader.isFinished).toBe(true);
  expect([...words(1, "more"), over].flatMap((event) => reader.take(event))).toEqual([]);
});

describe("reads reasoning", () => {
  it("with its signature", () => {
    expect(
      read(
        begin(),
        open(0, { type: "thinking", thinking: "", signature: "" }),
        delta(0, { type: "thinking_delta", thinking: "hm" }),
        delta(0, { type: "signature_delta", signature: "sig" }),
        close(0),
        ...words(1, "yes"),
        ...finish("end_turn"),
      ),
    ).toEqual([
      start,
      said(0, { reasoningContent: { text: "hm" } }),
      said(0, { reasoningContent: { signature: "sig" } }),
      stop(0),
      said(1, { text: "yes" }),
      stop(1),
      end("end_turn"),
      seven,
    ]);
  });

  it("so that it goes back as it came: signed, sealed, or with its words withheld", () => {
    const blocks = [
      { type: "redacted_thinking", data: "EmwKAhgB+/=" },
      { type: "thinking", thinking: "", signature: "c2ln" },
      { type: "thinking", thinking: "hm", signature: "bnI" },
      { type: "text", text: "yes" },
    ];
    const assembler = new MessageAssembler();
    const opened = blocks.flatMap((block, index) => [open(index, block), close(index)]);
    for (const part of read(begin(), ...opened, ...finish("end_turn"))) assembler.take(part);
    const target = { model: "m", maxTokens: 1, takesDocumentBlocks: true };
    const { body } = toMessagesRequest({ modelId: "m", messages: [assembler.message()] }, target);
    expect(body.messages).toEqual([{ role: "assistant", content: blocks }]);
  });
});

describe("reads calls of tools", () => {
  const input = (index: number, json: string) => said(index, { toolUse: { input: json } });

  it("in pieces, and those without arguments", () => {
    expect(
      read(
        begin(),
        open(0, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }),
        delta(0, { type: "input_json_delta", partial_json: "" }),
        delta(0, { type: "input_json_delta", partial_json: '{"city":' }),
        delta(0, { type: "input_json_delta", partial_json: '"Oslo"}' }),
        close(0),
        open(1, { type: "tool_use", id: "toolu_2", name: "time", input: {} }),
        close(1),
        ...finish("tool_use"),
      ),
    ).toEqual([
      start,
      called(0, { toolUseId: "toolu_1", name: "weather" }),
      input(0, '{"city":'),
      input(0, '"Oslo"}'),
      stop(0),
      called(1, { toolUseId: "toolu_2", name: "time" }),
      stop(1),
      end("tool_use"),
      seven,
    ]);
  });

  it("that are whole in their beginning, as some servers send them, with no reason to stop", () => {
    const call = { type: "tool_use", id: "a", name: "t", input: { x: 1 } };
    expect(read(begin(), open(0, call), close(0), ...finish(null))).toEqual([
      start,
      called(0, { toolUseId: "a", name: "t" }),
      input(0, '{"x":1}'),
      stop(0),
      end("tool_use"),
      seven,
    ]);
  });

  it("of two that have one number, or their input as a text", () => {
    expect(
      read(
        begin(),
        open(0, { type: "tool_use", id: "a", name: "t", input: '{"x":1}' }),
        close(0),
        open(0, { type: "tool_use", id: "b", name: "t", input: {} }),
        delta(0, { type: "input_json_delta", partial_json: { x: 2 } }),
        close(0),
        ...finish("end_turn"),
      ),
    ).toEqual([
      start,
      called(0, { toolUseId: "a", name: "t" }),
      said(0, { toolUse: { input: '{"x":1}' } }),
      stop(0),
      called(1, { toolUseId: "b", name: "t" }),
      said(1, { toolUse: { input: '{"x":2}' } }),
      stop(1),
      end("end_turn"),
      seven,
    ]);
  });

  it("of the service's own, and what they found", () => {
    const content = [{ type: "web_search_result", url: "https://e.com", encrypted_content: "x" }];
    expect(
      read(
        begin(),
        open(0, { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }),
        delta(0, { type: "input_json_delta", partial_json: '{"query":"e"}' }),
        close(0),
        open(1, { type: "web_search_tool_result", tool_use_id: "srv_1", content }),
        close(1),
        ...finish(null),
      ),
    ).toEqual([
      start,
      called(0, { toolUseId: "srv_1", name: "web_search", type: "server_tool_use" }),
      input(0, '{"query":"e"}'),
      stop(0),
      {
        contentBlockStart: {
          contentBlockIndex: 1,
          start: { toolResult: { toolUseId: "srv_1", type: "web_search_tool_result" } },
        },
      },
      said(1, { toolResult: [{ json: { content } }] }),
      stop(1),
      end("end_turn"),
      seven,
    ]);
  });
});

describe("reads citations", () => {
  it.each<[string, object, object]>([
    [
      "of a text",
      {
        type: "char_location",
        document_index: 0,
        document_title: "D",
        start_char_index: 1,
        end_char_index: 4,
      },
      { title: "D", location: { documentChar: { documentIndex: 0, start: 1, end: 4 } } },
    ],
    [
      "of a pdf",
      {
        type: "page_location",
        document_index: 1,
        document_title: null,
        start_page_number: 2,
        end_page_number: 3,
      },
      { location: { documentPage: { documentIndex: 1, start: 2, end: 3 } } },
    ],
    [
      "of parts",
      { type: "content_block_location", document_index: 0, start_block_index: 0, end_block_index: 1 },
      { location: { documentChunk: { documentIndex: 0, start: 0, end: 1 } } },
    ],
    [
      "of what a search found",
      {
        type: "search_result_location",
        search_result_index: 0,
        source: "https://e.com",
        title: "E",
        start_block_index: 0,
        end_block_index: 1,
      },
      {
        title: "E",
        source: "https://e.com",
        location: { searchResultLocation: { searchResultIndex: 0, start: 0, end: 1 } },
      },
    ],
    [
      "of the web",
      { type: "web_search_result_location", url: "https://e.com/a", title: "E", encrypted_index: "x" },
      { title: "E", location: { web: { url: "https://e.com/a", domain: "e.com" } } },
    ],
  ])("%s", (_, fields, expected) => {
    const citation = { ...fields, cited_text: "words" };
    const cited = said(0, { citation: { ...expected, sourceContent: [{ text: "words" }] } });
    expect(
      read(open(0, { type: "text", text: "" }), delta(0, { type: "citations_delta", citation })),
    ).toEqual([start, cited]);
    expect(read(open(0, { type: "text", text: "", citations: [citation] }))).toEqual([start, cited]);
  });
});

describe("counts tokens", () => {
  it("of the cache, by how long it keeps them", () => {
    const usage = {
      input_tokens: 3,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens: 1,
      service_tier: "priority",
    };
    const expected = {
      inputTokens: 3,
      outputTokens: 2,
      totalTokens: 135,
      cacheReadInputTokens: 100,
      cacheWriteInputTokens: 30,
      cacheDetails: [
        { ttl: "1h", inputTokens: 20 },
        { ttl: "5m", inputTokens: 10 },
      ],
    };
    expect(read(begin(usage), ...finish("end_turn")).at(-1)).toEqual(
      counted(expected, { serviceTier: { type: "priority" } }),
    );
  });

  it("by the last word, but for what that leaves open", () => {
    const first = { input_tokens: 5, output_tokens: 1, cache_read_input_tokens: 7 };
    const last = { input_tokens: 9, output_tokens: 4, cache_read_input_tokens: null };
    expect(read(begin(first), ...finish("end_turn", last)).at(-1)).toEqual(
      counted({ inputTokens: 9, outputTokens: 4, totalTokens: 20, cacheReadInputTokens: 7 }),
    );
  });

  it("not where nobody did", () => {
    expect(read(begin({}), ...finish("end_turn", {}))).toEqual([start, end("end_turn")]);
  });
});

it("ends a block where the next one begins, if nobody has", () => {
  expect(
    read(
      begin(),
      open(0, { type: "tool_use", id: "a", name: "t", input: { x: 1 } }),
      open(1, { type: "text", text: "Hi" }),
      ...finish("tool_use"),
    ),
  ).toEqual([
    start,
    called(0, { toolUseId: "a", name: "t" }),
    said(0, { toolUse: { input: '{"x":1}' } }),
    stop(0),
    said(1, { text: "Hi" }),
    stop(1),
    end("tool_use"),
    seven,
  ]);
});

it("takes events of any shape, and never says that an answer is whole without its last", () => {
  const value = fc.anything({ withNullPrototype: false });
  const type = fc.constantFrom(
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
  );
  const block = fc.record(
    {
      type: fc.constantFrom("text", "thinking", "tool_use", "redacted_thinking", "x_tool_result", "?"),
      text: value,
      input: value,
      id: value,
      citations: value,
    },
    { requiredKeys: [] },
  );
  const event = fc.record(
    {
      type,
      index: fc.oneof(fc.nat(3), value),
      content_block: fc.oneof(block, value),
      delta: fc.oneof(fc.record({ partial_json: value, text: value, citation: value }), value),
      usage: value,
      message: value,
    },
    { requiredKeys: ["type"] },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      const reader = new MessagesReader();
      const parts = events.flatMap((one) => reader.take(one));
      const isOver = events.some((one) => one.type === "message_stop");
      expect(reader.isFinished).toBe(isOver);
      expect(parts.filter(({ messageStop }) => messageStop)).toHaveLength(isOver ? 1 : 0);
      const assembler = new MessageAssembler();
      for (const part of parts) assembler.take(part);
      expect(assembler.message().role).toBe("assistant");
    }),
  );
});

it("passes over events, blocks and deltas that it does not know", () => {
  expect(
    read(
      begin(),
      { type: "brand_new", index: 0 },
      open(0, { type: "brand_new_block" }),
      delta(0, { type: "brand_new_delta", words: "?" }),
      close(0),
      ...words(1, "Hi"),
      ...finish("end_turn"),
    ),
  ).toEqual([start, stop(0), said(1, { text: "Hi" }), stop(1), end("end_turn"), seven]);
});

it("does without the beginning, the places and the ends of blocks, which servers leave out", () => {
  expect(
    read(
      { type: "content_block_start", content_block: { type: "text", text: "" } },
      { type: "content_block_delta", delta: { type: "text_delta", text: "Hi" } },
      ...finish("end_turn"),
    ),
  ).toEqual([
    start,
    said(0, { text: "Hi" }),
    stop(0),
    end("end_turn"),
    counted({ inputTokens: 0, outputTokens: 2, totalTokens: 2 }),
  ]);
});

describe("reads a message that comes whole", () => {
  it("as its stream", () => {
    const reader = new MessagesReader();
    const parts = reader.takeWhole({
      type: "message",
      role: "assistant",
      content: [
        { type: "thinking", thinking: "hm", signature: "sig" },
        { type: "text", text: "yes" },
        { type: "tool_use", id: "a", name: "t", input: {} },
      ],
      stop_reason: "tool_use",
      usage: { input_tokens: 5, output_tokens: 2 },
    });
    expect(parts).toEqual([
      start,
      said(0, { reasoningContent: { text: "hm" } }),
      said(0, { reasoningContent: { signature: "sig" } }),
      stop(0),
      said(1, { text: "yes" }),
      stop(1),
      called(2, { toolUseId: "a", name: "t" }),
      stop(2),
      end("tool_use"),
      seven,
    ]);
    expect(reader.isFinished).toBe(true);
  });

  it("and refuses what is none", () => {
    const other = {
      Output: { __type: "com.amazon.coral.service#UnknownOperationException" },
      Version: "1.0",
    };
    expect(() => new MessagesReader().takeWhole(other)).toThrow(
      expect.objectContaining({ code: "bad-response" }),
    );
  });
});
