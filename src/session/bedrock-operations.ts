import type * as bedrock from "@aws-sdk/client-bedrock";
import type * as runtime from "@aws-sdk/client-bedrock-runtime";
import { extendedEncodeURIComponent } from "../network/sdk-parts.ts";
import { ANSWER_MS } from "./client-config.ts";
import type { BedrockService } from "./regional-endpoint.ts";
import type { RestCall } from "./rest-client.ts";
import { readJson } from "./read-answer.ts";
import type { AwsSession } from "./session.ts";

interface Inputs {
  ListFoundationModels: bedrock.ListFoundationModelsRequest;
  ListInferenceProfiles: bedrock.ListInferenceProfilesRequest;
  GetFoundationModelAvailability: bedrock.GetFoundationModelAvailabilityRequest;
  ListFoundationModelAgreementOffers: bedrock.ListFoundationModelAgreementOffersRequest;
  CreateFoundationModelAgreement: bedrock.CreateFoundationModelAgreementRequest;
  GetUseCaseForModelAccess: bedrock.GetUseCaseForModelAccessRequest;
  PutUseCaseForModelAccess: bedrock.PutUseCaseForModelAccessRequest;
  GetAccountDataRetention: bedrock.GetAccountDataRetentionRequest;
  PutAccountDataRetention: bedrock.PutAccountDataRetentionRequest;
  GetProvisionedModelThroughput: bedrock.GetProvisionedModelThroughputRequest;
  GetCustomModel: bedrock.GetCustomModelRequest;
  GetCustomModelDeployment: bedrock.GetCustomModelDeploymentRequest;
  GetImportedModel: bedrock.GetImportedModelRequest;
  GetInferenceProfile: bedrock.GetInferenceProfileRequest;
  GetPromptRouter: bedrock.GetPromptRouterRequest;
  CreateModelInvocationJob: bedrock.CreateModelInvocationJobRequest;
  GetModelInvocationJob: bedrock.GetModelInvocationJobRequest;
  ListModelInvocationJobs: Omit<
    bedrock.ListModelInvocationJobsRequest,
    "submitTimeAfter" | "submitTimeBefore"
  >;
  StopModelInvocationJob: bedrock.StopModelInvocationJobRequest;
  Converse: runtime.ConverseRequest;
  ConverseStream: runtime.ConverseStreamRequest;
  CountTokens: runtime.CountTokensRequest;
  InvokeModel: { modelId: string; body: object };
  InvokeModelWithResponseStream: { modelId: string; body: object };
}

/** What the service model says of the answers. */
interface Outputs {
  GetFoundationModelAvailability: bedrock.GetFoundationModelAvailabilityResponse;
  ListFoundationModelAgreementOffers: bedrock.ListFoundationModelAgreementOffersResponse;
  CreateFoundationModelAgreement: bedrock.CreateFoundationModelAgreementResponse;
  GetUseCaseForModelAccess: bedrock.GetUseCaseForModelAccessResponse;
  PutUseCaseForModelAccess: bedrock.PutUseCaseForModelAccessResponse;
  GetAccountDataRetention: bedrock.GetAccountDataRetentionResponse;
  PutAccountDataRetention: bedrock.PutAccountDataRetentionResponse;
  GetProvisionedModelThroughput: bedrock.GetProvisionedModelThroughputResponse;
  GetCustomModel: bedrock.GetCustomModelResponse;
  GetCustomModelDeployment: bedrock.GetCustomModelDeploymentResponse;
  GetImportedModel: bedrock.GetImportedModelResponse;
  GetInferenceProfile: bedrock.GetInferenceProfileResponse;
  GetPromptRouter: bedrock.GetPromptRouterResponse;
  CreateModelInvocationJob: bedrock.CreateModelInvocationJobResponse;
  GetModelInvocationJob: bedrock.GetModelInvocationJobResponse;
  ListModelInvocationJobs: bedrock.ListModelInvocationJobsResponse;
  StopModelInvocationJob: bedrock.StopModelInvocationJobResponse;
  CountTokens: runtime.CountTokensResponse;
}

interface Operation {
  service: BedrockService;
  method: RestCall["method"];
  /** Below the endpoint; `{name}` stands for the member of the input that has this name. */
  path: string;
  /** The parts of the query, and the members of the input that they are. */
  query?: Readonly<Record<string, string>>;
  /** The member of the input that is the whole body. */
  payload?: string;
  /** Whether the service model has nothing for a body, and none is sent. */
  hasNoBody?: true;
  headers?: RestCall["headers"];
  /** Whether the reader of the answer has bounds of its own: a model may think for long. */
  isSlow?: true;
}

/**
 * Every operation of the two Bedrock services that is called, from their service models. What an input has beside path and
 * query is the JSON of the body.
 */
