import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { blackHole } from "../helpers/black-hole.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { type Result, start } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";

interface DoctorDocument {
  ok: boolean;
  exitCode: number;
  credentials: {
    source: string;
    detail: string;
    order: { source: string; status: string; detail: string }[];
    findings: { id: string }[];
  };
  region: { value: string; source: string };
  checks: { id: string; status: string; detail: string; hint?: string; durationMs: number }[];
  error?: { code: string; message: string; hint: string };
}

function read({ stdout, code }: Result): DoctorDocument {
  const document = JSON.parse(stdout) as DoctorDocument;
  expectSchema("doctor", document);
  expect(document.exitCode).toBe(code);
  return document;
}

const checkOf = (document: DoctorDocument, id: string) => document.checks.find((item) => item.id === id);
const statuses = ({ credentials }: DoctorDocument): string[] => credentials.order.map(({ status }) => status);

const SECRET = "openclaw/test/secret/key/that/nobody/sees";
/** Key pairs that the emulator takes, by what they stand for. */
const ACCESS_KEYS = Object.fromEntries(
  ["AKIAENV0000000000ENVX", "AKIADEV0000000000DEVX", "AKIADEF0000000000DEFX", "AKIAFLAG000000000FLGX"].map(
    (id) => [id, { secretAccessKey: SECRET }],
  ),
);
const BEARER = "ABSK-test-bearer-token-0123456789";
const section = (name: string, id: string): string =>
  `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${SECRET}\n`;
/** No instance, no keys: the endpoint is all that is left of the emulator's environment. */
const BARE = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

describe("openclaw doctor of bedrock-mantle", () => {
  const MANTLE = "amazon-bedrock-mantle";
  const prepare = async (
    model: string,
    provider: object = {},
    options: Parameters<typeof emulate>[0] = {},
  ) => {
    const machine = await emulate(options);
    const providers = { [MANTLE]: provider };
    machine.configure(JSON.stringify({ models: { providers }, agents: { defaults: { model } } }));
    return machine;
  };

  it("asks it for its models where its provider is configured, and nobody else's doctor does", async () => {
    const { run, routes } = await prepare("amazon.nova-lite-v1:0");
    const document = read(await run(["doctor", "--json"]));
    expect(checkOf(document, "mantle")).toMatchObject({
      status: "ok",
      detail: "bedrock-mantle:ListModels: 14 models in us-east-1",
    });
    expect(routes().filter((route) => route === "ListModels")).toHaveLength(1);
    const { run: other, routes: others } = await emulate();
    expect(checkOf(read(await other(["doctor", "--json"])), "mantle")).toBeUndefined();
    expect(others()).not.toContain("ListModels");
  });

  it.each([
    [`${MANTLE}/xai.grok-4.3`, "ok", "xai.grok-4.3, at bedrock-mantle in us-east-1"],
    [`${MANTLE}/grok`, "ok", "xai.grok-4.3, at bedrock-mantle in us-east-1"],
    [
      `${MANTLE}/us.xai.grok-4.3`,
      "fail",
      "The endpoint bedrock-mantle lists no model 'us.xai.grok-4.3' in us-east-1.",
    ],
  ])(
    "finds the default model %s %s by its list, and asks nothing about access to it",
    async (model, status, detail) => {
      const { run, routes } = await prepare(model);
      const document = read(await run(["doctor", "--json"]));
      expect(checkOf(document, "default-model")).toMatchObject({ status, detail });
      expect(routes()).not.toContain("GetFoundationModelAvailability");
      expect(checkOf(document, "default-model")?.hint ?? "").toContain(
        status === "ok" ? "" : `${MANTLE}/xai.grok-4.3`,
      );
    },
  );

  it.each([
    ["amazon.nova-lite-v1:0", "warn", 0],
    [`${MANTLE}/xai.grok-4.3`, "fail", 5],
  ])("%s as the default makes an endpoint out of order a %s", async (model, status, exitCode) => {
    const body = { error: { message: "busy", type: "server_error" } };
    const { run } = await prepare(
      model,
      {},
      {
        script: ({ route }) => (route === "ListModels" ? { http: { status: 503, body } } : undefined),
      },
    );
    const document = read(await run(["doctor", "--json"], { env: { AWS_MAX_ATTEMPTS: "1" } }));
    expect(checkOf(document, "mantle")).toMatchObject({ status });
    expect(document.exitCode).toBe(exitCode);
  });
});

