import { compileOutputSchema, type JsonSchema, type OutputSchema } from "../../../converse/output-schema.ts";
import { OpenclawError } from "../../../errors.ts";
import type { RequestField } from "../../request-field.ts";

/** What `json_object` asks for: any object. */
const ANY_OBJECT: JsonSchema = { type: "object", additionalProperties: true };

/** A schema larger than this is refused, in characters: it is compiled for each request. */
const LONGEST_SCHEMA = 200_000;

/**
 * Reads `response_format` as the schema that an answer is held to; undefined for text. An answer that is cut at its
 * token limit may be half a document, as with OpenAI; one that does not fit is an error only where `strict` promises that
 * it does. Throws `invalid-request`.
 */
export async function readResponseFormat(format: RequestField): Promise<OutputSchema | undefined> {
  const type = format.at("type");
  switch (type.value) {
    case "text":
      return undefined;
    case "json_object":
      return { ...(await compileOutputSchema(ANY_OBJECT, "json_object")), mayMisfit: isCut };
    case "json_schema": {
      const named = format.at("json_schema");
      const field = named.at("schema");
      const schema = field.object();
      const isStrict = named.at("strict").given?.flag();
      return { ...(await compile(schema, field)), mayMisfit: isStrict ? isCut : () => true };
    }
    default:
      throw type.mustBe("text, json_object or json_schema");
  }
}

function isCut(stopReason: string): boolean {
  return stopReason === "max_tokens";
}

async function compile(schema: JsonSchema, field: RequestField): Promise<OutputSchema> {
  if (JSON.stringify(schema).length > LONGEST_SCHEMA)
    throw field.refused(`'${field.param}' is longer than ${LONGEST_SCHEMA} characters.`);
  try {
    return await compileOutputSchema(schema, `'${field.param}'`);
  } catch (error) {
    if (error instanceof OpenclawError) throw field.refused(error.message);
    throw error;
  }
}
