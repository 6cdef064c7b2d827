import { isRecord, type JsonObject, textAt } from "../json.ts";
import { parseIfJson } from "../json-bounds.ts";
import type { AwsError } from "./aws-error.ts";
import {
  type ContentBlock,
  type ConverseRequest,
  joined,
  type Message,
  type Tools,
} from "./converse-model.ts";
import { signReasoning } from "./model-rules.ts";
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

/** Fields of a request, by https://platform.openai.com/docs/api-reference/responses/create; others are refused. */
const FIELDS: ReadonlySet<string> = new Set([
  "background",
  "include",
  "input",
  "instructions",
  "max_output_tokens",
  "max_tool_calls",
  "metadata",
  "model",
  "parallel_tool_calls",
  "previous_response_id",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "reasoning",
  "safety_identifier",
  "service_tier",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "text",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "truncation",
  "user",
]);

export interface ResponsesRequest {
  conversation: ConverseRequest;
  /** Whether the caller wants to have its reasoning encrypted, to send it back. */
  isEncrypted: boolean;
  /** Whether a summary of the reasoning is asked for. */
  isSummarised: boolean;
  /** Whether the server may search the web. */
  maySearch: boolean;
}

/**
 * Reads the body of Responses as a Converse request that asks the same. Throws `AwsError` ValidationException in OpenAI's
 * words for what it refuses.
 */
export function readResponsesRequest(
  sent: unknown,
  model: Partial<Pick<EmulatedModel, "modelId" | "maxTokens" | "refusedFields">>,
  isMantle: boolean,
): ResponsesRequest {
  const body = readBody(sent, FIELDS);
  if (body["input"] === undefined) throw missing("input");
  checkForModel(body, model.refusedFields);
  if (body["background"] === true && !isMantle) throw notHere("'background' is", "background");
  const { tools, maySearch } = readTools(body["tools"], isMantle);
  const reasoning = objectAt(body, "reasoning");
  const effort = readEffort(reasoning["effort"], "reasoning.effort");
  const include = Array.isArray(body["include"]) ? (body["include"] as unknown[]) : [];
  const instructions = textAt(body, "instructions");
  refuseEarlier(body["previous_response_id"]);
  const items = readInput(body["input"], model.modelId ?? "");
  return {
    conversation: {
      messages: joined(items.messages),
      system: [...(instructions ? [{ text: instructions }] : []), ...items.system],
      maxTokens: readCount(body, "max_output_tokens", { least: 16, most: model.maxTokens }),
      temperature: readNumber(body, "temperature", 2),
      topP: readNumber(body, "top_p", 1),
      stopSequences: [],
      additionalFields: effort === undefined ? {} : { reasoning: { effort } },
      tools,
      structure: readStructure(
        readChoice(body["tool_choice"], (choice) => textAt(choice, "name")),
        readFormat(objectAt(body, "text")["format"], "text.format", readSchema),
        tools,
      ),
    },
    isEncrypted: include.includes("reasoning.encrypted_content"),
    isSummarised: textAt(reasoning, "summary") !== undefined,
    maySearch,
  };
}

/** What only Mantle has: the page says so, and the words are ours. */
function notHere(what: string, param: string): AwsError {
  return refusal(`${what} not supported on this endpoint.`, "unsupported_parameter", param);
}

function objectAt(holder: JsonObject, name: string): JsonObject {
  const value = holder[name] ?? undefined;
  if (value === undefined) return {};
  if (isRecord(value)) return value;
  throw wrongType(name, "an object", value);
}

/** Nothing is stored here. */
function refuseEarlier(id: unknown): void {
  if (id === undefined || id === null) return;
  throw refusal(
    `Previous response with id '${String(id)}' not found.`,
    "previous_response_not_found",
    "previous_response_id",
  );
}

function readTools(value: unknown, isMantle: boolean): { tools: Tools | undefined; maySearch: boolean } {
  if (value === undefined || value === null) return { tools: undefined, maySearch: false };
  if (!Array.isArray(value)) throw wrongType("tools", "an array of objects", value);
  let maySearch = false;
  const tools = (value as unknown[]).flatMap((tool, index): Tools => {
    const param = `tools[${index}]`;
    if (!isRecord(tool)) throw wrongType(param, "an object", tool);
    const type = textAt(tool, "type");
    if (type === undefined) throw missing(`${param}.type`);
    if (type === "function") {
      // Unless it is told otherwise, the model is held to the schema.
      return [readFunction(tool, param, (tool["strict"] ?? true) === true)];
    }
    if (!isMantle) throw notHere(`The tool type '${type}' is`, `${param}.type`);
    if (type !== "web_search") throw wrongValue(`${param}.type`, type, ["function", "web_search"]);
    maySearch = true;
    return [];
  });
  return { tools: tools.length === 0 ? undefined : tools, maySearch };
}

function readSchema(format: JsonObject): AnswerFormat {
  if (typeof format["name"] !== "string") throw missing("text.format.name");
  return { schema: format["schema"], param: "text.format.schema" };
}

interface Said {
  messages: Message[];
  system: { text: string }[];
}

