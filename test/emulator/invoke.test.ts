import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import type Anthropic from "@anthropic-ai/sdk";
import {
  ApplyGuardrailCommand,
  ConverseCommand,
  InvokeModelCommand,
  type InvokeModelCommandInput,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { ChatBedrockConverse } from "@langchain/aws";
import { execFile } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Dialogue } from "../../src/emulator/dialogue.ts";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { faultScript } from "../../src/emulator/fault.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { emulate, runtimeClient, user } from "./clients.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-6";
const NOVA = "amazon.nova-lite-v1:0";
const GUARDED = { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" };
const WORD = "word-that-the-guardrail-blocks";

const claudeBody = (text: string, more: object = {}): object => ({
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 100,
  messages: [{ role: "user", content: text }],
  ...more,
});
const novaBody = (text: string, more: object = {}): object => ({
  schemaVersion: "messages-v1",
  messages: user(text),
  ...more,
});

async function invoke(
  emulator: Emulator,
  modelId: string,
  body: unknown,
  more: Partial<InvokeModelCommandInput> = {},
): Promise<Record<string, unknown>> {
  const client = runtimeClient(emulator, "HTTP/1.1");
  const answer = await client.send(
    new InvokeModelCommand({
      modelId,
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...more,
    }),
  );
  return JSON.parse(answer.body.transformToString()) as Record<string, unknown>;
}

async function invokeStream(
  emulator: Emulator,
  modelId: string,
  body: object,
  protocol: "HTTP/1.1" | "HTTP/2" = "HTTP/2",
): Promise<Record<string, unknown>[]> {
  const client = runtimeClient(emulator, protocol);
  const { body: stream, contentType } = await client.send(
    new InvokeModelWithResponseStreamCommand({ modelId, body: JSON.stringify(body) }),
  );
  expect(contentType).toBe("application/json");
  const events: Record<string, unknown>[] = [];
  for await (const { chunk } of stream ?? [])
    events.push(JSON.parse(Buffer.from(chunk?.bytes ?? []).toString()) as Record<string, unknown>);
  return events;
}

/** A tool is called, and what it came to is told. */
const LOOP: Dialogue = [
  { reasoning: "Where?", text: "I look.", toolCalls: [{ name: "weather", input: { city: "Łódź" } }] },
  { text: "It is $result." },
];

describe("InvokeModel of Claude", () => {
  it("answers as Anthropic's API does, and counts in headers", async () => {
    const emulator = await emulate();
    const client = runtimeClient(emulator, "HTTP/2");
    const headers: Record<string, string> = {};
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        Object.assign(headers, (result.response as { headers: object }).headers);
        return result;
      },
      { step: "deserialize", priority: "low" },
    );
    const answer = await client.send(
      new InvokeModelCommand({ modelId: CLAUDE, body: JSON.stringify(claudeBody("Hello there")) }),
    );
    expect(JSON.parse(answer.body.transformToString())).toMatchObject({
      id: expect.stringMatching(/^msg_bdrk_/) as string,
      model: "claude-sonnet-4-6",
      content: [{ type: "text", text: expect.stringContaining("simulated") as string }],
      stop_reason: "end_turn",
      usage: { input_tokens: 3 },
    });
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "x-amzn-bedrock-input-token-count": "3",
      "x-amzn-bedrock-output-token-count": "26",
      "x-amzn-requestid": expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(headers).toHaveProperty("x-amzn-bedrock-invocation-latency");
  });

  it.each(["HTTP/1.1", "HTTP/2"] as const)(
    "streams its events, with counts in the last, by %s",
    async (protocol) => {
      const events = await invokeStream(await emulate(), CLAUDE, claudeBody("hi"), protocol);
      const types = events.map(({ type }) => String(type));
      expect([types[0], ...types.slice(-3)]).toEqual([
        "message_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
      ]);
      expect(events.at(-1)).toMatchObject({
        "amazon-bedrock-invocationMetrics": {
          inputTokenCount: 1,
          outputTokenCount: expect.any(Number) as number,
          invocationLatency: expect.any(Number) as number,
        },
      });
      expect(events.at(-2)).toMatchObject({ usage: { input_tokens: 1 } });
    },
  );

  it.each([
    ["a body that is none", CLAUDE, "nonsense", /^Malformed input request, please/],
    ["no version", CLAUDE, { max_tokens: 1, messages: [] }, /^anthropic_version: Field required$/],
    ["another version", CLAUDE, claudeBody("a", { anthropic_version: "v3" }), /^Invalid API version: v3$/],
    ["the model", CLAUDE, claudeBody("a", { model: CLAUDE }), /^model: Extra inputs are not permitted$/],
    ["stream", CLAUDE, claudeBody("a", { stream: true }), /^stream: Extra inputs are not permitted$/],
    ["no max_tokens", CLAUDE, claudeBody("a", { max_tokens: undefined }), /^max_tokens: Field required$/],
    ["a field of its own", CLAUDE, claudeBody("a", { foo: 1 }), /^foo: Extra inputs are not permitted$/],
    [
      "both samplings",
      CLAUDE,
      claudeBody("a", { temperature: 1, top_p: 1 }),
      /^`temperature` and `top_p` cannot/,
    ],
    ["a base id without on-demand", "anthropic.claude-sonnet-4-6", claudeBody("a"), /isn’t supported. Retry/],
    [
      "a field of Nova's own",
      NOVA,
      novaBody("a", { foo: 1 }),
      /^Malformed input request: #: extraneous key \[foo\]/,
    ],
    [
      "another schema",
      NOVA,
      novaBody("a", { schemaVersion: "v2" }),
      /schemaVersion: v2 is not a valid enum value/,
    ],
    [
      "a sampling of Nova's own",
      NOVA,
      novaBody("a", { inferenceConfig: { foo: 1 } }),
      /extraneous key \[foo\]/,
    ],
    [
      "too much of Nova",
      NOVA,
      novaBody("a", { inferenceConfig: { maxTokens: 32_000 } }),
      /model limit of 10000/,
    ],
    ["no messages", NOVA, { schemaVersion: "messages-v1" }, /required key \[messages\] not found/],
  ])("refuses %s", async (_, modelId, body, message) => {
    await expect(invoke(await emulate(), modelId, body)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message) as string,
    });
  });

  it("breaks streams off as it is asked to", async () => {
    const script = faultScript(["InvokeModelWithResponseStream=throttlingException@2"]);
    await expect(invokeStream(await emulate({ script }), CLAUDE, claudeBody("hi"))).rejects.toMatchObject({
      name: "ThrottlingException",
    });
    const cut = faultScript(["InvokeModelWithResponseStream=no-stop@2"]);
    const events = await invokeStream(await emulate({ script: cut }), NOVA, novaBody("hi"));
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      "messageStart",
      "contentBlockDelta",
      "contentBlockDelta",
    ]);
  });
});

