import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ListedModel } from "../../src/models/list.ts";
import type { ScriptedAnswer } from "../../src/emulator/emulator.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { createHome, openclaw, start } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";

interface Document {
  region: string;
  source: string;
  fetchedAt: string | null;
  count: number;
  models: ListedModel[];
  warnings: { code: string; message: string; hint: string }[];
  error?: { code: string; message: string; hint: string; exitCode: number };
}

async function list(emulated: Emulated, args: string[] = [], env: Record<string, string | undefined> = {}) {
  const result = await emulated.run(["models", "list", "--json", ...args], { env });
  const document = JSON.parse(result.stdout) as Document;
  expectSchema("models-list", document);
  return { ...result, document, ids: document.models.map(({ id }) => id) };
}

const denied: ScriptedAnswer = {
  error: {
    name: "AccessDeniedException",
    status: 403,
    message:
      "User: arn:aws:sts::123456789012:assumed-role/EC2-Bedrock-Access/i-0abc is not authorized to perform: " +
      "bedrock:ListFoundationModels because no identity-based policy allows the bedrock:ListFoundationModels action",
  },
};

const configured = `{
  // a model of our own
  models: { providers: { "amazon-bedrock": { models: [{ id: "us.amazon.nova-lite-v1:0", name: "Ours" }] } } },
}`;

describe("what is listed", () => {
  it("lists models that stream text, and profiles in place of the models they reach", async () => {
    const { document, ids, code } = await list(await emulate());
    expect(code).toBe(0);
    expect(document).toMatchObject({
      source: "network",
      region: "us-east-1",
      count: ids.length,
      warnings: [],
    });
    expect(ids).toContain("amazon.nova-lite-v1:0");
    expect(ids).toContain("us.anthropic.claude-opus-4-6-v1");
    expect(ids).toContain("global.anthropic.claude-opus-4-6-v1");
    // Reachable only through the profiles above.
    expect(ids).not.toContain("anthropic.claude-opus-4-6-v1");
    // Embedding, image, speech, legacy.
    expect(ids.filter((id) => /embed|canvas|image|sonic|claude-3-7-sonnet|\d+k$/.test(id))).toEqual([]);
  });

  it("names application profiles by their ARN and takes their facts from the base model", async () => {
    const { document } = await list(await emulate());
    const profile = document.models.find(({ kind }) => kind === "application-profile");
    expect(profile?.id).toMatch(/^arn:aws:bedrock:us-east-1:\d{12}:application-inference-profile\//);
    expect(profile).toMatchObject({ limitsSource: "catalog", provider: "Amazon" });
  });

  it("shows legacy, provisioned-only and profile-only models with --all, tagged", async () => {
    const { document } = await list(await emulate(), ["--all"]);
    const tagsOf = (id: string) => document.models.find((model) => model.id === id)?.tags;
    expect(tagsOf("anthropic.claude-opus-4-6-v1")).toEqual(["needs-profile"]);
    expect(tagsOf("anthropic.claude-3-haiku-20240307-v1:0:48k")).toEqual(["provisioned"]);
    // AWS gives this one no inference types at all.
    expect(tagsOf("anthropic.claude-3-haiku-20240307-v1:0:200k")).toEqual(["provisioned"]);
    expect(document.models.some(({ tags }) => tags.includes("legacy"))).toBe(true);
  });

  it("asks for all pages of profiles, of the system's and of the account's", async () => {
    const emulated = await emulate();
    await list(emulated);
    const routes = emulated.routes();
    expect(routes.filter((route) => route === "ListFoundationModels")).toHaveLength(1);
    const types = emulated.emulator.calls
      .filter(({ route }) => route === "ListInferenceProfiles")
      .map(({ query }) => query["type"]);
    expect(new Set(types)).toEqual(new Set([undefined, "APPLICATION"]));
  });

  it.each([
    ["mistral", "Mistral AI"],
    ["Mistral AI", "Mistral AI"],
    ["mistralai", "Mistral AI"],
    ["anthropic", "Anthropic"],
  ])("providerFilter %s lists only models of %s, profiles too", async (filter, provider) => {
    const emulated = await emulate();
    emulated.configure(`{ models: { bedrockDiscovery: { providerFilter: ["${filter}"] } } }`);
    const { document } = await list(emulated);
    expect(new Set(document.models.map((model) => model.provider))).toEqual(new Set([provider]));
    expect(document.models.some(({ kind }) => kind === "inference-profile")).toBe(true);
  });

  it("--provider and --search narrow what is shown, and may be given together", async () => {
    const emulated = await emulate();
    const { ids } = await list(emulated, ["--provider", "amazon", "--provider", "Meta", "--search", "LITE"]);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.every((id) => id.includes("nova") && id.includes("lite"))).toBe(true);
  });

  it("--plain prints one key a line", async () => {
    const emulated = await emulate();
    const { stdout } = await emulated.run(["models", "list", "--plain"]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.every((line) => /^amazon-bedrock\/\S+$/.test(line))).toBe(true);
  });

  it("prints complete lines without colour or title in a pipe", async () => {
    const emulated = await emulate();
    const { stdout, stderr } = await emulated.run(["models", "list"]);
    expect(stdout).not.toContain("\u001B");
    expect(
      stdout.split("\n").find((line) => line.startsWith("amazon-bedrock/us.anthropic.claude-opus-4-6-v1")),
    ).toMatch(
      /^\S+\tUS Anthropic Claude Opus 4\.6\ttext\+image\+document\t\d+\t\d+\t[\d.]+\t[\d.]+\treasoning\t$/,
    );
    expect(stderr).toBe("");
  });
});

