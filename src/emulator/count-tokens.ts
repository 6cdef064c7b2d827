import { validationError } from "./aws-error.ts";
import { findModel, type Catalogue } from "./catalogue.ts";
import { readConverseRequest } from "./converse-request.ts";
import { countInputTokens, estimateTokens } from "./simulated-answer.ts";

/**
 * Answers CountTokens with the emulator's estimate. It counts for base models only, as the service does: a profile is
 * refused with the same words as a model without a counter. Throws `AwsError`.
 */
export function countTokens(
  catalogue: Catalogue,
  region: string | undefined,
  identifier: string,
  body: unknown,
): { inputTokens: number } {
  const isProfile = catalogue.profiles.some((profile) => identifier.endsWith(profile.inferenceProfileId));
  const model = isProfile ? undefined : findModel(catalogue, region, identifier);
  if (model?.canCountTokens !== true)
    throw validationError("The provided model doesn't support counting tokens.");
  const input = fieldOf(body, "input");
  const conversation = fieldOf(input, "converse");
  if (conversation !== undefined)
    return { inputTokens: countInputTokens(readConverseRequest(conversation, model)) };
  const invocation = fieldOf(fieldOf(input, "invokeModel"), "body");
  if (typeof invocation === "string") {
    return { inputTokens: estimateTokens(Buffer.from(invocation, "base64").toString("utf8")) };
  }
  throw validationError(
    "1 validation error detected: Value null at 'input' failed to satisfy constraint: Member must not be null",
  );
}

function fieldOf(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? Reflect.get(holder, name) : undefined;
}
