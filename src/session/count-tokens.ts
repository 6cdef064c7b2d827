import { CountTokensCommand, type ConverseTokensRequest } from "@aws-sdk/client-bedrock-runtime";
import { toOpenclawError } from "./aws-errors.ts";
import type { AwsSession } from "./session.ts";

/** In ms. */
const REQUEST_MS = 10_000;

/**
 * Asks AWS how many input tokens a conversation has for a model; free of charge. Takes the id of a foundation model:
 * profiles are refused. Throws the errors of the error table, `invalid-request` for a model without a counter.
 */
export async function countTokens(
  session: AwsSession,
  baseId: string,
  converse: ConverseTokensRequest,
): Promise<number | undefined> {
  const { signal } = session.setup.runtime;
  try {
    const client = await session.bedrockRuntime();
    const answer = await client.send(new CountTokensCommand({ modelId: baseId, input: { converse } }), {
      abortSignal: signal,
      requestTimeout: REQUEST_MS,
    });
    return answer.inputTokens;
  } catch (failure) {
    throw toOpenclawError(failure, { session, action: "bedrock:CountTokens", modelId: baseId });
  }
}
