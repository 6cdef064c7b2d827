import type {
  CachePointBlock,
  Tool,
  ToolChoice,
  ToolConfiguration,
  ToolInputSchema,
} from "@aws-sdk/client-bedrock-runtime";
import type { BetaToolUnion } from "@anthropic-ai/sdk/resources/beta/messages/messages";
import type { OwnTool, OwnTools } from "../../../converse/own-tools.ts";
import { shorten } from "../../../errors.ts";
import { turnOver } from "../../../next-turn.ts";
import { judgeFields } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { OWN_TOOL_RULES, TOOL_RULES, WEB_SEARCH_RULES } from "./request-fields.ts";
import { readCachePoint } from "../../content/cache-mark.ts";
import { readToolSchema } from "../../content/tool-schema.ts";
import type { BlockContext } from "./read-blocks.ts";

export interface ReadTools {
  /** Undefined when the model is to call none. */
  tools: ToolConfiguration | undefined;
  /** Those that Claude knows by their types. */
  ownTools: OwnTools | undefined;
  searchesWeb: boolean;
  /** Whether an answer may call several at once. */
  mayCallInParallel: boolean;
}

type NamedType = Exclude<NonNullable<BetaToolUnion["type"]>, "custom">;

/** What becomes of a tool of Anthropic's own: the client runs it, this server has it in another form, or nobody would. */
type Rule = "client" | "web" | "search" | "refused";

/**
 * The tools that Anthropic's own models know by a type, by the SDK's types, so that one that Anthropic adds does not
 * compile until somebody decides what becomes of it.
 */
const OWN_TOOLS: Readonly<Record<NamedType, Rule>> = {
  web_search_20250305: "web",
  web_search_20260209: "web",
  web_search_20260318: "web",
  tool_search_tool_bm25: "search",
  tool_search_tool_bm25_20251119: "search",
  tool_search_tool_regex: "search",
  tool_search_tool_regex_20251119: "search",
  advisor_20260301: "refused",
  bash_20241022: "client",
  bash_20250124: "client",
  browser_toolset_20260801: "refused",
  code_execution_20250522: "refused",
  code_execution_20250825: "refused",
  code_execution_20260120: "refused",
  code_execution_20260521: "refused",
  computer_20241022: "client",
  computer_20250124: "client",
  computer_20251124: "client",
  computer_toolset_20260801: "refused",
  mcp_toolset: "refused",
  memory_20250818: "client",
  text_editor_20241022: "client",
  text_editor_20250124: "client",
  text_editor_20250429: "client",
  text_editor_20250728: "client",
  web_fetch_20250910: "refused",
  web_fetch_20260209: "refused",
  web_fetch_20260309: "refused",
  web_fetch_20260318: "refused",
};

/**
 * Reads `tools` and `tool_choice`. The choice `auto` is Converse's own and not sent: some models refuse to be told. A tool
 * whose loading is deferred is declared once the conversation has made it known, or at once where nothing of the client's
 * could. Throws `invalid-request`.
 */
