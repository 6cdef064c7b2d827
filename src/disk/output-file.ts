import { constants, rmSync, type Stats } from "node:fs";
import { access, open, rename, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { errorCode, OpenclawError, usageError, withFields } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { neutralise } from "../terminal/neutralise.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { Sink, Terminal } from "../terminal/terminal.ts";
import { followLinks, ignoring, syncFolder, takeAfter, writeError } from "./atomic-write.ts";

/** As a shell makes a file: the person's umask is taken off. */
const NEW_FILE_MODE = 0o666;

/** Whether a name means stdout: a dash, or the file by which a shell names it. */
function namesStdout(name: string): boolean {
  return name === "-" || /^\/(dev\/(stdout|fd\/1)|proc\/self\/fd\/1)$/.test(name);
}

/**
 * Runs `work` with a terminal whose answer goes to the file that `flag` names, which is replaced in one step when the work
 * is done, keeping its mode; `-` is stdout. Whatever ends the work before, the file is as it was, and where there was none
 * there is none. That it cannot be written is found before the work begins. A pipe or device gets the answer when it is
 * whole. Throws `usage` for a folder or a name that leads nowhere, `internal` for what cannot be written, and what `work`
 * throws.
 */
export async function writingToFile(
  name: string,
  flag: string,
  runtime: Runtime,
  work: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  if (namesStdout(name)) return work(runtime.terminal);
  const fail = (error: unknown): never => {
    throw toOutputError(error, `${flag} '${name}'`, path.resolve(runtime.currentFolder, name));
  };
  const output = await openOutput(name, flag, runtime).catch(fail);
  const chunks: Uint8Array[] = [];
  const sink: Sink = {
    write: (text) => {
      chunks.push(typeof text === "string" ? Buffer.from(text) : text);
      return true;
    },
    once: () => undefined,
  };
  try {
    await work(runtime.terminal.writingTo(sink));
    runtime.signal.throwIfAborted();
    await output.commit(Buffer.concat(chunks)).catch(fail);
  } finally {
    await output.close();
  }
}

/** A place for an answer that is not there yet. */
interface Output {
  /** Puts the whole answer there. */
  commit(bytes: Buffer): Promise<void>;
  /** Takes away what was not committed. */
  close(): Promise<void>;
}

async function openOutput(name: string, flag: string, runtime: Runtime): Promise<Output> {
  const named = path.resolve(runtime.currentFolder, name);
  const old = await ignoring("ENOENT", stat(named));
  if (old?.isDirectory() || (old === undefined && /[/\\]$/.test(name))) {
    const example = path.join(name, "answer.md");
    throw usageError(
      `${flag} '${name}' is a folder.`,
      `Name a file in it: ${flag} ${quoteForShell(example)}`,
    );
  }
  if (old !== undefined && !old.isFile()) {
    // It may be a terminal, on which nothing in a model's text may act.
    const shown = (bytes: Buffer): Buffer =>
      old.isCharacterDevice() ? Buffer.from(neutralise(bytes.toString())) : bytes;
    return { commit: (bytes) => pour(named, shown(bytes)), close: nothing };
  }
  // What may not be written may not be replaced either.
  if (old !== undefined) await access(named, constants.W_OK);
  return openReplacement(await followLinks(named), old, runtime);
}

async function openReplacement(file: string, old: Stats | undefined, runtime: Runtime): Promise<Output> {
  const folder = path.dirname(file);
  // Not by the name of the file, which may be as long as a name can be.
  const temporary = path.join(folder, `.openclaw-${Math.floor(runtime.random() * 2 ** 48).toString(36)}.tmp`);
  const handle = await open(temporary, "wx", old === undefined ? NEW_FILE_MODE : old.mode & 0o777);
  const forgetExit = runtime.onExit(() => rmSync(temporary, { force: true }));
  let isThere = true;
  return {
    commit: async (bytes) => {
      await handle.writeFile(bytes);
      if (old !== undefined) await takeAfter(handle, old);
      await handle.sync();
      await rename(temporary, file);
      isThere = false;
      await syncFolder(folder);
    },
    close: async () => {
      forgetExit();
      await handle.close();
      if (isThere) await ignoring("ENOENT", unlink(temporary));
    },
  };
}

/** Writes to a pipe or a device. */
async function pour(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, "w");
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}

const nothing = async (): Promise<void> => undefined;

/** What is wrong with a name is a wrong call; what is wrong with the disk is not. */
function toOutputError(error: unknown, label: string, file: string): unknown {
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
