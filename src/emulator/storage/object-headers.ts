import { createHash } from "node:crypto";
import type { Checksum } from "./receive-body.ts";
import type { StoredObject } from "./buckets.ts";
import { StorageError } from "./storage-error.ts";
import type { StorageRequest } from "./storage-request.ts";

type Headers = Record<string, string>;

/** Headers of an upload that come back with the object. */
const KEPT: ReadonlySet<string> = new Set([
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
]);

/** What metadata of a user's own may have together, in bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MOST_METADATA_BYTES = 2048;

/** The headers that an object keeps of its upload, with how it is encrypted. Throws `StorageError` for what S3 refuses. */
export function keptHeaders(request: StorageRequest): Headers {
  const kept: Headers = { "content-type": "binary/octet-stream" };
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith("x-amz-meta-")) {
      metadataBytes += name.length - "x-amz-meta-".length + Buffer.byteLength(value);
      kept[name] = value;
    } else if (KEPT.has(name)) kept[name] = value;
  }
  if (metadataBytes > MOST_METADATA_BYTES)
    throw new StorageError(
      "InvalidArgument",
      "Your metadata headers exceed the maximum allowed metadata size",
    );
  // The coding of the transfer is not the object's.
  const encoding = (kept["content-encoding"] ?? "")
    .split(",")
    .filter((coding) => coding.trim() !== "aws-chunked");
  if (encoding.join("").trim() === "") delete kept["content-encoding"];
  else kept["content-encoding"] = encoding.join(",").trim();
  const storageClass = request.headers["x-amz-storage-class"];
  if (storageClass !== undefined && storageClass !== "STANDARD") kept["x-amz-storage-class"] = storageClass;
  return { ...kept, ...encryptionOf(request) };
}

const ENCRYPTION = "x-amz-server-side-encryption";
const KMS_KEY = `${ENCRYPTION}-aws-kms-key-id`;

/** How an object is encrypted: by S3's own key where nothing is said, as since 2023 everything is. */
function encryptionOf({ headers, region, account }: StorageRequest): Headers {
  const algorithm = headers[ENCRYPTION];
  const key = headers[KMS_KEY];
  if (headers[`${ENCRYPTION}-customer-algorithm`] !== undefined) throw new StorageError("NotImplemented");
  if (key !== undefined && !algorithm?.startsWith("aws:kms"))
    throw new StorageError(
      "InvalidArgument",
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
      { ArgumentName: ENCRYPTION, ArgumentValue: algorithm ?? "null" },
    );
  if (algorithm === undefined || algorithm === "AES256") return { [ENCRYPTION]: "AES256" };
  if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse")
    throw new StorageError("InvalidArgument", "The encryption method specified is not supported", {
      ArgumentName: ENCRYPTION,
      ArgumentValue: algorithm,
    });
  const bucketKey = headers[`${ENCRYPTION}-bucket-key-enabled`];
  return {
    [ENCRYPTION]: algorithm,
    [KMS_KEY]: kmsKeyArn(key ?? "alias/aws/s3", region, account),
    ...(bucketKey === undefined ? {} : { [`${ENCRYPTION}-bucket-key-enabled`]: bucketKey }),
  };
}

/** The ARN of a KMS key of an id, an alias or an ARN. */
export function kmsKeyArn(key: string, region: string, account: string): string {
  if (key.startsWith("arn:")) return key;
  return `arn:aws:kms:${region}:${account}:${key.startsWith("alias/") ? key : `key/${key}`}`;
}

/** The headers that an upload is answered with: how it is encrypted. */
export function encryptionHeaders(headers: Readonly<Headers>): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(ENCRYPTION)));
}

/** The tag of an object: the MD5 of its bytes, except where a key of KMS encrypts them. */
export function etagOf(md5: string, headers: Readonly<Headers>): string {
  return headers[ENCRYPTION] === "AES256" ? md5 : createHash("md5").update(md5).digest("hex");
}

/** The header of a checksum. */
export function checksumHeader({ name, value }: Checksum): Headers {
  return { [`x-amz-checksum-${name}`]: value };
}

/** What GetObject and HeadObject say of an object besides its bytes. */
export function objectHeaders(object: StoredObject): Headers {
  return {
    ...object.headers,
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modified).toUTCString(),
    "accept-ranges": "bytes",
  };
}
