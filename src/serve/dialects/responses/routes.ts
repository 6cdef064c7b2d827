import type { InputTokenCountResponse } from "openai/resources/responses/input-tokens";
import type { ResponseCreateParamsBase } from "openai/resources/responses/responses";
import { shorten } from "../../../errors.ts";
import type { JsonObject } from "../../../json.ts";
import { answerCall, countCall } from "../../answer-call.ts";
import { toErrorBody } from "../../content/openai-error.ts";
import type { AnswerService, Dialect, RouteRequest } from "../../dialect.ts";
import { typedFrame, typedFrames } from "../../event-stream.ts";
import { fetchAllowed } from "../../content/fetch-allowed.ts";
import { fromResponseRequest, refusedField, type ResponseAsk } from "./from-response-request.ts";
import { remoteImageUrls } from "./remote-image-urls.ts";
import { gatherResponse, type ResponseHead, ResponseTeller } from "./to-response-events.ts";

/** OpenAI's Responses. Nothing is kept: every request has its whole conversation. */
export const responses: Dialect = {
  name: "responses",
  toError: (error) => ({ body: toErrorBody(error) }),
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
  const asked = await readRequest(service, request);
  const id = `resp_${call.entry.requestId.replace(/^req_/, "")}`;
  const head = headOf(body as JsonObject, id, Math.floor(request.now / 1000));
  const teller = new ResponseTeller(head, asked.model, asked.clientTools);
  return answerCall(service, request, asked, {
    toPieces: (events) => teller.tell(events),
    gather: gatherResponse,
    toFrames: typedFrames,
    toFailureFrame: (error) => teller.fail(error).map(typedFrame).join(""),
    fieldOf: refusedField,
  });
}

async function readRequest(service: AnswerService, { call, body }: RouteRequest): Promise<ResponseAsk> {
  const images = await fetchAllowed(service, call, () => remoteImageUrls(body));
  return fromResponseRequest(body, images, call.signal);
}

async function countTokens(service: AnswerService, request: RouteRequest): Promise<Response> {
  const asked = await readRequest(service, request);
  return countCall(service, request, asked, (tokens): InputTokenCountResponse => ({
    object: "response.input_tokens",
    input_tokens: tokens,
  }));
}

/** There are no responses to be found again. */
async function refuseStored(_: AnswerService, { call, id }: RouteRequest): Promise<Response> {
  const message = `Response '${shorten(id)}' is not found: this server keeps none.`;
  const error = { status: 404, code: "response_not_found", message, param: null };
  call.entry.error = error;
  return Response.json(toErrorBody(error), { status: error.status });
}

/** The most that is repeated of one field, in characters. */
const LONGEST_ECHO = 200_000;

/** What is repeated to a client is written in one go, up to three times, so that of what is long there is nothing. */
function echo<T>(value: T | null | undefined, otherwise: T): T {
  return value === undefined || value === null || isLong(value) ? otherwise : value;
}

function isLong(value: unknown): boolean {
  let length = 0;
  const rest: unknown[] = [value];
  for (let next = rest.pop(); next !== undefined && length <= LONGEST_ECHO; next = rest.pop()) {
    length += typeof next === "string" ? next.length : 1;
    if (typeof next !== "object" || next === null) continue;
    for (const [name, item] of Object.entries(next)) {
      length += name.length;
      if (item !== undefined) rest.push(item);
    }
  }
  return length > LONGEST_ECHO;
}

/** What a response repeats of its request, with what OpenAI takes for what was not said. */
function headOf(body: JsonObject, id: string, createdAt: number): ResponseHead {
  const sent = body as Partial<ResponseCreateParamsBase>;
  return {
    id,
    object: "response",
    created_at: createdAt,
    background: false,
    instructions: echo(sent.instructions, null),
    max_output_tokens: sent.max_output_tokens ?? null,
    metadata: echo(sent.metadata, {}),
    parallel_tool_calls: sent.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...echo(sent.reasoning, {}) },
    service_tier: "default",
    temperature: sent.temperature ?? null,
    text: { format: { type: "text" }, ...echo(sent.text, {}) },
    tool_choice: echo(sent.tool_choice, "auto"),
    tools: echo(sent.tools, []),
    top_p: sent.top_p ?? null,
    truncation: echo(sent.truncation, "disabled"),
    ...(typeof sent.user === "string" && !isLong(sent.user) ? { user: sent.user } : {}),
  };
}
