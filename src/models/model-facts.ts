import { describeModelArn, parseArn } from "../aws/arn.ts";
import type { ConfiguredModel } from "../config/settings.ts";
import { type CatalogEntry, lookUpCatalog, lookUpUndated } from "./catalog.ts";
import type { Discovered, FoundationModel } from "./discovered.ts";
import { embeddingOf } from "./embedders.ts";
import { reachesEveryRegion, regionsOf } from "./callable.ts";
import { costOf, kindOf, type ListedModel } from "./list.ts";
import { baseOf, basesOf, findProfile, idOfProfile } from "./listed-id.ts";

/** What AWS tells about a resource that its lists of models do not hold. */
export interface ArnFacts {
  name: string | undefined;
  /** In AWS's words. */
  status: string | undefined;
  /** ARNs of the models or profiles behind it, the one that answers for the others last. */
  targets: string[];
  /** The foundation model it was made from, as an id or ARN; undefined when there are several or none. */
  base: string | undefined;
  /** For imported models: the architecture, such as `llama3`. */
  architecture?: string | undefined;
}

export type FactSource = "config" | "catalog" | "aws" | "default";

export interface Reach {
  id: string;
  name: string;
  /** Where it may send a request. */
  regions: string[];
  /** Whether it may go to any other region of the partition, too. */
  everyRegion: boolean;
}

export interface BaseFacts {
  id: string;
  name: string;
  arn: string;
  /** In AWS's words, upper case. */
  inputModalities: string[];
  outputModalities: string[];
  /** Null where AWS does not say. */
  streaming: boolean | null;
  inferenceTypes: string[] | null;
  lifecycle: {
    status: string;
    /** ISO 8601; null where AWS does not say. */
    startOfLife: string | null;
    legacyFrom: string | null;
    extendedAccessFrom: string | null;
    endOfLife: string | null;
  };
}

/** What an ARN says by itself, and what AWS says about it. */
export interface ArnDescription {
  arn: string;
  /** What it names, in words. */
  names: string;
  partition: string;
  region: string;
  account: string;
  /** In AWS's words; null where it was not asked. */
  status: string | null;
  /** Of an imported model, in AWS's words; null for others. */
  architecture: string | null;
  /** ARNs of the models or profiles behind it. */
  targets: string[];
}

/** Everything known about one model, and where each fact comes from: the document of `models show`. */
export interface ModelFacts extends Omit<ListedModel, "kind"> {
  kind: ListedModel["kind"] | "other";
  description: string | null;
  /** Whether a request may go to any other region of the partition, too. */
  everyRegion: boolean;
  priceSource: "config" | "catalog" | null;
  sources: {
    name: FactSource | null;
    input: FactSource;
    contextWindow: FactSource;
    /** Null for a model that puts out no tokens. */
    maxTokens: FactSource | null;
    reasoning: FactSource | null;
  };
  /** The foundation model that answers in the end; null where it is not known. */
  base: BaseFacts | null;
  profiles: Reach[];
  arn: ArnDescription | null;
  /** Levels of `--reasoning` that the model takes; null where they are not known. */
  reasoningLevels: string[] | null;
  /** The lengths that its vectors may have, the usual one first; null for a model that makes none. */
  dimensions: readonly number[] | null;
}

/** A model that a person named, as config and AWS's lists know it. */
export interface KnownModel {
  model: ListedModel;
  /** The foundation model behind it, as AWS lists it. */
  base: FoundationModel | undefined;
  /** Its id, also where AWS's lists do not hold it. */
  baseId: string | undefined;
  arnFacts: ArnFacts | undefined;
}

interface FactsInput extends KnownModel {
  configured: ConfiguredModel | undefined;
  discovered: Discovered | undefined;
  reasoningLevels: string[] | undefined;
}

/** Puts together what config, catalog and AWS know about a model. */
export function modelFacts(input: FactsInput): ModelFacts {
  const { model, configured, discovered, base, baseId, arnFacts, reasoningLevels } = input;
  const lookUp = base?.endpoint === "bedrock-mantle" ? lookUpUndated : lookUpCatalog;
  const catalog = lookUp(model.id) ?? (baseId === undefined ? undefined : lookUpCatalog(baseId));
  const profile = discovered && findProfile(model.id, discovered);
  const isOther = model.kind === "configured" && configured === undefined;
  return {
    ...model,
    name: configured?.name || (arnFacts?.name ?? model.name),
    kind: profile || base ? kindOf(profile) : isOther ? "other" : model.kind,
    description: profile?.description ?? null,
    everyRegion: profile !== undefined && reachesEveryRegion(profile),
    priceSource: model.cost ? (costOf(configured) ? "config" : "catalog") : null,
    sources: sourcesOf(input, catalog, profile !== undefined),
    base: base ? describeBase(base) : null,
    profiles: discovered && base && !profile ? profilesReaching(base, discovered) : [],
    arn: describeArn(model.id, arnFacts),
    reasoningLevels: reasoningLevels ?? null,
    dimensions: (model.api === null && embeddingOf(baseId ?? model.id)?.dimensions) || null,
  };
}

function sourcesOf(
  { configured, base, arnFacts, model }: FactsInput,
  catalog: CatalogEntry | undefined,
  isProfile: boolean,
): ModelFacts["sources"] {
  const source = (own: unknown, known: unknown, otherwise: FactSource): FactSource =>
    own !== undefined ? "config" : known !== undefined ? "catalog" : otherwise;
  const isNamedByAws = base !== undefined || isProfile || arnFacts?.name !== undefined;
  return {
    name: configured?.name ? "config" : isNamedByAws ? "aws" : model.name === model.id ? null : "catalog",
    input: source(configured?.input, catalog?.input, base ? "aws" : "default"),
    contextWindow: source(
      configured?.contextWindow,
      model.maxTokens === null ? model.contextWindow : catalog?.contextWindow,
      "default",
    ),
    maxTokens: model.maxTokens === null ? null : source(configured?.maxTokens, catalog?.maxTokens, "default"),
    reasoning:
      configured?.reasoning !== undefined ? "config" : catalog?.reasoning === undefined ? null : "catalog",
  };
}

function describeBase(base: FoundationModel): BaseFacts {
  return {
    id: base.id,
    name: base.name,
    arn: base.arn,
    inputModalities: base.input,
    outputModalities: base.output,
    streaming: base.streams ?? null,
    inferenceTypes: base.inferenceTypes ?? null,
    lifecycle: {
      status: base.lifecycle,
      startOfLife: base.startOfLife ?? null,
      legacyFrom: base.legacyFrom ?? null,
      extendedAccessFrom: base.extendedAccessFrom ?? null,
      endOfLife: base.endOfLife ?? null,
    },
  };
}

function describeArn(id: string, facts: ArnFacts | undefined): ArnDescription | null {
  const arn = parseArn(id);
  if (!arn) return null;
  const { partition, region, account, resourceType } = arn;
  return {
    arn: id,
    names: describeModelArn(arn) ?? resourceType,
    partition,
    region,
    account,
    status: facts?.status ?? null,
    architecture: facts?.architecture ?? null,
    targets: facts?.targets ?? [],
  };
}

function profilesReaching(base: FoundationModel, discovered: Discovered): Reach[] {
  const bases = basesOf(discovered);
  return discovered.profiles
    .filter((profile) => profile.isActive && baseOf(profile, bases)?.id === base.id)
    .map((profile) => ({
      id: idOfProfile(profile),
      name: profile.name,
      regions: regionsOf(profile),
      everyRegion: reachesEveryRegion(profile),
    }));
}
