import { isRecord, type JsonObject, textAt, wellFormed } from "../json.ts";
import { type AwsError, validationError } from "./aws-error.ts";
import { describedTools } from "./claude-tools.ts";
import {
  type ContentBlock,
  type ConverseRequest,
  joined,
  type Message,
  structureOf,
  type Tools,
} from "./converse-model.ts";
import { checkForModel } from "./model-rules.ts";
import type { EmulatedModel } from "./models.ts";

/** Fields of a message's request, by https://platform.claude.com/docs/en/api/messages; others are refused. */
const FIELDS: ReadonlySet<string> = new Set([
  "anthropic_beta",
  "anthropic_version",
  "cache_control",
  "context_management",
  "max_tokens",
  "messages",
  "metadata",
  "model",
  "output_config",
  "stop_sequences",
  "stream",
  "system",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p",
]);

const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/** Models that Bedrock gives no schema and no strict tools by this API: https://platform.claude.com/docs/en/build-with-claude/claude-in-amazon-bedrock */
const WITHOUT_SCHEMAS = /anthropic\.claude-((opus|sonnet|haiku)-(4-[7-9]|[5-9])|fable|mythos)/;

/**
 * Reads the body of Anthropic's Messages API, as a Converse request that asks the same. Throws `AwsError`
 * ValidationException in Anthropic's words for what it refuses.
 */
export function readMessagesRequest(
  body: unknown,
  model: Partial<Pick<EmulatedModel, "modelId" | "maxTokens">>,
  { isCounted = false, isInvoked = false, betas = [] as readonly string[] } = {},
): ConverseRequest {
  if (!isRecord(body)) throw validationError("The request body is not valid JSON.");
  // InvokeModel has them in its path: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
  if (isInvoked) checkInvoked(body);
  // https://github.com/BYK/loreai/pull/68
  if (wellFormed(body) !== body)
    throw validationError("The request body is not valid JSON: no low surrogate in string");
  const unknown = Object.keys(body).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) throw refused(unknown, "Extra inputs are not permitted");
  for (const name of isCounted ? ["messages"] : ["max_tokens", "messages"])
    if (body[name] === undefined) throw refused(name, "Field required");
  const tools = readTools(body["tools"], model.modelId ?? "");
  const { thinking, top_k: topK, output_config: outputConfig } = body;
  const request: ConverseRequest = {
    messages: readMessages(body["messages"]),
    system: readSystem(body["system"]),
    maxTokens: isCounted ? undefined : readMaxTokens(body["max_tokens"], model),
    temperature: readShare(body, "temperature"),
    topP: readShare(body, "top_p"),
    stopSequences: readStops(body["stop_sequences"]),
    additionalFields: {
      ...(thinking === undefined ? {} : { thinking }),
      ...(topK === undefined ? {} : { top_k: topK }),
      ...(outputConfig === undefined ? {} : { output_config: outputConfig }),
      ...(tools && { tools: body["tools"] }),
      anthropic_beta: isInvoked ? body["anthropic_beta"] : betas,
    },
    isVendorsForm: true,
    tools,
    structure: readStructure(body, tools, model.modelId ?? ""),
  };
  checkPairs(request.messages);
  checkOwnRules(request, model.modelId ?? "");
  return request;
}

/** What a body of InvokeModel has of its own. */
function checkInvoked(body: JsonObject): void {
  const named = ["model", "stream"].find((name) => name in body);
  if (named !== undefined) throw refused(named, "Extra inputs are not permitted");
  const version = body["anthropic_version"];
  if (version === undefined) throw refused("anthropic_version", "Field required");
  // https://github.com/boto/boto3/issues/4218; Anthropic's own client sends a version of its API, and is answered.
  if (version !== "bedrock-2023-05-31" && !/^\d{4}-\d{2}-\d{2}$/.test(String(version)))
    throw validationError(`Invalid API version: ${String(version)}`);
}

function refused(path: string, what: string): AwsError {
  return validationError(`${path}: ${what}`);
}

/** The rules of the model itself are the same as behind Converse, which says who refuses. */
function checkOwnRules(request: ConverseRequest, modelId: string): void {
  try {
    checkForModel(request, { modelId });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw validationError(error.message.replace(/^The model returned the following errors: /, ""));
  }
}

function readMaxTokens(value: unknown, { modelId = "", maxTokens }: Partial<EmulatedModel>): number {
  if (typeof value !== "number" || !Number.isInteger(value))
    throw refused("max_tokens", "Input should be a valid integer");
  if (value < 1) throw refused("max_tokens", "Input should be greater than or equal to 1");
  if (maxTokens === undefined || value <= maxTokens) return value;
  const most = `which is the maximum allowed number of output tokens for ${modelId}`;
  throw refused("max_tokens", `${value} > ${maxTokens}, ${most}`);
}

function readShare(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw refused(name, "Input should be a valid number");
  if (value < 0) throw refused(name, "Input should be greater than or equal to 0");
  if (value > 1) throw refused(name, "Input should be less than or equal to 1");
  return value;
}

