import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { PassThrough } from "node:stream";
import { generate } from "selfsigned";
import { describe, expect, it, onTestFinished } from "vitest";
import { decideCredentials } from "../../src/credentials/order.ts";
import { buildAuthentication, detectCredentials } from "../../src/credentials/provider.ts";
import { loadSharedConfig } from "../../src/credentials/shared-config.ts";
import { describeChosen } from "../../src/credentials/describe.ts";
import { OpenclawError } from "../../src/errors.ts";
import { freePort } from "../helpers/free-port.ts";
import { blackHole } from "../helpers/black-hole.ts";
import { jsonError, startIdentityServer, stsError, type IdentityServer } from "../helpers/identity-server.ts";
import { isRunning } from "../helpers/is-running.ts";
import { createHome } from "../helpers/openclaw.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";
import { stsCredentials } from "../helpers/sts-answer.ts";
import {
  testRuntime,
  useEnvironment,
  type TestRuntime,
  type TestRuntimeOptions,
} from "../helpers/test-runtime.ts";

interface Scene extends Partial<TestRuntimeOptions> {
  config?: string;
  credentials?: string;
  profileFlag?: string;
  region?: string;
  timeoutMs?: number;
}

interface Resolved {
  runtime: TestRuntime;
  /** What signs: the access key id, or `token …`. */
  signer: () => Promise<string>;
  detect: () => Promise<boolean>;
  description: string;
}

/** A machine with these files and variables, whose STS, SSO and metadata services are on loopback. */
async function machine(server: IdentityServer, scene: Scene): Promise<Resolved> {
  const home = scene.home ?? createHome();
  writeSharedFiles(home, {
    ...(scene.config === undefined ? {} : { config: scene.config }),
    ...(scene.credentials === undefined ? {} : { credentials: scene.credentials }),
  });
  const env = {
    HOME: home,
    AWS_ENDPOINT_URL_STS: server.url,
    AWS_ENDPOINT_URL_SSO: server.url,
    AWS_ENDPOINT_URL_SSO_OIDC: server.url,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url,
    ...scene.env,
  };
  useEnvironment({ ...env, PATH: process.env["PATH"] ?? "" });
  const runtime = testRuntime({ ...scene, env, home });
  const shared = await loadSharedConfig(env, home);
  const decision = decideCredentials({
    env,
    shared,
    ...(scene.profileFlag === undefined ? {} : { profileFlag: scene.profileFlag }),
  });
  return {
    runtime,
    description: describeChosen(decision.chosen),
    detect: () => detectCredentials(decision, runtime),
    signer: async () => {
      const authentication = await buildAuthentication(decision, {
        runtime,
        region: scene.region ?? "eu-central-1",
        ...(scene.timeoutMs === undefined ? {} : { timeoutMs: scene.timeoutMs }),
      });
      if (authentication.kind === "token") return `token ${authentication.token.token}`;
      return (await authentication.credentials()).accessKeyId;
    },
  };
}

