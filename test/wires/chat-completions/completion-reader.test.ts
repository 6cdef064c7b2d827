import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageAssembler } from "../../../src/converse/message-assembler.ts";
import { CompletionReader } from "../../../src/wires/chat-completions/completion-reader.ts";
import { chunk, counted } from "../../helpers/openai-server.ts";

function read(...chunks: Record<string, unknown>[]): object[] {
  let made = 0;
  const reader = new CompletionReader(() => `made-${(made += 1)}`);
  const parts = chunks.flatMap((one) => reader.take(one));
  return [...parts, ...reader.end()];
}

const start = { messageStart: { role: "assistant" } };
const text = (contentBlockIndex: number, words: string) => ({
  contentBlockDelta: { contentBlockIndex, delta: { text: words } },
});
const thought = (contentBlockIndex: number, words: string) => ({
  contentBlockDelta: { contentBlockIndex, delta: { reasoningContent: { text: words } } },
});
const call = (contentBlockIndex: number, toolUseId: string, name: string) => ({
  contentBlockStart: { contentBlockIndex, start: { toolUse: { toolUseId, name } } },
});
const input = (contentBlockIndex: number, json: string) => ({
  contentBlockDelta: { contentBlockIndex, delta: { toolUse: { input: json } } },
});
const stop = (contentBlockIndex: number) => ({ contentBlockStop: { contentBlockIndex } });
const end = (stopReason: string) => ({ messageStop: { stopReason } });
const toolCall = (fields: object, details: object) => ({
  tool_calls: [{ ...fields, type: "function", function: details }],
});

it("makes a text answer one block", () => {
  expect(
    read(
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "Hel" }),
      chunk({ content: "lo" }),
      chunk({}, "stop"),
      counted({ prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }),
    ),
  ).toEqual([
    start,
    text(0, "Hel"),
    text(0, "lo"),
    stop(0),
    end("end_turn"),
    { metadata: { usage: { inputTokens: 5, outputTokens: 2, totalTokens: 7 }, metrics: undefined } },
  ]);
});

describe("reads reasoning", () => {
  it.each([
    ["of DeepSeek, llama.cpp and LiteLLM", { reasoning_content: "hm" }],
    ["of Ollama and vLLM", { reasoning: "hm", content: "" }],
    ["once where both names are used", { reasoning: "hm", reasoning_content: "hm" }],
    ["of Mistral", { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }],
  ])("%s", (_, delta) => {
    expect(read(chunk(delta), chunk({ content: "yes" }), chunk({}, "stop"))).toEqual([
      start,
      thought(0, "hm"),
      stop(0),
      text(1, "yes"),
      stop(1),
      end("end_turn"),
    ]);
  });
});

