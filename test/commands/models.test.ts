import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { createHome, emptyEnvironment, openclaw, pathWithOpenclaw } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { showOnScreen } from "../helpers/screen.ts";

const OPUS = "us.anthropic.claude-opus-4-6-v1";

function configFile(home: string): string {
  return path.join(home, ".openclaw", "openclaw.json");
}

describe("models set", () => {
  it.each([OPUS, `amazon-bedrock/${OPUS}`])("makes %s the default, which chat then calls", async (model) => {
    const emulated = await emulate();
    const set = await emulated.run(["models", "set", model]);
    expect(set).toMatchObject({ code: 0, stdout: `Default model: amazon-bedrock/${OPUS}\n`, stderr: "" });
    await emulated.run(["chat", "hi"]);
    expect(emulated.emulator.calls.at(-1)?.parameters["modelId"]).toBe(OPUS);
  });

  it("takes an alias, and keeps fallbacks and comments", async () => {
    const emulated = await emulate();
    emulated.configure(`{
  // how we call models
  agents: { defaults: { model: { primary: "x/y", fallbacks: ["amazon-bedrock/amazon.nova-micro-v1:0"] },
    models: { "amazon-bedrock/${OPUS}": { alias: "opus" } } } },
  models: { providers: { x: { baseUrl: "http://127.0.0.1:1", models: [{ id: "y" }] } } },
}`);
    const set = await emulated.run(["models", "set", "opus", "--json"]);
    expectSchema("models-set", JSON.parse(set.stdout));
    const text = readFileSync(configFile(emulated.home), "utf8");
    expect(text).toContain(
      `primary: "amazon-bedrock/${OPUS}", fallbacks: ["amazon-bedrock/amazon.nova-micro-v1:0"]`,
    );
    expect(text).toContain("// how we call models");
  });

  it("takes the ARN of an application profile", async () => {
    const emulated = await emulate();
    const list = await emulated.run(["models", "list", "--plain"]);
    const key = list.stdout.split("\n").find((line) => line.includes("application-inference-profile")) ?? "";
    const arn = key.slice("amazon-bedrock/".length);
    expect(await emulated.run(["models", "set", arn])).toMatchObject({
      code: 0,
      stdout: `Default model: ${key}\n`,
    });
  });

  it("refuses an unknown model with the nearest ids and writes nothing; --force writes it", async () => {
    const emulated = await emulate();
    const refused = await emulated.run(["models", "set", `${OPUS}:0`, "--json"]);
    expect(refused.code).toBe(6);
    expect(JSON.parse(refused.stdout).error).toMatchObject({
      code: "model-not-found",
      hint: `Did you mean ${OPUS}?`,
    });
    expect(existsSync(configFile(emulated.home))).toBe(false);
    expect((await emulated.run(["models", "set", `${OPUS}:0`, "--force"])).code).toBe(0);
    expect(readFileSync(configFile(emulated.home), "utf8")).toContain(`amazon-bedrock/${OPUS}:0`);
  });

  it("refuses a default that is only known because it is the default", async () => {
    const emulated = await emulate();
    await emulated.run(["models", "set", "amazon.nova-nonsense", "--force"]);
    expect((await emulated.run(["models", "set", "amazon.nova-nonsense"])).code).toBe(6);
  });

  it("names the nearest ids of the catalog when AWS cannot be asked", async () => {
    const emulated = await emulate();
    emulated.configure("{ models: { bedrockDiscovery: { enabled: false } } }");
    const { stdout } = await emulated.run(["models", "set", "us.anthropic.claude-opus-4-6", "--json"]);
    expect(JSON.parse(stdout).error.hint).toContain("claude-opus-4-6-v1");
  });
});

describe("models set of a model that is listed, but", () => {
  it("does not stream text is refused", async () => {
    const emulated = await emulate();
    const { code, stderr } = await emulated.run(["models", "set", "cohere.embed-v4:0"]);
    expect(code).toBe(6);
    expect(stderr).toContain("does not stream text");
    expect(existsSync(configFile(emulated.home))).toBe(false);
  });

  it("is about to end is set with a warning", async () => {
    const emulated = await emulate();
    const { code, stderr } = await emulated.run(["models", "set", "us.amazon.nova-premier-v1:0"]);
    expect(code).toBe(0);
    expect(stderr).toContain("AWS calls amazon.nova-premier-v1:0 LEGACY; it ends on 2026-12-14.");
  });
});

it("models set asks nobody with --force, and says that nobody was asked without", async () => {
  const home = createHome();
  const refused = await openclaw(["models", "set", OPUS], home);
  expect(refused.code).toBe(6);
  expect(refused.stderr).toContain(`openclaw models set ${OPUS} --force`);
  const emulated = await emulate();
  expect((await emulated.run(["models", "set", OPUS, "--force"])).code).toBe(0);
  expect(emulated.routes()).toEqual([]);
});

