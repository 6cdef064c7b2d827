import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Emulator } from "../../../src/emulator/emulator.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { askPython, needBotocore } from "../../helpers/botocore.ts";
import { emulate } from "../clients.ts";

/** Calls of the AWS CLI, in one process since each start takes a second, and of boto3. */
const HEAD = `
import boto3, contextlib, io, json, os, sys
from awscli.clidriver import create_clidriver
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

asked = json.load(sys.stdin)
os.chdir(asked["folder"])

def aws(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = create_clidriver().main(list(words))
    return [code, out.getvalue().strip(), err.getvalue().strip()]

def refusal(call, **arguments):
    try:
        return call(**arguments)
    except ClientError as error:
        return [error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]]

def content(megabytes):
    return b"".join(bytes([number % 256]) * 1000 for number in range(megabytes * 1000))
`;

function ask(emulator: Emulator, program: string, input: object = {}): Promise<unknown> {
  const home = createHome();
  return askPython(
    HEAD + program,
    { folder: home, ...input },
    {
      HOME: home,
      AWS_ACCESS_KEY_ID: emulator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ENDPOINT_URL: emulator.url,
    },
  );
}

describe("the AWS CLI", () => {
  it("carries a file of 30 MB there and back, and lists, moves and removes it", async (context) => {
    needBotocore(context);
    const emulator = await emulate();
    const answers = await ask(
      emulator,
      `
open("30", "wb").write(content(30))
answers = [
    aws("s3", "mb", "s3://cli-bucket"),
    aws("s3", "cp", "--no-progress", "30", "s3://cli-bucket/a b/+ü.bin"),
    aws("s3", "ls", "--recursive", "s3://cli-bucket"),
    aws("s3", "ls", "s3://cli-bucket"),
    aws("s3", "cp", "--no-progress", "s3://cli-bucket/a b/+ü.bin", "back"),
    aws("s3", "mv", "--no-progress", "s3://cli-bucket/a b/+ü.bin", "s3://openclaw-emulator/moved"),
    aws("s3", "rb", "s3://cli-bucket"),
    aws("s3", "rm", "--recursive", "s3://openclaw-emulator"),
]
print(json.dumps([[code, out.split("\\n")[-1], err] for code, out, err in answers] + [open("30", "rb").read() == open("back", "rb").read()]))
`,
    );
    expect(answers).toEqual([
      [0, "make_bucket: cli-bucket", ""],
      [0, "upload: ./30 to s3://cli-bucket/a b/+ü.bin", ""],
      [0, expect.stringMatching(/ 30000000 a b\/\+ü\.bin$/), ""],
      [0, "PRE a b/", ""],
      [0, "download: s3://cli-bucket/a b/+ü.bin to ./back", ""],
      [0, expect.stringMatching(/^move: /), ""],
      [0, "remove_bucket: cli-bucket", ""],
      [0, "delete: s3://openclaw-emulator/moved", ""],
      true,
    ]);
    const routes = new Set(emulator.calls.map(({ route }) => route));
    expect([...routes]).toEqual(
      expect.arrayContaining([
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "UploadPartCopy",
      ]),
    );
    expect([...routes].filter((route) => route.startsWith("S3 "))).toEqual([]);
  });

  it("creates, gets, lists and stops jobs", async (context) => {
    needBotocore(context);
    const emulator = await emulate({ jobSeconds: 600, leastRecords: 1 });
    const answers = await ask(
      emulator,
      `
open("a.jsonl", "w").write(json.dumps({"modelInput": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}}))
aws("s3", "cp", "a.jsonl", "s3://openclaw-emulator/in/")
created = aws("bedrock", "create-model-invocation-job", "--job-name", "cli", "--role-arn", asked["role"],
    "--model-id", "us.amazon.nova-lite-v1:0", "--model-invocation-type", "Converse",
    "--input-data-config", "s3InputDataConfig={s3Uri=s3://openclaw-emulator/in/}",
    "--output-data-config", "s3OutputDataConfig={s3Uri=s3://openclaw-emulator/out/}",
    "--tags", "key=a,value=b", "--output", "json")
job = json.loads(created[1])["jobArn"]
stopped = aws("bedrock", "stop-model-invocation-job", "--job-identifier", job)
status = "Stopping"
while status == "Stopping":
    found = json.loads(aws("bedrock", "get-model-invocation-job", "--job-identifier", job, "--output", "json")[1])
    status = found["status"]
listed = aws("bedrock", "list-model-invocation-jobs", "--status-equals", "Stopped", "--query", "invocationJobSummaries[].jobName", "--output", "text")
again = aws("bedrock", "stop-model-invocation-job", "--job-identifier", job)
print(json.dumps([stopped[0], found, listed[1], again[2]]))
`,
      { role: emulator.roleArn },
    );
    expect(answers).toEqual([
      0,
      expect.objectContaining({ jobName: "cli", status: "Stopped", endTime: expect.any(String) }),
      "cli",
      expect.stringContaining("(ConflictException)"),
    ]);
  });
});

