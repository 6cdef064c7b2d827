import { STSClient } from "@aws-sdk/client-sts";
import { renewExpired } from "../credentials/renew-expired.ts";
import { clientConfig, reportAttempts } from "./client-config.ts";
import type { AwsSession } from "./session.ts";

const REQUEST_MS = 10_000;

/** The client of STS, for `GetCallerIdentity`. Never the `--endpoint-url` of Bedrock. Throws credential errors. */
export async function createStsClient(session: AwsSession): Promise<STSClient> {
  const client = new STSClient(await clientConfig(session, "sts", { requestTimeoutMs: REQUEST_MS }));
  reportAttempts(client.middlewareStack, session.surroundings.runtime);
  renewExpired(client.middlewareStack, await session.authentication());
  return client;
}