describe("reads calls of tools", () => {
  const two = [
    start,
    call(0, "a", "weather"),
    input(0, '{"city":'),
    input(0, '"Oslo"}'),
    stop(0),
    call(1, "b", "time"),
    input(1, "{}"),
    stop(1),
    end("tool_use"),
  ];

  it("in pieces, as OpenAI and vLLM send them", () => {
    expect(
      read(
        chunk(toolCall({ index: 0, id: "a" }, { name: "weather", arguments: "" })),
        chunk(toolCall({ index: 0 }, { arguments: '{"city":' })),
        chunk(toolCall({ index: 0 }, { arguments: '"Oslo"}' })),
        chunk(toolCall({ index: 1, id: "b" }, { name: "time", arguments: "{}" })),
        chunk({}, "tool_calls"),
      ),
    ).toEqual(two);
  });

  it("whole, all at place 0, with `stop` behind them, as older Ollama sends them", () => {
    expect(
      read(
        chunk(toolCall({ index: 0, id: "a" }, { name: "weather", arguments: '{"city":"Oslo"}' })),
        chunk(toolCall({ index: 0, id: "b" }, { name: "time", arguments: "{}" })),
        chunk({ content: "" }, "stop"),
      ),
    ).toEqual([
      start,
      call(0, "a", "weather"),
      input(0, '{"city":"Oslo"}'),
      stop(0),
      call(1, "b", "time"),
      input(1, "{}"),
      stop(1),
      end("tool_use"),
    ]);
  });

  it("with id and name in every piece, as LM Studio sends them", () => {
    expect(
      read(
        chunk(toolCall({ index: 0, id: "a" }, { name: "weather", arguments: '{"city":' })),
        chunk(toolCall({ index: 0, id: "a" }, { name: "weather", arguments: '"Oslo"}' })),
        chunk(toolCall({ index: 1, id: "b" }, { name: "time", arguments: "{}" }), "tool_calls"),
      ),
    ).toEqual(two);
  });

  it("two in one chunk, without places, ids and texts of JSON", () => {
    expect(
      read(
        chunk({
          tool_calls: [
            { function: { name: "weather", arguments: { city: "Oslo" } } },
            { function: { name: "time", arguments: {} } },
          ],
        }),
        chunk({}, "tool_calls"),
      ),
    ).toEqual([
      start,
      call(0, "made-1", "weather"),
      input(0, '{"city":"Oslo"}'),
      stop(0),
      call(1, "made-2", "time"),
      input(1, "{}"),
      stop(1),
      end("tool_use"),
    ]);
  });

  const made = (...calls: [id: string, name: string, ...inputs: string[]][]) => [
    start,
    ...calls
      .flatMap(([id, name, ...inputs], index) => [
        call(index, id, name),
        inputs.map((json) => input(index, json)),
        stop(index),
      ])
      .flat(),
    end("tool_use"),
  ];

  it.each<[string, Record<string, unknown>[], object[]]>([
    [
      "mixed with those of another",
      [
        chunk(toolCall({ index: 0, id: "a" }, { name: "weather", arguments: '{"city":' })),
        chunk(toolCall({ index: 1, id: "b" }, { name: "time", arguments: "{" })),
        chunk(toolCall({ index: 0 }, { arguments: '"Oslo"}' })),
        chunk(toolCall({ index: 1 }, { arguments: "}" })),
      ],
      made(["a", "weather", '{"city":', '"Oslo"}'], ["b", "time", "{", "}"]),
    ],
    [
      "with the name in pieces",
      [
        chunk(toolCall({ index: 0, id: "a" }, { name: "wea" })),
        chunk(toolCall({ index: 0 }, { name: "ther", arguments: "" })),
        chunk(toolCall({ index: 0 }, { arguments: "{}" })),
      ],
      made(["a", "weather", "{}"]),
    ],
    [
      "of two calls at one place, without ids",
      [
        chunk(toolCall({ index: 0 }, { name: "time", arguments: '{"in":"Oslo"}' })),
        chunk(toolCall({ index: 0 }, { name: "time", arguments: '{"in":"Rome"}' })),
        chunk(toolCall({ index: 0 }, { name: "weather", arguments: "" })),
        chunk(toolCall({ index: 0 }, { arguments: "{}" })),
      ],
      made(
        ["made-1", "time", '{"in":"Oslo"}'],
        ["made-2", "time", '{"in":"Rome"}'],
        ["made-3", "weather", "{}"],
      ),
    ],
    [
      "of two calls with one id",
      [
        chunk(toolCall({ index: 0, id: "a" }, { name: "time", arguments: "{}" })),
        chunk(toolCall({ index: 1, id: "a" }, { name: "time", arguments: "{}" })),
      ],
      made(["a", "time", "{}"], ["made-1", "time", "{}"]),
    ],
    [
      "with the id behind the name",
      [
        chunk(toolCall({ index: 0 }, { name: "time" })),
        chunk(toolCall({ index: 0, id: "a" }, { arguments: "{}" })),
      ],
      made(["a", "time", "{}"]),
    ],
    [
      "of calls without arguments, as an object, null, or not at all",
      [
        chunk(toolCall({ index: 0, id: "a" }, { name: "time", arguments: {} })),
        chunk(toolCall({ index: 1, id: "b" }, { name: "time", arguments: null })),
        chunk(toolCall({ index: 2, id: "c" }, { name: "time" })),
      ],
      made(["a", "time", "{}"], ["b", "time"], ["c", "time"]),
    ],
    [
      "with a blank end behind a call that is over",
      [
        chunk(toolCall({ index: 0, id: "a" }, { name: "time", arguments: "{}" })),
        chunk(toolCall({ index: 1, id: "b" }, { name: "time", arguments: "{}" })),
        chunk(toolCall({ index: 0 }, { arguments: "\n" })),
      ],
      made(["a", "time", "{}"], ["b", "time", "{}"]),
    ],
  ])("in pieces %s", (_, chunks, expected) => {
    expect(read(...chunks, chunk({}, "tool_calls"))).toEqual(expected);
  });

  const values = fc.dictionary(fc.constantFrom("a", "b"), fc.string({ maxLength: 6 }), { maxKeys: 2 });
  const styles = fc.record({
    places: fc.constantFrom("each its own", "none", "all 0"),
    ids: fc.constantFrom("in every piece", "in the first piece"),
    names: fc.constantFrom("in every piece", "in the first piece", "cut"),
    isMixed: fc.boolean(),
    finish: fc.constantFrom("tool_calls", "stop", "function_call"),
  });

  it("whatever a server makes of the same calls", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.constantFrom("time", "weather"), value: values }), {
          minLength: 1,
          maxLength: 4,
        }),
        styles,
        fc.integer({ min: 1, max: 5 }),
        (wanted, { places, ids, names, isMixed, finish }, size) => {
          const pieces = wanted.map(({ name, value }, nth) => {
            const json = JSON.stringify(value);
            const cuts = json.match(new RegExp(`.{1,${size}}`, "gs")) ?? [];
            const place = places === "none" ? {} : { index: places === "all 0" ? 0 : nth };
            const begin = names === "cut" ? [name.slice(0, 2), name.slice(2)] : [name];
            return [
              ...begin.map((part, at) =>
                toolCall(at === 0 || ids === "in every piece" ? { ...place, id: `id${nth}` } : place, {
                  name: part,
                  arguments: "",
                }),
              ),
              ...cuts.map((cut) =>
                toolCall(ids === "in every piece" ? { ...place, id: `id${nth}` } : place, {
                  arguments: cut,
                  ...(names === "in every piece" ? { name } : {}),
                }),
              ),
            ];
          });
          // Pieces that do not say whose they are come one call after the other.
          const mayMix = places === "each its own" || (places === "none" && ids === "in every piece");
          const inTurn = pieces.flat();
          const longest = Math.max(...pieces.map(({ length }) => length));
          const mixed = Array.from({ length: longest }, (_, at) =>
            pieces.flatMap((list) => list[at] ?? []),
          ).flat();
          const assembler = new MessageAssembler();
          const parts = read(
            ...(isMixed && mayMix ? mixed : inTurn).map((delta) => chunk(delta)),
            chunk({}, finish),
          );
          for (const part of parts as ConverseStreamOutput[]) assembler.take(part);
          expect(assembler.message().content).toEqual(
            wanted.map(({ name, value }, nth) => ({
              toolUse: { toolUseId: `id${nth}`, name, input: value },
            })),
          );
          expect(parts.at(-1)).toEqual(end("tool_use"));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("and refuses more of a call that is over", () => {
    const late = [
      chunk(toolCall({ index: 0, id: "a" }, { name: "weather", arguments: "{}" })),
      chunk(toolCall({ index: 1, id: "b" }, { name: "time", arguments: "{" })),
      chunk(toolCall({ index: 0 }, { arguments: "}" })),
    ];
    expect(() => read(...late)).toThrow(expect.objectContaining({ code: "bad-response" }));
  });

  it("and refuses one without a name", () => {
    expect(() => read(chunk(toolCall({ index: 0 }, { arguments: "{}" })))).toThrow(
      expect.objectContaining({ code: "bad-response" }),
    );
  });
});