describe("openclaw doctor", () => {
  it("finds nothing wrong against the emulator inside it, and says so for people", async () => {
    const { run } = await emulate();
    const result = await run(["doctor", "--emulator"], { env: BARE });
    expect(result.code).toBe(0);
    expect(result.stderr).toBe("");
    const lines = result.stdout.split("\n");
    expect(
      lines.some((line) =>
        /^ok {4}discovery permission {2}bedrock:ListFoundationModels: \d+ models in us-east-1/.test(line),
      ),
    ).toBe(true);
    expect(lines.slice(-5)).toEqual([
      "1  AWS_BEARER_TOKEN_BEDROCK  not set",
      "2  AWS_ACCESS_KEY_ID         used     AKIA…MPLE",
      "3  AWS_PROFILE               not set",
      expect.stringMatching(/^4 {2}default-chain {13}not set {2}/),
      "",
    ]);
  });

  it("checks the default model, its access and, when asked, a call of it", async () => {
    const { run, configure, emulator } = await emulate();
    configure(
      '{ agents: { defaults: { model: { primary: "us.anthropic.claude-opus-4-6-v1", fallbacks: ["amazon.nova-lite-v1:0"] } } } }',
    );
    const document = read(await run(["doctor", "--json", "--probe"]));
    expect(document.ok).toBe(true);
    expect(checkOf(document, "default-model")?.detail).toMatch(
      /^us\.anthropic\.claude-opus-4-6-v1, an inference profile that routes to us-east-1, .*; amazon\.nova-lite-v1:0/,
    );
    expect(checkOf(document, "model-access")?.detail).toContain(
      "anthropic.claude-opus-4-6-v1 in us-east-1; amazon.nova-lite-v1:0 in us-east-1",
    );
    expect(checkOf(document, "probe")).toMatchObject({
      status: "ok",
      detail: expect.stringMatching(/first token after \d+ ms, \d+ ms in all, \d+ tokens in, \d+ out$/),
    });
    const probe = emulator.calls.find(({ route }) => route === "ConverseStream");
    expect(probe?.body).toMatchObject({ inferenceConfig: { maxTokens: 16 } });
  });

  it("writes nothing", async () => {
    const { run, home } = await emulate();
    await run(["doctor"]);
    expect(readdirSync(home)).toEqual([]);
  });

  it.each([
    [
      "a model that AWS does not know",
      {
        name: "ValidationException",
        message: "The provided model identifier is invalid.",
      },
    ],
    [
      "a model that needs a profile after all",
      {
        name: "ValidationException",
        message:
          "Invocation of model ID amazon.nova-lite-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
      },
    ],
  ])("writes nothing when the probe meets %s", async (_, error) => {
    const { run, home, configure } = await emulate({
      script: ({ route, nth }) => (route === "ConverseStream" && nth === 1 ? { error } : undefined),
    });
    configure('{ agents: { defaults: { model: "amazon.nova-lite-v1:0" } } }');
    await run(["doctor", "--probe"]);
    // What is billed is in the ledger, and is no lesson.
    const written = readdirSync(path.join(home, ".openclaw")).filter((name) => name !== "usage");
    expect(written).toEqual(["openclaw.json"]);
  });

  it("asks each question once", async () => {
    const { run, routes, configure } = await emulate();
    configure('{ agents: { defaults: { model: "amazon.nova-lite-v1:0" } } }');
    await run(["doctor"]);
    expect(
      routes()
        .filter((route) => route !== "Unknown")
        .sort(),
    ).toEqual([
      "GetCallerIdentity",
      "GetFoundationModelAvailability",
      "ListFoundationModels",
      "ListInferenceProfiles",
      "ListInferenceProfiles",
    ]);
  });
});

