import { parseArn } from "../aws/arn.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "./discovered.ts";

/** The id under which a profile is listed and called: an application profile goes by its ARN. */
export function idOfProfile(profile: InferenceProfile): string {
  return profile.isApplication ? profile.arn : profile.id;
}

/**
 * The id under which AWS's lists hold what an id or ARN names; undefined when they do not. A foundation model or system
 * profile may be named by its ARN, whose account may be left out; one of another region is not what was listed.
 */
export function listedId(id: string, discovered: Discovered): string | undefined {
  const profile = findProfile(id, discovered);
  return profile ? idOfProfile(profile) : findModel(id, discovered)?.id;
}

/** The foundation model that answers in the end when an id or ARN is called; undefined where the lists do not tell. */
export function listedBase(id: string, discovered: Discovered): FoundationModel | undefined {
  const profile = findProfile(id, discovered);
  return profile ? baseOf(profile, basesOf(discovered)) : findModel(id, discovered);
}

/** The profile that an id or ARN names. */
export function findProfile(id: string, { profiles, region }: Discovered): InferenceProfile | undefined {
  const named = profiles.find(
    (profile) => profile.arn === id || (profile.id === id && !profile.isApplication),
  );
  if (named) return named;
  const arn = parseArn(id);
  if (arn?.resourceType !== "inference-profile" || arn.region !== region || arn.account !== "")
    return undefined;
  return profiles.find((profile) => profile.id === arn.resourceId && !profile.isApplication);
}

/** The foundation models of a list by their id. */
export function basesOf({ models }: Discovered): Map<string, FoundationModel> {
  return new Map(models.map((model) => [model.id, model]));
}

/** The foundation model behind a profile, found by the ARNs it routes to. */
export function baseOf(
  profile: InferenceProfile,
  bases: ReadonlyMap<string, FoundationModel>,
): FoundationModel | undefined {
  for (const modelArn of profile.modelArns) {
    const base = bases.get(parseArn(modelArn)?.resourceId ?? modelArn);
    if (base) return base;
  }
  return undefined;
}

function findModel(id: string, { models, region }: Discovered): FoundationModel | undefined {
  const arn = parseArn(id);
  if (!arn) return models.find((model) => model.id === id);
  if (arn.resourceType !== "foundation-model" || arn.region !== region) return undefined;
  return models.find((model) => model.id === arn.resourceId);
}
