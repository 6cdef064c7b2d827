import { authenticate, type SignedParts, type VerifiedSignature } from "../authenticate.ts";
import { AwsError } from "../aws-error.ts";
import { type OperationContext, regionOf, type Reply } from "../operation-context.ts";
import type { Needs } from "../permissions.ts";
import type { RecordedCall } from "../recorded-call.ts";
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
  listObjects,
  listObjectsV2,
} from "./bucket-operations.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
  uploadPartCopy,
} from "./multipart-operations.ts";
import {
  copyObject,
  deleteObject,
  deleteObjects,
  getObject,
  headObject,
  putObject,
  type StorageReply,
} from "./object-operations.ts";
import { readAddress } from "./storage-address.ts";
import { hostIdOf, storageCodeOf, StorageError } from "./storage-error.ts";
import type { StorageRequest } from "./storage-request.ts";

interface StorageOperation {
  method: string;
  of: "service" | "bucket" | "object";
  answer: (request: StorageRequest) => StorageReply | Promise<StorageReply>;
  /** What the query has to name. */
  asks?: readonly string[];
  /** A header that it has to have. */
  header?: string;
  /** The action that IAM must allow, where it has another name, and whether on the bucket or the object. */
  action?: string;
}

type More = Pick<StorageOperation, "asks" | "header" | "action">;

const operationOf =
  (of: StorageOperation["of"]) =>
  (method: string, answer: StorageOperation["answer"], more: More = {}): StorageOperation => ({
    method,
    of,
    answer,
    ...more,
  });
const bucket = operationOf("bucket");
const object = operationOf("object");

const PART = { asks: ["partNumber", "uploadId"], action: "PutObject" };
const COPIES = { header: "x-amz-copy-source", action: "PutObject" };

/** The operations of Amazon S3 that the emulator has, by AWS's names. The first that fits is taken. */
const OPERATIONS: Readonly<Record<string, StorageOperation>> = {
  ListBuckets: operationOf("service")("GET", listBuckets, { action: "ListAllMyBuckets" }),
  GetBucketLocation: bucket("GET", getBucketLocation, { asks: ["location"] }),
  ListMultipartUploads: bucket("GET", listMultipartUploads, {
    asks: ["uploads"],
    action: "ListBucketMultipartUploads",
  }),
  ListObjectsV2: bucket("GET", listObjectsV2, { asks: ["list-type"], action: "ListBucket" }),
  ListObjects: bucket("GET", listObjects, { action: "ListBucket" }),
  HeadBucket: bucket("HEAD", headBucket, { action: "ListBucket" }),
  CreateBucket: bucket("PUT", createBucket),
  DeleteBucket: bucket("DELETE", deleteBucket),
  DeleteObjects: bucket("POST", deleteObjects, { asks: ["delete"], action: "DeleteObject" }),
  UploadPartCopy: object("PUT", uploadPartCopy, { ...PART, ...COPIES }),
  UploadPart: object("PUT", uploadPart, PART),
  CopyObject: object("PUT", copyObject, COPIES),
  PutObject: object("PUT", putObject),
  ListParts: object("GET", listParts, { asks: ["uploadId"], action: "ListMultipartUploadParts" }),
  GetObject: object("GET", getObject),
  HeadObject: object("HEAD", headObject, { action: "GetObject" }),
  CreateMultipartUpload: object("POST", createMultipartUpload, { asks: ["uploads"], action: "PutObject" }),
  CompleteMultipartUpload: object("POST", completeMultipartUpload, {
    asks: ["uploadId"],
    action: "PutObject",
  }),
  AbortMultipartUpload: object("DELETE", abortMultipartUpload, { asks: ["uploadId"] }),
  DeleteObject: object("DELETE", deleteObject),
};

export const STORAGE_ROUTE_NAMES: readonly string[] = Object.keys(OPERATIONS);

/**
 * What a query asks for beside the object or bucket itself: each makes another operation of a request. From the paths in
 * botocore's service model of S3.
 */
const SUBRESOURCES: ReadonlySet<string> = new Set(
  (
    "accelerate acl analytics annotation attributes cors delete encryption inventory intelligent-tiering legal-hold " +
    "lifecycle list-type location logging metadataConfiguration metadataTable metrics notification object-lock " +
    "ownershipControls partNumber policy policyStatus publicAccessBlock renameObject replication requestPayment restore " +
    "retention select session tagging torrent uploadId uploads versionId versioning versions website abac"
  ).split(" "),
);

/** A request before anybody looked at its credentials. */
export interface StorageCall {
  method: string;
  host: string;
  path: string;
  query: Readonly<Record<string, string>>;
  queryText: string;
  headers: Readonly<Record<string, string>>;
  body: AsyncIterable<Buffer>;
}

