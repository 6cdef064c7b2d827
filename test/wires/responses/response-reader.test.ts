import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { assert, integer, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageAssembler } from "../../../src/converse/message-assembler.ts";
import { ResponseReader } from "../../../src/wires/responses/response-reader.ts";
import { callOf, message, response, streamed, thought } from "../../helpers/responses-events.ts";

type Item = Record<string, unknown>;

function read(all: readonly Item[]): ConverseStreamOutput[] {
  const reader = new ResponseReader();
  return [...all.flatMap((event) => reader.take(event)), ...reader.end()];
}

function readWhole(answer: Item): ConverseStreamOutput[] {
  const reader = new ResponseReader();
  return [...reader.takeWhole(answer), ...reader.end()];
}

/** The content that a conversation keeps of an answer. */
function kept(parts: readonly ConverseStreamOutput[]) {
  const assembler = new MessageAssembler();
  for (const part of parts) assembler.take(part);
  return assembler.message().content;
}

const counts = {
  inputTokens: 5,
  outputTokens: 3,
  totalTokens: 12,
  cacheReadInputTokens: 4,
};

it("makes a text one block, with the counts behind it", () => {
  expect(read(streamed([message("Hello!")]))).toEqual([
    { messageStart: { role: "assistant" } },
    { contentBlockDelta: { contentBlockIndex: 0, delta: { text: "Hell" } } },
    { contentBlockDelta: { contentBlockIndex: 0, delta: { text: "o!" } } },
    { contentBlockStop: { contentBlockIndex: 0 } },
    { messageStop: { stopReason: "end_turn" } },
    { metadata: { usage: counts, metrics: undefined } },
  ]);
});

const refusal = {
  type: "message",
  content: [{ type: "refusal", refusal: "I cannot do that." }],
};
const cited = {
  type: "message",
  content: [
    {
      type: "output_text",
      text: "It rains.",
      annotations: [
        {
          type: "url_citation",
          url: "https://weather.test/oslo",
          title: "Oslo",
          start_index: 0,
          end_index: 9,
        },
        { type: "file_citation", file_id: "f", filename: "a", index: 0 },
      ],
    },
  ],
};
const search = {
  type: "web_search_call",
  id: "ws_1",
  status: "completed",
  action: { type: "search", query: "Oslo" },
};
const twoParts = {
  type: "reasoning",
  id: "rs_1",
  summary: [
    { type: "summary_text", text: "**One**" },
    { type: "summary_text", text: "**Two**" },
  ],
  encrypted_content: "gAAA",
};
const bareThought = {
  type: "reasoning",
  id: "rs_1",
  summary: [],
  content: [{ type: "reasoning_text", text: "hm" }],
};

