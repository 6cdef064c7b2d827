import type {
  FunctionTool,
  Response as ResponseObject,
  ResponseCreateParamsNonStreaming,
  ResponseInputItem,
  ResponseStreamEvent,
} from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import { eventStep } from "../../src/emulator/converse.ts";
import type { RecordedCall, ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { gate, MODEL, serve, type ServeTestOptions } from "../helpers/served.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const WEATHER: FunctionTool = {
  type: "function",
  name: "weather",
  description: "Tells the weather.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: false,
};

/** The calls of ConverseStream, as the emulator received them. */
const sent = (calls: readonly RecordedCall[]) =>
  calls.filter(({ route }) => route === "ConverseStream").map(({ body }) => body as Record<string, unknown>);

/** Serves models that answer so: by a dialogue, or all the same. */
const answering = (answer: ScriptedAnswer): ServeTestOptions => ({
  emulator: { script: ({ route }) => (route === "ConverseStream" ? answer : undefined) },
});

/** The same request answered whole, and by OpenAI's own gathering of its stream. */
async function bothWays(
  { client }: Awaited<ReturnType<typeof serve>>,
  request: Omit<ResponseCreateParamsNonStreaming, "stream">,
): Promise<{ whole: ResponseObject; streamed: ResponseObject; events: ResponseStreamEvent[] }> {
  const whole = await client.responses.create(request);
  const events: ResponseStreamEvent[] = [];
  const stream = client.responses.stream(request);
  for await (const event of stream) events.push(event);
  return { whole, streamed: await stream.finalResponse(), events };
}

/** What does not differ between two answers to the same. */
const withoutIds = (output: readonly object[]): unknown =>
  JSON.parse(
    JSON.stringify(output, (name, value: unknown) =>
      name === "id" || name === "call_id" || name === "parsed" || name === "parsed_arguments"
        ? undefined
        : value,
    ),
  );