describe("tools and MCP servers", () => {
  const tool = (command: string[], more: object = {}): object => ({
    tools: {
      profile: "coding",
      t: { description: "d", command, input: { type: "object" }, ...more },
    },
  });
  const server = (values: object): object => ({ mcpServers: { files: values } });

  it.each<[object, "ok" | "warn", string | RegExp]>([
    [tool(["sh", "-c", "exit 1"]), "ok", "tool t"],
    [{ ...tool(["sh"]), ...server({ url: "https://mcp.invalid" }) }, "ok", "tool t, MCP server files"],
    [server({ command: "no-such", disabled: true }), "ok", "all are disabled"],
    [server({ command: "sh", cwd: "~" }), "ok", "MCP server files"],
    [
      server({ command: "sh", cwd: "/no/such" }),
      "warn",
      "MCP server files: its folder /no/such is not there",
    ],
    [tool(["no-such-program"]), "warn", "tool t: no-such-program is not found on PATH"],
    [tool(["/etc/passwd"]), "warn", /^tool t: \/etc\/passwd is not executable/],
    [tool(["sh"], { env: { PATH: "/nowhere" } }), "warn", "tool t: sh is not found on PATH"],
    [tool(["sh"], { env: { TOKEN: "${NO_TOKEN}" } }), "warn", /NO_TOKEN is not set; tools\.t\.env\.TOKEN/],
    [server({ command: "no-such-server" }), "warn", /^MCP server files: no-such-server is not found/],
    [server({ command: "./server", cwd: "/" }), "warn", "MCP server files: ./server does not exist"],
    [
      { mcp: { servers: { a: { command: "no-such" } } } },
      "warn",
      "MCP server a: no-such is not found on PATH",
    ],
  ])("%j: %s", async (config, status, detail) => {
    const { run, configure } = await emulate();
    configure(JSON.stringify(config));
    const check = checkOf(read(await run(["doctor", "--json"])), "tools");
    expect(check).toMatchObject({ status, detail: expect.stringMatching(detail) });
  });

  it("are not looked at where there are none, or what is there is another program's", async () => {
    const { run, configure } = await emulate();
    configure(JSON.stringify({ tools: { profile: "coding", exec: { host: "x" } }, mcp: { servers: {} } }));
    expect(read(await run(["doctor", "--json"])).checks.map(({ id }) => id)).not.toContain("tools");
  });

  it("are not started", async () => {
    const { run, configure, home } = await emulate();
    const file = path.join(home, "started");
    configure(JSON.stringify({ ...tool(["touch", file]), ...server({ command: "touch", args: [file] }) }));
    expect(checkOf(read(await run(["doctor", "--json"])), "tools")).toMatchObject({ status: "ok" });
    expect(existsSync(file)).toBe(false);
  });
});

describe("a provider of another name that speaks Converse", () => {
  const LITE = "amazon.nova-lite-v1:0";
  const corp = (id: string, more: object = {}): string =>
    JSON.stringify({
      models: { providers: { corp: { api: "bedrock-converse-stream", ...more } } },
      agents: { defaults: { model: `corp/${id}` } },
    });

  it.each([[{}], [{ models: [{ id: "amazon.nova-lite-v9:0" }] }]])(
    "with a default model that AWS does not list fails as chat does, models listed: %j",
    async (more) => {
      const { run, configure } = await emulate();
      configure(corp("amazon.nova-lite-v9:0", more));
      const list = JSON.parse((await run(["models", "list", "--json"])).stdout) as {
        models: { key: string; tags: string[] }[];
      };
      const listed = list.models.find(({ key }) => key === "corp/amazon.nova-lite-v9:0");
      expect(listed?.tags).toContain("missing");
      const chat = await run(["chat", "--json", "hi"]);
      const refusal = (JSON.parse(chat.stdout) as DoctorDocument).error;
      const result = await run(["doctor", "--json"]);
      const check = checkOf(read(result), "default-model");
      expect([chat.code, result.code]).toEqual([6, 6]);
      expect(check).toMatchObject({
        status: "fail",
        hint: `${refusal?.hint} Then: openclaw models set corp/${LITE}`,
      });
      expect(refusal).toMatchObject({ code: "model-not-found", hint: `Did you mean ${LITE}?` });
    },
  );

  it("has access to its model looked at", async () => {
    const { run, configure } = await emulate();
    configure(corp(LITE));
    const document = read(await run(["doctor", "--json"]));
    expect(checkOf(document, "model-access")).toMatchObject({ status: "ok", detail: `${LITE} in us-east-1` });
  });

  it("has the region of its baseUrl looked at", async () => {
    const { run, configure } = await emulate();
    configure(
      corp(LITE, { baseUrl: "https://bedrock-runtime.eu-west-1.amazonaws.com", models: [{ id: LITE }] }),
    );
    expect(checkOf(read(await run(["doctor", "--json"])), "region")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining(`${LITE} is called in eu-west-1 (models.providers.corp.baseUrl)`),
    });
  });

  it.each([[{}], [{ models: [{ id: LITE }] }]])(
    "has its baseUrl tried, and is called there, models listed: %j",
    async (more) => {
      const { run, configure, emulator } = await emulate();
      const env = {
        AWS_ENDPOINT_URL: undefined,
        AWS_ENDPOINT_URL_BEDROCK: emulator.url,
        AWS_ENDPOINT_URL_STS: emulator.url,
      };
      configure(corp(LITE, { baseUrl: emulator.url.replace("127.0.0.1", "localhost"), ...more }));
      const document = read(await run(["doctor", "--json"], { env }));
      expect(checkOf(document, "network")).toMatchObject({
        status: "ok",
        detail: expect.stringMatching(/localhost:\d+ \d+ ms \(models\.providers\.corp\.baseUrl\)/),
      });
      expect(await run(["chat", "hi"], { env })).toMatchObject({ code: 0 });
    },
  );

  it("counts in the policy", async () => {
    const { run, configure } = await emulate();
    configure(corp(LITE));
    const policy = await run(["iam", "policy", "--for", "chat"]);
    expect(policy.stdout).toContain(`arn:aws:bedrock:us-east-1::foundation-model/${LITE}`);
  });
});

