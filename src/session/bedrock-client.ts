import { BedrockClient } from "@aws-sdk/client-bedrock";
import { renewExpired } from "../credentials/renew-expired.ts";
import { clientConfig } from "./client-config.ts";
import { reportAttempts } from "./report-attempts.ts";
import type { AwsSession } from "./session.ts";

/** The client of the control plane: lists of models and profiles, availability. Throws credential errors. */
export async function createBedrockClient(session: AwsSession): Promise<BedrockClient> {
  const client = new BedrockClient(await clientConfig(session, "bedrock"));
  reportAttempts(client.middlewareStack, session.setup.runtime);
  renewExpired(client.middlewareStack, await session.authentication());
  return client;
}
