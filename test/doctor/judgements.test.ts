import { describe, expect, it } from "vitest";
import { resolveModel } from "../../src/models/resolve-model.ts";
import type { FoundationModel, InferenceProfile } from "../../src/models/discovered.ts";
import { type Outcome, worst } from "../../src/doctor/check.ts";
import type { Configuration } from "../../src/config/settings.ts";
import { judgeConfig, judgeFolder } from "../../src/doctor/check-config.ts";
import { judgeGatesOf, judgeModel, type ModelLists } from "../../src/doctor/check-models.ts";
import { judgeClock, judgeWays, type Way } from "../../src/doctor/check-network.ts";
import type { Reached } from "../../src/doctor/reach.ts";
import { judgeRegion, regionOfHost } from "../../src/doctor/check-region.ts";
import { judgeCatalog, judgeNode } from "../../src/doctor/check-runtime.ts";
import type { Availability, GateAnswers } from "../../src/discovery/judge-access.ts";
import { OpenclawError } from "../../src/errors.ts";
import { CATALOG_DATE } from "../../src/models/catalog.ts";

const codeOf = (outcome: Outcome): string | undefined =>
  outcome.status === "fail" ? outcome.error.code : undefined;

describe("the catalog", () => {
  const age = (days: number) => Date.parse(CATALOG_DATE) + days * 86_400_000;
  it.each([
    [-1, "ok"],
    [0, "ok"],
    [120.9, "ok"],
    [121, "warn"],
    [1000, "warn"],
  ])("of %d days is %s", (days, status) => {
    const outcome = judgeCatalog(age(days));
    expect(outcome).toMatchObject({ status, detail: expect.stringContaining(CATALOG_DATE) });
    if (status === "warn") expect(outcome.detail).toContain(`${days} days old`);
  });
});

