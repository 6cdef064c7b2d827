import { OpenclawError, usageError, withFields } from "../../errors.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

export interface JobPlace {
  bucket: string;
  /** Without slashes around it; empty for the bucket itself. */
  prefix: string;
}

/** The names of buckets and the segments of keys that a job takes: S3Uri of Bedrock's service model. */
const BUCKET = /^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]$/;
const SEGMENT = /^[-!_*'().a-z0-9A-Z]+$/;
/** The longest address, in characters. */
const MOST_CHARACTERS = 1024;
/** What comes below the prefix has room for itself, in characters. */
const ROOM = 160;

/** Reads the `s3://BUCKET/PREFIX` of a flag. Throws `usage` for what no job can read from or write to. */
export function parseJobPlace(text: string, flag = "--s3"): JobPlace {
  const unfit = (reason: string): Error =>
    usageError(
      `${flag} '${text}' is no place for a job: ${reason}.`,
      `Write it as ${flag} s3://BUCKET/PREFIX`,
    );
  const [, bucket = "", path = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/i.exec(text.trim()) ?? [];
  if (!/^s3:\/\//i.test(text.trim())) throw unfit("it does not begin with s3://");
  if (!BUCKET.test(bucket))
    throw unfit(bucket === "" ? "no bucket is named" : `no bucket can be called '${bucket}'`);
  const segments = path.split("/").filter((segment) => segment !== "");
  const odd = segments.find((segment) => !SEGMENT.test(segment));
  if (odd !== undefined)
    throw unfit(`'${odd}' has characters that jobs do not take: letters, digits and -!_*'(). are`);
  const prefix = segments.join("/");
  if (uriOf({ bucket, prefix }, "").length + ROOM > MOST_CHARACTERS) throw unfit("it is too long");
  return { bucket, prefix };
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html */
const ROLE = /^arn:aws(?:-[^:]+)?:iam::(\d{12}):role\/.+$/;

/** Reads the ARN of the `--role` that jobs run as, and whose it is. Throws `usage` for anything else. */
export function parseRole(arn: string): { arn: string; account: string } {
  const [, account] = ROLE.exec(arn) ?? [];
  if (account !== undefined) return { arn, account };
  throw usageError(
    `--role '${arn}' is not the ARN of a role.`,
    "Write it as --role arn:aws:iam::123456789012:role/NAME",
  );
}

/** Reads the place that a job names, such as its output. Undefined for what is none. */
export function readPlace(uri: string): JobPlace | undefined {
  const [, bucket, path = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/i.exec(uri) ?? [];
  return bucket === undefined ? undefined : { bucket, prefix: path.replace(/\/+$/, "") };
}

/** A key below the place. */
export function keyBelow({ prefix }: JobPlace, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** The address of a key below the place, or of the place itself with a slash at its end. */
export function uriOf(place: JobPlace, name: string): string {
  return `s3://${place.bucket}/${keyBelow(place, name)}`;
}

/** The folder of the place, with its slash: what lies in it is read by a job. */
export function folderOf({ bucket, prefix }: JobPlace): string {
  return `s3://${bucket}/${prefix === "" ? "" : `${prefix}/`}`;
}

/** A hint of the table of errors, which leaves the place open, with the one that is known here. */
export function placeInHint(hint: string, place: JobPlace): string {
  return hint.replaceAll("s3://BUCKET/PREFIX", () => quoteForShell(folderOf(place)));
}

/** An error whose hint names the place; whatever else was thrown as it is. */
export function withPlace<Failure>(failure: Failure, place: JobPlace): Failure | OpenclawError {
  if (!(failure instanceof OpenclawError) || failure.hint === undefined) return failure;
  return withFields(failure, { hint: placeInHint(failure.hint, place) });
}
