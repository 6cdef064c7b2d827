import { describe, expect, it } from "vitest";
import {
  openaiServer,
  type OpenaiCall,
  type OpenaiReply,
  type OpenaiServer,
  refusal,
  says,
} from "../helpers/openai-server.ts";
import { emulate } from "../helpers/emulated.ts";
import { createHome, openclaw, type Result, writeConfig } from "../helpers/openclaw.ts";
import { message, streams } from "../helpers/responses-events.ts";
import { expectSchema } from "../helpers/schema.ts";
import { serve } from "../helpers/served.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "a/secret/of/the/tests" };
const MODEL = "openai.gpt-oss-120b-1:0";
/** A model of the emulator's that Converse does not take. */
const LUNA = "us.openai.gpt-5.6-luna";
/** All models of the provider by chat completions, as the settings say. */
const COMPLETIONS = `{models: {providers: {"amazon-bedrock": {api: "openai-completions"}}}}`;

interface Aws extends Pick<OpenaiServer, "chats"> {
  run(args: readonly string[], env?: Record<string, string | undefined>): Promise<Result>;
}

/** A server in the place of AWS's runtime endpoint, and the real program pointed at it. */
async function aws(
  answer: (call: OpenaiCall, nth: number) => OpenaiReply,
  config = COMPLETIONS,
): Promise<Aws> {
  const server = await openaiServer({ chat: answer });
  const home = createHome();
  writeConfig(home, config);
  const url = new URL(server.baseUrl).origin;
  return {
    chats: server.chats,
    run: (args, env = {}) =>
      openclaw(args, home, {
        env: { AWS_REGION: "eu-west-1", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url, ...KEYS, ...env },
      }),
  };
}

const chat = ["chat", "-m", MODEL, "Hi"];

