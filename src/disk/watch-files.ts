import { stat } from "node:fs/promises";
import path from "node:path";
import { errorCode } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ignoring } from "./atomic-write.ts";
import { isReadOnce } from "./read-input.ts";

/** How often files are looked at, in ms. */
const LOOK_MS = 1000;

/**
 * Has files read again by `reload` at SIGHUP and when one of them changes, one time after the other, for as long as
 * `runtime` runs. Where one can be read but once, such as a pipe, none is, and SIGHUP ends the program. Resolves when changes
 * from now on are seen.
 */
export async function rereadFiles(
  names: readonly string[],
  runtime: Pick<Runtime, "currentFolder" | "signal" | "onReload">,
  reload: () => Promise<void>,
): Promise<void> {
  const areFiles = await Promise.all(names.map((name) => isReadAgain(name, runtime)));
  if (areFiles.includes(false)) return;
  let last = Promise.resolve();
  const again = (): void => {
    last = last.then(reload, reload);
  };
  runtime.onReload(again);
  await watchFiles(names, runtime, again);
}

/** Whether what a name leads to is there after it was read, and may be another then. */
async function isReadAgain(
  name: string,
  { currentFolder }: Pick<Runtime, "currentFolder">,
): Promise<boolean> {
  if (isReadOnce(name)) return false;
  const stats = await ignoring("ENOENT", stat(path.resolve(currentFolder, name)));
  return stats?.isFile() !== false;
}

/**
 * Has `onChange` called when what one of some names leads to is another file than before, or has another content:
 * replaced, written in its place, or behind a symbolic link that was set anew, as Kubernetes does with a folder of a
 * mounted secret. Files are looked at by name once a second, because the system's own notices tell nothing of links and of
 * other machines' file systems. One that is being written is left until it has stayed the same for a second. Resolves
 * when changes from now on are seen. Ends when `signal` is aborted; never keeps the process alive.
 */
async function watchFiles(
  names: readonly string[],
  { currentFolder, signal }: Pick<Runtime, "currentFolder" | "signal">,
  onChange: () => void,
): Promise<void> {
  const files = names.map((name) => path.resolve(currentFolder, name));
  let told: string | undefined;
  let seen: string | undefined;
  let isLooking = false;
  const look = async (): Promise<void> => {
    // A file on a dead server is waited for once.
    if (isLooking) return;
    isLooking = true;
    try {
      const now = (await Promise.all(files.map(versionOf))).join("\n");
      told ??= now;
      const isSettled = now === seen;
      seen = now;
      if (now === told || !isSettled || signal.aborted) return;
      told = now;
      onChange();
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  await look();
}

/** What differs between two files, and two contents of one. */
async function versionOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}
