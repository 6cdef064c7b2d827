import type { Bucket, StoredObject } from "./buckets.ts";
import type { StorageReply } from "./object-operations.ts";
import { StorageError } from "./storage-error.ts";
import { bucketOf, documentOf, numberIn, type StorageRequest } from "./storage-request.ts";
import { textOf, toXml, type XmlContent } from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export function listBuckets({ buckets, account, region: asked }: StorageRequest): StorageReply {
  const found = buckets.list().map(({ name, created, region }) => ({
    Name: name,
    CreationDate: new Date(created).toISOString(),
    BucketRegion: region || asked,
  }));
  const owner = { ID: ownerId(account) };
  return { status: 200, xml: toXml("ListAllMyBucketsResult", { Owner: owner, Buckets: { Bucket: found } }) };
}

function ownerId(account: string): string {
  return account.padStart(64, "0");
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
export async function createBucket(request: StorageRequest): Promise<StorageReply> {
  const { buckets, bucketName, region, now, headers } = request;
  const isEmpty = headers["content-length"] === undefined || headers["content-length"] === "0";
  const { xml } = isEmpty ? { xml: "" } : await documentOf(request);
  const asked = textOf(xml, "LocationConstraint");
  if (asked === "us-east-1") throw new StorageError("InvalidLocationConstraint");
  if ((asked ?? "us-east-1") !== region)
    throw new StorageError(
      "IllegalLocationConstraintException",
      `The ${asked ?? "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  buckets.create(bucketName, region, now);
  return { status: 200, headers: { location: `/${bucketName}` } };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
export function headBucket(request: StorageRequest): StorageReply {
  const { region } = bucketOf(request);
  return { status: 200, headers: { "x-amz-bucket-region": region, "content-type": "application/xml" } };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html */
export function deleteBucket(request: StorageRequest): StorageReply {
  request.buckets.delete(bucketOf(request));
  return { status: 204 };
}

/** Any region tells where a bucket is: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
export function getBucketLocation(request: StorageRequest): StorageReply {
  const { region } = bucketOf(request, true);
  const text = region === "us-east-1" ? "" : region;
  const xml = toXml("LocationConstraint", {}).replace("></", `>${text}</`);
  return { status: 200, xml };
}

/** The order of S3's lists: by the bytes of UTF-8. */
export function compareKeys(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** What a list has of its objects and of the folders that a delimiter makes of them, a page of it. */
interface ListPage {
  objects: StoredObject[];
  prefixes: string[];
  /** The last key or folder of the page where more follow. */
  last: string | undefined;
}

function pageOf(
  all: Iterable<StoredObject>,
  { prefix, delimiter, after, most }: { prefix: string; delimiter: string; after: string; most: number },
): ListPage {
  const sorted = [...all]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((one, other) => compareKeys(one.key, other.key));
  const page: ListPage = { objects: [], prefixes: [], last: undefined };
  let last: string | undefined;
  for (const object of sorted) {
    const end = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    const entry = end === -1 ? object.key : object.key.slice(0, end + delimiter.length);
    if (entry === last || compareKeys(entry, after) <= 0) continue;
    if (page.objects.length + page.prefixes.length === most) {
      page.last = last;
      break;
    }
    last = entry;
    if (end === -1) page.objects.push(object);
    else page.prefixes.push(entry);
  }
  return page;
}

/** The page of a list behind a key or folder, and what both lists say of it in the same words. */
function listPage(
  request: StorageRequest,
  bucket: Bucket,
  after: string,
): { page: ListPage; encode: (text: string) => string; common: { [name: string]: XmlContent } } {
  const { prefix = "", delimiter = "", "encoding-type": encoding } = request.query;
  const most = numberIn(request, "max-keys", { least: 0, most: 1000, usual: 1000 });
  const page = pageOf(bucket.objects.values(), { prefix, delimiter, after, most });
  const encode = encoderOf(request);
  const common = {
    Name: bucket.name,
    Prefix: encode(prefix),
    ...(delimiter === "" ? {} : { Delimiter: encode(delimiter) }),
    MaxKeys: most,
    ...(encoding === undefined ? {} : { EncodingType: encoding }),
    IsTruncated: page.last !== undefined,
  };
  return { page, encode, common };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listObjectsV2(request: StorageRequest): StorageReply {
  const bucket = bucketOf(request);
  const { query, account } = request;
  const { "start-after": startAfter, "continuation-token": token } = query;
  const after = token === undefined ? (startAfter ?? "") : readToken(token);
  const { page, encode, common } = listPage(request, bucket, after);
  const owner = query["fetch-owner"] === "true" ? { Owner: { ID: ownerId(account) } } : {};
  return {
    status: 200,
    xml: toXml("ListBucketResult", {
      ...common,
      KeyCount: page.objects.length + page.prefixes.length,
      ContinuationToken: token,
      NextContinuationToken: page.last && writeToken(page.last),
      StartAfter: startAfter === undefined ? undefined : encode(startAfter),
      Contents: page.objects.map((object) => ({ ...describe(object, encode), ...owner })),
      CommonPrefixes: page.prefixes.map((folder) => ({ Prefix: encode(folder) })),
    }),
  };
}

/** The older list: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
export function listObjects(request: StorageRequest): StorageReply {
  const { delimiter = "", marker = "" } = request.query;
  const { page, encode, common } = listPage(request, bucketOf(request), marker);
  return {
    status: 200,
    xml: toXml("ListBucketResult", {
      ...common,
      Marker: encode(marker),
      NextMarker: delimiter === "" ? undefined : page.last && encode(page.last),
      Contents: page.objects.map((object) => describe(object, encode)),
      CommonPrefixes: page.prefixes.map((folder) => ({ Prefix: encode(folder) })),
    }),
  };
}

function describe(object: StoredObject, encode: (text: string) => string): { [name: string]: XmlContent } {
  const { key, modified, etag, checksum, bytes } = object;
  return {
    Key: encode(key),
    LastModified: new Date(modified).toISOString(),
    ETag: `"${etag}"`,
    ChecksumAlgorithm: checksum.name.toUpperCase(),
    ChecksumType: checksum.type,
    Size: bytes,
    StorageClass: object.headers["x-amz-storage-class"] ?? "STANDARD",
  };
}

/** XML 1.0 has no place for some characters of a key: clients ask for percent signs in their place. */
export function encoderOf({ query }: StorageRequest): (text: string) => string {
  const encoding = query["encoding-type"];
  if (encoding === undefined) return (text) => text;
  if (encoding !== "url")
    throw new StorageError("InvalidArgument", "Invalid Encoding Method specified in Request", {
      ArgumentName: "encoding-type",
      ArgumentValue: encoding,
    });
  return (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%20", "+");
}

function writeToken(last: string): string {
  return Buffer.from(`after ${last}`).toString("base64");
}

function readToken(token: string): string {
  const [, last] = /^after (.+)$/s.exec(Buffer.from(token, "base64").toString()) ?? [];
  if (last !== undefined) return last;
  throw new StorageError("InvalidArgument", "The continuation token provided is incorrect", {
    ArgumentName: "continuation-token",
  });
}
