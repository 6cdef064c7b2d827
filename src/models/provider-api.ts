import { parseArn } from "../aws/arn.ts";
import { regionOfBaseUrl } from "../aws/region.ts";
import type { Configuration, ProviderSettings } from "../config/settings.ts";
import { type OpenclawError, usageError } from "../errors.ts";
import { withoutPrefix } from "./base-model-id.ts";
import { type Api, apisAt, apisSource, mantlePrefix, isOnlyAtMantle } from "./families.ts";

export const BEDROCK = "amazon-bedrock";

/** The provider id of Amazon Bedrock's other endpoint, `bedrock-mantle`. */
export const MANTLE = "amazon-bedrock-mantle";

/** What may stand behind the root of Mantle in its `baseUrl`, as clients of other programs write it. */
export const BASE_URL_END = /\/(?:v1|openai(?:\/v1)?|anthropic(?:\/v1)?)?\/*$/;

/** A path of one of AWS's endpoints under which it has an API of other services. */
export interface AwsPath {
  service: "bedrock-runtime" | "bedrock-mantle";
  /** Before the API's own paths: `/openai/v1`. */
  prefix: string;
}

export interface Way {
  api: Api;
  /** Where Amazon Bedrock has the API; undefined for Converse, and for the server of another provider. */
  path?: AwsPath;
}

interface Provided {
  providerId: string;
  provider: ProviderSettings | undefined;
}

/**
 * Whether a model is called at another server than AWS's: one of any provider but Amazon Bedrock's own, and of those where
 * the settings name a server that speaks another API.
 */
export function isServed({ providerId, provider }: Provided): boolean {
  const { api, auth, baseUrl } = provider ?? {};
  if (api === CONVERSE || providerId === MANTLE) return false;
  if (providerId !== BEDROCK) return true;
  const isKeyed = auth !== undefined && auth !== "aws-sdk";
  return api !== undefined && (isKeyed || (baseUrl !== undefined && regionOfBaseUrl(baseUrl) === undefined));
}

/** Whether a model is called in Amazon Bedrock, whatever its provider is called. */
export function isOfBedrock(model: Provided): boolean {
  return !isServed(model);
}

/** The API that a model is called by, as far as it is known before it is called. */
export function apiOf(model: Provided & { id: string }): Api {
  return waysTo(model)[0].api;
}

/**
 * The ways to call a model, the likeliest first: as the settings say; else for a model of Amazon Bedrock as the table of
 * families does, and Converse where that does not know better. The others of AWS's are for when the first is refused.
 */
export function waysTo({ providerId, provider, id }: Provided & { id: string }): readonly [Way, ...Way[]] {
  const { api } = provider ?? {};
  if (isServed({ providerId, provider })) return [{ api: api ?? "openai-completions" }];
  const service = providerId === MANTLE ? "bedrock-mantle" : "bedrock-runtime";
  const apis = apisAt(service, id);
  const others = apis.filter((other) => other !== api);
  // AWS has several APIs and most models one or two of them: what the settings name is not for the others. Which model
  // answers for an ARN is not known here.
  const isFirst = api !== undefined && (apis.includes(api) || parseArn(id) !== undefined);
  const named = isFirst ? [api, ...others] : api === undefined ? apis : [...others, api];
  const [first = { api: CONVERSE }, ...rest] = named.flatMap((name) => waysBy(name, service, id));
  return [first, ...rest];
}

const CONVERSE = "bedrock-converse-stream";

function waysBy(api: Api, service: AwsPath["service"], id: string): Way[] {
  if (api === CONVERSE) return service === "bedrock-runtime" ? [{ api }] : [];
  const likely = mantlePrefix(id);
  const likeliestFirst = PREFIXES[service][api].toSorted(
    (one, other) => Number(other === likely) - Number(one === likely),
  );
  return likeliestFirst.map((prefix) => ({ api, path: { service, prefix } }));
}

/**
 * Where the two endpoints have the APIs of other services. Which of two prefixes a model is under at Mantle differs by the
 * model, and a wrong one is refused.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
 */
const PREFIXES: Readonly<
  Record<AwsPath["service"], Readonly<Record<Exclude<Api, typeof CONVERSE>, readonly string[]>>>
> = {
  "bedrock-runtime": {
    "openai-completions": ["/openai/v1"],
    "openai-responses": ["/openai/v1"],
    "anthropic-messages": ["/anthropic/v1"],
  },
  "bedrock-mantle": {
    "openai-completions": ["/v1", "/openai/v1"],
    "openai-responses": ["/v1", "/openai/v1"],
    "anthropic-messages": ["/anthropic/v1"],
  },
};

const NAMES: Readonly<Record<Api, string>> = {
  [CONVERSE]: "Converse",
  "openai-completions": "chat completions",
  "openai-responses": "Responses",
  "anthropic-messages": "Messages",
};

