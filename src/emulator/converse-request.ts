import { isRecord, type JsonObject } from "../json.ts";
import { parseBoundedJson } from "../json-bounds.ts";
import { AwsError, constraintError, describeBreach, validationError } from "./aws-error.ts";
import type { EmulatedModel } from "./models.ts";

export interface ContentBlock {
  text?: string;
  image?: unknown;
  document?: unknown;
  video?: unknown;
  audio?: unknown;
  toolUse?: unknown;
  toolResult?: unknown;
}

/** The part of a Converse request that the emulator acts on; the rest is accepted and recorded. */
export interface ConverseRequest {
  messages: readonly { role: "user" | "assistant"; content: readonly ContentBlock[] }[];
  system: readonly { text?: string }[];
  maxTokens: number | undefined;
  stopSequences: readonly string[];
  additionalFields: JsonObject;
  /** The schema of `outputConfig`, or of the tool that must be called. */
  structure?: { toolName: string | undefined; schema: unknown } | undefined;
}

const ROLES = new Set(["user", "assistant"]);
const MOST_STOP_SEQUENCES = 2500;
const NOT_EMPTY = "have length greater than or equal to 1";

/**
 * Reads the body of Converse or ConverseStream. Throws `AwsError` ValidationException in the words of the service for
 * what its model constrains and for what it demands of a conversation.
 */
export function readConverseRequest(body: unknown, model: Pick<EmulatedModel, "maxTokens">): ConverseRequest {
  if (!isRecord(body)) throw new AwsError("SerializationException", "The request body is not a JSON object.");
  checkConstraints(body);
  const inference = objectAt(body, "inferenceConfig");
  const parsed: ConverseRequest = {
    messages: (body["messages"] ?? []) as ConverseRequest["messages"],
    system: (body["system"] ?? []) as ConverseRequest["system"],
    maxTokens: inference["maxTokens"] as number | undefined,
    stopSequences: (inference["stopSequences"] ?? []) as readonly string[],
    additionalFields: objectAt(body, "additionalModelRequestFields"),
    structure: readStructure(body),
  };
  checkConversation(parsed, body["toolConfig"] !== undefined);
  if (parsed.maxTokens !== undefined && model.maxTokens !== undefined && parsed.maxTokens > model.maxTokens) {
    throw validationError(
      `The maximum tokens you requested exceeds the model limit of ${model.maxTokens}. ` +
        `Try again with a maximum tokens value that is lower than ${model.maxTokens}.`,
    );
  }
  return parsed;
}

/** What the answer is held to. A tool that is only offered is never called. */
function readStructure(request: JsonObject): ConverseRequest["structure"] {
  const format = objectAt(objectAt(request, "outputConfig"), "textFormat");
  const { schema } = objectAt(objectAt(format, "structure"), "jsonSchema");
  if (typeof schema === "string") return { toolName: undefined, schema: parseSchema(schema) };
  const toolConfig = objectAt(request, "toolConfig");
  const choice = objectAt(toolConfig, "toolChoice");
  if (choice["any"] === undefined && choice["tool"] === undefined) return undefined;
  const tools = (Array.isArray(toolConfig["tools"]) ? toolConfig["tools"] : []).filter(isRecord);
  const specs = tools.map((tool) => objectAt(tool, "toolSpec"));
  const { name: wanted } = objectAt(choice, "tool");
  const spec = specs.find(({ name }) => wanted === undefined || name === wanted);
  if (!spec) throw malformed("toolConfig.toolChoice");
  return { toolName: String(spec["name"]), schema: objectAt(spec, "inputSchema")["json"] };
}

function parseSchema(text: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed("outputConfig.textFormat.structure.jsonSchema.schema");
    throw error;
  }
}

