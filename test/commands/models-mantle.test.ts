import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MANTLE_MODELS } from "../../src/emulator/mantle.ts";
import { MODELS } from "../../src/emulator/models.ts";
import type { Script } from "../../src/emulator/script.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import type { RunOptions } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";

const MANTLE = "amazon-bedrock-mantle";
const OPUS = `${MANTLE}/anthropic.claude-opus-4-8`;
/** The reserved words of IAM's denials, as Mantle has them in the shape of OpenAI's errors. */
const DENIED = {
  error: {
    code: "access_denied",
    message: `User: arn:aws:sts::123456789012:assumed-role/Dev/me is not authorized to perform: bedrock-mantle:ListModels on resource: arn:aws:bedrock-mantle:us-east-1:123456789012:project/default because no identity-based policy allows the bedrock-mantle:ListModels action`,
    param: null,
    type: "permission_denied_error",
  },
};

const denied =
  (status: number): Script =>
  ({ route }) =>
    route === "ListModels" ? { http: { status, body: DENIED } } : undefined;

interface Document {
  source: string;
  models: {
    key: string;
    id: string;
    name: string;
    provider: string;
    kind: string;
    api: string;
    regions: string[];
    available: boolean;
    missing: boolean;
    tags: string[];
    contextWindow: number;
    cost: object | null;
  }[];
  warnings: { code: string; message: string; hint: string }[];
}

async function withMantle(
  settings: object = {},
  options: Parameters<typeof emulate>[0] = {},
  more: object = {},
): Promise<Emulated> {
  const machine = await emulate(options);
  machine.configure(JSON.stringify({ models: { providers: { [MANTLE]: settings } }, ...more }));
  return machine;
}

async function list(machine: Emulated, args: string[] = [], options: RunOptions = {}): Promise<Document> {
  const { stdout, stderr, code } = await machine.run(["models", "list", "--json", ...args], options);
  expect({ code, stderr: stderr.includes("error:") ? stderr : "" }).toEqual({ code: 0, stderr: "" });
  const document = JSON.parse(stdout) as Document;
  expectSchema("models-list", document);
  return document;
}

const ofMantle = ({ models }: Document): Document["models"] =>
  models.filter(({ key }) => key.startsWith(`${MANTLE}/`));