describe("ends with", () => {
  it.each([
    ["stop", {}, "end_turn"],
    ["length", {}, "max_tokens"],
    ["tool_calls", {}, "tool_use"],
    ["function_call", {}, "tool_use"],
    ["content_filter", {}, "content_filtered"],
    ["eos_token", {}, "end_turn"],
    ["stop_sequence", {}, "stop_sequence"],
    ["something new", {}, "something new"],
  ])("%s", (reason, delta, expected) => {
    expect(read(chunk(delta, reason)).at(-1)).toEqual(end(expected));
  });

  it("the stop sequence that vLLM names", () => {
    const last = { choices: [{ index: 0, delta: {}, finish_reason: "stop", stop_reason: "###" }] };
    expect(read(chunk({ content: "a" }), last).at(-1)).toEqual(end("stop_sequence"));
  });

  it("a refusal, whose words are text", () => {
    expect(read(chunk({ refusal: "I cannot." }), chunk({}, "stop"))).toEqual([
      start,
      text(0, "I cannot."),
      stop(0),
      end("refusal"),
    ]);
  });

  it("nothing where an empty reason stands in every chunk", () => {
    expect(read(chunk({ content: "a" }, ""))).toEqual([start, text(0, "a")]);
  });
});

it("loses no text behind the end", () => {
  const parts = read(chunk({ content: "a" }, "stop"), chunk({ content: "b" }));
  expect(parts).toContainEqual(text(1, "b"));
});

it("skips other choices and chunks without any", () => {
  const other = { choices: [{ index: 1, delta: { content: "no" }, finish_reason: "stop" }] };
  expect(read({}, other, { choices: null }, { choices: [null, "x"] })).toEqual([start]);
});

it("counts cached tokens beside the others, wherever the counts stand", () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 3,
    total_tokens: 13,
    prompt_tokens_details: { cached_tokens: 4 },
  };
  expect(read(chunk({ content: "a" }), chunk({}, "stop", { usage })).at(-1)).toEqual({
    metadata: {
      usage: { inputTokens: 6, outputTokens: 3, totalTokens: 13, cacheReadInputTokens: 4 },
      metrics: undefined,
    },
  });
});

it("leaves counts out that are none", () => {
  const usage = { prompt_tokens: "many", completion_tokens: null };
  expect(read(chunk({}, "stop", { usage })).at(-1)).toEqual(end("end_turn"));
});

it("reads a whole completion as one chunk", () => {
  const completion = {
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
  const reader = new CompletionReader(() => "made");
  expect([...reader.takeWhole(completion), ...reader.end()]).toEqual([
    start,
    text(0, "Hello"),
    stop(0),
    end("end_turn"),
    { metadata: { usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 }, metrics: undefined } },
  ]);
});

it.each([
  ["that ends unbegun reasoning", ["hm</think>", "yes"], true],
  ["that has none", ["yes"], false],
  [
    "without end, of which only the beginning is kept",
    [...Array(5).fill("x".repeat(2 ** 20)), "</think>"],
    false,
  ],
])("tells reasoning in a text %s", (_, texts: string[], expected) => {
  const reader = new CompletionReader(() => "");
  for (const content of texts) reader.take(chunk({ content }));
  reader.take(chunk({}, "stop"));
  expect(reader.saysReasoning).toBe(expected);
});
