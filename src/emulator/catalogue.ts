import type { FoundationModelSummary } from "@aws-sdk/client-bedrock";
import { partitionOfRegion } from "../aws/partition.ts";
import { AwsError, validationError } from "./aws-error.ts";
import { checkShape, object, oneOf, PAGE_LENGTH, PAGE_TOKEN, wholeNumber } from "./constraints.ts";
import type { AccountGates } from "./gates.ts";
import type { EmulatedGuardrail } from "./guardrails.ts";
import { type MantleModel, mantleModelOn } from "./mantle.ts";
import type { EmulatedModel, EmulatedProfile } from "./models.ts";

export interface Account {
  /** Its number, of twelve digits. */
  readonly id: string;
  readonly models: readonly EmulatedModel[];
  readonly profiles: readonly EmulatedProfile[];
  readonly gates: AccountGates;
  readonly guardrails: readonly EmulatedGuardrail[];
  /** What the endpoint `bedrock-mantle` has. */
  readonly mantleModels: readonly MantleModel[];
}

type Query = Readonly<Record<string, string>>;

export interface ResolvedModel {
  readonly model: EmulatedModel;
  readonly profile: EmulatedProfile | undefined;
}

/**
 * Page length of ListInferenceProfiles when the client asks for none. AWS does not document its own; this one is short
 * enough that a client which reads only the first page is found out.
 */
const DEFAULT_PAGE = 20;

/** What the lists may be asked by, from the service model of Bedrock. */
const MODEL_FILTERS = object({
  byProvider: { kind: "text", pattern: /^[A-Za-z0-9- ]{1,63}$/ },
  byCustomizationType: oneOf("FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"),
  byOutputModality: oneOf("TEXT", "IMAGE", "EMBEDDING"),
  byInferenceType: oneOf("ON_DEMAND", "PROVISIONED"),
});
/** What AWS tells of a model, of all that is known of it here. */
const TOLD_OF_MODELS = [
  "modelId",
  "modelName",
  "providerName",
  "inputModalities",
  "outputModalities",
  "responseStreamingSupported",
  "customizationsSupported",
  "inferenceTypesSupported",
  "modelLifecycle",
] as const satisfies (keyof EmulatedModel & keyof FoundationModelSummary)[];
/** What a profile is looked up by, from the same. */
const PROFILE_LOOKUP = object({
  inferenceProfileIdentifier: {
    kind: "text",
    min: 1,
    max: 2048,
    pattern:
      /^(arn:aws(|-us-gov|-cn|-iso|-iso-b):bedrock:(|[0-9a-z-]{0,20}):(|[0-9]{12}):(inference-profile|application-inference-profile)\/)?[a-zA-Z0-9\-:.]+$/,
  },
});
const PROFILE_FILTERS = object({
  maxResults: PAGE_LENGTH,
  nextToken: PAGE_TOKEN,
  typeEquals: oneOf("SYSTEM_DEFINED", "APPLICATION"),
});

/** The models and profiles of one account, as one region shows them. */
export class Catalogue {
  readonly #account: Account;
  readonly #region: string | undefined;

  /** A region of undefined (a bearer token names none) knows every profile. */
  constructor(account: Account, region: string | undefined) {
    this.#account = account;
    this.#region = region;
  }

  /** The foundation models, which every region has. */
  get models(): readonly EmulatedModel[] {
    return this.#account.models;
  }

  /** Whether Mantle is asked on a path that the runtime has, too: by what is signed for, and of a key by the model. */
  asksMantle(service: string | undefined, modelId: string): boolean {
    if (service !== undefined) return service === "bedrock-mantle";
    return this.#account.mantleModels.some((model) => model.modelId === modelId);
  }

