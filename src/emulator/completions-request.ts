import { isRecord, type JsonObject, textAt } from "../json.ts";
import {
  type ContentBlock,
  type ConverseRequest,
  joined,
  type Message,
  type Tools,
} from "./converse-model.ts";
import type { EmulatedModel } from "./models.ts";
import {
  type AnswerFormat,
  checkForModel,
  missing,
  readArguments,
  readBody,
  readChoice,
  readCount,
  readEffort,
  readFile,
  readFormat,
  readFunction,
  readImage,
  readNumber,
  readStructure,
  refusal,
  wrongType,
  wrongValue,
} from "./openai-request.ts";

/** Fields of a request, by https://platform.openai.com/docs/api-reference/chat/create; others are refused. */
const FIELDS: ReadonlySet<string> = new Set([
  "frequency_penalty",
  "logit_bias",
  "logprobs",
  "max_completion_tokens",
  "max_tokens",
  "messages",
  "metadata",
  "modalities",
  "model",
  "n",
  "parallel_tool_calls",
  "presence_penalty",
  "prompt_cache_key",
  "reasoning_effort",
  "response_format",
  "safety_identifier",
  "seed",
  "service_tier",
  "stop",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
]);

/**
 * Models that reason unless told otherwise, and then take no tools here; nor `max_tokens`: measured by
 * https://github.com/aws-samples/sample-per-model-bedrock (01-openai-gpt/01-responses-api-core.ipynb).
 */
const REASONS_ALWAYS = /openai\.gpt-[5-9]/;

/**
 * Reads the body of a chat completion as a Converse request that asks the same. Throws `AwsError` ValidationException in
 * OpenAI's words for what it refuses.
 */
export function readCompletionsRequest(
  sent: unknown,
  model: Partial<Pick<EmulatedModel, "modelId" | "maxTokens" | "refusedFields">>,
): ConverseRequest {
  const body = readBody(sent, FIELDS);
  if (body["messages"] === undefined) throw missing("messages");
  const { modelId = "", maxTokens, refusedFields } = model;
  checkForModel(body, refusedFields);
  const isAlwaysReasoning = REASONS_ALWAYS.test(modelId);
  if (isAlwaysReasoning && body["max_tokens"] !== undefined)
    throw refusal(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      "unsupported_parameter",
      "max_tokens",
    );
  const tools = readTools(body["tools"]);
  const effort = readEffort(body["reasoning_effort"], "reasoning_effort");
  if (tools && isAlwaysReasoning && effort !== "none")
    throw refusal(
      `Function tools with reasoning_effort are not supported for ${String(body["model"])} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`,
      "unsupported_parameter",
      "reasoning_effort",
    );
  const most = { least: 1, most: maxTokens };
  const { messages, system } = readMessages(body["messages"]);
  const { stop } = body;
  return {
    messages,
    system,
    maxTokens: readCount(body, "max_completion_tokens", most) ?? readCount(body, "max_tokens", most),
    temperature: readNumber(body, "temperature", 2),
    topP: readNumber(body, "top_p", 1),
    stopSequences: typeof stop === "string" ? [stop] : Array.isArray(stop) ? stop.map(String) : [],
    additionalFields: effort === undefined ? {} : { reasoning_effort: effort },
    tools,
    structure: readStructure(
      readChoice(body["tool_choice"], (choice) => textAt(choice["function"], "name")),
      readFormat(body["response_format"], "response_format", readSchema),
      tools,
    ),
  };
}

function readTools(value: unknown): Tools | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw wrongType("tools", "an array of objects", value);
  return (value as unknown[]).map((tool, index) => {
    const param = `tools[${index}]`;
    if (!isRecord(tool)) throw wrongType(param, "an object", tool);
    if (tool["type"] !== "function") throw wrongValue(`${param}.type`, tool["type"], ["function"]);
    if (!isRecord(tool["function"])) throw missing(`${param}.function`);
    return readFunction(tool["function"], `${param}.function`, tool["function"]["strict"] === true);
  });
}

