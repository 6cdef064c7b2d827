import type { Model } from "openai/resources/models";
import type { ErrorObject } from "openai/resources/shared";
import type { ChatEvents } from "../../../converse/chat-event.ts";
import { OpenclawError, shorten, withFields } from "../../../errors.ts";
import { isRecord, textAt, wellFormed } from "../../../json.ts";
import { nextTurn } from "../../../next-turn.ts";
import type { AnswerService, Dialect, RouteRequest } from "../../dialect.ts";
import { type ErrorAnswer, toErrorAnswer } from "../../error-answer.ts";
import { answerWithStream, type Frames } from "../../event-stream.ts";
import type { ServedModel } from "../../model-names.ts";
import { fetchRemoteImages } from "../../remote-image.ts";
import { fromChatRequest, refusedField } from "./from-chat-request.ts";
import { remoteImageUrls } from "./read-content.ts";
import { type Chunks, toChunks, toCompletion, withUsage } from "./to-chunks.ts";

/** OpenAI's types of errors by their status (https://platform.openai.com/docs/guides/error-codes). */
const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
};

/** OpenAI's chat completions and its list of models. */
export const chatCompletions: Dialect = {
  toErrorBody,
  routes: [
    {
      method: "GET",
      path: "/v1/models",
      answer: async ({ upstream }) => {
        const data = (await upstream.servedModels()).map(toModel);
        return Response.json({ object: "list", data });
      },
    },
    {
      method: "GET",
      path: "/v1/models/:id{.+}",
      answer: async ({ upstream }, { id }) => Response.json(toModel(await upstream.servedModel(id))),
    },
    { method: "POST", path: "/v1/chat/completions", answer: completeChat },
  ],
};

function toModel({ id, created, owner }: ServedModel): Model {
  return { id, object: "model", created, owned_by: owner };
}

/** An error as OpenAI's API tells it. */
function toErrorBody({ status, code, message, param }: ErrorAnswer): { error: ErrorObject } {
  const isFault = status >= 500;
  const type = isFault ? "server_error" : (TYPES[status] ?? "invalid_request_error");
  // It may repeat what the client wrote, half a character, too.
  return wellFormed({
    error: { message, type: code === "insufficient_quota" ? code : type, param, code },
  });
}

/**
 * Answers one chat completions request. What goes wrong before the first token is thrown; what goes wrong later is an
 * event of the stream, which then ends without `[DONE]`.
 */
async function completeChat(service: AnswerService, request: RouteRequest): Promise<Response> {
  const { upstream, allowsRemoteImages, logsContent } = service;
  const { call, body } = request;
  const urls = allowsRemoteImages ? remoteImageUrls((body as { messages?: unknown } | null)?.messages) : [];
  const images = allowsRemoteImages
    ? await fetchRemoteImages(urls, call.signal, undefined, await upstream.network())
    : undefined;
  const completion = await fromChatRequest(body, images, call.signal);
  // Thousands of messages take their time to read, and again to plan the request with.
  await nextTurn();
  const { model, isStreamed, includesUsage, mayCallInParallel } = completion;
  const id = `chatcmpl-${call.entry.requestId.replace(/^req_/, "")}`;
  const created = Math.floor(request.now / 1000);
  Object.assign(call.entry, { model: shorten(model), isStreamed });
  if (logsContent) call.entry.request = withoutData(body);
  for (const notice of completion.notices) call.note(notice);
  const answered = upstream.askByName(model, completion.ask, call.runtime(), {
    apiKey: call.entry.key,
    onCounted: ({ serviceTier }, cost) =>
      Object.assign(call.entry, { serviceTier, costUsd: cost?.usd ?? null }),
  });
  const events = namingFields(answered, body);
  const onStart = call.begin.bind(call);
  const chunks = watched(toChunks(events, { id, created, mayCallInParallel, onStart }), service, request);
  if (isStreamed) {
    const failed = (failure: unknown): string => frameOf(toErrorBody(toErrorAnswer(failure)));
    return answerWithStream(framesOf(withUsage(chunks, includesUsage)), failed, service, request);
  }
  const answer = await toCompletion(chunks);
  return Response.json(answer, { headers: { "x-request-id": call.entry.requestId } });
}

/** Lets a refusal of the request name the field of the client's that it is about. */
async function* namingFields(events: ChatEvents, body: unknown): ChatEvents {
  try {
    yield* events;
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code !== "invalid-request" || !isRecord(body)) throw error;
    const { details } = error;
    const refusal = textAt(details, "awsMessage") ?? textAt(details, "serverMessage");
    const param = refusal === undefined ? undefined : refusedField(refusal, body);
    throw param === undefined ? error : withFields(error, { details: { ...details, param } });
  }
}

/** Keeps what the log says of an answer while it passes. */
async function* watched(
  chunks: Chunks,
  { logsContent }: AnswerService,
  { call: { entry } }: RouteRequest,
): Chunks {
  const text: string[] = [];
  try {
    for await (const chunk of chunks) {
      const [choice] = chunk.choices;
      if (choice?.finish_reason) entry.finishReason = choice.finish_reason;
      if (logsContent) text.push(choice?.delta.content ?? "");
      if (chunk.usage) {
        entry.promptTokens = chunk.usage.prompt_tokens;
        entry.cachedTokens = chunk.usage.prompt_tokens_details?.cached_tokens ?? 0;
        entry.completionTokens = chunk.usage.completion_tokens;
      }
      yield chunk;
    }
  } finally {
    if (logsContent) entry.answer = text.join("");
  }
}

async function* framesOf(chunks: Chunks): Frames {
  for await (const chunk of chunks) yield frameOf(chunk);
  yield "data: [DONE]\n\n";
}

function frameOf(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
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
