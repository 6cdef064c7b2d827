import { partitionOfRegion } from "../aws/partition.ts";
import { isRecord, type JsonObject, textAt } from "../json.ts";
import {
  AwsError,
  constraintError,
  describeBreach,
  type ErrorDialect,
  escapeXml,
  validationError,
  type PlainReply,
  requiredText,
} from "./aws-error.ts";
import { Catalogue, type Account } from "./catalogue.ts";
import { completionOf, COMPLETIONS_FRAMING, completionSteps } from "./completions.ts";
import { readCompletionsRequest } from "./completions-request.ts";
import { answerSteps, converseResponse } from "./converse.ts";
import type { Message } from "./converse-model.ts";
import { readConverseRequest } from "./converse-request.ts";
import { type CallCounter, getMetricData } from "./cloudwatch.ts";
import { EVENT_STREAM, type Framing } from "./framing.ts";
import type { AccountGates } from "./gates.ts";
import type { InstanceMetadata, InstanceMetadataService } from "./instance-metadata.ts";
import { getMantleModel, listMantleModels, notOnThisRoute } from "./mantle.ts";
import { messageOf, MESSAGES_FRAMING, messageSteps } from "./messages.ts";
import { readMessagesRequest } from "./messages-request.ts";
import type { EmulatedModel } from "./models.ts";
import { type AnswerName, missing } from "./openai-request.ts";
import {
  onAnything,
  onAnythingOf,
  onDefaultProject,
  onModel,
  onProfile,
  toAsk,
  toAskInProject,
  toInvoke,
  type Needs,
} from "./permissions.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { simulateEmbeddings } from "./simulated-embeddings.ts";
import { getServiceQuota, listServiceQuotas, type QuotaValues } from "./service-quotas.ts";
import { responseIdOf, responseOf, RESPONSES_FRAMING, responseSteps } from "./responses.ts";
import { readResponsesRequest } from "./responses-request.ts";
import type { StreamSteps } from "./script.ts";
import {
  countInputTokens,
  estimateTokens,
  simulateAnswer,
  type SimulatedAnswer,
} from "./simulated-answer.ts";

/** A real model that answers Converse calls in the emulator's place. The bodies it gets are such as Bedrock takes. */
export interface Upstream {
  /** The body of Converse's answer. Rejects with `AwsError`. */
  converse(body: unknown, modelId: string, signal: AbortSignal): Promise<object>;
  /** The events of ConverseStream's answer, once the model has said something. Rejects with `AwsError` before that. */
  converseStream(body: unknown, modelId: string, signal: AbortSignal): Promise<StreamSteps>;
  /** Closes the connections. */
  close(): void;
}

/** What an answer depends on besides the call. */
export interface OperationContext {
  readonly account: Account;
  readonly instanceMetadata: InstanceMetadataService;
  /** Region of the lists for a caller with a bearer token, which names none. */
  readonly bearerRegion: string;
  /** Pause between two deltas, in ms. */
  readonly delayMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Values of quotas that are others than the emulator's own. */
  readonly quotas: QuotaValues;
  /** What its models were called with. */
  readonly counter: CallCounter;
  /** The real model that answers Converse calls; none where answers are made up. */
  readonly upstream: Upstream | undefined;
  /** The conversations that ended in responses which are to be found again, by the id of the response. */
  readonly storedResponses: Map<string, readonly Message[]>;
}

export type Reply = PlainReply | { readonly stream: StreamSteps };

/**
 * Answers a call whose credentials are good; the signal is aborted when the caller leaves. Throws `AwsError`, or rejects
 * with it, for what AWS would refuse.
 */
type Answer = (call: RecordedCall, context: OperationContext, signal: AbortSignal) => Reply | Promise<Reply>;

/** What the emulator knows of an operation. */
interface Operation {
  /** Method and path; `{name}` stands for one segment, percent-decoded. STS has the same for all. */
  readonly http?: string;
  /** Missing for what needs no permission. */
  readonly needs?: Needs;
  /** Whose shape its errors have, where it is not AWS's own. */
  readonly dialect?: ErrorDialect;
  /** How its stream is written; missing for what answers without one. */
  readonly framing?: Framing;
  readonly answer: Answer;
}