function readSchema({ json_schema: value }: JsonObject): AnswerFormat {
  const held = isRecord(value) ? value : undefined;
  if (!held) throw missing("response_format.json_schema");
  if (typeof held["name"] !== "string") throw missing("response_format.json_schema.name");
  return { schema: held["schema"], param: "response_format.json_schema.schema" };
}

const ROLES = ["system", "developer", "user", "assistant", "tool"];

function readMessages(value: unknown): Pick<ConverseRequest, "messages" | "system"> {
  if (!Array.isArray(value)) throw wrongType("messages", "an array of objects", value);
  const list = value as unknown[];
  if (list.length === 0)
    throw refusal(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "empty_array",
      "messages",
    );
  const messages: Message[] = [];
  const system: { text: string }[] = [];
  /** The calls of the assistant's last message that are not answered yet. */
  let open: string[] = [];
  for (const [index, message] of list.entries()) {
    const param = `messages.[${index}]`;
    const role = textAt(message, "role");
    if (!isRecord(message) || role === undefined || !ROLES.includes(role))
      throw wrongValue(`${param}.role`, role, ROLES);
    if (role === "tool") {
      const toolUseId = textAt(message, "tool_call_id") ?? "";
      if (!open.includes(toolUseId))
        throw refusal(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          "invalid_value",
          `${param}.role`,
        );
      open = open.filter((id) => id !== toolUseId);
      const content = readParts(message["content"], `${param}.content`);
      messages.push({ role: "user", content: [{ toolResult: { toolUseId, content } }] });
      continue;
    }
    checkAnswered(open, param);
    if (role === "assistant") {
      const calls = readCalls(message, param);
      open = calls.map(({ toolUse }) => toolUse?.toolUseId ?? "");
      const said = message["content"] ?? undefined;
      if (said === undefined && calls.length === 0) throw missing(`${param}.content`);
      const content = said === undefined ? [] : readParts(said, `${param}.content`);
      messages.push({ role: "assistant", content: [...content, ...calls] });
      continue;
    }
    const content = readParts(message["content"], `${param}.content`);
    if (role === "user") messages.push({ role: "user", content });
    else system.push(...content.map(({ text = "" }) => ({ text })));
  }
  checkAnswered(open, "messages");
  return { messages: joined(messages), system };
}

function checkAnswered(open: readonly string[], param: string): void {
  if (open.length === 0) return;
  throw refusal(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(", ")}`,
    "invalid_value",
    param,
  );
}

function readCalls(message: JsonObject, param: string): ContentBlock[] {
  const calls = Array.isArray(message["tool_calls"]) ? (message["tool_calls"] as unknown[]) : [];
  return calls.map((call, index) => {
    const details = isRecord(call) ? call["function"] : undefined;
    const id = textAt(call, "id");
    const name = textAt(details, "name");
    if (id === undefined) throw missing(`${param}.tool_calls[${index}].id`);
    if (!isRecord(details) || name === undefined) throw missing(`${param}.tool_calls[${index}].function`);
    return { toolUse: { toolUseId: id, name, input: readArguments(details["arguments"]) } };
  });
}

function readParts(value: unknown, param: string): ContentBlock[] {
  if (typeof value === "string") return value === "" ? [] : [{ text: value }];
  if (!Array.isArray(value)) throw wrongType(param, "a string or an array of objects", value ?? null);
  return (value as unknown[]).map((part, index) => {
    const at = `${param}[${index}]`;
    if (!isRecord(part)) throw wrongType(at, "an object", part);
    const type = textAt(part, "type");
    if (type === "text") return { text: textAt(part, "text") ?? "" };
    if (type === "image_url") return readImage(textAt(part["image_url"], "url"), `${at}.image_url.url`);
    if (type === "file") return readFile(isRecord(part["file"]) ? part["file"] : {}, `${at}.file`);
    throw wrongValue(`${at}.type`, type, ["text", "image_url", "file"]);
  });
}