function readStops(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw refused("stop_sequences", "Input should be a valid list");
  return (value as unknown[]).map(String);
}

function readSystem(value: unknown): ContentBlock[] {
  if (value === undefined) return [];
  if (typeof value === "string") return value === "" ? [] : [{ text: value }];
  if (!Array.isArray(value)) throw refused("system", "Input should be a valid list");
  return (value as unknown[]).flatMap((block, index) => {
    const text = textAt(block, "text");
    if (textAt(block, "type") !== "text" || text === undefined)
      throw refused(`system.${index}.text`, "Field required");
    if (text === "") throw validationError("system: text content blocks must be non-empty");
    return marked<ContentBlock>([{ text }], block);
  });
}

/** Messages of one role in a row are one message: the page says so. */
function readMessages(value: unknown): Message[] {
  if (!Array.isArray(value)) throw refused("messages", "Input should be a valid list");
  if (value.length === 0) throw refused("messages", "at least one message is required");
  const messages: Message[] = [];
  for (const [index, message] of (value as unknown[]).entries()) {
    const role = textAt(message, "role");
    if (!isRecord(message) || (role !== "user" && role !== "assistant"))
      throw refused(`messages.${index}.role`, "Input should be 'user' or 'assistant'");
    const content = readContent(message["content"], role, `messages.${index}`);
    const isLast = index === value.length - 1;
    if (content.length === 0 && !(isLast && role === "assistant")) {
      throw refused(
        `messages.${index}`,
        "all messages must have non-empty content except for the optional final assistant message",
      );
    }
    messages.push({ role, content });
  }
  if (messages[0]?.role === "assistant")
    throw validationError('messages: first message must use the "user" role');
  return joined(messages);
}

function readContent(value: unknown, role: string, path: string): ContentBlock[] {
  if (typeof value === "string") return value === "" ? [] : [readText(value)];
  if (!Array.isArray(value)) throw refused(`${path}.content`, "Input should be a valid list");
  return (value as unknown[]).flatMap((block, index) => {
    if (!isRecord(block)) throw refused(`${path}.content.${index}`, "Input should be a valid dictionary");
    return marked(readBlock(block, role, `${path}.content.${index}`), block);
  });
}

function readText(text: string): ContentBlock {
  if (text === "") throw validationError("messages: text content blocks must be non-empty");
  if (text.trim() === "")
    throw validationError("messages: text content blocks must contain non-whitespace text");
  return { text };
}

/** What a block with `cache_control` comes to: Converse has a block behind it for that. */
function marked<Block extends { cachePoint?: unknown }>(blocks: readonly Block[], block: unknown): Block[] {
  const cached = isRecord(block) ? cachePointOf(block) : undefined;
  return cached ? [...blocks, cached as Block] : [...blocks];
}

function cachePointOf({ cache_control: control }: JsonObject): { cachePoint: object } | undefined {
  if (!isRecord(control)) return undefined;
  const ttl = textAt(control, "ttl");
  return { cachePoint: { type: "default", ...(ttl === undefined ? {} : { ttl }) } };
}

function imageOf(source: unknown): object {
  const format = textAt(source, "media_type")?.replace("image/", "");
  return { ...(format === undefined ? {} : { format }), source: { bytes: textAt(source, "data") } };
}

function readBlock(block: JsonObject, role: string, path: string): ContentBlock[] {
  const type = textAt(block, "type") ?? "";
  const onlyIn = (needed: string): void => {
    if (role !== needed) throw refused(path, `\`${type}\` blocks can only be in \`${needed}\` messages`);
  };
  switch (type) {
    case "text":
      return [readText(textAt(block, "text") ?? "")];
    case "image":
      readSource(block, `${path}.image.source`);
      return [{ image: imageOf(block["source"]) }];
    case "document":
      readSource(block, `${path}.document.source`);
      return [{ document: { name: textAt(block, "title") ?? "document" } }];
    case "search_result":
      return [{ text: JSON.stringify(block["content"]) }];
    case "thinking": {
      onlyIn("assistant");
      const { thinking: text, signature } = block;
      if (typeof signature !== "string") throw refused(`${path}.thinking.signature`, "Field required");
      return [{ reasoningContent: { reasoningText: { text: String(text), signature } } }];
    }
    case "redacted_thinking":
      onlyIn("assistant");
      return [{ reasoningContent: { redactedContent: textAt(block, "data") } }];
    case "tool_use": {
      onlyIn("assistant");
      const toolUseId = textAt(block, "id") ?? "";
      if (!/^[a-zA-Z0-9_-]+$/.test(toolUseId))
        throw refused(`${path}.tool_use.id`, "String should match pattern '^[a-zA-Z0-9_-]+$'");
      if (!isRecord(block["input"]))
        throw refused(`${path}.tool_use.input`, "Input should be a valid dictionary");
      return [{ toolUse: { toolUseId, name: textAt(block, "name") ?? "", input: block["input"] } }];
    }
    case "tool_result": {
      onlyIn("user");
      const content = block["content"] === undefined ? [] : readContent(block["content"], "user", path);
      return [{ toolResult: { toolUseId: textAt(block, "tool_use_id") ?? "", content } }];
    }
    default: {
      const tags =
        "'document', 'image', 'redacted_thinking', 'search_result', 'text', 'thinking', 'tool_result', 'tool_use'";
      throw refused(
        path,
        `Input tag '${type}' found using 'type' does not match any of the expected tags: ${tags}`,
      );
    }
  }
}

