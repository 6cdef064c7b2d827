import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { encodeEvent, EVENT_STREAM_TYPE } from "../../src/aws/event-stream.ts";
import { parseExactly } from "../../src/json-numbers.ts";
import { NUMBER } from "../helpers/json-numbers.ts";
import { blockOf, ended, messageEvents, started } from "../helpers/messages-events.ts";
import { chunk, events } from "../helpers/openai-server.ts";
import { streamed } from "../helpers/responses-events.ts";
import { serve, type Served } from "../helpers/served.ts";

/** What reached the models, as it came, and what their calls have for input: JSON to the letter. */
interface Models {
  url: string;
  bodies: string[];
  called: string;
}

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const LLAMA = "meta.llama3-8b-instruct-v1:0";

/** How a model calls the tool, by what the path ends with. */
const ANSWERS: Readonly<Record<string, (input: string) => readonly (string | Buffer)[]>> = {
  "/converse-stream": (input) => [
    encodeEvent("messageStart", { role: "assistant" }),
    encodeEvent("contentBlockStart", {
      contentBlockIndex: 0,
      start: { toolUse: { toolUseId: "call_1", name: "find" } },
    }),
    encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input } } }),
    encodeEvent("contentBlockStop", { contentBlockIndex: 0 }),
    encodeEvent("messageStop", {
      stopReason: "tool_use",
      additionalModelResponseFields: { own: parseExactly(input) },
    }),
    encodeEvent("metadata", {
      usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
      metrics: { latencyMs: 1 },
    }),
  ],
  "/invoke": (input) => [`{"generation":"hi","own":${input}}`],
  "/chat/completions": (input) => {
    const call = { index: 0, id: "call_1", type: "function", function: { name: "find", arguments: input } };
    return events(chunk({ role: "assistant", tool_calls: [call] }), chunk({}, "tool_calls"), "[DONE]");
  },
  "/messages": (input) => {
    const call = { type: "tool_use", id: "call_1", name: "find", input: {} };
    const delta = { type: "input_json_delta", partial_json: input };
    return messageEvents(started(), ...blockOf(0, call, delta), ...ended("tool_use"));
  },
  "/responses": (input) => {
    const call = { type: "function_call", id: "fc_1", call_id: "call_1", name: "find", arguments: input };
    return events(...streamed([call], {}, 1000));
  },
};

async function models(): Promise<Models> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { pathname } = new URL(request.url ?? "", "http://localhost");
      known.bodies.push(Buffer.concat(pieces).toString());
      const [, answer] = Object.entries(ANSWERS).find(([end]) => pathname.endsWith(end)) ?? [];
      const type = pathname.endsWith("-stream")
        ? EVENT_STREAM_TYPE
        : pathname.endsWith("/invoke")
          ? "application/json"
          : "text/event-stream";
      response.writeHead(answer ? 200 : 404, { "content-type": type });
      for (const piece of answer?.(known.called) ?? []) response.write(piece);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const known: Models = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies: [],
    called: "{}",
  };
  return known;
}

async function start(): Promise<Served & { models: Models }> {
  const known = await models();
  const providers = Object.fromEntries(
    ["openai-completions", "openai-responses", "anthropic-messages"].map((api) => [
      api,
      { baseUrl: `${known.url}/v1`, api, models: [{ id: "m" }] },
    ]),
  );
  const served = await serve({
    env: { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: known.url },
    config: JSON.stringify({ models: { providers } }),
  });
  return { ...served, models: known };
}