describe("InvokeModel of Nova", () => {
  it("answers nearly as Converse does", async () => {
    const emulator = await emulate();
    const more = { system: [{ text: "Be short." }], inferenceConfig: { max_new_tokens: 5, topK: 3 } };
    expect(await invoke(emulator, NOVA, novaBody("hi", more))).toEqual({
      output: { message: { role: "assistant", content: [{ text: "This is a simulated " }] } },
      stopReason: "max_tokens",
      usage: {
        inputTokens: 4,
        outputTokens: 5,
        totalTokens: 9,
        cacheReadInputTokenCount: 0,
        cacheWriteInputTokenCount: 0,
      },
    });
    const events = await invokeStream(emulator, NOVA, novaBody("hi", more));
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      "messageStart",
      ...Array<string>(5).fill("contentBlockDelta"),
      "contentBlockStop",
      "messageStop",
      "metadata",
    ]);
    expect(events.at(-1)).toMatchObject({
      metadata: { usage: { inputTokens: 4, outputTokens: 5 } },
      "amazon-bedrock-invocationMetrics": { inputTokenCount: 4, outputTokenCount: 5 },
    });
  });
});

describe("@anthropic-ai/bedrock-sdk", () => {
  const clientOf = async (options: EmulatorOptions): Promise<AnthropicBedrock> => {
    const { url, accessKeyId, secretAccessKey } = await emulate(options);
    return new AnthropicBedrock({
      baseURL: url,
      awsRegion: "us-east-1",
      awsAccessKey: accessKeyId,
      awsSecretKey: secretAccessKey,
      maxRetries: 0,
    });
  };
  const tools: Anthropic.Tool[] = [
    { name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
  ];

  it.each([false, true])("goes on with its own thinking behind a call, streamed: %s", async (isStreamed) => {
    const client = await clientOf({ dialogue: LOOP });
    const messages: Anthropic.MessageParam[] = [{ role: "user", content: "What is the weather?" }];
    const ask = async (): Promise<Anthropic.Message> => {
      const params = {
        model: CLAUDE,
        max_tokens: 1000,
        messages,
        tools,
        thinking: { type: "adaptive" as const },
      };
      return isStreamed
        ? client.messages.stream(params).finalMessage()
        : client.messages.create({ ...params, stream: false });
    };
    const called = await ask();
    expect(called.stop_reason).toBe("tool_use");
    expect(called.content.map(({ type }) => type)).toEqual(["thinking", "text", "tool_use"]);
    const call = called.content[2];
    const id = call?.type === "tool_use" ? call.id : "";
    messages.push(
      { role: "assistant", content: called.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "wet" }] },
    );
    expect(await ask()).toMatchObject({
      content: [{ type: "text", text: "It is wet." }],
      stop_reason: "end_turn",
    });
  });

  it("reads refusals and throttling", async () => {
    const client = await clientOf({ script: faultScript(["InvokeModel:2=ThrottlingException"]) });
    const ask = (more: object): Promise<unknown> =>
      client.messages.create({
        model: CLAUDE,
        max_tokens: 10,
        messages: [{ role: "user", content: "a" }],
        ...more,
      });
    await expect(ask({ temperature: 2 })).rejects.toMatchObject({ status: 400 });
    await expect(ask({})).rejects.toMatchObject({ status: 429 });
  });
});

