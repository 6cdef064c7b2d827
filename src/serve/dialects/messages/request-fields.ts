import type {
  BetaCompactionBlockParam,
  BetaImageBlockParam,
  BetaMemoryTool20250818,
  BetaMessageParam,
  BetaOutputConfig,
  BetaRedactedThinkingBlockParam,
  BetaRequestDocumentBlock,
  BetaRequestToolAdditionBlock,
  BetaSearchResultBlockParam,
  BetaTextBlockParam,
  BetaThinkingBlockParam,
  BetaTool,
  BetaToolBash20250124,
  BetaToolComputerUse20251124,
  BetaToolReferenceBlockParam,
  BetaToolResultBlockParam,
  BetaToolTextEditor20250728,
  BetaToolUseBlockParam,
  BetaWebSearchTool20260318,
  MessageCreateParamsBase as BetaParams,
} from "@anthropic-ai/sdk/resources/beta/messages/messages";
import type {
  MessageCreateParamsBase,
  MessageCountTokensParams,
} from "@anthropic-ai/sdk/resources/messages/messages";
import { type FieldRule, unless, type KeyOfAny } from "../../field-rules.ts";

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Sampling has left the SDK's types, and stays what older clients send. */
type Sampling = "temperature" | "top_p" | "top_k";

/**
 * Every field of Anthropic's Messages request, by its own types, so that a field that Anthropic adds does not compile
 * until somebody decides what becomes of it. What changes the answer and has no counterpart is refused.
 */
export const FIELD_RULES: Readonly<
  Record<
    keyof MessageCreateParamsBase | keyof BetaParams | keyof MessageCountTokensParams | Sampling,
    FieldRule
  >
> = {
  // They come as a header of this name.
  betas: "ignored",
  billing_policy: "ignored",
  cache_control: "read",
  // A conversation that is not summed up is longer, and no other one.
  compaction: "ignored",
  container: () => "this server runs no code for a model",
  context_management: "ignored",
  diagnostics: "ignored",
  fallback_credit_token: "ignored",
  // The server's own settings say which model is asked instead.
  fallbacks: "ignored",
  inference_geo: unless(
    (value) => value === "global",
    "where a model is called is for the server's region and the inference profile to say",
  ),
  max_tokens: "read",
  mcp_servers: unless(isEmpty, "this server calls no MCP servers for a model"),
  messages: "read",
  metadata: "read",
  model: "read",
  output_config: "read",
  output_format: "read",
  service_tier: "read",
  // A faster answer is no other one.
  speed: "ignored",
  stop_sequences: "read",
  stream: "read",
  system: "read",
  temperature: "read",
  thinking: "read",
  thread: "read",
  tool_choice: "read",
  tools: "read",
  top_k: "read",
  top_p: "read",
  user_profile_id: "ignored",
  workspace_id: "ignored",
};

/** The same of a tool that a client declares. */
export const TOOL_RULES: Readonly<Record<keyof BetaTool, FieldRule>> = {
  // Nothing but the model itself calls a tool here.
  allowed_callers: "ignored",
  cache_control: "read",
  defer_loading: "read",
  description: "read",
  // Input comes as the model writes it, at every time.
  eager_input_streaming: "ignored",
  input_examples: "ignored",
  input_schema: "read",
  name: "read",
  strict: "read",
  type: "read",
};

type TypedTool =
  | BetaToolBash20250124
  | BetaToolComputerUse20251124
  | BetaToolTextEditor20250728
  | BetaMemoryTool20250818;

/** The same of a tool that Claude knows by its type. */
export const OWN_TOOL_RULES: Readonly<Record<KeyOfAny<TypedTool>, FieldRule>> = {
  allowed_callers: "ignored",
  cache_control: "read",
  defer_loading: "read",
  display_height_px: "read",
  display_number: "read",
  display_width_px: "read",
  enable_zoom: "read",
  input_examples: "ignored",
  max_characters: "read",
  name: "read",
  // Claude is trained for their input.
  strict: "ignored",
  type: "read",
};

const ALL_DOMAINS = unless(isEmpty, "the search of a model of Bedrock's keeps to no domains");

/** The same of the search of the web, which is the model's own here and takes no settings. */
export const WEB_SEARCH_RULES: Readonly<Record<keyof BetaWebSearchTool20260318, FieldRule>> = {
  allowed_callers: "ignored",
  allowed_domains: ALL_DOMAINS,
  blocked_domains: ALL_DOMAINS,
  cache_control: "ignored",
  defer_loading: "ignored",
  max_uses: "ignored",
  name: "read",
  response_inclusion: "ignored",
  strict: "ignored",
  type: "read",
  user_location: "ignored",
};

/** The same of `output_config`. */
export const OUTPUT_RULES: Readonly<Record<keyof BetaOutputConfig, FieldRule>> = {
  effort: "read",
  format: "read",
  task_budget: "ignored",
};

/** The same of a message. */
export const MESSAGE_RULES: Readonly<Record<KeyOfAny<BetaMessageParam>, FieldRule>> = {
  clear_at: "read",
  content: "read",
  output_config: "ignored",
  role: "read",
};

type ReadBlock =
  | BetaCompactionBlockParam
  | BetaImageBlockParam
  | BetaRedactedThinkingBlockParam
  | BetaRequestDocumentBlock
  | BetaRequestToolAdditionBlock
  | BetaSearchResultBlockParam
  | BetaTextBlockParam
  | BetaThinkingBlockParam
  | BetaToolReferenceBlockParam
  | BetaToolResultBlockParam
  | BetaToolUseBlockParam;

/** The same of a block, and of a part of one, of all kinds that are not left out. */
export const BLOCK_RULES: Readonly<Record<KeyOfAny<ReadBlock>, FieldRule>> = {
  cache_control: "read",
  // Nothing but the model itself calls a tool here.
  caller: "ignored",
  citations: "read",
  content: "read",
  context: "read",
  data: "read",
  // Only the servers that wrote it can read it.
  encrypted_content: "ignored",
  id: "read",
  input: "read",
  is_error: "read",
  name: "read",
  signature: "read",
  source: "read",
  text: "read",
  thinking: "read",
  title: "read",
  tool: "read",
  tool_changes: "ignored",
  tool_name: "read",
  tool_use_id: "read",
  toolset_name: "ignored",
  // A model gets an image as it comes.
  transformations: "ignored",
  type: "read",
};

type Source = BetaImageBlockParam["source"] | BetaRequestDocumentBlock["source"];

/** The same of where the bytes of a file are. */
export const SOURCE_RULES: Readonly<Record<KeyOfAny<Source>, FieldRule>> = {
  content: "read",
  data: "read",
  file_id: "read",
  // Told by the file itself.
  media_type: "ignored",
  type: "read",
  url: "read",
};
