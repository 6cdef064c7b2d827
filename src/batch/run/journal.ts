import { type FileHandle, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { crc32 } from "node:zlib";
import { syncFolder } from "../../disk/atomic-write.ts";
import { EXIT_CODES, OpenclawError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import type { LineOutcome, LineResult, Tally } from "./line-result.ts";
import { patiently, type Patience, PatientWriter, writePatiently } from "./patient-write.ts";

/** Raised when the form of the file changes: a journal of another form is refused. */
const FORM = 1;
/** How much of a file is read at once, in bytes. */
const CHUNK = 1024 * 1024;
/** Digits of a checksum in hexadecimal, with the space behind it. */
const CHECKSUM_LENGTH = 9;
const LINE_END = 0x0a;

export interface JournalHeader {
  /** What was asked for, to be compared with what is asked for when the run goes on. */
  asked: Readonly<Record<string, unknown>>;
  /** How much of the output was on the disk when this journal was begun, and what those lines came to. */
  written: { lines: number; bytes: number; tally: Tally };
  /** Whether that output takes the place of an older one, and may stand beside it yet. */
  isMerged?: boolean;
}

/** Where the JSON of a result stands in the journal, in bytes. */
export interface Placed {
  offset: number;
  length: number;
}

/** A result without its text, which stays on the disk. One of no length says only how a line failed that is in the output. */
export type Replayed = Omit<LineResult, "json"> & Placed;

/**
 * The record of a run beside its output: a line for each result, written before anything else knows of it, in the order in
 * which they come. A line has a checksum, so that one that was never written whole is known, wherever it stands.
 */
export class Journal {
  readonly #file: string;
  readonly #patience: Patience;
  #handle: FileHandle;
  #size: number;

  private constructor(file: string, handle: FileHandle, size: number, patience: Patience) {
    this.#file = file;
    this.#handle = handle;
    this.#size = size;
    this.#patience = patience;
  }

  /** Begins a journal in place of whatever is there. Rejects with Node's own error. */
  static async create(file: string, header: JournalHeader, patience: Patience): Promise<Journal> {
    const begun = await writeBeginning(file, header, [], undefined, patience);
    return new Journal(file, begun.handle, begun.size, patience);
  }

  /**
   * Opens the journal of a run that was stopped. Its results are to be read by `replay` before anything is added. Throws
   * `internal` for a file that is no such journal, and rejects with Node's own error, ENOENT for one that is not there.
   */
  static async open(file: string, patience: Patience): Promise<{ journal: Journal; header: JournalHeader }> {
    const handle = await open(file, "r+");
    try {
      const { bytes, ends } = (await readLines(handle, 0).next()).value ?? {};
      const [end = 0] = ends ?? [];
      const header = bytes && parseHeader(bytes, end);
      if (!header) throw notAJournal(file);
      return { journal: new Journal(file, handle, end + 1, patience), header };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Hands on the results behind the header, some at a time, each with the bytes of its JSON, which hold until the next are
   * asked for. What was left of a line at the end is cut off. Returns how many lines within cannot be read.
   */
  async *replay(): AsyncGenerator<(Replayed & { bytes: Buffer })[], number, undefined> {
    let damaged = 0;
    for await (const lines of readLines(this.#handle, this.#size)) {
      const results: (Replayed & { bytes: Buffer })[] = [];
      let start = 0;
      for (const end of lines.ends) {
        const result = parseResult(lines, start, end);
        if (result) results.push(result);
        else damaged += 1;
        start = end + 1;
      }
      this.#size = lines.offset + start;
      yield results;
    }
    await this.#handle.truncate(this.#size);
    return damaged;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** Adds results, and resolves to where their texts stand when all are on the disk. Rejects with Node's own error. */
  async append(results: readonly LineResult[]): Promise<Placed[]> {
    let offset = this.#size;
    const places: Placed[] = [];
    const lines = results.map((result) => {
      const line = lineOf(resultText(result));
      const length = Buffer.byteLength(result.json);
      places.push({ offset: offset + line.length - 1 - length, length });
      offset += line.length;
      return line;
    });
    await writePatiently(this.#handle, Buffer.concat(lines), this.#size, this.#patience);
    await patiently(() => this.#handle.datasync(), this.#patience);
    this.#size = offset;
    return places;
  }

  async read({ offset, length }: Placed): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await this.#handle.read(bytes, 0, length, offset);
    if (bytesRead === length) return bytes;
    throw new OpenclawError("internal", {
      message: `${this.#file} has become shorter while the run writes to it.`,
      hint: `ls -l ${quoteForShell(this.#file)}`,
    });
  }

  /**
   * Begins the journal anew with a header that says what is in the output by now, and keeps only those of its lines that are
   * not. Resolves to where they stand then. Rejects with Node's own error, and the journal is as it was.
   */
  async compact(header: JournalHeader, kept: readonly Replayed[]): Promise<Placed[]> {
    const begun = await writeBeginning(this.#file, header, kept, this, this.#patience);
    await this.#handle.close();
    this.#handle = begun.handle;
    this.#size = begun.size;
    return begun.places;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Closes it and takes it away. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#file, { force: true });
  }
}

/** Writes a new journal beside the old one and puts it in its place in one step. */
async function writeBeginning(
  file: string,
  header: JournalHeader,
  kept: readonly Replayed[],
  source: Pick<Journal, "read"> | undefined,
  patience: Patience,
): Promise<{ handle: FileHandle; size: number; places: Placed[] }> {
  const temporary = `${file}.tmp`;
  const handle = await patiently(() => open(temporary, "w+", 0o600), patience);
  try {
    const places: Placed[] = [];
    const lines = new PatientWriter(handle, patience);
    await lines.add(lineOf(JSON.stringify({ openclawBatch: FORM, ...header })));
    for (const result of source ? kept : []) {
      const json = result.length > 0 ? (await source?.read(result))?.toString() : undefined;
      await lines.add(lineOf(resultText({ ...result, json: json ?? "" })));
      places.push({ offset: lines.size - 1 - result.length, length: result.length });
    }
    await lines.flush();
    await patiently(() => handle.sync(), patience);
    await patiently(() => rename(temporary, file), patience);
    await syncFolder(path.dirname(file));
    return { handle, size: lines.size, places };
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A line with its checksum in front of it. */
function lineOf(text: string): Buffer {
  const checksum = crc32(text)
    .toString(16)
    .padStart(CHECKSUM_LENGTH - 1, "0");
  return Buffer.from(`${checksum} ${text}\n`);
}

function resultText(result: LineResult): string {
  const { number, outcome, inputTokens, outputTokens, usd, unpriced, json } = result;
  return `${number} ${outcome} ${inputTokens} ${outputTokens} ${usd} ${unpriced} ${json}`;
}

/** A line without its checksum; undefined where that is not its own. */
function contentOf(bytes: Buffer, start: number, end: number): Buffer | undefined {
  if (end - start <= CHECKSUM_LENGTH) return undefined;
  const content = bytes.subarray(start + CHECKSUM_LENGTH, end);
  const checksum = Number.parseInt(bytes.toString("latin1", start, start + CHECKSUM_LENGTH - 1), 16);
  return crc32(content) === checksum ? content : undefined;
}

function parseHeader(bytes: Buffer, end: number): JournalHeader | undefined {
  const content = contentOf(bytes, 0, end);
  if (!content?.toString("latin1", 0, 20).startsWith('{"openclawBatch":')) return undefined;
  // Its checksum says that this program has written it.
  const value = JSON.parse(content.toString()) as JournalHeader & { openclawBatch: unknown };
  return value.openclawBatch === FORM && isRecord(value.asked) ? value : undefined;
}

/** The result in a line, which is a million times the same work: a pattern over a text of it would take most of a replay. */
function parseResult(
  { bytes, offset }: FileLines,
  start: number,
  end: number,
): (Replayed & { bytes: Buffer }) | undefined {
  const content = contentOf(bytes, start, end);
  if (!content) return undefined;
  const front = new Front(content);
  const number = front.count();
  const outcome = front.word();
  const inputTokens = front.count();
  const outputTokens = front.count();
  const usd = Number(front.word());
  const unpriced = front.count();
  if (Number.isNaN(number + inputTokens + outputTokens + usd + unpriced)) return undefined;
  if (outcome !== "ok" && outcome !== "cut" && !(outcome in EXIT_CODES)) return undefined;
  return {
    number,
    outcome: outcome as LineOutcome,
    inputTokens,
    outputTokens,
    usd,
    unpriced,
    offset: offset + start + CHECKSUM_LENGTH + front.length,
    length: content.length - front.length,
    bytes: content.subarray(front.length),
  };
}

const SPACE = 0x20;
const ZERO = 0x30;

/** Reads what stands in front of a result's JSON, each with a space behind it. */
class Front {
  readonly #bytes: Buffer;
  /** Of what was read. */
  length = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Digits; NaN for anything else. */
  count(): number {
    const begin = this.length;
    let count = 0;
    for (let byte = this.#bytes[this.length++]; byte !== SPACE; byte = this.#bytes[this.length++]) {
      const digit = (byte ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return Number.NaN;
      count = count * 10 + digit;
    }
    return this.length - begin > 1 ? count : Number.NaN;
  }

  word(): string {
    const begin = this.length;
    const end = this.#bytes.indexOf(SPACE, begin);
    this.length = end + 1;
    return end < begin ? "" : this.#bytes.toString("latin1", begin, end);
  }
}

/** Some lines of a file that have an end. The bytes hold until the next are asked for. */
interface FileLines {
  bytes: Buffer;
  /** Of the bytes in the file. */
  offset: number;
  /** Where the end of each line stands in the bytes. */
  ends: number[];
}

/** The lines of a file that have an end, from the beginning of one on, some at a time. */
async function* readLines(handle: FileHandle, from: number): AsyncGenerator<FileLines, void, undefined> {
  let buffer = Buffer.allocUnsafe(CHUNK);
  let filled = 0;
  for (let offset = from; ;) {
    if (filled === buffer.length) buffer = Buffer.concat([buffer], 2 * filled);
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
    if (bytesRead === 0) return;
    const bytes = buffer.subarray(0, filled + bytesRead);
    const ends: number[] = [];
    for (let end = bytes.indexOf(LINE_END, filled); end >= 0; end = bytes.indexOf(LINE_END, end + 1))
      ends.push(end);
    filled = bytes.length;
    const last = ends.at(-1);
    if (last === undefined) continue;
    yield { bytes, offset, ends };
    buffer.copyWithin(0, last + 1, filled);
    filled -= last + 1;
    offset += last + 1;
  }
}

function notAJournal(file: string): OpenclawError {
  return new OpenclawError("internal", {
    message: `${file} is not the journal of a run, or its beginning is damaged.`,
    hint: "Begin the run again: --overwrite",
    details: { file },
  });
}
