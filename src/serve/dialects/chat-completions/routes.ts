import type { Model } from "openai/resources/models";
import { answerCall, jsonAnswer } from "../../answer-call.ts";
import type { AnswerService, Dialect, RouteRequest } from "../../dialect.ts";
import { toErrorBody } from "../../content/openai-error.ts";
import { underNamedGuardrail } from "../../content/own-guardrail.ts";
import type { ServedModel } from "../../model-names.ts";
import { fetchAllowed } from "../../content/fetch-allowed.ts";
import { fromChatRequest, refusedField } from "./from-chat-request.ts";
import { imageUrlOf } from "./read-content.ts";
import { type Chunks, toChunks, toCompletion } from "./to-chunks.ts";

/** OpenAI's chat completions and its list of models. */
export const chatCompletions: Dialect = {
  name: "chat-completions",
  toError: (error) => ({ body: toErrorBody(error) }),
  routes: [
    {
      method: "GET",
      path: "/v1/models",
      answer: async ({ upstream }, { call }) => {
        const data = (await upstream.servedModels(call.key)).map(toModel);
        return jsonAnswer({ object: "list", data });
      },
    },
    {
      method: "GET",
      path: "/v1/models/:id{.+}",
      answer: async ({ upstream }, { id, call }) =>
        Response.json(toModel(await upstream.servedModel(id, call.key))),
    },
    { method: "POST", path: "/v1/chat/completions", answer: completeChat },
  ],
};

function toModel({ id, created, owner }: ServedModel): Model {
  return { id, object: "model", created, owned_by: owner };
}

/** Answers one chat completions request; a stream that fails on its way ends without `[DONE]`. */
async function completeChat(service: AnswerService, request: RouteRequest): Promise<Response> {
  const { call, body } = request;
  const { messages } = (body ?? {}) as { messages?: unknown };
  const images = await fetchAllowed(service, call, messages, imageUrlOf);
  const { includesUsage, custom, ...read } = await fromChatRequest(body, images, call.signal);
  const asked = await underNamedGuardrail(service, request, read);
  const id = `chatcmpl-${call.entry.requestId.replace(/^req_/, "")}`;
  const created = Math.floor(request.now / 1000);
  return answerCall(service, request, asked, {
    toPieces: (events) => toChunks(events, { id, created, custom }),
    gather: toCompletion,
    toFrames: (chunks) => framesOf(chunks, includesUsage),
    toFailureFrame: (error) => frameOf(toErrorBody(error)),
    fieldOf: refusedField,
  });
}

/** Where usage is wanted, OpenAI sends the field with every chunk, else nothing of it. */
async function* framesOf(chunks: Chunks, includesUsage: boolean): AsyncGenerator<string, void, undefined> {
  for await (const chunk of chunks) {
    if (includesUsage) yield frameOf({ ...chunk, usage: chunk.usage ?? null });
    else if (!chunk.usage) yield frameOf(chunk);
  }
  yield "data: [DONE]\n\n";
}

function frameOf(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
