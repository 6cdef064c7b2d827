import { isRecord, type JsonObject } from "../../json.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";
import { parseCallInTurns } from "../../parse-in-turns.ts";
import type { RequestField } from "../request-field.ts";

/*
 * OpenAI's custom tools take a text, and Converse's an object: such a tool is given to a model as one with a single field, and
 * its calls are told as the text again.
 */

const FIELD = "input";

/** The schema of the object that holds the text. */
export const FREEFORM_SCHEMA: JsonObject = {
  type: "object",
  properties: { [FIELD]: { type: "string", description: "The whole input, as plain text." } },
  required: [FIELD],
  additionalProperties: false,
};

/** What the text of a tool has to match. */
interface Grammar {
  syntax: string;
  definition: string;
}

/** A longer definition is refused, in characters: all of it is told to the model. */
const LONGEST_GRAMMAR = 200_000;

/** Throws `invalid-request`. */
export function readGrammar(field: RequestField): Grammar {
  const grammar = { syntax: field.at("syntax").text(), definition: field.at("definition").text() };
  const { length } = grammar.definition;
  if (length <= LONGEST_GRAMMAR) return grammar;
  const place = field.at("definition");
  throw place.refused(
    `'${place.param}' has ${length} characters, and a grammar may have ${LONGEST_GRAMMAR}.`,
  );
}

/** The description of a tool whose text has a grammar, which the model is told of: nothing holds it to it. */
export function describeFreeform(
  description: string | undefined,
  grammar: Grammar | undefined,
): string | undefined {
  if (!grammar) return description;
  const told = `The input must match this ${grammar.syntax} grammar:\n\n${grammar.definition.trim()}`;
  return isOnlyBlanks(description ?? "") ? told : `${description}\n\n${told}`;
}

/** The object that stands for a text. */
export function toFreeformInput(text: string): Record<string, string> {
  return { [FIELD]: text };
}

/**
 * The text of a call, of the JSON that a model called the tool with. A model that is held to nothing may call the field
 * otherwise, or say nothing but the text. JSON can say half a character, and nobody gets one.
 */
export async function freeformText(json: string): Promise<string> {
  const input = await parseCallInTurns(json);
  if (typeof input === "string") return input.toWellFormed();
  if (!isRecord(input)) return json;
  const values = Object.values(input);
  if (values.length === 0) return "";
  const text = input[FIELD] ?? (values.length === 1 ? values[0] : undefined);
  return typeof text === "string" ? text.toWellFormed() : json;
}
