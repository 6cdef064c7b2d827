import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { CreateModelInvocationJobCommand } from "@aws-sdk/client-bedrock";
import { describe, expect, it, vi } from "vitest";
import type { EmulatorOptions } from "../../../src/emulator/emulator.ts";
import type { Script } from "../../../src/emulator/script.ts";
import { controlClient } from "../../emulator/clients.ts";
import { askStorage, putText } from "../../emulator/storage-client.ts";
import { needBotocore } from "../../helpers/botocore.ts";
import { startBreakingFront } from "../../helpers/breaking-front.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { emptyEnvironment } from "../../helpers/openclaw.ts";
import { openPty } from "../../helpers/pty.ts";
import { expectSchema } from "../../helpers/schema.ts";
import { gate } from "../../helpers/served.ts";

const MODEL = "amazon.nova-lite-v1:0";
const ROLE = "arn:aws:iam::123456789012:role/openclaw-batch";
const WHERE = ["--s3", "s3://openclaw-emulator/batch", "--role", ROLE];
const SUBMIT = ["batch", "submit", "lines.jsonl", "-m", MODEL, ...WHERE];

interface Line {
  [name: string]: unknown;
}

const linesOf = (text: string): Line[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
const plain = (count: number): Line[] =>
  Array.from({ length: count }, (_, index) => ({ id: `q-${index}`, prompt: `Question ${index}` }));

/** A machine with a file of lines, and an emulator that takes jobs of a single record. */
async function machine(lines: readonly Line[], options: EmulatorOptions = {}): Promise<Emulated> {
  const user = await emulate({ jobSeconds: 0, leastRecords: 1, ...options });
  write(user, "lines.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return user;
}

function write({ home }: Emulated, name: string, text: string): void {
  writeFileSync(path.join(home, name), text);
}

const read = ({ home }: Emulated, name: string): string => readFileSync(path.join(home, name), "utf8");

/** The keys in the bucket, and of uploads that have not ended. */
async function leftIn({ emulator }: Emulated): Promise<{ keys: string[]; uploads: string[] }> {
  const [objects, uploads] = await Promise.all([
    askStorage(emulator, { path: "/openclaw-emulator", query: { "list-type": "2" } }),
    askStorage(emulator, { path: "/openclaw-emulator", query: { uploads: "" } }),
  ]);
  const keysIn = (text: string): string[] =>
    [...text.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = ""]) => key);
  return { keys: keysIn(objects.text), uploads: keysIn(uploads.text) };
}

async function jobsOf(user: Emulated): Promise<Line[]> {
  const { stdout } = await user.run(["batch", "list", "--json"]);
  return (JSON.parse(stdout) as { jobs: Line[] }).jobs;
}

/** Fails the first calls of a route, or all. */
const failing =
  (name: string, error: string, message: string, status?: number, times = Number.POSITIVE_INFINITY): Script =>
  ({ route, nth }) =>
    route === name && nth <= times
      ? { error: { name: error, message, ...(status === undefined ? {} : { status }) } }
      : undefined;

/** Lines that are sent in two parts: 9 MB. */
function inParts(): Line[] {
  return Array.from({ length: 90 }, (_, index) => ({
    id: `q-${index}`,
    prompt: `${index} ${"x".repeat(100_000)}`,
  }));
}

const both =
  (one: Script, other: Script): Script =>
  (call) =>
    one(call) ?? other(call);