describe("what doctor names is what signs", () => {
  const combinations = Array.from({ length: 32 }, (_, bits) => ({
    bearer: (bits & 1) !== 0,
    keys: (bits & 2) !== 0,
    profile: (bits & 4) !== 0,
    chain: (bits & 8) !== 0,
    flag: (bits & 16) !== 0,
  }));
  it.each(combinations)(
    "bearer $bearer, keys $keys, AWS_PROFILE $profile, default $chain, --profile $flag",
    async (set) => {
      const { run, home, emulator } = await emulate({ accessKeys: ACCESS_KEYS, bearerTokens: [BEARER] });
      writeSharedFiles(home, {
        credentials:
          section("dev", "AKIADEV0000000000DEVX") +
          section("flagged", "AKIAFLAG000000000FLGX") +
          (set.chain ? section("default", "AKIADEF0000000000DEFX") : ""),
      });
      const result = await run(["doctor", "--json", ...(set.flag ? ["--profile", "flagged"] : [])], {
        env: {
          ...BARE,
          ...(set.bearer ? { AWS_BEARER_TOKEN_BEDROCK: BEARER } : {}),
          ...(set.keys ? { AWS_ACCESS_KEY_ID: "AKIAENV0000000000ENVX", AWS_SECRET_ACCESS_KEY: SECRET } : {}),
          ...(set.profile ? { AWS_PROFILE: "dev" } : {}),
        },
      });
      const document = read(result);
      const expected = set.flag
        ? ["AWS_PROFILE", "AKIAFLAG000000000FLGX", "AKIA…FLGX"]
        : set.bearer
          ? ["AWS_BEARER_TOKEN_BEDROCK", BEARER, "Bedrock API key"]
          : set.keys
            ? ["AWS_ACCESS_KEY_ID", "AKIAENV0000000000ENVX", "AKIA…ENVX"]
            : set.profile
              ? ["AWS_PROFILE", "AKIADEV0000000000DEVX", "AKIA…DEVX"]
              : set.chain
                ? ["default-chain", "AKIADEF0000000000DEFX", "AKIA…DEFX"]
                : ["none", undefined, "no"];
      const [source, signer, shown] = expected;
      expect(document.credentials.source).toBe(source);
      expect(document.credentials.detail).toContain(shown);
      const signed = emulator.calls
        .filter(({ route }) => route !== "Unknown")
        .map(({ accessKeyId, bearerToken }) => bearerToken ?? accessKeyId);
      expect([...new Set(signed)]).toEqual(signer === undefined ? [] : [signer]);
      const present = [set.bearer, set.keys, set.profile || set.flag, set.chain];
      const used = set.flag ? 2 : present.indexOf(true);
      expect(statuses(document)).toEqual(
        present.map((isSet, index) => (index === used ? "used" : isSet ? "shadowed" : "not set")),
      );
      expect(result.code).toBe(source === "none" ? 4 : 0);
      expect(`${result.stdout}${result.stderr}`).not.toContain(SECRET);
      expect(`${result.stdout}${result.stderr}`).not.toContain(BEARER);
    },
  );

  it.each([
    ["nothing in the environment", {}],
    ["AWS_PROFILE=default and no such profile", { AWS_PROFILE: "default" }],
  ])("on an instance with %s", async (_, env) => {
    const { run, emulator } = await emulate();
    const instance = {
      ...BARE,
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: emulator.url,
      ...env,
    };
    const result = await run(["doctor", "--json"], { env: instance });
    const document = read(result);
    expect(result.code).toBe(0);
    expect(document.credentials).toMatchObject({
      source: "default-chain",
      detail: "EC2 instance role `EC2-Bedrock-Access`, IMDSv2",
    });
    expect(document.credentials.order[3]).toEqual({
      source: "default-chain",
      status: "used",
      detail: "EC2 instance role `EC2-Bedrock-Access`, IMDSv2",
    });
    expect(document.region).toEqual({ value: "us-east-1", source: "instance metadata" });
    expect(checkOf(document, "identity")?.detail).toContain("assumed-role/EC2-Bedrock-Access");
    const signers = emulator.calls.flatMap(({ accessKeyId }) => accessKeyId ?? []);
    expect([...new Set(signers)]).toEqual(["ASIAEMULATORROLE0001"]);
    const asked = emulator.calls.map(({ route }) => route).filter((route) => route.startsWith("Imds"));
    expect(asked.toSorted()).toEqual(["ImdsCredentials", "ImdsRegion", "ImdsRoleName", "ImdsToken"]);
    const status = JSON.parse(
      (await run(["models", "status", "--json"], { env: instance })).stdout,
    ) as DoctorDocument;
    expect(status.credentials).toMatchObject({
      source: "default-chain",
      detail: document.credentials.detail,
    });
    const list = await run(["models", "list", "--plain"], { env: instance });
    expect(list.code).toBe(0);
    expect(list.stdout.split("\n").length).toBeGreaterThan(10);
  });

  it("for a role assumed over STS, and for IAM Identity Center", async () => {
    const { run, home, emulator } = await emulate({
      accessKeys: {
        ...ACCESS_KEYS,
        ASIASTSROLE000000001: { secretAccessKey: "secret", sessionToken: "token" },
        ASIASSO0000000000001: { secretAccessKey: "secret", sessionToken: "token" },
      },
    });
    const identity = await startIdentityServer();
    const folder = path.join(home, ".aws", "sso", "cache");
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, `${createHash("sha1").update("corp").digest("hex")}.json`),
      JSON.stringify({ accessToken: "sso-token", expiresAt: new Date(Date.now() + 3_600_000).toISOString() }),
    );
    writeSharedFiles(home, {
      config:
        "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = dev\n" +
        "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n" +
        "[sso-session corp]\nsso_region = eu-west-3\nsso_start_url = https://corp.awsapps.com/start\n",
      credentials: section("dev", "AKIADEV0000000000DEVX"),
    });
    const env = { ...BARE, AWS_ENDPOINT_URL_STS: identity.url, AWS_ENDPOINT_URL_SSO: identity.url };
    for (const [profile, signer, words] of [
      [
        "admin",
        "ASIASTSROLE000000001",
        "profile admin: role `Admin`, assumed with profile dev (key AKIA…DEVX)",
      ],
      [
        "sso",
        "ASIASSO0000000000001",
        "profile sso: IAM Identity Center session `corp`, account 123456789012, role `Dev`",
      ],
    ] as const) {
      const before = emulator.calls.length;
      const document = read(await run(["doctor", "--json"], { env: { ...env, AWS_PROFILE: profile } }));
      expect(document.credentials).toMatchObject({ source: "AWS_PROFILE", detail: words });
      const signed = emulator.calls.slice(before).flatMap(({ accessKeyId }) => accessKeyId ?? []);
      expect([...new Set(signed)]).toEqual([signer]);
    }
  });
});

