import { isRecord, type JsonObject, textAt, wellFormed } from "../json.ts";
import { parseIfJson } from "../json-bounds.ts";
import { AwsError } from "./aws-error.ts";
import { type ContentBlock, type ConverseRequest, structureOf, type Tools } from "./converse-model.ts";

/*
 * What both of OpenAI's APIs, chat completions and Responses, demand of a request, in the words of
 * https://platform.openai.com/docs/guides/error-codes, which Bedrock's own paths repeat.
 */

export interface AnswerName {
  /** Of the call that it answers. */
  callId: string;
  /** Of the request. */
  body: JsonObject;
  /** In seconds since 1970. */
  createdAt: number;
}

/** The id of a call of a tool: a made-up one as OpenAI's look. */
export function callIdOf(toolUseId: string): string {
  return toolUseId.replace(/^tooluse_/, "call_");
}

/** A request that is refused: status 400, OpenAI's words, its code and the field that they are about. */
export function refusal(message: string, code: string, param: string | null): AwsError {
  return new AwsError("ValidationException", message, undefined, { code, param });
}

export function missing(param: string): AwsError {
  return refusal(`Missing required parameter: '${param}'.`, "missing_required_parameter", param);
}

/** The refusal of a value that is of another type than the field takes: `expected` as in "a string". */
export function wrongType(param: string, expected: string, value: unknown): AwsError {
  const got = Array.isArray(value) ? "an array" : isRecord(value) ? "an object" : `a ${typeof value}`;
  return refusal(
    `Invalid type for '${param}': expected ${expected}, but got ${value === null ? "null" : got} instead.`,
    "invalid_type",
    param,
  );
}

export function wrongValue(param: string, value: unknown, known: readonly string[]): AwsError {
  const list = known.map((word) => `'${word}'`).join(", ");
  return refusal(`Invalid value: '${String(value)}'. Supported values are: ${list}.`, "invalid_value", param);
}

/** The body, whose fields are known. Throws `AwsError` for one that is none, and for the first field that is not. */
export function readBody(body: unknown, fields: ReadonlySet<string>): JsonObject {
  const read = readObject(body);
  const unknown = Object.keys(read).find((name) => !fields.has(name));
  if (unknown !== undefined) throw refusal(`Unknown parameter: '${unknown}'.`, "unknown_parameter", unknown);
  return read;
}

/** The body, whatever its fields. Throws `AwsError` for one that is none. */
export function readObject(body: unknown): JsonObject {
  if (isRecord(body) && wellFormed(body) === body) return body;
  throw refusal("We could not parse the JSON body of your request.", "invalid_json", null);
}

/** A whole number from `least` up; undefined where there is none. Throws `AwsError`. */
export function readCount(
  body: JsonObject,
  param: string,
  { least, most }: { least: number; most: number | undefined },
): number | undefined {
  const value = body[param] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(param, "an integer", value);
  if (value < least)
    throw refusal(
      `Invalid '${param}': integer below minimum value. Expected a value >= ${least}, but got ${value} instead.`,
      "integer_below_min_value",
      param,
    );
  if (most !== undefined && value > most) {
    throw param === "max_output_tokens"
      ? refusal(
          `Invalid '${param}': integer above maximum value. Expected a value <= ${most}, but got ${value} instead.`,
          "integer_above_max_value",
          param,
        )
      : refusal(
          `${param} is too large: ${value}. This model supports at most ${most} completion tokens, whereas you provided ${value}.`,
          "invalid_value",
          param,
        );
  }
  return value;
}

/** A number from 0 to `most`; undefined where there is none. Throws `AwsError`. */
export function readNumber(body: JsonObject, param: string, most: number): number | undefined {
  const value = body[param] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw wrongType(param, "a decimal", value);
  if (value >= 0 && value <= most) return value;
  const [side, sign, bound, code] =
    value < 0
      ? (["below minimum", ">=", 0, "decimal_below_min_value"] as const)
      : (["above maximum", "<=", most, "decimal_above_max_value"] as const);
  throw refusal(
    `Invalid '${param}': decimal ${side} value. Expected a value ${sign} ${bound}, but got ${value} instead.`,
    code,
    param,
  );
}

/** Refuses parameters that a model does not have: `inferenceConfig.topP` of its refused fields is `top_p` here. */
export function checkForModel(body: JsonObject, refused: readonly string[] = []): void {
  for (const path of refused) {
    const name = path.replace(/^inferenceConfig\./, "");
    // https://github.com/BittnerPierre/AI-Agent-Casebook/issues/133
    const isStop = name === "stopSequences";
    const param = isStop ? "stop" : name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (body[param] !== undefined)
      throw refusal(
        `Unsupported parameter: '${param}' is not supported with this model.`,
        "unsupported_parameter",
        param,
      );
  }
}

const EFFORTS = ["none", "low", "medium", "high", "xhigh", "max"];

