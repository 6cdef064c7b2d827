import { constants, type Stats } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
import { followLinks, ignoring } from "../../disk/atomic-write.ts";
import { holdLock } from "../../disk/lock.ts";
import { namesStdout, toOutputError } from "../../disk/output-file.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { openFinished } from "./finished-output.ts";
import { journalOf, OrderedFile, OrderedStream, type ResultOutput } from "./ordered-output.ts";
import type { LineSource, RunRecord } from "./run-record.ts";
import type { Patience } from "./patient-write.ts";

export interface OutputWishes {
  /** The file that was named; undefined and `-` are stdout. */
  name: string | undefined;
  /** Goes on with a run that was stopped, where there is one. */
  resumes: boolean;
  /** Asks lines again that have a result there and no answer. */
  retriesFailed: boolean;
  /** Begins anew whatever is there. */
  overwrites: boolean;
}

export interface OpenedOutput {
  output: ResultOutput;
  /** Results that could not be read. */
  damaged: number;
  /** When the run that was stopped kept a result for the last time, in ms since 1970. */
  stoppedMs?: number;
}

/** A place for the results of a run, and who else may write there. */
export interface OutputPlace {
  /** Undefined for stdout. */
  file: string | undefined;
  /** Opens it. Throws as `openPlace`, `usage` where the run that was stopped asked for something else, and Node's own errors as ours. */
  open(asked: RunRecord, lines: LineSource, patience: Patience): Promise<OpenedOutput>;
  /** Lets others write there. */
  release(): Promise<void>;
}

/**
 * Looks at the place for results, and takes it for this run. Throws `usage` for a place where there is something already or
 * that is no file, for one that another run writes to, and for one that was finished with.
 */
export async function openPlace(
  { name, resumes, retriesFailed, overwrites }: OutputWishes,
  input: string | undefined,
  runtime: Runtime,
): Promise<OutputPlace> {
  if (retriesFailed && !resumes)
    throw usageError(
      "--retry-failed says nothing without --resume: it asks lines of a run again that have no answer.",
      "Add --resume, or leave it out.",
    );
  if (resumes && overwrites)
    throw usageError(
      "--resume goes on with what is there, and --overwrite begins anew.",
      "Leave one of them out.",
    );
  if (name === undefined || namesStdout(name)) return stdoutPlace({ resumes, overwrites }, runtime);
  const fail = (error: unknown): never => {
    throw toOutputError(error, `-o '${name}'`, path.resolve(runtime.currentFolder, name));
  };
  const found = await findPlace(name, input, runtime).catch(fail);
  const lock = await holdLock(journalOf(found.file), runtime, 0, (processId) => inUse(name, processId)).catch(
    fail,
  );
  try {
    const place = { ...found, ...(await findPlace(name, input, runtime)) };
    const { file, size, hasJournal } = place;
    const isThere = size > 0 || hasJournal;
    if (isThere && !resumes && !overwrites) throw alreadyThere(name, hasJournal);
    return {
      file,
      open: async (asked, lines, patience) => {
        if (resumes && size > 0 && !hasJournal) {
          const output = await openFinished(file, lines);
          if (!output) throw withoutJournal(name);
          return { output, damaged: 0 };
        }
        if (hasJournal && resumes) {
          const { mtimeMs: stoppedMs } = await stat(journalOf(file)).catch(fail);
          const resumed = await OrderedFile.resume(file, (before) => compareRuns(asked, before), {
            patience,
            retriesFailed,
          }).catch(fail);
          return { ...resumed, stoppedMs };
        }
        return { output: await OrderedFile.create(file, asked, { patience }).catch(fail), damaged: 0 };
      },
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function stdoutPlace(
  { resumes, overwrites }: Pick<OutputWishes, "resumes" | "overwrites">,
  { terminal }: Runtime,
): OutputPlace {
  if (resumes || overwrites)
    throw usageError(
      `${resumes ? "--resume" : "--overwrite"} is for a file, and the results go to stdout.`,
      "Name a file for them: -o FILE",
    );
  return {
    file: undefined,
    open: async () => ({ output: new OrderedStream((text) => terminal.write(text)), damaged: 0 }),
    release: async () => undefined,
  };
}

interface FoundPlace {
  /** Behind all links. */
  file: string;
  /** In bytes; 0 where there is none. */
  size: number;
  hasJournal: boolean;
}

async function findPlace(name: string, input: string | undefined, runtime: Runtime): Promise<FoundPlace> {
  const named = path.resolve(runtime.currentFolder, name);
  const old = await ignoring("ENOENT", stat(named));
  if (old?.isDirectory() || (old === undefined && /[/\\]$/.test(name)))
    throw usageError(
      `-o '${name}' is a folder.`,
      `Name a file in it: -o ${quoteForShell(path.join(name, "out.jsonl"))}`,
    );
  if (old !== undefined && !old.isFile())
    throw usageError(
      `-o '${name}' is not a regular file, in which results could be kept.`,
      "Leave -o out, and pipe them on: they go to stdout.",
    );
  const read =
    input === undefined
      ? undefined
      : await ignoring("ENOENT", stat(path.resolve(runtime.currentFolder, input)));
  if (old && read && isSameFile(old, read))
    throw usageError(`-o '${name}' is the file that is read.`, "Name another one for the results.");
  if (old) await access(named, constants.W_OK);
  const file = await followLinks(named);
  const journal = await ignoring("ENOENT", stat(journalOf(file)));
  if (!old) await access(path.dirname(file), constants.W_OK);
  return { file, size: old?.size ?? 0, hasJournal: journal !== undefined };
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

function inUse(name: string, processId: number): OpenclawError {
  return usageError(
    `Another run writes to '${name}' (process ${processId}).`,
    "Wait for it, or name another file with -o.",
  );
}

function alreadyThere(name: string, hasJournal: boolean): OpenclawError {
  return hasJournal
    ? usageError(
        `-o '${name}' is of a run that is not done.`,
        "Go on with it: --resume. Or begin it again, and pay for it again: --overwrite",
      )
    : usageError(`-o '${name}' is there already.`, "Name another file, or replace this one: --overwrite");
}

function withoutJournal(name: string): OpenclawError {
  return usageError(
    `-o '${name}' has no journal beside it, and is not what these lines come to.`,
    "Begin again, in place of what is there: --overwrite",
  );
}

/** Throws `usage` where a run was asked for something else than the one that goes on. */
function compareRuns(asked: RunRecord, before: Readonly<Record<string, unknown>>): void {
  const first = Object.keys({ ...before, ...asked }).find((name) => before[name] !== asked[name]);
  if (first === undefined) return;
  if (first === "input")
    throw usageError(
      "The run to go on with had other lines: the file has changed since, or it is another one.",
      "Give it those lines, or begin again, and pay for it again: --overwrite",
    );
  const told = (value: unknown): string =>
    value === null || value === undefined ? "none" : `'${String(value)}'`;
  throw usageError(
    `The run to go on with was another one: its ${first} was ${told(before[first])}, and now it is ${told(asked[first])}.`,
    "Repeat its command as it was, or begin again: --overwrite",
  );
}
