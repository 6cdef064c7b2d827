import { randomBytes } from "node:crypto";
import { setImmediate, setTimeout } from "node:timers/promises";
import { isRecord, type JsonObject } from "../../json.ts";
import { parseIfJson } from "../../json-bounds.ts";
import { AwsError } from "../aws-error.ts";
import { converse, invokeModel } from "../model-calls.ts";
import type { EmulatedModel } from "../models.ts";
import type { OperationContext, Reply } from "../operation-context.ts";
import { QuotaGate } from "../quota-gate.ts";
import type { RecordedCall } from "../recorded-call.ts";
import { batchQuotas } from "../service-quotas.ts";
import { compareKeys } from "../storage/bucket-operations.ts";
import type { Bucket, Buckets, StoredObject } from "../storage/buckets.ts";
import { etagOf, kmsKeyArn } from "../storage/object-headers.ts";
import { storeBytes } from "../storage/object-operations.ts";
import { isEnd, type Job, type JobStatus } from "./job.ts";

/** The steps of a job that can be let fail, by names of the emulator's own. */
export const JOB_ROUTES = ["JobValidation", "JobStart", "JobRecord"] as const;

/** Why a job ends before its records do. */
class JobEnd extends Error {
  readonly status: JobStatus;

  constructor(status: JobStatus, message = "") {
    super(message);
    this.status = status;
  }
}

const GIGABYTE = 1024 ** 3;
/** A record may have so many bytes: more than the largest request that a model takes. */
const MOST_LINE_BYTES = 128 * 1024 * 1024;
/** So many records are answered together: within them the output has another order than the input. */
const TOGETHER = 64;
/** Where one takes longer, each is waited for by itself. */
const SLOW_SECONDS = 0.01;
/** So many characters of the output are written together. */
const WRITE_LENGTH = 256 * 1024;

/**
 * Does a job's work: looks at the input, answers each record as the model would, and writes what came of it. How long that
 * takes is up to `jobSeconds`: a tenth before each change of the status, and the rest for the records.
 */
export async function runJob(
  job: Job,
  model: EmulatedModel,
  call: RecordedCall,
  context: OperationContext,
): Promise<void> {
  const run = new JobRun(job, model, call, context);
  try {
    await run.toTheEnd();
  } catch (error) {
    const isAbort = error instanceof Error && error.name === "AbortError";
    // The emulator has ended.
    if (!(isAbort && context.jobBook.signal.aborted)) throw error;
  }
}

/** A file of the input, and the one of the output that it becomes. */
interface InputFile {
  bucket: Bucket;
  object: StoredObject;
  outputName: string;
}

class JobRun {
  readonly #job: Job;
  readonly #model: EmulatedModel;
  readonly #call: RecordedCall;
  readonly #context: OperationContext;
  readonly #buckets: Buckets;
  readonly #tokens = { input: 0, output: 0 };
  #end = new JobEnd("Completed");

  constructor(job: Job, model: EmulatedModel, call: RecordedCall, context: OperationContext) {
    this.#job = job;
    this.#model = model;
    this.#call = call;
    // What a job uses is not counted against the quotas of a minute.
    const gate = new QuotaGate({ ...context, limits: { tokens: [], requests: [] } });
    this.#context = { ...context, gate };
    this.#buckets = context.buckets;
  }

  async toTheEnd(): Promise<void> {
    try {
      await this.#pause(0.1);
      this.#become("Validating");
      await this.#pause(0.1);
      this.#failAt("JobValidation");
      const files = await this.#validate();
      this.#become("Scheduled");
      await this.#pause(0.1);
      this.#failAt("JobStart");
      this.#become("InProgress");
      const end = await this.#answerAll(files);
      this.#become(end.status, end.message);
    } catch (error) {
      // What S3 refuses a job, such as more than there is room for, it fails with.
      if (error instanceof JobEnd) this.#become(error.status, error.message);
      else if (error instanceof AwsError) this.#become("Failed", error.message);
      else throw error;
    }
  }

