import * as fc from "fast-check";
import type {
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseStreamEvent,
} from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../../src/converse/chat-event.ts";
import type { ClientTool } from "../../../../src/serve/dialects/responses/client-tools.ts";
import { openSealed } from "../../../../src/serve/dialects/responses/encrypted-reasoning.ts";
import {
  gatherResponse,
  type ResponseHead,
  ResponseTeller,
  type ServedResponse,
} from "../../../../src/serve/dialects/responses/to-response-events.ts";

const HEAD: ResponseHead = {
  id: "resp_1",
  object: "response",
  created_at: 7,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  temperature: null,
  tool_choice: "auto",
  tools: [],
  top_p: null,
  service_tier: "default",
};
const TOOLS = new Map<string, ClientTool>([
  ["ls", { kind: "function", name: "ls" }],
  ["fs__patch", { kind: "custom", name: "patch", namespace: "fs" }],
  ["fs__read", { kind: "function", name: "read", namespace: "fs" }],
  ["tool_search", { kind: "tool_search", name: "tool_search" }],
]);
const START: ChatEvent = { type: "start", model: "us.m", region: "us-east-1", attempts: 1 };
const USAGE: ChatEvent = {
  type: "usage",
  inputTokens: 3,
  outputTokens: 5,
  totalTokens: 18,
  cacheReadInputTokens: 8,
  cacheWriteInputTokens: 2,
};
const stop = (stopReason = "end_turn"): ChatEvent => ({ type: "stop", stopReason });

async function* from(events: readonly ChatEvent[]): AsyncGenerator<ChatEvent, void, undefined> {
  yield* events;
}

async function tell(events: readonly ChatEvent[]): Promise<ResponseStreamEvent[]> {
  const told: ResponseStreamEvent[] = [];
  for await (const event of new ResponseTeller(HEAD, "m", TOOLS).tell(from([START, ...events])))
    told.push(event);
  return told;
}

/** What the last event says. */
function lastOf(events: readonly ResponseStreamEvent[]): ServedResponse {
  const last = events.at(-1);
  if (!last || !("response" in last)) throw new Error("The stream does not end with a response.");
  return last.response;
}

const outputOf = async (events: readonly ChatEvent[]): Promise<ResponseOutputItem[]> =>
  lastOf(await tell([...events, stop(), USAGE])).output;

