import Anthropic, { APIError, APIUserAbortError } from "@anthropic-ai/sdk";
import type { Message } from "@aws-sdk/client-bedrock-runtime";
import type { MessageCreateParamsBase, MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";
import { describe, expect, it } from "vitest";
import type { Dialogue, RecordedCall } from "../../src/emulator/emulator.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { gate, MODEL, serve, type Served, type ServeTestOptions } from "../helpers/served.ts";

/** Takes cache points and thinks by a budget. */
const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

async function served(options: ServeTestOptions = {}): Promise<Served & { anthropic: Anthropic }> {
  const server = await serve(options);
  return {
    ...server,
    anthropic: new Anthropic({ baseURL: server.origin, apiKey: "none", maxRetries: 0 }),
  };
}

const ask = (content: MessageParam["content"], more: object = {}) => ({
  model: MODEL,
  max_tokens: 1000,
  messages: [{ role: "user" as const, content }],
  ...more,
});
const said = (dialogue: Dialogue): ServeTestOptions => ({ emulator: { dialogue } });

/** A call of ConverseStream, as far as it is looked at. */
interface SentBody {
  messages: Required<Message>[];
  system?: unknown;
  toolConfig?: { tools: unknown[] };
  additionalModelRequestFields?: unknown;
}

/** The bodies of the calls of ConverseStream, as the emulator received them. */
const sent = (calls: readonly RecordedCall[]) =>
  calls.filter(({ route }) => route === "ConverseStream").map(({ body }) => body as SentBody);

const TOOLS = [
  {
    name: "weather",
    description: "Tells the weather.",
    input_schema: { type: "object" as const, properties: { city: { type: "string" } } },
  },
];

describe("the SDK of Anthropic", () => {
  it("gets the same answer whole and streamed, with its counts", async () => {
    const { anthropic, logged } = await served();
    const whole = await anthropic.messages.create(ask("Why is the sky blue?"));
    const stream = anthropic.messages.stream(ask("Why is the sky blue?"));
    const gathered = await stream.finalMessage();
    // What of the counts the SDK takes from the end of a stream is all of them but these.
    const usage = { ...whole.usage, service_tier: null };
    expect(gathered).toEqual({
      ...whole,
      id: expect.stringMatching(/^msg_/) as string,
      usage,
      parsed_output: null,
    });
    expect(whole).toMatchObject({
      type: "message",
      role: "assistant",
      model: MODEL,
      stop_reason: "end_turn",
      stop_sequence: null,
      content: [{ type: "text", text: expect.stringContaining("You asked: Why is the sky blue?") }],
    });
    expect(whole.usage.input_tokens).toBeGreaterThan(0);
    expect(whole.usage.output_tokens).toBeGreaterThan(0);
    const line = await logged(({ kind }) => kind === "request");
    expect(line).toMatchObject({ dialect: "messages", model: MODEL, path: "/v1/messages" });
  });

  it("gets AWS's request id in both headers", async () => {
    const { anthropic, origin } = await served();
    const { response, request_id } = await anthropic.messages.create(ask("hi")).withResponse();
    expect(request_id).toBe(response.headers.get("x-request-id"));
    const streamed = await fetch(`${origin}/v1/messages?beta=true`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(ask("hi", { stream: true })),
    });
    expect(streamed.headers.get("request-id")).toMatch(/^[\w-]+$/);
    await streamed.text();
  });

  it("runs tools in a loop, whole and streamed", async () => {
    const dialogue = [
      {
        text: "I look.",
        toolCalls: [
          { name: "weather", input: { city: "Oslo" } },
          { name: "weather", input: { city: "Rome" } },
        ],
      },
      { text: "They say: $result" },
    ];
    const { anthropic } = await served(said(dialogue));
    const asked = ask("Weather?", { tools: TOOLS });
    const whole = await anthropic.messages.create(asked);
    const gathered = await anthropic.messages.stream(asked).finalMessage();
    expect(gathered.content).toEqual(whole.content);
    expect(whole.stop_reason).toBe("tool_use");
    expect(whole.content).toMatchObject([
      { type: "text", text: "I look." },
      { type: "tool_use", name: "weather", input: { city: "Oslo" } },
      { type: "tool_use", name: "weather", input: { city: "Rome" } },
    ]);
    const results = whole.content.flatMap((block) =>
      block.type === "tool_use"
        ? [
            {
              type: "tool_result" as const,
              tool_use_id: block.id,
              content: `${JSON.stringify(block.input)};`,
            },
          ]
        : [],
    );
    const answer = await anthropic.messages.create({
      ...asked,
      messages: [
        ...asked.messages,
        { role: "assistant", content: whole.content },
        { role: "user", content: results },
      ],
    });
    expect(answer.content).toMatchObject([{ text: 'They say: {"city":"Oslo"};\n{"city":"Rome"};' }]);
  });

  it("gets one call where it wants no others beside it", async () => {
    const calls = [{ name: "weather" }, { name: "weather", input: { city: "Rome" } }];
    const { anthropic } = await served(said([{ toolCalls: calls }]));
    const tool_choice = { type: "auto", disable_parallel_tool_use: true };
    const { content } = await anthropic.messages.create(ask("?", { tools: TOOLS, tool_choice }));
    expect(content).toMatchObject([{ type: "tool_use", input: {} }]);
  });

  it("thinks over two turns: the signed reasoning goes back to the model as it came", async () => {
    const dialogue = [
      { reasoning: "Where is it?", toolCalls: [{ name: "weather", input: { city: "Oslo" } }] },
      { reasoning: "So.", text: "Cold." },
    ];
    const { anthropic, emulator } = await served(said(dialogue));
    const asked = ask("Weather?", {
      model: CLAUDE,
      max_tokens: 4000,
      tools: TOOLS,
      thinking: { type: "enabled", budget_tokens: 2000 },
    }) as MessageCreateParamsBase;
    const first = await anthropic.messages.stream(asked).finalMessage();
    expect(first.content).toMatchObject([
      { type: "thinking", thinking: "Where is it?", signature: expect.stringMatching(/./) },
      { type: "tool_use" },
    ]);
    const use = first.content.find((block) => block.type === "tool_use");
    const second = await anthropic.messages.create({
      ...asked,
      stream: false,
      messages: [
        ...asked.messages,
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: use?.id ?? "", content: "-3" }] },
      ],
    });
    expect(second.content).toMatchObject([{ type: "thinking", thinking: "So." }, { text: "Cold." }]);
    const [one, two] = sent(emulator.calls);
    expect(one?.additionalModelRequestFields).toEqual({
      thinking: { type: "enabled", budget_tokens: 2000 },
    });
    const [thinking] = first.content;
    expect(two?.messages[1]?.content?.[0]?.reasoningContent?.reasoningText).toEqual({
      text: "Where is it?",
      signature: thinking?.type === "thinking" ? thinking.signature : "",
    });
  });

  it.each([
    ["signed by another model", Buffer.alloc(32).toString("base64"), 2],
    ["signed by none", "", 1],
  ])("goes on without reasoning that is %s", async (_, signature, calls) => {
    const { anthropic, emulator } = await served(said([{ text: "A." }, { text: "Cold." }]));
    const answer = await anthropic.messages.create({
      model: CLAUDE,
      max_tokens: 4000,
      tools: TOOLS,
      thinking: { type: "enabled", budget_tokens: 2000 },
      messages: [
        { role: "user", content: "Weather?" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Where?", signature },
            { type: "tool_use", id: "1", name: "weather", input: {} },
          ],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "-3" }] },
        { role: "system", content: "Be brief." },
      ],
    });
    expect(answer.content).toMatchObject([{ text: "Cold." }]);
    expect(sent(emulator.calls)).toHaveLength(calls);
    expect(sent(emulator.calls).at(-1)).not.toHaveProperty("additionalModelRequestFields");
  });

  it("sends images, documents and search results", async () => {
    const { anthropic, emulator } = await served();
    const pdf = Buffer.from("%PDF-1.4 a").toString("base64");
    await anthropic.messages.create(
      ask(
        [
          {
            type: "image",
            source: { type: "base64", media_type: "image/png", data: PIXEL.toString("base64") },
          },
          {
            type: "document",
            source: { type: "base64", media_type: "application/pdf", data: pdf },
            title: "a",
          },
          { type: "text", text: "What is it?" },
        ],
        { model: CLAUDE },
      ),
    );
    expect(sent(emulator.calls)[0]?.messages[0]?.content).toHaveLength(3);
  });

  it("gets the sources of what is said: in documents that are cited, and in the web", async () => {
    const { anthropic } = await served();
    const data = Buffer.from("%PDF-1.4 a").toString("base64");
    const document = {
      type: "document" as const,
      title: "a",
      citations: { enabled: true },
      source: { type: "base64" as const, media_type: "application/pdf" as const, data },
    };
    const cited = await anthropic.messages.create(
      ask([document, { type: "text", text: "?" }], { model: CLAUDE }),
    );
    expect(cited.content).toMatchObject([
      { type: "text", citations: [{ type: "page_location", document_index: 0, start_page_number: 1 }] },
    ]);
    const tools = [{ type: "web_search_20250305" as const, name: "web_search" as const }];
    const found = await anthropic.messages.stream(
      ask("?", { model: "us.amazon.nova-premier-v1:0", tools }) as MessageCreateParamsBase,
    );
    const { content } = await found.finalMessage();
    expect(content).toMatchObject([
      {
        type: "text",
        citations: [{ type: "web_search_result_location", url: "https://simulated.example/1" }, {}],
      },
    ]);
    await expect(anthropic.messages.create(ask("?", { model: CLAUDE, tools }))).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("does not search the web") as string,
    });
  });

  it("has the prompt cached where it marks it, at most four times and the longest first", async () => {
    const { anthropic, emulator } = await served();
    const mark = { cache_control: { type: "ephemeral" as const } };
    const hour = { cache_control: { type: "ephemeral" as const, ttl: "1h" as const } };
    const asked = ask(
      [
        { type: "text", text: "a", ...mark },
        { type: "text", text: "b" },
      ],
      {
        tools: [{ ...TOOLS[0], ...hour }],
        system: [
          { type: "text", text: "s", ...mark },
          { type: "text", text: "t" },
        ],
      },
    );
    await anthropic.messages.create({ ...asked, model: CLAUDE });
    await anthropic.messages.create(asked);
    const [claude, nova] = sent(emulator.calls);
    const point = { cachePoint: { type: "default" } };
    expect(claude?.toolConfig?.tools.at(-1)).toEqual({ cachePoint: { type: "default", ttl: "1h" } });
    expect(claude?.system).toEqual([{ text: "s" }, point, { text: "t" }]);
    expect(claude?.messages[0]?.content).toEqual([{ text: "a" }, point, { text: "b" }]);
    expect(nova?.toolConfig?.tools).toHaveLength(1);
    expect(nova?.system).toEqual([{ text: "s" }, point, { text: "t" }]);
  });

  it("is told which text ended the answer", async () => {
    const { anthropic, emulator } = await served();
    const asked = ask("Say END.", { stop_sequences: ["END"] });
    for (const model of [MODEL, CLAUDE]) {
      const { stop_reason, stop_sequence } = await anthropic.messages.create({ ...asked, model });
      expect([stop_reason, stop_sequence]).toEqual(["stop_sequence", "END"]);
    }
    const [nova, claude] = sent(emulator.calls);
    expect(nova).not.toHaveProperty("additionalModelResponseFieldPaths");
    expect(claude).toHaveProperty("additionalModelResponseFieldPaths", [
      "/delta/stop_sequence",
      "/stop_sequence",
    ]);
  });

  it("gets an answer that fits its schema", async () => {
    const { anthropic } = await served();
    const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
    const output_config = { format: { type: "json_schema", schema } };
    const { content } = await anthropic.messages.create(ask("?", { output_config }));
    const [block] = content;
    expect(JSON.parse(block?.type === "text" ? block.text : "")).toHaveProperty("a");
  });

  it("waits for an answer that is long in coming, and is told what it comes to", async () => {
    const { opened, open } = gate();
    let isBroken = false;
    const { anthropic, origin } = await served({
      args: ["--heartbeat", "1"],
      emulator: {
        script: ({ route }) => {
          if (route !== "ConverseStream") return undefined;
          if (isBroken) return { error: { name: "ThrottlingException", message: "No." }, after: opened };
          return { stream: textAnswerSteps(["a", "b"]), after: opened };
        },
      },
    });
    const response = await fetch(`${origin}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(ask("hi", { stream: true })),
    });
    const gathered = anthropic.messages.stream(ask("hi")).finalMessage();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    open();
    expect((await gathered).content).toMatchObject([{ text: "ab" }]);
    await reader?.cancel();
    isBroken = true;
    await expect(anthropic.messages.stream(ask("hi")).finalMessage()).rejects.toThrow("No.");
  });

  it("may be the client of what is in beta", async () => {
    const { anthropic } = await served(said([{ text: "A." }]));
    const { content } = await anthropic.beta.messages.create({
      ...ask("hi"),
      betas: ["context-management-2025-06-27", "interleaved-thinking-2025-05-14"],
      context_management: { edits: [{ type: "clear_tool_uses_20250919" }] },
      output_config: { effort: "low" },
    });
    expect(content).toMatchObject([{ text: "A." }]);
    const tool = {
      type: "custom" as const,
      name: "clock",
      input_schema: { type: "object" as const },
      run: () => "noon",
      parse: (input: unknown) => input,
    };
    const looping = await served(said([{ toolCalls: [{ name: "clock" }] }, { text: "It is $result." }]));
    const last = await looping.anthropic.beta.messages.toolRunner({ ...ask("?"), tools: [tool] });
    expect(last.content).toMatchObject([{ text: "It is noon." }]);
    // The server is to keep the conversation, and the SDK sends all of it to one that does not.
    const kept = await served(said([{ text: "A." }, { text: "B." }, { text: "C." }]));
    const thread = kept.anthropic.beta.messages.thread({ model: MODEL, max_tokens: 100 });
    const answers: unknown[] = [];
    for (const content of ["one", "two", "three"])
      answers.push((await thread.send({ role: "user", content })).content);
    expect(answers).toMatchObject([[{ text: "A." }], [{ text: "B." }], [{ text: "C." }]]);
  });

  it("ends the call to Bedrock when it goes away", async () => {
    const [asked, answered] = [gate(), gate()];
    const { anthropic, logged } = await served({
      emulator: {
        script: ({ route }) => {
          if (route !== "ConverseStream") return undefined;
          asked.open();
          return { stream: textAnswerSteps(["a", "b"]), after: answered.opened };
        },
      },
    });
    const stream = anthropic.messages.stream(ask("hi"));
    const gathered = stream.finalMessage();
    await asked.opened;
    stream.abort();
    await expect(gathered).rejects.toThrow(APIUserAbortError);
    expect(await logged(({ kind }) => kind === "request")).toMatchObject({ isAborted: true, status: 499 });
    answered.open();
  });
});

describe("the SDK is told errors", () => {
  const failing = (name: string, status = 400, message = "No."): ServeTestOptions => ({
    emulator: {
      script: ({ route }) => (route === "ConverseStream" ? { error: { name, message, status } } : undefined),
    },
  });

  it.each<[string, ServeTestOptions, object, number, string]>([
    ["throttled", failing("ThrottlingException", 429), ask("hi"), 429, "rate_limit_error"],
    ["not available", failing("ServiceUnavailableException", 503), ask("hi"), 529, "overloaded_error"],
    ["denied", failing("AccessDeniedException", 403), ask("hi"), 403, "permission_error"],
    ["refused", failing("ValidationException"), ask("hi"), 400, "invalid_request_error"],
    ["no such model", {}, { ...ask("hi"), model: "claude-nope" }, 404, "not_found_error"],
    ["no messages", {}, { ...ask("hi"), messages: "hi" }, 400, "invalid_request_error"],
  ])("before the first token: %s", async (_, options, asked, status, type) => {
    const { anthropic } = await served(options);
    for (const stream of [false, true]) {
      const failure: unknown = await anthropic.messages
        .create({ ...(asked as MessageCreateParamsBase), stream })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(failure).toBeInstanceOf(APIError);
      const { status: got, type: kind, error, requestID } = failure as APIError;
      expect([got, kind]).toEqual([status, type]);
      expect(error).toMatchObject({ type: "error", error: { type }, request_id: requestID });
    }
  });

  it("in the middle of a stream, as an event", async () => {
    const { anthropic, origin } = await served({
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? {
                stream: [
                  ...[...textAnswerSteps(["a", "b"])].slice(0, 2),
                  { exception: "modelStreamErrorException", payload: { message: "Broken." } },
                ] as never,
              }
            : undefined,
      },
    });
    await expect(anthropic.messages.stream(ask("hi")).finalMessage()).rejects.toThrow(APIError);
    const response = await fetch(`${origin}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(ask("hi", { stream: true })),
    });
    const body = await response.text();
    const events = [...body.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
    expect(events).toEqual(["message_start", "content_block_start", "content_block_delta", "error"]);
    expect(body).toMatch(/"type":"error","error":\{"type":"api_error"/);
  });

  it("of a body that is too large, and of one that is none", async () => {
    const { anthropic, origin } = await served({ args: ["--max-body", "0.1"] });
    await expect(anthropic.messages.create(ask("a".repeat(200_000)))).rejects.toMatchObject({
      status: 413,
      error: { error: { type: "request_too_large" } },
    });
    const response = await fetch(`${origin}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  it("of fields that nobody knows, where the server is strict", async () => {
    const asked = { ...ask("hi"), newest: true };
    const lenient = await served();
    await lenient.anthropic.messages.create(asked);
    await lenient.anthropic.messages.create(asked);
    const told = await lenient.logged(({ message = "" }) => message.includes("'newest'"));
    expect(told.kind).toBe("note");
    const { anthropic } = await served({ args: ["--strict"] });
    await expect(anthropic.messages.create(asked)).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("newest") as string,
    });
  });

  it("with when to ask again, and not to where that helps nobody", async () => {
    const { origin } = await served(failing("ThrottlingException", 429));
    const throttled = await fetch(`${origin}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(ask("hi")),
    });
    expect(throttled.headers.get("retry-after")).toBe("5");
    expect(throttled.headers.get("x-should-retry")).toBeNull();
    const full = await served(failing("ServiceQuotaExceededException", 400));
    const spent = await fetch(`${full.origin}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(ask("hi")),
    });
    expect([spent.status, spent.headers.get("x-should-retry")]).toEqual([429, "false"]);
  });
});

describe("beside messages", () => {
  it("tokens are counted by AWS where it counts, and else estimated, which says so", async () => {
    const { anthropic, logged } = await served();
    const asked = { messages: ask("Why is the sky blue?").messages };
    const counted = await anthropic.messages.countTokens({ ...asked, model: CLAUDE }).withResponse();
    expect(counted.data.input_tokens).toBeGreaterThan(0);
    expect(counted.response.headers.get("x-tokens-source")).toBe("count-tokens");
    const estimated = await anthropic.messages
      .countTokens({ ...asked, model: "meta.llama3-8b-instruct-v1:0", tools: TOOLS })
      .withResponse();
    expect(estimated.data.input_tokens).toBeGreaterThan(0);
    expect(estimated.response.headers.get("x-tokens-source")).toBe("estimate");
    const line = await logged(({ notices = [] }) => notices.some((notice) => /estimated/.test(notice)));
    expect(line.path).toBe("/v1/messages/count_tokens");
  });

  it("models are listed, page by page, and found by their names", async () => {
    const { anthropic, client } = await served();
    const all: string[] = [];
    for await (const model of anthropic.models.list({ limit: 3 })) all.push(model.id);
    const openai: string[] = [];
    for await (const model of client.models.list()) openai.push(model.id);
    expect(all).toEqual(openai);
    expect(all.length).toBeGreaterThan(3);
    expect(await anthropic.models.retrieve(MODEL)).toMatchObject({ type: "model", id: MODEL });
    await expect(anthropic.models.retrieve("nope")).rejects.toMatchObject({
      status: 404,
      type: "not_found_error",
    });
  });

  it.each([
    { limit: -1 },
    { limit: 0 },
    { limit: 1.5 },
    { limit: 1001 },
    { after_id: "gone" },
    { before_id: "gone" },
  ])("no page begins anew for %j", async (query) => {
    const { anthropic } = await served();
    await expect(anthropic.models.list(query)).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      message: expect.stringContaining(`'${Object.keys(query)[0]}'`),
    });
  });

  it("a client that looks whether anybody is there is answered", async () => {
    const { origin } = await served({ env: { OPENCLAW_SERVE_API_KEY: "sk-12345678" } });
    for (const path of ["/", "/api/hello"])
      expect((await fetch(`${origin}${path}`, { method: "HEAD" })).status).toBe(200);
  });

  it("a key is taken from either header", async () => {
    const { origin } = await serve({ env: { OPENCLAW_SERVE_API_KEY: "sk-12345678" } });
    const keyed = new Anthropic({ baseURL: origin, apiKey: "sk-12345678", maxRetries: 0 });
    await keyed.messages.create(ask("hi"));
    const bearing = new Anthropic({ baseURL: origin, apiKey: null, authToken: "sk-12345678", maxRetries: 0 });
    await bearing.messages.create(ask("hi"));
    const other = new Anthropic({ baseURL: origin, apiKey: "sk-87654321", maxRetries: 0 });
    await expect(other.messages.create(ask("hi"))).rejects.toMatchObject({
      status: 401,
      type: "authentication_error",
    });
  });
});