/** Bedrock takes what is in the request itself. */
function readSource(block: JsonObject, path: string): void {
  const source = isRecord(block["source"]) ? block["source"] : {};
  const type = textAt(source, "type") ?? "";
  const mediaType = textAt(source, "media_type") ?? "";
  const isDocument = textAt(block, "type") === "document";
  if (isDocument && (type === "text" || type === "content")) return;
  if (type !== "base64")
    throw refused(
      path,
      `Input tag '${type}' found using 'type' does not match any of the expected tags: 'base64'`,
    );
  const known = isDocument ? ["application/pdf"] : IMAGE_TYPES;
  if (!known.includes(mediaType)) {
    const named = known.map((name) => `'${name}'`);
    const list = named.length === 1 ? named.join("") : `${named.slice(0, -1).join(", ")} or ${named.at(-1)}`;
    throw refused(`${path}.base64.media_type`, `Input should be ${list}`);
  }
  const data = textAt(source, "data") ?? "";
  if (data === "" || !/^[A-Za-z0-9+/]+={0,2}$/.test(data))
    throw refused(`${path}.base64`, "invalid base64 data");
}

function readTools(value: unknown, modelId: string): Tools | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw refused("tools", "Input should be a valid list");
  const names = new Set<string>();
  return (value as unknown[]).flatMap((tool, index) => {
    if (!isRecord(tool)) throw refused(`tools.${index}`, "Input should be a valid dictionary");
    const path = `tools.${index}.custom`;
    const { type = "custom", input_schema: schema, strict } = tool;
    // Those that the model knows by their types have rules of their own, and nothing that describes them.
    if (type !== "custom") return marked(describedTools([tool]), tool);
    const name = textAt(tool, "name") ?? "";
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name))
      throw refused(`${path}.name`, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
    if (names.has(name)) throw validationError("tools: Tool names must be unique.");
    names.add(name);
    if (!isRecord(schema)) throw refused(`${path}.input_schema`, "Field required");
    if (schema["type"] === undefined) throw refused(`${path}.input_schema.type`, "Field required");
    if (schema["type"] !== "object") throw refused(`${path}.input_schema.type`, "Input should be 'object'");
    if (strict !== undefined && WITHOUT_SCHEMAS.test(modelId))
      throw refused(`${path}.strict`, "Extra inputs are not permitted");
    return marked<Tools[number]>([{ toolSpec: { name, inputSchema: { json: schema } } }], tool);
  });
}

/** What the answer is held to, by a schema or by a tool that must be called. */
function readStructure(
  body: JsonObject,
  tools: Tools | undefined,
  modelId: string,
): ConverseRequest["structure"] {
  const { tool_choice: choice, output_config: config } = body;
  const format = isRecord(config) ? config["format"] : undefined;
  if (format !== undefined) {
    if (WITHOUT_SCHEMAS.test(modelId))
      throw refused("output_config.format", "Extra inputs are not permitted");
    const schema = isRecord(format) ? format["schema"] : undefined;
    if (!isRecord(schema)) throw refused("output_config.format.schema", "Field required");
    return { toolName: undefined, schema };
  }
  if (choice === undefined) return undefined;
  if (tools === undefined) throw validationError("tool_choice may only be specified while providing tools.");
  const type = textAt(choice, "type");
  if (type === "auto" || type === "none") return undefined;
  const wanted = type === "tool" ? textAt(choice, "name") : undefined;
  const structure = structureOf(tools, wanted);
  if (!structure) throw refused("tool_choice", `Tool '${wanted ?? ""}' not found in provided tools`);
  return structure;
}

/**
 * The results of a message's calls are all in the next one: https://github.com/anthropics/claude-code/issues/8210,
 * https://github.com/anthropics/claude-code/issues/13460
 */
function checkPairs(messages: readonly Message[]): void {
  const used = messages.flatMap(({ content }) => content.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []));
  if (new Set(used).size < used.length) throw validationError("messages: `tool_use` ids must be unique");
  for (const [index, { content }] of messages.entries()) {
    const called = content.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []);
    const next = messages[index + 1]?.content.flatMap(({ toolResult }) => toolResult?.toolUseId ?? []) ?? [];
    const missing = called.filter((id) => !next.includes(id));
    if (missing.length > 0) {
      throw validationError(
        `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
          `${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
    const before = messages[index - 1]?.content.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []) ?? [];
    for (const [position, { toolResult }] of content.entries()) {
      if (!toolResult || before.includes(toolResult.toolUseId)) continue;
      throw validationError(
        `messages.${index}.content.${position}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ` +
          `${toolResult.toolUseId}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    }
  }
}
