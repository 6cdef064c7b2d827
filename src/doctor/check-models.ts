import { isListedType, parseArn } from "../aws/arn.ts";
import { discoverySettings } from "../config/resolve.ts";
import { type GateAnswers, type GatePlace, judgeAccess } from "../discovery/judge-access.ts";
import { OpenclawError } from "../errors.ts";
import { baseModelId } from "../models/base-model-id.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "../models/discovered.ts";
import {
  isProvisionedOnly,
  needsProfile,
  profileFor,
  profileNamed,
  provisionedOnly,
  reachesEveryRegion,
  regionsOf,
} from "../models/callable.ts";
import { suggestIds, successorOf } from "../models/match-name.ts";
import { findProfile, listedBase } from "../models/listed-id.ts";
import { isAtRuntime, isMantle, isOfBedrock } from "../models/provider-api.ts";
import { type ResolvedModel, targetOf, unknownModel } from "../models/resolve-model.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import { type Check, fail, failAs, ok, type Outcome, skip, warn, worst } from "./check.ts";
import type { Examination } from "./examination.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** Whether AWS lists the default model and its fallbacks, how they are called, and how long they live. */
const defaultModelCheck: Check<Examination> = {
  id: "default-model",
  title: "default model",
  needs: ["config", "credentials", "region", "network"],
  hint: "openclaw models set MODEL",
  run: async (examination) => {
    const models = await examination.models();
    if (models.length === 0) {
      return warn(
        "none is set: on a terminal chat offers the models, elsewhere it needs --model",
        "Choose one from `openclaw models list`, then: openclaw models set MODEL",
      );
    }
    return worst(
      await Promise.all(
        models.map(async (model, index) => {
          if (!isOfBedrock(model)) return ok(`${model.key}, which AWS has no part in`);
          const outcome = judgeModel(model.id, await readLists(model, examination));
          return index === 0 ? withCommand(outcome, model) : outcome;
        }),
      ),
    );
  },
};

/** The command that makes the nearest id the default model, where the present one is a slip. */
function withCommand(outcome: Outcome, { key, id }: ResolvedModel): Outcome {
  const nearest = outcome.status === "fail" ? outcome.error.details?.["nearest"] : undefined;
  const [best] = Array.isArray(nearest) ? (nearest as unknown[]) : [];
  if (outcome.status !== "fail" || typeof best !== "string") return outcome;
  const meant = key.slice(0, key.length - id.length) + best;
  return { ...outcome, hint: `${outcome.hint} Then: openclaw models set ${quoteForShell(meant)}` };
}

/** What AWS lists in the region of a model, as far as it may be read. */
export interface ModelLists {
  region: string;
  /** Undefined where the list may not be read or discovery is off. */
  models: FoundationModel[] | undefined;
  profiles: InferenceProfile[] | undefined;
  /** Whether it is the endpoint `bedrock-mantle` that lists. */
  isOfMantle?: boolean;
  /** Why the models could not be read. */
  failure?: OpenclawError | undefined;
}

/** Reads the lists of a model's region. A list that cannot be read is left out. */
async function readLists(model: ResolvedModel, examination: Examination): Promise<ModelLists> {
  const lists = await examination.listsFor(targetOf(model));
  const region = lists.session.region.value;
  const { config } = await examination.setup();
  if (discoverySettings(config.value).enabled === false)
    return { region, models: undefined, profiles: undefined };
  const [models, profiles] = await Promise.allSettled([lists.models(), lists.profiles()]);
  return {
    region,
    isOfMantle: isMantle(model),
    models: models.status === "fulfilled" ? models.value : undefined,
    profiles: profiles.status === "fulfilled" ? profiles.value : undefined,
    failure:
      models.status === "fulfilled"
        ? undefined
        : toOpenclawError(models.reason, { session: lists.session, action: "bedrock:ListFoundationModels" }),
  };
}

/** The lists as discovery has them; undefined without the models. */
function toDiscovered({ region, models, profiles = [] }: ModelLists): Discovered | undefined {
  return models && { region, fetchedAt: 0, models, profiles, warnings: [] };
}

/** Judges a model, an id or an ARN, against AWS's lists. */
export function judgeModel(id: string, lists: ModelLists): Outcome {
  const { region } = lists;
  const arn = parseArn(id);
  // ARNs of deployments, prompt routers and the like are never in AWS's two lists.
  if (arn && !isListedType(arn)) return ok(`${id}, an ARN that AWS's lists do not hold`);
  const discovered = toDiscovered(lists);
  if (discovered === undefined)
    return lists.failure
      ? warn(`${id} could not be looked up: ${lists.failure.message}`, lists.failure.hint)
      : warn(
          `${id} could not be looked up: AWS's list of models is not to be had`,
          `openclaw chat --model ${quoteForShell(id)} "Hello"`,
        );
  const profile = findProfile(id, discovered);
  const base = listedBase(id, discovered);
  if (profile) return judgeProfile(id, profile, base, discovered);
  if (base) return judgeBase(id, base, discovered, lists);
  if (lists.profiles === undefined) return withoutProfiles(`${id} is not among the models of ${region}`);
  const { hint, details } = unknownModel(id, suggestIds(id, { discovered }));
  const message = lists.isOfMantle
    ? `The endpoint bedrock-mantle lists no model '${id}' in ${region}.`
    : `AWS lists no model or inference profile '${id}' in ${region}.`;
  return fail(new OpenclawError("model-not-found", { message, hint, details }));
}

