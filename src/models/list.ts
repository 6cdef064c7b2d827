import { isListedType, parseArn } from "../aws/arn.ts";
import { regionOfBaseUrl } from "../aws/region.ts";
import type { Configuration, ConfiguredModel } from "../config/settings.ts";
import { atOnce, type Steps } from "../next-turn.ts";
import { withoutPrefix } from "./base-model-id.ts";
import { type CatalogEntry, type Cost, lookUpCatalog, lookUpUndated } from "./catalog.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "./discovered.ts";
import { embeddingOf } from "./embedders.ts";
import { embedsText, isProvisionedOnly, regionsOf, streamsText } from "./callable.ts";
import { mediaKindsOf } from "./families.ts";
import { baseOf, basesOf, idOfProfile, listedBase, listedId } from "./listed-id.ts";
import { orderModels } from "./model-order.ts";
import { type ApiName, apiName, apiOf, BEDROCK, MANTLE, isServed } from "./provider-api.ts";
import { matchesProvider } from "./provider-filter.ts";
import { resolveModel } from "./resolve-model.ts";

export type InputKind = "text" | "image" | "document" | "video" | "audio";

/** One line of `models list`, in the words of its `--json` document. */
export interface ListedModel {
  /** `<provider id>/<model id>`: what `--model` and `models set` take. */
  key: string;
  id: string;
  name: string;
  provider: string;
  kind: "foundation-model" | "inference-profile" | "application-profile" | "configured";
  /** The API that it is called by first; null for a model of embeddings, which InvokeModel alone takes. */
  api: ApiName | null;
  /** Kinds of input, joined: `text+image`. */
  input: string;
  /** Tokens. */
  contextWindow: number;
  /** The most output tokens; null for a model of embeddings, which puts out none. */
  maxTokens: number | null;
  limitsSource: "config" | "catalog" | "default";
  reasoning: boolean;
  cost: Cost | null;
  /** Regions that can answer: destinations of a profile, or the region of the list. */
  regions: string[];
  /** Whether this identity has credentials for it and AWS lists it. */
  available: boolean;
  /** Configured, but not among what AWS lists. */
  missing: boolean;
  tags: string[];
}

export interface ListInput {
  config: Configuration;
  /** Undefined when nothing was discovered: then only the config speaks. */
  discovered: Discovered | undefined;
  /** What the endpoint `bedrock-mantle` lists, where its provider is configured. */
  mantle?: Discovered | undefined;
  /** Ids that the servers of providers without models in their settings list, by provider. */
  served?: ReadonlyMap<string, readonly string[]> | undefined;
  settings: { providerFilter: readonly string[]; defaultContextWindow: number; defaultMaxTokens: number };
  defaults: { primary: string | undefined; fallbacks: readonly string[] };
  hasCredentials: boolean;
  /** `--region`: goes before the region of a provider's `baseUrl`. */
  regionFlag?: string | undefined;
  /** Also what cannot be called as it stands: legacy, provisioned-only and profile-only models. */
  all: boolean;
  /** Lists what turns texts into vectors in place of what answers. */
  embeddings?: boolean | undefined;
  providers: readonly string[];
  search: string | undefined;
}

/** What keeps a model out of a list: that it cannot be called as it stands, where not all are asked for, or a filter. */
export type LeftOutBy = "all" | "search" | "providers" | "providerFilter";

/** A model that a list leaves out, and the first thing that does so: the configured filter goes before those of a call. */
export interface LeftOut {
  model: ListedModel;
  by: LeftOutBy;
}

/** A list, and all that is not in it. */
export interface SiftedModels {
  models: ListedModel[];
  /** Described only for who asks. */
  leftOut: () => LeftOut[];
}

/**
 * Makes the list that people see: filters what AWS told, joins profiles with their base models, merges the config in
 * and sorts. Pure: everything comes in as an argument.
 */
export function listModels(input: ListInput): ListedModel[] {
  return siftModels(input).models;
}

/** Makes the same list, and has what is left out of it at hand. */
export function siftModels(input: ListInput): SiftedModels {
  return atOnce(siftingModels(input));
}

