import { createHash } from "node:crypto";
import { isRecord, type JsonObject } from "../json.ts";
import { validationError } from "./aws-error.ts";
import type { EmulatedModel } from "./models.ts";
import { estimateTokens } from "./simulated-answer.ts";

/** The body of an answer, and the tokens of the texts. */
interface Embeddings {
  body: object;
  inputTokens: number;
}

/**
 * The embedding models, by the pages
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html and -v4.html, and
 * https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html.
 */
const MODELS: readonly { models: RegExp; answer(request: JsonObject): Embeddings }[] = [
  { models: /^amazon\.titan-embed-text-v1/, answer: (request) => titan(request, ["inputText"], [1536]) },
  {
    models: /^amazon\.titan-embed-text-v2/,
    answer: (request) =>
      titan(request, ["inputText", "dimensions", "normalize", "embeddingTypes"], [1024, 512, 256]),
  },
  {
    models: /^cohere\.embed-(?:english|multilingual)-v3/,
    answer: (request) => cohere(request, [1024], 2048),
  },
  {
    models: /^cohere\.embed-v4/,
    answer: (request) => cohere(request, [1536, 1024, 512, 256], Number.POSITIVE_INFINITY),
  },
  { models: /^amazon\.nova-2-multimodal-embeddings/, answer: nova },
];

/**
 * Vectors made from the texts alone: the same text always has the same one, and one without meaning. Throws `AwsError` in
 * AWS's words for a body that the model does not take, and for models that give no vectors.
 */
export function simulateEmbeddings(model: EmulatedModel, body: unknown): Embeddings {
  const known = MODELS.find(({ models }) => models.test(model.modelId));
  if (!known)
    throw validationError(
      "The emulator answers InvokeModel for embedding models only: ask this one by Converse.",
    );
  if (!isRecord(body)) throw malformed("#: expected type: JSONObject, found: String");
  return known.answer(body);
}

function titan(request: JsonObject, allowed: readonly string[], dimensions: readonly number[]): Embeddings {
  refuseUnknown(request, allowed);
  const text = textIn(request, "inputText", 50_000);
  const length = dimensionIn(request["dimensions"], dimensions, "#/dimensions");
  const vector = vectorOf(text, length);
  const inputTokens = estimateTokens(text);
  return {
    body: {
      embedding: vector,
      ...(dimensions.length > 1 ? { embeddingsByType: { float: vector } } : {}),
      inputTextTokenCount: inputTokens,
    },
    inputTokens,
  };
}

const COHERE_TYPES = new Set(["search_document", "search_query", "classification", "clustering"]);

function cohere(request: JsonObject, dimensions: readonly number[], mostCharacters: number): Embeddings {
  const isNewer = dimensions.length > 1;
  refuseUnknown(
    request,
    isNewer
      ? ["texts", "input_type", "embedding_types", "output_dimension", "max_tokens", "truncate"]
      : ["texts", "input_type", "embedding_types", "truncate"],
  );
  const { texts, input_type: type, embedding_types: kinds } = request;
  if (typeof type !== "string") throw malformed("#: required key [input_type] not found");
  if (!COHERE_TYPES.has(type)) throw malformed(`#/input_type: ${type} is not a valid enum value`);
  if (!Array.isArray(texts) || !texts.every((text): text is string => typeof text === "string"))
    throw malformed("#/texts: expected type: JSONArray, found: Null");
  if (texts.length > 96) throw malformed(`#/texts: expected maximum item count: 96, found: ${texts.length}`);
  for (const [index, text] of texts.entries())
    if (text.length > mostCharacters)
      throw malformed(`#/texts/${index}: expected maxLength: ${mostCharacters}, actual: ${text.length}`);
  if (texts.length === 0 || texts.some((text) => text === ""))
    throw validationError("Texts must not be empty.");
  const length = dimensionIn(request["output_dimension"], dimensions, "#/output_dimension");
  const vectors = texts.map((text) => vectorOf(text, length));
  const isByType = Array.isArray(kinds);
  const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
  return {
    body: {
      embeddings: isByType ? { float: vectors } : vectors,
      id: "simulated-by-the-openclaw-emulator",
      response_type: isByType ? "embeddings_by_type" : "embeddings_floats",
      texts,
    },
    inputTokens: tokens,
  };
}

const PURPOSES = new Set([
  "GENERIC_INDEX",
  "GENERIC_RETRIEVAL",
  "TEXT_RETRIEVAL",
  "IMAGE_RETRIEVAL",
  "VIDEO_RETRIEVAL",
  "DOCUMENT_RETRIEVAL",
  "AUDIO_RETRIEVAL",
  "CLASSIFICATION",
  "CLUSTERING",
]);

function nova(request: JsonObject): Embeddings {
  refuseUnknown(request, ["schemaVersion", "taskType", "singleEmbeddingParams"]);
  const { taskType, singleEmbeddingParams: parameters } = request;
  if (taskType !== "SINGLE_EMBEDDING")
    throw malformed(`#/taskType: ${String(taskType)} is not a valid enum value`);
  if (!isRecord(parameters)) throw malformed("#: required key [singleEmbeddingParams] not found");
  const { embeddingPurpose: purpose, text } = parameters;
  if (!PURPOSES.has(String(purpose)))
    throw malformed(`#/singleEmbeddingParams/embeddingPurpose: ${String(purpose)} is not a valid enum value`);
  if (!isRecord(text)) throw malformed("#/singleEmbeddingParams: required key [text] not found");
  if (!["START", "END", "NONE"].includes(String(text["truncationMode"])))
    throw malformed("#/singleEmbeddingParams/text: required key [truncationMode] not found");
  const value = textIn(text, "value", 8192);
  const place = "#/singleEmbeddingParams/embeddingDimension";
  const length = dimensionIn(parameters["embeddingDimension"], [3072, 1024, 384, 256], place);
  return {
    body: { embeddings: [{ embeddingType: "TEXT", embedding: vectorOf(value, length) }] },
    inputTokens: estimateTokens(value),
  };
}

function refuseUnknown(request: JsonObject, allowed: readonly string[]): void {
  const unknown = Object.keys(request).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw malformed(`#: extraneous key [${unknown}] is not permitted`);
}

function textIn(holder: JsonObject, name: string, most: number): string {
  const text = holder[name];
  if (typeof text !== "string") throw malformed(`#: required key [${name}] not found`);
  if (text === "") throw malformed(`#/${name}: expected minLength: 1, actual: 0`);
  if (text.length > most) throw malformed(`#/${name}: expected maxLength: ${most}, actual: ${text.length}`);
  return text;
}

/** The length that is asked for, else the longest. */
function dimensionIn(value: unknown, dimensions: readonly number[], place: string): number {
  const [usual = 0] = dimensions;
  if (value === undefined) return usual;
  if (typeof value === "number" && dimensions.includes(value)) return value;
  throw malformed(`${place}: ${String(value)} is not a valid enum value`);
}

/** As AWS frames what does not fit a model's own schema. */
function malformed(what: string): Error {
  return validationError(`Malformed input request: ${what}, please reformat your input and try again.`);
}

/** A vector of length 1. */
function vectorOf(text: string, length: number): number[] {
  const numbers: number[] = [];
  for (let block = 0; numbers.length < length; block++) {
    const bytes = createHash("sha512").update(`${block}:${text}`).digest();
    for (let at = 0; at < bytes.length && numbers.length < length; at += 2)
      numbers.push(bytes.readInt16BE(at) / 32_768);
  }
  const norm = Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0)) || 1;
  return numbers.map((number) => Number((number / norm).toFixed(8)));
}
