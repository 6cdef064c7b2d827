import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import { faultScript } from "../../src/emulator/fault.ts";
import { MODELS } from "../../src/emulator/models.ts";
import { emulate } from "../helpers/emulated.ts";
import {
  blockOf,
  ended,
  messageEvents,
  messageOf,
  messagesRefusal,
  started,
  textOf,
} from "../helpers/messages-events.ts";
import { listOf, type OpenaiReply, type OpenaiScript, openaiServer } from "../helpers/openai-server.ts";
import { createHome, openclaw, type RunOptions, writeConfig } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";

const once1 = { AWS_MAX_ATTEMPTS: "1" };
const MODEL = "claude-opus-4-8";
const whole = [started(), ...textOf(0, "Hel", "lo!"), ...ended("end_turn")];

/** A server of Anthropic's API, a home folder whose configuration has it as the provider `lab`, and the program. */
async function lab(
  chat: OpenaiScript["chat"],
  { model = MODEL, ...provider }: { model?: string } & Record<string, unknown> = {},
) {
  const server = await openaiServer({ models: listOf(MODEL, "claude-haiku-4-5"), ...(chat ? { chat } : {}) });
  const home = createHome();
  const baseUrl = server.baseUrl.replace(/\/v1$/, "");
  const providers = { lab: { baseUrl, api: "anthropic-messages", apiKey: "sk-lab", ...provider } };
  writeConfig(home, JSON.stringify({ models: { providers } }));
  const run = (args: readonly string[], options: RunOptions = {}) =>
    openclaw(["chat", "-m", `lab/${model}`, ...args], home, options);
  return { server, home, run };
}