/** What the service model constrains, all findings in one message, as the service frames them. */
function checkConstraints(request: JsonObject): void {
  const breaches: string[] = [];
  const refuse = (value: unknown, path: string, constraint: string): void => {
    breaches.push(describeBreach(value, path, constraint));
  };
  const listAt = (holder: JsonObject, name: string, path: string): unknown[] => {
    const value = holder[name];
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    throw malformed(path);
  };
  for (const [index, message] of listAt(request, "messages", "messages").entries()) {
    const path = `messages.${index + 1}.member`;
    if (!isRecord(message)) throw malformed(path);
    const { role, content } = message;
    if (role === undefined || role === null) refuse(role, `${path}.role`, "not be null");
    else if (typeof role !== "string") throw malformed(`${path}.role`);
    else if (!ROLES.has(role)) refuse(role, `${path}.role`, "satisfy enum value set: [user, assistant]");
    if (content === undefined || content === null) refuse(content, `${path}.content`, "not be null");
    for (const block of listAt(message, "content", `${path}.content`)) {
      if (!isRecord(block)) throw malformed(`${path}.content`);
      if (block["text"] !== undefined && typeof block["text"] !== "string")
        throw malformed(`${path}.content.text`);
    }
  }
  for (const [index, block] of listAt(request, "system", "system").entries()) {
    if (!isRecord(block)) throw malformed("system");
    const text = block["text"];
    if (text !== undefined && typeof text !== "string") throw malformed("system.text");
    if (text === "") refuse(text, `system.${index + 1}.member.text`, NOT_EMPTY);
  }
  const inference = objectAt(request, "inferenceConfig");
  const checkNumber = (name: string, minimum: number, maximum: number): void => {
    const value = inference[name];
    if (value === undefined || value === null) return;
    const path = `inferenceConfig.${name}`;
    if (typeof value !== "number") throw malformed(path);
    if (value < minimum) refuse(value, path, `have value greater than or equal to ${minimum}`);
    if (value > maximum) refuse(value, path, `have value less than or equal to ${maximum}`);
  };
  checkNumber("maxTokens", 1, Number.POSITIVE_INFINITY);
  checkNumber("temperature", 0, 1);
  checkNumber("topP", 0, 1);
  const stopsPath = "inferenceConfig.stopSequences";
  const stops = listAt(inference, "stopSequences", stopsPath);
  if (stops.length > MOST_STOP_SEQUENCES) {
    refuse(stops, stopsPath, `have length less than or equal to ${MOST_STOP_SEQUENCES}`);
  }
  for (const [index, stop] of stops.entries()) {
    if (typeof stop !== "string") throw malformed(stopsPath);
    if (stop === "") refuse(stop, `${stopsPath}.${index + 1}.member`, NOT_EMPTY);
  }
  if (breaches.length > 0) throw constraintError(...breaches);
}

/** What the service demands of a conversation beyond its shapes. */
function checkConversation({ messages, system }: ConverseRequest, hasTools: boolean): void {
  for (const [index, { text }] of system.entries()) {
    if (text !== undefined) checkText(text, `system.${index}`, "SystemContentBlock");
  }
  if (messages[0]?.role !== "user") {
    throw validationError(
      "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    );
  }
  for (const [index, { role, content }] of messages.entries()) {
    if (role === messages[index - 1]?.role) {
      throw validationError(
        "A conversation must alternate between user and assistant roles. " +
          "Make sure the conversation alternates between user and assistant roles and try again.",
      );
    }
    if (content.length === 0) {
      throw validationError(
        `The content field in the Message object at messages.${index} is empty. ` +
          "Add a ContentBlock object to the content field and try again.",
      );
    }
    for (const [position, { text }] of content.entries()) {
      if (text !== undefined) checkText(text, `messages.${index}.content.${position}`, "ContentBlock");
    }
    if (
      content.some((block) => block.document !== undefined) &&
      !content.some((block) => block.text !== undefined)
    ) {
      throw validationError(
        "A text block must be included when using documents. Add a text block and retry your request.",
      );
    }
    if (!hasTools && content.some((block) => block.toolUse !== undefined || block.toolResult !== undefined)) {
      throw validationError(
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
      );
    }
  }
}

function checkText(text: string, path: string, kind: string): void {
  if (text.trim() !== "") return;
  throw validationError(
    `The text field in the ${kind} object at ${path} is blank. Add text to the text field, and try again.`,
  );
}

function malformed(path: string): Error {
  return validationError(`Malformed input request at '${path}', please reformat your input and try again.`);
}

function objectAt(holder: JsonObject, name: string): JsonObject {
  const value = holder[name];
  if (value === undefined || value === null) return {};
  if (isRecord(value)) return value;
  throw malformed(name);
}
