import {
  type BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  InvokeModelCommand,
  type Message,
} from "@aws-sdk/client-bedrock-runtime";
import {
  GetFoundationModelCommand,
  GetInferenceProfileCommand,
  ListFoundationModelsCommand,
  ListInferenceProfilesCommand,
} from "@aws-sdk/client-bedrock";
import { describe, expect, it } from "vitest";
import { eventStep } from "../../src/emulator/converse.ts";
import type { ScriptedAnswer, StreamStep } from "../../src/emulator/script.ts";
import { textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { bedrockClients } from "../helpers/bedrock-client.ts";
import { openaiServer } from "../helpers/openai-server.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { gate, MODEL, serve, type Served, type ServeTestOptions } from "../helpers/served.ts";

const KEY = "key-of-team-a-0123456789";
const CLAUDE = "us.anthropic.claude-sonnet-4-6";
const ask = { modelId: MODEL, messages: [{ role: "user" as const, content: [{ text: "hi" }] }] };

/** A server with a key before an emulator, and AWS's clients for both. */
async function serveBedrock(options: ServeTestOptions = {}) {
  const served = await serve({ ...options, env: { OPENCLAW_SERVE_API_KEY: KEY, ...options.env } });
  const around = bedrockClients({ url: served.origin, key: KEY });
  const straight = bedrockClients({ url: served.emulator.url, key: served.emulator.bearerToken });
  return { served, around, straight };
}

/** Everything that a stream says, in one event a content block as far as it is of one kind. */
async function streamed(client: BedrockRuntimeClient, input: ConverseCommandInput): Promise<object[]> {
  const { stream } = await client.send(new ConverseStreamCommand(input));
  const events: ConverseStreamOutput[] = [];
  for await (const event of stream ?? []) {
    const { contentBlockIndex: at, delta } = event.contentBlockDelta ?? {};
    const before = events.at(-1)?.contentBlockDelta;
    // How much of a text comes at once is nobody's promise.
    if (before?.contentBlockIndex === at && before?.delta?.text !== undefined && delta?.text !== undefined)
      before.delta.text += delta.text;
    else events.push(event);
  }
  return events;
}

async function whole(client: BedrockRuntimeClient, input: ConverseCommandInput): Promise<object> {
  const { $metadata: _, ...answer } = await client.send(new ConverseCommand(input));
  return answer;
}

/** What was sent to Bedrock last. */
function lastBody({ emulator }: Served): { messages: Message[]; guardrailConfig?: object } {
  const call = emulator.calls.findLast(({ route }) => route.startsWith("Converse"));
  return call?.body as { messages: Message[]; guardrailConfig?: object };
}

/** A body with the name of the key that asks, which the server adds for the invocation logs. */
function withMark(body: unknown): object {
  const { requestMetadata, ...rest } = body as { requestMetadata?: object };
  return { ...rest, requestMetadata: { ...requestMetadata, "openclaw-key": "env" } };
}

/** A block of a stream, with its end. */
function blockSteps(contentBlockIndex: number, ...deltas: object[]): StreamStep[] {
  return [
    ...deltas.map((delta) => eventStep("contentBlockDelta", { contentBlockIndex, delta })),
    eventStep("contentBlockStop", { contentBlockIndex }),
  ];
}

const END = eventStep("metadata", {
  usage: {
    inputTokens: 3,
    outputTokens: 5,
    totalTokens: 28,
    cacheReadInputTokens: 10,
    cacheWriteInputTokens: 10,
    cacheDetails: [
      { ttl: "5m", inputTokens: 4 },
      { ttl: "1h", inputTokens: 6 },
    ],
  },
  metrics: { latencyMs: 77 },
  serviceTier: { type: "default" },
  performanceConfig: { latency: "standard" },
  trace: {
    promptRouter: { invokedModelId: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0" },
  },
});

const stop = (stopReason: string, own?: object): StreamStep =>
  eventStep("messageStop", {
    stopReason,
    ...(own === undefined ? {} : { additionalModelResponseFields: own }),
  });

const TOOLS: ConverseCommandInput["toolConfig"] = {
  tools: [{ toolSpec: { name: "weather", inputSchema: { json: { type: "object" } } } }],
};

const CITATION = {
  title: "Report",
  sourceContent: [{ text: "It rains." }],
  location: { documentPage: { documentIndex: 0, start: 1, end: 2 } },
};

/** Answers that have everything that there is in one of ConverseStream. */
const ANSWERS: [what: string, steps: StreamStep[], more: Partial<ConverseCommandInput>][] = [
  ["text", [...textAnswerSteps(["naïve ", "日本語 ", "🦞", "\n\n", "  end "])], {}],
  [
    "reasoning with its signature, withheld reasoning, text and a call",
    [
      eventStep("messageStart", { role: "assistant" }),
      ...blockSteps(
        0,
        { reasoningContent: { text: "I think." } },
        { reasoningContent: { signature: "c2lnbmF0dXJl" } },
      ),
      ...blockSteps(1, { reasoningContent: { redactedContent: Buffer.from("hidden").toString("base64") } }),
      ...blockSteps(2, { text: "I look." }),
      eventStep("contentBlockStart", {
        contentBlockIndex: 3,
        start: { toolUse: { toolUseId: "t1", name: "weather" } },
      }),
      ...blockSteps(3, { toolUse: { input: '{"city":' } }, { toolUse: { input: '"Oslo"}' } }),
      eventStep("contentBlockStart", {
        contentBlockIndex: 4,
        start: { toolUse: { toolUseId: "t2", name: "weather" } },
      }),
      ...blockSteps(4, { toolUse: { input: "{}" } }),
      stop("tool_use"),
      END,
    ],
    { toolConfig: TOOLS },
  ],
  [
    "texts, each with its source",
    [
      eventStep("messageStart", { role: "assistant" }),
      ...blockSteps(0, { text: "It says: " }),
      ...blockSteps(1, { text: "it rains" }, { citation: CITATION }),
      ...blockSteps(2, { text: ", and " }),
      ...blockSteps(3, { text: "it snows" }, { citation: { ...CITATION, title: "Other" } }),
      stop("end_turn"),
      END,
    ],
    {},
  ],
  [
    "an answer that a text has ended, with the model's own word of it",
    [
      eventStep("messageStart", { role: "assistant" }),
      ...blockSteps(0, { text: "one two" }),
      stop("stop_sequence", { stop_sequence: "END" }),
      END,
    ],
    { inferenceConfig: { stopSequences: ["END"] }, additionalModelResponseFieldPaths: ["/stop_sequence"] },
  ],
  ["an answer that is cut", [...textAnswerSteps(["a"], { stopReason: "max_tokens" })], {}],
];

/** As it goes over the wire: bytes are base64. */
function toWire(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toWire(item)]));
}

