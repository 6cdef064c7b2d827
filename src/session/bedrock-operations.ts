import type * as bedrock from "@aws-sdk/client-bedrock";
import type * as runtime from "@aws-sdk/client-bedrock-runtime";
import { extendedEncodeURIComponent } from "../network/sdk-parts.ts";
import { ANSWER_MS } from "./client-config.ts";
import type { BedrockService } from "./regional-endpoint.ts";
import type { RestCall } from "./rest-client.ts";
import { readJson } from "./read-answer.ts";
import type { AwsSession } from "./session.ts";

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

/** An operation of the service model of Bedrock itself. */
const control = (
  method: Operation["method"],
  path: string,
  more: Pick<Operation, "query" | "hasNoBody"> = {},
): Operation => ({ service: "bedrock", method, path, ...more });

/** An operation on a model, which is asked in a body. */
const model = (path: string, more: Pick<Operation, "payload" | "headers" | "isSlow"> = {}): Operation => ({
  service: "bedrock-runtime",
  method: "POST",
  path: `/model/{modelId}/${path}`,
  ...more,
});

/**
 * Every operation of the two Bedrock services that is called, from their service models. What an input has beside path and
 * query is the JSON of the body.
 */
export const OPERATIONS = {
  ListFoundationModels: control("GET", "/foundation-models"),
  ListInferenceProfiles: control("GET", "/inference-profiles", {
    query: { maxResults: "maxResults", nextToken: "nextToken", type: "typeEquals" },
  }),
  GetFoundationModelAvailability: control("GET", "/foundation-model-availability/{modelId}"),
  ListFoundationModelAgreementOffers: control("GET", "/list-foundation-model-agreement-offers/{modelId}", {
    query: { offerType: "offerType" },
  }),
  CreateFoundationModelAgreement: control("POST", "/create-foundation-model-agreement"),
  GetUseCaseForModelAccess: control("GET", "/use-case-for-model-access"),
  PutUseCaseForModelAccess: control("POST", "/use-case-for-model-access"),
  GetAccountDataRetention: control("GET", "/data-retention"),
  PutAccountDataRetention: control("PUT", "/data-retention"),
  GetProvisionedModelThroughput: control("GET", "/provisioned-model-throughput/{provisionedModelId}"),
  GetCustomModel: control("GET", "/custom-models/{modelIdentifier}"),
  GetCustomModelDeployment: control(
    "GET",
    "/model-customization/custom-model-deployments/{customModelDeploymentIdentifier}",
  ),
  GetImportedModel: control("GET", "/imported-models/{modelIdentifier}"),
  GetInferenceProfile: control("GET", "/inference-profiles/{inferenceProfileIdentifier}"),
  GetPromptRouter: control("GET", "/prompt-routers/{promptRouterArn}"),
  CreateModelInvocationJob: control("POST", "/model-invocation-job"),
  GetModelInvocationJob: control("GET", "/model-invocation-job/{jobIdentifier}"),
  ListModelInvocationJobs: control("GET", "/model-invocation-jobs", {
    query: {
      statusEquals: "statusEquals",
      nameContains: "nameContains",
      maxResults: "maxResults",
      nextToken: "nextToken",
      sortBy: "sortBy",
      sortOrder: "sortOrder",
    },
  }),
  StopModelInvocationJob: control("POST", "/model-invocation-job/{jobIdentifier}/stop", { hasNoBody: true }),
  Converse: model("converse", { isSlow: true }),
  ConverseStream: model("converse-stream", { isSlow: true }),
  CountTokens: model("count-tokens"),
  InvokeModel: model("invoke", { payload: "body", headers: { accept: "application/json" }, isSlow: true }),
  InvokeModelWithResponseStream: model("invoke-with-response-stream", {
    payload: "body",
    headers: { "x-amzn-bedrock-accept": "application/json" },
    isSlow: true,
  }),
};

type OperationName = keyof typeof OPERATIONS;

type Commands = typeof bedrock & typeof runtime;
/** The SDK's command of an operation, which knows the service model's types of it. */
type Command<Name extends OperationName> = InstanceType<Commands[`${Name}Command`]>;

/** What an operation takes; the body of InvokeModel is an object here. */
type Input<Name extends OperationName> = Name extends `InvokeModel${string}`
  ? { modelId: string; body: object }
  : Omit<Command<Name>["input"], "submitTimeAfter" | "submitTimeBefore">;

type Output<Name extends OperationName> = Awaited<
  ReturnType<ReturnType<Command<Name>["resolveMiddleware"]>>
>["output"];

/** The call of an operation, as it goes over the wire. */
export function toCall<Name extends OperationName>(operation: Name, input: Input<Name>): RestCall {
  const { method, path, query = {}, headers, payload, hasNoBody, isSlow }: Operation = OPERATIONS[operation];
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

export type Answer<Name extends OperationName> = Json<Output<Name>>;

/** Calls an operation and reads its answer. Throws what RestClient.send throws. */
export async function callBedrock<Name extends OperationName>(
  session: AwsSession,
  operation: Name,
  input: Input<Name>,
): Promise<Answer<Name>> {
  const client = await session.rest(OPERATIONS[operation].service);
  const { signal } = session.setup.runtime;
  const { value } = await client.send(toCall(operation, input), readJson, signal);
  return value as Answer<Name>;
}
