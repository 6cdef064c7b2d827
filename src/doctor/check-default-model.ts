import { parseArn } from "../aws/arn.ts";
import { discoverySettings } from "../config/resolve.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "../models/discovered.ts";
import { regionsOf } from "../models/list.ts";
import { baseOf, findProfile } from "../models/listed-id.ts";
import { speaksOpenai } from "../models/provider-api.ts";
import {
  needsProfile,
  profileFor,
  type ResolvedModel,
  targetOf,
  unknownModel,
} from "../models/resolve-model.ts";
import { OpenclawError } from "../errors.ts";
import { type Check, fail, ok, type Outcome, warn } from "./check.ts";
import type { Examination } from "./examination.ts";

/** Whether AWS lists the default model and its fallbacks, how they are called, and how long they live. */
export const defaultModelCheck: Check<Examination> = {
  id: "default-model",
  title: "default model",
  needs: ["config", "credentials", "region", "network"],
  hint: "openclaw models set MODEL",
  run: async (examination) => {
    const models = await examination.models();
    if (models.length === 0) {
      return warn(
        "none is set, so chat needs --model",
        "Choose one from: openclaw models list   (openclaw models set MODEL)",
      );
    }
    return worst(
      await Promise.all(
        models.map(async (model) =>
          speaksOpenai(model)
            ? ok(`${model.key}, which AWS has no part in`)
            : judgeModel(model, await readLists(model, examination)),
        ),
      ),
    );
  },
};

/** What AWS lists in the region of a model, as far as it may be read. */
export interface ModelLists {
  region: string;
  /** Undefined where the list may not be read or discovery is off. */
  models: readonly FoundationModel[] | undefined;
  profiles: readonly InferenceProfile[] | undefined;
}

/** Reads the lists of a model's region. A list that cannot be read is left out: its own check says why. */
export async function readLists(model: ResolvedModel, examination: Examination): Promise<ModelLists> {
  const lists = await examination.listsFor(targetOf(model));
  const region = lists.session.region.value;
  const { config } = await examination.setup();
  if (discoverySettings(config.value).enabled === false)
    return { region, models: undefined, profiles: undefined };
  const [models, profiles] = await Promise.allSettled([lists.models(), lists.profiles()]);
  return {
    region,
    models: models.status === "fulfilled" ? models.value : undefined,
    profiles: profiles.status === "fulfilled" ? profiles.value : undefined,
  };
}

/** Judges one model against AWS's lists. */
export function judgeModel(model: ResolvedModel, lists: ModelLists): Outcome {
  const { id } = model;
  const { region, models } = lists;
  if (isUnlisted(id)) return ok(`${id}, an ARN that AWS's lists do not hold`);
  if (models === undefined)
    return warn(
      `${id} could not be looked up: AWS's list of models is not to be had`,
      `openclaw chat --model ${id} "Hello"`,
    );
  const profiles = lists.profiles ?? [];
  const bases = new Map(models.map((candidate) => [candidate.id, candidate]));
  const discovered = { region, fetchedAt: 0, models: [...models], profiles: [...profiles], warnings: [] };
  const profile = findProfile(id, discovered);
  if (profile) return judgeProfile(id, profile, baseOf(profile, bases));
  const base = bases.get(baseId(id));
  if (base) return judgeBase(id, base, discovered, lists);
  if (lists.profiles === undefined) {
    return warn(
      `${id} is not among the models of ${region}, and the profiles may not be listed`,
      "Allow bedrock:ListInferenceProfiles to these credentials.",
    );
  }
  return fail(
    notListed(
      id,
      region,
      [...profiles, ...models].map((candidate) => candidate.id),
    ),
  );
}

function judgeProfile(id: string, profile: InferenceProfile, base: FoundationModel | undefined): Outcome {
  const detail = `${id}, an inference profile that ${routeOf(profile)}`;
  if (!profile.isActive) return warn(`${detail}; it is not active`, "openclaw models list");
  return base && base.lifecycle !== "ACTIVE" ? legacy(detail, base) : ok(detail);
}

/**
 * Where a profile's calls go, and what service control policies must allow for that
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/cross-region-inference.html).
 */
function routeOf(profile: InferenceProfile): string {
  const regions = regionsOf(profile);
  const isGlobal = profile.modelArns.some((modelArn) => parseArn(modelArn)?.region === "");
  if (isGlobal) {
    return 'routes to any commercial region (service control policies must allow aws:RequestedRegion "unspecified")';
  }
  if (regions.length < 2) return `routes to ${regions[0] ?? "regions that AWS does not tell"}`;
  return `routes to ${regions.join(", ")} (service control policies must allow ${regions.length === 2 ? "both" : "all of them"})`;
}

function judgeBase(id: string, base: FoundationModel, discovered: Discovered, lists: ModelLists): Outcome {
  if (base.lifecycle !== "ACTIVE") return legacy(id, base);
  if (base.streams === false) {
    return fail(
      new OpenclawError("invalid-request", {
        message: `The model '${id}' does not stream its answers, and chat needs that.`,
        hint: "Choose another: openclaw models list",
      }),
    );
  }
  if (parseArn(id) || !needsProfile(base.id, discovered)) return ok(`${id}, on demand in ${lists.region}`);
  const profile = profileFor(base.id, discovered);
  if (profile) return ok(`${id}, called through ${profile.id}, which ${routeOf(profile)}`);
  if (lists.profiles === undefined) {
    return warn(
      `${id} needs an inference profile, and the profiles may not be listed`,
      "Allow bedrock:ListInferenceProfiles to these credentials.",
    );
  }
  const elsewhere = discovered.profiles.find((candidate) => candidate.id === `global.${id}`);
  return fail(
    new OpenclawError("needs-inference-profile", {
      message: `AWS calls the model '${id}' only through an inference profile, and none of ${lists.region} reaches it.`,
      hint: elsewhere
        ? `If your data may go to any region: openclaw models set ${elsewhere.id}`
        : "Choose another: openclaw models list",
    }),
  );
}

function legacy(detail: string, base: FoundationModel): Outcome {
  const end = base.endOfLife ? `, ends on ${base.endOfLife.slice(0, 10)}` : "";
  return warn(
    `${detail}; AWS calls it ${base.lifecycle}${end}`,
    "Choose a current one: openclaw models list",
  );
}

function notListed(id: string, region: string, known: readonly string[]): OpenclawError {
  const error = unknownModel(id, known);
  return new OpenclawError("model-not-found", {
    message: `AWS lists no model or inference profile '${id}' in ${region}.`,
    hint: error.hint,
    details: error.details,
  });
}

/** ARNs of deployments, prompt routers and the like are never in AWS's two lists. */
function isUnlisted(id: string): boolean {
  const type = parseArn(id)?.resourceType;
  return (
    type !== undefined &&
    !["foundation-model", "inference-profile", "application-inference-profile"].includes(type)
  );
}

function baseId(id: string): string {
  const arn = parseArn(id);
  return arn?.resourceType === "foundation-model" ? arn.resourceId : id;
}

const WEIGHT = { ok: 0, skip: 0, warn: 1, fail: 2 } as const;

/** Of several outcomes the worst, with the details of all: for a default model and its fallbacks. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  const [first = ok(""), ...others] = outcomes;
  const gravest = others.reduce(
    (worse, next) => (WEIGHT[next.status] > WEIGHT[worse.status] ? next : worse),
    first,
  );
  return { ...gravest, detail: outcomes.map(({ detail }) => detail).join("; ") };
}
