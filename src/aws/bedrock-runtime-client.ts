import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { renewExpired } from "../credentials/renew-expired.ts";
import { clientConfig, reportAttempts } from "./client-config.ts";
import type { AwsSession } from "./session.ts";

/** The client of Bedrock Runtime. Its time bounds are the caller's: a model may think for long. Throws credential errors. */
export async function createBedrockRuntimeClient(session: AwsSession): Promise<BedrockRuntimeClient> {
  const client = new BedrockRuntimeClient(await clientConfig(session, "bedrock-runtime", {}));
  reportAttempts(client.middlewareStack, session.surroundings.runtime);
  renewExpired(client.middlewareStack, await session.authentication());
  return client;
}
