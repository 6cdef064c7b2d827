import { AwsError, validationError } from "./aws-error.ts";
import type { EmulatedModel } from "./models.ts";
import type { EmulatedProfile } from "./profiles.ts";

/** The models and profiles of one account, as one region shows them. */
export interface Catalogue {
  readonly models: readonly EmulatedModel[];
  readonly profiles: readonly EmulatedProfile[];
  readonly account: string;
}

type Query = Readonly<Record<string, string>>;

/** What a Converse call or a count is answered by. */
export interface ResolvedModel {
  readonly model: EmulatedModel;
  readonly profile: EmulatedProfile | undefined;
}

/**
 * Page length of ListInferenceProfiles when the client asks for none. AWS does not document its own; this one is short
 * enough that a client which reads only the first page is found out.
 */
const DEFAULT_PAGE = 20;

/** Enumerations of the list filters, from the service model of Bedrock. */
const FILTER_VALUES = {
  byCustomizationType: ["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"],
  byOutputModality: ["TEXT", "IMAGE", "EMBEDDING"],
  byInferenceType: ["ON_DEMAND", "PROVISIONED"],
  type: ["SYSTEM_DEFINED", "APPLICATION"],
} as const;

/** Answers ListFoundationModels for a region. Throws `AwsError` for a filter value outside its enumeration. */
export function listFoundationModels(catalogue: Catalogue, region: string, query: Query): object {
  const provider = query["byProvider"]?.toLowerCase();
  const customization = filterValue(query, "byCustomizationType");
  const output = filterValue(query, "byOutputModality");
  const inference = filterValue(query, "byInferenceType");
  const found = catalogue.models.filter(
    (model) =>
      (provider === undefined || model.providerName.toLowerCase() === provider) &&
      (customization === undefined || model.customizationsSupported.includes(customization)) &&
      (output === undefined || model.outputModalities.includes(output)) &&
      (inference === undefined || model.inferenceTypesSupported.includes(inference)),
  );
  return { modelSummaries: found.map((model) => describeModel(model, region)) };
}

/** Answers GetFoundationModel. Throws `AwsError` for an id or ARN that is not one of the region's models. */
export function getFoundationModel(catalogue: Catalogue, region: string, identifier: string): object {
  return { modelDetails: describeModel(findModel(catalogue, region, identifier), region) };
}

/** Answers GetFoundationModelAvailability: everything the emulator lists can be used. */
export function getModelAvailability(catalogue: Catalogue, region: string, identifier: string): object {
  const { modelId } = findModel(catalogue, region, identifier);
  return {
    modelId,
    agreementAvailability: { status: "AVAILABLE" },
    authorizationStatus: "AUTHORIZED",
    entitlementAvailability: "AVAILABLE",
    regionAvailability: "AVAILABLE",
  };
}

/** Answers one page of ListInferenceProfiles. Throws `AwsError` for a wrong page length, type or token. */
export function listInferenceProfiles(catalogue: Catalogue, region: string, query: Query): object {
  // Without a type the service lists only its own profiles: https://github.com/aws/aws-cli/issues/9728
  const type = filterValue(query, "type") ?? "SYSTEM_DEFINED";
  const length = pageLength(query["maxResults"]);
  const start = readPageToken(query["nextToken"]);
  const found = catalogue.profiles.filter((profile) => isOfferedIn(profile, region) && profile.type === type);
  const end = start + length;
  return {
    inferenceProfileSummaries: found
      .slice(start, end)
      .map((profile) => describeProfile(catalogue, profile, region)),
    ...(end < found.length ? { nextToken: writePageToken(end) } : {}),
  };
}

/** Answers GetInferenceProfile. Throws `AwsError` ResourceNotFoundException for an unknown id or ARN. */
export function getInferenceProfile(catalogue: Catalogue, region: string, identifier: string): object {
  const profile = findProfile(catalogue, region, identifier, true);
  if (profile === undefined) {
    throw new AwsError("ResourceNotFoundException", "The specified inference profile could not be found.");
  }
  return describeProfile(catalogue, profile, region);
}

/**
 * Finds what a model id, model ARN, profile id or profile ARN of a call stands for. A region of undefined (a bearer
 * token names none) takes any profile. Throws `AwsError` in AWS's words for an unknown id and for a model that cannot
 * be called without a profile.
 */
export function resolveModel(
  catalogue: Catalogue,
  region: string | undefined,
  identifier: string,
): ResolvedModel {
  const profile = findProfile(catalogue, region, identifier);
  if (profile !== undefined) return { model: findModel(catalogue, region, profile.modelId), profile };
  const model = findModel(catalogue, region, identifier);
  if (!model.inferenceTypesSupported.includes("ON_DEMAND")) {
    throw validationError(
      `Invocation of model ID ${identifier} with on-demand throughput isn’t supported. Retry your request with the ` +
        `ID or ARN of an inference profile that contains this model.`,
    );
  }
  return { model, profile: undefined };
}

