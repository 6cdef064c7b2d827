import type { Tool, ToolConfiguration, ToolInputSchema } from "@aws-sdk/client-bedrock-runtime";
import { shorten } from "../../../errors.ts";
import { describeFreeform, FREEFORM_SCHEMA } from "../../content/freeform-tool.ts";
import { readMode, withChoice } from "../../content/tool-choice.ts";
import { readToolSchema } from "../../content/tool-schema.ts";
import type { RequestField } from "../../request-field.ts";

/**
 * Reads `tools` and `tool_choice`. Undefined when the model is to call none. The choice `auto` is Converse's own and not
 * sent: some models refuse to be told. Throws `invalid-request`.
 */
export function readTools(tools: RequestField, choice: RequestField): ToolConfiguration | undefined {
  const declared = (tools.given?.items() ?? []).map(readTool);
  const wanted = choice.value ?? "auto";
  if (declared.length === 0) {
    if (wanted === "auto" || wanted === "none") return undefined;
    throw choice.refused("'tool_choice' asks for a tool, and 'tools' holds none.");
  }
  if (wanted === "none") return undefined;
  if (typeof wanted === "string")
    return withChoice(declared, wanted === "auto" ? undefined : readMode(choice));
  const type = choice.at("type");
  const kind = KINDS.find((known) => known === type.value);
  if (kind !== undefined) {
    const name = choice.at(kind).at("name");
    return withChoice(declared, { tool: { name: known(name.name(), namesOf(declared), name) } });
  }
  if (type.value === "allowed_tools") return allowed(choice.at("allowed_tools"), declared);
  throw type.mustBe("function, custom or allowed_tools");
}

/** The kinds of tools; each tool, and each mention of one, has its name under that of its kind. */
const KINDS = ["function", "custom"] as const;

/** The tools whose calls are texts, by their names. Throws `invalid-request`. */
export function customNames(tools: RequestField): ReadonlySet<string> {
  const custom = (tools.given?.items() ?? []).filter((tool) => tool.at("type").value === "custom");
  return new Set(custom.map((tool) => tool.at("custom").at("name").name()));
}

type Declared = Tool.ToolSpecMember;

function readTool(tool: RequestField): Declared {
  const type = tool.at("type");
  if (type.value === "custom") return readCustomTool(tool.at("custom"));
  if (type.value !== "function") throw type.mustBe("function or custom");
  const declared = tool.at("function");
  const description = declared.at("description").given?.text();
  return {
    toolSpec: {
      name: declared.at("name").name(),
      ...(description === undefined ? {} : { description }),
      inputSchema: { json: readToolSchema(declared.at("parameters")) } as ToolInputSchema,
      ...(declared.at("strict").given?.flag() ? { strict: true } : {}),
    },
  };
}

/** A tool that takes a text (https://platform.openai.com/docs/guides/function-calling#custom-tools). */
function readCustomTool(tool: RequestField): Declared {
  const format = tool.at("format").given;
  const isFree = format === undefined || format.at("type").choice(["text", "grammar"]) === "text";
  const grammar = isFree ? undefined : format.at("grammar");
  const description = describeFreeform(
    tool.at("description").given?.text(),
    grammar && { syntax: grammar.at("syntax").text(), definition: grammar.at("definition").text() },
  );
  return {
    toolSpec: {
      name: tool.at("name").name(),
      ...(description === undefined ? {} : { description }),
      inputSchema: { json: FREEFORM_SCHEMA } as ToolInputSchema,
    },
  };
}

function allowed(field: RequestField, declared: readonly Declared[]): ToolConfiguration {
  const mode = field.at("mode");
  mode.text();
  const tools = field.at("tools");
  const all = namesOf(declared);
  const nameOf = (item: RequestField): string =>
    item
      .at(KINDS.find((kind) => kind === item.at("type").value) ?? "function")
      .at("name")
      .name();
  const names = new Set(tools.items().map((item) => known(nameOf(item), all, item)));
  const kept = declared.filter(({ toolSpec }) => names.has(toolSpec.name ?? ""));
  if (kept.length === 0) throw tools.refused(`'${tools.param}' allows none of the tools.`);
  return withChoice(kept, readMode(mode));
}

function namesOf(declared: readonly Declared[]): ReadonlySet<string | undefined> {
  return new Set(declared.map(({ toolSpec }) => toolSpec.name));
}

function known(name: string, all: ReadonlySet<string | undefined>, field: RequestField): string {
  if (all.has(name)) return name;
  throw field.refused(`There is no tool '${shorten(name)}' among 'tools'.`);
}