describe("answers", () => {
  it("as text, to a request with nothing unasked but the limit that the API wants", async () => {
    const { run, server } = await lab(() => messageOf("Hel", "lo!"));
    const result = await run(["--usage", "hi"]);
    expect(result).toMatchObject({ code: 0, stdout: "Hello!\n" });
    expect(result.stderr).toContain("9 tokens in, 2 out");
    expect(server.chats[0]?.path).toBe("/v1/messages");
    expect(server.chats[0]?.headers).toMatchObject({
      "x-api-key": "sk-lab",
      "anthropic-version": "2023-06-01",
    });
    expect(server.chats[0]?.headers["authorization"]).toBeUndefined();
    expect(server.chats[0]?.body).toEqual({
      model: MODEL,
      max_tokens: 32_000,
      messages: [{ role: "user", content: "hi" }],
      stream: true,
    });
  });

  it("as one document, with the price of the configuration and the request's id", async () => {
    const { run } = await lab(() => ({ ...messageOf("Hello"), headers: { "request-id": "req_7" } }), {
      models: [{ id: MODEL, cost: { input: 2, output: 5 } }],
    });
    const document = JSON.parse((await run(["--json", "hi"])).stdout);
    expectSchema("chat", document);
    expect(document).toMatchObject({
      model: MODEL,
      region: null,
      text: "Hello",
      stopReason: "end_turn",
      usage: { inputTokens: 9, outputTokens: 2, totalTokens: 11 },
      cost: { usd: 0.000028, source: "config" },
      requestId: "req_7",
      attempts: 1,
    });
  });

  it("line by line, with reasoning, at the level that the model takes", async () => {
    const { run, server } = await lab(() => ({
      pieces: messageEvents(
        started(),
        ...blockOf(
          0,
          { type: "thinking", thinking: "", signature: "" },
          { type: "thinking_delta", thinking: "hm" },
          { type: "signature_delta", signature: "sig" },
        ),
        ...textOf(1, "yes"),
        ...ended("end_turn"),
      ),
    }));
    const { stdout } = await run(["--ndjson", "--reasoning", "high", "hi"]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const line of lines) expectSchema("chat-event", line);
    expect(lines.map(({ type }) => type)).toEqual(["start", "reasoning", "text", "stop", "usage"]);
    expect(server.chats[0]?.body).toMatchObject({
      max_tokens: 64_000,
      thinking: { type: "adaptive" },
      output_config: { effort: "high" },
    });
  });

  it("in a session, in which reasoning goes back as it came, and to no other model", async () => {
    const thought = { type: "thinking", thinking: "hm", signature: "c2ln" };
    const sealed = { type: "redacted_thinking", data: "EmwKAhgB+/=" };
    const { run, home, server } = await lab(() => ({
      pieces: messageEvents(
        started(),
        ...blockOf(0, thought),
        ...blockOf(1, sealed),
        ...textOf(2, "yes"),
        ...ended("end_turn"),
      ),
    }));
    expect((await run(["--session", "talk", "one"])).code).toBe(0);
    expect((await run(["--session", "talk", "two"])).code).toBe(0);
    const said = { type: "text", text: "yes" };
    expect(server.chats[1]?.body?.["messages"]).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: [thought, sealed, said] },
      { role: "user", content: "two" },
    ]);
    await openclaw(["chat", "-m", "lab/claude-haiku-4-5", "--session", "talk", "three"], home);
    expect(server.chats[2]?.body?.["messages"]).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "yes" },
      { role: "user", content: "two" },
      { role: "assistant", content: "yes" },
      { role: "user", content: "three" },
    ]);
  });

  it("to parameters, a system prompt, files and a cached prompt", async () => {
    const { run, server, home } = await lab(() => messageOf("Hello"), { model: "claude-haiku-4-5" });
    writeFileSync(path.join(home, "notes.md"), "# Notes");
    writeFileSync(path.join(home, "paper.pdf"), "%PDF-1.4\n%%EOF\n");
    const flags = [
      "--max-tokens",
      "9",
      "--temperature",
      "0.5",
      "--top-k",
      "40",
      "--stop",
      "END",
      "--cache",
      "1h",
    ];
    const result = await run([...flags, "-s", "Be brief.", "-f", "notes.md", "-f", "paper.pdf", "sum up"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const cached = { cache_control: { type: "ephemeral", ttl: "1h" } };
    expect(server.chats[0]?.body).toEqual({
      model: "claude-haiku-4-5",
      max_tokens: 9,
      temperature: 0.5,
      top_k: 40,
      stop_sequences: ["END"],
      system: [{ type: "text", text: "Be brief.", ...cached }],
      messages: [
        {
          role: "user",
          content: [
            {
              type: "document",
              title: "notes (md)",
              source: { type: "text", media_type: "text/plain", data: "# Notes" },
            },
            {
              type: "document",
              title: "paper (pdf)",
              source: {
                type: "base64",
                media_type: "application/pdf",
                data: Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64"),
              },
            },
            { type: "text", text: "sum up", ...cached },
          ],
        },
      ],
      stream: true,
    });
  });

  it("with the counts of the cache", async () => {
    const usage = {
      input_tokens: 3,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 20 },
      output_tokens: 1,
    };
    const pieces = messageEvents(started(usage), ...textOf(0, "Hi"), ...ended("end_turn"));
    const { run } = await lab(() => ({ pieces }));
    expect(JSON.parse((await run(["--json", "hi"])).stdout).usage).toMatchObject({
      inputTokens: 3,
      outputTokens: 2,
      cacheReadInputTokens: 100,
      cacheWriteInputTokens: 20,
      cacheWrite1hInputTokens: 20,
    });
  });

  it("whole, from servers that do not stream, and behind the end of which the connection stays open", async () => {
    const message = {
      type: "message",
      content: [{ type: "text", text: "Hello" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 1, output_tokens: 1 },
    };
    const replies: OpenaiReply[] = [{ body: message }, { pieces: messageEvents(...whole), end: "stall" }];
    const { run } = await lab((_, nth) => replies[nth - 1] ?? {});
    expect(await run(["hi"])).toMatchObject({ code: 0, stdout: "Hello\n", stderr: "" });
    expect(await run(["hi"])).toMatchObject({ code: 0, stdout: "Hello!\n", stderr: "" });
  });

  it("byte by byte, with events that it does not know", async () => {
    const events = messageEvents({ type: "ping" }, ...whole.slice(0, 3), { type: "new" }, ...whole.slice(3));
    const pieces = Array.from(Buffer.from(events.join("")), (byte) => Uint8Array.of(byte));
    const { run } = await lab(() => ({ pieces }));
    expect(await run(["hi"])).toMatchObject({ code: 0, stdout: "Hello!\n", stderr: "" });
  });
});

