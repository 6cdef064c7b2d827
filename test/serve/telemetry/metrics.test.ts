import { writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import OpenAI from "openai";
import parse from "parse-prometheus-text-format";
import { describe, expect, it, onTestFinished } from "vitest";
import { emulate } from "../../helpers/emulated.ts";
import { keyLine } from "../../helpers/key-line.ts";
import { gate, MODEL, serve, serveEmulated } from "../../helpers/served.ts";

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "x" }] };

interface Family {
  name: string;
  type: string;
  metrics: { labels?: Record<string, string>; value?: string; count?: string }[];
}

async function scrape(origin: string, headers: Record<string, string> = {}): Promise<Family[]> {
  const response = await fetch(`${origin}/metrics`, { headers });
  expect(response.status).toBe(200);
  return parse(await response.text()) as Family[];
}

/** The values of a metric by what its labels say. */
function valuesOf(families: readonly Family[], name: string): [Record<string, string>, number][] {
  const { metrics } = families.find((family) => family.name === name) ?? { metrics: [] };
  return metrics.map(({ labels = {}, value, count }) => [labels, Number(value ?? count)]);
}

const sumOf = (families: readonly Family[], name: string): number =>
  valuesOf(families, name).reduce((sum, [, value]) => sum + value, 0);

const messages = [{ role: "user", content: "x" }];
const CONVERSE = { messages: [{ role: "user", content: [{ text: "x" }] }] };

/** A request of each dialect, and its route where that is not its path. */
const ASKINGS: readonly [dialect: string, path: string, body: object, route?: string][] = [
  ["chat-completions", "/v1/chat/completions", { model: MODEL, messages }],
  ["chat-completions", "/v1/chat/completions", { model: MODEL, messages, stream: true }],
  ["responses", "/v1/responses", { model: MODEL, input: "x" }],
  ["responses", "/v1/responses", { model: MODEL, input: "x", stream: true }],
  ["messages", "/v1/messages", { model: MODEL, messages, max_tokens: 100 }],
  ["messages", "/v1/messages", { model: MODEL, messages, max_tokens: 100, stream: true }],
  ["bedrock", `/model/${encodeURIComponent(MODEL)}/converse`, CONVERSE, "/model/:id/converse"],
  ["bedrock", `/model/${encodeURIComponent(MODEL)}/converse-stream`, CONVERSE, "/model/:id/converse-stream"],
];

