import type { InputTokenCountResponse } from "openai/resources/responses/input-tokens";
import { shorten } from "../../../errors.ts";
import type { JsonObject } from "../../../json.ts";
import { turnOver } from "../../../next-turn.ts";
import { answerCall, countCall } from "../../answer-call.ts";
import { toErrorBody } from "../../content/openai-error.ts";
import type { AnswerService, Dialect, RouteRequest } from "../../dialect.ts";
import type { ErrorAnswer } from "../../error-answer.ts";
import { typedFrame, typedFrames } from "../../event-stream.ts";
import { underNamedGuardrail } from "../../content/own-guardrail.ts";
import { fetchAllowed } from "../../content/fetch-allowed.ts";
import { fromResponseRequest, refusedField, type ResponseAsk } from "./from-response-request.ts";
import { imageUrlOf } from "./read-input.ts";
import { headOf } from "./response-head.ts";
import { gatherResponse, ResponseTeller } from "./to-response-events.ts";

/** OpenAI's Responses. Nothing is kept: every request has its whole conversation. */
export const responses: Dialect = {
  name: "responses",
  roots: ["/v1/responses"],
  toError: (error) => ({ body: toErrorBody(inItsWords(error)) }),
  routes: [
    { method: "POST", path: "/v1/responses", answer: createResponse },
    { method: "POST", path: "/v1/responses/input_tokens", answer: countTokens },
    { method: "GET", path: "/v1/responses/:id", answer: refuseStored },
    { method: "DELETE", path: "/v1/responses/:id", answer: refuseStored },
    { method: "GET", path: "/v1/responses/:id/input_items", answer: refuseStored },
    { method: "POST", path: "/v1/responses/:id/cancel", isBodiless: true, answer: refuseStored },
  ],
};

async function createResponse(service: AnswerService, request: RouteRequest): Promise<Response> {
  const { call, body } = request;
  const asked = await underNamedGuardrail(service, request, await readRequest(service, request));
  const id = `resp_${call.entry.requestId.replace(/^req_/, "")}`;
  await turnOver();
  const head = headOf(body as JsonObject, id, Math.floor(request.now / 1000));
  const teller = new ResponseTeller(head, asked.model, asked.clientTools);
  return answerCall(service, request, asked, {
    toPieces: (events) => teller.tell(events),
    gather: gatherResponse,
    toFrames: typedFrames,
    toFailureFrame: (error) => teller.fail(inItsWords(error)).map(typedFrame).join(""),
    fieldOf: refusedField,
  });
}

async function readRequest(service: AnswerService, { call, body }: RouteRequest): Promise<ResponseAsk> {
  const { input } = (body ?? {}) as { input?: unknown };
  const images = await fetchAllowed(service, call, input, imageUrlOf);
  return fromResponseRequest(body, images, call.signal);
}

async function countTokens(service: AnswerService, request: RouteRequest): Promise<Response> {
  const asked = await readRequest(service, request);
  return countCall(service, request, asked, (tokens): InputTokenCountResponse => ({
    object: "response.input_tokens",
    input_tokens: tokens,
  }));
}

/** An error that is about the conversation, under the name that it has here. */
function inItsWords(error: ErrorAnswer): ErrorAnswer {
  return error.param === "messages" ? { ...error, param: "input" } : error;
}

/** There are no responses to be found again. */
async function refuseStored(_: AnswerService, { call, id }: RouteRequest): Promise<Response> {
  const message = `Response '${shorten(id)}' is not found: this server keeps none.`;
  const error = { status: 404, code: "response_not_found", message, param: null };
  call.refuse(error.code, message);
  return Response.json(toErrorBody(error), { status: error.status });
}
