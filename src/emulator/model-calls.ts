import { isRecord, type JsonObject, textAt } from "../json.ts";
import { parseIfJson } from "../json-bounds.ts";
import { constraintError, describeBreach, type PlainReply, validationError } from "./aws-error.ts";
import { Catalogue } from "./catalogue.ts";
import { betasOf } from "./claude-tools.ts";
import { completionOf, completionSteps } from "./completions.ts";
import { readCompletionsRequest } from "./completions-request.ts";
import { answerSteps, converseResponse } from "./converse.ts";
import { checkInvokeHeaders, type ConverseRequest } from "./converse-model.ts";
import { readConverseRequest, requireObject } from "./converse-request.ts";
import { guardAnswer, guardrailOf } from "./guardrails.ts";
import { countHeaders, type Telling, type VendorBody, vendorOf } from "./invoke.ts";
import { notOnThisRoute } from "./mantle.ts";
import { messageOf, messageSteps } from "./messages.ts";
import { readMessagesRequest } from "./messages-request.ts";
import type { EmulatedModel } from "./models.ts";
import { malformed } from "./nova-request.ts";
import { type AnswerName, missing, readObject } from "./openai-request.ts";
import {
  fieldOf,
  json,
  modelIdOf,
  type OperationContext,
  regionOf,
  type Reply,
} from "./operation-context.ts";
import type { Reservation } from "./quota-gate.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { responseOf, responseSteps } from "./responses.ts";
import { readResponsesRequest } from "./responses-request.ts";
import {
  countInputTokens,
  estimateTokens,
  simulateAnswer,
  type SimulatedAnswer,
} from "./simulated-answer.ts";
import { simulateEmbeddings } from "./simulated-embeddings.ts";

/** Answers Converse, of the real model where there is one. Throws `AwsError`, as do all that follow. */
export async function converse(
  call: RecordedCall,
  context: OperationContext,
  signal: AbortSignal,
): Promise<Reply> {
  const { upstream, now } = context;
  if (upstream) {
    readConverseRequest(call.body, {});
    return json(await upstream.converse(call.exactBody ?? call.body, modelIdOf(call), signal));
  }
  const started = now();
  const { answer, settle } = answerConversation(call, context);
  return settle(json(converseResponse(answer, now() - started)));
}

/** Answers ConverseStream, of the real model where there is one. */
export async function converseStream(
  call: RecordedCall,
  context: OperationContext,
  signal: AbortSignal,
): Promise<Reply> {
  const { upstream, now, delayMs } = context;
  if (upstream) {
    readConverseRequest(call.body, {});
    return { stream: await upstream.converseStream(call.exactBody ?? call.body, modelIdOf(call), signal) };
  }
  const started = now();
  const { answer, settle } = answerConversation(call, context, { isStreamed: true });
  return settle({ stream: answerSteps(answer, { delayMs, elapsed: () => now() - started }) });
}

/** Answers InvokeModel of a model that embeds, or of a chat model by its vendor's own body. */
export function invokeModel(call: RecordedCall, context: OperationContext): Reply {
  const { counter, now, gate } = context;
  checkInvokeHeaders(call.headers);
  const modelId = modelIdOf(call);
  const model = modelToCall(modelId, call, context);
  if (model.outputModalities.includes("EMBEDDING")) {
    const { body, inputTokens } = simulateEmbeddings(model, call.body);
    const used = { inputTokens, outputTokens: 0 };
    const { settle } = gate.admit(call, { id: modelId, used, maxTokens: 0 });
    counter.add({ time: now(), modelId, ...used, burndown: 1 });
    return settle(withHeaders(json(body), countHeaders(used, 1)));
  }
  const { answer, settle, vendor, telling } = answerInvocation(call, model, context);
  return settle(withHeaders(json(vendor.whole(answer, telling)), countHeaders(answer, telling.elapsed())));
}

/** Answers InvokeModelWithResponseStream by the events of the model's vendor. */
export function invokeModelWithResponseStream(call: RecordedCall, context: OperationContext): Reply {
  checkInvokeHeaders(call.headers);
  const model = modelToCall(modelIdOf(call), call, context);
  if (model.responseStreamingSupported !== true)
    throw validationError("The model is unsupported for streaming.");
  const { answer, settle, vendor, telling } = answerInvocation(call, model, context);
  return settle({
    stream: vendor.steps(answer, telling),
    headers: { "x-amzn-bedrock-content-type": "application/json", "x-simulated-by": "openclaw emulator" },
  });
}

