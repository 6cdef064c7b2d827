import { parseArn } from "../aws/arn.ts";
import { isRegionName } from "../aws/region.ts";
import type { Configuration, ConfiguredModel, ProviderSettings } from "../config/settings.ts";
import { OpenclawError, shorten } from "../errors.ts";
import { once } from "../once.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { withoutPrefix } from "./base-model-id.ts";
import { catalogIds } from "./catalog.ts";
import type { Discovered } from "./discovered.ts";
import { listedId } from "./listed-id.ts";
import { matchName } from "./match-name.ts";
import { foldedForms, foldName } from "./name-words.ts";
import { BEDROCK, hasMantle, isMantle, isServed, keyAtMantle, MANTLE } from "./provider-api.ts";

/** What is to be called: the lists of discovery, or one model. */
export type Target =
  | { kind: "discovery" }
  /** A model that discovery found, or that nobody knows; an ARN brings its own region. */
  | { kind: "model"; id: string; providerId: string }
  /** A model of the config, with the region of its provider's `baseUrl`. */
  | { kind: "configured-model"; id: string; providerId: string };

/** What a person typed, as a model that can be called. */
export interface ResolvedModel {
  /** `<provider id>/<model id>`. */
  key: string;
  providerId: string;
  /** What is sent to AWS: an id or an ARN. */
  id: string;
  provider: ProviderSettings | undefined;
  configured: ConfiguredModel | undefined;
}

/** The longest model id that Converse takes, in characters (ConversationalModelId of the service model). */
export const LONGEST_ID = 2048;

/**
 * The model that somebody asks for by name. Throws `model-not-found` for a name that is longer than any, for a provider
 * without a model behind it, and for a name that has a region before it, as LiteLLM writes it:
 * https://docs.litellm.ai/docs/providers/bedrock.
 */
export function namedModel(text: string, config: Configuration): ResolvedModel {
  if (text.length <= LONGEST_ID) {
    const model = resolveModel(text, config);
    if (model.id.trim() === "" && text.trim() !== "") {
      throw new OpenclawError("model-not-found", {
        message: `'${shorten(text.trim())}' names a provider and no model of it.`,
        hint: "List the models you can call: openclaw models list",
        details: { model: text.trim() },
      });
    }
    const [region = "", id = ""] = model.id.split(/\/(.*)/s);
    if (model.configured || model.providerId !== BEDROCK || !isRegionName(region) || id === "") return model;
    throw new OpenclawError("model-not-found", {
      message: `There is no model '${shorten(text.trim())}': its region is no part of its name.`,
      hint: `Name the region beside it: openclaw chat --region ${quoteForShell(region)} -m ${quoteForShell(id)}`,
      details: { model: text.trim(), nearest: [id] },
    });
  }
  throw new OpenclawError("model-not-found", {
    message: `There is no model '${shorten(text)}': a model's name has at most ${LONGEST_ID} characters.`,
    hint: "List the models you can call: openclaw models list",
  });
}

/**
 * Finds the model that a key, id, ARN or alias stands for; with AWS's list also what a printed name, a part of an id or a
 * family does, and with Mantle's what does so only there. What stands for nothing stays as it is: whether AWS knows it is for
 * AWS to say.
 */
export function resolveModel(
  text: string,
  config: Configuration,
  discovered?: Discovered,
  mantle?: Discovered,
): ResolvedModel {
  const name = text.trim();
  const exact = byKey(keyOf(name, config), config);
  // What AWS has at Mantle only goes by its bare id, too, where Mantle's models are asked for.
  const atMantle = exact.configured || !hasMantle(config) ? undefined : keyAtMantle(exact);
  if (atMantle === `${MANTLE}/${name}`) return byKey(atMantle, config);
  if (isComplete(exact)) {
    const own = exact.configured || name !== exact.id ? undefined : configuredAtAws(name, config);
    return own === undefined ? exact : byKey(own, config);
  }
  const configured = name === exact.id ? configuredKey(name, config) : undefined;
  if (configured !== undefined) return byKey(configured, config);
  if (!discovered || !isListOf(discovered, exact) || listedId(exact.id, discovered) !== undefined)
    return exact;
  const match = matchName(exact.id, { discovered, configuredIds: bedrockIds(config, discovered.endpoint) });
  if (match.kind === "one") return byKey(`${exact.providerId}/${match.id}`, config);
  if (match.kind !== "none" || !mantle || name !== exact.id) return exact;
  const there = byKey(`${MANTLE}/${name}`, config);
  const found = listedId(name, mantle) === undefined ? resolveModel(there.key, config, mantle) : there;
  return listedId(found.id, mantle) === undefined ? exact : found;
}