/** The ARN of a foundation model in a region; an empty region makes the region-less ARN of global profiles. */
export function modelArn(region: string, modelId: string, partition = partitionOf(region)): string {
  return `arn:${partition}:bedrock:${region}::foundation-model/${modelId}`;
}

/** The AWS partition that a region belongs to. */
export function partitionOf(region: string): string {
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return region.startsWith("cn-") ? "aws-cn" : "aws";
}

/** Finds a model by id or ARN. Throws `AwsError` in AWS's words for an unknown one. */
export function findModel(
  catalogue: Catalogue,
  region: string | undefined,
  identifier: string,
): EmulatedModel {
  const found = catalogue.models.find(
    ({ modelId }) =>
      modelId === identifier ||
      (region === undefined
        ? identifier.endsWith(`::foundation-model/${modelId}`) && identifier.startsWith("arn:aws")
        : modelArn(region, modelId) === identifier),
  );
  if (found === undefined) throw validationError("The provided model identifier is invalid.");
  return found;
}

/** Finds a profile. Calls take an application profile by its ARN only; looking it up works by id, too. */
export function findProfile(
  catalogue: Catalogue,
  region: string | undefined,
  identifier: string,
  takesApplicationId = false,
): EmulatedProfile | undefined {
  const [, arnRegion] = /^arn:[^:]+:bedrock:([^:]+):/.exec(identifier) ?? [];
  if (arnRegion !== undefined && region !== undefined && arnRegion !== region) return undefined;
  const here = region ?? arnRegion;
  return catalogue.profiles.find(
    (profile) =>
      (here === undefined || isOfferedIn(profile, here)) &&
      (identifier === profileArn(catalogue, profile, here ?? "") ||
        (identifier === profile.inferenceProfileId &&
          (takesApplicationId || profile.type === "SYSTEM_DEFINED"))),
  );
}

function isOfferedIn(profile: EmulatedProfile, region: string): boolean {
  return profile.sourceRegions.some((prefix) => region.startsWith(prefix));
}

/** The ARN of a profile as its account has it in a region. */
export function profileArn(catalogue: Catalogue, profile: EmulatedProfile, region: string): string {
  const kind = profile.type === "APPLICATION" ? "application-inference-profile" : "inference-profile";
  return `arn:${partitionOf(region)}:bedrock:${region}:${catalogue.account}:${kind}/${profile.inferenceProfileId}`;
}

function describeModel(model: EmulatedModel, region: string): object {
  const { canReason: _1, canConverse: _2, canCountTokens: _3, maxTokens: _4, ...summary } = model;
  return { modelArn: modelArn(region, model.modelId), ...summary };
}

/** The ARNs of the models that a profile routes to from a region. */
export function destinationArns(profile: EmulatedProfile, region: string): string[] {
  return profile.destinations.map((destination) =>
    modelArn(destination === "source" ? region : destination, profile.modelId, partitionOf(region)),
  );
}

function describeProfile(catalogue: Catalogue, profile: EmulatedProfile, region: string): object {
  const { inferenceProfileName, description, createdAt, updatedAt, inferenceProfileId, type } = profile;
  const models = destinationArns(profile, region).map((arn) => ({ modelArn: arn }));
  return {
    inferenceProfileName,
    ...(description === undefined ? {} : { description }),
    createdAt,
    updatedAt,
    inferenceProfileArn: profileArn(catalogue, profile, region),
    models,
    inferenceProfileId,
    status: "ACTIVE",
    type,
  };
}

function filterValue(query: Query, name: keyof typeof FILTER_VALUES): string | undefined {
  const value = query[name];
  const allowed: readonly string[] = FILTER_VALUES[name];
  if (value === undefined || allowed.includes(value)) return value;
  const member = name === "type" ? "typeEquals" : name;
  throw validationError(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ` +
      `Member must satisfy enum value set: [${allowed.join(", ")}]`,
  );
}

function pageLength(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PAGE;
  const length = Number(text);
  const bound = length < 1 ? "greater than or equal to 1" : "less than or equal to 1000";
  if (Number.isInteger(length) && length >= 1 && length <= 1000) return length;
  throw validationError(
    `1 validation error detected: Value '${text}' at 'maxResults' failed to satisfy constraint: ` +
      `Member must have value ${bound}`,
  );
}

function writePageToken(start: number): string {
  return Buffer.from(`profiles-from-${start}`).toString("base64url");
}

function readPageToken(token: string | undefined): number {
  if (token === undefined) return 0;
  const start = /^profiles-from-(\d+)$/.exec(Buffer.from(token, "base64url").toString())?.[1];
  if (start === undefined) throw validationError("The provided pagination token is invalid.");
  return Number(start);
}
