import { describe, expect, it } from "vitest";
import { MANTLE_MODELS } from "../../src/emulator/mantle.ts";
import type { PolicyDocument } from "../../src/iam/policy.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { allows } from "../helpers/iam.ts";
import { serve } from "../helpers/served.ts";

const MANTLE = "amazon-bedrock-mantle";
const CONFIG = JSON.stringify({ models: { providers: { [MANTLE]: {} } } });

/** The models that a test finds under other paths than are likely. */
const moved = (id: string, paths: readonly string[]) =>
  MANTLE_MODELS.map((model) => (model.modelId === id ? { ...model, paths } : model));

async function mantle(options: Parameters<typeof emulate>[0] = {}, config = CONFIG): Promise<Emulated> {
  const machine = await emulate(options);
  machine.configure(config);
  return machine;
}

const posts = ({ emulator }: Emulated): string[] =>
  emulator.calls.filter(({ method }) => method === "POST").map(({ path }) => path);

describe("a model of bedrock-mantle", () => {
  it.each(MANTLE_MODELS.map(({ modelId, paths, modelName }) => [modelId, paths, modelName] as const))(
    "%s is asked on one of %j at the first attempt, signed for Mantle",
    async (id, paths, name) => {
      const machine = await mantle();
      const result = await machine.run(["chat", "-m", `${MANTLE}/${id}`, "--json", "Hi"]);
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(result.stdout)).toMatchObject({
        model: id,
        region: "us-east-1",
        text: expect.stringContaining(`(model ${name})`),
        stopReason: "end_turn",
        usage: { inputTokens: expect.any(Number) },
      });
      const [call, ...others] = machine.emulator.calls.filter(({ method }) => method === "POST");
      expect(others).toEqual([]);
      expect(paths).toContain(call?.path);
      expect(call).toMatchObject({ service: "bedrock-mantle", body: { model: id } });
      expect(call?.permissions).toMatchObject([{ action: "bedrock-mantle:CreateInference" }]);
    },
  );

  const GUARDRAIL = { guardrailIdentifier: "abc123", guardrailVersion: "1" };
  const GUARDED = JSON.stringify({
    models: { providers: { [MANTLE]: {} } },
    plugins: { entries: { "amazon-bedrock": { config: { guardrail: GUARDRAIL } } } },
  });
  it.each([
    ["at bedrock-mantle, by the flag", `${MANTLE}/openai.gpt-5.5`, CONFIG, ["--guardrail", "abc123:1"]],
    ["at bedrock-mantle, by the settings", `${MANTLE}/qwen.qwen3-32b`, GUARDED, []],
    ["at bedrock-mantle by Messages", `${MANTLE}/anthropic.claude-haiku-4-5`, GUARDED, []],
    ["by Responses of the runtime", "us.openai.gpt-5.6-luna", GUARDED, []],
  ])("is not asked %s where a guardrail is to act", async (_, key, config, flags) => {
    const machine = await mantle({}, config);
    const { stdout } = await machine.run(["chat", "-m", key, ...flags, "--json", "Hi"]);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "invalid-request", message: expect.stringContaining("guardrails do not act") },
    });
    expect(posts(machine).filter((path) => !path.endsWith("/converse-stream"))).toEqual([]);
  });

  it("is asked with a Bedrock API key", async () => {
    const machine = await mantle();
    const env = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_BEARER_TOKEN_BEDROCK: machine.emulator.bearerToken,
    };
    expect(await machine.run(["chat", "-m", `${MANTLE}/openai.gpt-oss-120b`, "Hi"], { env })).toMatchObject({
      code: 0,
    });
    expect(machine.emulator.calls.at(-1)?.bearerToken).toBe(machine.emulator.bearerToken);
  });

  it.each([
    ["qwen.qwen3-32b", "/openai/v1/chat/completions", "/v1/chat/completions"],
    ["xai.grok-4.3", "/v1/chat/completions", "/openai/v1/chat/completions"],
    ["openai.gpt-5.5", "/v1/responses", "/openai/v1/responses"],
  ])("%s is found under %s where it is likely under %s, and that is learnt", async (id, path, likely) => {
    const machine = await mantle({ mantleModels: moved(id, [path]) });
    const chat = ["chat", "-m", `${MANTLE}/${id}`, "Hi"];
    expect(await machine.run(chat)).toMatchObject({ code: 0 });
    expect(posts(machine)).toEqual([likely, path]);
    expect(await machine.run(chat)).toMatchObject({ code: 0 });
    expect(posts(machine)).toEqual([likely, path, path]);
  });

  it.each(["/openai/v1/responses", "/v1/responses", "/openai/v1/chat/completions"])(
    "is called by %s where it turns out to have that only, and is there at once from then on",
    async (path) => {
      const machine = await mantle({ mantleModels: moved("qwen.qwen3-32b", [path]) });
      const chat = ["chat", "-m", `${MANTLE}/qwen.qwen3-32b`, "Hi"];
      expect(await machine.run(chat)).toMatchObject({ code: 0 });
      const asked = posts(machine).length;
      expect(asked).toBeGreaterThan(1);
      expect(await machine.run(chat)).toMatchObject({ code: 0 });
      expect(posts(machine).slice(asked)).toEqual([path]);
    },
  );

  it("is refused with all that was tried where none of its APIs takes it", async () => {
    const machine = await mantle({ mantleModels: moved("qwen.qwen3-32b", []) });
    const { code, stderr } = await machine.run(["chat", "-m", `${MANTLE}/qwen.qwen3-32b`, "Hi"]);
    expect(code).toBe(6);
    expect(stderr).toContain(". Tried: chat completions (/v1), chat completions (/openai/v1)");
  });

  it.each([
    ["us.anthropic.claude-sonnet-5", "anthropic.claude-sonnet-5"],
    ["us.openai.gpt-5.5", "openai.gpt-5.5"],
  ])("is not there as %s, and what it has is named by its key", async (typed, bare) => {
    const machine = await mantle();
    const { code, stderr } = await machine.run(["chat", "-m", `${MANTLE}/${typed}`, "Hi"]);
    expect(code).toBe(6);
    expect(stderr).toContain(`hint: Did you mean ${MANTLE}/${bare}?`);
  });

  it("is never called through an inference profile, whatever is known of the same model of Bedrock's", async () => {
    const machine = await mantle();
    await machine.run(["models", "list"]);
    const result = await machine.run(["chat", "-m", `${MANTLE}/anthropic.claude-opus-4-8`, "Hi"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(machine.emulator.calls.at(-1)?.body).toMatchObject({ model: "anthropic.claude-opus-4-8" });
  });

  it("stands in for one that is throttled, and is stood in for", async () => {
    const models = ["amazon.nova-lite-v1:0", `${MANTLE}/xai.grok-4.3`];
    for (const [order, broken] of [
      [models, "ConverseStream"],
      [models.toReversed(), "ChatCompletions"],
    ] as const) {
      const machine = await mantle({
        script: ({ route }) =>
          route === broken ? { error: { name: "ThrottlingException", message: "Rate exceeded" } } : undefined,
      });
      const { code, stdout, stderr } = await machine.run(["chat", "-m", order.join(","), "--json", "Hi"], {
        env: { AWS_MAX_ATTEMPTS: "1" },
      });
      expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
        code: 0,
        model: order[1]?.replace(`${MANTLE}/`, ""),
      });
      expect(stderr).toContain("instead");
    }
  });

  it("that it does not have is stood in for, in whole sentences", async () => {
    const machine = await mantle();
    const names = `${MANTLE}/no.such-model,amazon.nova-lite-v1:0`;
    const { code, stderr } = await machine.run(["chat", "-m", names, "Hi"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/does not exist\. Asking amazon\.nova-lite-v1:0 instead\.\n$/);
  });

  it.each(["openai.gpt-5.5", "anthropic.claude-sonnet-5", "deepseek.v3.2"])(
    "%s behind something else than AWS is told so, whatever its API",
    async (id) => {
      const headers = { "content-type": "text/event-stream" };
      const machine = await mantle({
        script: ({ method }) =>
          method === "POST" ? { http: { status: 200, headers, body: "data: 5\n\n" } } : undefined,
      });
      const { code, stderr } = await machine.run(["chat", "-m", `${MANTLE}/${id}`, "Hi"]);
      expect(code).toBe(5);
      expect(stderr).toMatch(
        /^error: http:\S+ sends a stream that is not AWS's\.\nhint: .*openclaw doctor\n$/,
      );
    },
  );

  it("that reasons, by levels that nobody knows, is not said not to reason", async () => {
    const machine = await mantle();
    const chat = ["chat", "-m", `${MANTLE}/google.gemma-4-31b`, "--reasoning", "low", "Hi"];
    const { stderr } = await machine.run(chat);
    expect(stderr).toBe(
      "openclaw: How 'google.gemma-4-31b' takes a reasoning level is not known, so 'low' is left out\n",
    );
    const other = await machine.run(chat.with(2, `${MANTLE}/mistral.mistral-large-3-675b-instruct`));
    expect(other.stderr).toContain("does not reason, so reasoning 'low' is left out");
  });

  it("goes on with a session, and costs what the catalog says", async () => {
    const machine = await mantle();
    const ask = ["chat", "-m", `${MANTLE}/anthropic.claude-haiku-4-5`, "--json"];
    const first = await machine.run([...ask, "--session", "one", "Hi"]);
    expect(JSON.parse(first.stdout)).toMatchObject({ cost: { usd: expect.any(Number), source: "catalog" } });
    await machine.run([...ask, "--session", "one", "And?"]);
    expect(machine.emulator.calls.at(-1)?.body).toMatchObject({
      messages: [{ role: "user" }, { role: "assistant" }, { role: "user" }],
    });
  });

  it("shows what would be sent, and asks nobody to count it", async () => {
    const machine = await mantle();
    const result = await machine.run(["chat", "-m", `${MANTLE}/xai.grok-4.3`, "--dry-run", "--json", "Hi"]);
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({
      region: "us-east-1",
      request: { model: "xai.grok-4.3" },
      tokensSource: "estimate",
    });
    expect(posts(machine)).toEqual([]);
  });

  it.each([401, 403])(
    "that may not be called is a denial with its action, with status %i",
    async (status) => {
      const message =
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock-mantle:CreateInference on resource: arn:aws:bedrock-mantle:us-east-1:123456789012:project/default because no identity-based policy allows the bedrock-mantle:CreateInference action";
      const body = {
        error: { code: "access_denied", message, param: null, type: "permission_denied_error" },
      };
      const machine = await mantle({
        script: ({ route }) => (route === "ChatCompletions" ? { http: { status, body } } : undefined),
      });
      const { code, stderr } = await machine.run(["chat", "-m", `${MANTLE}/zai.glm-4.7`, "Hi"]);
      expect(code).toBe(4);
      expect(stderr).toContain("These credentials may not call bedrock-mantle:CreateInference");
      expect(stderr).toContain("openclaw iam policy");
    },
  );

  it("needs no more than iam policy allows where a model of its is the default", async () => {
    const config = { agents: { defaults: { model: `${MANTLE}/openai.gpt-oss-20b` } } };
    const machine = await mantle({}, JSON.stringify(config));
    const { stdout } = await machine.run(["iam", "policy", "--for", "chat,doctor", "--json"]);
    const policy = JSON.parse(stdout) as PolicyDocument;
    const before = machine.emulator.calls.length;
    expect(await machine.run(["chat", "Hi"])).toMatchObject({ code: 0 });
    expect(await machine.run(["doctor"])).toMatchObject({ code: 0 });
    const needed = machine.emulator.calls.slice(before).flatMap(({ permissions }) => permissions);
    expect(needed.map(({ action }) => action)).toContain("bedrock-mantle:CreateInference");
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
    const actions = policy.Statement.flatMap(({ Action }) => Action);
    expect(actions.filter((action) => /Invoke/.test(action))).toEqual([]);
  });
});

