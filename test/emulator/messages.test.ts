import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { faultScript } from "../../src/emulator/fault.ts";
import { emulate } from "./clients.ts";
import { send, sign } from "./signed-request.ts";

type Params = Anthropic.MessageCreateParamsNonStreaming;

const PATH = "/anthropic/v1/messages";
const VERSION = { "anthropic-version": "2023-06-01" };
const CLAUDE = "us.anthropic.claude-sonnet-4-6";
const OPUS = "us.anthropic.claude-opus-4-8";
const hi: Params = { model: CLAUDE, max_tokens: 100, messages: [{ role: "user", content: "Hello there" }] };
const SAID =
  "This is a simulated answer from the openclaw emulator (model Claude Sonnet 4.6). You asked: Hello there";
const weather: Anthropic.Tool = {
  name: "weather",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

function client(
  { url, bearerToken }: Emulator,
  key: { apiKey?: string; authToken?: string } = { apiKey: bearerToken },
): Anthropic {
  return new Anthropic({ baseURL: `${url}/anthropic`, apiKey: null, authToken: null, maxRetries: 0, ...key });
}

async function clientOf(options: EmulatorOptions = {}): Promise<Anthropic> {
  return client(await emulate(options));
}

describe("Anthropic's own client", () => {
  it("gets an answer whole", async () => {
    const message = await (await clientOf()).messages.create(hi);
    expect(message).toMatchObject({
      type: "message",
      role: "assistant",
      model: CLAUDE,
      content: [{ type: "text", text: SAID }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 26, cache_read_input_tokens: 0 },
    });
    expect(message.id).toMatch(/^msg_bdrk_\w{24}$/);
  });

  it("gets the same in a stream", async () => {
    const stream = (await clientOf()).messages.stream(hi);
    const texts: string[] = [];
    stream.on("text", (text) => texts.push(text));
    expect(await stream.finalMessage()).toMatchObject({
      content: [{ type: "text", text: SAID }],
      stop_reason: "end_turn",
      usage: { input_tokens: 3, output_tokens: 26 },
    });
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.join("")).toBe(SAID);
  });

  it("gets reasoning that is taken back, and refused under another system prompt", async () => {
    const { messages } = await clientOf();
    const asked: Params = { ...hi, max_tokens: 4000, thinking: { type: "enabled", budget_tokens: 2000 } };
    const { content } = await messages.stream(asked).finalMessage();
    expect(content).toMatchObject([
      { type: "thinking", thinking: expect.stringContaining("simulated reasoning") },
      { type: "text" },
    ]);
    const next: Params = {
      ...asked,
      messages: [...asked.messages, { role: "assistant", content }, { role: "user", content: "More" }],
    };
    expect(await messages.create(next)).toMatchObject({ stop_reason: "end_turn" });
    await expect(messages.create({ ...next, system: "Be brief." })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("messages.1.content.0: Invalid `signature` in `thinking` block"),
    });
  });

  it("gets a call of the tool that must be called, and may answer it", async () => {
    const { messages } = await clientOf();
    const asked: Params = { ...hi, tools: [weather], tool_choice: { type: "tool", name: "weather" } };
    const whole = await messages.create(asked);
    const streamed = await messages.stream(asked).finalMessage();
    expect(streamed).toMatchObject({
      content: [{ type: "tool_use", name: "weather", input: { city: expect.any(String) } }],
      stop_reason: "tool_use",
    });
    expect(streamed.content).toEqual(whole.content);
    const [call] = whole.content;
    const result = { type: "tool_result", tool_use_id: call?.type === "tool_use" ? call.id : "" } as const;
    const next = await messages.create({
      ...hi,
      tools: [weather],
      messages: [
        ...hi.messages,
        { role: "assistant", content: whole.content },
        { role: "user", content: [{ ...result, content: "sunny" }] },
      ],
    });
    expect(next.stop_reason).toBe("end_turn");
  });

  it("gets JSON for a schema, where the model has that", async () => {
    const { messages } = await clientOf();
    const output_config: Params["output_config"] = {
      format: { type: "json_schema", schema: { ...weather.input_schema, additionalProperties: false } },
    };
    const { content } = await messages.create({ ...hi, output_config });
    expect(JSON.parse(content[0]?.type === "text" ? content[0].text : "")).toEqual({
      city: expect.any(String),
    });
    await expect(messages.create({ ...hi, model: OPUS, output_config })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("output_config.format: Extra inputs are not permitted"),
    });
  });

  it("learns where an answer was stopped", async () => {
    const { messages } = await clientOf();
    expect(await messages.create({ ...hi, stop_sequences: ["zzz", "emulator"] })).toMatchObject({
      stop_reason: "stop_sequence",
      stop_sequence: "emulator",
    });
    expect(await messages.create({ ...hi, max_tokens: 3 })).toMatchObject({ stop_reason: "max_tokens" });
  });

  it("sends files", async () => {
    const { messages } = await clientOf();
    const { content } = await messages.create({
      ...hi,
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: "YWJj" } },
            { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" } },
            { type: "text", text: "See" },
          ],
        },
      ],
    });
    expect(content).toMatchObject([{ text: expect.stringContaining("You attached 1 image, 1 document.") }]);
  });

  it("counts tokens with Mantle, and not with the runtime", async () => {
    const emulator = await emulate();
    const { messages } = client(emulator);
    const { max_tokens: _, ...counted } = { ...hi, model: "anthropic.claude-opus-4-8" };
    expect(await messages.countTokens(counted)).toEqual({ input_tokens: 3 });
    const request = { method: "POST", path: `${PATH}/count_tokens`, body: JSON.stringify(counted) };
    const signed = await sign(emulator, request, { headers: VERSION });
    const { status, body } = await send(emulator, signed);
    expect([status, JSON.parse(body)]).toEqual([
      200,
      { Output: { __type: "com.amazon.coral.service#UnknownOperationException" }, Version: "1.0" },
    ]);
  });
});

