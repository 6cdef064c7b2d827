import type { Configuration } from "../config/settings.ts";
import { LENGTH_OF_MODEL, type LengthBound, UNSET_LENGTH } from "../converse/length-bound.ts";
import type { Ask } from "../converse/plan-request.ts";
import { mergeParameters } from "../converse/request.ts";
import type { RequestPlan } from "../converse/wire.ts";
import { knownLimits } from "../models/catalog.ts";

/** What holds the answer to a request: the model, or who named the most tokens that are sent. */
export function findLengthBound(
  ask: Pick<Ask, "model" | "parameters" | "boundBy">,
  config: Configuration,
  { input }: Pick<RequestPlan, "input">,
): LengthBound {
  const { model, parameters, boundBy } = ask;
  const most = knownLimits(model, input.modelId ?? model.id).maxTokens;
  const sent = input.inferenceConfig?.maxTokens;
  if (sent === undefined) return { ...UNSET_LENGTH, most };
  if (most !== undefined && sent >= most) return LENGTH_OF_MODEL;
  if (parameters.maxTokens !== undefined) return boundBy ?? UNSET_LENGTH;
  const isSet = mergeParameters({}, config, [model.id, model.key]).maxTokens !== undefined;
  return { ...UNSET_LENGTH, is: isSet ? "which the configuration sets" : "which goes with its reasoning" };
}