describe("the configuration", () => {
  it("lists default, fallbacks and configured models first, in their order", async () => {
    const emulated = await emulate();
    emulated.configure(`{
      models: { providers: { "amazon-bedrock": { models: [{ id: "amazon.nova-pro-v1:0" }, { id: "amazon.nova-micro-v1:0" }] } } },
      agents: { defaults: {
        model: { primary: "amazon-bedrock/us.anthropic.claude-sonnet-4-6", fallbacks: ["amazon-bedrock/amazon.nova-micro-v1:0"] },
        models: { "amazon-bedrock/amazon.nova-pro-v1:0": { alias: "pro" } },
      } },
    }`);
    const { document } = await list(emulated);
    expect(document.models.slice(0, 3).map(({ id, tags }) => [id, tags])).toEqual([
      ["us.anthropic.claude-sonnet-4-6", ["default"]],
      ["amazon.nova-micro-v1:0", ["fallback#1", "configured"]],
      ["amazon.nova-pro-v1:0", ["configured", "alias:pro"]],
    ]);
    expect(document.models.filter(({ id }) => id === "amazon.nova-pro-v1:0")).toHaveLength(1);
  });

  it("takes limits and price from the config before the catalog, and zeros as unknown", async () => {
    const emulated = await emulate();
    emulated.configure(`{ models: { providers: { "amazon-bedrock": { models: [
      { id: "amazon.nova-pro-v1:0", contextWindow: 1234, maxTokens: 56, cost: { input: 9, output: 10 }, input: ["text"], reasoning: true },
      { id: "amazon.nova-micro-v1:0", cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } },
    ] } } } }`);
    const { document } = await list(emulated);
    expect(document.models[0]).toMatchObject({
      contextWindow: 1234,
      maxTokens: 56,
      limitsSource: "config",
      cost: { input: 9, output: 10 },
      input: "text",
      reasoning: true,
    });
    expect(document.models[1]?.cost).toMatchObject({ input: 0.035, output: 0.14 });
  });

  it("applies defaultContextWindow and defaultMaxTokens only where nothing else is known", async () => {
    const emulated = await emulate();
    emulated.configure(
      "{ models: { bedrockDiscovery: { defaultContextWindow: 777, defaultMaxTokens: 77 } } }",
    );
    const { document } = await list(emulated);
    const unknown = document.models.filter(({ limitsSource }) => limitsSource === "default");
    expect(unknown.length).toBeGreaterThan(0);
    expect(unknown.every((model) => model.contextWindow === 777 && model.maxTokens === 77)).toBe(true);
    expect(document.models.find(({ id }) => id === "amazon.nova-lite-v1:0")?.contextWindow).toBe(300_000);
  });

  it("uses 32000 and 4096 tokens where nothing is set", async () => {
    const { document } = await list(await emulate());
    const unknown = document.models.find(({ limitsSource }) => limitsSource === "default");
    expect(unknown).toMatchObject({ contextWindow: 32_000, maxTokens: 4096 });
  });

  it("asks nothing with enabled: false", async () => {
    const emulated = await emulate();
    emulated.configure(configured.replace("providers:", "bedrockDiscovery: { enabled: false }, providers:"));
    const { document, ids } = await list(emulated);
    expect(ids).toEqual(["us.amazon.nova-lite-v1:0"]);
    expect(document.source).toBe("config");
    expect(emulated.routes()).toEqual([]);
  });

  it("discovers in models.bedrockDiscovery.region", async () => {
    const emulated = await emulate();
    emulated.configure('{ models: { bedrockDiscovery: { region: "eu-west-1" } } }');
    const { document, ids } = await list(emulated, [], { AWS_REGION: "us-west-2" });
    expect(document.region).toBe("eu-west-1");
    expect(new Set(emulated.emulator.calls.map(({ region }) => region))).toEqual(new Set(["eu-west-1"]));
    expect(ids).toContain("eu.anthropic.claude-opus-4-6-v1");
  });

  it("reads discovery settings of the plugin's entry where models.bedrockDiscovery lacks them", async () => {
    const emulated = await emulate();
    emulated.configure(`{
      models: { bedrockDiscovery: { region: "eu-west-1" } },
      plugins: { entries: { "amazon-bedrock": { config: { discovery: { region: "us-west-2", providerFilter: ["amazon"] } } } } },
    }`);
    const { document } = await list(emulated);
    expect(document.region).toBe("eu-west-1");
    expect(new Set(document.models.map(({ provider }) => provider))).toEqual(new Set(["Amazon"]));
  });

  it.each([
    [{ AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "us-west-2" }, "eu-central-1"],
    [{ AWS_DEFAULT_REGION: "eu-west-1" }, "eu-west-1"],
    [{ AWS_REGION: "  ", AWS_DEFAULT_REGION: "eu-west-1" }, "eu-west-1"],
    [{}, "us-east-1"],
  ])("signs for the region that %j names", async (env, region) => {
    const emulated = await emulate();
    const { document } = await list(emulated, [], env);
    expect(document.region).toBe(region);
    expect(new Set(emulated.emulator.calls.map((call) => call.region))).toEqual(new Set([region]));
  });
});

