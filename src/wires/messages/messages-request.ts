import type { ConverseStreamCommandInput, ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import type {
  MessageCreateParamsStreaming,
  OutputConfig,
  Tool,
  ToolChoice,
  ToolUnion,
} from "@anthropic-ai/sdk/resources/messages";
import { OpenclawError } from "../../errors.ts";
import { withoutPlaceHolder } from "../../converse/own-tools.ts";
import { isRecord, type JsonObject } from "../../json.ts";
import { parseExactlyIfJson } from "../../json-bounds.ts";
import { type DocumentForm, toMessageParams, toSystemParam, withCacheControl } from "./messages-content.ts";

/** The body, and the fields of the Converse request that it has no place for. */
export interface MessagesRequest {
  body: MessageCreateParamsStreaming;
  dropped: (keyof ConverseStreamCommandInput)[];
}

/** What of a request is decided outside of it. */
export interface MessagesTarget extends DocumentForm {
  /** The model as the server calls it. */
  model: string;
  /** The most tokens of an answer where the request names none: this API wants a number. */
  maxTokens: number;
}

/** Fields of Converse with no counterpart here, none of which changes what is asked. */
const WITHOUT_COUNTERPART = [
  "guardrailConfig",
  "performanceConfig",
  "additionalModelResponseFieldPaths",
] as const;

/**
 * The tiers of the API by Bedrock's: `auto` is served with priority where the account has bought it
 * (https://platform.claude.com/docs/en/api/service-tiers).
 */
const SERVICE_TIERS: Readonly<Record<string, MessageCreateParamsStreaming["service_tier"]>> = {
  priority: "auto",
  default: "standard_only",
};

/**
 * The request of Anthropic's Messages API that asks what a Converse request asks. Fields of the model's own go with it as
 * they are: they are this API's. Throws `bad-attachment` and `invalid-request` for what cannot be asked so.
 */
export function toMessagesRequest(
  input: ConverseStreamCommandInput,
  target: MessagesTarget,
): MessagesRequest {
  const { messages = [], inferenceConfig = {}, toolConfig, serviceTier, requestMetadata } = input;
  const { temperature, topP, stopSequences = [], maxTokens = target.maxTokens } = inferenceConfig;
  const own = isRecord(input.additionalModelRequestFields) ? input.additionalModelRequestFields : {};
  const system = toSystemParam(input.system);
  const outputConfig = outputConfigOf(own, input.outputConfig);
  const tier = serviceTier && SERVICE_TIERS[serviceTier.type ?? ""];
  const { user_id: userId, ...others } = requestMetadata ?? {};
  const body: MessageCreateParamsStreaming = {
    ...own,
    model: target.model,
    max_tokens: maxTokens,
    ...(system === undefined ? {} : { system }),
    messages: toMessageParams(messages, target),
    stream: true,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stopSequences.length === 0 ? {} : { stop_sequences: [...stopSequences] }),
    ...toolFields(toolConfig, own),
    ...(outputConfig ? { output_config: outputConfig } : {}),
    ...(tier === undefined ? {} : { service_tier: tier }),
    ...(userId === undefined ? {} : { metadata: { user_id: userId } }),
  };
  return {
    body,
    dropped: [
      ...WITHOUT_COUNTERPART.filter((name) => input[name] !== undefined),
      ...(serviceTier && tier === undefined ? (["serviceTier"] as const) : []),
      ...(Object.keys(others).length > 0 ? (["requestMetadata"] as const) : []),
    ],
  };
}

/** This API has one list for all tools, those that a model knows by their types among them. */
function toolFields(
  { tools = [], toolChoice }: Partial<ToolConfiguration> = {},
  { tools: own = [] }: JsonObject,
): Pick<MessageCreateParamsStreaming, "tools" | "tool_choice"> {
  const byType = own as ToolUnion[];
  const others = byType.length === 0 ? tools : withoutPlaceHolder(tools);
  const declared: ToolUnion[] = withCacheControl(others, (tool): Tool[] => {
    const { name, description, inputSchema, strict } = tool.toolSpec ?? {};
    if (name === undefined) {
      throw new OpenclawError("invalid-request", {
        message: `The Messages API has no counterpart of a tool of the kind ${Object.keys(tool)[0] ?? "unknown"}.`,
        hint: "Give the model tools with a toolSpec.",
      });
    }
    return [
      {
        name,
        ...(description === undefined ? {} : { description }),
        input_schema: (inputSchema?.json ?? { type: "object" }) as Tool.InputSchema,
        ...(strict === true ? { strict } : {}),
      },
    ];
  });
  declared.push(...byType);
  const choice = choiceOf(toolChoice);
  return {
    ...(declared.length === 0 ? {} : { tools: declared }),
    ...(choice === undefined || declared.length === 0 ? {} : { tool_choice: choice }),
  };
}

function choiceOf(choice: ToolConfiguration["toolChoice"]): ToolChoice | undefined {
  if (choice?.tool) return { type: "tool", name: choice.tool.name ?? "" };
  if (choice?.any) return { type: "any" };
  return choice?.auto ? { type: "auto" } : undefined;
}

/** The effort, which is a field of the model's own, and the schema, which Converse has a field for, are one object here. */
function outputConfigOf(
  { output_config: own }: JsonObject,
  outputConfig: ConverseStreamCommandInput["outputConfig"],
): OutputConfig | undefined {
  const { schema } = outputConfig?.textFormat?.structure?.jsonSchema ?? {};
  const effort = isRecord(own) ? (own as OutputConfig) : undefined;
  return schema === undefined
    ? effort
    : { ...effort, format: { type: "json_schema", schema: readSchema(schema) } };
}

function readSchema(text: string): Record<string, unknown> {
  const schema = parseExactlyIfJson(text);
  if (isRecord(schema)) return schema;
  throw new OpenclawError("invalid-request", {
    message: "The JSON Schema of outputConfig is not a JSON object.",
    hint: "Send the schema as JSON text.",
  });
}
