import { createHash } from "node:crypto";
import type { VerifiedSignature } from "../authenticate.ts";
import { AwsError } from "../aws-error.ts";
import { CHECKSUMS, type ChecksumName, lengthOfChecksum, startChecksum } from "./checksums.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { StorageError } from "./storage-error.ts";

export interface ReceivedBody {
  bytes: number;
  /** MD5 in hexadecimal. */
  md5: string;
  checksum: Checksum;
  /** Whether the sender named the checksum, or S3 took one by itself. */
  isChecksumNamed: boolean;
}

export interface Checksum {
  name: ChecksumName;
  /** In base64; of several parts with `-` and their number behind it. */
  value: string;
}

/** One body may have so many bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_BODY_BYTES = 5 * 1024 ** 3;

type Headers = Readonly<Record<string, string>>;

/**
 * Reads a body to its end, hands its content on, and checks it against everything that its headers and trailers say of it:
 * length, signatures, MD5, SHA-256 and the one checksum. What comes behind a failure is read and dropped, so that the client
 * can hear of it. Throws `StorageError` in S3's words.
 */
export async function receiveBody(
  headers: Headers,
  source: AsyncIterable<Buffer>,
  signing: VerifiedSignature | undefined,
  take: (bytes: Buffer) => Promise<void>,
): Promise<ReceivedBody> {
  const declared = headers["x-amz-content-sha256"] ?? "";
  const isChunked = declared.startsWith("STREAMING-");
  checkLength(headers, isChunked);
  const { name, given, isTrailer } = checksumOf(headers);
  const md5Given = md5Of(headers);
  const chunks = isChunked
    ? new ChunkedBody(
        declared.startsWith("STREAMING-UNSIGNED-") ? undefined : signing,
        declared.endsWith("-TRAILER"),
      )
    : undefined;
  const checksum = startChecksum(name ?? "crc64nvme");
  const md5 = createHash("md5");
  const sha256 = /^[0-9a-f]{64}$/.test(declared) ? createHash("sha256") : undefined;
  let bytes = 0;
  const takeContent = async (piece: Buffer): Promise<void> => {
    bytes += piece.length;
    if (bytes > MOST_BODY_BYTES) throw new StorageError("EntityTooLarge");
    checksum.update(piece);
    md5.update(piece);
    sha256?.update(piece);
    await take(piece);
  };
  let failure: AwsError | undefined;
  for await (const arrived of source) {
    if (failure) continue;
    try {
      if (chunks) for (const piece of chunks.take(arrived)) await takeContent(piece);
      else await takeContent(arrived);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      failure = error;
    }
  }
  if (failure) throw failure;
  const trailers = chunks?.finish() ?? {};
  const decoded = headers["x-amz-decoded-content-length"];
  if (chunks && Number(decoded) !== bytes) throw new StorageError("IncompleteBody");
  if (sha256 && sha256.digest("hex") !== declared) throw new StorageError("XAmzContentSHA256Mismatch");
  const ownMd5 = md5.digest();
  if (md5Given && !md5Given.equals(ownMd5)) throw new StorageError("BadDigest");
  const value = checksum.digest();
  const expected = isTrailer && name ? trailers[`x-amz-checksum-${name}`] : given;
  if (isTrailer && expected === undefined) throw new StorageError("MalformedTrailerError");
  if (name && expected !== value)
    throw new StorageError(
      "BadDigest",
      `The ${name.toUpperCase()} you specified did not match the calculated checksum.`,
    );
  return {
    bytes,
    md5: ownMd5.toString("hex"),
    checksum: { name: name ?? "crc64nvme", value },
    isChecksumNamed: name !== undefined,
  };
}

/** Without one S3 does not know where a body ends. */
function checkLength(headers: Headers, isChunked: boolean): void {
  const length = isChunked ? headers["x-amz-decoded-content-length"] : headers["content-length"];
  if (length === undefined || !/^\d+$/.test(length)) throw new StorageError("MissingContentLength");
  if (Number(length) > MOST_BODY_BYTES) throw new StorageError("EntityTooLarge");
}

function md5Of(headers: Headers): Buffer | undefined {
  const text = headers["content-md5"];
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== 16) throw new StorageError("InvalidDigest");
  return bytes;
}

/** The one checksum that headers speak of, with its value or behind the body. */
function checksumOf(headers: Headers): { name?: ChecksumName; given?: string; isTrailer: boolean } {
  const trailer = headers["x-amz-trailer"]?.toLowerCase().trim();
  const inTrailer = CHECKSUMS.find((name) => trailer === `x-amz-checksum-${name}`);
  if (trailer !== undefined && !inTrailer)
    throw new StorageError(
      "InvalidRequest",
      "The value specified in the x-amz-trailer header is not supported",
    );
  const inHeaders = CHECKSUMS.filter((name) => headers[`x-amz-checksum-${name}`] !== undefined);
  const [name, second] = [...inHeaders, ...(inTrailer ? [inTrailer] : [])];
  if (second !== undefined)
    throw new StorageError(
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  if (name === undefined) {
    if (headers["x-amz-sdk-checksum-algorithm"] !== undefined)
      throw new StorageError(
        "InvalidRequest",
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      );
    return { isTrailer: false };
  }
  const given = headers[`x-amz-checksum-${name}`];
  if (given === undefined) return { name, isTrailer: true };
  if (Buffer.from(given, "base64").length !== lengthOfChecksum(name))
    throw new StorageError("InvalidRequest", `Value for x-amz-checksum-${name} header is invalid.`);
  return { name, given, isTrailer: false };
}
