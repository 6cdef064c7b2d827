import { StorageError } from "./storage-error.ts";

export interface StorageAddress {
  bucket: string | undefined;
  key: string | undefined;
}

/** Hosts that have a bucket in front: on this machine, and, where a proxy leads AWS's names here, S3's own. */
const WITH_BUCKET =
  /^(?<bucket>[a-z0-9][a-z0-9.-]*)\.(?:localhost|s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?)$/;

/** The bucket that a host names, as in `bucket.localhost:8080`; undefined for any other host. */
export function bucketInHost(host: string): string | undefined {
  return WITH_BUCKET.exec(host.toLowerCase().replace(/:\d*$/, ""))?.groups?.["bucket"];
}

/**
 * Reads bucket and key from host and path, in the virtual-host or the path style
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html). Throws `StorageError` for a path that cannot be
 * decoded and a key that is too long.
 */
export function readAddress(host: string, path: string): StorageAddress {
  const named = bucketInHost(host);
  const [, first = "", rest] = /^\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  const [bucket, key] = named === undefined ? [decode(first), rest] : [named, path.slice(1)];
  const decoded = key === undefined ? "" : decode(key);
  if (Buffer.byteLength(decoded) > 1024)
    throw new StorageError("KeyTooLongError", undefined, {
      Size: String(Buffer.byteLength(decoded)),
      MaxSizeAllowed: "1024",
    });
  return { bucket: bucket || undefined, key: decoded || undefined };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw new StorageError("InvalidURI");
    throw error;
  }
}
