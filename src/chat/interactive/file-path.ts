import { readdir } from "node:fs/promises";
import path from "node:path";
import { ifSystemLets } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";

export type Folders = Pick<Runtime, "homeFolder" | "currentFolder">;

/** The path that a person typed or dropped on the terminal: with quotes, backslashes before spaces, or `~`. */
export function readPath(typed: string, { homeFolder }: Folders): string {
  const plain = typed.replaceAll(
    // A backslash before a letter or a digit is one: Windows has it in its paths.
    /'([^']*)'|"((?:\\["\\$`]|[^"])*)"|\\([^\p{L}\p{N}])/gu,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );
  // A dash alone means stdin on a command line, which the keyboard is here.
  if (plain === "-") return "./-";
  return plain === "~" || plain.startsWith("~/") ? path.join(homeFolder, plain.slice(1)) : plain;
}

/** A path as `readPath` reads it back: with a backslash before what would end a word, or mean something else in it. */
export function writePath(name: string): string {
  return name.replaceAll(/[\s'"\\()]/g, String.raw`\$&`);
}

/** The files and folders whose path begins so, spelled as it was begun; folders with a slash at their end. */
export async function completePath(typed: string, folders: Folders): Promise<string[]> {
  const begun = typed.slice(0, typed.lastIndexOf("/") + 1);
  const name = readPath(typed.slice(begun.length), folders);
  const folder = path.resolve(folders.currentFolder, readPath(begun, folders));
  // Where there is no such folder nothing completes it.
  const entries = (await ifSystemLets(readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.name.startsWith(name) && (name.startsWith(".") || !entry.name.startsWith(".")))
    .map((entry) => `${begun}${writePath(entry.name)}${entry.isDirectory() ? "/" : ""}`)
    .sort();
}
