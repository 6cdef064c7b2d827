import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { renewExpired } from "../credentials/renew-expired.ts";
import { clientConfig } from "./client-config.ts";
import { reportAttempts } from "./report-attempts.ts";
import type { AwsSession } from "./session.ts";

/** The client of Bedrock Runtime. Throws credential errors. */
export async function createBedrockRuntimeClient(session: AwsSession): Promise<BedrockRuntimeClient> {
  const client = new BedrockRuntimeClient(await clientConfig(session, "bedrock-runtime"));
  reportAttempts(client.middlewareStack, session.setup.runtime);
  renewExpired(client.middlewareStack, await session.authentication());
  return client;
}
