import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { gunzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { OtlpExporter } from "../../../src/serve/telemetry/otlp/otlp-exporter.ts";
import { ServeLog } from "../../../src/serve/serve-log.ts";
import { textStep } from "../../helpers/answer-steps.ts";
import { emulate } from "../../helpers/emulated.ts";
import { freePort } from "../../helpers/free-port.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";
import { openaiServer, says } from "../../helpers/openai-server.ts";
import { MODEL, serve } from "../../helpers/served.ts";

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "Nobody may read this." }] };
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

interface Received {
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

interface Collector {
  url: string;
  received: Received[];
  /** Resolves with the first message for which this holds. */
  got(holds: (message: Received) => boolean): Promise<Received>;
}

/** A collector that answers as it is told to. */
async function collector(answer: (response: ServerResponse, nth: number) => void = ok): Promise<Collector> {
  const received: Received[] = [];
  const watchers = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
      answer(response, received.length);
      for (const look of watchers) look();
    });
  });
  return {
    url: await listen(server),
    received,
    got: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = received.find(holds);
          if (found) resolve(found);
        };
        watchers.add(look);
        look();
      }),
  };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function ok(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
}

interface JsonSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number; message?: string };
}

function spansIn({ body }: Received): JsonSpan[] {
  const message = JSON.parse(body.toString()) as {
    resourceSpans: { scopeSpans: { spans: JsonSpan[] }[] }[];
  };
  return message.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

function attributesOf({ attributes }: JsonSpan): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

const isTraces = ({ url }: Received): boolean => url === "/v1/traces";
const isMetrics = ({ url }: Received): boolean => url === "/v1/metrics";

describe("traces and metrics of serve", () => {
  it("go to the collector by the conventions for generative AI, with the trace of the client and on to the model", async () => {
    const { url, got } = await collector();
    const { client, emulator, logged, end } = await serve({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=a%20b",
        OTEL_SERVICE_NAME: "gateway",
      },
    });
    const headers = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "rojo=1" };
    const stream = await client.chat.completions.create({ ...ask, stream: true }, { headers });
    for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
    const line = await logged(({ kind }) => kind === "request");
    expect(await end()).toBe(143);
    const message = await got(isTraces);
    expect(message.headers).toMatchObject({ "content-type": "application/json", "x-tenant": "a b" });
    const [served, asked] = spansIn(message);
    if (!served || !asked) throw new Error("There are not two spans.");
    expect(served).toMatchObject({
      traceId: TRACE,
      parentSpanId: SPAN,
      traceState: "rojo=1",
      name: "POST /v1/chat/completions",
      kind: 2,
      status: {},
    });
    expect(asked).toMatchObject({
      traceId: TRACE,
      parentSpanId: served.spanId,
      traceState: "rojo=1",
      name: `chat ${MODEL}`,
      kind: 3,
      status: {},
    });
    expect(attributesOf(served)).toMatchObject({
      "http.request.method": "POST",
      "http.route": "/v1/chat/completions",
      "http.response.status_code": "200",
      "url.scheme": "http",
    });
    expect(attributesOf(asked)).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "aws.bedrock",
      "gen_ai.request.model": MODEL,
      "gen_ai.response.model": MODEL,
      "gen_ai.request.stream": true,
      "gen_ai.usage.input_tokens": String(line.promptTokens),
      "gen_ai.usage.output_tokens": String(line.completionTokens),
      "gen_ai.response.finish_reasons": { values: [{ stringValue: "stop" }] },
      "aws.request_id": line.requestId,
      "cloud.region": "us-east-1",
      "server.address": "127.0.0.1",
      "server.port": new URL(emulator.url).port,
      "openclaw.cost.usd": line.costUsd,
    });
    const call = emulator.calls.find(({ route }) => route === "ConverseStream");
    expect(call?.headers).toMatchObject({
      traceparent: `00-${TRACE}-${asked.spanId}-01`,
      tracestate: "rojo=1",
    });
    // Who passes calls on may change it, so it is not signed.
    expect(call?.headers["authorization"]).not.toContain("traceparent");
    expect(message.body.toString()).not.toContain("Nobody may read this.");
    const metrics = (await got(isMetrics)).body.toString();
    for (const name of [
      "gen_ai.client.token.usage",
      "gen_ai.client.operation.duration",
      "gen_ai.client.operation.time_to_first_chunk",
      "gen_ai.server.request.duration",
      "gen_ai.server.time_to_first_token",
      "gen_ai.server.time_per_output_token",
    ])
      expect(metrics).toContain(`"name":"${name}"`);
    expect(metrics).toContain(`{"key":"server.port","value":{"intValue":"${new URL(emulator.url).port}"}}`);
    expect(metrics).toContain(`{"key":"service.name","value":{"stringValue":"gateway"}}`);
  });

  it("tell what a model was asked for, by the request and by the configuration", async () => {
    const { url, got } = await collector();
    const { client, end } = await serve({
      config: `{ agents: { defaults: { params: { topP: 0.9 }, models: { "amazon-bedrock/${MODEL}": { params: { maxTokens: 700 } } } } },
        plugins: { entries: { "amazon-bedrock": { config: { guardrail: { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" } } } } } }`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    });
    const asks = { ...ask, temperature: 0, stop: ["END", "x".repeat(5000)], top_k: 5 } as typeof ask;
    await client.chat.completions
      .create({ ...asks, response_format: { type: "json_object" } })
      .catch(() => 0);
    await client.responses.create({ model: MODEL, input: "hi", max_output_tokens: 9, temperature: 0.5 });
    await client.embeddings.create({
      model: "amazon.titan-embed-text-v2:0",
      input: "hi",
      dimensions: 256,
      encoding_format: "base64",
    });
    await end();
    const asked = spansIn(await got(isTraces)).filter(({ kind }) => kind === 3);
    const [chat = {}, response = {}, vectors = {}] = asked.map(attributesOf);
    expect(chat).toMatchObject({
      "gen_ai.request.max_tokens": "700",
      "gen_ai.request.temperature": 0,
      "gen_ai.request.top_p": 0.9,
      "gen_ai.request.top_k": 5,
      "gen_ai.request.stop_sequences": { values: [{ stringValue: "END" }, {}] },
      "gen_ai.output.type": "json",
      "aws.bedrock.guardrail.id": "abcd1234efgh",
    });
    expect(JSON.stringify(chat).length).toBeLessThan(3000);
    expect(response).toMatchObject({ "gen_ai.request.max_tokens": "9", "gen_ai.request.temperature": 0.5 });
    expect(response).not.toHaveProperty("gen_ai.output.type");
    expect(vectors).toMatchObject({
      "gen_ai.operation.name": "embeddings",
      "gen_ai.embeddings.dimension.count": "256",
      "gen_ai.request.encoding_formats": { values: [{ stringValue: "base64" }] },
    });
    expect(vectors).not.toHaveProperty("gen_ai.request.max_tokens");
  });

  it("time the tokens of no answer that breaks off", async () => {
    const { url, got } = await collector();
    const { client, end } = await serve({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
      emulator: { script: () => ({ stream: [textStep("Hello"), { end: "close" }] }) },
    });
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    const read = async (): Promise<void> => {
      for await (const { object } of stream) expect(object).toBe("chat.completion.chunk");
    };
    await expect(read()).rejects.toThrow();
    await end();
    const metrics = (await got(isMetrics)).body.toString();
    expect(metrics).toContain("gen_ai.server.request.duration");
    expect(metrics).not.toContain("gen_ai.server.time_to_first_token");
  });

  it("name the provider of a model that is not Amazon Bedrock's, whether it answers or not", async () => {
    const { url, got } = await collector();
    const other = await openaiServer({ chat: () => says("Hello") });
    const down = `http://127.0.0.1:${await freePort()}/v1`;
    const provider = (baseUrl: string): string =>
      `{ baseUrl: "${baseUrl}", api: "openai-completions", models: [{ id: "m" }] }`;
    const { client, end } = await serve({
      config: `{ models: { providers: { own: ${provider(other.baseUrl)}, down: ${provider(down)} } } }`,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        AWS_MAX_ATTEMPTS: "1",
      },
    });
    await client.chat.completions.create({ ...ask, model: "own/m" });
    await client.chat.completions.create({ ...ask, model: "down/m" }).catch(() => undefined);
    await client.chat.completions.create(ask);
    expect(await end()).toBe(143);
    const asked = spansIn(await got(isTraces)).filter(({ kind }) => kind === 3);
    expect(asked.map(attributesOf)).toMatchObject([
      { "gen_ai.provider.name": "own", "server.port": new URL(other.baseUrl).port },
      { "gen_ai.provider.name": "down", "server.port": new URL(down).port, "error.type": "network" },
      { "gen_ai.provider.name": "aws.bedrock" },
    ]);
    expect((await got(isMetrics)).body.toString()).toContain(
      `{"key":"gen_ai.provider.name","value":{"stringValue":"own"}}`,
    );
  });

  it("are protocol buffers unless another protocol is asked for, and packed where that is asked for", async () => {
    const { url, got } = await collector();
    const { client, end } = await serve({
      env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/here`, OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" },
    });
    await client.chat.completions.create(ask);
    await end();
    const { headers, body } = await got(({ url }) => url === "/here");
    expect(headers).toMatchObject({ "content-type": "application/x-protobuf", "content-encoding": "gzip" });
    expect(gunzipSync(body).toString("latin1")).toContain(`chat ${MODEL}`);
  });

  it("tell why an answer failed, and of what a client does wrong that the server is not at fault", async () => {
    const { url, received } = await collector();
    const { client, end } = await serve({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? { error: { name: "ServiceUnavailableException", message: "Busy", status: 503 } }
            : undefined,
      },
    });
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 503 });
    await expect(client.chat.completions.create({ ...ask, n: 2 })).rejects.toMatchObject({ status: 400 });
    await end();
    const [served, asked, refused, ...rest] = received.filter(isTraces).flatMap(spansIn);
    expect(rest).toEqual([]);
    for (const span of [served, asked]) {
      expect(span?.status).toMatchObject({ code: 2, message: expect.any(String) as string });
      expect(span && attributesOf(span)["error.type"]).toBe("service-unavailable");
    }
    expect(refused?.name).toBe("POST /v1/chat/completions");
    expect(refused?.status).toEqual({});
    expect(refused && attributesOf(refused)["http.response.status_code"]).toBe("400");
  });

  it("leave out the traces of which the client says that they are not kept, and hand that on", async () => {
    const { url, received } = await collector();
    const { client, emulator, end } = await serve({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
    await client.chat.completions.create(ask, { headers: { traceparent: `00-${TRACE}-${SPAN}-00` } });
    await end();
    expect(received.filter(isTraces)).toEqual([]);
    expect(received.filter(isMetrics)).toHaveLength(1);
    const call = emulator.calls.find(({ route }) => route === "ConverseStream");
    expect(call?.headers["traceparent"]).toMatch(new RegExp(`^00-${TRACE}-(?!${SPAN})[\\da-f]{16}-00$`));
  });

  it("hand the client's trace on where nothing is traced here, to servers too, and nothing that is none", async () => {
    const other = await openaiServer({ chat: () => says("Hello") });
    const { client, emulator } = await serve({
      config: `{ models: { providers: { own: { baseUrl: "${other.baseUrl}", api: "openai-completions", models: [{ id: "m" }] } } } }`,
    });
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    for (const [headers, expected] of [
      [
        { traceparent, tracestate: "a=1" },
        { traceparent, tracestate: "a=1" },
      ],
      [{ traceparent, tracestate: "A=1" }, { traceparent }],
      [{ traceparent: "00-hostile-x-01", tracestate: "a=1" }, {}],
    ] as [Record<string, string>, object][]) {
      emulator.calls.length = 0;
      await client.chat.completions.create(ask, { headers });
      await client.chat.completions.create({ ...ask, model: "own/m" }, { headers });
      for (const call of [
        emulator.calls.find(({ route }) => route === "ConverseStream"),
        other.chats.at(-1),
      ]) {
        const { traceparent: parent, tracestate: state } = call?.headers ?? {};
        expect(JSON.parse(JSON.stringify({ traceparent: parent, tracestate: state }))).toEqual(expected);
      }
    }
  });

  it.each([
    ["is not there", async () => "http://127.0.0.1:9"],
    ["answers with 500", async () => (await collector((response) => response.writeHead(500).end("no"))).url],
    [
      "answers with 429 and a long wait",
      async () =>
        (await collector((response) => response.writeHead(429, { "retry-after": "3600" }).end())).url,
    ],
    [
      "redirects",
      async () =>
        (await collector((response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()))
          .url,
    ],
    ["never answers", async () => (await collector(() => undefined)).url],
    [
      "answers without end",
      async () =>
        (
          await collector((response) => {
            response.writeHead(503);
            setInterval(() => response.write("x".repeat(70_000)), 1).unref();
          })
        ).url,
    ],
    ["is no HTTP", noHttp],
  ])("hurt no request when the collector %s, and say so once", async (_, start) => {
    const url = await start();
    const { client, log, end } = await serve({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_TIMEOUT: "200",
        OTEL_METRIC_EXPORT_INTERVAL: "50",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20s3cret-of-the-collector",
      },
    });
    for (let count = 0; count < 5; count++) await client.chat.completions.create(ask);
    const started = performance.now();
    expect(await end()).toBe(143);
    expect(performance.now() - started).toBeLessThan(2500);
    const notes = log.flatMap(({ kind, message = "" }) => (kind === "note" ? message : []));
    expect(notes.filter((note) => note.includes("/v1/metrics"))).toHaveLength(1);
    expect(notes.filter((note) => note.includes("/v1/traces"))).toHaveLength(1);
    expect(notes).toContain("10 spans were lost.");
    expect(JSON.stringify(log)).not.toContain("s3cret");
    expect(log.filter(({ kind, status }) => kind === "request" && status === 200)).toHaveLength(5);
  });

  it("get there when the collector comes back within some tries", async () => {
    const { url, received, got } = await collector((response, nth) =>
      nth === 1 ? void response.writeHead(503).end() : ok(response),
    );
    const { client, end, log } = await serve({
      env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url, OTEL_METRIC_EXPORT_INTERVAL: "20" },
    });
    await client.chat.completions.create(ask);
    const [first, again] = [
      await got(() => true),
      await got(() => received.length > 1 && received[1] !== undefined),
    ];
    expect(again.body.equals(first.body)).toBe(true);
    await end();
    expect(log.filter(({ kind }) => kind === "note")).toEqual([]);
  });

  // https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
  it.each([
    ["in seconds", () => "3600"],
    ["as a date", () => new Date(Date.now() + 3_600_000).toUTCString()],
  ])("are not sent again to a collector that asks for a long wait %s", async (_, later) => {
    const { url, received } = await collector((response) =>
      response.writeHead(429, { "retry-after": later() }).end(),
    );
    const runtime = testRuntime({ home: "/nowhere", env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url } });
    const exporter = await OtlpExporter.start(runtime, new ServeLog(runtime));
    const entry = { method: "POST", path: "/v1/x", requestId: "req_1", status: 200, durationMs: 1 };
    exporter.take(
      { entry, route: "/v1/x", scheme: "http", startedAt: 0, endedAt: 1 },
      exporter.begin(undefined),
    );
    const started = performance.now();
    await exporter.close(5000);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(received).toHaveLength(1);
  });

  it("are kept to so many, and those beyond are dropped and counted, while the collector does not answer", async () => {
    const { url, received } = await collector(() => undefined);
    const runtime = testRuntime({ home: "/nowhere", env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url } });
    const exporter = await OtlpExporter.start(runtime, new ServeLog(runtime));
    const entry = { method: "POST", path: "/v1/x", requestId: "req_1", status: 200, durationMs: 1 };
    for (let at = 0; at < 5000; at++)
      exporter.take(
        { entry, route: "/v1/x", scheme: "http", startedAt: 0, endedAt: 1 },
        exporter.begin(undefined),
      );
    await exporter.close(100);
    const notes = runtime
      .stderr()
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { message: string }).message);
    expect(notes).toEqual([
      `Spans do not get to ${url}/ (nobody takes them as fast as they come). Requests go on without them.`,
      "5000 spans were lost.",
    ]);
    expect(received).toHaveLength(1);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" }, "OTEL_EXPORTER_OTLP_ENDPOINT is 'collector:4317'"],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'",
    ],
  ])("are refused at the start where %o cannot be used", async (env, message) => {
    const { run } = await emulate();
    const { code, stderr } = await run(["serve", "--port", "0"], { env });
    expect(code).toBe(3);
    expect(stderr).toContain(message);
    // Who turns it all off need not mend it.
    const { code: off } = await run(["serve", "--port", "-1"], {
      env: { ...env, OTEL_SDK_DISABLED: "true" },
    });
    expect(off).toBe(2);
  });
});

/** Something that listens and speaks nothing that anybody knows. */
async function noHttp(): Promise<string> {
  const server = createRawServer((socket) => {
    socket.on("error", () => undefined);
    socket.end("SSH-2.0-x\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
