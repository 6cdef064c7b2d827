import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { CallToolResult, Progress } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it, onTestFinished } from "vitest";
import type { EmulatorOptions } from "../../../src/emulator/emulator.ts";
import { faultScript } from "../../../src/emulator/fault.ts";
import { emulate, type Emulated } from "../../helpers/emulated.ts";
import { binary, emptyEnvironment, nodeBinary, pathWithOpenclaw } from "../../helpers/openclaw.ts";
import { heldAnswer } from "../../helpers/held-answer.ts";
import { MODEL } from "../../helpers/served.ts";

interface McpOptions {
  args?: readonly string[];
  config?: string;
  emulator?: EmulatorOptions;
  env?: Record<string, string | undefined>;
}

interface Connected extends Emulated {
  client: Client;
  call(
    name: string,
    input?: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (progress: Progress) => void },
  ): Promise<CallToolResult>;
  stderr(): string;
}

/** The program as a client of the SDK starts it, in front of an emulator. The client checks results by their schemas. */
async function connect({ args = [], config, emulator, env }: McpOptions = {}): Promise<Connected> {
  const emulated = await emulate(emulator);
  if (config !== undefined) emulated.configure(config);
  const transport = new StdioClientTransport({
    command: nodeBinary,
    args: [binary, "mcp", "serve", ...args],
    env: emptyEnvironment(emulated.home, {
      ...emulated.env,
      AWS_REGION: "us-east-1",
      AWS_MAX_ATTEMPTS: "1",
      ...env,
    }),
    cwd: emulated.home,
    stderr: "pipe",
  });
  let stderr = "";
  transport.stderr?.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  onTestFinished(() => client.close());
  await client.listTools();
  return {
    ...emulated,
    client,
    call: async (name, input = {}, options) =>
      (await client.callTool({ name, arguments: input }, undefined, options)) as CallToolResult,
    stderr: () => stderr,
  };
}

function textOf({ content }: CallToolResult): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

const asks = `{ agents: { defaults: { model: "amazon-bedrock/${MODEL}" } } }`;

it.each([
  ["a folder", "", "r", "it is a folder"],
  ["a file that is open for writing only", "log", "w", "bad file descriptor"],
])("says why it hears nobody where stdin is %s", async (_, name, flags, why) => {
  const { home, env } = await emulate();
  const descriptor = openSync(path.join(home, name), flags);
  const { status, stdout, stderr } = spawnSync(nodeBinary, [binary, "mcp", "serve"], {
    env: emptyEnvironment(home, { ...env, AWS_REGION: "us-east-1" }),
    cwd: home,
    stdio: [descriptor, "pipe", "pipe"],
    encoding: "utf8",
  });
  closeSync(descriptor);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(
    new RegExp(`^error: stdin cannot be read: .*${why}.*\\.\nhint: .*mcp serve --help\n$`, "m"),
  );
});