function withoutProfiles(what: string): Outcome {
  return warn(
    `${what}, and the profiles may not be listed`,
    "Allow bedrock:ListInferenceProfiles to these credentials.",
  );
}

function judgeProfile(
  id: string,
  profile: InferenceProfile,
  base: FoundationModel | undefined,
  discovered: Discovered,
): Outcome {
  const detail = `${id}, an inference profile that ${routeOf(profile)}`;
  if (!profile.isActive) return warn(`${detail}; it is not active`, "openclaw models list");
  return base && base.lifecycle !== "ACTIVE" ? legacy(detail, base, discovered) : ok(detail);
}

/**
 * Where a profile's calls go, and what service control policies must allow for that
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/cross-region-inference.html).
 */
function routeOf(profile: InferenceProfile): string {
  if (reachesEveryRegion(profile)) {
    return 'routes to any commercial region (service control policies must allow aws:RequestedRegion "unspecified")';
  }
  const regions = regionsOf(profile);
  if (regions.length < 2) return `routes to ${regions[0] ?? "regions that AWS does not tell"}`;
  return `routes to ${regions.join(", ")} (service control policies must allow ${regions.length === 2 ? "both" : "all of them"})`;
}

function judgeBase(id: string, base: FoundationModel, discovered: Discovered, lists: ModelLists): Outcome {
  if (base.lifecycle !== "ACTIVE") return legacy(id, base, discovered);
  if (base.streams === false) {
    return failAs(
      "invalid-request",
      `The model '${id}' does not stream its answers, and chat needs that.`,
      "Choose another: openclaw models list",
    );
  }
  if (lists.isOfMantle) return ok(`${id}, at bedrock-mantle in ${lists.region}`);
  if (parseArn(id) || !needsProfile(base.id, discovered)) return ok(`${id}, on demand in ${lists.region}`);
  const profile = profileFor(base.id, discovered);
  if (profile) return ok(`${id}, called through ${profile.id}, which ${routeOf(profile)}`);
  if (lists.profiles === undefined) return withoutProfiles(`${id} needs an inference profile`);
  if (isProvisionedOnly(base)) return fail(provisionedOnly(id));
  const elsewhere = profileNamed("global", base.id, discovered);
  return failAs(
    "needs-inference-profile",
    `AWS calls the model '${id}' only through an inference profile, and none of ${lists.region} reaches it.`,
    elsewhere
      ? `If your data may go to any region: openclaw models set ${quoteForShell(elsewhere.id)}`
      : "Choose another: openclaw models list",
  );
}

function legacy(detail: string, base: FoundationModel, discovered: Discovered): Outcome {
  const end = base.endOfLife ? `, ends on ${base.endOfLife.slice(0, 10)}` : "";
  const successor = successorOf(base.id, { discovered });
  return warn(
    `${detail}; AWS calls it ${base.lifecycle}${end}`,
    successor === undefined
      ? "Choose a current one: openclaw models list"
      : `Its successor: openclaw models set ${quoteForShell(successor)}`,
  );
}

/** Whether the account has access to the default model and its fallbacks, and what is missing. */
const modelAccessCheck: Check<Examination> = {
  id: "model-access",
  title: "model access",
  needs: ["default-model"],
  hint: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
  run: async (examination) => {
    const models = (await examination.models()).filter(isAtRuntime);
    if (models.length === 0) return skip("no default model of Amazon Bedrock is set");
    return worst(await Promise.all(models.map((model) => examine(model, examination))));
  },
};

async function examine(model: ResolvedModel, examination: Examination): Promise<Outcome> {
  const base = await baseIdOf(model, examination);
  if (base === undefined) return skip(`the base model of ${model.id} is not known`);
  const { session } = await examination.listsFor(targetOf(model));
  const { AVAILABILITY } = await import("../discovery/ask-gates.ts");
  try {
    const answers = await examination.gates({ session, base });
    return judgeGatesOf(answers, { modelId: base, region: session.region.value });
  } catch (failure) {
    // Being refused an answer about the model is not being refused the model.
    const error = toOpenclawError(failure, {
      session,
      action: AVAILABILITY,
      modelId: base,
    });
    return warn(`access to ${base} could not be asked: ${error.message}`, error.hint);
  }
}

/** The id of the foundation model that is called in the end, by AWS's lists, else by the id; undefined where neither tells. */
async function baseIdOf(model: ResolvedModel, examination: Examination): Promise<string | undefined> {
  const discovered = toDiscovered(await readLists(model, examination));
  return (discovered && listedBase(model.id, discovered)?.id) ?? baseModelId(model.id);
}

/**
 * Judges what AWS says about access to a model. An agreement that is made at the first call, or being made, only warns.
 */
export function judgeGatesOf(answers: GateAnswers, place: GatePlace): Outcome {
  const { modelId, region } = place;
  const { status, reason, hint } = judgeAccess(answers, place);
  if (reason === null) return ok(`${modelId} in ${region}`);
  if (status === "on-first-call" || status === "pending")
    return warn(`${modelId}: ${reason}`, hint ?? undefined);
  return failAs(
    "model-access",
    `This account has no access to '${modelId}' in ${region}: ${reason}.`,
    hint ?? undefined,
  );
}

/** What is asked of the default model, in the order in which it is shown. */
export const modelsChecks = [defaultModelCheck, modelAccessCheck];
