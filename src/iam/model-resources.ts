import { type Arn, isListedType, parseArn } from "../aws/arn.ts";
import { baseModelId } from "../models/base-model-id.ts";
import type { Api } from "../models/families.ts";
import type { Discovered } from "../models/discovered.ts";
import { listedBase } from "../models/listed-id.ts";
import { profileCalled } from "../models/callable.ts";

/** A model as a call names it, and where the call goes. */
export interface CalledModel {
  /** An id or an ARN. */
  id: string;
  region: string;
  /** The API that it is called by first, where that is not Converse. */
  api?: Api | undefined;
  /** What AWS lists in that region; undefined where that is not to be had. */
  discovered: Discovered | undefined;
}

export interface Account {
  /** `aws`, `aws-us-gov` and so on. */
  partition: string;
  /** Twelve digits, or `*` where nobody can tell. */
  id: string;
}

/** The resources that IAM looks at when a model is called, as ARNs in which `*` may stand for what is not known. */
export interface ModelResources {
  /** What the call names, and may therefore be called by itself: a model, a profile, a deployment. */
  called: readonly string[];
  /** The foundation models that the profiles route to, one for each destination region. */
  destinations: readonly string[];
  /** The foundation model whose tokens are counted, in the region of the call. */
  counted: readonly string[];
  /** Whether every ARN is the exact one; otherwise AWS's lists would have had to tell. */
  isExact: boolean;
  /** False for what is called with permissions of another kind: stored prompts and endpoints of Amazon SageMaker. */
  isCovered: boolean;
}

const NONE: ModelResources = { called: [], destinations: [], counted: [], isExact: true, isCovered: true };

/**
 * Finds what a policy has to name so that a model can be called. A profile needs its own ARN and that of the foundation
 * model in every region it routes to; a base model that is called through a profile is that profile.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
 */
export function resourcesOf(model: CalledModel, account: Account): ModelResources {
  const { id, region, discovered } = model;
  const arn = parseArn(id);
  if (arn && isOfAnotherKind(arn)) return { ...NONE, isCovered: false };
  if (arn && !isListedType(arn)) return { ...NONE, called: [id] };
  const profile = discovered && profileCalled(id, discovered);
  const base = discovered && listedBase(profile?.arn ?? id, discovered);
  const counted = base ? [foundationModel(base.id, region, account)] : [];
  if (profile) return { ...NONE, called: [profile.arn], destinations: profile.modelArns, counted };
  if (base) return { ...NONE, called: counted, counted };
  return { ...NONE, ...unlisted(id, arn, region, account), isExact: false };
}

/** What is known without AWS's lists: the ids of system profiles hold that of their model, their regions are anybody's guess. */
function unlisted(
  id: string,
  arn: Arn | undefined,
  region: string,
  account: Account,
): Partial<ModelResources> {
  if (arn?.resourceType === "foundation-model") return { called: [id], counted: [id] };
  if (arn?.resourceType === "application-inference-profile") {
    return { called: [id], destinations: [foundationModel("*", "*", account)] };
  }
  const base = baseModelId(id) ?? id;
  const destinations = [foundationModel(base, "*", account)];
  const counted = [foundationModel(base, region, account)];
  const profileArn = (name: string): string =>
    `arn:${account.partition}:bedrock:${region}:${account.id}:inference-profile/${name}`;
  if (arn) return { called: [profileArn(arn.resourceId)], destinations, counted };
  if (base !== id) return { called: [profileArn(id)], destinations, counted };
  // Whether the model is called by itself or through a profile is not known, either.
  return { called: [...counted, profileArn(`*.${id}`)], destinations, counted };
}

function foundationModel(id: string, region: string, { partition }: Account): string {
  return `arn:${partition}:bedrock:${region}::foundation-model/${id}`;
}

function isOfAnotherKind({ service, resourceType }: Arn): boolean {
  return service !== "bedrock" || resourceType === "prompt";
}