describe("the cache", () => {
  const onlyFile = (home: string): string => {
    const folder = path.join(home, ".openclaw", "cache");
    const name = readdirSync(folder).find((entry) => entry.endsWith(".json")) ?? "";
    return path.join(folder, name);
  };

  it("answers the second list without a call, and is private", async () => {
    const emulated = await emulate();
    await list(emulated);
    const calls = emulated.emulator.calls.length;
    const { document } = await list(emulated);
    expect(document.source).toBe("cache");
    expect(emulated.emulator.calls).toHaveLength(calls);
    expect(statSync(onlyFile(emulated.home)).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(onlyFile(emulated.home))).mode & 0o777).toBe(0o700);
    expect(readFileSync(onlyFile(emulated.home), "utf8")).not.toContain(emulated.emulator.secretAccessKey);
  });

  it("serves other filters from the same list", async () => {
    const emulated = await emulate();
    await list(emulated);
    const calls = emulated.emulator.calls.length;
    emulated.configure('{ models: { bedrockDiscovery: { providerFilter: ["meta"] } } }');
    const { document } = await list(emulated);
    expect(new Set(document.models.map(({ provider }) => provider))).toEqual(new Set(["Meta"]));
    expect(emulated.emulator.calls).toHaveLength(calls);
  });

  it("asks again with --refresh, with refreshInterval 0, and when the list is older than refreshInterval", async () => {
    const emulated = await emulate();
    await list(emulated);
    expect((await list(emulated, ["--refresh"])).document.source).toBe("network");
    const file = onlyFile(emulated.home);
    const entry = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...entry, fetchedAt: Date.now() - 3_601_000 }));
    expect((await list(emulated)).document.source).toBe("network");
    const hasBeenSetBack = { ...entry, fetchedAt: Date.now() + 3_601_000 };
    for (const flags of [[], ["--refresh"]]) {
      writeFileSync(file, JSON.stringify(hasBeenSetBack));
      expect((await list(emulated, flags)).document.source).toBe("network");
    }
    emulated.configure("{ models: { bedrockDiscovery: { refreshInterval: 0 } } }");
    expect((await list(emulated)).document.source).toBe("network");
  });

  it("never mixes regions, keys or endpoints", async () => {
    const emulated = await emulate({
      accessKeys: { AKIAOTHERACCOUNT00001: { secretAccessKey: "other-secret" } },
    });
    await list(emulated);
    expect((await list(emulated, ["--region", "eu-west-1"])).document.source).toBe("network");
    const other = { AWS_ACCESS_KEY_ID: "AKIAOTHERACCOUNT00001", AWS_SECRET_ACCESS_KEY: "other-secret" };
    expect((await list(emulated, [], other)).document.source).toBe("network");
    expect((await list(emulated)).document.source).toBe("cache");
  });

  it("ignores a corrupt cache", async () => {
    const emulated = await emulate();
    await list(emulated);
    for (const text of [
      "{",
      "[]",
      '{"form":2}',
      '{"form":2,"region":"us-east-1","fetchedAt":9e15,"models":[5],"profiles":[],"warnings":[]}',
    ]) {
      writeFileSync(onlyFile(emulated.home), text);
      expect((await list(emulated)).document.source).toBe("network");
    }
  });

  it("makes one set of calls for processes that start together", async () => {
    const emulated = await emulate();
    const results = await Promise.all(Array.from({ length: 8 }, () => list(emulated)));
    expect(results.every(({ code, ids }) => code === 0 && ids.length > 20)).toBe(true);
    expect(emulated.routes().filter((route) => route === "ListFoundationModels")).toHaveLength(1);
  }, 60_000);

  it("--offline prints what is cached and never asks", async () => {
    const emulated = await emulate();
    const empty = await list(emulated, ["--offline"]);
    expect(empty).toMatchObject({
      code: 0,
      document: { count: 0, source: "config", warnings: [{ code: "network" }] },
    });
    expect(emulated.routes()).toEqual([]);
    await list(emulated);
    const calls = emulated.emulator.calls.length;
    expect((await list(emulated, ["--offline"])).document).toMatchObject({ source: "cache" });
    expect(emulated.emulator.calls).toHaveLength(calls);
  });

  it("goes on without a cache when its folder cannot be made", async () => {
    const emulated = await emulate();
    emulated.configure("{}");
    writeFileSync(path.join(emulated.home, ".openclaw", "cache"), "a file where the folder should be");
    const { document, code } = await list(emulated);
    expect(code).toBe(0);
    expect(document.source).toBe("network");
  });
});