/** A container endpoint over TLS for `localhost`, and the file that vouches for it. */
async function secureContainer(): Promise<{ port: number; bundle: string }> {
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  const server = createHttpsServer({ key, cert }, (_, response) => {
    const keys = { AccessKeyId: "ASIATLSCONTAINER0001", SecretAccessKey: "s", Token: "t" };
    response.end(JSON.stringify({ ...keys, Expiration: "2099-01-01T00:00:00Z" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const bundle = path.join(createHome(), "ca.pem");
  writeFileSync(bundle, cert);
  return { port: (server.address() as AddressInfo).port, bundle };
}

async function failureOf(work: Promise<unknown>): Promise<OpenclawError> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(OpenclawError);
  return outcome as OpenclawError;
}

const KEYS = { AWS_ACCESS_KEY_ID: "AKIAENV0000000000001", AWS_SECRET_ACCESS_KEY: "env-secret" };
const BASE = "[base]\naws_access_key_id = AKIABASE000000000001\naws_secret_access_key = base-secret\n";
const SSO_SESSION =
  "[sso-session corp]\nsso_region = eu-west-3\nsso_start_url = https://corp.awsapps.com/start\n";
const SSO_PROFILE = "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
const LEGACY_SSO =
  "[profile old]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-3\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
const later = (ms: number): string => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

describe("each source resolves to its own credentials", () => {
  it("bearer token", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, { env: { AWS_BEARER_TOKEN_BEDROCK: " key-1 ", ...KEYS } });
    expect(await signer()).toBe("token key-1");
    expect(server.connections()).toBe(0);
  });

  it("key pair, with session token, account and expiry", async () => {
    const server = await startIdentityServer();
    const env = {
      ...KEYS,
      AWS_SESSION_TOKEN: "t",
      AWS_CREDENTIAL_EXPIRATION: "2030-01-01T00:00:00Z",
      AWS_ACCOUNT_ID: "123456789012",
    };
    const home = createHome();
    const runtime = testRuntime({ env, home });
    const decision = decideCredentials({ env, shared: await loadSharedConfig(env, home) });
    const authentication = await buildAuthentication(decision, { runtime });
    expect(authentication.kind === "credentials" && (await authentication.credentials())).toEqual({
      accessKeyId: "AKIAENV0000000000001",
      secretAccessKey: "env-secret",
      sessionToken: "t",
      accountId: "123456789012",
      expiration: new Date("2030-01-01T00:00:00Z"),
    });
    expect(server.connections()).toBe(0);
  });

  it("key pair before AWS_PROFILE, without the SDK's warning", async () => {
    const server = await startIdentityServer();
    const { signer, runtime } = await machine(server, {
      env: { ...KEYS, AWS_PROFILE: "base" },
      credentials: BASE,
    });
    expect(await signer()).toBe("AKIAENV0000000000001");
    expect(runtime.stderr()).toBe("");
  });

  it("profile with keys", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, { env: { AWS_PROFILE: "base" }, credentials: BASE });
    expect(await signer()).toBe("AKIABASE000000000001");
    expect(server.connections()).toBe(0);
  });

  it("--profile before AWS_PROFILE, key pair and bearer token", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: { ...KEYS, AWS_PROFILE: "other", AWS_BEARER_TOKEN_BEDROCK: "x" },
      profileFlag: "base",
      credentials: `${BASE}[other]\naws_access_key_id = AKIAOTHER00000000001\naws_secret_access_key = x\n`,
    });
    expect(await signer()).toBe("AKIABASE000000000001");
  });

  it("role with a source profile, assumed with that profile's keys in the region of the profile", async () => {
    const server = await startIdentityServer();
    const { signer, description } = await machine(server, {
      env: { AWS_PROFILE: "admin" },
      config:
        "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\nregion = ap-south-1\nexternal_id = x-1\nrole_session_name = me\n",
      credentials: BASE,
    });
    expect(await signer()).toBe("ASIASTSROLE000000001");
    expect(server.calls).toMatchObject([
      {
        action: "AssumeRole",
        signedBy: "AKIABASE000000000001",
        region: "ap-south-1",
        parameters: { RoleArn: "arn:aws:iam::1:role/Admin", ExternalId: "x-1", RoleSessionName: "me" },
      },
    ]);
    expect(description).toContain("role `Admin`, assumed with profile base");
  });

  it.each([
    [{ AWS_REGION: "eu-west-2", AWS_DEFAULT_REGION: "eu-west-3" }, "region = ap-south-1", "eu-west-2"],
    [{ AWS_DEFAULT_REGION: "eu-west-3" }, "region = ap-south-1", "eu-west-3"],
    [{}, "region = ap-south-1", "ap-south-1"],
    [{}, "", "eu-central-1"],
  ])("role under %j and %j: STS of %s", async (env, line, region) => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "admin", ...env },
      config: `[profile admin]\nrole_arn = r\nsource_profile = base\n${line}\n`,
      credentials: BASE,
    });
    await signer();
    expect(server.calls[0]?.region).toBe(region);
  });

  it("STS is not at an endpoint that the profile says to ignore", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "admin", AWS_ENDPOINT_URL_STS: "", HTTPS_PROXY: server.url, AWS_MAX_ATTEMPTS: "1" },
      config: `[profile admin]\nrole_arn = r\nsource_profile = base\nendpoint_url = ${server.url}\nignore_configured_endpoint_urls = true\n`,
      credentials: BASE,
    });
    expect((await failureOf(signer())).code).toBe("network");
    expect(server.calls.filter(({ action }) => action === "AssumeRole")).toEqual([]);
  });

  it.each([
    ["[profile 'my prof']\nROLE_ARN = r\nSource_Profile = \"base\"\n".replaceAll('"', ""), "my prof"],
    ["[profile 'a # b']\nrole_arn : r\nsource_profile : base\n", "a # b"],
    ["[profile __proto__]\nrole_arn=r\nsource_profile=base\n", "__proto__"],
  ])("role of %j, which the SDK's own reader has not", async (config, profileFlag) => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      profileFlag,
      config,
      credentials: BASE.toUpperCase().replace("BASE", "base").replace("BASE-SECRET", "base-secret"),
    });
    expect(await signer()).toBe("ASIASTSROLE000000001");
  });

  it.each([
    ["quotes and a space", (folder: string) => `"${folder}/my keys" --token 'a b'`],
    ["a ; and a #", (folder: string) => `KIND=x; "${folder}/my keys" --token "a b" # of ours`],
  ])("credential_process with %s", async (_, command) => {
    const server = await startIdentityServer();
    const home = createHome();
    writeFileSync(
      path.join(home, "my keys"),
      '#!/bin/sh\n[ "$2" = "a b" ] && echo \'{"Version":1,"AccessKeyId":"AKIAPROC000000000001","SecretAccessKey":"s"}\'\n',
    );
    chmodSync(path.join(home, "my keys"), 0o755);
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "proc" },
      config: `[profile proc]\ncredential_process = ${command(home)}\n`,
    });
    expect(await signer()).toBe("AKIAPROC000000000001");
  });

  it("role whose profile has keys of its own: the role", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "both" },
      config:
        "[profile both]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\naws_access_key_id = AKIAOWN0000000000001\naws_secret_access_key = x\n",
      credentials: BASE,
    });
    expect(await signer()).toBe("ASIASTSROLE000000001");
    expect(server.calls[0]?.signedBy).toBe("AKIABASE000000000001");
  });

  it("role over a role, each assumed with the one before", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "outer" },
      config:
        "[profile outer]\nrole_arn = arn:aws:iam::1:role/Outer\nsource_profile = middle\n" +
        "[profile middle]\nrole_arn = arn:aws:iam::1:role/Middle\nsource_profile = base\n",
      credentials: BASE,
    });
    expect(await signer()).toBe("ASIASTSROLE000000001");
    expect(server.calls.map(({ parameters, signedBy }) => [parameters["RoleArn"], signedBy])).toEqual([
      ["arn:aws:iam::1:role/Middle", "AKIABASE000000000001"],
      ["arn:aws:iam::1:role/Outer", "ASIASTSROLE000000001"],
    ]);
  });

  it.each([
    ["Environment", KEYS, "AKIAENV0000000000001"],
    ["Ec2InstanceMetadata", {}, "ASIAIMDS000000000001"],
    ["EcsContainer", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "SERVER/container" }, "ASIACONTAINER0000001"],
  ])("role with credential_source %s", async (source, env, signer) => {
    const server = await startIdentityServer();
    const resolved = await machine(server, {
      env: Object.fromEntries(
        Object.entries(env).map(([name, value]) => [name, value.replace("SERVER", server.url)]),
      ),
      profileFlag: "admin",
      config: `[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\ncredential_source = ${source}\n`,
    });
    expect(await resolved.signer()).toBe("ASIASTSROLE000000001");
    expect(server.calls.find(({ action }) => action === "AssumeRole")?.signedBy).toBe(signer);
  });

  it("STS is reached through the endpoint in the profile that --profile names", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: { AWS_ENDPOINT_URL_STS: "" },
      profileFlag: "admin",
      config: `[profile admin]\nrole_arn = r\nsource_profile = base\nservices = local\n[services local]\nsts =\n  endpoint_url = ${server.url}\n`,
      credentials: BASE,
    });
    expect(await signer()).toBe("ASIASTSROLE000000001");
  });

  it("credential_process", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    const program = path.join(home, "keys");
    writeFileSync(
      program,
      '#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"AKIAPROC000000000001","SecretAccessKey":"s"}\'\n',
    );
    chmodSync(program, 0o755);
    const { signer, description } = await machine(server, {
      home,
      env: { AWS_PROFILE: "proc" },
      config: `[profile proc]\ncredential_process = ${program} --token hunter2\n`,
    });
    expect(await signer()).toBe("AKIAPROC000000000001");
    expect(description).toBe("profile proc: credential_process keys");
  });

  it("SSO session with a valid sign-in", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    await writeSsoToken(home, "corp", { accessToken: "sso-token", expiresAt: later(HOUR) });
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "sso" },
      config: SSO_SESSION + SSO_PROFILE,
    });
    expect(await signer()).toBe("ASIASSO0000000000001");
    expect(server.calls).toMatchObject([
      {
        action: "GetRoleCredentials",
        signedBy: "sso-token",
        parameters: { account_id: "123456789012", role_name: "Dev" },
      },
    ]);
  });

  it("SSO session with an expired sign-in that can be renewed", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    await writeSsoToken(home, "corp", {
      accessToken: "old-token",
      expiresAt: later(-HOUR),
      clientId: "c",
      clientSecret: "s",
      refreshToken: "refresh-1",
    });
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "sso" },
      config: SSO_SESSION + SSO_PROFILE,
    });
    expect(await signer()).toBe("ASIASSO0000000000001");
    expect(server.calls.map(({ action, signedBy }) => [action, signedBy])).toEqual([
      ["CreateToken", undefined],
      ["GetRoleCredentials", "renewed-sso-token"],
    ]);
  });

  it("the older SSO with a valid sign-in", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    await writeSsoToken(home, "https://corp.awsapps.com/start", {
      accessToken: "old-form",
      expiresAt: later(HOUR),
    });
    const { signer } = await machine(server, { home, env: { AWS_PROFILE: "old" }, config: LEGACY_SSO });
    expect(await signer()).toBe("ASIASSO0000000000001");
    expect(server.calls[0]?.signedBy).toBe("old-form");
  });

  it("role whose source profile signs in with SSO", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    await writeSsoToken(home, "corp", { accessToken: "sso-token", expiresAt: later(HOUR) });
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "admin" },
      config: `${SSO_SESSION}${SSO_PROFILE}[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = sso\n`,
    });
    expect(await signer()).toBe("ASIASTSROLE000000001");
    expect(server.calls.map(({ action, signedBy }) => [action, signedBy])).toEqual([
      ["GetRoleCredentials", "sso-token"],
      ["AssumeRole", "ASIASSO0000000000001"],
    ]);
  });

  it("aws login session", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    const { createHash } = await import("node:crypto");
    const session = "arn:aws:iam::123456789012:user/me";
    const folder = path.join(home, "login-cache");
    mkdirSync(folder);
    writeFileSync(
      path.join(folder, `${createHash("sha256").update(session).digest("hex")}.json`),
      JSON.stringify({
        accessToken: {
          accessKeyId: "ASIALOGIN00000000001",
          secretAccessKey: "s",
          sessionToken: "t",
          accountId: "123456789012",
          expiresAt: later(HOUR),
        },
        clientId: "c",
        refreshToken: "r",
        dpopKey: "k",
      }),
    );
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "login", AWS_LOGIN_CACHE_DIRECTORY: folder },
      config: `[profile login]\nlogin_session = ${session}\n`,
    });
    expect(await signer()).toBe("ASIALOGIN00000000001");
  });

  it("web identity of the environment", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    writeFileSync(path.join(home, "token"), "web-token");
    const { signer } = await machine(server, {
      home,
      env: {
        AWS_WEB_IDENTITY_TOKEN_FILE: path.join(home, "token"),
        AWS_ROLE_ARN: "arn:aws:iam::1:role/Pod",
        AWS_ROLE_SESSION_NAME: "pod-1",
      },
    });
    expect(await signer()).toBe("ASIASTSWEBID00000001");
    expect(server.calls).toMatchObject([
      {
        action: "AssumeRoleWithWebIdentity",
        signedBy: undefined,
        parameters: {
          RoleArn: "arn:aws:iam::1:role/Pod",
          WebIdentityToken: "web-token",
          RoleSessionName: "pod-1",
        },
      },
    ]);
  });

  it("web identity of a profile", async () => {
    const server = await startIdentityServer();
    const home = createHome();
    writeFileSync(path.join(home, "token"), "web-token");
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "web" },
      config: `[profile web]\nrole_arn = arn:aws:iam::1:role/Web\nweb_identity_token_file = ${path.join(home, "token")}\n`,
    });
    expect(await signer()).toBe("ASIASTSWEBID00000001");
    expect(server.calls[0]?.parameters["WebIdentityToken"]).toBe("web-token");
  });

  it.each([
    ["no token", {}, undefined],
    ["a token", { AWS_CONTAINER_AUTHORIZATION_TOKEN: "direct" }, "direct"],
    ["a token file", { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "HOME/token" }, "from-file"],
    [
      "both",
      { AWS_CONTAINER_AUTHORIZATION_TOKEN: "direct", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "HOME/token" },
      "from-file",
    ],
  ])("container endpoint with %s", async (_, env, token) => {
    const server = await startIdentityServer();
    const home = createHome();
    writeFileSync(path.join(home, "token"), "from-file");
    const { signer, runtime } = await machine(server, {
      home,
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/container/v1`,
        ...Object.fromEntries(
          Object.entries(env).map(([name, value]) => [name, value.replace("HOME", home)]),
        ),
      },
    });
    expect(await signer()).toBe("ASIACONTAINER0000001");
    expect(server.calls).toMatchObject([{ action: "ContainerCredentials", signedBy: token }]);
    expect(runtime.stderr()).toBe("");
  });

  it("EC2 instance role, with nothing in the environment", async () => {
    const server = await startIdentityServer();
    const { signer, detect } = await machine(server, {});
    expect(await detect()).toBe(true);
    expect(await signer()).toBe("ASIAIMDS000000000001");
  });

  it("EC2 instance role, with AWS_PROFILE=default and no such profile", async () => {
    const server = await startIdentityServer();
    const { signer, detect } = await machine(server, { env: { AWS_PROFILE: "default" } });
    expect(await detect()).toBe(true);
    expect(await signer()).toBe("ASIAIMDS000000000001");
  });

  it("EC2 instance role, with a default profile that has a region only", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, { config: "[default]\nregion = eu-west-1\n" });
    expect(await signer()).toBe("ASIAIMDS000000000001");
  });
});

describe("detection", () => {
  it.each<[string, Scene]>([
    ["bearer token", { env: { AWS_BEARER_TOKEN_BEDROCK: "x" } }],
    ["key pair", { env: KEYS }],
    ["profile", { env: { AWS_PROFILE: "base" }, credentials: BASE }],
    ["default profile", { credentials: BASE.replace("base", "default") }],
    ["container", { env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x" } }],
    ["web identity", { env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/t", AWS_ROLE_ARN: "r" } }],
    ["broken source", { env: { AWS_PROFILE: "nobody" } }],
  ])("opens no socket for a %s", async (_, scene) => {
    const server = await startIdentityServer();
    const { detect } = await machine(server, scene);
    expect(await detect()).toBe(true);
    expect(server.connections()).toBe(0);
  });

  it("asks the instance once per process, and finds a role or none", async () => {
    for (const [role, found] of [
      ["R", true],
      [undefined, false],
    ] as const) {
      const server = await startIdentityServer({ role });
      const { detect } = await machine(server, {});
      expect(await Promise.all([detect(), detect()])).toEqual([found, found]);
      expect(await detect()).toBe(found);
      expect(server.calls.map(({ action }) => action)).toEqual(["ImdsToken", "ImdsRole"]);
    }
  });

  it("opens no socket when instance metadata is off", async () => {
    const server = await startIdentityServer();
    const { detect, signer } = await machine(server, { env: { AWS_EC2_METADATA_DISABLED: "true" } });
    expect(await detect()).toBe(false);
    const error = await failureOf(signer());
    expect(error.code).toBe("no-credentials");
    expect(error.message).toContain("AWS_EC2_METADATA_DISABLED");
    for (const source of ["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "default chain"])
      expect(error.message).toContain(source);
    expect(server.connections()).toBe(0);
  });
});

describe("what was found explains that there are no credentials", () => {
  it.each<[string, Scene, RegExp, RegExp]>([
    [
      "a title without bracket",
      { credentials: BASE.replace("[base]", "[default") },
      /credentials:1: the section title lacks its \]/,
      /^Write \[.+\] in line 1 of /,
    ],
    [
      "no title",
      { credentials: BASE.replace("[base]\n", "") },
      /credentials:1: this setting stands before any \[section\]/,
      /^Write \[default\] above line 1 of /,
    ],
    [
      "a profile without prefix",
      { config: "[work]\n" },
      /config:1: \[work\] is not read here/,
      /^Write \[.+\] in line 1 of /,
    ],
    [
      "a file that is not there",
      { env: { AWS_CONFIG_FILE: "/nowhere/c" } },
      /^AWS_CONFIG_FILE names '\/nowhere\/c'/,
      /^Name a file that is there, or: unset AWS_\w+_FILE$/,
    ],
    [
      "AWS_ROLE_ARN alone",
      { env: { AWS_ROLE_ARN: "r" } },
      /^AWS_ROLE_ARN is set without AWS_WEB_IDENTITY_TOKEN_FILE/,
      /unset AWS_ROLE_ARN/,
    ],
    [
      "AWS_DEFAULT_PROFILE",
      { env: { AWS_DEFAULT_PROFILE: "base" }, credentials: BASE },
      /^AWS_DEFAULT_PROFILE=base is not read/,
      /^export AWS_PROFILE=base$/,
    ],
  ])("%s", async (_, scene, message, hint) => {
    const server = await startIdentityServer({ role: undefined });
    const error = await failureOf((await machine(server, scene)).signer());
    expect(error.code).toBe("no-credentials");
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    [503, "service-unavailable"],
    [429, "throttled"],
  ])("but nothing explains an instance that cannot give them now: %s", async (status, code) => {
    const server = await startIdentityServer();
    server.answer("ImdsRole", { status, body: "" });
    const { signer } = await machine(server, { env: { AWS_DEFAULT_PROFILE: "base" }, credentials: BASE });
    const error = await failureOf(signer());
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("AWS_DEFAULT_PROFILE");
  });
});

describe("an instance that gives no credentials", () => {
  it("says that no role is attached", async () => {
    const server = await startIdentityServer({ role: undefined });
    const error = await failureOf((await machine(server, {})).signer());
    expect(error.code).toBe("no-credentials");
    expect(error.message).toContain("EC2 instance without a role (IMDSv2)");
  });

  it("says that instance metadata answers 403", async () => {
    const server = await startIdentityServer();
    for (const action of ["ImdsToken", "ImdsRole", "ImdsCredentials"])
      server.answer(action, { status: 403, body: "forbidden" });
    const error = await failureOf((await machine(server, {})).signer());
    expect(error.code).toBe("no-credentials");
    expect(error.message).toContain("answered 403");
  });

  it("gives up after 2 s when it is there but silent, as behind a hop limit of 1", async () => {
    const server = await startIdentityServer();
    for (const action of ["ImdsToken", "ImdsRole", "ImdsCredentials"]) server.answer(action, "silence");
    const { signer } = await machine(server, {});
    const started = performance.now();
    const error = await failureOf(signer());
    expect(performance.now() - started).toBeLessThan(2600);
    expect(error.code).toBe("no-credentials");
    expect(error.message).toContain("does not answer in time");
    expect(error.hint).toContain("hop limit");
  });

  it("gives up after 1 s where no connection comes about", async () => {
    const server = await startIdentityServer();
    const { signer, detect } = await machine(server, {
      env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: await blackHole() },
    });
    const started = performance.now();
    const [isThere, error] = await Promise.all([detect(), failureOf(signer())]);
    expect(performance.now() - started).toBeLessThan(1400);
    expect(isThere).toBe(false);
    expect(error.message).toContain("no connection within 1 s");
  });

  it("gives up at once where nothing listens", async () => {
    const server = await startIdentityServer();
    const unused = await freePort();
    const { signer, detect } = await machine(server, {
      env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${unused}` },
    });
    const started = performance.now();
    expect(await detect()).toBe(false);
    const error = await failureOf(signer());
    expect(performance.now() - started).toBeLessThan(900);
    expect(error.message).toContain("cannot be reached (ECONNREFUSED)");
  });
});