describe("what doctor finds wrong", () => {
  it("no credentials: exit 4, and still the whole table", async () => {
    const { run } = await emulate();
    const result = await run(["doctor", "--json"], { env: BARE });
    const document = read(result);
    expect(result.code).toBe(4);
    expect(document).toMatchObject({
      ok: false,
      credentials: { source: "none" },
      error: { code: "no-credentials" },
    });
    expect(statuses(document)).toEqual(["not set", "not set", "not set", "not set"]);
    for (const id of ["identity", "discovery", "profiles", "default-model", "model-access"])
      expect(checkOf(document, id)?.status, id).toBe("skip");
    for (const id of ["region", "network", "clock"]) expect(checkOf(document, id)?.status, id).toBe("ok");

    const text = await run(["doctor"], { env: BARE });
    expect(text.code).toBe(4);
    expect(text.stdout).toContain("Credential sources, in order");
    expect(text.stderr).toMatch(/^error: No AWS credentials were found/);
  });

  it("half a key pair: what is missing", async () => {
    const { run } = await emulate();
    const document = read(
      await run(["doctor", "--json"], { env: { ...BARE, AWS_ACCESS_KEY_ID: "AKIAENV0000000000ENVX" } }),
    );
    expect(document).toMatchObject({
      exitCode: 4,
      credentials: { source: "none" },
      error: { code: "no-credentials" },
    });
    expect(document.credentials.order[1]).toMatchObject({
      status: "invalid",
      detail: "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY",
    });
  });

  it("a profile that does not exist: the nearest one", async () => {
    const { run, home } = await emulate();
    writeSharedFiles(home, { credentials: section("dev", "AKIADEV0000000000DEVX") });
    const document = read(await run(["doctor", "--json", "--profile", "dve"], { env: BARE }));
    expect(document).toMatchObject({
      exitCode: 4,
      error: { code: "no-credentials", hint: "Did you mean 'dev'? Try: --profile dev" },
    });
  });

  it("blank variables count as unset", async () => {
    const { run, home } = await emulate({ accessKeys: ACCESS_KEYS });
    writeSharedFiles(home, { credentials: section("default", "AKIADEF0000000000DEFX") });
    const document = read(
      await run(["doctor", "--json"], {
        env: {
          AWS_ACCESS_KEY_ID: "",
          AWS_SECRET_ACCESS_KEY: "  ",
          AWS_PROFILE: "",
          AWS_BEARER_TOKEN_BEDROCK: " ",
        },
      }),
    );
    expect(statuses(document)).toEqual(["not set", "not set", "not set", "used"]);
    expect(document.credentials.findings).toMatchObject([
      {
        id: "blank",
        message: expect.stringMatching(/^AWS_.* are set but blank, so they count as not set\.$/),
        hint: expect.stringMatching(/^unset AWS_/),
      },
    ]);
    expect(checkOf(document, "credentials")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("AWS_BEARER_TOKEN_BEDROCK"),
    });
  });

  it("a malformed shared config: its line, as a warning", async () => {
    const { run, home } = await emulate();
    writeSharedFiles(home, { config: "[default]\nregion us-east-1\n" });
    const document = read(await run(["doctor", "--json"]));
    expect(document.ok).toBe(true);
    expect(checkOf(document, "credentials")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining(".aws/config:2: this is not 'key = value'."),
    });
    expect(document.credentials.findings).toMatchObject([{ id: "shared-config" }]);
  });

  it("an SSO session that has expired: how to sign in with the right profile", async () => {
    const { run, home } = await emulate();
    writeSharedFiles(home, {
      config:
        "[profile work]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n[sso-session corp]\nsso_region = eu-west-3\nsso_start_url = https://corp.awsapps.com/start\n",
    });
    const document = read(await run(["doctor", "--json"], { env: { ...BARE, AWS_PROFILE: "work" } }));
    expect(document).toMatchObject({
      exitCode: 4,
      credentials: { source: "AWS_PROFILE" },
      error: { hint: "aws sso login --profile work" },
    });
    expect(checkOf(document, "identity")).toMatchObject({
      status: "fail",
      hint: "aws sso login --profile work",
    });
  });

  it("keys that AWS does not know", async () => {
    const { run } = await emulate();
    const document = read(
      await run(["doctor", "--json"], { env: { AWS_ACCESS_KEY_ID: "AKIAUNKNOWN000000UNKX" } }),
    );
    expect(document).toMatchObject({ exitCode: 4, error: { code: "credentials-rejected" } });
    expect(checkOf(document, "identity")?.status).toBe("fail");
  });

  it("a denied ListFoundationModels: the action, and that it is denied explicitly", async () => {
    const { run } = await emulate({
      script: ({ route }) =>
        route === "ListFoundationModels"
          ? {
              error: {
                name: "AccessDeniedException",
                message:
                  "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:ListFoundationModels because an explicit deny in a service control policy",
                status: 403,
              },
            }
          : undefined,
    });
    const document = read(await run(["doctor", "--json"]));
    expect(document).toMatchObject({ exitCode: 4, error: { code: "access-denied" } });
    expect(checkOf(document, "discovery")?.detail).toMatch(
      /bedrock:ListFoundationModels.*service control policy denies it explicitly/,
    );
    expect(checkOf(document, "profiles")?.status).toBe("ok");
  });

  it("a denied ListInferenceProfiles: a warning with the permission", async () => {
    const { run } = await emulate({
      script: ({ route }) =>
        route === "ListInferenceProfiles"
          ? {
              error: {
                name: "AccessDeniedException",
                message:
                  "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:ListInferenceProfiles because no identity-based policy allows the bedrock:ListInferenceProfiles action",
                status: 403,
              },
            }
          : undefined,
    });
    const result = await run(["doctor", "--json"]);
    expect(result.code).toBe(0);
    expect(checkOf(read(result), "profiles")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("bedrock:ListInferenceProfiles"),
    });
  });

  it("STS that cannot be reached: a warning, because Bedrock does without", async () => {
    const { run } = await emulate();
    const document = read(
      await run(["doctor", "--json"], {
        env: { AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1", AWS_MAX_ATTEMPTS: "1" },
      }),
    );
    expect(document.ok).toBe(true);
    expect(checkOf(document, "identity")?.status).toBe("warn");
    expect(checkOf(document, "network")?.status).toBe("warn");
  });

  it("an endpoint where nothing listens: exit 5", async () => {
    const { run } = await emulate();
    const document = read(await run(["doctor", "--json", "--endpoint-url", "http://127.0.0.1:1"]));
    expect(document).toMatchObject({ exitCode: 5, error: { code: "network" } });
    expect(checkOf(document, "network")?.detail).toContain("http://127.0.0.1:1");
    // --endpoint-url never reaches STS.
    expect(checkOf(document, "identity")?.status).toBe("ok");
  });

  it("a clock that is wrong: by how much", async () => {
    const { run } = await emulate({
      script: ({ route }) =>
        route === "Unknown"
          ? {
              http: {
                status: 404,
                headers: { date: new Date(Date.now() + 12 * 60_000).toUTCString(), "x-amzn-requestid": "r" },
                body: "",
              },
            }
          : undefined,
    });
    const document = read(await run(["doctor", "--json"]));
    expect(checkOf(document, "clock")).toMatchObject({
      status: "fail",
      detail: expect.stringContaining("12 minutes slow"),
      hint: "sudo timedatectl set-ntp true",
    });
  });

  it("a default model that AWS does not list: exit 6 and the nearest id", async () => {
    const { run, configure } = await emulate();
    configure('{ agents: { defaults: { model: "amazon-bedrock/us.anthropic.claude-opus-4-6-v1:0" } } }');
    const document = read(await run(["doctor", "--json"]));
    expect(document).toMatchObject({
      exitCode: 6,
      error: {
        code: "model-not-found",
        hint: "Did you mean us.anthropic.claude-opus-4-6-v1? Then: openclaw models set amazon-bedrock/us.anthropic.claude-opus-4-6-v1",
      },
    });
  });

  it("access to a model that is missing: which part", async () => {
    const { run, configure } = await emulate({
      script: ({ route }) =>
        route === "GetFoundationModelAvailability"
          ? {
              http: {
                status: 200,
                body: {
                  modelId: "amazon.nova-lite-v1:0",
                  agreementAvailability: { status: "AVAILABLE" },
                  authorizationStatus: "NOT_AUTHORIZED",
                  entitlementAvailability: "AVAILABLE",
                  regionAvailability: "AVAILABLE",
                },
              },
            }
          : undefined,
    });
    configure('{ agents: { defaults: { model: "amazon.nova-lite-v1:0" } } }');
    const document = read(await run(["doctor", "--json"]));
    expect(document).toMatchObject({ exitCode: 4, error: { code: "model-access" } });
    expect(checkOf(document, "model-access")?.detail).toContain("(authorization)");
  });

  it("a broken configuration: exit 3, and the rest goes on", async () => {
    const { run, configure } = await emulate();
    configure("{ models: ");
    const result = await run(["doctor", "--json"]);
    const document = read(result);
    expect(document).toMatchObject({ exitCode: 3, error: { code: "config-invalid" } });
    expect(checkOf(document, "identity")?.status).toBe("ok");
    expect(checkOf(document, "discovery")?.status).toBe("ok");
    expect(checkOf(document, "default-model")).toMatchObject({ status: "skip", detail: "needs config" });
  });

  it("a configuration with a key that others can read", async () => {
    const { run, configure, home } = await emulate();
    configure(
      '{ models: { providers: { proxy: { apiKey: "sk-very-secret", baseUrl: "http://127.0.0.1:1" } } } }',
    );
    chmodSync(path.join(home, ".openclaw", "openclaw.json"), 0o644);
    const result = await run(["doctor", "--json"]);
    expect(checkOf(read(result), "config")).toMatchObject({
      status: "warn",
      hint: expect.stringMatching(/^chmod 600 /),
    });
    expect(result.stdout).not.toContain("sk-very-secret");
  });

  it("a --region that is none: a usage error with the whole document", async () => {
    const { run } = await emulate();
    const document = read(await run(["doctor", "--json", "--region", "nowhere"]));
    expect(document).toMatchObject({ exitCode: 2, region: null, error: { code: "usage" } });
  });

  it("an endpoint behind a proxy: which one", async () => {
    const { run, emulator } = await emulate();
    const proxy = createServer(async (request, response) => {
      const answer = await fetch(`${emulator.url}${new URL(request.url ?? "").pathname}`).catch(
        () => undefined,
      );
      // Nobody waits for it any more, nor is the emulator there.
      if (!answer) return void response.destroy();
      response.writeHead(answer.status, {
        "x-amzn-requestid": "through-proxy",
        date: new Date().toUTCString(),
      });
      response.end(await answer.text());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void proxy.close());
    const { port } = proxy.address() as { port: number };
    const result = await run(["doctor", "--json"], {
      env: {
        AWS_ENDPOINT_URL: "http://bedrock.test",
        HTTP_PROXY: `http://someone:proxy-password@127.0.0.1:${port}`,
        AWS_MAX_ATTEMPTS: "1",
      },
    });
    const document = JSON.parse(result.stdout) as DoctorDocument;
    expect(checkOf(document, "network")).toMatchObject({
      status: "ok",
      detail: expect.stringContaining(`bedrock.test`),
    });
    expect(checkOf(document, "network")?.detail).toContain(`through proxy http://127.0.0.1:${port}`);
    expect(result.stdout).not.toContain("proxy-password");
  });
});