export interface StorageRoute {
  readonly name: string;
  readonly service: "s3";
  readonly parameters: Readonly<Record<string, string>>;
  readonly needs: Needs;
  readonly answer: (call: RecordedCall, context: OperationContext) => Promise<Reply>;
}

/** Finds the operation of a request. One that the emulator does not have is called by the method and what it asks for. */
export function findStorageRoute(asked: StorageCall): StorageRoute {
  const { method, query, headers } = asked;
  const place = placeOf(asked);
  const { bucket = "", key = "" } = place instanceof StorageError ? {} : place;
  const of = bucket === "" ? "service" : key === "" ? "bucket" : "object";
  const wanted = Object.keys(query).filter((name) => SUBRESOURCES.has(name));
  const [name, operation] =
    Object.entries(OPERATIONS).find(
      ([, { asks = [], header, ...known }]) =>
        known.method === method &&
        known.of === of &&
        asks.length === wanted.length &&
        asks.every((one) => wanted.includes(one)) &&
        (header === undefined || headers[header] !== undefined),
    ) ?? [];
  return {
    name: name ?? `S3 ${method} ${of}${wanted.map((one) => `?${one}`).join("")}`,
    service: "s3",
    parameters: { ...(bucket === "" ? {} : { bucket }), ...(key === "" ? {} : { key }) },
    needs: (_, catalogue) => {
      if (!name || !operation) return [];
      const resource =
        of === "service"
          ? "*"
          : catalogue.storageArn(bucket, operation.action === "DeleteObject" ? "*" : key);
      return [{ action: `s3:${operation.action ?? name}`, resource, context: {} }];
    },
    answer: async (call, context) => {
      const signing = await checkCredentials(call, asked.queryText, context);
      if (place instanceof StorageError) throw place;
      if (!operation) throw new StorageError(wanted.length > 0 ? "NotImplemented" : "MethodNotAllowed");
      const reply = await operation.answer({
        buckets: context.buckets,
        account: context.account.id,
        region: regionOf(call, context),
        now: context.now(),
        bucketName: bucket,
        key,
        query,
        headers,
        body: asked.body,
        signing,
      });
      return toReply(reply, call.requestId);
    },
  };
}

function placeOf({ host, path }: StorageCall): ReturnType<typeof readAddress> | StorageError {
  try {
    return readAddress(host, path);
  } catch (error) {
    // It is told to those whose credentials are good.
    if (error instanceof StorageError) return error;
    throw error;
  }
}

function toReply({ status, headers, xml, content }: StorageReply, requestId: string): Reply {
  const own = { "x-amz-id-2": hostIdOf(requestId), server: "AmazonS3", ...headers };
  if (content) return { status, headers: own, content };
  return {
    status,
    headers: xml === undefined ? own : { "content-type": "application/xml", ...own },
    body: xml ?? "",
  };
}

/** What `x-amz-content-sha256` may say beside a hash: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html */
const PAYLOADS = [
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
];

/** Checks the signature of a request, and tells what those of its chunks follow from. Throws `StorageError`. */
async function checkCredentials(
  call: RecordedCall,
  queryText: string,
  { known, now }: OperationContext,
): Promise<VerifiedSignature | undefined> {
  const parts: SignedParts = { queryText, body: undefined };
  try {
    const signed = await authenticate(call, parts, known, "s3", now());
    const payload = call.headers["x-amz-content-sha256"];
    if (payload === undefined)
      throw new StorageError(
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
      );
    if (!PAYLOADS.includes(payload) && !/^[0-9a-f]{64}$/.test(payload))
      throw new StorageError(
        "InvalidArgument",
        `x-amz-content-sha256 must be ${PAYLOADS.join(", ")} or a valid sha256 value.`,
        { ArgumentName: "x-amz-content-sha256", ArgumentValue: payload },
      );
    return signed;
  } catch (error) {
    if (error instanceof StorageError || !(error instanceof AwsError)) throw error;
    throw inOwnWords(error);
  }
}

/** What is wrong with credentials, as S3 says it. */
function inOwnWords({ awsName, message }: AwsError): StorageError {
  if (awsName !== "InvalidSignatureException" || message.startsWith("The request signature"))
    return new StorageError(storageCodeOf(awsName) ?? "AccessDenied");
  return /^Signature (expired|not yet current)/.test(message)
    ? new StorageError("RequestTimeTooSkewed")
    : new StorageError("AuthorizationHeaderMalformed", `The authorization header is malformed; ${message}`);
}
