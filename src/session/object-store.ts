import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Command } from "@smithy/types";
import { renewExpired } from "../credentials/renew-expired.ts";
import { OpenclawError } from "../errors.ts";
import { anySignal, untilAborted } from "../until-aborted.ts";
import { toOpenclawError } from "./aws-errors.ts";
import { ANSWER_MS, clientConfig } from "./client-config.ts";
import { notForApiKey } from "./denial.ts";
import { reportAttempts } from "./report-attempts.ts";
import type { AwsSession } from "./session.ts";
import { boundAnswers, refuseStrangeAnswers } from "./storage-answers.ts";
import { type Answered, PageTokens } from "./strange-answer.ts";

/** A bucket, and what is said of it with each call. */
export interface Bucket {
  name: string;
  /** The account that it has to belong to; undefined for any. */
  owner?: string | undefined;
  /** Id, ARN or alias of the KMS key that what is written is encrypted with; undefined for what the bucket has. */
  kmsKey?: string | undefined;
}

export interface UploadedPart {
  /** From 1. */
  number: number;
  bytes: number;
  /** In base64. */
  sha256: string;
  etag: string;
}

/** Time for a part to go out, in ms: 8 MB at 14 kB a second. */
const UPLOAD_MS = 600_000;
/** How long nothing may come of an object that is read, in ms. */
const SILENCE_MS = 60_000;
/** A reading that breaks off so often without a byte in between is given up. */
const MOST_BREAKS = 4;

/**
 * A bucket of Amazon S3, by the SDK's client: over this program's network, with its credentials and retries, at the
 * endpoint that AWS_ENDPOINT_URL_S3 or the profile names, else the region's own. What its functions throw is of the error
 * table.
 */
export class ObjectStore {
  readonly #client: S3Client;
  readonly #session: AwsSession;
  readonly #signal: AbortSignal;
  readonly #bucket: Bucket;

  private constructor(client: S3Client, session: AwsSession, bucket: Bucket, signal: AbortSignal) {
    this.#client = client;
    this.#session = session;
    this.#bucket = bucket;
    this.#signal = signal;
  }

  /** Opens it; nobody is asked yet. Throws credential errors, and `access-denied` for a Bedrock API key. */
  static async open(session: AwsSession, bucket: Bucket): Promise<ObjectStore> {
    if (session.decision.chosen.source === "AWS_BEARER_TOKEN_BEDROCK")
      throw notForApiKey("s3:GetObject", "openclaw batch … --profile NAME");
    const { runtime } = session.setup;
    const config = await clientConfig(session, "s3");
    // As botocore: who stands in for S3 has seldom a name for each bucket.
    const client = new S3Client({ ...config, forcePathStyle: config.endpoint !== undefined });
    reportAttempts(client.middlewareStack, runtime);
    refuseStrangeAnswers(client.middlewareStack);
    boundAnswers(client.middlewareStack);
    renewExpired(client.middlewareStack, await session.authentication());
    return new ObjectStore(client, session, bucket, runtime.signal);
  }

  /** The same over the same connections, whose calls end with another signal: for what is put in order at the end. */
  endingWith(signal: AbortSignal): ObjectStore {
    return new ObjectStore(this.#client, this.#session, this.#bucket, signal);
  }

  close(): void {
    this.#client.destroy();
  }

  /** The region of the bucket; undefined where these credentials may not know it. Throws `invalid-request` where there is no such bucket. */
  async region(): Promise<string | undefined> {
    return (await this.head()).region;
  }

  /**
   * The region of the bucket as far as it is told, and what these credentials were refused with, if they were. Throws
   * `invalid-request` where there is no such bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
   */
  async head(): Promise<{ region: string | undefined; refusal?: OpenclawError }> {
    const action = "s3:ListBucket";
    try {
      const { BucketRegion } = await this.#client.send(
        new HeadBucketCommand(this.#place()),
        this.#options(ANSWER_MS),
      );
      return { region: BucketRegion };
    } catch (failure) {
      const { status, headers } = answerOf(failure);
      const region = headers["x-amz-bucket-region"];
      if (status === 301) return { region };
      // What stands in the way of a question without a body tells nothing else.
      if (status === 403)
        return { region, refusal: this.#explain(named("AccessDenied", failure, "Access Denied"), action) };
      if (status === 400) return { region, refusal: this.#explain(failure, action) };
      throw this.#explain(status === 404 ? named("NoSuchBucket", failure) : failure, action);
    }
  }

  /** The length of an object, in bytes; null where it is not there, undefined where these credentials may not know. */
  async lengthOf(key: string): Promise<number | null | undefined> {
    try {
      const { ContentLength } = await this.#client.send(
        new HeadObjectCommand(this.#object(key)),
        this.#options(ANSWER_MS),
      );
      return ContentLength;
    } catch (failure) {
      const { status } = answerOf(failure);
      if (status === 404) return null;
      if (status === 403) return undefined;
      throw this.#explain(failure, "s3:GetObject");
    }
  }

  /** Writes an object whole. `sha256` is in base64: S3 refuses what arrives as anything else. */
  async put(key: string, body: Uint8Array, sha256: string): Promise<void> {
    await this.#send(
      "s3:PutObject",
      UPLOAD_MS,
      new PutObjectCommand({
        ...this.#newObject(key),
        Body: body,
        ChecksumSHA256: sha256,
      }),
    );
  }

  /** Begins to write an object in parts. Resolves to the upload's id. */
  async beginUpload(key: string): Promise<string> {
    const { UploadId } = await this.#send(
      "s3:PutObject",
      ANSWER_MS,
      new CreateMultipartUploadCommand({
        ...this.#newObject(key),
        ChecksumAlgorithm: "SHA256",
      }),
    );
    return UploadId ?? "";
  }

  /** Writes a part. `sha256` is in base64. */
  async putPart(
    key: string,
    uploadId: string,
    number: number,
    body: Uint8Array,
    sha256: string,
  ): Promise<UploadedPart> {
    const { ETag } = await this.#send(
      "s3:PutObject",
      UPLOAD_MS,
      new UploadPartCommand({
        ...this.#object(key),
        UploadId: uploadId,
        PartNumber: number,
        Body: body,
        ChecksumSHA256: sha256,
      }),
    );
    return { number, bytes: body.length, sha256, etag: ETag ?? "" };
  }

