import { createHash } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Bucket, ObjectStore } from "../../src/session/object-store.ts";
import { openSession, readSetup } from "../../src/session/session.ts";
import { startObjectServer } from "../helpers/object-server.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime, useEnvironment } from "../helpers/test-runtime.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("base64");

async function openStore(env: Record<string, string>, bucket: Partial<Bucket> = {}, signal?: AbortSignal) {
  const home = createHome();
  const whole = { HOME: home, AWS_REGION: "us-east-1", AWS_EC2_METADATA_DISABLED: "true", ...KEYS, ...env };
  useEnvironment(whole);
  const runtime = testRuntime({ home, env: whole, ...(signal ? { signal } : {}) });
  const config = { file: "", exists: false, value: {} };
  const session = await openSession(await readSetup({ color: false }, runtime, config), {
    kind: "discovery",
  });
  const store = await ObjectStore.open(session, { name: "my-bucket", ...bucket });
  onTestFinished(() => {
    store.close();
    session.close();
  });
  return { store, runtime };
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString("utf8");
}

describe("a bucket", () => {
  it("is written to, listed page by page, read and emptied", async () => {
    const server = await startObjectServer();
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url });
    for (const name of ["a", "b", "c", "d ü+&"])
      await store.put(`p/${name}`, Buffer.from(name), sha256(name));
    await store.put("other", Buffer.from("x"), sha256("x"));
    const listed = [];
    for await (const { key, bytes } of store.list("p/")) listed.push([key, bytes]);
    expect(listed).toEqual([
      ["p/a", 1],
      ["p/b", 1],
      ["p/c", 1],
      ["p/d ü+&", 6],
    ]);
    expect(await textOf(store.read("p/d ü+&"))).toBe("d ü+&");
    expect(await store.lengthOf("p/a")).toBe(1);
    await store.remove("p/a");
    expect(await store.lengthOf("p/a")).toBeNull();
    expect(await store.region()).toBe("us-east-1");
  });

  it("is called signed for s3, by this program's name, with what is said of it", async () => {
    const server = await startObjectServer();
    const owner = "123456789012";
    const { store } = await openStore(
      { AWS_ENDPOINT_URL_S3: server.url, AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
      { owner, kmsKey: "alias/own" },
    );
    await store.put("a", Buffer.from("x"), sha256("x"));
    await store.lengthOf("a");
    const [put, head] = server.calls;
    expect(put?.headers).toMatchObject({
      authorization: expect.stringContaining("/us-east-1/s3/aws4_request"),
      "user-agent": expect.stringContaining(" openclaw/"),
      "x-amz-checksum-sha256": sha256("x"),
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "alias/own",
      "x-amz-expected-bucket-owner": owner,
    });
    expect(head?.headers["x-amz-expected-bucket-owner"]).toBe(owner);
  });

  it("takes an object in parts, and finds those of an upload that was not ended", async () => {
    const server = await startObjectServer();
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url });
    expect(await store.findUnfinished("big")).toBeUndefined();
    const id = await store.beginUpload("big");
    await store.putPart("big", id, 2, Buffer.from("world"), sha256("world"));
    expect(await store.findUnfinished("big")).toMatchObject({
      id,
      parts: [{ number: 2, bytes: 5, sha256: sha256("world") }],
    });
    const first = await store.putPart("big", id, 1, Buffer.from("hello "), sha256("hello "));
    const { parts = [] } = (await store.findUnfinished("big")) ?? {};
    expect(parts[0]).toEqual(first);
    await store.completeUpload("big", id, parts);
    expect(await textOf(store.read("big"))).toBe("hello world");
    await store.abortUpload("big", id);
  });

  it("is asked again after an error of its own, and says so", async () => {
    const server = await startObjectServer();
    server.fault = () => (server.calls.length === 1 ? { status: 503, code: "SlowDown" } : undefined);
    const { store, runtime } = await openStore({ AWS_ENDPOINT_URL: server.url });
    await store.put("a", Buffer.from("x"), sha256("x"));
    expect(server.calls).toHaveLength(2);
    expect(runtime.stderr()).toContain("PutObject: trying again (2 of 3)");
  });

  it("goes on with an object where the connection broke", async () => {
    const server = await startObjectServer();
    const text = "0123456789".repeat(20_000);
    server.objects.set("a", Buffer.from(text));
    server.fault = ({ method }) =>
      method === "GET" && server.calls.length < 4 ? { bytes: 50_000 } : undefined;
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url });
    expect(await textOf(store.read("a"))).toBe(text);
    const later = server.calls.slice(1).map(({ headers }) => headers);
    for (const headers of later) expect(headers).toMatchObject({ "if-match": expect.any(String) });
    expect(later.at(-1)?.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it("gives up an object that breaks off again and again", async () => {
    const server = await startObjectServer();
    server.objects.set("a", Buffer.from("0123456789"));
    server.fault = ({ method }) => (method === "GET" ? { bytes: 0 } : undefined);
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url });
    await expect(textOf(store.read("a"))).rejects.toMatchObject({ code: "network", exitCode: 5 });
  });

  it.each([
    ["of another name", { name: "nope" }, "invalid-request", "aws s3 mb s3://nope --region us-east-1"],
    ["without such an object", {}, "invalid-request", "aws s3 ls --recursive s3://my-bucket"],
  ])("%s is told by the table", async (_, bucket, code, hint) => {
    const server = await startObjectServer();
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url }, bucket);
    await expect(textOf(store.read("missing"))).rejects.toMatchObject({
      code,
      hint: expect.stringContaining(hint),
      requestId: "REQUEST1",
    });
  });

  it("that is not there has no region", async () => {
    const server = await startObjectServer();
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url }, { name: "nope" });
    await expect(store.region()).rejects.toMatchObject({
      code: "invalid-request",
      hint: expect.stringContaining("aws s3 mb s3://nope"),
    });
  });

  it.each([
    [301, "PermanentRedirect"],
    [403, "AccessDenied"],
  ])("tells its region with a refusal of %i", async (status, code) => {
    const server = await startObjectServer("my-bucket", "eu-west-1");
    server.fault = () => ({ status, code });
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url, AWS_MAX_ATTEMPTS: "1" });
    expect(await store.region()).toBe("eu-west-1");
  });

  it("is not opened with a Bedrock API key", async () => {
    await expect(openStore({ AWS_BEARER_TOKEN_BEDROCK: "key" })).rejects.toMatchObject({
      code: "access-denied",
      hint: expect.stringContaining("--profile NAME"),
    });
  });

  it("is left at once when the command ends", async () => {
    const server = await startObjectServer();
    const ending = new AbortController();
    const { store } = await openStore({ AWS_ENDPOINT_URL: server.url }, {}, ending.signal);
    server.objects.set("a", Buffer.from("0123456789"));
    const reading = store.read("a");
    await reading.next();
    ending.abort(new Error("stop"));
    await expect(reading.next()).rejects.toThrow();
  });
});