describe("is opened", () => {
  it("by a key in either header", async () => {
    const emulator = await emulate();
    const { bearerToken } = emulator;
    expect(await client(emulator, { authToken: bearerToken }).messages.create(hi)).toMatchObject({
      role: "assistant",
    });
    expect(emulator.calls[0]?.permissions.map(({ action }) => action)).toEqual([
      "bedrock:InvokeModel",
      "bedrock:InvokeModel",
      "bedrock:InvokeModel",
      "bedrock:InvokeModel",
      "bedrock:CallWithBearerToken",
    ]);
  });

  it("by no signature of another secret, which is refused in AWS's own words", async () => {
    const emulator = await emulate();
    const request = { method: "POST", path: PATH, body: JSON.stringify(hi) };
    const credentials = { ...emulator, secretAccessKey: "wrong" };
    const { status, body, headers } = await send(emulator, await sign(emulator, request, { credentials }));
    expect([status, JSON.parse(body)]).toEqual([403, { message: expect.stringContaining("signature") }]);
    expect(headers["x-amzn-errortype"]).toContain("InvalidSignatureException");
  });

  it("by no other key", async () => {
    const wrong = client(await emulate(), { apiKey: "wrong" });
    await expect(wrong.messages.create(hi)).rejects.toMatchObject({ status: 403 });
  });

  it.each([
    ["bedrock", CLAUDE, "bedrock:InvokeModelWithResponseStream"],
    ["bedrock-mantle", "anthropic.claude-opus-4-8", "bedrock-mantle:CreateInference"],
  ])("by a signature for %s, to its own models", async (service, model, action) => {
    const emulator = await emulate();
    const request = { method: "POST", path: PATH, body: JSON.stringify({ ...hi, model, stream: true }) };
    const signed = await sign(emulator, request, { service, headers: VERSION });
    const { status, body } = await send(emulator, signed);
    expect(status).toBe(200);
    expect(body).toContain("event: message_stop\n");
    expect(emulator.calls[0]?.permissions[0]?.action).toBe(action);
  });
});

