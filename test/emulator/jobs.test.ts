import {
  CreateModelInvocationJobCommand,
  type CreateModelInvocationJobCommandInput,
  GetModelInvocationJobCommand,
  type GetModelInvocationJobCommandOutput,
  ListModelInvocationJobsCommand,
  StopModelInvocationJobCommand,
} from "@aws-sdk/client-bedrock";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { faultScript } from "../../src/emulator/fault.ts";
import { controlClient, emulate, user } from "./clients.ts";
import { askStorage, getText, putText } from "./storage-client.ts";

const NOVA = "us.amazon.nova-lite-v1:0";

/** Jobs that take no time, of as few records as one likes. */
function quick(options: EmulatorOptions = {}): Promise<Emulator> {
  return emulate({ jobSeconds: 0, leastRecords: 1, ...options });
}

function line(recordId: string, text: string, more: object = {}): string {
  return `${JSON.stringify({ recordId, modelInput: { messages: user(text), ...more } })}\n`;
}

type JobInput = Partial<CreateModelInvocationJobCommandInput> & { input?: string; output?: string };

function jobOf(emulator: Emulator, more: JobInput = {}): CreateModelInvocationJobCommandInput {
  const { input = "in/a.jsonl", output = "out/", ...rest } = more;
  return {
    jobName: "job",
    roleArn: emulator.roleArn,
    modelId: NOVA,
    modelInvocationType: "Converse",
    inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${emulator.bucket}/${input}` } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${emulator.bucket}/${output}` } },
    ...rest,
  };
}

/** Creates a job and waits for its end. */
async function runJob(
  emulator: Emulator,
  more: JobInput = {},
): Promise<GetModelInvocationJobCommandOutput & { id: string }> {
  const client = controlClient(emulator);
  const { jobArn } = await client.send(new CreateModelInvocationJobCommand(jobOf(emulator, more)));
  const job = await vi.waitFor(
    async () => {
      const found = await client.send(new GetModelInvocationJobCommand({ jobIdentifier: jobArn }));
      expect(found.endTime).toBeDefined();
      return found;
    },
    { timeout: 10_000, interval: 10 },
  );
  return { ...job, id: jobArn?.split("/").at(-1) ?? "" };
}

async function outputOf(
  emulator: Emulator,
  id: string,
  name = "a.jsonl",
): Promise<Record<string, unknown>[]> {
  const text = await getText(emulator, `out/${id}/${name}.out`);
  return text
    .trimEnd()
    .split("\n")
    .map((record) => JSON.parse(record) as Record<string, unknown>);
}