describe("a job", () => {
  it("is submitted, waited for and read, in the order of its lines", async () => {
    const user = await machine(plain(150));
    const submitted = await user.run([...SUBMIT, "--wait"]);
    expect(submitted.code, submitted.stderr).toBe(0);
    expect(submitted.stdout).toMatch(
      /^arn:aws:bedrock:us-east-1:123456789012:model-invocation-job\/\w{12}\n$/,
    );
    expect(submitted.stderr).toContain("done; its results: openclaw batch results ");
    const results = await user.run([
      "batch",
      "results",
      "-o",
      "out.jsonl",
      "--failed",
      "again.jsonl",
      "--json",
    ]);
    expect(results.code, results.stderr).toBe(0);
    const summary = JSON.parse(results.stdout) as Line;
    expectSchema("batch-results", summary);
    expect(summary).toMatchObject({ lines: 150, answered: 150, failed: [], status: "Completed" });
    const out = linesOf(read(user, "out.jsonl"));
    expect(out.map(({ recordId }) => recordId)).toEqual(plain(150).map(({ id }) => id));
    for (const [index, { text }] of out.entries()) expect(text).toContain(`You asked: Question ${index}`);
    expect(read(user, "again.jsonl")).toBe("");
    // The job's own order is another one.
    const { keys } = await leftIn(user);
    const key = keys.find((name) => name.endsWith(".jsonl.out")) ?? "";
    const raw = await askStorage(user.emulator, { path: `/openclaw-emulator/${key}` });
    expect(linesOf(raw.text).map(({ recordId }) => recordId)).not.toEqual(
      out.map(({ recordId }) => recordId),
    );
  });

  it("tells itself as its schemas say, by ARN, id and name", async () => {
    const user = await machine(plain(3));
    const submitted = await user.run([...SUBMIT, "--name", "nightly", "--json"]);
    const job = JSON.parse(submitted.stdout) as { arn: string; id: string };
    expectSchema("batch-submit", job);
    for (const name of [job.arn, job.id, "nightly", undefined]) {
      const { stdout, stderr } = await user.run([
        "batch",
        "status",
        ...(name ? [name] : []),
        "--wait",
        "--json",
      ]);
      const status = JSON.parse(stdout) as Line;
      expectSchema("batch-status", status);
      expect(status, stderr).toMatchObject({ arn: job.arn, name: "nightly", status: "Completed" });
    }
    const listed = await user.run(["batch", "list", "--json"]);
    expectSchema("batch-list", JSON.parse(listed.stdout));
    const role = await user.run(["batch", "role", "--s3", "s3://my-bucket/batch", "--json"]);
    expectSchema("batch-role", JSON.parse(role.stdout));
  });

  it("is made of every kind of lines, and answers in each form", async () => {
    const converse = { messages: [{ role: "user", content: [{ text: "Hi" }] }] };
    const chat = { model: MODEL, messages: [{ role: "user", content: "Hi" }] };
    const kinds: [kind: string, line: Line, answer: Line][] = [
      ["bedrock", { recordId: "r-1", modelInput: converse }, { modelOutput: { output: expect.anything() } }],
      [
        "openai",
        { custom_id: "r-1", method: "POST", url: "/v1/chat/completions", body: chat },
        {
          custom_id: "r-1",
          response: { status_code: 200, body: { object: "chat.completion" } },
          error: null,
        },
      ],
      [
        "openai",
        { custom_id: "r-1", method: "POST", url: "/v1/responses", body: { model: MODEL, input: "Hi" } },
        { custom_id: "r-1", response: { status_code: 200, body: expect.anything() } },
      ],
      [
        "messages",
        { custom_id: "r-1", params: { ...chat, max_tokens: 50 } },
        { custom_id: "r-1", result: { type: "succeeded" } },
      ],
      ["plain", { recordId: "r-1", prompt: "Hi" }, { text: expect.stringContaining("You asked: Hi") }],
    ];
    for (const [, line, answer] of kinds) {
      const user = await machine([line]);
      const submitted = await user.run([...SUBMIT, "--wait"]);
      expect(submitted.code, submitted.stderr).toBe(0);
      const { code, stdout, stderr } = await user.run(["batch", "results"]);
      expect(code, stderr).toBe(0);
      expect(linesOf(stdout)).toMatchObject([answer]);
      // By the file that was submitted it is the same.
      const byFile = await user.run(["batch", "results", "--input", "lines.jsonl"]);
      expect(linesOf(byFile.stdout), byFile.stderr).toMatchObject([answer]);
    }
  });

  it("is made of texts, and of records in the model's own words", async () => {
    const user = await machine([]);
    write(user, "lines.jsonl", "First?\n\nThird?\n");
    const texts = await user.run([...SUBMIT, "--lines", "--wait"]);
    expect(texts.code, texts.stderr).toBe(0);
    const { stdout } = await user.run(["batch", "results"]);
    expect(linesOf(stdout)).toMatchObject([
      { recordId: "1", text: expect.stringContaining("First?") },
      { recordId: "3", text: expect.stringContaining("Third?") },
    ]);
    const own = {
      recordId: "own",
      modelInput: { schemaVersion: "messages-v1", messages: [{ role: "user", content: [{ text: "Hi" }] }] },
    };
    write(user, "lines.jsonl", `${JSON.stringify(own)}\n`);
    const submitted = await user.run([...SUBMIT, "--wait", "--json"]);
    expect(JSON.parse(submitted.stdout), submitted.stderr).toMatchObject({ invocation: "InvokeModel" });
    const results = await user.run(["batch", "results"]);
    expect(linesOf(results.stdout), results.stderr).toMatchObject([{ recordId: "own", modelOutput: {} }]);
    const formatted = await user.run(["batch", "results", "--format", "plain"]);
    expect(formatted.code).toBe(2);
  });

  it("calls a model that needs one through its inference profile", async () => {
    const user = await machine(plain(1));
    const base = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    const args = ["batch", "submit", "lines.jsonl", "-m", base, ...WHERE, "--json"];
    const { stdout, stderr } = await user.run(args);
    expect(JSON.parse(stdout), stderr).toMatchObject({ model: `us.${base}` });
    expect(stderr).toContain(`is called through the inference profile us.${base}`);
  });

  it.each([
    ["-o and --failed, written in two ways", ["-o", "out.jsonl", "--failed", "./out.jsonl"]],
    ["-o and --failed, through a link", ["-o", "out.jsonl", "--failed", "link.jsonl"]],
    ["stdout and --failed", ["--failed", "-"]],
    ["-o and --input", ["-o", "./lines.jsonl", "--input", "lines.jsonl"]],
    ["--failed and --input", ["--failed", "lines.jsonl", "--input", "lines.jsonl"]],
  ])("replaces none of its files by another: %s", async (_, flags) => {
    const user = await machine(plain(2));
    symlinkSync("out.jsonl", path.join(user.home, "link.jsonl"));
    const lines = read(user, "lines.jsonl");
    await user.run([...SUBMIT, "--wait"]);
    const { code, stdout, stderr } = await user.run(["batch", "results", ...flags]);
    expect(stderr).toMatch(/^error: (-o|--failed) and (-o|--input) are one file\.\nhint: /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(read(user, "lines.jsonl")).toBe(lines);
    expect(existsSync(path.join(user.home, "out.jsonl"))).toBe(false);
  });

  it("names the lines that failed, and gives them for another run", async () => {
    const script = failing("JobRecord", "ThrottlingException", "Too many requests.", undefined, 2);
    const user = await machine(plain(20), { script });
    await user.run([...SUBMIT, "--wait"]);
    const args = ["batch", "results", "-o", "out.jsonl", "--failed", "again.jsonl", "--json"];
    const { code, stdout, stderr } = await user.run(args);
    expect(code).toBe(5);
    const summary = JSON.parse(stdout) as Line & { failed: { code: string; first: Line[] }[] };
    expectSchema("batch-results", summary);
    expect(summary).toMatchObject({ answered: 18, error: { code: "throttled", exitCode: 5 } });
    expect(summary.failed).toMatchObject([{ code: "throttled", lines: 2 }]);
    expect(stderr).toContain("2 × throttled");
    expect(stderr).toContain(
      "hint: Ask the lines without an answer again: openclaw batch run again.jsonl -m amazon.nova-lite-v1:0\n",
    );
    const out = linesOf(read(user, "out.jsonl"));
    expect(out.map(({ recordId }) => recordId)).toEqual(plain(20).map(({ id }) => id));
    const failed = out.filter(({ error }) => error !== undefined).map(({ recordId }) => recordId);
    expect(linesOf(read(user, "again.jsonl")).map(({ recordId }) => recordId)).toEqual(failed);
    // What failed is submitted again as it is.
    const again = await user.run(["batch", "submit", "again.jsonl", "-m", MODEL, ...WHERE, "--wait"]);
    expect(again.code, again.stderr).toBe(0);
    const second = await user.run(["batch", "results"]);
    expect(second.code, second.stderr).toBe(0);
    expect(linesOf(second.stdout).map(({ recordId }) => recordId)).toEqual(failed);
  });

  it.each([
    ["PartiallyCompleted", "JobRecord", "ended before all of it was done"],
    ["Expired", "JobStart", "has expired"],
  ])("that is %s gives what is there, with exit code 5", async (status, step, says) => {
    const script: Script = ({ route, nth }) =>
      route === step && (step !== "JobRecord" || nth === 3)
        ? { error: { name: status, message: "It took too long." } }
        : undefined;
    const user = await machine(plain(6), { script });
    const submitted = await user.run([...SUBMIT, "--wait"]);
    expect(submitted.code).toBe(5);
    expect(submitted.stderr).toContain(says);
    expect(submitted.stderr).toMatch(
      /hint: See what it has answered: openclaw batch results \w{12} --failed FILE\n/,
    );
    const { code, stdout, stderr } = await user.run(["batch", "results"]);
    expect(code).toBe(5);
    expect(stderr).toContain(says);
    const out = linesOf(stdout);
    expect(out.map(({ recordId }) => recordId)).toEqual(plain(6).map(({ id }) => id));
    expect(out.filter(({ error }) => error !== undefined).length).toBe(status === "Expired" ? 6 : 4);
  });

  it("that has failed says why and what to do, and is made anew only when asked", async () => {
    const message = "The provided role could not be assumed by Amazon Bedrock.";
    const user = await machine(plain(2), {
      script: failing("JobValidation", "AccessDeniedException", message, 403, 1),
    });
    const first = await user.run([...SUBMIT, "--wait"]);
    expect(first.code).toBe(4);
    expect(first.stderr).toContain(message);
    expect(first.stderr).toContain("openclaw batch role --s3 s3://openclaw-emulator/batch/");
    const same = await user.run(SUBMIT);
    expect(same.code).toBe(4);
    expect(same.stderr).toContain("--again");
    const results = await user.run(["batch", "results"]);
    expect(results.code).toBe(4);
    const again = await user.run([...SUBMIT, "--again", "--wait"]);
    expect(again.code, again.stderr).toBe(0);
    expect(await jobsOf(user)).toHaveLength(2);
  });

  it("is stopped, and then refuses to be", async () => {
    const user = await machine(plain(3), { jobSeconds: 600 });
    await user.run([...SUBMIT, "--name", "nightly"]);
    const early = await user.run(["batch", "results"]);
    expect(early.code).toBe(5);
    expect(early.stderr).toContain("has not ended");
    const stopped = await user.run(["batch", "stop", "nightly", "--json"]);
    expect(stopped.code, stopped.stderr).toBe(0);
    expectSchema("batch-stop", JSON.parse(stopped.stdout));
    const waited = await user.run(["batch", "status", "nightly", "--wait"]);
    expect(waited.code).toBe(5);
    expect(waited.stderr).toContain("was stopped");
    expect((await user.run(["batch", "stop", "nightly"])).code).toBe(6);
  });

  it("is written into the ledger once, at half the price", async () => {
    const user = await machine(plain(10));
    await user.run([...SUBMIT, "--wait"]);
    for (let time = 0; time < 3; time++) await user.run(["batch", "results", "-o", "out.jsonl"]);
    const { stdout } = await user.run(["usage", "--by", "command", "--json"]);
    const usage = JSON.parse(stdout) as { rows?: Line[] };
    const text = JSON.stringify(usage);
    expect(text).toContain('"batch"');
    const summary = JSON.parse(
      (await user.run(["batch", "results", "-o", "out.jsonl", "--json"])).stdout,
    ) as { cost: { usd: number }; usage: { inputTokens: number; outputTokens: number } };
    const { inputTokens, outputTokens } = summary.usage;
    // Nova Lite costs $0.06 and $0.24 a million tokens.
    expect(summary.cost.usd).toBeCloseTo((inputTokens * 0.06 + outputTokens * 0.24) / 1e6 / 2, 12);
    expect(text).toContain(`"calls":10,`);
    expect(text).toContain(String(summary.cost.usd));
  });
});

describe("a submit", () => {
  it("of the same lines with the same terms is the same job, and --again another one", async () => {
    const user = await machine(plain(3), { jobSeconds: 600 });
    const first = await user.run(SUBMIT);
    const second = await user.run(SUBMIT);
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toContain("submitted before with the same terms");
    const json = await user.run([...SUBMIT, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ isNew: false });
    for (const more of [["--again"], ["--timeout-hours", "48"], ["--tag", "team=a"], ["--name", "own"]])
      expect((await user.run([...SUBMIT, ...more])).stdout).not.toBe(first.stdout);
    expect(await jobsOf(user)).toHaveLength(5);
    // Records lie there once.
    expect((await leftIn(user)).keys.filter((key) => key.includes("input/"))).toHaveLength(1);
  });

  it("whose answer is lost makes one job", async () => {
    const user = await machine(plain(3), { jobSeconds: 600 });
    const front = await startBreakingFront(user.emulator.port);
    front.fate = ({ method, url }) =>
      method === "POST" && url === "/model-invocation-job" ? "lose-answer" : "pass";
    const env = { AWS_ENDPOINT_URL: front.url };
    const first = await user.run(SUBMIT, { env });
    expect(first.code, first.stderr).toBe(0);
    expect((await user.run(SUBMIT)).stdout).toBe(first.stdout);
    expect(await jobsOf(user)).toHaveLength(1);
  });

  it("of which nobody can know whether it made a job keeps the records and says so", async () => {
    const user = await machine(plain(3), { jobSeconds: 600 });
    const front = await startBreakingFront(user.emulator.port);
    let isLost = false;
    front.fate = ({ method, url }) => {
      isLost ||= method === "POST" && url === "/model-invocation-job";
      return isLost ? "lose-answer" : "pass";
    };
    const env = { AWS_ENDPOINT_URL: front.url, AWS_MAX_ATTEMPTS: "1" };
    const lost = await user.run(SUBMIT, { env });
    expect(lost.code).toBe(5);
    expect(lost.stderr).toContain("makes no second job");
    expect((await leftIn(user)).keys).toHaveLength(1);
    const again = await user.run(SUBMIT);
    expect(again.code, again.stderr).toBe(0);
    expect(await jobsOf(user)).toHaveLength(1);
  });

  it("leaves nothing that it does not name, whichever of its calls is lost, and is made once by the next", async () => {
    const user = await machine(plain(2), { jobSeconds: 600 });
    const front = await startBreakingFront(user.emulator.port);
    const env = { AWS_ENDPOINT_URL: front.url, AWS_MAX_ATTEMPTS: "1" };
    await user.run(["models", "list"]);
    await user.run(["models", "list"], { env });
    const isOfJob = ({ url }: { url: string }): boolean => /model-invocation-job|openclaw-emulator/.test(url);
    await user.run(SUBMIT, { env });
    const count = front.calls.filter(isOfJob).length;
    expect(count).toBeGreaterThan(4);
    let jobs = 1;
    for (const fate of ["lose-request", "lose-answer"] as const) {
      for (let lost = 0; lost < count; lost += 1) {
        write(user, "lines.jsonl", `${JSON.stringify({ prompt: `${fate} ${lost}` })}\n`);
        const before = (await leftIn(user)).keys;
        let seen = -1;
        front.fate = (call) => {
          if (isOfJob(call)) seen += 1;
          return isOfJob(call) && seen === lost ? fate : "pass";
        };
        const broken = await user.run([...SUBMIT, "--json"], { env });
        const { error, arn } = JSON.parse(broken.stdout) as {
          error?: { details?: { left?: string[] } };
          arn?: string;
        };
        const { keys, uploads } = await leftIn(user);
        const left = keys
          .filter((key) => !before.includes(key))
          .map((key) => `s3://openclaw-emulator/${key}`);
        expect(uploads).toEqual([]);
        if (error) expect(error.details?.left ?? [], `${fate} ${lost}: ${broken.stdout}`).toEqual(left);
        else expect(arn).toBeTruthy();
        front.fate = () => "pass";
        const next = await user.run(SUBMIT, { env });
        expect(next.code, next.stderr).toBe(0);
        jobs += 1;
        expect(await jobsOf(user)).toHaveLength(jobs);
      }
    }
  }, 60_000);

  const DENIED = "User: arn:aws:iam::123456789012:user/a is not authorized to perform:";
  it.each<[name: string, Script, code: number, says: string, hint: string]>([
    [
      "iam:PassRole",
      failing(
        "CreateModelInvocationJob",
        "AccessDeniedException",
        `${DENIED} iam:PassRole on resource: ${ROLE} because no identity-based policy allows the iam:PassRole action`,
        403,
      ),
      4,
      `may not call iam:PassRole on ${ROLE}`,
      "openclaw batch role --s3 s3://openclaw-emulator/batch/ has the statement",
    ],
    [
      "the role",
      failing(
        "CreateModelInvocationJob",
        "ValidationException",
        "The provided role cannot be assumed: check its trust policy.",
      ),
      4,
      "cannot assume the role",
      "openclaw batch role --s3 s3://openclaw-emulator/batch/",
    ],
    [
      "the use of a key",
      failing(
        "PutObject",
        "AccessDenied",
        `${DENIED} kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:123456789012:key/1 because no identity-based policy allows the kms:GenerateDataKey action`,
        403,
      ),
      4,
      "may not call kms:GenerateDataKey",
      "openclaw iam policy --for batch --s3 s3://openclaw-emulator/batch/ --kms-key arn:aws:kms:us-east-1:123456789012:key/1",
    ],
    [
      "s3:PutObject",
      failing("PutObject", "AccessDenied", "Access Denied", 403),
      4,
      "Amazon S3 denies s3:PutObject on the bucket 'openclaw-emulator'",
      "openclaw iam policy --for batch --s3 s3://openclaw-emulator/batch/",
    ],
    [
      "a KMS key",
      failing("PutObject", "KMS.NotFoundException", "Invalid keyId 'alias/nope'", 400),
      6,
      "cannot use the KMS key",
      "aws kms list-keys",
    ],
    [
      "the model",
      failing(
        "CreateModelInvocationJob",
        "ValidationException",
        "The provided model does not support batch inference jobs.",
      ),
      6,
      "takes no such job",
      "openclaw batch run",
    ],
    [
      "a quota",
      failing(
        "CreateModelInvocationJob",
        "ServiceQuotaExceededException",
        "The number of in-progress jobs exceeds the quota.",
        400,
      ),
      5,
      "quota of this account",
      "Service Quotas",
    ],
  ])("that is refused for %s leaves nothing in S3", async (_, script, code, says, hint) => {
    const user = await machine(plain(3), { script });
    const result = await user.run(SUBMIT, { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(result.code, result.stderr).toBe(code);
    expect(result.stderr).toContain(says);
    expect(result.stderr).toContain(hint);
    expect(await leftIn(user)).toEqual({ keys: [], uploads: [] });
    expect(await jobsOf(user)).toEqual([]);
  });

  it("that is refused says what it could not take away", async () => {
    const refused = failing("CreateModelInvocationJob", "ValidationException", "The role cannot be assumed.");
    const kept = failing("DeleteObject", "AccessDenied", "Access Denied", 403);
    const user = await machine(plain(3), { script: (call) => refused(call) ?? kept(call) });
    const { stdout, code } = await user.run([...SUBMIT, "--json"]);
    expect(code).toBe(4);
    const { keys } = await leftIn(user);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        hint: expect.stringContaining(`aws s3 rm s3://openclaw-emulator/${keys[0]}`),
        details: { left: [`s3://openclaw-emulator/${keys[0]}`] },
      },
    });
  });

  it.each([
    [
      "breaks off, from which the same command goes on",
      failing("UploadPart", "InternalError", "Out of order.", 500),
      /Left in S3: an unfinished upload of (s3:\S+)\. The same command goes on from there/,
    ],
    [
      "is refused, and not to be ended here either",
      both(
        failing("UploadPart", "AccessDenied", "Access Denied", 403),
        failing("AbortMultipartUpload", "AccessDenied", "Access Denied", 403),
      ),
      /Left in S3: an unfinished upload of (s3:\S+)\. Take it away: aws s3api abort-multipart-upload --bucket openclaw-emulator --key batch\/input\/\S+ --upload-id \S+\n/,
    ],
  ])("names on stderr what it has left of an upload that %s", async (_, script, told) => {
    const user = await machine(inParts(), { script });
    const { stderr } = await user.run(SUBMIT, { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(stderr).toMatch(told);
    expect((await leftIn(user)).uploads).toHaveLength(1);
  });

  it("takes away an upload that it may not list", async () => {
    let isOver = false;
    const unlisted = failing("ListMultipartUploads", "AccessDenied", "Access Denied", 403);
    const user = await machine(inParts(), {
      script: both(failing("UploadPart", "AccessDenied", "Access Denied", 403), (call) =>
        isOver ? undefined : unlisted(call),
      ),
    });
    const { code, stderr } = await user.run(SUBMIT, { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(code, stderr).toBe(4);
    isOver = true;
    expect(await leftIn(user)).toEqual({ keys: [], uploads: [] });
  });

  it("leaves records alone that were there before it", async () => {
    const user = await machine(plain(3), {
      script: ({ route, nth }) =>
        route === "CreateModelInvocationJob" && nth > 1
          ? { error: { name: "ValidationException", message: "The role cannot be assumed." } }
          : undefined,
    });
    await user.run(SUBMIT);
    const { keys } = await leftIn(user);
    expect((await user.run([...SUBMIT, "--again"])).code).toBe(4);
    expect((await leftIn(user)).keys).toEqual(
      expect.arrayContaining(keys.filter((key) => key.includes("input"))),
    );
  });

  it.each([
    ["a bucket that is not there", ["--s3", "s3://no-such-bucket/x"], 6, "aws s3 mb s3://no-such-bucket"],
    ["no place", ["--s3", "my-bucket"], 2, "s3://BUCKET/PREFIX"],
    ["a prefix that jobs do not take", ["--s3", "s3://my-bucket/a b"], 2, "has characters"],
    ["a role that is none", ["--role", "openclaw"], 2, "arn:aws:iam::"],
    ["a name that is none", ["--name", "-a"], 2, "letters, digits"],
    ["a key that is none", ["--kms-key", "my key"], 2, "alias/NAME"],
    ["the path of a key", ["--kms-key", "key/12345678-1234-1234-1234-123456789012"], 2, "alias/NAME"],
    ["an account that is none", ["--bucket-owner", "12"], 2, "twelve digits"],
    ["a tag that is none", ["--tag", "team"], 2, "KEY=VALUE"],
    [
      "a bucket of another account",
      ["--bucket-owner", "210987654321"],
      4,
      "of the account 210987654321 (--bucket-owner)",
    ],
  ])("with %s says what to do", async (_, args, code, says) => {
    const user = await machine(plain(3));
    const result = await user.run([...SUBMIT, ...args]);
    expect(result.code, result.stderr).toBe(code);
    expect(result.stderr).toContain(says);
    expect(await leftIn(user)).toEqual({ keys: [], uploads: [] });
  });

  it("by the name of another job says that it is taken, and leaves nothing", async () => {
    const user = await machine(plain(3));
    await user.run([...SUBMIT, "--name", "nightly"]);
    const { keys } = await leftIn(user);
    write(user, "lines.jsonl", `${JSON.stringify({ prompt: "Another?" })}\n`);
    const { code, stderr } = await user.run([...SUBMIT, "--name", "nightly"]);
    expect(code).toBe(6);
    expect(stderr).toContain(
      "error: This account has a job 'nightly' in us-east-1 already, and names stay taken.\nhint: Give it another one: --name NAME.",
    );
    expect((await leftIn(user)).keys.filter((key) => key.includes("input/"))).toEqual(
      keys.filter((key) => key.includes("input/")),
    );
  });

  it("to a bucket of another region names the region", async () => {
    const user = await machine(plain(3));
    await user.run(SUBMIT);
    const { code, stderr } = await user.run([...SUBMIT, "--region", "eu-west-1"]);
    expect(code).toBe(6);
    expect(stderr).toContain("is in us-east-1");
    expect(stderr).toContain("--region us-east-1");
  });

  it("refuses what no job takes, by the numbers of its lines, before anything is sent", async () => {
    const tools = {
      toolConfig: { tools: [{ toolSpec: { name: "a", inputSchema: { json: { type: "object" } } } }] },
    };
    const converse = { messages: [{ role: "user", content: [{ text: "Hi" }] }] };
    const user = await machine([
      { recordId: "a", modelInput: converse },
      { recordId: "b", modelInput: { ...converse, ...tools } },
      { recordId: "a", modelInput: converse },
    ]);
    const { code, stderr } = await user.run(SUBMIT);
    expect(code).toBe(2);
    expect(stderr).toMatch(/line 2: It has tools/);
    expect(stderr).toMatch(/line 3: .*'a'/);
    expect(user.routes().filter((route) => /Object|Upload|Job|Bucket/.test(route))).toEqual([]);
  });

  it("of fewer lines than the model's quota says is refused", async () => {
    const user = await machine(plain(20), { leastRecords: 100 });
    const { code, stderr } = await user.run(SUBMIT);
    expect(code).toBe(6);
    expect(stderr).toContain("at least 100 lines");
    expect(stderr).toContain("openclaw batch run lines.jsonl");
    expect(await leftIn(user)).toEqual({ keys: [], uploads: [] });
  });

  it("sends 30 MB in parts, and after being killed only what is missing", async () => {
    const text = "x".repeat(100_000);
    const user = await machine(
      Array.from({ length: 310 }, (_, index) => ({ id: `q-${index}`, prompt: `${index} ${text}` })),
      { jobSeconds: 600 },
    );
    const front = await startBreakingFront(user.emulator.port);
    const isPart = ({ method, url }: { method: string; url: string }): boolean =>
      method === "PUT" && url.includes("partNumber=");
    const parts = (): typeof front.calls => front.calls.filter(isPart);
    // The last one never arrives; the others do.
    front.fate = (call) => (isPart(call) && parts().length > 3 ? "hold" : "pass");
    const child = user.start(SUBMIT, { env: { AWS_ENDPOINT_URL: front.url } });
    await vi.waitFor(
      () => {
        expect(parts()).toHaveLength(4);
        expect(parts().filter(({ isAnswered }) => isAnswered)).toHaveLength(3);
      },
      { timeout: 25_000 },
    );
    child.kill("SIGKILL");
    await once(child, "close");
    const before = await leftIn(user);
    expect(before).toMatchObject({ keys: [], uploads: [expect.stringContaining("batch/input/lines-")] });
    front.fate = () => "pass";
    const seen = front.calls.length;
    const again = await user.run(SUBMIT, { env: { AWS_ENDPOINT_URL: front.url } });
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toMatch(/[\d.]+ MB of 3\d\.\d MB were in S3 already/);
    expect(front.calls.slice(seen).filter(isPart).length).toBeLessThan(4);
    const { keys, uploads } = await leftIn(user);
    expect(uploads).toEqual([]);
    const { headers } = await askStorage(user.emulator, {
      method: "HEAD",
      path: `/openclaw-emulator/${keys[0]}`,
    });
    expect(Number(headers["content-length"])).toBeGreaterThan(31_000_000);
  });

  it("that is interrupted while it sends leaves nothing", async () => {
    const { opened: reached, open: reach } = gate();
    const script: Script = ({ route }) => {
      if (route !== "UploadPart") return undefined;
      reach();
      return { drop: "stall" };
    };
    const user = await machine(inParts(), { script });
    const child = user.start(SUBMIT);
    await reached;
    const at = performance.now();
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(130);
    expect(performance.now() - at).toBeLessThan(3000);
    expect(await leftIn(user)).toEqual({ keys: [], uploads: [] });
  });
});

describe("waiting for a job", () => {
  it("ends with Ctrl-C, and the job goes on", async () => {
    const user = await machine(plain(3), { jobSeconds: 600 });
    await user.run(SUBMIT);
    const child = user.start(["batch", "status", "--wait"]);
    let stderr = "";
    for await (const chunk of child.stderr) {
      stderr += String(chunk);
      if (/is (Submitted|Validating)/.test(stderr)) child.kill("SIGINT");
    }
    expect(stderr).toMatch(/the job goes on; to wait for it again: openclaw batch status \w{12} --wait/);
    expect(child.exitCode ?? ((await once(child, "close")) as [number])[0]).toBe(130);
    expect(await jobsOf(user)).toMatchObject([{ status: expect.not.stringMatching(/^Stop/) }]);
  });

  it("goes on when AWS does not answer for a while", async () => {
    const user = await machine(plain(3), {
      jobSeconds: 2,
      script: ({ route, nth }) =>
        route === "GetModelInvocationJob" && (nth === 2 || nth === 3)
          ? { error: { name: "InternalServerException", message: "Not now.", status: 500 } }
          : undefined,
    });
    const { code, stderr } = await user.run([...SUBMIT, "--wait"], { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(code, stderr).toBe(0);
    expect(stderr.match(/Not now\. The job goes on, and is asked about until AWS answers\./g)).toHaveLength(
      1,
    );
  });

  it("shows a spinner with its records on a terminal, which leaves no trace", async () => {
    const user = await machine(plain(3), { jobSeconds: 2 });
    const { stdout } = await user.run(SUBMIT);
    const screen = openPty(["batch", "status", stdout.trim(), "--wait"], user.home, { env: user.env });
    await screen.see("Ctrl-C to stop");
    expect(await screen.exit).toBe(0);
    expect(screen.lines().join("\n")).toMatch(/^name +lines-\w+\nstatus +Completed\n/);
  });
});

it("gives results of other machines' jobs in Bedrock's form, and writes half of no file", async () => {
  const user = await machine(plain(4));
  const { stdout } = await user.run([...SUBMIT, "--wait"]);
  const env = { OPENCLAW_STATE_DIR: path.join(user.home, "other") };
  const results = await user.run(["batch", "results", stdout.trim()], { env });
  expect(linesOf(results.stdout), results.stderr).toMatchObject(
    plain(4).map(({ id }) => ({ recordId: id, modelOutput: { stopReason: "end_turn" } })),
  );
  const none = await user.run(["batch", "results"], { env });
  expect(none.code).toBe(2);
  expect(none.stderr).toContain("openclaw batch list");
  // A broken reading leaves the file as it was.
  write(user, "out.jsonl", "before\n");
  const front = await startBreakingFront(user.emulator.port);
  front.fate = ({ method, url }) => (method === "GET" && url.includes("/input/") ? "lose-request" : "pass");
  const broken = await user.run(
    ["batch", "results", stdout.trim(), "-o", "out.jsonl", "--failed", "no.jsonl"],
    {
      env: { AWS_ENDPOINT_URL: front.url, AWS_MAX_ATTEMPTS: "1" },
    },
  );
  expect(broken.code).toBe(5);
  expect(read(user, "out.jsonl")).toBe("before\n");
  expect(existsSync(path.join(user.home, "no.jsonl"))).toBe(false);
  write(user, "other.jsonl", '{"prompt":"Another?"}\n');
  const other = await user.run(["batch", "results", stdout.trim(), "--input", "other.jsonl"]);
  expect(other.code).toBe(2);
  expect(other.stderr).toContain("is not what was submitted");
});

/** A job of another program over a folder of files, by its ARN. */
async function folderJob(
  user: Emulated,
  files: Readonly<Record<string, string>>,
  { input = "in/", output = "openclaw-emulator" } = {},
): Promise<string> {
  for (const [name, text] of Object.entries(files)) await putText(user.emulator, `in/${name}`, text);
  const { jobArn = "" } = await controlClient(user.emulator).send(
    new CreateModelInvocationJobCommand({
      jobName: "folder",
      modelId: MODEL,
      roleArn: ROLE,
      modelInvocationType: "Converse",
      inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://openclaw-emulator/${input}` } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${output}/out/` } },
    }),
  );
  await user.run(["batch", "status", jobArn, "--wait"]);
  return jobArn;
}

const record = (recordId: string, text: string): string =>
  `${JSON.stringify({ recordId, modelInput: { messages: [{ role: "user", content: [{ text }] }] } })}\n`;

it("gives each line of several files with the same ids its own answer", async () => {
  const user = await machine([]);
  const job = await folderJob(user, {
    "a.jsonl": record("1", "Apples?") + record("2", "Pears?"),
    "more/b.jsonl": record("1", "Plums?") + record("2", "Figs?"),
  });
  await putText(user.emulator, "in-other/c.jsonl", record("1", "Nobody asked"));
  const { code, stdout, stderr } = await user.run(["batch", "results", job, "--format", "plain"]);
  expect(code, stderr).toBe(0);
  expect(linesOf(stdout)).toMatchObject(
    ["Apples?", "Pears?", "Plums?", "Figs?"].map((text) => ({ text: expect.stringContaining(text) })),
  );
});

it("takes no answer for that of two lines of a file with one id", async () => {
  const user = await machine([]);
  const job = await folderJob(user, {
    "a.jsonl": record("1", "Apples?") + record("1", "Pears?") + record("2", "Figs?"),
  });
  const { code, stdout, stderr } = await user.run(["batch", "results", job, "--format", "plain"]);
  expect(code).toBe(5);
  expect(linesOf(stdout)).toMatchObject([
    { recordId: "1", error: { code: "bad-response" } },
    { recordId: "1", error: { code: "bad-response" } },
    { recordId: "2", text: expect.stringContaining("Figs?") },
  ]);
  expect(stderr).toContain("line 1 (1): The job has several results with the id '1'");
});

it("reads the questions of a job from another bucket than its results, and says where they are gone", async () => {
  const files = { "a.jsonl": record("1", "Apples?") + record("2", "Pears?") };
  for (const input of ["in/", "in/a.jsonl"]) {
    const user = await machine([]);
    await askStorage(user.emulator, { method: "PUT", path: "/results-only" });
    const job = await folderJob(user, files, { input, output: "results-only" });
    const { code, stdout, stderr } = await user.run(["batch", "results", job, "--format", "plain"]);
    expect(code, stderr).toBe(0);
    expect(linesOf(stdout)).toMatchObject(
      ["Apples?", "Pears?"].map((text) => ({ text: expect.stringContaining(text) })),
    );
    await askStorage(user.emulator, { method: "DELETE", path: "/openclaw-emulator/in/a.jsonl" });
    const gone = await user.run(["batch", "results", job]);
    expect(gone.code, gone.stderr).toBe(6);
    expect(gone.stderr).toContain(`The records of the job folder are not in s3://openclaw-emulator/${input}`);
    write(user, "asked.jsonl", files["a.jsonl"]);
    const byFile = await user.run(["batch", "results", job, "--input", "asked.jsonl"]);
    expect(byFile.code, byFile.stderr).toBe(0);
    expect(linesOf(byFile.stdout).map(({ recordId }) => recordId)).toEqual(["1", "2"]);
  }
});

it("gives records that came without an id the answers to what they asked", async () => {
  const user = await machine([]);
  const unnamed = (text: string): string => record("", text).replace('"recordId":"",', "");
  const asked = ["Apples?", "Pears?", "Apples?", "Figs?"].map(unnamed).join("") + record("own", "Plums?");
  const job = await folderJob(user, { "a.jsonl": asked, "b.jsonl": unnamed("Pears?") });
  const answers = ["Apples?", "Pears?", "Apples?", "Figs?", "Plums?"];
  const { code, stdout, stderr } = await user.run(["batch", "results", job, "--format", "plain"]);
  expect(code, stderr).toBe(0);
  expect(linesOf(stdout)).toMatchObject(
    [...answers, "Pears?"].map((text) => ({ text: expect.stringContaining(text) })),
  );
  // What is asked is the same in another order of its fields.
  const [first = "", ...rest] = asked.split("\n");
  const { modelInput } = JSON.parse(first) as {
    modelInput: { messages: { role: string; content: unknown }[] };
  };
  const messages = modelInput.messages.map(({ role, content }) => ({ content, role }));
  write(user, "asked.jsonl", [JSON.stringify({ modelInput: { messages } }), ...rest].join("\n"));
  const byFile = await user.run(["batch", "results", job, "--input", "asked.jsonl", "--format", "plain"]);
  expect(byFile.code, byFile.stderr).toBe(0);
  expect(linesOf(byFile.stdout)).toMatchObject(
    answers.map((text) => ({ text: expect.stringContaining(text) })),
  );
});

it("finds a job of this machine by its id in whatever region it is", async () => {
  const user = await machine(plain(1));
  const elsewhere = ["--region", "eu-west-1"];
  const submitted = await user.run([...SUBMIT, "--json", ...elsewhere]);
  const { id, arn } = JSON.parse(submitted.stdout) as { id: string; arn: string };
  expect(arn).toContain(":eu-west-1:");
  const found = await user.run(["batch", "status", id, "--json"]);
  expect(JSON.parse(found.stdout), found.stderr).toMatchObject({ arn });
  const contradicted = await user.run(["batch", "status", id, "--region", "us-east-1"]);
  expect(contradicted.code).toBe(6);
  expect(contradicted.stderr).toContain("No job in us-east-1 has the name or id");
});

it("says that results are gone, and which record cannot be read", async () => {
  const user = await machine([]);
  const job = await folderJob(user, { "a.jsonl": record("1", "Apples?") });
  await putText(user.emulator, "in/a.jsonl", "no JSON\n");
  const odd = await user.run(["batch", "results", job, "--format", "plain"]);
  expect(odd.code, odd.stderr).toBe(6);
  expect(odd.stderr).toContain("Line 1 of the job's records (a.jsonl in S3) cannot be read. It is not JSON");
  expect(odd.stderr).toContain("--format bedrock");
  const path = `/openclaw-emulator/out/${job.split("/").at(-1) ?? ""}/a.jsonl.out`;
  await askStorage(user.emulator, { method: "DELETE", path });
  const gone = await user.run(["batch", "results", job]);
  expect(gone.code, gone.stderr).toBe(6);
  expect(gone.stderr).toContain("are not in s3://openclaw-emulator/out/");
});

it("finds jobs by any part of a name, and none by what no name has", async () => {
  const user = await machine(plain(2));
  for (const name of ["a.v1", "a.v2"]) await user.run([...SUBMIT, "--name", name, "--again"]);
  const found = async (text: string): Promise<unknown> => {
    const { stdout, stderr } = await user.run(["batch", "list", "--json", "--search", text]);
    return (JSON.parse(stdout || stderr) as { jobs: Line[] }).jobs.map(({ name }) => name);
  };
  expect(await found(".v1")).toEqual(["a.v1"]);
  expect(await found("-v1")).toEqual([]);
  expect(await found("a.v")).toEqual(["a.v2", "a.v1"]);
  expect(await found("no name")).toEqual([]);
  const strange = await user.run(["batch", "status", "no name"]);
  expect(strange.code).toBe(6);
  expect(strange.stderr).toMatch(/^error: No job in us-east-1 has the name or id 'no name'\.\n/);
  const bucket = await user.run(["batch", "status", "arn:aws:s3:::my-bucket"]);
  expect(bucket.code).toBe(2);
  expect(bucket.stderr).toMatch(/^error: 'arn:aws:s3:::my-bucket' is no ARN of a batch job\.\n/);
});

it("says where temporary files could be where none can", async () => {
  const user = await machine(plain(2));
  const env = { TMPDIR: path.join(user.home, "nowhere") };
  const says = new RegExp(
    `^error: Cannot write ${env.TMPDIR}/.*its folder is not there.*\nhint: .*export TMPDIR=FOLDER`,
  );
  const piped = await user.run(["batch", "submit", "-", "-m", MODEL, ...WHERE], {
    env,
    input: '{"prompt":"Hi"}\n',
  });
  expect(piped.stderr).toMatch(says);
  const { stdout } = await user.run([...SUBMIT, "--wait"], { env });
  const results = await user.run(["batch", "results", stdout.trim()], { env });
  expect(results.stderr).toMatch(says);
  expect([piped.code, results.code]).toEqual([1, 1]);
});

it("is seen by the AWS CLI as it is told here", async (context) => {
  needBotocore(context);
  const user = await machine(plain(3));
  const { stdout } = await user.run([...SUBMIT, "--wait", "--tag", "team=a"]);
  const env = emptyEnvironment(user.home, { ...user.env, AWS_DEFAULT_REGION: "us-east-1" });
  const aws = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)("aws", args, { env })).stdout;
  const [job, listed] = await Promise.all([
    aws("bedrock", "get-model-invocation-job", "--job-identifier", stdout.trim()),
    aws("s3", "ls", "--recursive", "s3://openclaw-emulator/batch/"),
  ]);
  expect(JSON.parse(job)).toMatchObject({
    jobArn: stdout.trim(),
    modelInvocationType: "Converse",
    status: "Completed",
    roleArn: ROLE,
  });
  expect(listed).toMatch(/batch\/input\/lines-[0-9a-f]{32}\.jsonl/);
  expect(listed).toMatch(/batch\/\w{12}\/manifest\.json\.out/);
});