describe("a model of Amazon Bedrock by chat completions", () => {
  it("is asked under AWS's path, signed for the service bedrock and the region", async () => {
    const { run, chats } = await aws(() => ({
      ...says("Hel", "lo"),
      headers: { "x-amzn-requestid": "r-1" },
    }));
    const result = await run([...chat, "--json"], { AWS_SESSION_TOKEN: "a token" });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(result.stdout)).toMatchObject({
      text: "Hello",
      model: MODEL,
      region: "eu-west-1",
      requestId: "r-1",
      usage: { inputTokens: 9, outputTokens: 2 },
    });
    const [call] = chats;
    expect(call?.path).toBe("/openai/v1/chat/completions");
    expect(call?.body).toMatchObject({ model: MODEL, messages: [{ role: "user", content: "Hi" }] });
    expect(call?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request/,
    );
    expect(call?.headers).toMatchObject({ "x-amz-security-token": "a token" });
    expect(call?.headers["user-agent"]).toContain("openclaw/");
  });

  it("is asked with the Bedrock API key", async () => {
    const { run, chats } = await aws(() => says("Hello"));
    expect(await run(chat, { AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-abc" })).toMatchObject({ code: 0 });
    expect(chats[0]?.headers.authorization).toBe("Bearer bedrock-api-key-abc");
  });

  it("is asked with the guardrail, and in the tier that is wanted", async () => {
    const { run, chats } = await aws(() => says("Hello"));
    const flags = ["--guardrail", "abc123:7", "--service-tier", "flex"];
    expect(await run([...chat, ...flags])).toMatchObject({ code: 0, stderr: "" });
    expect(chats[0]?.headers).toMatchObject({
      "x-amzn-bedrock-guardrailidentifier": "abc123",
      "x-amzn-bedrock-guardrailversion": "7",
    });
    expect(chats[0]?.body).toMatchObject({ service_tier: "flex" });
  });

  it("says that a guardrail has stepped in", async () => {
    const { pieces = [] } = says("Sorry, I cannot answer this.");
    const marked = [...pieces].map((piece) =>
      String(piece).replace(
        '"finish_reason":"stop"',
        '"finish_reason":"stop"}],"amazon-bedrock-guardrailAction":"INTERVENED","x":[{"y":1',
      ),
    );
    const { run } = await aws(() => ({ pieces: marked }));
    const result = await run([...chat, "--guardrail", "abc123:7", "--json"]);
    expect(JSON.parse(result.stdout)).toMatchObject({
      error: { code: "blocked", details: { stopReason: "guardrail_intervened" } },
    });
  });

  it("is asked for the level of reasoning by OpenAI's field", async () => {
    const { run, chats } = await aws(() => says("Hello"));
    expect(await run([...chat, "--reasoning", "high"])).toMatchObject({ code: 0, stderr: "" });
    expect(chats[0]?.body).toMatchObject({ reasoning_effort: "high" });
  });

  it.each<[string, OpenaiReply]>([
    ["a 503 in OpenAI's form", refusal(503, { message: "Overloaded", type: "server_error" })],
    ["a 429 in OpenAI's form", refusal(429, { message: "Too many requests", type: "rate_limit_error" })],
    [
      "AWS's own throttling",
      {
        status: 429,
        headers: { "x-amzn-errortype": "ThrottlingException" },
        body: { message: "Too many requests, please wait before trying again." },
      },
    ],
    [
      "an error before the first word",
      { pieces: [`data: {"error":{"message":"The server had an error","type":"server_error"}}\n\n`] },
    ],
    ["a connection that breaks before the first word", { pieces: [": hi\n\n"], end: "drop" }],
  ])("is asked again after %s", async (_, reply) => {
    const { run, chats } = await aws((_call, nth) => (nth === 1 ? reply : says("Hello")));
    const result = await run(chat);
    expect(result).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(result.stderr).toMatch(/^openclaw: Bedrock .*: next try .* \(2 of 3\)$/m);
    expect(chats.map(({ headers }) => headers["amz-sdk-request"])).toEqual([
      "attempt=1; max=3",
      "attempt=2; max=3",
    ]);
  });

  it.each<[string, OpenaiReply, code: string, message: string]>([
    [
      "a validation error in OpenAI's form",
      refusal(400, { code: "validation_error", message: "Bad field.", type: "invalid_request_error" }),
      "invalid-request",
      `AWS refuses the request to model '${MODEL}': Bad field.`,
    ],
    [
      "an IAM denial in OpenAI's form",
      refusal(403, {
        code: "access_denied",
        message:
          "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:eu-west-1:123456789012:project/default",
      }),
      "access-denied",
      "These credentials may not call bedrock:InvokeModel on arn:aws:bedrock:eu-west-1:123456789012:project/default",
    ],
    [
      "an unknown model",
      refusal(404, { code: "model_not_found", message: "The model does not exist", type: "not_found_error" }),
      "model-not-found",
      `AWS knows no model '${MODEL}' in eu-west-1: The model does not exist`,
    ],
    [
      "a key that AWS does not know",
      refusal(401, {
        code: "invalid_api_key",
        message: "Invalid bearer token",
        type: "authentication_error",
      }),
      "credentials-rejected",
      "AWS rejects the Bedrock API key",
    ],
    [
      "a denial of the default project, by Responses",
      refusal(401, { code: "access_denied", message: "Access denied.", type: "permission_denied_error" }),
      "access-denied",
      "AWS denies bedrock:InvokeModelWithResponseStream in eu-west-1: Access denied.",
    ],
    [
      "a use case form",
      refusal(404, { message: "Model use case details have not been submitted for this account." }),
      "model-access",
      "use-case form has not been submitted",
    ],
    [
      "a denial by AWS's own header",
      {
        status: 403,
        headers: { "x-amzn-errortype": "UnrecognizedClientException:http://internal.amazon.com/" },
        body: { message: "The security token included in the request is invalid." },
      },
      "credentials-rejected",
      "AWS does not know the credentials",
    ],
    ["a page of a proxy", { status: 502, body: "<html>no</html>" }, "bad-response", "answers 502"],
    ["a page in place of a stream", { status: 200, body: "<html>hi</html>" }, "bad-response", "answers 200"],
  ])("tells %s by the table of AWS's errors", async (_, reply, code, message) => {
    const { run } = await aws(() => ({ ...reply, headers: { "x-amzn-requestid": "r-2", ...reply.headers } }));
    const result = await run([...chat, "--json"], { AWS_MAX_ATTEMPTS: "1" });
    const { error } = JSON.parse(result.stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    if (reply.status !== 200 && typeof reply.body !== "string")
      expect(error).toMatchObject({ requestId: "r-2" });
  });

  it("says that an answer broke off in the middle", async () => {
    const { pieces = [] } = says("Hello");
    const { run, chats } = await aws(() => ({ pieces: [...pieces].slice(0, 2), end: "drop" }));
    const result = await run(chat);
    expect(result.stderr).toContain("broke off in the middle of the answer");
    expect(result.code).not.toBe(0);
    expect(chats).toHaveLength(1);
  });

  it("leaves out what it refuses by name", async () => {
    const { run, chats } = await aws(({ body = {} }) =>
      "temperature" in body
        ? refusal(400, {
            message: "Unsupported parameter.",
            type: "invalid_request_error",
            param: "temperature",
            code: "unsupported_parameter",
          })
        : says("Hello"),
    );
    const result = await run([...chat, "--temperature", "0"]);
    expect(result.stderr).toContain("refuses temperature, so 0 is left out");
    expect(result.code).toBe(0);
    expect(chats).toHaveLength(2);
  });
});

describe("everything that asks a model", () => {
  it("shows in a dry run what would be sent", async () => {
    const { run, chats } = await aws(() => ({ status: 404, body: {} }));
    const result = await run(["chat", "--dry-run", "--json", "-m", MODEL, "Hi"]);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      model: MODEL,
      region: "eu-west-1",
      request: { model: MODEL, messages: [{ role: "user", content: "Hi" }] },
      cost: { source: "catalog" },
    });
    expect(chats.filter(({ path: called }) => called.includes("/openai/"))).toEqual([]);
  });

  it("is held to a schema", async () => {
    const { run, chats } = await aws(() => says('{"n":1}'));
    const schema = '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}';
    expect(await run([...chat, "--schema", schema])).toMatchObject({ code: 0, stdout: '{"n":1}\n' });
    expect(chats[0]?.body).toMatchObject({ response_format: { type: "json_schema" } });
  });

  it("goes on with a conversation, and prices it", async () => {
    const { run, chats } = await aws(() => says("Hello"));
    await run(["chat", "-m", MODEL, "--session", "s", "One"]);
    const result = await run(["chat", "-m", MODEL, "--session", "s", "--json", "Two"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ text: "Hello", cost: { source: "catalog" } });
    expect(chats[1]?.body).toMatchObject({
      messages: [
        { role: "user", content: "One" },
        { role: "assistant", content: "Hello" },
        { role: "user", content: "Two" },
      ],
    });
    const usage = await run(["usage", "--json"]);
    expect(usage.stdout).toContain(MODEL);
  });

  it("falls back to it, and from it", async () => {
    const { run } = await aws(
      ({ body = {} }) =>
        body["model"] === MODEL
          ? refusal(503, { message: "Overloaded", type: "server_error" })
          : says("Hello"),
      `{
        agents: { defaults: { model: { primary: "${MODEL}", fallbacks: ["openai.gpt-oss-20b-1:0"] } } },
        models: { providers: { "amazon-bedrock": { api: "openai-completions" } } },
      }`,
    );
    const result = await run(["chat", "--json", "Hi"], { AWS_MAX_ATTEMPTS: "1" });
    expect(JSON.parse(result.stdout)).toMatchObject({ text: "Hello", model: "openai.gpt-oss-20b-1:0" });
  });

  it("serves it", async () => {
    const server = await openaiServer({ chat: () => says("Hel", "lo") });
    const { client } = await serve({
      config: COMPLETIONS,
      env: { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: new URL(server.baseUrl).origin },
    });
    const answer = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: "Hi" }],
    });
    expect(answer.choices[0]?.message.content).toBe("Hello");
    expect(server.chats.map(({ path: called }) => called)).toEqual(["/openai/v1/chat/completions"]);
  });
});

