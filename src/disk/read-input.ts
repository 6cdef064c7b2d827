import { fstatSync, type Stats } from "node:fs";
import { decodeText } from "./decode-text.ts";
import { usageError } from "../errors.ts";
import { readBytes } from "../read-bytes.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { untilAborted } from "../until-aborted.ts";
import {
  MOST_TEXT_BYTES,
  pathOf,
  ReadFailure,
  readToEnd,
  refuseIrregular,
  toReadFailure,
  tooLong,
  withFile,
} from "./read-file.ts";
import { readPipe, sayingWhatIsAwaited } from "./read-pipe.ts";

type Inputs = Pick<
  Runtime,
  "stdin" | "signal" | "currentFolder" | "platform" | "terminal" | "untilForeground"
>;

/** What was named by a person, read whole. */
export interface Input {
  bytes: Buffer;
  /** What the disk knows of it; undefined for stdin. */
  stats: Stats | undefined;
}

/** Whether a name means stdin: a dash, or the file by which a shell names it. */
export function namesStdin(name: string): boolean {
  return name === "-" || /^\/(dev\/(stdin|fd\/0)|proc\/self\/fd\/0)$/.test(name);
}

/** Whether what a name leads to is gone once it is read: stdin, and what a shell puts in for `<(…)`. */
export function isReadOnce(name: string): boolean {
  return namesStdin(name) || /^\/(dev|proc\/self)\/fd\/\d+$/.test(name);
}

/** What to do about a name that leads to no file, where it says by itself why; undefined for any other. */
export function adviseOnName(name: string): string | undefined {
  if (/^https?:\/\//i.test(name)) return `Fetch it, and name the file: curl -fLO ${quoteForShell(name)}`;
  // As the AWS CLI has it: https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
  const [, plain] = /^fileb?:\/\/(.+)/s.exec(name) ?? [];
  if (plain !== undefined) return `Write it without file://, as ${quoteForShell(plain)}`;
  const [, below] = /^~\/(.+)/s.exec(name) ?? [];
  return below && `A shell knows ~ only unquoted, where a word begins; write "$HOME"/${quoteForShell(below)}`;
}

/**
 * Reads what a flag names: a file, `-` for stdin, `<(…)` of a shell and any other pipe. At most so many bytes: a device
 * may have no end. A pipe is waited for as long as it takes, with a word on stderr, but no longer than until `signal` is
 * aborted: then its reason is thrown. Throws a `ReadFailure` for what cannot be read.
 */
export async function readInput(name: string, runtime: Inputs, most = MOST_TEXT_BYTES): Promise<Input> {
  // Opened anew by its name it might be a socket, which cannot be, or a file, which would be read from its start again.
  if (namesStdin(name)) return { bytes: await readStdin(runtime, most), stats: undefined };
  return withFile(pathOf(name, runtime.currentFolder), async (descriptor, stats, takeOver) => {
    if (stats.isFile()) return { bytes: await readToEnd(descriptor, stats, most), stats };
    if (stats.isFIFO()) {
      takeOver();
      const bytes = await readPipe(descriptor, name, runtime, (stream) =>
        readUntilAborted(stream, most, runtime.signal),
      );
      return { bytes, stats };
    }
    if (!stats.isCharacterDevice()) refuseIrregular(stats);
    return { bytes: await readToEnd(descriptor, stats, most), stats };
  });
}

/**
 * Reads the text that a flag names, as `readInput` does. Throws `usage` for what cannot be read, with `hint`, and for what
 * is no text.
 */
export async function readTextInput(
  name: string,
  flag: string,
  hint: string,
  runtime: Inputs,
): Promise<string> {
  const label = name === "-" ? "stdin" : `${flag} '${name}'`;
  const { bytes } = await readInput(name, runtime).catch((cause: unknown) => {
    if (cause instanceof ReadFailure)
      throw usageError(`${label} cannot be read: ${cause.message}.`, adviseOnName(name) ?? hint);
    throw cause;
  });
  return decodeText(bytes, { label, file: isReadOnce(name) ? undefined : name, code: "usage" });
}

/** Refuses a folder as stdin, of which Node makes an empty stream. Throws a `ReadFailure`. */
export function refuseFolder({ fd }: Inputs["stdin"]): void {
  const stats = fd === undefined ? undefined : fstatSync(fd);
  if (stats?.isDirectory()) refuseIrregular(stats);
}

/** Programs that start this one often leave its stdin open: https://github.com/anomalyco/opencode/issues/38723 */
const STDIN_END = "the end of stdin; where nothing is piped in, add < /dev/null";

/** Reads stdin to its end, at most so many bytes. Throws a `ReadFailure`, and the signal's reason when it is aborted. */
async function readStdin(runtime: Inputs, most: number): Promise<Buffer> {
  const { stdin, signal } = runtime;
  const read = (): Promise<Buffer> => readUntilAborted(stdin, most, signal);
  try {
    refuseFolder(stdin);
    if (!stdin.isTTY) return await sayingWhatIsAwaited(STDIN_END, runtime, read);
    await runtime.untilForeground();
    return await read();
  } catch (error) {
    throw toReadFailure(error);
  }
}

function readUntilAborted(
  stream: AsyncIterable<string | Uint8Array>,
  most: number,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  return untilAborted(readBytes(stream, { most, tooLong: () => tooLong(most) }), signal);
}