/** Whether a list is of the endpoint at which a model is called. */
export function isListOf({ endpoint }: Discovered, { providerId }: { providerId: string }): boolean {
  return (endpoint === "bedrock-mantle") === (providerId === MANTLE);
}

/** What is told where a model was taken for a name that is neither its id, its key nor its alias; else undefined. */
export function describeTaken(
  text: string,
  { key, providerId, id }: ResolvedModel,
  config: Configuration,
): string | undefined {
  if (keyOf(text.trim(), config) === key) return undefined;
  return `${text.trim()} is ${providerId === BEDROCK ? id : key}`;
}

/**
 * Whether a model can be called by what is written without AWS's list: it is configured, an ARN, another server's, or a
 * whole id.
 */
export function isComplete({ id, configured, providerId, provider }: ResolvedModel): boolean {
  if (configured !== undefined || isServed({ providerId, provider })) return true;
  // Mantle has bare ids only, and the releases of none.
  if (isMantle({ providerId })) return isIdShaped(id);
  return id === "" || parseArn(id) !== undefined || (isIdShaped(id) && isWhole(id));
}

/** `vendor.model` behind the prefix of a profile or not, as AWS writes its ids: whole, or a part of one as `us.opus`. */
export function isIdShaped(id: string): boolean {
  return (
    /^[a-z][a-z0-9-]*\.[a-z][a-z0-9._:-]*$/.test(id) &&
    /^(?:[a-z]{2,6}(?:-[a-z]+)?\.)?[a-z][a-z0-9]*\./.test(id)
  );
}

/**
 * Whether an id is one of the catalog's, or ends in a release (`-v1:0`) and is no other spelling of one that the catalog
 * has: `anthropic.claude-opus-4.8`. Without the release of its longer form `openai.gpt-oss-20b` is a part.
 */
function isWhole(id: string): boolean {
  const plain = withoutPrefix(id);
  const ids = catalogIds();
  if (ids.includes(plain))
    return !ids.some((known) => known.startsWith(plain) && /^-v?\d+:\d+$/.test(known.slice(plain.length)));
  return /-v?\d+:\d+(?::\d+k)?$/.test(plain) && !spelledInCatalog().has(foldName(plain));
}

/** How the ids of the catalog may be written. */
const spelledInCatalog = once(() => {
  const bases = catalogIds().filter((id) => withoutPrefix(id) === id);
  return new Set(bases.flatMap((id) => Array.from(foldedForms(id))));
});

/** The ids of Amazon Bedrock's, or of its endpoint that has a list of its own, that the configuration has. */
export function bedrockIds(config: Configuration, endpoint?: Discovered["endpoint"]): string[] {
  const provider = config.models?.providers?.[endpoint ? MANTLE : BEDROCK];
  return (provider?.models ?? []).map(({ id }) => id);
}

/** The only configured model of any provider that has this id or name; undefined where there is none or more than one. */
function configuredKey(name: string, config: Configuration): string | undefined {
  return only(namesIn(config).bySpelling().get(foldName(name)));
}

/** The key of the only provider of AWS's models that is configured with this id; undefined where there is none or more than one. */
function configuredAtAws(id: string, config: Configuration): string | undefined {
  return only(namesIn(config).atAws.get(id));
}

/** The only key of some; a model that stands twice has one. */
function only(keys: ReadonlySet<string> = new Set()): string | undefined {
  const [key] = keys;
  return keys.size === 1 ? key : undefined;
}

interface ConfiguredNames {
  /** Keys by their aliases, the first of each; and by these in lower case. */
  aliases: ReadonlyMap<string, string>;
  folded: ReadonlyMap<string, string>;
  /** The first model of each key. */
  models: ReadonlyMap<string, ConfiguredModel>;
  /** Keys by the ids of AWS's models, and by how ids and names of all may be written. */
  atAws: ReadonlyMap<string, ReadonlySet<string>>;
  bySpelling: () => ReadonlyMap<string, ReadonlySet<string>>;
}

const known = new WeakMap<Configuration, ConfiguredNames>();

