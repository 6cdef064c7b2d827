import path from "node:path";
import type { Runtime } from "../runtime.ts";

export type FolderNames = Pick<Runtime, "env" | "homeFolder" | "currentFolder">;

/** The folder of this program's own files: $OPENCLAW_STATE_DIR, else ~/.openclaw. */
export function stateFolder({ env, homeFolder, currentFolder }: FolderNames): string {
  const named = env["OPENCLAW_STATE_DIR"];
  return named === undefined
    ? path.join(homeFolder, ".openclaw")
    : path.resolve(currentFolder, expandHome(named, homeFolder));
}

/** A path with its leading `~` replaced by the home folder. */
export function expandHome(file: string, homeFolder: string): string {
  if (file === "~") return homeFolder;
  return file.startsWith("~/") ? path.join(homeFolder, file.slice(2)) : file;
}
