import { writeFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { generate } from "selfsigned";
import { beforeAll, describe, expect, it } from "vitest";
import { decideCredentials } from "../../src/credentials/order.ts";
import { buildAuthentication } from "../../src/credentials/provider.ts";
import { loadSharedConfig } from "../../src/credentials/shared-config.ts";
import { EXIT_CODES, type ErrorCode, OpenclawError } from "../../src/errors.ts";
import {
  type Answer,
  type IdentityServer,
  jsonError,
  startIdentityServer,
  stsError,
} from "../helpers/identity-server.ts";
import { createHome } from "../helpers/openclaw.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";
import { testRuntime, useEnvironment } from "../helpers/test-runtime.ts";

/** Somebody who hands out credentials over HTTP, as the last one of a chain or in the middle of it. */
interface Source {
  name: string;
  /** What the identity server is asked there, and in which words of an error it answers. */
  action: string;
  protocol: "query" | "json" | "plain";
  /** Which variable names its endpoint. */
  variable: string;
  path?: string;
  env?: Record<string, string>;
  config?: string;
  /** An error names this. */
  asked: string;
}

const BASE = "[base]\naws_access_key_id = AKIABASE000000000001\naws_secret_access_key = base-secret\n";
const ROLE = "role_arn = arn:aws:iam::123456789012:role/Admin\n";
const sso = (session: string): string =>
  `[sso-session ${session}]\nsso_region = eu-west-3\nsso_start_url = https://corp.awsapps.com/start\n` +
  `[profile sso]\nsso_session = ${session}\nsso_account_id = 123456789012\nsso_role_name = Dev\n`;
const HOUR = 3_600_000;

const SOURCES: readonly Source[] = [
  {
    name: "a role",
    action: "AssumeRole",
    protocol: "query",
    variable: "AWS_ENDPOINT_URL_STS",
    env: { AWS_PROFILE: "admin" },
    config: `[profile admin]\n${ROLE}source_profile = base\n`,
    asked: "STS",
  },
  {
    name: "a role over a role",
    action: "AssumeRole",
    protocol: "query",
    variable: "AWS_ENDPOINT_URL_STS",
    env: { AWS_PROFILE: "outer" },
    config: `[profile outer]\n${ROLE}source_profile = admin\n[profile admin]\n${ROLE}source_profile = base\n`,
    asked: "STS",
  },
  {
    name: "a web identity",
    action: "AssumeRoleWithWebIdentity",
    protocol: "query",
    variable: "AWS_ENDPOINT_URL_STS",
    env: { AWS_WEB_IDENTITY_TOKEN_FILE: "HOME/token", AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/Pod" },
    asked: "STS",
  },
  {
    name: "the portal of IAM Identity Center",
    action: "GetRoleCredentials",
    protocol: "json",
    variable: "AWS_ENDPOINT_URL_SSO",
    env: { AWS_PROFILE: "sso" },
    config: sso("corp"),
    asked: "IAM Identity Center",
  },
  {
    name: "a role over IAM Identity Center",
    action: "GetRoleCredentials",
    protocol: "json",
    variable: "AWS_ENDPOINT_URL_SSO",
    env: { AWS_PROFILE: "admin" },
    config: `${sso("corp")}[profile admin]\n${ROLE}source_profile = sso\n`,
    asked: "IAM Identity Center",
  },
  {
    name: "OIDC of IAM Identity Center",
    action: "CreateToken",
    protocol: "json",
    variable: "AWS_ENDPOINT_URL_SSO_OIDC",
    env: { AWS_PROFILE: "sso" },
    // The SDK renews a session's sign-in at most every 30 s, so each case has its own.
    config: sso("expired-NUMBER"),
    asked: "IAM Identity Center",
  },
  {
    name: "a container",
    action: "ContainerCredentials",
    protocol: "plain",
    variable: "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    path: "/container/v1",
    asked: "The container endpoint",
  },
];

interface Failure {
  name: string;
  /** What is answered, else where nobody or somebody else is. */
  answer?: (source: Source) => Answer;
  endpoint?: () => string;
  code: ErrorCode | ((source: Source) => ErrorCode);
  says: RegExp;
}

const PAGE = "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>";
const html = (status: number) => (): Answer => ({
  status,
  headers: { "content-type": "text/html" },
  body: PAGE,
});
/** An error in the words of the service; a container has no types. */
const fault =
  (type: string, status: number, text = `Said with ${type}`) =>
  ({ protocol }: Source): Answer =>
    protocol === "query"
      ? stsError(type, text, status)
      : protocol === "json"
        ? jsonError(type, text, status)
        : { status, body: text };
const ofContainer =
  (code: ErrorCode, otherwise: ErrorCode) =>
  ({ protocol }: Source): ErrorCode =>
    protocol === "plain" ? code : otherwise;

let refusedUrl = "";
let untrustedUrl = "";

beforeAll(async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  refusedUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((resolve) => server.close(resolve));
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
  });
  const untrusted = createHttpsServer({ key, cert }, (_, response) => response.end());
  await new Promise<void>((resolve) => untrusted.listen(0, "127.0.0.1", resolve));
  untrustedUrl = `https://localhost:${(untrusted.address() as AddressInfo).port}`;
  return () => {
    untrusted.closeAllConnections();
    untrusted.close();
  };
});

