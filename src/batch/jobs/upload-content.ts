import { createHash } from "node:crypto";
import type { ObjectStore, UploadedPart } from "../../session/object-store.ts";
import type { JobContent } from "./job-content.ts";

/** Of a part, in bytes: S3 takes no smaller ones than 5 MB but the last, and at most 10,000 of them. */
const PART_BYTES = 8 * 1024 * 1024;
/** On their way at once. */
const AT_ONCE = 4;

/** Told how far it is. */
export type OnSent = (sent: number, total: number) => void;

/** Told which upload the parts are of: who may begin one may still not list it. */
export type OnBegun = (uploadId: string) => void;

interface Told {
  signal: AbortSignal;
  onSent: OnSent;
  onBegun: OnBegun;
}

/** Whether content is sent in parts, which a submit that breaks off leaves for the next one. */
export function isInParts({ bytes }: JobContent): boolean {
  return bytes > PART_BYTES;
}

/**
 * Puts content under a key that holds its digest: small content at once, large content in parts, of which those are not sent
 * again that an upload which was broken off has left. Resolves to how many bytes were there. What it leaves where it fails
 * `onBegun` knows, or `findUnfinished` where the answer that names it was lost. Throws the errors of the error table.
 */
export async function uploadContent(
  store: ObjectStore,
  key: string,
  content: JobContent,
  told: Told,
): Promise<number> {
  const { signal, onSent } = told;
  if (isInParts(content)) return uploadInParts(store, key, content, told);
  onSent(0, content.bytes);
  for await (const whole of content.pieces(PART_BYTES, signal)) await store.put(key, whole, digestOf(whole));
  return 0;
}

async function uploadInParts(
  store: ObjectStore,
  key: string,
  content: JobContent,
  { signal, onSent, onBegun }: Told,
): Promise<number> {
  const begun = await store.findUnfinished(key);
  const id = begun?.id ?? (await store.beginUpload(key));
  onBegun(id);
  const there = new Map(begun?.parts.map((part) => [part.number, part]));
  const parts: UploadedPart[] = [];
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let [number, sent, reused] = [0, 0, 0];
  const tell = (bytes: number): void => {
    sent += bytes;
    onSent(sent, content.bytes);
  };
  const sendPart = async (part: number, piece: Buffer, sha256: string): Promise<void> => {
    try {
      parts.push(await store.putPart(key, id, part, piece, sha256));
      tell(piece.length);
    } catch (failure) {
      failures.push(failure);
    }
  };
  for await (const piece of content.pieces(PART_BYTES, signal)) {
    if (failures.length > 0) break;
    number += 1;
    const sha256 = digestOf(piece);
    const known = there.get(number);
    if (known?.sha256 === sha256 && known.bytes === piece.length) {
      parts.push(known);
      reused += piece.length;
      tell(piece.length);
      continue;
    }
    const sending: Promise<void> = sendPart(number, piece, sha256).finally(() => running.delete(sending));
    running.add(sending);
    if (running.size >= AT_ONCE) await Promise.race(running);
  }
  // Nothing is to arrive behind what takes the upload away.
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  await store.completeUpload(
    key,
    id,
    parts.sort((one, other) => one.number - other.number),
  );
  return reused;
}

function digestOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64");
}
