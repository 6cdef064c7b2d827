import { closeSync, constants, fstat, fstatSync, open, openSync, read, readSync, type Stats } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { errorCode, ifSystemLets, OpenclawError } from "../errors.ts";
import { orAtOnce } from "../at-once.ts";

/*
 * Every file is opened without waiting: opening a FIFO the usual way waits for its writer in a thread of Node's pool,
 * which nothing ends and for which the end of the process waits, too. Not by node:fs/promises, which takes longer to load
 * than a small file takes to read.
 */
const openFile = orAtOnce<[string, number], number>(promisify(open), openSync);
const statFile = orAtOnce<[number], Stats>(promisify(fstat), fstatSync);
const readFrom = orAtOnce<[number, Buffer, number, number, number | null], { bytesRead: number }>(
  promisify(read),
  (...at) => ({ bytesRead: readSync(...at) }),
);

// Windows has neither.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

const MEGABYTE = 1024 * 1024;
/** No file of settings, keys, certificates or prompts that anybody wrote is longer, in bytes. */
export const MOST_TEXT_BYTES = 16 * MEGABYTE;

/** Read at once where a length is not known, in bytes. */
const CHUNK_BYTES = 64 * 1024;

/** Why something is not read. The message completes "… cannot be read: ". */
export class ReadFailure extends Error {
  override readonly name = "ReadFailure";
  /** Node's code, such as ENOENT; undefined for what could be read but is not a file that makes sense there. */
  readonly code: string | undefined;
  /** How many bytes there are, where there are too many and that is known beforehand. */
  readonly length: number | undefined;

  constructor(
    reason: string,
    { code, length, cause }: { code?: string; length?: number; cause?: unknown } = {},
  ) {
    super(reason, { cause });
    this.code = code;
    this.length = length;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EAGAIN: "it is a terminal, or another device that has nothing to read",
  EISDIR: "it is a folder",
  ELOOP: "its symbolic links lead in a circle",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is not a folder",
  // What Linux says of opening a socket.
  ENXIO: "it is a socket, or a device that is not there",
  EPERM: "permission denied",
};

/** Node's error of reading in plain words. What is no system error is handed back as it is. */
export function toReadFailure(error: unknown): unknown {
  const code = errorCode(error);
  if (error instanceof ReadFailure || error instanceof OpenclawError || code === undefined) return error;
  return new ReadFailure(REASONS[code] ?? (error as Error).message, { code, cause: error });
}

/** The failure of what has more than `most` bytes. */
export function tooLong(most: number, length?: number): ReadFailure {
  const reason = `it has more than ${most < MEGABYTE ? `${most} bytes` : `${Math.floor(most / MEGABYTE)} MB`}`;
  return new ReadFailure(reason, { code: "EFBIG", ...(length === undefined ? {} : { length }) });
}

/** Where the name of a file leads to. Throws a `ReadFailure` for an empty one, which would be the folder itself. */
export function pathOf(name: string, folder: string): string {
  if (name === "") throw new ReadFailure("the name is empty");
  return path.resolve(folder, name);
}

/** The bytes of a file, and what the disk knows of it. */
export interface FileContent {
  bytes: Buffer;
  stats: Stats;
}

/**
 * Reads a file of at most so many bytes, which must be a regular one, or /dev/null. Throws a `ReadFailure` for a folder, a FIFO, a
 * socket or a device, for a longer file, and for what the system refuses. `flags` are added to those of opening.
 */
export async function readRegularFile(
  file: string,
  most = MOST_TEXT_BYTES,
  flags?: number,
): Promise<FileContent> {
  const read: Work<FileContent> = async (descriptor, stats) => {
    if (await isNothing(descriptor, stats)) return { bytes: Buffer.alloc(0), stats };
    refuseIrregular(stats);
    return { bytes: await readToEnd(descriptor, stats, most), stats };
  };
  return withFile(file, read, flags);
}

/** Whether it is /dev/null, which is how people say that there is none. */
export async function isNothing(descriptor: number, stats: Stats): Promise<boolean> {
  if (!stats.isCharacterDevice()) return false;
  const read = readFrom(descriptor, Buffer.alloc(1), 0, 1, null);
  // A terminal at which nobody types refuses to be read.
  return (await ifSystemLets(read))?.bytesRead === 0;
}

/** The first bytes of a file, at most so many. Throws as `readRegularFile` does. */
export async function readStart(file: string, length: number): Promise<Buffer> {
  return withFile(file, async (descriptor, stats) => {
    refuseIrregular(stats);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await readFrom(descriptor, buffer, 0, length, 0);
    return buffer.subarray(0, bytesRead);
  });
}

/** Throws a `ReadFailure` that names what is no regular file. */
export function refuseIrregular(stats: Stats): void {
  if (stats.isFile()) return;
  throw new ReadFailure(describeKind(stats), stats.isDirectory() ? { code: "EISDIR" } : {});
}

function describeKind(stats: Stats): string {
  if (stats.isDirectory()) return REASONS["EISDIR"] ?? "";
  if (stats.isFIFO()) return "it is a pipe (FIFO), and a regular file is expected";
  return stats.isSocket() ? "it is a socket" : "it is a device";
}

type Work<T> = (descriptor: number, stats: Stats, takeOver: () => void) => Promise<T>;

/** Opens a file for `work` and closes it again, unless `work` takes it over. Throws a `ReadFailure`. */
export async function withFile<T>(file: string, work: Work<T>, flags = 0): Promise<T> {
  try {
    const descriptor = await openFile(file, FLAGS | flags);
    let isOwn = true;
    try {
      return await work(descriptor, await statFile(descriptor), () => (isOwn = false));
    } finally {
      // What was only read has nothing left to wait for.
      if (isOwn) closeSync(descriptor);
    }
  } catch (error) {
    throw toReadFailure(error);
  }
}

/** Read at once of a file that may be long, in bytes. */
const BLOCK_BYTES = 256 * 1024;

/**
 * The bytes of an open file from one place to another, or to its end, in blocks that hold until the next one is asked for.
 * Throws Node's own error.
 */
export async function* blocksOf(
  descriptor: number,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer, void, undefined> {
  // One for all: what is made anew for each block is there until the next collection, and that comes late.
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (let at = from; at < to;) {
    const { bytesRead } = await readFrom(descriptor, buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Reads what is left of an open file or device, which has no length beforehand if it grows or is not a file. */
export async function readToEnd(descriptor: number, stats: Stats, most: number): Promise<Buffer> {
  if (stats.size > most) throw tooLong(most, stats.size);
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    // One byte more than a file should have, so that a whole one is read and found to have ended at once.
    const buffer = Buffer.allocUnsafe(length === 0 && stats.size > 0 ? stats.size + 1 : CHUNK_BYTES);
    const { bytesRead } = await readFrom(descriptor, buffer, 0, buffer.length, null);
    if (bytesRead === 0) return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    length += bytesRead;
    if (length > most) throw tooLong(most);
    chunks.push(buffer.subarray(0, bytesRead));
    if (stats.isFile() && length === stats.size) return Buffer.concat(chunks);
  }
}