describe("other clients of Bedrock Runtime", () => {
  it("@langchain/aws calls a tool and goes on", async () => {
    const { url, accessKeyId, secretAccessKey } = await emulate({ dialogue: LOOP });
    const model = new ChatBedrockConverse({
      model: CLAUDE,
      region: "us-east-1",
      endpointHost: new URL(url).host,
      credentials: { accessKeyId, secretAccessKey },
      client: runtimeClient({ url, accessKeyId, secretAccessKey } as Emulator, "HTTP/2"),
    }).bindTools([{ name: "weather", description: "Tells it", schema: { type: "object", properties: {} } }]);
    const called = await model.invoke([["user", "What is the weather?"]]);
    expect(called.tool_calls).toMatchObject([{ name: "weather", args: { city: "Łódź" } }]);
    const [call] = called.tool_calls ?? [];
    const result = { role: "tool", content: "wet", tool_call_id: call?.id ?? "" };
    const said = await model.invoke([{ role: "user", content: "What is the weather?" }, called, result]);
    expect(said.text).toBe("It is wet.");
  });

  it("boto3 and the AWS CLI invoke both, whole and streamed", async (context) => {
    needBotocore(context);
    const { url, accessKeyId, secretAccessKey } = await emulate();
    const env = {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: "us-east-1",
    };
    const program = `
import boto3, json, sys
client = boto3.client("bedrock-runtime")
def ask(model, body):
    answer = client.invoke_model(modelId=model, body=json.dumps(body))
    stream = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    return [json.loads(answer["body"].read()), [json.loads(event["chunk"]["bytes"]) for event in stream["body"]]]
print(json.dumps([ask(*asked) for asked in json.load(sys.stdin)]))`;
    const asked = [
      [CLAUDE, claudeBody("hi")],
      [NOVA, novaBody("hi")],
    ];
    const [claude, nova] = (await askPython(program, asked, env)) as [object, object[]][];
    expect(claude?.[0]).toMatchObject({ content: [{ type: "text" }] });
    expect(claude?.[1].at(-1)).toHaveProperty("amazon-bedrock-invocationMetrics");
    expect(nova?.[0]).toMatchObject({ output: { message: { role: "assistant" } } });
    expect(nova?.[1].at(-1)).toHaveProperty("metadata");
    const file = path.join(await mkdtemp(path.join(tmpdir(), "openclaw-invoke-")), "answer.json");
    const words = ["bedrock-runtime", "invoke-model", "--model-id", CLAUDE];
    const [body, given] = [JSON.stringify(claudeBody("hi")), { ...process.env, ...env }];
    const cli = "import sys; from awscli.clidriver import main; sys.exit(main())";
    await promisify(execFile)("python3", ["-c", cli, ...words, "--body", body, file], { env: given });
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ type: "message" });
  });
});