/** The same in steps. */
export function* siftingModels(input: ListInput): Steps<SiftedModels> {
  const found = listDiscovered(input);
  const asked = askedModels(input);
  const named = new Map<string, NamedModel>();
  for (const model of namedModels(input, asked)) {
    if (!named.has(model.key) && (!input.embeddings || embeddingOf(model.id) !== undefined))
      named.set(model.key, model);
    yield;
  }
  const rest = [...found.values()].filter(({ key }) => !named.has(key));
  const passesFilter = ({ base }: Candidate): boolean =>
    matchesProvider(input.settings.providerFilter, base.provider, base.id.split(".", 1)[0] ?? "");
  const isShown = (candidate: Candidate): boolean => !candidate.isHidden && passesFilter(candidate);
  const describeFound = (candidate: Candidate): ListedModel => {
    const { key, id, providerId } = candidate;
    return describe(input, { key, id, providerId, configured: undefined }, asked, candidate);
  };
  const ordered = orderModels(rest.filter(isShown), ({ id, base }) => ({
    provider: base.provider,
    baseName: base.name,
    id,
  }));
  const described: ListedModel[] = [];
  for (const model of named.values()) {
    described.push(describe(input, model, asked, candidateFor(model, input, found)));
    yield;
  }
  for (const candidate of ordered) {
    described.push(describeFound(candidate));
    yield;
  }
  return {
    models: described.filter((model) => unwantedBy(model, input) === undefined),
    leftOut: () => [
      ...described.flatMap((model): LeftOut[] => {
        const by = unwantedBy(model, input);
        return by ? [{ model, by }] : [];
      }),
      ...rest
        .filter((candidate) => !isShown(candidate))
        .map((candidate): LeftOut => {
          const model = describeFound(candidate);
          return {
            model,
            by: passesFilter(candidate) ? (unwantedBy(model, input) ?? "all") : "providerFilter",
          };
        }),
    ],
  };
}

/** Vectors cost nothing beside the text. Null for a model that gives none. */
export function costOfEmbedding(id: string): Cost | null {
  const embedding = embeddingOf(id);
  return embedding ? { input: embedding.price, output: 0 } : null;
}

/**
 * Describes one model that was named, listed or not; its facts come from `baseId` where its own id tells nothing. Facts
 * that nobody knows are the defaults.
 */
export function describeNamed(listed: ListInput, model: NamedModel, baseId?: string): ListedModel {
  const isEmbedder =
    isOfBedrock(model.providerId, listed.config) && embeddingOf(baseId ?? model.id) !== undefined;
  const input = { ...listed, embeddings: isEmbedder };
  const candidate = candidateFor(model, input, listDiscovered(input));
  return describe(input, model, askedModels(input), candidate, baseId);
}

function candidateFor(
  { key, id, providerId }: NamedModel,
  { config, discovered }: ListInput,
  found: ReadonlyMap<string, Candidate>,
): Candidate | undefined {
  if (providerId === MANTLE) return found.get(key);
  if (!discovered || !isOfBedrock(providerId, config)) return undefined;
  return found.get(`${BEDROCK}/${listedId(id, discovered) ?? id}`);
}

/** A model as a person or the config named it. */
interface NamedModel {
  key: string;
  id: string;
  providerId: string;
  configured: ConfiguredModel | undefined;
}

/** A model or profile of AWS's lists that gives text. Most of what AWS lists is shown to nobody, so it is described later. */
interface Candidate {
  key: string;
  id: string;
  providerId: string;
  base: FoundationModel;
  profile: InferenceProfile | undefined;
  /** Why it cannot be called as it stands. */
  tags: string[];
  isHidden: boolean;
}

function listDiscovered({ discovered, mantle, all, embeddings }: ListInput): Map<string, Candidate> {
  const found = embeddings
    ? candidatesIn(BEDROCK, discovered, all, embedsText)
    : [...candidatesIn(BEDROCK, discovered, all), ...candidatesIn(MANTLE, mantle, all)];
  return new Map(found.map((candidate) => [candidate.key, candidate]));
}

function candidatesIn(
  providerId: string,
  discovered: Discovered | undefined,
  all: boolean,
  isListed = streamsText,
): Candidate[] {
  const found: Candidate[] = [];
  if (!discovered) return found;
  const bases = basesOf(discovered);
  const profiles = discovered.profiles.flatMap((profile) => {
    const base = baseOf(profile, bases);
    return base && isListed(base) ? [{ profile, base }] : [];
  });
  const reached = new Set(
    profiles.flatMap(({ profile, base }) =>
      profile.isActive && base.lifecycle === "ACTIVE" ? [base.id] : [],
    ),
  );
  for (const base of discovered.models.filter(isListed)) {
    const { id, inferenceTypes } = base;
    const needsProfile = inferenceTypes !== undefined && !inferenceTypes.includes("ON_DEMAND");
    const isProvisioned = isProvisionedOnly(base);
    const isLegacy = base.lifecycle !== "ACTIVE";
    const tags = [
      ...(isProvisioned ? ["provisioned"] : needsProfile ? ["needs-profile"] : []),
      ...(isLegacy ? ["legacy"] : []),
    ];
    const isHidden = !all && (isLegacy || isProvisioned || (needsProfile && reached.has(id)));
    found.push({ key: `${providerId}/${id}`, id, providerId, base, profile: undefined, tags, isHidden });
  }
  for (const { profile, base } of profiles) {
    const id = idOfProfile(profile);
    const isLegacy = base.lifecycle !== "ACTIVE";
    const isHidden = !all && (isLegacy || !profile.isActive);
    const tags = isLegacy ? ["legacy"] : [];
    found.push({ key: `${providerId}/${id}`, id, providerId, base, profile, tags, isHidden });
  }
  return found;
}

