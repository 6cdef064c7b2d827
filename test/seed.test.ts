import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { emulate } from "./helpers/emulated.ts";

const SEED = fileURLToPath(new URL("fixtures/seed-config.json5", import.meta.url));

/** The configuration file that the documents of the original program print, put in place as it stands. */
async function seeded() {
  const emulated = await emulate();
  const file = path.join(emulated.home, ".openclaw", "openclaw.json");
  mkdirSync(path.dirname(file), { mode: 0o700 });
  copyFileSync(SEED, file);
  return { ...emulated, file };
}

describe("the original program's configuration file", () => {
  it("is valid", async () => {
    const { run } = await seeded();
    expect(await run(["config", "validate"])).toMatchObject({ code: 0 });
  });

  it("is listed, with its zero prices as unknown and its outdated id as missing", async () => {
    const { run } = await seeded();
    const { stdout, code } = await run(["models", "list", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).models[0]).toMatchObject({
      key: "amazon-bedrock/us.anthropic.claude-opus-4-6-v1:0",
      name: "Claude Opus 4.6 (Bedrock)",
      input: "text+image",
      contextWindow: 200_000,
      maxTokens: 8192,
      limitsSource: "config",
      reasoning: true,
      missing: true,
      tags: ["default", "configured", "missing"],
    });
    expect(JSON.parse(stdout).models[0].cost).not.toMatchObject({ input: 0 });
  });

  it("is called where its baseUrl and the environment say, and its id is answered with the nearest one", async () => {
    const { run, emulator } = await seeded();
    const { code, stderr } = await run(["chat", "hi"]);
    expect(code).toBe(6);
    expect(stderr).toContain("Did you mean us.anthropic.claude-opus-4-6-v1?");
    expect(emulator.calls[0]).toMatchObject({
      route: "ConverseStream",
      region: "us-east-1",
      parameters: { modelId: "us.anthropic.claude-opus-4-6-v1:0" },
    });
  });

  it("takes the original's `config set` lines as they are written, and keeps its comment", async () => {
    const { run, file, emulator } = await seeded();
    for (const [setting, value] of [
      ["enabled", "true"],
      ["region", "us-east-1"],
    ] as const) {
      const name = `models.bedrockDiscovery.${setting}`;
      expect(await run(["config", "set", name, value])).toMatchObject({
        code: 0,
        stdout: `Updated ${name}.\n`,
      });
    }
    expect(readFileSync(file, "utf8")).toContain("// † the id that works is us.anthropic.claude-opus-4-6-v1");
    await run(["models", "list"], { env: { AWS_REGION: "eu-west-1" } });
    expect(emulator.calls[0]?.region).toBe("us-east-1");
  });
});

describe("its quick set-up on a fresh EC2 host", () => {
  it.each([
    ["with the old workaround", { AWS_PROFILE: "default", AWS_REGION: "us-east-1" }],
    ["with an empty environment", {}],
  ])("works %s: the instance role signs", async (_, env) => {
    const emulated = await emulate({ imds: { role: "EC2-Bedrock-Access", region: "us-west-2" } });
    const instance = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: emulated.emulator.url,
      ...env,
    };
    const { code, stdout } = await emulated.run(["models", "list", "--json"], { env: instance });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).count).toBeGreaterThan(20);
    const list = emulated.emulator.calls.find(({ route }) => route === "ListFoundationModels");
    expect(list?.accessKeyId).toMatch(/^ASIA/);
    expect(list?.region).toBe("AWS_REGION" in env ? "us-east-1" : "us-west-2");
    const again = await emulated.run(["models", "list", "--json"], { env: instance });
    expect(JSON.parse(again.stdout)).toMatchObject({ source: "cache", region: list?.region });
    const status = JSON.parse((await emulated.run(["models", "status", "--json"], { env: instance })).stdout);
    expect(status.credentials).toEqual({
      source: "default-chain",
      detail: expect.stringContaining("EC2 instance role `EC2-Bedrock-Access`, IMDSv2"),
    });
  });
});