describe("a model of Mantle", () => {
  const MANTLE = `{models: {providers: {"amazon-bedrock-mantle": {}}}}`;
  const ask = ["chat", "-m", "amazon-bedrock-mantle/openai.gpt-5.5", "Hi"];

  async function mantle(answer: (call: OpenaiCall) => OpenaiReply): Promise<Aws> {
    const server = await openaiServer({ chat: answer });
    const home = createHome();
    writeConfig(home, MANTLE);
    const url = new URL(server.baseUrl).origin;
    return {
      chats: server.chats,
      run: (args, env = {}) =>
        openclaw(args, home, {
          env: { AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_BEDROCK_MANTLE: url, ...KEYS, ...env },
        }),
    };
  }

  it("is asked at its endpoint, signed for the service bedrock-mantle", async () => {
    const { run, chats } = await mantle(() => streams([message("Hello")]));
    expect(await run(ask)).toMatchObject({ code: 0, stdout: "Hello\n", stderr: "" });
    expect(chats.map(({ path: called }) => called)).toEqual(["/openai/v1/responses"]);
    expect(chats[0]?.headers.authorization).toContain("/us-east-1/bedrock-mantle/aws4_request");
    expect(chats[0]?.body).toMatchObject({ model: "openai.gpt-5.5", store: false });
  });

  it("is asked under the other prefix where it is refused, at once the next time", async () => {
    const { run, chats } = await mantle(({ path: called }) =>
      called.startsWith("/openai/")
        ? refusal(400, { message: "model `openai.gpt-5.5` isn't supported on this route" })
        : streams([message("Hello")]),
    );
    expect(await run(ask)).toMatchObject({ code: 0, stdout: "Hello\n", stderr: "" });
    await run(ask);
    expect(chats.map(({ path: called }) => called)).toEqual([
      "/openai/v1/responses",
      "/v1/responses",
      "/v1/responses",
    ]);
  });

  it("is pointed to where the runtime does not have it", async () => {
    const { run } = await aws(
      () => ({
        status: 400,
        headers: { "x-amzn-errortype": "ValidationException" },
        body: { message: "The provided model identifier is invalid." },
      }),
      "{}",
    );
    const result = await run(["chat", "-m", "openai.gpt-5.5", "Hi"]);
    expect(result.stderr).toContain("openclaw chat -m amazon-bedrock-mantle/openai.gpt-5.5");
  });
});