/** What comes, and what is kept of it. */
const ANSWERS: readonly [string, Item[], unknown[], string][] = [
  ["text of several parts", [message("One.", "Two.")], [{ text: "One." }, { text: "Two." }], "end_turn"],
  [
    "reasoning that can go back",
    [thought("hm", "gAAA"), message("Yes.")],
    [{ reasoningContent: { reasoningText: { text: "hm", signature: "rs_1:gAAA" } } }, { text: "Yes." }],
    "end_turn",
  ],
  [
    "reasoning without words",
    [thought("", "gAAA"), message("Yes.")],
    [{ reasoningContent: { reasoningText: { text: "", signature: "rs_1:gAAA" } } }, { text: "Yes." }],
    "end_turn",
  ],
  [
    "a summary of several parts",
    [twoParts, message("Yes.")],
    [
      { reasoningContent: { reasoningText: { text: "**One**\n\n**Two**", signature: "rs_1:gAAA" } } },
      { text: "Yes." },
    ],
    "end_turn",
  ],
  [
    "reasoning in words of its own",
    [bareThought, message("Yes.")],
    [{ reasoningContent: { reasoningText: { text: "hm" } } }, { text: "Yes." }],
    "end_turn",
  ],
  [
    "calls of tools",
    [thought("hm", "gAAA"), callOf("weather", { city: "Oslo" }), callOf("time", {}, "call_2")],
    [
      { reasoningContent: { reasoningText: { text: "hm", signature: "rs_1:gAAA" } } },
      { toolUse: { toolUseId: "call_1", name: "weather", input: { city: "Oslo" } } },
      { toolUse: { toolUseId: "call_2", name: "time", input: {} } },
    ],
    "tool_use",
  ],
  [
    "reasoning that the server leaves in the text",
    [message("<think>Hm. </think>Four.")],
    [{ reasoningContent: { reasoningText: { text: "Hm. " } } }, { text: "Four." }],
    "end_turn",
  ],
  [
    "tags in a text that is no reasoning",
    [message("It is <think>."), message("<think>x</think>")],
    [{ text: "It is <think>." }, { text: "<think>x</think>" }],
    "end_turn",
  ],
  ["a refusal", [refusal], [{ text: "I cannot do that." }], "refusal"],
  [
    "a search of the web, with what it found",
    [search, cited],
    [
      {
        toolUse: {
          toolUseId: "ws_1",
          name: "web_search",
          input: { type: "search", query: "Oslo" },
          type: "server_tool_use",
        },
      },
      {
        citationsContent: {
          content: [{ text: "It rains." }],
          citations: [
            {
              title: "Oslo",
              location: { web: { url: "https://weather.test/oslo", domain: "weather.test" } },
            },
          ],
        },
      },
    ],
    "end_turn",
  ],
];

describe("reads", () => {
  it.each(ANSWERS)("%s, streamed", (_, output, content, stopReason) => {
    const parts = read(streamed(output));
    expect(kept(parts)).toEqual(content);
    expect(parts).toContainEqual({ messageStop: { stopReason } });
  });

  it.each(ANSWERS)("%s, whole", (_, output, content, stopReason) => {
    const parts = readWhole(response(output));
    expect(kept(parts)).toEqual(content);
    expect(parts).toContainEqual({ messageStop: { stopReason } });
  });

  it.each(ANSWERS)("%s, from servers that send no pieces", (_, output, content) => {
    const whole = streamed(output).filter(({ type }) => /item\.(added|done)|completed/.test(String(type)));
    expect(kept(read(whole))).toEqual(content);
  });

  it("pieces of items that come mixed up", () => {
    const delta = (output_index: number, text: string): Item => ({
      type: "response.output_text.delta",
      output_index,
      content_index: 0,
      delta: text,
    });
    const done = (output_index: number, text: string): Item => ({
      type: "response.output_item.done",
      output_index,
      item: message(text),
    });
    const end = { type: "response.completed", response: response([]) };
    const mixed = [delta(0, "fi"), delta(1, "sec"), delta(0, "rst"), done(0, "first"), delta(1, "ond")];
    expect(kept(read([...mixed, done(1, "second"), end]))).toEqual([{ text: "first" }, { text: "second" }]);
  });

  it("any text, however it is cut", () => {
    assert(
      property(string({ minLength: 1, unit: "grapheme" }), integer({ min: 1, max: 9 }), (text, size) => {
        expect(kept(read(streamed([message(text)], {}, size)))).toEqual([{ text }]);
      }),
    );
  });
});

describe("tells why an answer ends", () => {
  it.each([
    ["max_output_tokens", "max_tokens"],
    ["content_filter", "content_filtered"],
    ["something_new", "something_new"],
  ])("%s", (reason, stopReason) => {
    const more = { status: "incomplete", incomplete_details: { reason } };
    for (const parts of [read(streamed([message("He")], more)), readWhole(response([message("He")], more))])
      expect(parts).toContainEqual({ messageStop: { stopReason } });
  });
});

it("tells reasoning without its first tag, of models that are known for it", () => {
  const output = [message("Hm.</think>Four.")];
  for (const size of [1, 3, 99]) {
    const reader = new ResponseReader(true);
    const parts = streamed(output, {}, size).flatMap((event) => reader.take(event));
    expect(kept(parts)).toEqual([
      { reasoningContent: { reasoningText: { text: "Hm." } } },
      { text: "Four." },
    ]);
  }
  const unbegun = new ResponseReader(true);
  const parts = streamed([thought("hm", "gAAA"), message("Four.")]).flatMap((event) => unbegun.take(event));
  expect(parts).toContainEqual({ contentBlockDelta: { contentBlockIndex: 1, delta: { text: "Four" } } });
});