describe("the Node version", () => {
  it.each([
    ["20.20.2", "warn"],
    ["21.7.0", "warn"],
    ["22.12.0", "ok"],
    ["24.1.0", "ok"],
    ["26.0.0", "ok"],
  ])("%s is %s", (nodeVersion, status) => {
    expect(judgeNode({ nodeVersion, platform: "linux", env: {} }, undefined).status).toBe(status);
  });

  const hintFor = (env: Record<string, string>, platform: NodeJS.Platform, release?: string): unknown => {
    const outcome = judgeNode({ nodeVersion: "20.19.0", platform, env }, release);
    return "hint" in outcome ? outcome.hint : undefined;
  };

  it.each([
    [{ NVM_DIR: "/x" }, "nvm install 24 && nvm alias default 24"],
    [{ FNM_DIR: "/x" }, "fnm install 24 && fnm default 24"],
    [{ VOLTA_HOME: "/x" }, "volta install node@24"],
    [{}, "Install Node 24 from https://nodejs.org/en/download, or with a version manager: nvm install 24"],
  ])("too old is told with the command for %j", (env, hint) => {
    expect(hintFor(env, "linux")).toBe(hint);
    // A version manager goes before the system's own packages.
    if (Object.keys(env).length > 0) expect(hintFor(env, "linux", "ID=alpine\n")).toBe(hint);
  });

  const FROM_NODESOURCE = "curl -fsSL https://deb.nodesource.com/setup_24.x | sudo -E bash -";
  it.each<[string, NodeJS.Platform, string, string]>([
    ["macOS", "darwin", "", "brew install node"],
    ["Windows", "win32", "", "winget install OpenJS.NodeJS.LTS"],
    [
      "Amazon Linux 2023",
      "linux",
      'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n',
      "sudo dnf install -y nodejs24 nodejs24-npm",
    ],
    [
      "Amazon Linux 2",
      "linux",
      'ID="amzn"\nID_LIKE="centos rhel fedora"\nVERSION_ID="2"\n',
      "move to Amazon Linux 2023",
    ],
    ["CentOS 7", "linux", 'ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n', "glibc 2.28"],
    ["RHEL 9", "linux", 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n', "rpm.nodesource.com"],
    ["Rocky", "linux", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n', "rpm.nodesource.com"],
    ["Fedora", "linux", "ID=fedora\nVERSION_ID=43\n", "sudo dnf install -y nodejs"],
    ["Debian", "linux", "ID=debian\nVERSION_ID='12'\n", FROM_NODESOURCE],
    ["Debian unstable", "linux", "ID=debian\n", FROM_NODESOURCE],
    ["Ubuntu", "linux", 'ID=ubuntu\r\nID_LIKE=debian\r\nVERSION_ID="24.04"\r\n', FROM_NODESOURCE],
    [
      "Ubuntu 26",
      "linux",
      'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="26.04"\n',
      "sudo apt-get install -y nodejs npm",
    ],
    ["Mint", "linux", 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n', FROM_NODESOURCE],
    ["Alpine", "linux", "ID=alpine\nVERSION_ID=3.22.1\n", "apk add --upgrade nodejs npm"],
    ["something else", "linux", "ID=plan9\n", "https://nodejs.org/en/download"],
    ["a file of nonsense", "linux", "\0\u{1b}[2J=\nID\n", "https://nodejs.org/en/download"],
    ["another platform", "freebsd", "", "https://nodejs.org/en/download"],
  ])("too old is told on %s with the package manager of the system", (_, platform, release, hint) => {
    expect(hintFor({}, platform, release)).toContain(hint);
  });
});

describe("the configuration", () => {
  const config = (apiKey?: string) => ({
    file: "/c.json",
    exists: true,
    value: { models: { providers: { proxy: apiKey === undefined ? {} : { apiKey } } } },
  });
  it.each<[string, string | undefined, number, string, string | undefined]>([
    ["a key that others can read", "sk-1", 0o100644, "warn", "chmod 600 /c.json"],
    ["a key that nobody else can read", "sk-1", 0o100600, "ok", undefined],
    ["no key, readable by all", undefined, 0o100644, "ok", undefined],
    ["a key from a variable, readable by all", "${SET}", 0o100644, "ok", undefined],
    ["a key from a variable that is not set", "${UNSET}", 0o100600, "warn", "export UNSET=…"],
  ])("with %s", (_, apiKey, mode, status, hint) => {
    const outcome = judgeConfig(config(apiKey), mode, { SET: "x" });
    expect(outcome.status).toBe(status);
    expect("hint" in outcome ? outcome.hint : undefined).toBe(hint);
    expect(JSON.stringify(outcome)).not.toContain("sk-1");
  });

  it.each<[Configuration, number, "ok" | "warn", string]>([
    [
      { mcpServers: { f: { command: "x", env: { GITHUB_TOKEN: "sk-1" } } } },
      0o644,
      "warn",
      "f.env.GITHUB_TOKEN",
    ],
    [
      { mcpServers: { f: { url: "https://h", headers: { Authorization: "sk-1" } } } },
      0o640,
      "warn",
      "f.headers",
    ],
    [{ mcp: { servers: { f: { command: "x", env: { API_KEY: "sk-1" } } } } }, 0o644, "warn", "f.env.API_KEY"],
    [{ tools: { t: { command: ["x"], env: { PASSWORD: "sk-1" } } } }, 0o644, "warn", "tools.t.env.PASSWORD"],
    [{ tools: { t: { command: ["x"], env: { PASSWORD: "sk-1" } } } }, 0o600, "ok", "/c"],
    [{ tools: { t: { command: ["x"], env: { PASSWORD: "${SET}", LANG: "C" } } } }, 0o644, "ok", "/c"],
    [{ tools: { exec: { env: { PASSWORD: "sk-1" } } } }, 0o644, "ok", "/c"],
  ])("%j with mode %o is %s", (value, mode, status, detail) => {
    const outcome = judgeConfig({ file: "/c", exists: true, value }, mode, { SET: "x" });
    expect(outcome).toMatchObject({ status, detail: expect.stringContaining(detail) });
    expect(JSON.stringify(outcome)).not.toContain("sk-1");
  });
});

it.each([
  [0o40700, "ok"],
  [0o40775, "ok"],
  [0o40777, "warn"],
  [0o41777, "warn"],
  [0, "ok"],
])("a folder of mode %o is %s", (mode, status) => {
  const outcome = judgeFolder("/s t", mode, { status: "ok", detail: "" });
  expect(outcome.status).toBe(status);
  if (status === "warn") expect(outcome).toMatchObject({ hint: "chmod 700 '/s t'" });
});

describe("the region", () => {
  const silent = { profile: undefined, endpoints: [], models: [] };
  it.each<[string, string, Partial<Parameters<typeof judgeRegion>[1]>, string, string]>([
    ["env AWS_REGION", "us-east-1", {}, "ok", "us-east-1 (env AWS_REGION)"],
    ["env AWS_REGION", "US East", {}, "fail", "'US East' (env AWS_REGION) is not an AWS region name."],
    [
      "env AWS_REGION",
      "us-east-1",
      { endpoints: [{ url: "https://bedrock.eu-west-1.amazonaws.com", source: "--endpoint-url" }] },
      "warn",
      "is in eu-west-1",
    ],
    [
      "env AWS_REGION",
      "us-east-1",
      { endpoints: [{ url: "http://127.0.0.1:1", source: "--endpoint-url" }] },
      "ok",
      "us-east-1",
    ],
    [
      "env AWS_REGION",
      "us-east-1",
      {
        models: [
          {
            id: "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x",
            region: { value: "eu-west-1", source: "model ARN" },
          },
        ],
      },
      "warn",
      "is called in eu-west-1 (model ARN)",
    ],
    [
      "env AWS_REGION",
      "us-east-1",
      {
        endpoints: [
          { url: "https://bedrock.us-east-1.amazonaws.com", source: "env AWS_ENDPOINT_URL_BEDROCK" },
          {
            url: "https://vpce-0a1b-2c3d.bedrock-runtime.us-west-2.vpce.amazonaws.com",
            source: "env AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
          },
        ],
      },
      "warn",
      "(env AWS_ENDPOINT_URL_BEDROCK_RUNTIME) is in us-west-2",
    ],
    [
      "models.bedrockDiscovery.region",
      "us-east-1",
      {
        models: [
          {
            id: "us.amazon.nova-lite-v1:0",
            region: { value: "us-west-2", source: "models.providers.amazon-bedrock.baseUrl" },
          },
        ],
      },
      "warn",
      "is called in us-west-2 (models.providers.amazon-bedrock.baseUrl)",
    ],
    [
      "env AWS_REGION",
      "us-east-1",
      {
        models: [
          { id: "us.amazon.nova-lite-v1:0", region: { value: "us-east-1", source: "env AWS_REGION" } },
        ],
      },
      "ok",
      "us-east-1",
    ],
    [
      "env AWS_REGION",
      "us-east-1",
      { profile: { name: "dev", region: "eu-west-1" } },
      "warn",
      "profile dev says eu-west-1",
    ],
    [
      "profile dev",
      "eu-west-1",
      { profile: { name: "dev", region: "eu-west-1" } },
      "ok",
      "eu-west-1 (profile dev)",
    ],
  ])("from %s: %s with %j", (source, value, voices, status, detail) => {
    const outcome = judgeRegion({ value, source }, { ...silent, ...voices });
    expect(outcome.status).toBe(status);
    expect(outcome.detail).toContain(detail);
  });

  it.each([
    ["https://bedrock.us-east-1.amazonaws.com", "us-east-1"],
    ["https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
    ["https://vpce-0123-abc.bedrock-runtime.eu-central-1.vpce.amazonaws.com", "eu-central-1"],
    ["https://bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"],
    ["https://bedrock.example.com", undefined],
    ["http://127.0.0.1:4100", undefined],
  ])("of the host in %s is %s", (url, region) => expect(regionOfHost(url)).toBe(region));
});

describe("the clock", () => {
  it.each([
    [0, true, "ok", "agrees with AWS"],
    [-20_000, true, "ok", "20 s slow"],
    [45_000, true, "warn", "45 s fast"],
    [-299_000, true, "warn", "5 minutes slow"],
    [-720_000, true, "fail", "12 minutes slow"],
    [720_000, false, "warn", "12 minutes fast"],
  ])("%d ms ahead (signed: %s) is %s", (skew, isSigned, status, words) => {
    const outcome = judgeClock(skew, isSigned);
    expect(outcome.status).toBe(status);
    expect(outcome.detail).toContain(words);
    if (status === "fail") expect(codeOf(outcome)).toBe("credentials-rejected");
  });
});

describe("the way to the endpoints", () => {
  const answered: Reached = {
    status: 404,
    serverTime: 0,
    localTime: 0,
    durationMs: 12,
    isAws: true,
    location: undefined,
  };
  const way = (more: Partial<Way> = {}): Way => ({
    service: "bedrock",
    url: "https://bedrock.us-east-1.amazonaws.com",
    source: undefined,
    proxy: undefined,
    outcome: answered,
    ...more,
  });
  const unreachable = new OpenclawError("network", { message: "The name x cannot be found.", hint: "Look." });

  it.each<[string, Way[], string, string | undefined, string]>([
    ["open", [way()], "ok", undefined, "bedrock.us-east-1.amazonaws.com 12 ms"],
    [
      "through a proxy",
      [way({ proxy: "http://proxy:3128" })],
      "ok",
      undefined,
      "through proxy http://proxy:3128",
    ],
    ["closed", [way({ outcome: unreachable })], "fail", "network", "cannot be found"],
    [
      "closed to STS only",
      [way(), way({ service: "sts", url: "https://sts.us-east-1.amazonaws.com", outcome: unreachable })],
      "warn",
      undefined,
      "cannot be found",
    ],
    [
      "redirected by STS, which it does to browsers",
      [way(), way({ service: "sts", outcome: { ...answered, status: 302, isAws: false } })],
      "ok",
      undefined,
      "12 ms",
    ],
    [
      "redirected",
      [way({ outcome: { ...answered, status: 302, location: "http://login.wifi/" } })],
      "fail",
      "bad-response",
      "302 to login.wifi",
    ],
    [
      "at a proxy that wants a password",
      [way({ proxy: "http://proxy:3128", outcome: { ...answered, status: 407, isAws: false } })],
      "fail",
      "network",
      "wants a name and password",
    ],
    [
      "to something that is not AWS",
      [way({ outcome: { ...answered, status: 502, isAws: false } })],
      "warn",
      undefined,
      "answers 502 without AWS's request id",
    ],
  ])("%s", (_, ways, status, code, words) => {
    const outcome = judgeWays(ways, undefined);
    expect([outcome.status, codeOf(outcome)]).toEqual([status, code]);
    expect(outcome.detail).toContain(words);
  });

  it("tells services behind one URL once, with who named it and the CA bundle", () => {
    const url = "http://127.0.0.1:4100";
    const source = "env AWS_ENDPOINT_URL";
    const { detail } = judgeWays(
      [way({ url, source }), way({ service: "bedrock-runtime", url, source })],
      "/ca.pem",
    );
    expect(detail).toBe("127.0.0.1:4100 12 ms (env AWS_ENDPOINT_URL), CA bundle /ca.pem");
  });
});

describe("the default model", () => {
  const base = (id: string, more: Partial<FoundationModel> = {}): FoundationModel => ({
    id,
    arn: `arn:aws:bedrock:us-east-1::foundation-model/${id}`,
    name: id,
    provider: "Anthropic",
    input: ["TEXT"],
    output: ["TEXT"],
    streams: true,
    inferenceTypes: ["ON_DEMAND"],
    lifecycle: "ACTIVE",
    ...more,
  });
  const profile = (id: string, baseId: string, more: Partial<InferenceProfile> = {}): InferenceProfile => ({
    id,
    arn: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${id}`,
    name: id,
    isApplication: false,
    isActive: true,
    modelArns: ["us-east-1", "us-west-2"].map(
      (region) => `arn:aws:bedrock:${region}::foundation-model/${baseId}`,
    ),
    ...more,
  });
  const lists: ModelLists = {
    region: "us-east-1",
    models: [
      base("amazon.nova-lite-v1:0"),
      base("anthropic.claude-opus-4-6-v1", { inferenceTypes: ["INFERENCE_PROFILE"] }),
      base("anthropic.claude-v2", { lifecycle: "LEGACY", endOfLife: "2026-12-24T00:00:00.000Z" }),
      base("cohere.rerank-v1", { streams: false }),
      base("vendor.only-global-v1", { inferenceTypes: ["INFERENCE_PROFILE"] }),
      base("vendor.nowhere-v1", { inferenceTypes: ["INFERENCE_PROFILE"] }),
    ],
    profiles: [
      profile("us.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6-v1"),
      profile("us.anthropic.claude-v2", "anthropic.claude-v2"),
      profile("us.sleeping", "amazon.nova-lite-v1:0", { isActive: false }),
      profile("global.vendor.only-global-v1", "vendor.only-global-v1"),
      profile("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0", {
        modelArns: ["us-east-1", ""].map(
          (region) => `arn:aws:bedrock:${region}::foundation-model/amazon.nova-2-lite-v1:0`,
        ),
      }),
    ],
  };
  const judge = (text: string, own: ModelLists = lists): Outcome =>
    judgeModel(resolveModel(text, {}).id, own);

  it.each<[string, string, string | undefined, string]>([
    ["amazon.nova-lite-v1:0", "ok", undefined, "on demand in us-east-1"],
    ["amazon-bedrock/amazon.nova-lite-v1:0", "ok", undefined, "amazon.nova-lite-v1:0, on demand"],
    ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "ok", undefined, "on demand"],
    [
      "us.anthropic.claude-opus-4-6-v1",
      "ok",
      undefined,
      "routes to us-east-1, us-west-2 (service control policies must allow both)",
    ],
    [
      "arn:aws:bedrock:us-east-1::inference-profile/us.anthropic.claude-opus-4-6-v1",
      "ok",
      undefined,
      "routes to us-east-1, us-west-2",
    ],
    [
      "global.amazon.nova-2-lite-v1:0",
      "ok",
      undefined,
      'routes to any commercial region (service control policies must allow aws:RequestedRegion "unspecified")',
    ],
    [
      "anthropic.claude-opus-4-6-v1",
      "ok",
      undefined,
      "called through us.anthropic.claude-opus-4-6-v1, which routes to us-east-1, us-west-2",
    ],
    ["anthropic.claude-v2", "warn", undefined, "AWS calls it LEGACY, ends on 2026-12-24"],
    ["us.anthropic.claude-v2", "warn", undefined, "AWS calls it LEGACY"],
    ["us.sleeping", "warn", undefined, "it is not active"],
    ["cohere.rerank-v1", "fail", "invalid-request", "does not stream"],
    ["vendor.only-global-v1", "fail", "needs-inference-profile", "none of us-east-1 reaches it"],
    ["vendor.nowhere-v1", "fail", "needs-inference-profile", "none of us-east-1 reaches it"],
    [
      "us.anthropic.claude-opus-4-6-v1:0",
      "fail",
      "model-not-found",
      "AWS lists no model or inference profile 'us.anthropic.claude-opus-4-6-v1:0' in us-east-1.",
    ],
    [
      "arn:aws:bedrock:us-east-1:1:provisioned-model/x",
      "ok",
      undefined,
      "an ARN that AWS's lists do not hold",
    ],
  ])("%s is %s", (text, status, code, words) => {
    const outcome = judge(text);
    expect([outcome.status, codeOf(outcome)]).toEqual([status, code]);
    expect(outcome.detail).toContain(words);
  });

  it("that nobody lists is told with the nearest id", () => {
    expect(judge("us.anthropic.claude-opus-4-6-v1:0")).toMatchObject({
      hint: "Did you mean us.anthropic.claude-opus-4-6-v1?",
    });
  });

  it("that only a global profile reaches is told with it", () => {
    expect(judge("vendor.only-global-v1")).toMatchObject({
      hint: expect.stringContaining("openclaw models set global.vendor.only-global-v1"),
    });
  });

  it("is a warning where a list may not be read", () => {
    expect(judge("amazon.nova-lite-v1:0", { ...lists, models: undefined }).status).toBe("warn");
    expect(judge("us.anthropic.claude-opus-4-6-v1", { ...lists, profiles: undefined })).toMatchObject({
      status: "warn",
      hint: expect.stringContaining("bedrock:ListInferenceProfiles"),
    });
    expect(judge("anthropic.claude-opus-4-6-v1", { ...lists, profiles: undefined })).toMatchObject({
      status: "warn",
      hint: expect.stringContaining("bedrock:ListInferenceProfiles"),
    });
  });

  it("and its fallbacks are judged by the worst, with the details of all", () => {
    const outcome = worst([judge("amazon.nova-lite-v1:0"), judge("anthropic.claude-v2")]);
    expect(outcome.status).toBe("warn");
    expect(outcome.detail).toMatch(/^amazon\.nova-lite-v1:0, .*; anthropic\.claude-v2; AWS calls it LEGACY/);
    expect(worst([judge("anthropic.claude-v2"), judge("nobody.knows-this")])).toMatchObject({
      status: "fail",
    });
  });
});

describe("access to a model", () => {
  const CLAUDE = "anthropic.claude-sonnet-4-6";
  const FABLE = "anthropic.claude-fable-5";
  const open = {
    agreement: "AVAILABLE",
    authorization: "AUTHORIZED",
    entitlement: "AVAILABLE",
    region: "AVAILABLE",
  };
  const said = (more: Partial<Availability>, rest: Partial<GateAnswers> = {}): GateAnswers => ({
    availability: { ...open, ...more },
    form: undefined,
    retention: undefined,
    ...rest,
  });
  const access = (model: string, ...flags: string[]): string =>
    ["openclaw models access", model, ...flags, "--region us-east-1"].join(" ");
  it.each<[string, string, GateAnswers, string, string, string]>([
    ["open", "m", said({}), "ok", "m in us-east-1", ""],
    [
      "region",
      "m",
      said({ region: "NOT_AVAILABLE" }),
      "fail",
      "not offered in us-east-1 (region)",
      "openclaw models access m --region us-west-2",
    ],
    [
      "authorization",
      "m",
      said({ authorization: "NOT_AUTHORIZED" }),
      "fail",
      "(authorization)",
      "service control policy",
    ],
    ["entitlement", "m", said({ entitlement: "NOT_AVAILABLE" }), "fail", "(entitlement)", "Request access"],
    [
      "entitlement, which an agreement brings",
      "m",
      said({ entitlement: "NOT_AVAILABLE", agreement: "NOT_AVAILABLE" }),
      "fail",
      "(entitlement)",
      access("m", "--accept-agreement"),
    ],
    [
      "agreement",
      "m",
      said({ agreement: "NOT_AVAILABLE" }),
      "warn",
      "(agreement)",
      `aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions allowed: ${access("m", "--accept-agreement")}`,
    ],
    ["agreement on its way", "m", said({ agreement: "PENDING" }), "warn", "(agreement)", "15 minutes"],
    [
      "agreement that failed",
      "m",
      said({ agreement: "ERROR", agreementError: "INVALID_PAYMENT_INSTRUMENT" }),
      "fail",
      "INVALID_PAYMENT_INSTRUMENT",
      access("m", "--accept-agreement"),
    ],
    [
      "the use-case form",
      CLAUDE,
      said({ agreement: "NOT_AVAILABLE" }, { form: "missing" }),
      "fail",
      "use-case form has not been submitted (form)",
      access(CLAUDE, "--submit-form", "FILE"),
    ],
    [
      "no form where the organization has sent one",
      CLAUDE,
      said({}, { form: "missing" }),
      "ok",
      `${CLAUDE} in us-east-1`,
      "",
    ],
    [
      "data retention",
      FABLE,
      said({}, { retention: "inherit" }),
      "fail",
      "the data retention mode inherit in us-east-1, and the model needs aws_review (retention)",
      access(FABLE, "--retention", "aws_review"),
    ],
    [
      "no data retention where more is permitted",
      FABLE,
      said({}, { retention: "provider_data_share" }),
      "ok",
      FABLE,
      "",
    ],
    ["no data retention where any mode will do", "m", said({}, { retention: "none" }), "ok", "m", ""],
    [
      "nothing that is told",
      "m",
      { availability: {}, form: undefined, retention: undefined },
      "ok",
      "m in us-east-1",
      "",
    ],
  ])("misses %s", (_, modelId, answers, status, words, hint) => {
    const outcome = judgeGatesOf(answers, { modelId, region: "us-east-1" });
    expect(outcome.status).toBe(status);
    expect(outcome.detail).toContain(words);
    if ("hint" in outcome) expect(outcome.hint).toContain(hint);
    if (status === "fail") expect(codeOf(outcome)).toBe("model-access");
  });

  it("wants no form at the endpoint bedrock-mantle", () => {
    const answers = said({ agreement: "NOT_AVAILABLE" }, { form: "missing" });
    const outcome = judgeGatesOf(answers, { modelId: CLAUDE, region: "us-east-1", isAtMantle: true });
    expect(outcome.status).toBe("warn");
  });
});