describe("refuses in Anthropic's words", () => {
  const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
  const call = { type: "tool_use", id: "a", name: "weather", input: {} };
  const called = (...content: unknown[]) => ({
    tools: [weather],
    messages: [...hi.messages, { role: "assistant", content: [call] }, { role: "user", content }],
  });

  it.each<[string, object, string]>([
    ["no limit", { max_tokens: undefined }, "max_tokens: Field required"],
    ["a limit of nothing", { max_tokens: 0 }, "max_tokens: Input should be greater than or equal to 1"],
    [
      "more than the model puts out",
      { max_tokens: 100_000 },
      "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens",
    ],
    ["no model", { model: undefined }, "model: Field required"],
    ["an unknown model", { model: "us.anthropic.claude-x" }, "The provided model identifier is invalid."],
    ["a model without its profile", { model: "anthropic.claude-sonnet-4-6" }, "with on-demand throughput"],
    [
      "a model of another vendor",
      { model: "amazon.nova-lite-v1:0" },
      "model `amazon.nova-lite-v1:0` isn't supported on this route",
    ],
    ["a field of nobody's", { maxTokens: 1 }, "maxTokens: Extra inputs are not permitted"],
    ["no messages", { messages: [] }, "messages: at least one message is required"],
    [
      "a role of OpenAI's",
      { messages: [{ role: "system", content: "x" }] },
      "messages.0.role: Input should be 'user' or 'assistant'",
    ],
    [
      "an answer first",
      { messages: [{ role: "assistant", content: "x" }] },
      'messages: first message must use the "user" role',
    ],
    ["empty text", user([{ type: "text", text: "" }]), "text content blocks must be non-empty"],
    [
      "blank text",
      user([{ type: "text", text: " " }]),
      "text content blocks must contain non-whitespace text",
    ],
    ["an empty message", user([]), "messages.0: all messages must have non-empty content"],
    [
      "an unknown block",
      user([{ type: "video" }]),
      "messages.0.content.0: Input tag 'video' found using 'type' does not match any of the expected tags",
    ],
    [
      "an image that is elsewhere",
      user([{ type: "image", source: { type: "url", url: "https://e.com/i.png" } }]),
      "messages.0.content.0.image.source: Input tag 'url'",
    ],
    [
      "an image of another type",
      user([{ type: "image", source: { type: "base64", media_type: "image/bmp", data: "YWJj" } }]),
      "media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
    ],
    [
      "a call without its result",
      { tools: [weather], messages: [...hi.messages, { role: "assistant", content: [call] }] },
      "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a.",
    ],
    [
      "a result without its call",
      called({ type: "tool_result", tool_use_id: "a" }, { type: "tool_result", tool_use_id: "b" }),
      "messages.2.content.1: unexpected `tool_use_id` found in `tool_result` blocks: b.",
    ],
    [
      "a call by a person",
      user([call]),
      "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages",
    ],
    [
      "a name that no tool may have",
      { tools: [{ ...weather, name: "a b" }] },
      "tools.0.custom.name: String should match pattern",
    ],
    ["two tools of a name", { tools: [weather, weather] }, "tools: Tool names must be unique."],
    [
      "a tool that takes no object",
      { tools: [{ name: "t", input_schema: {} }] },
      "tools.0.custom.input_schema.type: Field required",
    ],
    [
      "a tool of Anthropic's servers",
      { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      "tools.0: Input tag 'web_search_20250305' found using 'type'",
    ],
    [
      "a tool that is not there",
      { tools: [weather], tool_choice: { type: "tool", name: "x" } },
      "Tool 'x' not found",
    ],
    [
      "a choice of no tools",
      { tool_choice: { type: "any" } },
      "tool_choice may only be specified while providing tools",
    ],
    ["too hot a temperature", { temperature: 1.5 }, "temperature: Input should be less than or equal to 1"],
    [
      "both of two",
      { temperature: 1, top_p: 0.5 },
      "`temperature` and `top_p` cannot both be specified for this model",
    ],
    [
      "a blank stop",
      { stop_sequences: [" "] },
      "stop_sequences: each stop sequence must contain non-whitespace",
    ],
    [
      "too small a budget",
      { thinking: { type: "enabled", budget_tokens: 10 } },
      "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ],
    [
      "a budget that is all there is",
      { thinking: { type: "enabled", budget_tokens: 2000 } },
      "`max_tokens` must be greater than `thinking.budget_tokens`",
    ],
    [
      "an unknown way to think",
      { thinking: { type: "hard" } },
      "thinking: Input tag 'hard' found using 'type'",
    ],
  ])("%s", async (_, changed, message) => {
    // A client that waits for a whole answer does not ask for a long one.
    const refused = (await clientOf()).messages.create({ ...hi, ...changed } as Params, { timeout: 60_000 });
    await expect(refused).rejects.toMatchObject({
      status: 400,
      error: {
        type: "error",
        error: { type: "invalid_request_error", message: expect.stringContaining(message) },
      },
    });
  });

  it("what names no version", async () => {
    const emulator = await emulate();
    const request = { method: "POST", path: PATH, body: JSON.stringify(hi) };
    const { status, body } = await send(emulator, await sign(emulator, request));
    expect([status, JSON.parse(body)]).toMatchObject([
      400,
      { type: "error", error: { message: "anthropic-version: header is required" } },
    ]);
  });

  it("a model that Mantle does not have", async () => {
    const emulator = await emulate();
    const request = { method: "POST", path: PATH, body: JSON.stringify(hi) };
    const signed = await sign(emulator, request, { service: "bedrock-mantle", headers: VERSION });
    const { status, body } = await send(emulator, signed);
    expect([status, JSON.parse(body)]).toMatchObject([404, { error: { type: "not_found_error" } }]);
  });
});

describe("fails on demand", () => {
  it.each<[string, number]>([
    ["Messages=ThrottlingException", 429],
    ["Messages=InternalServerException", 500],
  ])("%s", async (fault, status) => {
    const { messages } = await clientOf({ script: faultScript([fault]) });
    await expect(messages.create(hi)).rejects.toMatchObject({ status });
  });

  it("inside a stream", async () => {
    const { messages } = await clientOf({ script: faultScript(["Messages=serviceUnavailableException@2"]) });
    const stream = messages.stream(hi);
    const texts: string[] = [];
    stream.on("text", (text) => texts.push(text));
    await expect(stream.finalMessage()).rejects.toMatchObject({
      error: { type: "error", error: { type: "overloaded_error" } },
    });
    expect(texts).toHaveLength(2);
  });

  it("byte by byte, which the client does not mind", async () => {
    const { messages } = await clientOf({ script: faultScript(["Messages=drip"]) });
    const answer = await messages.stream({ ...hi, max_tokens: 2 }).finalText();
    expect(answer).toBe(SAID.slice(0, 8));
  });
});
