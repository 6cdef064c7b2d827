import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { blackHole } from "../helpers/black-hole.ts";
import { emulate, type Emulated } from "../helpers/emulated.ts";
import { type IdentityServer, startIdentityServer } from "../helpers/identity-server.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";

const SECRET = "openclaw/test/secret/key/that/nobody/sees";
const BEARER = "ABSK-test-bearer-token-0123456789";
const KEYS = { AWS_ACCESS_KEY_ID: "AKIAENV0000000000001", AWS_SECRET_ACCESS_KEY: SECRET };
const ROLE = "role_arn = arn:aws:iam::123456789012:role/Admin\n";
const STATIC = `[base]\naws_access_key_id = AKIABASE000000000001\naws_secret_access_key = ${SECRET}\n`;
const SSO =
  "[sso-session corp]\nsso_region = eu-west-3\nsso_start_url = https://corp.awsapps.com/start\n" +
  "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
const LEGACY =
  "[profile old]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-3\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
const HOUR = 3_600_000;
const later = (ms: number): string => new Date(Date.now() + ms).toISOString();

interface Scene {
  env?: Record<string, string | undefined>;
  config?: string;
  credentials?: string;
  /** Files in the home folder. */
  prepare?: (home: string) => unknown;
  /** Where instance metadata is: that of the identity server, off, or somewhere else. */
  instance?: "role" | "no-role" | "refused" | "silent" | "slow" | "absent";
}

interface Shown {
  source: string;
  /** A part of what both commands show. */
  detail: string;
  /** The key id or the token that the server sees; undefined where nothing may be signed. */
  signer?: string;
  /** The one thing to do, where nothing signs. */
  hint?: string;
  /** Where nothing signs; 4 without it. */
  exitCode?: number;
}

/** Everything that hands out credentials, and what each hands out. */
const TEMPORARY = { secretAccessKey: "secret", sessionToken: "token" };
const KNOWN = {
  AKIAENV0000000000001: { secretAccessKey: SECRET },
  ASIAENV0000000000001: { secretAccessKey: SECRET, sessionToken: "env-token" },
  AKIABASE000000000001: { secretAccessKey: SECRET },
  AKIAPROC000000000001: { secretAccessKey: SECRET },
  ASIALOGIN00000000001: TEMPORARY,
  ASIASTSROLE000000001: TEMPORARY,
  ASIASTSWEBID00000001: TEMPORARY,
  ASIASSO0000000000001: TEMPORARY,
  ASIACONTAINER0000001: TEMPORARY,
  ASIAIMDS000000000001: TEMPORARY,
};

async function instanceEndpoint(scene: Scene, identity: IdentityServer): Promise<string | undefined> {
  switch (scene.instance) {
    case undefined:
      return undefined;
    case "absent":
      return blackHole();
    case "refused":
      for (const action of ["ImdsToken", "ImdsRole"]) identity.answer(action, { status: 403, body: "" });
      return identity.url;
    case "silent":
      for (const action of ["ImdsToken", "ImdsRole"]) identity.answer(action, "silence");
      return identity.url;
    case "slow":
      identity.answer("ImdsRole", "silence");
      return identity.url;
    default:
      return identity.url;
  }
}

async function play(scene: Scene): Promise<{ machine: Emulated; env: Record<string, string | undefined> }> {
  const machine = await emulate({ accessKeys: KNOWN, bearerTokens: [BEARER] });
  const identity = await startIdentityServer({
    role: scene.instance === "no-role" ? undefined : "EC2-Bedrock-Access",
  });
  await scene.prepare?.(machine.home);
  writeSharedFiles(machine.home, {
    config: (scene.config ?? "").replaceAll("HOME", machine.home),
    credentials: scene.credentials ?? "",
  });
  const endpoint = await instanceEndpoint(scene, identity);
  const own = Object.entries(scene.env ?? {}).map(([name, value]) => [
    name,
    value?.replaceAll("HOME", machine.home).replaceAll("SERVER", identity.url),
  ]);
  const env = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_ENDPOINT_URL_STS: identity.url,
    AWS_ENDPOINT_URL_SSO: identity.url,
    AWS_ENDPOINT_URL_SSO_OIDC: identity.url,
    AWS_MAX_ATTEMPTS: "1",
    ...(endpoint === undefined
      ? {}
      : { AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint }),
    ...Object.fromEntries(own),
  };
  return { machine, env };
}

const processKeys = (home: string): void => {
  const program = path.join(home, "keys");
  writeFileSync(
    program,
    `#!/bin/sh\necho '{"Version":1,"AccessKeyId":"AKIAPROC000000000001","SecretAccessKey":"${SECRET}"}'\n`,
  );
  chmodSync(program, 0o755);
};
const tokenFile = (home: string): void => writeFileSync(path.join(home, "token"), "web-token");
const ssoToken = (name: string, expiresAt: string) => (home: string) =>
  writeSsoToken(home, name, { accessToken: "sso-token", expiresAt });
