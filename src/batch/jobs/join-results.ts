import { inOneBatch } from "../../converse/converse-stream.ts";
import type { ChatEvents } from "../../converse/chat-event.ts";
import { partsOfAnswer } from "../../converse/parts-of-answer.ts";
import { streamAnswer } from "../../chat/ask-model.ts";
import type { RawLine } from "../../disk/line-cutter.ts";
import { type ErrorCode, OpenclawError, withFields } from "../../errors.ts";
import { isRecord, type JsonObject, recordAt, textAt } from "../../json.ts";
import { parseLine } from "../../ledger/entry.ts";
import { turnOver } from "../../next-turn.ts";
import type { Runtime } from "../../runtime.ts";
import { findRow } from "../../session/error-table.ts";
import type { ObjectStore } from "../../session/object-store.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import type { BatchLine, LineKind } from "../lines/batch-line.ts";
import type { BatchInput } from "../lines/open-input.ts";
import { type AnswerContext, OUTPUT_FORMS, type OutputFormat, toLine } from "../lines/output-forms.ts";
import { readLine } from "../lines/read-line.ts";
import { isBlank, splitLines } from "../lines/split-lines.ts";
import type { BatchJob } from "./job.ts";
import { readPlace } from "./job-place.ts";
import { buffers, type RecordError, type ResultRecord, type ResultRecords } from "./result-records.ts";

interface AskedLine {
  raw: RawLine;
  recordId: string;
  /** What it asked, where it may have come to the job without an id. */
  modelInput: JsonObject | undefined;
  /** The file that the job read it from; undefined where that is not known. */
  file: string | undefined;
  /** Undefined where its words do not matter. */
  line: BatchLine | undefined;
}

export interface AskedLines {
  kind: LineKind;
  /** The file that was submitted; undefined where the job's own records in S3 are read. */
  file: BatchInput | undefined;
}

export interface JoinTerms {
  format: OutputFormat;
  asked: AskedLines;
  costOf: AnswerContext["costOf"];
  /** Takes a line of the results. */
  write: (line: Buffer) => Promise<void>;
  /** Takes a line that failed, as it can be asked again; undefined where nobody wants them. */
  writeFailed: ((line: Buffer) => Promise<void>) | undefined;
}

/** One error that lines have. */
export interface FailedLines {
  code: ErrorCode;
  /** In AWS's words; undefined for lines that the job has nothing of. */
  awsCode: string | undefined;
  lines: number;
  /** The first of them. */
  first: { line: number; recordId: string; message: string }[];
}

export interface Joined {
  lines: number;
  answered: number;
  failed: FailedLines[];
}

/** So many lines are named of each error. */
const MOST_NAMED = 5;

/**
 * Puts the results of a job into the order of its lines, each in the form that is wanted: what failed, or was never come to, is
 * an error in its place. `openInput` opens the bucket that the job read. Throws the errors of the error table,
 * `invalid-request` for results that are not there and for records that cannot be read, `usage` for a file that is not the
 * one that was submitted, and what `write` throws.
 */
export async function joinResults(
  job: BatchJob,
  records: ResultRecords,
  openInput: () => Promise<ObjectStore>,
  terms: JoinTerms,
  runtime: Runtime,
): Promise<Joined> {
  const joined: Joined = { lines: 0, answered: 0, failed: [] };
  const form = OUTPUT_FORMS[terms.format];
  if (records.files.length === 0 && job.status.endsWith("Completed"))
    throw new OpenclawError("invalid-request", {
      message: `The results of the job ${job.name} are not in ${job.outputUri}: somebody removed or moved them.`,
      hint: `See what is there: aws s3 ls --recursive ${quoteForShell(job.outputUri)}`,
    });
  let found = 0;
  for await (const asked of askedLines(job, openInput, terms, runtime)) {
    const over = turnOver();
    if (over) {
      await over;
      runtime.signal.throwIfAborted();
    }
    joined.lines += 1;
    const record =
      (asked.modelInput && (await records.take(asked.file, asked.modelInput))) ??
      (await records.find(asked.file, asked.recordId));
    found += Number(record !== undefined);
    const told = await tellRecord(record, asked, job, terms, runtime);
    if (!(told instanceof OpenclawError)) {
      joined.answered += 1;
      await terms.write(Buffer.from(toLine(told)));
      continue;
    }
    note(joined.failed, told, asked, record instanceof OpenclawError ? undefined : record?.error);
    await terms.write(Buffer.from(toLine(form.failure(asked, told, asked.recordId))));
    await terms.writeFailed?.(failedLine(asked));
  }
  if (found === 0 && records.count > 0 && terms.asked.file)
    throw new OpenclawError("usage", {
      message: `${terms.asked.file.label} has none of the ids of the job ${job.name}.`,
      hint: "Name the file that was submitted, or leave --input out.",
    });
  if (joined.lines === 0 && records.count > 0) throw withoutRecords(job);
  return joined;
}

