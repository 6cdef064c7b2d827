import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "../../src/emulator/script.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { allows } from "../helpers/iam.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";
import type { PolicyDocument } from "../../src/iam/policy.ts";

const SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const SONNET_TPM = "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5";
const OPUS_TPM = "Cross-region model inference tokens per minute for Anthropic Claude Opus 4.8";

interface Document {
  models: {
    model: string;
    region: string;
    burndown: { output: number };
    ways: {
      id: string;
      scope: string;
      tokensPerMinute: { value: number } | null;
      used: Record<string, number> | null;
    }[];
    call: {
      reserves: number;
      settlesAtMost: number;
      answer: string;
      waitSeconds: number | null;
      fittingMaxTokens: number | null;
    } | null;
  }[];
  missing: { service: string; action: string; code: string }[];
}

async function read(machine: Emulated, args: string[], env = {}): Promise<Document> {
  const { stdout, stderr, code } = await machine.run(["quota", "--json", ...args], { env });
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  const document = JSON.parse(stdout) as Document;
  expectSchema("quota", document);
  return document;
}

const denied = (action: string): ScriptedAnswer => ({
  error: {
    name: "AccessDeniedException",
    message: `User: arn:aws:iam::123456789012:user/dev is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`,
    status: 400,
  },
});

describe("quota", () => {
  it("shows the model and each of its profiles, whichever is named", async () => {
    const machine = await emulate();
    for (const name of [SONNET, "anthropic.claude-sonnet-4-5-20250929-v1:0"]) {
      const { models } = await read(machine, [name]);
      expect(models).toHaveLength(1);
      expect(models[0]).toMatchObject({
        model: SONNET,
        region: "us-east-1",
        burndown: { output: 5 },
        call: null,
      });
      expect(models[0]?.ways.map(({ id, scope }) => [id, scope])).toEqual([
        [SONNET, "cross-region"],
        ["global.anthropic.claude-sonnet-4-5-20250929-v1:0", "global"],
      ]);
    }
    const { models } = await read(machine, ["amazon.nova-lite-v1:0"]);
    expect(models[0]?.ways.map(({ id, scope }) => [id, scope])).toEqual([
      ["amazon.nova-lite-v1:0", "on-demand"],
      ["us.amazon.nova-lite-v1:0", "cross-region"],
    ]);
  });

  it("counts an application profile of one region as the model itself, and its calls by its ARN", async () => {
    const machine = await emulate();
    const { models } = await read(machine, ["amazon.nova-pro-v1:0"]);
    const own = models[0]?.ways.find(({ id }) => id.includes("application-inference-profile"));
    expect(own).toMatchObject({ scope: "on-demand" });
    expect(own?.tokensPerMinute?.value).toBe(200_000);
  });

  it("without a model shows the default and its fallbacks, else every configured one, else says what to do", async () => {
    const machine = await emulate();
    const none = await machine.run(["quota"]);
    expect(none).toMatchObject({ code: 3, stdout: "" });
    expect(none.stderr).toContain("openclaw quota MODEL");
    machine.configure(
      JSON.stringify({
        models: { providers: { "amazon-bedrock": { models: [{ id: "amazon.nova-lite-v1:0" }] } } },
      }),
    );
    expect((await read(machine, [])).models.map(({ model }) => model)).toEqual(["amazon.nova-lite-v1:0"]);
    machine.configure(
      JSON.stringify({
        agents: { defaults: { model: { primary: SONNET, fallbacks: ["amazon.nova-micro-v1:0"] } } },
      }),
    );
    expect((await read(machine, [])).models.map(({ model }) => model)).toEqual([
      SONNET,
      "amazon.nova-micro-v1:0",
    ]);
  });

  it("has no quota of AWS's for a model of another server", async () => {
    const machine = await emulate();
    machine.configure(
      JSON.stringify({
        models: { providers: { local: { baseUrl: "http://127.0.0.1:9/v1", models: [{ id: "m" }] } } },
      }),
    );
    const { code, stderr } = await machine.run(["quota", "local/m"]);
    expect(code).toBe(6);
    expect(stderr).toContain("local/m");
  });

  it("of a whole id needs no list of models, where that may not be had", async () => {
    const machine = await emulate({
      script: ({ route }) =>
        /^List(Foundation|Inference)/.test(route) ? denied(`bedrock:${route}`) : undefined,
    });
    const { stdout, code } = await machine.run([
      "quota",
      "--json",
      "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    ]);
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as Document;
    expectSchema("quota", document);
    expect(document.models[0]?.ways).toMatchObject([
      {
        id: "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        scope: "cross-region",
        tokensPerMinute: { value: 200_000 },
      },
    ]);
  });

  it("of a model of embeddings is of its input alone", async () => {
    const machine = await emulate();
    const { models } = await read(machine, ["amazon.titan-embed-text-v2:0", "--input-tokens", "1000"]);
    expect(models[0]).toMatchObject({
      defaultMaxTokens: 0,
      call: { reserves: 1000, settlesAtMost: 1000, answer: "fits" },
    });
  });

  it("tells what was used lately, by the id that was called", async () => {
    const machine = await emulate();
    await machine.run(["chat", "-m", SONNET, "hi"]);
    await machine.run(["chat", "-m", SONNET, "hi"]);
    const { models } = await read(machine, [SONNET]);
    const [used, other] = models[0]?.ways.map((way) => way.used) ?? [];
    expect(used).toMatchObject({ throttles: 0 });
    expect(used?.["mostRequestsPerMinute"]).toBeGreaterThanOrEqual(1);
    expect(used?.["lastMinuteTokens"]).toBeGreaterThan(100);
    expect(other).toMatchObject({ mostRequestsPerMinute: 0 });
  });
});

describe("one call", () => {
  const answers = async (machine: Emulated, args: string[]): Promise<string> => {
    const { stdout, stderr, code } = await machine.run(["quota", ...args]);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    return stdout;
  };

  it("fits, or fits with so many tokens, in a pipe in one line", async () => {
    const machine = await emulate({ quotas: { [SONNET_TPM]: 50_000 } });
    expect(await answers(machine, [SONNET, "--input-tokens", "10000", "--max-tokens", "4096"])).toBe(
      "fits\n",
    );
    expect(await answers(machine, [SONNET, "--input-tokens", "10000", "--max-tokens", "64000"])).toBe(
      "too large: fits with --max-tokens 40000\n",
    );
    // Without a most it is the model's own.
    expect(await answers(machine, [SONNET, "--input-tokens", "10000"])).toBe(
      "fits with --max-tokens 40000\n",
    );
    expect(await answers(machine, [SONNET, "--input-tokens", "60000"])).toBe(
      "too large: the input alone is more than the quota\n",
    );
    const { models } = await read(machine, [SONNET, "--input-tokens", "10000", "--max-tokens", "4096"]);
    expect(models[0]?.call).toMatchObject({ reserves: 14_096, settlesAtMost: 30_480, answer: "fits" });
  });

  it("waits for what the last minute used", async () => {
    const used = Array.from({ length: 40 }, () => "word").join(" ");
    const machine = await emulate({ quotas: { [OPUS_TPM]: 4000 } });
    await machine.run(["chat", "-m", "us.anthropic.claude-opus-4-8", used]);
    const { models } = await read(machine, ["us.anthropic.claude-opus-4-8", "--max-tokens", "3900"]);
    expect(models[0]?.call?.answer).toBe("wait");
    expect(models[0]?.call?.waitSeconds).toBeGreaterThan(0);
    expect(models[0]?.call?.waitSeconds).toBeLessThanOrEqual(60);
    expect(await answers(machine, ["us.anthropic.claude-opus-4-8", "--max-tokens", "3900"])).toMatch(
      /^in \d+ s\n$/,
    );
  });

  it("never passes a quota of zero", async () => {
    const machine = await emulate({ quotas: { [SONNET_TPM]: 0 } });
    expect(await answers(machine, [SONNET, "--max-tokens", "1"])).toBe("never: the quota is 0\n");
  });

  it("is told for each model where none is named", async () => {
    const machine = await emulate();
    machine.configure(
      JSON.stringify({
        agents: { defaults: { model: { primary: SONNET, fallbacks: ["amazon.nova-micro-v1:0"] } } },
      }),
    );
    expect(await answers(machine, ["--input-tokens", "1", "--max-tokens", "1"])).toBe(
      `${SONNET}\tfits\namazon.nova-micro-v1:0\tfits\n`,
    );
  });

  it.each([
    ["--input-tokens", "-1"],
    ["--max-tokens", "0"],
    ["--max-tokens", "many"],
    ["--input-tokens", "1.5"],
  ])("takes no %s %s", async (flag, value) => {
    const machine = await emulate();
    expect(await machine.run(["quota", SONNET, `${flag}=${value}`])).toMatchObject({ code: 2 });
  });
});

describe("what may not be asked", () => {
  it.each([
    ["servicequotas:ListServiceQuotas", "ListServiceQuotas", "Service Quotas"],
    ["cloudwatch:GetMetricData", "GetMetricData", "CloudWatch"],
  ])("is named with %s, and the rest is shown", async (action, name, service) => {
    const machine = await emulate({ script: ({ route }) => (route === name ? denied(action) : undefined) });
    const { stdout, stderr, code } = await machine.run(["quota", "--json", SONNET]);
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as Document;
    expectSchema("quota", document);
    expect(document.missing).toMatchObject([{ service, action, code: "access-denied" }]);
    expect(stderr).toContain(action);
    expect(stderr).toContain("openclaw iam policy --for quota");
    const way = document.models[0]?.ways[0];
    if (service === "CloudWatch") expect(way?.tokensPerMinute?.value).toBe(200_000);
    else expect(way?.used).not.toBeNull();
  });

  it("is both with a Bedrock API key, which then tells what a call takes", async () => {
    const machine = await emulate();
    const { stdout, stderr, code } = await machine.run(["quota", SONNET, "--json", "--max-tokens", "100"], {
      env: { AWS_BEARER_TOKEN_BEDROCK: machine.emulator.bearerToken },
    });
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as Document;
    expect(document.missing.map(({ service }) => service).sort()).toEqual(["CloudWatch", "Service Quotas"]);
    expect(document.models[0]?.call).toMatchObject({ reserves: 100, settlesAtMost: 500, answer: "unknown" });
    expect(stderr).toContain("--profile NAME");
    expect(machine.routes()).not.toContain("ListServiceQuotas");
  });

  it("is a failure where Service Quotas does not answer, and a warning where CloudWatch does not", async () => {
    const slow: ScriptedAnswer = {
      error: { name: "TooManyRequestsException", message: "slower", status: 400 },
    };
    const quotas = await emulate({
      script: ({ route }) => (route === "ListServiceQuotas" ? slow : undefined),
    });
    expect(await quotas.run(["quota", SONNET], { env: { AWS_MAX_ATTEMPTS: "1" } })).toMatchObject({
      code: 5,
    });
    const metrics = await emulate({
      script: ({ route }) => (route === "GetMetricData" ? { drop: "reset" } : undefined),
    });
    const { code, stderr } = await metrics.run(["quota", SONNET], { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(code).toBe(0);
    expect(stderr).toContain("What was used lately is not known, which CloudWatch tells: ");
  });

  it("is allowed by `iam policy --for quota`, and nothing that costs is", async () => {
    const machine = await emulate();
    machine.configure(JSON.stringify({ agents: { defaults: { model: SONNET } } }));
    const policy = JSON.parse(
      (await machine.run(["iam", "policy", "--for", "quota"])).stdout,
    ) as PolicyDocument;
    machine.emulator.calls.length = 0;
    await machine.run(["quota", "--config", "/dev/null", SONNET]);
    const needed = machine.emulator.calls.flatMap(({ permissions }) => permissions);
    expect(needed.map(({ action }) => action)).toContain("servicequotas:ListServiceQuotas");
    expect(needed.map(({ action }) => action)).toContain("cloudwatch:GetMetricData");
    for (const permission of needed) expect(allows(policy, permission), permission.action).toBe(true);
    expect(JSON.stringify(policy)).not.toContain("InvokeModel");
  });
});

it("names the zero on a terminal, with what opens it", async () => {
  const machine = await emulate({ quotas: { [SONNET_TPM]: 0 } });
  const pty = openPty(["quota", SONNET], machine.home, { env: machine.env });
  expect(await pty.exit).toBe(0);
  expect(pty.lines().join("\n")).toContain("request-service-quota-increase");
});

describe("a model by a part of its name, where no list is to be had", () => {
  const asks: [command: string, args: string[]][] = [
    ["quota", ["quota", "opus"]],
    ["models access", ["models", "access", "opus"]],
    ["models show", ["models", "show", "opus"]],
    ["models set", ["models", "set", "opus"]],
    ["embed", ["embed", "-m", "titan-embed-text-v2", "hi"]],
  ];

  it.each(asks)("%s says that no credentials are there, and suggests no model", async (_, args) => {
    const { env, ...machine } = await emulate();
    const unset = Object.fromEntries(Object.keys(env).map((name) => [name, ""]));
    const none = { ...unset, AWS_EC2_METADATA_DISABLED: "true", AWS_REGION: "us-east-1" };
    const { stdout, code } = await machine.run([...args, "--json"], { env: none });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "no-credentials", exitCode: 4 } });
    expect(code).toBe(4);
    expect(stdout).not.toContain("Did you mean");
  });

  it.each(asks)("%s says that listing is denied", async (_, args) => {
    const machine = await emulate({
      script: ({ route }) => (route.startsWith("List") ? denied(`bedrock:${route}`) : undefined),
    });
    const { stdout, code } = await machine.run([...args, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "access-denied", message: expect.stringContaining("bedrock:ListFoundationModels") },
    });
    expect(code).toBe(4);
  });
});

it("advises no more tokens than the model puts out", async () => {
  const machine = await emulate();
  const args = ["us.anthropic.claude-opus-4-8", "--input-tokens", "50000", "--max-tokens", "200000"];
  const { models } = await read(machine, args);
  expect(models[0]?.call).toMatchObject({ answer: "too-large", fittingMaxTokens: 128_000 });
});
