import type { ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import type { JsonObject } from "../../../json.ts";
import { turnOver } from "../../../next-turn.ts";
import { describeFreeform, FREEFORM_SCHEMA, readGrammar } from "../../content/freeform-tool.ts";
import { type DeclaredTool, declaredTool, noSuchTool, readToolChoice } from "../../content/tool-choice.ts";
import { readToolSchema } from "../../content/tool-schema.ts";
import { judgeFields, UnknownPlaces } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { type ClientTool, type ClientTools, qualifiedName, TOOL_SEARCH } from "./client-tools.ts";
import { TOOL_RULES, WEB_SEARCH_RULES } from "./request-fields.ts";

export interface Callable {
  /** Undefined when the model is to call none. */
  tools: ToolConfiguration | undefined;
  clientTools: ClientTools;
  /** Whether the model may search the web, where it can. */
  searchesWeb: boolean;
  notices: string[];
}

/** Reads lists of tools and `tool_choice`; others have their turn in between. Throws `invalid-request`. */
export async function readTools(
  lists: readonly RequestField[],
  choice: RequestField,
  unknown: UnknownPlaces,
): Promise<Callable> {
  const reader = new ToolReader(unknown);
  for (const list of lists)
    for (const tool of list.given?.items() ?? []) {
      const over = turnOver();
      if (over) await over;
      reader.read(tool);
    }
  const { declared, searchesWeb } = reader;
  const nameOf = (mention: RequestField): string | undefined =>
    isWebSearch(mention) ? undefined : chosenName(mention, reader);
  return {
    tools: readToolChoice(choice, { declared, hasOthers: searchesWeb, nameOf }),
    clientTools: reader.clientTools,
    searchesWeb: searchesWeb && choice.value !== "none",
    notices: reader.notices,
  };
}

/** Of all dates and forms of it. */
const WEB_SEARCH = /^web_search/;

function isWebSearch(tool: RequestField): boolean {
  return WEB_SEARCH.test(tool.at("type").text());
}

/** Tools that OpenAI's own servers run, or that a client runs in a form that only its models know. */
const NOT_HERE: ReadonlySet<unknown> = new Set([
  "apply_patch",
  "code_interpreter",
  "computer",
  "computer_use_preview",
  "file_search",
  "image_generation",
  "local_shell",
  "mcp",
  "programmatic_tool_calling",
  "shell",
]);

const KNOWN_TYPES = ["function", "custom", "namespace", "tool_search"] as const;

class ToolReader {
  readonly declared: DeclaredTool[] = [];
  readonly clientTools = new Map<string, ClientTool>();
  /** The names that the model knows tools by, by the client's own without their namespaces. */
  readonly byOwnName = new Map<string, string>();
  readonly notices: string[] = [];
  searchesWeb = false;
  readonly #unknown: UnknownPlaces;

  constructor(unknown: UnknownPlaces) {
    this.#unknown = unknown;
  }

  read(tool: RequestField, namespace?: string): void {
    const type = tool.at("type");
    const known = KNOWN_TYPES.find((name) => name === type.value);
    if (known) judgeFields(tool, TOOL_RULES[known], this.#unknown);
    if (type.value === "function") return this.#function(tool, namespace);
    if (type.value === "custom") return this.#custom(tool, namespace);
    if (namespace !== undefined) throw type.mustBe("function or custom");
    if (type.value === "namespace") {
      const name = tool.at("name").name();
      for (const member of tool.at("tools").items()) this.read(member, name);
      return;
    }
    if (type.value === "tool_search") return this.#toolSearch(tool);
    if (isWebSearch(tool)) return this.#webSearch(tool);
    if (NOT_HERE.has(type.value))
      throw type.refused(
        `'${type.param}' is '${type.text()}', which this server does not have: give the model a function for it.`,
        "unsupported_parameter",
      );
    throw type.mustBe("function, custom, namespace, tool_search or web_search");
  }

  #function(tool: RequestField, namespace: string | undefined): void {
    const isStrict = tool.at("strict").given?.flag();
    const client: ClientTool = { kind: "function", name: tool.at("name").name(), namespace };
    this.#declare(tool, client, textOf(tool), readToolSchema(tool.at("parameters")), isStrict);
  }

  #custom(tool: RequestField, namespace: string | undefined): void {
    const format = tool.at("format").given;
    const isGrammar = format !== undefined && format.at("type").value !== "text";
    const grammar = isGrammar ? readGrammar(format) : undefined;
    const client: ClientTool = { kind: "custom", name: tool.at("name").name(), namespace };
    this.#declare(tool, client, describeFreeform(textOf(tool), grammar), FREEFORM_SCHEMA);
  }

  /** A search that the client does is a tool of its own; where OpenAI's servers would, all tools are declared at once. */
  #toolSearch(tool: RequestField): void {
    if (tool.at("execution").value !== "client") {
      this.notices.push("The tool search of OpenAI's servers is left out: every tool is declared");
      return;
    }
    const client: ClientTool = { kind: "tool_search", name: TOOL_SEARCH };
    this.#declare(tool, client, textOf(tool), readToolSchema(tool.at("parameters")));
  }

  /**
   * The search is the model's own, which looks at any page as it is now: one that is to keep to some pages, or to what was
   * kept of them (https://developers.openai.com/api/docs/guides/tools-web-search#live-internet-access), is none.
   */
  #webSearch(tool: RequestField): void {
    judgeFields(tool, WEB_SEARCH_RULES, this.#unknown);
    const domains = tool.at("filters").given?.at("allowed_domains").given?.items() ?? [];
    const isLive = tool.at("external_web_access").given?.flag() ?? true;
    if (domains.length > 0)
      this.notices.push("The web search is left out: no model of Bedrock's keeps to the domains it names");
    else if (!isLive)
      this.notices.push(
        "The web search is left out: 'external_web_access' is false, and no model of Bedrock's searches without the web",
      );
    else this.searchesWeb = true;
  }

  #declare(
    tool: RequestField,
    client: ClientTool,
    description: string | undefined,
    json: JsonObject,
    isStrict = false,
  ): void {
    const name = qualifiedName(client.name, client.namespace);
    if (!this.clientTools.has(name)) this.clientTools.set(name, client);
    if (!this.byOwnName.has(client.name)) this.byOwnName.set(client.name, name);
    this.declared.push(declaredTool(name, description, json, [tool], isStrict));
  }
}

/** The names that the model knows the tools of a list by. Throws `invalid-request`. */
export function namesIn(list: RequestField): string[] {
  // They are judged where they are declared.
  const reader = new ToolReader(new UnknownPlaces());
  for (const tool of list.items()) reader.read(tool);
  return [...reader.clientTools.keys()];
}

function textOf(tool: RequestField): string | undefined {
  return tool.at("description").given?.text();
}

/** The name that the model knows a tool by that is chosen by its own, with or without its namespace. */
function chosenName(item: RequestField, { clientTools, byOwnName }: ToolReader): string {
  const field = item.at("name");
  const [name, namespace] = [field.name(), item.at("namespace").given?.name()];
  const qualified = qualifiedName(name, namespace);
  if (clientTools.has(qualified)) return qualified;
  const known = namespace === undefined ? byOwnName.get(name) : undefined;
  if (known !== undefined) return known;
  throw noSuchTool(name, field);
}
