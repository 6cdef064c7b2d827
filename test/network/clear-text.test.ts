import { writeFileSync } from "node:fs";
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { isReadableOnTheWay, secretOf } from "../../src/network/clear-text.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { writeSharedFiles, writeSsoToken } from "../helpers/shared-files.ts";

const MODEL = "amazon.nova-lite-v1:0";

describe("what is sent", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["https://bedrock.us-east-1.amazonaws.com", {}, false],
    ["https://host.example", { HTTPS_PROXY: "http://proxy.example" }, false],
    ["http://host.example", {}, true],
    ["http://192.168.1.2:8080", {}, true],
    ["http://127.0.0.1:11434", {}, false],
    ["http://localhost:11434", {}, false],
    ["http://[::1]:11434", {}, false],
    ["http://169.254.170.2/v2", {}, false],
    ["http://host.example", { http_proxy: "http://127.0.0.1:3128" }, true],
    ["http://host.example", { http_proxy: "https://proxy.example" }, true],
    ["http://127.0.0.1:11434", { http_proxy: "http://proxy.example" }, true],
    ["http://127.0.0.1:11434", { http_proxy: "http://127.0.0.1:3128" }, false],
    ["http://127.0.0.1:11434", { http_proxy: "http://proxy.example", no_proxy: "127.0.0.1" }, false],
  ])("to %s with %j can be read on the way: %s", (url, env, isReadable) => {
    expect(isReadableOnTheWay(url, env)).toBe(isReadable);
  });

  it.each<[Record<string, string>, string | undefined]>([
    [{ host: "x", accept: "*/*" }, undefined],
    [{ authorization: "Bearer abc" }, "a bearer token"],
    [{ Authorization: "Basic YTpi" }, "a user and password"],
    [{ authorization: "AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=y" }, undefined],
    [{ authorization: "AWS4-HMAC-SHA256 x", "X-Amz-Security-Token": "t" }, "a session token"],
    [{ "x-amz-sso_bearer_token": "t" }, "a bearer token"],
    [{ "api-key": "k" }, "a key"],
    [{ "x-api-key": "k" }, "a key"],
    [{ cookie: "k" }, "a key"],
  ])("with %j holds %s", (headers, what) => {
    expect(secretOf(headers)).toBe(what);
  });
});