describe("a program that starts mcp serve", () => {
  it("finds four tools, each with a description and schemas", async () => {
    const { client } = await connect();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["ask-model", "list-models", "embed", "check-access"]);
    for (const { description, inputSchema, outputSchema, annotations } of tools) {
      expect(description).toMatch(/\. /);
      expect([inputSchema.type, outputSchema?.type]).toEqual(["object", "object"]);
      expect(annotations?.destructiveHint).toBe(false);
    }
    const free = tools.filter(({ annotations }) => annotations?.readOnlyHint);
    expect(free.map(({ name }) => name)).toEqual(["list-models", "check-access"]);
    expect(client.getServerVersion()).toMatchObject({ name: "openclaw" });
  });

  it("asks the default model, and finds the call in the ledger", async () => {
    const { call, run, emulator, client } = await connect({ config: asks });
    const answer = await call("ask-model", { prompt: "Say hi.", system: "Be short.", maxTokens: 50 });
    expect(answer).toMatchObject({
      structuredContent: {
        model: MODEL,
        stopReason: "end_turn",
        usage: { outputTokens: expect.any(Number) },
      },
    });
    expect(answer.isError).toBeUndefined();
    expect(textOf(answer)).toContain("Say hi.");
    const { costUsd } = answer.structuredContent as { costUsd: number };
    expect(costUsd).toBeGreaterThan(0);
    const sent = emulator.calls.find(({ route }) => route === "ConverseStream");
    expect(sent?.body).toMatchObject({
      system: [{ text: "Be short." }],
      inferenceConfig: { maxTokens: 50 },
    });
    await client.close();
    const { stdout } = await run(["usage", "--by", "command", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ groups: [{ command: "mcp", calls: 1, usd: costUsd }] });
  });

  it("asks a model by any of its names, and gets a value that fits a schema", async () => {
    const { call, emulator } = await connect({ args: ["--model", "no-such-model"] });
    const schema = { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] };
    const answer = await call("ask-model", { prompt: "x", model: "nova-lite", schema });
    expect(answer.structuredContent).toMatchObject({ model: MODEL, json: { answer: expect.any(String) } });
    expect(JSON.parse(textOf(answer))).toEqual((answer.structuredContent as { json: unknown }).json);
    expect(emulator.calls.filter(({ route }) => route === "ConverseStream")).toHaveLength(1);
  });

  it("is told what a model says while it says it, where it asks", async () => {
    const { emulator, finish } = heldAnswer();
    const { call } = await connect({ config: asks, emulator });
    const told: Progress[] = [];
    const answer = await call(
      "ask-model",
      { prompt: "x" },
      {
        onprogress: (progress) => {
          told.push(progress);
          finish();
        },
      },
    );
    expect(told[0]).toMatchObject({ progress: 1, message: "first " });
    expect(textOf(answer)).toBe("first last");
  });

  it("cancels a call, which ends it at Bedrock", async () => {
    const { emulator, left } = heldAnswer();
    const { call } = await connect({ config: asks, emulator });
    const stop = new AbortController();
    const answer = call(
      "ask-model",
      { prompt: "x" },
      { signal: stop.signal, onprogress: () => stop.abort("not wanted any more") },
    );
    await expect(answer).rejects.toThrow("not wanted any more");
    await left;
    expect(textOf(await call("list-models", { query: "nova lite" }))).toContain(MODEL);
  });

  it("lists models by a part of their name, with ids that the other tools take, and embedders", async () => {
    const { call } = await connect();
    const { structuredContent } = await call("list-models", { query: "claude" });
    const { models, total } = structuredContent as { models: { id: string; price: object }[]; total: number };
    expect(models.length).toBe(total);
    expect(models.every(({ id }) => id.includes("claude"))).toBe(true);
    expect((await call("check-access", { model: models[0]?.id })).isError).toBeUndefined();
    const all = (await call("list-models")).structuredContent as { total: number };
    expect(all.total).toBeGreaterThan(total);
    expect(textOf(await call("list-models", { embeddings: true }))).toContain("titan-embed");
  });

  it("embeds texts, and checks the gates of a model", async () => {
    const { call } = await connect({
      config: `{ agents: { defaults: { embeddingModel: "amazon.titan-embed-text-v2:0" } } }`,
    });
    const { structuredContent } = await call("embed", { texts: ["a", "b"], dimensions: 256 });
    expect(structuredContent).toMatchObject({ model: "amazon.titan-embed-text-v2:0", dimensions: 256 });
    const { embeddings } = structuredContent as { embeddings: number[][] };
    expect(embeddings.map(({ length }) => length)).toEqual([256, 256]);
    const gates = await call("check-access", { model: MODEL });
    expect(gates.structuredContent).toMatchObject({ model: MODEL, callable: true, region: "us-east-1" });
    expect(textOf(gates)).not.toContain("openclaw");
  });

  it.each([
    [
      "a model that nobody knows",
      "ask-model",
      { prompt: "x", model: "nova-lte" },
      /no model 'nova-lte'.*Did you mean/,
    ],
    ["no model", "ask-model", { prompt: "x" }, /'model' is missing.*list-models/],
    ["nothing to ask", "ask-model", { prompt: " \n" }, /'prompt' says nothing/],
    ["no prompt", "ask-model", {}, /'prompt' is missing, and must be a string/],
    [
      "a field that it does not have",
      "ask-model",
      { prompt: "x", temperature: 1 },
      /'temperature' is nothing/,
    ],
    ["tokens that are none", "ask-model", { prompt: "x", maxTokens: 0.5 }, /'maxTokens' is 0\.5/],
    ["a schema that is none", "ask-model", { prompt: "x", model: MODEL, schema: { type: "x" } }, /'schema'/],
    ["no texts", "embed", { texts: [], model: "titan-embed-text-v2" }, /1 to 100/],
    ["too many texts", "embed", { texts: Array.from({ length: 101 }, String) }, /101 texts/],
    ["a model that embeds nothing", "embed", { texts: ["a"], model: MODEL }, /not known to embed/],
    ["a model to check that nobody knows", "check-access", { model: "gpt-99" }, /gpt-99/],
  ] as const)(
    "gets a result that says what is wrong with %s, in words for a model",
    async (_, name, input, says) => {
      const { call } = await connect();
      const result = await call(name, input);
      expect(result.isError).toBe(true);
      expect(textOf(result)).toMatch(says);
      expect(textOf(result)).not.toMatch(/ --\w|hint:/);
    },
  );

  it.each([
    ["ThrottlingException: Too many requests", /Too many requests|throttle/i],
    ["AccessDeniedException: not yours", /not yours|denie/i],
    ["ExpiredTokenException: old", /credentials of this server have expired/],
    ["reset", /.+/],
  ])("is told of what AWS answers, and goes on: %s", async (fault, says) => {
    const emulator = { script: faultScript([`ConverseStream=${fault}`]) };
    const { call } = await connect({ config: asks, emulator });
    const refused = await call("ask-model", { prompt: "x" });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toMatch(says);
    expect(textOf(refused)).not.toMatch(/ --\w/);
    expect((await call("list-models", { query: "nova" })).isError).toBeUndefined();
  });

  it("asks no model but those that are allowed, and its own", async () => {
    const { call, routes } = await connect({ args: ["--allow-model", "*.nova-micro*", "--model", MODEL] });
    const refused = await call("ask-model", { prompt: "x", model: "nova-pro" });
    expect(textOf(refused)).toMatch(/does not let 'amazon\.nova-pro-v1:0' be asked, only: \*\.nova-micro\*/);
    expect(textOf(await call("embed", { texts: ["a"], model: "amazon.titan-embed-text-v2:0" }))).toMatch(
      /does not let/,
    );
    expect(routes()).not.toContain("ConverseStream");
    expect(routes()).not.toContain("InvokeModel");
    expect((await call("ask-model", { prompt: "x" })).isError).toBeUndefined();
    expect(
      (await call("ask-model", { prompt: "x", model: "amazon.nova-micro-v1:0" })).isError,
    ).toBeUndefined();
    const { models } = (await call("list-models")).structuredContent as { models: { id: string }[] };
    expect(models.map(({ id }) => id)).toContain("amazon.nova-micro-v1:0");
    expect(models.every(({ id }) => id.includes("nova-micro"))).toBe(true);
  });

  it("spends no more than it may: on a call, and by the budget", async () => {
    const dear = await connect({ config: asks, args: ["--max-cost", "0.00000001"] });
    const result = await dear.call("ask-model", { prompt: "x".repeat(1000) });
    expect(textOf(result)).toMatch(
      /question alone costs about .* and this server's limit for one call is \$0\.00000001/,
    );
    expect(
      textOf(await dear.call("embed", { texts: ["x".repeat(1000)], model: "titan-embed-text-v2" })),
    ).toMatch(/limit/);
    const spent = await connect({ config: `{ usage: { budget: { daily: 0 } }, ${asks.slice(1)}` });
    expect(textOf(await spent.call("ask-model", { prompt: "x" }))).toMatch(/budget of this server is spent/);
    const ignoring = await connect({
      config: `{ usage: { budget: { daily: 0 } }, ${asks.slice(1)}`,
      args: ["--ignore-budget"],
    });
    expect((await ignoring.call("ask-model", { prompt: "x" })).isError).toBeUndefined();
  });

  it("lives without credentials, and says so when it is called", async () => {
    const { call, stderr } = await connect({
      config: asks,
      env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
    });
    expect(textOf(await call("ask-model", { prompt: "x" }))).toMatch(/no valid AWS credentials/);
    expect(stderr()).toContain("Set some up with: aws configure");
  });

  it.each([{}, { query: "nova" }, { embeddings: true }])(
    "does not take missing credentials for a list without models: %j",
    async (input) => {
      const { call } = await connect({
        env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
      });
      const listed = await call("list-models", input);
      expect(listed.isError).toBe(true);
      expect(textOf(listed)).toMatch(/no valid AWS credentials/);
    },
  );

  it("starts it by settings of the usual shape", async () => {
    const emulated = await emulate();
    const file = path.join(emulated.home, ".mcp.json");
    const bedrock = { command: "openclaw", args: ["mcp", "serve", "--model", MODEL], env: emulated.env };
    writeFileSync(file, JSON.stringify({ mcpServers: { bedrock } }));
    const { mcpServers } = JSON.parse(readFileSync(file, "utf8")) as {
      mcpServers: { bedrock: typeof bedrock };
    };
    const { command, args, env } = mcpServers.bedrock;
    const own = { ...env, PATH: pathWithOpenclaw(emulated.home) };
    const transport = new StdioClientTransport({ command, args, env: emptyEnvironment(emulated.home, own) });
    const client = new Client({ name: "test", version: "1" });
    await client.connect(transport);
    onTestFinished(() => client.close());
    const answer = await client.callTool({ name: "ask-model", arguments: { prompt: "Hello?" } });
    expect(textOf(answer as CallToolResult)).toContain("Hello?");
  });
});
