import { randomBytes } from "node:crypto";
import type { ChecksumName } from "./checksums.ts";
import { type Blob, DiskStore } from "./disk-store.ts";
import type { Checksum } from "./receive-body.ts";
import { StorageError } from "./storage-error.ts";

/** Objects and unfinished parts of all buckets together: what is known of each lies in memory. */
const MOST_ENTRIES = 100_000;

/** AWS lets an account have more by now: this is what it was for long. */
const MOST_BUCKETS = 100;

/** Headers of an object that come back with it. */
type Headers = Readonly<Record<string, string>>;

/** How the checksum of an object of several parts is made: of the parts' checksums, or of all its bytes. */
type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

export interface StoredObject {
  readonly key: string;
  readonly blobs: readonly Blob[];
  readonly bytes: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly headers: Headers;
  readonly checksum: Checksum & { type: ChecksumType };
}

export interface UploadedPart {
  readonly blob: Blob;
  /** MD5 in hexadecimal. */
  readonly etag: string;
  readonly modified: number;
  readonly checksum: Checksum;
}

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly started: number;
  readonly headers: Headers;
  /** The checksum that the upload was begun with; undefined where it named none. */
  readonly checksumName: ChecksumName | undefined;
  readonly checksumType: ChecksumType;
  readonly parts: Map<number, UploadedPart>;
}

export interface Bucket {
  readonly name: string;
  region: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, Upload>;
}

/** A bucket that is there from the start. */
export const FIRST_BUCKET = "openclaw-emulator";

/** What the account has in Amazon S3, in all regions. */
export class Buckets {
  readonly disk = new DiskStore();
  readonly #buckets = new Map<string, Bucket>();

  /** The time of the emulator's start in ms since 1970. */
  constructor(now: number) {
    // Its region is that of whoever asks first.
    this.create(FIRST_BUCKET, "", now);
  }

  list(): Bucket[] {
    return [...this.#buckets.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** A bucket by its name, for somebody in a region. */
  find(name: string, region: string): Bucket | undefined {
    const bucket = this.#buckets.get(name);
    if (bucket?.region === "") bucket.region = region;
    return bucket;
  }

  /** Throws `StorageError` for a name that no bucket may have, and for a bucket that is there. */
  create(name: string, region: string, now: number): Bucket {
    if (!isBucketName(name)) throw new StorageError("InvalidBucketName", undefined, { BucketName: name });
    if (this.#buckets.has(name))
      throw new StorageError("BucketAlreadyOwnedByYou", undefined, { BucketName: name });
    if (this.#buckets.size >= MOST_BUCKETS) throw new StorageError("TooManyBuckets");
    const bucket = { name, region, created: now, objects: new Map(), uploads: new Map() };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Throws `StorageError` for a bucket that has objects. */
  delete(bucket: Bucket): void {
    if (bucket.objects.size > 0)
      throw new StorageError("BucketNotEmpty", undefined, { BucketName: bucket.name });
    this.#buckets.delete(bucket.name);
  }

  /** Throws `StorageError` where the emulator remembers no more. */
  checkRoom(): void {
    let entries = 0;
    for (const { objects, uploads } of this.#buckets.values()) {
      entries += objects.size;
      for (const { parts } of uploads.values()) entries += 1 + parts.size;
    }
    if (entries >= MOST_ENTRIES)
      throw new StorageError("EntityTooLarge", `The emulator keeps ${MOST_ENTRIES} objects at most.`);
  }

  async put(bucket: Bucket, object: StoredObject): Promise<void> {
    const former = bucket.objects.get(object.key);
    bucket.objects.set(object.key, object);
    if (former) await this.disk.remove(former.blobs);
  }

  async deleteObject(bucket: Bucket, key: string): Promise<void> {
    const former = bucket.objects.get(key);
    bucket.objects.delete(key);
    if (former) await this.disk.remove(former.blobs);
  }

  /** Ends an upload, and removes what became no part of an object. */
  async endUpload(bucket: Bucket, upload: Upload, kept: readonly UploadedPart[] = []): Promise<void> {
    bucket.uploads.delete(upload.id);
    const rest = [...upload.parts.values()].filter((part) => !kept.includes(part));
    await this.disk.remove(rest.map(({ blob }) => blob));
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !/\.\.|^\d+\.\d+\.\d+\.\d+$|^xn--|^sthree-|^amzn-s3-demo-|-s3alias$|--ol-s3$|\.mrap$|--x-s3$|--table-s3$/.test(
      name,
    )
  );
}

/** An id such as S3 gives to uploads: long, and of no meaning. */
export function newUploadId(): string {
  return randomBytes(48).toString("base64url");
}
