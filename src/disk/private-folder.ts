import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Runtime } from "../runtime.ts";

/** A temporary folder that only this user can enter. */
export interface PrivateFolder {
  path: string;
  /** Takes it away with all that is in it; an open file stays readable without a name, where the system allows it. */
  remove: () => void;
  /** Takes it away, and the exit of the program has nothing to do any more. */
  close: () => void;
}

/** Makes one, which is gone at the latest when the program exits. Rejects with Node's own error. */
export async function makePrivateFolder({
  env,
  onExit,
}: Pick<Runtime, "env" | "onExit">): Promise<PrivateFolder> {
  const folder = await mkdtemp(path.join(env["TMPDIR"] ?? tmpdir(), "openclaw-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const forgetExit = onExit(remove);
  return {
    path: folder,
    remove,
    close: () => {
      forgetExit();
      remove();
    },
  };
}
