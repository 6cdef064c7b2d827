import { encodeEvent, EVENT_STREAM_TYPE } from "../../../aws/event-stream.ts";
import { answerCall, jsonAnswer } from "../../answer-call.ts";
import type { AnswerService, Dialect, Route, RouteRequest } from "../../dialect.ts";
import type { ApiKey } from "../../keys/key-file.ts";
import { exceptionFrame, toAwsError } from "./aws-errors.ts";
import { countTokens } from "./count-tokens.ts";
import { fromConverseRequest } from "./from-converse-request.ts";
import {
  getFoundationModel,
  getInferenceProfile,
  listFoundationModels,
  listInferenceProfiles,
  type Offer,
} from "./model-lists.ts";
import { invoke } from "./invoke.ts";
import { underGuardrail } from "../../content/own-guardrail.ts";
import { ROOTS } from "./roots.ts";
import { type Parts, toConverseAnswer, toConverseParts, toJsonAnswer, toJsonPart } from "./to-converse.ts";

/** Amazon Bedrock itself: the operations of its two services by which models are found and asked. */
export const bedrock: Dialect = {
  name: "bedrock",
  roots: ROOTS,
  toError: toAwsError,
  requestIdHeader: "x-amzn-requestid",
  isSpokenBy: isOfAws,
  // InvokeModel takes bytes that most models take for JSON, and boto3 says nothing of them. A page of another origin can do
  // that, too, but set none of these headers.
  bodyTypes: (headers) => [
    "application/octet-stream",
    ...(isOfAws(headers) || headers.get("authorization")?.startsWith("Bearer ") === true ? [""] : []),
  ],
  routes: [
    asking("converse", (service, request) => answerConverse(service, request, false)),
    asking("converse-stream", (service, request) => answerConverse(service, request, true)),
    asking("invoke", (service, request) => invoke(service, request, false)),
    asking("invoke-with-response-stream", (service, request) => invoke(service, request, true)),
    asking("count-tokens", countTokens),
    listing("/foundation-models", (offer, { query }) => listFoundationModels(offer, query)),
    listing("/foundation-models/:id{.+}", (offer, { id }) => getFoundationModel(offer, id)),
    listing("/inference-profiles", (offer, { query }) => listInferenceProfiles(offer, query)),
    listing("/inference-profiles/:id{.+}", (offer, { id }) => getInferenceProfile(offer, id)),
  ],
};

/** The route of an operation on one model. */
function asking(operation: string, answer: Route["answer"]): Route {
  return { method: "POST", path: `/model/:id{.+}/${operation}`, answer };
}

/** The route of an operation that tells what models there are. */
function listing(path: string, tell: (offer: Offer, request: RouteRequest) => object): Route {
  return {
    method: "GET",
    path,
    answer: async (service, request) => jsonAnswer(tell(await offerOf(service, request.call.key), request)),
  };
}

/** Whether one of AWS's clients sends a request. */
function isOfAws(headers: Headers): boolean {
  return headers.has("amz-sdk-invocation-id") || headers.get("authorization")?.startsWith("AWS4-") === true;
}

async function offerOf({ upstream }: AnswerService, key: ApiKey | undefined): Promise<Offer> {
  const served = await upstream.servedModels(key);
  const { setup, modelList } = await upstream.current();
  const { discovered } = modelList.load;
  return { served, discovered, region: discovered?.region ?? setup.options.region ?? "us-east-1" };
}

async function answerConverse(
  service: AnswerService,
  request: RouteRequest,
  isStreamed: boolean,
): Promise<Response> {
  const { upstream, allowsRemoteImages } = service;
  const { call, body, id: model } = request;
  const { guardrail: given, ...read } = await fromConverseRequest(body, {
    model,
    isStreamed,
    readsS3: allowsRemoteImages,
    signal: call.signal,
  });
  const { asked, showsGuardrail } = underGuardrail(
    read,
    given,
    (await upstream.current()).setup.config.value,
  );
  const ask = { ...asked.ask, passesDetails: true };
  return answerCall(
    service,
    request,
    { ...asked, ask },
    {
      toPieces: (events) => toConverseParts(events, { since: () => call.since(), showsGuardrail }),
      toFrames: framesOf,
      toFailureFrame: exceptionFrame,
      gather: async (parts) => toJsonAnswer(await toConverseAnswer(parts)),
      contentType: EVENT_STREAM_TYPE,
      // A frame of its own is nothing that clients pass over.
      heartbeat: undefined,
    },
  );
}

/** A part of a stream is one event of it. */
async function* framesOf(parts: Parts): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of parts) {
    const [[name, payload] = ["", {}]] = Object.entries(toJsonPart(part));
    yield encodeEvent(name, payload);
  }
}