/** The lines that a job was made of, from the file that was submitted or from the records in S3. */
async function* askedLines(
  job: BatchJob,
  openInput: () => Promise<ObjectStore>,
  { format, asked: { file, kind } }: JoinTerms,
  { signal }: Runtime,
): AsyncGenerator<AskedLine, void, undefined> {
  if (file) {
    for await (const raw of file.lines(signal)) {
      const line = await readLine(raw, { kind, signal });
      const { recordId } = line;
      const modelInput = kind === "bedrock" && !line.hasId ? line.body : undefined;
      yield { raw, recordId, modelInput, file: undefined, line };
    }
    return;
  }
  const isRead = format !== "bedrock";
  for await (const { raw, file: own } of recordLines(job, await openInput())) {
    if (isBlank(raw)) continue;
    const value = parseLine(raw.bytes.toString("utf8"));
    const id = textAt(value, "recordId");
    yield {
      raw,
      recordId: id ?? String(raw.number),
      modelInput: id === undefined && isRecord(value) ? recordAt(value, "modelInput") : undefined,
      file: own,
      line: isRead ? await readRecord(raw, own, signal) : undefined,
    };
  }
}

/** The error of a job whose records are no longer in S3, by which its results are put in order. */
function withoutRecords({ name, inputUri }: BatchJob, cause?: unknown): OpenclawError {
  return new OpenclawError("invalid-request", {
    message: `The records of the job ${name} are not in ${inputUri}: somebody removed or moved them.`,
    hint: "Name the file that was submitted, by which its results are put in order: --input FILE",
    cause,
  });
}

/** Reads a record that another program may have written: the results are to be had without it. */
async function readRecord(raw: RawLine, file: string, signal: AbortSignal): Promise<BatchLine> {
  try {
    return await readLine(raw, { kind: "bedrock", signal });
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code !== "invalid-request") throw failure;
    throw withFields(failure, {
      message: `Line ${raw.number} of the job's records (${file} in S3) cannot be read. ${failure.message}`,
      hint: "Write the results as AWS has them: --format bedrock",
    });
  }
}

/** The lines of all the files that a job has read, numbered through, with the names that their results go by. */
async function* recordLines(
  job: BatchJob,
  store: ObjectStore,
): AsyncGenerator<{ raw: RawLine; file: string }, void, undefined> {
  const prefix = readPlace(job.inputUri)?.prefix ?? "";
  const isFile = prefix.endsWith(".jsonl");
  const folder = isFile ? prefix.slice(0, prefix.lastIndexOf("/") + 1) : prefix && `${prefix}/`;
  const keys: string[] = [];
  if (isFile) keys.push(prefix);
  else for await (const { key } of store.list(folder)) if (key.endsWith(".jsonl")) keys.push(key);
  let before = 0;
  for (const key of keys) {
    let last = 0;
    for await (const raw of splitLines(buffers(recordsAtKey(key, job, store)))) {
      last = raw.number;
      yield { raw: { ...raw, number: before + raw.number }, file: key.slice(folder.length) };
    }
    before += last;
  }
}

async function* recordsAtKey(
  key: string,
  job: BatchJob,
  store: ObjectStore,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* store.read(key);
  } catch (failure) {
    if (
      failure instanceof OpenclawError &&
      /^NoSuch(?:Key|Bucket)$/.test(String(failure.details?.["awsError"]))
    )
      throw withoutRecords(job, failure);
    throw failure;
  }
}

