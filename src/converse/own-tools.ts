import type { ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError, shorten } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { FamilyFacts } from "../models/families.ts";

/** A tool that a model knows by its type: it is trained for it, and nobody describes it. */
export interface OwnTool extends JsonObject {
  type: string;
  name: string;
}

/** The tools of a request that its model is to know by their types. */
export interface OwnTools {
  declared: readonly OwnTool[];
  /** What the model must call: one of them, or any where there are no others. */
  choice?: { type: "tool"; name: string } | { type: "any" } | undefined;
}

/** What stands in Converse's list of tools where the caller has none for it. */
const PLACE_HOLDER = "no_tool";

/**
 * Converse refuses calls and results of tools in a conversation without its own list of tools ("The toolConfig field must be
 * defined when using toolUse and toolResult content blocks."), and what a model has thought is bound to that list: so there
 * is one from the first question on.
 */
const PLACE_HELD: ToolConfiguration = {
  tools: [
    {
      toolSpec: {
        name: PLACE_HOLDER,
        description: "Does nothing, and is never to be called.",
        inputSchema: { json: { type: "object" } },
      },
    },
  ],
};

/** Converse's tools without the one that holds the place, for APIs that have one list for all. */
export function withoutPlaceHolder(
  tools: NonNullable<ToolConfiguration["tools"]>,
): NonNullable<ToolConfiguration["tools"]> {
  return tools.filter(({ toolSpec }) => toolSpec?.name !== PLACE_HOLDER);
}

/**
 * The fields of a model's own with the tools that it knows by their types and the beta features that those are, and
 * Converse's own list of tools beside them. Throws `invalid-request`, with the type, for a model that knows none.
 */
export function placeOwnTools(
  { declared, choice }: OwnTools,
  { family, modelId, tools, fields }: OwnToolsPlace,
): { fields: JsonObject; tools: ToolConfiguration } {
  const { ownTools } = family;
  if (!ownTools) throw unknownType(declared, modelId);
  const { [ownTools.betaField]: given } = fields;
  const asked = Array.isArray(given) ? (given as unknown[]) : [];
  const needed = declared.flatMap(({ type }) => ownTools.betas[type] ?? []);
  const betas = [...new Set([...asked, ...needed])];
  return {
    fields: {
      ...fields,
      tools: declared,
      ...(betas.length === 0 ? {} : { [ownTools.betaField]: betas }),
      // Converse's own choice names tools of its own list.
      ...(choice ? { tool_choice: choice } : {}),
    },
    tools: tools ?? PLACE_HELD,
  };
}

/** Where tools go that a model knows by their types. */
interface OwnToolsPlace {
  family: FamilyFacts;
  /** As a person knows the model, for messages. */
  modelId: string;
  /** The caller's other tools. */
  tools: ToolConfiguration | undefined;
  fields: JsonObject;
}

/** The refusal of tools by a model that does not know them. */
export function unknownType(declared: readonly OwnTool[], modelId: string): OpenclawError {
  const types = [...new Set(declared.map(({ type }) => `'${shorten(type)}'`))].join(", ");
  return new OpenclawError("invalid-request", {
    message: `'${modelId}' knows no tools of the type ${types}.`,
    hint: "Declare them with a name and an input_schema.",
    details: { param: "tools" },
  });
}
