import { isRecord } from "../json.ts";
import { AwsError } from "./aws-error.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Permission, RecordedCall } from "./recorded-call.ts";

/**
 * What IAM must allow for a call, by the actions and resource types of
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html and
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html. Throws `AwsError` for a call that
 * names no model or profile of the region.
 */
export type Needs = (call: RecordedCall, catalogue: Catalogue) => Permission[];

/**
 * What IAM must allow for a call of an operation with these needs. Empty where it needs nothing, and for a call that is
 * refused as a bad request because the region does not have what it names.
 */
export function requiredPermissions(
  needs: Needs | undefined,
  call: RecordedCall,
  catalogue: Catalogue,
): Permission[] {
  if (!needs) return [];
  try {
    const own = needs(call, catalogue);
    if (call.bearerToken === undefined) return own;
    const [service] = own[0]?.action.split(":", 1) ?? [];
    return [...own, { action: `${service ?? "bedrock"}:CallWithBearerToken`, resource: "*", context: {} }];
  } catch (error) {
    if (error instanceof AwsError) return [];
    throw error;
  }
}

/** An action of a service that has no resource types: a policy names it on `*`. */
export const onAnythingOf =
  (service: string): Needs =>
  ({ route }) => [{ action: `${service}:${route}`, resource: "*", context: {} }];

/** The same of Amazon Bedrock. */
export const onAnything: Needs = onAnythingOf("bedrock");

/**
 * An action of Mantle's on the default project
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html).
 */
export function onDefaultProject(action: string): Needs {
  return (_, catalogue) => {
    const resource = catalogue.accountArn("project/default", "bedrock-mantle");
    return [{ action: `bedrock-mantle:${action}`, resource, context: {} }];
  };
}

export const onModel: Needs = ({ route, parameters }, catalogue) => {
  const { modelId } = catalogue.findModel(parameters["modelId"] ?? "");
  return [{ action: `bedrock:${route}`, resource: catalogue.modelArn(modelId), context: {} }];
};

export const onProfile: Needs = ({ route, parameters }, catalogue) => {
  const profile = catalogue.findAnyProfile(parameters["identifier"] ?? "");
  return [{ action: `bedrock:${route}`, resource: catalogue.profileArn(profile), context: {} }];
};

/**
 * Invoking a model, for which Converse has no action of its own: a profile needs the action on itself and on the model in
 * every region that it routes to.
 */
export function toInvoke(action: string): Needs {
  return ({ parameters, body, headers }, catalogue) => {
    const { model, profile } = catalogue.resolveModel(parameters["modelId"] ?? "");
    const guard = toGuard(body, headers, catalogue);
    if (!profile) return [{ action, resource: catalogue.modelArn(model.modelId), context: {} }, ...guard];
    const arn = catalogue.profileArn(profile);
    const destinations = catalogue
      .destinationArns(profile)
      .map((resource) => ({ action, resource, context: { "bedrock:InferenceProfileArn": arn } }));
    const isApplication = profile.type === "APPLICATION";
    return [
      { action, resource: arn, context: {} },
      ...destinations,
      ...(isApplication ? [{ action: "bedrock:GetInferenceProfile", resource: arn, context: {} }] : []),
      ...guard,
    ];
  };
}

/** Asking the model that the body names: of Mantle's on its default project, of others as Converse does. */
export const toAsk: Needs = (call, catalogue) => {
  const { model, stream } = isRecord(call.body) ? call.body : {};
  if (catalogue.asksMantle(call.service, String(model)))
    return onDefaultProject("CreateInference")(call, catalogue);
  const action = stream === true ? "bedrock:InvokeModelWithResponseStream" : "bedrock:InvokeModel";
  return toInvoke(action)({ ...call, parameters: { modelId: String(model) } }, catalogue);
};

/**
 * The same of OpenAI's paths, where the runtime endpoint asks for the project, too: read
 * from AWS's page and measured by https://github.com/aws-samples/sample-apj-sup-sa/pull/232.
 */
export const toAskInProject: Needs = (call, catalogue) => {
  const needs = toAsk(call, catalogue);
  if (catalogue.asksMantle(call.service, String(isRecord(call.body) && call.body["model"]))) return needs;
  const resource = catalogue.accountArn("project/default");
  return [...needs, { action: "bedrock:InvokeModel", resource, context: {} }];
};

export const onGuardrail: Needs = ({ parameters }, catalogue) =>
  toGuard({ guardrailConfig: parameters }, {}, catalogue);

function toGuard(body: unknown, headers: RecordedCall["headers"], catalogue: Catalogue): Permission[] {
  const config = isRecord(body) ? body["guardrailConfig"] : undefined;
  const identifier = isRecord(config)
    ? config["guardrailIdentifier"]
    : headers["x-amzn-bedrock-guardrailidentifier"];
  if (typeof identifier !== "string") return [];
  const resource = identifier.startsWith("arn:")
    ? identifier
    : catalogue.accountArn(`guardrail/${identifier}`);
  return [{ action: "bedrock:ApplyGuardrail", resource, context: {} }];
}
