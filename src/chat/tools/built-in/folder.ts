import { constants, type Dirent, type Stats } from "node:fs";
import { lstat, opendir, readlink, realpath, stat, statfs } from "node:fs/promises";
import path from "node:path";
import {
  MOST_TEXT_BYTES,
  ReadFailure,
  readToEnd,
  refuseIrregular,
  toReadFailure,
  withFile,
} from "../../../disk/read-file.ts";
import { expandHome } from "../../../disk/state-folder.ts";
import { errorCode, ifSystemLets, usageError } from "../../../errors.ts";
import type { GlobalOptions } from "../../../options.ts";
import type { Runtime } from "../../../runtime.ts";
import { CredentialPlaces, isWithin } from "./credential-places.ts";
import { CallFault } from "./tool-input.ts";

// Windows has none of them.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const FOLDER_ONLY = constants.O_DIRECTORY ?? 0;

/** So many entries of one folder are looked at. */
const MOST_ENTRIES = 20_000;

/** What is in a folder, and whether there is more than is looked at. */
interface Entries {
  entries: Dirent[];
  isCut: boolean;
}

/**
 * A folder that tools read in and never leave, by whatever path: what a path leads to is found first, and what was opened is
 * compared with that, so that nobody puts something else in its place in between. Nothing waits: a FIFO, a socket and a device
 * are refused. What holds credentials is not read.
 */
export class Folder {
  /** Its absolute path, without symbolic links. */
  readonly root: string;
  readonly #credentials: CredentialPlaces;

  private constructor(root: string, credentials: CredentialPlaces) {
    this.root = root;
    this.#credentials = credentials;
  }

  /** Throws `usage` where there is no such folder. */
  static async open(
    named: string | undefined,
    runtime: Runtime,
    options: Pick<GlobalOptions, "config"> = {},
  ): Promise<Folder> {
    const folder = path.resolve(runtime.currentFolder, expandHome(named ?? ".", runtime.homeFolder));
    try {
      const root = await realpath(folder);
      if ((await stat(root)).isDirectory())
        return new Folder(root, await CredentialPlaces.find(runtime, options));
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      const { message } = toReadFailure(error) as ReadFailure;
      throw usageError(
        `The folder '${folder}' cannot be read: ${message}.`,
        "Name a folder: --tool read-file:DIR",
      );
    }
    throw usageError(`'${folder}' is not a folder.`, "Name a folder: --tool read-file:DIR");
  }

  /** A real path in the folder as the model is told it: from the folder, with slashes. */
  nameOf(file: string): string {
    const name = path.relative(this.root, file);
    return name === "" ? "." : name.split(path.sep).join("/");
  }

  /** Why what is at a real path is not read; undefined where it may be. */
  credentialsAt(file: string): string | undefined {
    return this.#credentials.placeOf(file);
  }

  /**
   * The real path of what a path in the folder leads to. Throws a `CallFault` where it leads out of it, to nothing, or to
   * what holds credentials.
   */
  async locate(named: string): Promise<string> {
    if (named.includes("\0")) throw new CallFault("A path with a zero byte in it leads nowhere.");
    const leadsOut = new CallFault(
      `'${named}' is not in the folder ${this.root}, and nothing outside of it is read.`,
    );
    const wanted = path.resolve(this.root, named);
    // Before the disk is asked: what is outside is not even looked for.
    if (!isWithin(this.root, wanted)) throw leadsOut;
    let found: string;
    try {
      found = await realpath(wanted);
    } catch (error) {
      throw faultOf(named, error);
    }
    if (!isWithin(this.root, found)) throw leadsOut;
    this.#refuseCredentials(named, found);
    return found;
  }

  #refuseCredentials(named: string, file: string): void {
    const place = this.credentialsAt(file);
    if (place !== undefined) throw credentialFault(named, `'${place}'`);
  }

  async isFolder(file: string): Promise<boolean> {
    try {
      return (await lstat(file)).isDirectory();
    } catch (error) {
      throw faultOf(this.nameOf(file), error);
    }
  }

  /** Reads a regular file whole, by its real path. Throws a `CallFault` for anything else and for one that is too long. */
  async read(file: string, most = MOST_TEXT_BYTES): Promise<Buffer> {
    const named = this.nameOf(file);
    try {
      return await withFile(
        file,
        async (descriptor, stats) => {
          refuseIrregular(stats);
          await this.#insist(file, descriptor, stats);
          if (stats.size === 0) await refuseMadeUp(file);
          if (this.#credentials.isOneOf(stats)) throw credentialFault(named, "another name of it");
          return readToEnd(descriptor, stats, most);
        },
        NO_FOLLOW,
      );
    } catch (error) {
      throw faultOf(named, error);
    }
  }

  /** What is in a folder, by its real path, sorted by name. Throws a `CallFault` for anything else. */
  async entriesOf(folder: string): Promise<Entries> {
    try {
      // Windows opens no folder as a file.
      if (FOLDER_ONLY === 0) return await listEntries(folder);
      return await withFile(
        folder,
        async (descriptor, stats) => {
          const isKnown = await this.#insist(folder, descriptor, stats);
          if (isKnown) return listEntries(`/proc/self/fd/${descriptor}`);
          const entries = await listEntries(folder);
          await this.#insist(folder, descriptor, stats);
          return entries;
        },
        FOLDER_ONLY | NO_FOLLOW,
      );
    } catch (error) {
      throw faultOf(this.nameOf(folder), error);
    }
  }

  /**
   * Insists that what was opened is what was found in the folder. Linux says where it is; elsewhere what is at the path must
   * be the same. Returns whether Linux did.
   */
  async #insist(file: string, descriptor: number, stats: Stats): Promise<boolean> {
    const opened = await ifSystemLets(readlink(`/proc/self/fd/${descriptor}`));
    if (opened !== undefined) {
      if (!isWithin(this.root, opened)) throw new ReadFailure("it was moved out of the folder");
      this.#refuseCredentials(this.nameOf(file), opened);
      return true;
    }
    // Again and again: who changes it in between would have to do so each time.
    for (let times = 0; times < MOST_LOOKS; times++) {
      const now = await lstat(file);
      if ((await realpath(file)) !== file || now.ino !== stats.ino || now.dev !== stats.dev)
        throw new ReadFailure("something else was put in its place");
    }
    return false;
  }
}

/** What is opened is looked at so often where the system does not say where it is. */
const MOST_LOOKS = 5;

function credentialFault(named: string, where: string): CallFault {
  return new CallFault(`'${named}' is not read: ${where} may hold credentials.`);
}

/** Of procfs, wherever it is mounted (PROC_SUPER_MAGIC in Linux's magic.h). */
const PROCFS = 0x9fa0;

/** Refuses what the system makes up when it is read, such as the environment of processes: it has no length. */
async function refuseMadeUp(file: string): Promise<void> {
  if ((await statfs(file)).type === PROCFS) throw new ReadFailure("it is no file, the system makes it up");
}

async function listEntries(folder: string): Promise<Entries> {
  const entries: Dirent[] = [];
  let isCut = false;
  for await (const entry of await opendir(folder)) {
    isCut = entries.length === MOST_ENTRIES;
    if (isCut) break;
    entries.push(entry);
  }
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { entries, isCut };
}

function faultOf(named: string, error: unknown): unknown {
  if (error instanceof CallFault) return error;
  const failure = toReadFailure(error);
  return failure instanceof ReadFailure
    ? new CallFault(`'${named}' cannot be read: ${failure.message}.`)
    : failure;
}
