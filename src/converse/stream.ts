import {
  ConverseStreamCommand,
  type ConverseStreamCommandInput,
  type ConverseStreamOutput,
  type ConverseStreamCommandOutput,
} from "@aws-sdk/client-bedrock-runtime";
import { Readable } from "node:stream";
import type { FinalizeRequestMiddleware, HttpResponse } from "@smithy/types";
import type { AwsSession } from "../aws/session.ts";
import { OpenclawError } from "../errors.ts";
import { type CallContext, toOpenclawError } from "./aws-errors.ts";
import { awaitContent, type Batches } from "./answer-batches.ts";
import type { ChatEvent } from "./chat-event.ts";
import { abortReason, type Bounds, Deadlines } from "./deadlines.ts";
import { isKnownAwsError } from "./error-table.ts";
import { FrameReader } from "./frame-reader.ts";
import { readEvents } from "./read-events.ts";
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
  const { runtime } = session.surroundings;
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
 * Sends the request with the SDK's client and keeps the event stream from it: read here, it costs a tenth of the time,
 * and its frames are checked before they are buffered. Resolves with the first content; an answer that fails before it is
 * retried by the SDK, by the same rules and within the same attempts as one that fails before its headers.
 */
async function send(
  session: AwsSession,
  input: ConverseStreamCommandInput,
  deadlines: Deadlines,
  call: CallContext,
): Promise<Answer> {
  const command = new ConverseStreamCommand(input);
  let body: AsyncIterable<Uint8Array> | undefined;
  let contentType = "";
  let answer: Omit<Answer, "attempts"> | undefined;
  let attempts = 0;
  command.middlewareStack.add(
    (next) => async (args) => {
      attempts += 1;
      const result = await next(args);
      const response = result.response as HttpResponse;
      if (response.statusCode < 300) {
        contentType = headerOf(response, "content-type");
        body = response.body as AsyncIterable<Uint8Array>;
        response.body = Readable.from([]);
      }
      return result;
    },
    { step: "deserialize", priority: "low", name: "openclawKeepStream" },
  );
  const begin: FinalizeRequestMiddleware<ConverseStreamCommandInput, ConverseStreamCommandOutput> =
    (next) => async (args) => {
      const result = await next(args);
      const { requestId } = result.output.$metadata;
      if (!body || !/^application\/vnd\.amazon\.eventstream\b/i.test(contentType)) {
        throw notAnEventStream(contentType, requestId);
      }
      answer = { requestId, batches: await begun(readBatches(body), { call, requestId, deadlines }) };
      return result;
    };
  command.middlewareStack.addRelativeTo(begin, {
    relation: "after",
    toMiddleware: "retryMiddleware",
    name: "openclawBegin",
  });
  const { signal } = deadlines;
  try {
    const client = await session.bedrockRuntime();
    await untilAborted(client.send(command, { abortSignal: signal }), signal);
    if (!answer) throw new Error("The SDK's client did not send the request.");
    return { ...answer, attempts };
  } catch (failure) {
    throw signal.aborted ? abortReason(signal) : toOpenclawError(failure, call);
  }
}

/** The SDK looks at the signal only when it has credentials, and those may be long in coming. */
async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(abortReason(signal));
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
  await Promise.race([work, aborted]);
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

function headerOf({ headers }: HttpResponse, name: string): string {
  return Object.entries(headers).find(([known]) => known.toLowerCase() === name)?.[1] ?? "";
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
