import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
import { errorCode, ifSystemLets } from "../../errors.ts";
import type { Environment } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

export interface ProgramPlace {
  /** The environment that it is started with, which has the PATH. */
  env: Environment;
  /** The folder that it is started in. */
  folder: string;
  platform: NodeJS.Platform;
}

/** A program, or why there is none to start, as the end of a sentence about it: `does not exist`. */
export type FoundProgram = { file: string } | { fault: string };

/** Where programs are looked for without a PATH: _PATH_DEFPATH of paths.h. */
const DEFAULT_PATH = "/usr/bin:/bin";

/**
 * Finds the program of a command as it would be started: a name without a slash on the PATH, any other from the folder.
 * Nothing is started.
 */
export async function findProgram(program: string, place: ProgramPlace): Promise<FoundProgram> {
  const { folder, platform } = place;
  if (program.trim() === "") return { fault: "has no name" };
  if (program.includes("\0")) return { fault: "has a zero byte in its name" };
  if (program.includes("/") || (platform === "win32" && /[\\:]/.test(program))) {
    const file = path.resolve(folder, program);
    const fault = await faultOf(file, platform);
    if (fault === undefined) return { file };
    return {
      fault: program.startsWith("~") ? `${fault} (no shell makes ~ a folder: write $\{HOME})` : fault,
    };
  }
  let unfit: string | undefined;
  for (const file of placesOf(program, place)) {
    const fault = await faultOf(file, platform);
    if (fault === undefined) return { file };
    if (fault !== ABSENT) unfit ??= `is no program to start: ${file} ${fault}`;
  }
  if (unfit !== undefined) return { fault: unfit };
  const isHere = (await faultOf(path.resolve(folder, program), platform)) === undefined;
  return { fault: `is not found on PATH${isHere ? ` (the one in ${folder} is ./${program})` : ""}` };
}

/** Why a command was not started, which failed with what Node says, as a sentence that names its program. */
export async function explainStart(program: string, failure: Error, place: ProgramPlace): Promise<string> {
  const name = quoteForShell(program);
  const folder = await ifSystemLets(stat(place.folder));
  if (!folder?.isDirectory()) return `The folder ${place.folder}, in which ${name} was to run, is not there.`;
  const found = await findProgram(program, place);
  if ("fault" in found) return `${name} ${found.fault}.`;
  const { code } = failure as NodeJS.ErrnoException;
  if (code === "ERR_INVALID_ARG_VALUE") return `${name} has a zero byte in its arguments or its environment.`;
  if (code === "ENOENT")
    return `${name} is there, and what it is to be run by is not: the program in its first line, or a loader of this system.`;
  if (code === "E2BIG") return `${name} has more arguments and environment than the system takes.`;
  return `${name} could not be started: ${code ?? failure.message}.`;
}

function placesOf(program: string, { env, folder, platform }: ProgramPlace): string[] {
  const isWindows = platform === "win32";
  const named = Object.entries(env).find(([name]) => (isWindows ? name.toUpperCase() : name) === "PATH")?.[1];
  const endings = isWindows && path.extname(program) === "" ? [".com", ".exe"] : [""];
  return (named ?? DEFAULT_PATH)
    .split(isWindows ? ";" : ":")
    .flatMap((entry) => endings.map((ending) => path.resolve(folder, entry, program + ending)));
}

const ABSENT = "does not exist";

/** Why a file cannot be started; undefined where it can. */
async function faultOf(file: string, platform: NodeJS.Platform): Promise<string | undefined> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) return "is a folder";
    if (!stats.isFile()) return "is no file";
    if (platform === "win32") return undefined;
    await access(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return ABSENT;
    if (code === "EACCES") return "is not executable (chmod +x makes it so)";
    if (code === "ELOOP") return "is a link that leads to itself";
    if (code === "ENAMETOOLONG") return "has too long a name";
    if (code === undefined) throw error;
    return `cannot be looked at (${code})`;
  }
}