it("gives what was held back where the stream breaks", () => {
  const reader = new ResponseReader();
  for (const event of streamed([message("Hello </thi")]).slice(0, -4)) reader.take(event);
  const held = reader.rest();
  const broken = new ResponseReader();
  for (const event of streamed([message("<think>Hm</thi")]).slice(0, -4)) broken.take(event);
  expect([held, broken.rest()].map((rest) => JSON.stringify(rest))).toEqual([
    "[]",
    expect.stringContaining("</thi"),
  ]);
});

it("is not finished before the response is", () => {
  const reader = new ResponseReader();
  for (const event of streamed([message("Hello")]).slice(0, -1)) reader.take(event);
  expect(reader.isFinished).toBe(false);
  const whole = new ResponseReader();
  whole.takeWhole(response([message("Hello")], { status: "in_progress" }));
  expect(whole.isFinished).toBe(false);
});

it("passes over events and items that it does not know", () => {
  const odd = [
    { type: "response.queued" },
    { type: "response.output_item.done", output_index: 0, item: { type: "image_generation_call", id: "i" } },
    { type: "response.something.new", delta: "x" },
    { type: "keepalive" },
    {},
  ];
  expect(kept(read([...odd, ...streamed([message("Yes.")])]))).toEqual([{ text: "Yes." }]);
});

describe("reads calls of servers that", () => {
  const [oslo, rome] = [callOf("weather", { city: "Oslo" }), callOf("weather", { city: "Rome" }, "call_2")];
  const both = [
    { toolUse: { toolUseId: "call_1", name: "weather", input: { city: "Oslo" } } },
    { toolUse: { toolUseId: "call_2", name: "weather", input: { city: "Rome" } } },
  ];
  const without = (events: readonly Item[], ...names: string[]): Item[] =>
    events.map((event) =>
      Object.fromEntries(Object.entries(event).filter(([name]) => !names.includes(name))),
    );
  const done = (item: Item, index: number) => ({
    type: "response.output_item.done",
    output_index: index,
    item: { ...item, arguments: "" },
  });

  it.each<[string, Item[]]>([
    ["number nothing", without(streamed([oslo, rome]), "output_index")],
    ["say all with the last event", [{ type: "response.completed", response: response([oslo, rome]) }]],
    [
      "have arguments as objects",
      [oslo, rome].map((item, index) => ({
        type: "response.output_item.done",
        output_index: index,
        item: { ...item, arguments: { city: index === 0 ? "Oslo" : "Rome" } },
      })),
    ],
    [
      "send arguments whole, and not again with the item",
      [oslo, rome].flatMap((item, index) => [
        { type: "response.output_item.added", output_index: index, item: { ...item, arguments: "" } },
        {
          type: "response.function_call_arguments.done",
          output_index: index,
          arguments: item["arguments"],
        },
        done(item, index),
      ]),
    ],
    [
      "name the tool at the end",
      [oslo, rome].flatMap((item, index) => [
        { type: "response.output_item.added", output_index: index, item: { ...item, name: undefined } },
        { type: "response.output_item.done", output_index: index, item },
      ]),
    ],
  ])("%s", (_, events) => {
    const end = { type: "response.completed", response: response([oslo, rome]) };
    const parts = read([...events, end]);
    expect(kept(parts)).toEqual(both);
    expect(parts).toContainEqual({ messageStop: { stopReason: "tool_use" } });
  });
});

it("leaves a call out whose tool nobody named", () => {
  const parts = read([
    { type: "response.function_call_arguments.delta", output_index: 0, delta: "{}" },
    { type: "response.completed", response: response([]) },
  ]);
  expect(kept(parts)).toEqual([]);
});