  #become(status: JobStatus, message = ""): void {
    const job = this.#job;
    if (job.status === "Stopping" && !isEnd(status)) throw new JobEnd("Stopped");
    job.status = status;
    job.modified = this.#context.now();
    if (message !== "") job.message = message;
    if (isEnd(status)) job.ended = job.modified;
  }

  /** Waits for a part of the time that a job takes, or until it is stopped. */
  async #pause(part: number): Promise<void> {
    const { jobSeconds, jobBook } = this.#context;
    const until = performance.now() + jobSeconds * 1000 * part;
    await setImmediate();
    while (performance.now() < until && this.#job.status !== "Stopping")
      await setTimeout(Math.min(until - performance.now(), 50), undefined, {
        signal: jobBook.signal,
        ref: false,
      });
    jobBook.signal.throwIfAborted();
    if (this.#job.status === "Stopping") throw new JobEnd("Stopped");
  }

  /** Lets a step fail that is to fail: with the name of a status the job ends in it, with any other as failed. */
  #failAt(route: (typeof JOB_ROUTES)[number]): void {
    const fault = this.#context.faultOf(route, this.#call);
    if (fault) throw new JobEnd(isEnd(fault.name) ? fault.name : "Failed", fault.message);
  }

  #bucketAt(uri: string, owner: unknown, action: "GetObject" | "PutObject"): { bucket: Bucket; key: string } {
    const [, name = "", key = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
    const bucket = this.#buckets.find(name, this.#job.region);
    const isOwn = owner === undefined || owner === this.#context.account.id;
    // Words that people report, for whatever keeps the role from the bucket.
    if (!bucket || !isOwn)
      throw new JobEnd("Failed", `Could not validate ${action} permissions to access S3 bucket: ${name}`);
    if (bucket.region !== this.#job.region)
      throw new JobEnd(
        "Failed",
        `The S3 bucket ${name} is in ${bucket.region}: it must be in the same region as the job, ${this.#job.region}`,
      );
    return { bucket, key };
  }

  async #validate(): Promise<InputFile[]> {
    const { request } = this.#job;
    const { s3Uri, s3BucketOwner } = request.inputDataConfig.s3InputDataConfig;
    const { bucket, key } = this.#bucketAt(s3Uri, s3BucketOwner, "GetObject");
    const output = request.outputDataConfig.s3OutputDataConfig;
    this.#bucketAt(output.s3Uri, output["s3BucketOwner"], "PutObject");
    const files = filesAt(bucket, key);
    if (files.length === 0) throw new JobEnd("Failed", `There are no .jsonl files at ${s3Uri}`);
    const { quotas, leastRecords: least } = this.#context;
    const limits = batchQuotas(this.#model, quotas, least);
    let [bytes, records] = [0, 0];
    for (const file of files) {
      const { object } = file;
      const name = `s3://${bucket.name}/${object.key}`;
      bytes += object.bytes;
      if (object.bytes > limits.fileGigabytes * GIGABYTE)
        throw new JobEnd("Failed", `The input file ${name} is larger than ${limits.fileGigabytes} GB`);
      if (bytes > limits.jobGigabytes * GIGABYTE)
        throw new JobEnd("Failed", `The input files are larger than ${limits.jobGigabytes} GB together`);
      let inFile = 0;
      for await (const { number, text } of this.#linesOf(file)) {
        if (readRecord(text) === undefined)
          throw new JobEnd("Failed", `Line ${number} of ${name} is not a JSON object with a modelInput`);
        inFile += 1;
      }
      if (inFile > limits.mostRecordsOfFile) throw tooMany(inFile, limits.mostRecordsOfFile, "Input file");
      records += inFile;
    }
    // As reported; AWS's words for too many are not known.
    if (records < limits.leastRecords)
      throw new JobEnd(
        "Failed",
        `Batch job contains less records (${records}) than the required minimum of: ${limits.leastRecords}`,
      );
    if (records > limits.mostRecords) throw tooMany(records, limits.mostRecords, "Batch job");
    this.#job.total = records;
    return files;
  }

  async *#linesOf({ bucket, object }: InputFile): AsyncGenerator<{ number: number; text: string }> {
    const { blobs, bytes, key } = object;
    if (bucket.objects.get(key) !== object)
      throw new JobEnd("Failed", `The input file s3://${bucket.name}/${key} has changed while the job ran`);
    let number = 0;
    let pending: Buffer[] = [];
    let length = 0;
    const take = (end: Buffer): { number: number; text: string } => {
      const text = Buffer.concat([...pending, end])
        .toString("utf8")
        .replace(/\r$/, "");
      pending = [];
      length = 0;
      number += 1;
      return { number, text: number === 1 ? text.replace(/^\uFEFF/, "") : text };
    };
    for await (const piece of this.#buckets.disk.read(blobs, 0, bytes)) {
      let start = 0;
      for (let end = piece.indexOf(0x0a); end !== -1; end = piece.indexOf(0x0a, start)) {
        const line = take(piece.subarray(start, end));
        start = end + 1;
        if (line.text.trim() !== "") yield line;
      }
      pending.push(piece.subarray(start));
      length += piece.length - start;
      if (length > MOST_LINE_BYTES) throw new JobEnd("Failed", `Line ${number + 1} is too long`);
      this.#context.jobBook.signal.throwIfAborted();
    }
    const last = take(Buffer.alloc(0));
    if (last.text.trim() !== "") yield last;
  }

  /** Answers the records of all files, and writes the output, of a job that ends early the part that is there. */
  async #answerAll(files: readonly InputFile[]): Promise<JobEnd> {
    const job = this.#job;
    const { s3Uri, s3BucketOwner } = job.request.outputDataConfig.s3OutputDataConfig;
    const { bucket, key } = this.#bucketAt(s3Uri, s3BucketOwner, "PutObject");
    const folder = `${key === "" ? "" : `${key.replace(/\/$/, "")}/`}${job.id}/`;
    for (const file of files) {
      await this.#put(bucket, `${folder}${file.outputName}.out`, this.#outputOf(file));
      if (this.#end.status !== "Completed") break;
    }
    const manifest = Buffer.from(`${JSON.stringify(this.#manifest())}\n`);
    await this.#put(bucket, `${folder}manifest.json.out`, [manifest]);
    return this.#end;
  }

  /** What comes of the records of a file, as far as the job gets with them. */
  async *#outputOf(file: InputFile): AsyncGenerator<Buffer, void, undefined> {
    let lines: string[] = [];
    let length = 0;
    try {
      for await (const line of this.#answersTo(file)) {
        lines.push(line);
        length += line.length;
        if (length < WRITE_LENGTH) continue;
        yield Buffer.from(lines.join(""));
        [lines, length] = [[], 0];
      }
    } catch (error) {
      if (!(error instanceof JobEnd)) throw error;
      // What was done until then is kept.
      this.#end = error;
    }
    yield Buffer.from(lines.join(""));
  }

  /** https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html */
  #manifest(): object {
    const { total, succeeded, failed } = this.#job;
    return {
      totalRecordCount: total,
      processedRecordCount: succeeded + failed,
      successRecordCount: succeeded,
      errorRecordCount: failed,
      inputTokenCount: this.#tokens.input,
      outputTokenCount: this.#tokens.output,
    };
  }

  async *#answersTo(file: InputFile): AsyncGenerator<string, void, undefined> {
    let group: string[] = [];
    for await (const { text } of this.#linesOf(file)) {
      group.push(text);
      if (group.length < TOGETHER) continue;
      yield* this.#answerGroup(group);
      group = [];
    }
    yield* this.#answerGroup(group);
  }

  async *#answerGroup(group: readonly string[]): AsyncGenerator<string, void, undefined> {
    const part = 0.7 / this.#job.total;
    const isSlow = this.#context.jobSeconds * part > SLOW_SECONDS;
    for (const text of group.toReversed()) {
      if (isSlow) await this.#pause(part);
      yield `${JSON.stringify(await this.#answer(text))}\n`;
    }
    if (!isSlow && group.length > 0) await this.#pause(part * group.length);
  }

  /** A line of the output. */
  async #answer(text: string): Promise<object> {
    const { recordId = newRecordId(), modelInput } = readRecord(text) ?? { modelInput: {} };
    try {
      const fault = this.#context.faultOf("JobRecord", this.#call);
      if (fault && isEnd(fault.name)) throw new JobEnd(fault.name, fault.message);
      if (fault) throw new AwsError(fault.name, fault.message, fault.status);
      const modelOutput = await this.#ask(modelInput);
      this.#job.succeeded += 1;
      return { recordId, modelInput, modelOutput };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#job.failed += 1;
      return { recordId, modelInput, error: { errorCode: error.status, errorMessage: error.message } };
    }
  }

  /** What the model says to a record: as Converse or InvokeModel would answer it. */
  async #ask(body: JsonObject): Promise<unknown> {
    const { modelId, modelInvocationType: route } = this.#job.request;
    const call = { ...this.#call, route, parameters: { modelId }, body, headers: {} };
    if (route === "Converse") refuseInBatch(body);
    const reply =
      route === "Converse"
        ? await converse(call, this.#context, this.#context.jobBook.signal)
        : invokeModel(call, this.#context);
    return this.#count(reply);
  }

  #count(reply: Reply): unknown {
    if (!("body" in reply)) throw new Error("A record was answered by a stream.");
    const answer: unknown = JSON.parse(String(reply.body));
    const usage = isRecord(answer) && isRecord(answer["usage"]) ? answer["usage"] : {};
    const counted = (name: string, header: string): number =>
      Number(reply.headers[`x-amzn-bedrock-${header}-token-count`] ?? usage[name] ?? 0);
    this.#tokens.input += counted("inputTokens", "input");
    this.#tokens.output += counted("outputTokens", "output");
    return answer;
  }

  async #put(bucket: Bucket, key: string, content: Parameters<typeof storeBytes>[1]): Promise<void> {
    const { s3EncryptionKeyId: kmsKey } = this.#job.request.outputDataConfig.s3OutputDataConfig;
    const encryption = "x-amz-server-side-encryption";
    const headers = {
      "content-type": "binary/octet-stream",
      ...(kmsKey === undefined
        ? { [encryption]: "AES256" }
        : {
            [encryption]: "aws:kms",
            [`${encryption}-aws-kms-key-id`]: kmsKeyArn(kmsKey, bucket.region, this.#context.account.id),
          }),
    };
    const { blob, md5, checksum } = await storeBytes(this.#buckets.disk, content);
    await this.#buckets.put(bucket, {
      key,
      blobs: [blob],
      bytes: blob.bytes,
      etag: etagOf(md5, headers),
      modified: this.#context.now(),
      headers,
      checksum: { ...checksum, type: "FULL_OBJECT" },
    });
  }
}

