import type {
  ConverseStreamCommandInput,
  OutputConfig,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  ChatCompletionCreateParamsStreaming as CompletionBody,
  ChatCompletionFunctionTool,
} from "openai/resources/chat/completions";
import type { Lessons } from "../../converse/apply-lessons.ts";
import { choiceOf, formatOf, functionsOf, ownFields } from "../openai-fields.ts";
import { toCompletionMessages } from "./completion-messages.ts";

/** A request as it goes out, and what of the Converse request it leaves out, in Converse's words. */
export interface CompletionPlan {
  body: CompletionBody;
  dropped: string[];
}

/**
 * Fields of Converse with no counterpart here. Nothing of them changes what is asked, so the request goes out without
 * them, and whoever asked is told.
 */
const WITHOUT_COUNTERPART = [
  "guardrailConfig",
  "serviceTier",
  "performanceConfig",
  "requestMetadata",
  "additionalModelResponseFieldPaths",
] as const;

/**
 * The chat completion that asks what a Converse request asks, of the model `model`. Fields of the model's own go with
 * it as they are: vLLM, llama.cpp and others take `top_k` and the like beside OpenAI's. Throws `bad-attachment` and
 * `invalid-request` for what cannot be asked so.
 */
export function toCompletionRequest(input: ConverseStreamCommandInput, model: string): CompletionPlan {
  const { messages = [], system = [], inferenceConfig = {}, toolConfig, outputConfig } = input;
  const { maxTokens, temperature, topP, stopSequences = [] } = inferenceConfig;
  const own = ownFields(input.additionalModelRequestFields);
  const hasCachePoints = [
    ...system,
    ...messages.flatMap(({ content }) => content ?? []),
    ...(toolConfig?.tools ?? []),
  ].some(({ cachePoint }) => cachePoint !== undefined);
  const body: CompletionBody = {
    ...own.fields,
    model,
    messages: toCompletionMessages(system, messages),
    stream: true,
    stream_options: { include_usage: true },
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stopSequences.length === 0 ? {} : { stop: [...stopSequences] }),
    ...(own.effort === undefined ? {} : { reasoning_effort: own.effort }),
    ...(toolConfig ? toolFields(toolConfig) : {}),
    ...(outputConfig ? formatField(outputConfig) : {}),
  };
  return {
    body,
    dropped: [
      ...WITHOUT_COUNTERPART.filter((name) => input[name] !== undefined),
      ...(hasCachePoints ? ["cachePoint"] : []),
      ...own.dropped,
    ],
  };
}

function toolFields(config: ToolConfiguration): Pick<CompletionBody, "tools" | "tool_choice"> {
  const functions = functionsOf(config).map(
    ({ name, description, parameters }): ChatCompletionFunctionTool => {
      const described = description === undefined ? {} : { description };
      return { type: "function", function: { name, ...described, parameters } };
    },
  );
  const choice = choiceOf(config.toolChoice);
  const named = typeof choice === "object" ? ({ type: "function", function: choice } as const) : choice;
  return {
    ...(functions.length === 0 ? {} : { tools: functions }),
    ...(named === undefined || functions.length === 0 ? {} : { tool_choice: named }),
  };
}

function formatField(config: OutputConfig): Pick<CompletionBody, "response_format"> {
  const format = formatOf(config);
  return format ? { response_format: { type: "json_schema", json_schema: format } } : {};
}

/**
 * The same request in the words of a server that has refused others. The limit on tokens is `max_tokens` to Ollama, vLLM,
 * llama.cpp and LiteLLM; OpenAI's reasoning models take `max_completion_tokens` only
 * (https://platform.openai.com/docs/api-reference/chat/create). And `stream_options`, without which most servers count
 * nothing, is unknown to older ones.
 */
export function inWordsOfServer(body: CompletionBody, lessons: Lessons): CompletionBody {
  return lessons.reduce((changed, { name, value }) => {
    if (name === "no-streamed-tools" && changed.tools) {
      const { stream_options: _, ...rest } = changed;
      // The answer's type says that it comes whole, and it is read so.
      return { ...rest, stream: false as unknown as true };
    }
    if (name === "no-stream-options") {
      const { stream_options: _, ...rest } = changed;
      return rest;
    }
    if (name !== "length-field") return changed;
    const { max_tokens: older, max_completion_tokens: newer, ...rest } = changed;
    const most = newer ?? older;
    if (most === undefined || most === null) return changed;
    return value === "max_tokens" ? { ...rest, max_tokens: most } : { ...rest, max_completion_tokens: most };
  }, body);
}
