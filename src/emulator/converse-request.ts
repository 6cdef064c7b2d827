import { isRecord, type JsonObject, textAt, wellFormed } from "../json.ts";
import { parseIfJson } from "../json-bounds.ts";
import { AwsError, validationError } from "./aws-error.ts";
import { describedTools } from "./claude-tools.ts";
import { malformed } from "./constraints.ts";
import { checkConstraints, type ConverseRequest, structureOf } from "./converse-model.ts";
import { checkConversation } from "./conversation-rules.ts";
import { checkFeatures, checkForModel, NO_SYSTEM_MESSAGES } from "./model-rules.ts";
import type { EmulatedModel } from "./models.ts";

/** Throws `AwsError` SerializationException for a body that is no object. */
export function requireObject(body: unknown): asserts body is JsonObject {
  if (!isRecord(body)) throw new AwsError("SerializationException", "The request body is not a JSON object.");
}

/**
 * Reads the body of Converse or ConverseStream. Throws `AwsError` ValidationException in the words of the service for
 * what its model constrains and for what it demands of a conversation.
 */
export function readConverseRequest(
  body: unknown,
  model: Partial<Pick<EmulatedModel, "modelId" | "inputModalities" | "maxTokens" | "refusedFields">>,
  { isStreamed = false } = {},
): ConverseRequest {
  requireObject(body);
  // The words are Anthropic's: https://github.com/BYK/loreai/pull/68
  if (wellFormed(body) !== body)
    throw new AwsError(
      "SerializationException",
      "The request body is not valid JSON: no low surrogate in string",
    );
  checkConstraints(body);
  const inference = objectAt(body, "inferenceConfig");
  const parsed: ConverseRequest = {
    messages: (body["messages"] ?? []) as ConverseRequest["messages"],
    system: (body["system"] ?? []) as ConverseRequest["system"],
    maxTokens: inference["maxTokens"] as number | undefined,
    temperature: inference["temperature"],
    topP: inference["topP"],
    stopSequences: (inference["stopSequences"] ?? []) as readonly string[],
    additionalFields: objectAt(body, "additionalModelRequestFields"),
    tools: objectAt(body, "toolConfig")["tools"] as ConverseRequest["tools"],
    structure: readStructure(body),
    served: readServed(body),
  };
  checkConversation(parsed);
  checkFields(body, [...(model.refusedFields ?? []), ...fieldsRefusedBy(model.modelId ?? "")]);
  checkFeatures(parsed, model.modelId ?? "", isStreamed);
  checkForModel(parsed, model);
  if (parsed.maxTokens !== undefined && model.maxTokens !== undefined && parsed.maxTokens > model.maxTokens) {
    throw validationError(
      `The maximum tokens you requested exceeds the model limit of ${model.maxTokens}. ` +
        `Try again with a maximum tokens value that is lower than ${model.maxTokens}.`,
    );
  }
  return parsed;
}

/**
 * What models of a family do not have. Llama chooses by itself whether it calls a tool:
 * https://github.com/run-llama/llama_index/issues/19886, https://github.com/maximhq/bifrost/pull/3196 (measured)
 */
function fieldsRefusedBy(modelId: string): readonly string[] {
  return modelId.startsWith("meta.llama") ? ["toolConfig.toolChoice.any", "toolConfig.toolChoice.tool"] : [];
}

/** Refuses fields that a model does not have, in the words of https://github.com/aws-samples/sample-kolya-br-proxy/pull/104 */
function checkFields(body: JsonObject, refused: readonly string[]): void {
  for (const path of refused) {
    const found = path
      .split(".")
      .reduce<unknown>((holder, name) => (isRecord(holder) ? holder[name] : undefined), body);
    if (found === undefined) continue;
    if (path === "system") throw validationError(NO_SYSTEM_MESSAGES);
    const name = path.replace(/^inferenceConfig\./, "");
    throw validationError(`This model doesn't support the ${name} field. Remove ${name} and try again.`);
  }
}

function readServed({ serviceTier, performanceConfig }: JsonObject): ConverseRequest["served"] {
  return { ...(serviceTier ? { serviceTier } : {}), ...(performanceConfig ? { performanceConfig } : {}) };
}

/** What a tool says that is to give the answer: a model that is free to choose heeds it. */
const ASKS_TO_BE_CALLED = /\bcall it exactly once\b/i;

/** What the answer is held to. A tool that is only offered is not called, unless it stands alone and asks for it. */
function readStructure(request: JsonObject): ConverseRequest["structure"] {
  const format = objectAt(objectAt(request, "outputConfig"), "textFormat");
  const { schema } = objectAt(objectAt(format, "structure"), "jsonSchema");
  if (typeof schema === "string") return { toolName: undefined, schema: parseSchema(schema) };
  // https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
  const own = objectAt(objectAt(request, "additionalModelRequestFields"), "output_config");
  if (isRecord(own["format"]) && isRecord(own["format"]["schema"]))
    return { toolName: undefined, schema: own["format"]["schema"] };
  // Tools that Claude knows by their types are chosen in its own words.
  const { tool_choice: ownChoice, tools: ownTools } = objectAt(request, "additionalModelRequestFields");
  const chosen = textAt(ownChoice, "type") === "tool" ? textAt(ownChoice, "name") : undefined;
  if (chosen !== undefined || textAt(ownChoice, "type") === "any")
    return structureOf(describedTools(ownTools), chosen);
  const toolConfig = objectAt(request, "toolConfig");
  const choice = objectAt(toolConfig, "toolChoice");
  const tools = (Array.isArray(toolConfig["tools"]) ? toolConfig["tools"] : []).filter(isRecord);
  const specs = tools.map((tool) => objectAt(tool, "toolSpec"));
  const isHeld = choice["any"] !== undefined || choice["tool"] !== undefined;
  if (!isHeld && !(specs.length === 1 && ASKS_TO_BE_CALLED.test(String(specs[0]?.["description"]))))
    return undefined;
  const { name: wanted } = objectAt(choice, "tool");
  const spec = specs.find(({ name }) => wanted === undefined || name === wanted);
  if (!spec) throw malformed("toolConfig.toolChoice");
  return { toolName: String(spec["name"]), schema: objectAt(spec, "inputSchema")["json"] };
}

function parseSchema(text: string): unknown {
  const schema = parseIfJson(text);
  if (schema === undefined) throw malformed("outputConfig.textFormat.structure.jsonSchema.schema");
  return schema;
}

function objectAt(holder: JsonObject, name: string): JsonObject {
  const value = holder[name];
  if (value === undefined || value === null) return {};
  if (isRecord(value)) return value;
  throw malformed(name);
}