/** The same, made once: `serve` would look through tens of thousands of models and aliases with each request. */
function namesIn(config: Configuration): ConfiguredNames {
  const made = known.get(config) ?? readNames(config);
  known.set(config, made);
  return made;
}

function readNames({ agents, models: settings }: Configuration): ConfiguredNames {
  // The last of what is set under one name is there in the end.
  const aliased = Object.entries(agents?.defaults?.models ?? {}).toReversed();
  const pairs = aliased.flatMap(([key, { alias }]) => (alias === undefined ? [] : [[alias, key] as const]));
  const models = new Map<string, ConfiguredModel>();
  const atAws = new Map<string, Set<string>>();
  const add = (to: Map<string, Set<string>>, name: string, key: string): unknown =>
    to.get(name)?.add(key) ?? to.set(name, new Set([key]));
  const providers = Object.entries(settings?.providers ?? {});
  for (const [providerId, provider] of providers)
    for (const model of provider.models ?? []) {
      const key = `${providerId}/${model.id}`;
      if (!models.has(key)) models.set(key, model);
      if (!isServed({ providerId, provider })) add(atAws, model.id, key);
    }
  return {
    aliases: new Map(pairs),
    folded: new Map(pairs.map(([alias, key]) => [alias.toLowerCase(), key])),
    models,
    atAws,
    bySpelling: once(() => {
      const keys = new Map<string, Set<string>>();
      for (const [providerId, { models: own = [] }] of providers)
        for (const { id, name = id } of own)
          for (const spelled of [id, name]) add(keys, foldName(spelled), `${providerId}/${id}`);
      return keys;
    }),
  };
}

function byKey(key: string, config: Configuration): ResolvedModel {
  const slash = key.indexOf("/");
  const [providerId, id] = [key.slice(0, slash), key.slice(slash + 1)];
  const provider = config.models?.providers?.[providerId];
  return { key, providerId, id, provider, configured: namesIn(config).models.get(key) };
}

/** Whether a name is an alias, in whatever case. */
export function isAlias(name: string, config: Configuration): boolean {
  return aliasedKey(name, config) !== undefined;
}

function aliasedKey(name: string, config: Configuration): string | undefined {
  const { aliases, folded } = namesIn(config);
  return aliases.get(name) ?? folded.get(name.toLowerCase());
}

/** The key that a default, alias or bare id stands for. */
export function keyOf(text: string, config: Configuration): string {
  const key = aliasedKey(text, config);
  if (key !== undefined) return key.includes("/") && !key.startsWith("arn:") ? key : `${BEDROCK}/${key}`;
  const providerIds = [BEDROCK, MANTLE, ...Object.keys(config.models?.providers ?? {})];
  if (providerIds.some((providerId) => text.startsWith(`${providerId}/`))) return text;
  return `${BEDROCK}/${text.replace(OTHERS_PREFIX, "")}`;
}

/**
 * What other programs put before a model of Amazon Bedrock: LiteLLM `bedrock/`, with the operation behind it
 * (https://docs.litellm.ai/docs/providers/bedrock), Pydantic AI `bedrock:`, LangChain `bedrock_converse:`.
 */
const OTHERS_PREFIX = /^bedrock(?:_converse)?[/:](?:(?:converse|invoke)\/)?(?=\S)/i;

/** What a session is opened for to ask Mantle which models it has. */
export const MANTLE_TARGET = { kind: "model", id: "", providerId: MANTLE } as const satisfies Target;

/** What a session is opened for to call a model. */
export function targetOf({ configured, id, providerId }: ResolvedModel): Target {
  return { kind: configured ? "configured-model" : "model", id, providerId };
}

/**
 * The `model-not-found` error for a name that nobody knows, with what may have been meant, the nearest first; for a
 * retired model with its successor.
 */
export function unknownModel(
  typed: string,
  nearest: readonly string[],
  cause?: OpenclawError,
  isRetired = false,
): OpenclawError {
  const [best] = nearest;
  const suggest = (id: string): string =>
    isRetired ? `Ask its successor: openclaw chat --model ${quoteForShell(id)}` : `Did you mean ${id}?`;
  return new OpenclawError("model-not-found", {
    message: cause?.message ?? `There is no model '${shorten(typed)}'.`,
    hint: best ? suggest(best) : (cause?.hint ?? "List the models you can call: openclaw models list"),
    requestId: cause?.requestId,
    details: { ...cause?.details, model: typed, nearest },
    cause,
  });
}