const loginSession = (home: string): void => {
  const folder = path.join(home, "login");
  mkdirSync(folder);
  const name = createHash("sha256").update("arn:aws:iam::123456789012:user/me").digest("hex");
  const accessToken = {
    accessKeyId: "ASIALOGIN00000000001",
    secretAccessKey: "secret",
    sessionToken: "token",
    accountId: "123456789012",
    expiresAt: later(HOUR),
  };
  writeFileSync(
    path.join(folder, `${name}.json`),
    JSON.stringify({ accessToken, clientId: "c", refreshToken: "r", dpopKey: "k" }),
  );
};

const profile = (name: string): { AWS_PROFILE: string } => ({ AWS_PROFILE: name });

/** Every source of issue and documentation, with what both commands show and who signs then. */
const SOURCES: readonly (readonly [string, Scene, Shown])[] = [
  [
    "bearer token",
    { env: { AWS_BEARER_TOKEN_BEDROCK: BEARER } },
    { source: "AWS_BEARER_TOKEN_BEDROCK", detail: "Bedrock API key from the environment", signer: BEARER },
  ],
  [
    "static keys",
    { env: KEYS },
    {
      source: "AWS_ACCESS_KEY_ID",
      detail: "key AKIA…0001 from the environment",
      signer: "AKIAENV0000000000001",
    },
  ],
  [
    "static keys with a session token",
    { env: { ...KEYS, AWS_ACCESS_KEY_ID: "ASIAENV0000000000001", AWS_SESSION_TOKEN: "env-token" } },
    {
      source: "AWS_ACCESS_KEY_ID",
      detail: "key ASIA…0001 from the environment, with session token",
      signer: "ASIAENV0000000000001",
    },
  ],
  [
    "profile with keys",
    { env: profile("base"), credentials: STATIC },
    { source: "AWS_PROFILE", detail: "profile base: key AKIA…0001", signer: "AKIABASE000000000001" },
  ],
  [
    "profile with source_profile and role_arn",
    { env: profile("admin"), config: `[profile admin]\n${ROLE}source_profile = base\n`, credentials: STATIC },
    {
      source: "AWS_PROFILE",
      detail: "profile admin: role `Admin`, assumed with profile base (key AKIA…0001)",
      signer: "ASIASTSROLE000000001",
    },
  ],
  [
    "credential_source Environment",
    {
      env: { ...KEYS, AWS_PROFILE: undefined },
      config: `[profile admin]\n${ROLE}credential_source = Environment\n`,
    },
    {
      source: "AWS_PROFILE",
      detail: "role `Admin`, assumed with the environment's keys",
      signer: "ASIASTSROLE000000001",
    },
  ],
  [
    "credential_source Ec2InstanceMetadata",
    {
      env: profile("admin"),
      config: `[profile admin]\n${ROLE}credential_source = Ec2InstanceMetadata\n`,
      instance: "role",
    },
    {
      source: "AWS_PROFILE",
      detail: "role `Admin`, assumed with the EC2 instance role",
      signer: "ASIASTSROLE000000001",
    },
  ],
  [
    "credential_source EcsContainer",
    {
      env: { ...profile("admin"), AWS_CONTAINER_CREDENTIALS_FULL_URI: "SERVER/container" },
      config: `[profile admin]\n${ROLE}credential_source = EcsContainer\n`,
    },
    {
      source: "AWS_PROFILE",
      detail: "role `Admin`, assumed with the container's role",
      signer: "ASIASTSROLE000000001",
    },
  ],
  [
    "mfa_serial in a pipe",
    {
      env: profile("admin"),
      config: `[profile admin]\n${ROLE}source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n`,
      credentials: STATIC,
    },
    {
      source: "AWS_PROFILE",
      detail: "assumed with profile base (key AKIA…0001) and MFA",
      hint: "Run the command in a terminal, or use a profile without mfa_serial.",
    },
  ],
  [
    "credential_process",
    {
      env: profile("proc"),
      config: "[profile proc]\ncredential_process = HOME/keys --token hunter2\n",
      prepare: processKeys,
    },
    {
      source: "AWS_PROFILE",
      detail: "profile proc: credential_process keys",
      signer: "AKIAPROC000000000001",
    },
  ],
  [
    "sso_session with a valid token",
    { env: profile("sso"), config: SSO, prepare: ssoToken("corp", later(HOUR)) },
    {
      source: "AWS_PROFILE",
      detail: "profile sso: IAM Identity Center session `corp`, account 123456789012, role `Dev`",
      signer: "ASIASSO0000000000001",
    },
  ],
  [
    "sso_session with an expired token",
    { env: profile("sso"), config: SSO, prepare: ssoToken("corp", later(-HOUR)) },
    {
      source: "AWS_PROFILE",
      detail: "IAM Identity Center session `corp`",
      hint: "aws sso login --profile sso",
    },
  ],
  [
    "sso_session without a token",
    { env: profile("sso"), config: SSO },
    {
      source: "AWS_PROFILE",
      detail: "IAM Identity Center session `corp`",
      hint: "aws sso login --profile sso",
    },
  ],
  [
    "legacy SSO with a valid token",
    { env: profile("old"), config: LEGACY, prepare: ssoToken("https://corp.awsapps.com/start", later(HOUR)) },
    {
      source: "AWS_PROFILE",
      detail: "profile old: IAM Identity Center, account 123456789012, role `Dev`",
      signer: "ASIASSO0000000000001",
    },
  ],
  [
    "legacy SSO with an expired token",
    {
      env: profile("old"),
      config: LEGACY,
      prepare: ssoToken("https://corp.awsapps.com/start", later(-HOUR)),
    },
    { source: "AWS_PROFILE", detail: "IAM Identity Center, account", hint: "aws sso login --profile old" },
  ],
  [
    "legacy SSO without a token",
    { env: profile("old"), config: LEGACY },
    { source: "AWS_PROFILE", detail: "IAM Identity Center, account", hint: "aws sso login --profile old" },
  ],
  [
    "login_session",
    {
      env: { ...profile("login"), AWS_LOGIN_CACHE_DIRECTORY: "HOME/login" },
      config: "[profile login]\nlogin_session = arn:aws:iam::123456789012:user/me\n",
      prepare: loginSession,
    },
    { source: "AWS_PROFILE", detail: "profile login: aws login session", signer: "ASIALOGIN00000000001" },
  ],
  [
    "web identity file",
    {
      env: {
        AWS_WEB_IDENTITY_TOKEN_FILE: "HOME/token",
        AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/Pod",
      },
      prepare: tokenFile,
    },
    {
      source: "default-chain",
      detail: "role `Pod`, web identity token from",
      signer: "ASIASTSWEBID00000001",
    },
  ],
  [
    "container endpoint with a full URI and a token file",
    {
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "SERVER/container",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "HOME/token",
      },
      prepare: tokenFile,
    },
    {
      source: "default-chain",
      detail: "container credentials from 127.0.0.1:",
      signer: "ASIACONTAINER0000001",
    },
  ],
  [
    "IMDSv2 with a role",
    { instance: "role" },
    {
      source: "default-chain",
      detail: "EC2 instance role `EC2-Bedrock-Access`, IMDSv2",
      signer: "ASIAIMDS000000000001",
    },
  ],
  [
    "IMDSv2 without a role",
    { instance: "no-role" },
    { source: "none", detail: "EC2 instance without a role (IMDSv2)", hint: "Attach a role:" },
  ],
  [
    "IMDSv2 behind a hop limit",
    { instance: "silent" },
    { source: "none", detail: "is there but does not answer in time", hint: "raise the hop limit" },
  ],
  [
    "IMDSv2 where nothing answers",
    { instance: "absent" },
    { source: "none", detail: "cannot be reached (no connection within 1 s)", hint: "aws configure" },
  ],
  [
    "IMDS disabled",
    {},
    { source: "none", detail: "instance metadata is off (AWS_EC2_METADATA_DISABLED)", hint: "aws configure" },
  ],
  [
    "IMDS slow",
    { instance: "slow" },
    { source: "none", detail: "is there but does not answer in time", hint: "Try again", exitCode: 5 },
  ],
  [
    "IMDS answering 403",
    { instance: "refused" },
    { source: "none", detail: "answered 403", hint: "Turn instance metadata on" },
  ],
];