/** What AWS's lists hold a model as: a profile, or a foundation model. */
export function kindOf(profile: InferenceProfile | undefined): ListedModel["kind"] {
  if (!profile) return "foundation-model";
  return profile.isApplication ? "application-profile" : "inference-profile";
}

function describe(
  input: ListInput,
  model: NamedModel,
  asked: AskedModels,
  candidate: Candidate | undefined,
  baseId: string | undefined = candidate?.base.id,
): ListedModel {
  const { key, id, providerId, configured } = model;
  const { config, hasCredentials } = input;
  const isMantle = providerId === MANTLE;
  const discovered = isMantle ? input.mantle : input.discovered;
  const isBedrock = candidate !== undefined || isOfBedrock(providerId, config);
  const catalog = isBedrock
    ? ((isMantle ? lookUpUndated(id) : lookUpCatalog(id)) ??
      (baseId === undefined ? undefined : lookUpCatalog(baseId)))
    : undefined;
  const region = isBedrock ? regionOf(input, id, providerId) : undefined;
  const isElsewhere = region !== undefined && region !== discovered?.region;
  const isAbsent = isBedrock && !candidate && !isElsewhere;
  // AWS lists it, but it does not stream text.
  const unfit = isAbsent && discovered ? listedBase(id, discovered) : undefined;
  const isMissing = isAbsent && !unfit && wouldBeListed(id, discovered);
  const base = candidate?.base ?? unfit;
  const listedRegions = candidate?.profile ? regionsOf(candidate.profile) : [discovered?.region ?? ""];
  const isReady = candidate ? candidate.base.lifecycle === "ACTIVE" && candidate.tags.length === 0 : !unfit;
  const inputKinds = inputKindsOf(configured, catalog, base);
  const listed = candidate?.profile ?? candidate?.base;
  const embedding = isBedrock ? embeddingOf(baseId ?? id) : undefined;
  const called = { providerId, provider: config.models?.providers?.[providerId], id: baseId ?? id };
  return {
    key,
    id,
    name: configured?.name || listed?.name || catalog?.name || unfit?.name || id,
    provider: base?.provider ?? catalog?.provider ?? (isBedrock ? vendorOfId(id) : providerId),
    kind: candidate ? kindOf(candidate.profile) : "configured",
    api: embedding ? null : apiName(apiOf(called)),
    input: inputKinds.join("+"),
    ...limitsOf(configured, embedding ? { contextWindow: embedding.mostTokens } : catalog, input.settings),
    ...(embedding ? { maxTokens: null } : {}),
    reasoning: configured?.reasoning ?? catalog?.reasoning ?? false,
    cost: costOf(configured) ?? catalog?.cost ?? costOfEmbedding(baseId ?? id),
    regions: candidate && !isElsewhere ? listedRegions : region === undefined ? [] : [region],
    available: !isBedrock || (hasCredentials && !isMissing && isReady),
    missing: isMissing,
    tags: [
      ...new Set([
        ...tagsOf(model, asked, config),
        // An alias of what AWS lists is one of its ARN and of another provider's model, too.
        ...(candidate && !isMantle ? aliasTags(candidate.key, candidate.id, config) : []),
        ...(candidate?.tags ?? []),
        ...(unfit ? ["no-chat"] : []),
        ...(isMissing ? ["missing"] : []),
      ]),
    ],
  };
}

/** Whether a provider's models are called in Amazon Bedrock. */
function isOfBedrock(providerId: string, config: Configuration): boolean {
  return !isServed({ providerId, provider: config.models?.providers?.[providerId] });
}

/** The region that a configured model names: by its ARN, or by its provider's `baseUrl`. */
function regionOf({ config, regionFlag }: ListInput, id: string, providerId: string): string | undefined {
  const region = parseArn(id)?.region;
  if (region) return region;
  const { baseUrl, models = [] } = config.models?.providers?.[providerId] ?? {};
  if (regionFlag !== undefined || baseUrl === undefined || !models.some((model) => model.id === id))
    return undefined;
  return regionOfBaseUrl(baseUrl, providerId === MANTLE ? "bedrock-mantle" : "bedrock-runtime");
}

/** Whether AWS's lists would hold a model of this id if it existed: not when they could not be had whole. */
function wouldBeListed(id: string, discovered: Discovered | undefined): boolean {
  if (!discovered) return false;
  const arn = parseArn(id);
  if (arn && !isListedType(arn)) return false;
  return arn?.resourceType === "foundation-model" || discovered.warnings.length === 0;
}

