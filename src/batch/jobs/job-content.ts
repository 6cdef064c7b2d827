import { createHash } from "node:crypto";
import { planRequest } from "../../converse/plan-request.ts";
import type { Configuration } from "../../config/settings.ts";
import { OpenclawError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { Discovered } from "../../models/discovered.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import { toJsonBody } from "../../network/json-body.ts";
import { turnOver } from "../../next-turn.ts";
import type { BatchLine, LineKind } from "../lines/batch-line.ts";
import type { BatchInput } from "../lines/open-input.ts";
import { batchLines } from "../lines/read-line.ts";
import type { InvocationType } from "./line-rules.ts";

export interface RecordTerms {
  model: ResolvedModel;
  /** What the job calls it by. */
  modelId: string;
  type: InvocationType;
  kind: LineKind;
  config: Configuration;
  discovered: Discovered | undefined;
}

/** What a job reads: as often as it is wanted the same bytes. */
export interface JobContent {
  bytes: number;
  /** Of all bytes, as hex. */
  sha256: string;
  /** In pieces of so many bytes but the last one. */
  pieces: (length: number, signal: AbortSignal) => AsyncGenerator<Buffer, void, undefined>;
  /** What was left out of requests and why, each once. */
  notices: readonly string[];
}

/** What has no more bytes is kept, and not made again to be sent. */
const KEPT_BYTES = 8 * 1024 * 1024;

/**
 * Makes the records of a job of the lines of a file, `{"recordId","modelInput"}` each: what Converse takes, or the model's own
 * body as it is. It is made once to be known and once more to be sent, in memory that does not grow with the file. Throws
 * `usage` with the number of a line that cannot be asked so.
 */
export async function readJobContent(
  input: BatchInput,
  terms: RecordTerms,
  signal: AbortSignal,
): Promise<JobContent> {
  const hash = createHash("sha256");
  const notices = new Set<string>();
  let kept: Buffer[] | undefined = [];
  let bytes = 0;
  for await (const record of recordsOf(input, terms, signal, notices)) {
    hash.update(record);
    bytes += record.length;
    if (bytes > KEPT_BYTES) kept = undefined;
    kept?.push(record);
  }
  const again = kept;
  return {
    bytes,
    sha256: hash.digest("hex"),
    pieces: (length, own) =>
      inPieces(again ?? recordsOf(input, terms, own, new Set()), Math.min(length, bytes)),
    notices: [...notices],
  };
}

async function* recordsOf(
  input: BatchInput,
  terms: RecordTerms,
  signal: AbortSignal,
  notices: Set<string>,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const line of batchLines(input, terms.kind, signal)) {
    const over = turnOver();
    if (over) {
      await over;
      signal.throwIfAborted();
    }
    const body = await modelInputOf(line, terms, notices);
    const pieces = await toJsonBody({ recordId: line.recordId, modelInput: body });
    const json = typeof pieces === "string" ? Buffer.from(pieces) : Buffer.concat(pieces);
    yield Buffer.concat([json, LINE_END]);
  }
}

const LINE_END = Buffer.from("\n");

async function modelInputOf(
  line: BatchLine,
  { model, modelId, type, config, discovered }: RecordTerms,
  notices: Set<string>,
): Promise<JsonObject> {
  // Whoever wrote it in the words that the job takes has said what is wanted.
  if (line.body && (type === "InvokeModel" || line.words === "converse")) return line.body;
  try {
    const plan = await planRequest({ ...line.asked.ask, model }, modelId, config, discovered);
    for (const notice of plan.notices) if (notices.size < MOST_NOTICES) notices.add(notice);
    const body = plan.body as JsonObject;
    if (body["toolConfig"] === undefined) return body;
    throw new OpenclawError("invalid-request", {
      message:
        "It asks for an answer by a schema, which this model gives by a tool, and a batch job takes none.",
    });
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code === "interrupted") throw error;
    throw new OpenclawError("usage", {
      message: `Line ${line.number} cannot be put into a job: ${error.message}`,
      hint: "Ask it from this machine: openclaw batch run FILE",
      details: { line: line.number },
      cause: error,
    });
  }
}

const MOST_NOTICES = 100;

/** Bytes in pieces of one length, but the last one. */
async function* inPieces(
  parts: Iterable<Buffer> | AsyncIterable<Buffer>,
  length: number,
): AsyncGenerator<Buffer, void, undefined> {
  let piece = Buffer.allocUnsafeSlow(length);
  let size = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.length;) {
      const taken = part.copy(piece, size, at);
      at += taken;
      size += taken;
      if (size < length) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(length);
      size = 0;
    }
  }
  if (size > 0) yield piece.subarray(0, size);
}
