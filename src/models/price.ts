import { baseModelId } from "./base-model-id.ts";
import { lookUpCatalog, lookUpUndated } from "./catalog.ts";
import { familyOf } from "./families.ts";
import { costOf, costOfEmbedding } from "./list.ts";
import { isMantle, isServed } from "./provider-api.ts";
import type { ResolvedModel } from "./resolve-model.ts";
import type { Price } from "./usage.ts";

/**
 * Above this many tokens of a prompt a list price holds for the models only of which it is known: what a long one costs
 * differs (https://platform.claude.com/docs/en/about-claude/pricing#long-context-pricing).
 */
const LONGEST_PROMPT = 200_000;

/** Half of the standard tier's, as https://aws.amazon.com/bedrock/pricing/ has it for every model of that tier. */
export const FLEX_SHARE = 0.5;

/** The same of batch inference. */
export const BATCH_SHARE = 0.5;

/**
 * The price of a model that was asked, by the id that answered: what the configuration says, which holds for prompts of
 * any length, else the catalog's. The catalog's prices are Amazon Bedrock's: what another provider takes is known from
 * its settings only. Undefined where nobody knows it.
 */
export function priceOf(model: ResolvedModel | undefined, modelId: string): Price | undefined {
  const cost = costOf(model?.configured);
  if (cost) return { cost, source: "config" };
  if (model && isServed(model)) return undefined;
  const id = lookUpCatalog(modelId) ? modelId : (model?.id ?? modelId);
  const known =
    (model && isMantle(model) ? lookUpUndated(id) : lookUpCatalog(id))?.cost ?? costOfEmbedding(id);
  if (!known) return undefined;
  return {
    cost: known,
    source: "catalog",
    ...(known.tiers ? {} : { longestPrompt: LONGEST_PROMPT }),
    ...(familyOf(baseModelId(id)).flex ? { flexShare: FLEX_SHARE } : {}),
  };
}
