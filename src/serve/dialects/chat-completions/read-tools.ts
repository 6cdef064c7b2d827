import type { Tool, ToolChoice, ToolConfiguration, ToolInputSchema } from "@aws-sdk/client-bedrock-runtime";
import {
  isAbsent,
  readFlag,
  readList,
  readObject,
  readOptionalText,
  readText,
  refused,
  show,
} from "./read-value.ts";

/** A model with no parameters to fill takes an empty object. */
const NO_PARAMETERS = { type: "object", properties: {} };

/**
 * Reads `tools` and `tool_choice`. Undefined when the model is to call none. The choice `auto` is Converse's own and not
 * sent: some models refuse to be told. Throws `invalid-request`.
 */
export function readTools(tools: unknown, choice: unknown): ToolConfiguration | undefined {
  const declared = isAbsent(tools) ? [] : readList(tools, "tools").map(readTool);
  const wanted = isAbsent(choice) ? "auto" : choice;
  if (declared.length === 0) {
    if (wanted === "auto" || wanted === "none") return undefined;
    throw refused("'tool_choice' asks for a tool, and 'tools' holds none.", "tool_choice");
  }
  if (wanted === "none") return undefined;
  if (typeof wanted === "string") return configuration(declared, modeOf(wanted, "tool_choice"));
  const fields = readObject(wanted, "tool_choice");
  if (fields["type"] === "function") {
    const name = readName(fields["function"], "tool_choice.function");
    return configuration(declared, { tool: { name: known(name, declared, "tool_choice.function.name") } });
  }
  if (fields["type"] === "allowed_tools") return allowed(fields["allowed_tools"], declared);
  throw refused(
    `'tool_choice.type' is ${show(fields["type"])}, and must be function or allowed_tools.`,
    "tool_choice.type",
  );
}

type Declared = Tool.ToolSpecMember;

function readTool(value: unknown, index: number): Declared {
  const param = `tools[${index}]`;
  const tool = readObject(value, param);
  if (tool["type"] !== "function") {
    throw refused(`'${param}.type' is ${show(tool["type"])}, and must be function.`, `${param}.type`);
  }
  const declared = readObject(tool["function"], `${param}.function`);
  const description = readOptionalText(declared["description"], `${param}.function.description`);
  const { parameters } = declared;
  const json = isAbsent(parameters) ? NO_PARAMETERS : readObject(parameters, `${param}.function.parameters`);
  return {
    toolSpec: {
      name: readText(declared["name"], `${param}.function.name`),
      ...(description === undefined || description.trim() === "" ? {} : { description }),
      inputSchema: { json } as ToolInputSchema,
      ...(readFlag(declared["strict"], `${param}.function.strict`) ? { strict: true } : {}),
    },
  };
}

function allowed(value: unknown, declared: readonly Declared[]): ToolConfiguration {
  const param = "tool_choice.allowed_tools";
  const fields = readObject(value, param);
  const mode = readText(fields["mode"], `${param}.mode`);
  const names = new Set(
    readList(fields["tools"], `${param}.tools`).map((item, index) => {
      const place = `${param}.tools[${index}]`;
      return known(readName(readObject(item, place)["function"], `${place}.function`), declared, place);
    }),
  );
  const kept = declared.filter(({ toolSpec }) => names.has(toolSpec.name ?? ""));
  if (kept.length === 0) throw refused(`'${param}.tools' allows none of the tools.`, `${param}.tools`);
  return configuration(kept, modeOf(mode, `${param}.mode`));
}

function readName(value: unknown, param: string): string {
  return readText(readObject(value, param)["name"], `${param}.name`);
}

function known(name: string, declared: readonly Declared[], param: string): string {
  if (declared.some(({ toolSpec }) => toolSpec.name === name)) return name;
  throw refused(`There is no tool '${name}' among 'tools'.`, param);
}

function modeOf(mode: string, param: string): ToolChoice | undefined {
  if (mode === "auto") return undefined;
  if (mode === "required") return { any: {} };
  throw refused(`'${param}' is ${show(mode)}, and must be none, auto, required or a tool.`, param);
}

function configuration(tools: readonly Declared[], toolChoice: ToolChoice | undefined): ToolConfiguration {
  return { tools: [...tools], ...(toolChoice ? { toolChoice } : {}) };
}