describe("failures", () => {
  it("keeps configured models when ListFoundationModels is denied, and says what is missing", async () => {
    const emulated = await emulate({
      script: ({ route }) => (route === "ListFoundationModels" ? denied : undefined),
    });
    emulated.configure(configured);
    const { document, code, ids, stderr } = await list(emulated);
    expect(code).toBe(4);
    expect(ids).toEqual(["us.amazon.nova-lite-v1:0"]);
    expect(document.error).toMatchObject({ code: "access-denied", exitCode: 4 });
    expect(document.error?.message).toContain("bedrock:ListFoundationModels");
    expect(document.error?.hint).toContain("bedrock:ListFoundationModels");
    expect(stderr).not.toMatch(/\n\s+at /);
    const text = await emulated.run(["models", "list"]);
    expect(text).toMatchObject({ code: 4 });
    expect(text.stdout).toContain("us.amazon.nova-lite-v1:0\tOurs");
  });

  it("lists foundation models when only the profiles are denied, and names the permission", async () => {
    const deniedProfiles: ScriptedAnswer = {
      error: {
        name: "AccessDeniedException",
        status: 403,
        message:
          "User: x is not authorized to perform: bedrock:ListInferenceProfiles on resource: * because no identity-based policy allows it",
      },
    };
    const emulated = await emulate({
      script: ({ route }) => (route === "ListInferenceProfiles" ? deniedProfiles : undefined),
    });
    const { document, code } = await list(emulated);
    expect(code).toBe(0);
    expect(document.warnings).toHaveLength(1);
    expect(document.warnings[0]?.message).toContain("bedrock:ListInferenceProfiles");
    expect(document.models.find(({ id }) => id === "anthropic.claude-opus-4-6-v1")?.tags).toEqual([
      "needs-profile",
    ]);
  });

  it.each<[string, ScriptedAnswer]>([
    [
      "fails on the server's side",
      { error: { name: "InternalServerException", message: "Try again.", status: 500 } },
    ],
    [
      "leads in a circle",
      {
        http: {
          status: 200,
          headers: { "content-type": "application/json" },
          body: { inferenceProfileSummaries: [], nextToken: "same" },
        },
      },
    ],
    [
      "is no list",
      {
        http: {
          status: 200,
          headers: { "content-type": "application/json" },
          body: { inferenceProfileSummaries: null },
        },
      },
    ],
  ])(
    "keeps a whole older list when the list of profiles %s, and never keeps the partial one",
    async (_, answer) => {
      let isBroken = false;
      const emulated = await emulate({
        script: ({ route }) => (isBroken && route === "ListInferenceProfiles" ? answer : undefined),
      });
      const before = await list(emulated);
      isBroken = true;
      const { document, code, ids } = await list(emulated, ["--refresh"], { AWS_MAX_ATTEMPTS: "1" });
      expect({ code, source: document.source, ids }).toEqual({ code: 0, source: "stale", ids: before.ids });
      expect(document.warnings).toHaveLength(1);
      const elsewhere = await list(emulated, ["--region", "eu-west-1"], { AWS_MAX_ATTEMPTS: "1" });
      expect(elsewhere).toMatchObject({ code: 0, document: { source: "network" } });
      expect(elsewhere.document.warnings).toHaveLength(1);
      isBroken = false;
      const after = await list(emulated, ["--region", "eu-west-1"]);
      expect(after.document.source).toBe("network");
      expect(after.ids.length).toBeGreaterThan(elsewhere.ids.length);
    },
  );

  it("prints the older list when the refresh is throttled", async () => {
    let isThrottled = false;
    const throttled: ScriptedAnswer = {
      error: { name: "ThrottlingException", message: "Rate exceeded", status: 429 },
    };
    const emulated = await emulate({ script: () => (isThrottled ? throttled : undefined) });
    const before = await list(emulated);
    isThrottled = true;
    const { document, code, ids } = await list(emulated, ["--refresh"], { AWS_MAX_ATTEMPTS: "1" });
    expect(code).toBe(0);
    expect(document.source).toBe("stale");
    expect(document.warnings).toMatchObject([{ code: "throttled" }]);
    expect(ids).toEqual(before.ids);
  });

  it("ends in 5 when AWS is throttled and nothing is cached", async () => {
    const emulated = await emulate({
      script: () => ({ error: { name: "ThrottlingException", message: "Rate exceeded", status: 429 } }),
    });
    const { code, document } = await list(emulated, [], { AWS_MAX_ATTEMPTS: "1" });
    expect(code).toBe(5);
    expect(document.error).toMatchObject({ code: "throttled", exitCode: 5 });
  });

  it.each<[string, ScriptedAnswer, string, number]>([
    [
      "a captive portal's page",
      { http: { status: 200, headers: { "content-type": "text/html" }, body: "<html>Log in</html>" } },
      "bad-response",
      5,
    ],
    [
      "a redirect",
      { http: { status: 302, headers: { location: "http://127.0.0.1:9/login" } } },
      "bad-response",
      5,
    ],
    [
      "an answer without a list",
      { http: { status: 200, headers: { "content-type": "application/json" }, body: "{}" } },
      "bad-response",
      5,
    ],
    ["a connection that is reset", { drop: "reset" }, "network", 5],
  ])("takes %s for what it is", async (_, answer, errorCode, exitCode) => {
    const emulated = await emulate({ script: () => answer });
    const { code, document } = await list(emulated, [], { AWS_MAX_ATTEMPTS: "1" });
    expect(document.error).toMatchObject({ code: errorCode });
    expect(code).toBe(exitCode);
  });

  it("says when nothing listens at the endpoint", async () => {
    const emulated = await emulate();
    const { code, document } = await list(emulated, ["--endpoint-url", "http://127.0.0.1:1"], {
      AWS_MAX_ATTEMPTS: "1",
    });
    expect(code).toBe(5);
    expect(document.error?.code).toBe("network");
    expect(document.error?.message).toContain("127.0.0.1:1");
  });

  it("rejects a wrong secret as what it is", async () => {
    const { code, document } = await list(await emulate(), [], { AWS_SECRET_ACCESS_KEY: "wrong" });
    expect(code).toBe(4);
    expect(document.error?.code).toBe("credentials-rejected");
  });
});