describe("the models of bedrock-mantle", () => {
  it("are listed where an empty object is their provider, with the API that each is called by", async () => {
    const machine = await withMantle();
    const models = ofMantle(await list(machine));
    const apis = Object.fromEntries(models.map(({ id, api }) => [id, api]));
    expect(apis).toMatchObject({
      "anthropic.claude-opus-4-8": "anthropic-messages",
      "google.gemma-4-31b": "openai-completions",
      "openai.gpt-5.5": "openai-responses",
      "openai.gpt-oss-120b": "openai-completions",
    });
    expect(models.find(({ key }) => key === OPUS)).toMatchObject({
      name: "Claude Opus 4.8",
      provider: "Anthropic",
      kind: "foundation-model",
      regions: ["us-east-1"],
      available: true,
      missing: false,
      tags: [],
      contextWindow: 1_000_000,
    });
    const call = machine.emulator.calls.find(({ route }) => route === "ListModels");
    expect(call).toMatchObject({ method: "GET", path: "/v1/models", service: "bedrock-mantle" });
  });

  it("are not asked for where nobody configured their provider, and no other model is theirs", async () => {
    const machine = await emulate();
    machine.configure("{}");
    const document = await list(machine);
    expect(ofMantle(document)).toEqual([]);
    expect(machine.routes()).not.toContain("ListModels");
    expect(document.models.every(({ api }) => api === "converse")).toBe(true);
  });

  it("stand beside the same model of Bedrock's, sorted with it", async () => {
    const machine = await withMantle();
    const keys = (await list(machine)).models.map(({ key }) => key);
    expect(keys).toContain("amazon-bedrock/us.anthropic.claude-opus-4-8");
    expect(keys).toContain(OPUS);
    const providers = (await list(machine)).models.map(({ provider }) => provider);
    // Each provider's models are together.
    expect(providers.filter((provider, index) => provider !== providers[index - 1])).toEqual([
      ...new Set(providers),
    ]);
  });

  it.each([
    [["--provider", "xai"], ["xai.grok-4.3"]],
    [
      ["--search", "gemma"],
      ["google.gemma-3-27b-it", "google.gemma-4-31b"],
    ],
  ])("are filtered with %j", async (flags, ids) => {
    expect(
      ofMantle(await list(await withMantle(), flags))
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids);
  });

  it("are filtered by providerFilter, which may name a provider that only they have", async () => {
    const settings = {
      models: { bedrockDiscovery: { providerFilter: ["xai"] }, providers: { [MANTLE]: {} } },
    };
    const document = await list(await withMantle({}, {}, settings));
    expect(document.models.map(({ key }) => key)).toEqual([`${MANTLE}/xai.grok-4.3`]);
    expect(document.warnings).toEqual([]);
  });

  it("are kept on the disk with the rules of the other list: fresh, asked again, never asked", async () => {
    const machine = await withMantle();
    await list(machine);
    const asked = (): number => machine.routes().filter((route) => route === "ListModels").length;
    expect((await list(machine)).source).toBe("cache");
    expect(asked()).toBe(1);
    const offline = await list(machine, ["--offline"], { env: { AWS_ENDPOINT_URL: machine.emulator.url } });
    expect(ofMantle(offline).length).toBeGreaterThan(5);
    expect(asked()).toBe(1);
    await list(machine, ["--refresh"]);
    expect(asked()).toBe(2);
    // Another key is another identity, and another region another list.
    await list(machine, ["--region", "eu-west-1"]);
    expect(asked()).toBe(3);
  });

  it("are missed by name with --offline where nothing is kept", async () => {
    const { warnings, models } = await list(await withMantle(), ["--offline"]);
    expect(models).toEqual([]);
    expect(warnings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("No list of the models of bedrock-mantle is cached"),
    );
  });

  it("stay listed as they were while their endpoint is out of order", async () => {
    let isBroken = false;
    const machine = await withMantle(
      {},
      {
        script: ({ route }) =>
          isBroken && route === "ListModels"
            ? { http: { status: 503, body: { error: { message: "x" } } } }
            : undefined,
      },
    );
    const before = ofMantle(await list(machine));
    isBroken = true;
    const after = await list(machine, ["--refresh"], { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(ofMantle(after)).toEqual(before);
    expect(after.source).toBe("network");
    expect(after.warnings).toMatchObject([
      { code: "service-unavailable", message: expect.stringContaining("an older one is shown") },
    ]);
  });

  it.each([403, 401])("are missed with the permission that lacks, with status %i", async (status) => {
    const { models, warnings } = await list(await withMantle({}, { script: denied(status) }));
    expect(models.length).toBeGreaterThan(20);
    expect(warnings).toMatchObject([
      {
        code: "access-denied",
        message: expect.stringMatching(/bedrock-mantle could not be listed: .*bedrock-mantle:ListModels/),
        hint: expect.stringContaining("openclaw iam policy"),
      },
    ]);
  });

  it("are those of the address that is set, whatever API's path stands behind it", async () => {
    const { emulator } = await emulate();
    for (const end of ["", "/", "/v1", "/openai/v1/", "/anthropic"]) {
      const machine = await withMantle({ baseUrl: `${emulator.url}${end}` });
      const env = { AWS_ENDPOINT_URL: "", AWS_ENDPOINT_URL_BEDROCK: machine.emulator.url };
      expect([end, ofMantle(await list(machine, [], { env })).length > 5]).toEqual([end, true]);
    }
    expect(emulator.calls.map(({ path }) => path)).toEqual(Array.from({ length: 5 }, () => "/v1/models"));
  });

  it("are asked for with AWS_ENDPOINT_URL_BEDROCK_MANTLE, and in the region of a regional address", async () => {
    const machine = await withMantle({ baseUrl: "https://bedrock-mantle.eu-north-1.api.aws" });
    const env = { AWS_ENDPOINT_URL_BEDROCK_MANTLE: machine.emulator.url, AWS_REGION: "us-west-2" };
    const [model] = ofMantle(await list(machine, [], { env }));
    expect(model?.regions).toEqual(["eu-north-1"]);
    const regions = machine.emulator.calls.map(({ route, region }) => `${route} ${region}`);
    expect(regions).toContain("ListModels eu-north-1");
    expect(regions).toContain("ListFoundationModels us-west-2");
    const [flagged] = ofMantle(await list(machine, ["--region", "eu-west-2"], { env }));
    expect(flagged?.regions).toEqual(["eu-west-2"]);
  });

  it("are not asked for where discovery is off, and those of the settings are listed", async () => {
    const settings = {
      models: {
        bedrockDiscovery: { enabled: false },
        providers: { [MANTLE]: { models: [{ id: "zai.glm-4.7" }] } },
      },
    };
    const machine = await withMantle({}, {}, settings);
    const models = (await list(machine)).models;
    expect(models).toMatchObject([{ key: `${MANTLE}/zai.glm-4.7`, kind: "configured", missing: false }]);
    expect(machine.routes()).toEqual([]);
  });

  it("are marked where the settings name one that is not there", async () => {
    const machine = await withMantle({
      models: [{ id: "zai.glm-1" }, { id: "zai.glm-4.7", name: "My GLM" }],
    });
    const models = ofMantle(await list(machine));
    expect(models.find(({ id }) => id === "zai.glm-1")).toMatchObject({ missing: true, available: false });
    expect(models.filter(({ id }) => id === "zai.glm-4.7")).toMatchObject([
      { name: "My GLM", missing: false, tags: ["configured"] },
    ]);
  });

  it("are printed again as they were while neither list has changed", async () => {
    const machine = await withMantle();
    const print = async (): Promise<string> => (await machine.run(["models", "list", "--plain"])).stdout;
    await print();
    await wait(1100);
    const printed = await print();
    const folder = path.join(machine.home, ".openclaw", "cache");
    const ready = readdirSync(folder).find((name) => name.startsWith("ready-")) ?? "";
    const file = path.join(folder, ready);
    const entry = JSON.parse(readFileSync(file, "utf8")) as { text: string; files: Record<string, string> };
    writeFileSync(file, JSON.stringify({ ...entry, text: "kept\n" }));
    expect(await print()).toBe("kept\n");
    await list(machine, ["--refresh"]);
    expect(await print()).toBe(printed);
  });
});

describe("a model of bedrock-mantle by another name than its key", () => {
  it.each([
    ["a bare id that is at Mantle only", "openai.gpt-5.5", "openai.gpt-5.5"],
    ["a bare id that AWS's other list does not have", "deepseek.v3.2", "deepseek.v3.2"],
    ["a printed name", "GPT-5.4", "openai.gpt-5.4"],
    ["a family and its version", "grok 4.3", "xai.grok-4.3"],
    ["a family", "grok", "xai.grok-4.3"],
    ["another spelling", "Gemma-4 31B", "google.gemma-4-31b"],
  ])("%s is taken with a notice: %s", async (_, typed, id) => {
    const machine = await withMantle();
    const key = `${MANTLE}/${id}`;
    const shown = await machine.run(["models", "show", typed, "--json"]);
    expect(shown.stderr).toBe(`openclaw: ${typed} is ${key}\n`);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      key,
      kind: "foundation-model",
      apiEndpoint: "bedrock-mantle",
    });
    expect(await machine.run(["models", "set", typed])).toMatchObject({ code: 0 });
    expect((await machine.run(["config", "get", "agents.defaults.model"])).stdout).toBe(`${key}\n`);
    const quota = await machine.run(["quota", typed, "--json"]);
    expect(quota.stderr).toContain(`${typed} is ${key}`);
  });

  it.each([
    ["openai.gpt-5.5", "/openai/v1/responses"],
    ["grok", "/openai/v1/chat/completions"],
    ["Gemma-4 31B", "/openai/v1/chat/completions"],
  ])("%s is asked at Mantle by chat", async (typed, path) => {
    const machine = await withMantle();
    const answer = await machine.run(["chat", "-m", typed, "Hi"]);
    expect(answer.code, answer.stderr).toBe(0);
    expect(answer.stderr).toMatch(/^openclaw: .+ is amazon-bedrock-mantle\/\S+\n$/);
    expect(machine.emulator.calls.at(-1)).toMatchObject({ path, service: "bedrock-mantle" });
  });

  it.each([
    ["grok", "xai.grok-4.3"],
    ["GPT-5.4", "openai.gpt-5.4"],
    ["openai.gpt-5.5", "openai.gpt-5.5"],
  ])("%s as the default is the same model for chat, models list, doctor and iam policy", async (name, id) => {
    const machine = await withMantle();
    const config = { agents: { defaults: { model: name } }, models: { providers: { [MANTLE]: {} } } };
    machine.configure(JSON.stringify(config));
    const chat = await machine.run(["chat", "--json", "Hi"]);
    expect(JSON.parse(chat.stdout)).toMatchObject({ model: id });
    const { models } = await list(machine);
    expect(models[0]).toMatchObject({ key: `${MANTLE}/${id}`, missing: false, tags: ["default"] });
    expect(models.filter(({ key }) => key.endsWith(`/${name}`) && key !== `${MANTLE}/${id}`)).toEqual([]);
    const doctor = await machine.run(["doctor"]);
    expect(doctor.stdout).toMatch(
      new RegExp(`^ok +default model +${id}, at bedrock-mantle in us-east-1$`, "m"),
    );
    const policy = await machine.run(["iam", "policy", "--for", "chat"]);
    expect(policy.stderr).toBe("");
    expect(policy.stdout).toContain("bedrock-mantle:CreateInference");
    expect(policy.stdout).not.toContain("bedrock:InvokeModel");
  });

  it("is suggested by its key where its whole id was asked for at the other endpoint", async () => {
    const machine = await withMantle();
    const { code, stderr } = await machine.run(["chat", "-m", "deepseek.v3.2", "Hi"]);
    expect(code).toBe(6);
    expect(stderr).toContain(`hint: Did you mean ${MANTLE}/deepseek.v3.2?`);
  });

  it.each(["us.openai.gpt-5.5", "amazon-bedrock/openai.gpt-5.5"])(
    "is not what %s means, which names a geography or an endpoint of its own",
    async (typed) => {
      const machine = await withMantle();
      const { code, stderr } = await machine.run(["models", "set", typed]);
      expect(code).toBe(6);
      expect(stderr).toContain(`${MANTLE}/openai.gpt-5.5`);
    },
  );

  it("is never looked for while its provider is not configured, or where AWS's other list has the name", async () => {
    const machine = await emulate();
    expect(await machine.run(["chat", "-m", "grok", "Hi"])).toMatchObject({ code: 6 });
    expect(machine.routes()).not.toContain("ListModels");
    const both = await withMantle();
    const { stdout } = await both.run(["models", "show", "gpt-oss-120b", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ key: "amazon-bedrock/openai.gpt-oss-120b-1:0" });
  });
});

