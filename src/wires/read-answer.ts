import type { Readable } from "node:stream";
import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { type Batches, batchOf } from "../converse/answer-batches.ts";
import { OpenclawError } from "../errors.ts";
import { servedApi } from "../models/provider-api.ts";
import { isRecord, type JsonObject } from "../json.ts";
import { bytesInTurns, inTurns } from "../next-turn.ts";
import { parseInTurnsIfJson } from "../parse-in-turns.ts";
import { readBytes } from "../read-bytes.ts";
import { failedCall, type ServerAnswer, type ServerLine } from "./call-server.ts";
import { CHECK_BASE_URL } from "./failure-table.ts";
import { EventReader, type ServerEvent } from "./event-reader.ts";
import {
  type FailedCall,
  isErrorData,
  parseJson,
  requestIdOf,
  toServerFailure,
  toStreamFailure,
} from "./server-failure.ts";

/** A streamed answer whose parts are still to be read. */
export interface StreamedAnswer {
  batches: Batches;
  requestId: string | undefined;
}

/** What reads the events of one API's answer as the parts of a ConverseStream. */
export interface AnswerReader {
  /** Whether the answer has come to its end: only then it is whole. */
  readonly isFinished: boolean;
  /** Whether nothing more is to come: nobody waits for the end of the stream then. */
  readonly isOver?: boolean | undefined;
  /** The parts that the data of an event stands for. */
  take(data: JsonObject): ConverseStreamOutput[];
  /** The parts of an answer that a server sends whole, because it does not stream. */
  takeWhole(answer: JsonObject): ConverseStreamOutput[];
  /** What is left to say when the stream is over. */
  end(): ConverseStreamOutput[];
  /** What came and waited for more, where the stream has failed; nothing where the answer has not begun. */
  rest(): ConverseStreamOutput[];
}

/** The largest answer that comes whole, in bytes. */
const LARGEST_ANSWER = 24 * 1024 * 1024;
/** From here on an event is read in steps, in characters. */
const LONG_EVENT = 256 * 1024;
/** What the streams of OpenAI's API end with. */
const DONE = "[DONE]";

/**
 * Reads a server's answer. Its parts are those of a ConverseStream; reading them throws what the server says in the middle
 * of the stream, `bad-response` for what is no stream of this API, and a plain error for a stream that breaks off.
 */
export function readAnswer(
  { headers, body }: ServerAnswer,
  line: ServerLine,
  model: string,
  reader: AnswerReader,
): StreamedAnswer {
  const type = headers["content-type"] ?? "";
  if (/^text\/html\b/i.test(type)) {
    body.destroy();
    throw toServerFailure({ status: 200, headers, body: "" }, failedCall(line, model));
  }
  const isWhole = /^application\/json\b/i.test(type);
  const read = isWhole ? readWhole : readStream;
  const heeding = line.isAws ? heedGuardrail(reader) : reader;
  return { requestId: requestIdOf(headers), batches: read(body, heeding, failedCall(line, model)) };
}

/**
 * Reads of an answer of AWS whether a guardrail has stepped in, which stands beside the words of any API:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
 */
function heedGuardrail(reader: AnswerReader): AnswerReader {
  let hasIntervened = false;
  const heed = (data: JsonObject, parts: readonly ConverseStreamOutput[]): ConverseStreamOutput[] => {
    hasIntervened ||= data["amazon-bedrock-guardrailAction"] === "INTERVENED";
    return parts.map((part) =>
      part.messageStop && hasIntervened ? { messageStop: { stopReason: "guardrail_intervened" } } : part,
    );
  };
  return {
    get isFinished() {
      return reader.isFinished;
    },
    get isOver() {
      return reader.isOver;
    },
    take: (data) => heed(data, reader.take(data)),
    takeWhole: (answer) => heed(answer, reader.takeWhole(answer)),
    end: () => reader.end(),
    rest: () => reader.rest(),
  };
}

async function* readStream(body: Readable, reader: AnswerReader, call: FailedCall): Batches {
  const events = new EventReader();
  let isDone = false;
  /** Takes the data of an event; a fault in it is thrown. */
  const take = (data: unknown, parts: ConverseStreamOutput[]): void => {
    parts.push(...reader.take(checked(data, call)));
    isDone ||= reader.isOver === true;
  };
  /** Takes events until the one that ends the stream, or is too long to be read at once, whose place is returned. */
  const takeAll = (arrived: readonly ServerEvent[], from: number, parts: ConverseStreamOutput[]): number => {
    for (const [index, event] of arrived.entries()) {
      if (index < from) continue;
      if (isDone) return arrived.length;
      if ("error" in event) throw toStreamFailure(parseJson(event.error), call);
      if (event.data.length > LONG_EVENT) return index;
      const data = event.data.trim();
      if (data === DONE) isDone = true;
      else if (data !== "") take(parseJson(data), parts);
    }
    return arrived.length;
  };
  async function* readAll(arrived: readonly ServerEvent[]): Batches {
    for (let at = 0; at < arrived.length;) {
      yield* batchOf((parts) => {
        at = takeAll(arrived, at, parts);
      });
      const long = arrived[at];
      if (isDone || !long || "error" in long) return;
      at += 1;
      const data = await parseInTurnsIfJson(await bytesInTurns(long.data), true);
      yield* batchOf((parts) => take(data, parts));
    }
  }
  try {
    for await (const chunk of inTurns<Uint8Array>(body)) {
      yield* readAll(events.push(chunk));
      if (isDone) break;
    }
    if (!isDone) yield* inOnePiece(readAll(events.end()));
    yield* batchOf((parts) => void parts.push(...finish(reader)));
  } catch (failure) {
    yield reader.rest();
    throw failure;
  }
}

/** A last event that the end of the connection cut in two is a connection that broke, not an answer of another kind. */
async function* inOnePiece(last: Batches): Batches {
  try {
    yield* last;
  } catch (error) {
    if (error instanceof OpenclawError && error.code === "bad-response")
      throw new Error("The stream ends inside an event.", { cause: error });
    throw error;
  }
}

function tooLong({ server }: FailedCall): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `${server.shownUrl} sends an answer of more than ${LARGEST_ANSWER} bytes.`,
    hint: "Ask for less at once; if it stays, another server or a proxy may be in between: openclaw doctor",
  });
}

/** A server that does not stream sends the answer whole, and it is read as a stream of one event. */
async function* readWhole(body: Readable, reader: AnswerReader, call: FailedCall): Batches {
  const bytes = await readBytes(body, { most: LARGEST_ANSWER, tooLong: () => tooLong(call) });
  const answer = await parseInTurnsIfJson(bytes, true);
  yield* batchOf((parts) => void parts.push(...reader.takeWhole(checked(answer, call))));
  yield* batchOf((parts) => void parts.push(...finish(reader)));
}

/** What the end of the stream leaves to say. Throws when the answer is not whole. */
function finish(reader: AnswerReader): ConverseStreamOutput[] {
  if (!reader.isFinished) throw new Error("The stream ends without a finish reason.");
  return reader.end();
}

function checked(data: unknown, call: FailedCall): JsonObject {
  if (isErrorData(data)) throw toStreamFailure(data, call);
  if (isRecord(data)) return data;
  const { shownUrl, api } = call.server;
  throw new OpenclawError("bad-response", {
    message: `${shownUrl} sends a stream that is not ${api ? `one of ${servedApi(api).maker}'s API` : "AWS's"}.`,
    hint: api ? CHECK_BASE_URL : "Another server or a proxy may be in between: openclaw doctor",
  });
}
