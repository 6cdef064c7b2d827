import {
  GetFoundationModelAvailabilityCommand,
  type GetFoundationModelAvailabilityCommandOutput,
  GetUseCaseForModelAccessCommand,
} from "@aws-sdk/client-bedrock";
import type { AwsSession } from "./session.ts";

/** Asks whether the account has access to a foundation model in the session's region. Throws what the SDK throws. */
export async function askAvailability(
  session: AwsSession,
  modelId: string,
): Promise<GetFoundationModelAvailabilityCommandOutput> {
  const client = await session.bedrock();
  return client.send(new GetFoundationModelAvailabilityCommand({ modelId }), {
    abortSignal: session.setup.runtime.signal,
  });
}

/** Whether Anthropic's use-case form is known not to have been sent in for this account. */
export async function lacksUseCaseForm(session: AwsSession): Promise<boolean> {
  const client = await session.bedrock();
  try {
    await client.send(new GetUseCaseForModelAccessCommand({}), {
      abortSignal: session.setup.runtime.signal,
    });
    return false;
  } catch (failure) {
    // Only this answer says that there is no form; a denial says nothing.
    return failure instanceof Error && failure.name === "ResourceNotFoundException";
  }
}