interface Documents {
  credentials: { source: string; detail: string };
  error?: { hint: string };
}

describe("what doctor and models status show is what signs", () => {
  it.each(SOURCES)("%s", async (name, scene, shown) => {
    const { machine, env } = await play(scene);
    const args = name === "credential_source Environment" ? ["--profile", "admin"] : [];
    const doctor = await machine.run(["doctor", "--json", ...args], { env });
    const status = await machine.run(["models", "status", "--json", ...args], { env });
    const documents = [doctor, status].map(({ stdout }) => JSON.parse(stdout) as Documents);
    for (const { credentials } of documents) {
      expect(credentials.source).toBe(shown.source);
      expect(credentials.detail).toContain(shown.detail);
    }
    expect(documents[0]?.credentials.detail).toBe(documents[1]?.credentials.detail);
    const signers = machine.emulator.calls
      .filter(({ route }) => route !== "Unknown")
      .map(({ accessKeyId, bearerToken }) => bearerToken ?? accessKeyId);
    expect([...new Set(signers)]).toEqual(shown.signer === undefined ? [] : [shown.signer]);
    expect(doctor.code).toBe(shown.signer === undefined ? (shown.exitCode ?? 4) : 0);
    if (shown.hint) expect(documents[0]?.error?.hint).toContain(shown.hint);
    const printed = [doctor, status].map(({ stdout, stderr }) => stdout + stderr).join("");
    for (const secret of [SECRET, BEARER, "hunter2", "env-token", "sso-token", "web-token"]) {
      expect(printed).not.toContain(secret);
    }
  });
});
