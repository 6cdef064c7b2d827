import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Emulator } from "../../../src/emulator/emulator.ts";
import { faultScript } from "../../../src/emulator/fault.ts";
import { DiskStore } from "../../../src/emulator/storage/disk-store.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { emulate } from "../clients.ts";
import { askStorage, putText, type StorageAsk } from "../storage-client.ts";

const BUCKET = "openclaw-emulator";

function md5(content: string | Buffer): Buffer {
  return createHash("md5").update(content).digest();
}

it("gives each object that comes at once a file of its own", async () => {
  const store = new DiskStore();
  onTestFinished(() => store.close());
  const drafts = await Promise.all(Array.from({ length: 12 }, () => store.start()));
  const paths = await Promise.all(drafts.map(async (draft) => (await draft.finish()).path));
  expect(new Set(paths).size).toBe(12);
});

it("gives what is being read to its end, also where it is taken away before the first byte", async () => {
  const store = new DiskStore();
  onTestFinished(() => store.close());
  const draft = await store.start();
  await draft.write(Buffer.from("0123456789"));
  const blob = await draft.finish();
  const pieces = store.read([blob], 2, 8);
  await store.remove([blob]);
  expect(existsSync(blob.path)).toBe(true);
  const read: Buffer[] = [];
  for await (const piece of pieces) read.push(piece);
  expect(Buffer.concat(read).toString()).toBe("234567");
  expect(existsSync(blob.path)).toBe(false);
});

