import type { ConverseStreamCommandInput, ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import type { HttpResponse, ResponseMetadata } from "@smithy/types";
import type { RestCall } from "../session/rest-client.ts";
import { extendedEncodeURIComponent } from "../network/sdk-parts.ts";
import type { AwsSession } from "../session/session.ts";
import { OpenclawError } from "../errors.ts";
import { type CallContext, toOpenclawError } from "../session/aws-errors.ts";
import { awaitContent, type Batches } from "./answer-batches.ts";
import type { ChatEvent } from "./chat-event.ts";
import { abortReason, type Bounds, Deadlines } from "./deadlines.ts";
import { isKnownAwsError } from "../session/error-table.ts";
import { FrameReader } from "./frame-reader.ts";
import { readEvents } from "./read-events.ts";
import { toRequestJson } from "./request-json.ts";
import { readPart, StreamException } from "./read-part.ts";
import type { TurnRecorder } from "./turn-recorder.ts";

/**
 * Calls ConverseStream and yields what arrives as `ChatEvent`s. The stream is whole only with a `messageStop`: without
 * one it ends in `stream-broken`, however cleanly the connection was closed. Throws the errors of the error table,
 * `timeout`, `network`, `bad-response` and `interrupted`.
 */
export async function* streamChat(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  bounds: Bounds,
  recorder?: TurnRecorder,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { runtime } = session.setup;
  const modelId = input.modelId ?? "";
  const call: CallContext = { session, action: "bedrock:InvokeModelWithResponseStream", modelId };
  const deadlines = new Deadlines(bounds, runtime.signal, runtime.elapsed);
  try {
    recorder?.begin(input);
    const { batches, requestId, attempts } = await send(session, input, deadlines, call);
    yield {
      type: "start",
      model: modelId,
      region: session.region.value,
      ...(requestId === undefined ? {} : { requestId }),
      attempts,
    };
    const source = { call, requestId, deadlines };
    yield* readEvents(batches, {
      requestId,
      deadlines,
      hasTools: input.toolConfig !== undefined,
      coalesces: runtime.terminal.format !== "ndjson",
      recorder,
      toFailure: (failure) => toFailure(failure, source, true),
      isSaid: (failure) => failure instanceof StreamException,
    });
  } finally {
    deadlines.stop();
  }
}

interface Answer {
  batches: Batches;
  requestId: string | undefined;
  /** How often the request was sent. */
  attempts: number;
}

/**
 * Sends the request. Resolves with the first content; an answer that fails before it is tried again, by the same rules
 * and within the same attempts as one that fails before its headers.
 */
async function send(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  deadlines: Deadlines,
  call: CallContext,
): Promise<Answer> {
  const { signal } = deadlines;
  const begin = async (
    { headers, body }: HttpResponse,
    { requestId }: ResponseMetadata,
  ): Promise<Omit<Answer, "attempts">> => {
    const contentType = headers["content-type"] ?? "";
    if (!/^application\/vnd\.amazon\.eventstream\b/i.test(contentType))
      throw notAnEventStream(contentType, requestId);
    const batches = readBatches(body as AsyncIterable<Uint8Array>);
    return { requestId, batches: await begun(batches, { call, requestId, deadlines }) };
  };
  const request = async (): Promise<Answer> => {
    const client = await session.rest("bedrock-runtime");
    const { value, attempts } = await client.send(toCall(input), begin, signal);
    return { ...value, attempts };
  };
  try {
    return await untilAborted(request(), signal);
  } catch (failure) {
    throw signal.aborted ? abortReason(signal) : toOpenclawError(failure, call);
  }
}

/** The request as it goes over the wire. */
function toCall({ modelId = "", ...body }: ConverseStreamCommandInput): RestCall {
  return {
    operation: "ConverseStream",
    method: "POST",
    path: `/model/${extendedEncodeURIComponent(modelId)}/converse-stream`,
    body: toRequestJson(body),
  };
}

/** The signal is looked at only when there are credentials, and those may be long in coming. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(abortReason(signal));
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
  return Promise.race([work, aborted]);
}

/** Reads the frames of a stream. Throws what is wrong with one when the parts before it have been handed on. */
async function* readBatches(body: AsyncIterable<Uint8Array>): Batches {
  const reader = new FrameReader();
  for await (const chunk of body) {
    const parts: ConverseStreamOutput[] = [];
    let damage: unknown;
    try {
      reader.push(chunk, (message) => {
        const part = readPart(message);
        if (part) parts.push(part);
      });
    } catch (failure) {
      damage = failure;
    }
    if (parts.length > 0) yield parts;
    if (damage) throw damage;
  }
  if (!reader.isBetweenFrames) throw new Error("The stream ends inside a frame.");
}

interface Source {
  call: CallContext;
  requestId: string | undefined;
  deadlines: Deadlines;
}

/** The answer from its beginning, once the model has said something. Failures before that may be tried again. */
async function begun(batches: Batches, source: Source): Promise<Batches> {
  try {
    const answer = await awaitContent(batches);
    source.deadlines.heard();
    return answer;
  } catch (failure) {
    throw asRetryable(toFailure(failure, source, false));
  }
}

/** Codes of failures that may be gone at the next attempt. */
const PASSING: ReadonlySet<string> = new Set(["throttled", "service-unavailable", "stream-broken"]);

/** Marks a failure for the SDK's retry strategy, which knows errors by their HTTP status. */
function asRetryable(error: OpenclawError): OpenclawError {
  if (!PASSING.has(error.code)) return error;
  return Object.assign(error, { $retryable: { throttling: error.code === "throttled" } });
}

/** What a failed stream means: an interruption or time-out, something AWS or the stream's reader says, or a lost connection. */
function toFailure(
  failure: unknown,
  { call, requestId, deadlines }: Source,
  hasBegun: boolean,
): OpenclawError {
  const { signal } = deadlines;
  if (signal.aborted) return abortReason(signal);
  const error =
    failure instanceof OpenclawError || isKnownAwsError(failure)
      ? toOpenclawError(failure, call)
      : brokenStream(failure, call.modelId ?? "", hasBegun);
  // What comes inside a stream has no metadata of its own; the request id is that of the answer it is in.
  if (error.requestId !== undefined || requestId === undefined) return error;
  const { code, message, hint, details, exitCode, cause } = error;
  return new OpenclawError(code, { message, hint, details, exitCode, requestId, cause });
}

function notAnEventStream(contentType: string, requestId: string | undefined): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer is ${contentType || "of no type"}, not an event stream: something other than AWS answered.`,
    hint: "A proxy or another server may be in between: openclaw doctor",
    requestId,
    details: { contentType },
  });
}

function brokenStream(cause: unknown, modelId: string, hasBegun: boolean): OpenclawError {
  const exception = cause instanceof StreamException ? cause : undefined;
  const how = exception
    ? `AWS broke the answer off (${exception.name}: ${exception.message || "no reason given"})`
    : "The connection broke off";
  return new OpenclawError("stream-broken", {
    message: hasBegun
      ? `${how} in the middle of the answer: what was printed of '${modelId}' is not all of it.`
      : `${how} before '${modelId}' answered.`,
    hint: "Run the command again.",
    cause,
  });
}