describe("doctor in time", () => {
  it("needs a second where no instance answers", async () => {
    const { run } = await emulate();
    const endpoint = await blackHole();
    const started = performance.now();
    const document = read(
      await run(["doctor", "--json"], {
        env: { ...BARE, AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint },
      }),
    );
    expect(performance.now() - started).toBeLessThan(4000);
    expect(document.credentials).toMatchObject({ source: "none" });
    expect(checkOf(document, "credentials")?.detail).toContain("no connection within 1 s");
  });

  it("ends with 130 at once when it is interrupted, with --json with its document", async () => {
    const { emulator, home, env } = await emulate({
      script: ({ route }) => (route === "ListFoundationModels" ? { drop: "stall" } : undefined),
    });
    const child = start(["doctor", "--json"], home, { env });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
    await expect
      .poll(() => emulator.calls.some(({ route }) => route === "ListFoundationModels"), { timeout: 10_000 })
      .toBe(true);
    const started = performance.now();
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(performance.now() - started).toBeLessThan(1500);
    const { error, ...document } = JSON.parse(stdout) as { error: object; checks: { id: string }[] };
    expect(error).toMatchObject({ code: "interrupted", exitCode: 130 });
    expectSchema("doctor", { ...document, error });
    expect(document).toMatchObject({
      ok: false,
      exitCode: 130,
      credentials: { source: "AWS_ACCESS_KEY_ID" },
    });
    expect(document.checks).toContainEqual(expect.objectContaining({ id: "credentials", status: "ok" }));
    expect(document.checks).toContainEqual(
      expect.objectContaining({ id: "discovery", status: "skip", detail: "was stopped" }),
    );
    expect(existsSync(path.join(home, ".openclaw"))).toBe(false);
  });
});

