import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { AwsSession } from "./session.ts";

/** Whose credentials these are, by STS; a field that it leaves out is undefined. */
export interface CallerIdentity {
  arn: string | undefined;
  /** Twelve digits. */
  account: string | undefined;
}

/** Asks STS whose credentials sign; not for a Bedrock API key, which STS does not take. Throws what the SDK throws. */
export async function askCallerIdentity(session: AwsSession): Promise<CallerIdentity> {
  const client = await session.sts();
  const answer = await client.send(new GetCallerIdentityCommand({}), {
    abortSignal: session.setup.runtime.signal,
  });
  return { arn: answer.Arn, account: answer.Account };
}
