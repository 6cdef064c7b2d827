import { isListedType, parseArn } from "../aws/arn.ts";
import { regionOfBaseUrl } from "../aws/region.ts";
import type { Configuration, ConfiguredModel } from "../config/settings.ts";
import { type CatalogEntry, lookUpCatalog } from "./catalog.ts";
import type { Discovered, FoundationModel, InferenceProfile } from "./discovered.ts";
import { canConverse } from "./families.ts";
import { baseOf, basesOf, idOfProfile, listedBase, listedId } from "./listed-id.ts";
import { orderModels } from "./model-order.ts";
import { speaksOpenai } from "./provider-api.ts";
import { matchesProvider } from "./provider-filter.ts";

/** Prices in USD per million tokens. */
export interface Cost {
  input: number;
  output: number;
  cacheRead?: number;
  cacheWrite?: number;
}

export type InputKind = "text" | "image" | "document";

/** One line of `models list`, in the words of its `--json` document. */
export interface ListedModel {
  /** `<provider id>/<model id>`: what `--model` and `models set` take. */
  key: string;
  id: string;
  name: string;
  provider: string;
  kind: "foundation-model" | "inference-profile" | "application-profile" | "configured";
  /** Kinds of input, joined: `text+image`. */
  input: string;
  /** Tokens. */
  contextWindow: number;
  /** The most output tokens. */
  maxTokens: number;
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
  /** Ids that the servers of providers without models in their settings list, by provider. */
  served?: ReadonlyMap<string, readonly string[]> | undefined;
  settings: { providerFilter: readonly string[]; defaultContextWindow: number; defaultMaxTokens: number };
  defaults: { primary: string | undefined; fallbacks: readonly string[] };
  hasCredentials: boolean;
  /** `--region`: goes before the region of a provider's `baseUrl`. */
  regionFlag?: string | undefined;
  /** Also what cannot be called as it stands: legacy, provisioned-only and profile-only models. */
  all: boolean;
  providers: readonly string[];
  search: string | undefined;
}

const BEDROCK = "amazon-bedrock";

/**
 * Makes the list that people see: filters what AWS told, joins profiles with their base models, merges the config in
 * and sorts. Pure: everything comes in as an argument.
 */
export function listModels(input: ListInput): ListedModel[] {
  const { discovered } = input;
  const found = discovered ? listDiscovered(input, discovered) : new Map<string, Candidate>();
  const shown: ListedModel[] = [];
  const seen = new Set<string>();
  for (const entry of configuredEntries(input)) {
    if (seen.has(entry.key)) continue;
    seen.add(entry.key);
    shown.push(describeConfigured(input, entry, candidateFor(entry, input, found)));
  }
  const rest = [...found.values()]
    .filter(({ order }) => !seen.has(`${BEDROCK}/${order.id}`))
    .filter(
      ({ isHidden, provider, vendor }) =>
        !isHidden && matchesProvider(input.settings.providerFilter, provider, vendor),
    );
  const ordered = orderModels(rest, ({ order }) => order).map(({ describe }) => describe());
  return [...shown, ...ordered].filter((model) => isWanted(model, input));
}

/**
 * Describes one model that was named, listed or not; its facts come from `baseId` where its own id tells nothing. Facts
 * that nobody knows are the defaults.
 */
export function describeNamed(
  input: ListInput,
  { key, id, providerId, configured }: NamedModel,
  baseId?: string,
): ListedModel {
  const found = input.discovered ? listDiscovered(input, input.discovered) : new Map<string, Candidate>();
  const entry = { key, id, providerId, model: configured };
  return describeConfigured(input, entry, candidateFor(entry, input, found), baseId);
}

function candidateFor(
  { id, providerId }: ConfiguredEntry,
  { config, discovered }: ListInput,
  found: ReadonlyMap<string, Candidate>,
): Candidate | undefined {
  if (!discovered || !speaksConverse(providerId, config)) return undefined;
  return found.get(listedId(id, discovered) ?? id);
}

