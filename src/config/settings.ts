import { PARAMETER_FIELDS } from "./parameters.ts";
import {
  anyString,
  boolean,
  choice,
  either,
  type Field,
  field,
  integer,
  type Kind,
  type KindValue,
  list,
  map,
  number,
  object,
  region,
  string,
  url,
} from "./setting-kinds.ts";

/*
 * The settings this program knows: the single source of type, default, description and secrecy. Validation,
 * `config schema`, docs/settings.md, shell completion and the `Configuration` type below all come from here.
 */

const price = (what: string): Field<number> =>
  field(
    number({ minimum: 0, unit: "USD per million tokens" }),
    `Price of ${what}, in USD per million tokens.`,
  );

/** Defaults of the discovery settings that have one. */
export const DISCOVERY_DEFAULTS = {
  providerFilter: [] as string[],
  refreshInterval: 3600,
  defaultContextWindow: 32000,
  defaultMaxTokens: 4096,
};

const discovery = object({
  enabled: field(boolean, "Ask AWS which models this account can stream text from.", {
    defaultText: "on when AWS credentials are found",
  }),
  region: field(region, "Region to discover models in and to call them in.", {
    defaultText: "AWS_REGION, then AWS_DEFAULT_REGION, then the profile's region, then us-east-1",
    example: "us-east-1",
  }),
  providerFilter: field(list(string), "List only models of these Bedrock providers. Empty lists all.", {
    default: DISCOVERY_DEFAULTS.providerFilter,
    example: '["anthropic", "amazon"]',
  }),
  refreshInterval: field(
    integer(0, "seconds"),
    "Seconds a discovered list stays fresh. 0 turns the cache off.",
    { default: DISCOVERY_DEFAULTS.refreshInterval },
  ),
  defaultContextWindow: field(
    integer(1, "tokens"),
    "Context window in tokens, where neither config nor catalog knows it.",
    { default: DISCOVERY_DEFAULTS.defaultContextWindow },
  ),
  defaultMaxTokens: field(
    integer(1, "tokens"),
    "Output limit in tokens, where neither config nor catalog knows it.",
    { default: DISCOVERY_DEFAULTS.defaultMaxTokens },
  ),
});

const configuredModel = object(
  {
    id: field(string, "Model id as the provider takes it; for Bedrock also an inference profile id or ARN.", {
      example: "us.anthropic.claude-opus-4-6-v1",
    }),
    name: field(anyString, "Name to show in lists."),
    reasoning: field(boolean, "Whether the model can reason before it answers."),
    input: field(
      list(choice("text", "image", "document", "video", "audio")),
      "Kinds of input the model takes.",
    ),
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
      "Most tokens the model can put out. A limit to show and check, sent by itself only where the API wants one: anthropic-messages.",
    ),
  },
  ["id"],
);

const provider = object({
  baseUrl: field(url, "Where the provider's API is.", {
    example: "https://bedrock-runtime.us-east-1.amazonaws.com",
  }),
  api: field(
    choice("bedrock-converse-stream", "openai-completions", "openai-responses", "anthropic-messages"),
    "The API the provider speaks.",
    {
      defaultText:
        "bedrock-converse-stream for amazon-bedrock, by the model for amazon-bedrock-mantle, openai-completions for others",
    },
  ),
  auth: field(choice("aws-sdk", "api-key", "none"), "How requests are authenticated.", {
    defaultText: "aws-sdk for bedrock-converse-stream; for others api-key when apiKey is set, else none",
  }),
  apiKey: field(
    string,
    "Key of a provider other than Amazon Bedrock. Write ${NAME} to take it from the environment.",
    { secret: true, example: "${MY_API_KEY}" },
  ),
  headers: field(map("name", anyString), "Headers added to each request.", { default: {}, secret: true }),
  models: field(
    list(configuredModel),
    "Models to list beside the discovered ones. Any other provider than Amazon Bedrock without any is asked for its list.",
    { default: [] },
  ),
});

const { temperature, topP, topK, maxTokens, stopSequences, reasoning, serviceTier, ...others } =
  PARAMETER_FIELDS;

/** In the order in which they are documented. */
const modelParameters = object({
  temperature,
  topP,
  topK,
  maxTokens,
  stopSequences,
  reasoning,
  serviceTier,
  ...others,
});

const defaultModel = object(
  {
    primary: field(string, "Model used when none is named.", {
      example: "amazon-bedrock/us.anthropic.claude-opus-4-6-v1",
    }),
    fallbacks: field(list(string), "Models tried in order when the one before is not available."),
  },
  ["primary"],
);

