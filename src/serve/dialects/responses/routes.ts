import type { ResponseCreateParamsBase, ResponseStreamEvent } from "openai/resources/responses/responses";
import { shorten } from "../../../errors.ts";
import type { JsonObject } from "../../../json.ts";
import { answerCall } from "../../answer-call.ts";
import { toErrorBody } from "../../content/openai-error.ts";
import type { AnswerService, Dialect, RouteRequest } from "../../dialect.ts";
import { fetchRemoteImages } from "../../remote-image.ts";
import { fromResponseRequest, refusedField } from "./from-response-request.ts";
import { remoteImageUrls } from "./remote-image-urls.ts";
import { gatherResponse, type ResponseHead, ResponseTeller } from "./to-response-events.ts";

/** OpenAI's Responses. Nothing is kept: every request has its whole conversation. */
export const responses: Dialect = {
  name: "responses",
  toError: (error) => ({ body: toErrorBody(error) }),
  routes: [
    { method: "POST", path: "/v1/responses", answer: createResponse },
    { method: "GET", path: "/v1/responses/:id", answer: refuseStored },
    { method: "DELETE", path: "/v1/responses/:id", answer: refuseStored },
    { method: "GET", path: "/v1/responses/:id/input_items", answer: refuseStored },
    { method: "POST", path: "/v1/responses/:id/cancel", isBodiless: true, answer: refuseStored },
  ],
};

async function createResponse(service: AnswerService, request: RouteRequest): Promise<Response> {
  const { upstream, allowsRemoteImages } = service;
  const { call, body } = request;
  const images = allowsRemoteImages
    ? await fetchRemoteImages(remoteImageUrls(body), call.signal, undefined, await upstream.network())
    : undefined;
  const asked = await fromResponseRequest(body, images, call.signal);
  const id = `resp_${call.entry.requestId.replace(/^req_/, "")}`;
  const head = headOf(body as JsonObject, id, Math.floor(request.now / 1000));
  const teller = new ResponseTeller(head, asked.model, asked.clientTools);
  return answerCall(service, request, asked, {
    toPieces: (events) => teller.tell(events),
    gather: gatherResponse,
    toFrames: framesOf,
    toFailureFrame: (error) => teller.fail(error).map(frameOf).join(""),
    fieldOf: refusedField,
  });
}

/** There are no responses to be found again. */
async function refuseStored(_: AnswerService, { call, id }: RouteRequest): Promise<Response> {
  const message = `Response '${shorten(id)}' is not found: this server keeps none.`;
  const error = { status: 404, code: "response_not_found", message, param: null };
  call.entry.error = error;
  return Response.json(toErrorBody(error), { status: error.status });
}

/** What a response repeats of its request, with what OpenAI takes for what was not said. */
function headOf(body: JsonObject, id: string, createdAt: number): ResponseHead {
  const sent = body as Partial<ResponseCreateParamsBase>;
  return {
    id,
    object: "response",
    created_at: createdAt,
    background: false,
    instructions: sent.instructions ?? null,
    max_output_tokens: sent.max_output_tokens ?? null,
    metadata: sent.metadata ?? {},
    parallel_tool_calls: sent.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...sent.reasoning },
    service_tier: "default",
    temperature: sent.temperature ?? null,
    text: { format: { type: "text" }, ...sent.text },
    tool_choice: sent.tool_choice ?? "auto",
    tools: sent.tools ?? [],
    top_p: sent.top_p ?? null,
    truncation: sent.truncation ?? "disabled",
    ...(typeof sent.user === "string" ? { user: sent.user } : {}),
  };
}

async function* framesOf(
  events: AsyncGenerator<ResponseStreamEvent, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  for await (const event of events) yield frameOf(event);
}

function frameOf(event: ResponseStreamEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
