import { createHash } from "node:crypto";
import type { Bucket, StoredObject } from "./buckets.ts";
import { startChecksum } from "./checksums.ts";
import type { Blob, DiskStore } from "./disk-store.ts";
import { checksumHeader, encryptionHeaders, etagOf, keptHeaders, objectHeaders } from "./object-headers.ts";
import { type Checksum, type ReceivedBody, receiveBody } from "./receive-body.ts";
import { readAddress } from "./storage-address.ts";
import { StorageError } from "./storage-error.ts";
import { bucketOf, documentOf, type StorageRequest } from "./storage-request.ts";
import { insideOf, textOf, toXml } from "./xml.ts";

/** An answer of Amazon S3: XML or nothing, or bytes as they are read. */
export interface StorageReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly xml?: string;
  readonly content?: AsyncIterable<Uint8Array>;
}

/** Receives the bytes of a request onto the disk. Throws `StorageError`, and leaves nothing behind then. */
export async function receiveBlob(request: StorageRequest): Promise<{ blob: Blob; body: ReceivedBody }> {
  const draft = await request.buckets.disk.start();
  try {
    const body = await receiveBody(request.headers, request.body, request.signing, (piece) =>
      draft.write(piece),
    );
    return { blob: await draft.finish(), body };
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export async function putObject(request: StorageRequest): Promise<StorageReply> {
  const { buckets, key, now } = request;
  const bucket = bucketOf(request);
  buckets.checkRoom();
  const headers = keptHeaders(request);
  checkPut(request, bucket);
  const { blob, body } = await receiveBlob(request);
  try {
    // Somebody else may have been faster.
    checkPut(request, bucket);
  } catch (error) {
    await buckets.disk.remove([blob]);
    throw error;
  }
  const etag = etagOf(body.md5, headers);
  const checksum = { ...body.checksum, type: "FULL_OBJECT" as const };
  await buckets.put(bucket, {
    key,
    blobs: [blob],
    bytes: body.bytes,
    etag,
    modified: now,
    headers,
    checksum,
  });
  return {
    status: 200,
    headers: {
      etag: `"${etag}"`,
      ...encryptionHeaders(headers),
      ...checksumHeader(checksum),
      "x-amz-checksum-type": checksum.type,
    },
  };
}

/** Throws `StorageError` where an upload is to make an object that is there, or to replace one that is another by now. */
export function checkPut({ headers, key }: StorageRequest, bucket: Bucket): void {
  const there = bucket.objects.get(key);
  const [ifNoneMatch, ifMatch] = [headers["if-none-match"], headers["if-match"]];
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") throw new StorageError("NotImplemented");
  if (ifNoneMatch === "*" && there)
    throw new StorageError("PreconditionFailed", undefined, { Condition: "If-None-Match" });
  if (ifMatch === undefined) return;
  if (!there) throw new StorageError("NoSuchKey", undefined, { Key: key });
  if (unquoted(ifMatch) !== there.etag)
    throw new StorageError("PreconditionFailed", undefined, { Condition: "If-Match" });
}

function unquoted(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/, "$1");
}

function objectOf({ key }: Pick<StorageRequest, "key">, bucket: Bucket): StoredObject {
  const object = bucket.objects.get(key);
  if (object) return object;
  throw new StorageError("NoSuchKey", undefined, { Key: key });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export function getObject(request: StorageRequest): StorageReply {
  const bucket = bucketOf(request);
  const object = objectOf(request, bucket);
  const range = rangeOf(request.headers["range"], object.bytes);
  const reply = describeObject(request, object, range);
  if (reply.status === 304) return reply;
  const { start, end } = range ?? { start: 0, end: object.bytes };
  return { ...reply, content: request.buckets.disk.read(object.blobs, start, end) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export function headObject(request: StorageRequest): StorageReply {
  const object = objectOf(request, bucketOf(request));
  return describeObject(request, object, rangeOf(request.headers["range"], object.bytes));
}

interface ByteRange {
  start: number;
  /** The byte behind the last one. */
  end: number;
}

/** One range of bytes (RFC 9110, section 14.1.2). What is none, or several of them, asks for everything. */
export function rangeOf(text: string | undefined, bytes: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(text?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(bytes - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? bytes : Math.min(Number(last) + 1, bytes);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (start >= end)
    throw new StorageError("InvalidRange", undefined, {
      RangeRequested: text ?? "",
      ActualObjectSize: String(bytes),
    });
  return { start, end };
}

function describeObject({ headers }: StorageRequest, object: StoredObject, range?: ByteRange): StorageReply {
  const described = objectHeaders(object);
  if (!isWanted(headers, object)) return { status: 304, headers: described };
  const wantsChecksum = headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED" && range === undefined;
  const { start, end } = range ?? { start: 0, end: object.bytes };
  return {
    status: range ? 206 : 200,
    headers: {
      ...described,
      "content-length": String(end - start),
      ...(range ? { "content-range": `bytes ${start}-${end - 1}/${object.bytes}` } : {}),
      ...(wantsChecksum
        ? { ...checksumHeader(object.checksum), "x-amz-checksum-type": object.checksum.type }
        : {}),
    },
  };
}

/**
 * Whether an object is asked for under these conditions (RFC 9110, section 13.2.2); not where the client has it already.
 * Throws `StorageError` where it is to be another one than it is.
 */
function isWanted(headers: Readonly<Record<string, string>>, { etag, modified }: StoredObject): boolean {
  const seconds = Math.floor(modified / 1000) * 1000;
  const has = (list: string): boolean =>
    list.trim() === "*" || list.split(",").some((one) => unquoted(one) === etag);
  const [ifMatch, ifNoneMatch] = [headers["if-match"], headers["if-none-match"]];
  const since = Date.parse(headers["if-modified-since"] ?? "");
  const until = Date.parse(headers["if-unmodified-since"] ?? "");
  const isOther = ifMatch === undefined ? seconds > until : !has(ifMatch);
  if (isOther)
    throw new StorageError("PreconditionFailed", undefined, {
      Condition: ifMatch === undefined ? "If-Unmodified-Since" : "If-Match",
    });
  return ifNoneMatch === undefined ? !(seconds <= since) : !has(ifNoneMatch);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export async function copyObject(request: StorageRequest): Promise<StorageReply> {
  const { buckets, key, now, headers } = request;
  const bucket = bucketOf(request);
  buckets.checkRoom();
  checkPut(request, bucket);
  const source = sourceOf(request);
  const isReplaced = headers["x-amz-metadata-directive"] === "REPLACE";
  const own = keptHeaders(request);
  const kept = isReplaced ? own : { ...source.headers, ...encryptionHeaders(own) };
  const { bytes } = source;
  const { blob, md5, checksum } = await storeBytes(buckets.disk, buckets.disk.read(source.blobs, 0, bytes));
  const etag = etagOf(md5, kept);
  await buckets.put(bucket, {
    key,
    blobs: [blob],
    bytes,
    etag,
    modified: now,
    headers: kept,
    checksum: { ...checksum, type: "FULL_OBJECT" },
  });
  return {
    status: 200,
    headers: encryptionHeaders(kept),
    xml: toXml("CopyObjectResult", { LastModified: new Date(now).toISOString(), ETag: `"${etag}"` }),
  };
}

/**
 * Puts bytes on the disk, and takes their MD5 and CRC64NVME. Throws `StorageError`, or rejects as the bytes do, and leaves
 * nothing behind then.
 */
export async function storeBytes(
  disk: DiskStore,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ blob: Blob; md5: string; checksum: Checksum }> {
  const draft = await disk.start();
  const md5 = createHash("md5");
  const checksum = startChecksum("crc64nvme");
  try {
    for await (const piece of bytes) {
      md5.update(piece);
      checksum.update(piece);
      await draft.write(piece);
    }
  } catch (error) {
    await draft.discard();
    throw error;
  }
  return {
    blob: await draft.finish(),
    md5: md5.digest("hex"),
    checksum: { name: "crc64nvme", value: checksum.digest() },
  };
}

/** The object that a request copies from. */
export function sourceOf({ buckets, headers, region }: StorageRequest): StoredObject {
  const named = (headers["x-amz-copy-source"] ?? "").replace(/\?.*$/s, "");
  const { bucket: name = "", key = "" } = readAddress("", named.startsWith("/") ? named : `/${named}`);
  const bucket = buckets.find(name, region);
  if (!bucket) throw new StorageError("NoSuchBucket", undefined, { BucketName: name });
  return objectOf({ key }, bucket);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
export async function deleteObject(request: StorageRequest): Promise<StorageReply> {
  await request.buckets.deleteObject(bucketOf(request), request.key);
  return { status: 204 };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export async function deleteObjects(request: StorageRequest): Promise<StorageReply> {
  const bucket = bucketOf(request);
  const { xml, isChecked } = await documentOf(request);
  if (!isChecked)
    throw new StorageError(
      "InvalidRequest",
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    );
  const objects = insideOf(xml, "Object");
  if (objects.length === 0 || objects.length > 1000) throw new StorageError("MalformedXML");
  const deleted: { Key: string }[] = [];
  for (const object of objects) {
    const key = textOf(object, "Key");
    if (key === undefined) throw new StorageError("MalformedXML");
    await request.buckets.deleteObject(bucket, key);
    deleted.push({ Key: key });
  }
  const isQuiet = textOf(xml, "Quiet") === "true";
  return { status: 200, xml: toXml("DeleteResult", isQuiet ? {} : { Deleted: deleted }) };
}