describe("without credentials", () => {
  it("lists configured models with a notice and exit 0 when discovery is not demanded", async () => {
    const emulated = await emulate();
    emulated.configure(configured);
    const nobody = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const { code, ids, document } = await list(emulated, [], nobody);
    expect(code).toBe(0);
    expect(ids).toEqual(["us.amazon.nova-lite-v1:0"]);
    expect(document.warnings).toMatchObject([{ code: "no-credentials" }]);
    expect(document.models[0]?.available).toBe(false);
  });

  it("ends in 4 when there is nothing to list", async () => {
    const result = await openclaw(["models", "list", "--json"], createHome());
    expect(result.code).toBe(4);
    expect(JSON.parse(result.stdout)).toMatchObject({ count: 0, error: { code: "no-credentials" } });
    expect(result.stderr).toContain("error: ");
  });

  it("ends in 4 with the configured models printed when discovery is demanded", async () => {
    const emulated = await emulate();
    emulated.configure(configured.replace("providers:", "bedrockDiscovery: { enabled: true }, providers:"));
    const nobody = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const { code, ids, document } = await list(emulated, [], nobody);
    expect(code).toBe(4);
    expect(ids).toEqual(["us.amazon.nova-lite-v1:0"]);
    expect(document.error?.code).toBe("no-credentials");
  });
});

