import type {
  ChatCompletionCreateParamsBase,
  ChatCompletionCustomTool,
  ChatCompletionStreamOptions,
  ChatCompletionTool,
} from "openai/resources/chat/completions/completions";
import type { FunctionDefinition } from "openai/resources/shared";
import type { CompletionField } from "../../../config/parameters.ts";
import { isRecord } from "../../../json.ts";
import { type FieldRule, unless } from "../../field-rules.ts";

const isZero = (value: unknown): boolean => value === 0;
const isFalse = (value: unknown): boolean => value === false;
const isEmpty = (value: unknown): boolean => isRecord(value) && Object.keys(value).length === 0;

const OLDER_FORM = "functions are the older form of tools: send `tools` and `tool_choice`";

/**
 * Every field of OpenAI's chat completions request, by its own type, so that a field that OpenAI adds does not compile
 * until somebody decides what becomes of it. What changes the answer and has no counterpart in Converse is refused.
 */
export const FIELD_RULES: Readonly<
  Record<keyof ChatCompletionCreateParamsBase | CompletionField, FieldRule>
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
  web_search_options: () => "this server searches no web",
};

type KeyOfAny<T> = T extends T ? keyof T : never;

/** The same of a tool. */
export const TOOL_RULES: Readonly<Record<KeyOfAny<ChatCompletionTool>, FieldRule>> = {
  custom: "read",
  function: "read",
  type: "read",
};

/** The same of what a tool declares, by its kind. */
export const DECLARED_RULES: Readonly<{
  function: Record<keyof FunctionDefinition, FieldRule>;
  custom: Record<keyof ChatCompletionCustomTool.Custom, FieldRule>;
}> = {
  function: { description: "read", name: "read", parameters: "read", strict: "read" },
  custom: { description: "read", format: "read", name: "read" },
};

/** The same of `stream_options`. */
export const STREAM_RULES: Readonly<Record<keyof ChatCompletionStreamOptions, FieldRule>> = {
  // What pads the pieces of a stream says nothing.
  include_obfuscation: "ignored",
  include_usage: "read",
};