/** Of Bedrock and Bedrock Runtime, by AWS's names; methods and paths are from their service models. */
const BEDROCK: Readonly<Record<string, Operation>> = {
  ListFoundationModels: {
    http: "GET /foundation-models",
    needs: onAnything,
    answer: inRegion((catalogue, { query }) => catalogue.listFoundationModels(query)),
  },
  GetFoundationModel: {
    http: "GET /foundation-models/{modelId}",
    needs: onModel,
    answer: inRegion((catalogue, call) => catalogue.getFoundationModel(modelIdOf(call))),
  },
  GetFoundationModelAvailability: {
    http: "GET /foundation-model-availability/{modelId}",
    needs: onAnything,
    answer: aboutModel((gates, model) => gates.availability(model)),
  },
  ListFoundationModelAgreementOffers: {
    http: "GET /list-foundation-model-agreement-offers/{modelId}",
    needs: onAnything,
    answer: aboutModel((gates, model) => gates.offers(model)),
  },
  CreateFoundationModelAgreement: {
    http: "POST /create-foundation-model-agreement",
    needs: onAnything,
    answer: (call, context) => {
      const modelId = requiredText(fieldOf(call.body, "modelId"), "modelId");
      const model = catalogueOf(call, context).findModel(modelId);
      context.account.gates.agree(model, fieldOf(call.body, "offerToken"));
      return json({ modelId }, 202);
    },
  },
  GetUseCaseForModelAccess: {
    http: "GET /use-case-for-model-access",
    needs: onAnything,
    answer: (_, { account }) => json(account.gates.form),
  },
  PutUseCaseForModelAccess: {
    http: "POST /use-case-for-model-access",
    needs: onAnything,
    answer: ({ body }, { account }) => {
      account.gates.submitForm(fieldOf(body, "formData"));
      return json({}, 201);
    },
  },
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetAccountDataRetention.html
  GetAccountDataRetention: {
    http: "GET /data-retention",
    needs: onAnything,
    answer: ({ region }, { account, bearerRegion }) => json(account.gates.retention(region ?? bearerRegion)),
  },
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_PutAccountDataRetention.html
  PutAccountDataRetention: {
    http: "PUT /data-retention",
    needs: onAnything,
    answer: ({ region: named, body }, { account: { gates }, bearerRegion, now }) => {
      const region = named ?? bearerRegion;
      gates.setRetention(region, fieldOf(body, "mode"), now());
      return json(gates.retention(region));
    },
  },
  ListInferenceProfiles: {
    http: "GET /inference-profiles",
    needs: onAnything,
    answer: inRegion((catalogue, { query }) => catalogue.listInferenceProfiles(query)),
  },
  GetInferenceProfile: {
    http: "GET /inference-profiles/{identifier}",
    needs: onProfile,
    answer: inRegion((catalogue, { parameters }) =>
      catalogue.getInferenceProfile(parameters["identifier"] ?? ""),
    ),
  },
  Converse: {
    http: "POST /model/{modelId}/converse",
    needs: toInvoke("bedrock:InvokeModel"),
    answer: converse,
  },
  ConverseStream: {
    http: "POST /model/{modelId}/converse-stream",
    needs: toInvoke("bedrock:InvokeModelWithResponseStream"),
    framing: EVENT_STREAM,
    answer: converseStream,
  },
  InvokeModel: {
    http: "POST /model/{modelId}/invoke",
    needs: toInvoke("bedrock:InvokeModel"),
    answer: invokeModel,
  },
  CountTokens: { http: "POST /model/{modelId}/count-tokens", needs: onModel, answer: countTokens },
};

/**
 * What both `bedrock-runtime` and `bedrock-mantle` have: who signs says which of them is asked, and of a key the model that
 * it asks for. https://docs.aws.amazon.com/bedrock/latest/userguide/inference-messages-api.html
 */
const OTHER_WIRES: Readonly<Record<string, Operation>> = {
  Messages: {
    http: "POST /anthropic/v1/messages",
    needs: toAsk,
    dialect: "anthropic",
    framing: MESSAGES_FRAMING,
    answer: answerMessages,
  },
  MessagesCountTokens: {
    http: "POST /anthropic/v1/messages/count_tokens",
    needs: onDefaultProject("CountTokens"),
    dialect: "anthropic",
    answer: countMessages,
  },
  // https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html
  ChatCompletions: {
    http: "POST (?:/openai)?/v1/chat/completions",
    needs: toAskInProject,
    dialect: "openai",
    framing: COMPLETIONS_FRAMING,
    answer: answerCompletions,
  },
  // https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
  Responses: {
    http: "POST (?:/openai)?/v1/responses",
    needs: toAskInProject,
    dialect: "openai",
    framing: RESPONSES_FRAMING,
    answer: answerResponses,
  },
};

