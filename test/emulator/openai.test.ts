import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { faultScript } from "../../src/emulator/fault.ts";
import { emulate } from "./clients.ts";
import { send, sign } from "./signed-request.ts";

type Responding = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, "stream">;
type Completing = Omit<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming, "stream">;

const LUNA = "us.openai.gpt-5.6-luna";
const OSS = "openai.gpt-oss-120b-1:0";
const SAID =
  "This is a simulated answer from the openclaw emulator (model GPT-5.6 Luna). You asked: Hello there";
const hi: Responding = { model: LUNA, input: "Hello there" };
const chat: Completing = { model: LUNA, messages: [{ role: "user", content: "Hello there" }] };
const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "weather",
  parameters: schema,
  strict: true,
};
const chatWeather: OpenAI.Chat.ChatCompletionFunctionTool = {
  type: "function",
  function: { name: "weather", parameters: schema },
};
const dot = "data:image/png;base64,iVBORw0KGgo=";

function client({ url, bearerToken }: Emulator, path = "/openai/v1", apiKey = bearerToken): OpenAI {
  return new OpenAI({ baseURL: `${url}${path}`, apiKey, maxRetries: 0 });
}

async function clientOf(options: EmulatorOptions = {}): Promise<OpenAI> {
  return client(await emulate(options));
}