const namedModel = object({
  alias: field(string, "Short name for the model."),
  params: field(modelParameters, "Parameters sent to this model."),
});

const agentDefaults = object({
  model: field(
    either(string, defaultModel),
    "The default model: a key, or an object with primary and fallbacks.",
  ),
  embeddingModel: field(string, "The model of `embed`: a key, an id, an ARN or an alias."),
  models: field(map("key", namedModel), "Alias and parameters of single models, by key.", { default: {} }),
  params: field(modelParameters, "Parameters sent to every model.", { default: {} }),
});

const placeholders = { hasPlaceholders: true };

const template = object({
  prompt: field(
    string,
    "The question. $input stands for what is typed or piped, $NAME for a parameter, $$ for $.",
    {
      ...placeholders,
      example: "Review this change in $lang: $input",
    },
  ),
  system: field(string, "System prompt, with the same placeholders.", {
    ...placeholders,
    example: "You are a careful reviewer.",
  }),
  model: field(string, "Model that is asked, unless --model names another.", { example: "opus" }),
  params: field(modelParameters, "Parameters of the call, which go before those of the model."),
  defaults: field(map("name", anyString), "Values of parameters for which --param gives none.", {
    ...placeholders,
    default: {},
  }),
  tools: field(list(string), "Tools that the model may call."),
});

const budget = number({ minimum: 0, unit: "USD" });

const usage = object({
  ledger: field(
    boolean,
    "Whether each call is written down for `openclaw usage`: what it used, never what it said.",
    {
      default: true,
    },
  ),
  budget: field(
    object({
      daily: field(budget, "Most to spend on calls in a day of UTC.", { example: "10" }),
      monthly: field(budget, "Most to spend on calls in a month of UTC.", { example: "100" }),
    }),
    "What may be spent. At 80 % a warning says so, at 100 % calls are refused.",
  ),
});

const guardrail = object(
  {
    guardrailIdentifier: field(string, "Id or ARN of the guardrail.", { example: "abcd1234efgh" }),
    guardrailVersion: field(string, "Version of the guardrail, or DRAFT.", { example: "1" }),
    streamProcessingMode: field(choice("sync", "async"), "Check before or while text streams."),
    trace: field(choice("enabled", "disabled", "enabled_full"), "Ask for the guardrail's trace."),
  },
  ["guardrailIdentifier", "guardrailVersion"],
);

const pluginSettings = object({
  discovery: field(discovery, "Read where models.bedrockDiscovery lacks a key."),
  guardrail: field(guardrail, "Guardrail applied to every call."),
});

const plugin = object({ config: field(pluginSettings, "Settings of the Amazon Bedrock plugin.") });
const plugins = object({ "amazon-bedrock": field(plugin, "The Amazon Bedrock plugin.") });

const providers = field(
  map("id", provider),
  "Model providers, by id. The id of Amazon Bedrock is amazon-bedrock, that of its endpoint bedrock-mantle is amazon-bedrock-mantle, for which {} is enough.",
  { default: {} },
);

const credentials = object({
  cache: field(
    boolean,
    "Whether credentials of assumed roles, web identities and IAM Identity Center are kept in ~/.aws/cli/cache, as the AWS CLI keeps them, and read from there.",
    { default: true },
  ),
});

const settings = object({
  models: field(
    object({
      bedrockDiscovery: field(discovery, "Discovery of the models this account can call."),
      providers,
    }),
    "Where models come from.",
  ),
  agents: field(
    object({ defaults: field(agentDefaults, "Defaults of every call.") }),
    "How models are called.",
  ),
  templates: field(map("name", template), "Questions to ask again, for chat --template.", { default: {} }),
  usage: field(usage, "What calls use and may cost."),
  credentials: field(credentials, "How credentials are got."),
  emulator: field(
    object({
      model: field(string, "Default model under --emulator, in place of agents.defaults.model.", {
        example: "amazon.nova-lite-v1:0",
      }),
    }),
    "What holds under --emulator only.",
  ),
  plugins: field(object({ entries: field(plugins, "Settings of single plugins.") }), "Plugins."),
});

/** The table's root. */
export const SETTINGS: Kind<Configuration> = settings as Kind<Configuration>;

/** A configuration file's value, as far as this program knows it. Other keys may stand beside these. */
export type Configuration = KindValue<typeof settings>;
export type DiscoverySettings = KindValue<typeof discovery>;
export type ProviderSettings = KindValue<typeof provider>;
export type ConfiguredModel = KindValue<typeof configuredModel>;
export type ModelParameters = KindValue<typeof modelParameters>;