describe("another provider's model alone", () => {
  const configure = async (more: object): Promise<Emulated> => {
    const emulated = await emulate();
    emulated.configure(
      JSON.stringify({
        models: {
          providers: {
            corp: {
              api: "openai-completions",
              baseUrl: "http://127.0.0.1:9/v1",
              auth: "none",
              models: [{ id: "m1" }],
            },
          },
          ...more,
        },
        agents: { defaults: { model: "corp/m1" } },
      }),
    );
    return emulated;
  };
  const NOBODY = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  const AWS = [
    "credentials",
    "identity",
    "region",
    "clock",
    "network",
    "discovery",
    "profiles",
    "model-access",
  ];

  it.each([
    ["without credentials", {}, NOBODY],
    ["with discovery off", { bedrockDiscovery: { enabled: false } }, {}],
  ])("needs nothing of AWS %s: what it has to say is about its server", async (_, more, env) => {
    const { run, routes } = await configure(more);
    const result = await run(["doctor", "--json"], { env });
    const document = read(result);
    for (const id of AWS)
      expect(checkOf(document, id)).toMatchObject({ status: "skip", detail: "no model of AWS is called" });
    expect(checkOf(document, "default-model")).toMatchObject({ status: "ok" });
    expect(checkOf(document, "providers")).toMatchObject({ status: "fail" });
    expect(result.code).toBe(5);
    expect(routes()).toEqual([]);
  });

  it("has AWS looked at where discovery is asked for, or there are credentials", async () => {
    const wanted = await configure({ bedrockDiscovery: { enabled: true } });
    expect((await wanted.run(["doctor"], { env: NOBODY })).code).toBe(4);
    const { run } = await configure({});
    expect(checkOf(read(await run(["doctor", "--json"])), "identity")).toMatchObject({ status: "ok" });
  });
});