/** A proxy of another machine, so far as anyone can tell: it sends every request on to one server. */
async function startForwarder(to: string): Promise<string> {
  const { hostname, port } = new URL(to);
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "");
    const { method, headers } = request;
    const onward = send({ hostname, port, method, headers, path: pathname + search }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function farAway(user: Emulated): Promise<Record<string, string>> {
  return {
    http_proxy: await startForwarder(user.emulator.url),
    AWS_ENDPOINT_URL: "http://bedrock.far.example",
  };
}

const WARNING = /warning: A (bearer|session) token travels unencrypted to http:\/\/bedrock\.far\.example/g;

describe("a secret that travels in clear to another machine", () => {
  const BEARER = { AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-0123456789" };

  it.each<[string, string[]]>([
    ["chat", ["chat", "-m", MODEL, "hi"]],
    ["models list", ["models", "list", "--refresh"]],
  ])("is warned of once by %s", async (_, args) => {
    const user = await emulate({ bearerTokens: [BEARER.AWS_BEARER_TOKEN_BEDROCK] });
    const { code, stderr } = await user.run(args, { env: { ...(await farAway(user)), ...BEARER } });
    expect(code, stderr).toBe(0);
    expect(stderr.match(WARNING)).toHaveLength(1);
    expect(stderr).toContain("hint: Use https://");
  });

  it("is a session token, too, and a finding of doctor", async () => {
    const keys = { secretAccessKey: "secret", sessionToken: "session-token" };
    const user = await emulate({ accessKeys: { ASIAFARAWAY000000001: keys } });
    const env = {
      ...(await farAway(user)),
      AWS_ACCESS_KEY_ID: "ASIAFARAWAY000000001",
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.sessionToken,
    };
    const chat = await user.run(["chat", "-m", MODEL, "hi"], { env });
    expect(chat.stderr.match(WARNING)).toHaveLength(1);
    const doctor = await user.run(["doctor", "--json"], { env });
    const { checks } = JSON.parse(doctor.stdout) as {
      checks: { id: string; status: string; detail: string }[];
    };
    expect(checks.find(({ id }) => id === "network")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("A session token travels unencrypted"),
    });
  });

  it("is no signature, which tells nobody the key", async () => {
    const user = await emulate();
    const { code, stderr } = await user.run(["chat", "-m", MODEL, "hi"], { env: await farAway(user) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("is no secret on this machine", async () => {
    const user = await emulate({ bearerTokens: [BEARER.AWS_BEARER_TOKEN_BEDROCK] });
    const { code, stderr } = await user.run(["chat", "-m", MODEL, "hi"], { env: BEARER });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it.each<[string, object]>([
    ["a key", { apiKey: "sk-0123456789" }],
    ["a header", { headers: { "api-key": "k0123456789" } }],
  ])("is %s of another provider", async (_, more) => {
    const user = await emulate();
    const models = createServer((__, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ data: [{ id: "some-model" }] }));
    });
    await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void models.close());
    const server = `http://127.0.0.1:${(models.address() as AddressInfo).port}`;
    user.configure(
      JSON.stringify({ models: { providers: { far: { baseUrl: "http://far.example/v1", ...more } } } }),
    );
    const env = { http_proxy: await startForwarder(server), NO_PROXY: "127.0.0.1" };
    const list = await user.run(["models", "list", "--provider", "far", "--refresh"], { env });
    expect(list.code, list.stderr).toBe(0);
    expect(list.stderr).toMatch(/warning: A (bearer token|key) travels unencrypted to http:\/\/far\.example/);
    const doctor = await user.run(["doctor", "--json"], { env });
    const { checks } = JSON.parse(doctor.stdout) as {
      checks: { id: string; status: string; detail: string }[];
    };
    expect(checks.find(({ id }) => id === "providers")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("travels unencrypted to http://far.example"),
    });
  });

  /* Tokens on the way there, and keys on the way back, stand in bodies: no header shows them. */
  it.each<[string, string, string]>([
    ["assumes a role", "role", "sts"],
    ["takes a web identity", "web", "sts"],
    ["signs in", "sso", "sso"],
    ["renews its sign-in", "old", "sso-oidc"],
  ])("is whatever hands out credentials, where a profile %s", async (_, profile, service) => {
    const given = { secretAccessKey: "secret", sessionToken: "token" };
    const user = await emulate({
      accessKeys: {
        ASIASTSROLE000000001: given,
        ASIASTSWEBID00000001: given,
        ASIASSO0000000000001: given,
      },
    });
    const identity = await startIdentityServer();
    const role = "role_arn = arn:aws:iam::123456789012:role/R\n";
    const file = path.join(user.home, "token");
    writeFileSync(file, "header.payload.signature");
    const place = "sso_account_id = 123456789012\nsso_role_name = R\n";
    const session = (name: string): string =>
      `[sso-session ${name}]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n`;
    writeSharedFiles(user.home, {
      config:
        `[profile role]\n${role}source_profile = base\n[profile web]\n${role}web_identity_token_file = ${file}\n` +
        `[profile sso]\nsso_session = corp\n${place}${session("corp")}[profile old]\nsso_session = gone\n${place}${session("gone")}`,
      credentials: "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n",
    });
    const token = {
      accessToken: "t",
      refreshToken: "r",
      clientId: "c",
      clientSecret: "s",
      region: "us-east-1",
    };
    const later = { registrationExpiresAt: "2099-01-01T00:00:00Z", startUrl: "https://corp.example/start" };
    await writeSsoToken(user.home, "corp", { ...token, ...later, expiresAt: "2099-01-01T00:00:00Z" });
    const soon = new Date(Date.now() + 60_000).toISOString();
    await writeSsoToken(user.home, "gone", { ...token, ...later, expiresAt: soon });
    user.configure("{ credentials: { cache: false } }");
    const far = `http://${service}.far.example`;
    const env = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: profile,
      NO_PROXY: "127.0.0.1",
      http_proxy: await startForwarder(identity.url),
      AWS_ENDPOINT_URL_STS: user.emulator.url,
      AWS_ENDPOINT_URL_SSO: identity.url,
      AWS_ENDPOINT_URL_SSO_OIDC: identity.url,
      [`AWS_ENDPOINT_URL_${service.toUpperCase().replace("-", "_")}`]: far,
    };
    const doctor = await user.run(["doctor", "--json"], { env });
    const { checks } = JSON.parse(doctor.stdout) as {
      checks: { id: string; status: string; detail: string }[];
    };
    expect(checks.find(({ id }) => id === "network")).toMatchObject({
      status: "warn",
      detail: expect.stringMatching(/^A (set of credentials|session token) travels unencrypted to http:/),
    });
    if (profile === "old") {
      await writeSsoToken(user.home, "gone", { ...token, ...later, expiresAt: soon });
    }
    const chat = await user.run(["chat", "-m", MODEL, "hi"], { env });
    expect(chat.code, chat.stderr).toBe(0);
    expect(chat.stderr.match(/travels unencrypted/g)).toHaveLength(1);
    expect(chat.stderr).toContain(`A set of credentials travels unencrypted to ${far}`);
  });
});