  /** Makes the parts, in their order, one object. */
  async completeUpload(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    await this.#send(
      "s3:PutObject",
      UPLOAD_MS,
      new CompleteMultipartUploadCommand({
        ...this.#object(key),
        UploadId: uploadId,
        MultipartUpload: {
          Parts: parts.map(({ number, sha256, etag }) => ({
            PartNumber: number,
            ChecksumSHA256: sha256,
            ETag: etag,
          })),
        },
      }),
    );
  }

  /** Takes an unfinished upload and its parts away; one that is gone already is no failure. */
  async abortUpload(key: string, uploadId: string): Promise<void> {
    await this.#send(
      "s3:AbortMultipartUpload",
      ANSWER_MS,
      new AbortMultipartUploadCommand({ ...this.#object(key), UploadId: uploadId }),
    ).catch((error: unknown) => {
      if (!(error instanceof OpenclawError) || error.details?.["awsError"] !== "NoSuchUpload") throw error;
    });
  }

  /**
   * The latest upload of an object that was begun and has not ended, with what has arrived of it; undefined where there is
   * none, or these credentials may not know.
   */
  async findUnfinished(key: string): Promise<{ id: string; parts: UploadedPart[] } | undefined> {
    try {
      const { Uploads = [] } = await this.#send(
        "s3:ListBucketMultipartUploads",
        ANSWER_MS,
        new ListMultipartUploadsCommand({ ...this.#place(), Prefix: key }),
      );
      const upload = Uploads.filter(
        ({ Key, ChecksumAlgorithm }) => Key === key && ChecksumAlgorithm === "SHA256",
      )
        .sort((one, other) => Number(one.Initiated ?? 0) - Number(other.Initiated ?? 0))
        .at(-1);
      if (upload?.UploadId === undefined) return undefined;
      return { id: upload.UploadId, parts: await this.#partsOf(key, upload.UploadId) };
    } catch (error) {
      if (error instanceof OpenclawError && error.code === "access-denied") return undefined;
      throw error;
    }
  }

  async #partsOf(key: string, uploadId: string): Promise<UploadedPart[]> {
    const parts: UploadedPart[] = [];
    const tokens = new PageTokens();
    let marker: string | undefined;
    do {
      const answer = await this.#send(
        "s3:ListMultipartUploadParts",
        ANSWER_MS,
        new ListPartsCommand({ ...this.#object(key), UploadId: uploadId, PartNumberMarker: marker }),
      );
      for (const { PartNumber, Size, ChecksumSHA256, ETag } of answer.Parts ?? [])
        if (PartNumber !== undefined && Size !== undefined && ChecksumSHA256 && ETag)
          parts.push({ number: PartNumber, bytes: Size, sha256: ChecksumSHA256, etag: ETag });
      marker = answer.IsTruncated
        ? tokens.next(answer.NextPartNumberMarker, "parts", this.#answered)
        : undefined;
    } while (marker !== undefined);
    return parts;
  }

  /** Takes an object away; one that is not there is no failure. */
  async remove(key: string): Promise<void> {
    await this.#send("s3:DeleteObject", ANSWER_MS, new DeleteObjectCommand(this.#object(key)));
  }

  /** The objects whose keys begin with a prefix, in the order of their keys. */
  async *list(prefix: string): AsyncGenerator<{ key: string; bytes: number }, void, undefined> {
    const tokens = new PageTokens();
    let token: string | undefined;
    do {
      const answer = await this.#send(
        "s3:ListBucket",
        ANSWER_MS,
        new ListObjectsV2Command({ ...this.#place(), Prefix: prefix, ContinuationToken: token }),
      );
      for (const { Key, Size = 0 } of answer.Contents ?? [])
        if (Key !== undefined) yield { key: Key, bytes: Size };
      token = answer.IsTruncated
        ? tokens.next(answer.NextContinuationToken, "objects", this.#answered)
        : undefined;
    } while (token !== undefined);
  }

  /**
   * The bytes of an object as they come. Where the connection breaks it goes on from there, as long as the object is the
   * same one. Throws `invalid-request` where there is none of this key.
   */
  async *read(key: string): AsyncGenerator<Uint8Array, void, undefined> {
    let [offset, breaks] = [0, 0];
    let etag: string | undefined;
    let length: number | undefined;
    for (;;) {
      const { Body, ETag, ContentLength } = await this.#send(
        "s3:GetObject",
        undefined,
        new GetObjectCommand({
          ...this.#object(key),
          ...(offset === 0 ? {} : { Range: `bytes=${offset}-`, IfMatch: etag }),
        }),
      );
      etag = ETag;
      length ??= ContentLength;
      const stream = Body as Readable;
      const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      try {
        for (;;) {
          const { value, done } = await this.#soon(pieces.next());
          if (done === true) return;
          offset += value.length;
          breaks = 0;
          yield value;
        }
      } catch (failure) {
        breaks += 1;
        // The SDK's words: the error has no name.
        if (failure instanceof Error && failure.message.startsWith("Checksum mismatch"))
          throw this.#explain(named("BadDigest", failure), "s3:GetObject");
        // There is nothing behind the last byte that could be asked for.
        if (offset === length && !this.#signal.aborted) return;
        if (breaks >= MOST_BREAKS || this.#signal.aborted || failure instanceof OpenclawError)
          throw this.#explain(failure, "s3:GetObject");
      } finally {
        stream.destroy();
      }
    }
  }

  /** What comes before the object has been silent for too long. */
  async #soon<T>(next: Promise<T>): Promise<T> {
    const silence = AbortSignal.timeout(SILENCE_MS);
    return untilAborted(next, anySignal(this.#signal, silence));
  }

  get #answered(): Answered {
    return { session: this.#session, service: "s3" };
  }

  #place(): { Bucket: string; ExpectedBucketOwner?: string } {
    const { name, owner } = this.#bucket;
    return { Bucket: name, ...(owner === undefined ? {} : { ExpectedBucketOwner: owner }) };
  }

  #object(key: string): { Bucket: string; Key: string; ExpectedBucketOwner?: string } {
    return { ...this.#place(), Key: key };
  }

  #newObject(key: string): { Bucket: string; Key: string; ServerSideEncryption?: "aws:kms" } {
    const { kmsKey } = this.#bucket;
    const encryption = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey } as const;
    return { ...this.#object(key), ...(kmsKey === undefined ? {} : encryption) };
  }

  #options(requestTimeout: number | undefined): { abortSignal: AbortSignal; requestTimeout?: number } {
    return { abortSignal: this.#signal, ...(requestTimeout === undefined ? {} : { requestTimeout }) };
  }

  /** Sends a command; `timeoutMs` is for its answer. */
  async #send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    action: string,
    timeoutMs: number | undefined,
    command: Command<ServiceInputTypes, Input, ServiceOutputTypes, Output, S3ClientResolvedConfig>,
  ): Promise<Output> {
    try {
      return await this.#client.send(command, this.#options(timeoutMs));
    } catch (failure) {
      throw this.#explain(failure, action);
    }
  }

  #explain(failure: unknown, action: string): OpenclawError {
    const { name, owner } = this.#bucket;
    return toOpenclawError(failure, { session: this.#session, action, bucket: name, bucketOwner: owner });
  }
}

/** What was answered, where somebody answered. */
function answerOf(failure: unknown): { status: number | undefined; headers: Record<string, string> } {
  const { $metadata, $response } = (failure ?? {}) as {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
  };
  return { status: $metadata?.httpStatusCode, headers: $response?.headers ?? {} };
}

/** An answer without a body under the name, and with the words, that its body would have had. */
function named(name: string, failure: unknown, message?: string): unknown {
  if (!(failure instanceof Error)) return failure;
  return Object.assign(failure, message === undefined ? { name } : { name, message });
}