  /** Finds the model of a call on a path of Mantle. Throws `AwsError` for one that is not there or answers on others. */
  mantleModel(modelId: string, path: string): MantleModel {
    return mantleModelOn(path, this.#account.mantleModels, modelId);
  }

  /** Answers ListFoundationModels. Throws `AwsError` for a filter value outside its enumeration. */
  listFoundationModels(query: Query): object {
    checkShape(query, MODEL_FILTERS);
    const provider = query["byProvider"]?.toLowerCase();
    const has = (values: readonly string[], wanted: string | undefined): boolean =>
      wanted === undefined || values.includes(wanted);
    const found = this.models.filter(
      (model) =>
        has([model.providerName.toLowerCase()], provider) &&
        has(model.customizationsSupported, query["byCustomizationType"]) &&
        has(model.outputModalities, query["byOutputModality"]) &&
        has(model.inferenceTypesSupported, query["byInferenceType"]),
    );
    return { modelSummaries: found.map((model) => this.#describeModel(model)) };
  }

  /** Answers GetFoundationModel. Throws `AwsError` for an id or ARN that is not one of the region's models. */
  getFoundationModel(identifier: string): object {
    return { modelDetails: this.#describeModel(this.findModel(identifier)) };
  }

  /** Answers one page of ListInferenceProfiles. Throws `AwsError` for a wrong page length, type or token. */
  listInferenceProfiles(query: Query): object {
    // Without a type the service lists only its own profiles: https://github.com/aws/aws-cli/issues/9728
    const { type = "SYSTEM_DEFINED", nextToken } = query;
    const maxResults = wholeNumber(query, "maxResults");
    checkShape({ maxResults, nextToken, typeEquals: type }, PROFILE_FILTERS);
    const length = maxResults ?? DEFAULT_PAGE;
    const start = readPageToken(nextToken);
    const found = this.offeredProfiles().filter((profile) => profile.type === type);
    const end = start + length;
    return {
      inferenceProfileSummaries: found.slice(start, end).map((profile) => this.#describeProfile(profile)),
      nextToken: end < found.length ? writePageToken(end) : undefined,
    };
  }

  /** Answers GetInferenceProfile. Throws `AwsError` for what is no id or ARN, and ResourceNotFoundException for an unknown one. */
  getInferenceProfile(identifier: string): object {
    checkShape({ inferenceProfileIdentifier: identifier }, PROFILE_LOOKUP);
    return this.#describeProfile(this.findAnyProfile(identifier));
  }

  /**
   * Finds what a model id, model ARN, profile id or profile ARN of a call stands for. Throws `AwsError` in AWS's words
   * for an unknown id and for a model that cannot be called without a profile.
   */
  resolveModel(identifier: string): ResolvedModel {
    const profile = this.#findProfile(
      identifier,
      // A call takes an application profile by its ARN only.
      ({ inferenceProfileId, type }) => inferenceProfileId === identifier && type === "SYSTEM_DEFINED",
    );
    if (profile !== undefined) return { model: this.findModel(profile.modelId), profile };
    const model = this.findModel(identifier);
    if (!model.inferenceTypesSupported.includes("ON_DEMAND")) {
      throw validationError(
        `Invocation of model ID ${identifier} with on-demand throughput isn’t supported. Retry your request with the ` +
          `ID or ARN of an inference profile that contains this model.`,
      );
    }
    return { model, profile: undefined };
  }

  /** Finds a model by id or ARN. Throws `AwsError` in AWS's words for an unknown one. */
  findModel(identifier: string): EmulatedModel {
    const here = this.#regionOf(identifier);
    const found = this.models.find(
      ({ modelId }) => modelId === identifier || here.modelArn(modelId) === identifier,
    );
    if (found === undefined) throw validationError("The provided model identifier is invalid.");
    return found;
  }

  /** Finds a profile by id or ARN, as looking it up takes them. Throws `AwsError` for an unknown one. */
  findAnyProfile(identifier: string): EmulatedProfile {
    const found = this.#findProfile(
      identifier,
      ({ inferenceProfileId }) => inferenceProfileId === identifier,
    );
    if (found !== undefined) return found;
    throw new AwsError("ResourceNotFoundException", "The specified inference profile could not be found.");
  }

  #findProfile(
    identifier: string,
    hasId: (profile: EmulatedProfile) => boolean,
  ): EmulatedProfile | undefined {
    const here = this.#regionOf(identifier);
    return here
      .offeredProfiles()
      .find((profile) => hasId(profile) || here.profileArn(profile) === identifier);
  }

  /** Without a region an ARN names its own. */
  #regionOf(identifier: string): Catalogue {
    if (this.#region !== undefined) return this;
    return new Catalogue(this.#account, /^arn:[^:]+:bedrock:([^:]+):/.exec(identifier)?.[1]);
  }

  /** The profiles that the region lists, the account's own among them. */
  offeredProfiles(): EmulatedProfile[] {
    const region = this.#region;
    return this.#account.profiles.filter(
      ({ sourceRegions }) =>
        region === undefined || sourceRegions.some((prefix) => region.startsWith(prefix)),
    );
  }

  /** The ARN of a foundation model in a region; an empty region makes the region-less ARN of global profiles. */
  modelArn(modelId: string, region = this.#region ?? ""): string {
    return `arn:${this.#partition()}:bedrock:${region}::foundation-model/${modelId}`;
  }

  profileArn({ type, inferenceProfileId }: EmulatedProfile): string {
    const kind = type === "APPLICATION" ? "application-inference-profile" : "inference-profile";
    return this.accountArn(`${kind}/${inferenceProfileId}`);
  }

  /** The ARN of something of the account's own, such as `guardrail/abc`. */
  accountArn(resource: string, service = "bedrock"): string {
    return `arn:${this.#partition()}:${service}:${this.#region ?? ""}:${this.#account.id}:${resource}`;
  }

  /** The ARN of a bucket of Amazon S3, or of what a key or a pattern stands for in it. */
  storageArn(bucket: string, key = ""): string {
    return `arn:${this.#partition()}:s3:::${bucket}${key === "" ? "" : `/${key}`}`;
  }

  destinationArns({ modelId, destinations }: EmulatedProfile): string[] {
    return destinations.map((destination) =>
      this.modelArn(modelId, destination === "source" ? this.#region : destination),
    );
  }

  #partition(): string {
    return partitionOfRegion(this.#region ?? "");
  }

  #describeModel(model: EmulatedModel): object {
    const summary = Object.fromEntries(TOLD_OF_MODELS.map((name) => [name, model[name]]));
    return { modelArn: this.modelArn(model.modelId), ...summary };
  }

  #describeProfile(profile: EmulatedProfile): object {
    const { inferenceProfileName, description, createdAt, updatedAt, inferenceProfileId, type } = profile;
    return {
      inferenceProfileName,
      description,
      createdAt,
      updatedAt,
      inferenceProfileArn: this.profileArn(profile),
      models: this.destinationArns(profile).map((modelArn) => ({ modelArn })),
      inferenceProfileId,
      status: "ACTIVE",
      type,
    };
  }
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
