/**
 * The settings this program knows: the single source of type, default, description and secrecy. Validation,
 * `config schema`, docs/settings.md, shell completion and the `Configuration` type below all come from here.
 */

/** What a value may be. `TValue` is carried for inference only. */
export type Kind<TValue = unknown> = (
  | { kind: "boolean" }
  | { kind: "string"; format?: "url" | "region"; minLength?: number }
  | { kind: "number"; minimum?: number; maximum?: number; unit?: string }
  | { kind: "integer"; minimum: number; maximum?: number; unit: string }
  | { kind: "choice"; values: readonly string[] }
  | { kind: "list"; of: Kind }
  | { kind: "map"; of: Kind; keyName: string }
  | { kind: "object"; fields: Readonly<Record<string, Field>>; required: readonly string[] }
  | { kind: "either"; of: readonly [Kind, Kind] }
) & { readonly value?: TValue };

/** A kind with its place in the table. */
export interface Field<TValue = unknown> {
  type: Kind<TValue>;
  description: string;
  default?: TValue;
  /** The default in words, where it depends on the surroundings. */
  defaultText?: string;
  /** Never printed, logged or cached. */
  secret?: boolean;
  example?: string;
}

type ValueOf<F> = F extends Field<infer V> ? V : never;
type Fields = Readonly<Record<string, Field>>;
type Simplify<T> = { [K in keyof T]: T[K] } & {};
type ObjectOf<F extends Fields, R extends keyof F> = Simplify<
  { [K in R]: ValueOf<F[K]> } & { [K in Exclude<keyof F, R>]?: ValueOf<F[K]> }
>;

const boolean: Kind<boolean> = { kind: "boolean" };
const string: Kind<string> = { kind: "string", minLength: 1 };
const anyString: Kind<string> = { kind: "string" };
const url: Kind<string> = { kind: "string", format: "url" };
const region: Kind<string> = { kind: "string", format: "region" };
const integer = (minimum: number, unit: string): Kind<number> => ({ kind: "integer", minimum, unit });
const number = (minimum: number, maximum?: number, unit?: string): Kind<number> => ({
  kind: "number",
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
  ...(unit === undefined ? {} : { unit }),
});
const choice = <const T extends string>(...values: readonly T[]): Kind<T> => ({ kind: "choice", values });
const list = <T>(of: Kind<T>): Kind<T[]> => ({ kind: "list", of });
const map = <T>(keyName: string, of: Kind<T>): Kind<Record<string, T>> => ({ kind: "map", keyName, of });
const object = <const F extends Fields, const R extends keyof F & string = never>(
  fields: F,
  required: readonly R[] = [],
): Kind<ObjectOf<F, R>> => ({ kind: "object", fields, required }) as Kind<ObjectOf<F, R>>;
const either = <A, B>(first: Kind<A>, second: Kind<B>): Kind<A | B> => ({
  kind: "either",
  of: [first, second],
});
const field = <T>(
  type: Kind<T>,
  description: string,
  more: Omit<Field<T>, "type" | "description"> = {},
): Field<T> => ({
  type,
  description,
  ...more,
});

const price = (what: string): Field<number> =>
  field(number(0, undefined, "USD per million tokens"), `Price of ${what}, in USD per million tokens.`);

/** Defaults of the discovery settings that have one. */
export const DISCOVERY_DEFAULTS = {
  providerFilter: [] as readonly string[],
  refreshInterval: 3600,
  defaultContextWindow: 32000,
  defaultMaxTokens: 4096,
} as const;

const discovery = object({
  enabled: field(boolean, "Ask AWS which models this account can stream text from.", {
    defaultText: "on when AWS credentials are found",
  }),
  region: field(region, "Region to discover models in and to call them in.", {
    defaultText: "AWS_REGION, then AWS_DEFAULT_REGION, then the profile's region, then us-east-1",
    example: "us-east-1",
  }),
  providerFilter: field(list(string), "List only models of these Bedrock providers. Empty lists all.", {
    default: [...DISCOVERY_DEFAULTS.providerFilter],
    example: '["anthropic", "amazon"]',
  }),
  refreshInterval: field(
    integer(0, "seconds"),
    "Seconds a discovered list stays fresh. 0 turns the cache off.",
    {
      default: DISCOVERY_DEFAULTS.refreshInterval,
    },
  ),
  defaultContextWindow: field(
    integer(1, "tokens"),
    "Context window in tokens, where neither config nor catalog knows it.",
    {
      default: DISCOVERY_DEFAULTS.defaultContextWindow,
    },
  ),
  defaultMaxTokens: field(
    integer(1, "tokens"),
    "Output limit in tokens, where neither config nor catalog knows it.",
    {
      default: DISCOVERY_DEFAULTS.defaultMaxTokens,
    },
  ),
});

