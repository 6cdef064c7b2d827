import { partitionOfRegion } from "../aws/partition.ts";
import { isRecord, textAt } from "../json.ts";
import { AwsError, escapeXml, requiredText } from "./aws-error.ts";
import { Catalogue } from "./catalogue.ts";
import { getMetricData } from "./cloudwatch.ts";
import { COMPLETIONS_FRAMING } from "./completions.ts";
import { checkShape, object, oneOf } from "./constraints.ts";
import { type ErrorDialect, toErrorReply } from "./error-reply.ts";
import { EVENT_STREAM, type Framing } from "./framing.ts";
import type { AccountGates } from "./gates.ts";
import { applyGuardrail } from "./guardrails.ts";
import type { InstanceMetadata } from "./instance-metadata.ts";
import { INVOKE_FRAMING } from "./invoke.ts";
import { createJob, getJob, listJobs, onJob, stopJob, toCreateJob } from "./jobs/job-operations.ts";
import { JOB_ROUTES } from "./jobs/run-job.ts";
import { listMantleModels } from "./mantle.ts";
import { MESSAGES_FRAMING } from "./messages.ts";
import {
  answerCompletions,
  answerMessages,
  answerResponses,
  converse,
  converseStream,
  countMessages,
  countTokens,
  invokeModel,
  invokeModelWithResponseStream,
} from "./model-calls.ts";
import type { EmulatedModel } from "./models.ts";
import {
  fieldOf,
  json,
  modelIdOf,
  type OperationContext,
  regionOf,
  type Reply,
} from "./operation-context.ts";
import {
  onAnything,
  onAnythingOf,
  onDefaultProject,
  onGuardrail,
  onModel,
  onProfile,
  toAsk,
  toAskInProject,
  toInvoke,
  type Needs,
} from "./permissions.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { RESPONSES_FRAMING } from "./responses.ts";
import { listServiceQuotas } from "./service-quotas.ts";
import { STORAGE_ROUTE_NAMES } from "./storage/storage-routes.ts";

/**
 * Answers a call whose credentials are good; the signal is aborted when the caller leaves. Throws `AwsError`, or rejects
 * with it, for what AWS would refuse.
 */
type Answer = (call: RecordedCall, context: OperationContext, signal: AbortSignal) => Reply | Promise<Reply>;

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

/** What offers are asked for by: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModelAgreementOffers.html */
const OFFER_FILTERS = object({ offerType: oneOf("ALL", "PUBLIC") });

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
    answer: aboutModel((gates, model, { query }) => {
      checkShape(query, OFFER_FILTERS);
      return gates.offers(model);
    }),
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
    answer: (call, context) => json(context.account.gates.retention(regionOf(call, context))),
  },
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_PutAccountDataRetention.html
  PutAccountDataRetention: {
    http: "PUT /data-retention",
    needs: onAnything,
    answer: (call, context) => {
      const { gates } = context.account;
      const region = regionOf(call, context);
      gates.setRetention(region, fieldOf(call.body, "mode"), context.now());
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
  InvokeModelWithResponseStream: {
    http: "POST /model/{modelId}/invoke-with-response-stream",
    needs: toInvoke("bedrock:InvokeModelWithResponseStream"),
    framing: INVOKE_FRAMING,
    answer: invokeModelWithResponseStream,
  },
  ApplyGuardrail: {
    http: "POST /guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply",
    needs: onGuardrail,
    answer: inRegion((catalogue, call, { account }) => applyGuardrail(call, account.guardrails, catalogue)),
  },
  CountTokens: { http: "POST /model/{modelId}/count-tokens", needs: onModel, answer: countTokens },
  CreateModelInvocationJob: { http: "POST /model-invocation-job", needs: toCreateJob, answer: createJob },
  GetModelInvocationJob: {
    http: "GET /model-invocation-job/{jobIdentifier}",
    needs: onJob,
    answer: getJob,
  },
  ListModelInvocationJobs: { http: "GET /model-invocation-jobs", needs: onAnything, answer: listJobs },
  StopModelInvocationJob: {
    http: "POST /model-invocation-job/{jobIdentifier}/stop",
    needs: onJob,
    answer: stopJob,
  },
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
    answer: inRegion((catalogue, call, context) =>
      listServiceQuotas(call.body, catalogue, quotaPlace(call, context)),
    ),
  },
  "GraniteServiceVersion20100801.GetMetricData": {
    service: "monitoring",
    needs: onAnythingOf("cloudwatch"),
    answer: ({ body }, { counter }) => json(getMetricData(body, counter.calls)),
  },
};

