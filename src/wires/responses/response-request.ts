import type {
  ConverseStreamCommandInput,
  OutputConfig,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  FunctionTool,
  ResponseCreateParamsStreaming,
  WebSearchTool,
} from "openai/resources/responses/responses";
import { isRecord, textAt, withoutUndefined } from "../../json.ts";
import { instructionsOf } from "../content-parts.ts";
import { choiceOf, formatOf, functionsOf, ownFields } from "../openai-fields.ts";
import { toInputItems } from "./response-input.ts";

/** A request of Responses as it goes out: streamed, and kept by nobody. */
export type ResponseBody = ResponseCreateParamsStreaming;

/** The least that an answer may be limited to, in tokens: https://platform.openai.com/docs/api-reference/responses/create */
export const LEAST_TOKENS = 16;

/** What the reasoning of an answer is asked for with. */
export interface WantedReasoning {
  /** Whether it comes encrypted, to go back with the next question. */
  isKept: boolean;
  /** Whether a summary of it is asked for, for a person to read. */
  isShown: boolean;
}

/**
 * The request of Responses that asks what a Converse request asks, of the model `model`. The whole conversation goes with
 * it, and nothing is left at the server. Fields of the model's own go with it as they are. There is no field for texts that
 * end an answer. Throws `bad-attachment` and `invalid-request` for what cannot be asked so.
 */
export function toResponseRequest(
  input: ConverseStreamCommandInput,
  model: string,
  reasoning: WantedReasoning,
): ResponseBody {
  const { messages = [], system = [], inferenceConfig = {}, toolConfig, outputConfig } = input;
  const { maxTokens, temperature, topP } = inferenceConfig;
  const { fields, effort: nested } = ownFields(input.additionalModelRequestFields);
  const { reasoning_effort: flat, reasoning: own, include, text, ...others } = fields;
  const effort = nested ?? flat;
  const wanted = {
    ...(isRecord(own) ? own : {}),
    ...(effort === undefined ? {} : { effort }),
    ...(reasoning.isShown && textAt({ effort }, "effort") !== "none" ? { summary: "auto" } : {}),
  } as NonNullable<ResponseBody["reasoning"]>;
  const instructions = instructionsOf(system);
  const format = outputConfig && formatField(outputConfig);
  const included = [
    ...(Array.isArray(include) ? (include as unknown[]) : []),
    ...(reasoning.isKept ? ["reasoning.encrypted_content"] : []),
  ] as NonNullable<ResponseBody["include"]>;
  const served = input.serviceTier?.type as ResponseBody["service_tier"];
  return {
    ...others,
    model,
    ...(instructions === "" ? {} : { instructions }),
    input: toInputItems(messages),
    stream: true,
    store: false,
    ...(included.length === 0 ? {} : { include: included }),
    ...(Object.keys(wanted).length === 0 ? {} : { reasoning: wanted }),
    ...(maxTokens === undefined ? {} : { max_output_tokens: Math.max(LEAST_TOKENS, maxTokens) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(toolConfig ? toolFields(toolConfig) : {}),
    ...(isRecord(text) || format ? { text: { ...(isRecord(text) ? text : {}), ...format } } : {}),
    ...(served === undefined ? {} : { service_tier: served }),
    ...(input.requestMetadata ? { metadata: input.requestMetadata } : {}),
  };
}

/** Unlike chat completions, Responses hold a tool to its schema unless told otherwise, and then refuse most schemas. */
function toolFields(config: ToolConfiguration): Pick<ResponseBody, "tools" | "tool_choice"> {
  const ownTools = (config.tools ?? []).flatMap(({ systemTool }) =>
    systemTool ? [{ type: systemTool.name } as WebSearchTool] : [],
  );
  const callers = { ...config, tools: (config.tools ?? []).filter(({ systemTool }) => !systemTool) };
  const functions = functionsOf(callers).map(
    ({ name, description, parameters, strict = false }): FunctionTool =>
      withoutUndefined({ type: "function", name, description, parameters, strict } as const),
  );
  const tools = [...functions, ...ownTools];
  if (tools.length === 0) return {};
  const choice = choiceOf(config.toolChoice);
  const named = typeof choice === "object" ? ({ type: "function", ...choice } as const) : choice;
  return { tools, ...(named === undefined ? {} : { tool_choice: named }) };
}

function formatField(config: OutputConfig): ResponseBody["text"] {
  const format = formatOf(config);
  return format && { format: { type: "json_schema", ...format } };
}
