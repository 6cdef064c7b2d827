import type { VerifiedSignature } from "../authenticate.ts";
import type { Bucket, Buckets } from "./buckets.ts";
import { receiveBody } from "./receive-body.ts";
import { StorageError } from "./storage-error.ts";

/** One request to Amazon S3 whose credentials are good. */
export interface StorageRequest {
  readonly buckets: Buckets;
  /** Number of the account, which owns every bucket. */
  readonly account: string;
  /** The region that the request is signed for. */
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly bucketName: string;
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer>;
  readonly signing: VerifiedSignature | undefined;
}

/** A document in a request may have so many bytes: 10,000 parts with two checksums each, or 1,000 long keys. */
const MOST_DOCUMENT_BYTES = 4 * 1024 * 1024;

/**
 * The bucket of a request. Throws `StorageError` where there is none, where it is somebody else's than expected, and where it
 * is in another region: https://docs.aws.amazon.com/AmazonS3/latest/API/Redirects.html
 */
export function bucketOf(request: StorageRequest, isAnyRegion = false): Bucket {
  const { buckets, bucketName, account, region, headers } = request;
  const bucket = buckets.find(bucketName, region);
  if (bucket === undefined) throw new StorageError("NoSuchBucket", undefined, { BucketName: bucketName });
  const owner = headers["x-amz-expected-bucket-owner"];
  if (owner !== undefined && owner !== account) throw new StorageError("AccessDenied");
  if (bucket.region !== region && !isAnyRegion)
    throw new StorageError(
      "PermanentRedirect",
      undefined,
      { Endpoint: `${bucketName}.s3.${bucket.region}.amazonaws.com`, Bucket: bucketName },
      bucket.region,
    );
  return bucket;
}

/** The text of a request's body, which has to be one document of XML. */
export async function documentOf(request: StorageRequest): Promise<{ xml: string; isChecked: boolean }> {
  const { headers, body, signing } = request;
  const pieces: Buffer[] = [];
  let bytes = 0;
  const { isChecksumNamed } = await receiveBody(headers, body, signing, async (piece) => {
    bytes += piece.length;
    if (bytes > MOST_DOCUMENT_BYTES) throw new StorageError("MalformedXML");
    pieces.push(piece);
  });
  return {
    xml: Buffer.concat(pieces).toString("utf8"),
    isChecked: isChecksumNamed || headers["content-md5"] !== undefined,
  };
}

/** A whole number in the query. Throws `StorageError` for anything else, and for one out of its bounds. */
export function numberIn(
  { query }: StorageRequest,
  name: string,
  bounds: { least: number; most: number; usual: number },
): number {
  const text = query[name];
  if (text === undefined || text === "") return bounds.usual;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < bounds.least || value > 2 ** 31 - 1) {
    const message = `Argument ${name} must be an integer between ${bounds.least} and 2147483647`;
    throw new StorageError("InvalidArgument", message, { ArgumentName: name, ArgumentValue: text });
  }
  return Math.min(value, bounds.most);
}