describe("Amazon S3", () => {
  it("keeps an object with its headers, and gives it back whole and in pieces", async () => {
    const emulator = await emulate();
    const path = `/${BUCKET}/a%20b/%C3%BC%2B%28%27%21.txt`;
    const put = await askStorage(emulator, {
      method: "PUT",
      path,
      body: "0123456789",
      headers: { "content-type": "text/plain", "cache-control": "no-cache", "x-amz-meta-of": "me" },
    });
    expect(put).toMatchObject({
      status: 200,
      headers: {
        etag: `"${md5("0123456789").toString("hex")}"`,
        "x-amz-server-side-encryption": "AES256",
        "x-amz-request-id": expect.any(String),
        "x-amz-id-2": expect.any(String),
      },
    });
    const get = (headers: Record<string, string> = {}, method = "GET"): Promise<object> =>
      askStorage(emulator, { method, path, headers });
    expect(await get()).toMatchObject({
      status: 200,
      text: "0123456789",
      headers: { "content-type": "text/plain", "cache-control": "no-cache", "x-amz-meta-of": "me" },
    });
    expect(await get({}, "HEAD")).toMatchObject({
      status: 200,
      text: "",
      headers: { "content-length": "10" },
    });
    for (const [range, text, contentRange] of [
      ["bytes=2-4", "234", "bytes 2-4/10"],
      ["bytes=7-", "789", "bytes 7-9/10"],
      ["bytes=-2", "89", "bytes 8-9/10"],
      ["bytes=8-99", "89", "bytes 8-9/10"],
    ] as const)
      expect(await get({ range })).toMatchObject({
        status: 206,
        text,
        headers: { "content-range": contentRange },
      });
    expect(await get({ range: "bytes=10-" })).toMatchObject({ status: 416, code: "InvalidRange" });
    expect(await get({ range: "lines=1-2" })).toMatchObject({ status: 200, text: "0123456789" });
    const etag = String(put.headers["etag"]);
    expect(await get({ "if-match": etag })).toMatchObject({ status: 200 });
    expect(await get({ "if-match": '"other"' })).toMatchObject({ status: 412, code: "PreconditionFailed" });
    expect(await get({ "if-none-match": etag })).toMatchObject({ status: 304, text: "" });
    expect(await get({ "if-modified-since": new Date().toUTCString() })).toMatchObject({ status: 304 });
    expect(await get({ "if-unmodified-since": new Date(0).toUTCString() })).toMatchObject({ status: 412 });
    const sum = { "x-amz-checksum-mode": "ENABLED" };
    expect(await get(sum)).toMatchObject({ headers: { "x-amz-checksum-crc64nvme": expect.any(String) } });
    expect(await get({ ...sum, range: "bytes=1-2" })).not.toHaveProperty("headers.x-amz-checksum-crc64nvme");
  });

  it("answers a bucket in the name of the host as in the path", async () => {
    const emulator = await emulate();
    await putText(emulator, "folder/key", "content");
    const virtual: StorageAsk = { path: "/folder/key", host: `${BUCKET}.localhost:${emulator.port}` };
    expect(await askStorage(emulator, virtual)).toMatchObject({ status: 200, text: "content" });
    expect(await askStorage(emulator, { ...virtual, path: "/", query: { "list-type": "2" } })).toMatchObject({
      status: 200,
      text: expect.stringContaining("<Key>folder/key</Key>"),
    });
    // A page of a browser has no signature.
    const unsigned = await askStorage(emulator, {
      ...virtual,
      damage: (headers) => delete headers["authorization"],
    });
    expect(unsigned).toMatchObject({ status: 403, code: "AccessDenied" });
    const elsewhere = await askStorage(emulator, { ...virtual, host: `${BUCKET}.example` });
    expect(elsewhere.status).toBe(403);
  });

  it("lists what lies below a prefix, folders as one, page by page, in the order of its bytes", async () => {
    const emulator = await emulate();
    const keys = ["a", "b/1", "b/2", "b0", "c/x/1", "c/y", "c/\u{1F600}", "c/\uFF5E", "d e&<"];
    for (const key of keys) await putText(emulator, key.split("/").map(encodeURIComponent).join("/"), key);
    const list = async (
      query: Record<string, string>,
    ): Promise<{ keys: string[]; folders: string[]; pages: number }> => {
      const found = { keys: [] as string[], folders: [] as string[], pages: 0 };
      let token: string | undefined;
      do {
        const { text } = await askStorage(emulator, {
          path: `/${BUCKET}`,
          query: {
            "list-type": "2",
            ...query,
            ...(token === undefined ? {} : { "continuation-token": token }),
          },
        });
        found.pages += 1;
        found.keys.push(...[...text.matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, key = ""]) => key));
        found.folders.push(
          ...[...text.matchAll(/<CommonPrefixes><Prefix>(.*?)</gs)].map(([, key = ""]) => key),
        );
        token = /<NextContinuationToken>(.*?)</.exec(text)?.[1];
        expect(text).toContain(`<IsTruncated>${token !== undefined}</IsTruncated>`);
      } while (token !== undefined);
      return found;
    };
    const sorted = ["a", "b/1", "b/2", "b0", "c/x/1", "c/y", "c/\uFF5E", "c/\u{1F600}", "d e&amp;&lt;"];
    expect(await list({})).toEqual({ keys: sorted, folders: [], pages: 1 });
    expect(await list({ "max-keys": "2" })).toEqual({ keys: sorted, folders: [], pages: 5 });
    expect(await list({ delimiter: "/" })).toMatchObject({
      keys: ["a", "b0", "d e&amp;&lt;"],
      folders: ["b/", "c/"],
    });
    expect(await list({ delimiter: "/", "max-keys": "1" })).toEqual({
      keys: ["a", "b0", "d e&amp;&lt;"],
      folders: ["b/", "c/"],
      pages: 5,
    });
    expect(await list({ prefix: "c/", delimiter: "/" })).toMatchObject({ folders: ["c/x/"] });
    expect(await list({ "start-after": "c/x/1", prefix: "c/" })).toMatchObject({ keys: sorted.slice(5, 8) });
    expect(await list({ "encoding-type": "url", prefix: "d" })).toMatchObject({ keys: ["d+e%26%3C"] });
    expect(await list({ prefix: "nothing" })).toMatchObject({ keys: [], pages: 1 });
    const refused = await askStorage(emulator, {
      path: `/${BUCKET}`,
      query: { "list-type": "2", "max-keys": "x" },
    });
    expect(refused).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  it("makes, finds and removes buckets, each in its region", async () => {
    const emulator = await emulate();
    const location = (region: string): string =>
      `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
    const make = (name: string, region: string, body = ""): Promise<object> =>
      askStorage(emulator, { method: "PUT", path: `/${name}`, region, body });
    expect(await make("mine", "us-east-1")).toMatchObject({ status: 200 });
    expect(await make("mine", "us-east-1")).toMatchObject({ status: 409, code: "BucketAlreadyOwnedByYou" });
    expect(await make("far", "eu-west-1")).toMatchObject({ code: "IllegalLocationConstraintException" });
    expect(await make("far", "eu-west-1", location("eu-west-3"))).toMatchObject({
      code: "IllegalLocationConstraintException",
    });
    expect(await make("far", "us-east-1", location("us-east-1"))).toMatchObject({
      code: "InvalidLocationConstraint",
    });
    expect(await make("far", "eu-west-1", location("eu-west-1"))).toMatchObject({ status: 200 });
    for (const name of ["ab", "Abc", "a_b", "a..b", "1.2.3.4", "xn--a", "a".repeat(64), "a-"])
      expect(await make(name, "us-east-1")).toMatchObject({ status: 400, code: "InvalidBucketName" });
    expect(await askStorage(emulator, { path: "/far", query: { location: "" } })).toMatchObject({
      text: expect.stringContaining(">eu-west-1</LocationConstraint>"),
    });
    const head = { method: "HEAD", path: "/far" };
    expect(await askStorage(emulator, { ...head, region: "eu-west-1" })).toMatchObject({ status: 200 });
    for (const ask of [head, { method: "PUT", path: "/far/key", body: "a" }, { path: "/far/key" }])
      expect(await askStorage(emulator, ask)).toMatchObject({
        status: 301,
        headers: { "x-amz-bucket-region": "eu-west-1" },
      });
    const { text } = await askStorage(emulator, { path: "/" });
    expect([...text.matchAll(/<Name>(.*?)</g)].map(([, name]) => name)).toEqual(["far", "mine", BUCKET]);
    await askStorage(emulator, { method: "PUT", path: "/mine/key", body: "a" });
    const remove = { method: "DELETE", path: "/mine" };
    expect(await askStorage(emulator, remove)).toMatchObject({ status: 409, code: "BucketNotEmpty" });
    expect(await askStorage(emulator, { method: "DELETE", path: "/mine/key" })).toMatchObject({
      status: 204,
    });
    expect(await askStorage(emulator, remove)).toMatchObject({ status: 204 });
    expect(await askStorage(emulator, { ...head, path: "/mine" })).toMatchObject({ status: 404 });
  });

  it("deletes many objects at once, but only what is checked on its way", async () => {
    const emulator = await emulate();
    for (const key of ["a", "b&c", "d"]) await putText(emulator, encodeURIComponent(key), key);
    const body = "<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object></Delete>";
    const ask = { method: "POST", path: `/${BUCKET}`, query: { delete: "" }, body };
    expect(await askStorage(emulator, ask)).toMatchObject({ status: 400, code: "InvalidRequest" });
    const checked = { ...ask, headers: { "content-md5": md5(body).toString("base64") } };
    expect(await askStorage(emulator, checked)).toMatchObject({
      status: 200,
      text: expect.stringContaining("<Deleted><Key>b&amp;c</Key></Deleted>"),
    });
    const { text } = await askStorage(emulator, { path: `/${BUCKET}` });
    expect([...text.matchAll(/<Key>(.*?)</g)].map(([, key]) => key)).toEqual(["d"]);
  });

  const REFUSALS: readonly [why: string, ask: StorageAsk, status: number, code: string][] = [
    ["a key that is not there", { path: `/${BUCKET}/none` }, 404, "NoSuchKey"],
    ["a bucket that is not there", { path: "/none/key" }, 404, "NoSuchBucket"],
    [
      "somebody else's bucket",
      { path: `/${BUCKET}`, headers: { "x-amz-expected-bucket-owner": "210987654321" } },
      403,
      "AccessDenied",
    ],
    [
      "an unknown key id",
      { path: "/", credentials: { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "x" } },
      403,
      "InvalidAccessKeyId",
    ],
    [
      "another secret",
      { path: "/", credentials: { accessKeyId: "AKIAEMULATOR0EXAMPLE", secretAccessKey: "x" } },
      403,
      "SignatureDoesNotMatch",
    ],
    [
      "an old signature",
      { path: "/", date: new Date(Date.now() - 16 * 60_000) },
      403,
      "RequestTimeTooSkewed",
    ],
    [
      "a body that was changed",
      { method: "PUT", path: `/${BUCKET}/a`, body: "a", headers: { "x-amz-content-sha256": "0".repeat(64) } },
      400,
      "XAmzContentSHA256Mismatch",
    ],
    [
      "another MD5",
      {
        method: "PUT",
        path: `/${BUCKET}/a`,
        body: "a",
        headers: { "content-md5": md5("b").toString("base64") },
      },
      400,
      "BadDigest",
    ],
    [
      "an MD5 that is none",
      { method: "PUT", path: `/${BUCKET}/a`, body: "a", headers: { "content-md5": "a" } },
      400,
      "InvalidDigest",
    ],
    [
      "another checksum",
      { method: "PUT", path: `/${BUCKET}/a`, body: "a", headers: { "x-amz-checksum-crc32": "AAAAAA==" } },
      400,
      "BadDigest",
    ],
    [
      "a checksum of another length",
      { method: "PUT", path: `/${BUCKET}/a`, body: "a", headers: { "x-amz-checksum-crc32": "AAAA" } },
      400,
      "InvalidRequest",
    ],
    [
      "two checksums",
      {
        method: "PUT",
        path: `/${BUCKET}/a`,
        body: "a",
        headers: { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "AAAA" },
      },
      400,
      "InvalidRequest",
    ],
    [
      "a checksum that is only promised",
      {
        method: "PUT",
        path: `/${BUCKET}/a`,
        body: "a",
        headers: { "x-amz-sdk-checksum-algorithm": "CRC32" },
      },
      400,
      "InvalidRequest",
    ],
    [
      "a hash that is none",
      { path: "/", headers: { "x-amz-content-sha256": "abc" } },
      400,
      "InvalidArgument",
    ],
    [
      "a key that is too long",
      { method: "PUT", path: `/${BUCKET}/${"a".repeat(1025)}`, body: "a" },
      400,
      "KeyTooLongError",
    ],
    ["a path that is none", { path: `/${BUCKET}/%ff` }, 400, "InvalidURI"],
    [
      "an unknown encryption",
      {
        method: "PUT",
        path: `/${BUCKET}/a`,
        body: "a",
        headers: { "x-amz-server-side-encryption": "ROT13" },
      },
      400,
      "InvalidArgument",
    ],
    [
      "a key without its encryption",
      {
        method: "PUT",
        path: `/${BUCKET}/a`,
        body: "a",
        headers: { "x-amz-server-side-encryption-aws-kms-key-id": "a" },
      },
      400,
      "InvalidArgument",
    ],
    [
      "metadata that is too long",
      { method: "PUT", path: `/${BUCKET}/a`, body: "a", headers: { "x-amz-meta-a": "a".repeat(2048) } },
      400,
      "InvalidArgument",
    ],
    ["what the emulator does not have", { path: `/${BUCKET}`, query: { acl: "" } }, 501, "NotImplemented"],
    ["a method that there is none of", { method: "PATCH", path: `/${BUCKET}/a` }, 405, "MethodNotAllowed"],
  ];

  it.each(REFUSALS)("refuses %s", async (_, ask, status, code) => {
    expect(await askStorage(await emulate(), ask)).toMatchObject({ status, code });
  });

  it("does not replace or make an object that is another than the caller thinks", async () => {
    const emulator = await emulate();
    const put = (headers: Record<string, string>, body = "a"): Promise<object> =>
      askStorage(emulator, { method: "PUT", path: `/${BUCKET}/key`, body, headers });
    const etag = `"${md5("a").toString("hex")}"`;
    expect(await put({ "if-match": etag })).toMatchObject({ status: 404, code: "NoSuchKey" });
    expect(await put({ "if-none-match": "*" })).toMatchObject({ status: 200 });
    expect(await put({ "if-none-match": "*" })).toMatchObject({ status: 412, code: "PreconditionFailed" });
    expect(await put({ "if-match": etag }, "b")).toMatchObject({ status: 200 });
    expect(await put({ "if-match": etag })).toMatchObject({ status: 412 });
  });

  it("copies an object with its headers, or with others", async () => {
    const emulator = await emulate();
    const from = { "x-amz-copy-source": `/${BUCKET}/a%20b` };
    const headers = { "x-amz-meta-of": "me", "content-type": "text/plain" };
    await askStorage(emulator, { method: "PUT", path: `/${BUCKET}/a%20b`, body: "content", headers });
    const copy = (key: string, more: Record<string, string>): Promise<object> =>
      askStorage(emulator, { method: "PUT", path: `/${BUCKET}/${key}`, headers: { ...from, ...more } });
    expect(await copy("same", {})).toMatchObject({
      status: 200,
      text: expect.stringContaining("<CopyObjectResult"),
    });
    await copy("other", { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-of": "you" });
    const get = (key: string): Promise<object> => askStorage(emulator, { path: `/${BUCKET}/${key}` });
    expect(await get("same")).toMatchObject({ text: "content", headers });
    expect(await get("other")).toMatchObject({ text: "content", headers: { "x-amz-meta-of": "you" } });
    for (const [source, code] of [
      ["none/key", "NoSuchBucket"],
      [`${BUCKET}/none`, "NoSuchKey"],
      [`${BUCKET}/%ff`, "InvalidURI"],
    ] as const)
      expect(await copy("none", { "x-amz-copy-source": source })).toMatchObject({ code });
  });

  it("says how objects are encrypted, and hides their MD5 behind a key of KMS", async () => {
    const emulator = await emulate();
    const path = `/${BUCKET}/key`;
    const headers = {
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "11111111-2222-3333-4444-555555555555",
    };
    const put = await askStorage(emulator, { method: "PUT", path, body: "a", headers });
    expect(put.headers["etag"]).not.toContain(md5("a").toString("hex"));
    const said = {
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id":
        "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    };
    expect(put.headers).toMatchObject(said);
    expect((await askStorage(emulator, { method: "HEAD", path })).headers).toMatchObject(said);
  });

  it("fails as --fault asks, in its own shape, and goes on", async () => {
    const emulator = await emulate({
      script: faultScript([
        "PutObject:1=AccessDenied: no",
        "PutObject:2=ThrottlingException",
        "PutObject:3=reset",
      ]),
    });
    const put = { method: "PUT", path: `/${BUCKET}/a`, body: Buffer.alloc(3_000_000) };
    expect(await askStorage(emulator, put)).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(await askStorage(emulator, put)).toMatchObject({ status: 503, code: "SlowDown" });
    await expect(askStorage(emulator, put)).rejects.toThrow(/ECONNRESET|hang up|EPIPE/);
    expect(await askStorage(emulator, put)).toMatchObject({ status: 200 });
  });

  it("names what IAM has to allow", async () => {
    const emulator = await emulate();
    await putText(emulator, "a/b", "a");
    await askStorage(emulator, { path: `/${BUCKET}`, query: { "list-type": "2" } });
    await askStorage(emulator, { method: "HEAD", path: `/${BUCKET}/a/b` });
    expect(emulator.calls.map(({ route, permissions }) => [route, permissions])).toEqual([
      ["PutObject", [{ action: "s3:PutObject", resource: `arn:aws:s3:::${BUCKET}/a/b`, context: {} }]],
      ["ListObjectsV2", [{ action: "s3:ListBucket", resource: `arn:aws:s3:::${BUCKET}`, context: {} }]],
      ["HeadObject", [{ action: "s3:GetObject", resource: `arn:aws:s3:::${BUCKET}/a/b`, context: {} }]],
    ]);
  });
});

describe("a multipart upload", () => {
  const PART = 5 * 1024 * 1024;

  async function begin(emulator: Emulator, headers: Record<string, string> = {}): Promise<string> {
    const { text } = await askStorage(emulator, {
      method: "POST",
      path: `/${BUCKET}/big`,
      query: { uploads: "" },
      headers,
    });
    return /<UploadId>(.*?)</.exec(text)?.[1] ?? "";
  }

  const part = (uploadId: string, partNumber: number, body: Buffer, headers = {}): StorageAsk => ({
    method: "PUT",
    path: `/${BUCKET}/big`,
    query: { partNumber: String(partNumber), uploadId },
    body,
    headers,
  });

  const complete = (uploadId: string, parts: readonly [number, Buffer][]): StorageAsk => ({
    method: "POST",
    path: `/${BUCKET}/big`,
    query: { uploadId },
    body: `<CompleteMultipartUpload>${parts
      .map(
        ([number, body]) =>
          `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${md5(body).toString("hex")}&quot;</ETag></Part>`,
      )
      .join("")}</CompleteMultipartUpload>`,
  });

  it("puts parts together in their order, whenever they came", async () => {
    const emulator = await emulate();
    const [one, two] = [Buffer.alloc(PART, 1), Buffer.from("the end")];
    const id = await begin(emulator, { "content-type": "text/x-big" });
    for (const ask of [
      part(id, 7, two),
      part(id, 2, Buffer.from("former")),
      part(id, 2, one),
      part(id, 9, two),
    ])
      expect(await askStorage(emulator, ask)).toMatchObject({ status: 200 });
    const listed = await askStorage(emulator, {
      path: `/${BUCKET}/big`,
      query: { uploadId: id, "max-parts": "2" },
    });
    expect([...listed.text.matchAll(/<PartNumber>(\d+)/g)].map(([, number]) => number)).toEqual(["2", "7"]);
    expect(listed.text).toContain("<IsTruncated>true</IsTruncated>");
    const uploads = await askStorage(emulator, { path: `/${BUCKET}`, query: { uploads: "" } });
    expect(uploads.text).toContain(`<UploadId>${id}</UploadId>`);
    const whole = Buffer.concat([md5(one), md5(two)]);
    const etag = `"${md5(whole).toString("hex")}-2"`;
    const done = await askStorage(
      emulator,
      complete(id, [
        [2, one],
        [7, two],
      ]),
    );
    expect(done).toMatchObject({ status: 200, text: expect.stringContaining(etag.replaceAll('"', "")) });
    const found = await askStorage(emulator, { path: `/${BUCKET}/big` });
    expect(found.headers).toMatchObject({ etag, "content-type": "text/x-big" });
    expect(found.body.equals(Buffer.concat([one, two]))).toBe(true);
    const across = await askStorage(emulator, {
      path: `/${BUCKET}/big`,
      headers: { range: `bytes=${PART - 1}-${PART + 2}` },
    });
    expect(across.body.toString("latin1")).toBe("\u0001the");
    expect(await askStorage(emulator, complete(id, [[2, one]]))).toMatchObject({
      status: 404,
      code: "NoSuchUpload",
    });
  });

  it("is listed once, page by page, in the order of the bytes of its key", async () => {
    const emulator = await emulate();
    // By the halves of its pair the second would come first.
    const keys = ["a", "\uFF5E", "\u{1F600}"];
    for (const key of keys)
      await askStorage(emulator, {
        method: "POST",
        path: `/${BUCKET}/${encodeURIComponent(key)}`,
        query: { uploads: "" },
      });
    const found: string[] = [];
    let marker: Record<string, string> | undefined = {};
    while (marker) {
      const { text } = await askStorage(emulator, {
        path: `/${BUCKET}`,
        query: { uploads: "", "max-uploads": "1", ...marker },
      });
      found.push(...[...text.matchAll(/<Key>(.*?)</g)].map(([, key = ""]) => key));
      const [, key, id] = /<NextKeyMarker>(.+?)<\/NextKeyMarker><NextUploadIdMarker>(.+?)</.exec(text) ?? [];
      marker =
        key === undefined || id === undefined ? undefined : { "key-marker": key, "upload-id-marker": id };
    }
    expect(found).toEqual(keys);
  });

  it("refuses parts that are too small, unknown or out of order", async () => {
    const emulator = await emulate();
    const [small, large] = [Buffer.from("small"), Buffer.alloc(PART)];
    const id = await begin(emulator);
    for (const [number, body] of [
      [1, small],
      [2, large],
      [3, small],
    ] as const)
      await askStorage(emulator, part(id, number, body));
    const refused = async (parts: readonly [number, Buffer][]): Promise<string | undefined> =>
      (await askStorage(emulator, complete(id, parts))).code;
    expect(
      await refused([
        [1, small],
        [2, large],
      ]),
    ).toBe("EntityTooSmall");
    expect(
      await refused([
        [2, large],
        [4, small],
      ]),
    ).toBe("InvalidPart");
    expect(await refused([[2, small]])).toBe("InvalidPart");
    expect(
      await refused([
        [3, small],
        [2, large],
      ]),
    ).toBe("InvalidPartOrder");
    expect(await refused([])).toBe("MalformedXML");
    for (const number of [0, 10_001])
      expect(await askStorage(emulator, part(id, number, small))).toMatchObject({ code: "InvalidArgument" });
    expect(await askStorage(emulator, part("other", 1, small))).toMatchObject({ code: "NoSuchUpload" });
    const abort = { method: "DELETE", path: `/${BUCKET}/big`, query: { uploadId: id } };
    expect(await askStorage(emulator, abort)).toMatchObject({ status: 204 });
    expect(await askStorage(emulator, abort)).toMatchObject({ status: 404, code: "NoSuchUpload" });
    expect(await askStorage(emulator, { path: `/${BUCKET}/big` })).toMatchObject({ code: "NoSuchKey" });
  });

  it("holds its parts to the checksum that it was begun with", async () => {
    const emulator = await emulate();
    const id = await begin(emulator, { "x-amz-checksum-algorithm": "SHA256" });
    const body = Buffer.from("only");
    expect(await askStorage(emulator, part(id, 1, body))).toMatchObject({
      code: "InvalidRequest",
      text: expect.stringContaining("expected checksum Type: sha256, actual checksum Type: null"),
    });
    const sum = createHash("sha256").update(body).digest();
    const sent = await askStorage(
      emulator,
      part(id, 1, body, { "x-amz-checksum-sha256": sum.toString("base64") }),
    );
    expect(sent).toMatchObject({ status: 200, headers: { "x-amz-checksum-sha256": sum.toString("base64") } });
    expect(await askStorage(emulator, complete(id, [[1, body]]))).toMatchObject({
      code: "InvalidRequest",
      text: expect.stringContaining("It was missing for part 1"),
    });
    const ask = complete(id, [[1, body]]);
    const named = String(ask.body).replace(
      "</Part>",
      `<ChecksumSHA256>${sum.toString("base64")}</ChecksumSHA256></Part>`,
    );
    const done = await askStorage(emulator, { ...ask, body: named });
    const ofSums = createHash("sha256").update(sum).digest("base64");
    expect(done).toMatchObject({
      status: 200,
      text: expect.stringContaining(`<ChecksumSHA256>${ofSums}-1</ChecksumSHA256>`),
    });
  });
});

describe("a body that is sent in chunks", () => {
  const chunked = (trailer: string, headers: Record<string, string> = {}): StorageAsk => ({
    method: "PUT",
    path: `/${BUCKET}/key`,
    body: `5\r\nhello\r\n0\r\n${trailer}\r\n`,
    headers: {
      "content-encoding": "gzip,aws-chunked",
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "5",
      "x-amz-trailer": "x-amz-checksum-crc32",
      ...headers,
    },
  });

  it("is kept without them", async () => {
    const emulator = await emulate();
    const put = await askStorage(emulator, chunked("x-amz-checksum-crc32:NhCmhg==\r\n"));
    expect(put).toMatchObject({ status: 200, headers: { "x-amz-checksum-crc32": "NhCmhg==" } });
    const get = await askStorage(emulator, { path: `/${BUCKET}/key` });
    expect(get).toMatchObject({ text: "hello", headers: { "content-encoding": "gzip" } });
  });

  it.each([
    ["another checksum", chunked("x-amz-checksum-crc32:AAAAAA==\r\n"), "BadDigest"],
    ["no checksum", chunked(""), "MalformedTrailerError"],
    [
      "another length",
      chunked("x-amz-checksum-crc32:NhCmhg==\r\n", { "x-amz-decoded-content-length": "6" }),
      "IncompleteBody",
    ],
    [
      "no length",
      chunked("x-amz-checksum-crc32:NhCmhg==\r\n", { "x-amz-decoded-content-length": "" }),
      "MissingContentLength",
    ],
    ["an unknown trailer", chunked("", { "x-amz-trailer": "x-amz-checksum-md4" }), "InvalidRequest"],
    [
      "chunks that nobody signed",
      chunked("", { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" }),
      "SignatureDoesNotMatch",
    ],
  ])("is refused with %s", async (_, ask, code) => {
    const emulator = await emulate();
    expect(await askStorage(emulator, ask)).toMatchObject({ code });
    expect(await askStorage(emulator, { path: `/${BUCKET}/key` })).toMatchObject({ code: "NoSuchKey" });
  });
});

describe("the disk", () => {
  /** A folder for temporary files of a test's own, and what lies in the emulator's. */
  function ownFolder(): () => string[] {
    const folder = createHome();
    vi.stubEnv("TMPDIR", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    return () =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? entry.name : [],
      );
  }

  it("has nothing of what was refused, broken off, replaced, deleted or aborted", async () => {
    const files = ownFolder();
    const emulator = await emulate();
    const path = `/${BUCKET}/key`;
    const put: StorageAsk = { method: "PUT", path, body: "a" };
    await askStorage(emulator, put);
    await askStorage(emulator, put);
    expect(files()).toHaveLength(1);
    await askStorage(emulator, { ...put, headers: { "content-md5": md5("b").toString("base64") } });
    expect(files()).toHaveLength(1);
    const { text } = await askStorage(emulator, { method: "POST", path, query: { uploads: "" } });
    const uploadId = /<UploadId>(.*?)</.exec(text)?.[1] ?? "";
    await askStorage(emulator, { ...put, query: { partNumber: "1", uploadId } });
    expect(files()).toHaveLength(2);
    await askStorage(emulator, { method: "DELETE", path, query: { uploadId } });
    expect(files()).toHaveLength(1);
    // A client that leaves in the middle.
    const half = connect(emulator.port, "127.0.0.1");
    await askStorage(emulator, {
      ...put,
      body: Buffer.alloc(1_000_000),
      damage: (headers) => {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        half.write(`PUT ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
        half.write(Buffer.alloc(500_000));
        delete headers["authorization"];
      },
    });
    await vi.waitFor(() => expect(files()).toHaveLength(2));
    half.destroy();
    await vi.waitFor(() => expect(files()).toHaveLength(1));
    await askStorage(emulator, { method: "DELETE", path });
    expect(files()).toEqual([]);
    await askStorage(emulator, put);
    await emulator.stop();
    expect(files()).toEqual([]);
  });

  it("gives an object to its end to who began to read it, though it is replaced", async () => {
    const files = ownFolder();
    const emulator = await emulate();
    const path = `/${BUCKET}/key`;
    const content = Buffer.alloc(20_000_000, "old");
    await askStorage(emulator, { method: "PUT", path, body: content });
    const socket = connect(emulator.port, "127.0.0.1");
    const answering = once(socket, "readable");
    await askStorage(emulator, {
      path,
      damage: (headers) => {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}connection: close\r\n\r\n`);
        delete headers["authorization"];
      },
    });
    // The answer has begun, and the rest of it is not taken yet.
    await answering;
    await askStorage(emulator, { method: "PUT", path, body: "new" });
    expect(files()).toHaveLength(2);
    let bytes = 0;
    for await (const piece of socket) bytes += (piece as Buffer).length;
    expect(bytes).toBeGreaterThan(content.length);
    await vi.waitFor(() => expect(files()).toHaveLength(1));
    expect(await askStorage(emulator, { path })).toMatchObject({ text: "new" });
  });
});
