/*
 * What a model calls by one name is one of several things to a client of Responses, and may be in a namespace there. Nothing
 * is kept between requests: each one declares its tools, and what came of their calls is told with the same names.
 */

/** What the client calls a tool, and in which form it is told of a call. */
export interface ClientTool {
  kind: "function" | "custom" | "tool_search";
  name: string;
  namespace?: string | undefined;
}

/** The tools of a request, by the names that the model knows them by. */
export type ClientTools = ReadonlyMap<string, ClientTool>;

/** The name of the one tool of its kind, as clients send it. */
export const TOOL_SEARCH = "tool_search";

/** Where OpenAI's models have the tools that are in no namespace; Codex names it as one. */
const PLAIN_NAMESPACE = "functions";

/** The name that the model knows a tool by. */
export function qualifiedName(name: string, namespace: string | undefined): string {
  return namespace === undefined || namespace === PLAIN_NAMESPACE ? name : `${namespace}__${name}`;
}

/** The tool that a model calls; one that nobody declared is a function to the client, who says so. */
export function calledTool(tools: ClientTools, name: string): ClientTool {
  return tools.get(name) ?? { kind: "function", name };
}