export async function readTools(
  tools: RequestField,
  choice: RequestField,
  context: BlockContext,
): Promise<ReadTools> {
  const fields = [...(tools.given?.items() ?? []), ...context.toolsAdded];
  const rules = fields.map(ruleOf);
  const isAllLoaded = rules.includes("search");
  const declared: Tool[] = [];
  const own: OwnTool[] = [];
  for (const [index, field] of fields.entries()) {
    const rule = rules[index];
    if (rule === "search") continue;
    if (rule === "web") {
      judgeFields(field, WEB_SEARCH_RULES, context.unknown);
      continue;
    }
    const over = turnOver();
    if (over) await over;
    const name = field.at("name").name();
    judgeFields(field, rule ? OWN_TOOL_RULES : TOOL_RULES, context.unknown);
    const isDeferred = field.at("defer_loading").given?.flag() === true;
    if (isDeferred && !isAllLoaded && !context.toolsFound.has(name)) continue;
    const point = readCachePoint(field.at("cache_control"));
    if (rule) {
      own.push(readOwnTool(name, field, point));
      continue;
    }
    declared.push({ toolSpec: readSpec(name, field) });
    if (point) declared.push({ cachePoint: point });
  }
  if (isAllLoaded) context.notices.add("Tools are not searched for by this server, so all of them are sent");
  const wanted = choice.given && choice.at("type");
  const read = {
    searchesWeb: rules.includes("web") && wanted?.value !== "none",
    mayCallInParallel: !(wanted && choice.at("disable_parallel_tool_use").given?.flag()),
  };
  const names = [...declared.flatMap(({ toolSpec }) => toolSpec?.name ?? []), ...own.map(({ name }) => name)];
  const toolChoice = wanted && readChoice(choice, wanted, names, read.searchesWeb);
  if (wanted?.value === "none") return { ...read, tools: undefined, ownTools: undefined };
  // Converse's choice is one of Converse's tools.
  const { tool } = toolChoice ?? {};
  const isOwn = tool ? own.some(({ name }) => name === tool.name) : declared.length === 0;
  const ownChoice = tool ? { type: "tool" as const, name: tool.name ?? "" } : { type: "any" as const };
  return {
    ...read,
    tools:
      declared.length === 0
        ? undefined
        : { tools: declared, ...(toolChoice && !isOwn ? { toolChoice } : {}) },
    ownTools:
      own.length === 0 ? undefined : { declared: own, ...(toolChoice && isOwn ? { choice: ownChoice } : {}) },
  };
}

function ruleOf(tool: RequestField): Exclude<Rule, "refused"> | undefined {
  const type = tool.at("type").given;
  if (!type || type.value === "custom") return undefined;
  const name = type.text();
  const rule = Object.hasOwn(OWN_TOOLS, name) ? OWN_TOOLS[name as NamedType] : undefined;
  if (rule && rule !== "refused") return rule;
  throw type.refused(
    `'${type.param}' is '${shorten(name)}', a tool that this server has none of: declare one with a name and an input_schema.`,
  );
}

/** What a tool of Claude's own says beside its type; how it is loaded and by whom it is called is not Converse's to say. */
function readOwnTool(name: string, tool: RequestField, point: CachePointBlock | undefined): OwnTool {
  const { type: _, ...cacheTime } = point ?? {};
  const settings = Object.entries(tool.object()).filter(([key]) => OWN_SETTINGS.has(key));
  return {
    ...Object.fromEntries(settings),
    type: tool.at("type").text(),
    name,
    ...(point ? { cache_control: { type: "ephemeral", ...cacheTime } } : {}),
  };
}

const OWN_SETTINGS: ReadonlySet<string> = new Set([
  "display_height_px",
  "display_number",
  "display_width_px",
  "enable_zoom",
  "max_characters",
]);

function readSpec(name: string, tool: RequestField): Tool.ToolSpecMember["toolSpec"] {
  const description = tool.at("description").given?.text();
  return {
    name,
    ...(description === undefined ? {} : { description }),
    inputSchema: { json: readToolSchema(tool.at("input_schema")) } as ToolInputSchema,
    ...(tool.at("strict").given?.flag() ? { strict: true } : {}),
  };
}

function readChoice(
  choice: RequestField,
  type: RequestField,
  names: readonly string[],
  searchesWeb: boolean,
): ToolChoice | undefined {
  switch (type.value) {
    case "auto":
    case "none":
      return undefined;
    case "any":
    case "tool": {
      const name = type.value === "tool" ? choice.at("name").name() : undefined;
      const isKnown = name === undefined ? names.length > 0 : names.includes(name);
      // The model searches as it likes.
      if (searchesWeb && !isKnown) return undefined;
      if (names.length === 0) throw choice.refused("'tool_choice' asks for a tool, and 'tools' holds none.");
      if (!isKnown)
        throw choice.at("name").refused(`There is no tool '${shorten(name ?? "")}' among 'tools'.`);
      return name === undefined ? { any: {} } : { tool: { name } };
    }
    default:
      throw type.mustBe("auto, any, tool or none");
  }
}
