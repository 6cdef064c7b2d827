import { describe, expect, it } from "vitest";
import { adviseInstance, describeInstance } from "../../src/credentials/describe.ts";
import { instanceMetadata } from "../../src/credentials/imds.ts";
import { decideInstanceMetadata } from "../../src/credentials/instance-metadata-settings.ts";
import type { Runtime } from "../../src/runtime.ts";
import { blackHole } from "../helpers/black-hole.ts";
import { startIdentityServer } from "../helpers/identity-server.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

function metadataOf(runtime: Runtime) {
  return instanceMetadata(runtime, decideInstanceMetadata(runtime.env, { profiles: new Map() }));
}

function instanceAt(endpoint: string, env: Record<string, string> = {}) {
  const runtime = testRuntime({
    home: createHome(),
    env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint, ...env },
  });
  return metadataOf(runtime);
}

describe("the instance metadata service", () => {
  it("tells role and region with one token of IMDSv2", async () => {
    const server = await startIdentityServer();
    const instance = instanceAt(server.url);
    const [answer, region] = await Promise.all([instance.answer(), instance.region()]);
    expect(answer).toEqual({ status: "role", role: "EC2-Bedrock-Access", version: "IMDSv2" });
    expect(describeInstance(answer)).toBe("EC2 instance role `EC2-Bedrock-Access`, IMDSv2");
    expect(region).toBe("ap-southeast-2");
    expect(server.calls.map(({ action }) => action).sort()).toEqual(["ImdsRegion", "ImdsRole", "ImdsToken"]);
    expect(
      server.calls
        .filter(({ action }) => action !== "ImdsToken")
        .every(({ signedBy }) => signedBy === "imds-token"),
    ).toBe(true);
  });

  it("is asked once per process, and anew by another", async () => {
    const server = await startIdentityServer();
    const runtime = testRuntime({
      home: createHome(),
      env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url },
    });
    await metadataOf(runtime).answer();
    await metadataOf(runtime).answer();
    expect(server.calls).toHaveLength(2);
    await instanceAt(server.url).answer();
    expect(server.calls).toHaveLength(4);
  });

  it("hands out the credentials of the role with the token and the role that are known, anew each time", async () => {
    const server = await startIdentityServer();
    const instance = instanceAt(server.url);
    await instance.answer();
    for (let time = 0; time < 2; time += 1) {
      expect(await instance.credentials()).toMatchObject({
        status: "credentials",
        credentials: {
          accessKeyId: "ASIAIMDS000000000001",
          secretAccessKey: "secret",
          sessionToken: "token",
          expiration: expect.any(Date),
        },
      });
    }
    expect(server.calls.map(({ action }) => action)).toEqual([
      "ImdsToken",
      "ImdsRole",
      "ImdsCredentials",
      "ImdsCredentials",
    ]);
  });

  it.each([401, 404])(
    "asks for token and role once more when the credentials are answered with %d",
    async (status) => {
      const server = await startIdentityServer();
      const instance = instanceAt(server.url);
      server.answer("ImdsCredentials", { status, body: "" });
      expect(await instance.credentials()).toEqual({
        status: "none",
        reason: expect.stringMatching(new RegExp(`answered ${status}$`)),
      });
      expect(server.calls.map(({ action }) => action)).toEqual([
        "ImdsToken",
        "ImdsRole",
        "ImdsCredentials",
        "ImdsToken",
        "ImdsRole",
        "ImdsCredentials",
      ]);
    },
  );

  it.each([
    [
      '{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role EC2-Bedrock-Access."}',
      "the role has no credentials: AssumeRoleUnauthorizedAccess",
    ],
    ['{"Code":"Success"}', "instance metadata answered without credentials"],
    ["<html>", "instance metadata answered with something that is not JSON"],
  ])("says why there are none: %s", async (body, reason) => {
    const server = await startIdentityServer();
    server.answer("ImdsCredentials", { status: 200, body });
    const code = body.includes("Assume") ? undefined : "bad-response";
    expect(await instanceAt(server.url).credentials()).toEqual({ status: "none", reason, code });
  });

  it("has none without a role, and none where nobody answers", async () => {
    const server = await startIdentityServer({ role: undefined });
    expect(await instanceAt(server.url).credentials()).toEqual({
      status: "none",
      reason: "the instance has no role",
    });
    expect(await instanceAt("http://127.0.0.1:1").credentials()).toEqual({
      status: "none",
      reason: expect.stringContaining("cannot be reached"),
    });
  });

  it("knows an instance without a role", async () => {
    const server = await startIdentityServer({ role: undefined });
    expect(await instanceAt(server.url).answer()).toEqual({ status: "no-role", version: "IMDSv2" });
  });

  it.each([403, 404, 405])("falls back to IMDSv1 where the token is answered with %d", async (status) => {
    const server = await startIdentityServer();
    server.answer("ImdsToken", { status, body: "" });
    expect(await instanceAt(server.url).answer()).toMatchObject({ status: "role", version: "IMDSv1" });
    const strict = await instanceAt(server.url, { AWS_EC2_METADATA_V1_DISABLED: "true" }).answer();
    expect(strict).toMatchObject({ status: "refused", statusCode: status });
  });

  it("falls back to IMDSv1 where the token is swallowed, as behind a hop limit of 1", async () => {
    const server = await startIdentityServer();
    server.answer("ImdsToken", "silence");
    expect(await instanceAt(server.url).answer()).toMatchObject({ status: "role", version: "IMDSv1" });
  });

  it("opens no socket when it is off", async () => {
    const server = await startIdentityServer();
    const instance = instanceAt(server.url, { AWS_EC2_METADATA_DISABLED: "true" });
    expect(await instance.answer()).toMatchObject({ status: "disabled" });
    expect(await instance.region()).toBeUndefined();
    expect(server.connections()).toBe(0);
  });

  it("costs at most 1 s where no connection comes about", async () => {
    const hole = await blackHole();
    const started = performance.now();
    const answer = await instanceAt(hole).answer();
    expect(performance.now() - started).toBeLessThan(1300);
    expect(answer).toMatchObject({ status: "absent" });
  });

  it("costs at most 2 s in all where every answer is late", async () => {
    const server = await startIdentityServer();
    server.answer("ImdsToken", "silence");
    server.answer("ImdsRole", "silence");
    const started = performance.now();
    const instance = instanceAt(server.url);
    const [answer, region] = await Promise.all([instance.answer(), instance.region()]);
    expect(performance.now() - started).toBeLessThan(2200);
    expect(answer).toMatchObject({
      status: "silent",
      reason: expect.stringContaining("does not answer in time"),
    });
    expect(region).toBe("ap-southeast-2");
  });

  it("is absent where nobody listens", async () => {
    expect(await instanceAt("http://127.0.0.1:1").answer()).toMatchObject({ status: "absent" });
  });

  it.each<[Record<string, string>, string]>([
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: "not a url" }, "=http://169.254.169.254"],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: "localhost:1338" }, "=http://localhost:1338"],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: "https://127.0.0.1:1" }, "=http://169.254.169.254"],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "IPv5" }, "=IPv4"],
  ])("is asked nowhere with %j", async (env, example) => {
    const [name = ""] = Object.keys(env);
    const runtime = testRuntime({ home: createHome(), env });
    expect(await metadataOf(runtime).answer()).toMatchObject({
      status: "misnamed",
      error: { code: "config-invalid", hint: `export ${name}${example}` },
    });
  });

  it("says that the token's answer is lost where the question without one is refused", async () => {
    const server = await startIdentityServer();
    server.answer("ImdsToken", "silence");
    server.answer("ImdsRole", { status: 401, body: "" });
    const answer = await instanceAt(server.url).answer();
    expect(answer).toMatchObject({ status: "silent", reason: expect.stringContaining("does not arrive") });
    expect(adviseInstance(answer)).toContain("--http-put-response-hop-limit 2");
  });

  it.each(["ImdsToken", "ImdsRole"])(
    "asks once more, quickly, where %s is answered with 503",
    async (action) => {
      const server = await startIdentityServer();
      server.answer(action, { status: 503, body: "" }, 1);
      expect(await instanceAt(server.url).answer()).toMatchObject({ status: "role", version: "IMDSv2" });
      expect(server.calls.filter((call) => call.action === action)).toHaveLength(2);
    },
  );

  it.each([
    [429, "throttled"],
    [500, "service-unavailable"],
    [302, "bad-response"],
  ])("does not know of a role where %d stays", async (status, code) => {
    const server = await startIdentityServer();
    server.answer("ImdsRole", { status, body: "" });
    const answer = await instanceAt(server.url).answer();
    expect(answer).toMatchObject({ status: "failed", code });
    expect(server.calls.filter(({ action }) => action === "ImdsRole")).toHaveLength(status < 400 ? 1 : 2);
  });
});
