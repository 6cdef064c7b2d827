import { createHash } from "node:crypto";
import { compareKeys, encoderOf } from "./bucket-operations.ts";
import { type Bucket, newUploadId, type Upload, type UploadedPart } from "./buckets.ts";
import { CHECKSUMS, type ChecksumName, startChecksum } from "./checksums.ts";
import { checksumHeader, encryptionHeaders, etagOf, keptHeaders } from "./object-headers.ts";
import {
  checkPut,
  rangeOf,
  receiveBlob,
  sourceOf,
  storeBytes,
  type StorageReply,
} from "./object-operations.ts";
import type { Checksum } from "./receive-body.ts";
import { StorageError } from "./storage-error.ts";
import { bucketOf, documentOf, numberIn, type StorageRequest } from "./storage-request.ts";
import { insideOf, textOf, toXml, type XmlContent } from "./xml.ts";

/** Every part but the last has so many bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LEAST_PART_BYTES = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export function createMultipartUpload(request: StorageRequest): StorageReply {
  const { buckets, key, now, headers } = request;
  const bucket = bucketOf(request);
  buckets.checkRoom();
  const checksumName = algorithmOf(headers["x-amz-checksum-algorithm"]);
  const checksumType = typeOf(headers["x-amz-checksum-type"], checksumName);
  const id = newUploadId();
  const kept = keptHeaders(request);
  bucket.uploads.set(id, {
    id,
    key,
    started: now,
    headers: kept,
    checksumName,
    checksumType,
    parts: new Map(),
  });
  return {
    status: 200,
    headers: {
      ...encryptionHeaders(kept),
      ...(checksumName === undefined
        ? {}
        : {
            "x-amz-checksum-algorithm": checksumName.toUpperCase(),
            "x-amz-checksum-type": checksumType,
          }),
    },
    xml: toXml("InitiateMultipartUploadResult", { Bucket: bucket.name, Key: key, UploadId: id }),
  };
}

function algorithmOf(text: string | undefined): ChecksumName | undefined {
  if (text === undefined) return undefined;
  const name = CHECKSUMS.find((known) => known.toUpperCase() === text.toUpperCase());
  if (name) return name;
  throw new StorageError(
    "InvalidRequest",
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
  );
}

/** SHAs cannot be put together to that of the whole, and CRC64NVME is of the whole only. */
function typeOf(text: string | undefined, name: ChecksumName | undefined): Upload["checksumType"] {
  const usual = name === undefined || name === "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE";
  const type = text?.toUpperCase() ?? usual;
  const isPossible =
    name !== undefined &&
    (type === "COMPOSITE" ? name !== "crc64nvme" : type === "FULL_OBJECT" && name.startsWith("crc"));
  if (text !== undefined && !isPossible)
    throw new StorageError(
      "InvalidRequest",
      `The ${type} checksum type cannot be used with the ${name ?? "null"} checksum algorithm.`,
    );
  return type === "COMPOSITE" ? "COMPOSITE" : "FULL_OBJECT";
}

/** The upload of a request, which has to be of its key. */
function uploadOf({ query, key }: StorageRequest, bucket: Bucket): Upload {
  const id = query["uploadId"] ?? "";
  const upload = bucket.uploads.get(id);
  if (upload?.key === key) return upload;
  throw new StorageError("NoSuchUpload", undefined, { UploadId: id });
}

function partNumberOf({ query }: StorageRequest): number {
  const number = Number(query["partNumber"]);
  if (Number.isInteger(number) && number >= 1 && number <= MOST_PARTS) return number;
  throw new StorageError(
    "InvalidArgument",
    `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`,
    { ArgumentName: "partNumber", ArgumentValue: query["partNumber"] ?? "" },
  );
}

