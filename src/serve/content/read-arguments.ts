import type { ToolUseBlock } from "@aws-sdk/client-bedrock-runtime";
import { isRecord } from "../../json.ts";
import { JsonBoundsError } from "../../json-bounds.ts";
import { bytesInTurns } from "../../next-turn.ts";
import { parseInTurns } from "../../parse-in-turns.ts";
import type { RequestField } from "../request-field.ts";
import type { ContentContext } from "./read-files.ts";

/**
 * The arguments of a tool call. What is no JSON stays the text that it is: it is mended with all that is no object. Some
 * clients send the object itself, or nothing for a call without arguments. Throws `invalid-request`.
 */
export async function readArguments(
  field: RequestField,
  { argumentsScan }: Pick<ContentContext, "argumentsScan">,
): Promise<ToolUseBlock["input"]> {
  if (isRecord(field.value)) return field.value as ToolUseBlock["input"];
  if (!field.given) return {};
  const text = field.text();
  try {
    return (await parseInTurns(await bytesInTurns(text), true, argumentsScan)) as ToolUseBlock["input"];
  } catch (cause) {
    if (cause instanceof JsonBoundsError)
      throw field.refused(`'${field.param}' cannot be taken: ${cause.message}.`);
    if (cause instanceof SyntaxError) return text;
    throw cause;
  }
}