describe("models show", () => {
  it("shows one model, the profiles that reach it and how to call it", async () => {
    const emulated = await emulate();
    const { stdout, code } = await emulated.run(["models", "show", "anthropic.claude-opus-4-6-v1"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Claude Opus 4.6");
    expect(stdout).toMatch(new RegExp(`^profile +${OPUS} → us-east-1, us-east-2, us-west-2$`, "m"));
    expect(stdout).toMatch(
      /^call it +openclaw chat --model (us|global)\.anthropic\.claude-opus-4-6-v1 "Hello"$/m,
    );
  });

  it("prints its document, and where the price comes from", async () => {
    const emulated = await emulate();
    emulated.configure(
      '{ models: { providers: { "amazon-bedrock": { models: [{ id: "amazon.nova-pro-v1:0", cost: { input: 1, output: 2 } }] } } } }',
    );
    const own = JSON.parse((await emulated.run(["models", "show", "amazon.nova-pro-v1:0", "--json"])).stdout);
    expectSchema("models-show", own);
    expect(own).toMatchObject({ priceSource: "config", cost: { input: 1, output: 2 } });
    const known = JSON.parse(
      (await emulated.run(["models", "show", "amazon.nova-lite-v1:0", "--json"])).stdout,
    );
    expect(known.priceSource).toBe("catalog");
  });

  it("says where each fact comes from, and what AWS says in its own words", async () => {
    const emulated = await emulate();
    emulated.configure(
      '{ models: { providers: { "amazon-bedrock": { models: [{ id: "amazon.nova-pro-v1:0", name: "Ours", contextWindow: 1000 }] } } } }',
    );
    const { stdout } = await emulated.run(["models", "show", "amazon.nova-pro-v1:0", "--json"]);
    const document = JSON.parse(stdout);
    expectSchema("models-show", document);
    expect(document).toMatchObject({
      name: "Ours",
      sources: {
        name: "config",
        contextWindow: "config",
        maxTokens: "catalog",
        input: "catalog",
        reasoning: "catalog",
      },
      base: {
        id: "amazon.nova-pro-v1:0",
        inputModalities: ["TEXT", "IMAGE", "VIDEO"],
        streaming: true,
        inferenceTypes: ["ON_DEMAND", "INFERENCE_PROFILE"],
        lifecycle: { status: "ACTIVE", startOfLife: "2024-12-03T00:00:00.000Z", endOfLife: null },
      },
      source: "network",
      region: "us-east-1",
    });
    const text = await emulated.run(["models", "show", "amazon.nova-pro-v1:0"]);
    expect(text.stdout).toMatch(/^context +1,000 tokens \(config\)$/m);
    expect(text.stdout).toMatch(/^max out +10,000 tokens \(catalog\)$/m);
    expect(text.stdout).toMatch(/^inference +on demand, inference profile$/m);
  });

  it("tells when a model ends, the base and the destinations of a profile, and the levels of reasoning", async () => {
    const emulated = await emulate();
    const legacy = await emulated.run(["models", "show", "amazon.nova-premier-v1:0"]);
    expect(legacy.stdout).toMatch(
      /^lifecycle +legacy, came on 2025-04-30, legacy from 2026-03-14, ends on 2026-12-14$/m,
    );
    const profile = await emulated.run(["models", "show", "global.anthropic.claude-sonnet-4-6"]);
    expect(profile.stdout).toMatch(/^kind +inference profile of anthropic\.claude-sonnet-4-6$/m);
    expect(profile.stdout).toMatch(/^regions +us-east-1, any other region$/m);
    expect(profile.stdout).toMatch(/^reasoning +yes \(catalog\); --reasoning off\|low\|medium\|high\|max$/m);
  });

  it("prints the command that calls it with the flags that were needed to find it", async () => {
    const emulated = await emulate();
    const args = ["models", "show", "eu.amazon.nova-pro-v1:0", "--region", "eu-west-1"];
    const { stdout } = await emulated.run(args);
    expect(stdout).toMatch(
      /^call it +openclaw chat --region eu-west-1 --model eu\.amazon\.nova-pro-v1:0 "Hello"$/m,
    );
    const json = await emulated.run([...args, "--json"]);
    expect(JSON.parse(json.stdout).call).toContain("--region eu-west-1");
  });

  it("shows a model that providerFilter hides, and one that makes vectors", async () => {
    const emulated = await emulate();
    emulated.configure('{ models: { bedrockDiscovery: { providerFilter: ["anthropic"] } } }');
    expect(await emulated.run(["models", "show", "amazon.nova-lite-v1:0"])).toMatchObject({ code: 0 });
    const { stdout } = await emulated.run(["models", "show", "cohere.embed-v4:0", "--json"]);
    const document = JSON.parse(stdout);
    expectSchema("models-show", document);
    expect(document).toMatchObject({
      kind: "foundation-model",
      available: true,
      tags: [],
      maxTokens: null,
      cost: { input: 0.12, output: 0 },
      priceSource: "catalog",
      dimensions: [1536, 1024, 512, 256],
      sources: { contextWindow: "catalog", maxTokens: null },
      call: expect.stringMatching(/^openclaw embed .*--model cohere\.embed-v4:0 "Hello"$/),
    });
    const called = await emulated.run(["embed", "--model", "cohere.embed-v4:0", "Hello", "--json"]);
    expect(JSON.parse(called.stdout).dimensions).toBe(1536);
    const words = await emulated.run(["models", "show", "us.cohere.embed-v4:0"]);
    expect(words.stdout).toMatch(/^vectors +1,536 numbers; --dimensions 1536\|1024\|512\|256$/m);
    expect(words.stdout).not.toMatch(/^(?:max out|tags)/m);
  });

  it("says of a model for provisioned throughput, wherever it is named, that its own ARN is called", async () => {
    const emulated = await emulate();
    const id = "anthropic.claude-3-haiku-20240307-v1:0:48k";
    const refusal = {
      code: 6,
      stderr:
        `error: AWS serves '${id}' by provisioned throughput only, whose own ARN is called in place of the id.\n` +
        "hint: aws bedrock list-provisioned-model-throughputs\n",
    };
    expect(await emulated.run(["models", "set", id])).toMatchObject(refusal);
    expect(await emulated.run(["chat", "-m", id, "Hello"])).toMatchObject(refusal);
    const { stdout } = await emulated.run(["models", "show", id]);
    expect(stdout).toMatch(/^call it +by the ARN of its provisioned throughput: aws bedrock list-/m);
    await emulated.run(["models", "set", "--force", id]);
    const doctor = await emulated.run(["doctor"]);
    expect(doctor).toMatchObject(refusal);
    expect(doctor.stdout).toMatch(/^fail {2}default model +AWS serves .* by provisioned throughput only/m);
  });

  it("shows what the catalog knows when AWS was not asked, and says so", async () => {
    const { code, stdout } = await openclaw(["models", "show", OPUS], createHome());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^asked +config and catalog only; AWS was not asked$/m);
    expect(stdout).toMatch(/^context +1,000,000 tokens \(catalog\)$/m);
  });

  it("fits a terminal of 80 columns, the command in one piece", async () => {
    const emulated = await emulate();
    const env = {
      ...emptyEnvironment(emulated.home, emulated.env),
      NO_COLOR: "1",
      PATH: pathWithOpenclaw(emulated.home),
    };
    const command = "openclaw models show us.anthropic.claude-haiku-4-5-20251001-v1:0";
    const { lines } = await showOnScreen(command, { env, cwd: emulated.home, columns: 80 });
    // A line that the terminal had to break is longer than it here.
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines).toContain('openclaw chat --model us.anthropic.claude-haiku-4-5-20251001-v1:0 "Hello"');
    const price = lines.findIndex((line) => line.startsWith("price"));
    expect(lines[price + 1]).toMatch(/^ {13}\S/);
  });

  it.each(["", "  "])("refuses the name %j", async (name) => {
    expect((await (await emulate()).run(["models", "show", name])).code).toBe(2);
  });

  it("does not know a model that nobody lists", async () => {
    const { code, stderr } = await (await emulate()).run(["models", "show", "amazon.nova-lit-v1:0"]);
    expect(code).toBe(6);
    expect(stderr).toContain("Did you mean amazon.nova-lite-v1:0?");
  });
});