/** What a stream comes to where it is asked for whole, which the emulator is not told. */
const scripted = (steps: StreamStep[]): ScriptedAnswer => ({ stream: steps });

describe("Converse by AWS's own client, through serve and straight:", () => {
  it.each(ANSWERS)("%s", async (_, steps, more) => {
    const { served, around, straight } = await serveBedrock({
      emulator: { script: ({ route }) => (route === "ConverseStream" ? scripted(steps) : undefined) },
    });
    const input = { ...ask, modelId: CLAUDE, ...more };
    const told = await streamed(around.runtime, input);
    expect(told).toEqual(await streamed(straight.runtime, input));
    const [sent, asked] = served.emulator.calls
      .filter(({ route }) => route === "ConverseStream")
      .map(({ body }) => body);
    expect(sent).toEqual(withMark(asked));
    // The same in one piece.
    const answer = (await whole(around.runtime, input)) as {
      output: { message: Message };
      stopReason: string;
    };
    const stopped = told.find((event) => "messageStop" in event) as ConverseStreamOutput.MessageStopMember;
    const { stopReason, additionalModelResponseFields } = stopped.messageStop;
    expect(answer).toMatchObject({
      stopReason,
      ...(additionalModelResponseFields === undefined ? {} : { additionalModelResponseFields }),
    });
    const { metadata } = told.at(-1) as ConverseStreamOutput.MetadataMember;
    expect(answer).toMatchObject(metadata);
    const said = answer.output.message.content ?? [];
    const blocks = told.filter((event) => "contentBlockStop" in event);
    expect(said).toHaveLength(blocks.length);
    // And sent back it is what the model said.
    await whole(around.runtime, {
      ...input,
      messages: [...ask.messages, answer.output.message, ...ask.messages],
    });
    const [, back] = lastBody(served).messages;
    const reasoned = (blocks: readonly object[] = []) =>
      blocks.filter((block) => "reasoningContent" in block);
    expect(reasoned(back?.content)).toEqual(toWire(reasoned(said)));
    expect(back?.content).toHaveLength(said.length);
  });

  it("files of every kind, the results of tools, and cache points", async () => {
    const { served, around, straight } = await serveBedrock();
    const input: ConverseCommandInput = {
      modelId: CLAUDE,
      system: [{ text: "Be brief. ".repeat(400) }, { cachePoint: { type: "default" } }],
      messages: [
        {
          role: "user",
          content: [
            { image: { format: "png", source: { bytes: PIXEL } } },
            { document: { format: "txt", name: "notes", source: { bytes: Buffer.from("It rains.") } } },
            { text: "Look." },
          ],
        },
        {
          role: "assistant",
          content: [{ toolUse: { toolUseId: "t1", name: "weather", input: { city: "Oslo" } } }],
        },
        {
          role: "user",
          content: [
            {
              toolResult: {
                toolUseId: "t1",
                content: [{ json: { mm: 3 } }, { image: { format: "png", source: { bytes: PIXEL } } }],
                status: "success",
              },
            },
          ],
        },
      ],
      toolConfig: TOOLS,
      requestMetadata: { team: "search" },
    };
    const [here, there] = [await whole(around.runtime, input), await whole(straight.runtime, input)];
    expect(here).toMatchObject({ output: (there as { output: object }).output });
    const bodies = served.emulator.calls
      .filter(({ route }) => route.startsWith("Converse"))
      .map(({ body }) => body);
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toEqual(withMark(bodies[1]));
  });
});

