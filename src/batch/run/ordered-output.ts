import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { ignoring, syncFolder } from "../../disk/atomic-write.ts";
import { type ErrorCode, OpenclawError } from "../../errors.ts";
import { splitLines } from "../lines/split-lines.ts";
import { Journal, type JournalHeader, type Replayed } from "./journal.ts";
import {
  addCounts,
  addToTally,
  emptyTally,
  failedLines,
  failureOf,
  type LineResult,
  takeBackFailure,
  type Tally,
} from "./line-result.ts";
import { patiently, type Patience, PatientWriter, writePatiently } from "./patient-write.ts";

/** A result may come before so many others whose place is in front of it, and no more are asked for then. */
const MOST_AHEAD = 50_000;
/** Results that wait for their place are held in memory up to this, in bytes; of others the text is read again. */
const MOST_HELD = 4 * 1024 * 1024;
/** So much is written at once, in bytes. */
const PIECE = 1024 * 1024;
/** So much of a journal may be in the output already, in bytes, before it is begun anew without that. */
const MOST_DEAD = 64 * 1024 * 1024;

/** As a shell makes a file: the person's umask is taken off. */
const NEW_FILE_MODE = 0o666;

/** Takes the results of a run in any order, and puts them down in that of the input. */
export interface ResultOutput {
  /** What came of all lines that are done, in runs before, too. What lines used that are asked again counts on. */
  readonly tally: Readonly<Tally>;
  /** Lines that were done when it was opened, but for those that are asked again. */
  readonly before: number;
  /** Whether it knows what the lines used that were done before. */
  readonly knowsUse: boolean;
  /** Whether a line is done, and is not asked again. */
  has(number: number): boolean;
  /** Resolves when a line is not too far ahead of the first one that is not done. Rejects with what `put` does. */
  roomFor(number: number): Promise<void>;
  /** Resolves when the result cannot be lost any more. */
  put(result: LineResult): Promise<void>;
  /** Resolves when all that was put is where it belongs. */
  settle(): Promise<void>;
  /** Ends a run of which every line is done. The journal stays where some have no answer. */
  finish(): Promise<void>;
  /** Ends a run that is not done. Where no line is, nothing is left of it. */
  close(): Promise<void>;
}

interface Waiting extends Replayed {
  /** Undefined where the text is to be read again. */
  bytes: Buffer | undefined;
}

interface Taken {
  result: LineResult;
  resolve: () => void;
  reject: (failure: unknown) => void;
}

/**
 * Results in a file, with a journal beside it that has each of them as soon as it comes. Whatever ends the program, both
 * together have every result that was put, once: what is in the journal and not in the file is written there when the run
 * goes on.
 */
export class OrderedFile implements ResultOutput {
  readonly #file: string;
  readonly #journal: Journal;
  #output: FileHandle;
  readonly #asked: Readonly<Record<string, unknown>>;
  readonly #patience: Patience;
  readonly #mostDead: number;
  /** Results whose place is behind one that is missing, by number. */
  readonly #waiting = new Map<number, Waiting>();
  /** Lines in the output that have no answer there. */
  readonly #failed = new Map<number, ErrorCode>();
  /** Results of lines in the output that take the place of what is there. */
  readonly #replacing = new Map<number, Waiting>();
  /** Lines in the output that are to be asked again. */
  readonly #again = new Set<number>();
  /** Of `waiting` and `replacing` in the journal, and of both in memory, in bytes. */
  #waitingBytes = 0;
  #heldBytes = 0;
  /** What is in the output. */
  #written: JournalHeader["written"];
  readonly #tally: Tally;
  #taken: Taken[] = [];
  #isWorking = false;
  #working: Promise<void> = Promise.resolve();
  #failure: { reason: unknown } | undefined;
  #room: (() => void)[] = [];
  before = 0;
  readonly knowsUse = true;
  /** What nobody needs where no line is done. */
  readonly #made: readonly string[];

  private constructor(opened: {
    file: string;
    journal: Journal;
    output: FileHandle;
    asked: Readonly<Record<string, unknown>>;
    written: JournalHeader["written"];
    options: OrderedFileOptions;
    made: readonly string[];
  }) {
    this.#file = opened.file;
    this.#made = opened.made;
    this.#journal = opened.journal;
    this.#output = opened.output;
    this.#asked = opened.asked;
    this.#patience = opened.options.patience;
    this.#mostDead = opened.options.mostDead ?? MOST_DEAD;
    this.#written = opened.written;
    this.#tally = structuredClone(opened.written.tally);
  }

