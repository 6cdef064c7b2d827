import { PARAMETER_FIELDS } from "./parameters.ts";
import {
  anyString,
  anything,
  boolean,
  choice,
  either,
  type Fault,
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
  scalar,
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
    contextWindow: field(
      integer(1, "tokens"),
      "Context window in tokens: what is longer is sent with a notice.",
    ),
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
  tools: field(list(string), "Tools that the model may call.", { example: '["read-file:docs", "deploy"]' }),
  mcpServers: field(list(string), "MCP servers whose tools the model may call.", { example: '["files"]' }),
});

/** The tools that this program has itself: none of the settings takes their names. */
export const BUILT_IN_TOOLS = ["read-file", "list-files", "search-files", "shell", "aws"] as const;

/** What becomes of a call of a tool that nothing else is said about. */
export const DEFAULT_TOOL_SECONDS = 60;

/** An `=` or a zero byte would end the name elsewhere. */
const NAMES_OF_VARIABLES = { keyPattern: "^[^=\\0]+$", keyExpected: "the name of an environment variable" };

const inputSchema = object(
  {
    type: field(choice("object"), "What a model calls a tool with is an object."),
    properties: field(map("name", anything), "Its fields, each with a JSON Schema."),
    required: field(list(string), "The fields that must be there."),
  },
  [],
  { isOpen: true },
);

/** No system hands a zero byte to a program. */
function zeroBytes(word: unknown, path: Fault["path"]): Fault[] {
  const isFit = typeof word !== "string" || !word.includes("\0");
  return isFit ? [] : [{ path, expected: "a string without zero bytes" }];
}

function blank(text: unknown, path: Fault["path"], expected: string): Fault[] {
  return typeof text === "string" && text.trim() === "" ? [{ path, expected }] : [];
}

const commandTool = object(
  {
    description: field(string, "What the tool does, and when to use it: it is what the model knows of it.", {
      example: "Deploys a branch to staging. Prints the address.",
    }),
    command: field(
      list(anyString, 1),
      "The program and its arguments. No shell reads them. It gets the call's input as JSON on stdin, and what it prints is the result.",
      { example: '["./deploy.sh", "staging"]' },
    ),
    input: field(inputSchema, "JSON Schema of the input: of an object.", {
      hasPlaceholders: true,
      example: '{"type":"object","properties":{"branch":{"type":"string"}},"required":["branch"]}',
    }),
    timeoutSeconds: field(
      number({ minimum: 0.1, maximum: 86_400, unit: "seconds" }),
      "Time for one call; then it is ended with all that it has started.",
      { default: DEFAULT_TOOL_SECONDS, example: "30" },
    ),
    allow: field<"ask" | "always" | "never">(
      choice("ask", "always", "never"),
      "Whether a call may run: `ask` a person, or --allow; `always`; `never`, which goes before --allow.",
      { default: "ask" },
    ),
    env: field(
      map("name", scalar, NAMES_OF_VARIABLES),
      "Environment variables that it gets beside the caller's, of which those of AWS and of openclaw are left out.",
      { secret: true, example: '{"TOKEN":"${DEPLOY_TOKEN}"}' },
    ),
  },
  ["description", "command", "input"],
  {
    ownBy: "command",
    check: ({ description, command }) => {
      const words = command as readonly string[];
      const [program = ""] = words;
      return [
        ...blank(description, ["description"], "a text that says what the tool does"),
        ...blank(program, ["command", 0], "the name of a program"),
        ...words.flatMap((word, index) => zeroBytes(word, ["command", index])),
      ];
    },
  },
);

const mcpServer = object(
  {
    command: field(string, "The program of a server that speaks on its standard streams.", {
      example: "npx",
    }),
    args: field(list(anyString), "Its arguments.", {
      example: '["-y", "@modelcontextprotocol/server-filesystem", "."]',
    }),
    env: field(
      map("name", scalar, NAMES_OF_VARIABLES),
      "Environment variables that it gets beside the caller's, of which those of AWS and of openclaw are left out.",
      { secret: true, example: '{"GITHUB_TOKEN":"${GITHUB_TOKEN}"}' },
    ),
    cwd: field(string, "The folder in which it runs, in place of the caller's."),
    url: field(url, "Address of a server that speaks streamable HTTP.", {
      example: "https://mcp.example.com/mcp",
    }),
    headers: field(map("name", scalar), "Headers added to each request.", {
      secret: true,
      example: '{"Authorization":"Bearer ${MCP_TOKEN}"}',
    }),
    disabled: field(boolean, "Whether it is left out."),
    enabled: field(boolean, "The same the other way round: false leaves it out."),
  },
  [],
  {
    check: ({ command, args, url: address }) => {
      if (command === undefined && address === undefined)
        return [
          { path: [], expected: "command or url", says: "has neither command nor url", isForeign: true },
        ];
      if (command !== undefined && address !== undefined)
        return [{ path: [], expected: "command or url", says: "has both command and url" }];
      return [
        ...zeroBytes(command, ["command"]),
        ...((args ?? []) as readonly string[]).flatMap((word, index) => zeroBytes(word, ["args", index])),
      ];
    },
  },
);

const servers = map("name", mcpServer);

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
      regions: field(
        list(region),
        "Regions that serve may ask, and no others: one that is throttled or out is passed over.",
        { example: '["us-east-1", "us-west-2"]' },
      ),
      providers,
    }),
    "Where models come from.",
  ),
  agents: field(
    object({ defaults: field(agentDefaults, "Defaults of every call.") }),
    "How models are called.",
  ),
  templates: field(map("name", template), "Questions to ask again, for chat --template.", { default: {} }),
  tools: field(
    map("name", commandTool as Kind, {
      keyPattern: `^(?!(?:${BUILT_IN_TOOLS.join("|")})$)[a-zA-Z0-9_-]{1,64}$`,
      keyExpected: `a name of 1 to 64 letters, digits, _ and - that is not built in (${BUILT_IN_TOOLS.join(", ")})`,
    }),
    "Commands that a model may have run, for chat --tool. What has no command belongs to another program.",
    { isExpandedInUse: true },
  ),
  mcpServers: field(servers, "MCP servers, for chat --mcp, as other programs have them.", {
    isExpandedInUse: true,
  }),
  mcp: field(
    object({
      servers: field(
        servers,
        "MCP servers, where the original OpenClaw has them. Of two with one name that of mcpServers is taken.",
      ),
    }),
    "The original OpenClaw's place of MCP servers.",
    { isExpandedInUse: true },
  ),
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
/** A command as a tool. `${NAME}` is not expanded in it yet. */
export type CommandToolSetting = KindValue<typeof commandTool>;
/** An MCP server. `${NAME}` is not expanded in it yet. */
export type McpServerSetting = KindValue<typeof mcpServer>;

/** An entry of `tools`. */
export const COMMAND_TOOL: Kind = commandTool;
