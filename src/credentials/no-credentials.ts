import { OpenclawError } from "../errors.ts";
import { adviseInstance, describeChosen } from "./describe.ts";
import { findCause } from "./findings.ts";
import type { Runtime } from "../runtime.ts";
import { askChosenInstance, type InstanceAnswer } from "./imds.ts";
import type { CredentialDecision } from "./order.ts";

const GENERAL =
  "No AWS credentials found: AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, and AWS_PROFILE " +
  "name none, and the default chain has none";

/** Whether an instance that has credentials, as far as anybody knows, could not give them just now. */
function isPassing(instance: InstanceAnswer | undefined): boolean {
  return instance?.status === "failed" && instance.code !== "bad-response";
}

/**
 * The error where no source has credentials, or the instance cannot say now whether it has: with what was found that
 * explains it, else with what the instance answered. `chain` is how the default chain ended, `general` what is said where
 * nothing explains it.
 */
export function noCredentials(
  decision: CredentialDecision,
  chain: string,
  {
    instance,
    general = GENERAL,
  }: { instance?: InstanceAnswer | undefined; general?: string | undefined } = {},
): OpenclawError {
  if (instance?.status === "misnamed") return instance.error;
  const cause = isPassing(instance) ? undefined : findCause(decision, "nothing signs");
  if (cause) {
    const message = `${cause.message} No AWS credentials were found elsewhere (${chain}).`;
    return new OpenclawError("no-credentials", { message, hint: cause.hint });
  }
  if (instance?.status === "failed") {
    return new OpenclawError(instance.code, {
      message: `Nobody knows whether this machine has credentials: ${instance.reason}.`,
      hint: adviseInstance(instance),
    });
  }
  return new OpenclawError("no-credentials", {
    message: `${general} (${chain}).`,
    hint:
      (instance && adviseInstance(instance)) ??
      "Set some up with: aws configure   (on EC2, attach an instance role)",
  });
}

/** The same error where nobody has asked the instance yet: it is asked where only it can tell. */
export async function nothingSigns(
  decision: CredentialDecision,
  runtime: Runtime,
  general?: string,
): Promise<OpenclawError> {
  const instance = await askChosenInstance(decision, runtime);
  return noCredentials(decision, describeChosen(decision.chosen, instance), { instance, general });
}
