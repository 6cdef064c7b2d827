import type { GetFoundationModelAvailabilityCommandOutput } from "@aws-sdk/client-bedrock";
import { parseArn } from "../aws/arn.ts";
import type { AwsSession } from "../aws/session.ts";
import { toOpenclawError } from "../converse/aws-errors.ts";
import { baseOf } from "../discovery/list.ts";
import { type ResolvedModel, targetOf } from "../discovery/resolve-model.ts";
import { OpenclawError } from "../errors.ts";
import { type Check, fail, ok, type Outcome, skip, warn } from "./check.ts";
import { readLists, worst } from "./check-default-model.ts";
import type { Examination } from "./examination.ts";

/** Whether the account has access to the default model and its fallbacks, and what is missing. */
export const modelAccessCheck: Check<Examination> = {
  id: "model-access",
  title: "model access",
  needs: ["default-model"],
  hint: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
  run: async (examination) => {
    const models = (await examination.models()).filter(({ providerId }) => providerId === "amazon-bedrock");
    if (models.length === 0) return skip("no default model of amazon-bedrock is set");
    return worst(await Promise.all(models.map((model) => examine(model, examination))));
  },
};

async function examine(model: ResolvedModel, examination: Examination): Promise<Outcome> {
  const base = await baseIdOf(model, examination);
  if (base === undefined) return skip(`the base model of ${model.id} is not known`);
  const { session } = await examination.listsFor(targetOf(model));
  const { GetFoundationModelAvailabilityCommand } = await import("@aws-sdk/client-bedrock");
  try {
    const client = await session.bedrock();
    const answer = await client.send(new GetFoundationModelAvailabilityCommand({ modelId: base }), {
      abortSignal: examination.runtime.signal,
    });
    const isFormMissing =
      answer.agreementAvailability?.status !== "AVAILABLE" &&
      base.startsWith("anthropic.") &&
      (await lacksUseCase(session));
    return judgeAvailability(base, session.region.value, answer, isFormMissing);
  } catch (failure) {
    // Being refused an answer about the model is not being refused the model.
    const error = toOpenclawError(failure, {
      session,
      action: "bedrock:GetFoundationModelAvailability",
      modelId: base,
    });
    return warn(`access to ${base} could not be asked: ${error.message}`, error.hint);
  }
}

/** The id of the foundation model that is called in the end; undefined where the lists do not tell. */
async function baseIdOf(model: ResolvedModel, examination: Examination): Promise<string | undefined> {
  const { models, profiles } = await readLists(model, examination);
  const arn = parseArn(model.id);
  if (arn?.resourceType === "foundation-model") return arn.resourceId;
  if (models?.some(({ id }) => id === model.id)) return model.id;
  const profile = profiles?.find(({ id, arn: profileArn }) => id === model.id || profileArn === model.id);
  return profile && baseOf(profile, new Map(models?.map((base) => [base.id, base])))?.id;
}

/** Whether Anthropic's form is known not to have been sent in for this account. */
async function lacksUseCase(session: AwsSession): Promise<boolean> {
  const { GetUseCaseForModelAccessCommand } = await import("@aws-sdk/client-bedrock");
  const client = await session.bedrock();
  try {
    await client.send(new GetUseCaseForModelAccessCommand({}), {
      abortSignal: session.surroundings.runtime.signal,
    });
    return false;
  } catch (failure) {
    // Only this answer says that there is no form; a denial says nothing.
    return failure instanceof Error && failure.name === "ResourceNotFoundException";
  }
}

type Availability = Partial<
  Pick<
    GetFoundationModelAvailabilityCommandOutput,
    "agreementAvailability" | "authorizationStatus" | "entitlementAvailability" | "regionAvailability"
  >
>;

/**
 * Says which of region, authorization, entitlement and agreement is missing, and what to do about it. A missing
 * agreement is made at the first call by itself, where the credentials may subscribe
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html), so it only warns.
 */
export function judgeAvailability(
  id: string,
  region: string,
  answer: Availability,
  isFormMissing: boolean,
): Outcome {
  const missing = (what: string, hint: string): Outcome =>
    fail(
      new OpenclawError("model-access", {
        message: `This account has no access to '${id}' in ${region}: ${what}.`,
        hint,
      }),
    );
  if (answer.regionAvailability === "NOT_AVAILABLE") {
    return missing(
      `the model is not offered in ${region} (region)`,
      "Try another region: openclaw models list --region us-east-1",
    );
  }
  if (answer.authorizationStatus === "NOT_AUTHORIZED") {
    return missing(
      "the account is not authorized to use it (authorization)",
      "Ask your administrator: a service control policy may close the model.",
    );
  }
  if (isFormMissing) {
    return missing(
      "Anthropic's use-case form has not been submitted",
      "Submit it once in the Bedrock console: Model catalog, an Anthropic model, Submit use case details.",
    );
  }
  if (answer.entitlementAvailability === "NOT_AVAILABLE") {
    return missing(
      "it has no entitlement (entitlement)",
      "Request access in the Bedrock console: Model catalog, the model, Request access.",
    );
  }
  const agreement = answer.agreementAvailability;
  const subscribe =
    "Allow aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions, or let an administrator call the model once.";
  switch (agreement?.status) {
    case "NOT_AVAILABLE":
      return warn(`${id}: its Marketplace agreement is made at the first call (agreement)`, subscribe);
    case "PENDING":
      return warn(`${id}: its Marketplace agreement is being made (agreement)`, "Wait up to 15 minutes.");
    case "ERROR":
      return missing(
        `its Marketplace agreement failed (agreement): ${agreement.errorMessage ?? "no reason given"}`,
        subscribe,
      );
    default:
      return ok(`${id} in ${region}`);
  }
}