describe("Responses", () => {
  it("are the same streamed and whole, numbered without a gap", async () => {
    const served = await serve(answering({ stream: [...textAnswerSteps(["naïve ", "日本語 ", "🦞"])] }));
    const { whole, streamed, events } = await bothWays(served, {
      model: MODEL,
      instructions: "Be brief.",
      input: "hi",
      metadata: { team: "search" },
    });
    expect(whole).toMatchObject({
      object: "response",
      status: "completed",
      model: MODEL,
      output_text: "naïve 日本語 🦞",
      instructions: "Be brief.",
      metadata: { team: "search" },
      error: null,
      incomplete_details: null,
      usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    });
    expect(streamed.output_text).toBe(whole.output_text);
    expect(withoutIds(streamed.output)).toEqual(withoutIds(whole.output));
    expect(streamed.usage).toEqual(whole.usage);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    const [first, second] = sent(served.emulator.calls);
    expect(first).toMatchObject({ system: [{ text: "Be brief." }], requestMetadata: { team: "search" } });
    expect(second).toEqual(first);
  });

  it("repeat nothing of the request that is long", async () => {
    const { client } = await serve();
    const tools = [{ ...WEATHER, description: "a".repeat(300_000) }];
    const long = { instructions: "a".repeat(300_000), tools, metadata: { a: "b" } };
    const response = await client.responses.create({ model: MODEL, input: "hi", ...long });
    expect(response).toMatchObject({ instructions: null, tools: [], metadata: { a: "b" } });
    const short = await client.responses.create({ model: MODEL, input: "hi", tools: [WEATHER] });
    expect(short.tools).toEqual([WEATHER]);
  });

  it("carry signed reasoning out and back in, over a round of tools", async () => {
    const served = await serve({
      emulator: {
        dialogue: [
          {
            reasoning: "Rome is meant.",
            text: "I look it up.",
            toolCalls: [{ name: "weather", input: { city: "Rome" } }],
          },
          { text: "It is $result." },
        ],
      },
    });
    const request = {
      model: CLAUDE,
      tools: [WEATHER],
      reasoning: { effort: "low" as const, summary: "auto" as const },
      include: ["reasoning.encrypted_content" as const],
      store: false,
    };
    const question = { role: "user" as const, content: "The weather?" };
    const { whole, streamed } = await bothWays(served, { ...request, input: [question] });
    for (const response of [whole, streamed]) {
      expect(response.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"]);
      const call = response.output.find(({ type }) => type === "function_call");
      if (call?.type !== "function_call") throw new Error("There is no call.");
      const result = { type: "function_call_output" as const, call_id: call.call_id, output: "sunny" };
      const input = [question, ...response.output, result] as ResponseInputItem[];
      const next = await served.client.responses.create({ ...request, input });
      expect(next.output_text).toBe("It is sunny.");
      const [, said] = (sent(served.emulator.calls).at(-1) as { messages: { content: object[] }[] }).messages;
      expect(said?.content).toMatchObject([
        { reasoningContent: { reasoningText: { text: "Rome is meant.", signature: expect.any(String) } } },
        { text: "I look it up." },
        { toolUse: { name: "weather", input: { city: "Rome" } } },
      ]);
    }
    expect(withoutIds(streamed.output)).toEqual(withoutIds(whole.output));
  });

  it("call custom tools and members of namespaces by the client's names", async () => {
    const input = { input: "*** Begin Patch" };
    const served = await serve({
      emulator: {
        dialogue: [
          {
            toolCalls: [
              { name: "apply_patch", input },
              { name: "agents__spawn", input: { task: "x" } },
            ],
          },
        ],
      },
    });
    const { whole, streamed } = await bothWays(served, {
      model: MODEL,
      input: "hi",
      tools: [
        { type: "custom", name: "apply_patch" },
        {
          type: "namespace",
          name: "agents",
          description: "",
          tools: [{ type: "function", name: "spawn", parameters: {} }],
        },
        { type: "web_search" },
      ],
    });
    for (const { output } of [whole, streamed])
      expect(output).toMatchObject([
        { type: "custom_tool_call", name: "apply_patch", input: input.input, status: "completed" },
        { type: "function_call", namespace: "agents", name: "spawn", arguments: `{"task":"x"}` },
      ]);
    const { notices = [] } = await served.logged(({ kind }) => kind === "request");
    expect(notices.join()).toContain("does not search the web as it is called, so it goes without");
  });

  it("search the web where the model does as it is called", async () => {
    const { client, emulator } = await serve();
    const request = { input: "The news?", tools: [{ type: "web_search" as const }] };
    await client.responses.create({ ...request, model: "us.amazon.nova-2-lite-v1:0" });
    await client.responses.create({ ...request, model: MODEL });
    const [searching, other] = sent(emulator.calls);
    expect(searching?.["toolConfig"]).toEqual({ tools: [{ systemTool: { name: "nova_grounding" } }] });
    expect(other).not.toHaveProperty("toolConfig");
  });

  it("pass one call on where several are not wanted", async () => {
    const toolCalls = ["Rome", "Oslo"].map((city) => ({ name: "weather", input: { city } }));
    const served = await serve({ emulator: { dialogue: [{ toolCalls }] } });
    const { whole, streamed } = await bothWays(served, {
      model: MODEL,
      input: "hi",
      tools: [WEATHER],
      parallel_tool_calls: false,
    });
    for (const { output } of [whole, streamed])
      expect(output).toMatchObject([{ arguments: `{"city":"Rome"}` }]);
  });

  it("hold an answer to a schema", async () => {
    const { client } = await serve(answering({ stream: [...textAnswerSteps([`{"a":`, `1}`])] }));
    const ask = (type: "integer" | "string") =>
      client.responses.parse({
        model: MODEL,
        input: "hi",
        text: {
          format: {
            type: "json_schema",
            name: "answer",
            strict: true,
            schema: {
              type: "object",
              properties: { a: { type } },
              required: ["a"],
              additionalProperties: false,
            },
          },
        },
      });
    expect((await ask("integer")).output_text).toBe(`{"a":1}`);
    await expect(ask("string")).rejects.toMatchObject({ status: 502, code: "model_error" });
  });

  it("send images and files as Converse has them", async () => {
    const { client, emulator } = await serve();
    await client.responses.create({
      model: MODEL,
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What is it?" },
            {
              type: "input_image",
              detail: "auto",
              image_url: `data:image/png;base64,${PIXEL.toString("base64")}`,
            },
            { type: "input_file", filename: "a.txt", file_data: "data:text/plain;base64,aGVsbG8=" },
          ],
        },
      ],
    });
    const [body] = sent(emulator.calls) as { messages: { content: object[] }[] }[];
    expect(body?.messages[0]?.content).toMatchObject([
      { text: "What is it?" },
      { image: { format: "png" } },
      { document: { format: "txt" } },
    ]);
  });

  it("are incomplete where they stop at their limit", async () => {
    const served = await serve(
      answering({ stream: [...textAnswerSteps(["Half"], { stopReason: "max_tokens" })] }),
    );
    const { whole, streamed } = await bothWays(served, { model: MODEL, input: "hi", max_output_tokens: 16 });
    for (const response of [whole, streamed])
      expect(response).toMatchObject({
        status: "incomplete",
        incomplete_details: { reason: "max_output_tokens" },
        max_output_tokens: 16,
        output_text: "Half",
      });
  });

  it("are incomplete where a guardrail or a filter withholds the rest", async () => {
    const stream = [
      eventStep("messageStart", { role: "assistant" }),
      textStep("Half"),
      {
        exception: "validationException",
        payload: { message: "Output blocked by content filtering policy" },
      },
    ];
    const served = await serve(answering({ stream } as ScriptedAnswer));
    const { whole, streamed } = await bothWays(served, { model: MODEL, input: "hi" });
    for (const response of [whole, streamed])
      expect(response).toMatchObject({
        status: "incomplete",
        incomplete_details: { reason: "content_filter" },
        output_text: "Half",
      });
  });

  it.each([
    ["ThrottlingException", 429, "rate_limit_exceeded"],
    ["ValidationException", 400, "invalid_request"],
  ])("fail before the first word as an HTTP error: %s", async (name, status, code) => {
    const { client } = await serve(answering({ error: { name, message: "Something with maxTokens." } }));
    for (const stream of [false, true]) {
      const asked = client.responses.create({ model: MODEL, input: "hi", max_output_tokens: 50, stream });
      await expect(asked).rejects.toMatchObject({
        status,
        code,
        param: status === 400 ? "max_output_tokens" : null,
        requestID: expect.any(String),
      });
    }
  });

  it("fail on their way in both of OpenAI's forms: its client throws, others read response.failed", async () => {
    const steps = [...textAnswerSteps(["Half "])].slice(0, 2);
    const { client, origin } = await serve(answering({ stream: [...steps, { end: "reset" }] }));
    const read = async (): Promise<void> => {
      const stream = await client.responses.create({ model: MODEL, input: "hi", stream: true });
      for await (const event of stream) expect(event.type).not.toBe("response.completed");
    };
    await expect(read()).rejects.toMatchObject({ code: "stream_broken" });
    await expect(client.responses.create({ model: MODEL, input: "hi" })).rejects.toMatchObject({
      status: 502,
    });
    const response = await fetch(`${origin}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: MODEL, input: "hi", stream: true }),
    });
    const frames = (await response.text()).trimEnd().split("\n\n");
    const [error, failed] = frames.slice(-2).map((frame) => {
      const [event = "", data = ""] = frame.split("\n");
      expect(data).toContain(`"type":"${event.slice("event: ".length)}"`);
      return JSON.parse(data.slice("data: ".length)) as Record<string, unknown>;
    });
    expect(error).toMatchObject({ type: "error", code: "stream_broken", sequence_number: frames.length - 2 });
    expect(failed).toMatchObject({
      type: "response.failed",
      sequence_number: frames.length - 1,
      response: {
        status: "failed",
        error: { code: "stream_broken" },
        output: [{ type: "message", status: "incomplete", content: [{ text: "Half " }] }],
      },
    });
  });

  it("end the call to Bedrock when their reader leaves", async () => {
    const { opened: left, open: leave } = gate();
    async function* steps(): AsyncGenerator<StreamStep> {
      try {
        yield* [...textAnswerSteps(["Half"])].slice(0, 2);
        yield { wait: gate().opened };
      } finally {
        leave();
      }
    }
    const { client, logged } = await serve({
      emulator: { script: ({ route }) => (route === "ConverseStream" ? { stream: steps() } : undefined) },
    });
    const stream = await client.responses.create({ model: MODEL, input: "hi", stream: true });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    stream.controller.abort();
    await left;
    expect(await logged(({ kind }) => kind === "request")).toMatchObject({
      status: 499,
      dialect: "responses",
    });
  });

  it("are counted before they are asked for, or estimated", async () => {
    const { client, emulator } = await serve();
    const count = (model: string) =>
      client.responses.inputTokens.count({ model, input: "Hello, you.", tools: [WEATHER] }).withResponse();
    for (const [model, source] of [
      [CLAUDE, "count-tokens"],
      [MODEL, "estimate"],
    ] as const) {
      const { data, response } = await count(model);
      expect(data).toEqual({ object: "response.input_tokens", input_tokens: expect.any(Number) });
      expect(data.input_tokens).toBeGreaterThan(2);
      expect(response.headers.get("x-tokens-source")).toBe(source);
    }
    expect(sent(emulator.calls)).toEqual([]);
    await expect(client.responses.inputTokens.count({ model: MODEL, input: " " })).rejects.toMatchObject({
      status: 400,
      param: "input",
    });
  });

  it("are not kept: what asks for one says so", async () => {
    const { client, origin } = await serve();
    const { id } = await client.responses.create({ model: MODEL, input: "hi" });
    const gone = { status: 404, code: "response_not_found", message: expect.stringContaining(id) };
    await expect(client.responses.retrieve(id)).rejects.toMatchObject(gone);
    await expect(client.responses.delete(id)).rejects.toMatchObject(gone);
    await expect(client.responses.cancel(id)).rejects.toMatchObject(gone);
    await expect(client.responses.inputItems.list(id)).rejects.toMatchObject(gone);
    const wrong = await fetch(`${origin}/v1/responses/${id}`, { method: "PUT" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE"]);
    await expect(
      client.responses.create({ model: MODEL, input: "And?", previous_response_id: id }),
    ).rejects.toMatchObject({ status: 400, param: "previous_response_id", code: "unsupported_parameter" });
  });
});
