import type { EmbeddingCreateParams } from "openai/resources/embeddings";
import type { InputType } from "../../../models/embedding-forms.ts";
import { type FieldRule, judgeFields } from "../../field-rules.ts";
import { readModelName, type RequestField, requestOf } from "../../request-field.ts";
import { isOnlyBlanks } from "../../../only-blanks.ts";

/** Texts of one request (https://platform.openai.com/docs/api-reference/embeddings/create). */
const MOST_TEXTS = 2048;

/** What a text is for, in this program's words and in Cohere's, whose models need to know. */
const INPUT_TYPES: Readonly<Record<string, InputType>> = {
  document: "document",
  query: "query",
  classification: "classification",
  clustering: "clustering",
  search_document: "document",
  search_query: "query",
};

/** Every field of OpenAI's request by its own type, and `input_type`, which clients of Cohere's models send. */
const FIELD_RULES: Readonly<Record<keyof EmbeddingCreateParams | "input_type", FieldRule>> = {
  dimensions: "read",
  encoding_format: "read",
  input: "read",
  input_type: "read",
  model: "read",
  user: "ignored",
};

export interface EmbeddingsAsked {
  /** The model's name as it was sent. */
  model: string;
  texts: readonly string[];
  dimensions: number | undefined;
  encoding: "float" | "base64";
  inputType: InputType | undefined;
  /** The places of fields that nobody knows. */
  unknown: readonly string[];
}

/** Reads a request of OpenAI's embeddings. Throws `invalid-request` naming the field. */
export function fromEmbeddingsRequest(body: unknown): EmbeddingsAsked {
  const request = requestOf(body);
  const unknown = judgeFields(request, FIELD_RULES);
  const type = request.at("input_type").given?.choice(Object.keys(INPUT_TYPES));
  return {
    model: readModelName(request.at("model")),
    texts: readTexts(request.at("input")),
    dimensions: request.at("dimensions").given?.count(),
    encoding: request.at("encoding_format").given?.choice(["float", "base64"]) ?? "float",
    inputType: type === undefined ? undefined : INPUT_TYPES[type],
    unknown,
  };
}

function readTexts(input: RequestField): string[] {
  if (!Array.isArray(input.value)) return [readText(input)];
  const items = input.items();
  if (items.length === 0) throw input.refused(`'${input.param}' is an empty list.`);
  if (items.length > MOST_TEXTS)
    throw input.refused(`'${input.param}' has ${items.length} texts, and may have ${MOST_TEXTS}.`);
  return items.map(readText);
}

function readText(field: RequestField): string {
  if (typeof field.value === "number" || Array.isArray(field.value))
    throw field.refused(
      `'${field.param}' has tokens, which only models of their own vocabulary can read: send texts (LangChain: check_embedding_ctx_length=False).`,
      "unsupported_value",
    );
  const text = field.text();
  if (isOnlyBlanks(text)) throw field.refused(`'${field.param}' has no text.`);
  return text;
}
