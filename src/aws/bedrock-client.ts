import { BedrockClient } from "@aws-sdk/client-bedrock";
import { renewExpired } from "../credentials/renew-expired.ts";
import { clientConfig, reportAttempts } from "./client-config.ts";
import type { AwsSession } from "./session.ts";

/** A control-plane call that takes longer has failed. In ms. */
const REQUEST_MS = 10_000;

/** The client of the control plane: lists of models and profiles, availability. Throws credential errors. */
export async function createBedrockClient(session: AwsSession): Promise<BedrockClient> {
  const client = new BedrockClient(await clientConfig(session, "bedrock", { requestTimeoutMs: REQUEST_MS }));
  reportAttempts(client.middlewareStack, session.surroundings.runtime);
  renewExpired(client.middlewareStack, await session.authentication());
  return client;
}