const FAILURES: readonly Failure[] = [
  { name: "refused", endpoint: () => refusedUrl, code: "network", says: /Nothing accepts connections at/ },
  { name: "reset", answer: () => "reset", code: "network", says: /closed the connection/ },
  {
    name: "DNS",
    endpoint: () => "https://nobody.invalid",
    code: "network",
    says: /The name nobody\.invalid cannot be found/,
  },
  { name: "TLS", endpoint: () => untrustedUrl, code: "network", says: /not one this machine trusts/ },
  { name: "silence", answer: () => "silence", code: "timeout", says: /did not answer in time/ },
  { name: "200 with a page", answer: html(200), code: "bad-response", says: /answers 200 with something/ },
  {
    name: "200 with half of a JSON",
    answer: () => ({ status: 200, body: '{"roleCredentials":{"access' }),
    code: "bad-response",
    says: /answers 200 with something/,
  },
  {
    name: "200 without keys",
    answer: ({ protocol }) => ({
      status: 200,
      body:
        protocol === "query"
          ? "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"
          : '{"Code":"Success"}',
    }),
    code: "bad-response",
    says: /answers 200 with something/,
  },
  {
    name: "200 with nothing",
    answer: () => ({ status: 200, body: "" }),
    code: "bad-response",
    says: /answers 200 with something/,
  },
  {
    name: "301",
    answer: () => ({ status: 301, headers: { location: "https://login.example/?session=s3cret" }, body: "" }),
    code: "bad-response",
    says: /redirect \(301 to login\.example\)/,
  },
  {
    name: "408",
    answer: () => ({ status: 408, body: "Request Timeout" }),
    code: "timeout",
    says: /answers 408/,
  },
  { name: "403 with a page", answer: html(403), code: "bad-response", says: /answers 403 with something/ },
  {
    name: "400 of another server",
    answer: () => ({ status: 400, body: "" }),
    code: ofContainer("no-credentials", "bad-response"),
    says: /400/,
  },
  {
    name: "404 of another server",
    answer: () => ({ status: 404, body: "not here" }),
    code: ofContainer("no-credentials", "bad-response"),
    says: /404/,
  },
  {
    name: "401 without a type",
    answer: () => ({ status: 401, body: "{}" }),
    code: ofContainer("no-credentials", "access-denied"),
    says: /401/,
  },
  {
    name: "403 without a type",
    answer: () => ({ status: 403, body: "no" }),
    code: ofContainer("no-credentials", "access-denied"),
    says: /403.*: no\./,
  },
  {
    name: "400 of a type that is not known",
    answer: fault("SomethingNewException", 400),
    code: "no-credentials",
    says: /Said with SomethingNew/,
  },
  {
    name: "429",
    answer: fault("TooManyRequestsException", 429),
    code: "throttled",
    says: /asked too often.*Said with/,
  },
  {
    name: "429 without a type",
    answer: () => ({ status: 429, body: "" }),
    code: "throttled",
    says: /asked too often/,
  },
  { name: "429 with a page", answer: html(429), code: "throttled", says: /asked too often/ },
  {
    name: "400 of throttling",
    answer: fault("Throttling", 400),
    code: ofContainer("no-credentials", "throttled"),
    says: /Said with Throttling/,
  },
  {
    name: "500",
    answer: fault("InternalFailure", 500),
    code: "service-unavailable",
    says: /answers 500: Said with/,
  },
  {
    name: "500 in words of something else",
    answer: fault("ExpiredTokenException", 500, "Token is expired"),
    code: "service-unavailable",
    says: /answers 500/,
  },
  {
    name: "502 with nothing",
    answer: () => ({ status: 502, body: "" }),
    code: "service-unavailable",
    says: /answers 502\./,
  },
  { name: "503 with a page", answer: html(503), code: "service-unavailable", says: /answers 503\./ },
];