it.each(["us west", "US-EAST-1", "evil.com/#"])(
  "refuses AWS_REGION=%s by name before any call",
  async (region) => {
    const emulated = await emulate();
    const { code, stdout } = await emulated.run(["models", "list", "--json"], {
      env: { AWS_REGION: region },
    });
    expect(code).toBe(3);
    const { error } = JSON.parse(stdout);
    expect(error.code).toBe("config-invalid");
    expect(error.message).toContain(region);
    expect(error.message).toContain("AWS_REGION");
    expect(emulated.routes()).toEqual([]);
  },
);

it("keeps a line a model whatever its id and name hold", async () => {
  const odd = {
    modelId: "evil.red",
    modelArn: "arn:aws:bedrock:us-east-1::foundation-model/evil.red",
    modelName: "A\tname\nof \u001B]0;lines\u0007",
    providerName: "Evil",
    inputModalities: ["TEXT"],
    outputModalities: ["TEXT"],
    responseStreamingSupported: true,
    inferenceTypesSupported: ["ON_DEMAND"],
    modelLifecycle: { status: "ACTIVE" },
  };
  const emulated = await emulate({
    script: ({ route }) =>
      route === "ListFoundationModels"
        ? {
            http: {
              status: 200,
              headers: { "content-type": "application/json" },
              body: { modelSummaries: [odd] },
            },
          }
        : undefined,
  });
  const { stdout } = await emulated.run(["models", "list"]);
  const lines = stdout.replace(/\n$/, "").split("\n");
  expect(lines.every((line) => line.split("\t").length === 9)).toBe(true);
  const plain = await emulated.run(["models", "list", "--plain"]);
  expect(plain.stdout.trimEnd().split("\n")).toHaveLength(lines.length);
});

it("refuses --json together with --plain", async () => {
  expect((await (await emulate()).run(["models", "list", "--plain", "--json"])).code).toBe(2);
});

it("refuses --refresh together with --offline", async () => {
  const { code, stderr } = await (await emulate()).run(["models", "list", "--refresh", "--offline"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--offline");
});

it.each([
  ["a configuration that cannot be read", "{", {}, "config-invalid", 3],
  ["a region that is none", "{}", { AWS_REGION: "nope_x" }, "config-invalid", 3],
  ["an endpoint that is none", "{}", { AWS_ENDPOINT_URL_BEDROCK: "nope" }, "config-invalid", 3],
  ["half a pair of keys", "{}", { AWS_SECRET_ACCESS_KEY: undefined }, "no-credentials", 4],
  ["a number of attempts that is none", "{}", { AWS_MAX_ATTEMPTS: "abc" }, "config-invalid", 3],
  ["a wish for FIPS that is none", "{}", { AWS_USE_FIPS_ENDPOINT: "maybe" }, "config-invalid", 3],
])("prints its own document with the error at %s", async (_, config, env, code, exitCode) => {
  const emulated = await emulate();
  emulated.configure(config);
  const result = await list(emulated, [], env);
  expect(result.code).toBe(exitCode);
  expect(result.document).toMatchObject({
    source: "config",
    count: 0,
    models: [],
    error: { code, exitCode },
  });
});

it("prints what the configuration has where it is interrupted while it waits for AWS, with --json", async () => {
  const { emulator, home, env, configure } = await emulate({
    script: ({ route }) => (route === "ListFoundationModels" ? { drop: "stall" } : undefined),
  });
  configure(
    "{ models: { providers: { local: { baseUrl: 'http://127.0.0.1:9/v1', models: [{ id: 'mine' }] } } } }",
  );
  const child = start(["models", "list", "--json"], home, { env });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  await expect
    .poll(() => emulator.calls.some(({ route }) => route === "ListFoundationModels"), { timeout: 20_000 })
    .toBe(true);
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  const { error, ...document } = JSON.parse(stdout) as { error: object };
  expect(error).toMatchObject({ code: "interrupted", exitCode: 130 });
  expectSchema("models-list", { ...document, error });
  expect(document).toMatchObject({ count: 1, source: "config", models: [{ key: "local/mine" }] });
});
