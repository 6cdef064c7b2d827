import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import type { Batches } from "../../converse/answer-batches.ts";
import { OpenclawError } from "../../errors.ts";
import { adaptRequest } from "./adapt-request.ts";
import { callServer, type ServerAnswer, type ServerLine, failureContext } from "./call-server.ts";
import { CompletionReader, toChunk } from "./completion-reader.ts";
import { EventReader, type ServerEvent } from "./event-reader.ts";
import { requestIdOf, toServerFailure, toStreamFailure } from "./server-failure.ts";
import { isErrorData } from "./server-message.ts";

/** A streamed answer whose parts are still to be read. */
export interface StreamedCompletion {
  batches: Batches;
  requestId: string | undefined;
}

/** The largest answer that comes whole, in bytes. */
const LARGEST_ANSWER = 24 * 1024 * 1024;
/** What a stream ends with. */
const DONE = "[DONE]";

/**
 * Asks for a streamed chat completion, in other words once more where the server's refusal asks for them. The parts are
 * those of a ConverseStream; reading them throws what the server says in the middle of the stream, `bad-response` for
 * what is no stream of this API, and a plain error for a stream that breaks off. Throws the errors of callServer.
 */
export async function streamCompletion(
  line: ServerLine,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
): Promise<StreamedCompletion> {
  const answer = await post(line, body, signal);
  const requestId = requestIdOf(answer.headers);
  const type = answer.headers["content-type"] ?? "";
  if (/^text\/html\b/i.test(type)) {
    answer.body.destroy();
    throw toServerFailure(
      { status: 200, headers: answer.headers, body: "" },
      failureContext(line, body.model),
    );
  }
  const reading = new Reading(line, body.model);
  const isWhole = /^application\/json\b/i.test(type);
  return { requestId, batches: isWhole ? readWhole(answer.body, reading) : readStream(answer.body, reading) };
}

async function post(
  line: ServerLine,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
): Promise<ServerAnswer> {
  try {
    const text = JSON.stringify(body);
    return await callServer(line, "/chat/completions", { body: text, signal, model: body.model });
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code !== "invalid-request") throw error;
    const adapted = adaptRequest(body, String(error.details?.["serverMessage"] ?? ""));
    if (!adapted) throw error;
    line.runtime.terminal.verbose(() => `${line.server.name}: ${error.message}; asking in other words`);
    return post(line, adapted, signal);
  }
}

/** Makes parts of what the server sends. */
class Reading {
  readonly reader = new CompletionReader(() => `call_${randomUUID().replaceAll("-", "")}`);
  isDone = false;
  readonly #line: ServerLine;
  readonly #model: string;

  constructor(line: ServerLine, model: string) {
    this.#line = line;
    this.#model = model;
  }

  /** Takes events until the one that ends the stream; what is before a fault is in `parts` when it is thrown. */
  takeAll(events: readonly ServerEvent[], parts: ConverseStreamOutput[]): void {
    for (const event of events) {
      if (this.isDone) return;
      if ("error" in event) throw this.failure(parseOr(event.error));
      const data = event.data.trim();
      if (data === DONE) this.isDone = true;
      else if (data !== "") parts.push(...this.take(this.#parse(data)));
    }
  }

  take(value: unknown): ConverseStreamOutput[] {
    if (isErrorData(value)) throw this.failure(value);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.#notOpenai();
    return this.reader.take(value as Record<string, unknown>);
  }

  failure(data: unknown): OpenclawError {
    return toStreamFailure(data, failureContext(this.#line, this.#model));
  }

  /** What the end of the stream leaves to say. Throws when the answer is not whole. */
  finish(): ConverseStreamOutput[] {
    if (!this.reader.isFinished) throw new Error("The stream ends without a finish reason.");
    return this.reader.end();
  }

  #parse(data: string): unknown {
    try {
      return JSON.parse(data);
    } catch {
      throw this.#notOpenai();
    }
  }

  #notOpenai(): OpenclawError {
    const { server } = this.#line;
    return new OpenclawError("bad-response", {
      message: `${server.shownUrl} sends a stream that is not one of OpenAI's API.`,
      hint: "Check baseUrl; another server or a proxy may be in between.",
    });
  }
}

async function* readStream(body: Readable, reading: Reading): Batches {
  const events = new EventReader();
  for await (const chunk of body) {
    yield* batchOf((parts) => reading.takeAll(events.push(chunk as Uint8Array), parts));
    if (reading.isDone) break;
  }
  if (!reading.isDone) yield* batchOf((parts) => takeRest(events.end(), reading, parts));
  yield* batchOf((parts) => void parts.push(...reading.finish()));
}

/** A last event that the end of the connection cut in two is a connection that broke, not an answer of another kind. */
function takeRest(events: readonly ServerEvent[], reading: Reading, parts: ConverseStreamOutput[]): void {
  try {
    reading.takeAll(events, parts);
  } catch (error) {
    if (error instanceof OpenclawError && error.code === "bad-response")
      throw new Error("The stream ends inside an event.", { cause: error });
    throw error;
  }
}

/** The parts that `take` gathers, handed on before what it throws. */
function* batchOf(take: (parts: ConverseStreamOutput[]) => void): Generator<ConverseStreamOutput[]> {
  const parts: ConverseStreamOutput[] = [];
  let damage: unknown;
  try {
    take(parts);
  } catch (failure) {
    damage = failure;
  }
  if (parts.length > 0) yield parts;
  if (damage) throw damage;
}

/** A server that does not stream sends the answer whole, and it is read as a stream of one chunk. */
async function* readWhole(body: Readable, reading: Reading): Batches {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > LARGEST_ANSWER) throw new Error(`The answer is larger than ${LARGEST_ANSWER} bytes.`);
  }
  const completion = parseOr(Buffer.concat(chunks).toString("utf8"));
  const isCompletion = typeof completion === "object" && completion !== null && "choices" in completion;
  const value = isCompletion ? toChunk(completion as Record<string, unknown>) : completion;
  const parts = reading.take(value);
  if (parts.length > 0) yield parts;
  yield* batchOf((rest) => void rest.push(...reading.finish()));
}

/** The JSON that a text is; the text itself where it is none. */
function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
