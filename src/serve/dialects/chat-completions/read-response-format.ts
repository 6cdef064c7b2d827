import { compileOutputSchema, type JsonSchema, type OutputSchema } from "../../../converse/output-schema.ts";
import { OpenclawError } from "../../../errors.ts";
import { isAbsent, readFlag, readObject, refused, show } from "./read-value.ts";

/** What `json_object` asks for: any object. */
const ANY_OBJECT: JsonSchema = { type: "object", additionalProperties: true };

/** A schema larger than this is refused, in characters: it is compiled for each request. */
const LONGEST_SCHEMA = 200_000;

/**
 * Reads `response_format` as the schema that an answer is held to; undefined for text. An answer that is cut at its
 * token limit may be half a document, as with OpenAI; one that does not fit is an error only where `strict` promises that
 * it does. Throws `invalid-request`.
 */
export async function readResponseFormat(value: unknown): Promise<OutputSchema | undefined> {
  if (isAbsent(value)) return undefined;
  const format = readObject(value, "response_format");
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return { ...(await compile(ANY_OBJECT)), mayMisfit: isCut };
    case "json_schema": {
      const named = readObject(format["json_schema"], "response_format.json_schema");
      const schema = readObject(named["schema"], SCHEMA_PARAM);
      const isStrict = readFlag(named["strict"], "response_format.json_schema.strict");
      return { ...(await compile(schema)), mayMisfit: isStrict ? isCut : () => true };
    }
    default:
      throw refused(
        `'response_format.type' is ${show(format["type"])}, and must be text, json_object or json_schema.`,
        "response_format.type",
      );
  }
}

const SCHEMA_PARAM = "response_format.json_schema.schema";

function isCut(stopReason: string): boolean {
  return stopReason === "max_tokens";
}

async function compile(schema: JsonSchema): Promise<OutputSchema> {
  if (JSON.stringify(schema).length > LONGEST_SCHEMA)
    throw refused(`'${SCHEMA_PARAM}' is longer than ${LONGEST_SCHEMA} characters.`, SCHEMA_PARAM);
  try {
    return await compileOutputSchema(schema, `'${SCHEMA_PARAM}'`);
  } catch (error) {
    if (error instanceof OpenclawError) throw refused(error.message, SCHEMA_PARAM);
    throw error;
  }
}