export const OPERATIONS: Readonly<Record<keyof Inputs, Operation>> = {
  ListFoundationModels: { service: "bedrock", method: "GET", path: "/foundation-models" },
  ListInferenceProfiles: {
    service: "bedrock",
    method: "GET",
    path: "/inference-profiles",
    query: { maxResults: "maxResults", nextToken: "nextToken", type: "typeEquals" },
  },
  GetFoundationModelAvailability: {
    service: "bedrock",
    method: "GET",
    path: "/foundation-model-availability/{modelId}",
  },
  ListFoundationModelAgreementOffers: {
    service: "bedrock",
    method: "GET",
    path: "/list-foundation-model-agreement-offers/{modelId}",
    query: { offerType: "offerType" },
  },
  CreateFoundationModelAgreement: {
    service: "bedrock",
    method: "POST",
    path: "/create-foundation-model-agreement",
  },
  GetUseCaseForModelAccess: { service: "bedrock", method: "GET", path: "/use-case-for-model-access" },
  PutUseCaseForModelAccess: { service: "bedrock", method: "POST", path: "/use-case-for-model-access" },
  GetAccountDataRetention: { service: "bedrock", method: "GET", path: "/data-retention" },
  PutAccountDataRetention: { service: "bedrock", method: "PUT", path: "/data-retention" },
  GetProvisionedModelThroughput: {
    service: "bedrock",
    method: "GET",
    path: "/provisioned-model-throughput/{provisionedModelId}",
  },
  GetCustomModel: { service: "bedrock", method: "GET", path: "/custom-models/{modelIdentifier}" },
  GetCustomModelDeployment: {
    service: "bedrock",
    method: "GET",
    path: "/model-customization/custom-model-deployments/{customModelDeploymentIdentifier}",
  },
  GetImportedModel: { service: "bedrock", method: "GET", path: "/imported-models/{modelIdentifier}" },
  GetInferenceProfile: {
    service: "bedrock",
    method: "GET",
    path: "/inference-profiles/{inferenceProfileIdentifier}",
  },
  GetPromptRouter: { service: "bedrock", method: "GET", path: "/prompt-routers/{promptRouterArn}" },
  CreateModelInvocationJob: { service: "bedrock", method: "POST", path: "/model-invocation-job" },
  GetModelInvocationJob: {
    service: "bedrock",
    method: "GET",
    path: "/model-invocation-job/{jobIdentifier}",
  },
  ListModelInvocationJobs: {
    service: "bedrock",
    method: "GET",
    path: "/model-invocation-jobs",
    query: {
      statusEquals: "statusEquals",
      nameContains: "nameContains",
      maxResults: "maxResults",
      nextToken: "nextToken",
      sortBy: "sortBy",
      sortOrder: "sortOrder",
    },
  },
  StopModelInvocationJob: {
    service: "bedrock",
    method: "POST",
    path: "/model-invocation-job/{jobIdentifier}/stop",
    hasNoBody: true,
  },
  Converse: { service: "bedrock-runtime", method: "POST", path: "/model/{modelId}/converse", isSlow: true },
  ConverseStream: {
    service: "bedrock-runtime",
    method: "POST",
    path: "/model/{modelId}/converse-stream",
    isSlow: true,
  },
  CountTokens: { service: "bedrock-runtime", method: "POST", path: "/model/{modelId}/count-tokens" },
  InvokeModel: {
    service: "bedrock-runtime",
    method: "POST",
    path: "/model/{modelId}/invoke",
    payload: "body",
    headers: { accept: "application/json" },
    isSlow: true,
  },
  InvokeModelWithResponseStream: {
    service: "bedrock-runtime",
    method: "POST",
    path: "/model/{modelId}/invoke-with-response-stream",
    payload: "body",
    headers: { "x-amzn-bedrock-accept": "application/json" },
    isSlow: true,
  },
};

/** The call of an operation, as it goes over the wire. */
export function toCall<Name extends keyof Inputs>(operation: Name, input: Inputs[Name]): RestCall {
  const { method, path, query = {}, headers, payload, hasNoBody, isSlow } = OPERATIONS[operation];
  const members = new Map<string, unknown>(Object.entries(input));
  const take = (name: string): unknown => {
    const value = members.get(name);
    members.delete(name);
    return value;
  };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    extendedEncodeURIComponent(String(take(name) ?? "")),
  );
  const asked = Object.entries(query).map(([name, member]) => [name, take(member)] as const);
  return {
    method,
    path: filled,
    query: Object.fromEntries(
      asked.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
    ...(headers ? { headers } : {}),
    ...(method === "GET" || hasNoBody
      ? {}
      : { body: payload === undefined ? Object.fromEntries(members) : (take(payload) as object) }),
    ...(isSlow ? {} : { timeoutMs: ANSWER_MS }),
  };
}

/** An answer as JSON has it: dates are texts, and any field may be missing, whatever the service model says. */
type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { [Name in keyof T]?: Json<T[Name]> }
      : T;

export type Answer<Name extends keyof Outputs> = Json<Outputs[Name]>;

/** Calls an operation and reads its answer. Throws what RestClient.send throws. */
export async function callBedrock<Name extends keyof Outputs>(
  session: AwsSession,
  operation: Name,
  input: Inputs[Name],
): Promise<Answer<Name>> {
  const client = await session.rest(OPERATIONS[operation].service);
  const { signal } = session.setup.runtime;
  const { value } = await client.send(toCall(operation, input), readJson, signal);
  return value as Answer<Name>;
}
