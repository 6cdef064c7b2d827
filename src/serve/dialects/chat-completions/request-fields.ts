import type {
  ChatCompletionChunk,
  ChatCompletionContentPart,
  ChatCompletionContentPartImage,
  ChatCompletionContentPartInputAudio,
  ChatCompletionContentPartRefusal,
  ChatCompletionCreateParamsBase,
  ChatCompletionCustomTool,
  ChatCompletionMessageCustomToolCall,
  ChatCompletionMessageParam,
  ChatCompletionMessageToolCall,
  ChatCompletionStreamOptions,
  ChatCompletionTool,
  ParsedChatCompletionMessage,
  ParsedFunction,
} from "openai/resources/chat/completions/completions";
import type { FunctionDefinition } from "openai/resources/shared";
import type { CompletionField } from "../../../config/parameters.ts";
import { isRecord } from "../../../json.ts";
import { CACHE_MARKS, type CacheMark } from "../../content/cache-mark.ts";
import { type FieldRule, unless, type KeyOfAny } from "../../field-rules.ts";

const isZero = (value: unknown): boolean => value === 0;
const isFalse = (value: unknown): boolean => value === false;
const isEmpty = (value: unknown): boolean => isRecord(value) && Object.keys(value).length === 0;

const OLDER_FORM = "functions are the older form of tools: send `tools` and `tool_choice`";

/** What changes the answer, and other servers of this API take. */
type OtherServersField = "cache_control" | "guardrailConfig" | "thinking";

/**
 * Every field of OpenAI's chat completions request, by its own type, so that a field that OpenAI adds does not compile
 * until somebody decides what becomes of it. What changes the answer and has no counterpart in Converse is refused.
 */
export const FIELD_RULES: Readonly<
  Record<keyof ChatCompletionCreateParamsBase | CompletionField | OtherServersField, FieldRule>
> = {
  audio: () => "Converse answers with text only",
  frequency_penalty: unless(isZero, "Converse has no penalties"),
  // With no functions these ask for nothing.
  function_call: unless((value) => value === "none" || value === "auto", OLDER_FORM),
  functions: unless((value) => Array.isArray(value) && value.length === 0, OLDER_FORM),
  logit_bias: unless(isEmpty, "Converse has no bias of single tokens"),
  logprobs: unless(isFalse, "Converse gives no log probabilities"),
  max_completion_tokens: "read",
  max_tokens: "read",
  messages: "read",
  metadata: "read",
  modalities: unless(
    (value) => Array.isArray(value) && value.every((kind) => kind === "text"),
    "Converse answers with text only",
  ),
  model: "read",
  moderation: () => "Bedrock moderates by guardrails, which the server's configuration names",
  n: unless((value) => value === 1, "Converse gives one answer a call: ask several times"),
  parallel_tool_calls: "read",
  // A guess at the answer makes it faster, and never another.
  prediction: "ignored",
  presence_penalty: unless(isZero, "Converse has no penalties"),
  prompt_cache_key: "ignored",
  prompt_cache_options: "ignored",
  prompt_cache_retention: "ignored",
  reasoning_effort: "read",
  response_format: "read",
  safety_identifier: "ignored",
  // OpenAI promises nothing of it either.
  seed: "ignored",
  service_tier: "read",
  stop: "read",
  // Nothing is ever stored here.
  store: "ignored",
  stream: "read",
  stream_options: "read",
  temperature: "read",
  tool_choice: "read",
  tools: "read",
  top_k: "read",
  top_logprobs: unless(isZero, "Converse gives no log probabilities"),
  top_p: "read",
  user: "ignored",
  verbosity: unless((value) => value === "medium", "Converse has no verbosity: ask for it in the prompt"),
  // Those of other servers: LiteLLM's.
  cache_control: "read",
  guardrailConfig: "read",
  thinking: "read",
  web_search_options: () => "this server searches no web",
};

/** The same of a tool. */
export const TOOL_RULES: Readonly<Record<KeyOfAny<ChatCompletionTool> | CacheMark, FieldRule>> = {
  ...CACHE_MARKS,
  custom: "read",
  function: "read",
  type: "read",
};

/** The same of what a tool declares, by its kind. */
export const DECLARED_RULES: Readonly<{
  function: Record<keyof FunctionDefinition | CacheMark, FieldRule>;
  custom: Record<keyof ChatCompletionCustomTool.Custom | CacheMark, FieldRule>;
}> = {
  function: { ...CACHE_MARKS, description: "read", name: "read", parameters: "read", strict: "read" },
  custom: { ...CACHE_MARKS, description: "read", format: "read", name: "read" },
};

/** The same of `stream_options`. */
export const STREAM_RULES: Readonly<Record<keyof ChatCompletionStreamOptions, FieldRule>> = {
  // What pads the pieces of a stream says nothing.
  include_obfuscation: "ignored",
  include_usage: "read",
};

/** Not OpenAI's, and in the answers of this server and others, which clients send back. */
type Told = "reasoning_content";

/** The same of a message. */
export const MESSAGE_RULES: Readonly<
  Record<
    KeyOfAny<ChatCompletionMessageParam> | keyof ParsedChatCompletionMessage<unknown> | Told | CacheMark,
    FieldRule
  >
> = {
  ...CACHE_MARKS,
  annotations: "ignored",
  audio: "read",
  content: "read",
  function_call: "read",
  name: "read",
  parsed: "ignored",
  // Without what proves it no model takes it.
  reasoning_content: "ignored",
  refusal: "read",
  role: "read",
  tool_call_id: "read",
  tool_calls: "read",
};

/** The same of a part of a message. */
export const PART_RULES: Readonly<
  Record<KeyOfAny<ChatCompletionContentPart | ChatCompletionContentPartRefusal> | CacheMark, FieldRule>
> = {
  ...CACHE_MARKS,
  file: "read",
  image_url: "read",
  input_audio: "read",
  refusal: "read",
  text: "read",
  type: "read",
};

/** The same of what a part holds, by its type. */
export const HELD_RULES: Readonly<{
  image_url: Record<keyof ChatCompletionContentPartImage.ImageURL, FieldRule>;
  file: Record<keyof ChatCompletionContentPart.File.File, FieldRule>;
  input_audio: Record<keyof ChatCompletionContentPartInputAudio.InputAudio, FieldRule>;
}> = {
  // Each model looks as closely as it can.
  image_url: { detail: "ignored", url: "read" },
  file: { file_data: "read", file_id: "read", filename: "read" },
  // Told by the recording itself.
  input_audio: { data: "read", format: "ignored" },
};

/** The same of a call in a message. */
export const CALL_RULES: Readonly<
  Record<KeyOfAny<ChatCompletionMessageToolCall> | keyof ChatCompletionChunk.Choice.Delta.ToolCall, FieldRule>
> = {
  custom: "read",
  function: "read",
  id: "read",
  // Left over by clients that put a stream together.
  index: "ignored",
  type: "read",
};

/** The same of what is called, by its kind. */
export const CALLED_RULES: Readonly<{
  function: Record<keyof ParsedFunction, FieldRule>;
  custom: Record<keyof ChatCompletionMessageCustomToolCall.Custom, FieldRule>;
}> = {
  function: { arguments: "read", name: "read", parsed_arguments: "ignored" },
  custom: { input: "read", name: "read" },
};