describe("a model that Converse does not take", () => {
  const NEWEST = "openai.gpt-oss-120b-1:0";
  const refusesConverse: OpenaiReply = {
    status: 400,
    headers: { "x-amzn-errortype": "ValidationException" },
    body: {
      message:
        "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    },
  };
  const paths = ({ chats }: Aws): string[] => chats.map(({ path: called }) => decodeURIComponent(called));

  it("is asked by the next API, at once the next time", async () => {
    const all = await aws(
      ({ path: called }) => (called.includes("/model/") ? refusesConverse : says("Hello")),
      "{}",
    );
    const first = await all.run(["chat", "-m", NEWEST, "Hi"]);
    expect(first).toMatchObject({ code: 0, stdout: "Hello\n", stderr: "" });
    await all.run(["chat", "-m", NEWEST, "Hi"]);
    expect(paths(all)).toEqual([
      `/model/${NEWEST}/converse-stream`,
      "/openai/v1/chat/completions",
      "/openai/v1/chat/completions",
    ]);
  });

  it("is asked by the next API through the profile that was learnt", async () => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", "openai.gpt-5.6-luna", "Hi"]);
    expect(result.code, result.stderr).toBe(0);
    expect(emulated.emulator.calls.map(({ path: called }) => decodeURIComponent(called))).toEqual([
      "/model/openai.gpt-5.6-luna/converse-stream",
      "/foundation-models",
      expect.stringContaining("/inference-profiles"),
      expect.stringContaining("/inference-profiles"),
      "/model/us.openai.gpt-5.6-luna/converse-stream",
      "/openai/v1/responses",
    ]);
    const before = emulated.emulator.calls.length;
    expect(await emulated.run(["chat", "-m", "openai.gpt-5.6-luna", "Hi"])).toMatchObject({ code: 0 });
    expect(emulated.routes().slice(before)).toHaveLength(1);
  });

  it("is listed, shown and allowed by the API that a refusal has led to", async () => {
    const emulated = await emulate();
    emulated.configure(JSON.stringify({ agents: { defaults: { model: LUNA } } }));
    const apiIn = async (): Promise<unknown> => {
      const { stdout } = await emulated.run(["models", "list", "--json"]);
      const { models } = JSON.parse(stdout) as { models: { id: string; api: string }[] };
      return Object.fromEntries(models.map(({ id, api }) => [id, api]));
    };
    expect(await apiIn()).toMatchObject({ [LUNA]: "converse", "amazon.nova-lite-v1:0": "converse" });
    expect((await emulated.run(["chat", "Hi"])).code).toBe(0);
    expect(await apiIn()).toMatchObject({ [LUNA]: "openai-responses", "amazon.nova-lite-v1:0": "converse" });
    const shown = await emulated.run(["models", "show", LUNA]);
    expect(shown.stdout).toMatch(/^api +Responses \(\/openai\/v1\) of bedrock-runtime \(learnt\)$/m);
    const { stdout } = await emulated.run(["models", "show", LUNA, "--json"]);
    expectSchema("models-show", JSON.parse(stdout));
    expect(JSON.parse(stdout)).toMatchObject({
      api: "openai-responses",
      apiPath: "/openai/v1",
      apiSource: "learnt",
    });
    const policy = await emulated.run(["iam", "policy", "--for", "chat"]);
    expect(policy.stdout).toContain("arn:aws:bedrock:us-east-1:123456789012:project/default");
  });

  it("is refused with all that was tried, once each", async () => {
    const all = await aws(
      ({ path: called }) =>
        called.includes("/model/")
          ? refusesConverse
          : refusal(400, { message: `model \`${NEWEST}\` isn't supported on this route` }),
      "{}",
    );
    const result = await all.run(["chat", "-m", NEWEST, "--json", "Hi"]);
    const { error } = JSON.parse(result.stdout) as { error: { message: string } };
    expect(error.message).toMatch(
      /is no chat model that streams: .* Tried: Converse, chat completions \(\/openai\/v1\)/,
    );
    expect(new Set(paths(all)).size).toBe(all.chats.length);
  });

  it("is asked once more by what has refused it, where the others do now", async () => {
    let takesIt = false;
    const all = await aws(({ path: called }) => {
      const isConverse = called.includes("/model/");
      if (isConverse && !takesIt) return refusesConverse;
      if (isConverse)
        return {
          status: 503,
          headers: { "x-amzn-errortype": "ServiceUnavailableException" },
          body: { message: "Later." },
        };
      return takesIt
        ? refusal(400, { message: `model \`${NEWEST}\` isn't supported on this route` })
        : says("Hello");
    }, "{}");
    await all.run(["chat", "-m", NEWEST, "Hi"]);
    takesIt = true;
    const before = all.chats.length;
    const result = await all.run(["chat", "-m", NEWEST, "Hi"], { AWS_MAX_ATTEMPTS: "1" });
    expect(result.stderr).toContain("Later.");
    expect(paths(all).slice(before)).toEqual([
      "/openai/v1/chat/completions",
      "/openai/v1/responses",
      `/model/${NEWEST}/converse-stream`,
    ]);
  });

  it("is asked by no other where it is retired", async () => {
    const all = await aws(
      () => ({
        status: 404,
        headers: { "x-amzn-errortype": "ResourceNotFoundException" },
        body: { message: "This model version has reached the end of its life." },
      }),
      "{}",
    );
    expect((await all.run(["chat", "-m", NEWEST, "Hi"])).stderr).toContain("AWS has ended model");
    expect(paths(all).filter((called) => called.includes("/openai/"))).toEqual([]);
  });

  it("is asked by Converse alone where AWS says something else", async () => {
    const all = await aws(
      () => ({
        status: 403,
        headers: { "x-amzn-errortype": "AccessDeniedException" },
        body: { message: "You don't have access to the model with the specified model ID." },
      }),
      "{}",
    );
    expect((await all.run(["chat", "-m", NEWEST, "Hi"])).code).not.toBe(0);
    expect(paths(all)).toEqual([`/model/${NEWEST}/converse-stream`]);
  });
});