describe("what bedrock-mantle alone has", () => {
  it("has gates of which only some are known, and no error", async () => {
    const machine = await withMantle();
    const { code, stdout, stderr } = await machine.run([
      "models",
      "access",
      `${MANTLE}/xai.grok-4.3`,
      "--json",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const document = JSON.parse(stdout) as { gates: { name: string; status: string }[] };
    expectSchema("models-access", document);
    expect(Object.fromEntries(document.gates.map(({ name, status }) => [name, status]))).toMatchObject({
      region: "open",
      authorization: "unknown",
      form: "not-needed",
      agreement: "unknown",
      retention: "open",
    });
  });

  it("is no gate of what its list does not have, either, and the refusal names the model", async () => {
    const machine = await withMantle();
    machine.configure("{}");
    const { code, stderr } = await machine.run(["models", "access", "us.openai.gpt-5.4"]);
    expect(code).toBe(6);
    expect(stderr).toContain("AWS knows no model 'openai.gpt-5.4' in us-east-1.");
  });

  it.each(["xai.grok-4.3", "anthropic.claude-sonnet-5"])(
    "%s has the quota of that endpoint and no other, and no use that nobody has counted",
    async (id) => {
      const machine = await withMantle();
      const { stdout, stderr } = await machine.run(["quota", `${MANTLE}/${id}`, "--json"]);
      expect(stderr).toBe("");
      expectSchema("quota", JSON.parse(stdout));
      expect(JSON.parse(stdout)).toMatchObject({
        models: [{ model: id, ways: [{ id, scope: "mantle", used: null }] }],
      });
      expect(machine.routes()).not.toContain("GetMetricData");
      const piped = await machine.run(["quota", `${MANTLE}/${id}`]);
      expect(piped.stdout).toMatch(/^\S+\tmantle\t\t(\d+\+\d+)?\t\t\t\t\n$/);
    },
  );
});

describe("one model of bedrock-mantle", () => {
  it("is shown with its API, path and where that is said", async () => {
    const machine = await withMantle();
    const { stdout } = await machine.run(["models", "show", `${MANTLE}/google.gemma-4-31b`, "--json"]);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expectSchema("models-show", document);
    expect(document).toMatchObject({
      api: "openai-completions",
      apiEndpoint: "bedrock-mantle",
      apiPath: "/openai/v1",
      apiSource: expect.stringContaining("docs.aws.amazon.com"),
      call: expect.stringContaining(`--model ${MANTLE}/google.gemma-4-31b`),
      profiles: [],
    });
    const shown = await machine.run(["models", "show", OPUS]);
    expect(shown.stdout).toMatch(
      /^api +Messages \(\/anthropic\/v1\) of bedrock-mantle \(AWS, models-api-compatibility\)$/m,
    );
  });

  it("is shown, set and made a name without its provider being configured", async () => {
    const machine = await emulate();
    machine.configure("{}");
    expect(await machine.run(["models", "show", OPUS])).toMatchObject({ code: 0 });
    expect(await machine.run(["models", "set", OPUS])).toMatchObject({
      code: 0,
      stdout: `Default model: ${OPUS}\n`,
    });
    const [first] = (await list(machine)).models;
    expect(first).toMatchObject({ key: OPUS, tags: ["default"], api: "anthropic-messages" });
  });

  it.each([
    ["us.anthropic.claude-opus-4-8", "anthropic.claude-opus-4-8"],
    ["anthropic.claude-opus-4-9", "anthropic.claude-opus-4-8"],
    ["xai.grok-4", "xai.grok-4.3"],
  ])("is not set by %s, and %s is what was meant", async (typed, nearest) => {
    const machine = await withMantle();
    const { code, stdout } = await machine.run(["models", "set", `${MANTLE}/${typed}`, "--json"]);
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
      code: 6,
      error: {
        code: "model-not-found",
        details: { nearest: expect.arrayContaining([`${MANTLE}/${nearest}`]) },
      },
    });
  });

  it("is pointed to where it was named as one of the runtime's, which AWS lists there and does not call", async () => {
    const id = "xai.grok-4.3";
    const known = MODELS.find(({ modelId }) => modelId === "amazon.nova-lite-v1:0");
    if (!known) throw new Error("The emulator has no Nova Lite.");
    const own = { ...known, modelId: id, providerName: "xAI", canConverse: false };
    const machine = await emulate({ models: [...MODELS, own] });
    machine.configure("{}");
    const shown = await machine.run(["models", "show", id]);
    expect(shown.stdout).toMatch(new RegExp(`^call it +openclaw chat --model ${MANTLE}/${id} "Hello"$`, "m"));
    const set = await machine.run(["models", "set", id]);
    expect(set).toMatchObject({ code: 6, stderr: expect.stringContaining(`${MANTLE}/${id}`) });
    const keys = (await list(machine)).models.map(({ key }) => key);
    expect(keys.filter((key) => key.includes("grok"))).toEqual([]);
  });

  it("is what was meant by its bare id where its provider is not configured", async () => {
    const id = "xai.grok-4.3";
    const machine = await emulate();
    for (const command of ["show", "set"]) {
      const { code, stderr } = await machine.run(["models", command, id]);
      expect({ code, stderr }).toEqual({
        code: 6,
        stderr: `error: There is no model '${id}'.\nhint: Did you mean ${MANTLE}/${id}?\n`,
      });
    }
  });

  it("is taken for its bare id where the catalog has never heard of it", async () => {
    const id = "zai.glm-4.6-air";
    const known = MANTLE_MODELS.find(({ modelId }) => modelId === "zai.glm-4.7");
    if (!known) throw new Error("The emulator has no GLM.");
    const machine = await emulate({ mantleModels: [...MANTLE_MODELS, { ...known, modelId: id }] });
    machine.configure(JSON.stringify({ models: { providers: { [MANTLE]: {} } } }));
    for (const command of [
      ["models", "show", id],
      ["models", "set", id],
      ["chat", "-m", id, "Hi"],
    ])
      expect(await machine.run(command)).toMatchObject({
        code: 0,
        stderr: `openclaw: ${id} is ${MANTLE}/${id}\n`,
      });
  });

  it("is found by the name that it is printed under", async () => {
    const machine = await withMantle();
    expect(await machine.run(["models", "set", `${MANTLE}/grok`])).toMatchObject({
      code: 0,
      stdout: `Default model: ${MANTLE}/xai.grok-4.3\n`,
      stderr: expect.stringContaining(`${MANTLE}/grok is ${MANTLE}/xai.grok-4.3`),
    });
  });

  it("is completed by its key, from the kept list", async () => {
    const machine = await withMantle();
    await list(machine);
    const { stdout } = await machine.run(["complete", "fish", "--", "chat", "--model", `${MANTLE}/xai`]);
    expect(stdout).toContain(`${MANTLE}/xai.grok-4.3`);
  });

  it("has no access that AWS could be asked about", async () => {
    const machine = await withMantle();
    const { stdout } = await machine.run(["models", "show", OPUS, "--access", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      access: { status: "unknown", reason: expect.stringContaining("bedrock-mantle") },
    });
    expect(machine.routes()).not.toContain("GetFoundationModelAvailability");
  });
});