interface ServedApi {
  /** Whose API it is. */
  maker: string;
  /** An address, for hints. */
  exampleUrl: string;
  /** What paths begin with that clients of the API have not in their addresses; empty where they have. */
  root: string;
  /** The path of the list of models. */
  list: string;
  /** What is sent with each request, by lower-case name. */
  headers(key: string | undefined): Record<string, string>;
}

const OF_OPENAI: ServedApi = {
  maker: "OpenAI",
  exampleUrl: "http://127.0.0.1:11434/v1",
  root: "",
  list: "/models",
  headers: (key) => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
};

/** https://platform.claude.com/docs/en/api/versioning */
export const MESSAGES_VERSION = { "anthropic-version": "2023-06-01" };

const SERVED_APIS: Readonly<Record<Exclude<Api, typeof CONVERSE>, ServedApi>> = {
  "openai-completions": OF_OPENAI,
  "openai-responses": OF_OPENAI,
  "anthropic-messages": {
    maker: "Anthropic",
    exampleUrl: "https://api.anthropic.com",
    root: "/v1",
    // It comes in pages: https://platform.claude.com/docs/en/api/models-list
    list: "/models?limit=1000",
    // https://platform.claude.com/docs/en/api/overview
    headers: (key) => ({ ...MESSAGES_VERSION, ...(key === undefined ? {} : { "x-api-key": key }) }),
  },
};

/** How servers of an API are called; what nobody says speaks chat completions. */
export function servedApi(api: Api | undefined): ServedApi {
  return SERVED_APIS[api === undefined || api === CONVERSE ? "openai-completions" : api];
}

/** Who says by which API a model is called: the settings, or a page; null for a server's that nobody asked about it. */
export function sourceOfApi(model: Provided & { id: string }): string | null {
  if (model.provider?.api === apiOf(model)) return "config";
  return isServed(model) ? null : apisSource(model.id);
}

/** What `models list` calls an API. */
export type ApiName = Exclude<Api, typeof CONVERSE> | "converse";

/** The name that `models list` has for an API. */
export function apiName(api: Api): ApiName {
  return api === CONVERSE ? "converse" : api;
}

/** A way in words, for messages: `Responses (/openai/v1)`. */
export function nameOfWay({ api, path }: Way): string {
  return path ? `${NAMES[api]} (${path.prefix})` : NAMES[api];
}

/** The key of a model that is at Mantle only and was named as one of the runtime endpoint; undefined for any other. */
export function keyAtMantle({ providerId, id }: { providerId: string; id: string }): string | undefined {
  return providerId === BEDROCK && isOnlyAtMantle(id) ? `${MANTLE}/${withoutPrefix(id)}` : undefined;
}

/** A key as a terminal shows it: of a model of Bedrock the id alone. */
export function shortKey(key: string): string {
  return key.startsWith(`${BEDROCK}/`) ? key.slice(BEDROCK.length + 1) : key;
}

/** The provider that a model's key begins with. */
export function providerOfKey(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

/** Whether a model is called at the endpoint `bedrock-mantle`. */
export function isMantle({ providerId }: { providerId: string }): boolean {
  return providerId === MANTLE;
}

/** Whether a model is called at Amazon Bedrock's own endpoint, `bedrock-runtime`. */
export function isAtRuntime(model: Provided): boolean {
  return isOfBedrock(model) && !isMantle(model);
}

/** Whether the provider of the endpoint `bedrock-mantle` is configured: an empty object is enough. */
export function hasMantle(config: Configuration): boolean {
  return config.models?.providers?.[MANTLE] !== undefined;
}

/** Whether a provider leaves it to its server to say which models there are. */
export function isListedByServer(config: Configuration): boolean {
  return servedProviders(config).some((id) => (config.models?.providers?.[id]?.models ?? []).length === 0);
}

/** The ids of the providers whose models are called at servers of their own, in the order of the file. */
export function servedProviders(config: Configuration): string[] {
  const providers = Object.entries(config.models?.providers ?? {});
  return providers.flatMap(([providerId, provider]) =>
    isServed({ providerId, provider }) ? [providerId] : [],
  );
}

/** A configuration without the providers whose models are called at servers of their own, for `--emulator`, which asks nobody else. */
export function withoutServers(config: Configuration): Configuration {
  const others = new Set(servedProviders(config));
  if (others.size === 0) return config;
  const providers = Object.fromEntries(
    Object.entries(config.models?.providers ?? {}).filter(([providerId]) => !others.has(providerId)),
  );
  return { ...config, models: { ...config.models, providers } };
}

/** The error for another provider's model under `--emulator`. */
export function notUnderEmulator(provider: string): OpenclawError {
  return usageError(
    `--emulator asks nobody but itself, and '${provider}' is another server.`,
    "Leave --emulator out, or choose one of its models: openclaw models list --emulator",
  );
}
