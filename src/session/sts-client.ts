import { STSClient } from "@aws-sdk/client-sts";
import { renewExpired } from "../credentials/renew-expired.ts";
import { clientConfig } from "./client-config.ts";
import { reportAttempts } from "./report-attempts.ts";
import type { AwsSession } from "./session.ts";

/** The client of STS, for `GetCallerIdentity`. Never the `--endpoint-url` of Bedrock. Throws credential errors. */
export async function createStsClient(session: AwsSession): Promise<STSClient> {
  const client = new STSClient(await clientConfig(session, "sts"));
  reportAttempts(client.middlewareStack, session.setup.runtime);
  renewExpired(client.middlewareStack, await session.authentication());
  return client;
}
