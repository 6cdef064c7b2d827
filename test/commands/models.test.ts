import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { expectSchema } from "../helpers/schema.ts";

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
