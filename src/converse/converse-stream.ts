import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import type { HttpResponse, ResponseMetadata } from "@smithy/types";
import { OpenclawError } from "../errors.ts";
import { nameProxy } from "../network/name-proxy.ts";
import { IN_BETWEEN } from "../network/network-errors.ts";
import { turnOver } from "../next-turn.ts";
import { type CallContext, toOpenclawError } from "../session/aws-errors.ts";
import { toCall } from "../session/bedrock-operations.ts";
import { isKnownAwsError } from "../session/error-table.ts";
import { readJsonExactly } from "../session/read-answer.ts";
import type { AttemptGate, RestCall } from "../session/rest-client.ts";
import { type AwsSession, urlOf } from "../session/session.ts";
import { untilAborted } from "../until-aborted.ts";
import { awaitContent, type Batches, batchOf } from "./answer-batches.ts";
import { abortReason, type Deadlines } from "./deadlines.ts";
import { type FrameMessage, FrameReader } from "./frame-reader.ts";
import { partsOfAnswer } from "./parts-of-answer.ts";
import { readPart, StreamException } from "./read-part.ts";
import { asRetryable, toStreamError } from "./stream-failure.ts";
import type { OpenAnswer, RequestPlan, Wire } from "./wire.ts";

/** How answers of ConverseStream are opened, and what their failures mean. */
export type ConverseStream = Pick<Wire, "open" | "explain" | "tellBreak" | "isSaid">;

/**
 * Opens answers of ConverseStream in a session. A stream is whole only with a `messageStop`. Throws the errors of the
 * error table, `timeout`, `network`, `bad-response` and `interrupted`.
 */
export function converseStream(session: AwsSession): ConverseStream {
  const stream: ConverseStream = {
    ...streamErrors(session),
    open: ({ input, isWhole }, deadlines, gate) => {
      const call = { ...callOf(session, input.modelId ?? "", !isWhole), gate };
      return isWhole ? sendForWhole(input, deadlines, call) : send(stream, input, deadlines, call);
    },
  };
  return stream;
}

/** What a call of a model is to IAM: for a stream there is an action of its own. */
export function callOf(session: AwsSession, modelId: string, isStreamed: boolean): CallContext {
  const action = isStreamed ? "bedrock:InvokeModelWithResponseStream" : "bedrock:InvokeModel";
  return { session, action, modelId };
}

/** A call of a model, and what each sending of it waits for. */
type GatedCall = CallContext & { gate: AttemptGate | undefined };

/** What failures of answers mean that Bedrock gives in frames of its own. */
export function streamErrors(session: AwsSession): Omit<ConverseStream, "open"> {
  return {
    explain: (failure, modelId) =>
      failure instanceof OpenclawError || isKnownAwsError(failure)
        ? toOpenclawError(failure, callOf(session, modelId, true))
        : undefined,
    tellBreak: (failure) =>
      failure instanceof StreamException
        ? `AWS broke the answer off (${failure.name}: ${failure.message || "no reason given"})`
        : "The connection broke off",
    isSaid: (failure) => failure instanceof StreamException,
  };
}

/**
 * Sends the request. Resolves with the first content; an answer that fails before it is tried again, by the same rules
 * and within the same attempts as one that fails before its headers.
 */
async function send(
  stream: ConverseStream,
  input: RequestPlan["input"],
  deadlines: Deadlines,
  call: GatedCall,
): Promise<OpenAnswer> {
  const begin = beginStream(stream, input.modelId ?? "", deadlines, (body) => readBatches(body, readPart));
  return request(toCall("ConverseStream", input), begin, deadlines.signal, call);
}

/** Makes of the response to a call of a stream what it says, from its first content on. */
export function beginStream(
  stream: ConverseStream,
  model: string,
  deadlines: Deadlines,
  read: (body: AsyncIterable<Uint8Array>, headers: HttpResponse["headers"]) => Batches,
): Begin {
  const { signal } = deadlines;
  return async ({ headers, body }, { requestId }) => {
    const contentType = headers["content-type"] ?? "";
    if (!/^application\/vnd\.amazon\.eventstream\b/i.test(contentType))
      throw notAnEventStream(contentType, requestId);
    try {
      const batches = await awaitContent(read(body as AsyncIterable<Uint8Array>, headers));
      deadlines.heard();
      return { requestId, batches };
    } catch (failure) {
      const failed = { signal, model, requestId, hasBegun: false };
      throw asRetryable(toStreamError(failure, stream, failed));
    }
  };
}

/** Asks for the answer in one piece, by Converse, and hands it on as the parts of a stream. */
async function sendForWhole(
  input: RequestPlan["input"],
  deadlines: Deadlines,
  call: GatedCall,
): Promise<OpenAnswer> {
  const begin: Begin = async (response, { requestId }) => {
    const parts = [...partsOfAnswer(await readJsonExactly(response))];
    deadlines.heard();
    return { requestId, batches: inOneBatch(parts) };
  };
  return request(toCall("Converse", input), begin, deadlines.signal, call);
}

/** Makes of a response what opens its answer. */
export type Begin = (
  response: HttpResponse,
  metadata: ResponseMetadata,
) => Promise<Omit<OpenAnswer, "attempts">>;

/** Asks Bedrock, as often as it may be asked. Rejects with AWS's failure as ours, or with the reason of the abort. */
export async function request(
  asked: RestCall,
  begin: Begin,
  signal: AbortSignal,
  call: GatedCall,
): Promise<OpenAnswer> {
  const ask = async (): Promise<OpenAnswer> => {
    const client = await call.session.rest("bedrock-runtime");
    const { value, attempts } = await client.send(asked, begin, signal, call.gate);
    return { ...value, attempts };
  };
  try {
    // The client looks at the signal only when there are credentials, and those may be long in coming.
    return await untilAborted(ask(), signal);
  } catch (failure) {
    if (!signal.aborted) throw toOpenclawError(failure, call);
    const { session } = call;
    throw await nameProxy(
      abortReason(signal),
      () => urlOf(session, "bedrock-runtime"),
      session.setup.runtime,
    );
  }
}

export async function* inOneBatch(parts: ConverseStreamOutput[]): Batches {
  yield parts;
}

/** Reads the frames of a stream. Throws what is wrong with one when the parts before it have been handed on. */
export async function* readBatches(
  body: AsyncIterable<Uint8Array>,
  read: (message: FrameMessage) => ConverseStreamOutput | undefined,
): Batches {
  const reader = new FrameReader();
  const readInto =
    (parts: ConverseStreamOutput[]) =>
    (message: FrameMessage): void => {
      const part = read(message);
      if (part) parts.push(part);
    };
  for await (const chunk of body) {
    const over = turnOver();
    if (over) await over;
    for (const batch of batchOf((parts) => reader.push(chunk, readInto(parts)))) yield batch;
    for (let long = reader.takeLong(); long; long = reader.takeLong()) {
      const message = await long;
      yield* batchOf((parts) => {
        readInto(parts)(message);
        reader.push(new Uint8Array(), readInto(parts));
      });
    }
  }
  if (!reader.isBetweenFrames) throw new Error("The stream ends inside a frame.");
}

function notAnEventStream(contentType: string, requestId: string | undefined): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer is ${contentType || "of no type"}, not an event stream: something other than AWS answered.`,
    hint: IN_BETWEEN,
    requestId,
    details: { contentType },
  });
}
