import { parseArn } from "../aws/arn.ts";
import { OpenclawError } from "../errors.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "./discovered.ts";
import { withoutPrefix } from "./base-model-id.ts";
import { catalogIds } from "./catalog.ts";
import { isCalledAtRuntime, familyOf } from "./families.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { basesOf, findProfile, profilesOfBase } from "./listed-id.ts";

/** Whether a foundation model can be asked for text, and streams it. */
export function streamsText(model: FoundationModel): boolean {
  const takesText = model.input.includes("TEXT");
  const isAsked = model.endpoint === "bedrock-mantle" || isCalledAtRuntime(model.id);
  return model.streams === true && takesText && model.output.includes("TEXT") && isAsked;
}

/** Whether a foundation model turns texts into vectors, in a way that is known here. */
export function embedsText(model: FoundationModel): boolean {
  return (
    model.input.includes("TEXT") &&
    model.output.includes("EMBEDDING") &&
    familyOf(model.id).embedding !== undefined
  );
}

/** Whether a profile may send a request to any region of its partition: one of its models has an ARN without a region. */
export function reachesEveryRegion({ modelArns }: InferenceProfile): boolean {
  return modelArns.some((modelArn) => parseArn(modelArn)?.region === "");
}

/** The destination regions of a profile, each once. */
export function regionsOf(profile: InferenceProfile): string[] {
  const regions = profile.modelArns.map((modelArn) => parseArn(modelArn)?.region ?? "");
  return [...new Set(regions.filter((region) => region !== ""))].sort();
}

/** AWS's own active profiles of a base model, the one with the fewest destination regions first. */
function profilesOf(id: string, discovered: Discovered): InferenceProfile[] {
  return [...profilesOfBase(id, discovered)].sort(
    (left, right) => regionsOf(left).length - regionsOf(right).length || (left.id < right.id ? -1 : 1),
  );
}

/**
 * The inference profile through which a base model is called: a geographic one of the list's region, the one with the
 * fewest destination regions first; never a global one, and never for an ARN. Undefined when there is none.
 */
export function profileFor(id: string, discovered: Discovered): InferenceProfile | undefined {
  return profilesOf(id, discovered).find((profile) => !profile.id.startsWith(GLOBAL));
}

const GLOBAL = "global.";

/** The profile of a base model with a prefix that was asked for: `global`, `us`, `eu`. */
export function profileNamed(
  prefix: string,
  id: string,
  discovered: Discovered,
): InferenceProfile | undefined {
  return profilesOf(id, discovered).find((profile) => profile.id === `${prefix}.${id}`);
}

/** Whether AWS's list says that a model can be called only through a profile. */
export function needsProfile(id: string, discovered: Discovered): boolean {
  const model = basesOf(discovered).get(id);
  return model?.inferenceTypes !== undefined && !model.inferenceTypes.includes("ON_DEMAND");
}

/**
 * Whether a foundation model is served by provisioned throughput alone, which is called by an ARN of its own
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/prov-thru-use.html).
 */
export function isProvisionedOnly({ id, inferenceTypes }: FoundationModel): boolean {
  if (inferenceTypes === undefined || inferenceTypes.includes("ON_DEMAND")) return false;
  return inferenceTypes.join() === "PROVISIONED" || isContextVariant(id);
}

/** Whether an id has the form that exists for provisioned throughput only: `anthropic.claude-3-haiku-20240307-v1:0:48k`. */
export function isContextVariant(id: string): boolean {
  return /:\d+k$/.test(id);
}

/** The refusal of such a model. */
export function provisionedOnly(id: string): OpenclawError {
  return new OpenclawError("invalid-request", {
    message: `AWS serves '${id}' by provisioned throughput only, whose own ARN is called in place of the id.`,
    hint: LIST_PROVISIONED,
  });
}

/** What lists the ARNs to call: https://docs.aws.amazon.com/cli/latest/reference/bedrock/list-provisioned-model-throughputs.html. */
export const LIST_PROVISIONED = "aws bedrock list-provisioned-model-throughputs";

/**
 * The profile that a base model is most likely called through where no list is at hand and its family is reached by profiles:
 * the one of the region's own geography, where the catalog has it. Undefined elsewhere: Asia and the Pacific have several.
 */
export function likelyProfile(id: string, region: string): string | undefined {
  const [, geography] = /^(us|eu)-(?!gov-|iso|isoe)/.exec(region) ?? [];
  const profileId = `${geography}.${id}`;
  return geography && familyOf(id).byProfile && catalogIds().includes(profileId) ? profileId : undefined;
}

/**
 * The regions from which AWS's own profiles of a prefix are called:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
 */
const SOURCES: Readonly<Record<string, RegExp>> = {
  us: /^(?:us-(?:east|west)|ca)-/,
  "us-gov": /^us-gov-/,
  eu: /^eu-(?!isoe-)/,
  apac: /^ap-/,
  jp: /^ap-northeast-[13]$/,
  au: /^ap-southeast-[24]$/,
  in: /^ap-south-/,
  ca: /^ca-/,
  global: /^(?!us-gov-|us-iso|eu-isoe-|cn-)/,
};

/** What the catalog has that may well be called in a region, where no list is at hand: a model, or its profiles there. */
export function likelyIds(region: string): string[] {
  return catalogIds().filter((id) => {
    const base = withoutPrefix(id);
    if (base === id) return likelyProfile(id, region) === undefined;
    return SOURCES[id.slice(0, -base.length - 1)]?.test(region) ?? false;
  });
}

/** The profile that a base model is called through; undefined for one that needs none, and where none of the region has it. */
export function profileNeeded(id: string, discovered: Discovered): InferenceProfile | undefined {
  return needsProfile(id, discovered) ? profileFor(id, discovered) : undefined;
}

/**
 * The same. Throws `needs-inference-profile` where only a global one reaches the model, which `command` names, since data
 * may then go to any region.
 */
export function requireProfile(
  id: string,
  discovered: Discovered,
  command: string,
): InferenceProfile | undefined {
  if (!needsProfile(id, discovered)) return undefined;
  const profile = profileFor(id, discovered);
  if (profile) return profile;
  const global = profileNamed("global", id, discovered);
  if (!global) return undefined;
  throw new OpenclawError("needs-inference-profile", {
    message: `Only a global inference profile reaches '${id}' from ${discovered.region}.`,
    hint: `If your data may go to any region: ${command} ${quoteForShell(global.id)}`,
    details: { model: id, nearest: [global.id] },
  });
}

/** What is told of a base model that is called through a profile which nobody named. */
export function calledThrough(id: string, profileId: string): string {
  return `${id} is called through the inference profile ${profileId}`;
}

/** The profile that a call names, or that the chat takes for a base model that needs one. */
export function profileCalled(id: string, discovered: Discovered): InferenceProfile | undefined {
  return findProfile(id, discovered) ?? profileNeeded(id, discovered);
}

/**
 * What a base model is called by in the list's region: its own id, or its geographic profile where it needs one. Undefined
 * for a model that cannot be called there: one that is not active, does not stream text, or is only reached globally.
 */
export function callableId(base: FoundationModel, discovered: Discovered): string | undefined {
  if (base.lifecycle !== "ACTIVE" || !streamsText(base)) return undefined;
  return needsProfile(base.id, discovered) ? profileFor(base.id, discovered)?.id : base.id;
}
