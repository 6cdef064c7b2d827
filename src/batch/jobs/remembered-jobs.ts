import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { appendLines } from "../../disk/append-lines.ts";
import { readRegularFile, ReadFailure } from "../../disk/read-file.ts";
import { stateFolder } from "../../disk/state-folder.ts";
import { errorCode } from "../../errors.ts";
import { parseIfJson } from "../../json-bounds.ts";
import { isRecord } from "../../json.ts";
import type { Runtime } from "../../runtime.ts";
import type { LineKind } from "../lines/batch-line.ts";

/** A job that was submitted from this machine. It holds nothing of what was asked. */
export interface RememberedJob {
  arn: string;
  /** When, as ISO 8601. */
  at: string;
  profile?: string | undefined;
  /** The path of the file of lines; undefined for a pipe. */
  file?: string | undefined;
  /** Of that file's bytes, as hex. */
  sha256: string;
  kind: LineKind;
}

/** Writes down a job that was submitted, for commands that name none. Rejects with Node's own error. */
export async function rememberJob(job: RememberedJob, runtime: Runtime): Promise<void> {
  await appendLines(fileOf(runtime), `${JSON.stringify(job)}\n`);
}

/** The jobs that were submitted from this machine, the latest first. What cannot be read is none. */
export async function rememberedJobs(runtime: Runtime): Promise<RememberedJob[]> {
  const text = await readText(fileOf(runtime));
  const lines = text.split("\n").flatMap((line) => readLine(line) ?? []);
  return lines.toReversed();
}

/**
 * Notes that what a job used is written into the ledger. Resolves to false where it was before: a job is counted once, by
 * whichever process asks first. Rejects with Node's own error.
 */
export async function isFirstCount(jobId: string, runtime: Runtime): Promise<boolean> {
  const file = path.join(stateFolder(runtime), "batch", "counted", jobId);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, "", { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function fileOf(runtime: Runtime): string {
  return path.join(stateFolder(runtime), "batch", "jobs.jsonl");
}

async function readText(file: string): Promise<string> {
  try {
    return (await readRegularFile(file)).bytes.toString("utf8");
  } catch (error) {
    if (error instanceof ReadFailure) return "";
    throw error;
  }
}

function readLine(line: string): RememberedJob | undefined {
  const value = parseIfJson(line);
  if (!isRecord(value)) return undefined;
  const { arn, at, profile, file, sha256, kind } = value;
  if (typeof arn !== "string" || typeof at !== "string" || typeof sha256 !== "string") return undefined;
  return {
    arn,
    at,
    profile: typeof profile === "string" ? profile : undefined,
    file: typeof file === "string" ? file : undefined,
    sha256,
    kind: kind as LineKind,
  };
}