/** Of the endpoint `bedrock-mantle`, by the names of its actions. */
const MANTLE: Readonly<Record<string, Operation>> = {
  ListModels: {
    http: "GET /v1/models",
    needs: onDefaultProject("ListModels"),
    dialect: "openai",
    answer: (_, { account }) => json(listMantleModels(account.mantleModels)),
  },
  GetModel: {
    http: "GET /v1/models/{modelId}",
    needs: onDefaultProject("GetModel"),
    dialect: "openai",
    answer: (call, { account }) => json(getMantleModel(account.mantleModels, modelIdOf(call))),
  },
};

/** EC2's instance metadata, by names of our own. */
const INSTANCE_METADATA: Readonly<Record<string, Operation>> = {
  ImdsToken: {
    http: "PUT /latest/api/token",
    answer: (call, { instanceMetadata }) => instanceMetadata.issueToken(call),
  },
  ImdsRoleName: {
    http: "GET /latest/meta-data/iam/security-credentials/",
    answer: metadata(({ role }) => role),
  },
  ImdsCredentials: {
    http: "GET /latest/meta-data/iam/security-credentials/{role}",
    answer: (call, { instanceMetadata }) =>
      instanceMetadata.read(call, () => instanceMetadata.credentialsOf(call.parameters["role"])),
  },
  ImdsRegion: { http: "GET /latest/meta-data/placement/region", answer: metadata(({ region }) => region) },
  ImdsAvailabilityZone: {
    http: "GET /latest/meta-data/placement/availability-zone",
    answer: metadata(({ region }) => `${region}a`),
  },
};

const STS: Readonly<Record<string, Operation>> = { GetCallerIdentity: { answer: getCallerIdentity } };

/** Of services that speak AWS JSON, by what the header `x-amz-target` names, and the service that signatures are for. */
const BY_TARGET: Readonly<Record<string, Operation & { service: "servicequotas" | "monitoring" }>> = {
  "ServiceQuotasV20190624.ListServiceQuotas": {
    service: "servicequotas",
    needs: onAnythingOf("servicequotas"),
    answer: inRegion((catalogue, { body }, { quotas }) => listServiceQuotas(body, catalogue, quotas)),
  },
  "ServiceQuotasV20190624.GetServiceQuota": {
    service: "servicequotas",
    needs: onAnythingOf("servicequotas"),
    answer: inRegion((catalogue, { body }, { quotas }) => getServiceQuota(body, catalogue, quotas)),
  },
  "GraniteServiceVersion20100801.GetMetricData": {
    service: "monitoring",
    needs: onAnythingOf("cloudwatch"),
    answer: ({ body }, { counter }) => json(getMetricData(body, counter.calls)),
  },
};

/** The operation that a target names. */
function nameOfTarget(target: string): string {
  return target.slice(target.indexOf(".") + 1);
}

const NAMED = [BEDROCK, MANTLE, OTHER_WIRES, INSTANCE_METADATA, STS].flatMap(Object.entries<Operation>);

/** The names of the routes that answer. */
export const ROUTE_NAMES: readonly string[] = [
  ...NAMED.map(([name]) => name),
  ...Object.keys(BY_TARGET).map(nameOfTarget),
];

/** The names of the routes that answer with a stream. */
export const STREAMING_ROUTES: readonly string[] = NAMED.filter(([, { framing }]) => framing).map(
  ([name]) => name,
);

/** The operation of a request, and the service whose credentials it takes. */
export interface Route extends Operation {
  readonly name: string;
  readonly service: "bedrock" | "bedrock-mantle" | "sts" | "imds" | "servicequotas" | "monitoring" | "none";
  readonly parameters: Readonly<Record<string, string>>;
}