let number = 0;

/** Asks a source whose endpoint fails so, and gives the error. */
async function ask(source: Source, failure: Failure, server: IdentityServer): Promise<OpenclawError> {
  const home = createHome();
  number += 1;
  const fill = (text: string): string => text.replaceAll("HOME", home).replaceAll("NUMBER", String(number));
  writeSharedFiles(home, { config: fill(source.config ?? ""), credentials: BASE });
  writeFileSync(path.join(home, "token"), "web-token");
  await writeSsoToken(home, "corp", {
    accessToken: "sso-token",
    expiresAt: new Date(Date.now() + HOUR).toISOString(),
  });
  await writeSsoToken(home, `expired-${number}`, {
    accessToken: "old-token",
    expiresAt: new Date(Date.now() - HOUR).toISOString(),
    clientId: "c",
    clientSecret: "s",
    refreshToken: "refresh",
  });
  if (failure.answer) server.answer(source.action, failure.answer(source));
  const own = Object.entries(source.env ?? {}).map(([name, value]) => [name, fill(value)]);
  const env: Record<string, string> = {
    HOME: home,
    AWS_ENDPOINT_URL_STS: server.url,
    AWS_ENDPOINT_URL_SSO: server.url,
    AWS_ENDPOINT_URL_SSO_OIDC: server.url,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "1",
    ...(Object.fromEntries(own) as Record<string, string>),
    [source.variable]: (failure.endpoint?.() ?? server.url) + (source.path ?? ""),
  };
  useEnvironment({ ...env, PATH: process.env["PATH"] ?? "" });
  const runtime = testRuntime({ env, home });
  const decision = decideCredentials({ env, shared: await loadSharedConfig(env, home) });
  const isSlow = failure.answer?.(source) === "silence";
  const authentication = await buildAuthentication(decision, {
    runtime,
    region: "eu-central-1",
    ...(isSlow ? { timeoutMs: 300 } : {}),
  });
  if (authentication.kind === "token") throw new Error("No credentials are asked for.");
  const error = await authentication.credentials().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OpenclawError);
  return error as OpenclawError;
}