async function post({ origin }: Served, path: string, body: string): Promise<string> {
  const response = await fetch(`${origin}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
    body,
  });
  const text = Buffer.from(await response.arrayBuffer())
    .toString("latin1")
    .replaceAll(/"bytes":"([^"]+)"/g, (_, bytes: string) => Buffer.from(bytes, "base64").toString("latin1"));
  expect({ status: response.status, text }).toMatchObject({ status: 200 });
  return text;
}

const WIRES: Readonly<Record<string, string>> = {
  Converse: CLAUDE,
  "chat completions": "openai-completions/m",
  Responses: "openai-responses/m",
  Messages: "anthropic-messages/m",
};

/** A conversation in which the tool was called with an input and has a schema, both JSON to the letter. */
type Asking = (
  model: string,
  input: string,
  schema: string,
  isStreamed: boolean,
) => [path: string, body: string];

const DIALECTS = {
  "chat completions": (model, input, schema, stream) => [
    "/v1/chat/completions",
    `{"model":"${model}","stream":${stream},"temperature":1.0,"messages":[{"role":"user","content":"hi"},` +
      `{"role":"assistant","tool_calls":[{"id":"call_0","type":"function","function":{"name":"find","arguments":${JSON.stringify(input)}}}]},` +
      `{"role":"tool","tool_call_id":"call_0","content":"ok"}],` +
      `"tools":[{"type":"function","function":{"name":"find","parameters":${schema}}}]}`,
  ],
  Responses: (model, input, schema, stream) => [
    "/v1/responses",
    `{"model":"${model}","stream":${stream},"store":false,"temperature":1.0,"input":[{"role":"user","content":"hi"},` +
      `{"type":"function_call","call_id":"call_0","name":"find","arguments":${JSON.stringify(input)}},` +
      `{"type":"function_call_output","call_id":"call_0","output":"ok"}],` +
      `"tools":[{"type":"function","name":"find","strict":false,"parameters":${schema}}]}`,
  ],
  Messages: (model, input, schema, stream) => [
    "/v1/messages",
    `{"model":"${model}","stream":${stream},"max_tokens":1e2,"temperature":1.0,"messages":[{"role":"user","content":"hi"},` +
      `{"role":"assistant","content":[{"type":"tool_use","id":"call_0","name":"find","input":${input}}]},` +
      `{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_0","content":"ok"}]}],` +
      `"tools":[{"name":"find","input_schema":${schema}}]}`,
  ],
  Converse: (model, input, schema, stream) => [
    `/model/${encodeURIComponent(model)}/converse${stream ? "-stream" : ""}`,
    `{"inferenceConfig":{"maxTokens":1e2,"temperature":1.0},"messages":[{"role":"user","content":[{"text":"hi"}]},` +
      `{"role":"assistant","content":[{"toolUse":{"toolUseId":"call_0","name":"find","input":${input}}}]},` +
      `{"role":"user","content":[{"toolResult":{"toolUseId":"call_0","content":[{"json":${input}}]}}]}],` +
      `"toolConfig":{"tools":[{"toolSpec":{"name":"find","inputSchema":{"json":${schema}}}}]}}`,
  ],
} satisfies Record<string, Asking>;

/** The same in a body of InvokeModel. */
const invoked =
  (ask: Asking, more: string): Asking =>
  (model, input, schema, isStreamed) => {
    const [, body] = ask(model, input, schema, isStreamed);
    const route = isStreamed ? "invoke-with-response-stream" : "invoke";
    return [
      `/model/${encodeURIComponent(model)}/${route}`,
      body.replace(/^\{(?:"model":"[^"]*","stream":\w+,)?/, `{${more},`),
    ];
  };
const ALL: Readonly<Record<string, Asking>> = {
  ...DIALECTS,
  "a body of Claude's": invoked(DIALECTS.Messages, '"anthropic_version":"bedrock-2023-05-31"'),
  "a body of Nova's": invoked(DIALECTS.Converse, '"schemaVersion":"messages-v1"'),
};

const inputs = fc
  .array(NUMBER, { minLength: 1, maxLength: 4 })
  .map((numbers) => [`{"ids":[${numbers.join(",")}],"of":{"id":${numbers[0] ?? ""}}}`, numbers] as const);

/** Whether a text has JSON in it, as it is or in a text of JSON. */
const holds = (text: string, json: string): boolean =>
  text.includes(json) || text.includes(JSON.stringify(json).slice(1, -1));

describe.each(Object.entries(ALL))("numbers of a client that speaks %s", (_, ask) => {
  it.each(Object.entries(WIRES))(
    "and those of a model behind %s arrive as they were written",
    async (_, model) => {
      const served = await start();
      await fc.assert(
        fc.asyncProperty(inputs, inputs, fc.boolean(), async ([input, numbers], [called], isStreamed) => {
          served.models.called = called;
          const schema = `{"type":"object","properties":{"id":{"enum":[${numbers.join(",")}]}}}`;
          const answer = await post(served, ...ask(model, input, schema, isStreamed));
          const sent = served.models.bodies.at(-1) ?? "";
          expect([sent, holds(sent, input)]).toEqual([sent, true]);
          expect([sent, holds(sent, `"enum":[${numbers.join(",")}]`)]).toEqual([sent, true]);
          expect([answer, holds(answer, called)]).toEqual([answer, true]);
        }),
        { numRuns: 10 },
      );
    },
  );
});

it("are those of the client, too, in fields of the model's own, and in a body of its vendor's", async () => {
  const served = await start();
  const own = '{"seed":12345678901234567890,"bias":-0,"scale":[1.0,1e400]}';
  const spoken = '"messages":[{"role":"user","content":[{"text":"hi"}]}]';
  await post(
    served,
    `/model/${CLAUDE}/converse`,
    `{${spoken},"additionalModelRequestFields":{"own":${own}}}`,
  );
  expect(served.models.bodies.at(-1)).toContain(`"own":${own}`);
  const body = `{"prompt":"hi","temperature":0.50,"own":${own}}`;
  served.models.called = own;
  expect(await post(served, `/model/${LLAMA}/invoke`, body)).toBe(`{"generation":"hi","own":${own}}`);
  expect(served.models.bodies.at(-1)).toBe(body);
});

it.each(["converse", "converse-stream"])(
  "are the model's in the fields of its own that %s hands on",
  async (route) => {
    const served = await start();
    served.models.called = '{"id":12345678901234567890,"scores":[1.0,0.10,-0]}';
    const ask = async (): Promise<string> =>
      post(served, `/model/${CLAUDE}/${route}`, '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}');
    const own = `"additionalModelResponseFields":{"own":${served.models.called}}`;
    expect(await ask()).toContain(own);
    // An event too long to be read at once.
    served.models.called = served.models.called.replace("{", `{"long":"${"x".repeat(300_000)}",`);
    expect(await ask()).toContain(own.slice(-50));
  },
);

it("are kept in a body too long to be read at once", async () => {
  const served = await start();
  const [input, schema] = ['{"id":12345678901234567890}', '{"type":"object","maximum":1.0}'];
  const [path, body] = DIALECTS.Converse(CLAUDE, input, schema, true);
  await post(served, path, body.replace('"hi"', JSON.stringify("é\n".repeat(1_000_000))));
  const sent = served.models.bodies.at(-1) ?? "";
  expect([holds(sent, input), holds(sent, '"maximum":1.0')]).toEqual([true, true]);
});

it("that JavaScript cannot hold are refused where a number is read", async () => {
  const served = await start();
  const refuse = async (tokens: string): Promise<unknown> => {
    const response = await fetch(`${served.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"model":"${CLAUDE}","max_tokens":${tokens},"messages":[{"role":"user","content":"hi"}]}`,
    });
    return [response.status, ((await response.json()) as { error: { message: string } }).error.message];
  };
  expect([await refuse("12345678901234567890"), await refuse("1e400")]).toEqual([
    [400, "'max_tokens' is 12345678901234567890, and must be a whole number of at least 1."],
    [400, "'max_tokens' is 1e400, and must be a number."],
  ]);
});