/** A model as a person named it. */
interface NamedModel {
  key: string;
  id: string;
  providerId: string;
  configured: ConfiguredModel | undefined;
}

interface Candidate {
  /** Describes it, which is the dear part: most of what AWS lists is shown to nobody. */
  describe: () => ListedModel;
  base: FoundationModel | undefined;
  provider: string;
  vendor: string;
  order: { provider: string; baseName: string; id: string };
  isHidden: boolean;
}

function listDiscovered(input: ListInput, discovered: Discovered): Map<string, Candidate> {
  const bases = basesOf(discovered);
  const streaming = discovered.models.filter(streamsText);
  const profiles = discovered.profiles
    .map((profile) => ({ profile, base: baseOf(profile, bases) }))
    .filter(({ base }) => base !== undefined && streamsText(base));
  const reached = new Set(
    profiles
      .filter(({ profile, base }) => profile.isActive && base?.lifecycle === "ACTIVE")
      .map(({ base }) => base?.id),
  );
  const found = new Map<string, Candidate>();
  for (const model of streaming) {
    const needsProfile = model.inferenceTypes !== undefined && !model.inferenceTypes.includes("ON_DEMAND");
    const isProvisionedOnly =
      needsProfile && (model.inferenceTypes?.join() === "PROVISIONED" || CONTEXT_VARIANT.test(model.id));
    const isLegacy = model.lifecycle !== "ACTIVE";
    const tags = [
      ...(isProvisionedOnly ? ["provisioned"] : needsProfile ? ["needs-profile"] : []),
      ...(isLegacy ? ["legacy"] : []),
    ];
    found.set(model.id, {
      describe: () =>
        describeDiscovered(input, model.id, model.name, "foundation-model", model, [discovered.region], tags),
      base: model,
      provider: model.provider,
      vendor: vendorOf(model),
      order: { provider: model.provider, baseName: model.name, id: model.id },
      isHidden: !input.all && (isLegacy || isProvisionedOnly || (needsProfile && reached.has(model.id))),
    });
  }
  for (const { profile, base } of profiles) {
    if (!base) continue;
    const id = idOfProfile(profile);
    const isLegacy = base.lifecycle !== "ACTIVE";
    const kind = profile.isApplication ? "application-profile" : "inference-profile";
    found.set(id, {
      describe: () =>
        describeDiscovered(
          input,
          id,
          profile.name,
          kind,
          base,
          regionsOf(profile),
          isLegacy ? ["legacy"] : [],
        ),
      base,
      provider: base.provider,
      vendor: vendorOf(base),
      order: { provider: base.provider, baseName: base.name, id },
      isHidden: !input.all && (isLegacy || !profile.isActive),
    });
  }
  return found;
}

/** The form of ids that exist for provisioned throughput only: `anthropic.claude-3-haiku-20240307-v1:0:48k`. */
const CONTEXT_VARIANT = /:\d+k$/;

