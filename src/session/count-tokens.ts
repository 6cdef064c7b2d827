import type { ConverseTokensRequest } from "@aws-sdk/client-bedrock-runtime";
import { toOpenclawError } from "./aws-errors.ts";
import { callBedrock } from "./bedrock-operations.ts";
import type { AwsSession } from "./session.ts";

/**
 * Asks AWS how many input tokens a conversation has for a model; free of charge. Takes the id of a foundation model:
 * profiles are refused. Throws the errors of the error table, `invalid-request` for a model without a counter.
 */
export async function countTokens(
  session: AwsSession,
  modelId: string,
  converse: ConverseTokensRequest,
): Promise<number | undefined> {
  try {
    return (await callBedrock(session, "CountTokens", { modelId, input: { converse } })).inputTokens;
  } catch (failure) {
    throw toOpenclawError(failure, { session, action: "bedrock:CountTokens", modelId });
  }
}