describe("OpenAI's own client, by Responses,", () => {
  it("gets an answer whole", async () => {
    const response = await (await clientOf()).responses.create(hi);
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      model: LUNA,
      output_text: SAID,
      output: [{ type: "message", role: "assistant" }],
      usage: {
        input_tokens: 3,
        output_tokens: 25,
        total_tokens: 28,
        input_tokens_details: { cached_tokens: 0 },
      },
      error: null,
    });
    expect(response.id).toMatch(/^resp_\w{32}$/);
  });

  it("gets the same in a stream", async () => {
    const stream = (await clientOf()).responses.stream({ ...hi, instructions: "Be brief." });
    const texts: string[] = [];
    stream.on("response.output_text.delta", ({ delta }) => texts.push(delta));
    const final = await stream.finalResponse();
    expect(final).toMatchObject({ status: "completed", instructions: "Be brief." });
    expect(final.output_text).toBe(SAID);
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.join("")).toBe(SAID);
  });

  it("gets reasoning that is taken back, and refused when it was changed or nothing follows it", async () => {
    const { responses } = await clientOf();
    const asked: Responding = {
      ...hi,
      store: false,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "high", summary: "auto" },
    };
    const { output } = await responses.stream(asked).finalResponse();
    expect(output).toMatchObject([
      {
        type: "reasoning",
        summary: [{ text: expect.stringContaining("simulated reasoning") }],
        encrypted_content: expect.stringMatching(/^gAAAAA/),
      },
      { type: "message" },
    ]);
    const [thought, said] = output as OpenAI.Responses.ResponseInputItem[];
    const question = { role: "user", content: "Hello there" } as const;
    const next = (...items: (OpenAI.Responses.ResponseInputItem | undefined)[]) =>
      responses.create({
        ...asked,
        input: [question, ...items.flatMap((item) => item ?? []), { role: "user", content: "More" }],
      });
    expect(await next(thought, said)).toMatchObject({ status: "completed" });
    await expect(
      next({ ...thought, encrypted_content: "gAAAAAabc" } as typeof thought, said),
    ).rejects.toMatchObject({
      status: 400,
      code: "invalid_encrypted_content",
      message: expect.stringContaining("could not be verified"),
    });
    await expect(next(thought)).rejects.toThrow("was provided without its required following item");
  });

  it("gets a call of the tool that must be called, and may answer it", async () => {
    const { responses } = await clientOf();
    const asked: Responding = { ...hi, tools: [weather], tool_choice: "required" };
    const whole = await responses.create(asked);
    const streamed = await responses.stream(asked).finalResponse();
    expect(streamed.output).toMatchObject([
      { type: "function_call", name: "weather", arguments: expect.stringContaining("city") },
    ]);
    const [call] = whole.output;
    const call_id = call?.type === "function_call" ? call.call_id : "";
    const output = { type: "function_call_output", call_id, output: "rain" } as const;
    const items: OpenAI.Responses.ResponseInputItem[] = [
      { role: "user", content: "Hello there" },
      ...(whole.output as OpenAI.Responses.ResponseInputItem[]),
    ];
    expect(await responses.create({ ...hi, tools: [weather], input: [...items, output] })).toMatchObject({
      status: "completed",
    });
    await expect(responses.create({ ...hi, input: items })).rejects.toThrow(
      `No tool output found for function call ${call_id}.`,
    );
    await expect(responses.create({ ...hi, input: [output] })).rejects.toThrow(
      `No tool call found for function call output with call_id ${call_id}.`,
    );
  });

  it("gets JSON for a schema, images and all, and is cut where it says", async () => {
    const { responses } = await clientOf();
    const held = await responses.create({
      ...hi,
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "Where?" },
            { type: "input_image", image_url: dot, detail: "auto" },
          ],
        },
      ],
      text: { format: { type: "json_schema", name: "place", schema, strict: true } },
    });
    expect(JSON.parse(held.output_text)).toEqual({ city: expect.any(String) });
    expect(held.usage?.input_tokens).toBeGreaterThan(1000);
    expect(await responses.create({ ...hi, max_output_tokens: 16 })).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    });
  });

  it("gets an object where it asks for JSON without a schema, and no format that there is not", async () => {
    const client = await clientOf();
    const { output_text } = await client.responses.create({
      ...hi,
      text: { format: { type: "json_object" } },
    });
    expect(JSON.parse(output_text)).toEqual({});
    const chat = { model: "openai.gpt-oss-120b-1:0", messages: [{ role: "user" as const, content: "Hi" }] };
    const { choices } = await client.chat.completions.create({
      ...chat,
      response_format: { type: "json_object" },
    });
    expect(JSON.parse(choices[0]?.message.content ?? "")).toEqual({});
    const yaml = { type: "yaml" as "text" };
    await expect(client.responses.create({ ...hi, text: { format: yaml } })).rejects.toMatchObject({
      status: 400,
      param: "text.format.type",
    });
    await expect(client.chat.completions.create({ ...chat, response_format: yaml })).rejects.toMatchObject({
      status: 400,
      param: "response_format.type",
    });
  });

  it("stores no response", async () => {
    const { responses } = await clientOf();
    const { id, store } = (await responses.create(hi)) as { id: string; store?: boolean };
    expect(store).toBe(true);
    await expect(responses.create({ ...hi, previous_response_id: id })).rejects.toMatchObject({
      status: 400,
      code: "previous_response_not_found",
      param: "previous_response_id",
    });
  });

  it.each<[string, Record<string, unknown>, string, string | null, string]>([
    [
      "no model",
      { model: undefined },
      "missing_required_parameter",
      "model",
      "Missing required parameter: 'model'.",
    ],
    [
      "no input",
      { input: undefined },
      "missing_required_parameter",
      "input",
      "Missing required parameter: 'input'.",
    ],
    [
      "an unknown field",
      { guardrailConfig: {} },
      "unknown_parameter",
      "guardrailConfig",
      "Unknown parameter: 'guardrailConfig'.",
    ],
    [
      "a short limit",
      { max_output_tokens: 8 },
      "integer_below_min_value",
      "max_output_tokens",
      "Expected a value >= 16, but got 8 instead.",
    ],
    [
      "a long limit",
      { max_output_tokens: 128_001 },
      "integer_above_max_value",
      "max_output_tokens",
      "Expected a value <= 128000, but got 128001 instead.",
    ],
    [
      "what the model does not take",
      { top_p: 0.9 },
      "unsupported_parameter",
      "top_p",
      "'top_p' is not supported with this model.",
    ],
    [
      "a level that there is not",
      { reasoning: { effort: "minimal" } },
      "unsupported_value",
      "reasoning.effort",
      "Supported values are: 'none', 'low'",
    ],
    [
      "work in the background",
      { background: true },
      "unsupported_parameter",
      "background",
      "not supported on this endpoint",
    ],
    [
      "tools of the server's",
      { tools: [{ type: "web_search" }] },
      "unsupported_parameter",
      "tools[0].type",
      "not supported on this endpoint",
    ],
    [
      "an open schema for a strict tool",
      { tools: [{ type: "function", name: "t", parameters: { type: "object" } }] },
      "invalid_function_parameters",
      "tools[0].parameters",
      "'additionalProperties' is required",
    ],
    [
      "an image somewhere else",
      { input: [{ role: "user", content: [{ type: "input_image", image_url: "https://a.test/b.png" }] }] },
      "invalid_value",
      "input[0].content[0].image_url",
      "base64-encoded data URL",
    ],
    [
      "an answer's words as a question's",
      { input: [{ role: "assistant", content: [{ type: "input_text", text: "x" }] }] },
      "invalid_value",
      "input[0].content[0].type",
      "Supported values are: 'output_text', 'refusal'.",
    ],
    [
      "reasoning that was left at the server",
      { input: [{ type: "reasoning", id: "rs_1", summary: [] }] },
      "invalid_value",
      "input",
      "Items are not persisted",
    ],
  ])("is refused %s", async (_, fields, code, param, words) => {
    const { responses } = await clientOf();
    await expect(responses.create({ ...hi, ...fields } as Responding)).rejects.toMatchObject({
      status: 400,
      code,
      param,
      type: "invalid_request_error",
      message: expect.stringContaining(words),
    });
  });
});