describe("a model invocation job", () => {
  it("answers each record as Converse does, in another order, and says what it counted", async () => {
    const emulator = await quick();
    const records = Array.from({ length: 100 }, (_, index) => line(`R${index}`, `question ${index}`));
    await putText(emulator, "in/a.jsonl", records.join(""));
    const job = await runJob(emulator, { jobName: "first" });
    expect(job).toMatchObject({
      status: "Completed",
      jobName: "first",
      modelId: NOVA,
      modelInvocationType: "Converse",
      timeoutDurationInHours: 24,
      totalRecordCount: 100,
      processedRecordCount: 100,
      successRecordCount: 100,
      errorRecordCount: 0,
    });
    expect(job.jobExpirationTime?.getTime()).toBe((job.submitTime?.getTime() ?? 0) + 24 * 60 * 60 * 1000);
    const output = await outputOf(emulator, job.id);
    const ids = output.map(({ recordId }) => recordId);
    const inOrder = records.map((_, index) => `R${index}`);
    expect(ids).not.toEqual(inOrder);
    expect(new Set(ids)).toEqual(new Set(inOrder));
    expect(output.find(({ recordId }) => recordId === "R42")).toMatchObject({
      modelInput: { messages: user("question 42") },
      modelOutput: {
        output: { message: { content: [{ text: expect.stringMatching(/You asked: question 42$/) }] } },
        stopReason: "end_turn",
        usage: { inputTokens: expect.any(Number) },
      },
    });
    const manifest: unknown = JSON.parse(await getText(emulator, `out/${job.id}/manifest.json.out`));
    expect(manifest).toEqual({
      totalRecordCount: 100,
      processedRecordCount: 100,
      successRecordCount: 100,
      errorRecordCount: 0,
      inputTokenCount: expect.any(Number),
      outputTokenCount: expect.any(Number),
    });
  });

  it("answers records by the model's own body, and gives ids to those without", async () => {
    const emulator = await quick();
    const modelInput = {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 100,
      messages: [{ role: "user", content: "hi" }],
    };
    await putText(
      emulator,
      "in/a.jsonl",
      `\uFEFF${JSON.stringify({ modelInput })}\r\n\r\n{"modelInput":{"a":1}}`,
    );
    const job = await runJob(emulator, {
      modelId: "us.anthropic.claude-sonnet-4-6",
      modelInvocationType: undefined,
    });
    expect(job).toMatchObject({
      status: "Completed",
      modelInvocationType: "InvokeModel",
      successRecordCount: 1,
      errorRecordCount: 1,
    });
    const output = await outputOf(emulator, job.id);
    expect(output.find(({ modelOutput }) => modelOutput !== undefined)).toMatchObject({
      recordId: expect.stringMatching(/^[0-9A-Z]{11}$/),
      modelOutput: { type: "message", role: "assistant", usage: { input_tokens: expect.any(Number) } },
    });
    expect(output.find(({ error }) => error !== undefined)).toMatchObject({
      error: { errorCode: 400, errorMessage: expect.stringContaining("anthropic_version") },
    });
  });

  it("reads every .jsonl file in a folder, and writes one for each", async () => {
    const emulator = await quick();
    await putText(emulator, "in/a.jsonl", line("A", "hi"));
    await putText(emulator, "in/more/b.jsonl", line("B", "hi"));
    await putText(emulator, "in/c.txt", "no record");
    await putText(emulator, "in-other/d.jsonl", line("D", "hi"));
    const job = await runJob(emulator, { input: "in" });
    expect(job).toMatchObject({ status: "Completed", totalRecordCount: 2 });
    expect(await outputOf(emulator, job.id, "a.jsonl")).toMatchObject([{ recordId: "A" }]);
    expect(await outputOf(emulator, job.id, "more/b.jsonl")).toMatchObject([{ recordId: "B" }]);
    const { text } = await askStorage(emulator, {
      path: `/${emulator.bucket}`,
      query: { "list-type": "2", prefix: `out/${job.id}/` },
    });
    expect(
      [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key?.split("/").slice(2).join("/")),
    ).toEqual(["a.jsonl.out", "manifest.json.out", "more/b.jsonl.out"]);
  });

  it("fails records with tools, cache points and bodies that Converse refuses, and no others", async () => {
    const emulator = await quick({
      dialogue: {
        conversations: [
          { when: "ill", steps: [{ error: { name: "ModelTimeoutException", message: "Too slow." } }] },
        ],
      },
    });
    const toolConfig = { tools: [{ toolSpec: { name: "a", inputSchema: { json: {} } } }] };
    await putText(
      emulator,
      "in/a.jsonl",
      [
        line("tools", "hi", { toolConfig }),
        line("cache", "hi", { system: [{ text: "a" }, { cachePoint: { type: "default" } }] }),
        line("bad", "hi", { inferenceConfig: { maxTokens: 0 } }),
        line("said", "I am ill"),
        line("good", "hi"),
      ].join(""),
    );
    const job = await runJob(emulator);
    expect(job).toMatchObject({ status: "Completed", successRecordCount: 1, errorRecordCount: 4 });
    const output = await outputOf(emulator, job.id);
    const errors = Object.fromEntries(output.map(({ recordId, error }) => [recordId, error]));
    expect(errors).toEqual({
      tools: { errorCode: 400, errorMessage: expect.stringContaining("Tool use") },
      cache: { errorCode: 400, errorMessage: expect.stringContaining("caching") },
      bad: { errorCode: 400, errorMessage: expect.stringContaining("inferenceConfig.maxTokens") },
      said: { errorCode: 408, errorMessage: "Too slow." },
      good: undefined,
    });
  });

  const FAILURES: readonly [
    why: string,
    content: string | undefined,
    more: JobInput,
    message: RegExp,
    options?: EmulatorOptions,
  ][] = [
    [
      "of too few records",
      line("A", "hi"),
      {},
      /^Batch job contains less records \(1\) than the required minimum of: 100$/,
      { leastRecords: 100 },
    ],
    [
      "of too many records",
      line("A", "hi").repeat(3),
      {},
      /more records \(3\) than the allowed maximum of: 2$/,
      { quotas: { "Records per batch inference job for Nova Lite": 2 } },
    ],
    [
      "of a file with too many records",
      line("A", "hi").repeat(3),
      {},
      /more records \(3\) than the allowed maximum of: 2$/,
      { quotas: { "Records per input file per batch inference job for Nova Lite": 2 } },
    ],
    [
      "of a file that is too large",
      line("A", "hi".repeat(600)),
      {},
      /is larger than 0\.000001 GB$/,
      { quotas: { "Batch inference input file size (in GB) for Nova Lite": 0.000001 } },
    ],
    [
      "of too much",
      line("A", "hi".repeat(600)),
      {},
      /are larger than 0\.000001 GB together$/,
      { quotas: { "Batch inference job size (in GB) for Nova Lite": 0.000001 } },
    ],
    [
      "of a line that is no JSON",
      `${line("A", "hi")}{"recordId":\n`,
      {},
      /^Line 2 of s3:\/\/openclaw-emulator\/in\/a\.jsonl /,
    ],
    ["of a line without input", `${line("A", "hi")}\n{"recordId":"B"}\n`, {}, /^Line 3 of /],
    ["of a list in place of lines", `[${line("A", "hi")}]`, {}, /^Line 1 of /],
    ["of an id that is no text", `{"recordId":7,"modelInput":{}}\n`, {}, /^Line 1 of /],
    [
      "without a file",
      undefined,
      {},
      /^There are no \.jsonl files at s3:\/\/openclaw-emulator\/in\/a\.jsonl$/,
    ],
    ["of a file of another kind", line("A", "hi"), { input: "in/a.txt" }, /^There are no \.jsonl files/],
    [
      "without a bucket",
      undefined,
      { inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://not-there/a.jsonl" } } },
      /^Could not validate GetObject permissions to access S3 bucket: not-there$/,
    ],
    [
      "without a bucket for what comes out",
      line("A", "hi"),
      { outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://not-there" } } },
      /^Could not validate PutObject permissions to access S3 bucket: not-there$/,
    ],
    [
      "of somebody else's bucket",
      line("A", "hi"),
      {
        outputDataConfig: {
          s3OutputDataConfig: { s3Uri: "s3://openclaw-emulator", s3BucketOwner: "210987654321" },
        },
      },
      /^Could not validate PutObject permissions/,
    ],
  ];

  it.each(FAILURES)("fails %s", async (_, content, more, message, options) => {
    const emulator = await quick(options);
    if (content !== undefined) await putText(emulator, "in/a.jsonl", content);
    const job = await runJob(emulator, more);
    expect(job).toMatchObject({
      status: "Failed",
      message: expect.stringMatching(message),
      totalRecordCount: 0,
    });
  });

  it("fails where its bucket is in another region", async () => {
    const emulator = await quick();
    const body =
      "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    await askStorage(emulator, { method: "PUT", path: "/far-away", region: "eu-west-1", body });
    const job = await runJob(emulator, {
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://far-away/" } },
    });
    expect(job).toMatchObject({
      status: "Failed",
      message: expect.stringContaining("far-away is in eu-west-1"),
    });
  });

  it.each([
    [
      "JobValidation=AccessDeniedException: no role",
      { status: "Failed", message: "no role", totalRecordCount: 0 },
    ],
    ["JobStart=Expired", { status: "Expired", totalRecordCount: 4, processedRecordCount: 0 }],
    [
      "JobRecord:3=PartiallyCompleted",
      { status: "PartiallyCompleted", processedRecordCount: 2, successRecordCount: 2 },
    ],
    [
      "JobRecord:4=Failed: out of order",
      { status: "Failed", message: "out of order", processedRecordCount: 3 },
    ],
    ["JobRecord:1=ThrottlingException", { status: "Completed", successRecordCount: 3, errorRecordCount: 1 }],
  ])("ends as --fault %s asks", async (fault, expected) => {
    const emulator = await quick({ script: faultScript([fault]) });
    await putText(emulator, "in/a.jsonl", ["A", "B", "C", "D"].map((id) => line(id, "hi")).join(""));
    const job = await runJob(emulator);
    expect(job).toMatchObject(expected);
    const count = job.processedRecordCount ?? 0;
    if (count > 0) expect(await outputOf(emulator, job.id)).toHaveLength(count);
  });

  it("goes through its states, and keeps what is done when it is stopped", async () => {
    const emulator = await quick({ jobSeconds: 2 });
    const client = controlClient(emulator);
    const records = Array.from({ length: 40 }, (_, index) => line(`R${index}`, "hi"));
    await putText(emulator, "in/a.jsonl", records.join(""));
    const { jobArn } = await client.send(new CreateModelInvocationJobCommand(jobOf(emulator)));
    const jobIdentifier = jobArn?.split("/").at(-1);
    const seen = new Set<string | undefined>();
    const get = async (): Promise<GetModelInvocationJobCommandOutput> => {
      const job = await client.send(new GetModelInvocationJobCommand({ jobIdentifier }));
      seen.add(job.status);
      return job;
    };
    await vi.waitFor(async () => expect((await get()).processedRecordCount).toBeGreaterThan(3), {
      timeout: 10_000,
      interval: 5,
    });
    await client.send(new StopModelInvocationJobCommand({ jobIdentifier }));
    const job = await vi.waitFor(
      async () => {
        const found = await get();
        expect(found.status).toBe("Stopped");
        return found;
      },
      { timeout: 10_000, interval: 5 },
    );
    expect([...seen]).toEqual(
      expect.arrayContaining(["Submitted", "Validating", "Scheduled", "InProgress", "Stopped"]),
    );
    expect(job.processedRecordCount).toBeLessThan(40);
    expect(await outputOf(emulator, jobIdentifier ?? "")).toHaveLength(job.processedRecordCount ?? 0);
    await expect(client.send(new StopModelInvocationJobCommand({ jobIdentifier }))).rejects.toMatchObject({
      name: "ConflictException",
      message: expect.stringContaining("Stopped"),
    });
  });

  it("runs beside any number of others, and Node warns of none", async () => {
    const warnings: string[] = [];
    const warn = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", warn);
    onTestFinished(() => void process.off("warning", warn));
    const emulator = await quick({ jobSeconds: 600 });
    const client = controlClient(emulator);
    for (let nth = 0; nth < 12; nth += 1)
      await client.send(new CreateModelInvocationJobCommand(jobOf(emulator, { jobName: `job-${nth}` })));
    const { invocationJobSummaries } = await client.send(new ListModelInvocationJobsCommand({}));
    expect(invocationJobSummaries).toHaveLength(12);
    expect(warnings).toEqual([]);
  });

  it("ends with the emulator, and leaves no file behind", async () => {
    const emulator = await quick({ jobSeconds: 600 });
    await putText(emulator, "in/a.jsonl", line("A", "hi"));
    await controlClient(emulator).send(new CreateModelInvocationJobCommand(jobOf(emulator)));
    await emulator.stop();
  });
});

describe("CreateModelInvocationJob", () => {
  it("makes one job of one token, and refuses the token for another", async () => {
    const emulator = await quick();
    const client = controlClient(emulator);
    const create = (more: JobInput): Promise<{ jobArn: string | undefined }> =>
      client.send(
        new CreateModelInvocationJobCommand(jobOf(emulator, { clientRequestToken: "token-1", ...more })),
      );
    const first = await create({});
    expect((await create({})).jobArn).toBe(first.jobArn);
    await expect(create({ jobName: "other" })).rejects.toMatchObject({ name: "ConflictException" });
    await expect(create({ clientRequestToken: "token-2" })).rejects.toMatchObject({
      name: "ValidationException",
      message: "The provided job name is currently in use.",
    });
  });

  const REFUSALS: readonly [why: string, more: JobInput, error: object, options?: EmulatorOptions][] = [
    [
      "a model without batch",
      { modelId: "us.anthropic.claude-sonnet-5" },
      { name: "ValidationException", message: "Batch inference is not supported for the requested model" },
    ],
    [
      "a model that is none",
      { modelId: "amazon.nova-nothing-v1:0" },
      { name: "ValidationException", message: "The provided model identifier is invalid." },
    ],
    [
      "a model that has profiles only",
      { modelId: "anthropic.claude-sonnet-4-6" },
      { name: "ValidationException", message: expect.stringContaining("inference profile") },
    ],
    [
      "somebody else's role",
      { roleArn: "arn:aws:iam::210987654321:role/a" },
      { name: "AccessDeniedException", message: "Cross-account pass role is not allowed." },
    ],
    [
      "what is no role",
      { roleArn: "a" },
      {
        name: "ValidationException",
        message:
          "1 validation error detected: Value 'a' at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+",
      },
    ],
    ["a name with spaces", { jobName: "a b" }, { message: expect.stringContaining("at 'jobName'") }],
    [
      "a name that is too long",
      { jobName: "a".repeat(64) },
      { message: expect.stringContaining("length less than or equal to 63") },
    ],
    [
      "a time that is too short",
      { timeoutDurationInHours: 23 },
      { message: expect.stringContaining("value greater than or equal to 24") },
    ],
    [
      "a part of an hour",
      { timeoutDurationInHours: 24.5 },
      { message: expect.stringContaining("Malformed input request at 'timeoutDurationInHours'") },
    ],
    [
      "a time that is too long",
      { timeoutDurationInHours: 169 },
      { message: expect.stringContaining("value less than or equal to 168") },
    ],
    [
      "an address that is none",
      { inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://b/a b" } } },
      { message: expect.stringContaining("inputDataConfig.s3InputDataConfig.s3Uri") },
    ],
    [
      "no address",
      { inputDataConfig: { s3InputDataConfig: { s3Uri: undefined } } },
      { message: expect.stringContaining("Member must not be null") },
    ],
    [
      "a key that is none",
      {
        outputDataConfig: {
          s3OutputDataConfig: {
            s3Uri: "s3://bucket",
            s3EncryptionKeyId: "key/12345678-1234-1234-1234-123456789012",
          },
        },
      },
      { message: expect.stringContaining("s3EncryptionKeyId") },
    ],
    [
      "another way to invoke",
      { modelInvocationType: "Batch" as "Converse" },
      { message: expect.stringContaining("enum value set: [InvokeModel, Converse]") },
    ],
    [
      "a gate that is closed",
      { modelId: "us.anthropic.claude-sonnet-4-6" },
      { name: "ResourceNotFoundException" },
      { closedGates: ["form"] },
    ],
    [
      "more jobs than the quota",
      {},
      { name: "ServiceQuotaExceededException" },
      {
        quotas: {
          "Sum of in-progress and submitted batch inference jobs using a base model for Nova Lite": 0,
        },
      },
    ],
  ];

  it.each(REFUSALS)("refuses %s", async (_, more, error, options) => {
    const emulator = await quick(options);
    const created = controlClient(emulator).send(new CreateModelInvocationJobCommand(jobOf(emulator, more)));
    await expect(created).rejects.toMatchObject(error);
  });

  it("needs the action on model and jobs, and passing the role", async () => {
    const emulator = await quick();
    await controlClient(emulator).send(new CreateModelInvocationJobCommand(jobOf(emulator)));
    const action = "bedrock:CreateModelInvocationJob";
    expect(emulator.calls[0]?.permissions).toEqual(
      expect.arrayContaining([
        { action, resource: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${NOVA}`, context: {} },
        { action, resource: "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/*", context: {} },
        {
          action: "iam:PassRole",
          resource: emulator.roleArn,
          context: { "iam:PassedToService": "bedrock.amazonaws.com" },
        },
      ]),
    );
  });
});

describe("ListModelInvocationJobs", () => {
  it("filters, sorts and pages the jobs of the region", async () => {
    let time = Date.now();
    const emulator = await quick({ now: () => time });
    const client = controlClient(emulator);
    const start = time;
    const names = ["alpha-1", "beta-1", "alpha-2", "alpha-3"];
    for (const jobName of names) {
      await runJob(emulator, { jobName });
      time += 1000;
    }
    await controlClient(emulator, emulator, "eu-west-1").send(
      new CreateModelInvocationJobCommand(
        jobOf(emulator, { jobName: "far", modelId: "eu.amazon.nova-lite-v1:0" }),
      ),
    );
    const list = async (
      input: ConstructorParameters<typeof ListModelInvocationJobsCommand>[0],
    ): Promise<(string | undefined)[]> => {
      const found: (string | undefined)[] = [];
      let nextToken: string | undefined;
      do {
        const page = await client.send(new ListModelInvocationJobsCommand({ ...input, nextToken }));
        found.push(...(page.invocationJobSummaries ?? []).map(({ jobName }) => jobName));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return found;
    };
    expect(await list({})).toEqual(names.toReversed());
    expect(await list({ sortBy: "CreationTime", sortOrder: "Ascending", maxResults: 1 })).toEqual(names);
    expect(await list({ nameContains: "alpha" })).toEqual(["alpha-3", "alpha-2", "alpha-1"]);
    expect(await list({ statusEquals: "Failed" })).toHaveLength(4);
    expect(await list({ statusEquals: "Completed" })).toEqual([]);
    expect(
      await list({ submitTimeAfter: new Date(start + 500), submitTimeBefore: new Date(start + 2500) }),
    ).toEqual(["alpha-2", "beta-1"]);
    await expect(list({ maxResults: 0 })).rejects.toMatchObject({
      message: expect.stringContaining("maxResults"),
    });
    await expect(list({ maxResults: "x" as unknown as number })).rejects.toMatchObject({
      message: expect.stringContaining("Malformed input request at 'maxResults'"),
    });
    await expect(list({ statusEquals: "Done" as "Failed" })).rejects.toMatchObject({
      name: "ValidationException",
    });
  });
});

describe("GetModelInvocationJob", () => {
  it.each([
    ["abc", "ValidationException"],
    ["abcdefghijkl", "ResourceNotFoundException"],
    ["arn:aws:bedrock:eu-west-1:123456789012:model-invocation-job/abcdefghijkl", "ResourceNotFoundException"],
  ])("refuses %s", async (jobIdentifier, name) => {
    const client = controlClient(await quick());
    await expect(client.send(new GetModelInvocationJobCommand({ jobIdentifier }))).rejects.toMatchObject({
      name,
    });
    await expect(client.send(new StopModelInvocationJobCommand({ jobIdentifier }))).rejects.toMatchObject({
      name,
    });
  });
});