describe("a server that speaks Bedrock", () => {
  it("has AWS's id of the request, its own name of the key in the log, and no heartbeat", async () => {
    const { opened, open } = gate();
    const { served, around } = await serveBedrock({
      args: ["--heartbeat", "1"],
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? {
                stream: [
                  eventStep("messageStart", { role: "assistant" }),
                  { wait: opened },
                  ...textAnswerSteps(["a"]),
                ],
              }
            : undefined,
      },
    });
    setTimeout(open, 2500);
    const { $metadata, stream } = await around.runtime.send(new ConverseStreamCommand(ask));
    for await (const event of stream ?? []) expect(event).toBeDefined();
    const line = await served.logged(({ status }) => status === 200);
    expect($metadata.requestId).toBe(line.requestId);
    expect(line).toMatchObject({ dialect: "bedrock", key: "env", model: MODEL, finishReason: "stop" });
  });

  it("calls by every name that it knows, ARNs and its own among them", async () => {
    const { served, around } = await serveBedrock({ args: ["--map", "gpt-4o=us.amazon.nova-pro-v1:0"] });
    const profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0";
    for (const modelId of ["gpt-4o", profile, "amazon.nova-pro-v1:0"])
      await whole(around.runtime, { ...ask, modelId });
    const called = served.log.filter(({ kind }) => kind === "request").map(({ calledModel }) => calledModel);
    expect(called).toEqual([
      "us.amazon.nova-pro-v1:0",
      profile,
      expect.stringContaining("amazon.nova-pro-v1:0"),
    ]);
    // As curl sends it.
    const bare = await fetch(`${served.origin}/model/${profile}/converse`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ messages: ask.messages }),
    });
    expect(bare.status).toBe(200);
  });

  it("lists what it calls, as AWS lists it", async () => {
    const { around, straight } = await serveBedrock({
      args: ["--map", "gpt-4o=us.amazon.nova-pro-v1:0"],
    });
    const all = await Promise.all(
      [around, straight].map(({ control }) => control.send(new ListFoundationModelsCommand({}))),
    );
    const [here = [], there = []] = all.map(({ modelSummaries }) => modelSummaries);
    const nova = there.find(({ modelId }) => modelId === MODEL);
    expect(here.find(({ modelId }) => modelId === MODEL)).toMatchObject({
      ...nova,
      customizationsSupported: [],
    });
    expect(here.find(({ modelId }) => modelId === "gpt-4o")).toMatchObject({
      inferenceTypesSupported: ["ON_DEMAND"],
    });
    expect(new Set(here.map(({ modelId }) => modelId)).size).toBe(here.length);
    const ofAmazon = await around.control.send(new ListFoundationModelsCommand({ byProvider: "amazon" }));
    expect(new Set(ofAmazon.modelSummaries?.map(({ providerName }) => providerName))).toEqual(
      new Set(["Amazon"]),
    );
    const one = await around.control.send(new GetFoundationModelCommand({ modelIdentifier: nova?.modelArn }));
    expect(one.modelDetails?.modelId).toBe(MODEL);
    const ids: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await around.control.send(new ListInferenceProfilesCommand({ maxResults: 5, nextToken }));
      ids.push(...(page.inferenceProfileSummaries ?? []).map(({ inferenceProfileId }) => inferenceProfileId));
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    expect(ids).toContain("us.amazon.nova-pro-v1:0");
    expect(new Set(ids).size).toBe(ids.length);
    const inferenceProfileIdentifier = "us.amazon.nova-pro-v1:0";
    const profiles = await Promise.all(
      [around, straight].map(({ control }) =>
        control.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier })),
      ),
    );
    const [own, aws] = profiles.map(
      ({ inferenceProfileArn, inferenceProfileName, models, status, type }) => ({
        inferenceProfileArn,
        inferenceProfileName,
        models,
        status,
        type,
      }),
    );
    expect(own).toEqual(aws);
    const none = around.control.send(
      new GetInferenceProfileCommand({ inferenceProfileIdentifier: "us.none" }),
    );
    await expect(none).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it.each<[what: string, answer: ScriptedAnswer, name: string, status: number]>([
    [
      "throttled",
      { error: { name: "ThrottlingException", message: "Too many requests." } },
      "ThrottlingException",
      429,
    ],
    [
      "refused",
      { error: { name: "ValidationException", message: "The text is too dull." } },
      "ValidationException",
      400,
    ],
    ["denied", { error: { name: "AccessDeniedException", message: "No." } }, "AccessDeniedException", 403],
    [
      "not available",
      { error: { name: "ServiceUnavailableException", message: "Later." } },
      "ServiceUnavailableException",
      503,
    ],
  ])("tells a call that is %s as AWS does", async (_, answer, name, status) => {
    const { around } = await serveBedrock({
      emulator: { script: ({ route }) => (route === "ConverseStream" ? answer : undefined) },
    });
    for (const command of [new ConverseCommand(ask), new ConverseStreamCommand(ask)]) {
      const failure: unknown = await around.runtime
        .send(command as ConverseCommand)
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({
        name,
        $metadata: { httpStatusCode: status, requestId: expect.any(String) },
      });
    }
  });

  it("ends a stream that fails on its way with an exception", async () => {
    const { around, served } = await serveBedrock({
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? {
                stream: [
                  eventStep("messageStart", { role: "assistant" }),
                  textStep("half "),
                  { exception: "throttlingException", payload: { message: "Too many tokens." } },
                ],
              }
            : undefined,
      },
    });
    const failure: unknown = await streamed(around.runtime, ask).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "ThrottlingException" });
    expect((await served.logged(({ error }) => error !== undefined)).error?.code).toBe("throttled");
  });

  it("ends the call to Bedrock when its client goes away", async () => {
    const { opened, open } = gate();
    const { around, served } = await serveBedrock({
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? { stream: [eventStep("messageStart", { role: "assistant" }), textStep("a"), { wait: opened }] }
            : undefined,
      },
    });
    const leave = new AbortController();
    const { stream } = await around.runtime.send(new ConverseStreamCommand(ask), {
      abortSignal: leave.signal,
    });
    const reading = (async () => {
      for await (const event of stream ?? []) if (event.contentBlockDelta) leave.abort();
    })();
    await reading.catch(() => undefined);
    const line = await served.logged(({ isAborted }) => isAborted === true);
    expect(line.status).toBe(499);
    open();
  });

  it("lets nobody in without a key, and says what to set to whom signs with others", async () => {
    const { served } = await serveBedrock();
    const wrong = bedrockClients({ url: served.origin, key: "another-key" }).runtime;
    const denied: unknown = await wrong.send(new ConverseCommand(ask)).catch((error: unknown) => error);
    expect(denied).toMatchObject({ name: "AccessDeniedException", $metadata: { httpStatusCode: 403 } });
    const signed = await fetch(`${served.origin}/model/${MODEL}/converse`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization:
          "AWS4-HMAC-SHA256 Credential=AKIA/20261126/us-east-1/bedrock/aws4_request, Signature=0",
      },
      body: JSON.stringify({ messages: ask.messages }),
    });
    expect(signed.status).toBe(403);
    expect(signed.headers.get("x-amzn-errortype")).toBe("AccessDeniedException");
    expect(await signed.json()).toEqual({ message: expect.stringContaining("AWS_BEARER_TOKEN_BEDROCK") });
  });

  it("asks under the guardrail that a request of another API names, in headers as AWS has it, or in LiteLLM's field", async () => {
    const served = await serve();
    const guardrailConfig = { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" };
    const named = {
      "x-amzn-bedrock-guardrailidentifier": "abcd1234efgh",
      "x-amzn-bedrock-guardrailversion": "1",
    };
    const messages = [{ role: "user", content: "hi" }];
    const ask = async (path: string, body: object, headers: object): Promise<number> => {
      const response = await fetch(`${served.origin}/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ model: MODEL, ...body }),
      });
      await response.arrayBuffer();
      return response.status;
    };
    for (const [path, body, headers] of [
      ["chat/completions", { messages }, named],
      ["chat/completions", { messages, guardrailConfig: { ...guardrailConfig, trace: "disabled" } }, {}],
      ["responses", { input: "hi" }, named],
      ["messages", { messages, max_tokens: 9 }, named],
    ] as const) {
      expect(await ask(path, body, headers)).toBe(200);
      expect(lastBody(served).guardrailConfig).toMatchObject(guardrailConfig);
    }
    const half = { "x-amzn-bedrock-guardrailidentifier": "abcd1234efgh" };
    expect(await ask("chat/completions", { messages }, half)).toBe(400);
    expect(await ask("chat/completions", { messages, guardrailConfig: "on" }, {})).toBe(400);
    expect(await ask("chat/completions", { messages }, {})).toBe(200);
    expect(lastBody(served)).not.toHaveProperty("guardrailConfig");
  });

  it("asks under the server's own guardrail, whatever a request says of one", async () => {
    const guardrail = { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" };
    const config = JSON.stringify({
      plugins: {
        entries: { "amazon-bedrock": { config: { guardrail: { ...guardrail, trace: "enabled" } } } },
      },
    });
    const { around, served } = await serveBedrock({ config });
    const sent = () => lastBody(served).guardrailConfig;
    expect(await whole(around.runtime, ask)).not.toHaveProperty("trace");
    expect(sent()).toMatchObject(guardrail);
    await whole(around.runtime, { ...ask, guardrailConfig: { ...guardrail, trace: "enabled_full" } });
    expect(sent()).toMatchObject({ ...guardrail, trace: "enabled" });
    const other = { ...ask, guardrailConfig: { guardrailIdentifier: "zzzz", guardrailVersion: "1" } };
    await expect(whole(around.runtime, other)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  it.each([
    ["openai-completions", false],
    ["openai-responses", true],
    ["anthropic-messages", true],
  ])("refuses a guardrail for a model by %s, which none acts on", async (api, hasOwn) => {
    const guardrail = { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" };
    const server = await openaiServer({});
    const providers = { own: { baseUrl: server.baseUrl, api, models: [{ id: "m" }] } };
    const plugins = { entries: { "amazon-bedrock": { config: { guardrail } } } };
    const config = JSON.stringify({ models: { providers }, ...(hasOwn && { plugins }) });
    const { around } = await serveBedrock({ config });
    const body = JSON.stringify({
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 9,
      messages: [{ role: "user", content: "hi" }],
    });
    for (const command of [
      new ConverseCommand({ ...ask, modelId: "own/m", guardrailConfig: guardrail }),
      new ConverseStreamCommand({ ...ask, modelId: "own/m", guardrailConfig: guardrail }),
      new InvokeModelCommand({ modelId: "own/m", body, ...guardrail }),
    ])
      await expect(around.runtime.send(command as ConverseCommand)).rejects.toMatchObject({
        name: "ValidationException",
        message: "'own/m' is not a model of Amazon Bedrock, so it is not asked with a guardrail.",
      });
    expect(server.chats).toEqual([]);
  });
});

it("lists profiles of an account's own among the profiles, and not as foundation models", async () => {
  const { origin } = await serve();
  const list = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${origin}${path}`, { headers: { authorization: "Bearer none" } })).json()) as T;
  const models = await list<{ modelSummaries: { modelId: string }[] }>("/foundation-models");
  const ids = models.modelSummaries.map(({ modelId }) => modelId);
  expect(ids).toContain(MODEL);
  expect(ids.filter((id) => id.startsWith("arn:"))).toEqual([]);
  const own = await list<{ inferenceProfileSummaries: unknown[] }>("/inference-profiles?type=APPLICATION");
  expect(own.inferenceProfileSummaries).not.toEqual([]);
});
