import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { errorCode, OpenclawError, withFields } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { writeError } from "./atomic-write.ts";

/** A temporary folder that only this user can enter. */
export interface PrivateFolder {
  path: string;
  /** Takes it away with all that is in it; an open file stays readable without a name, where the system allows it. */
  remove: () => void;
  /** Takes it away, and the exit of the program has nothing to do any more. */
  close: () => void;
  /** Leaves it there, whatever comes, for the person to find. */
  keep: () => void;
}

/**
 * Makes one, which is gone at the latest when the program exits, unless it is to be kept. Throws `internal` where nobody
 * can make one, as `temporaryError` says it.
 */
export async function makePrivateFolder({
  env,
  onExit,
}: Pick<Runtime, "env" | "onExit">): Promise<PrivateFolder> {
  const parent = env["TMPDIR"] ?? tmpdir();
  const folder = await mkdtemp(path.join(parent, "openclaw-")).catch((cause: unknown) => {
    throw temporaryError(parent, cause);
  });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const forgetExit = onExit(remove);
  return {
    path: folder,
    remove,
    close: () => {
      forgetExit();
      remove();
    },
    keep: () => void forgetExit(),
  };
}

/** Node's error of writing below a folder for temporary files as one that says where there may be room. Others stay as they are. */
export function temporaryError(folder: string, cause: unknown): unknown {
  if (cause instanceof OpenclawError || errorCode(cause) === undefined) return cause;
  return withFields(writeError(path.join(folder, "openclaw-tmp"), cause), {
    hint: "Name a folder with more room for temporary files: export TMPDIR=FOLDER",
  });
}
