import { OpenclawError, shorten } from "../../errors.ts";
import { isRecord, type JsonObject, textAt } from "../../json.ts";
import { parseExactly, toJson } from "../../json-numbers.ts";
import { parseLine } from "../../ledger/entry.ts";
import { compareText } from "../../models/model-order.ts";
import { turnOver } from "../../next-turn.ts";
import type { Runtime } from "../../runtime.ts";
import type { ObjectStore } from "../../session/object-store.ts";
import { LineIds } from "../lines/line-ids.ts";
import { splitLines } from "../lines/split-lines.ts";
import type { BatchJob } from "./job.ts";
import { keyBelow, readPlace } from "./job-place.ts";
import { SpoolFile } from "./spool-file.ts";

/** What a record came to: an answer in the model's words, or an error in AWS's. */
export interface ResultRecord {
  output: JsonObject | undefined;
  error: RecordError | undefined;
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html */
export interface RecordError {
  /** Like an HTTP status, or a name. */
  code: string;
  message: string;
}

/** What `manifest.json.out` says; undefined fields where it does not. */
export interface Manifest {
  inputTokens: number | undefined;
  outputTokens: number | undefined;
}

/** What Bedrock makes ids of for records that came without: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html */
const MADE_ID = /^[A-Z0-9]{11}$/i;

/** No record of a result is longer, in bytes: the question of 25 MB and the answer. */
const LONGEST_RECORD = 64 * 1024 * 1024;

/**
 * All results of a job, which come in any order, to be asked for by their ids: the answers lie in a temporary file, and 28 to
 * 44 bytes for each in memory. A job that reads several files writes one for each, and their ids are their own.
 */
export class ResultRecords {
  readonly #spool: SpoolFile;
  readonly #ids = new LineIds();
  /** The first result of each question whose id Bedrock may have made, and the others of the same question. */
  readonly #questions = new LineIds();
  readonly #alike = new Map<number, number[]>();
  readonly #handedOut = new Set<number>();
  #places = new Float64Array(1024 * 2);
  readonly #files: string[] = [];
  #count = 0;
  manifest: Manifest | undefined;

  private constructor(spool: SpoolFile) {
    this.#spool = spool;
  }

  get count(): number {
    return this.#count;
  }

  /** The files that the job has written results of, as they are called below the place that it reads. */
  get files(): readonly string[] {
    return this.#files;
  }

  /**
   * Reads what a job has put into S3. `onRecord` is handed each result as it comes. Throws the errors of the error table, and
   * `internal` for a temporary file that cannot be written.
   */
  static async read(
    job: BatchJob,
    store: ObjectStore,
    runtime: Pick<Runtime, "env" | "onExit" | "platform" | "signal">,
    onRecord: (record: ResultRecord) => void,
  ): Promise<ResultRecords> {
    const records = new ResultRecords(await SpoolFile.create(runtime));
    try {
      const place = readPlace(job.outputUri);
      const folder = place === undefined ? `${job.id}/` : `${keyBelow(place, job.id)}/`;
      for await (const { key } of store.list(folder)) {
        if (key.endsWith("manifest.json.out")) records.manifest = await readManifest(store, key);
        else if (key.endsWith(".jsonl.out")) {
          records.#files.push(key.slice(folder.length, -".out".length));
          await records.#take(store, key, runtime.signal, onRecord);
        }
      }
      return records;
    } catch (error) {
      await records.close();
      throw error;
    }
  }

  async #take(
    store: ObjectStore,
    key: string,
    signal: AbortSignal,
    onRecord: (record: ResultRecord) => void,
  ): Promise<void> {
    for await (const { bytes } of splitLines(buffers(store.read(key)), LONGEST_RECORD)) {
      const over = turnOver();
      if (over) {
        await over;
        signal.throwIfAborted();
      }
      const value = parseLine(bytes.toString("utf8"), parseExactly);
      const id = textAt(value, "recordId");
      if (!isRecord(value) || id === undefined) continue;
      const { modelOutput, error } = value;
      const record = {
        output: isRecord(modelOutput) ? modelOutput : undefined,
        error: isRecord(error) ? readError(error) : undefined,
      };
      onRecord(record);
      const before = this.#ids.add(idIn(this.#files.length - 1, id), this.#count + 1);
      if (before !== undefined) {
        // Nobody knows which line either belongs to.
        this.#places[(before - 1) * 2 + 1] = 0;
        continue;
      }
      const kept = Buffer.from(toJson(record));
      const offset = await this.#spool.append(kept);
      if (this.#places.length === this.#count * 2) {
        const old = this.#places;
        this.#places = new Float64Array(old.length * 2);
        this.#places.set(old);
      }
      this.#places.set([offset, kept.length], this.#count * 2);
      this.#count += 1;
      if (MADE_ID.test(id)) this.#noteQuestion(value["modelInput"]);
    }
  }