describe("a guardrail", () => {
  it("is applied to a text by itself", async () => {
    const client = runtimeClient(await emulate(), "HTTP/1.1");
    const apply = (text: string, more: object = {}): Promise<object> =>
      client.send(
        new ApplyGuardrailCommand({ ...GUARDED, source: "INPUT", content: [{ text: { text } }], ...more }),
      );
    expect(await apply("good")).toMatchObject({ action: "NONE", outputs: [], assessments: [{}] });
    expect(await apply("good", { outputScope: "FULL" })).toMatchObject({ outputs: [{ text: "good" }] });
    expect(await apply(`a ${WORD.toUpperCase()} b`)).toMatchObject({
      action: "GUARDRAIL_INTERVENED",
      outputs: [{ text: "The guardrail of the openclaw emulator blocked this question." }],
      assessments: [{ wordPolicy: { customWords: [{ match: WORD, action: "BLOCKED" }] } }],
      usage: { wordPolicyUnits: 1 },
    });
    const missing = apply("a", { guardrailIdentifier: "zzzz" });
    await expect(missing).rejects.toThrow(
      "The guardrail identifier or version provided in the request does not exist.",
    );
  });

  it.each([
    ["another id", { guardrailIdentifier: "zzzz", guardrailVersion: "1" }, /does not exist\.$/],
    ["another version", { ...GUARDED, guardrailVersion: "9" }, /does not exist\.$/],
    [
      "no id at all",
      { ...GUARDED, guardrailIdentifier: "no id" },
      /at 'guardrailConfig.guardrailIdentifier' failed/,
    ],
    [
      "no version at all",
      { ...GUARDED, guardrailVersion: "latest" },
      /at 'guardrailConfig.guardrailVersion' failed/,
    ],
    [
      "another account's",
      { ...GUARDED, guardrailIdentifier: "arn:aws:bedrock:us-east-1:999999999999:guardrail/abcd1234efgh" },
      /does not exist\.$/,
    ],
  ])("of %s is refused", async (_, guardrailConfig, message) => {
    const client = runtimeClient(await emulate(), "HTTP/1.1");
    const command = new ConverseCommand({ modelId: NOVA, messages: user("hi"), guardrailConfig });
    await expect(client.send(command)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message) as string,
    });
  });

  it("answers in the model's place, and tells why where that is asked for", async () => {
    const emulator = await emulate();
    const client = runtimeClient(emulator, "HTTP/1.1");
    const ask = (text: string, trace?: "enabled"): Promise<object> =>
      client.send(
        new ConverseCommand({
          modelId: NOVA,
          messages: user(text),
          guardrailConfig: { ...GUARDED, ...(trace && { trace }) },
        }),
      );
    expect(await ask(WORD)).toMatchObject({
      stopReason: "guardrail_intervened",
      output: {
        message: { content: [{ text: "The guardrail of the openclaw emulator blocked this question." }] },
      },
    });
    expect(await ask(WORD)).not.toHaveProperty("trace");
    expect(await ask("hi", "enabled")).toMatchObject({
      stopReason: "end_turn",
      trace: {
        guardrail: { inputAssessment: { abcd1234efgh: {} }, outputAssessments: { abcd1234efgh: [{}] } },
      },
    });
    expect(await invoke(emulator, CLAUDE, claudeBody(WORD), GUARDED)).toMatchObject({
      content: [{ text: "The guardrail of the openclaw emulator blocked this question." }],
      "amazon-bedrock-guardrailAction": "INTERVENED",
    });
  });

  it("looks at the answer, too", async () => {
    const emulator = await emulate({ dialogue: [{ text: `Well: ${WORD}` }] });
    const blocked = [{ text: "The guardrail of the openclaw emulator blocked this answer." }];
    expect(await invoke(emulator, NOVA, novaBody("hi"), GUARDED)).toMatchObject({
      output: { message: { content: blocked } },
      stopReason: "guardrail_intervened",
      "amazon-bedrock-guardrailAction": "INTERVENED",
    });
  });
});