const configuredModel = object(
  {
    id: field(string, "Model id as the provider takes it; for Bedrock also an inference profile id or ARN.", {
      example: "us.anthropic.claude-opus-4-6-v1",
    }),
    name: field(anyString, "Name to show in lists."),
    reasoning: field(boolean, "Whether the model can reason before it answers."),
    input: field(list(choice("text", "image", "document")), "Kinds of input the model takes."),
    cost: field(
      object({
        input: price("input tokens"),
        output: price("output tokens"),
        cacheRead: price("tokens read from the prompt cache"),
        cacheWrite: price("tokens written to the prompt cache"),
      }),
      "Prices in USD per million tokens. All zeros means unknown.",
    ),
    contextWindow: field(integer(1, "tokens"), "Context window in tokens."),
    maxTokens: field(
      integer(1, "tokens"),
      "Most tokens the model can put out. A limit to show and check, never sent by itself.",
    ),
  },
  ["id"],
);

const provider = object({
  baseUrl: field(url, "Where the provider's API is.", {
    example: "https://bedrock-runtime.us-east-1.amazonaws.com",
  }),
  api: field(choice("bedrock-converse-stream", "openai-completions"), "The API the provider speaks.", {
    defaultText: "bedrock-converse-stream for amazon-bedrock, openai-completions for others",
  }),
  auth: field(choice("aws-sdk", "api-key", "none"), "How requests are authenticated.", {
    defaultText: "aws-sdk for bedrock-converse-stream; for others api-key when apiKey is set, else none",
  }),
  apiKey: field(
    string,
    "Key of an OpenAI-compatible provider. Write ${NAME} to take it from the environment.",
    {
      secret: true,
      example: "${MY_API_KEY}",
    },
  ),
  headers: field(map("name", anyString), "Headers added to each request.", { default: {}, secret: true }),
  models: field(
    list(configuredModel),
    "Models to list beside the discovered ones. An OpenAI-compatible provider without any is asked for its list.",
    { default: [] },
  ),
});

const modelParameters = object({
  temperature: field(number(0, 1), "Sampling temperature."),
  topP: field(number(0, 1), "Nucleus sampling: the share of probability to choose from."),
  maxTokens: field(integer(1, "tokens"), "Most tokens to put out."),
  stopSequences: field(list(string), "Texts that end the answer."),
  reasoning: field(
    choice("off", "minimal", "low", "medium", "high", "xhigh", "max"),
    "How much the model reasons.",
  ),
  serviceTier: field(choice("default", "priority", "flex", "reserved"), "Bedrock service tier."),
  cache: field(choice("off", "5m", "1h"), "Prompt caching, by time to live."),
  latency: field(choice("standard", "optimized"), "Bedrock latency mode."),
});

const settings = object({
  models: field(
    object({
      bedrockDiscovery: field(discovery, "Discovery of the models this account can call."),
      providers: field(
        map("id", provider),
        "Model providers, by id. The id of Amazon Bedrock is amazon-bedrock.",
        {
          default: {},
        },
      ),
    }),
    "Where models come from.",
  ),
  agents: field(
    object({
      defaults: field(
        object({
          model: field(
            either(
              string,
              object(
                {
                  primary: field(string, "Model used when none is named.", {
                    example: "amazon-bedrock/us.anthropic.claude-opus-4-6-v1",
                  }),
                  fallbacks: field(
                    list(string),
                    "Models tried in order when the one before is not available.",
                  ),
                },
                ["primary"],
              ),
            ),
            "The default model: a key, or an object with primary and fallbacks.",
          ),
          models: field(
            map(
              "key",
              object({
                alias: field(string, "Short name for the model."),
                params: field(modelParameters, "Parameters sent to this model."),
              }),
            ),
            "Alias and parameters of single models, by key.",
            { default: {} },
          ),
          params: field(modelParameters, "Parameters sent to every model.", { default: {} }),
        }),
        "Defaults of every call.",
      ),
    }),
    "How models are called.",
  ),
  plugins: field(
    object({
      entries: field(
        object({
          "amazon-bedrock": field(
            object({
              config: field(
                object({
                  discovery: field(discovery, "Read where models.bedrockDiscovery lacks a key."),
                  guardrail: field(
                    object(
                      {
                        guardrailIdentifier: field(string, "Id or ARN of the guardrail.", {
                          example: "abcd1234efgh",
                        }),
                        guardrailVersion: field(string, "Version of the guardrail, or DRAFT.", {
                          example: "1",
                        }),
                        streamProcessingMode: field(
                          choice("sync", "async"),
                          "Check before or while text streams.",
                        ),
                        trace: field(
                          choice("enabled", "disabled", "enabled_full"),
                          "Ask for the guardrail's trace.",
                        ),
                      },
                      ["guardrailIdentifier", "guardrailVersion"],
                    ),
                    "Guardrail applied to every call.",
                  ),
                }),
                "Settings of the Amazon Bedrock plugin.",
              ),
            }),
            "The Amazon Bedrock plugin.",
          ),
        }),
        "Settings of single plugins.",
      ),
    }),
    "Plugins.",
  ),
});

/** The table's root. */
export const SETTINGS: Kind<Configuration> = settings as Kind<Configuration>;

type KindValue<K> = K extends Kind<infer V> ? V : never;

/** A configuration file's value, as far as this program knows it. Other keys may stand beside these. */
export type Configuration = KindValue<typeof settings>;
export type DiscoverySettings = KindValue<typeof discovery>;
export type ProviderSettings = KindValue<typeof provider>;
export type ConfiguredModel = KindValue<typeof configuredModel>;
export type ModelParameters = KindValue<typeof modelParameters>;
