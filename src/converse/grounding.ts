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

interface Asked {
  cites?: boolean | undefined;
  searchesWeb?: boolean | "where-possible" | undefined;
  tools?: ToolConfiguration | undefined;
}

/**
 * The tools that go with a question: those of the caller, and the one that searches the web where that is asked for. Throws
 * `invalid-request` for a model that cannot search or cite, with those that can, unless it is to search where possible.
 */
export function groundedTools(
  { cites = false, searchesWeb = false, tools }: Asked,
  { modelId, calledAs, cites: canCite, webSearch }: Grounding,
): { tools: ToolConfiguration | undefined; notices: string[] } {
  if (cites && canCite === false)
    throw cannot(`'${modelId}' names no sources in documents.`, ({ citations }) => citations !== undefined);
  if (!searchesWeb) return { tools, notices: [] };
  const obstacle = webSearch ? obstacleTo(webSearch, calledAs) : cannotSearch(modelId);
  if (obstacle && searchesWeb === true) throw obstacle;
  if (obstacle || !webSearch)
    return { tools, notices: [`'${modelId}' does not search the web as it is called, so it goes without`] };
  const systemTool = { name: webSearch.tool };
  return { tools: { ...tools, tools: [...(tools?.tools ?? []), { systemTool }] }, notices: [] };
}

/** Why a model that searches the web does not do so as it is called. */
function obstacleTo(
  { geography }: NonNullable<FamilyFacts["webSearch"]>,
  calledAs: string,
): OpenclawError | undefined {
  const base = withoutPrefix(calledAs);
  if (geography === undefined || base === calledAs || calledAs === `${geography}.${base}`) return undefined;
  return new OpenclawError("invalid-request", {
    message: `'${calledAs}' does not search the web: that is done through profiles of '${geography}' only.`,
    hint: `Ask in that geography: --region us-east-1 -m ${geography}.${base}`,
    details: { model: calledAs },
  });
}

function cannotSearch(modelId: string): OpenclawError {
  return cannot(
    `'${modelId}' does not search the web.`,
    ({ webSearch }) => webSearch !== undefined,
    (id) => `${familyOf(id).webSearch?.geography ?? ""}.${id}`,
  );
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