describe("boto3", () => {
  it("uploads in parts, waits, lists by pages, deletes, and is led to another region", async (context) => {
    needBotocore(context);
    const answers = await ask(
      await emulate(),
      `
s3 = boto3.client("s3")
far = boto3.client("s3", region_name="eu-west-1")
bucket = "openclaw-emulator"
open("12", "wb").write(content(12))
config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_file("12", bucket, "big", Config=config, ExtraArgs={"ContentType": "text/x", "Metadata": {"of": "me"}, "ChecksumAlgorithm": "SHA256"})
s3.get_waiter("object_exists").wait(Bucket=bucket, Key="big")
s3.download_file(bucket, "big", "back", Config=config)
head = s3.head_object(Bucket=bucket, Key="big", ChecksumMode="ENABLED")
for number in range(5):
    s3.put_object(Bucket=bucket, Key=f"many/{number}&<", Body=b"a", ChecksumAlgorithm="CRC32")
pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="many/", PaginationConfig={"PageSize": 2}))
keys = [found["Key"] for page in pages for found in page["Contents"]]
deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
far.create_bucket(Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_object(Bucket="far-away", Key="led", Body=b"there")
upload = s3.create_multipart_upload(Bucket=bucket, Key="left")["UploadId"]
uploads = [found["Key"] for found in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]]
s3.abort_multipart_upload(Bucket=bucket, Key="left", UploadId=upload)
print(json.dumps({
    "same": open("12", "rb").read() == open("back", "rb").read(),
    "head": [head["ContentLength"], head["ContentType"], head["Metadata"], head["ChecksumType"], head["ETag"][-3:-1]],
    "pages": [len(page["Contents"]) for page in pages],
    "keys": keys,
    "deleted": len(deleted["Deleted"]),
    "led": far.get_object(Bucket="far-away", Key="led")["Body"].read().decode(),
    "location": s3.get_bucket_location(Bucket="far-away")["LocationConstraint"],
    "uploads": uploads,
    "refusals": [
        refusal(s3.get_object, Bucket=bucket, Key="none"),
        refusal(s3.head_object, Bucket=bucket, Key="none"),
        refusal(s3.list_objects_v2, Bucket="none"),
        refusal(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner="210987654321"),
        refusal(s3.put_object, Bucket=bucket, Key="big", Body=b"", IfNoneMatch="*"),
        refusal(s3.get_bucket_acl, Bucket=bucket),
    ],
}))
`,
    );
    expect(answers).toEqual({
      same: true,
      head: [12_000_000, "text/x", { of: "me" }, "COMPOSITE", "-3"],
      pages: [2, 2, 1],
      keys: [0, 1, 2, 3, 4].map((number) => `many/${number}&<`),
      deleted: 5,
      led: "there",
      location: "eu-west-1",
      uploads: ["left"],
      refusals: [
        [404, "NoSuchKey"],
        [404, "404"],
        [404, "NoSuchBucket"],
        [403, "403"],
        [412, "PreconditionFailed"],
        [501, "NotImplemented"],
      ],
    });
  });
});

describe("the SDK for JavaScript", () => {
  function storageClient(emulator: Emulator, region = "us-east-1"): S3Client {
    const client = new S3Client({
      endpoint: emulator.url,
      region,
      credentials: emulator,
      maxAttempts: 1,
      followRegionRedirects: true,
    });
    onTestFinished(() => client.destroy());
    return client;
  }

  it("sends a stream in chunks with each checksum behind it, and checks what it gets back", async () => {
    const emulator = await emulate();
    const client = storageClient(emulator);
    const content = Buffer.alloc(300_000, "stream");
    for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const) {
      const object = { Bucket: emulator.bucket, Key: `streams/${ChecksumAlgorithm} +ü` };
      const pieces = [content.subarray(0, 100_000), content.subarray(100_000)];
      await client.send(
        new PutObjectCommand({
          ...object,
          Body: Readable.from(pieces),
          ContentLength: content.length,
          ChecksumAlgorithm,
        }),
      );
      const { Body } = await client.send(new GetObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
      expect(content.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
      const head = await client.send(new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
      expect(head).toHaveProperty(`Checksum${ChecksumAlgorithm}`);
    }
    const sent = emulator.calls.filter(({ route }) => route === "PutObject");
    expect(sent.map(({ headers }) => headers["x-amz-content-sha256"])).toEqual(
      sent.map(() => "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    );
    const { Contents } = await client.send(
      new ListObjectsV2Command({ Bucket: emulator.bucket, Prefix: "streams/", EncodingType: "url" }),
    );
    expect(Contents?.map(({ Key }) => Key)).toContain("streams/SHA256+%2B%C3%BC");
  });

  it("puts parts together, and is led to the region of the bucket", async () => {
    const emulator = await emulate();
    const client = storageClient(emulator);
    const object = { Bucket: emulator.bucket, Key: "parts" };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const bodies = [Buffer.alloc(5 * 1024 * 1024, 1), Buffer.from("end")];
    const Parts = await Promise.all(
      bodies.map(async (Body, index) => {
        const part = { ...object, UploadId, PartNumber: index + 1 };
        const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand({ ...part, Body }));
        return { PartNumber: index + 1, ETag, ChecksumCRC32 };
      }),
    );
    await client.send(
      new CompleteMultipartUploadCommand({
        ...object,
        UploadId,
        MultipartUpload: { Parts },
        IfNoneMatch: "*",
      }),
    );
    const elsewhere = await storageClient(emulator, "eu-west-1").send(new HeadObjectCommand(object));
    expect(elsewhere).toMatchObject({
      ContentLength: 5 * 1024 * 1024 + 3,
      ETag: expect.stringMatching(/-2"$/),
    });
    const missing = client.send(new GetObjectCommand({ ...object, Key: "none" }));
    await expect(missing).rejects.toMatchObject({ name: "NoSuchKey", $metadata: { httpStatusCode: 404 } });
  });
});
