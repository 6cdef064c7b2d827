import type { ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import { describeFreeform, FREEFORM_SCHEMA, readGrammar } from "../../content/freeform-tool.ts";
import { type DeclaredTool, declaredTool, noSuchTool, readToolChoice } from "../../content/tool-choice.ts";
import { readToolSchema } from "../../content/tool-schema.ts";
import { judgeFields, type UnknownPlaces } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { DECLARED_RULES, TOOL_RULES } from "./request-fields.ts";

/** Reads `tools` and `tool_choice`. Undefined when the model is to call none. Throws `invalid-request`. */
export function readTools(tools: RequestField, choice: RequestField): ToolConfiguration | undefined {
  const declared = (tools.given?.items() ?? []).map(readTool);
  const names = new Set(declared.map(({ name }) => name));
  const nameOf = (mention: RequestField): string => {
    const kind = KINDS.find((known) => known === mention.at("type").value) ?? "function";
    const field = mention.at(kind).at("name");
    const name = field.name();
    if (names.has(name)) return name;
    throw noSuchTool(name, field);
  };
  return readToolChoice(choice, { declared, nameOf, allowedIn: "allowed_tools" });
}

/** The kinds of tools; each tool, and each mention of one, has its name under that of its kind. */
const KINDS = ["function", "custom"] as const;

/** Judges the fields of tools. Throws `invalid-request`. */
export function judgeTools(tools: RequestField, unknown: UnknownPlaces): void {
  for (const tool of tools.given?.items() ?? []) {
    judgeFields(tool, TOOL_RULES, unknown);
    for (const kind of KINDS) {
      const declared = tool.at(kind).given;
      if (declared) judgeFields(declared, DECLARED_RULES[kind], unknown);
    }
  }
}

/** The tools whose calls are texts, by their names. Throws `invalid-request`. */
export function customNames(tools: RequestField): ReadonlySet<string> {
  const custom = (tools.given?.items() ?? []).filter((tool) => tool.at("type").value === "custom");
  return new Set(custom.map((tool) => tool.at("custom").at("name").name()));
}

function readTool(tool: RequestField): DeclaredTool {
  const type = tool.at("type");
  if (type.value === "custom") return readCustomTool(tool);
  if (type.value !== "function") throw type.mustBe("function or custom");
  const declared = tool.at("function");
  return declaredTool(
    declared.at("name").name(),
    declared.at("description").given?.text(),
    readToolSchema(declared.at("parameters")),
    [tool, declared],
    declared.at("strict").given?.flag(),
  );
}

/** A tool that takes a text (https://platform.openai.com/docs/guides/function-calling#custom-tools). */
function readCustomTool(tool: RequestField): DeclaredTool {
  const declared = tool.at("custom");
  const format = declared.at("format").given;
  const isFree = format === undefined || format.at("type").choice(["text", "grammar"]) === "text";
  const grammar = isFree ? undefined : format.at("grammar");
  const description = describeFreeform(
    declared.at("description").given?.text(),
    grammar && readGrammar(grammar),
  );
  return declaredTool(declared.at("name").name(), description, FREEFORM_SCHEMA, [tool, declared]);
}
