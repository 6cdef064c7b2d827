import { type Answer, callBedrock } from "./bedrock-operations.ts";
import type { AwsSession } from "./session.ts";

/** Asks whether the account has access to a foundation model in the session's region. Throws as RestClient.send does. */
export async function askAvailability(
  session: AwsSession,
  modelId: string,
): Promise<Answer<"GetFoundationModelAvailability">> {
  return callBedrock(session, "GetFoundationModelAvailability", { modelId });
}

/** Whether Anthropic's use-case form is known not to have been sent in for this account. */
export async function lacksUseCaseForm(session: AwsSession): Promise<boolean> {
  try {
    await callBedrock(session, "GetUseCaseForModelAccess", {});
    return false;
  } catch (failure) {
    // Only this answer says that there is no form; a denial says nothing.
    return failure instanceof Error && failure.name === "ResourceNotFoundException";
  }
}