const PATTERNS = (
  [
    // Which lets in what is signed for the other one, too.
    ["bedrock-mantle", { ...MANTLE, ...OTHER_WIRES }],
    ["bedrock", BEDROCK],
    ["imds", INSTANCE_METADATA],
  ] as const
).flatMap(([service, operations]) =>
  Object.entries(operations).map(([name, operation]) => ({
    name,
    service,
    operation,
    expression: new RegExp(`^${operation.http?.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
  })),
);

/**
 * Finds the route of a request. STS puts the name of the operation into the form that it is sent, services that speak JSON
 * into a header; a request that nothing matches has the route `Unknown`.
 */
export function findRoute(
  method: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Route {
  const target = method === "POST" && path === "/" ? headers["x-amz-target"] : undefined;
  if (target !== undefined && Object.hasOwn(BY_TARGET, target)) {
    const known = BY_TARGET[target];
    if (known) return { name: nameOfTarget(target), parameters: {}, ...known };
  }
  for (const { name, service, operation, expression } of PATTERNS) {
    const match = expression.exec(`${method} ${path}`);
    if (match === null) continue;
    const parameters = Object.entries(match.groups ?? {}).map(([key, value]) => [key, decode(value)]);
    return { name, service, parameters: Object.fromEntries(parameters), ...operation };
  }
  if (method === "POST" && path === "/" && isRecord(body) && "Action" in body) {
    const name = String(body["Action"]);
    const operation = Object.hasOwn(STS, name) ? STS[name] : undefined;
    return { name, service: "sts", parameters: {}, answer: refuseAction, ...operation };
  }
  if (path.startsWith("/latest/")) {
    return { name: "ImdsOther", service: "imds", parameters: {}, answer: metadata(() => undefined) };
  }
  return { name: "Unknown", service: "none", parameters: {}, answer: refuseOperation };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    // A broken escape names no model; it is looked up, and not found, as it stands.
    if (error instanceof URIError) return segment;
    throw error;
  }
}

function modelIdOf({ parameters }: RecordedCall): string {
  return parameters["modelId"] ?? "";
}

/** Answers with what the region of the call shows. */
function inRegion(
  show: (catalogue: Catalogue, call: RecordedCall, context: OperationContext) => object,
): Answer {
  return (call, context) => json(show(catalogueOf(call, context), call, context));
}

/** Answers with what the account's gates say of the model that the path names. */
function aboutModel(show: (gates: AccountGates, model: EmulatedModel) => object): Answer {
  return inRegion((catalogue, call, { account }) =>
    show(account.gates, catalogue.findModel(modelIdOf(call))),
  );
}

function catalogueOf({ region }: RecordedCall, { account, bearerRegion }: OperationContext): Catalogue {
  return new Catalogue(account, region ?? bearerRegion);
}

function metadata(tell: (instance: InstanceMetadata) => string | undefined): Answer {
  return (call, { instanceMetadata }) => instanceMetadata.read(call, tell);
}

function refuseAction({ route }: RecordedCall): never {
  throw new AwsError("InvalidAction", `Could not find operation ${route} for version 2011-06-15`);
}

function refuseOperation({ method, path }: RecordedCall): never {
  throw new AwsError("UnknownOperationException", `There is no operation at ${method} ${path}`);
}

async function converse(call: RecordedCall, context: OperationContext, signal: AbortSignal): Promise<Reply> {
  const { upstream, now } = context;
  if (upstream) {
    readConverseRequest(call.body, {});
    return json(await upstream.converse(call.body, modelIdOf(call), signal));
  }
  const started = now();
  return json(converseResponse(answerConversation(call, context), now() - started));
}

async function converseStream(
  call: RecordedCall,
  context: OperationContext,
  signal: AbortSignal,
): Promise<Reply> {
  const { upstream, now, delayMs } = context;
  if (upstream) {
    readConverseRequest(call.body, {});
    return { stream: await upstream.converseStream(call.body, modelIdOf(call), signal) };
  }
  // https://github.com/earendil-works/pi/issues/3739
  if (/meta\.llama4/.test(modelIdOf(call)) && isRecord(call.body) && call.body["toolConfig"])
    throw validationError("This model doesn't support tool use in streaming mode.");
  const started = now();
  const answer = answerConversation(call, context, (model) => model.responseStreamingSupported === true);
  return { stream: answerSteps(answer, { delayMs, elapsed: () => now() - started }) };
}

/** Embeds texts; chat models are asked by Converse here. */
function invokeModel(call: RecordedCall, context: OperationContext): Reply {
  const { counter, now } = context;
  const modelId = modelIdOf(call);
  const model = modelToCall(modelId, call, context);
  const { body, inputTokens } = simulateEmbeddings(model, call.body);
  counter.add({ time: now(), modelId, inputTokens, outputTokens: 0, burndown: 1 });
  const { headers, ...reply } = json(body);
  return {
    ...reply,
    headers: {
      ...headers,
      "x-amzn-bedrock-input-token-count": String(inputTokens),
      "x-amzn-bedrock-invocation-latency": "1",
      "x-simulated-by": "openclaw emulator",
    },
  };
}

/** The model that an id stands for, where the account may call it. Throws `AwsError` as the service refuses. */
function modelToCall(
  id: string,
  { region }: RecordedCall,
  { account, bearerRegion }: OperationContext,
): EmulatedModel {
  const { model } = new Catalogue(account, region).resolveModel(id);
  account.gates.pass(model, region ?? bearerRegion);
  return model;
}

function answerConversation(
  call: RecordedCall,
  context: OperationContext,
  canAnswer: (model: EmulatedModel) => boolean = () => true,
): SimulatedAnswer {
  const { counter, now } = context;
  const model = modelToCall(modelIdOf(call), call, context);
  const isChatModel =
    model.canConverse !== false &&
    model.inputModalities.includes("TEXT") &&
    model.outputModalities.includes("TEXT");
  if (!isChatModel || !canAnswer(model)) {
    throw validationError(
      "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    );
  }
  const answer = simulateAnswer(readConverseRequest(call.body, model), model);
  count(answer, modelIdOf(call), model, { counter, now });
  return answer;
}

/** Counts what a call used, for CloudWatch. */
function count(
  { inputTokens, outputTokens }: SimulatedAnswer,
  modelId: string,
  { burndown = 1 }: EmulatedModel,
  { counter, now }: Pick<OperationContext, "counter" | "now">,
): void {
  counter.add({ time: now(), modelId, inputTokens, outputTokens, burndown });
}

/** Answers Anthropic's Messages API, streamed or whole. */
function answerMessages(call: RecordedCall, context: OperationContext): Reply {
  if (context.upstream)
    throw validationError("The model behind the emulator answers Converse and ConverseStream only.");
  const model = modelOfMessages(call, context);
  const answer = simulateAnswer(readMessagesRequest(call.body, model), model);
  const named = { id: call.requestId, model: textAt(call.body, "model") ?? "" };
  return fieldOf(call.body, "stream") === true
    ? { stream: messageSteps(answer, { ...named, delayMs: context.delayMs }) }
    : json(messageOf(answer, named));
}

/** Mantle alone counts. The runtime has no such route, and says so with status 200: the page has none, and it is measured. */
function countMessages(call: RecordedCall, context: OperationContext): Reply {
  if (call.service === "bedrock")
    return json({ Output: { __type: "com.amazon.coral.service#UnknownOperationException" }, Version: "1.0" });
  const model = modelOfMessages(call, context);
  const request = readMessagesRequest(call.body, model, { isCounted: true });
  return json({ input_tokens: countInputTokens(request) });
}

function modelOfMessages(call: RecordedCall, context: OperationContext): EmulatedModel {
  if (call.headers["anthropic-version"] === undefined)
    throw validationError("anthropic-version: header is required");
  const id = textAt(call.body, "model");
  if (id === undefined) throw validationError("model: Field required");
  const catalogue = new Catalogue(context.account, call.region);
  if (catalogue.asksMantle(call.service, id)) return catalogue.mantleModel(id, "/anthropic/v1/messages");
  const model = modelToCall(id, call, context);
  if (model.providerName === "Anthropic") return model;
  throw notOnThisRoute(id);
}

/** Answers OpenAI's chat completions, streamed or whole. */
function answerCompletions(call: RecordedCall, context: OperationContext): Reply {
  const { model, body, name, isMantle } = openaiCall(call, context);
  const answer = simulateAnswer(readCompletionsRequest(call.body, model), model);
  if (!isMantle) count(answer, String(body["model"]), model, context);
  return body["stream"] === true
    ? { stream: completionSteps(answer, { ...name, delayMs: context.delayMs }) }
    : json(completionOf(answer, name));
}

/** Answers OpenAI's Responses, streamed or whole, and remembers what is to be stored. */
function answerResponses(call: RecordedCall, context: OperationContext): Reply {
  const { model, body, name, isMantle } = openaiCall(call, context);
  const { storedResponses: stored } = context;
  const request = readResponsesRequest(call.body, model, { isMantle, stored: (id) => stored.get(id) });
  const answer = simulateAnswer(request.conversation, model);
  if (!isMantle) count(answer, String(body["model"]), model, context);
  if (request.isStored) {
    const said = { role: "assistant" as const, content: [{ text: answer.text }] };
    stored.set(responseIdOf(call.requestId), [...request.conversation.messages, said]);
    for (const oldest of [...stored.keys()].slice(0, -MOST_STORED)) stored.delete(oldest);
  }
  const named = { ...name, modelId: model.modelId };
  return body["stream"] === true
    ? { stream: responseSteps(answer, request, { ...named, delayMs: context.delayMs }) }
    : json(responseOf(answer, request, named));
}

/** So many responses are remembered; AWS keeps all of them for 30 days. */
const MOST_STORED = 100;

/** What a call of one of OpenAI's paths is answered by. */
function openaiCall(
  call: RecordedCall,
  context: OperationContext,
): {
  model: EmulatedModel;
  body: JsonObject;
  isMantle: boolean;
  name: AnswerName;
} {
  const { account, upstream, now } = context;
  if (upstream)
    throw validationError("The model behind the emulator answers Converse and ConverseStream only.");
  const body = isRecord(call.body) ? call.body : {};
  const id = textAt(body, "model");
  if (id === undefined) throw missing("model");
  const catalogue = new Catalogue(account, call.region);
  const isMantle = catalogue.asksMantle(call.service, id);
  const name = { callId: call.requestId, body, createdAt: Math.floor(now() / 1000) };
  if (isMantle) return { model: catalogue.mantleModel(id, call.path), body, isMantle, name };
  const model = modelToCall(id, call, context);
  // The runtime endpoint has them below /openai/v1 only.
  const isThere = model.openaiPaths?.some((path) => call.path === `/openai/v1/${path}`);
  if (!isThere) throw notOnThisRoute(id);
  return { model, body, isMantle, name };
}

/**
 * Answers with the emulator's estimate. It counts for base models only, as the service does: a profile is refused with
 * the same words as a model without a counter.
 */
function countTokens(call: RecordedCall, { account }: OperationContext): Reply {
  const modelId = modelIdOf(call);
  const isProfile = account.profiles.some(({ inferenceProfileId }) => modelId.endsWith(inferenceProfileId));
  const model = isProfile ? undefined : new Catalogue(account, call.region).findModel(modelId);
  if (model?.canCountTokens !== true)
    throw validationError("The provided model doesn't support counting tokens.");
  const input = fieldOf(call.body, "input");
  const conversation = fieldOf(input, "converse");
  if (conversation !== undefined)
    return json({ inputTokens: countInputTokens(readConverseRequest(conversation, {})) });
  const invocation = fieldOf(fieldOf(input, "invokeModel"), "body");
  if (typeof invocation !== "string")
    throw constraintError(describeBreach(undefined, "input", "not be null"));
  return json({ inputTokens: estimateTokens(Buffer.from(invocation, "base64").toString("utf8")) });
}

function fieldOf(holder: unknown, name: string): unknown {
  return isRecord(holder) ? holder[name] : undefined;
}

/** Who signed: the role of the instance, some other session, or a user. */
function getCallerIdentity(call: RecordedCall, context: OperationContext): Reply {
  const {
    account,
    instanceMetadata: { instance },
  } = context;
  const isInstance = call.accessKeyId === instance.accessKeyId;
  const isSession = isInstance || call.headers["x-amz-security-token"] !== undefined;
  const session = isInstance ? "i-0e0e0e0e0e0e0e0e0" : "session";
  const resource = isSession
    ? `sts::${account.id}:assumed-role/${(isInstance ? instance.role : undefined) ?? "openclaw-emulator"}/${session}`
    : `iam::${account.id}:user/openclaw-emulator`;
  const arn = `arn:${partitionOfRegion(call.region ?? "")}:${resource}`;
  const userId = isSession ? `AROAEMULATOREXAMPLE00:${session}` : "AIDAEMULATOREXAMPLE00";
  return {
    status: 200,
    headers: { "content-type": "text/xml" },
    body:
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
      `<Arn>${escapeXml(arn)}</Arn><UserId>${userId}</UserId><Account>${account.id}</Account>` +
      `</GetCallerIdentityResult><ResponseMetadata><RequestId>${call.requestId}</RequestId></ResponseMetadata>` +
      `</GetCallerIdentityResponse>\n`,
  };
}

function json(body: object, status = 200): PlainReply {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