function readInput(input: unknown, modelId: string): Said {
  if (typeof input !== "string" && !Array.isArray(input))
    throw wrongType("input", "a string or an array of input items", input);
  const said: Said = { messages: [], system: [] };
  const items =
    typeof input === "string" ? [{ type: "message", role: "user", content: input }] : (input as unknown[]);
  /** The calls that are not answered yet. */
  const open = new Set<string>();
  for (const [index, item] of items.entries()) {
    const param = `input[${index}]`;
    if (!isRecord(item)) throw wrongType(param, "an input item", item);
    switch (textAt(item, "type") ?? "message") {
      case "message":
        readMessage(item, param, said);
        break;
      case "function_call": {
        const toolUseId = textAt(item, "call_id") ?? "";
        open.add(toolUseId);
        const toolUse = {
          toolUseId,
          name: textAt(item, "name") ?? "",
          input: readArguments(item["arguments"]),
        };
        said.messages.push({ role: "assistant", content: [{ toolUse }] });
        break;
      }
      case "function_call_output": {
        const toolUseId = textAt(item, "call_id") ?? "";
        if (!open.delete(toolUseId) && !isCalledBefore(said, toolUseId))
          throw refusal(
            `No tool call found for function call output with call_id ${toolUseId}.`,
            "invalid_value",
            "input",
          );
        const content = readParts(item["output"], `${param}.output`, "input_text");
        said.messages.push({ role: "user", content: [{ toolResult: { toolUseId, content } }] });
        break;
      }
      case "reasoning":
        checkReasoning(item, items[index + 1], modelId);
        break;
      case "web_search_call":
        break;
      default:
        throw wrongValue(`${param}.type`, item["type"], [
          "message",
          "function_call",
          "function_call_output",
          "reasoning",
        ]);
    }
  }
  const [unanswered] = open;
  if (unanswered !== undefined)
    throw refusal(`No tool output found for function call ${unanswered}.`, "invalid_value", "input");
  return said;
}

function isCalledBefore({ messages }: Said, id: string): boolean {
  return messages.some(({ content }) => content.some(({ toolUse }) => toolUse?.toolUseId === id));
}

const ROLES = ["assistant", "system", "developer", "user"];

function readMessage(item: JsonObject, param: string, said: Said): void {
  const role = textAt(item, "role");
  if (role === undefined || !ROLES.includes(role)) throw wrongValue(`${param}.role`, role, ROLES);
  if (item["content"] === undefined) throw missing(`${param}.content`);
  const isAssistant = role === "assistant";
  const content = readParts(item["content"], `${param}.content`, isAssistant ? "output_text" : "input_text");
  if (role === "user" || isAssistant)
    said.messages.push({ role: isAssistant ? "assistant" : "user", content });
  else said.system.push(...content.map(({ text = "" }) => ({ text })));
}

function readParts(value: unknown, param: string, textType: string): ContentBlock[] {
  if (typeof value === "string") return value === "" ? [] : [{ text: value }];
  if (!Array.isArray(value)) throw wrongType(param, "a string or an array of objects", value);
  return (value as unknown[]).map((part, index) => {
    const at = `${param}[${index}]`;
    if (!isRecord(part)) throw wrongType(at, "an object", part);
    const type = textAt(part, "type");
    if (type === textType) return { text: textAt(part, "text") ?? "" };
    if (textType === "output_text") {
      if (type === "refusal") return { text: textAt(part, "refusal") ?? "" };
      throw wrongValue(`${at}.type`, type, ["output_text", "refusal"]);
    }
    if (type === "input_image") return readImage(part["image_url"], `${at}.image_url`);
    if (type === "input_file") return readFile(part, at);
    throw wrongValue(`${at}.type`, type, ["input_text", "input_image", "input_file"]);
  });
}

/** Reasoning comes back as it was made, and what it led to follows it. */
function checkReasoning(item: JsonObject, next: unknown, modelId: string): void {
  const id = textAt(item, "id") ?? "";
  const encrypted = textAt(item, "encrypted_content");
  if (encrypted === undefined)
    throw refusal(
      `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
      "invalid_value",
      "input",
    );
  const thought = decrypt(encrypted, modelId);
  if (thought === undefined)
    throw refusal(
      `The encrypted content for item ${id} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
      "invalid_encrypted_content",
      null,
    );
  const type = isRecord(next) ? (textAt(next, "type") ?? "message") : undefined;
  const isFollowed =
    type === "reasoning" ||
    type === "function_call" ||
    (type === "message" && textAt(next, "role") === "assistant");
  if (!isFollowed)
    throw refusal(
      `Item '${id}' of type 'reasoning' was provided without its required following item.`,
      "invalid_value",
      "input",
    );
}

/** Encrypted reasoning is taken back under any prompt. */
const NO_PROMPT = { system: [], tools: undefined };

/** Reasoning as only its model can read it. */
export function encrypt(thought: string, modelId: string): string {
  const proof = signReasoning(modelId, NO_PROMPT, thought);
  return `gAAAAA${Buffer.from(JSON.stringify({ thought, proof })).toString("base64url")}`;
}

function decrypt(encrypted: string, modelId: string): string | undefined {
  const text = Buffer.from(encrypted.replace(/^gAAAAA/, ""), "base64url").toString("utf8");
  const held = parseIfJson(text);
  const thought = textAt(held, "thought");
  if (thought === undefined || textAt(held, "proof") !== signReasoning(modelId, NO_PROMPT, thought))
    return undefined;
  return thought;
}
