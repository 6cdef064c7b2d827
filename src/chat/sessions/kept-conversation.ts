import { open } from "node:fs/promises";
import path from "node:path";
import { APPEND_FLAGS } from "../../disk/append-lines.ts";
import { makeFolderOf, syncFolder, writeError } from "../../disk/atomic-write.ts";
import { holdLock, type LongLock } from "../../disk/lock.ts";
import { OpenclawError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { createSessionId, type Session, sessionFile, statOf } from "./session-files.ts";
import {
  type Course,
  headerLine,
  type KeptTurn,
  type Place,
  placeTurn,
  titleLine,
  turnLine,
  undoLast,
  undoLine,
} from "./session-record.ts";

export interface Conversation {
  /** The id it is kept under; undefined with `--no-save`. */
  readonly id: string | undefined;
  /** The id under which something of it is on the disk; undefined where nothing is, as on a full one. */
  readonly keptId: string | undefined;
  readonly turns: readonly KeptTurn[];
  /** What it is called; undefined where its first question has to do. */
  readonly title: string | undefined;
  /**
   * Adds a turn at its place, and resolves when it is on the disk, where a new one has yet to be flushed to it: that is done
   * while it is asked. Throws `internal`; the turn then counts all the same, and is written with the next one.
   */
  keep(turn: KeptTurn, place?: Place): Promise<void>;
  /** Takes back the newest turn, or a summary that nothing has followed. Throws as `keep` does. */
  undo(): Promise<void>;
  /** Gives it a title, or takes it away. Throws as `keep` does. */
  rename(title: string | undefined): Promise<void>;
  /**
   * Writes down what has come so far of the answer to the last turn, for the case that the program is killed: the next
   * write takes its place. Throws `internal`.
   */
  jot(turn: KeptTurn): Promise<void>;
  close(): Promise<void>;
}

/** A conversation that leaves no trace. */
export function unkeptConversation(turns: readonly KeptTurn[]): Conversation {
  const course: Course = { turns: [...turns], compactions: [] };
  let title: string | undefined;
  return {
    id: undefined,
    keptId: undefined,
    turns: course.turns,
    get title() {
      return title;
    },
    keep: async (turn, place = "new") => placeTurn(course, turn, place),
    undo: async () => undoLast(course),
    rename: async (to) => void (title = to),
    jot: async () => undefined,
    close: async () => undefined,
  };
}

/** A conversation whose turns are appended to a session file, each one flushed to the disk before the next begins. */
export class KeptConversation implements Conversation {
  readonly #runtime: Runtime;
  readonly #course: Course;
  title: string | undefined;
  id: string;
  #lock: LongLock | undefined;
  /** Size of the file in bytes, as this conversation left it; undefined while there is none. */
  #size: number | undefined;
  /** Lines that are not on the disk yet. */
  #pending: string[] = [];
  /** What is being flushed. Rejects where the disk does not take it, which is then pending again. */
  #flushing: Promise<void> | undefined;

  /** `lock` is the lock of an id that others may know; for a new one it is taken with the first turn. */
  constructor(runtime: Runtime, start: { id: string; session?: Session | undefined; lock?: LongLock }) {
    this.#runtime = runtime;
    this.id = start.id;
    const { turns = [], compactions = [], title } = start.session ?? {};
    this.#course = { turns: [...turns], compactions: [...compactions] };
    this.title = title;
    this.#size = start.session?.wholeBytes;
    this.#lock = start.lock;
    if (!start.session) this.#pending.push(this.#header());
  }

  get keptId(): string | undefined {
    return this.#size ? this.id : undefined;
  }

  get turns(): readonly KeptTurn[] {
    return this.#course.turns;
  }

  async keep(turn: KeptTurn, place: Place = "new"): Promise<void> {
    placeTurn(this.#course, turn, place);
    await this.#write(turnLine(turn, place), place === "new");
  }

  async undo(): Promise<void> {
    undoLast(this.#course);
    await this.#write(undoLine(new Date(this.#runtime.now()).toISOString()));
  }

  async rename(title: string | undefined): Promise<void> {
    this.title = title;
    // Before the first turn there is nothing to be kept.
    if (this.turns.length === 0) this.#pending.push(titleLine(title));
    else await this.#write(titleLine(title));
  }

  /** `isFlushedLater` leaves what is written to be flushed while the caller goes on. */
  async #write(line: string, isFlushedLater = false): Promise<void> {
    const file = this.#file();
    try {
      // What could not be flushed is written again now.
      await Promise.allSettled([this.#flushing]);
      this.#flushing = undefined;
      this.#pending.push(line);
      await makeFolderOf(file);
      this.#lock ??= await lockSession(this.#runtime, this.id);
      if (await this.#isUntouched(file)) await this.#append(file);
      else await this.#moveOn();
      if (!isFlushedLater) await this.#flushing;
    } catch (error) {
      throw error instanceof OpenclawError ? error : writeError(this.#file(), error);
    }
  }

  async jot(turn: KeptTurn): Promise<void> {
    const file = this.#file();
    // What could not be written is more than an answer to it.
    if (this.#size === undefined || this.#pending.length > 0) return;
    try {
      if (!(await this.#isUntouched(file))) return;
      const handle = await open(file, APPEND_FLAGS, 0o600);
      try {
        await handle.truncate(this.#size);
        await handle.writeFile(turnLine(turn, "answer"));
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw writeError(file, error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#flushing;
    } catch (error) {
      throw writeError(this.#file(), error);
    } finally {
      await this.#lock?.release();
      this.#lock = undefined;
    }
  }

  /** Whether nobody else has written, which a lock that was lost to a long suspension cannot rule out. */
  async #isUntouched(file: string): Promise<boolean> {
    // An empty one is what a full disk left.
    const [stats, isHeld = false] = await Promise.all([statOf(file), this.#lock?.isStillHeld()]);
    const size = stats?.size ?? 0;
    // More than was left there is what a write that failed, or was killed, left of a line.
    return isHeld && (this.#size === undefined ? size === 0 : size >= this.#size);
  }

  async #append(file: string): Promise<void> {
    const lines = this.#pending;
    const bytes = Buffer.from(lines.join(""));
    const isNew = this.#size === undefined;
    const start = this.#size ?? 0;
    const handle = await open(file, APPEND_FLAGS, 0o600);
    try {
      const { size } = await handle.stat();
      if (size > start) await handle.truncate(start);
      // From here on the file is known to be there, if the write should fail half-way.
      this.#size = start;
      await handle.writeFile(bytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#size = start + bytes.length;
    this.#pending = [];
    const flush = async (): Promise<void> => {
      try {
        await handle.sync();
      } catch (error) {
        this.#size = start;
        this.#pending = lines;
        throw error;
      } finally {
        await handle.close();
      }
      if (isNew) await syncFolder(path.dirname(file));
    };
    this.#flushing = flush();
    // Whoever waits for it hears of its failure.
    this.#flushing.catch(() => undefined);
  }

  /** Goes on under a new id with everything so far, because somebody else has gone on with this one. */
  async #moveOn(): Promise<void> {
    const old = this.id;
    await this.close();
    this.id = createSessionId(this.#runtime.random);
    this.#size = undefined;
    this.#pending = [
      this.#header(),
      ...(this.title === undefined ? [] : [titleLine(this.title)]),
      ...this.turns.map((turn) => turnLine(turn, "new")),
    ];
    // What summaries took the place of is in the file of before.
    this.#course.compactions.length = 0;
    this.#lock = await lockSession(this.#runtime, this.id);
    await this.#append(this.#file());
    await this.#runtime.terminal.warn(
      `Session ${old} has changed under this conversation, which goes on as session ${this.id}.`,
    );
  }

  #header(): string {
    const { currentFolder, now, isEmulated } = this.#runtime;
    const header = { id: this.id, folder: currentFolder, created: new Date(now()).toISOString() };
    return headerLine(isEmulated ? { ...header, emulated: true } : header);
  }

  #file(): string {
    return sessionFile(this.#runtime, this.id);
  }
}

/** How long anybody waits for a process that is about to be done with a session, in ms: one that has been left lets it go last. */
const ENDING_MS = 1500;

/** Takes the lock of a session. Throws `usage` where another process has it for longer than so many ms. */
export function lockSession(runtime: Runtime, id: string, patienceMs = ENDING_MS): Promise<LongLock> {
  return holdLock(sessionFile(runtime, id), runtime, patienceMs, (processId) => {
    return new OpenclawError("usage", {
      message: `Session ${id} is open in another openclaw, process ${processId}.`,
      hint: "Leave it there first, or begin another one: openclaw chat",
      details: { session: id, processId },
    });
  });
}