function tooMany(records: number, most: number, what: string): JobEnd {
  return new JobEnd(
    "Failed",
    `${what} contains more records (${records}) than the allowed maximum of: ${most}`,
  );
}

/** The files with records at a place: the one that it names, or all in the folder. */
function filesAt(bucket: Bucket, key: string): InputFile[] {
  const named = bucket.objects.get(key);
  if (named)
    return key.endsWith(".jsonl")
      ? [{ bucket, object: named, outputName: key.slice(key.lastIndexOf("/") + 1) }]
      : [];
  const folder = key === "" || key.endsWith("/") ? key : `${key}/`;
  return [...bucket.objects.values()]
    .filter((object) => object.key.startsWith(folder) && object.key.endsWith(".jsonl"))
    .map((object) => ({ bucket, object, outputName: object.key.slice(folder.length) }))
    .sort((one, other) => compareKeys(one.object.key, other.object.key));
}

/** A line of the input; undefined for what is none. */
function readRecord(text: string): { recordId?: string; modelInput: JsonObject } | undefined {
  const record = parseIfJson(text);
  if (!isRecord(record)) return undefined;
  const { recordId, modelInput } = record;
  if (!isRecord(modelInput)) return undefined;
  if (recordId === undefined || recordId === null) return { modelInput };
  return typeof recordId === "string" ? { recordId, modelInput } : undefined;
}

/** AWS adds an id where a record has none, of eleven characters. */
function newRecordId(): string {
  return randomBytes(6).toString("hex").slice(0, 11).toUpperCase();
}

/**
 * Records with tools fail with a 400: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html. Nor is there
 * prompt caching. The words are not known.
 */
function refuseInBatch(body: JsonObject): void {
  if (body["toolConfig"] !== undefined)
    throw new AwsError("ValidationException", "Tool use is not supported in batch inference with Converse.");
  if (/"cachePoint":/.test(JSON.stringify(body)))
    throw new AwsError("ValidationException", "Prompt caching is not supported in batch inference.");
}
