import type { FoundationModelSummary, InferenceProfileSummary } from "@aws-sdk/client-bedrock";
import { partitionOfRegion } from "../../../aws/partition.ts";
import { OpenclawError } from "../../../errors.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "../../../models/discovered.ts";
import type { ServedModel } from "../../model-names.ts";
import { readQueryNumber } from "../../request-field.ts";

/** As JSON has it: dates are texts. */
type Json<T> = { [Name in keyof T]: T[Name] extends Date | undefined ? string | undefined : T[Name] };
type Summary = Json<Omit<FoundationModelSummary, "modelLifecycle">> & {
  modelLifecycle: {
    status: string;
    startOfLifeTime?: string | undefined;
    endOfLifeTime?: string | undefined;
  };
};

/** What a server offers, and what AWS tells of it. */
export interface Offer {
  served: readonly ServedModel[];
  /** Undefined where AWS was not asked, or did not answer. */
  discovered: Discovered | undefined;
  region: string;
}

/**
 * The models that this server can call, as ListFoundationModels tells them: of AWS's list those that are served, or whose
 * profiles are, and then every other name that a client may send. Throws `invalid-request` for a filter that nobody knows.
 */
export function listFoundationModels(offer: Offer, query: URLSearchParams): { modelSummaries: Summary[] } {
  const filters = Object.entries(FILTERS).flatMap(([name, holds]) => {
    const wanted = query.get(name);
    return wanted === null ? [] : [(model: Summary) => holds(model, wanted)];
  });
  const models = summariesOf(offer).filter((model) => filters.every((holds) => holds(model)));
  return { modelSummaries: models };
}

/** The filters of ListFoundationModels (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html). */
const FILTERS: Readonly<Record<string, (model: Summary, wanted: string) => boolean>> = {
  byProvider: ({ providerName = "" }, wanted) => providerName.toLowerCase() === wanted.toLowerCase(),
  byCustomizationType: ({ customizationsSupported = [] }, wanted) =>
    customizationsSupported.some((type) => type === wanted),
  byOutputModality: ({ outputModalities = [] }, wanted) => outputModalities.some((kind) => kind === wanted),
  byInferenceType: ({ inferenceTypesSupported = [] }, wanted) =>
    inferenceTypesSupported.some((type) => type === wanted),
};

/** One of them by its id, its ARN or its name. Throws `model-not-found`. */
export function getFoundationModel(offer: Offer, identifier: string): { modelDetails: Summary } {
  const found = summariesOf(offer).find(
    ({ modelId, modelArn }) => modelId === identifier || modelArn === identifier,
  );
  if (found) return { modelDetails: found };
  throw new OpenclawError("model-not-found", {
    message: `There is no foundation model '${identifier}' that this server calls.`,
    hint: "",
  });
}

function summariesOf({ served, discovered, region }: Offer): Summary[] {
  const names = new Set(served.map(({ id }) => id));
  const profiles = (discovered?.profiles ?? []).filter((profile) => isServed(profile, names));
  const routed = new Set(profiles.flatMap(({ modelArns }) => modelArns.map((arn) => arn.split("/")[1])));
  const listed = (discovered?.models ?? []).filter(({ id }) => names.has(id) || routed.has(id));
  const known = new Set([...listed.map(({ id }) => id), ...profiles.flatMap(({ id, arn }) => [id, arn])]);
  return [
    ...listed.map(describeModel),
    ...served.filter(({ id }) => !known.has(id)).map((model) => describeName(model, region)),
  ];
}

function isServed({ id, arn }: InferenceProfile, names: ReadonlySet<string>): boolean {
  return names.has(id) || names.has(arn);
}

function describeModel(model: FoundationModel): Summary {
  return {
    modelArn: model.arn,
    modelId: model.id,
    modelName: model.name,
    providerName: model.provider,
    inputModalities: model.input as Summary["inputModalities"],
    outputModalities: model.output as Summary["outputModalities"],
    responseStreamingSupported: model.streams ?? true,
    customizationsSupported: [],
    inferenceTypesSupported: (model.inferenceTypes ?? []) as Summary["inferenceTypesSupported"],
    modelLifecycle: {
      status: model.lifecycle,
      startOfLifeTime: model.startOfLife,
      endOfLifeTime: model.endOfLife,
    },
  };
}

/** A name of the server's own, or a model of another provider's, as if it were a foundation model. */
function describeName({ id, owner }: ServedModel, region: string): Summary {
  return {
    modelArn: `arn:${partitionOfRegion(region)}:bedrock:${region}::foundation-model/${id}`,
    modelId: id,
    modelName: id,
    providerName: owner,
    inputModalities: ["TEXT"],
    outputModalities: ["TEXT"],
    responseStreamingSupported: true,
    customizationsSupported: [],
    inferenceTypesSupported: ["ON_DEMAND"],
    modelLifecycle: { status: "ACTIVE" },
  };
}

/** AWS's own bound of a page. */
const LONGEST_PAGE = 1000;

/**
 * A page of the inference profiles that this server can call, as ListInferenceProfiles tells them. Throws `invalid-request`
 * for a page that there is not.
 */
export function listInferenceProfiles(
  offer: Offer,
  query: URLSearchParams,
): { inferenceProfileSummaries: Json<InferenceProfileSummary>[]; nextToken?: string } {
  const length = readQueryNumber(query, "maxResults", LONGEST_PAGE, 1);
  const start = readQueryNumber(query, "nextToken", Number.MAX_SAFE_INTEGER, 0, 0);
  // Without a type the service lists only its own profiles: https://github.com/aws/aws-cli/issues/9728
  const wanted = query.get("type") ?? "SYSTEM_DEFINED";
  const all = profilesOf(offer)
    .map(describeProfile)
    .filter(({ type }) => type === wanted);
  const end = start + length;
  return {
    inferenceProfileSummaries: all.slice(start, end),
    ...(end < all.length ? { nextToken: String(end) } : {}),
  };
}

/** One of them by its id or its ARN. Throws `model-not-found`. */
export function getInferenceProfile(offer: Offer, identifier: string): Json<InferenceProfileSummary> {
  const found = profilesOf(offer).find(({ id, arn }) => id === identifier || arn === identifier);
  if (found) return describeProfile(found);
  throw new OpenclawError("model-not-found", {
    message: `There is no inference profile '${identifier}' that this server calls.`,
    hint: "",
  });
}

function profilesOf({ served, discovered }: Offer): InferenceProfile[] {
  const names = new Set(served.map(({ id }) => id));
  return (discovered?.profiles ?? []).filter((profile) => isServed(profile, names));
}

function describeProfile(profile: InferenceProfile): Json<InferenceProfileSummary> {
  const { id, arn, name, description, isApplication, isActive, modelArns } = profile;
  return {
    inferenceProfileName: name,
    ...(description === undefined ? {} : { description }),
    inferenceProfileArn: arn,
    models: modelArns.map((modelArn) => ({ modelArn })),
    inferenceProfileId: id,
    status: (isActive ? "ACTIVE" : "INACTIVE") as InferenceProfileSummary["status"],
    type: isApplication ? "APPLICATION" : "SYSTEM_DEFINED",
  };
}
