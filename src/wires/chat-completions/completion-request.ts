import { isRecord, textAt } from "../../json.ts";
import type {
  ConverseStreamCommandInput,
  OutputConfig,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  ChatCompletionCreateParamsStreaming as CompletionBody,
  ChatCompletionFunctionTool,
  ChatCompletionToolChoiceOption,
} from "openai/resources/chat/completions";
import type { ReasoningEffort } from "openai/resources/shared";
import type { Lessons } from "../../converse/apply-lessons.ts";
import { OpenclawError } from "../../errors.ts";
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

/** How Claude, Nova and others are told to reason: fields of those models alone, from which the effort is taken. */
const REASONING_FIELDS: ReadonlySet<string> = new Set([
  "thinking",
  "output_config",
  "reasoning_config",
  "reasoningConfig",
  "anthropic_beta",
]);

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

function toolFields({
  tools = [],
  toolChoice,
}: ToolConfiguration): Pick<CompletionBody, "tools" | "tool_choice"> {
  const functions = (tools ?? []).flatMap((tool): ChatCompletionFunctionTool[] => {
    if (tool.cachePoint) return [];
    const { name, description, inputSchema } = tool.toolSpec ?? {};
    if (name === undefined) {
      throw new OpenclawError("invalid-request", {
        message: `OpenAI's API has no counterpart of a tool of the kind ${Object.keys(tool)[0] ?? "unknown"}.`,
        hint: "Give the model tools with a toolSpec.",
      });
    }
    const parameters = (inputSchema?.json ?? { type: "object", properties: {} }) as Record<string, unknown>;
    return [
      {
        type: "function",
        function: { name, ...(description === undefined ? {} : { description }), parameters },
      },
    ];
  });
  const choice = choiceOf(toolChoice);
  return {
    ...(functions.length === 0 ? {} : { tools: functions }),
    ...(choice === undefined || functions.length === 0 ? {} : { tool_choice: choice }),
  };
}

function choiceOf(choice: ToolConfiguration["toolChoice"]): ChatCompletionToolChoiceOption | undefined {
  if (choice?.tool) return { type: "function", function: { name: choice.tool.name ?? "" } };
  if (choice?.any) return "required";
  return choice?.auto ? "auto" : undefined;
}

function formatField({ textFormat }: OutputConfig): Pick<CompletionBody, "response_format"> {
  const jsonSchema = textFormat?.structure?.jsonSchema;
  if (!jsonSchema?.schema) return {};
  const { name = "answer", description } = jsonSchema;
  return {
    response_format: {
      type: "json_schema",
      json_schema: {
        name,
        ...(description === undefined ? {} : { description }),
        schema: readSchema(jsonSchema.schema),
      },
    },
  };
}

function readSchema(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new OpenclawError("invalid-request", {
      message: `The JSON Schema of outputConfig is not JSON: ${(cause as Error).message}.`,
      hint: "Send the schema as JSON text.",
      cause,
    });
  }
}

/** The fields of the model's own: those that may go as they are, and the effort that others come to. */
function ownFields(additional: ConverseStreamCommandInput["additionalModelRequestFields"]): {
  fields: Record<string, unknown>;
  effort: ReasoningEffort | undefined;
  dropped: string[];
} {
  const all = isRecord(additional) ? additional : {};
  const entries = Object.entries(all).filter(([name]) => !REASONING_FIELDS.has(name));
  const effort =
    textAt(all["output_config"], "effort") ??
    textAt(all["reasoningConfig"], "maxReasoningEffort") ??
    textAt(all, "reasoning_config") ??
    (textAt(all["thinking"], "type") === "disabled" ? "none" : undefined);
  const dropped = Object.keys(all).filter((name) => REASONING_FIELDS.has(name));
  return {
    fields: Object.fromEntries(entries),
    effort: isEffort(effort) ? effort : undefined,
    dropped: effort === undefined ? dropped : [],
  };
}

const EFFORTS: ReadonlySet<string> = new Set(["none", "minimal", "low", "medium", "high", "xhigh", "max"]);

function isEffort(text: string | undefined): text is NonNullable<ReasoningEffort> {
  return text !== undefined && EFFORTS.has(text);
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
