import { AwsError } from "./aws-error.ts";
import {
  destinationArns,
  findModel,
  findProfile,
  modelArn,
  partitionOf,
  profileArn,
  resolveModel,
  type Catalogue,
} from "./catalogue.ts";
import type { Permission, RecordedCall } from "./recorded-call.ts";

/** The routes whose action has no resource types: a policy names them on `*`. */
const ON_ANYTHING = new Set([
  "ListFoundationModels",
  "ListInferenceProfiles",
  "GetFoundationModelAvailability",
  "GetUseCaseForModelAccess",
]);

/** IAM has no action for Converse: the two are the two that invoke a model. */
const INVOKE: Readonly<Record<string, string>> = {
  Converse: "bedrock:InvokeModel",
  ConverseStream: "bedrock:InvokeModelWithResponseStream",
};

/**
 * What IAM must allow for a call, by the actions and resource types of
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html and
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html. `region` is that of the call. Empty
 * for GetCallerIdentity, which needs no permission, and for calls that name no model or profile of the region.
 */
export function requiredPermissions(call: RecordedCall, catalogue: Catalogue, region: string): Permission[] {
  const own = ownPermissions(call, catalogue, region);
  if (call.bearerToken === undefined || own.length === 0) return own;
  return [...own, { action: "bedrock:CallWithBearerToken", resource: "*", context: {} }];
}

function ownPermissions(call: RecordedCall, catalogue: Catalogue, region: string): Permission[] {
  const { route, parameters, body } = call;
  if (ON_ANYTHING.has(route)) return [{ action: `bedrock:${route}`, resource: "*", context: {} }];
  const invoke = INVOKE[route];
  try {
    if (invoke !== undefined) {
      const called = toInvoke(invoke, parameters["modelId"] ?? "", catalogue, region);
      return [...called, ...toGuard(body, catalogue, region)];
    }
    if (route === "GetFoundationModel" || route === "CountTokens") {
      const { modelId } = findModel(
        catalogue,
        region,
        parameters["identifier"] ?? parameters["modelId"] ?? "",
      );
      return [{ action: `bedrock:${route}`, resource: modelArn(region, modelId), context: {} }];
    }
  } catch (error) {
    // A model that the region does not have is refused as a bad request.
    if (error instanceof AwsError) return [];
    throw error;
  }
  if (route !== "GetInferenceProfile") return [];
  const profile = findProfile(catalogue, region, parameters["identifier"] ?? "", true);
  if (!profile) return [];
  return [{ action: `bedrock:${route}`, resource: profileArn(catalogue, profile, region), context: {} }];
}

/** A profile needs the action on itself and on the model in every region that it routes to. */
function toInvoke(action: string, identifier: string, catalogue: Catalogue, region: string): Permission[] {
  const { model, profile } = resolveModel(catalogue, region, identifier);
  if (!profile) return [{ action, resource: modelArn(region, model.modelId), context: {} }];
  const arn = profileArn(catalogue, profile, region);
  const destinations = destinationArns(profile, region).map((resource) => ({
    action,
    resource,
    context: { "bedrock:InferenceProfileArn": arn },
  }));
  const isApplication = profile.type === "APPLICATION";
  return [
    { action, resource: arn, context: {} },
    ...destinations,
    ...(isApplication ? [{ action: "bedrock:GetInferenceProfile", resource: arn, context: {} }] : []),
  ];
}

function toGuard(body: unknown, { account }: Catalogue, region: string): Permission[] {
  const identifier = textAt(body, "guardrailConfig", "guardrailIdentifier");
  if (identifier === undefined) return [];
  const resource = identifier.startsWith("arn:")
    ? identifier
    : `arn:${partitionOf(region)}:bedrock:${region}:${account}:guardrail/${identifier}`;
  return [{ action: "bedrock:ApplyGuardrail", resource, context: {} }];
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let current = value;
  for (const name of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = Reflect.get(current, name);
  }
  return typeof current === "string" ? current : undefined;
}