async function keepPart(
  { buckets }: StorageRequest,
  upload: Upload,
  number: number,
  part: UploadedPart,
): Promise<void> {
  const former = upload.parts.get(number);
  upload.parts.set(number, part);
  if (former) await buckets.disk.remove([former.blob]);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
export async function uploadPartCopy(request: StorageRequest): Promise<StorageReply> {
  const { buckets, now, headers } = request;
  const bucket = bucketOf(request);
  const number = partNumberOf(request);
  const upload = uploadOf(request, bucket);
  buckets.checkRoom();
  const source = sourceOf(request);
  const { start, end } = rangeOf(headers["x-amz-copy-source-range"], source.bytes) ?? {
    start: 0,
    end: source.bytes,
  };
  const { blob, md5, checksum } = await storeBytes(buckets.disk, buckets.disk.read(source.blobs, start, end));
  await keepPart(request, upload, number, { blob, etag: md5, modified: now, checksum });
  const LastModified = new Date(now).toISOString();
  return { status: 200, xml: toXml("CopyPartResult", { LastModified, ETag: `"${md5}"` }) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(request: StorageRequest): Promise<StorageReply> {
  const { buckets, now } = request;
  const bucket = bucketOf(request);
  const number = partNumberOf(request);
  const upload = uploadOf(request, bucket);
  buckets.checkRoom();
  const { blob, body } = await receiveBlob(request);
  const { checksum, isChecksumNamed } = body;
  const given = isChecksumNamed ? checksum.name : undefined;
  try {
    if (upload.checksumName !== undefined && given !== upload.checksumName)
      throw new StorageError(
        "InvalidRequest",
        `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksumName}, actual checksum Type: ${given ?? "null"}`,
      );
    // It may have been aborted while its bytes came.
    uploadOf(request, bucket);
  } catch (error) {
    await buckets.disk.remove([blob]);
    throw error;
  }
  await keepPart(request, upload, number, { blob, etag: body.md5, modified: now, checksum });
  return {
    status: 200,
    headers: { etag: `"${body.md5}"`, ...encryptionHeaders(upload.headers), ...checksumHeader(checksum) },
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export async function completeMultipartUpload(request: StorageRequest): Promise<StorageReply> {
  const { buckets, key, now } = request;
  const bucket = bucketOf(request);
  const { xml } = await documentOf(request);
  const upload = uploadOf(request, bucket);
  const parts = partsOf(xml, upload);
  checkPut(request, bucket);
  const blobs = parts.map(({ blob }) => blob);
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0);
  const checksum = await checksumOfWhole(request, upload, parts, bytes);
  const expected = request.headers[`x-amz-checksum-${checksum.name}`];
  if (expected !== undefined && expected !== checksum.value)
    throw new StorageError(
      "BadDigest",
      `The ${checksum.name} you specified did not match the calculated checksum.`,
    );
  const size = request.headers["x-amz-mp-object-size"];
  if (size !== undefined && Number(size) !== bytes)
    throw new StorageError(
      "InvalidRequest",
      `The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: ${bytes}`,
    );
  const md5 = createHash("md5");
  for (const { etag } of parts) md5.update(Buffer.from(etag, "hex"));
  const etag = `${etagOf(md5.digest("hex"), upload.headers)}-${parts.length}`;
  const { headers } = upload;
  await buckets.put(bucket, { key, blobs, bytes, etag, modified: now, headers, checksum });
  await buckets.endUpload(bucket, upload, parts);
  return {
    status: 200,
    headers: encryptionHeaders(headers),
    xml: toXml("CompleteMultipartUploadResult", {
      Location: `http://${bucket.name}.s3.${bucket.region}.amazonaws.com/${encodeURIComponent(key)}`,
      Bucket: bucket.name,
      Key: key,
      ETag: `"${etag}"`,
      [`Checksum${checksum.name.toUpperCase()}`]: checksum.value,
      ChecksumType: checksum.type,
    }),
  };
}

/** The parts that a document names, in their order. Throws `StorageError` for others than were uploaded. */
function partsOf(xml: string, upload: Upload): UploadedPart[] {
  const named = insideOf(xml, "Part");
  if (named.length === 0 || named.length > MOST_PARTS) throw new StorageError("MalformedXML");
  let last = 0;
  const parts = named.map((text) => {
    const number = Number(textOf(text, "PartNumber"));
    const etag = textOf(text, "ETag")?.replaceAll('"', "");
    if (!Number.isInteger(number) || etag === undefined) throw new StorageError("MalformedXML");
    if (number <= last) throw new StorageError("InvalidPartOrder", undefined, { UploadId: upload.id });
    last = number;
    const part = upload.parts.get(number);
    if (part?.etag !== etag)
      throw new StorageError("InvalidPart", undefined, {
        UploadId: upload.id,
        PartNumber: String(number),
        ETag: etag,
      });
    checkPart(text, number, part, upload);
    return part;
  });
  for (const { blob, etag } of parts.slice(0, -1)) {
    if (blob.bytes < LEAST_PART_BYTES)
      throw new StorageError("EntityTooSmall", undefined, {
        ETag: etag,
        MinSizeAllowed: String(LEAST_PART_BYTES),
        ProposedSize: String(blob.bytes),
      });
  }
  return parts;
}

function checkPart(text: string, number: number, part: UploadedPart, upload: Upload): void {
  const { checksumName: name } = upload;
  if (name === undefined) return;
  const given = textOf(text, `Checksum${name.toUpperCase()}`);
  if (given === undefined && upload.checksumType === "COMPOSITE")
    throw new StorageError(
      "InvalidRequest",
      `The upload was created using a ${name} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  if (given !== undefined && given !== part.checksum.value)
    throw new StorageError("InvalidPart", undefined, { UploadId: upload.id, PartNumber: String(number) });
}

/** The checksum of all parts: of their checksums, with their number behind it, or of all bytes. */
async function checksumOfWhole(
  { buckets }: StorageRequest,
  { checksumName, checksumType: type }: Upload,
  parts: readonly UploadedPart[],
  bytes: number,
): Promise<Checksum & { type: Upload["checksumType"] }> {
  const name = checksumName ?? "crc64nvme";
  const checksum = startChecksum(name);
  if (type === "COMPOSITE") {
    for (const part of parts) checksum.update(Buffer.from(part.checksum.value, "base64"));
    return { name, value: `${checksum.digest()}-${parts.length}`, type };
  }
  const blobs = parts.map(({ blob }) => blob);
  for await (const piece of buckets.disk.read(blobs, 0, bytes)) checksum.update(piece);
  return { name, value: checksum.digest(), type };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export async function abortMultipartUpload(request: StorageRequest): Promise<StorageReply> {
  const bucket = bucketOf(request);
  await request.buckets.endUpload(bucket, uploadOf(request, bucket));
  return { status: 204 };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export function listParts(request: StorageRequest): StorageReply {
  const bucket = bucketOf(request);
  const upload = uploadOf(request, bucket);
  const most = numberIn(request, "max-parts", { least: 0, most: 1000, usual: 1000 });
  const after = numberIn(request, "part-number-marker", { least: 0, most: MOST_PARTS, usual: 0 });
  const left = [...upload.parts].filter(([number]) => number > after).sort(([one], [other]) => one - other);
  const page = left.slice(0, most);
  const isTruncated = left.length > most && most > 0;
  return {
    status: 200,
    xml: toXml("ListPartsResult", {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.[0] ?? 0,
      MaxParts: most,
      IsTruncated: isTruncated,
      StorageClass: "STANDARD",
      ...checksumOf(upload),
      Part: page.map(([number, { etag, modified, blob, checksum }]): XmlContent => ({
        PartNumber: number,
        LastModified: new Date(modified).toISOString(),
        ETag: `"${etag}"`,
        Size: blob.bytes,
        [`Checksum${checksum.name.toUpperCase()}`]: checksum.value,
      })),
    }),
  };
}

function checksumOf({ checksumName, checksumType }: Upload): Record<string, string> {
  if (checksumName === undefined) return {};
  return { ChecksumAlgorithm: checksumName.toUpperCase(), ChecksumType: checksumType };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export function listMultipartUploads(request: StorageRequest): StorageReply {
  const bucket = bucketOf(request);
  const { prefix = "", "key-marker": keyMarker = "", "upload-id-marker": idMarker = "" } = request.query;
  const most = numberIn(request, "max-uploads", { least: 1, most: 1000, usual: 1000 });
  const encode = encoderOf(request);
  const left = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((one, other) => compareKeys(one.key, other.key) || (one.id < other.id ? -1 : 1))
    .filter(({ key, id }) =>
      key === keyMarker ? idMarker !== "" && id > idMarker : compareKeys(key, keyMarker) > 0,
    );
  const page = left.slice(0, most);
  const last = left.length > most ? page.at(-1) : undefined;
  return {
    status: 200,
    xml: toXml("ListMultipartUploadsResult", {
      Bucket: bucket.name,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: last && encode(last.key),
      NextUploadIdMarker: last?.id,
      Prefix: encode(prefix),
      MaxUploads: most,
      IsTruncated: last !== undefined,
      Upload: page.map((upload): XmlContent =>
        Object.assign(checksumOf(upload), {
          Key: encode(upload.key),
          UploadId: upload.id,
          Initiated: new Date(upload.started).toISOString(),
          StorageClass: "STANDARD",
        }),
      ),
    }),
  };
}
