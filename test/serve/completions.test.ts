import type {
  ChatCompletionChunk,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions/completions";
import { describe, expect, it } from "vitest";
import { eventStep } from "../../src/emulator/converse.ts";
import type { RecordedCall, StreamStep } from "../../src/emulator/emulator.ts";
import { textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { gate, MODEL, serve } from "../helpers/served.ts";

const pixel = PIXEL.toString("base64");
const ask = (content: string) => ({
  model: MODEL,
  messages: [{ role: "user" as const, content }],
});

/** The calls of ConverseStream, as the emulator received them. */
const sent = (calls: readonly RecordedCall[]) =>
  calls.filter(({ route }) => route === "ConverseStream").map(({ body }) => body as Record<string, unknown>);

const collect = async (stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> => {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};

function* toolSteps(
  calls: readonly { id: string; name: string; input: readonly string[] }[],
): Generator<StreamStep> {
  yield eventStep("messageStart", { role: "assistant" });
  yield textStep("Let me look.");
  yield eventStep("contentBlockStop", { contentBlockIndex: 0 });
  for (const [at, { id, name, input }] of calls.entries()) {
    const contentBlockIndex = at + 1;
    yield eventStep("contentBlockStart", {
      contentBlockIndex,
      start: { toolUse: { toolUseId: id, name } },
    });
    for (const text of input)
      yield eventStep("contentBlockDelta", { contentBlockIndex, delta: { toolUse: { input: text } } });
    yield eventStep("contentBlockStop", { contentBlockIndex });
  }
  yield eventStep("messageStop", { stopReason: "tool_use" });
  yield eventStep("metadata", { usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 } });
}

const WEATHER = {
  type: "function" as const,
  function: {
    name: "weather",
    description: "The weather of a city.",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};

describe("chat completions", () => {
  it("join characters that are cut in two, and never pass on half of one", async () => {
    const { origin } = await serve({
      emulator: { script: () => ({ stream: textAnswerSteps(["a\ud83d", "\ude00", "b\ud83d"]) }) },
    });
    for (const stream of [true, false]) {
      const response = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...ask("Hello"), stream }),
      });
      const body = await response.text();
      expect(body).not.toMatch(/\\ud[89a-f]/i);
      expect([...body.matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text).join("")).toBe("a😀b\ufffd");
    }
  });

  it("are asked for whatever the history holds, and the log says what was mended", async () => {
    const { client, emulator, logged } = await serve();
    const call = (id: string, args: string) => ({
      id,
      type: "function" as const,
      function: { name: "weather", arguments: args },
    });
    const long = "call_".padEnd(149, "x");
    const file = { filename: "日本語.txt", file_data: Buffer.from("hello").toString("base64") };
    const history: ChatCompletionMessageParam[] = [
      { role: "assistant", content: "Hi." },
      { role: "user", content: [{ type: "file", file }] },
      { role: "assistant", content: null, tool_calls: [call(long, "{"), call("b", '{"city":"Oslo"}')] },
      { role: "tool", tool_call_id: "b", content: "cut \ud83d" },
      { role: "tool", tool_call_id: long, content: "" },
      { role: "system", content: "Be brief." },
    ];
    const request = {
      model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      messages: history,
      tools: [{ type: "function" as const, function: { name: "weather", parameters: { oneOf: [] } } }],
      temperature: 1.5,
      top_p: 1,
    };
    await client.chat.completions.create(request);
    await client.chat.completions.create({
      ...request,
      messages: [...history, { role: "assistant", content: "Rain." }, { role: "user", content: "And now?" }],
    });
    const [first, second] = sent(emulator.calls) as Record<string, unknown[]>[];
    expect(second?.["messages"]?.slice(0, 5)).toEqual(first?.["messages"]);
    expect(first).toMatchObject({
      system: [{ text: "Be brief." }],
      inferenceConfig: { temperature: 1 },
      toolConfig: { tools: [{ toolSpec: { inputSchema: { json: { type: "object" } } } }] },
    });
    expect(first?.["messages"]).toMatchObject([
      { role: "user" },
      { role: "assistant", content: [{ text: "Hi." }] },
      {
        role: "user",
        content: [{ document: { name: "U65E5-U672C-U8A9E (txt)" } }, { text: "See the document." }],
      },
      { role: "assistant", content: [{ toolUse: { input: {} } }, { toolUse: { input: { city: "Oslo" } } }] },
      {
        role: "user",
        content: [
          { toolResult: { content: [{ text: "(no output)" }] } },
          { toolResult: { toolUseId: "b", content: [{ text: "cut \ufffd" }] } },
        ],
      },
    ]);
    const { notices = [] } = await logged(({ kind }) => kind === "request");
    for (const told of [
      /U\+FFFD/,
      /begins with an answer/,
      /no JSON object/,
      /1.5 becomes 1/,
      /either temperature or top_p, so top_p 1 is left out/,
    ])
      expect(notices.join("\n")).toMatch(told);
  });

  it("get calls under the names of their own tools", async () => {
    const name = "server.tool/".padEnd(80, "x");
    const { client, emulator } = await serve({
      emulator: {
        script: ({ route, body }) => {
          if (route !== "ConverseStream") return undefined;
          const { toolConfig } = body as { toolConfig: { tools: { toolSpec: { name: string } }[] } };
          const called = toolConfig.tools[0]?.toolSpec.name ?? "";
          return { stream: toolSteps([{ id: "t1", name: called, input: ["{}"] }]) };
        },
      },
    });
    const tools = [{ type: "function" as const, function: { name, parameters: {} } }];
    const answer = await client.chat.completions.create({ ...ask("Go."), tools });
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([{ function: { name } }]);
    expect(JSON.stringify(sent(emulator.calls)[0])).not.toContain(name);
  });

  it("have top_k where the model is known to take it, else a notice in the client's own words", async () => {
    const { origin, emulator, logged } = await serve();
    const cases: [model: string, fields: object, additional: object | undefined, notice?: string][] = [
      ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", {}, { top_k: 40 }],
      ["amazon.nova-lite-v1:0", {}, { inferenceConfig: { topK: 40 } }],
      ["openai.gpt-oss-120b-1:0", {}, undefined, "is not known to take top_k, so 40 is left out"],
      [
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        { reasoning_effort: "low", max_completion_tokens: 9000 },
        { thinking: { type: "enabled", budget_tokens: 4096 } },
        "does not take top_k while it reasons so, so 40 is left out",
      ],
    ];
    for (const [model, fields, additional, notice] of cases) {
      const messages = [{ role: "user", content: "Hi" }];
      const response = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, messages, top_k: 40, ...fields }),
      });
      expect(response.status).toBe(200);
      const body = sent(emulator.calls).at(-1) as Record<string, unknown>;
      expect(body["additionalModelRequestFields"]).toEqual(additional);
      if (notice !== undefined)
        await logged(({ kind, notices = [] }) => kind === "request" && notices.join("\n").includes(notice));
    }
  });

  it("may hold an empty file, of which the model is told", async () => {
    const { client, emulator, logged } = await serve();
    const file = (filename: string, text: string) => ({
      type: "file" as const,
      file: { filename, file_data: Buffer.from(text).toString("base64") },
    });
    await client.chat.completions.create({
      model: "amazon.nova-lite-v1:0",
      messages: [
        {
          role: "user",
          content: [file("a.txt", " \n"), file("b.csv", ""), { type: "text", text: "Sum up." }],
        },
      ],
    });
    expect(sent(emulator.calls)).toMatchObject([
      {
        messages: [
          {
            content: [
              { text: "(The document 'a.txt' is empty.)" },
              { text: "(The document 'b.csv' is empty.)" },
              { text: "Sum up." },
            ],
          },
        ],
      },
    ]);
    const { notices = [] } = await logged(({ kind }) => kind === "request");
    expect(notices.join("\n")).toContain("The document 'a.txt' is empty, and words that say so are sent");
  });

  it("are refused with the client's own name for what AWS refuses", async () => {
    const { client } = await serve({
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? {
                error: { name: "ValidationException", message: "topP and stopSequences do not go together." },
              }
            : undefined,
      },
    });
    const refusal = client.chat.completions.create({ ...ask("Hi"), top_p: 0.5 });
    await expect(refusal).rejects.toMatchObject({ status: 400, param: "top_p" });
    const stopped = client.chat.completions.create({ ...ask("Hi"), stop: ["END"] });
    await expect(stopped).rejects.toMatchObject({ status: 400, param: "stop" });
  });

  it("finish with tool_calls when a tool is called, whatever the model says of its end", async () => {
    const { client } = await serve({
      emulator: {
        script: () => ({
          stream: [...toolSteps([{ id: "t1", name: "weather", input: ["{}"] }])].map((step) =>
            "event" in step && step.event === "messageStop"
              ? eventStep("messageStop", { stopReason: "end_turn" })
              : step,
          ),
        }),
      },
    });
    const { choices } = await client.chat.completions.create({ ...ask("Rain?"), tools: [WEATHER] });
    expect(choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ id: "t1", function: { name: "weather", arguments: "{}" } }] },
    });
  });

  it("answers in one piece, with usage, and AWS's request id", async () => {
    const { client, emulator, logged } = await serve();
    const { data, response } = await client.chat.completions.create(ask("Hello")).withResponse();
    expect(data).toMatchObject({
      object: "chat.completion",
      model: MODEL,
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", refusal: null } }],
    });
    expect(data.choices[0]?.message.content).toMatch(/^This is a simulated answer .* You asked: Hello$/);
    expect(data.usage?.total_tokens).toBe(
      (data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0),
    );
    const call = emulator.calls.find(({ route }) => route === "ConverseStream");
    expect(response.headers.get("x-request-id")).toBe(call?.requestId);
    const line = await logged(({ path }) => path === "/v1/chat/completions");
    expect(line).toMatchObject({
      method: "POST",
      status: 200,
      model: MODEL,
      calledModel: MODEL,
      requestId: call?.requestId,
      finishReason: "stop",
      isStreamed: false,
      promptTokens: data.usage?.prompt_tokens,
      completionTokens: data.usage?.completion_tokens,
      firstTokenMs: expect.any(Number) as number,
      durationMs: expect.any(Number) as number,
    });
  });

  it("sends the first token while the model is still writing the second", async () => {
    const { opened, open } = gate();
    const { client } = await serve({
      emulator: {
        script: ({ route }) => {
          if (route !== "ConverseStream") return undefined;
          async function* steps(): AsyncGenerator<StreamStep> {
            yield textStep("one ");
            yield { wait: opened };
            yield* textAnswerSteps(["two"]);
          }
          return { stream: steps() };
        },
      },
    });
    const stream = await client.chat.completions.create({
      ...ask("x"),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
      if (chunk.choices[0]?.delta.content === "one ") open();
    }
    expect(chunks.map(({ choices: [choice] }) => choice?.delta)).toEqual([
      { role: "assistant", content: "", refusal: null },
      { content: "one " },
      { content: "two" },
      {},
      undefined,
    ]);
    expect(chunks.map(({ choices: [choice] }) => choice?.finish_reason)).toEqual([
      null,
      null,
      null,
      "stop",
      undefined,
    ]);
    expect(chunks.map(({ usage }) => usage?.total_tokens ?? null)).toEqual([null, null, null, null, 2]);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it("says nothing of usage where it is not asked for, and ends with [DONE]", async () => {
    const { origin } = await serve();
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({ ...ask("x"), stream: true }),
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const text = await response.text();
    expect(text).not.toContain("usage");
    expect(text.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
  });

  it("hands on parallel calls of tools, and their results as one message", async () => {
    const calls = [
      { id: "tooluse_1", name: "weather", input: ['{"city":', '"Paris"}'] },
      { id: "tooluse_2", name: "now", input: [] },
    ];
    const { client, emulator } = await serve({
      emulator: {
        script: ({ route, nth }) =>
          route === "ConverseStream" && nth < 3 ? { stream: toolSteps(calls) } : undefined,
      },
    });
    const tools = [WEATHER, { type: "function" as const, function: { name: "now" } }];
    const wanted = [
      { id: "tooluse_1", type: "function", function: { name: "weather", arguments: '{"city":"Paris"}' } },
      { id: "tooluse_2", type: "function", function: { name: "now", arguments: "{}" } },
    ];
    const streamed = await client.chat.completions
      .stream({ ...ask("Weather?"), tools, tool_choice: "required" })
      .finalChatCompletion();
    const whole = await client.chat.completions.create({ ...ask("Weather?"), tools });
    for (const { choices } of [streamed, whole]) {
      expect(choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: { content: "Let me look.", tool_calls: wanted },
      });
    }
    const { message } = whole.choices[0]!;
    await client.chat.completions.create({
      model: MODEL,
      tools,
      messages: [
        { role: "user", content: "Weather?" },
        message,
        { role: "tool", tool_call_id: "tooluse_1", content: "Rain" },
        { role: "tool", tool_call_id: "tooluse_2", content: [{ type: "text", text: "12:00" }] },
        { role: "user", content: "And tomorrow?" },
      ],
    });
    const [first, second, last] = sent(emulator.calls);
    expect(first?.["toolConfig"]).toEqual({
      tools: [
        {
          toolSpec: {
            name: "weather",
            description: "The weather of a city.",
            inputSchema: { json: WEATHER.function.parameters },
          },
        },
        { toolSpec: { name: "now", inputSchema: { json: { type: "object", properties: {} } } } },
      ],
      toolChoice: { any: {} },
    });
    expect(second?.["toolConfig"]).not.toHaveProperty("toolChoice");
    expect(last?.["messages"]).toEqual([
      { role: "user", content: [{ text: "Weather?" }] },
      {
        role: "assistant",
        content: [
          { text: "Let me look." },
          { toolUse: { toolUseId: "tooluse_1", name: "weather", input: { city: "Paris" } } },
          { toolUse: { toolUseId: "tooluse_2", name: "now", input: {} } },
        ],
      },
      {
        role: "user",
        content: [
          { toolResult: { toolUseId: "tooluse_1", content: [{ text: "Rain" }] } },
          { toolResult: { toolUseId: "tooluse_2", content: [{ text: "12:00" }] } },
          { text: "And tomorrow?" },
        ],
      },
    ]);
  });

  it("hands on one call only where parallel calls are not wanted", async () => {
    const calls = [
      { id: "a", name: "weather", input: ["{}"] },
      { id: "b", name: "weather", input: ["{}"] },
    ];
    const { client } = await serve({
      emulator: {
        script: ({ route }) => (route === "ConverseStream" ? { stream: toolSteps(calls) } : undefined),
      },
    });
    const answer = await client.chat.completions.create({
      ...ask("?"),
      tools: [WEATHER],
      parallel_tool_calls: false,
    });
    expect(answer.choices[0]?.message.tool_calls?.map((call) => call.id)).toEqual(["a"]);
    expect(answer.choices[0]?.finish_reason).toBe("tool_calls");
  });

  it("sends images and files as they are, and every optional field under Converse's name", async () => {
    const { client, emulator } = await serve();
    const answer = await client.chat.completions.create({
      model: MODEL,
      max_completion_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      stop: ["END"],
      service_tier: "priority",
      metadata: { team: "search", note: "naïve é" },
      user: "somebody",
      seed: 1,
      store: false,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "developer", content: [{ type: "text", text: "Be kind." }] },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}`, detail: "low" } },
            { type: "text", text: "   " },
            {
              type: "file",
              file: {
                filename: "Notes, 1.md",
                file_data: `data:text/markdown;base64,${Buffer.from("# Notes").toString("base64")}`,
              },
            },
          ],
        },
      ],
    });
    expect(answer.choices[0]?.message.content).toContain("You attached 1 image, 1 document.");
    expect(answer.service_tier).toBe("priority");
    expect(sent(emulator.calls)[0]).toEqual({
      system: [{ text: "Be brief.\n\nBe kind." }],
      inferenceConfig: { maxTokens: 50, temperature: 0.5, topP: 0.9, stopSequences: ["END"] },
      serviceTier: { type: "priority" },
      requestMetadata: { team: "search" },
      messages: [
        {
          role: "user",
          content: [
            { text: "What is this?" },
            { image: { format: "png", source: { bytes: pixel } } },
            {
              document: {
                format: "md",
                name: "Notes- 1 (md)",
                source: { bytes: Buffer.from("# Notes").toString("base64") },
              },
            },
          ],
        },
      ],
    });
  });

  it("holds an answer to a JSON schema, streamed or not", async () => {
    const { client } = await serve();
    const format = {
      type: "json_schema" as const,
      json_schema: {
        name: "place",
        strict: true,
        schema: {
          type: "object",
          properties: { city: { type: "string" }, people: { type: "integer" } },
          required: ["city", "people"],
          additionalProperties: false,
        },
      },
    };
    const whole = await client.chat.completions.create({ ...ask("Where?"), response_format: format });
    const chunks = await collect(
      await client.chat.completions.create({ ...ask("Where?"), response_format: format, stream: true }),
    );
    const streamed = chunks.map(({ choices: [choice] }) => choice?.delta.content ?? "").join("");
    expect(JSON.parse(whole.choices[0]?.message.content ?? "")).toEqual({
      city: expect.any(String) as string,
      people: expect.any(Number) as number,
    });
    expect(streamed).toBe(whole.choices[0]?.message.content);
    expect(whole.choices[0]).toMatchObject({ finish_reason: "stop" });
    expect(whole.choices[0]?.message).not.toHaveProperty("tool_calls");
  });

  it("hands on JSON that does not fit unless `strict` promises that it does", async () => {
    const { client } = await serve({
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream" ? { stream: textAnswerSteps(['{"city":1}']) } : undefined,
      },
    });
    const format = (strict: boolean) => ({
      type: "json_schema" as const,
      json_schema: {
        name: "place",
        strict,
        schema: { type: "object", properties: { city: { type: "string" } } },
      },
    });
    const loose = await client.chat.completions.create({ ...ask("?"), response_format: format(false) });
    expect(loose.choices[0]?.message.content).toBe('{"city":1}');
    await expect(
      client.chat.completions.create({ ...ask("?"), response_format: format(true) }),
    ).rejects.toMatchObject({ status: 502, code: "model_error" });
  });

  it("gives any JSON object, and what there is of one that is cut at the token limit", async () => {
    const answers = [
      ['{"any":', " [1]}"],
      ['{"any":', " [1"],
    ];
    const { client } = await serve({
      emulator: {
        script: ({ route, nth }) =>
          route === "ConverseStream"
            ? {
                stream: textAnswerSteps(answers[nth - 1] ?? [], {
                  stopReason: nth === 1 ? "end_turn" : "max_tokens",
                }),
              }
            : undefined,
      },
    });
    const request = { ...ask("JSON"), response_format: { type: "json_object" as const } };
    const whole = await client.chat.completions.create(request);
    expect(whole.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: '{"any": [1]}' },
    });
    const cut = await client.chat.completions.create(request);
    expect(cut.choices[0]).toMatchObject({ finish_reason: "length", message: { content: '{"any": [1' } });
  });

  it("asks for reasoning by its level and gives it beside the text", async () => {
    const { client, emulator } = await serve();
    const request = { ...ask("Think."), model: "us.anthropic.claude-opus-4-6-v1" };
    const whole = await client.chat.completions.create({ ...request, reasoning_effort: "high" });
    const { message } = whole.choices[0] as unknown as { message: { reasoning_content?: string } };
    expect(message.reasoning_content).toContain("simulated reasoning");
    const chunks = await collect(
      await client.chat.completions.create({ ...request, reasoning_effort: "low", stream: true }),
    );
    const reasoning = chunks
      .map(({ choices: [choice] }) => choice?.delta as { reasoning_content?: string } | undefined)
      .map((delta) => delta?.reasoning_content ?? "")
      .join("");
    expect(reasoning).toBe(message.reasoning_content);
    const plain = await client.chat.completions.create({ ...request, reasoning_effort: "none" });
    expect(plain.choices[0]?.message).not.toHaveProperty("reasoning_content");
    const [high, low] = sent(emulator.calls).map((body) =>
      JSON.stringify(body["additionalModelRequestFields"] ?? {}),
    );
    expect(high).toContain('"high"');
    expect(low).toContain('"low"');
  });

  it("goes on after tool calls without the reasoning that OpenAI's format has no place for", async () => {
    const { client, emulator, logged } = await serve();
    const call = { id: "a", type: "function" as const, function: { name: "look", arguments: "{}" } };
    await client.chat.completions.create({
      model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      reasoning_effort: "low",
      tools: [{ type: "function", function: { name: "look", parameters: { type: "object" } } }],
      messages: [
        { role: "user", content: "Look." },
        { role: "assistant", tool_calls: [call] },
        { role: "tool", tool_call_id: "a", content: "Nothing there." },
      ],
    });
    expect(sent(emulator.calls)[0]).not.toHaveProperty("additionalModelRequestFields");
    const { notices } = await logged(({ kind }) => kind === "request");
    expect(notices).toEqual([expect.stringContaining("reasoning 'low' is left out")]);
  });

  it("calls a model through its profile, by key, alias and mapped name, and its fallback when it is throttled", async () => {
    const { client, emulator, logged } = await serve({
      args: ["--map", `gpt-4o=amazon.nova-pro-v1:0,${MODEL}`],
      config: `{ agents: { defaults: { models: { "anthropic.claude-opus-4-6-v1": { alias: "opus" } } } } }`,
      emulator: {
        script: ({ route, parameters }) =>
          route === "ConverseStream" && parameters["modelId"] === "amazon.nova-pro-v1:0"
            ? { error: { name: "ThrottlingException", message: "Too many requests" } }
            : undefined,
      },
    });
    const models = ["opus", `amazon-bedrock/${MODEL}`, "gpt-4o"];
    const answers = [];
    for (const model of models) answers.push(await client.chat.completions.create({ ...ask("x"), model }));
    expect(answers.map(({ model }) => model)).toEqual(["us.anthropic.claude-opus-4-6-v1", MODEL, MODEL]);
    const line = await logged(({ model }) => model === "gpt-4o");
    expect(line.notices?.join()).toContain(`Asking ${MODEL} instead`);
    expect((await logged(({ model }) => model === "opus")).notices?.join()).toContain("inference profile");
    expect(emulator.calls.filter(({ route }) => route === "ConverseStream")).toHaveLength(4);
  });

  it.each([
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["stop_sequence", "stop"],
    ["guardrail_intervened", "content_filter"],
    ["content_filtered", "content_filter"],
    ["refusal", "content_filter"],
  ])("turns the stop reason %s into %s", async (stopReason, finish) => {
    const { client } = await serve({
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? {
                stream: (function* (): Generator<StreamStep> {
                  yield textStep("So far");
                  yield eventStep("messageStop", { stopReason });
                  yield eventStep("metadata", {
                    usage: {
                      inputTokens: 3,
                      outputTokens: 2,
                      totalTokens: 17,
                      cacheReadInputTokens: 8,
                      cacheWriteInputTokens: 4,
                    },
                  });
                })(),
              }
            : undefined,
      },
    });
    const answer = await client.chat.completions.create(ask("x"));
    expect(answer.choices[0]).toMatchObject({ finish_reason: finish, message: { content: "So far" } });
    expect(answer.usage).toEqual({
      prompt_tokens: 15,
      completion_tokens: 2,
      total_tokens: 17,
      prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 4 },
    });
  });

  it("keeps prompts and answers out of the log unless they are asked for", async () => {
    const quiet = await serve();
    await quiet.client.chat.completions.create(ask("the secret plan"));
    const line = await quiet.logged(({ status }) => status === 200);
    expect(JSON.stringify(line)).not.toContain("secret plan");
    const open = await serve({ args: ["--log-content"] });
    await open.client.chat.completions.create({
      model: MODEL,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "the open plan" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
          ],
        },
      ],
    });
    const told = await open.logged(({ status }) => status === 200);
    expect(JSON.stringify(told.request)).toContain("the open plan");
    expect(JSON.stringify(told.request)).not.toContain(pixel);
    expect(told.answer).toContain("You asked: the open plan");
    const many = { role: "user" as const, content: "long ".repeat(500_000) };
    await open.client.chat.completions.create({ model: MODEL, messages: [many, many], user: "u" });
    const long = await open.logged(({ request }) => JSON.stringify(request)?.includes("long long") ?? false);
    expect(JSON.stringify(long.request).length).toBeLessThan(1_001_000);
    expect(JSON.stringify(long.request)).toContain("… (2500000)");
  });

  it("works for the emulator inside the process, too", async () => {
    const { client } = await serve({
      args: ["--emulator"],
      env: { AWS_ENDPOINT_URL: undefined, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
    });
    const answer = await client.chat.completions.create(ask("inside"));
    expect(answer.choices[0]?.message.content).toContain("You asked: inside");
  });

  it.each([true, false])(
    "give tools that take a text what the model writes for them, streamed: %s",
    async (stream) => {
      const patch = '*** Begin Patch\n+ "a"\n';
      const { client, emulator } = await serve({
        emulator: {
          dialogue: [
            { toolCalls: [{ name: "apply_patch", input: { input: patch } }] },
            { text: "Done: $result" },
          ],
        },
      });
      const grammar = { syntax: "lark" as const, definition: "start: /a/" };
      const tools = [
        WEATHER,
        {
          type: "custom" as const,
          custom: {
            name: "apply_patch",
            description: "Patches.",
            format: { type: "grammar" as const, grammar },
          },
        },
      ];
      const user = { role: "user" as const, content: "Patch it" };
      const asked = { model: MODEL, tools, messages: [user] };
      const answer = stream ? undefined : await client.chat.completions.create(asked);
      const chunks = stream ? await collect(await client.chat.completions.create({ ...asked, stream })) : [];
      const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []) as unknown as {
        custom: { input: string };
      }[];
      const call = stream
        ? {
            id: "c",
            type: "custom" as const,
            custom: { name: "apply_patch", input: pieces.map(({ custom }) => custom.input).join("") },
          }
        : answer?.choices[0]?.message.tool_calls?.[0];
      expect(call).toMatchObject({ type: "custom", custom: { name: "apply_patch", input: patch } });
      if (!call) throw new Error("no call");
      const after = await client.chat.completions.create({
        ...asked,
        messages: [
          user,
          { role: "assistant", tool_calls: [call] },
          { role: "tool", tool_call_id: call.id, content: "patched" },
        ],
      });
      expect(after.choices[0]?.message.content).toBe("Done: patched");
      const [first] = sent(emulator.calls);
      expect(JSON.stringify(first?.["toolConfig"])).toContain("lark grammar");
    },
  );
});