describe("OpenAI's own client, by chat completions,", () => {
  it("gets an answer whole, and in a stream", async () => {
    const {
      chat: { completions },
    } = await clientOf();
    const whole = await completions.create(chat);
    expect(whole).toMatchObject({
      object: "chat.completion",
      model: LUNA,
      choices: [{ message: { role: "assistant", content: SAID }, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 25, total_tokens: 28 },
    });
    const stream = completions.stream({ ...chat, stream_options: { include_usage: true } });
    const texts: string[] = [];
    stream.on("content", (text) => texts.push(text));
    const final = await stream.finalChatCompletion();
    expect(texts.length).toBeGreaterThan(5);
    expect(final.choices[0]).toMatchObject({ message: { content: SAID }, finish_reason: "stop" });
    expect(final.usage).toMatchObject({ completion_tokens: 25 });
  });

  it("gets the reasoning of an open model in a field of its own", async () => {
    const {
      chat: { completions },
    } = await clientOf();
    const asked: Completing = { ...chat, model: OSS, reasoning_effort: "low" };
    const { choices } = await completions.create(asked);
    expect(choices[0]?.message).toMatchObject({ reasoning: expect.stringContaining("simulated reasoning") });
  });

  it("gets a call of the tool that must be called, and may answer it", async () => {
    const {
      chat: { completions },
    } = await clientOf();
    const asked: Completing = { ...chat, model: OSS, tools: [chatWeather], tool_choice: "required" };
    const { choices } = await completions.create(asked);
    const streamed = await completions.stream(asked).finalChatCompletion();
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    expect(streamed.choices[0]?.message.tool_calls).toMatchObject(choices[0]?.message.tool_calls ?? []);
    const [call] = choices[0]?.message.tool_calls ?? [];
    const answered: OpenAI.Chat.ChatCompletionMessageParam[] = [
      ...chat.messages,
      ...(choices[0] ? [choices[0].message] : []),
    ];
    const told = { role: "tool", tool_call_id: call?.id ?? "", content: "rain" } as const;
    const again: Completing = { ...chat, model: OSS, tools: [chatWeather] };
    expect(await completions.create({ ...again, messages: [...answered, told] })).toMatchObject({
      choices: [{ finish_reason: "stop" }],
    });
    await expect(completions.create({ ...again, messages: answered })).rejects.toThrow(
      "must be followed by tool messages",
    );
    await expect(completions.create({ ...again, messages: [told] })).rejects.toThrow(
      "messages with role 'tool' must be a response",
    );
  });

  it.each<[string, Record<string, unknown>, string, string | null, string]>([
    [
      "texts that end an answer",
      { stop: ["a"] },
      "unsupported_parameter",
      "stop",
      "'stop' is not supported with this model.",
    ],
    [
      "no messages",
      { messages: undefined },
      "missing_required_parameter",
      "messages",
      "Missing required parameter",
    ],
    ["an unknown field", { top_k: 3 }, "unknown_parameter", "top_k", "Unknown parameter: 'top_k'."],
    [
      "the older limit",
      { max_tokens: 9 },
      "unsupported_parameter",
      "max_tokens",
      "Use 'max_completion_tokens' instead.",
    ],
    [
      "tools beside reasoning",
      { tools: [chatWeather] },
      "unsupported_parameter",
      "reasoning_effort",
      `Function tools with reasoning_effort are not supported for ${LUNA}`,
    ],
    [
      "a role that there is not",
      { messages: [{ role: "robot", content: "x" }] },
      "invalid_value",
      "messages.[0].role",
      "Invalid value: 'robot'.",
    ],
  ])("is refused %s", async (_, fields, code, param, words) => {
    const {
      chat: { completions },
    } = await clientOf();
    await expect(completions.create({ ...chat, ...fields } as Completing)).rejects.toMatchObject({
      status: 400,
      code,
      param,
      message: expect.stringContaining(words),
    });
  });
});

describe("the paths", () => {
  it("let in who signs for bedrock, and tell what IAM has to allow", async () => {
    const emulator = await emulate();
    const body = JSON.stringify({ ...hi, stream: true });
    const request = await sign(emulator, { method: "POST", path: "/openai/v1/responses", body });
    const { status, headers, body: text } = await send(emulator, request);
    expect({ status, type: headers["content-type"] }).toEqual({
      status: 200,
      type: "text/event-stream; charset=utf-8",
    });
    expect(headers["x-amzn-requestid"]).toMatch(/^[\da-f-]{36}$/);
    expect(text).toMatch(/^event: response\.created\n/);
    const needed = emulator.calls[0]?.permissions.map(({ action, resource }) => `${action} ${resource}`);
    expect(needed).toContain("bedrock:InvokeModel arn:aws:bedrock:us-east-1:123456789012:project/default");
    expect(needed).toContain(
      "bedrock:InvokeModelWithResponseStream arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.openai.gpt-5.6-luna",
    );
  });

  it("refuse a wrong key, and models that are not there", async () => {
    const emulator = await emulate();
    await expect(client(emulator, "/openai/v1", "wrong").responses.create(hi)).rejects.toMatchObject({
      status: 403,
    });
    const {
      responses,
      chat: { completions },
    } = client(emulator);
    for (const model of [OSS, "us.anthropic.claude-sonnet-4-6"])
      await expect(responses.create({ ...hi, model })).rejects.toThrow(
        `model \`${model}\` isn't supported on this route`,
      );
    await expect(completions.create({ ...chat, model: "amazon.nova-lite-v1:0" })).rejects.toThrow(
      "isn't supported on this route",
    );
    await expect(responses.create({ ...hi, model: "openai.gpt-5.6-luna" })).rejects.toThrow(
      "with on-demand throughput isn’t supported",
    );
    await expect(responses.create({ ...hi, model: "nobody.none" })).rejects.toMatchObject({ status: 400 });
  });

  it("are Mantle's, too: below the prefix that the model has there, with a search of the web", async () => {
    const emulator = await emulate();
    const found = await client(emulator).responses.create({
      model: "openai.gpt-5.5",
      input: "What is new?",
      tools: [{ type: "web_search" }],
    });
    expect(found.output).toMatchObject([
      { type: "web_search_call", status: "completed" },
      { type: "message", content: [{ annotations: [{ type: "url_citation" }] }] },
    ]);
    const { responses } = client(emulator, "/v1");
    expect(await responses.create({ model: "openai.gpt-oss-120b", input: "hi" })).toMatchObject({
      status: "completed",
    });
    await expect(responses.create({ model: "openai.gpt-5.5", input: "hi" })).rejects.toThrow(
      "isn't supported on this route",
    );
  });

  it("break where a fault says so", async () => {
    const emulator = await emulate({
      script: faultScript(["Responses:1=throttlingException@2", "ChatCompletions:1=no-stop@2"]),
    });
    const stream = client(emulator).responses.stream(hi);
    await expect(stream.finalResponse()).rejects.toThrow("Asked for by --fault.");
    await expect(client(emulator).chat.completions.stream(chat).finalChatCompletion()).rejects.toThrow();
  });
});
