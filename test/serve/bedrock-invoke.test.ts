import {
  type BedrockRuntimeClient,
  CountTokensCommand,
  type CountTokensInput,
  InvokeModelCommand,
  type InvokeModelCommandInput,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { bedrockClients } from "../helpers/bedrock-client.ts";
import { serve, type ServeTestOptions } from "../helpers/served.ts";

const KEY = "key-of-team-a-0123456789";
const CLAUDE = "us.anthropic.claude-sonnet-4-6";
const NOVA = "us.amazon.nova-pro-v1:0";
const TITAN = "amazon.titan-embed-text-v2:0";

async function serveBedrock(options: ServeTestOptions = {}) {
  const served = await serve({ ...options, env: { OPENCLAW_SERVE_API_KEY: KEY, ...options.env } });
  const around = bedrockClients({ url: served.origin, key: KEY }).runtime;
  const straight = bedrockClients({ url: served.emulator.url, key: served.emulator.bearerToken }).runtime;
  return { served, around, straight };
}

type Json = Record<string, unknown>;

async function invoked(client: BedrockRuntimeClient, modelId: string, body: object, more: object = {}) {
  const input: InvokeModelCommandInput = { modelId, body: JSON.stringify(body), ...more };
  const { body: bytes, contentType } = await client.send(new InvokeModelCommand(input));
  return { contentType, answer: JSON.parse(Buffer.from(bytes).toString()) as Json };
}

async function streamed(client: BedrockRuntimeClient, modelId: string, body: object): Promise<Json[]> {
  const input = { modelId, body: JSON.stringify(body) };
  const { body: stream } = await client.send(new InvokeModelWithResponseStreamCommand(input));
  const events: Json[] = [];
  for await (const { chunk } of stream ?? [])
    events.push(JSON.parse(Buffer.from(chunk?.bytes ?? []).toString()) as Json);
  return events;
}

const claude = (more: object = {}) => ({
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 100,
  messages: [{ role: "user", content: "hi" }],
  ...more,
});
const nova = (more: object = {}) => ({
  schemaVersion: "messages-v1",
  messages: [{ role: "user", content: [{ text: "hi" }] }],
  inferenceConfig: { max_new_tokens: 100, topK: 5 },
  ...more,
});

/** What the last chunk of a stream says was used. */
function countsOf(events: readonly Json[]): Json {
  const last = events.at(-1) ?? {};
  return last["amazon-bedrock-invocationMetrics"] as Json;
}

describe("InvokeModel by AWS's own client, through serve and straight:", () => {
  it("a body of Claude's", async () => {
    const { around, straight } = await serveBedrock();
    const [here, there] = [
      await invoked(around, CLAUDE, claude()),
      await invoked(straight, CLAUDE, claude()),
    ];
    expect(here.contentType).toBe("application/json");
    const { content, role, stop_reason: reason, type, usage } = there.answer;
    expect(here.answer).toMatchObject({ content, role, stop_reason: reason, type });
    const { input_tokens: input, output_tokens: output } = usage as Json;
    expect(here.answer["usage"]).toMatchObject({ input_tokens: input, output_tokens: output });
  });

  it("a stream of Claude's, with what was used in its last chunk", async () => {
    const { around, straight } = await serveBedrock();
    const all = await Promise.all([around, straight].map((client) => streamed(client, CLAUDE, claude())));
    const told = all.map((events) => {
      const text = events.map(({ delta }) => (delta as Json | undefined)?.["text"] ?? "").join("");
      const types = new Set(events.map(({ type }) => type));
      const { inputTokenCount, outputTokenCount } = countsOf(events);
      return { text, types, last: events.at(-1)?.["type"], inputTokenCount, outputTokenCount };
    });
    expect(told[0]).toEqual(told[1]);
  });

  it("a body of Nova's, and its stream", async () => {
    const { around, straight } = await serveBedrock();
    const [here, there] = [await invoked(around, NOVA, nova()), await invoked(straight, NOVA, nova())];
    expect(here.answer).toEqual(there.answer);
    const all = await Promise.all([around, straight].map((client) => streamed(client, NOVA, nova())));
    const told = all.map((events) => {
      const deltas = events.map(
        (event) => (event["contentBlockDelta"] as Json | undefined)?.["delta"] as Json,
      );
      const { inputTokenCount, outputTokenCount } = countsOf(events);
      const { metadata } = events.at(-1) as Json;
      const kinds = new Set(events.map((event) => Object.keys(event)[0]));
      return {
        text: deltas.map((delta) => delta?.["text"] ?? "").join(""),
        kinds,
        inputTokenCount,
        outputTokenCount,
        metadata,
      };
    });
    expect(told[0]).toEqual(told[1]);
  });

  it("a body that nobody here reads, as it is, counted", async () => {
    const { served, around, straight } = await serveBedrock();
    const body = { inputText: "hi ü", dimensions: 256 };
    expect(await invoked(around, TITAN, body)).toEqual(await invoked(straight, TITAN, body));
    const bodies = served.emulator.calls
      .filter(({ route }) => route === "InvokeModel")
      .map((call) => call.body);
    expect(bodies).toEqual([body, body]);
    const line = await served.logged(({ status }) => status === 200);
    expect(line).toMatchObject({ model: TITAN, calledModel: TITAN, promptTokens: expect.any(Number) });
    expect(line.promptTokens).toBeGreaterThan(0);
    // What it has gathered for the ledger is there when it has ended.
    await served.end();
    const { stdout } = await served.run(["usage", "--json"]);
    expect(stdout).toContain(TITAN);
  });
});

describe("CountTokens of serve", () => {
  const said = "How many words are these? ".repeat(20);
  const converse = {
    messages: [{ role: "user" as const, content: [{ text: said }] }],
    system: [{ text: "Brief." }],
  };
  const bodyOf = (body: object) => ({ invokeModel: { body: Buffer.from(JSON.stringify(body)) } });

  it("counts what AWS counts, in bodies of Claude's and Nova's, too", async () => {
    const { around, straight } = await serveBedrock();
    const count = async (client: BedrockRuntimeClient, modelId: string, input: CountTokensInput) =>
      (await client.send(new CountTokensCommand({ modelId, input }))).inputTokens;
    const base = CLAUDE.replace("us.", "");
    const tokens = await count(straight, base, { converse });
    expect(tokens).toBeGreaterThan(20);
    expect(await count(around, base, { converse })).toBe(tokens);
    // Profiles are refused by AWS.
    expect(await count(around, CLAUDE, { converse })).toBe(tokens);
    const { messages: _, ...rest } = claude();
    const body = { ...rest, system: "Brief.", messages: [{ role: "user", content: said }] };
    expect(await count(around, CLAUDE, bodyOf(body))).toBe(tokens);
    expect(await count(around, CLAUDE, bodyOf({ ...converse, schemaVersion: "messages-v1" }))).toBe(tokens);
  });

  it.each([
    ["nothing", {}],
    ["a body that is no base64", { invokeModel: { body: "é" } }],
    ["a body that is no JSON", { invokeModel: { body: Buffer.from("{").toString("base64") } }],
    ["a body that is no object", { invokeModel: { body: Buffer.from("[1]").toString("base64") } }],
    ["a body of nobody known", { invokeModel: { body: Buffer.from('{"prompt":"hi"}').toString("base64") } }],
    ["a body that is too long", { invokeModel: { body: Buffer.alloc(9_000_000, " ").toString("base64") } }],
  ])("refuses %s", async (_, input) => {
    const { served } = await serveBedrock();
    const answer = await fetch(`${served.origin}/model/${CLAUDE}/count-tokens`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ input }),
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("x-amzn-errortype")).toBe("ValidationException");
  });
});

