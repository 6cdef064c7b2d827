import {
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
} from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { createUpstream } from "../../../src/commands/emulator/upstream.ts";
import { openLine } from "../../../src/wires/call-server.ts";
import { openServer } from "../../../src/wires/server.ts";
import {
  chunk,
  events,
  listOf,
  type OpenaiScript,
  openaiServer,
  refusal,
  says,
} from "../../helpers/openai-server.ts";
import { createHome, openclaw, start } from "../../helpers/openclaw.ts";
import { expectSchema } from "../../helpers/schema.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";
import { emulate, runtimeClient } from "../../emulator/clients.ts";

const MODEL = "anthropic.claude-3-haiku-20240307-v1:0";
const ask = (text: string) => ({
  modelId: MODEL,
  messages: [{ role: "user" as const, content: [{ text }] }],
});

type Chat = NonNullable<OpenaiScript["chat"]>;

async function upstream(script: OpenaiScript, wanted?: string) {
  const server = await openaiServer(script);
  const places = { key: "sk-upstream", keyPlace: "KEY", urlPlace: "--upstream" };
  const runtime = testRuntime({ home: createHome() });
  const line = await openLine(openServer("lab", server.baseUrl, places), runtime);
  const emulator = await emulate({ upstream: createUpstream(line, wanted) });
  return { server, emulator, client: runtimeClient(emulator, "HTTP/1.1") };
}

async function collect(
  stream: AsyncIterable<ConverseStreamOutput> | undefined,
): Promise<ConverseStreamOutput[]> {
  const parts: ConverseStreamOutput[] = [];
  for await (const part of stream ?? []) parts.push(part);
  return parts;
}

