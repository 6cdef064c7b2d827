import { close, constants, fstat, open, type Stats, write } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { RawLine } from "../../disk/line-cutter.ts";
import { makePrivateFolder, temporaryError } from "../../disk/private-folder.ts";
import { adviseOnName, namesStdin, refuseFolder } from "../../disk/read-input.ts";
import {
  blocksOf,
  pathOf,
  ReadFailure,
  refuseIrregular,
  toReadFailure,
  withFile,
} from "../../disk/read-file.ts";
import { readPipe } from "../../disk/read-pipe.ts";
import { OpenclawError, shorten, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { isBlank, splitLines } from "./split-lines.ts";

const [openFile, statFile, writeTo, closeFile] = [open, fstat, write, close].map(promisify) as [
  (file: string, flags: number, mode: number) => Promise<number>,
  (descriptor: number) => Promise<Stats>,
  (...at: [number, Buffer, number, number]) => Promise<{ bytesWritten: number }>,
  (descriptor: number) => Promise<void>,
];

type Inputs = Pick<
  Runtime,
  "stdin" | "signal" | "currentFolder" | "platform" | "env" | "onExit" | "terminal"
>;

/** A file of lines that is read more than once. */
export interface BatchInput {
  /** How a person named it: `'lines.jsonl'`, or `stdin`. */
  label: string;
  /** The path as it was named; undefined for stdin. */
  file: string | undefined;
  /** In bytes. */
  size: number;
  /**
   * Its lines that are not blank from the first one, as often as they are wanted. Throws `usage` when somebody has changed
   * the file since it was opened, and the signal's reason when that is aborted. `onChunk` is handed all bytes as they are
   * read.
   */
  lines: (signal: AbortSignal, onChunk?: (chunk: Buffer) => void) => AsyncGenerator<RawLine, void, undefined>;
  close: () => Promise<void>;
}

/**
 * Opens the file of a batch; `-`, `<(…)` and other pipes are copied into a private temporary file first, since lines are all
 * checked before the first is asked. Throws `usage` for what cannot be read.
 */
export async function openBatchInput(name: string, runtime: Inputs): Promise<BatchInput> {
  const isStdin = namesStdin(name);
  if (isStdin && runtime.stdin.isTTY === true)
    throw usageError("There are no lines: stdin is a terminal.", "Name a file, or pipe the lines in.");
  if (/^s3:\/\//i.test(name))
    throw usageError(
      `'${shorten(name)}' is an object of Amazon S3, and lines are read from this machine.`,
      `Pipe it in, and name - as the file: aws s3 cp ${quoteForShell(name)} -`,
    );
  const label = isStdin ? "stdin" : `'${name}'`;
  try {
    if (isStdin) refuseFolder(runtime.stdin);
    const { descriptor, forget } = isStdin
      ? await copyOf(runtime.stdin as AsyncIterable<string | Uint8Array>, runtime)
      : await descriptorOf(name, runtime);
    const before = await statFile(descriptor);
    return {
      label,
      file: isStdin ? undefined : name,
      size: before.size,
      lines: (signal, onChunk) => filled(chunksOf(descriptor, before, { label, signal, onChunk })),
      close: async () => {
        await closeFile(descriptor);
        forget();
      },
    };
  } catch (cause) {
    if (!(cause instanceof ReadFailure)) throw cause;
    throw new OpenclawError("usage", {
      message: `${label} cannot be read: ${cause.message}.`,
      hint: adviseOnName(name) ?? "Name a file of lines that can be, or - for stdin.",
      cause,
    });
  }
}

async function* filled(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawLine, void, undefined> {
  for await (const line of splitLines(chunks)) if (!isBlank(line)) yield line;
}

interface Opened {
  descriptor: number;
  /** Takes away what was made to read it. */
  forget: () => void;
}

async function descriptorOf(name: string, runtime: Inputs): Promise<Opened> {
  return withFile(pathOf(name, runtime.currentFolder), async (descriptor, stats, takeOver) => {
    if (!stats.isFIFO()) {
      refuseIrregular(stats);
      takeOver();
      return { descriptor, forget: () => undefined };
    }
    takeOver();
    return readPipe(descriptor, name, runtime, (stream) => copyOf(stream, runtime));
  });
}

/** A copy that nobody else can read, and that has no name any more where the system allows it. */
async function copyOf(stream: AsyncIterable<string | Uint8Array>, runtime: Inputs): Promise<Opened> {
  const folder = await makePrivateFolder(runtime);
  let descriptor: number | undefined;
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    descriptor = await openFile(path.join(folder.path, "lines"), flags, 0o600);
    // What has no name is gone with the process, however that ends.
    if (runtime.platform !== "win32") folder.remove();
    await copyInto(descriptor, stream, { signal: runtime.signal, folder: folder.path });
    return { descriptor, forget: folder.close };
  } catch (error) {
    if (descriptor !== undefined) await closeFile(descriptor);
    folder.close();
    throw toReadFailure(error);
  }
}

async function copyInto(
  descriptor: number,
  stream: AsyncIterable<string | Uint8Array>,
  { signal, folder }: { signal: AbortSignal; folder: string },
): Promise<void> {
  const write = async (...at: [Buffer, number, number]): Promise<number> => {
    try {
      return (await writeTo(descriptor, ...at)).bytesWritten;
    } catch (error) {
      throw temporaryError(folder, error);
    }
  };
  const chunks = stream[Symbol.asyncIterator]();
  const { untilAborted } = await import("../../until-aborted.ts");
  for (;;) {
    const { value, done } = await untilAborted(chunks.next(), signal);
    if (done === true) return;
    const bytes = Buffer.from(value as string);
    for (let at = 0; at < bytes.length;) at += await write(bytes, at, bytes.length - at);
  }
}

async function* chunksOf(
  descriptor: number,
  before: Stats,
  {
    label,
    signal,
    onChunk,
  }: { label: string; signal: AbortSignal; onChunk: ((chunk: Buffer) => void) | undefined },
): AsyncGenerator<Buffer, void, undefined> {
  const refuseChanged = async (): Promise<void> => {
    signal.throwIfAborted();
    const now = await statFile(descriptor);
    if (now.size !== before.size || now.mtimeMs !== before.mtimeMs)
      throw usageError(
        `${label} was changed while it was read.`,
        "Leave the file alone while a batch runs: cp it, and name the copy.",
      );
  };
  for await (const chunk of blocksOf(descriptor)) {
    await refuseChanged();
    onChunk?.(chunk);
    yield chunk;
  }
  await refuseChanged();
}
