import {
  close,
  constants,
  fstat,
  fstatSync,
  open,
  openSync,
  read,
  type Stats,
  write,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { errorCode } from "../errors.ts";
import { makeFolder } from "./make-folder.ts";

/**
 * Opens a file of our own to append to it: never what somebody has put a link to in its place, and never waiting for the
 * reader of a FIFO. Windows has no such flags.
 */
export const APPEND_FLAGS =
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_WRONLY |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);

/** As in read-file.ts: node:fs/promises takes longer to load than a line takes to write. */
const [openFile, statFile, readFrom, writeTo, closeFile] = [open, fstat, read, write, close].map(
  promisify,
) as [
  (file: string, flags: number, mode: number) => Promise<number>,
  (descriptor: number) => Promise<Stats>,
  (...at: [number, Buffer, number, number, number]) => Promise<{ bytesRead: number }>,
  (...at: [number, Buffer, number, number]) => Promise<{ bytesWritten: number }>,
  (descriptor: number) => Promise<void>,
];

/** Appends lines at once, for the end of the process, which waits for nothing. Throws Node's own error, or one like it. */
export function appendLinesAtOnce(file: string, lines: string): void {
  makeFolder(path.dirname(file));
  // The process ends, and closes it.
  const descriptor = openSync(file, APPEND_FLAGS, 0o600);
  refuseOther(file, fstatSync(descriptor));
  writeFileSync(descriptor, lines);
}

/** What is written to a pipe or a device is not kept. */
function refuseOther(file: string, stats: Stats): void {
  if (!stats.isFile()) throw Object.assign(new Error(`${file} is not a regular file`), { code: "EINVAL" });
}

export interface Appended {
  /** Of the file before, in bytes. */
  size: number;
  /** Whether the folder of the file was made for it. */
  isFirst: boolean;
}

/**
 * Appends lines to a private file in one write, which no other process's comes between. What was left of a line that was
 * never written whole is ended first. Rejects with Node's own error, or one like it.
 */
export async function appendLines(file: string, lines: string): Promise<Appended> {
  const flags = (APPEND_FLAGS & ~constants.O_WRONLY) | constants.O_RDWR;
  let isFirst = false;
  const descriptor = await openFile(file, flags, 0o600).catch(async (error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
    isFirst = true;
    makeFolder(path.dirname(file));
    return openFile(file, flags, 0o600);
  });
  try {
    const stats = await statFile(descriptor);
    refuseOther(file, stats);
    const { size } = stats;
    const last = Buffer.alloc(1, "\n");
    if (size > 0) await readFrom(descriptor, last, 0, 1, size - 1);
    const bytes = Buffer.from(last.toString() === "\n" ? lines : `\n${lines}`);
    let written = 0;
    while (written < bytes.length)
      written += (await writeTo(descriptor, bytes, written, bytes.length - written)).bytesWritten;
    return { size, isFirst };
  } finally {
    await closeFile(descriptor);
  }
}