describe.each(["HTTP/1.1", "HTTP/2"] as const)("answers the SDK's client over %s", (protocol) => {
  it("with a stream", async () => {
    const { emulator, server } = await upstream({ chat: () => says("Hel", "lo!") });
    const client = runtimeClient(emulator, protocol);
    const { stream } = await client.send(new ConverseStreamCommand(ask("hi")));
    const parts = await collect(stream);
    expect(parts.map((part) => part.contentBlockDelta?.delta?.text ?? "").join("")).toBe("Hello!");
    expect(parts.at(-2)?.messageStop?.stopReason).toBe("end_turn");
    expect(parts.at(-1)?.metadata?.usage).toMatchObject({ inputTokens: 9, outputTokens: 2, totalTokens: 11 });
    expect(server.chats[0]?.headers["authorization"]).toBe("Bearer sk-upstream");
    expect(server.chats[0]?.body?.["model"]).toBe("llama3");
  });

  it("with a whole answer, and takes tools, images and results", async () => {
    const { emulator, server } = await upstream({
      chat: (_, nth) =>
        nth === 1
          ? {
              pieces: events(
                chunk({
                  tool_calls: [{ index: 0, id: "c1", function: { name: "look", arguments: '{"at":1}' } }],
                }),
                chunk({}, "tool_calls"),
                "[DONE]",
              ),
            }
          : says("A dot."),
    });
    const client = runtimeClient(emulator, protocol);
    const question = {
      role: "user" as const,
      content: [
        { text: "what?" },
        { image: { format: "png" as const, source: { bytes: Buffer.from("png") } } },
      ],
    };
    const toolConfig = { tools: [{ toolSpec: { name: "look", inputSchema: { json: { type: "object" } } } }] };
    const first = await client.send(
      new ConverseCommand({ modelId: MODEL, messages: [question], toolConfig }),
    );
    expect(first.stopReason).toBe("tool_use");
    const answer = first.output?.message;
    expect(answer?.content).toEqual([{ toolUse: { toolUseId: "c1", name: "look", input: { at: 1 } } }]);
    expect(first.usage).toMatchObject({ totalTokens: 0 });
    const result = { toolResult: { toolUseId: "c1", content: [{ json: { seen: "dot" } }] } };
    const second = await client.send(
      new ConverseCommand({
        modelId: MODEL,
        messages: [question, answer ?? question, { role: "user", content: [result] }],
        toolConfig,
      }),
    );
    expect(second.output?.message?.content).toEqual([{ text: "A dot." }]);
    const sent = server.chats[1]?.body?.["messages"] as { role: string; content: unknown }[];
    expect(sent.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    expect(JSON.stringify(sent[0])).toContain("data:image/png;base64,cG5n");
  });
});

describe("answers with AWS's error", () => {
  it.each<[string, Chat, string]>([
    ["when throttled", () => refusal(429, { message: "slow" }), "ThrottlingException"],
    ["when refused", () => refusal(400, { message: "bad" }), "ValidationException"],
    [
      "when too long",
      () => refusal(400, { message: "x", code: "context_length_exceeded" }),
      "ValidationException",
    ],
    ["when not available", () => refusal(503, { message: "loading" }), "ServiceUnavailableException"],
    ["when the key is wrong", () => refusal(401, { message: "no" }), "AccessDeniedException"],
    [
      "when there is no such model",
      () => refusal(404, { message: "model not found" }),
      "ResourceNotFoundException",
    ],
    ["on a page", () => ({ body: "<html>" }), "ModelErrorException"],
    [
      "when it breaks off",
      () => ({ pieces: events(chunk({ role: "assistant" })), end: "drop" }),
      "ModelErrorException",
    ],
  ])("%s", async (_, chat, name) => {
    const { client } = await upstream({ chat });
    await expect(client.send(new ConverseStreamCommand(ask("hi")))).rejects.toMatchObject({ name });
    await expect(client.send(new ConverseCommand(ask("hi")))).rejects.toMatchObject({ name });
  });

  it("for a request that AWS refuses, without a call of the upstream", async () => {
    const { client, server } = await upstream({ chat: () => says("no") });
    const input = { ...ask("hi"), messages: [{ role: "assistant" as const, content: [{ text: "hi" }] }] };
    await expect(client.send(new ConverseCommand(input))).rejects.toMatchObject({
      name: "ValidationException",
    });
    expect(server.calls).toEqual([]);
  });
});

describe("breaks a stream off as AWS does", () => {
  it.each<[string, Chat, string]>([
    [
      "when the connection breaks",
      () => ({ pieces: events(chunk({ content: "a" })), end: "drop" }),
      "ModelStreamErrorException",
    ],
    [
      "without a finish reason",
      () => ({ pieces: events(chunk({ content: "a" }), "[DONE]") }),
      "ModelStreamErrorException",
    ],
    [
      "when throttled in the middle",
      () => ({ pieces: events(chunk({ content: "a" }), { error: { message: "slow", code: 429 } }) }),
      "ThrottlingException",
    ],
  ])("%s", async (_, chat, name) => {
    const { client } = await upstream({ chat });
    const { stream } = await client.send(new ConverseStreamCommand(ask("hi")));
    await expect(collect(stream)).rejects.toMatchObject({ name });
  });
});

it("stops the upstream's call when the caller leaves", async () => {
  const { client, server } = await upstream({
    chat: () => ({ pieces: events(chunk({ content: "a" })), end: "stall" }),
  });
  const abort = new AbortController();
  const { stream } = await client.send(new ConverseStreamCommand(ask("hi")), { abortSignal: abort.signal });
  for await (const part of stream ?? []) if (part.contentBlockDelta) break;
  abort.abort();
  client.destroy();
  await server.chats[0]?.left;
});

describe("chooses the upstream's model", () => {
  const echo: Chat = (call) => says(String(call.body?.["model"]));
  it.each<[string, OpenaiScript["models"], string | undefined, string]>([
    ["as told", listOf("a", "b"), "c", "c"],
    ["of the same name where it lists it", listOf("a", MODEL), undefined, MODEL],
    ["that is its only one", listOf("a"), undefined, "a"],
    ["of the same name where it has no list", { status: 404, body: "no" }, undefined, MODEL],
  ])("%s", async (_, models, wanted, expected) => {
    const { client } = await upstream({ chat: echo, ...(models ? { models } : {}) }, wanted);
    const { output } = await client.send(new ConverseCommand(ask("hi")));
    expect(output?.message?.content).toEqual([{ text: expected }]);
  });

  it("never by chance", async () => {
    const { client } = await upstream({ chat: echo, models: listOf("a", "b") });
    await expect(client.send(new ConverseCommand(ask("hi")))).rejects.toThrow("--upstream-model");
  });
});

describe("openclaw emulator --upstream", () => {
  it("says who answers, and keeps the key to itself", async () => {
    const server = await openaiServer({ chat: () => says("Hello!") });
    const env = { OPENCLAW_UPSTREAM_API_KEY: "sk-very-secret-key" };
    const child = start(
      ["emulator", "--json", "--upstream", server.baseUrl, "--upstream-model", "llama3"],
      createHome(),
      { env },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    const document = await new Promise<string>((resolve) =>
      child.stdout.once("data", (text) => resolve(String(text))),
    );
    const { url, credentials, upstream: told } = JSON.parse(document);
    expectSchema("emulator", JSON.parse(document));
    expect(told).toEqual({ url: server.baseUrl, model: "llama3" });
    expect(document).not.toContain("very-secret");
    const answer = await openclaw(["chat", "-m", MODEL, "hi"], createHome(), {
      env: {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_ENDPOINT_URL: url,
      },
    });
    expect(answer).toMatchObject({ code: 0, stdout: "Hello!\n" });
    expect(server.chats[0]?.headers["authorization"]).toBe("Bearer sk-very-secret-key");
  });

  it.each([
    [["--upstream", "ollama"]],
    [["--upstream", "ftp://127.0.0.1"]],
    [["--upstream-model", "llama3"]],
  ])("refuses %j", async (flags) => {
    expect((await openclaw(["emulator", ...flags], createHome())).code).toBe(2);
  });
});

it("hands on numbers of tools and results as they were written, both ways", async () => {
  const json = '{"id":12345678901234567890,"share":0.10,"none":-0}';
  const { emulator, server } = await upstream({
    chat: () => ({
      pieces: events(
        chunk({ tool_calls: [{ index: 0, id: "c2", function: { name: "find", arguments: json } }] }),
        chunk({}, "tool_calls"),
        "[DONE]",
      ),
    }),
  });
  const called = `{"toolUse":{"toolUseId":"c1","name":"find","input":${json}}}`;
  const came = `{"toolResult":{"toolUseId":"c1","content":[{"json":${json}}]}}`;
  const schema = '{"type":"object","properties":{"id":{"maximum":12345678901234567890}}}';
  const response = await fetch(`${emulator.url}/model/${MODEL}/converse`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.bearerToken}`, "content-type": "application/json" },
    body:
      `{"inferenceConfig":{"maxTokens":1e2,"temperature":1.0},"messages":[{"role":"user","content":[{"text":"hi"}]},` +
      `{"role":"assistant","content":[${called}]},{"role":"user","content":[${came}]}],` +
      `"toolConfig":{"tools":[{"toolSpec":{"name":"find","inputSchema":{"json":${schema}}}}]}}`,
  });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining(`"input":${json}`)]);
  const sent = server.chats[0]?.text ?? "";
  expect(sent.split(JSON.stringify(json))).toHaveLength(3);
  expect(sent).toContain(schema);
  expect(sent).toContain('"max_tokens":100,');
});
