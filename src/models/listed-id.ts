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
export function findProfile(id: string, discovered: Discovered): InferenceProfile | undefined {
  const { named } = indexOf(discovered);
  const arn = parseArn(id);
  const isOfNoAccount =
    arn?.resourceType === "inference-profile" && arn.region === discovered.region && arn.account === "";
  return named.get(id) ?? (isOfNoAccount ? named.get(arn.resourceId) : undefined);
}

/** What is looked up in a list again and again: for each of its models, where one of many is named. */
interface ListIndex {
  /** The foundation models by their id. */
  bases: ReadonlyMap<string, FoundationModel>;
  /** The profiles by their ARN, and those that are no application's by their id. */
  named: ReadonlyMap<string, InferenceProfile>;
  /** AWS's own active profiles by the id of their base model. */
  profiles: ReadonlyMap<string, readonly InferenceProfile[]>;
}

const indexes = new WeakMap<Discovered, ListIndex>();

function indexOf(discovered: Discovered): ListIndex {
  const known = indexes.get(discovered);
  if (known) return known;
  const bases = new Map(discovered.models.map((model) => [model.id, model]));
  const named = new Map<string, InferenceProfile>();
  const profiles = new Map<string, InferenceProfile[]>();
  for (const profile of discovered.profiles) {
    for (const name of new Set([profile.arn, idOfProfile(profile)]))
      if (!named.has(name)) named.set(name, profile);
    const base = profile.isActive && !profile.isApplication ? baseOf(profile, bases) : undefined;
    if (!base) continue;
    const others = profiles.get(base.id);
    if (others) others.push(profile);
    else profiles.set(base.id, [profile]);
  }
  const made = { bases, named, profiles };
  indexes.set(discovered, made);
  return made;
}

/** The foundation models of a list by their id. */
export function basesOf(discovered: Discovered): ReadonlyMap<string, FoundationModel> {
  return indexOf(discovered).bases;
}

/** AWS's own active profiles of a base model, in the order of the list. */
export function profilesOfBase(id: string, discovered: Discovered): readonly InferenceProfile[] {
  return indexOf(discovered).profiles.get(id) ?? [];
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

function findModel(id: string, discovered: Discovered): FoundationModel | undefined {
  const arn = parseArn(id);
  if (!arn) return basesOf(discovered).get(id);
  if (arn.resourceType !== "foundation-model" || arn.region !== discovered.region) return undefined;
  return basesOf(discovered).get(arn.resourceId);
}