describe("serve", () => {
  it("has the models of bedrock-mantle under their keys, each id once, and answers by them", async () => {
    const { client } = await serve({ config: CONFIG });
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(`${MANTLE}/xai.grok-4.3`);
    expect(ids).toContain("google.gemma-3-27b-it");
    expect(ids).toContain(`${MANTLE}/google.gemma-3-27b-it`);
    for (const id of ["xai.grok-4.3", "anthropic.claude-sonnet-5", "openai.gpt-5.5"]) {
      const { choices } = await client.chat.completions.create({
        model: `${MANTLE}/${id}`,
        messages: [{ role: "user", content: "Hi" }],
      });
      expect(choices[0]?.message.content).toContain("This is a simulated answer");
    }
  });

  it.each(["deepseek.v3.2", "grok", "openai.gpt-5.5"])(
    "takes %s for the model of bedrock-mantle where nothing else is called so",
    async (model) => {
      const { client } = await serve({ config: CONFIG });
      const messages = [{ role: "user" as const, content: "Hi" }];
      const { choices } = await client.chat.completions.create({ model, messages });
      expect(choices[0]?.message.content).toContain("This is a simulated answer");
    },
  );

  it("refuses what bedrock-mantle does not list, with what may have been meant", async () => {
    const { client } = await serve({ config: CONFIG });
    const ask = (model: string) =>
      client.chat.completions.create({ model, messages: [{ role: "user", content: "Hi" }] });
    await expect(ask(`${MANTLE}/us.xai.grok-4.3`)).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining("xai.grok-4.3"),
    });
  });
});
