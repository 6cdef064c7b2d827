import { compileOutputSchema, type JsonSchema, type OutputSchema } from "../../converse/output-schema.ts";
import { OpenclawError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import type { RequestField } from "../request-field.ts";

/** Holds an answer to be any object. */
const ANY_OBJECT: OutputSchema = {
  schema: { type: "object", additionalProperties: true },
  checked: Promise.resolve(),
  problemsOf: async (json) => (isRecord(JSON.parse(json)) ? [] : ["/ must be object"]),
  mayMisfit: isCut,
};

/**
 * Reads OpenAI's format of an answer as the schema that the answer is held to; undefined for text. What there is to know of
 * a schema stands where `placeOf` says. An answer that is cut at its token limit may be half a document, as with OpenAI; one
 * that does not fit is an error only where `strict` promises that it does. Throws `invalid-request`.
 */
export async function readAnswerFormat(
  format: RequestField,
  placeOf: (format: RequestField) => RequestField,
  signal: AbortSignal | undefined,
): Promise<OutputSchema | undefined> {
  const type = format.at("type");
  switch (type.value) {
    case "text":
      return undefined;
    case "json_object":
      return ANY_OBJECT;
    case "json_schema": {
      const place = placeOf(format);
      const field = place.at("schema");
      const schema = field.object();
      const isStrict = place.at("strict").given?.flag();
      return {
        ...(await compileSchema(schema, field, signal)),
        ...labelsOf(place.at("name").given?.text(), place.at("description").given?.text()),
        mayMisfit: isStrict ? isCut : () => true,
      };
    }
    default:
      throw type.mustBe("text, json_object or json_schema");
  }
}

/** What a schema is called, as far as every API takes it: https://platform.openai.com/docs/api-reference/chat/create */
export function labelsOf(
  name: string | undefined,
  description: string | undefined,
): Pick<OutputSchema, "name" | "description"> {
  const isName = name !== undefined && /^[a-zA-Z0-9_-]{1,64}$/.test(name);
  return { name: isName ? name : undefined, description: description || undefined };
}

/** A schema larger than this is refused, in characters: it is compiled for each request. */
const LONGEST_SCHEMA = 200_000;

/** Whether an answer ended at its token limit, and may be half a document. */
export function isCut(stopReason: string): boolean {
  return stopReason === "max_tokens";
}

/** Compiles the schema that stands in a field, in a process of its own. Throws `invalid-request` for one that is none. */
export async function compileSchema(
  schema: JsonSchema,
  field: RequestField,
  signal: AbortSignal | undefined,
): Promise<OutputSchema> {
  const { param } = field;
  const source = { label: `'${param}'`, param, most: LONGEST_SCHEMA, signal };
  try {
    const compiled = compileOutputSchema(schema, source);
    await compiled.checked;
    return compiled;
  } catch (error) {
    if (error instanceof OpenclawError && error.code === "usage") throw field.refused(error.message);
    throw error;
  }
}
