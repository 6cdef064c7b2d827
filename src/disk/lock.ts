import { lstat, lutimes, readFile, readlink, symlink, unlink, writeFile } from "node:fs/promises";
import { hostname, uptime } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode, ifSystemLets, OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ignoring } from "./atomic-write.ts";
import { readRegularFile, ReadFailure } from "./read-file.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/*
 * A lock of our own, because proper-lockfile and its like know a dead holder only by the age of its lock: after a
 * SIGKILL everybody waits for seconds, and two waiters that find the same old lock may both remove and take it.
 * Here the lock is a symbolic link (made whole or not at all) whose target names its holder, so a dead one is known
 * at once; and only who holds the lock named after a dead holder may remove what it left.
 */

type ProcessView = Pick<Runtime, "processId" | "isProcessAlive" | "now" | "elapsed" | "random" | "signal">;

/** A lock that is held until `work` ends. */
export interface HeldLock {
  /** False when another process took the lock for dead, because this one was suspended for too long. */
  isStillHeld(): Promise<boolean>;
}

export interface LongLock extends HeldLock {
  release(): Promise<void>;
}

interface Holder {
  /** The lock's target as it stands; different for every time any process takes any lock. */
  text: string;
  processId: number;
  /** Machine and process namespace, for which the process id means something. */
  host: string;
  /** Which start of the machine it is; empty where the system does not tell. */
  boot: string;
  /** When the lock was taken, in ms since 1970. */
  since: number;
}

/** One attempt to take locks, until `deadline` (ms of `elapsed`: a clock that is set back makes nobody wait longer). */
interface Attempt {
  self: Holder;
  runtime: ProcessView;
  deadline: number;
}

/** How long to wait for a lock, in ms. */
const PATIENCE_MS = 60_000;
/** Age, in ms, from which a lock is dead although nobody can tell whether its holder is. Work under it takes milliseconds. */
const OLD_MS = 20_000;
/** What a file system says that has no symbolic links. */
const WITHOUT_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);
/** How often a lock that is held for long is made young again, in ms. */
const RENEWAL_MS = 5000;

/**
 * Runs `work` while holding the lock `file + ".lock"`, waiting up to 60 s for other processes. A lock whose holder is
 * dead is taken over. Rejects with `internal` when the wait is over, with the interruption when there is one, with
 * Node's own error when the lock cannot be made, and with whatever `work` rejects with.
 */
export async function withLock<T>(
  file: string,
  runtime: ProcessView,
  work: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  const lock = await holdLock(file, runtime, PATIENCE_MS, (processId) =>
    stillHeld(`${file}.lock`, processId),
  );
  try {
    return await work(lock);
  } finally {
    await lock.release();
  }
}

/**
 * Takes the lock `file + ".lock"` for as long as it takes: it stays young while this process runs. Waits up to
 * `patienceMs` for others, then rejects with what `refuse` makes of the holder's process id.
 */
export async function holdLock(
  file: string,
  runtime: ProcessView,
  patienceMs: number,
  refuse?: (processId: number) => OpenclawError,
): Promise<LongLock> {
  const lockFile = `${file}.lock`;
  const self = await describeSelf(runtime);
  const isOwn = async (): Promise<boolean> => (await readHolder(lockFile))?.text === self.text;
  await acquire(lockFile, { self, runtime, deadline: runtime.elapsed() + patienceMs }, refuse);
  const renewal = setInterval(() => {
    // A lock that is gone, or that cannot be renewed, shows when it is asked for.
    void isOwn()
      .then((isOurs) => (isOurs ? lutimes(lockFile, runtime.now() / 1000, runtime.now() / 1000) : undefined))
      .catch(() => clearInterval(renewal));
  }, RENEWAL_MS).unref();
  return {
    isStillHeld: isOwn,
    release: async () => {
      clearInterval(renewal);
      await release(lockFile, self);
    },
  };
}

async function release(lockFile: string, self: Holder): Promise<void> {
  if ((await readHolder(lockFile))?.text === self.text) await unlink(lockFile);
}

async function acquire(
  lockFile: string,
  attempt: Attempt,
  refuse = (processId: number): OpenclawError => stillHeld(lockFile, processId),
): Promise<void> {
  const { self, runtime, deadline } = attempt;
  for (let attempts = 1; ; attempts += 1) {
    runtime.signal.throwIfAborted();
    if (await create(lockFile, self)) return;
    const holder = await readHolder(lockFile);
    if (holder === undefined) continue;
    if (await isDead(lockFile, holder, attempt)) {
      await removeDead(lockFile, holder, attempt);
      continue;
    }
    if (runtime.elapsed() > deadline) throw refuse(holder.processId);
    await wait(1 + runtime.random() * Math.min(10 * attempts, 80));
  }
}