describe("models status", () => {
  it("shows what signs, without asking anybody", async () => {
    const emulated = await emulate();
    const { stdout } = await emulated.run(["models", "status", "--json"], {
      env: { AWS_PROFILE: "other", AWS_REGION: "eu-west-3" },
    });
    const document = JSON.parse(stdout);
    expectSchema("models-status", document);
    expect(document).toMatchObject({
      defaultModel: null,
      credentials: { source: "AWS_ACCESS_KEY_ID" },
      region: { value: "eu-west-3", source: "env AWS_REGION" },
      cache: null,
    });
    expect(stdout).not.toContain(emulated.emulator.secretAccessKey);
    expect(emulated.routes()).toEqual([]);
    await emulated.run(["models", "list"], { env: { AWS_REGION: "eu-west-3" } });
    expect(emulated.emulator.calls[0]).toMatchObject({
      accessKeyId: emulated.emulator.accessKeyId,
      region: "eu-west-3",
    });
  });

  it("tells a person the same in aligned lines", async () => {
    const emulated = await emulate();
    await emulated.run(["models", "list"]);
    const { stdout } = await emulated.run(["models", "status"]);
    expect(stdout).toMatch(/^default model {2}not set \(openclaw models set MODEL\)$/m);
    expect(stdout).toMatch(/^credentials {4}AWS_ACCESS_KEY_ID: key AKIA…/m);
    expect(stdout).toMatch(/^model list {5}\d+ models, \d+ s old$/m);
  });
});
