import { ListFoundationModelsCommand } from "@aws-sdk/client-bedrock";
import { ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { bearerClient, controlClient, emulate, runtimeClient, user, type Signer } from "./clients.ts";
import { send, sign, type RawRequest } from "./signed-request.ts";

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and " +
  "signing method. Consult the service documentation for details.";
const BAD_TOKEN = "The security token included in the request is invalid.";
const CONVERSE = {
  method: "POST",
  path: "/model/us.amazon.nova-pro-v1%3A0/converse",
  body: JSON.stringify({ messages: user("Hi") }),
};

function stsClient(emulator: Emulator, credentials: Signer): STSClient {
  const client = new STSClient({ endpoint: emulator.url, region: "us-east-1", credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

describe("signatures", () => {
  it("takes an untouched request", async () => {
    const emulator = await emulate();
    const answer = await send(emulator, await sign(emulator, CONVERSE));
    expect(answer).toMatchObject({
      status: 200,
      headers: { "x-amzn-requestid": emulator.calls[0]?.requestId },
    });
  });

  it.each<[string, (request: RawRequest) => Partial<RawRequest>]>([
    ["body", () => ({ body: JSON.stringify({ messages: user("Ho") }) })],
    ["path", () => ({ path: "/model/us.amazon.nova-lite-v1%3A0/converse" })],
    ["query", () => ({ query: { a: "b" } })],
    ["signed header", (request) => ({ headers: { ...request.headers, "content-type": "text/plain" } })],
    ["method", () => ({ method: "PUT", path: "/latest/api/token" })],
    [
      "body together with its declared hash",
      (request) => ({
        body: "{}",
        headers: { ...request.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      }),
    ],
  ])("refuses a request whose %s was altered after signing", async (part, alter) => {
    const emulator = await emulate();
    const request = await sign(emulator, CONVERSE);
    const answer = await send(emulator, { ...request, ...alter(request) });
    // Instance metadata does not look at signatures; there the request lacks the header that it wants.
    expect(answer.status).toBe(part === "method" ? 400 : 403);
    if (part === "method") return;
    expect(answer.headers["x-amzn-errortype"]).toMatch(/^InvalidSignatureException:/);
    expect(JSON.parse(answer.body)).toEqual({ message: MISMATCH });
  });

  it.each([
    [-5 * 60_000 + 2000, 200, undefined],
    [5 * 60_000 - 2000, 200, undefined],
    [
      -6 * 60_000,
      403,
      "Signature expired: 20260506T115400Z is now earlier than 20260506T115500Z (20260506T120000Z - 5 min.)",
    ],
    [
      6 * 60_000,
      403,
      "Signature not yet current: 20260506T120600Z is still later than 20260506T120500Z (20260506T120000Z + 5 min.)",
    ],
  ])("judges a clock that is off by %d ms with status %d", async (offset, status, message) => {
    const now = Date.UTC(2026, 4, 6, 12);
    const emulator = await emulate({ now: () => now });
    const answer = await send(emulator, await sign(emulator, CONVERSE, { date: new Date(now + offset) }));
    expect(answer.status).toBe(status);
    if (message !== undefined) expect(JSON.parse(answer.body)).toEqual({ message });
  });

  it.each<[string, (amzDate: string) => string, string]>([
    ["no date", () => "", "requires existence of either a 'X-Amz-Date' or a 'Date' header"],
    [
      "a date that is none",
      () => "yesterday",
      "requires existence of either a 'X-Amz-Date' or a 'Date' header",
    ],
    [
      "a day that no month has",
      (amzDate) => amzDate.replace(/^\d{8}/, "20260230"),
      "requires existence of either a 'X-Amz-Date' or a 'Date' header",
    ],
    [
      "another day than its scope",
      (amzDate) => amzDate.replace(/^\d{8}/, "20010203"),
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
    ],
  ])("refuses a signature with %s", async (_, alter, message) => {
    const emulator = await emulate();
    const request = await sign(emulator, CONVERSE);
    const headers = { ...request.headers, "x-amz-date": alter(request.headers["x-amz-date"] ?? "") };
    const answer = await send(emulator, { ...request, headers });
    expect(answer.status).toBe(403);
    expect(answer.body).toContain(message);
  });

  it("refuses a signature for another service", async () => {
    const emulator = await emulate();
    const answer = await send(emulator, await sign(emulator, CONVERSE, { service: "sqs" }));
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toEqual({
      message: "Credential should be scoped to correct service: 'bedrock'.",
    });
  });

  it("asks for credentials when there are none", async () => {
    const emulator = await emulate();
    const answer = await send(emulator, { ...CONVERSE, headers: {} });
    expect(answer.status).toBe(403);
    expect(answer.headers["x-amzn-errortype"]).toMatch(/^MissingAuthenticationTokenException:/);
    expect(JSON.parse(answer.body)).toEqual({ message: "Missing Authentication Token" });
  });

  it("refuses an Authorization header that it cannot read", async () => {
    const emulator = await emulate();
    const answer = await send(emulator, {
      ...CONVERSE,
      headers: { authorization: "AWS4-HMAC-SHA256 Credential=x" },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers["x-amzn-errortype"]).toMatch(/^IncompleteSignatureException:/);
  });

  it.each<[string, (emulator: Emulator) => Signer, string, string]>([
    [
      "a wrong secret",
      ({ accessKeyId }) => ({ accessKeyId, secretAccessKey: "no" }),
      "InvalidSignatureException",
      MISMATCH,
    ],
    [
      "an unknown key",
      ({ secretAccessKey }) => ({ accessKeyId: "AKIAUNKNOWN", secretAccessKey }),
      "UnrecognizedClientException",
      BAD_TOKEN,
    ],
    [
      "a session token where none belongs",
      ({ accessKeyId, secretAccessKey }) => ({ accessKeyId, secretAccessKey, sessionToken: "t" }),
      "UnrecognizedClientException",
      BAD_TOKEN,
    ],
    [
      "temporary keys without their token",
      () => ({ accessKeyId: "ASIATEMPORARY", secretAccessKey: "secret" }),
      "UnrecognizedClientException",
      BAD_TOKEN,
    ],
    [
      "temporary keys with another token",
      () => ({ accessKeyId: "ASIATEMPORARY", secretAccessKey: "secret", sessionToken: "other" }),
      "UnrecognizedClientException",
      BAD_TOKEN,
    ],
  ])("refuses %s, and says who signed", async (_, credentialsOf, name, message) => {
    const accessKeys = { ASIATEMPORARY: { secretAccessKey: "secret", sessionToken: "token" } };
    const emulator = await emulate({ accessKeys });
    const credentials = credentialsOf(emulator);
    const list = controlClient(emulator, credentials).send(new ListFoundationModelsCommand({}));
    await expect(list).rejects.toMatchObject({ name, message, $metadata: { httpStatusCode: 403 } });
    const converse = runtimeClient(emulator, "HTTP/2", credentials).send(
      new ConverseCommand({ modelId: "amazon.nova-pro-v1:0", messages: user("Hi") }),
    );
    await expect(converse).rejects.toMatchObject({ name, message });
    expect(emulator.calls.map((call) => [call.accessKeyId, call.status])).toEqual([
      [credentials.accessKeyId, 403],
      [credentials.accessKeyId, 403],
    ]);
  });

  it("takes temporary keys with their token", async () => {
    const key = { secretAccessKey: "secret", sessionToken: "token" };
    const emulator = await emulate({ accessKeys: { ASIATEMPORARY: key } });
    const client = controlClient(emulator, { accessKeyId: "ASIATEMPORARY", ...key });
    await client.send(new ListFoundationModelsCommand({}));
    expect(emulator.calls).toMatchObject([{ accessKeyId: "ASIATEMPORARY", status: 200 }]);
  });
});

describe("bearer tokens", () => {
  it.each(["HTTP/2", "HTTP/1.1"] as const)("opens both services over %s", async (protocol) => {
    const emulator = await emulate({ bearerTokens: ["another-token"] });
    for (const token of [emulator.bearerToken, "another-token"]) {
      const client = bearerClient(emulator, protocol, token);
      await client.send(new ConverseCommand({ modelId: "eu.amazon.nova-pro-v1:0", messages: user("Hi") }));
    }
    expect(emulator.calls).toMatchObject([
      { bearerToken: emulator.bearerToken, accessKeyId: undefined, region: undefined, status: 200 },
      { bearerToken: "another-token", status: 200 },
    ]);
  });

  it("refuses a wrong one as IAM does", async () => {
    const emulator = await emulate();
    const answer = await send(emulator, {
      method: "GET",
      path: "/foundation-models",
      headers: { authorization: "Bearer wrong" },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers["x-amzn-errortype"]).toMatch(/^AccessDeniedException:/);
    expect(JSON.parse(answer.body)).toEqual({
      Message: "Authentication failed: Please make sure your API Key is valid.",
    });
  });
});

describe("GetCallerIdentity", () => {
  it("names the user behind long-lived keys", async () => {
    const emulator = await emulate();
    const identity = await stsClient(emulator, emulator).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: "123456789012",
      Arn: "arn:aws:iam::123456789012:user/openclaw-emulator",
      UserId: expect.stringMatching(/^AIDA/),
    });
    expect(emulator.calls).toMatchObject([{ route: "GetCallerIdentity", service: "sts", status: 200 }]);
  });

  it.each<[string, Signer, string]>([
    [
      "a wrong secret",
      { accessKeyId: "AKIAEMULATOR0EXAMPLE", secretAccessKey: "no" },
      "SignatureDoesNotMatch",
    ],
    ["an unknown key", { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "no" }, "InvalidClientTokenId"],
  ])("refuses %s with STS's own code", async (_, credentials, name) => {
    const call = stsClient(await emulate(), credentials).send(new GetCallerIdentityCommand({}));
    await expect(call).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } });
  });

  it.each([
    ["that the emulator lacks", "DecodeAuthorizationMessage"],
    ["of another service", "ListFoundationModels"],
    ["that is none", "toString"],
  ])("answers an operation %s with InvalidAction", async (_, action) => {
    const emulator = await emulate();
    const request = await sign(
      emulator,
      { method: "POST", path: "/", body: `Action=${action}&Version=2011-06-15` },
      { service: "sts", contentType: "application/x-www-form-urlencoded" },
    );
    const answer = await send(emulator, request);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("<Code>InvalidAction</Code>");
    expect(emulator.calls[0]?.route).toBe(action);
  });

  it("does not take a bearer token", async () => {
    const emulator = await emulate();
    const answer = await send(emulator, {
      method: "POST",
      path: "/",
      headers: {
        authorization: `Bearer ${emulator.bearerToken}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
    });
    expect(answer.status).toBe(403);
    expect(answer.body).toContain("<Code>IncompleteSignature</Code>");
  });
});

describe("instance metadata", () => {
  async function instanceCredentials(emulator: Emulator) {
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", emulator.url);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    return fromInstanceMetadata({ maxRetries: 0, timeout: 2000 })();
  }

  it("hands out credentials of the role that every service then takes", async () => {
    const emulator = await emulate();
    const credentials = await instanceCredentials(emulator);
    expect(credentials.expiration?.getTime()).toBeGreaterThan(Date.now());
    const identity = await stsClient(emulator, credentials).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(
      "arn:aws:sts::123456789012:assumed-role/EC2-Bedrock-Access/i-0e0e0e0e0e0e0e0e0",
    );
    await controlClient(emulator, credentials).send(new ListFoundationModelsCommand({}));
    expect(emulator.calls.map((call) => call.route)).toEqual([
      "ImdsToken",
      "ImdsRoleName",
      "ImdsCredentials",
      "GetCallerIdentity",
      "ListFoundationModels",
    ]);
    expect(emulator.calls.at(-1)?.accessKeyId).toBe(credentials.accessKeyId);
  });

  it("has no credentials on an instance without a role", async () => {
    const emulator = await emulate({ imds: { role: undefined } });
    await expect(instanceCredentials(emulator)).rejects.toThrow();
    expect(emulator.calls.map((call) => [call.route, call.status])).toEqual([
      ["ImdsToken", 200],
      ["ImdsRoleName", 404],
    ]);
  });

  const TTL = "x-aws-ec2-metadata-token-ttl-seconds";
  const get = (path: string, token: string) => ({
    method: "GET",
    path,
    headers: { "x-aws-ec2-metadata-token": token },
  });

  it("tells the region and the availability zone to who has a token", async () => {
    const emulator = await emulate({ imds: { region: "eu-west-1" } });
    const token = await send(emulator, {
      method: "PUT",
      path: "/latest/api/token",
      headers: { [TTL]: "60" },
    });
    expect(token).toMatchObject({ status: 200, headers: { [TTL]: "60" } });
    const region = await send(emulator, get("/latest/meta-data/placement/region", token.body));
    expect(region).toMatchObject({ status: 200, body: "eu-west-1" });
    const zone = await send(emulator, get("/latest/meta-data/placement/availability-zone", token.body));
    expect(zone).toMatchObject({ status: 200, body: "eu-west-1a" });
    expect(await send(emulator, get("/latest/meta-data/hostname", token.body))).toMatchObject({
      status: 404,
    });
  });

  it("forgets a token after its time", async () => {
    let now = Date.UTC(2026, 4, 6);
    const emulator = await emulate({ now: () => now });
    const token = await send(emulator, {
      method: "PUT",
      path: "/latest/api/token",
      headers: { [TTL]: "60" },
    });
    now += 59_000;
    expect(await send(emulator, get("/latest/meta-data/placement/region", token.body))).toMatchObject({
      status: 200,
    });
    now += 1000;
    expect(await send(emulator, get("/latest/meta-data/placement/region", token.body))).toMatchObject({
      status: 401,
    });
  });

  it.each([[undefined], ["0"], ["21601"], ["soon"]])(
    "gives no token for a lifetime of %s",
    async (seconds) => {
      const headers: Record<string, string> = seconds === undefined ? {} : { [TTL]: seconds };
      const answer = await send(await emulate(), { method: "PUT", path: "/latest/api/token", headers });
      expect(answer.status).toBe(400);
    },
  );

  it("answers 401 without a token", async () => {
    const emulator = await emulate();
    const answer = await send(emulator, {
      method: "GET",
      path: "/latest/meta-data/placement/region",
      headers: {},
    });
    expect(answer.status).toBe(401);
  });
});

describe("unknown operations", () => {
  it("answers 404 with UnknownOperationException", async () => {
    const answer = await send(await emulate(), { method: "GET", path: "/guardrails", headers: {} });
    expect(answer.status).toBe(404);
    expect(answer.headers["x-amzn-errortype"]).toMatch(/^UnknownOperationException:/);
    expect(JSON.parse(answer.body)).toMatchObject({
      Output: { __type: "com.amazon.coral.service#UnknownOperationException" },
    });
  });
});