async function tellRecord(
  record: ResultRecord | OpenclawError | undefined,
  { recordId, line }: AskedLine,
  job: BatchJob,
  { format, costOf }: JoinTerms,
  runtime: Runtime,
): Promise<object | OpenclawError> {
  if (record === undefined)
    return new OpenclawError("timeout", { message: "The job ended before this line was answered." });
  if (record instanceof OpenclawError) return record;
  const { output, error } = record;
  if (error) return toError(error);
  if (output === undefined)
    return new OpenclawError("bad-response", {
      message: "The job has neither an answer nor an error for it.",
    });
  // As AWS has it.
  if (format === "bedrock" || line === undefined) return { recordId, modelOutput: output };
  const context: AnswerContext = {
    requestId: recordId,
    created: Math.floor(Date.parse(job.ended ?? job.modified ?? "") / 1000) || 0,
    since: () => 0,
    costOf,
  };
  try {
    return await OUTPUT_FORMS[format].answer(line, eventsOf(output, job, runtime), context);
  } catch (failure) {
    if (failure instanceof OpenclawError && failure.code !== "interrupted") return failure;
    throw failure;
  }
}

/** An answer of Converse as the events of one that is streamed. */
function eventsOf(output: JsonObject, { modelId }: BatchJob, runtime: Runtime): ChatEvents {
  const never = (): undefined => undefined;
  return streamAnswer(
    {
      region: null,
      open: async () => ({
        batches: inOneBatch([...partsOfAnswer(output)]),
        requestId: undefined,
        attempts: 1,
      }),
      explain: never,
      tellBreak: () => "The answer has no end",
      isSaid: () => false,
    },
    {
      input: { modelId },
      body: undefined,
      form: undefined,
      isReasoning: false,
      notices: [],
      toolNames: new Map(),
    },
    {
      bounds: { firstEventMs: undefined, silenceMs: 60_000, totalMs: undefined },
      passesSignatures: true,
      recorder: undefined,
      runtime,
    },
  );
}

const NAMES: Readonly<Record<string, string>> = {
  "400": "ValidationException",
  "401": "AccessDeniedException",
  "403": "AccessDeniedException",
  "404": "ResourceNotFoundException",
  "408": "ModelTimeoutException",
  "413": "RequestEntityTooLarge",
  "424": "ModelErrorException",
  "429": "ThrottlingException",
  "500": "InternalServerException",
  "503": "ServiceUnavailableException",
};

function toError({ code, message }: RecordError): OpenclawError {
  const known = findRow(NAMES[code] ?? code, message)?.code;
  const byStatus = /^5\d\d$/.test(code) ? "service-unavailable" : "model-error";
  return new OpenclawError(known ?? byStatus, { message, details: { awsError: code } });
}

function note(
  failed: FailedLines[],
  { code, message }: OpenclawError,
  { raw, recordId }: AskedLine,
  error: RecordError | undefined,
): void {
  const awsCode = error?.code;
  let own = failed.find((each) => each.code === code && each.awsCode === awsCode);
  if (!own) {
    own = { code, awsCode, lines: 0, first: [] };
    failed.push(own);
  }
  own.lines += 1;
  if (own.first.length < MOST_NAMED) own.first.push({ line: raw.number, recordId, message });
}

/** A line as it can be asked again: with its id, which was its number where it had none. */
function failedLine({ raw, recordId, line }: AskedLine): Buffer {
  const text = raw.bytes.toString("utf8");
  if (line?.kind === "text") return Buffer.from(toLine({ recordId, prompt: text }));
  const value = line && recordId === String(raw.number) ? parseLine(text) : undefined;
  if (!line || !isRecord(value)) return Buffer.from(`${text}\n`);
  const name = line.kind === "openai" || line.kind === "messages" ? "custom_id" : "recordId";
  const { [name]: given, ...rest } = value;
  return Buffer.from(toLine({ [name]: given ?? recordId, ...rest }));
}