function answerInvocation(
  call: RecordedCall,
  model: EmulatedModel,
  context: OperationContext,
): CountedAnswer & { vendor: VendorBody; telling: Telling } {
  refuseForUpstream(context);
  const { now, delayMs } = context;
  const started = now();
  const vendor = vendorOf(model);
  if (!isRecord(call.body)) throw malformed("");
  const request = vendor.read(call.body, model);
  const counted = answerAndCount(request, modelIdOf(call), model, { call, context });
  const telling = { callId: call.requestId, model, delayMs, elapsed: () => now() - started };
  return { ...counted, vendor, telling };
}

function withHeaders(reply: PlainReply, headers: PlainReply["headers"]): PlainReply {
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** The model that an id stands for, where the account may call it. Throws `AwsError` as the service refuses. */
function modelToCall(id: string, call: RecordedCall, context: OperationContext): EmulatedModel {
  const { account } = context;
  const { model } = new Catalogue(account, call.region).resolveModel(id);
  account.gates.pass(model, regionOf(call, context));
  return model;
}

function answerConversation(
  call: RecordedCall,
  context: OperationContext,
  { isStreamed = false } = {},
): CountedAnswer {
  const model = modelToCall(modelIdOf(call), call, context);
  const isChatModel =
    model.canConverse !== false &&
    model.inputModalities.includes("TEXT") &&
    model.outputModalities.includes("TEXT");
  if (!isChatModel || (isStreamed && model.responseStreamingSupported !== true)) {
    throw validationError(
      "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    );
  }
  const request = readConverseRequest(call.body, model, { isStreamed });
  return answerAndCount(request, modelIdOf(call), model, { call, context });
}

/** What a model says to a request, held to the guardrail that the call names. */
function say(
  request: ConverseRequest,
  model: EmulatedModel,
  { call, context }: { call: RecordedCall; context: OperationContext },
): SimulatedAnswer {
  const { account, dialogue } = context;
  const catalogue = new Catalogue(account, regionOf(call, context));
  const guardrail = guardrailOf(call, account.guardrails, catalogue);
  return guardAnswer(() => simulateAnswer(request, model, dialogue), request, guardrail);
}

/** A made-up answer, and what takes its reply when it is settled what of the quota it used. */
type CountedAnswer = { answer: SimulatedAnswer } & Reservation;

/** Makes an answer up within the quotas of the model, and counts what it used, for CloudWatch. */
function answerAndCount(
  request: ConverseRequest,
  modelId: string,
  model: EmulatedModel,
  { call, context }: { call: RecordedCall; context: OperationContext },
): CountedAnswer {
  const { counter, now, gate } = context;
  const answer = say(request, model, { call, context });
  const { inputTokens, outputTokens } = answer;
  const { settle } = gate.admit(call, { id: modelId, used: answer, maxTokens: request.maxTokens });
  counter.add({ time: now(), modelId, inputTokens, outputTokens, burndown: model.burndown ?? 1 });
  return { answer, settle };
}

interface AskedModel {
  id: string;
  model: EmulatedModel;
  isMantle: boolean;
}

/** The same for a call that may be Mantle's, whose quotas are others and which CloudWatch does not count. */
function answerHere(
  request: ConverseRequest,
  { model, id, isMantle }: AskedModel,
  made: { call: RecordedCall; context: OperationContext },
): CountedAnswer {
  if (!isMantle) return answerAndCount(request, id, model, made);
  return { answer: say(request, model, made), settle: (reply) => reply };
}

/** A real model in the emulator's place speaks Converse alone. Throws `AwsError` where there is one. */
function refuseForUpstream({ upstream }: OperationContext): void {
  if (upstream)
    throw validationError("The model behind the emulator answers Converse and ConverseStream only.");
}

/** Answers Anthropic's Messages API, streamed or whole. */
export function answerMessages(call: RecordedCall, context: OperationContext): Reply {
  refuseForUpstream(context);
  const asked = modelOfMessages(call, context);
  const betas = betasOf(call.headers["anthropic-beta"]);
  const request = readMessagesRequest(call.body, asked.model, { betas });
  const { answer, settle } = answerHere(request, asked, { call, context });
  const named = { id: call.requestId, model: asked.id };
  return settle(
    fieldOf(call.body, "stream") === true
      ? { stream: messageSteps(answer, { ...named, delayMs: context.delayMs }) }
      : json(messageOf(answer, named)),
  );
}

/** Mantle alone counts. The runtime has no such route, and says so with status 200: the page has none, and it is measured. */
export function countMessages(call: RecordedCall, context: OperationContext): Reply {
  if (call.service === "bedrock")
    return json({ Output: { __type: "com.amazon.coral.service#UnknownOperationException" }, Version: "1.0" });
  const { model } = modelOfMessages(call, context);
  const request = readMessagesRequest(call.body, model, {
    isCounted: true,
    betas: betasOf(call.headers["anthropic-beta"]),
  });
  return json({ input_tokens: countInputTokens(request) });
}

function modelOfMessages(call: RecordedCall, context: OperationContext): AskedModel {
  if (call.headers["anthropic-version"] === undefined)
    throw validationError("anthropic-version: header is required");
  if (!isRecord(call.body)) throw validationError("The request body is not valid JSON.");
  const id = textAt(call.body, "model");
  if (id === undefined) throw validationError("model: Field required");
  const catalogue = new Catalogue(context.account, call.region);
  if (catalogue.asksMantle(call.service, id))
    return { id, model: catalogue.mantleModel(id, "/anthropic/v1/messages"), isMantle: true };
  const model = modelToCall(id, call, context);
  if (model.providerName === "Anthropic") return { id, model, isMantle: false };
  throw notOnThisRoute(id);
}

/** Answers OpenAI's chat completions, streamed or whole. */
export function answerCompletions(call: RecordedCall, context: OperationContext): Reply {
  const { body, name, ...asked } = openaiCall(call, context);
  const request = readCompletionsRequest(call.body, asked.model);
  const { answer, settle } = answerHere(request, asked, { call, context });
  return settle(
    body["stream"] === true
      ? { stream: completionSteps(answer, { ...name, delayMs: context.delayMs }) }
      : json(completionOf(answer, name)),
  );
}

/** Answers OpenAI's Responses, streamed or whole. Nothing of them is stored. */
export function answerResponses(call: RecordedCall, context: OperationContext): Reply {
  const { body, name, ...asked } = openaiCall(call, context);
  const { model, isMantle } = asked;
  const request = readResponsesRequest(call.body, model, isMantle);
  const { answer, settle } = answerHere(request.conversation, asked, { call, context });
  const named = { ...name, modelId: model.modelId };
  return settle(
    body["stream"] === true
      ? { stream: responseSteps(answer, request, { ...named, delayMs: context.delayMs }) }
      : json(responseOf(answer, request, named)),
  );
}

/** What a call of one of OpenAI's paths is answered by. */
function openaiCall(
  call: RecordedCall,
  context: OperationContext,
): AskedModel & { body: JsonObject; name: AnswerName } {
  refuseForUpstream(context);
  const { account, now } = context;
  const body = readObject(call.body);
  const id = textAt(body, "model");
  if (id === undefined) throw missing("model");
  const catalogue = new Catalogue(account, call.region);
  const isMantle = catalogue.asksMantle(call.service, id);
  const name = { callId: call.requestId, body, createdAt: Math.floor(now() / 1000) };
  if (isMantle) return { id, model: catalogue.mantleModel(id, call.path), body, isMantle, name };
  const model = modelToCall(id, call, context);
  // The runtime endpoint has them below /openai/v1 only.
  const isThere = model.openaiPaths?.some((path) => call.path === `/openai/v1/${path}`);
  if (!isThere) throw notOnThisRoute(id);
  return { id, model, body, isMantle, name };
}

/**
 * Answers with the emulator's estimate. It counts for base models only, as the service does: a profile is refused with
 * the same words as a model without a counter.
 */
export function countTokens(call: RecordedCall, { account }: OperationContext): Reply {
  const modelId = modelIdOf(call);
  const isProfile = account.profiles.some(({ inferenceProfileId }) => modelId.endsWith(inferenceProfileId));
  const model = isProfile ? undefined : new Catalogue(account, call.region).findModel(modelId);
  if (model?.canCountTokens !== true)
    throw validationError("The provided model doesn't support counting tokens.");
  requireObject(call.body);
  const input = fieldOf(call.body, "input");
  const conversation = fieldOf(input, "converse");
  if (conversation !== undefined)
    return json({ inputTokens: countInputTokens(readConverseRequest(conversation, {})) });
  const invocation = fieldOf(fieldOf(input, "invokeModel"), "body");
  if (typeof invocation !== "string")
    throw constraintError(describeBreach(undefined, "input", "not be null"));
  const body = Buffer.from(invocation, "base64").toString("utf8");
  if (!isRecord(parseIfJson(body))) throw malformed("");
  return json({ inputTokens: estimateTokens(body) });
}