describe("goes without, and says so", () => {
  it("what the API has no field for", async () => {
    const { run, server } = await lab(() => messageOf("Hello"));
    const flags = ["--service-tier", "flex", "--latency", "optimized", "--metadata", "a=b"];
    const result = await run([...flags, "hi"]);
    expect(result.code).toBe(0);
    for (const word of ["service tier", "latency", "metadata"]) expect(result.stderr).toContain(word);
    expect(Object.keys(server.chats[0]?.body ?? {})).toEqual(["model", "max_tokens", "messages", "stream"]);
  });

  it("sends what it has one for", async () => {
    const { run, server } = await lab(() => messageOf("Hello"));
    const result = await run(["--service-tier", "default", "--metadata", "user_id=u1", "hi"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(server.chats[0]?.body).toMatchObject({
      service_tier: "standard_only",
      metadata: { user_id: "u1" },
    });
  });

  it("refuses a document of another format before anybody is asked", async () => {
    const { run, server, home } = await lab(() => messageOf("Hello"));
    writeFileSync(path.join(home, "old.doc"), Buffer.from("d0cf11e0a1b11ae1", "hex"));
    const result = await run(["-f", "old.doc", "hi"]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("takes pdf and text only");
    expect(server.chats).toEqual([]);
  });
});

describe("limits an answer that nobody has named a limit for", () => {
  it.each<[string, string, Record<string, unknown>, number]>([
    ["by what is usual", MODEL, {}, 32_000],
    ["by what the model puts out at most", "claude-3-haiku-20240307", {}, 4096],
    ["by the settings of the model", "own", { models: [{ id: "own", maxTokens: 777 }] }, 777],
    ["by the setting for models that nobody knows", "own", {}, 4096],
  ])("%s", async (_, model, provider, expected) => {
    const { run, server } = await lab(() => messageOf("Hello"), { model, ...provider });
    expect((await run(["hi"])).code).toBe(0);
    expect(server.chats[0]?.body?.["max_tokens"]).toBe(expected);
  });

  it("by less where the conversation leaves less", async () => {
    const message =
      "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length or `max_tokens` and try again";
    const { run, server } = await lab((_, nth) =>
      nth === 1 ? messagesRefusal(400, "invalid_request_error", message) : messageOf("Hello"),
    );
    expect(await run(["hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(server.chats[1]?.body?.["max_tokens"]).toBe(10_000);
  });
});

describe("holds the model to a schema", () => {
  const schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}';

  it("by output_config, where the model has it", async () => {
    const { run, server } = await lab(() => messageOf('{"n":', "4}"), { model: "claude-haiku-4-5" });
    expect(await run(["--schema", schema, "pick"])).toMatchObject({ code: 0, stdout: '{"n":4}\n' });
    expect(server.chats[0]?.body?.["output_config"]).toMatchObject({ format: { type: "json_schema" } });
  });

  it("by a tool where the server refuses that", async () => {
    const call = blockOf(
      0,
      { type: "tool_use", id: "toolu_1", name: "answer", input: {} },
      { type: "input_json_delta", partial_json: '{"n":5}' },
    );
    const { run, server } = await lab(
      ({ body }) =>
        body?.["output_config"]
          ? messagesRefusal(
              400,
              "invalid_request_error",
              "output_config.format: Extra inputs are not permitted",
            )
          : { pieces: messageEvents(started(), ...call, ...ended("tool_use")) },
      { model: "claude-haiku-4-5" },
    );
    expect(await run(["--schema", schema, "pick"])).toMatchObject({ code: 0, stdout: '{"n":5}\n' });
    expect(server.chats[1]?.body).toMatchObject({ tool_choice: { type: "tool", name: "answer" } });
  });
});

describe("learns from a refusal", () => {
  it("what the model does not take, and goes without it from then on", async () => {
    const { run, server } = await lab(
      ({ body }) =>
        body?.["top_k"] === undefined
          ? messageOf("Hello")
          : messagesRefusal(400, "invalid_request_error", "top_k: Extra inputs are not permitted"),
      { model: "own" },
    );
    expect(await run(["--top-k", "5", "hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(await run(["--top-k", "5", "hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(server.chats).toHaveLength(3);
  });
});

describe("counts tokens beforehand", () => {
  it("by the server, free of charge", async () => {
    const { run, server } = await lab(({ path: asked }) =>
      asked.endsWith("/count_tokens") ? { body: { input_tokens: 42 } } : { status: 500 },
    );
    const { code, stdout } = await run(["--dry-run", "--json", "-s", "Be brief.", "hi"]);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { inputTokens: 42, tokensSource: "count-tokens" }]);
    expect(server.chats.map(({ path: asked }) => asked)).toEqual(["/v1/messages/count_tokens"]);
    expect(server.chats[0]?.body).toEqual({
      model: MODEL,
      system: "Be brief.",
      messages: [{ role: "user", content: "hi" }],
    });
  });

  it("and shows files by their sizes, and texts as they are", async () => {
    const { run, home } = await lab(() => ({ body: { input_tokens: 42 } }));
    writeFileSync(path.join(home, "a.md"), "# Words");
    writeFileSync(path.join(home, "a.pdf"), "%PDF-1.4\n");
    const { stdout } = await run(["--dry-run", "--json", "-f", "a.pdf", "-f", "a.md", "hi"]);
    expect(JSON.parse(stdout).request.messages[0].content).toMatchObject([
      { type: "document", source: { type: "base64", data: "(9 bytes)" } },
      { type: "document", source: { type: "text", data: "# Words" } },
      { type: "text", text: "hi" },
    ]);
  });

  it("by an estimate, where it has no counter", async () => {
    const { run } = await lab(() => ({ status: 404, body: { error: "no" } }));
    const { code, stdout } = await run(["--dry-run", "--json", "hi"]);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { tokensSource: "estimate" }]);
    expect(JSON.parse(stdout).notices.join(" ")).toContain("estimated");
  });
});

describe("fails as with AWS", () => {
  it.each<[number, string, string, string]>([
    [401, "authentication_error", "invalid x-api-key", "credentials-rejected"],
    [403, "permission_error", "Your API key does not have permission", "access-denied"],
    [404, "not_found_error", `model: ${MODEL}`, "model-not-found"],
    [400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum", "input-too-long"],
    [413, "request_too_large", "Request exceeds the maximum size", "input-too-long"],
    [429, "rate_limit_error", "This request would exceed your rate limit", "throttled"],
    [400, "invalid_request_error", "Your credit balance is too low to access the API", "quota-exceeded"],
    [402, "billing_error", "There is an issue with your billing", "quota-exceeded"],
    [500, "api_error", "Internal server error", "service-unavailable"],
    [504, "timeout_error", "The request timed out", "service-unavailable"],
    [529, "overloaded_error", "Overloaded", "service-unavailable"],
    [400, "invalid_request_error", "messages: something else is wrong", "invalid-request"],
  ])("%i %s: %s", async (status, type, message, code) => {
    const { run } = await lab(() => messagesRefusal(status, type, message, { "request-id": "req_9" }));
    const result = await run(["--json", "hi"], { env: once1 });
    expect(JSON.parse(result.stdout).error).toMatchObject({
      code,
      requestId: "req_9",
    });
  });

  it.each<[string, object, string]>([
    [
      "overloaded",
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      "service-unavailable",
    ],
    ["throttled", { type: "error", error: { type: "rate_limit_error", message: "Slow down" } }, "throttled"],
    ["broken", { type: "error", error: { type: "api_error", message: "Internal" } }, "service-unavailable"],
  ])("in the middle of a stream that is %s", async (_, error, code) => {
    const pieces = [
      ...messageEvents(...whole.slice(0, 3)),
      `event: error\ndata: ${JSON.stringify(error)}\n\n`,
    ];
    const { run } = await lab(() => ({ pieces }));
    const result = await run(["--json", "hi"], { env: once1 });
    expect(JSON.parse(result.stdout).error).toMatchObject({ code });
  });

  it("when the stream ends without message_stop, however cleanly", async () => {
    const { run } = await lab(() => ({ pieces: messageEvents(...whole.slice(0, -1)) }));
    const result = await run(["--json", "hi"], { env: once1 });
    expect(result.code).toBe(5);
    expect(JSON.parse(result.stdout).error.code).toBe("stream-broken");
  });

  it("and tries again before the first word", async () => {
    const { run, server } = await lab((_, nth) =>
      nth === 1
        ? messagesRefusal(529, "overloaded_error", "Overloaded", { "retry-after-ms": "1" })
        : messageOf("Hi"),
    );
    const result = await run(["--json", "hi"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ text: "Hi", attempts: 2 });
    expect(server.chats).toHaveLength(2);
  });
});

describe("lists the models", () => {
  it("that the server has", async () => {
    const { server, home } = await lab(undefined);
    const { stdout } = await openclaw(["models", "list", "--provider", "lab", "--json"], home);
    const keys = JSON.parse(stdout).models.map(({ key }: { key: string }) => key);
    expect(keys).toEqual([`lab/${MODEL}`, "lab/claude-haiku-4-5"]);
    expect(server.calls[0]?.path).toMatch(/^\/v1\/models\b/);
    expect(server.calls[0]?.headers).toMatchObject({
      "x-api-key": "sk-lab",
      "anthropic-version": "2023-06-01",
    });
  });

  it("and shows no key anywhere", async () => {
    const { run, home } = await lab(({ headers }) =>
      messagesRefusal(400, "invalid_request_error", `I got ${headers["x-api-key"]}`),
    );
    const { stdout, stderr } = await run(["-v", "--json", "hi"], { env: once1 });
    expect(stdout + stderr).not.toContain("sk-lab");
    const kept = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    for (const { name, parentPath } of kept.filter((entry) => entry.name !== "openclaw.json"))
      expect(readFileSync(path.join(parentPath, name), "utf8")).not.toContain("sk-lab");
  });
});

describe("asks Amazon Bedrock", () => {
  const CLAUDE = "us.anthropic.claude-sonnet-4-6";
  const config = `{models: {providers: {"amazon-bedrock": {api: "anthropic-messages"}}}}`;

  /** The emulator, the settings that name the API, and the program. */
  async function aws(options: EmulatorOptions = {}, settings = config) {
    const emulated = await emulate(options);
    emulated.configure(settings);
    const ask = (args: readonly string[], more?: RunOptions) =>
      emulated.run(["chat", "-m", CLAUDE, ...args], more);
    return { ...emulated, ask };
  }

  it("under its own path, signed, with the guardrail in headers", async () => {
    const { ask, emulator } = await aws();
    const result = await ask(["--guardrail", "abcd1234efgh:1", "--json", "hi"]);
    const [call] = emulator.calls;
    expect(JSON.parse(result.stdout)).toMatchObject({
      text: expect.stringContaining("You asked: hi"),
      region: "us-east-1",
      requestId: call?.requestId,
      cost: { source: "catalog" },
    });
    expect(result.stderr).toBe("");
    expect(call).toMatchObject({
      route: "Messages",
      path: "/anthropic/v1/messages",
      service: "bedrock",
      headers: {
        "anthropic-version": "2023-06-01",
        "x-amzn-bedrock-guardrailidentifier": "abcd1234efgh",
        "x-amzn-bedrock-guardrailversion": "1",
      },
      body: { model: CLAUDE, max_tokens: 32_000, stream: true },
    });
  });

  it("with its API key", async () => {
    const { ask, emulator } = await aws();
    const env = { AWS_BEARER_TOKEN_BEDROCK: emulator.bearerToken };
    expect(await ask(["hi"], { env })).toMatchObject({ code: 0 });
    expect(emulator.calls[0]?.bearerToken).toBe(emulator.bearerToken);
  });

  it("through the profile that the model needs", async () => {
    const { run, emulator } = await aws();
    const result = await run(["chat", "-m", "anthropic.claude-sonnet-4-6", "hi"]);
    expect(result.code).toBe(0);
    expect(emulator.calls.at(-1)?.body).toMatchObject({ model: CLAUDE });
  });

  it("where Converse refuses the model, and at once from then on", async () => {
    const models = MODELS.filter(({ modelId }) => CLAUDE.endsWith(modelId));
    const refused = models.map((model) => Object.assign({}, model, { canConverse: false }));
    const { ask, routes } = await aws({ models: refused }, "{}");
    expect(await ask(["hi"])).toMatchObject({ code: 0 });
    expect(await ask(["hi"])).toMatchObject({ code: 0 });
    expect(routes()).toEqual(["ConverseStream", "Messages", "Messages"]);
  });

  it("with the reasoning of earlier turns, which holds by either of its APIs", async () => {
    const { ask, configure, emulator, routes } = await aws();
    const flags = ["--reasoning", "high", "--session", "talk"];
    expect((await ask([...flags, "one"])).code).toBe(0);
    expect((await ask([...flags, "two"])).code).toBe(0);
    configure("{}");
    expect(await ask([...flags, "three"])).toMatchObject({ code: 0, stderr: "" });
    expect(routes()).toEqual(["Messages", "Messages", "ConverseStream"]);
    const [, second] = emulator.calls;
    expect(second?.body).toMatchObject({
      messages: [{}, { role: "assistant", content: [{ type: "thinking" }, { type: "text" }] }, {}],
    });
  });

  it("for JSON in another way where it has no schemas", async () => {
    const { run, emulator } = await aws();
    const schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}';
    // The emulator calls no tool that is only offered.
    await run(["chat", "-m", "us.anthropic.claude-sonnet-5", "--schema", schema, "pick"]);
    const [native, offered] = emulator.calls.map(({ body }) => body);
    expect(native).toMatchObject({ output_config: { format: { type: "json_schema" } } });
    expect(offered).toMatchObject({ tools: [{ name: "answer" }] });
    expect(offered).not.toHaveProperty("output_config");
  });

  it("for the tokens of a request by CountTokens, since this API has no counter there", async () => {
    const { ask, routes } = await aws();
    const { stdout } = await ask(["--dry-run", "--json", "hi"]);
    expect(JSON.parse(stdout)).toMatchObject({ tokensSource: "count-tokens" });
    expect(routes()).toEqual(["CountTokens"]);
  });

  it("at its other endpoint, which has a counter, and not with a guardrail", async () => {
    const { run, emulator, configure } = await aws();
    configure(`{models: {providers: {"amazon-bedrock-mantle": {}}}}`);
    const model = "amazon-bedrock-mantle/anthropic.claude-opus-4-8";
    const dry = await run(["chat", "-m", model, "--dry-run", "--json", "hi"]);
    expect(JSON.parse(dry.stdout)).toMatchObject({ tokensSource: "count-tokens", inputTokens: 1 });
    const result = await run(["chat", "-m", model, "--guardrail", "abcd1234efgh:1", "hi"]);
    expect(result).toMatchObject({ code: 6, stderr: expect.stringContaining("guardrails do not act") });
    expect(await run(["chat", "-m", model, "hi"])).toMatchObject({ code: 0 });
    expect(emulator.calls.map(({ route, service }) => [route, service])).toEqual([
      ["MessagesCountTokens", "bedrock-mantle"],
      ["Messages", "bedrock-mantle"],
    ]);
  });

  it.each<[string, string]>([
    ["Messages:1=ThrottlingException", "throttled"],
    ["Messages:1=ServiceUnavailableException", "service-unavailable"],
    ["Messages:1=serviceUnavailableException@0", "service-unavailable"],
    ["Messages:1=reset", "network"],
  ])("again after %s, and fails with %s where it may not", async (fault, code) => {
    const { ask, routes } = await aws({ script: faultScript([fault]) });
    expect(await ask(["hi"])).toMatchObject({ code: 0 });
    expect(routes()).toEqual(["Messages", "Messages"]);
    const again = await aws({ script: faultScript([fault]) });
    const { stdout } = await again.ask(["--json", "hi"], { env: once1 });
    expect(JSON.parse(stdout).error).toMatchObject({ code });
  });

  it.each<[string, string]>([
    ["Messages=no-stop@3", "stream-broken"],
    ["Messages=reset@3", "stream-broken"],
    ["Messages=throttlingException@3", "throttled"],
    ["Messages=AccessDeniedException: No.", "access-denied"],
    [
      "Messages=ExpiredTokenException: The security token included in the request is expired",
      "credentials-expired",
    ],
  ])("and tells %s as %s", async (fault, code) => {
    const { ask } = await aws({ script: faultScript([fault]) });
    const { stdout } = await ask(["--json", "hi"], { env: once1 });
    expect(JSON.parse(stdout).error).toMatchObject({ code });
  });
});
