import { BedrockClient } from "@aws-sdk/client-bedrock";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { onTestFinished } from "vitest";
import { clientConfig } from "../../src/session/client-config.ts";
import type { AwsSession } from "../../src/session/session.ts";

/** The SDK's own client of the control plane for a session, as the judge of what this program sends. */
export async function sdkBedrock(session: AwsSession): Promise<BedrockClient> {
  const client = new BedrockClient(await clientConfig(session, "bedrock"));
  onTestFinished(() => client.destroy());
  return client;
}

/** The SDK's own client of Bedrock Runtime for a session. */
export async function sdkBedrockRuntime(session: AwsSession): Promise<BedrockRuntimeClient> {
  const client = new BedrockRuntimeClient(await clientConfig(session, "bedrock-runtime"));
  onTestFinished(() => client.destroy());
  return client;
}
