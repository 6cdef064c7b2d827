import type { ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError } from "../errors.ts";
import { withoutPrefix } from "../models/base-model-id.ts";
import { catalogIds } from "../models/catalog.ts";
import { type FamilyFacts, familyOf } from "../models/families.ts";

/** What answers can be grounded in where they are asked for. */
export interface Grounding {
  /** As a person knows the model, for messages. */
  modelId: string;
  /** As it is called. */
  calledAs: string;
  /** Whether citations of documents can be asked for; undefined where nobody knows. */
  cites: boolean | undefined;
  /** The tool of the service's own that searches the web, and the geography that has it. */
  webSearch: FamilyFacts["webSearch"] | undefined;
}

/** A question as far as it asks for sources. */
interface Asked {
  cites?: boolean | undefined;
  searchesWeb?: boolean | undefined;
  tools?: ToolConfiguration | undefined;
}

/**
 * The tools that go with a question: those of the caller, and the one that searches the web where that is asked for. Throws
 * `invalid-request` for a model that cannot search or cite, with those that can.
 */
export function groundedTools(
  { cites = false, searchesWeb = false, tools }: Asked,
  { modelId, calledAs, cites: canCite, webSearch }: Grounding,
): ToolConfiguration | undefined {
  if (cites && canCite === false)
    throw cannot(`'${modelId}' names no sources in documents.`, ({ citations }) => citations !== undefined);
  if (!searchesWeb) return tools;
  if (!webSearch)
    throw cannot(
      `'${modelId}' does not search the web.`,
      ({ webSearch: own }) => own !== undefined,
      (id) => `${familyOf(id).webSearch?.geography ?? ""}.${id}`,
    );
  const { tool, geography } = webSearch;
  const base = withoutPrefix(calledAs);
  if (geography !== undefined && base !== calledAs && calledAs !== `${geography}.${base}`) {
    throw new OpenclawError("invalid-request", {
      message: `'${calledAs}' does not search the web: that is done through profiles of '${geography}' only.`,
      hint: `Ask in that geography: --region us-east-1 -m ${geography}.${base}`,
      details: { model: calledAs },
    });
  }
  return { ...tools, tools: [...(tools?.tools ?? []), { systemTool: { name: tool } }] };
}

/** So many models a hint names. */
const MOST_NAMED = 4;

function cannot(
  message: string,
  isFit: (family: FamilyFacts) => boolean,
  nameOf: (id: string) => string = (id) => id,
): OpenclawError {
  const ids = catalogIds().filter((id) => isFit(familyOf(id)));
  return new OpenclawError("invalid-request", {
    message,
    hint: `Choose one that does, such as: ${ids.slice(-MOST_NAMED).map(nameOf).join(", ")}`,
    details: {},
  });
}