describe.each(SOURCES)("$name", (source) => {
  it.each(FAILURES)("$name", async (failure) => {
    const server = await startIdentityServer();
    const error = await ask(source, failure, server);
    const code = typeof failure.code === "string" ? failure.code : failure.code(source);
    expect({ code: error.code, exitCode: error.exitCode, says: error.message }).toEqual({
      code,
      exitCode: EXIT_CODES[code],
      says: expect.stringMatching(failure.says),
    });
    expect(error.hint).toBeTruthy();
    expect(`${error.message} ${error.hint}`).not.toMatch(/undefined|NaN|s3cret|Unknown|Error:|\[object/);
    // Nobody answers there, or somebody else: whoever named the place has to look.
    const isElsewhere =
      code === "bad-response" || ["refused", "DNS", "TLS", "silence"].includes(failure.name);
    if (isElsewhere) expect(`${error.message} ${error.hint}`).toContain(source.variable);
    if (failure.answer && typeof failure.answer(source) === "object") {
      expect(`${error.message}`).toMatch(new RegExp(`${source.asked}|${server.url}|AWS|credentials behind`));
    }
  });
});

describe("errors of AWS by their types", () => {
  const [role, , web, portal, , oidc] = SOURCES as unknown as [
    Source,
    Source,
    Source,
    Source,
    Source,
    Source,
  ];
  const withKeys = (source: Source, lines: string): Source => ({
    ...source,
    config: `${source.config ?? ""}${lines}`,
  });
  const DENIED =
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/Admin";

  it.each<[string, Source, Answer, ErrorCode, RegExp, RegExp]>([
    [
      "a role that is denied",
      role,
      stsError("AccessDenied", DENIED),
      "access-denied",
      /is not authorized to perform: sts:AssumeRole/,
      /^Allow sts:AssumeRole to arn:aws:iam::123456789012:user\/me in the trust policy of arn:aws:iam::123456789012:role\/Admin; set external_id .*mfa_serial/,
    ],
    [
      "a role that is denied with an ExternalId",
      withKeys(role, "external_id = x-1\n"),
      stsError("AccessDenied", DENIED),
      "access-denied",
      /sts:AssumeRole/,
      /compare its sts:ExternalId with external_id of the profile/,
    ],
    [
      "MFA that is missing",
      role,
      stsError(
        "AccessDenied",
        "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
      ),
      "access-denied",
      /MultiFactorAuthentication failed/,
      /^Name the MFA device: aws configure set mfa_serial ARN --profile /,
    ],
    [
      "a role whose ARN is none",
      role,
      stsError("ValidationError", "1 validation error detected: Value 'r' at 'roleArn' failed", 400),
      "no-credentials",
      /Value 'r' at 'roleArn' failed/,
      /aws configure set role_arn ARN --profile admin$/,
    ],
    [
      "a session that is asked for too long",
      role,
      stsError(
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        400,
      ),
      "no-credentials",
      /does not give credentials for so long .*MaxSessionDuration/,
      /aws configure set duration_seconds 3600 --profile admin$/,
    ],
    [
      "a clock that is off",
      role,
      stsError(
        "SignatureDoesNotMatch",
        "Signature expired: 20261126T070000Z is now earlier than 20261126T080000Z",
        403,
        { date: new Date(Date.now() - HOUR).toUTCString() },
      ),
      "credentials-rejected",
      // The table may have been made some time ago.
      /rejects the signature because this machine's clock is 6[01] minutes fast\./,
      /timedatectl/,
    ],
    [
      "a clock that is off, of a server without a date",
      role,
      stsError("RequestExpired", "Request has expired.", 400, { date: "" }),
      "credentials-rejected",
      /this machine's clock is wrong\./,
      /timedatectl/,
    ],
    [
      "a web identity that is denied",
      web,
      stsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
      "access-denied",
      /Not authorized to perform sts:AssumeRoleWithWebIdentity/,
      /^Allow sts:AssumeRoleWithWebIdentity to the token's OIDC provider in the trust policy of arn:aws:iam::123456789012:role\/Pod, .*audience \(aud\) and subject \(sub\)/,
    ],
    [
      "a web identity of an issuer that is not known",
      web,
      stsError(
        "InvalidIdentityToken",
        "No OpenIDConnect provider found in your account for https://oidc.example/id/X",
        400,
      ),
      "credentials-rejected",
      /No OpenIDConnect provider/,
      /create-open-id-connect-provider --url https:\/\/oidc\.example\/id\/X$/,
    ],
    [
      "a web identity of another audience",
      web,
      stsError("InvalidIdentityToken", "Incorrect token audience", 400),
      "credentials-rejected",
      /Incorrect token audience/,
      /audience/,
    ],
    [
      "a web identity that has expired",
      web,
      stsError(
        "ExpiredTokenException",
        "Token expired: current date/time 1 must be before the expiration date/time 0",
        400,
      ),
      "credentials-expired",
      /have expired: Token expired/,
      /^Renew the web identity token in the file/,
    ],
    [
      "an issuer that AWS cannot ask",
      web,
      stsError("IDPCommunicationError", "The identity provider did not answer", 400),
      "service-unavailable",
      /did not answer/,
      /Try again/,
    ],
    [
      "an account that IAM Identity Center does not know",
      portal,
      jsonError("ResourceNotFoundException", "Account not found", 404),
      "no-credentials",
      /Account not found/,
      /sso_account_id/,
    ],
    [
      "a sign-in that cannot be renewed",
      oidc,
      jsonError("InvalidGrantException", "Invalid grant", 400),
      "credentials-expired",
      /'sso' has expired/,
      /^aws sso login --profile sso$/,
    ],
    [
      "a sign-in in OAuth's words",
      oidc,
      { status: 400, body: '{"error":"invalid_grant","error_description":"Invalid refresh token provided"}' },
      "credentials-expired",
      /'sso' has expired/,
      /^aws sso login --profile sso$/,
    ],
    [
      "OIDC that is asked too often",
      oidc,
      jsonError("SlowDownException", "Slow down", 400),
      "throttled",
      /Slow down/,
      /Wait a minute/,
    ],
  ])("%s", async (_, source, answer, code, says, hint) => {
    const server = await startIdentityServer();
    const error = await ask(source, { name: "", answer: () => answer, code, says }, server);
    expect({ code: error.code, message: error.message, hint: error.hint }).toEqual({
      code,
      message: expect.stringMatching(says),
      hint: expect.stringMatching(hint),
    });
  });
});

describe("instance metadata", () => {
  it.each<[string, Record<string, Answer>, ErrorCode, RegExp]>([
    ["no role", { ImdsRole: { status: 404, body: "" } }, "no-credentials", /associate-iam-instance-profile/],
    [
      "off",
      { ImdsToken: { status: 403, body: "" }, ImdsRole: { status: 403, body: "" } },
      "no-credentials",
      /--http-endpoint enabled/,
    ],
    [
      "a hop limit of 1",
      { ImdsToken: "silence", ImdsRole: { status: 401, body: "" } },
      "no-credentials",
      /--http-put-response-hop-limit 2/,
    ],
    ["429", { ImdsToken: { status: 429, body: "" } }, "throttled", /Try again/],
    ["500", { ImdsRole: { status: 500, body: "" } }, "service-unavailable", /Try again/],
    [
      "off by the time of the credentials",
      { ImdsCredentials: { status: 403, body: "" } },
      "no-credentials",
      /--http-endpoint enabled/,
    ],
    [
      "a server that knows no such question",
      { ImdsToken: { status: 404, body: "" }, ImdsRole: { status: 400, body: "" } },
      "no-credentials",
      /AWS_EC2_METADATA_DISABLED/,
    ],
    [
      "503 of the credentials",
      { ImdsCredentials: { status: 503, body: "" } },
      "service-unavailable",
      /Try again/,
    ],
    ["a page", { ImdsToken: { status: 200, body: PAGE } }, "bad-response", /AWS_EC2_METADATA_DISABLED/],
    [
      "a page for a role",
      { ImdsRole: { status: 200, body: PAGE } },
      "bad-response",
      /AWS_EC2_METADATA_DISABLED/,
    ],
    ["a page for credentials", { ImdsCredentials: { status: 200, body: PAGE } }, "bad-response", /Try again/],
    ["a redirect", { ImdsToken: { status: 302, body: "" } }, "bad-response", /AWS_EC2_METADATA_DISABLED/],
  ])("%s", async (_, answers, code, hint) => {
    const server = await startIdentityServer();
    for (const [action, answer] of Object.entries(answers)) server.answer(action, answer);
    const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url };
    const home = createHome();
    const runtime = testRuntime({ env, home });
    const decision = decideCredentials({ env, shared: await loadSharedConfig(env, home) });
    const authentication = await buildAuthentication(decision, { runtime });
    if (authentication.kind === "token") throw new Error("No credentials are asked for.");
    const error = (await authentication.credentials().catch((thrown: unknown) => thrown)) as OpenclawError;
    expect({ code: error.code, hint: error.hint }).toEqual({ code, hint: expect.stringMatching(hint) });
  });

  it.each(["not a url", "169.254.169.254", "ftp://x"])("at %s is a wrong setting", async (endpoint) => {
    const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint };
    const home = createHome();
    const decision = decideCredentials({ env, shared: await loadSharedConfig(env, home) });
    const failure = await buildAuthentication(decision, { runtime: testRuntime({ env, home }) }).catch(
      (thrown: unknown) => thrown,
    );
    expect(failure).toMatchObject({ code: "config-invalid", exitCode: 3 });
    expect((failure as OpenclawError).message).toContain("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  });
});

it.each([
  { AWS_CONTAINER_CREDENTIALS_FULL_URI: "localhost/creds" },
  { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "v2/creds" },
])("a container endpoint that is none is a wrong setting: %j", async (variables) => {
  const home = createHome();
  const env = variables as Record<string, string>;
  const decision = decideCredentials({ env, shared: await loadSharedConfig(env, home) });
  const authentication = await buildAuthentication(decision, { runtime: testRuntime({ env, home }) });
  if (authentication.kind === "token") throw new Error("No credentials are asked for.");
  const error = (await authentication.credentials().catch((thrown: unknown) => thrown)) as OpenclawError;
  expect(error).toMatchObject({
    code: "config-invalid",
    hint: expect.stringContaining("export AWS_CONTAINER_"),
  });
});
