import { constants, rmSync, type Stats } from "node:fs";
import { access, type FileHandle, open, rename, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { errorCode, OpenclawError, usageError, withFields } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { neutralise } from "../terminal/neutralise.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { Sink, Terminal } from "../terminal/terminal.ts";
import { untilAborted } from "../until-aborted.ts";
import { followLinks, ignoring, syncFolder, takeAfter, writeError } from "./atomic-write.ts";
import { sayingWhatIsAwaited } from "./read-pipe.ts";

/** As a shell makes a file: the person's umask is taken off. */
const NEW_FILE_MODE = 0o666;

/** Whether a name means stdout: a dash, or the file by which a shell names it. */
export function namesStdout(name: string): boolean {
  return name === "-" || /^\/(dev\/(stdout|fd\/1)|proc\/self\/fd\/1)$/.test(name);
}

/** Throws `usage` where stdout would have results and, by `--json`, what they come to. */
export function requireResultsFile(name: string | undefined, terminal: Terminal): void {
  if (terminal.format === "json" && (name === undefined || namesStdout(name)))
    throw usageError("--json is the summary, and the results need a file beside it.", "Name one: -o FILE");
}

/**
 * Runs `work` with a terminal whose answer goes to the file that `flag` names, which is replaced in one step when the work
 * is done, keeping its mode; `-` is stdout. Whatever ends the work before, the file is as it was, and where there was none
 * there is none: `rescue` is given what was written until then, if that is anything. That the file cannot be written is found
 * before the work begins. A pipe or device gets the answer when it is whole. Throws `usage` for a folder or a name that leads
 * nowhere, `internal` for what cannot be written, and what `work` throws; in either case what `rescue` resolves to.
 */
export async function writingToFile(
  name: string,
  flag: string,
  runtime: Runtime,
  work: (terminal: Terminal) => Promise<void>,
  rescue: (written: Written, failure: unknown) => Promise<unknown> = async (_, failure) => failure,
): Promise<void> {
  if (namesStdout(name)) return work(runtime.terminal);
  const output = await openOutput(name, flag, runtime);
  const chunks: Uint8Array[] = [];
  const sink: Sink = {
    write: (text) => {
      chunks.push(typeof text === "string" ? Buffer.from(text) : text);
      return true;
    },
    once: () => undefined,
  };
  let isBegun = false;
  try {
    await work(runtime.terminal.writingTo(sink));
    runtime.signal.throwIfAborted();
    isBegun = true;
    await output.write(Buffer.concat(chunks));
    await output.commit();
  } catch (failure) {
    const bytes = Buffer.concat(chunks);
    if (bytes.length === 0) throw failure;
    // What the file does not take, another one beside it does not take either.
    const keepBeside = isBegun ? undefined : output.keepBeside;
    throw await rescue({ bytes, keepBeside: keepBeside && (() => keepBeside(bytes)) }, failure);
  } finally {
    await output.close();
  }
}

/** What was to be written to a file, as far as it came. */
export interface Written {
  bytes: Buffer;
  /** Keeps it beside the file. Resolves to that file's path. Undefined where there is no place. */
  keepBeside: (() => Promise<string>) | undefined;
}

/** A place for an answer that is not there yet. */
export interface Output {
  write(bytes: Buffer): Promise<void>;
  commit(): Promise<void>;
  /** Puts what there is of one in the place of `FILE.partial`, before anything else was written. Resolves to its path. */
  keepBeside?(bytes: Buffer): Promise<string>;
  /** Takes away what was not committed. */
  close(): Promise<void>;
}

/**
 * Opens the place that `flag` names for an answer in pieces: a file is replaced in one step when the answer is committed, a
 * pipe, a device and `-`, which is stdout, get each piece as it comes. Throws as `writingToFile`.
 */
export async function openOutput(name: string, flag: string, runtime: Runtime): Promise<Output> {
  const { terminal } = runtime;
  if (namesStdout(name))
    return { write: (bytes) => terminal.write(bytes.toString("utf8")), commit: nothing, close: nothing };
  const fail = (error: unknown): never => {
    throw toOutputError(error, `${flag} '${name}'`, path.resolve(runtime.currentFolder, name));
  };
  const place = await openPlace(name, flag, runtime).catch(fail);
  return {
    ...place,
    write: (bytes) => place.write(bytes).catch(fail),
    commit: () => place.commit().catch(fail),
  };
}

async function openPlace(name: string, flag: string, runtime: Runtime): Promise<Output> {
  const named = path.resolve(runtime.currentFolder, name);
  const old = await ignoring("ENOENT", stat(named));
  if (old?.isDirectory() || (old === undefined && /[/\\]$/.test(name))) {
    const example = path.join(name, "answer.md");
    throw usageError(
      `${flag} '${name}' is a folder.`,
      `Name a file in it: ${flag} ${quoteForShell(example)}`,
    );
  }
  if (old !== undefined && !old.isFile()) return openDevice(named, old, name, runtime);
  // What may not be written may not be replaced either.
  if (old !== undefined) await access(named, constants.W_OK);
  return openReplacement(await followLinks(named), old, runtime);
}

/**
 * A pipe or a device, which is opened when there is something to write to it. Whoever reads a pipe is waited for in a thread
 * of Node's pool, and no longer than until a signal.
 */
function openDevice(file: string, stats: Stats, name: string, runtime: Runtime): Output {
  let handle: FileHandle | undefined;
  const waiting = <T>(work: () => Promise<T>): Promise<T> =>
    untilAborted(
      stats.isFIFO()
        ? sayingWhatIsAwaited(`whoever reads from '${name}', which is a pipe (FIFO)`, runtime, work)
        : work(),
      runtime.signal,
    );
  return {
    write: async (bytes) => {
      handle ??= await waiting(() => open(file, "w"));
      const opened = handle;
      // It may be a terminal, on which nothing in a model's text may act.
      const content = stats.isCharacterDevice() ? neutralise(bytes.toString()) : bytes;
      await waiting(() => opened.writeFile(content));
    },
    commit: nothing,
    close: async () => {
      // A write that waits for a reader would be waited for.
      if (!runtime.signal.aborted) await handle?.close();
    },
  };
}

async function openReplacement(file: string, old: Stats | undefined, runtime: Runtime): Promise<Output> {
  const folder = path.dirname(file);
  // Not by the name of the file, which may be as long as a name can be.
  const temporary = path.join(folder, `.openclaw-${Math.floor(runtime.random() * 2 ** 48).toString(36)}.tmp`);
  const handle = await open(temporary, "wx", old === undefined ? NEW_FILE_MODE : old.mode & 0o777);
  const forgetExit = runtime.onExit(() => rmSync(temporary, { force: true }));
  let isThere = true;
  return {
    write: (bytes) => handle.writeFile(bytes),
    commit: async () => {
      if (old !== undefined) await takeAfter(handle, old);
      await handle.sync();
      await rename(temporary, file);
      isThere = false;
      await syncFolder(folder);
    },
    keepBeside: async (bytes) => {
      const beside = `${file}.partial`;
      if (old !== undefined) await takeAfter(handle, old);
      await handle.writeFile(bytes);
      await rename(temporary, beside);
      isThere = false;
      return beside;
    },
    close: async () => {
      forgetExit();
      await handle.close();
      if (isThere) await ignoring("ENOENT", unlink(temporary));
    },
  };
}

const nothing = async (): Promise<void> => undefined;

/** What is wrong with a name is a wrong call; what is wrong with the disk is not. `label` is what named it, with the name. */
export function toOutputError(error: unknown, label: string, file: string): unknown {
  const code = errorCode(error);
  if (error instanceof OpenclawError || code === undefined) return error;
  const folder = path.dirname(file);
  const wrong: Readonly<Record<string, [string, string]>> = {
    ENOENT: [`there is no folder ${folder}`, `mkdir -p ${quoteForShell(folder)}`],
    ENOTDIR: [`a part of ${folder} is not a folder`, "Name another file."],
    ELOOP: ["its symbolic links lead in a circle", "Name another file."],
    ENAMETOOLONG: ["the name is too long", "Name another file."],
  };
  const found = wrong[code];
  if (found) return usageError(`${label} cannot be written: ${found[0]}.`, found[1]);
  const failure = writeError(file, error);
  return code === "EROFS" ? withFields(failure, { hint: "Name a file in another place." }) : failure;
}
