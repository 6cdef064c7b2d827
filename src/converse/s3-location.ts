import type { S3Location } from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError } from "../errors.ts";

/** The longest address, in characters (the service model of Bedrock Runtime, S3Uri). */
const MOST_CHARACTERS = 1024;
/** The names of buckets in the same model. */
const BUCKET = /^[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9]$/;
const OWNER = /\?owner=([^/?]*)$/;

/** Whether a name that a person gave is that of something in Amazon S3. A file of this name is reached as `./s3:/…`. */
export function namesS3(name: string): boolean {
  return /^s3:\/\//i.test(name);
}

/**
 * Reads `s3://BUCKET/KEY`, and `s3://BUCKET/KEY?owner=ACCOUNT` for a bucket of another account. A key may have any other
 * question mark in it. Throws `bad-attachment` for an address that S3 cannot have.
 */
export function parseS3Location(name: string): S3Location & { uri: string } {
  const [suffix = "", bucketOwner] = OWNER.exec(name) ?? [];
  const path = name.slice("s3://".length, name.length - suffix.length);
  const slash = path.indexOf("/");
  const bucket = slash < 0 ? path : path.slice(0, slash);
  const key = slash < 0 ? "" : path.slice(slash + 1);
  if (!BUCKET.test(bucket))
    throw unfit(name, bucket === "" ? "no bucket is named" : `no bucket can be called '${bucket}'`);
  if (key === "") throw unfit(name, "no key is named, only the bucket");
  if (key.endsWith("/")) throw unfit(name, "its key ends as that of a folder does");
  if (bucketOwner !== undefined && !/^\d{12}$/.test(bucketOwner))
    throw unfit(name, `'${bucketOwner}' is no account: it has twelve digits`);
  const uri = `s3://${path}`;
  if (uri.length > MOST_CHARACTERS)
    throw unfit(name, `it has ${uri.length} characters, and AWS takes at most ${MOST_CHARACTERS}`);
  return { uri, ...(bucketOwner === undefined ? {} : { bucketOwner }) };
}

function unfit(name: string, reason: string): OpenclawError {
  return new OpenclawError("bad-attachment", {
    message: `'${name}' is no address of a file in Amazon S3: ${reason}.`,
    hint: "Write it as s3://BUCKET/KEY, for a bucket of another account as s3://BUCKET/KEY?owner=123456789012.",
    details: { file: name },
  });
}