describe("CountTokens of serve", () => {
  it.each(["null", "[]", "7", '"text"'])("refuses a body that is %s", async (body) => {
    const { served } = await serveBedrock();
    const answer = await fetch(`${served.origin}/model/${CLAUDE}/count-tokens`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body,
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ message: "The body must be a JSON object." });
  });
});

describe("InvokeModel of serve", () => {
  it("asks any model with a body of Claude's or Nova's", async () => {
    const { served, around } = await serveBedrock({ args: ["--map", `claude-opus-4=${NOVA}`] });
    const { answer } = await invoked(around, "claude-opus-4", claude({ system: "Be brief." }));
    expect(answer).toMatchObject({ type: "message", role: "assistant", stop_reason: "end_turn" });
    const other = await invoked(around, CLAUDE, nova({ system: [{ text: "Be brief." }] }));
    expect(other.answer).toMatchObject({
      output: { message: { role: "assistant" } },
      stopReason: "end_turn",
    });
    const [first, second] = served.emulator.calls
      .filter(({ route }) => route === "ConverseStream")
      .map(({ body }) => body);
    expect(first).toMatchObject({ inferenceConfig: { maxTokens: 100 }, system: [{ text: "Be brief." }] });
    expect(second).toMatchObject({
      inferenceConfig: { maxTokens: 100 },
      additionalModelRequestFields: { top_k: 5 },
    });
  });

  it("tells what was used in headers", async () => {
    const { served } = await serveBedrock();
    const answer = await fetch(`${served.origin}/model/${NOVA}/invoke`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: JSON.stringify(nova()),
    });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get("x-amzn-bedrock-output-token-count"))).toBeGreaterThan(0);
    expect(Number(answer.headers.get("x-amzn-bedrock-input-token-count"))).toBeGreaterThan(0);
    expect(answer.headers.get("x-amzn-requestid")).toMatch(/^[\da-f-]{36}$/);
  });

  it.each([
    ["application/octet-stream", {}, 200],
    ["", { authorization: `Bearer ${KEY}` }, 200],
    // A page of another origin may send these without asking first, to a server without keys.
    ["", {}, 415],
    ["text/plain", {}, 415],
    ["text/plain", { authorization: `Bearer ${KEY}` }, 415],
  ])("takes a body of type '%s' with %j: %i", async (type, headers, status) => {
    const { origin } = await serve();
    const body = new Blob([JSON.stringify(nova())], { type });
    const answer = await fetch(`${origin}/model/${NOVA}/invoke`, {
      method: "POST",
      headers: { ...headers },
      body,
    });
    expect(answer.status).toBe(status);
  });

  it.each([
    ["a body that is no object", CLAUDE, [1]],
    ["a field of Claude's that is wrong", CLAUDE, claude({ messages: [{ role: "nobody", content: "hi" }] })],
    ["a field of Nova's that is wrong", NOVA, nova({ messages: [{ role: "user", content: [{ text: 1 }] }] })],
    ["a body that its model refuses", TITAN, { text: "hi" }],
  ])("refuses %s as AWS does", async (_, modelId, body) => {
    const { around } = await serveBedrock();
    const refusal: unknown = await invoked(around, modelId, body).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: "ValidationException", $metadata: { httpStatusCode: 400 } });
  });

  it("hands on what it has read of a name that stands twice, and nothing else", async () => {
    const { served } = await serveBedrock();
    const answer = await fetch(`${served.origin}/model/amazon.titan-embed-text-v2:0/invoke`, {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
      body: '{"inputText":"a","dimensions":512,"inputText":"b","dimensions":256,"\\u0069nputText":"c"}',
    });
    expect(answer.status).toBe(200);
    const sent = { inputText: "c", dimensions: 256 };
    expect(served.emulator.calls.at(-1)).toMatchObject({
      body: sent,
      headers: { "content-length": String(JSON.stringify(sent).length) },
    });
  });

  it("hands on the guardrail that a request names, to what embeds texts, too", async () => {
    const { around, served } = await serveBedrock();
    const guardrail = { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" };
    for (const more of [{}, guardrail]) {
      await invoked(around, TITAN, { inputText: "hi" }, more);
      const { headers = {} } = served.emulator.calls.at(-1) ?? {};
      expect(headers["x-amzn-bedrock-guardrailidentifier"]).toBe(
        "guardrailIdentifier" in more ? "abcd1234efgh" : undefined,
      );
    }
  });

  it("hands on the marks for the invocation logs, but no other key's name", async () => {
    const { served, around } = await serveBedrock();
    const more = { requestMetadata: String.raw`{"team":"a b","openclaw-key":"other","thin":"1\u20092"}` };
    await invoked(around, CLAUDE, claude({ metadata: { user_id: "u1" } }), more);
    await invoked(around, NOVA, nova(), more);
    await invoked(around, TITAN, { inputText: "hi" }, more);
    const calls = served.emulator.calls.filter(({ route }) => /Converse|Invoke/.test(route));
    const marks = calls.map(({ body, headers }): unknown => {
      const header = headers["x-amzn-bedrock-request-metadata"];
      return header === undefined ? (body as Json)["requestMetadata"] : JSON.parse(header);
    });
    const own = { team: "a b", "openclaw-key": expect.not.stringMatching("other"), thin: "1\u20092" };
    expect(marks).toEqual([own, own, own]);
    await invoked(around, TITAN, { inputText: "hi" });
    expect(served.emulator.calls.at(-1)?.headers).not.toHaveProperty("x-amzn-bedrock-request-metadata");
  });

  it.each(["team=a", "[]", '{"team":1}', '{"team":"é"}'])(
    "refuses marks that are %s",
    async (requestMetadata) => {
      const { around } = await serveBedrock();
      await expect(invoked(around, TITAN, { inputText: "hi" }, { requestMetadata })).rejects.toMatchObject({
        name: "ValidationException",
        message: expect.stringContaining("requestMetadata"),
      });
    },
  );

  it("asks under the server's own guardrail, whose marks no request sets", async () => {
    const guardrail = { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" };
    const config = JSON.stringify({
      plugins: { entries: { "amazon-bedrock": { config: { guardrail } } } },
    });
    const { around, served } = await serveBedrock({ config });
    const other = { guardrailIdentifier: "zzzz", guardrailVersion: "1" };
    await expect(invoked(around, CLAUDE, claude(), other)).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    const { answer } = await invoked(around, CLAUDE, claude(), guardrail);
    expect(answer["amazon-bedrock-guardrailAction"]).toBe("NONE");
    expect(served.emulator.calls.at(-1)?.body).toMatchObject({ guardrailConfig: guardrail });
    // What nobody here reads goes under it, too, whatever it says of its own.
    const foreign = {
      prompt: "hi",
      "amazon-bedrock-guardrailConfig": { streamProcessingMode: "ASYNCHRONOUS" },
    };
    await invoked(around, "meta.llama3-8b-instruct-v1:0", foreign).catch(() => undefined);
    const passed = served.emulator.calls.at(-1);
    expect(passed).toMatchObject({ route: "InvokeModel", body: { prompt: "hi" } });
    expect(passed?.body).not.toHaveProperty("amazon-bedrock-guardrailConfig");
    expect(passed?.headers).toMatchObject({
      "x-amzn-bedrock-guardrailidentifier": guardrail.guardrailIdentifier,
      "x-amzn-bedrock-guardrailversion": "1",
    });
  });
});
