import type {
  CustomTool,
  EasyInputMessage,
  FunctionTool,
  NamespaceTool,
  ParsedResponseFunctionToolCall,
  ParsedResponseOutputText,
  ResponseCreateParamsBase,
  ResponseCustomToolCall,
  ResponseCustomToolCallOutput,
  ResponseInputAudio,
  ResponseInputContent,
  ResponseInputItem,
  ResponseOutputMessage,
  ResponseOutputRefusal,
  ResponseReasoningItem,
  ResponseTextConfig,
  ResponseToolSearchOutputItemParam,
  ToolSearchTool,
  WebSearchPreviewTool,
  WebSearchTool,
} from "openai/resources/responses/responses";
import type { Reasoning } from "openai/resources/shared";
import { CACHE_MARKS, type CacheMark } from "../../content/cache-mark.ts";
import { type FieldRule, unless, type KeyOfAny } from "../../field-rules.ts";

const isFalse = (value: unknown): boolean => value === false;

const STATELESS = "this server keeps nothing: send the whole conversation as 'input'";

/** Two that other servers take, Codex's marks of its own, and one that only OpenAI's pages have. */
type OtherField = "client_metadata" | "max_tool_calls" | "stop" | "top_k";

/**
 * Every field of a request of OpenAI's Responses, by its own type, so that a field that OpenAI adds does not compile until
 * somebody decides what becomes of it. What changes the answer and has no counterpart in Converse is refused.
 */
export const FIELD_RULES: Readonly<Record<keyof ResponseCreateParamsBase | OtherField, FieldRule>> = {
  background: unless(isFalse, "this server keeps nothing: wait for the answer, or stream it"),
  client_metadata: "ignored",
  // When a conversation gets long is for the client to see.
  context_management: "ignored",
  conversation: () => STATELESS,
  include: "read",
  input: "read",
  instructions: "read",
  max_output_tokens: "read",
  // Of tools that this server does not have.
  max_tool_calls: "ignored",
  metadata: "read",
  model: "read",
  moderation: () => "Bedrock moderates by guardrails, which the server's configuration names",
  parallel_tool_calls: "read",
  previous_response_id: () => STATELESS,
  prompt: () => "this server has no prompt templates: send the prompt itself",
  prompt_cache_key: "ignored",
  prompt_cache_options: "ignored",
  prompt_cache_retention: "ignored",
  reasoning: "read",
  safety_identifier: "ignored",
  service_tier: "read",
  stop: "read",
  store: unless(isFalse, STATELESS),
  stream: "read",
  stream_options: "ignored",
  temperature: "read",
  text: "read",
  tool_choice: "read",
  tools: "read",
  top_k: "read",
  top_logprobs: unless((value) => value === 0, "Converse gives no log probabilities"),
  top_p: "read",
  // What is too long for a model is refused by it, as `disabled` says.
  truncation: "ignored",
  user: "ignored",
};

/** The fields of `reasoning`. Of summaries there is one kind. */
export const REASONING_RULES: Readonly<Record<keyof Reasoning, FieldRule>> = {
  context: "ignored",
  effort: "read",
  generate_summary: "read",
  mode: "read",
  summary: "read",
};

/** The fields of `text`. */
export const TEXT_RULES: Readonly<Record<keyof ResponseTextConfig, FieldRule>> = {
  format: "read",
  verbosity: "read",
};

/** What a tool may say of who calls it and when it is declared: all are, and the model calls them itself. */
const OF_ALL = { ...CACHE_MARKS, allowed_callers: "ignored", defer_loading: "ignored" } as const;

/** The fields of a tool, by its type. */
export const TOOL_RULES: Readonly<{
  function: Record<keyof FunctionTool | CacheMark, FieldRule>;
  custom: Record<keyof CustomTool | CacheMark, FieldRule>;
  namespace: Record<keyof NamespaceTool, FieldRule>;
  tool_search: Record<keyof ToolSearchTool | CacheMark, FieldRule>;
}> = {
  function: {
    ...OF_ALL,
    description: "read",
    name: "read",
    // A result comes as it is.
    output_schema: "ignored",
    parameters: "read",
    strict: "read",
    type: "read",
  },
  custom: { ...OF_ALL, description: "read", format: "read", name: "read", type: "read" },
  // Each tool has a description of its own.
  namespace: { description: "ignored", name: "read", tools: "read", type: "read" },
  tool_search: { ...CACHE_MARKS, description: "read", execution: "read", parameters: "read", type: "read" },
};

/** The same of a search of the web, of all dates and forms of it. One field has OpenAI's page alone. */
export const WEB_SEARCH_RULES: Readonly<
  Record<KeyOfAny<WebSearchTool | WebSearchPreviewTool> | "external_web_access", FieldRule>
> = {
  external_web_access: "read",
  filters: "read",
  search_content_types: "ignored",
  search_context_size: "ignored",
  type: "read",
  user_location: "ignored",
};

/** Not among the SDK's types: Codex's `agent_message`. */
interface AgentMessage {
  author: string;
  recipient: string;
}

type ReadItem =
  | AgentMessage
  | ResponseInputItem.LocalShellCall
  | EasyInputMessage
  | ParsedResponseFunctionToolCall
  | ResponseCustomToolCall
  | ResponseCustomToolCallOutput
  | ResponseInputItem.AdditionalTools
  | ResponseInputItem.FunctionCallOutput
  | ResponseInputItem.ItemReference
  | ResponseInputItem.Message
  | ResponseInputItem.ToolSearchCall
  | ResponseOutputMessage
  | ResponseReasoningItem
  | ResponseToolSearchOutputItemParam;

/** The same of an item of the input. */
export const ITEM_RULES: Readonly<Record<KeyOfAny<ReadItem>, FieldRule>> = {
  action: "read",
  arguments: "read",
  author: "read",
  call_id: "read",
  // Nothing but the model itself calls a tool here.
  caller: "ignored",
  content: "read",
  encrypted_content: "read",
  execution: "ignored",
  id: "read",
  input: "read",
  name: "read",
  namespace: "read",
  output: "read",
  parsed_arguments: "ignored",
  phase: "ignored",
  recipient: "read",
  role: "read",
  status: "ignored",
  summary: "ignored",
  tools: "read",
  type: "read",
};

type Part =
  | ParsedResponseOutputText<unknown>
  | ResponseInputAudio
  | ResponseInputContent
  | ResponseOutputRefusal;

/** The same of a part of an item. */
export const PART_RULES: Readonly<Record<KeyOfAny<Part> | CacheMark, FieldRule>> = {
  ...CACHE_MARKS,
  annotations: "ignored",
  // Each model looks as closely as it can.
  detail: "ignored",
  file_data: "read",
  file_id: "read",
  file_url: "read",
  filename: "read",
  image_url: "read",
  input_audio: "read",
  logprobs: "ignored",
  parsed: "ignored",
  refusal: "read",
  text: "read",
  type: "read",
};