describe("the events of a response", () => {
  it("tell a text in OpenAI's order", async () => {
    const events = await tell([
      { type: "text", text: "Good " },
      { type: "text", text: "day." },
      stop(),
      USAGE,
    ]);
    const at = { output_index: 0, item_id: "msg_10000" };
    const empty = { type: "output_text", text: "", annotations: [], logprobs: [] };
    const part = { ...empty, text: "Good day." };
    const message = { id: "msg_10000", type: "message", role: "assistant" };
    const whole = { ...message, status: "completed", content: [part] };
    const begun = {
      ...HEAD,
      model: "us.m",
      status: "in_progress",
      error: null,
      incomplete_details: null,
      output: [],
    };
    const usage = {
      input_tokens: 13,
      input_tokens_details: { cached_tokens: 8, cache_write_tokens: 2 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 18,
    };
    expect(events).toEqual(
      [
        { type: "response.created", response: begun },
        { type: "response.in_progress", response: begun },
        {
          type: "response.output_item.added",
          output_index: 0,
          item: { ...message, status: "in_progress", content: [] },
        },
        { type: "response.content_part.added", ...at, content_index: 0, part: empty },
        { type: "response.output_text.delta", ...at, content_index: 0, delta: "Good ", logprobs: [] },
        { type: "response.output_text.delta", ...at, content_index: 0, delta: "day.", logprobs: [] },
        { type: "response.output_text.done", ...at, content_index: 0, text: "Good day.", logprobs: [] },
        { type: "response.content_part.done", ...at, content_index: 0, part },
        { type: "response.output_item.done", output_index: 0, item: whole },
        { type: "response.completed", response: { ...begun, status: "completed", output: [whole], usage } },
      ].map((event, sequence_number) => Object.assign(event, { sequence_number })),
    );
  });

  it("tell reasoning with what proves it, and what was withheld of it", async () => {
    const output = await outputOf([
      { type: "reasoning", text: "Hm, " },
      { type: "reasoning", text: "well." },
      { type: "signature", index: 0, signature: "s1" },
      { type: "signature", index: 1, redactedContent: Buffer.from("r") },
      { type: "signature", index: 2, signature: "s2" },
      { type: "reasoning", text: "Unsigned." },
      { type: "text", text: "So." },
    ]);
    const summary = (text: string) => [{ type: "summary_text", text }];
    expect(output.map(({ type }) => type)).toEqual([
      "reasoning",
      "reasoning",
      "reasoning",
      "reasoning",
      "message",
    ]);
    const [signed, redacted, silent, unsigned] = output;
    expect([signed, redacted, silent, unsigned]).toMatchObject([
      { summary: summary("Hm, well.") },
      { summary: [] },
      { summary: [] },
      { summary: summary("Unsigned.") },
    ]);
    const opened = await Promise.all(
      [signed, redacted, silent].map((item) =>
        item?.type === "reasoning" ? openSealed(item.encrypted_content ?? "") : undefined,
      ),
    );
    expect(opened).toEqual([
      { reasoningText: { text: "Hm, well.", signature: "s1" } },
      { redactedContent: Buffer.from("r") },
      { reasoningText: { text: "", signature: "s2" } },
    ]);
    expect(unsigned).not.toHaveProperty("encrypted_content");
  });

  it("tell reasoning by its summary's parts", async () => {
    const events = await tell([
      { type: "reasoning", text: "Hm." },
      { type: "text", text: "So." },
      stop(),
      USAGE,
    ]);
    const types = events.map(({ type }) => type).slice(2, 8);
    expect(types).toEqual([
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
    ]);
  });

  it("tell each call as the client calls its tool", async () => {
    const call = (index: number, id: string, name: string, json: string): ChatEvent[] => [
      { type: "tool-start", index, id, name },
      { type: "tool-input", index, text: json.slice(0, 5) },
      { type: "tool-input", index, text: json.slice(5) },
    ];
    const output = await outputOf([
      ...call(0, "c0", "ls", `{"path":"."}`),
      ...call(1, "c1", "fs__patch", `{"input":"*** Begin\\n"}`),
      ...call(2, "c2", "fs__read", `{"path":"a"}`),
      ...call(3, "c3", "tool_search", `{"query":"x"}`),
      ...call(4, "c4", "made_up", `{"a":1}`),
    ]);
    const done = { status: "completed" };
    expect(output).toEqual([
      {
        id: "fc_10000",
        type: "function_call",
        ...done,
        call_id: "c0",
        name: "ls",
        arguments: `{"path":"."}`,
      },
      {
        id: "ctc_10001",
        type: "custom_tool_call",
        ...done,
        call_id: "c1",
        name: "patch",
        namespace: "fs",
        input: "*** Begin\n",
      },
      {
        id: "fc_10002",
        type: "function_call",
        ...done,
        call_id: "c2",
        name: "read",
        namespace: "fs",
        arguments: `{"path":"a"}`,
      },
      {
        id: "tsc_10003",
        type: "tool_search_call",
        ...done,
        execution: "client",
        call_id: "c3",
        arguments: { query: "x" },
      },
      {
        id: "fc_10004",
        type: "function_call",
        ...done,
        call_id: "c4",
        name: "made_up",
        arguments: `{"a":1}`,
      },
    ]);
  });

  it("name the sources of what was said, each with its words", async () => {
    const cited = (url: string, title?: string): ChatEvent => ({ type: "citation", url, title });
    const [message] = await outputOf([
      { type: "text", text: "Rain. " },
      cited("https://a/", "A"),
      cited("https://b/"),
      { type: "text", text: "Sun." },
      { type: "citation", title: "report.pdf", document: 0 },
      { type: "citation", document: 1 },
    ]);
    const [part] = (message as ResponseOutputMessage).content;
    const rain = { type: "url_citation", start_index: 0, end_index: 6 };
    expect(part).toMatchObject({
      annotations: [
        { ...rain, url: "https://a/", title: "A" },
        { ...rain, url: "https://b/", title: "https://b/" },
        { type: "file_citation", filename: "report.pdf", index: 10 },
        { type: "file_citation", filename: "Document 2", index: 10 },
      ],
    });
  });

  it.each([
    ["max_tokens", "max_output_tokens"],
    ["model_context_window_exceeded", "max_output_tokens"],
    ["content_filtered", "content_filter"],
    ["guardrail_intervened", "content_filter"],
    ["refusal", "content_filter"],
  ])("end with response.incomplete where an answer stops with %s", async (stopReason, reason) => {
    const events = await tell([{ type: "text", text: "Half" }, stop(stopReason), USAGE]);
    expect(events.at(-1)?.type).toBe("response.incomplete");
    const { status, incomplete_details, output, usage } = lastOf(events);
    expect({ status, incomplete_details }).toEqual({ status: "incomplete", incomplete_details: { reason } });
    expect(output).toMatchObject([{ status: "incomplete", content: [{ text: "Half" }] }]);
    expect(usage).toMatchObject({ total_tokens: 18 });
  });

  it.each(["end_turn", "tool_use", "stop_sequence", "unheard_of"])(
    "are completed after %s",
    async (reason) => {
      const events = await tell([stop(reason)]);
      expect(events.at(-1)?.type).toBe("response.completed");
      expect(lastOf(events)).not.toHaveProperty("usage");
    },
  );

  it("name the tier that served the answer", async () => {
    const tierAfter = async (serviceTier: string) =>
      lastOf(await tell([stop(), { ...USAGE, serviceTier } as ChatEvent])).service_tier;
    expect(await tierAfter("flex")).toBe("flex");
    expect(await tierAfter("reserved")).toBe("default");
  });

  it("tell a failure in both ways, with what was said before it", async () => {
    const teller = new ResponseTeller(HEAD, "m", TOOLS);
    const failing = async function* (): AsyncGenerator<ChatEvent, void, undefined> {
      yield START;
      yield { type: "reasoning", text: "Hm." };
      yield { type: "text", text: "Half" };
      throw new Error("The stream broke.");
    };
    const told: ResponseStreamEvent[] = [];
    const reading = async (): Promise<void> => {
      for await (const event of teller.tell(failing())) told.push(event);
    };
    await expect(reading()).rejects.toThrow("The stream broke.");
    const sequence = told.length;
    const error = { code: "stream_broken", message: "The stream broke." };
    const events = teller.fail({ status: 502, param: null, ...error });
    expect(events).toEqual([
      {
        type: "error",
        ...error,
        param: null,
        error: { type: "server_error", ...error, param: null },
        sequence_number: sequence,
      },
      {
        type: "response.failed",
        response: expect.objectContaining({
          status: "failed",
          error,
          output: [
            expect.objectContaining({ type: "reasoning" }),
            expect.objectContaining({
              type: "message",
              status: "incomplete",
              content: [expect.objectContaining({ text: "Half" })],
            }),
          ],
        }),
        sequence_number: sequence + 1,
      },
    ]);
  });

  it.each([
    [
      { type: "text", text: "Half" },
      { type: "message", content: [{ text: "Half" }] },
    ],
    [
      { type: "reasoning", text: "Hm" },
      { type: "reasoning", summary: [{ text: "Hm" }] },
    ],
    [
      { type: "tool-start", index: 0, id: "t1", name: "ls" },
      { type: "function_call", arguments: "" },
    ],
    [
      { type: "tool-start", index: 0, id: "t1", name: "fs__patch" },
      { type: "custom_tool_call", input: "" },
    ],
    [
      { type: "tool-start", index: 0, id: "t1", name: "tool_search" },
      { type: "tool_search_call", arguments: {} },
    ],
  ] as [ChatEvent, object][])(
    "have what is cut off by a failure, and never call it done: %j",
    async (event, item) => {
      const teller = new ResponseTeller(HEAD, "m", TOOLS);
      const told: ResponseStreamEvent[] = [];
      const breaking = async function* (): AsyncGenerator<ChatEvent, void, undefined> {
        yield* [START, event];
        throw new Error("The stream broke.");
      };
      const reading = async (): Promise<void> => {
        for await (const piece of teller.tell(breaking())) told.push(piece);
      };
      await expect(reading()).rejects.toThrow("The stream broke.");
      told.push(...teller.fail({ status: 502, param: null, code: "a", message: "b" }));
      expect(lastOf(told)).toMatchObject({ status: "failed", output: [{ ...item, status: "incomplete" }] });
      expect(told.filter(({ type }) => type.endsWith(".done"))).toEqual([]);
      expect(told.map(({ sequence_number }) => sequence_number)).toEqual([...told.keys()]);
    },
  );

  it("tell a failure before anything was said", () => {
    const events = new ResponseTeller(HEAD, "m", TOOLS).fail({
      status: 429,
      code: "a",
      message: "b",
      param: "c",
    });
    expect(events).toMatchObject([
      { type: "error", sequence_number: 0 },
      { type: "response.failed", sequence_number: 1, response: { model: "m", output: [] } },
    ]);
  });

  it("have every item's pieces in its end, and every item in the last event, whatever the answer", async () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 });
    const event = fc.oneof(
      fc.record({ type: fc.constant("text" as const), text }),
      fc.record({ type: fc.constant("reasoning" as const), text }),
      fc.record({ type: fc.constant("signature" as const), index: fc.constant(0), signature: text }),
      fc.record({
        type: fc.constant("signature" as const),
        index: fc.constant(0),
        redactedContent: fc.uint8Array({ minLength: 1 }),
      }),
      fc.record({ type: fc.constant("citation" as const), url: fc.webUrl() }),
      fc.record({
        type: fc.constant("tool-start" as const),
        index: fc.constant(0),
        id: text,
        name: fc.constantFrom(...TOOLS.keys(), "made_up"),
      }),
      fc.record({ type: fc.constant("tool-input" as const), index: fc.constant(0), text }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 30 }),
        fc.constantFrom("end_turn", "max_tokens", "refusal"),
        async (said, reason) => {
          const answer = [...said, stop(reason), USAGE];
          const events = await tell(answer);
          expect(events.map(({ sequence_number }) => sequence_number)).toEqual(
            events.map((_, index) => index),
          );
          const teller = new ResponseTeller(HEAD, "m", TOOLS);
          expect(await gatherResponse(teller.tell(from([START, ...answer])))).toEqual(lastOf(events));
          expect(rebuilt(events)).toEqual(lastOf(events).output);
        },
      ),
    );
  });
});

/** The items as a client puts them together that reads every event, and never more than one item at once. */
function rebuilt(events: readonly ResponseStreamEvent[]): ResponseOutputItem[] {
  const items: ResponseOutputItem[] = [];
  let open: string | undefined;
  let pieces = "";
  for (const event of events) {
    if ("item_id" in event) expect(event.item_id).toBe(open);
    if ("delta" in event) pieces += String(event.delta);
    if (event.type === "response.output_item.added") {
      expect([open, event.output_index]).toEqual([undefined, items.length]);
      open = event.item.id ?? "";
      pieces = "";
    }
    if (event.type === "response.output_text.done") expect(event.text).toBe(pieces);
    if (event.type === "response.reasoning_summary_text.done") expect(event.text).toBe(pieces);
    if (event.type === "response.function_call_arguments.done") expect(event.arguments).toBe(pieces);
    if (event.type === "response.custom_tool_call_input.done") expect(event.input).toBe(pieces);
    if (event.type === "response.output_item.done") {
      expect([open, event.output_index]).toEqual([event.item.id, items.length]);
      items.push(event.item);
      open = undefined;
    }
  }
  expect(open).toBeUndefined();
  expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
  return items;
}