/** Whether a foundation model can be asked for text through ConverseStream. */
function streamsText(model: FoundationModel): boolean {
  const takesText = model.input.includes("TEXT");
  return model.streams === true && takesText && model.output.includes("TEXT") && canConverse(model.id);
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

function vendorOf(model: FoundationModel): string {
  const dot = model.id.indexOf(".");
  return dot < 0 ? model.id : model.id.slice(0, dot);
}

function describeDiscovered(
  input: ListInput,
  id: string,
  name: string,
  kind: ListedModel["kind"],
  base: FoundationModel,
  regions: string[],
  tags: string[],
): ListedModel {
  const catalog = lookUpCatalog(id) ?? (id === base.id ? undefined : lookUpCatalog(base.id));
  return {
    key: `${BEDROCK}/${id}`,
    id,
    name,
    provider: base.provider,
    kind,
    input: (catalog?.input ?? inputKindsOf(base)).join("+"),
    ...limitsOf(undefined, catalog, input.settings),
    reasoning: catalog?.reasoning ?? false,
    cost: catalog?.cost ?? null,
    regions,
    available: input.hasCredentials && base.lifecycle === "ACTIVE" && tags.length === 0,
    missing: false,
    tags: [...aliasTags(`${BEDROCK}/${id}`, id, input), ...tags],
  };
}

function describeConfigured(
  input: ListInput,
  { key, id, providerId, model }: ConfiguredEntry,
  candidate: Candidate | undefined,
  baseId: string | undefined = candidate?.base?.id,
): ListedModel {
  const listed = candidate?.describe();
  const isBedrock = speaksConverse(providerId, input.config);
  const catalog = isBedrock
    ? (lookUpCatalog(id) ?? (baseId === undefined ? undefined : lookUpCatalog(baseId)))
    : undefined;
  const region = isBedrock ? regionOf(input, id, providerId) : undefined;
  const isElsewhere = region !== undefined && region !== input.discovered?.region;
  const isAbsent = isBedrock && !candidate && !isElsewhere;
  // AWS lists it, but it does not stream text.
  const unfit = isAbsent && input.discovered ? listedBase(id, input.discovered) : undefined;
  const isUnfit = unfit !== undefined;
  const isMissing = isAbsent && !isUnfit && wouldBeListed(id, input.discovered);
  const listedModel = candidate?.base ?? unfit;
  const inputKinds = model?.input ?? catalog?.input ?? (listedModel ? inputKindsOf(listedModel) : ["text"]);
  return {
    key,
    id,
    name: model?.name || listed?.name || catalog?.name || unfit?.name || id,
    provider:
      listed?.provider ?? unfit?.provider ?? catalog?.provider ?? (isBedrock ? vendorOfId(id) : providerId),
    kind: listed?.kind ?? "configured",
    input: inputKinds.join("+"),
    ...limitsOf(model, catalog, input.settings),
    reasoning: model?.reasoning ?? catalog?.reasoning ?? false,
    cost: costOf(model) ?? catalog?.cost ?? null,
    regions: isElsewhere ? [region] : (listed?.regions ?? (region === undefined ? [] : [region])),
    available: !isBedrock || (input.hasCredentials && !isMissing && !isUnfit && (listed?.available ?? true)),
    missing: isMissing,
    tags: [
      ...new Set([
        ...tagsOf(key, id, input, model !== undefined),
        ...(listed?.tags ?? []),
        ...(isUnfit ? ["no-chat"] : []),
        ...(isMissing ? ["missing"] : []),
      ]),
    ],
  };
}

/** Whether a provider's models are called through Converse: those of Amazon Bedrock, and of providers that say so. */
function speaksConverse(providerId: string, config: Configuration): boolean {
  return !speaksOpenai({ providerId, provider: config.models?.providers?.[providerId] });
}

/** The region that a configured model names: by its ARN, or by its provider's `baseUrl`. */
function regionOf({ config, regionFlag }: ListInput, id: string, providerId: string): string | undefined {
  const region = parseArn(id)?.region;
  if (region) return region;
  const { baseUrl, models = [] } = config.models?.providers?.[providerId] ?? {};
  if (regionFlag !== undefined || baseUrl === undefined || !models.some((model) => model.id === id))
    return undefined;
  return regionOfBaseUrl(baseUrl);
}

/** Whether AWS's lists would hold a model of this id if it existed: not when they could not be had whole. */
function wouldBeListed(id: string, discovered: Discovered | undefined): boolean {
  if (!discovered) return false;
  const arn = parseArn(id);
  if (arn && !isListedType(arn)) return false;
  return arn?.resourceType === "foundation-model" || discovered.warnings.length === 0;
}

/**
 * The vendor part of an id that AWS did not list: its first part, or its second behind a profile's prefix. What an account
 * made itself has none.
 */
function vendorOfId(id: string): string {
  const arn = parseArn(id);
  const parts = (arn?.resourceId ?? id).split(".");
  const [first = id, second] = parts;
  if (arn && second === undefined) return "custom";
  return second !== undefined &&
    parts.length > 2 &&
    /^[a-z]{2,6}(-[a-z]+)?$/.test(first) &&
    /^[a-z][a-z0-9]+$/.test(second)
    ? second
    : first;
}

function limitsOf(
  model: ConfiguredModel | undefined,
  catalog: CatalogEntry | undefined,
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
  return {
    input: cost.input ?? 0,
    output: cost.output ?? 0,
    ...omitUndefined({ cacheRead: cost.cacheRead, cacheWrite: cost.cacheWrite }),
  };
}

function omitUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function inputKindsOf(model: FoundationModel): InputKind[] {
  return ["text", ...(model.input.includes("IMAGE") ? (["image"] as const) : [])];
}

interface ConfiguredEntry {
  key: string;
  id: string;
  providerId: string;
  model: ConfiguredModel | undefined;
}

/** Default, fallbacks, then the other models of configured providers in the order of the file. */
function configuredEntries({ config, defaults, served }: ListInput): ConfiguredEntry[] {
  const entry = (providerId: string, id: string, model?: ConfiguredModel): ConfiguredEntry => ({
    key: `${providerId}/${id}`,
    id,
    providerId,
    model,
  });
  const configured = Object.entries(config.models?.providers ?? {}).flatMap(([providerId, { models = [] }]) =>
    models
      .map((model) => entry(providerId, model.id, model))
      .concat((served?.get(providerId) ?? []).map((id) => entry(providerId, id))),
  );
  const byKey = new Map(configured.map((entry) => [entry.key, entry]));
  const named = [defaults.primary, ...defaults.fallbacks]
    .filter((text): text is string => text !== undefined)
    .map((text): ConfiguredEntry => {
      const key = keyOf(text, config);
      const slash = key.indexOf("/");
      return (
        byKey.get(key) ?? { key, id: key.slice(slash + 1), providerId: key.slice(0, slash), model: undefined }
      );
    });
  return [...named, ...configured];
}

/** The key that a default, alias or bare id stands for. */
export function keyOf(text: string, config: Configuration): string {
  for (const [key, { alias }] of Object.entries(config.agents?.defaults?.models ?? {})) {
    if (alias === text) return key.includes("/") && !key.startsWith("arn:") ? key : `${BEDROCK}/${key}`;
  }
  const providerIds = [BEDROCK, ...Object.keys(config.models?.providers ?? {})];
  return providerIds.some((providerId) => text.startsWith(`${providerId}/`)) ? text : `${BEDROCK}/${text}`;
}

function aliasTags(key: string, id: string, { config }: ListInput): string[] {
  const entries = config.agents?.defaults?.models ?? {};
  const alias = (entries[key] ?? entries[id])?.alias;
  return alias ? [`alias:${alias}`] : [];
}

function tagsOf(key: string, id: string, input: ListInput, isConfigured: boolean): string[] {
  const { config, defaults } = input;
  const isNamed = (text: string | undefined): boolean => text !== undefined && keyOf(text, config) === key;
  const fallback = defaults.fallbacks.findIndex(isNamed);
  return [
    ...(isNamed(defaults.primary) ? ["default"] : []),
    ...(fallback >= 0 ? [`fallback#${fallback + 1}`] : []),
    ...(isConfigured ? ["configured"] : []),
    ...aliasTags(key, id, input),
  ];
}

function isWanted(model: ListedModel, { providers, search }: ListInput): boolean {
  if (providers.length > 0 && !matchesProvider(providers, model.provider, vendorOfId(model.id))) return false;
  if (search === undefined) return true;
  const text = search.toLowerCase();
  return [model.key, model.name].some((field) => field.toLowerCase().includes(text));
}
