import { createHash } from "node:crypto";
import { constants, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { AwsCredentialIdentity } from "@smithy/types";
import { ReadFailure, readRegularFile } from "../disk/read-file.ts";
import { replaceFile } from "../disk/replace-file.ts";
import { errorCode } from "../errors.ts";
import { isRecord, type JsonObject, withoutUndefined } from "../json.ts";
import type { Runtime } from "../runtime.ts";
import { readExpiry } from "./expiry.ts";

/** Temporary credentials, and the file of the AWS CLI's cache that they were read from. */
export type Identity = AwsCredentialIdentity & { readonly cacheFile?: string };

/** What a file of the cache is named after: the arguments of the call that its credentials came from. */
export type CacheArguments =
  | {
      readonly RoleArn: string;
      readonly RoleSessionName?: string | undefined;
      readonly ExternalId?: string | undefined;
      readonly SerialNumber?: string | undefined;
      /** Seconds. */
      readonly DurationSeconds?: number | undefined;
    }
  | { readonly accountId: string; readonly roleName: string; readonly sessionName: string }
  | { readonly accountId: string; readonly roleName: string; readonly startUrl: string };

/** Credentials count while so much time is left, in ms: botocore's expiry window. */
const WINDOW_MS = 15 * 60_000;
/** No answer of STS comes near this, in bytes. */
const LARGEST = 65_536;

/**
 * The file of the AWS CLI's cache for a call, `~/.aws/cli/cache/HASH.json`, as botocore's `CachedCredentialFetcher` names it:
 * the SHA-1 of the arguments as Python writes them in JSON with sorted keys, without spaces for IAM Identity Center. A
 * session name that was made up, and what is different at every call, are left out by the caller.
 */
export async function cacheFileFor(call: CacheArguments, homeFolder: string): Promise<string> {
  const hash = createHash("sha1").update(writePython(call)).digest("hex");
  return path.join(homeFolder, ".aws", "cli", "cache", `${hash}.json`);
}

function writePython(call: CacheArguments): string {
  const [colon, comma] = "accountId" in call ? [":", ","] : [": ", ", "];
  const members = Object.entries(withoutUndefined(call))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${escape(name)}${colon}${escape(value)}`);
  return `{${members.join(comma)}}`;
}

function escape(value: string | number): string {
  return JSON.stringify(value).replaceAll(
    /[^\x20-\x7E]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Reads credentials that are good for more than 15 minutes. A file that others may read or change, that is another
 * user's, a link, or not whole is passed over with a line under `--verbose`; one that is not there or expired, without.
 */
export async function readCached(file: string, runtime: Runtime): Promise<Identity | undefined> {
  try {
    const identity = readEntry(await readPrivate(file, runtime));
    const isGood = identity.expiration.getTime() - runtime.now() >= WINDOW_MS;
    return isGood ? { ...identity, cacheFile: file } : undefined;
  } catch (failure) {
    if (!(failure instanceof ReadFailure)) throw failure;
    const { code, message } = failure;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    const isLink = code === "ELOOP" || code === "EMLINK";
    runtime.terminal.verbose(() => `${file} is not used: ${isLink ? "it is a link" : message}`);
    return undefined;
  }
}

/** Looks at the file that was opened, never at what may have taken its name since. Throws a `ReadFailure`. */
async function readPrivate(file: string, { userId }: Runtime): Promise<string> {
  // Windows has no such flag, and no links that anybody may make.
  const { bytes, stats } = await readRegularFile(file, LARGEST, constants.O_NOFOLLOW ?? 0);
  if (userId !== undefined && stats.uid !== userId) throw new ReadFailure("it belongs to another user");
  if (userId !== undefined && (stats.mode & 0o077) !== 0)
    throw new ReadFailure("others may read or change it");
  return bytes.toString("utf8");
}

/** Throws a `ReadFailure` for what is no whole entry. */
function readEntry(text: string): AwsCredentialIdentity & { expiration: Date } {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    // Without its cause, which quotes the text.
    throw new ReadFailure("it is not JSON");
  }
  const credentials = isRecord(entry) && isRecord(entry["Credentials"]) ? entry["Credentials"] : {};
  const readText = (name: string): string | undefined => {
    const value = credentials[name];
    return typeof value === "string" && /^[\x21-\x7E]+$/.test(value) ? value : undefined;
  };
  const accessKeyId = readText("AccessKeyId");
  const secretAccessKey = readText("SecretAccessKey");
  const sessionToken = readText("SessionToken");
  const expiration = readExpiry(readText("Expiration"));
  if (!accessKeyId || !secretAccessKey || !sessionToken || !expiration)
    throw new ReadFailure("it does not hold whole credentials");
  return withoutUndefined({
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiration,
    accountId: readText("AccountId"),
  });
}

/**
 * Keeps what AWS answered where the AWS CLI will find it; 0600, in one step. Where the folder is another user's or cannot
 * be written, nothing is kept, with a line under `--verbose`.
 */
export async function writeCached(
  file: string,
  identity: AwsCredentialIdentity,
  rest: JsonObject,
  runtime: Runtime,
): Promise<void> {
  const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = identity;
  if (expiration === undefined) return;
  const credentials = withoutUndefined({
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration.toISOString().replace(/\.\d+Z$/, "Z"),
    AccountId: accountId,
  });
  try {
    const owner = statSync(path.dirname(file), { throwIfNoEntry: false })?.uid;
    if (owner === undefined || runtime.userId === undefined || owner === runtime.userId) {
      return await replaceFile(file, JSON.stringify({ ...rest, Credentials: credentials }));
    }
    runtime.terminal.verbose(() => `${path.dirname(file)} belongs to another user: nothing is kept there`);
  } catch (failure) {
    runtime.terminal.verbose(() => `${file} cannot be written (${errorCode(failure) ?? String(failure)})`);
  }
}

/** Forgets credentials that AWS has rejected. */
export async function dropCached(file: string, { terminal }: Runtime): Promise<void> {
  await rm(file, { force: true }).catch((failure: unknown) =>
    terminal.verbose(() => `${file} cannot be removed (${errorCode(failure) ?? String(failure)})`),
  );
}