  /** Makes the output of a new run, in place of whatever is there. Rejects with Node's own error. */
  static async create(
    file: string,
    asked: Readonly<Record<string, unknown>>,
    options: OrderedFileOptions,
  ): Promise<OrderedFile> {
    const written = { lines: 0, bytes: 0, tally: emptyTally() };
    const old = await ignoring("ENOENT", stat(file));
    // An old output without its journal is one that is whole: the journal goes first.
    const journal = await Journal.create(journalOf(file), { asked, written }, options.patience);
    try {
      const output = await patiently(() => open(file, "w", NEW_FILE_MODE), options.patience);
      await syncFolder(path.dirname(file));
      const made = [journalOf(file), ...(old ? [] : [file])];
      return new OrderedFile({ file, journal, output, asked, written, options, made });
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /**
   * Opens the output of a run that was stopped, or of one that has ended with lines without an answer, which are asked again
   * where `retriesFailed`. `check` throws where the run was another one. Returns how many results could not be read beside. Throws `internal` where the output is not as the run has left it, and rejects with Node's own error,
   * ENOENT where there is no journal.
   */
  static async resume(
    file: string,
    check: (asked: Readonly<Record<string, unknown>>) => void,
    options: OrderedFileOptions,
  ): Promise<{ output: OrderedFile; damaged: number }> {
    const { journal, header } = await Journal.open(journalOf(file), options.patience);
    try {
      const { asked, written, isMerged = false } = header;
      check(asked);
      // Without that it is one that was never whole.
      await ignoring("ENOENT", isMerged ? rename(mergedOf(file), file) : rm(mergedOf(file)));
      const output = await openWritten(file, written.bytes);
      const made = [journalOf(file), file];
      const resumed = new OrderedFile({ file, journal, output, asked, written, options, made });
      const damaged = await resumed.#replay();
      if (isMerged) await resumed.#shortenJournal({ isDue: true });
      if (options.retriesFailed === true) resumed.#askFailedAgain();
      resumed.before = resumed.#tally.lines;
      return { output: resumed, damaged };
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Writes what the journal has and the output has not. Returns how many results could not be read. */
  async #replay(): Promise<number> {
    const replay = this.#journal.replay();
    let next = await replay.next();
    for (; !next.done; next = await replay.next()) {
      for (const result of next.value) {
        if (result.length === 0) this.#failed.set(result.number, failureOf(result.outcome) ?? "internal");
        else this.#await(result);
      }
      await this.#writeInOrder();
      // What still waits has to have bytes of its own.
      for (const { number } of next.value) {
        const waiting = this.#waiting.get(number);
        if (waiting?.bytes) waiting.bytes = Buffer.from(waiting.bytes);
      }
    }
    return next.value;
  }

  /** Has every line be asked again that has a result and no answer. */
  #askFailedAgain(): void {
    for (const number of [...this.#failed.keys(), ...this.#waiting.keys()]) {
      const failure = this.#failureAt(number);
      if (!failure) continue;
      this.#again.add(number);
      takeBackFailure(this.#tally, failure);
    }
  }

  /** The error of a line that has a result and no answer. */
  #failureAt(number: number): ErrorCode | undefined {
    const result = this.#replacing.get(number) ?? this.#waiting.get(number);
    return result ? failureOf(result.outcome) : this.#failed.get(number);
  }

  get tally(): Readonly<Tally> {
    return this.#tally;
  }

  has(number: number): boolean {
    return !this.#again.has(number) && (number <= this.#written.lines || this.#waiting.has(number));
  }

  async roomFor(number: number): Promise<void> {
    while (number > this.#written.lines + MOST_AHEAD) {
      this.#throwFailure();
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    this.#throwFailure();
  }

  async put(result: LineResult): Promise<void> {
    this.#throwFailure();
    await new Promise<void>((resolve, reject) => {
      this.#taken.push({ result, resolve, reject });
      if (!this.#isWorking) this.#working = this.#takeAll();
    });
  }

  async settle(): Promise<void> {
    await this.#working;
    this.#throwFailure();
  }

  async finish(): Promise<void> {
    await this.settle();
    if (this.#replacing.size > 0) await this.#merge();
    await patiently(() => this.#output.sync(), this.#patience);
    await this.#output.close();
    if (failedLines(this.#tally) === 0) return this.#journal.remove();
    // What failed is told again to whoever goes on with it, and may be asked again.
    await this.#journal.compact(this.#header(), this.#kept());
    return this.#journal.close();
  }

  async close(): Promise<void> {
    await this.#working;
    await this.#output.close();
    await this.#journal.close();
    // There is nothing to go on with, and nothing that another run might lose.
    if (this.#written.lines === 0 && this.#waiting.size === 0)
      for (const file of this.#made) await rm(file, { force: true });
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.reason;
  }

  /**
   * Puts all that was taken into the journal, and what has its turn into the output. What fails is what everything fails with
   * from then on.
   */
  async #takeAll(): Promise<void> {
    this.#isWorking = true;
    let taken: Taken[] = [];
    try {
      while (this.#taken.length > 0) {
        taken = this.#taken.splice(0);
        const places = await this.#journal.append(taken.map(({ result }) => result));
        for (const [index, { result, resolve }] of taken.entries()) {
          const { json, ...counts } = result;
          const place = places[index];
          if (place) this.#await({ ...counts, ...place, bytes: Buffer.from(json) });
          resolve();
        }
        await this.#writeInOrder();
        await this.#shortenJournal();
      }
    } catch (reason) {
      this.#failure = { reason };
      for (const { reject } of [...taken, ...this.#taken.splice(0)]) reject(reason);
    } finally {
      this.#isWorking = false;
      this.#callRoom();
    }
  }

  /** Has a result wait for its place in the output, or for that of a failure. An answer stays, whatever else comes for its line. */
  #await(result: Waiting): void {
    const { number } = result;
    const isWritten = number <= this.#written.lines;
    const place = isWritten ? this.#replacing : this.#waiting;
    const old = place.get(number);
    const failure = this.#failureAt(number);
    if (!failure && (old || isWritten)) return;
    // It was taken back when it was decided to ask it again.
    if (failure && !this.#again.delete(number)) takeBackFailure(this.#tally, failure);
    addToTally(this.#tally, result);
    if (old) {
      this.#release(old);
      addCounts(result, old);
    }
    if (!isWritten && this.#heldBytes + result.length <= MOST_HELD) this.#heldBytes += result.length;
    else result.bytes = undefined;
    place.set(number, result);
    this.#waitingBytes += result.length;
  }

  /** A result waits no longer. */
  #release({ length, bytes }: Waiting): void {
    this.#waitingBytes -= length;
    if (bytes) this.#heldBytes -= length;
  }

  /** The result that comes after so many in the output; undefined where it is not there yet, or is asked for again. */
  #nextAfter(lines: number): Waiting | undefined {
    return this.#again.has(lines + 1) ? undefined : this.#waiting.get(lines + 1);
  }

  async #writeInOrder(): Promise<void> {
    for (;;) {
      const pieces: Buffer[] = [];
      const results: Waiting[] = [];
      let length = 0;
      for (let next = this.#nextAfter(this.#written.lines); next && length < PIECE;) {
        pieces.push(next.bytes ?? (await this.#journal.read(next)), LINE_END);
        results.push(next);
        length += next.length + LINE_END.length;
        next = this.#nextAfter(next.number);
      }
      if (results.length === 0) return;
      await writePatiently(this.#output, Buffer.concat(pieces, length), this.#written.bytes, this.#patience);
      this.#written.bytes += length;
      this.#written.lines += results.length;
      for (const result of results) {
        addToTally(this.#written.tally, result);
        const failure = failureOf(result.outcome);
        if (failure) this.#failed.set(result.number, failure);
        this.#waiting.delete(result.number);
        this.#release(result);
      }
      this.#callRoom();
    }
  }

  /** Begins the journal anew where most of it is in the output: two files of the same results take no more room than that. */
  async #shortenJournal({ isDue = false } = {}): Promise<void> {
    const dead = this.#journal.size - this.#waitingBytes;
    if (!isDue && (dead < this.#mostDead || dead < this.#waitingBytes)) return;
    await patiently(() => this.#output.sync(), this.#patience);
    await this.#compact(this.#header());
  }

  async #compact(header: JournalHeader): Promise<void> {
    const kept = this.#kept();
    const places = await this.#journal.compact(header, kept);
    for (const [index, place] of places.entries()) Object.assign(kept[index] ?? {}, place);
  }

  #header(): JournalHeader {
    return { asked: this.#asked, written: this.#written };
  }

  /** What a journal has to have beside its header: which lines of the output failed, and what is not there yet. */
  #kept(): Replayed[] {
    const nothing = { inputTokens: 0, outputTokens: 0, usd: 0, unpriced: 0, offset: 0, length: 0 };
    return [
      ...Array.from(this.#failed, ([number, outcome]) => ({ number, outcome, ...nothing })),
      ...this.#replacing.values(),
      ...this.#waiting.values(),
    ];
  }

  /**
   * Writes the output anew with the results that take the place of others. The journal says so before it is put in its place:
   * whatever ends the program, whoever goes on knows which of both files it is about.
   */
  async #merge(): Promise<void> {
    const file = this.#file;
    const patience = this.#patience;
    const { mode } = await this.#output.stat();
    const merged = await patiently(() => open(mergedOf(file), "w+", 0o600), patience);
    try {
      await merged.chmod(mode & 0o777);
      const bytes = await this.#writeMerged(merged);
      await patiently(() => merged.sync(), patience);
      this.#written = { lines: this.#written.lines, bytes, tally: structuredClone(this.#tally) };
      for (const [number, result] of this.#replacing) {
        const failure = failureOf(result.outcome);
        if (failure) this.#failed.set(number, failure);
        else this.#failed.delete(number);
        this.#release(result);
      }
      this.#replacing.clear();
      await this.#compact({ ...this.#header(), isMerged: true });
      await rename(mergedOf(file), file);
      await syncFolder(path.dirname(file));
      await this.#output.close();
      this.#output = merged;
    } catch (error) {
      await merged.close();
      throw error;
    }
  }

  /** Returns how many bytes it has. */
  async #writeMerged(merged: FileHandle): Promise<number> {
    const lines = new PatientWriter(merged, this.#patience);
    const old = createReadStream(this.#file, { end: this.#written.bytes - 1 });
    for await (const { number, bytes } of splitLines(old, Number.POSITIVE_INFINITY)) {
      const replacing = this.#replacing.get(number);
      // The bytes of a line hold until the next one.
      await lines.add(replacing ? await this.#journal.read(replacing) : Buffer.from(bytes), LINE_END);
    }
    await lines.flush();
    return lines.size;
  }

  #callRoom(): void {
    for (const resolve of this.#room.splice(0)) resolve();
  }
}

export interface OrderedFileOptions {
  patience: Patience;
  /** So much of the journal may be in the output already, in bytes. */
  mostDead?: number | undefined;
  /** Asks lines again that have a result and no answer. */
  retriesFailed?: boolean;
}

const LINE_END = Buffer.from("\n");

/** The journal of an output. */
export function journalOf(file: string): string {
  return `${file}.journal`;
}

/** An output that is to take the place of another one. */
export function mergedOf(file: string): string {
  return `${journalOf(file)}.merged`;
}

/** Opens an output behind what is known to be in it, which it is cut to. */
async function openWritten(file: string, bytes: number): Promise<FileHandle> {
  const old = await ignoring("ENOENT", stat(file));
  if ((old?.size ?? 0) < bytes) {
    throw new OpenclawError("internal", {
      message: old
        ? `${file} has ${old.size} bytes, and the run had written ${bytes}: somebody has changed it.`
        : `${file} is not there any more, and the run had written ${bytes} bytes to it.`,
      hint: "Put it back as it was, or begin the run again: --overwrite",
      details: { file },
    });
  }
  const output = await open(file, old ? "r+" : "w+", NEW_FILE_MODE);
  try {
    const last = Buffer.alloc(1, LINE_END);
    if (bytes > 0) await output.read(last, 0, 1, bytes - 1);
    if (!last.equals(LINE_END)) {
      throw new OpenclawError("internal", {
        message: `No line of ${file} ends at byte ${bytes}, where the run had ended one: somebody has changed it.`,
        hint: `Put it back as it was, or begin the run again: --overwrite`,
        details: { file },
      });
    }
    await output.truncate(bytes);
    return output;
  } catch (error) {
    await output.close();
    throw error;
  }
}

/** What stands in the way of an answer at stdout that waits for its turn, in bytes. */
const MOST_STREAMED = 64 * 1024 * 1024;

/** Results at stdout, in order. What waits for its turn is held in memory, and lost where the program ends. */
export class OrderedStream implements ResultOutput {
  readonly #write: (text: string) => Promise<void>;
  readonly #waiting = new Map<number, string>();
  #heldBytes = 0;
  #next = 1;
  #working: Promise<void> = Promise.resolve();
  #room: (() => void)[] = [];
  readonly #tally = emptyTally();
  readonly before = 0;
  readonly knowsUse = true;

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  get tally(): Readonly<Tally> {
    return this.#tally;
  }

  has(number: number): boolean {
    return number < this.#next || this.#waiting.has(number);
  }

  async roomFor(number: number): Promise<void> {
    while (number >= this.#next + MOST_AHEAD || (this.#heldBytes > MOST_STREAMED && number > this.#next))
      await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  async put({ json, ...result }: LineResult): Promise<void> {
    addToTally(this.#tally, result);
    this.#waiting.set(result.number, json);
    this.#heldBytes += json.length;
    this.#working = this.#working.then(() => this.#writeInOrder());
    await this.#working;
  }

  async #writeInOrder(): Promise<void> {
    for (let json = this.#waiting.get(this.#next); json !== undefined; json = this.#waiting.get(this.#next)) {
      await this.#write(`${json}\n`);
      this.#waiting.delete(this.#next);
      this.#heldBytes -= json.length;
      this.#next += 1;
      for (const resolve of this.#room.splice(0)) resolve();
    }
  }

  settle(): Promise<void> {
    return this.#working;
  }

  finish(): Promise<void> {
    return this.#working;
  }

  async close(): Promise<void> {
    await this.#working;
  }
}
