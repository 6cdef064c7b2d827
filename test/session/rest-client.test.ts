import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import * as metrics from "@aws-sdk/client-cloudwatch";
import * as control from "@aws-sdk/client-bedrock";
import * as data from "@aws-sdk/client-bedrock-runtime";
import { version } from "@aws-sdk/client-bedrock-runtime/package.json";
import * as quotas from "@aws-sdk/client-service-quotas";
import { createDefaultUserAgentProvider } from "@aws-sdk/core/client";
import { isServerError, isThrottlingError, isTransientError } from "@smithy/core/retry";
import { assert, asyncProperty, jsonValue, string } from "fast-check";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { callBedrock, OPERATIONS, toCall } from "../../src/session/bedrock-operations.ts";
import { listBedrockQuotas, readQuotaUse } from "../../src/session/quota-operations.ts";
import { clientConfig } from "../../src/session/client-config.ts";
import { readJson } from "../../src/session/read-answer.ts";
import type { AwsSession } from "../../src/session/session.ts";
import { streamChat } from "../helpers/stream-chat.ts";
import { listModels, listProfiles } from "../../src/discovery/discover.ts";
import { createHome } from "../helpers/openclaw.ts";
import { sdkBedrock, sdkBedrockRuntime } from "../helpers/sdk-clients.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { testSession } from "../helpers/test-session.ts";

const MODEL = "amazon.nova-lite-v1:0";
const KEYS = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "a/secret/of/the/tests",
};
const BOUNDS = { firstEventMs: 20_000, silenceMs: 20_000, totalMs: undefined };

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

const REFUSAL: Answer = {
  status: 403,
  headers: { "x-amzn-errortype": "AccessDeniedException", "x-amzn-requestid": "0-1-2" },
  body: '{"message":"no"}',
};

/** A request as it came over the wire. */
interface Wire {
  method: string | undefined;
  url: string | undefined;
  headers: string[][];
  body: string;
}

/** A server that keeps what it is sent, and answers everything alike. */
async function startRecorder(answer: Answer = REFUSAL): Promise<{ url: string; requests: Wire[] }> {
  const requests: Wire[] = [];
  const server = createServer(async (request, response) => {
    requests.push(await readRequest(request));
    response.writeHead(answer.status, { date: new Date().toUTCString(), ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function readRequest(request: IncomingMessage): Promise<Wire> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method, url, rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ""]] : [],
  );
  headers.sort(([left = ""], [right = ""]) => left.localeCompare(right));
  return { method, url, headers, body: Buffer.concat(chunks).toString("utf8") };
}

async function open(env: Record<string, string>, config = ""): Promise<AwsSession> {
  const home = createHome();
  if (config !== "") writeSharedFiles(home, { config });
  return (await testSession(home, env)).session;
}

const settled = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (failure: unknown) => failure,
  );

async function ourStream(session: AwsSession, input: data.ConverseStreamCommandInput): Promise<unknown> {
  return settled(streamChat(session, input, BOUNDS).next());
}

/** The build of the SDK's clients that tests load names the version before its own; the bundled one names its own. */
function withVersion<
  T extends
    | control.BedrockClient
    | data.BedrockRuntimeClient
    | quotas.ServiceQuotasClient
    | metrics.CloudWatchClient,
>(client: T): T {
  const { serviceId } = client.config;
  client.config.defaultUserAgentProvider = createDefaultUserAgentProvider({
    serviceId,
    clientVersion: version,
  });
  return client;
}

const theirControl = async (session: AwsSession): Promise<control.BedrockClient> =>
  withVersion(await sdkBedrock(session));

async function theirStream(session: AwsSession, input: data.ConverseStreamCommandInput): Promise<unknown> {
  const client = withVersion(await sdkBedrockRuntime(session));
  return settled(client.send(new data.ConverseStreamCommand(input)));
}

