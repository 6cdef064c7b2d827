import { createHash } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Bucket, ObjectStore } from "../../src/session/object-store.ts";
import { STORAGE_CODES } from "../../src/emulator/storage/storage-error.ts";
import { askStorage, putText } from "../emulator/storage-client.ts";
import { startBreakingFront } from "../helpers/breaking-front.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { testSession } from "../helpers/test-session.ts";

const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("base64");

interface StoreOptions {
  env?: Record<string, string>;
  bucket?: Partial<Bucket>;
  signal?: AbortSignal;
}

/** The emulator's bucket, or another one. */
async function openStore({ emulator, home, env: keys }: Emulated, options: StoreOptions = {}) {
  const { bucket, signal } = options;
  const { session, runtime } = await testSession(home, { ...keys, ...options.env }, { signal });
  const store = await ObjectStore.open(session, { name: emulator.bucket, ...bucket });
  onTestFinished(() => store.close());
  return { store, runtime };
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString("utf8");
}

describe("a bucket", () => {
  it("is written to, listed page by page, read and emptied", async () => {
    let page: string | undefined;
    const user = await emulate({
      script: ({ query }) =>
        page !== undefined && "list-type" in query && !("continuation-token" in query)
          ? { http: { status: 200, headers: { "content-type": "application/xml" }, body: page } }
          : undefined,
    });
    const { store } = await openStore(user);
    for (const name of ["a", "b", "c", "d ü+&"])
      await store.put(`p/${name}`, Buffer.from(name), sha256(name));
    await store.put("other", Buffer.from("x"), sha256("x"));
    // A first page of two, which S3 makes of a thousand when it is not told.
    const query = { "list-type": "2", prefix: "p/", "max-keys": "2" };
    page = (await askStorage(user.emulator, { path: `/${user.emulator.bucket}`, query })).text;
    const listed = [];
    for await (const { key, bytes } of store.list("p/")) listed.push([key, bytes]);
    expect(listed).toEqual([
      ["p/a", 1],
      ["p/b", 1],
      ["p/c", 1],
      ["p/d ü+&", 6],
    ]);
    const [, ...lists] = user.routes().filter((route) => route === "ListObjectsV2");
    expect(lists).toHaveLength(2);
    expect(await textOf(store.read("p/d ü+&"))).toBe("d ü+&");
    expect(await store.lengthOf("p/a")).toBe(1);
    await store.remove("p/a");
    expect(await store.lengthOf("p/a")).toBeNull();
    expect(await store.region()).toBe("us-east-1");
  });

  it.each([
    ["blanks", 200, " "],
    ["rows", 200, "<Contents><Key>p/a</Key><Size>1</Size></Contents>"],
    ["escapes", 200, "&amp;"],
    ["an error", 403, "x"],
  ])("has no list of more than anybody's: %s", async (_, status, piece) => {
    const body = `<ListBucketResult><IsTruncated>false</IsTruncated>${piece.repeat(3e6 / piece.length)}</ListBucketResult>`;
    const user = await emulate({
      script: ({ route }) =>
        route === "ListObjectsV2"
          ? { http: { status, headers: { "content-type": "application/xml" }, body } }
          : undefined,
    });
    const { store } = await openStore(user);
    const message = `The answer, with status ${status}, has more than 2097152 bytes, and is not Amazon S3's.`;
    await expect(store.list("p/").next()).rejects.toMatchObject({ code: "bad-response", message });
    const long = "y".repeat(3e6);
    await store.put("long", Buffer.from(long), sha256(long));
    expect(await textOf(store.read("long"))).toBe(long);
  });

  it("is called signed for s3, by this program's name, with what is said of it", async () => {
    const user = await emulate();
    const owner = "123456789012";
    const { store } = await openStore(user, {
      env: { AWS_ENDPOINT_URL_S3: user.emulator.url, AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
      bucket: { owner, kmsKey: "alias/own" },
    });
    await store.put("a", Buffer.from("x"), sha256("x"));
    await store.lengthOf("a");
    const [put, head] = user.emulator.calls;
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
    const { store } = await openStore(await emulate());
    // Only the last part may be smaller.
    const hello = "hello ".repeat(1_000_000);
    expect(await store.findUnfinished("big")).toBeUndefined();
    const id = await store.beginUpload("big");
    await store.putPart("big", id, 2, Buffer.from("world"), sha256("world"));
    expect(await store.findUnfinished("big")).toMatchObject({
      id,
      parts: [{ number: 2, bytes: 5, sha256: sha256("world") }],
    });
    const first = await store.putPart("big", id, 1, Buffer.from(hello), sha256(hello));
    const { parts = [] } = (await store.findUnfinished("big")) ?? {};
    expect(parts[0]).toEqual(first);
    await store.completeUpload("big", id, parts);
    expect((await textOf(store.read("big"))) === `${hello}world`).toBe(true);
    await store.abortUpload("big", id);
  });

  it("is asked again after an error of its own, and says so", async () => {
    const user = await emulate({
      script: ({ nth }) => (nth === 1 ? { error: { name: "SlowDown", message: "Later." } } : undefined),
    });
    const { store, runtime } = await openStore(user);
    await store.put("a", Buffer.from("x"), sha256("x"));
    expect(user.routes()).toEqual(["PutObject", "PutObject"]);
    expect(runtime.stderr()).toContain("Amazon S3 is throttling (SlowDown): next try within 1 s (2 of 3)");
  });

  it("goes on with an object where the connection broke", async () => {
    const user = await emulate();
    const text = "0123456789".repeat(20_000);
    await putText(user.emulator, "a", text);
    const front = await startBreakingFront(user.emulator.port);
    front.fate = ({ before }) => (before < 3 ? { bytes: 50_000 } : "pass");
    const { store } = await openStore(user, { env: { AWS_ENDPOINT_URL: front.url } });
    expect(await textOf(store.read("a"))).toBe(text);
    const [, first, ...rest] = user.emulator.calls.map(({ route, headers }) => ({ route, headers }));
    expect(first?.route).toBe("GetObject");
    expect(rest.length).toBeGreaterThan(0);
    for (const { headers } of rest) expect(headers).toMatchObject({ "if-match": expect.any(String) });
    expect(rest.at(-1)?.headers["range"]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it("gives up an object that breaks off again and again", async () => {
    const user = await emulate();
    await putText(user.emulator, "a", "0123456789");
    const front = await startBreakingFront(user.emulator.port);
    front.fate = () => ({ bytes: 0 });
    const { store } = await openStore(user, { env: { AWS_ENDPOINT_URL: front.url } });
    await expect(textOf(store.read("a"))).rejects.toMatchObject({ code: "network", exitCode: 5 });
  });

  it.each([
    ["of another name", { name: "nope" }, "invalid-request", "aws s3 mb s3://nope --region us-east-1"],
    ["without such an object", {}, "invalid-request", "aws s3 ls --recursive s3://openclaw-emulator"],
  ])("%s is told by the table", async (_, bucket, code, hint) => {
    const user = await emulate();
    const { store } = await openStore(user, { bucket });
    const error = await textOf(store.read("missing")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code,
      hint: expect.stringContaining(hint),
      requestId: user.emulator.calls[0]?.requestId,
    });
  });

  /** Of operations that are not called here. */
  const NOT_CALLED = new Set([
    "BucketAlreadyOwnedByYou",
    "BucketNotEmpty",
    "InvalidLocationConstraint",
    "TooManyBuckets",
  ]);
  it.each(STORAGE_CODES.filter((code) => !NOT_CALLED.has(code)))(
    "tells %s of S3 by the table",
    async (name) => {
      const user = await emulate({ script: () => ({ error: { name, message: "In S3's words." } }) });
      const { store } = await openStore(user, { env: { AWS_MAX_ATTEMPTS: "1" } });
      const error = await store.put("a", Buffer.from("x"), sha256("x")).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: expect.not.stringMatching(/^(internal|bad-response)$/),
        hint: expect.stringMatching(/./),
        details: { awsError: name },
      });
    },
  );

  it("that has to be of another account says so, and what is to be allowed where it is not that", async () => {
    const { store } = await openStore(await emulate(), { bucket: { owner: "210987654321" } });
    await expect(store.put("a", Buffer.from("x"), sha256("x"))).rejects.toMatchObject({
      code: "access-denied",
      message:
        "Amazon S3 denies s3:PutObject on the bucket 'openclaw-emulator', which has to be of the account 210987654321 (--bucket-owner): Access Denied",
      hint: expect.stringMatching(
        /^Name the account that the bucket is of with --bucket-owner, or, where it is that one: Allow s3:PutObject to .*: openclaw iam policy --for batch --s3 s3:\/\/BUCKET\/PREFIX$/,
      ),
    });
    expect((await store.head()).refusal?.message).toMatch(/\(--bucket-owner\): Access Denied$/);
  });

  it("that is not there has no region", async () => {
    const { store } = await openStore(await emulate(), { bucket: { name: "nope" } });
    await expect(store.region()).rejects.toMatchObject({
      code: "invalid-request",
      hint: expect.stringContaining("aws s3 mb s3://nope"),
    });
  });

  it.each([
    [301, "PermanentRedirect"],
    [403, "AccessDenied"],
  ])("tells its region with a refusal of %i", async (status, name) => {
    const headers = { "x-amz-bucket-region": "eu-west-1" };
    const user = await emulate({ script: () => ({ error: { name, message: "No.", status, headers } }) });
    const { store } = await openStore(user, { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(await store.region()).toBe("eu-west-1");
  });

  const CALLS: [route: string, call: (store: ObjectStore) => Promise<unknown>][] = [
    ["HeadBucket", (store) => store.head()],
    ["HeadObject", (store) => store.lengthOf("a")],
    ["PutObject", (store) => store.put("a", Buffer.from("x"), sha256("x"))],
    ["CreateMultipartUpload", (store) => store.beginUpload("a")],
    ["UploadPart", (store) => store.putPart("a", "id", 1, Buffer.from("x"), sha256("x"))],
    ["CompleteMultipartUpload", (store) => store.completeUpload("a", "id", [])],
    ["AbortMultipartUpload", (store) => store.abortUpload("a", "id")],
    ["ListMultipartUploads", (store) => store.findUnfinished("a")],
    ["DeleteObject", (store) => store.remove("a")],
    ["ListObjectsV2", (store) => store.list("").next()],
    ["GetObject", (store) => textOf(store.read("a"))],
  ];
  const PAGE =
    "<!doctype html><html><head><meta charset=utf-8><title>Log in</title></head><p>Log<br>in</html>";
  const STRANGERS: [name: string, headers: Record<string, string>, body: string][] = [
    ["a log-in page", { "content-type": "text/html" }, PAGE],
    ["a log-in page in XML", { "content-type": "application/xhtml+xml" }, "<html><body>Log in</body></html>"],
    ["JSON", { "content-type": "application/json" }, "{}"],
    ["nothing", {}, ""],
  ];
  it.each(CALLS.flatMap(([route, call]) => STRANGERS.map((stranger) => [route, stranger, call] as const)))(
    "takes no answer to %s that is %s",
    async (route, [name, headers, body], call) => {
      const user = await emulate({ script: () => ({ http: { status: 200, headers, body } }) });
      const { store } = await openStore(user, { env: { AWS_MAX_ATTEMPTS: "1" } });
      // What S3 says where it breaks off: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
      const isBroken = route === "CompleteMultipartUpload" && name === "nothing";
      await expect(call(store)).rejects.toMatchObject({
        code: isBroken ? "service-unavailable" : "bad-response",
        exitCode: 5,
      });
    },
  );

  it("does not take what was kept under another checksum for its own", async () => {
    const headers = { etag: '"e"', "x-amz-checksum-sha256": sha256("other") };
    const user = await emulate({ script: () => ({ http: { status: 200, headers, body: "" } }) });
    const { store } = await openStore(user);
    await expect(store.put("a", Buffer.from("x"), sha256("x"))).rejects.toMatchObject({
      code: "bad-response",
    });
  });

  it("does not complete an upload that ends with an error and status 200", async () => {
    const body =
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>';
    const user = await emulate({
      script: ({ route }) =>
        route === "CompleteMultipartUpload" ? { http: { status: 200, headers: {}, body } } : undefined,
    });
    const { store } = await openStore(user, { env: { AWS_MAX_ATTEMPTS: "1" } });
    const id = await store.beginUpload("a");
    const part = await store.putPart("a", id, 1, Buffer.from("x"), sha256("x"));
    await expect(store.completeUpload("a", id, [part])).rejects.toMatchObject({
      code: "service-unavailable",
    });
  });

  it("gives no bytes for an object's that have changed on their way", async () => {
    const headers = { etag: '"e"', "content-length": "1", "x-amz-checksum-sha256": sha256("x") };
    const user = await emulate({ script: () => ({ http: { status: 200, headers, body: "y" } }) });
    const { store } = await openStore(user);
    await expect(textOf(store.read("a"))).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/^Bytes have changed on their way between here and the bucket/),
    });
    expect(user.routes()).toEqual(["GetObject"]);
  });

  it("does not take the whole of an object for the rest of it", async () => {
    const headers = { etag: '"e"', "content-length": "10" };
    const user = await emulate({ script: () => ({ http: { status: 200, headers, body: "0123456789" } }) });
    const front = await startBreakingFront(user.emulator.port);
    front.fate = ({ before }) => (before === 0 ? { bytes: 5 } : "pass");
    const { store } = await openStore(user, { env: { AWS_ENDPOINT_URL: front.url } });
    await expect(textOf(store.read("a"))).rejects.toMatchObject({ code: "bad-response" });
  });

  it("is not opened with a Bedrock API key", async () => {
    const env = { AWS_BEARER_TOKEN_BEDROCK: "key" };
    await expect(openStore(await emulate(), { env })).rejects.toMatchObject({
      code: "access-denied",
      hint: expect.stringContaining("--profile NAME"),
    });
  });

  it("is left at once when the command ends", async () => {
    const user = await emulate();
    const ending = new AbortController();
    const { store } = await openStore(user, { signal: ending.signal });
    await putText(user.emulator, "a", "0123456789");
    const reading = store.read("a");
    await reading.next();
    ending.abort(new Error("stop"));
    await expect(reading.next()).rejects.toThrow();
  });
});
