import { OpenclawError } from "../../../errors.ts";
import { type AnswerPart, answerParts } from "./answer-parts.ts";
import { type CompletionAsk, fromChatRequest } from "./from-chat-request.ts";
import { remoteImageUrls } from "./read-content.ts";
import { toChunks } from "./to-chunks.ts";
import { type AnswerHead, toCompletion } from "./to-completion.ts";
import { toErrorAnswer } from "./to-error.ts";
import { toCompletionUsage } from "../../../wires/chat-completions/completion-usage.ts";
import type { Call } from "../../call.ts";
import { DONE, eventStream, frameOf } from "../../event-stream.ts";
import { type NameMap, resolveName } from "../../model-names.ts";
import { fetchRemoteImages } from "../../remote-image.ts";
import type { Upstream } from "../../upstream.ts";

/** What completions are made with. */
export interface CompletionService {
  upstream: Upstream;
  names: NameMap;
  allowsRemoteImages: boolean;
  logsContent: boolean;
  heartbeatMs: number;
  idleMs: number;
}

/** The HTTP side of one request. */
export interface Wire {
  call: Call;
  /** The parsed body. */
  body: unknown;
  /** Milliseconds since 1970. */
  now: number;
  /** Closes the client's connection. */
  hangUp: () => void;
}

/**
 * Answers one chat completions request. What goes wrong before the first token is thrown, and becomes an HTTP error; what
 * goes wrong later is an event of the stream, which then ends without `[DONE]`.
 */
export async function completeChat(service: CompletionService, wire: Wire): Promise<Response> {
  const { call, body } = wire;
  const completion = await readCompletion(service, wire);
  const head: AnswerHead = {
    id: `chatcmpl-${call.entry.requestId.replace(/^req_/, "")}`,
    created: Math.floor(wire.now / 1000),
  };
  Object.assign(call.entry, { model: completion.model, isStreamed: completion.isStreamed });
  if (service.logsContent) call.entry.request = withoutData(body);
  for (const notice of completion.notices) call.note(notice);
  const parts = watched(answerOf(service, completion, call), call, service.logsContent);
  if (!completion.isStreamed) {
    const answer = await toCompletion(parts, head);
    return Response.json(answer, { headers: headersOf(call) });
  }
  return stream(service, wire, toChunks(parts, head, completion.includesUsage));
}

async function readCompletion(
  { allowsRemoteImages }: CompletionService,
  { call, body }: Wire,
): Promise<CompletionAsk> {
  const urls = allowsRemoteImages ? remoteImageUrls((body as { messages?: unknown } | null)?.messages) : [];
  const images = allowsRemoteImages ? await fetchRemoteImages(urls, call.signal) : undefined;
  return fromChatRequest(body, images);
}

async function* answerOf(
  { upstream, names }: CompletionService,
  completion: CompletionAsk,
  call: Call,
): AsyncGenerator<AnswerPart, void, undefined> {
  const { setup, modelList } = await upstream.library();
  const resolve = async (list: "current" | "newest") =>
    resolveName(completion.model, names, setup, await modelList[list]());
  const models = await resolve("current").catch((error: unknown) => {
    // AWS may have opened a model since the list was loaded.
    if (error instanceof OpenclawError && error.code === "model-not-found") return resolve("newest");
    throw error;
  });
  const events = upstream.ask(models, completion.ask, call.runtime());
  yield* answerParts(events, completion.mayCallInParallel);
}

/** Keeps what the log says of an answer while it passes. */
async function* watched(
  parts: AsyncIterable<AnswerPart>,
  call: Call,
  logsContent: boolean,
): AsyncGenerator<AnswerPart, void, undefined> {
  const { entry } = call;
  const text: string[] = [];
  try {
    for await (const part of parts) {
      if (part.type === "start") {
        entry.calledModel = part.model;
        entry.firstTokenMs = call.since();
        if (part.requestId !== undefined) entry.requestId = part.requestId;
      } else if (part.type === "finish") entry.finishReason = part.reason;
      else if (part.type === "usage") {
        const usage = toCompletionUsage(part.usage);
        entry.promptTokens = usage.prompt_tokens;
        entry.cachedTokens = usage.prompt_tokens_details?.cached_tokens ?? 0;
        entry.completionTokens = usage.completion_tokens;
      } else if (part.type === "text" && logsContent) text.push(part.text);
      yield part;
    }
  } finally {
    if (logsContent) entry.answer = text.join("");
  }
}

async function stream(
  service: CompletionService,
  { call, hangUp }: Wire,
  chunks: AsyncGenerator<object, void, undefined>,
): Promise<Response> {
  // An error before the first chunk has a status of its own, unless it is so long in coming that somebody gives up.
  const first = chunks.next();
  const isLate = await isPending(first, service.heartbeatMs);
  const frames = framesOf(chunks, first, call);
  call.isStreaming = true;
  const body = eventStream(frames, frames.next(), {
    heartbeatMs: service.heartbeatMs,
    idleMs: service.idleMs,
    onStall: () => {
      call.note("The client took nothing for too long.");
      hangUp();
    },
    onCancel: () => call.leave(),
  });
  const headers = { ...headersOf(call), "content-type": "text/event-stream; charset=utf-8" };
  if (isLate) call.note("The answer was long in coming, so its status was sent before it.");
  return new Response(body, {
    headers: { ...headers, "cache-control": "no-cache", "x-accel-buffering": "no" },
  });
}

/** Whether something takes longer than so many ms. Throws what it throws before. */
async function isPending(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), ms);
  });
  try {
    return await Promise.race([work.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The frames of a stream. Never throws: a failure is the last of them. */
async function* framesOf(
  chunks: AsyncGenerator<object, void, undefined>,
  first: Promise<IteratorResult<object, void>>,
  call: Call,
): AsyncGenerator<string, void, undefined> {
  try {
    for (let next = await first; !next.done; next = await chunks.next()) yield frameOf(next.value);
    yield DONE;
  } catch (failure) {
    call.fail(failure);
    if (!call.entry.isAborted) yield frameOf({ error: toErrorAnswer(failure).error });
  } finally {
    // Whoever stops reading early has the call to Bedrock stopped.
    await chunks.return();
    call.end(call.entry.isAborted ? CLIENT_CLOSED : 200);
  }
}

/** What nginx writes into its log for a client that went away. */
export const CLIENT_CLOSED = 499;

function headersOf({ entry }: Call): Record<string, string> {
  return { "x-request-id": entry.requestId };
}

/** The request with what is in data URLs cut away. */
function withoutData(body: unknown): unknown {
  return JSON.parse(
    JSON.stringify(body, (_, value: unknown) =>
      typeof value === "string" && value.startsWith("data:")
        ? `${value.slice(0, 40)}… (${value.length})`
        : value,
    ),
  );
}
