import { describe, expect, it } from "vitest";
import { expectSchema } from "../helpers/schema.ts";
import { MODEL, serve } from "../helpers/served.ts";

describe("the routes of openclaw serve", () => {
  it("lists the models of `models list` under their bare ids, then aliases and mapped names", async () => {
    const { client, run } = await serve({
      args: ["--map", `gpt-4o=us.${MODEL},${MODEL}`],
      config: `{ agents: { defaults: { models: { "amazon-bedrock/amazon.nova-pro-v1:0": { alias: "pro" } } } },
        models: { providers: { ollama: { baseUrl: "http://127.0.0.1:9/v1", api: "openai-completions",
          models: [{ id: "llama3" }] } } } }`,
    });
    const listed = JSON.parse((await run(["models", "list", "--json"])).stdout) as {
      models: { id: string; provider: string }[];
    };
    const page = await client.models.list();
    const ids = page.data.map(({ id }) => id);
    expect(ids).toEqual([
      ...listed.models.map(({ id, provider }) => (provider === "ollama" ? `ollama/${id}` : id)),
      "gpt-4o",
      "pro",
    ]);
    expect(ids.length).toBeGreaterThan(20);
    expect(page.data[1]).toMatchObject({ object: "model", created: expect.any(Number) as number });
    const owner = page.data.find(({ id }) => id === MODEL)?.owned_by;
    expect(owner).toBe("Amazon");
    for (const id of ["gpt-4o", "pro", MODEL, `amazon-bedrock/${MODEL}`, "ollama/llama3"])
      expect(await client.models.retrieve(id)).toMatchObject({ id, object: "model" });
    await expect(client.models.retrieve("amazon.nova-lite-v2:0")).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
      message: expect.stringContaining(`Did you mean ${MODEL}?`) as string,
    });
  });

  it("is alive before it is ready, and ready when credentials and the list are there", async () => {
    const { origin, emulator } = await serve();
    const health = await fetch(`${origin}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
    const ready = await fetch(`${origin}/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: "ready", credentials: "ok", models: "ok" },
    ]);
    const asked = emulator.calls.length;
    for (let count = 0; count < 3; count++) expect((await fetch(`${origin}/ready`)).status).toBe(200);
    expect(emulator.calls.length).toBe(asked);
  });

  it("is not ready without credentials, and says which part is missing", async () => {
    const { origin, client } = await serve({
      env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
      config: `{ models: { bedrockDiscovery: { enabled: true } } }`,
    });
    const ready = await fetch(`${origin}/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: "not-ready", credentials: "no-credentials", models: "no-credentials" },
    ]);
    expect((await fetch(`${origin}/health`)).status).toBe(200);
    await expect(
      client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content: "hi" }] }),
    ).rejects.toMatchObject({ status: 403, code: "aws_credentials" });
  });

  it("answers what is not there in OpenAI's shape", async () => {
    const { origin } = await serve();
    const ask = async (method: string, path: string): Promise<unknown[]> => {
      const response = await fetch(`${origin}${path}`, { method });
      const text = await response.text();
      const code = text === "" ? "" : (JSON.parse(text) as { error: { code: string } }).error.code;
      return [response.status, code, response.headers.get("allow")];
    };
    expect(await ask("GET", "/")).toEqual([404, "unknown_url", null]);
    expect(await ask("POST", "/v1/completions")).toEqual([404, "unknown_url", null]);
    expect(await ask("GET", "/v1/chat/completions")).toEqual([405, "method_not_allowed", "POST"]);
    expect(await ask("OPTIONS", "/v1/chat/completions")).toEqual([405, "method_not_allowed", "POST"]);
    expect(await ask("DELETE", `/v1/models/${MODEL}`)).toEqual([405, "method_not_allowed", "GET, HEAD"]);
    expect(await ask("HEAD", "/v1/models")).toEqual([200, "", null]);
  });

  const OPENAI = { error: { code: expect.any(String), message: expect.any(String) } };
  const ANTHROPIC = { type: "error", error: { type: expect.any(String), message: expect.any(String) } };
  const AWS = { message: expect.any(String) };
  it.each([
    ["GET", "/v1/nosuch", 404, OPENAI],
    ["GET", "/v1/chat/nosuch", 404, OPENAI],
    ["POST", "/v1/responses/a/nosuch", 404, OPENAI],
    ["POST", "/v1/embeddings/nosuch", 404, OPENAI],
    ["POST", "/v1/messages/nosuch", 404, ANTHROPIC],
    ["POST", "/v1/messages/batches", 404, ANTHROPIC],
    ["POST", `/model/${MODEL}/nosuch`, 404, AWS],
    ["POST", `/model/${MODEL}/invoke-with-bidirectional-stream`, 404, AWS],
    ["GET", `/model/${MODEL}/converse`, 405, AWS],
    ["POST", "/guardrail/gr-1/version/1/apply", 404, AWS],
    ["GET", "/async-invoke", 404, AWS],
    ["POST", "/foundation-models", 405, AWS],
    ["DELETE", "/inference-profiles/a", 405, AWS],
    ["PUT", "/logging/modelinvocations", 404, AWS],
  ] as const)(
    "answers what is not there in the words of whose path it is: %s %s",
    async (method, path, status, body) => {
      const { origin } = await serve();
      const response = await fetch(`${origin}${path}`, { method });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject(body);
      const isOfAws = body === AWS;
      expect(response.headers.get("x-amzn-errortype")).toBe(isOfAws ? "UnknownOperationException" : null);
      expect(response.headers.has("x-amzn-requestid")).toBe(isOfAws);
      expect(response.headers.has("request-id")).toBe(body === ANTHROPIC);
    },
  );

  it("prints where it listens as its schema says, and ends quietly when it is told to", async () => {
    const { start } = await serve();
    const child = start(["serve", "--port", "0", "--json"]);
    let stdout = "";
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += String(text)));
    const code = await new Promise((resolve) => {
      child.stdout.on("data", (text) => {
        stdout += String(text);
        if (stdout.endsWith("\n")) child.kill("SIGINT");
      });
      child.on("close", resolve);
    });
    expectSchema("serve", JSON.parse(stdout));
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
  });

  it("says that a port is taken, and by which flag to have another", async () => {
    const { origin, run } = await serve();
    const { port } = new URL(origin);
    const result = await run(["serve", "--port", port]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toBe(
      `error: Port ${port} is already in use on 127.0.0.1.\n` +
        "hint: openclaw serve --host 127.0.0.1 --port 0 takes any free port.\n",
    );
  });

  it.each([
    [["--host", "0.0.0.0"], "can be reached from other machines, and no API key protects it"],
    [["--host", "256.1.1.1"], "can be reached from other machines"],
    [["--map", "gpt-4o"], "--map 'gpt-4o' is not NAME=MODEL."],
    [["--map", "a=b", "--map", "a=c"], "--map names 'a' twice."],
    [["--max-streams", "0"], "It takes a whole number of at least 1."],
    [["--api-key-file", "nowhere"], "--api-key-file 'nowhere' cannot be read"],
    [["extra"], "'extra' is one argument too many for openclaw serve."],
  ])("refuses %j with exit code 2", async (args, message) => {
    const { run } = await serve();
    const result = await run(["serve", "--port", "0", ...args]);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 2, stdout: "" });
    expect(result.stderr).toContain(message);
  });
});