  /**
   * What became of a record of an input file, or of the only one that has its id where that file is not known; undefined where
   * nothing has. An error where there are several of the id. Throws `internal` as SpoolFile does.
   */
  async find(file: string | undefined, recordId: string): Promise<ResultRecord | OpenclawError | undefined> {
    const numbers = this.#files.flatMap((name, index) =>
      file === undefined || file === name ? (this.#ids.find(idIn(index, recordId)) ?? []) : [],
    );
    const [number, ...others] = numbers;
    if (number === undefined) return undefined;
    const record = await this.#at(number);
    if (record === undefined || others.length > 0)
      return new OpenclawError("bad-response", {
        message: `The job has several results with the id '${shorten(recordId)}', and does not tell which is of this line.`,
      });
    return record;
  }

  /**
   * What became of a record that came without an id, by what it asked: Bedrock made it one. Each result is handed out once.
   * Undefined where nothing has. Throws `internal` as SpoolFile does.
   */
  async take(file: string | undefined, modelInput: unknown): Promise<ResultRecord | undefined> {
    for (const [index, name] of this.#files.entries()) {
      if (file !== undefined && file !== name) continue;
      const first = this.#questions.find(questionIn(index, modelInput));
      if (first === undefined) continue;
      const number = this.#alike.get(first)?.pop() ?? first;
      if (this.#handedOut.has(number)) continue;
      this.#handedOut.add(number);
      return this.#at(number);
    }
    return undefined;
  }

  #noteQuestion(modelInput: unknown): void {
    const first = this.#questions.add(questionIn(this.#files.length - 1, modelInput), this.#count);
    if (first === undefined) return;
    const alike = this.#alike.get(first) ?? [];
    this.#alike.set(first, alike);
    alike.push(this.#count);
  }

  /** The result of a number; undefined where its id is that of another one, too. */
  async #at(number: number): Promise<ResultRecord | undefined> {
    const [offset = 0, length = 0] = this.#places.subarray((number - 1) * 2, number * 2);
    if (length === 0) return undefined;
    return parseExactly((await this.#spool.read(offset, length)).toString("utf8")) as ResultRecord;
  }

  async close(): Promise<void> {
    await this.#spool.close();
  }
}

/** An id of a file, which another one may have, too. */
function idIn(file: number, id: string): string {
  return `${file} ${id}`;
}

/** What a record of a file asked, in whatever order its fields come. */
function questionIn(file: number, modelInput: unknown): string {
  const sorted = JSON.stringify(modelInput, (_, value: unknown) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => compareText(one, other)))
      : value,
  );
  return idIn(file, sorted);
}

/** The pieces of an object as the splitter of lines takes them. */
export async function* buffers(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

function readError(error: Record<string, unknown>): RecordError {
  const { errorCode, errorMessage } = error;
  const code = typeof errorCode === "number" || typeof errorCode === "string" ? String(errorCode) : "";
  return { code, message: typeof errorMessage === "string" ? errorMessage : "no reason given" };
}

/** A manifest has a few numbers. */
const LONGEST_MANIFEST = 1024 * 1024;

async function readManifest(store: ObjectStore, key: string): Promise<Manifest | undefined> {
  let text = "";
  for await (const piece of buffers(store.read(key))) {
    text += piece.toString("utf8");
    if (text.length > LONGEST_MANIFEST) return undefined;
  }
  const value = parseLine(text);
  if (!isRecord(value)) return undefined;
  const count = (name: string): number | undefined => {
    const number = value[name];
    return typeof number === "number" && Number.isFinite(number) ? number : undefined;
  };
  return { inputTokens: count("inputTokenCount"), outputTokens: count("outputTokenCount") };
}
