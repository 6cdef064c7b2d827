import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { renewExpired } from "../credentials/renew-expired.ts";
import { ANSWER_MS, clientConfig, type ClientSession } from "./client-config.ts";
import { reportAttempts } from "./report-attempts.ts";

/** Whose credentials these are, by STS; a field that it leaves out is undefined. */
export interface CallerIdentity {
  arn: string | undefined;
  /** Twelve digits. */
  account: string | undefined;
}

/**
 * Asks STS whose credentials sign; not for a Bedrock API key, which STS does not take. Never at the `--endpoint-url` of
 * Bedrock. Throws what the SDK throws, and credential errors.
 */
export async function askCallerIdentity(session: ClientSession): Promise<CallerIdentity> {
  const { runtime } = session.setup;
  const client = new STSClient(await clientConfig(session, "sts"));
  reportAttempts(client.middlewareStack, runtime);
  renewExpired(client.middlewareStack, await session.authentication());
  try {
    const answer = await client.send(new GetCallerIdentityCommand({}), {
      abortSignal: runtime.signal,
      requestTimeout: ANSWER_MS,
    });
    return { arn: answer.Arn, account: answer.Account };
  } finally {
    client.destroy();
  }
}
