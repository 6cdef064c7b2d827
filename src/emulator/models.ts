import data from "./models.json";

/** A foundation model of the emulator: what ListFoundationModels says about it, and how the emulator plays it. */
export interface EmulatedModel {
  modelId: string;
  modelName: string;
  providerName: string;
  inputModalities: readonly string[];
  outputModalities: readonly string[];
  /** Missing in the answer when it is missing here. */
  responseStreamingSupported?: boolean | undefined;
  customizationsSupported: readonly string[];
  inferenceTypesSupported: readonly string[];
  modelLifecycle: {
    /** `ACTIVE` or `LEGACY`. */
    status: string;
    startOfLifeTime?: string | undefined;
    legacyTime?: string | undefined;
    endOfLifeTime?: string | undefined;
  };
  /** Puts out reasoning when the request asks for it. */
  canReason?: boolean | undefined;
  /** False for models that take and give text but that Converse refuses, such as rerankers. */
  canConverse?: boolean | undefined;
  canCountTokens?: boolean | undefined;
  /** Whether its quotas are of tokens alone. */
  hasTokenQuotasOnly?: boolean | undefined;
  /** How many tokens of the quota one of output takes, where it is more than one. */
  burndown?: number | undefined;
  /** The paths of OpenAI's APIs that it answers on at the runtime endpoint, below `/openai/v1`. */
  openaiPaths?: readonly string[] | undefined;
  /** Most output tokens a request may ask for. */
  maxTokens?: number | undefined;
  /** What it refuses beyond what its family does, by the path of the field in Converse's request: `inferenceConfig.topP`. */
  refusedFields?: readonly string[] | undefined;
}

/** An inference profile of the emulator, before a region is known. */
export interface EmulatedProfile {
  inferenceProfileId: string;
  inferenceProfileName: string;
  description?: string | undefined;
  /** `SYSTEM_DEFINED` or `APPLICATION`. */
  type: string;
  /** The regions that list it, by prefix of their name. */
  sourceRegions: readonly string[];
  modelId: string;
  /** Where requests may go; `source` stands for the calling region, the empty text for a region-less ARN. */
  destinations: readonly string[];
  createdAt: string;
  updatedAt: string;
}

/**
 * A cross-section of what ListFoundationModels answers: ids, names, modalities and inference types as they are
 * published in https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html, with the oddities of the
 * real list kept: inference types that are empty or outside the service's own enumeration, VIDEO and SPEECH, a
 * streaming flag that is missing, sized variants with a suffix. Every region lists all of them.
 */
const ALL_MODELS: readonly EmulatedModel[] = data.models;

/** Whether somebody has to review what the model is asked, which an account has to permit before it is there to be called. */
export function isReviewed({ modelId }: Pick<EmulatedModel, "modelId">): boolean {
  return modelId.startsWith("anthropic.claude-fable-5");
}

/**
 * Source and destination regions after
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html, cut to the five models that the
 * service's own shape allows. A global profile names the source region and, without a region, everywhere.
 */
const GEOGRAPHIES: Readonly<
  Record<string, { label: string; sourceRegions: string[]; destinations: string[] }>
> = data.geographies;

/** For all regions: AWS's own for each geography of a model, and the account's. */
const ALL_PROFILES: readonly EmulatedProfile[] = [
  ...data.profiles.flatMap(({ modelId, name, since, geographies }) =>
    geographies.flatMap((prefix) => {
      const geography = GEOGRAPHIES[prefix];
      if (!geography) return [];
      const createdAt = `${since}T00:00:00Z`;
      return {
        inferenceProfileId: `${prefix}.${modelId}`,
        inferenceProfileName: `${geography.label} ${name}`,
        description: `Routes requests to ${name} ${describeDestinations(geography.destinations)}.`,
        type: "SYSTEM_DEFINED",
        sourceRegions: geography.sourceRegions,
        modelId,
        destinations: geography.destinations,
        createdAt,
        updatedAt: createdAt,
      };
    }),
  ),
  ...data.applicationProfiles,
];

export const MODELS: readonly EmulatedModel[] = ALL_MODELS.filter((model) => !isReviewed(model));

export const PROFILES: readonly EmulatedProfile[] = ALL_PROFILES.filter((profile) => !isReviewed(profile));

/** Those and the ones that are reviewed. */
export const WITH_REVIEWED = { models: ALL_MODELS, profiles: ALL_PROFILES };

function describeDestinations(destinations: readonly string[]): string {
  if (destinations[0] === "source") return "globally across all supported AWS Regions";
  return `in ${destinations.slice(0, -1).join(", ")} and ${destinations.at(-1)}`;
}
