import type { ModelInfo } from "@anthropic-ai/sdk/resources/models";
import { answerCall, countCall } from "../../answer-call.ts";
import type { AnswerService, Dialect, RouteRequest } from "../../dialect.ts";
import type { ServedModel } from "../../model-names.ts";
import { typedFrame, typedFrames } from "../../event-stream.ts";
import { readQueryNumber, refused, show } from "../../request-field.ts";
import { underNamedGuardrail } from "../../content/own-guardrail.ts";
import { fetchAllowed } from "../../content/fetch-allowed.ts";
import { sourceUrlOf } from "./read-blocks.ts";
import { fromMessagesRequest, type MessagesAsk, refusedField } from "./from-messages-request.ts";
import { errorBody, toMessageError } from "./message-error.ts";
import { toRateHeaders } from "./rate-headers.ts";
import { gatherMessage, toMessageEvents } from "./to-message.ts";

/** Anthropic's SDKs send it with every request, and OpenAI's none: both have a list of models at one path. */
const isOfThisApi = (headers: Headers): boolean => headers.has("anthropic-version");

/** Anthropic's Messages, its count of tokens and its list of models. */
export const messages: Dialect = {
  name: "messages",
  roots: ["/v1/messages"],
  toError: toMessageError,
  requestIdHeader: "request-id",
  isSpokenBy: isOfThisApi,
  toRateHeaders,
  routes: [
    { method: "GET", path: "/v1/models", isFor: isOfThisApi, answer: listModels },
    {
      method: "GET",
      path: "/v1/models/:id{.+}",
      isFor: isOfThisApi,
      answer: async ({ upstream }, { id, call }) =>
        Response.json(toModelInfo(await upstream.servedModel(id, call.key))),
    },
    { method: "POST", path: "/v1/messages", answer: answerMessage },
    { method: "POST", path: "/v1/messages/count_tokens", answer: countTokens },
  ],
};

async function answerMessage(service: AnswerService, request: RouteRequest): Promise<Response> {
  const { call } = request;
  const { stops, ...asked } = await underNamedGuardrail(
    service,
    request,
    await readRequest(service, request),
  );
  const id = (): string => `msg_${call.entry.requestId.replace(/^req_/, "")}`;
  return answerCall(service, request, asked, {
    toPieces: (events) => toMessageEvents(events, { id, stops }),
    toFrames: typedFrames,
    toFailureFrame: (error) => typedFrame(errorBody(error, call.entry.requestId)),
    gather: gatherMessage,
    heartbeat: typedFrame({ type: "ping" }),
    fieldOf: refusedField,
  });
}

async function readRequest(service: AnswerService, { call, body }: RouteRequest): Promise<MessagesAsk> {
  const { messages: said } = (body ?? {}) as { messages?: unknown };
  return fromMessagesRequest(body, await fetchAllowed(service, call, said, sourceUrlOf), call.signal);
}

async function countTokens(service: AnswerService, request: RouteRequest): Promise<Response> {
  const asked = await readRequest(service, request);
  return countCall(service, request, asked, (tokens) => ({ input_tokens: tokens, context_management: null }));
}

async function listModels({ upstream }: AnswerService, { query, call }: RouteRequest): Promise<Response> {
  const all = await upstream.servedModels(call.key);
  const most = readQueryNumber(query, "limit", MOST_LISTED, 1);
  const [after, before] = ["after_id", "before_id"].map((name) => placeOf(name, query, all));
  const start = (after ?? -1) + 1;
  const between = all.slice(start, Math.max(before ?? all.length, start));
  const data = (before === undefined ? between.slice(0, most) : between.slice(-most)).map(toModelInfo);
  return Response.json({
    data,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: data.length < between.length,
  });
}

/**
 * The place of the model that a page begins or ends at; undefined where the query names none. Throws `invalid-request` for
 * one that is not in the list, or is not any more: whoever goes on behind it would begin anew without end.
 */
function placeOf(name: string, query: URLSearchParams, models: readonly ServedModel[]): number | undefined {
  const id = query.get(name);
  if (id === null) return undefined;
  const place = models.findIndex((model) => model.id === id);
  if (place >= 0) return place;
  throw refused(`'${name}' is ${show(id)}, which is no model of this list.`, name);
}

/** Anthropic's own bound of a page. */
const MOST_LISTED = 1000;

function toModelInfo({ id, created }: ServedModel): ModelInfo {
  return {
    type: "model",
    id,
    display_name: id,
    created_at: new Date(created * 1000).toISOString(),
    lifecycle: "active",
    capabilities: null,
    line: null,
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: null,
    max_tokens: null,
  };
}
