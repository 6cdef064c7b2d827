import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Permission } from "../../src/emulator/emulator.ts";
import type { PolicyDocument } from "../../src/iam/policy.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { allows } from "../helpers/iam.ts";
import type { RunOptions } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";

const ACCOUNT = "123456789012";
const OPUS = "us.anthropic.claude-opus-4-6-v1";
const SEARCH = `arn:aws:bedrock:us-east-1:${ACCOUNT}:application-inference-profile/p3t8v5z6c0de`;
const STREAM = "bedrock:InvokeModelWithResponseStream";
const WHOLE = "bedrock:InvokeModel";
/** Called only where an agreement is missing, or a model wants data retained; and where a model takes no tools in a stream. */
const RARE: ReadonlySet<string> = new Set([
  "bedrock:GetUseCaseForModelAccess",
  "bedrock:GetAccountDataRetention",
  WHOLE,
]);

function config(primary: string, ...fallbacks: string[]): string {
  return JSON.stringify({ agents: { defaults: { model: { primary, fallbacks } } } });
}

const GUARDED = `{
  agents: { defaults: { model: "amazon.nova-lite-v1:0" } },
  plugins: { entries: { "amazon-bedrock": { config: { guardrail: { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" } } } } },
}`;

async function policyOf(
  machine: Emulated,
  purposes: string,
  options: RunOptions = {},
): Promise<PolicyDocument> {
  const result = await machine.run(["iam", "policy", "--for", purposes, "--json"], options);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  const policy = JSON.parse(result.stdout) as PolicyDocument;
  expectSchema("iam-policy", policy);
  return policy;
}

/** Runs the commands and gives what IAM would have had to allow for the calls they made. */
async function permissionsOf(
  machine: Emulated,
  commands: readonly (readonly string[])[],
  options: RunOptions = {},
): Promise<Permission[]> {
  const before = machine.emulator.calls.length;
  for (const command of commands) {
    const result = await machine.run(command, options);
    expect({
      command,
      code: result.code,
      stderr: result.stderr.includes("error:") ? result.stderr : "",
    }).toEqual({
      command,
      code: 0,
      stderr: "",
    });
  }
  const calls = machine.emulator.calls.slice(before);
  const unexplained = calls.filter(
    ({ route, permissions }) => permissions.length === 0 && !["GetCallerIdentity", "Unknown"].includes(route),
  );
  expect(unexplained.map(({ route, path }) => `${route} ${path}`)).toEqual([]);
  return calls.flatMap(({ permissions }) => permissions);
}

/** The commands that each purpose stands for, over everything that is called in their course. */
const COMMANDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  discovery: [
    ["models", "list", "--refresh"],
    ["models", "list", "--access", "--provider", "anthropic"],
    ["models", "show", OPUS, "--access"],
  ],
  chat: [
    ["chat", "hi"],
    ["chat", "--dry-run", "hi"],
  ],
  doctor: [["doctor"]],
  "doctor,chat": [
    ["doctor", "--probe"],
    ["chat", "--dry-run", "hi"],
  ],
};

const BASE = "a base model that needs its profile";

const CONFIGS: readonly (readonly [string, string])[] = [
  ["a model on demand", config("amazon.nova-lite-v1:0")],
  ["a geographic profile", config(OPUS)],
  [BASE, config("anthropic.claude-opus-4-6-v1")],
  ["a global profile", config("global.anthropic.claude-opus-4-6-v1")],
  ["an application profile over a model", config(SEARCH)],
  [
    "a profile's ARN in another region",
    config(`arn:aws:bedrock:eu-west-1:${ACCOUNT}:inference-profile/eu.amazon.nova-lite-v1:0`),
  ],
  ["a model's ARN", config("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0")],
  ["a guardrail", GUARDED],
  [
    "a configured model in the region of its baseUrl",
    `{
      models: { providers: { "amazon-bedrock": {
        baseUrl: "https://bedrock-runtime.us-west-2.amazonaws.com",
        models: [{ id: "us.amazon.nova-pro-v1:0" }],
      } } },
      agents: { defaults: { model: "us.amazon.nova-pro-v1:0" } },
    }`,
  ],
];