describe("what goes wrong while credentials are resolved", () => {
  it.each<[string, Scene & { token?: [string, Record<string, unknown>] }, string, string, RegExp]>([
    [
      "an SSO session that has expired and cannot be renewed",
      {
        env: { AWS_PROFILE: "sso" },
        config: SSO_SESSION + SSO_PROFILE,
        token: ["corp", { accessToken: "x", expiresAt: later(-HOUR) }],
      },
      "credentials-expired",
      "aws sso login --profile sso",
      /'sso' has expired/,
    ],
    [
      "an SSO session without sign-in",
      { env: { AWS_PROFILE: "sso" }, config: SSO_SESSION + SSO_PROFILE },
      "no-credentials",
      "aws sso login --profile sso",
      /'sso' is not signed in/,
    ],
    [
      "an older SSO that has expired",
      {
        env: { AWS_PROFILE: "old" },
        config: LEGACY_SSO,
        token: ["https://corp.awsapps.com/start", { accessToken: "x", expiresAt: later(-HOUR) }],
      },
      "credentials-expired",
      "aws sso login --profile old",
      /'old' has expired/,
    ],
    [
      "an older SSO without sign-in",
      { env: { AWS_PROFILE: "old" }, config: LEGACY_SSO },
      "no-credentials",
      "aws sso login --profile old",
      /'old' is not signed in/,
    ],
    [
      "a role whose source profile's SSO has expired",
      {
        env: { AWS_PROFILE: "admin" },
        config: `${SSO_SESSION}${SSO_PROFILE}[profile admin]\nrole_arn = r\nsource_profile = sso\n`,
        token: ["corp", { accessToken: "x", expiresAt: later(-HOUR) }],
      },
      "credentials-expired",
      "aws sso login --profile sso",
      /'sso' has expired/,
    ],
    [
      "a token file that is missing",
      { env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/nowhere/token", AWS_ROLE_ARN: "r" } },
      "no-credentials",
      "Correct the path, or let the program that writes the file run first.",
      /\/nowhere\/token, which does not exist/,
    ],
    [
      "an aws login session without sign-in",
      { env: { AWS_PROFILE: "login" }, config: "[profile login]\nlogin_session = arn:x\n" },
      "credentials-expired",
      "aws login --profile login",
      /'login' has expired or is gone/,
    ],
  ])("%s", async (_, { token, ...scene }, code, hint, message) => {
    const server = await startIdentityServer();
    const home = createHome();
    if (token) await writeSsoToken(home, ...token);
    const error = await failureOf((await machine(server, { home, ...scene })).signer());
    expect({ code: error.code, hint: error.hint }).toEqual({ code, hint });
    expect(error.message).toMatch(message);
  });

  it.each<[string, string, [string, number], string, RegExp]>([
    [
      "a sign-in that IAM Identity Center has ended",
      "GetRoleCredentials",
      ["UnauthorizedException", 401],
      "credentials-expired",
      /session of profile 'sso' has expired/,
    ],
    [
      "a role that IAM Identity Center does not give",
      "GetRoleCredentials",
      ["ForbiddenException", 403],
      "access-denied",
      /gives no credentials/,
    ],
    [
      "too many questions to IAM Identity Center",
      "GetRoleCredentials",
      ["TooManyRequestsException", 429],
      "throttled",
      /asked too often/,
    ],
  ])("%s", async (_, action, [type, status], code, message) => {
    const server = await startIdentityServer();
    const home = createHome();
    await writeSsoToken(home, "corp", { accessToken: "sso-token", expiresAt: later(HOUR) });
    server.answer(action, jsonError(type, "No access", status));
    const error = await failureOf(
      (
        await machine(server, {
          home,
          env: { AWS_PROFILE: "sso", AWS_MAX_ATTEMPTS: "1" },
          config: SSO_SESSION + SSO_PROFILE,
        })
      ).signer(),
    );
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it.each([
    [
      "AccessDenied",
      "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/Admin",
      403,
      "access-denied",
    ],
    ["ExpiredToken", "The security token included in the request is expired", 403, "credentials-expired"],
    [
      "InvalidClientTokenId",
      "The security token included in the request is invalid.",
      403,
      "credentials-rejected",
    ],
    [
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
      403,
      "credentials-rejected",
    ],
    [
      "RegionDisabledException",
      "STS is not activated in this region for account:123456789012.",
      403,
      "access-denied",
    ],
    ["Throttling", "Rate exceeded", 400, "throttled"],
    ["InternalFailure", "An internal error occurred", 500, "service-unavailable"],
  ])("STS answering %s is told with AWS's words", async (type, text, status, code) => {
    const server = await startIdentityServer();
    server.answer("AssumeRole", stsError(type, text, status));
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "admin", AWS_MAX_ATTEMPTS: "1" },
      config: "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\n",
      credentials: BASE,
    });
    const error = await failureOf(signer());
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    expect(error.message).toContain("role `Admin`");
    expect(error.hint).toBeTruthy();
  });

  it.each([
    [
      "InvalidIdentityToken",
      "No OpenIDConnect provider found in your account for https://oidc.example",
      "credentials-rejected",
    ],
    [
      "ExpiredTokenException",
      "Token expired: current date/time must be before the expiration date/time",
      "credentials-expired",
    ],
    ["AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", "access-denied"],
  ])("a web identity answered with %s", async (type, text, code) => {
    const server = await startIdentityServer();
    server.answer("AssumeRoleWithWebIdentity", stsError(type, text, 400));
    const home = createHome();
    writeFileSync(path.join(home, "token"), "web-token");
    const { signer } = await machine(server, {
      home,
      env: {
        AWS_WEB_IDENTITY_TOKEN_FILE: path.join(home, "token"),
        AWS_ROLE_ARN: "r",
        AWS_MAX_ATTEMPTS: "1",
      },
    });
    const error = await failureOf(signer());
    expect(error.code).toBe(code);
    if (code === "access-denied") expect(error.hint).toMatch(/^Allow sts:AssumeRoleWithWebIdentity /);
  });

  it.each([
    [
      "exit 3",
      "echo 'please sign in' >&2; exit 3",
      /credential_process keys of profile 'proc' failed: please sign in\. It ended with exit code 3\.$/,
    ],
    // The shell in between tells a signal as a status, where it is still there.
    ["a signal", "kill -9 $$", /(It was ended by SIGKILL|It ended with exit code 137)\.$/],
    ["nothing to run", "exec /nowhere/program", /failed: .*not found\. It ended with exit code 127\.$/],
    ["too much", "head -c 3000000 /dev/zero", /failed\. It printed more than a megabyte\.$/],
    ["its command line on stderr", 'echo "cannot use $2" >&2; exit 1', /failed: cannot use …\. It ended/],
    ["no JSON", "echo hello", /printed something that is not JSON/],
    ["another version", `echo '{"Version":2}'`, /printed JSON without "Version": 1/],
    ["no keys", `echo '{"Version":1}'`, /printed no AccessKeyId/],
    [
      "expired keys",
      `echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","Expiration":"2001-01-01T00:00:00Z"}'`,
      /returned credentials that have expired/,
    ],
    [
      "an Expiration that nobody can read",
      `echo '{"Version":1,"AccessKeyId":"AKIAPROC000000000001","SecretAccessKey":"x","Expiration":"soon"}'`,
      /printed an Expiration that is no time: 'soon'\.$/,
    ],
    [
      "an Expiration in the words of the AWS CLI 1 that is over",
      `echo '{"Version":1,"AccessKeyId":"AKIAPROC000000000001","SecretAccessKey":"x","Expiration":"2020-01-01T00:00:00UTC"}'`,
      /returned credentials that have expired\.$/,
    ],
    [
      "a secret on stderr",
      "echo 'bad token wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' >&2; exit 1",
      /failed: bad token …\./,
    ],
  ])("a credential_process with %s, without its command line", async (_, script, message) => {
    const server = await startIdentityServer();
    const home = createHome();
    const program = path.join(home, "keys");
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "proc" },
      config: `[profile proc]\ncredential_process = ${program} --password hunter2\n`,
    });
    const error = await failureOf(signer());
    expect(error.message).toMatch(message);
    // Pasted into a shell it runs what the profile has.
    expect(error.hint).toMatch(/: aws configure get credential_process --profile proc \| sh$/);
    expect(
      `${error.message} ${error.hint} ${String(error.cause)} ${JSON.stringify(error.details)}`,
    ).not.toMatch(/hunter2|EXAMPLEKEY/);
  });

  it("a credential_process that does not end is given up", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "proc" },
      config: "[profile proc]\ncredential_process = sleep 5\n",
      timeoutMs: 200,
    });
    expect((await failureOf(signer())).message).toContain("did not end in time");
  });

  it.each([
    ["that does not listen to its end", "trap '' TERM; sleep 60 & echo $$ $! > ids; wait; sleep 60"],
    ["with children", "sleep 60 & echo $$ $! > ids; wait"],
    ["that has left a child behind", "(sleep 60 >/dev/null & echo $! > ids) ; sleep 60"],
  ])("a credential_process %s is ended with what it started", async (_, script) => {
    const server = await startIdentityServer();
    const home = createHome();
    const ids = path.join(home, "ids");
    const program = path.join(home, "keys");
    writeFileSync(program, `#!/bin/sh\ncd ${home}\n${script}\n`);
    chmodSync(program, 0o755);
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "proc" },
      config: `[profile proc]\ncredential_process = ${program}\n`,
      timeoutMs: 500,
    });
    expect((await failureOf(signer())).message).toContain("did not end in time");
    const running = readFileSync(ids, "utf8").trim().split(" ").map(Number);
    expect(running.length).toBeGreaterThan(0);
    await expect.poll(() => running.filter(isRunning), { timeout: 5000 }).toEqual([]);
  });

  it.each([
    [
      "AWS_ENDPOINT_URL_STS",
      "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\n",
    ],
    [
      "AWS_ENDPOINT_URL_SSO",
      "[profile admin]\nsso_account_id = 1\nsso_role_name = R\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n",
    ],
  ])("an endpoint where nobody is, by the variable that names it: %s", async (variable, config) => {
    const server = await startIdentityServer();
    const home = createHome();
    await writeSsoToken(home, "https://corp.awsapps.com/start", {
      accessToken: "t",
      expiresAt: "2999-01-01T00:00:00Z",
    });
    const { signer } = await machine(server, {
      home,
      env: { AWS_PROFILE: "admin", [variable]: "http://127.0.0.1:1" },
      config,
      credentials: BASE,
    });
    const error = await failureOf(signer());
    expect(error).toMatchObject({ code: "network", hint: `Check ${variable}, or: unset ${variable}` });
    expect(error.message).toContain(`http://127.0.0.1:1 (env ${variable}).`);
  });

  it("STS that does not answer is given up in time", async () => {
    const server = await startIdentityServer();
    server.answer("AssumeRole", "silence");
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "admin" },
      config: "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\n",
      credentials: BASE,
      timeoutMs: 300,
    });
    const error = await failureOf(signer());
    expect(error.code).toBe("timeout");
    expect(error.message).toContain("role `Admin`");
  });

  it("STS that cannot be reached is a network error", async () => {
    const server = await startIdentityServer();
    const { signer } = await machine(server, {
      env: {
        AWS_PROFILE: "admin",
        AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${await freePort()}`,
        AWS_MAX_ATTEMPTS: "1",
      },
      config: "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\n",
      credentials: BASE,
    });
    expect((await failureOf(signer())).code).toBe("network");
  });

  it.each([
    ["nobody vouches for", {}, "is not one this machine trusts", "AWS_CA_BUNDLE"],
    [
      "is not there",
      { PORT: "1" },
      "Nothing accepts connections at https://localhost:1 (env AWS_CONTAINER_CREDENTIALS_FULL_URI).",
      "unset AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ],
  ])("a container endpoint over TLS that %s is a network error", async (_, more, says, hint) => {
    const server = await startIdentityServer();
    const { port } = await secureContainer();
    const error = await failureOf(
      (
        await machine(server, {
          env: {
            AWS_CONTAINER_CREDENTIALS_FULL_URI: `https://localhost:${"PORT" in more ? more.PORT : port}/v1`,
            // Its credentials are for this machine, and no way through a proxy leads there.
            HTTPS_PROXY: "http://127.0.0.1:1",
          },
        })
      ).signer(),
    );
    expect(error).toMatchObject({
      code: "network",
      message: expect.stringContaining(says),
      hint: expect.stringContaining(hint),
    });
  });

  it.each(["AWS_CA_BUNDLE", "ca_bundle"])("a container endpoint over TLS is trusted by %s", async (name) => {
    const server = await startIdentityServer();
    const { port, bundle } = await secureContainer();
    const { signer } = await machine(server, {
      ...(name === "ca_bundle" ? { config: `[default]\nca_bundle = ${bundle}\n` } : {}),
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `https://localhost:${port}/v1`,
        HTTPS_PROXY: "http://127.0.0.1:1",
        ...(name === "ca_bundle" ? {} : { AWS_CA_BUNDLE: bundle }),
      },
    });
    expect(await signer()).toBe("ASIATLSCONTAINER0001");
  });

  it("a container endpoint that refuses", async () => {
    const server = await startIdentityServer();
    server.answer("ContainerCredentials", { status: 403, body: '{"Code":"AccessDenied"}' });
    const error = await failureOf(
      (
        await machine(server, { env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/container` } })
      ).signer(),
    );
    expect(error.code).toBe("no-credentials");
    expect(error.message).toContain("status: 403");
  });

  describe("credentials that had expired when they came", () => {
    const container = (Expiration: string) => ({
      status: 200,
      body: JSON.stringify({ AccessKeyId: "ASIAOLD", SecretAccessKey: "s", Token: "t", Expiration }),
    });

    it("are asked for once more, and refused, from a container", async () => {
      const server = await startIdentityServer();
      const { signer } = await machine(server, {
        env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/container` },
      });
      server.answer("ContainerCredentials", container("2020-01-02T03:04:05Z"), 1);
      expect(await signer()).toBe("ASIACONTAINER0000001");
      const { signer: again } = await machine(server, {
        env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/container` },
      });
      server.answer("ContainerCredentials", container("2020-01-02T03:04:05UTC"));
      const error = await failureOf(again());
      expect(error.code).toBe("credentials-expired");
      expect(error.message).toContain("they counted until 2020-01-02T03:04:05.000Z");
      expect(server.calls).toHaveLength(4);
    });

    it("are refused from STS, and not kept for the next call", async () => {
      const server = await startIdentityServer();
      server.answer("AssumeRole", stsCredentials("AssumeRole", "ASIAOLD", -HOUR));
      const { signer } = await machine(server, {
        env: { AWS_PROFILE: "admin" },
        config: "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\n",
        credentials: BASE,
      });
      expect((await failureOf(signer())).code).toBe("credentials-expired");
      server.answer("AssumeRole", stsCredentials("AssumeRole", "ASIANEW"));
      expect(await signer()).toBe("ASIANEW");
    });

    it("are signed with by the time of who handed them out, where this machine's clock is wrong", async () => {
      const server = await startIdentityServer();
      server.answer("AssumeRole", {
        ...stsCredentials("AssumeRole", "ASIANOW", -HOUR),
        headers: { "content-type": "text/xml", date: new Date(Date.now() - 2 * HOUR).toUTCString() },
      });
      const { signer } = await machine(server, {
        env: { AWS_PROFILE: "admin" },
        config: "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\n",
        credentials: BASE,
      });
      expect(await signer()).toBe("ASIANOW");
    });

    it("are signed with from an instance, whose service has no newer ones", async () => {
      const server = await startIdentityServer();
      server.answer("ImdsCredentials", container("2020-01-02T03:04:05Z"));
      expect(await (await machine(server, {})).signer()).toBe("ASIAOLD");
    });
  });

  it("a container endpoint that is not allowed by AWS's rules", async () => {
    const server = await startIdentityServer();
    const error = await failureOf(
      (await machine(server, { env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://192.0.2.1/x" } })).signer(),
    );
    expect(error.code).toBe("no-credentials");
    expect(error.message).toContain("URL not accepted");
  });

  it("an interruption ends it at once", async () => {
    const server = await startIdentityServer();
    server.answer("AssumeRole", "silence");
    const interruption = new AbortController();
    const reason = new OpenclawError("interrupted", { message: "Interrupted by SIGINT." });
    const { signer } = await machine(server, {
      env: { AWS_PROFILE: "admin" },
      config: "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\n",
      credentials: BASE,
      signal: interruption.signal,
    });
    const failure = failureOf(signer());
    await expect.poll(() => server.calls.length).toBe(1);
    interruption.abort(reason);
    expect(await failure).toBe(reason);
  });
});

describe("multi-factor authentication", () => {
  const config =
    "[profile admin]\nrole_arn = arn:aws:iam::1:role/Admin\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me\n";

  it("asks at a terminal and sends the code", async () => {
    const server = await startIdentityServer();
    const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
    stdin.isTTY = true;
    stdin.write("123456\n");
    const { signer, runtime } = await machine(server, {
      env: { AWS_PROFILE: "admin" },
      config,
      credentials: BASE,
      stdin,
      isTTY: true,
    });
    expect(await signer()).toBe("ASIASTSROLE000000001");
    expect(server.calls[0]?.parameters).toMatchObject({
      SerialNumber: "arn:aws:iam::1:mfa/me",
      TokenCode: "123456",
    });
    expect(runtime.stderr()).toBe("Enter MFA code for arn:aws:iam::1:mfa/me: ");
  });

  it("does not count the person's time", async () => {
    const server = await startIdentityServer();
    const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
    stdin.isTTY = true;
    const { signer, runtime } = await machine(server, {
      env: { AWS_PROFILE: "admin" },
      config,
      credentials: BASE,
      stdin,
      isTTY: true,
      timeoutMs: 400,
    });
    const signed = signer();
    await expect.poll(() => runtime.stderr()).toContain("MFA code");
    const typed = setTimeout(() => stdin.write("123456\n"), 600);
    onTestFinished(() => clearTimeout(typed));
    expect(await signed).toBe("ASIASTSROLE000000001");
  });

  it("is an error in a pipe, and asks nobody", async () => {
    const server = await startIdentityServer();
    const error = await failureOf(
      (await machine(server, { env: { AWS_PROFILE: "admin" }, config, credentials: BASE })).signer(),
    );
    expect(error).toMatchObject({
      code: "no-credentials",
      hint: "Run the command in a terminal, or use a profile without mfa_serial.",
    });
    expect(server.connections()).toBe(0);
  });

  it("asks for no code when the source profile's sign-in is missing", async () => {
    const server = await startIdentityServer();
    const { signer, runtime } = await machine(server, {
      env: { AWS_PROFILE: "admin" },
      config: `${SSO_SESSION}${SSO_PROFILE}${config.replace("= base", "= sso")}`,
      isTTY: true,
    });
    expect((await failureOf(signer())).hint).toBe("aws sso login --profile sso");
    expect(runtime.stderr()).toBe("");
  });
});