/**
 * Removes the lock of a dead holder. Between finding it dead and removing it another process may have done so and
 * taken the lock anew; so only the holder of a second lock, named after the dead one, looks again and removes.
 */
async function removeDead(lockFile: string, dead: Holder, attempt: Attempt): Promise<void> {
  const permit = `${lockFile}.${dead.text.split(" ").at(-1)}`;
  await acquire(permit, attempt);
  try {
    await release(lockFile, dead);
  } finally {
    await release(permit, attempt.self);
  }
}

async function create(lockFile: string, self: Holder): Promise<boolean> {
  try {
    await symlink(self.text, lockFile).catch((error: unknown) => {
      if (!WITHOUT_LINKS.has(errorCode(error) ?? "")) throw error;
      // The text of a file may be missing for a moment.
      return writeFile(lockFile, self.text, { flag: "wx", mode: 0o600 });
    });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function readHolder(lockFile: string): Promise<Holder | undefined> {
  const link = ignoring("EINVAL", readlink(lockFile));
  const read = link.then((target) => target ?? readText(lockFile));
  const text = await ignoring("ENOENT", read);
  return text === undefined ? undefined : parseHolder(text);
}

async function readText(lockFile: string): Promise<string> {
  try {
    return (await readRegularFile(lockFile)).bytes.toString("utf8");
  } catch (error) {
    if (!(error instanceof ReadFailure) || error.code === "ENOENT") throw error;
    throw new OpenclawError("internal", {
      message: `The lock ${lockFile} cannot be read: ${error.message}.`,
      hint: `ls -l ${quoteForShell(lockFile)}`,
    });
  }
}

function parseHolder(text: string): Holder {
  const [processId, since, host = "", ...rest] = text.split(" ");
  // The last word makes each lock another. Locks of before 2026-12 have nothing between the host and it.
  const [boot = ""] = rest.slice(0, -1);
  return { text, processId: Number(processId), since: Number(since), host, boot };
}

async function isDead(lockFile: string, holder: Holder, { self, runtime }: Attempt): Promise<boolean> {
  if (holder.host === self.host) {
    if (!runtime.isProcessAlive(holder.processId)) return true;
    if (isOfEarlierBoot(holder, self, runtime)) return true;
  }
  const link = await ignoring("ENOENT", lstat(lockFile));
  if (link === undefined) return false;
  // The later of the holder's clock and the file server's, so that one that is slow makes no lock look old.
  const takenAt = Math.max(link.mtimeMs, Number.isFinite(holder.since) ? holder.since : 0);
  return takenAt < runtime.now() - OLD_MS;
}

/** Whether the machine was restarted since a lock was taken, after which the process id may have been given again. */
function isOfEarlierBoot(holder: Holder, self: Holder, { now }: ProcessView): boolean {
  // A clock that is set forward, as when the machine has found the time, restarts nothing.
  if (holder.boot !== "" && self.boot !== "") return holder.boot !== self.boot;
  return holder.since < now() - uptime() * 1000 - OLD_MS;
}

async function describeSelf(runtime: ProcessView): Promise<Holder> {
  const host = `${hostname()}/${await processNamespace()}`.replaceAll(/\s/g, "-");
  const token = `${runtime.processId}-${Math.floor(runtime.random() * 2 ** 48).toString(36)}`;
  return parseHolder([runtime.processId, runtime.now(), host, ...(await bootId()), token].join(" "));
}

/** What the machine calls this start of it (https://docs.kernel.org/admin-guide/sysctl/kernel.html#random). */
async function bootId(): Promise<string[]> {
  // Only Linux has it.
  const text = (await ifSystemLets(readFile("/proc/sys/kernel/random/boot_id", "latin1"))) ?? "";
  return /^[\w-]+(?=\n?$)/.exec(text)?.slice(0, 1) ?? [];
}

/** Containers may share a file and a host name; their process ids then mean nothing to each other. */
async function processNamespace(): Promise<string> {
  // Only Linux has it.
  return (await ifSystemLets(readlink("/proc/self/ns/pid"))) ?? "";
}

function stillHeld(lockFile: string, processId: number): OpenclawError {
  return new OpenclawError("internal", {
    message: `Process ${processId} has held the lock ${lockFile} for more than ${PATIENCE_MS / 1000} s.`,
    hint: `rm ${quoteForShell(lockFile)}`,
  });
}