describe("the policy allows every call that the commands make, and names no action that they never need", () => {
  const cases = CONFIGS.flatMap(([name, text]) =>
    Object.entries(COMMANDS)
      // What is listed, and how purposes add up, does not depend on the configured model.
      .filter(([purposes]) => purposes === "chat" || purposes === "doctor" || text === config(OPUS))
      .map(([purposes, commands]) => ({ name, text, purposes, commands })),
  );
  it.each(cases)("$purposes with $name", async ({ name, text, purposes, commands }) => {
    const machine = await emulate();
    machine.configure(text);
    const policy = await policyOf(machine, purposes);
    const needed = await permissionsOf(machine, commands);
    expect(needed.length).toBeGreaterThan(0);
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
    const used = new Set(needed.map(({ action }) => action));
    const idle = policy.Statement.flatMap(({ Action }) => Action).filter((action) => !used.has(action));
    // Where a list is kept already its profile is known.
    const isUnasked = (action: string): boolean => name === BASE && action.startsWith("bedrock:List");
    expect(idle.filter((action) => !RARE.has(action) && !isUnasked(action))).toEqual([]);
  });

  it("chat with a fallback", async () => {
    const machine = await emulate({
      script: ({ route, parameters }) =>
        route === "ConverseStream" && parameters["modelId"] === OPUS
          ? {
              error: {
                name: "ThrottlingException",
                message: "Too many requests, please wait before trying again.",
              },
            }
          : undefined,
    });
    machine.configure(config(OPUS, "amazon.nova-lite-v1:0"));
    const policy = await policyOf(machine, "chat");
    const needed = await permissionsOf(machine, [["chat", "hi"]], { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
    expect(needed.map(({ resource }) => resource)).toContain(
      "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
    );
  });

  it.each(["opus", "us.opus"])("chat with the name '%s', which AWS's lists resolve", async (name) => {
    const machine = await emulate();
    machine.configure(config(name));
    const policy = await policyOf(machine, "chat");
    // Where the policy is used there is no list yet.
    rmSync(path.join(machine.home, ".openclaw", "cache"), { recursive: true });
    const needed = await permissionsOf(machine, [["chat", "hi"]]);
    expect(needed.map(({ action }) => action)).toContain("bedrock:ListFoundationModels");
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
  });

  it("chat with a model that takes no tools in a stream", async () => {
    const machine = await emulate();
    machine.configure(config("us.writer.palmyra-x5-v1:0"));
    const policy = await policyOf(machine, "chat");
    const schema = '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}';
    const needed = await permissionsOf(machine, [["chat", "--schema", schema, "hi"]]);
    expect(needed.map(({ action }) => action)).toContain(WHOLE);
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
  });

  it.each([
    ["provisioned-model/ab12cd34ef56", ["GetProvisionedModelThroughput"]],
    ["custom-model-deployment/ab12cd34ef56", ["GetCustomModel", "GetCustomModelDeployment"]],
    ["imported-model/ab12cd34ef56", ["GetImportedModel"]],
    ["prompt-router/ab12cd34ef56", ["GetPromptRouter"]],
    ["default-prompt-router/anthropic.claude:1", ["GetPromptRouter"]],
  ])("models show %s, about which AWS is asked by ARN", async (resource, actions) => {
    const machine = await emulate();
    const arn = `arn:aws:bedrock:us-east-1:${ACCOUNT}:${resource}`;
    machine.configure(config(arn));
    const { Statement } = await policyOf(machine, "discovery");
    const read = Statement.filter(({ Sid }) => Sid.startsWith("Read"));
    expect(read.flatMap(({ Action }) => Action)).toEqual(actions.map((action) => `bedrock:${action}`));
    expect(read.flatMap(({ Resource }) => Resource)).toContain(arn);
    const chat = await policyOf(machine, "chat");
    expect(chat.Statement.filter(({ Sid }) => Sid.startsWith("Read"))).toEqual([]);
  });

  it("chat with a Bedrock API key", async () => {
    const machine = await emulate();
    machine.configure(config(OPUS));
    const env = { AWS_BEARER_TOKEN_BEDROCK: machine.emulator.bearerToken };
    const policy = await policyOf(machine, "chat", { env });
    const needed = await permissionsOf(machine, [["chat", "hi"]], { env });
    expect(needed.map(({ action }) => action)).toContain("bedrock:CallWithBearerToken");
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
    // STS is not asked: the account is the one in the ARNs that AWS lists.
    expect(machine.routes()).not.toContain("GetCallerIdentity");
    expect(JSON.stringify(policy)).toContain(`:${ACCOUNT}:inference-profile/${OPUS}`);
  });
});

describe("the policy allows nothing else", () => {
  const FM = (region: string, id: string): string => `arn:aws:bedrock:${region}::foundation-model/${id}`;
  const PROFILE = `arn:aws:bedrock:us-east-1:${ACCOUNT}:inference-profile/${OPUS}`;
  const through = { "bedrock:InferenceProfileArn": PROFILE };
  it.each<[string, Permission]>([
    ["another model", { action: STREAM, resource: FM("us-east-1", "amazon.nova-pro-v1:0"), context: {} }],
    [
      "the model behind the profile without it",
      { action: STREAM, resource: FM("us-west-2", "anthropic.claude-opus-4-6-v1"), context: {} },
    ],
    [
      "that model through another profile",
      {
        action: STREAM,
        resource: FM("us-west-2", "anthropic.claude-opus-4-6-v1"),
        context: { "bedrock:InferenceProfileArn": PROFILE.replace("/us.", "/global.") },
      },
    ],
    [
      "that model in a region the profile does not route to",
      { action: STREAM, resource: FM("eu-west-1", "anthropic.claude-opus-4-6-v1"), context: through },
    ],
    [
      "the profile of another account",
      { action: STREAM, resource: PROFILE.replace(ACCOUNT, "210987654321"), context: {} },
    ],
    [
      "the model behind the profile without it, whole",
      { action: WHOLE, resource: FM("us-west-2", "anthropic.claude-opus-4-6-v1"), context: {} },
    ],
    ["making a guardrail", { action: "bedrock:CreateGuardrail", resource: "*", context: {} }],
  ])("%s", async (_, permission) => {
    const machine = await emulate();
    machine.configure(config(OPUS));
    const policy = await policyOf(machine, "chat");
    expect(allows(policy, { action: STREAM, resource: PROFILE, context: {} })).toBe(true);
    expect(
      allows(policy, {
        action: STREAM,
        resource: FM("us-west-2", "anthropic.claude-opus-4-6-v1"),
        context: through,
      }),
    ).toBe(true);
    expect(allows(policy, permission)).toBe(false);
  });
});

describe("openclaw iam policy", () => {
  it("allows to open gates where that is asked for only", async () => {
    const machine = await emulate({ closedGates: ["form", "agreement", "retention"] });
    machine.configure(config(OPUS));
    const form = path.join(machine.home, "form.json");
    const { stdout } = await machine.run(["models", "access", "--form-template"]);
    writeFileSync(form, stdout.replaceAll("<", "").replace(/0: internal.*both>/, "0"));
    const called = await permissionsOf(machine, [
      ["models", "access", OPUS, "--submit-form", form, "--yes"],
      ["models", "access", OPUS, "--accept-agreement", "--yes"],
      ["models", "access", OPUS, "--retention", "none", "--yes"],
    ]);
    const policy = await policyOf(machine, "discovery,access");
    expect(called.filter((permission) => !allows(policy, permission))).toEqual([]);
    const opening = ["PutUseCaseForModelAccess", "CreateFoundationModelAgreement", "PutAccountDataRetention"];
    expect(called.map(({ action }) => action)).toEqual(
      expect.arrayContaining(opening.map((route) => `bedrock:${route}`)),
    );
    const usual = await policyOf(machine, "discovery,chat,serve,doctor");
    const { stdout: unasked } = await machine.run(["iam", "policy", "--json"]);
    expect(JSON.parse(unasked)).toEqual(usual);
    expect(unasked).not.toMatch(/Put|Create|marketplace/);
    expect(policy.Statement.find(({ Sid }) => Sid === "OpenAccess")?.Action).toEqual(
      expect.arrayContaining(["aws-marketplace:Subscribe", "aws-marketplace:ViewSubscriptions"]),
    );
  });

  it("prints for every purpose unless told otherwise, indented, ready for a file", async () => {
    const machine = await emulate();
    machine.configure(config(OPUS));
    const result = await machine.run(["iam", "policy"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toMatch(/^\{\n {2}"Version": "2012-10-17",\n/);
    const { Statement } = JSON.parse(result.stdout) as PolicyDocument;
    expect(Statement.map(({ Sid }) => Sid)).toEqual([
      "ListModels",
      "CheckAccess",
      "CallModels",
      "CallModelsThroughProfiles",
      "CountTokens",
    ]);
    expect(Statement[2]?.Action).toEqual([WHOLE, STREAM]);
  });

  it("allows the default project where models are called by Responses", async () => {
    const machine = await emulate();
    machine.configure(
      `{agents: {defaults: {model: "openai.gpt-oss-120b-1:0"}}, models: {providers: {"amazon-bedrock": {api: "openai-responses"}}}}`,
    );
    const { Statement } = await policyOf(machine, "chat");
    expect(Statement.find(({ Sid }) => Sid === "CallByResponses")).toEqual({
      Sid: "CallByResponses",
      Effect: "Allow",
      Action: ["bedrock:InvokeModel"],
      Resource: [`arn:aws:bedrock:us-east-1:${ACCOUNT}:project/default`],
    });
  });

  it("allows serve the models in every region of models.regions that has them, and others not", async () => {
    const machine = await emulate();
    machine.configure(
      JSON.stringify({
        models: { regions: ["us-east-1", "us-west-2", "eu-west-1"] },
        agents: { defaults: { model: { primary: "amazon.nova-lite-v1:0", fallbacks: [OPUS] } } },
      }),
    );
    const model = (region: string): string =>
      `arn:aws:bedrock:${region}::foundation-model/amazon.nova-lite-v1:0`;
    const profile = (region: string): string =>
      `arn:aws:bedrock:${region}:${ACCOUNT}:inference-profile/${OPUS}`;
    const env = { env: { AWS_REGION: "us-east-1" } };
    const served = await policyOf(machine, "serve", env);
    const chatted = await policyOf(machine, "chat", env);
    const may = (policy: PolicyDocument, resource: string): boolean =>
      JSON.stringify(policy).includes(`"${resource}"`);
    for (const region of ["us-east-1", "us-west-2", "eu-west-1"]) {
      expect(may(served, model(region))).toBe(true);
      expect(may(chatted, model(region))).toBe(region === "us-east-1");
      expect(may(served, profile(region))).toBe(region !== "eu-west-1");
    }
    expect(may(chatted, profile("us-west-2"))).toBe(false);
  });

  it("leaves the lists out where discovery is off", async () => {
    const machine = await emulate();
    machine.configure(
      `{ models: { bedrockDiscovery: { enabled: false } }, agents: { defaults: { model: "${OPUS}" } } }`,
    );
    const result = await machine.run(["iam", "policy", "--json"]);
    const policy = JSON.parse(result.stdout) as PolicyDocument;
    expect(policy.Statement.map(({ Sid }) => Sid)).not.toContain("ListModels");
    expect(machine.routes()).toEqual(["GetCallerIdentity"]);
    expect(result.stderr).toContain(`warning: AWS does not tell which regions ${OPUS} is answered in`);
    const needed = await permissionsOf(machine, [["chat", "hi"]]);
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
  });

  it("puts * where nobody tells the account and the regions, and warns", async () => {
    const machine = await emulate();
    machine.configure(config(OPUS));
    const result = await machine.run(["iam", "policy", "--for", "chat", "--json"], {
      env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
    });
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(
      /^warning: AWS does not tell which regions .* is answered in.*\nhint: .*\nwarning: The account could not be found out.*\nhint: .*\n$/,
    );
    const policy = JSON.parse(result.stdout) as PolicyDocument;
    expectSchema("iam-policy", policy);
    expect(policy.Statement[0]?.Resource).toEqual([`arn:aws:bedrock:us-east-1:*:inference-profile/${OPUS}`]);
    const needed = await permissionsOf(machine, [["chat", "hi"]]);
    expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
  });

  it("says nothing of the account where no resource has one", async () => {
    const machine = await emulate();
    const result = await machine.run(["iam", "policy"], {
      env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
    });
    expect(result.stderr).toMatch(/^warning: No model is configured.*\nhint: .*\n$/);
  });

  it("says why AWS's lists are missing", async () => {
    const machine = await emulate({
      script: ({ route }) =>
        route === "ListFoundationModels"
          ? {
              error: {
                name: "AccessDeniedException",
                message:
                  "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:ListFoundationModels because no identity-based policy allows the bedrock:ListFoundationModels action",
              },
            }
          : undefined,
    });
    machine.configure(config(OPUS));
    const result = await machine.run(["iam", "policy"]);
    expect(result.code).toBe(0);
    expect(result.stderr).toContain(
      "warning: AWS's lists could not be read: These credentials may not call bedrock:ListFoundationModels",
    );
  });

  it.each([
    [["--for", "chat"], 3, "no-default-model"],
    [["--for", "chat,foo"], 2, "usage"],
    [["--for", ""], 2, "usage"],
  ])("with %j and no model: exit %d", async (args, code, error) => {
    const machine = await emulate();
    const result = await machine.run(["iam", "policy", "--json", ...args]);
    expect(result.code).toBe(code);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: error } });
  });

  it("warns that no model may be called where none is configured", async () => {
    const machine = await emulate();
    const result = await machine.run(["iam", "policy"]);
    expect(result.code).toBe(0);
    expect(result.stderr).toBe(
      "warning: No model is configured, so the policy lets none be called.\nhint: openclaw models set MODEL\n",
    );
  });

  it("warns of what has permissions of another kind", async () => {
    const machine = await emulate();
    machine.configure(config(`arn:aws:bedrock:us-east-1:${ACCOUNT}:prompt/ABCDEFGHIJ:1`));
    const result = await machine.run(["iam", "policy"]);
    expect(result.stderr).toContain(
      "warning: The permissions for arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1",
    );
  });

  it("warns of a policy that is too long to be a managed one", async () => {
    const machine = await emulate();
    const models = Array.from({ length: 60 }, (_, index) => ({ id: `us.vendor.model-${index}` }));
    machine.configure(JSON.stringify({ models: { providers: { "amazon-bedrock": { models } } } }));
    const result = await machine.run(["iam", "policy"]);
    expect(result.stderr).toMatch(/warning: The policy has \d+ characters; a managed policy may have 6144\./);
    expect(result.stderr).toContain("us.vendor.model-2 and 57 more are answered in");
  });
});

describe("the policy for batch", () => {
  const ROLE = `arn:aws:iam::${ACCOUNT}:role/openclaw-batch`;
  const WHERE = ["--s3", "s3://openclaw-emulator/nightly", "--role", ROLE];
  const LINES = Array.from({ length: 3 }, (_, nth) => JSON.stringify({ prompt: `q${nth}` })).join("\n");

  it.each([["amazon.nova-lite-v1:0"], [OPUS]])(
    "allows what run and the jobs of %s call, and no more",
    async (model) => {
      const machine = await emulate({ jobSeconds: 0, leastRecords: 1 });
      machine.configure(config(model));
      const file = path.join(machine.home, "lines.jsonl");
      writeFileSync(file, LINES);
      const { stdout } = await machine.run(["iam", "policy", "--for", "batch", ...WHERE, "--json"]);
      const policy = JSON.parse(stdout) as PolicyDocument;
      expectSchema("iam-policy", policy);
      const needed = await permissionsOf(machine, [
        ["batch", "run", file, "-o", path.join(machine.home, "out.jsonl")],
        ["batch", "submit", file, ...WHERE, "--wait"],
        ["batch", "list"],
        ["batch", "status"],
        ["batch", "results", "-o", path.join(machine.home, "results.jsonl")],
      ]);
      expect(needed.filter((permission) => !allows(policy, permission))).toEqual([]);
      expect(policy.Statement.find(({ Sid }) => Sid === "PassRole")).toEqual({
        Sid: "PassRole",
        Effect: "Allow",
        Action: ["iam:PassRole"],
        Resource: [ROLE],
        Condition: { StringLike: { "iam:PassedToService": ["bedrock.amazonaws.com"] } },
      });
      const elsewhere = {
        action: "s3:GetObject",
        resource: "arn:aws:s3:::openclaw-emulator/other/key",
        context: {},
      };
      expect(allows(policy, elsewhere)).toBe(false);
    },
  );

  it("names the key of the bucket, and says what is missing for jobs", async () => {
    const machine = await emulate();
    machine.configure(config("amazon.nova-lite-v1:0"));
    const key = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd`;
    const args = ["iam", "policy", "--for", "batch", "--json"];
    const whole = await machine.run([...args, ...WHERE, "--kms-key", key]);
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(whole.stdout)).toMatchObject({
      Statement: expect.arrayContaining([expect.objectContaining({ Sid: "UseKey", Resource: [key] })]),
    });
    const alone = await machine.run(args);
    expect(alone.stderr).toContain("--s3 s3://BUCKET/PREFIX --role ARN");
    expect(alone.stdout).not.toContain("s3:");
    expect((await machine.run([...args, "--role", ROLE])).code).toBe(2);
    expect((await machine.run([...args, ...WHERE, "--kms-key", "alias/mine"])).code).toBe(2);
    expect((await machine.run(["iam", "policy", "--for", "chat", ...WHERE])).code).toBe(2);
  });
});