beforeEach(() => {
  // A signature holds the time, and each request has an id of its own.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 10, 25, 12) });
  vi.spyOn(crypto, "randomUUID").mockReturnValue("00000000-0000-4000-8000-000000000000");
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const user = (content: data.ContentBlock[]): data.Message => ({ role: "user", content });
const hi = [user([{ text: "hi" }])];
const schema = { json: { type: "object", properties: { zone: { enum: ["UTC", null, 1.5, true] } } } };
const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);

/** With names in the order of the service model, which the SDK's client puts most of them into. */
const INPUTS: readonly [name: string, input: data.ConverseStreamCommandInput][] = [
  ["a text", { modelId: MODEL, messages: hi }],
  [
    "text of every kind",
    { modelId: MODEL, messages: [user([{ text: 'ä\u2028"\\\n\t\u0001🦞é</script>' }])] },
  ],
  ["an empty conversation", { modelId: MODEL, messages: [] }],
  ["no conversation", { modelId: MODEL, messages: undefined }],
  [
    "attachments",
    {
      modelId: MODEL,
      messages: [
        user([
          { image: { format: "png", source: { bytes } } },
          { image: { format: "jpeg", source: { bytes: Buffer.from(bytes).subarray(7, 20) } } },
          { document: { name: "report", source: { bytes }, format: "pdf" } },
          { document: { name: "empty", source: { bytes: new Uint8Array() }, format: "txt" } },
          { text: "What is in them?" },
        ]),
      ],
    },
  ],
  [
    "everything that there is to ask for",
    {
      modelId: MODEL,
      messages: hi,
      system: [{ text: "Be brief." }, { cachePoint: { type: "default", ttl: "1h" } }],
      inferenceConfig: { maxTokens: 100, temperature: 0.1, topP: 1e-7, stopSequences: ["END", "🦞"] },
      toolConfig: {
        tools: [{ toolSpec: { name: "clock", inputSchema: schema, description: "Tells the time." } }],
        toolChoice: { auto: {} },
      },
      guardrailConfig: {
        guardrailIdentifier: "abc",
        guardrailVersion: "DRAFT",
        trace: "enabled",
        streamProcessingMode: "async",
      },
      additionalModelRequestFields: {
        thinking: { type: "enabled", budget_tokens: 1024 },
        list: [null, -0.5, 1e21, { deep: "ü" }],
      },
      requestMetadata: { team: "a b", owner: "Ö" },
      performanceConfig: { latency: "optimized" },
      serviceTier: { type: "priority" },
    },
  ],
  [
    "a call of a tool and its result",
    {
      modelId: MODEL,
      messages: [
        ...hi,
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
            { reasoningContent: { redactedContent: bytes } },
            { toolUse: { toolUseId: "t1", name: "clock", input: { zone: "UTC", at: null } } },
          ],
        },
        user([
          {
            toolResult: {
              toolUseId: "t1",
              content: [
                { json: { now: [1, 2] } },
                { text: "12:00" },
                { image: { format: "png", source: { bytes } } },
              ],
              status: "error",
            },
          },
        ]),
      ],
      toolConfig: { tools: [{ toolSpec: { name: "clock", inputSchema: schema } }] },
    },
  ],
  [
    "megabytes, which we send in pieces",
    {
      modelId: MODEL,
      messages: [
        user([
          { text: "日本🦞\n".repeat(400_000) },
          { image: { format: "png", source: { bytes: new Uint8Array(3_000_001).fill(7) } } },
        ]),
      ],
    },
  ],
  [
    "output by a schema",
    {
      modelId: MODEL,
      messages: hi,
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { schema: '{"type":"object"}', name: "n" } },
        },
      },
    },
  ],
];

const IDS: readonly string[] = [
  "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "anthropic.claude-3-haiku-20240307-v1:0:48k",
  "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
  "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
  "arn:aws:sagemaker:us-east-1:123456789012:endpoint/An-Endpoint",
  "odd (id)!*'~+&=?#%2F ü",
  "..",
];