/** The level of reasoning, of those that OpenAI's models in Bedrock take. Throws `AwsError`. */
export function readEffort(value: unknown, param: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw wrongType(param, "a string", value);
  if (EFFORTS.includes(value)) return value;
  throw refusal(
    `Unsupported value: '${value}' is not supported with this model. Supported values are: ${EFFORTS.map((level) => `'${level}'`).join(", ")}.`,
    "unsupported_value",
    param,
  );
}

/** A function of the caller's. Throws `AwsError` for a name or a schema that is none. */
export function readFunction(fields: JsonObject, param: string, isStrict: boolean): Tools[number] {
  const name = textAt(fields, "name");
  if (name === undefined || name === "") throw missing(`${param}.name`);
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    throw refusal(
      `Invalid '${param}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      "invalid_value",
      `${param}.name`,
    );
  const schema = fields["parameters"] ?? { type: "object", properties: {} };
  const wrong = (what: string): AwsError =>
    refusal(
      `Invalid schema for function '${name}': ${what}`,
      "invalid_function_parameters",
      `${param}.parameters`,
    );
  if (!isRecord(schema)) throw wrongType(`${param}.parameters`, "an object", schema);
  const type = schema["type"] ?? null;
  if (type !== "object")
    throw wrong(`schema must be a JSON Schema of 'type: "object"', got 'type: "${String(type ?? "None")}"'.`);
  if (isStrict && schema["additionalProperties"] !== false)
    throw wrong("In context=(), 'additionalProperties' is required to be supplied and to be false.");
  return { toolSpec: { name, inputSchema: { json: schema } } };
}

/** The schema that an answer is held to, and where it stands in the request. */
export interface AnswerFormat {
  schema: unknown;
  param: string;
}

const FORMATS = ["text", "json_object", "json_schema"];

/**
 * What the format of an answer holds it to: `ofSchema` reads the schema of one that has some, `json_object` is any object.
 * Throws `AwsError` in OpenAI's words for a format that there is not.
 */
export function readFormat(
  format: unknown,
  param: string,
  ofSchema: (format: JsonObject) => AnswerFormat,
): AnswerFormat | undefined {
  if (!isRecord(format)) return undefined;
  const type = format["type"];
  if (typeof type !== "string" || !FORMATS.includes(type)) throw wrongValue(`${param}.type`, type, FORMATS);
  if (type === "json_schema") return ofSchema(format);
  return type === "json_object" ? { schema: { type: "object" }, param } : undefined;
}

/** Whether a tool must be called, and which; undefined stands for any. */
interface ToolChoice {
  must: boolean;
  name: string | undefined;
}

/** Reads `tool_choice`, of which the two APIs have the name in places of their own. Throws `AwsError`. */
export function readChoice(value: unknown, nameIn: (choice: JsonObject) => string | undefined): ToolChoice {
  if (isRecord(value)) return { must: true, name: nameIn(value) };
  if (value === "required") return { must: true, name: undefined };
  if (value === undefined || value === null || value === "auto" || value === "none")
    return { must: false, name: undefined };
  throw wrongValue("tool_choice", value, ["none", "auto", "required"]);
}

/** What the answer is held to: a tool that must be called, or a schema. Throws `AwsError`. */
export function readStructure(
  choice: ToolChoice,
  format: AnswerFormat | undefined,
  tools: Tools | undefined,
): ConverseRequest["structure"] {
  if (choice.must) {
    const structure = structureOf(tools, choice.name);
    if (!structure)
      throw refusal(
        choice.name === undefined
          ? "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
          : `Tool choice '${choice.name}' not found in 'tools' parameter.`,
        "invalid_value",
        "tool_choice",
      );
    return structure;
  }
  if (!format) return undefined;
  if (!isRecord(format.schema)) throw missing(format.param);
  return { toolName: undefined, schema: format.schema };
}

/** The input of a call, which models write as JSON text. What is none is kept as text. */
export function readArguments(text: unknown): unknown {
  return typeof text === "string" ? (parseIfJson(text === "" ? "{}" : text) ?? text) : {};
}

/** An image by its address, which has to be a data URL: nothing is fetched here. Throws `AwsError`. */
export function readImage(url: unknown, param: string): ContentBlock {
  if (typeof url !== "string") throw missing(param);
  if (!/^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}$/.test(url))
    throw refusal(
      `Invalid '${param}'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix or of another type.`,
      "invalid_value",
      param,
    );
  return { image: {} };
}

/** A file, whose content is in the request. Throws `AwsError`. */
export function readFile(fields: JsonObject, param: string): ContentBlock {
  if (typeof fields["file_data"] !== "string") throw missing(`${param}.file_data`);
  if (typeof fields["filename"] !== "string") throw missing(`${param}.filename`);
  return { document: { name: fields["filename"] } };
}

/** What an error in the middle of a stream is called by OpenAI, by AWS's name for it. */
const STREAM_CODES: Readonly<Record<string, string>> = {
  throttlingException: "rate_limit_exceeded",
  validationException: "invalid_prompt",
};

/** An error in the middle of a stream. */
export function errorInStream(awsName: string, payload: unknown): { code: string; message: string } {
  return { code: STREAM_CODES[awsName] ?? "server_error", message: textAt(payload, "message") ?? awsName };
}
