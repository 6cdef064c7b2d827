import type { Stats } from "node:fs";
import {
  copyFile,
  type FileHandle,
  link,
  open,
  readdir,
  readlink,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import path from "node:path";
import { errorCode, OpenclawError } from "../errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { NO_HOME } from "../runtime.ts";
import { DISK_REASONS } from "./disk-reasons.ts";
import { makeFolder } from "./make-folder.ts";

const NEW_FILE_MODE = 0o600;
/** Follows symbolic links to the file that is really written, also when that file does not exist yet. Throws `internal`. */
export async function followLinks(file: string): Promise<string> {
  let target = file;
  for (let links = 0; links < 40; links += 1) {
    try {
      target = path.resolve(path.dirname(target), await readlink(target));
    } catch (error) {
      const code = errorCode(error);
      if (code === "EINVAL" || code === "ENOENT") return target;
      throw writeError(file, error);
    }
  }
  return target;
}

/** Makes the folder of a file, with all above it, for this user only. Throws `internal`. */
export async function makeFolderOf(file: string): Promise<void> {
  try {
    makeFolder(path.dirname(file));
  } catch (error) {
    throw writeError(file, error);
  }
}

export interface Replacement {
  text: string;
  /**
   * Whether the version before stays as `<file>.bak`; it does unless this is false. Of a file that loses a secret no copy may
   * be left, an earlier one included.
   */
  keepsBackup?: boolean;
}

/**
 * Replaces a file in one step: whoever reads it, at whatever moment this process dies, finds the old or the new text.
 * Keeps mode and owner (0600 when new). `mayCommit` is asked right before the file is replaced; on false nothing changes.
 * Returns whether the file was replaced. The caller holds the file's lock. Throws `internal` with the file as it was.
 */
export async function replaceFile(
  file: string,
  { text, keepsBackup = true }: Replacement,
  random: () => number,
  mayCommit: () => Promise<boolean>,
): Promise<boolean> {
  const folder = path.dirname(file);
  const temporary = path.join(
    folder,
    `.${path.basename(file)}.${Math.floor(random() * 2 ** 48).toString(36)}.tmp`,
  );
  try {
    await removeLeftovers(file);
    const exists = await writeWhole(temporary, text, file);
    if (!(await mayCommit())) {
      await unlink(temporary);
      return false;
    }
    if (!keepsBackup) await ignoring("ENOENT", unlink(`${file}.bak`));
    else if (exists) await keepBackup(file, `${temporary}.bak.tmp`);
    await rename(temporary, file);
    await syncFolder(folder);
    return true;
  } catch (error) {
    await removeIfThere(temporary);
    await removeIfThere(`${temporary}.bak.tmp`);
    throw error instanceof OpenclawError ? error : writeError(file, error);
  }
}

/** Turns a failed write into an error that says what is wrong with this machine and that the file is as it was. */
export function writeError(file: string, cause: unknown): OpenclawError {
  const folder = path.dirname(file);
  const { path: place = folder } = cause as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, [string, string]>> = {
    ENOSPC: [DISK_REASONS.ENOSPC, `df -h ${folder}`],
    EDQUOT: [DISK_REASONS.EDQUOT, "quota -s"],
    EFBIG: [DISK_REASONS.EFBIG, "ulimit -f"],
    EACCES: ["permission denied", `ls -ld ${folder}`],
    EPERM: ["the operation is not permitted", `ls -ld ${folder}`],
    EEXIST: [`${place} is a file, or a link that leads nowhere`, `ls -ld ${quoteForShell(place)}`],
    ENOENT: ["its folder is not there, and cannot be made", `ls -ld ${folder}`],
    EROFS: [DISK_REASONS.EROFS, "openclaw --config FILE …"],
    ENOTDIR: ["a part of the path is not a folder", `ls -ld ${folder}`],
    EISDIR: ["it is a folder", "openclaw --config FILE …"],
    ELOOP: ["its symbolic links lead in a circle", `ls -l ${quoteForShell(file)}`],
    EMFILE: ["too many files are open", "ulimit -n"],
    EIO: [DISK_REASONS.EIO, "dmesg | tail"],
  };
  if (file.startsWith(NO_HOME)) {
    return new OpenclawError("config-unreadable", {
      message: "There is no home folder to write to: HOME is not set, and this user is not in /etc/passwd.",
      hint: "export HOME=FOLDER",
    });
  }
  const code = errorCode(cause) ?? "";
  const [reason, hint] = reasons[code] ?? [
    cause instanceof Error ? cause.message : String(cause),
    `ls -ld ${folder}`,
  ];
  return new OpenclawError("internal", {
    message: `Cannot write ${file}: ${reason}. Nothing was changed.`,
    hint,
    details: { file, ...(code ? { reason: code } : {}) },
  });
}

/** Writes a new file to the disk with the mode and owner of the one it will replace. Returns whether there is one. */
async function writeWhole(temporary: string, text: string, file: string): Promise<boolean> {
  const old = await ignoring("ENOENT", stat(file));
  if (old !== undefined && !old.isFile()) {
    throw new OpenclawError("config-unreadable", {
      message: `${file} is not a regular file, so it cannot be written.`,
      hint: "openclaw --config FILE …",
      details: { file },
    });
  }
  const handle = await open(temporary, "wx", NEW_FILE_MODE);
  try {
    await handle.writeFile(text);
    if (old !== undefined) await takeAfter(handle, old);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return old !== undefined;
}

/** Gives a file the owner and mode of the one that it will replace. Rejects with Node's system error. */
export async function takeAfter(handle: FileHandle, old: Stats): Promise<void> {
  const made = await handle.stat();
  // Only the superuser may give a file away; others keep what they may.
  if (made.uid !== old.uid || made.gid !== old.gid) await ignoring("EPERM", handle.chown(old.uid, old.gid));
  await handle.chmod(old.mode & 0o7777);
}

/** The old file gets a second name: its bytes, mode and owner as they are, and no moment without either. */
async function keepBackup(file: string, temporary: string): Promise<void> {
  try {
    await link(file, temporary);
  } catch (error) {
    if (errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT") throw error;
    // A file system without hard links.
    await copyFile(file, temporary);
  }
  await rename(temporary, `${file}.bak`);
  // When a writer was killed in between, `.bak` is the file itself already, and renaming one name of a file to another of
  // its names does nothing.
  await removeIfThere(temporary);
}

/** Flushes a folder's entries: without this a new name itself could be lost when the machine loses power. */
export async function syncFolder(folder: string): Promise<void> {
  // Some file systems cannot sync a folder, and Windows cannot open one.
  const handle = await ignoring("EISDIR EPERM EACCES", open(folder, "r"));
  if (handle === undefined) return;
  try {
    await ignoring("EINVAL ENOTSUP EPERM", handle.sync());
  } finally {
    await handle.close();
  }
}

/** Temporary files of writers that were killed: whoever holds the lock is alone here. */
async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file);
  const prefix = `.${path.basename(file)}.`;
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix) && name.endsWith(".tmp")) await removeIfThere(path.join(folder, name));
  }
}

async function removeIfThere(file: string): Promise<void> {
  await ignoring("ENOENT EACCES EPERM EROFS ENOTDIR", unlink(file));
}

/** Waits for `work`; failures with one of these codes give undefined. */
export async function ignoring<T>(codes: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codes.split(" ").includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}