/** A collector of traces, and the names of the spans that it has got. */
async function collector(): Promise<{ url: string; spans: () => string[] }> {
  const bodies: string[] = [];
  const server = createServer((asked, answer) => {
    let body = "";
    asked.setEncoding("utf8").on("data", (text: string) => (body += text));
    asked.on("end", () => {
      bodies.push(body);
      answer.end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    spans: () =>
      bodies.flatMap((body) =>
        [...body.matchAll(/"spanId":"[^"]*",.*?"name":"([^"]*)"/g)].map(([, name = ""]) => name),
      ),
  };
}

describe("/metrics", () => {
  it("tells requests, tokens, cost and times by dialect, model, key, region and status", async () => {
    const { client, origin, logged } = await serve({
      env: { OPENCLAW_SERVE_API_KEY: "key-of-the-environment" },
    });
    const known = new OpenAI({ baseURL: client.baseURL, apiKey: "key-of-the-environment", maxRetries: 0 });
    const whole = await known.chat.completions.create(ask);
    const stream = await known.chat.completions.create({ ...ask, stream: true });
    for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
    await logged(({ isStreamed }) => isStreamed === true);
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 401 });
    const headers = { authorization: "Bearer key-of-the-environment" };
    const text = await (await fetch(`${origin}/metrics`, { headers })).text();
    const families = parse(text) as Family[];
    const who = { dialect: "chat-completions", region: "us-east-1", model: MODEL, key: "env" };
    expect(valuesOf(families, "openclaw_requests_total")).toEqual([
      [{ ...who, status: "200" }, 2],
      [{ dialect: "chat-completions", region: "", model: "", key: "", status: "401" }, 1],
    ]);
    expect(valuesOf(families, "openclaw_refusals_total")).toEqual([
      [{ dialect: "chat-completions", region: "", model: "", code: "invalid-api-key", key: "" }, 1],
    ]);
    const { prompt_tokens: input = 0, completion_tokens: output = 0 } = whole.usage ?? {};
    expect(input).toBeGreaterThan(0);
    expect(valuesOf(families, "openclaw_tokens_total")).toEqual([
      [{ ...who, type: "input" }, 2 * input],
      [{ ...who, type: "output" }, 2 * output],
      [{ ...who, type: "cache_read" }, 0],
      [{ ...who, type: "cache_write" }, 0],
    ]);
    const [[labels, cost] = [{}, 0]] = valuesOf(families, "openclaw_cost_usd_total");
    expect(labels).toEqual(who);
    expect(cost).toBeGreaterThan(0);
    for (const [name, count] of [
      ["openclaw_request_duration_seconds", 2],
      ["openclaw_time_to_first_token_seconds", 2],
      ["openclaw_time_per_output_token_seconds", 1],
    ] as const) {
      expect(families.find((family) => family.name === name)?.type).toBe("HISTOGRAM");
      // The parser puts the labels of a histogram away.
      expect(text).toContain(
        `\n${name}_count{dialect="chat-completions",region="us-east-1",model="${MODEL}",key="env"} ${count}\n`,
      );
    }
    const single = (name: string): number => valuesOf(families, name)[0]?.[1] ?? Number.NaN;
    expect(single("process_resident_memory_bytes")).toBeGreaterThan(30e6);
    expect(single("nodejs_heap_size_used_bytes")).toBeGreaterThan(5e6);
    expect(single("process_cpu_seconds_total")).toBeGreaterThan(0);
    // It is this process or one that this one has started.
    const startedAt = single("process_start_time_seconds");
    expect(startedAt).toBeGreaterThan(performance.timeOrigin / 1000 - 5);
    expect(startedAt).toBeLessThan(Date.now() / 1000 + 5);
    expect(single("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
    expect(single("openclaw_answers_in_flight")).toBe(0);
  });

  it.each(ASKINGS)("counts and traces %s at %s: %j", async (dialect, path, body, route) => {
    const { url, spans } = await collector();
    const { origin, end } = await serve({
      env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${origin}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    const families = await scrape(origin);
    const who = { dialect, region: "us-east-1", model: MODEL, key: "" };
    expect(valuesOf(families, "openclaw_requests_total")).toEqual([[{ ...who, status: "200" }, 1]]);
    const tokens = valuesOf(families, "openclaw_tokens_total").filter(([, count]) => count > 0);
    expect(tokens.map(([labels]) => labels)).toEqual([
      { ...who, type: "input" },
      { ...who, type: "output" },
    ]);
    await end();
    expect(spans()).toEqual([`POST ${route ?? path}`, `chat ${MODEL}`]);
  });

  it("counts what is running", async () => {
    const { opened, open } = gate();
    const { client, origin } = await serve({
      emulator: {
        script: ({ route }) => (route === "ConverseStream" ? { pass: true, after: opened } : undefined),
      },
    });
    const answered = client.chat.completions.create(ask);
    for (;;) {
      const families = await scrape(origin);
      if (sumOf(families, "openclaw_answers_in_flight") === 1) break;
    }
    open();
    await answered;
    expect(sumOf(await scrape(origin), "openclaw_answers_in_flight")).toBe(0);
  });

  it("counts what waits for room below a quota, and for how long", async () => {
    const { client, origin } = await serve({ args: ["--rpm", "1", "--pace-wait", "60"] });
    await client.chat.completions.create(ask);
    const leaving = new AbortController();
    const waiting = client.chat.completions.create(ask, { signal: leaving.signal }).catch(String);
    while (sumOf(await scrape(origin), "openclaw_queue_length") !== 1);
    leaving.abort();
    await waiting;
    while (sumOf(await scrape(origin), "openclaw_queue_length") !== 0);
    const text = await (await fetch(`${origin}/metrics`)).text();
    expect(text).toMatch(new RegExp(`\nopenclaw_queue_wait_seconds_count{.*model="${MODEL}",key=""} [12]\n`));
  });

  it("tells every metric of requests by whose and where it was, also of what waits and of what waited in vain", async () => {
    const { opened, open } = gate();
    const { emulator, origin, logged } = await serve({
      args: ["--tpm", "1000", "--pace-wait", "0.2"],
      env: { OPENCLAW_SERVE_API_KEY: "key-of-the-environment" },
      emulator: {
        script: ({ route }) => (route === "ConverseStream" ? { pass: true, after: opened } : undefined),
      },
    });
    const headers = { "x-api-key": "key-of-the-environment", "content-type": "application/json" };
    const post = (more: object): Promise<Response> =>
      fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers,
        body: JSON.stringify({ ...ask, stream: true, max_tokens: 900, ...more }),
      });
    const running = post({});
    await expect.poll(() => emulator.calls.some(({ route }) => route === "ConverseStream")).toBe(true);
    const inVain = post({});
    await expect.poll(async () => sumOf(await scrape(origin, headers), "openclaw_queue_length")).toBe(1);
    const midway = await (await fetch(`${origin}/metrics`, { headers })).text();
    expect((await inVain).status).toBe(429);
    open();
    await (await running).text();
    await logged(({ status, path: asked }) => status === 200 && asked === "/v1/chat/completions");
    const text = midway + (await (await fetch(`${origin}/metrics`, { headers })).text());
    const who = [`dialect="chat-completions"`, `region="us-east-1"`, `model="${MODEL}"`, `key="env"`];
    for (const name of [
      "requests_total",
      "refusals_total",
      "tokens_total",
      "cost_usd_total",
      "request_duration_seconds_count",
      "time_to_first_token_seconds_count",
      "time_per_output_token_seconds_count",
      "queue_wait_seconds_count",
      "requests_in_flight",
      "answers_in_flight",
      "queue_length",
    ]) {
      const lines = text.split("\n").filter((line) => line.startsWith(`openclaw_${name}{`));
      const told = lines.filter((line) => !line.endsWith(" 0") && who.every((label) => line.includes(label)));
      expect([name, told.length > 0]).toEqual([name, true]);
    }
    // Nobody waits without a region.
    expect(text).not.toMatch(/openclaw_queue_wait_seconds_count\{[^}]*region=""/);
  });

  it("has no series of a client's making, whatever it sends", async () => {
    const { client, origin, emulator } = await serve();
    emulator.calls.length = 0;
    const names = [
      "gpt-9000",
      'x"} 1\nfake_total{a="b',
      `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.nope`,
    ];
    for (const model of names) {
      const asked = client.chat.completions.create({ ...ask, model });
      await expect(asked).rejects.toMatchObject({ status: expect.any(Number) as number });
    }
    for (const other of ["/nope/1", "/nope/2", "/v1/nope"]) await fetch(`${origin}${other}`);
    await fetch(`${origin}/v1/chat/completions`, { method: "PROPFIND" });
    const text = await (await fetch(`${origin}/metrics`)).text();
    for (const made of ["gpt-9000", "fake_total", "us.nope", "/nope", "PROPFIND"])
      expect(text).not.toContain(made);
    const requests = valuesOf(parse(text) as Family[], "openclaw_requests_total");
    expect(new Set(requests.map(([{ model }]) => model))).toEqual(new Set(["other", ""]));
  });

  it("names the model that failed, where it is one of the list", async () => {
    const { client, origin } = await serve({
      emulator: {
        script: ({ route }) =>
          route === "ConverseStream"
            ? { error: { name: "ThrottlingException", message: "Too many requests", status: 429 } }
            : undefined,
      },
    });
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 429 });
    const families = await scrape(origin);
    expect(valuesOf(families, "openclaw_requests_total")).toEqual([
      [{ dialect: "chat-completions", region: "us-east-1", model: MODEL, key: "", status: "429" }, 1],
    ]);
    expect(valuesOf(families, "openclaw_refusals_total")[0]?.[0]).toMatchObject({ code: "throttled" });
  });

  it("names the model that a key may not ask, or not yet, where it is one of the list", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "keys");
    const lines = [
      keyLine("others", "key-of-others", { models: ["meta.*"] }),
      keyLine("slow", "key-of-slow", { rpm: 1 }),
    ];
    writeFileSync(file, lines.join(""), { mode: 0o600 });
    const { origin } = await serveEmulated(emulated, { args: ["--api-key-file", file] });
    const post = async (key: string, route: string, body: object): Promise<number> => {
      const response = await fetch(origin + route, {
        method: "POST",
        headers: { "x-api-key": `key-of-${key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      await response.text();
      return response.status;
    };
    const count = { model: MODEL, messages: ask.messages };
    expect(await post("others", "/v1/chat/completions", ask)).toBe(403);
    expect(await post("slow", "/v1/chat/completions", ask)).toBe(200);
    expect(await post("slow", "/v1/chat/completions", ask)).toBe(429);
    expect(await post("slow", "/v1/messages/count_tokens", count)).toBe(200);
    const families = await scrape(origin, { "x-api-key": "key-of-slow" });
    expect(
      valuesOf(families, "openclaw_requests_total").map(([{ model, status }]) => [model, status]),
    ).toEqual(["403", "200", "429", "200"].map((status) => [MODEL, status]));
    const codes = valuesOf(families, "openclaw_refusals_total").map(([{ code }]) => code);
    expect(codes).toEqual(["access-denied", "throttled"]);
  });

  it("spells every code as the table of errors does", async () => {
    const { origin } = await serve();
    for (const [method, route] of [
      ["GET", "/nope"],
      ["GET", "/v1/responses/resp_1"],
      ["DELETE", "/v1/models"],
      ["POST", "/v1/chat/completions"],
    ] as const)
      await fetch(origin + route, { method });
    const codes = valuesOf(await scrape(origin), "openclaw_refusals_total").map(([{ code }]) => code);
    expect(codes).toEqual([
      "unknown-url",
      "response-not-found",
      "method-not-allowed",
      expect.stringMatching(/^[a-z-]+$/),
    ]);
  });

  it("needs a key where the server does, and is told without one on a port of its own", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, "keys");
    writeFileSync(file, "team-a:key-of-team-a\n", { mode: 0o600 });
    const keyed = await serveEmulated(emulated, { args: ["--api-key-file", file] });
    expect((await fetch(`${keyed.origin}/metrics`)).status).toBe(401);
    await scrape(keyed.origin, { authorization: "Bearer key-of-team-a" });
    expect((await fetch(`${keyed.origin}/metrics`, { method: "POST" })).status).toBe(405);

    const apart = await serveEmulated(emulated, { args: ["--api-key-file", file, "--metrics-port", "0"] });
    const own = new URL(apart.announced.metricsUrl).origin;
    expect(own).not.toBe(apart.origin);
    const asTeam = { authorization: "Bearer key-of-team-a" };
    expect((await fetch(`${apart.origin}/metrics`, { headers: asTeam })).status).toBe(404);
    expect((await fetch(`${own}/metrics`, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(`${own}/v1/models`, { headers: asTeam })).status).toBe(404);
    expect((await fetch(`${own}/metrics`, { method: "DELETE" })).status).toBe(405);
    const socket = connect(Number(new URL(own).port), "127.0.0.1");
    socket.end("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 405 .*\r\nallow: GET, HEAD\r\n/s);
    const families = await scrape(own);
    expect(
      valuesOf(families, "openclaw_requests_total").map(([{ status }, value]) => [status, value]),
    ).toEqual([["404", 1]]);
    // A page in a browser that lets its own name point here.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${own}/metrics`, { headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it("ends with a usage error where its port is taken", async () => {
    const { origin, run } = await serve();
    const { code, stderr } = await run(["serve", "--port", "0", "--metrics-port", new URL(origin).port]);
    expect(code).toBe(2);
    expect(stderr).toContain("--metrics-port 0");
  });

  it("is told while running answers are finished", async () => {
    const { opened, open } = gate();
    const { client, origin, child, logged } = await serve({
      emulator: {
        script: ({ route }) => (route === "ConverseStream" ? { pass: true, after: opened } : undefined),
      },
    });
    const answered = client.chat.completions.create(ask);
    while (sumOf(await scrape(origin), "openclaw_answers_in_flight") !== 1);
    child.kill("SIGTERM");
    await logged(({ message }) => message?.startsWith("Ending:") === true);
    expect(sumOf(await scrape(origin), "openclaw_answers_in_flight")).toBe(1);
    open();
    await answered;
  });
});