describe("a request for a stream", () => {
  it.each(INPUTS)("of %s is the SDK's, to the byte", async (_, input) => {
    const recorder = await startRecorder();
    const session = await open({ ...KEYS, AWS_SESSION_TOKEN: "a token", AWS_ENDPOINT_URL: recorder.url });
    await ourStream(session, input);
    await theirStream(session, input);
    const [ours, theirs] = recorder.requests;
    expect(ours?.method).toBe("POST");
    expect(ours).toEqual(theirs);
  });

  it.each(IDS)("to the model %s is the SDK's, to the byte", async (modelId) => {
    const recorder = await startRecorder();
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    await ourStream(session, { modelId, messages: hi });
    await theirStream(session, { modelId, messages: hi });
    const [ours, theirs] = recorder.requests;
    expect(ours?.url).toContain("/converse-stream");
    expect(ours).toEqual(theirs);
  });

  it("of any text is the SDK's", async () => {
    const recorder = await startRecorder();
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    await assert(
      asyncProperty(string({ unit: "binary" }), jsonValue(), async (text, json) => {
        const input = {
          modelId: MODEL,
          messages: [user([{ text }])],
          additionalModelRequestFields: {
            json: json as string,
          },
        };
        await ourStream(session, input);
        await theirStream(session, input);
        const [ours, theirs] = recorder.requests.splice(0);
        expect(ours?.method).toBe("POST");
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
  });
});

it("says the same when names come in another order", async () => {
  const recorder = await startRecorder();
  const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
  const input: data.ConverseStreamCommandInput = {
    messages: [user([{ document: { format: "pdf", name: "report", source: { bytes } } }, { text: "Well?" }])],
    serviceTier: { type: "flex" },
    requestMetadata: { team: "a" },
    performanceConfig: { latency: "standard" },
    toolConfig: { tools: [{ toolSpec: { description: "Tells.", name: "clock", inputSchema: schema } }] },
    inferenceConfig: { temperature: 1, maxTokens: 5 },
    modelId: MODEL,
  };
  await ourStream(session, input);
  await theirStream(session, input);
  const [ours, theirs] = recorder.requests;
  expect(JSON.parse(ours?.body ?? "")).toEqual(JSON.parse(theirs?.body ?? ""));
});

describe("a client", () => {
  const ENVIRONMENTS: readonly [name: string, env: Record<string, string>, config?: string][] = [
    ["a Bedrock API key", { AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-abc" }],
    ["another region", { ...KEYS, AWS_REGION: "cn-north-1" }],
    ["an account id", { ...KEYS, AWS_ACCOUNT_ID: "123456789012" }],
    ["the name of an application", { ...KEYS, AWS_SDK_UA_APP_ID: "my app" }],
    ["more attempts", { ...KEYS, AWS_MAX_ATTEMPTS: "7" }],
    ["adaptive retries", { ...KEYS, AWS_RETRY_MODE: "adaptive" }],
    [
      "a profile",
      { AWS_PROFILE: "work" },
      "[profile work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = secret\nsdk_ua_app_id = shared\n",
    ],
    ["an execution environment", { ...KEYS, AWS_EXECUTION_ENV: "CloudShell" }],
  ];

  it.each(ENVIRONMENTS)("with %s sends what the SDK sends", async (_, env, config) => {
    const recorder = await startRecorder();
    const session = await open({ ...env, AWS_ENDPOINT_URL: recorder.url }, config);
    await ourStream(session, { modelId: MODEL, messages: hi });
    await theirStream(session, { modelId: MODEL, messages: hi });
    const [ours, theirs] = recorder.requests;
    expect(ours?.method).toBe("POST");
    expect(ours).toEqual(theirs);
  });

  it.each(["/", "/base", "/base/", "/a%20b/c?x=1&y=%2F"])(
    "of an endpoint at %s calls where the SDK calls",
    async (place) => {
      const recorder = await startRecorder();
      const session = await open({ ...KEYS, AWS_ENDPOINT_URL: `${recorder.url}${place}` });
      await ourStream(session, { modelId: MODEL, messages: hi });
      await theirStream(session, { modelId: MODEL, messages: hi });
      const [ours, theirs] = recorder.requests;
      expect(ours?.url).toContain("/converse-stream");
      expect(ours).toEqual(theirs);
    },
  );
});

describe("a list", () => {
  const LISTS: readonly [
    name: string,
    ours: (session: AwsSession) => Promise<unknown>,
    theirs: (client: control.BedrockClient) => Promise<unknown>,
  ][] = [
    ["models", listModels, (client) => client.send(new control.ListFoundationModelsCommand({}))],
    [
      "profiles",
      (session) => listProfiles(session),
      (client) => client.send(new control.ListInferenceProfilesCommand({ maxResults: 1000 })),
    ],
    [
      "profiles of applications",
      (session) => listProfiles(session, "APPLICATION"),
      (client) =>
        client.send(
          new control.ListInferenceProfilesCommand({ maxResults: 1000, typeEquals: "APPLICATION" }),
        ),
    ],
  ];

  it.each(LISTS)("of %s is asked for as the SDK asks", async (_, ours, theirs) => {
    const recorder = await startRecorder();
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    await settled(ours(session));
    await settled(theirs(await theirControl(session)));
    expect(recorder.requests[0]?.method).toBe("GET");
    expect(recorder.requests[0]).toEqual(recorder.requests[1]);
  });

  it("goes on to the page that the SDK would ask for", async () => {
    const token = "a+b/c==&ü";
    const recorder = await startRecorder({
      status: 200,
      body: JSON.stringify({ inferenceProfileSummaries: [], nextToken: token }),
    });
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    await settled(listProfiles(session, "APPLICATION"));
    const client = await theirControl(session);
    const command = { maxResults: 1000, nextToken: token, typeEquals: "APPLICATION" } as const;
    await client.send(new control.ListInferenceProfilesCommand(command));
    expect(recorder.requests[1]).toEqual(recorder.requests.at(-1));
  });
});

/** With names in the order of the service model, as the SDK's client puts them. */
const jobOf = (modelId: string): control.CreateModelInvocationJobRequest => ({
  jobName: "openclaw-1",
  roleArn: "arn:aws:iam::123456789012:role/BatchRole",
  modelId,
  inputDataConfig: {
    s3InputDataConfig: {
      s3Uri: "s3://bucket/in.jsonl",
      s3InputFormat: "JSONL",
      s3BucketOwner: "123456789012",
    },
  },
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket/out/", s3EncryptionKeyId: "alias/key" } },
  clientRequestToken: "a1b2",
  timeoutDurationInHours: 24,
  tags: [{ key: "team", value: "a b" }],
  modelInvocationType: "Converse",
});
const jobsLike = (nameContains: string) =>
  ({
    statusEquals: "Completed",
    nameContains,
    maxResults: 100,
    nextToken: "a+b/c==",
    sortBy: "CreationTime",
    sortOrder: "Descending",
  }) as const;

/** How each operation but the lists and the stream is called, by this program and by the SDK. */
const CALLS: readonly {
  operation: keyof typeof OPERATIONS;
  ours: (session: AwsSession, id: string) => Promise<unknown>;
  theirs: (session: AwsSession, id: string) => Promise<unknown>;
}[] = [
  {
    operation: "GetFoundationModelAvailability",
    ours: (session, modelId) => callBedrock(session, "GetFoundationModelAvailability", { modelId }),
    theirs: async (session, modelId) =>
      (await theirControl(session)).send(new control.GetFoundationModelAvailabilityCommand({ modelId })),
  },
  {
    operation: "ListFoundationModelAgreementOffers",
    ours: (session, modelId) => callBedrock(session, "ListFoundationModelAgreementOffers", { modelId }),
    theirs: async (session, modelId) =>
      (await theirControl(session)).send(new control.ListFoundationModelAgreementOffersCommand({ modelId })),
  },
  {
    operation: "CreateFoundationModelAgreement",
    ours: (session, modelId) =>
      callBedrock(session, "CreateFoundationModelAgreement", { offerToken: "a+b/ü==", modelId }),
    theirs: async (session, modelId) => {
      const command = new control.CreateFoundationModelAgreementCommand({ offerToken: "a+b/ü==", modelId });
      return (await theirControl(session)).send(command);
    },
  },
  {
    operation: "PutUseCaseForModelAccess",
    ours: (session, id) =>
      callBedrock(session, "PutUseCaseForModelAccess", { formData: Buffer.from(`{"companyName":"${id}"}`) }),
    theirs: async (session, id) => {
      const formData = Buffer.from(`{"companyName":"${id}"}`);
      return (await theirControl(session)).send(new control.PutUseCaseForModelAccessCommand({ formData }));
    },
  },
  {
    operation: "GetAccountDataRetention",
    ours: (session) => callBedrock(session, "GetAccountDataRetention", {}),
    theirs: async (session) =>
      (await theirControl(session)).send(new control.GetAccountDataRetentionCommand({})),
  },
  {
    operation: "PutAccountDataRetention",
    ours: (session) => callBedrock(session, "PutAccountDataRetention", { mode: "aws_review" }),
    theirs: async (session) =>
      (await theirControl(session)).send(new control.PutAccountDataRetentionCommand({ mode: "aws_review" })),
  },
  {
    operation: "GetUseCaseForModelAccess",
    ours: (session) => callBedrock(session, "GetUseCaseForModelAccess", {}),
    theirs: async (session) =>
      (await theirControl(session)).send(new control.GetUseCaseForModelAccessCommand({})),
  },
  {
    operation: "GetProvisionedModelThroughput",
    ours: (session, provisionedModelId) =>
      callBedrock(session, "GetProvisionedModelThroughput", { provisionedModelId }),
    theirs: async (session, provisionedModelId) =>
      (await theirControl(session)).send(
        new control.GetProvisionedModelThroughputCommand({ provisionedModelId }),
      ),
  },
  {
    operation: "GetCustomModel",
    ours: (session, modelIdentifier) => callBedrock(session, "GetCustomModel", { modelIdentifier }),
    theirs: async (session, modelIdentifier) =>
      (await theirControl(session)).send(new control.GetCustomModelCommand({ modelIdentifier })),
  },
  {
    operation: "GetCustomModelDeployment",
    ours: (session, customModelDeploymentIdentifier) =>
      callBedrock(session, "GetCustomModelDeployment", { customModelDeploymentIdentifier }),
    theirs: async (session, customModelDeploymentIdentifier) =>
      (await theirControl(session)).send(
        new control.GetCustomModelDeploymentCommand({ customModelDeploymentIdentifier }),
      ),
  },
  {
    operation: "GetImportedModel",
    ours: (session, modelIdentifier) => callBedrock(session, "GetImportedModel", { modelIdentifier }),
    theirs: async (session, modelIdentifier) =>
      (await theirControl(session)).send(new control.GetImportedModelCommand({ modelIdentifier })),
  },
  {
    operation: "GetInferenceProfile",
    ours: (session, inferenceProfileIdentifier) =>
      callBedrock(session, "GetInferenceProfile", { inferenceProfileIdentifier }),
    theirs: async (session, inferenceProfileIdentifier) =>
      (await theirControl(session)).send(
        new control.GetInferenceProfileCommand({ inferenceProfileIdentifier }),
      ),
  },
  {
    operation: "GetPromptRouter",
    ours: (session, promptRouterArn) => callBedrock(session, "GetPromptRouter", { promptRouterArn }),
    theirs: async (session, promptRouterArn) =>
      (await theirControl(session)).send(new control.GetPromptRouterCommand({ promptRouterArn })),
  },
  {
    operation: "CreateModelInvocationJob",
    ours: (session, id) => callBedrock(session, "CreateModelInvocationJob", jobOf(id)),
    theirs: async (session, id) =>
      (await theirControl(session)).send(new control.CreateModelInvocationJobCommand(jobOf(id))),
  },
  {
    operation: "GetModelInvocationJob",
    ours: (session, jobIdentifier) => callBedrock(session, "GetModelInvocationJob", { jobIdentifier }),
    theirs: async (session, jobIdentifier) =>
      (await theirControl(session)).send(new control.GetModelInvocationJobCommand({ jobIdentifier })),
  },
  {
    operation: "ListModelInvocationJobs",
    ours: (session, nameContains) => callBedrock(session, "ListModelInvocationJobs", jobsLike(nameContains)),
    theirs: async (session, nameContains) =>
      (await theirControl(session)).send(new control.ListModelInvocationJobsCommand(jobsLike(nameContains))),
  },
  {
    operation: "StopModelInvocationJob",
    ours: (session, jobIdentifier) => callBedrock(session, "StopModelInvocationJob", { jobIdentifier }),
    theirs: async (session, jobIdentifier) =>
      (await theirControl(session)).send(new control.StopModelInvocationJobCommand({ jobIdentifier })),
  },
  {
    operation: "Converse",
    ours: async (session, modelId) => {
      const client = await session.rest("bedrock-runtime");
      return client.send(
        toCall("Converse", { modelId, messages: hi }),
        readJson,
        session.setup.runtime.signal,
      );
    },
    theirs: async (session, modelId) =>
      withVersion(await sdkBedrockRuntime(session)).send(
        new data.ConverseCommand({ modelId, messages: [...hi] }),
      ),
  },
  {
    operation: "InvokeModel",
    ours: async (session, modelId) => {
      const client = await session.rest("bedrock-runtime");
      const call = toCall("InvokeModel", { modelId, body: { inputText: "hi ü" } });
      return client.send(call, readJson, session.setup.runtime.signal);
    },
    theirs: async (session, modelId) =>
      withVersion(await sdkBedrockRuntime(session)).send(
        new data.InvokeModelCommand({
          modelId,
          body: JSON.stringify({ inputText: "hi ü" }),
          contentType: "application/json",
          accept: "application/json",
        }),
      ),
  },
  {
    operation: "InvokeModelWithResponseStream",
    ours: async (session, modelId) => {
      const client = await session.rest("bedrock-runtime");
      const call = toCall("InvokeModelWithResponseStream", { modelId, body: { prompt: "hi ü" } });
      return client.send(call, readJson, session.setup.runtime.signal);
    },
    theirs: async (session, modelId) =>
      withVersion(await sdkBedrockRuntime(session)).send(
        new data.InvokeModelWithResponseStreamCommand({
          modelId,
          body: JSON.stringify({ prompt: "hi ü" }),
          contentType: "application/json",
          accept: "application/json",
        }),
      ),
  },
  {
    operation: "CountTokens",
    ours: (session, modelId) =>
      callBedrock(session, "CountTokens", { modelId, input: { converse: { messages: hi } } }),
    theirs: async (session, modelId) => {
      const input = { modelId, input: { converse: { messages: hi } } };
      return withVersion(await sdkBedrockRuntime(session)).send(new data.CountTokensCommand(input));
    },
  },
];

describe("the services beside Bedrock", () => {
  const QUERIES: metrics.MetricDataQuery[] = [
    "Invocations",
    "InvocationThrottles",
    "EstimatedTPMQuotaUsage",
  ].map((MetricName, index) => ({
    Id: `q${index}`,
    MetricStat: {
      Metric: {
        Namespace: "AWS/Bedrock",
        MetricName,
        Dimensions: [{ Name: "ModelId", Value: "us.amazon.nova-lite-v1:0" }],
      },
      Period: 60,
      Stat: "Sum",
    },
  }));
  const ASKED: readonly [
    name: string,
    ours: (session: AwsSession) => Promise<unknown>,
    theirs: (session: AwsSession) => Promise<unknown>,
  ][] = [
    [
      "Service Quotas",
      listBedrockQuotas,
      async (session) =>
        withVersion(new quotas.ServiceQuotasClient(await clientConfig(session, "service-quotas"))).send(
          new quotas.ListServiceQuotasCommand({ ServiceCode: "bedrock", MaxResults: 100 }),
        ),
    ],
    [
      "CloudWatch",
      (session) => readQuotaUse(session, ["us.amazon.nova-lite-v1:0"]),
      async (session) =>
        withVersion(new metrics.CloudWatchClient(await clientConfig(session, "cloudwatch"))).send(
          new metrics.GetMetricDataCommand({
            MetricDataQueries: QUERIES,
            StartTime: new Date(Date.UTC(2026, 10, 25, 11, 45)),
            EndTime: new Date(Date.UTC(2026, 10, 25, 12)),
          }),
        ),
    ],
  ];

  it.each(ASKED)("%s is asked as the SDK asks", async (_, ours, theirs) => {
    const recorder = await startRecorder();
    const session = await open({ ...KEYS, AWS_SESSION_TOKEN: "a token", AWS_ENDPOINT_URL: recorder.url });
    await settled(ours(session));
    await settled(theirs(session));
    expect(recorder.requests[0]?.method).toBe("POST");
    expect(recorder.requests[0]).toEqual(recorder.requests[1]);
  });

  it("goes on to the page that the SDK would ask for", async () => {
    const recorder = await startRecorder({
      status: 200,
      body: JSON.stringify({ Quotas: [], NextToken: "abc/+=" }),
    });
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    // Who goes on for ever is asked for a hundred pages.
    expect(await settled(listBedrockQuotas(session))).toMatchObject({ code: "bad-response" });
    expect(recorder.requests).toHaveLength(100);
    const client = withVersion(new quotas.ServiceQuotasClient(await clientConfig(session, "service-quotas")));
    await client.send(
      new quotas.ListServiceQuotasCommand({ ServiceCode: "bedrock", MaxResults: 100, NextToken: "abc/+=" }),
    );
    expect(recorder.requests[1]).toEqual(recorder.requests.at(-1));
  });

  it("are not asked with a Bedrock API key, which they do not take", async () => {
    const recorder = await startRecorder();
    const session = await open({ AWS_BEARER_TOKEN_BEDROCK: "key", AWS_ENDPOINT_URL: recorder.url });
    for (const [, ours] of ASKED)
      expect(await settled(ours(session))).toMatchObject({ code: "access-denied" });
    expect(recorder.requests).toEqual([]);
  });
});

describe("every other operation", () => {
  it("is called here", () => {
    expect(CALLS.map(({ operation }) => operation).sort()).toEqual(
      Object.keys(OPERATIONS)
        .filter((name) => !/^(ListFoundationModels|ListInferenceProfiles|ConverseStream)$/.test(name))
        .sort(),
    );
  });

  const ODD = [
    ...IDS,
    "arn:aws:bedrock:eu-west-1:123456789012:prompt-router/a:b/c d",
    "$& $1 ${x} {modelId}",
  ];

  it.each(CALLS)(
    "$operation is asked as the SDK asks, of whatever id",
    async ({ operation, ours, theirs }) => {
      const recorder = await startRecorder();
      const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
      for (const id of ODD) {
        await settled(ours(session, id));
        await settled(theirs(session, id));
        const [own, whole, ...more] = recorder.requests.splice(0);
        expect(own?.method).toBe(OPERATIONS[operation].method);
        expect(own).toEqual(whole);
        expect(more).toEqual([]);
      }
    },
  );

  it.each(INPUTS)("CountTokens of %s is asked as the SDK asks", async (_, input) => {
    const recorder = await startRecorder();
    const session = await open({ ...KEYS, AWS_BEARER_TOKEN_BEDROCK: "key", AWS_ENDPOINT_URL: recorder.url });
    const { messages, system, toolConfig, additionalModelRequestFields } = input;
    const converse = { messages, system, toolConfig, additionalModelRequestFields };
    await settled(callBedrock(session, "CountTokens", { modelId: MODEL, input: { converse } }));
    const command = new data.CountTokensCommand({ modelId: MODEL, input: { converse } });
    await settled(withVersion(await sdkBedrockRuntime(session)).send(command));
    expect(recorder.requests).toHaveLength(2);
    expect(recorder.requests[0]).toEqual(recorder.requests[1]);
  });

  /** The body of InvokeModel's answer is the model's own, which the SDK hands on in bytes. */
  const READ = CALLS.filter(({ operation }) => !operation.startsWith("InvokeModel"));

  it.each(READ)("$operation reads an answer as the SDK does", async ({ ours, theirs }) => {
    const summary = { modelArn: "arn:a", modelName: null };
    const answer = {
      agreementAvailability: { status: "AVAILABLE", errorMessage: null },
      authorizationStatus: null,
      inputTokens: 12,
      models: [{ modelArn: "arn:b" }, { modelArn: null }],
      fallbackModel: { modelArn: "arn:c" },
      status: "Active",
      ...summary,
    };
    const recorder = await startRecorder({ status: 200, body: JSON.stringify(answer) });
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    const [own, whole] = [await ours(session, "x"), await theirs(session, "x")];
    const { $metadata: _, ...expected } = whole as Record<string, unknown>;
    const known = Object.fromEntries(
      Object.keys(expected).map((name) => [name, (own as Record<string, unknown>)[name]]),
    );
    expect(known).toEqual(expected);
  });

  it.each([
    { status: 200, headers: { "x-amzn-requestid": "0-1-2" }, body: "<html>Welcome</html>" },
    { status: 200, body: '{"status":' },
  ])("that is answered $status with $body fails as with the SDK", async (answer) => {
    const recorder = await startRecorder({ ...answer, headers: answer.headers ?? {} });
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    // Of an answer without members the SDK reads nothing, and takes a log-in page for AWS's yes.
    const unread = new Set(["PutUseCaseForModelAccess", "StopModelInvocationJob"]);
    const read = READ.filter(({ operation }) => !unread.has(operation));
    await expect(callBedrock(session, "PutUseCaseForModelAccess", { formData: bytes })).rejects.toThrow();
    await expect(callBedrock(session, "StopModelInvocationJob", { jobIdentifier: "x" })).rejects.toThrow();
    for (const { ours, theirs } of read) {
      const [own, whole] = [
        await settled(ours(session, "x")),
        await settled(theirs(session, "x")),
      ] as Error[];
      expect([own?.name, answeredBy(own)]).toEqual([whole?.name, answeredBy(whole)]);
    }
  });

  it.each(["", "null", "[]", '"text"', "7"])("that is answered %j says nothing", async (body) => {
    const recorder = await startRecorder({ status: 200, body });
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url });
    expect(await callBedrock(session, "GetCustomModel", { modelIdentifier: "x" })).toEqual({});
  });
});

function answeredBy(failure: object | undefined): unknown[] {
  const { $response, $metadata } = failure as Partial<data.BedrockRuntimeServiceException>;
  return [$response?.statusCode, $metadata?.requestId];
}

describe("an error", () => {
  const body = JSON.stringify({ message: "That went wrong." });
  const named = (name: string, status: number): Answer => ({
    status,
    headers: { "x-amzn-errortype": name, "x-amzn-requestid": "0-1-2" },
    body,
  });
  const modelled = Object.keys({ ...control, ...data }).filter((name) => /(?<!Service)Exception$/.test(name));
  const ANSWERS: readonly Answer[] = [
    ...modelled.flatMap((name) => [named(name, 400), named(name, 503)]),
    named("ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/", 429),
    named("com.amazon.bedrock#AccessDeniedException", 403),
    named("ExpiredTokenException", 403),
    named("SomethingNew", 418),
    { status: 403, body: '{"Message":"User is not authorized","__type":"com.amazon#AccessDeniedException"}' },
    { status: 400, body: '{"code":"ValidationException","message":null,"Message":"Both"}' },
    { status: 400, body: '{"message":""}' },
    { status: 500, headers: { "x-amz-request-id": "other" }, body: "" },
    { status: 502, body: "null" },
    { status: 429, headers: { "retry-after": "1" }, body: "[1]" },
    { status: 307, headers: { location: "https://elsewhere.example/" }, body: "" },
  ];

  it.each(ANSWERS)("$status $headers $body is what the SDK makes of it", async (answer) => {
    const [ours, theirs] = await failWith(answer);
    expect(ours.message).toBe(theirs.message);
    expect(describeError(ours)).toEqual(describeError(theirs));
  });

  it.each([
    { status: 502, headers: { "content-type": "text/html" }, body: "<html>Bad Gateway</html>" },
    { status: 403, body: '{"message":"cut of' },
    { status: 500, headers: { "x-amzn-requestid": "0-1-2" }, body: "\u0000" },
  ])("that is not JSON, $body, is one of reading it, as the SDK's", async (answer) => {
    const [ours, theirs] = await failWith(answer);
    expect(ours.name).toBe("SyntaxError");
    expect(describeError(ours)).toEqual(describeError(theirs));
  });

  it.each([named("ThrottlingException", 429), named("ModelNotReadyException", 429), { status: 503, body }])(
    "$status $headers is tried again as often as by the SDK",
    async (answer) => {
      const recorder = await startRecorder(answer);
      const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url, AWS_MAX_ATTEMPTS: "2" });
      const client = await session.rest("bedrock");
      await settled(client.send(LIST, () => Promise.resolve(), new AbortController().signal));
      expect(recorder.requests).toHaveLength(2);
      await settled((await theirControl(session)).send(new control.ListFoundationModelsCommand({})));
      const [ours, theirs] = [recorder.requests.slice(0, 2), recorder.requests.slice(2)];
      expect(ours).toEqual(theirs);
    },
  );

  it("to a body of megabytes is an answer to the whole of it, at each attempt", async () => {
    const recorder = await startRecorder(named("ThrottlingException", 429));
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url, AWS_MAX_ATTEMPTS: "2" });
    const messages = [user([{ text: "a".repeat(3_000_000) }])];
    await ourStream(session, { modelId: MODEL, messages });
    await theirStream(session, { modelId: MODEL, messages });
    expect(recorder.requests).toHaveLength(4);
    const [ours, theirs] = [recorder.requests.slice(0, 2), recorder.requests.slice(2)];
    expect(ours.map(({ body: sent }) => sent.length)).toEqual(theirs.map(({ body: sent }) => sent.length));
    expect(ours.map(({ headers }) => headers)).toEqual(theirs.map(({ headers }) => headers));
  });

  it("that tells of a wrong clock here corrects it, as the SDK does", async () => {
    const recorder = await startRecorder({
      ...named("InvalidSignatureException", 403),
      headers: {
        "x-amzn-errortype": "InvalidSignatureException",
        date: new Date(Date.UTC(2026, 10, 25, 13)).toUTCString(),
      },
    });
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url, AWS_MAX_ATTEMPTS: "2" });
    await settled(listModels(session));
    expect(
      recorder.requests.map(({ headers }) => headers.find(([name]) => name === "x-amz-date")?.[1]),
    ).toEqual(["20261125T120000Z", "20261125T130000Z"]);
  });

  const LIST = toCall("ListFoundationModels", {});

  /** What both clients throw when everything is answered like this. */
  async function failWith(answer: Answer): Promise<[Error, Error]> {
    const recorder = await startRecorder(answer);
    const session = await open({ ...KEYS, AWS_ENDPOINT_URL: recorder.url, AWS_MAX_ATTEMPTS: "1" });
    const client = await session.rest("bedrock-runtime");
    const signal = new AbortController().signal;
    const ours = await settled(client.send(LIST, () => Promise.resolve(), signal));
    const theirs = await theirStream(session, { modelId: MODEL, messages: hi });
    expect(ours).toBeInstanceOf(Error);
    return [ours as Error, theirs as Error];
  }

  function describeError(error: Error & Partial<data.BedrockRuntimeServiceException>): object {
    const { name, $metadata, $response } = error;
    const { httpStatusCode, requestId } = $metadata ?? {};
    return {
      name,
      httpStatusCode,
      requestId,
      answered: [$response?.statusCode, $response?.headers],
      kind: [isThrottlingError, isTransientError, isServerError].map((is) => is(error as never)),
    };
  }
});
