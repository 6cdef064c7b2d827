import { OpenclawError } from "../errors.ts";
import { describeModelArn, isListedType, parseArn } from "../aws/arn.ts";
import type { ArnFacts, KnownModel } from "../models/model-facts.ts";
import { openSession } from "../session/session.ts";
import { catalogIds } from "../models/catalog.ts";
import { toWarning, type Warning } from "../models/discovered.ts";
import { provisionedOnly } from "../models/callable.ts";
import { describeNamed, type ListedModel } from "../models/list.ts";
import { listedBase, listedId } from "../models/listed-id.ts";
import { isServed, keyAtMantle } from "../models/provider-api.ts";
import { type ResolvedModel, targetOf } from "../models/resolve-model.ts";
import type { ModelSurvey } from "./survey.ts";

/** A model that a person named, found in the config, in AWS's lists, or by asking AWS about its ARN. */
export interface NamedModel extends KnownModel {
  /** Whether AWS or the config knows it. What is only in the catalog, or an ARN nobody could ask about, may not exist. */
  isKnown: boolean;
  /** Why AWS could not be asked about the ARN. */
  warnings: Warning[];
}

/**
 * Finds the model that a survey was made about; undefined when nobody knows it. AWS is asked about ARNs that its lists
 * never hold: prompt routers, provisioned throughput, deployments, imported models. Throws `interrupted`.
 */
export async function findNamed(survey: ModelSurvey, wanted: ResolvedModel): Promise<NamedModel | undefined> {
  const { load, models, input } = survey;
  if (isServed(wanted)) return findServed(survey, wanted);
  const { discovered } = load;
  const base = discovered && listedBase(wanted.id, discovered);
  const isListed = discovered !== undefined && listedId(wanted.id, discovered) !== undefined;
  const { arnFacts, warnings, isGone } = isListed ? NOT_ASKED : await askAboutUnlisted(survey, wanted);
  if (isGone) return undefined;
  const baseId = base?.id ?? (arnFacts?.base && (parseArn(arnFacts.base)?.resourceId ?? arnFacts.base));
  const shown = models.find(({ key }) => key === wanted.key);
  // A default that AWS does not list is in the list only because it is the default.
  const isConfigured = wanted.configured !== undefined;
  const isKnown = isListed || isConfigured || arnFacts !== undefined;
  const arn = parseArn(wanted.id);
  const isUnlisted = arn !== undefined && !isListedType(arn) && describeModelArn(arn) !== undefined;
  const isInCatalog = !discovered && !load.error && isCatalogId(wanted.id);
  if (!isKnown && !isUnlisted && !isInCatalog && warnings.length === 0) return undefined;
  const model = (baseId === base?.id ? shown : undefined) ?? describeNamed(input, wanted, baseId);
  return { model, base, baseId, arnFacts, isKnown, warnings };
}

/** Why chat cannot call a model that AWS has by the name that was given, with what to do; undefined where it can. */
export function obstacleToChat(
  named: ResolvedModel,
  { tags, api }: Pick<ListedModel, "tags" | "api">,
): OpenclawError | undefined {
  if (tags.includes("provisioned") && !named.configured) return provisionedOnly(named.id);
  if (!tags.includes("no-chat") && api !== null) return undefined;
  const key = keyAtMantle(named);
  return new OpenclawError("invalid-request", {
    message: key
      ? `AWS has '${named.id}' at its endpoint bedrock-mantle only.`
      : `AWS has '${named.id}', but it does not stream text, so chat cannot call it.`,
    hint: key ? `Name it by its key there: ${key}` : "Choose another: openclaw models list",
  });
}

/** A model behind OpenAI's API: known from the configuration, or from its server's list. */
function findServed({ models, input, load }: ModelSurvey, wanted: ResolvedModel): NamedModel | undefined {
  const { key, id, providerId, configured } = wanted;
  const listed = input.served?.get(providerId);
  const isKnown = configured !== undefined || listed?.includes(id) === true;
  // A list that is not to be had says nothing about a model.
  const isUnsure = !isKnown && listed === undefined && load.warnings.length > 0;
  if (!isKnown && !isUnsure) return undefined;
  const model = models.find((model) => model.key === key) ?? describeNamed(input, wanted);
  return { model, base: undefined, baseId: undefined, arnFacts: undefined, isKnown, warnings: [] };
}

/** Whether the catalog has this very id, behind a profile's prefix or not: a near spelling would be refused by AWS. */
function isCatalogId(id: string): boolean {
  const plain = parseArn(id)?.resourceId ?? id;
  const ids = new Set(catalogIds());
  return ids.has(plain) || ids.has(plain.slice(plain.indexOf(".") + 1));
}

interface Asked {
  arnFacts: ArnFacts | undefined;
  warnings: Warning[];
  /** Whether AWS says that there is no such resource. */
  isGone: boolean;
}

const NOT_ASKED: Asked = { arnFacts: undefined, warnings: [], isGone: false };

/** Asks AWS about an ARN that its lists do not hold, where it can be asked. */
async function askAboutUnlisted({ load, setup }: ModelSurvey, wanted: ResolvedModel): Promise<Asked> {
  const arn = parseArn(wanted.id);
  // Without a list AWS was not to be asked, or could not be.
  if (arn === undefined || load.discovered === undefined) return NOT_ASKED;
  if (arn.resourceType === "foundation-model") return NOT_ASKED;
  const [{ actionAboutArn, askAboutArn }, { toOpenclawError }] = await Promise.all([
    import("../session/ask-about-arn.ts"),
    import("../session/aws-errors.ts"),
  ]);
  const action = actionAboutArn(wanted.id);
  if (action === undefined) return NOT_ASKED;
  const session = await openSession(setup, targetOf(wanted));
  try {
    return { ...NOT_ASKED, arnFacts: await askAboutArn(session, wanted.id) };
  } catch (failure) {
    const error = toOpenclawError(failure, { session, action, modelId: wanted.id });
    if (error.code === "interrupted") throw error;
    if (error.code === "model-not-found" || error.code === "invalid-request")
      return { ...NOT_ASKED, isGone: true };
    return { ...NOT_ASKED, warnings: [toWarning(error, `AWS could not be asked about ${wanted.id}`)] };
  } finally {
    session.close();
  }
}