function nameOfTarget(target: string): string {
  return target.slice(target.indexOf(".") + 1);
}

const NAMED = [BEDROCK, MANTLE, OTHER_WIRES, INSTANCE_METADATA, STS].flatMap(Object.entries<Operation>);

export const ROUTE_NAMES: readonly string[] = [
  ...NAMED.map(([name]) => name),
  ...Object.keys(BY_TARGET).map(nameOfTarget),
  ...STORAGE_ROUTE_NAMES,
  ...JOB_ROUTES,
];

export const STREAMING_ROUTES: readonly string[] = NAMED.filter(([, { framing }]) => framing).map(
  ([name]) => name,
);

/** The operation of a request, and the service whose credentials it takes. */
export interface Route extends Operation {
  readonly name: string;
  readonly service:
    | "bedrock"
    | "bedrock-mantle"
    | "sts"
    | "imds"
    | "servicequotas"
    | "monitoring"
    | "s3"
    | "none";
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
  if (target !== undefined) {
    const known = Object.hasOwn(BY_TARGET, target) ? BY_TARGET[target] : undefined;
    return known
      ? { name: nameOfTarget(target), parameters: {}, ...known }
      : { name: "Unknown", service: "none", parameters: {}, answer: refuseTarget };
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
    return operation
      ? { name, service: "sts", parameters: {}, ...operation }
      : { name, service: "none", parameters: {}, answer: refuseAction };
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

/** Answers with what the region of the call shows. */
function inRegion(
  show: (catalogue: Catalogue, call: RecordedCall, context: OperationContext) => object,
): Answer {
  return (call, context) => json(show(catalogueOf(call, context), call, context));
}

/** Answers with what the account's gates say of the model that the path names. */
function aboutModel(show: (gates: AccountGates, model: EmulatedModel, call: RecordedCall) => object): Answer {
  return inRegion((catalogue, call, { account }) =>
    show(account.gates, catalogue.findModel(modelIdOf(call)), call),
  );
}

function quotaPlace(call: RecordedCall, context: OperationContext): Parameters<typeof listServiceQuotas>[2] {
  const { limits, quotas, leastRecords } = context;
  return { region: regionOf(call, context), limits, named: quotas, leastRecords };
}

function catalogueOf(call: RecordedCall, context: OperationContext): Catalogue {
  return new Catalogue(context.account, regionOf(call, context));
}

function metadata(tell: (instance: InstanceMetadata) => string | undefined): Answer {
  return (call, { instanceMetadata }) => instanceMetadata.read(call, tell);
}

/** As STS, IAM and others of the query protocol refuse what they do not know, whoever signed it. */
function refuseAction({ route, body, requestId }: RecordedCall): Reply {
  const version = textAt(body, "Version") ?? "NO_VERSION_SPECIFIED";
  const refusal = new AwsError("InvalidAction", `Could not find operation ${route} for version ${version}`);
  return toErrorReply(refusal, { service: "sts" }, requestId);
}

/** As services that speak AWS JSON refuse it: https://github.com/aws/aws-sdk-net/issues/1536 */
function refuseTarget({ headers }: RecordedCall): Reply {
  return {
    status: 400,
    headers: { "content-type": headers["content-type"] ?? "application/x-amz-json-1.1" },
    body: JSON.stringify({ __type: "UnknownOperationException" }),
  };
}

function refuseOperation({ method, path }: RecordedCall): never {
  throw new AwsError("UnknownOperationException", `There is no operation at ${method} ${path}`);
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