/** The vendor part of an id that AWS did not list. What an account made itself has none. */
function vendorOfId(id: string): string {
  const arn = parseArn(id);
  const name = withoutPrefix(arn?.resourceId ?? id);
  return arn && !name.includes(".") ? "custom" : (name.split(".", 1)[0] ?? name);
}

function limitsOf(
  model: ConfiguredModel | undefined,
  catalog: Partial<CatalogEntry> | undefined,
  settings: ListInput["settings"],
): Pick<ListedModel, "contextWindow" | "maxTokens" | "limitsSource"> {
  const isConfigured = model?.contextWindow !== undefined || model?.maxTokens !== undefined;
  const isKnown = catalog?.contextWindow !== undefined || catalog?.maxTokens !== undefined;
  return {
    contextWindow: model?.contextWindow ?? catalog?.contextWindow ?? settings.defaultContextWindow,
    maxTokens: model?.maxTokens ?? catalog?.maxTokens ?? settings.defaultMaxTokens,
    limitsSource: isConfigured ? "config" : isKnown ? "catalog" : "default",
  };
}

/** The configured price; undefined when there is none, or when it is all zeros, which means unknown. */
export function costOf(model: ConfiguredModel | undefined): Cost | undefined {
  const cost = model?.cost;
  if (!cost || Object.values(cost).every((price) => price === 0)) return undefined;
  const { input = 0, output = 0, cacheRead, cacheWrite } = cost;
  return {
    input,
    output,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
  };
}

/** What a model takes: by the configuration, else by the catalog and AWS's list. */
function inputKindsOf(
  configured: ConfiguredModel | undefined,
  catalog: CatalogEntry | undefined,
  base: FoundationModel | undefined,
): readonly InputKind[] {
  if (configured?.input) return configured.input;
  const listed = base?.input ?? [];
  const kinds = catalog?.input ?? ["text", ...(listed.includes("IMAGE") ? (["image"] as const) : [])];
  return [...new Set([...kinds, ...mediaKindsOf(listed)])];
}

/** The default model and its fallbacks as they are called. A name may have to be searched for: each is looked up once. */
interface AskedModels {
  primary: NamedModel | undefined;
  fallbacks: readonly NamedModel[];
}

function askedModels({
  config,
  defaults: { primary, fallbacks },
  discovered,
  mantle,
}: ListInput): AskedModels {
  const resolve = (text: string): NamedModel => {
    const model = resolveModel(text, config, discovered, mantle);
    return model.providerId === MANTLE ? resolveModel(model.key, config, mantle) : model;
  };
  return { primary: primary === undefined ? undefined : resolve(primary), fallbacks: fallbacks.map(resolve) };
}

/** Default, fallbacks, then the other models of configured providers in the order of the file. */
function namedModels({ config, served }: ListInput, { primary, fallbacks }: AskedModels): NamedModel[] {
  const named = (providerId: string, id: string, configured?: ConfiguredModel): NamedModel => ({
    key: `${providerId}/${id}`,
    id,
    providerId,
    configured,
  });
  const configured = Object.entries(config.models?.providers ?? {}).flatMap(([providerId, { models = [] }]) =>
    models
      .map((model) => named(providerId, model.id, model))
      .concat((served?.get(providerId) ?? []).map((id) => named(providerId, id))),
  );
  const byKey = new Map(configured.map((model) => [model.key, model]));
  const asked = [primary ?? [], ...fallbacks].flat().map((model) => byKey.get(model.key) ?? model);
  return [...asked, ...configured];
}

function aliasTags(key: string, id: string, config: Configuration): string[] {
  const entries = config.agents?.defaults?.models ?? {};
  const alias = (entries[key] ?? entries[id])?.alias;
  return alias ? [`alias:${alias}`] : [];
}

function tagsOf(
  { key, id, configured }: NamedModel,
  { primary, fallbacks }: AskedModels,
  config: Configuration,
): string[] {
  const fallback = fallbacks.findIndex((model) => model.key === key);
  return [
    ...(primary?.key === key ? ["default"] : []),
    ...(fallback >= 0 ? [`fallback#${fallback + 1}`] : []),
    ...(configured ? ["configured"] : []),
    // A bare id is Bedrock's.
    ...aliasTags(key, key === `${MANTLE}/${id}` ? key : id, config),
  ];
}

/** The filter of a call that a model does not pass. */
function unwantedBy(model: ListedModel, { providers, search }: ListInput): LeftOutBy | undefined {
  if (providers.length > 0 && !matchesProvider(providers, model.provider, vendorOfId(model.id)))
    return "providers";
  if (search === undefined) return undefined;
  const text = search.toLowerCase();
  return [model.key, model.name].some((field) => field.toLowerCase().includes(text)) ? undefined : "search";
}
