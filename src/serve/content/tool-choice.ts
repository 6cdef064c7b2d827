import type { Tool, ToolChoice, ToolConfiguration, ToolInputSchema } from "@aws-sdk/client-bedrock-runtime";
import { shorten, type OpenclawError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { RequestField } from "../request-field.ts";
import { cachedBehind } from "./cache-mark.ts";

/*
 * How OpenAI's two dialects declare tools and choose among them.
 */

/** A tool that is declared to the model, and what is cached behind it. */
export interface DeclaredTool {
  name: string;
  sent: Tool[];
}

/** A tool as it is sent, with the cache point that one of `marked` has. Throws `invalid-request`. */
export function declaredTool(
  name: string,
  description: string | undefined,
  json: JsonObject,
  marked: readonly RequestField[],
  isStrict = false,
): DeclaredTool {
  const toolSpec = {
    name,
    ...(description === undefined ? {} : { description }),
    inputSchema: { json } as ToolInputSchema,
    ...(isStrict ? { strict: true } : {}),
  };
  return { name, sent: [{ toolSpec }, ...marked.flatMap(cachedBehind).slice(0, 1)] };
}

export interface Choosable {
  declared: readonly DeclaredTool[];
  /** Whether the model may do what is no tool of these, too. */
  hasOthers?: boolean;
  /** The name that the model knows a tool by that a choice mentions; undefined for what is no tool of these. */
  nameOf(mention: RequestField): string | undefined;
  /** The field of a choice that has the tools that are allowed and the mode; undefined where the choice itself has them. */
  allowedIn?: string;
}

/**
 * Reads `tool_choice`. Undefined when the model is to call none. The choice `auto` is Converse's own and not sent: some models
 * refuse to be told. Throws `invalid-request`.
 */
export function readToolChoice(
  choice: RequestField,
  { declared, hasOthers = false, nameOf, allowedIn }: Choosable,
): ToolConfiguration | undefined {
  const wanted = choice.value ?? "auto";
  if (wanted === "none") return undefined;
  if (declared.length === 0) {
    if (wanted === "auto" || hasOthers) return undefined;
    throw choice.refused("'tool_choice' asks for a tool, and 'tools' holds none.");
  }
  if (typeof wanted === "string")
    return withChoice(declared, wanted === "auto" ? undefined : readMode(choice));
  const type = choice.at("type");
  if (type.value === "function" || type.value === "custom")
    return withChoice(declared, { tool: { name: nameOf(choice) } });
  if (type.value !== "allowed_tools") throw type.mustBe("function, custom or allowed_tools");
  const allowed = allowedIn === undefined ? choice : choice.at(allowedIn);
  const tools = allowed.at("tools");
  const names = new Set(tools.items().map(nameOf));
  const kept = declared.filter(({ name }) => names.has(name));
  if (kept.length === 0) throw tools.refused(`'${tools.param}' allows none of the tools.`);
  return withChoice(kept, readMode(allowed.at("mode")));
}

/** The refusal of a tool that is mentioned and not declared. */
export function noSuchTool(name: string, field: RequestField): OpenclawError {
  return field.refused(`There is no tool '${shorten(name)}' among 'tools'.`);
}

/** How the model chooses among tools, by a word; undefined for `auto`. Throws `invalid-request` for another one. */
function readMode(mode: RequestField): ToolChoice | undefined {
  if (mode.value === "auto") return undefined;
  if (mode.value === "required") return { any: {} };
  throw mode.mustBe("none, auto, required or a tool");
}

function withChoice(tools: readonly DeclaredTool[], toolChoice: ToolChoice | undefined): ToolConfiguration {
  return { tools: tools.flatMap(({ sent }) => sent), ...(toolChoice ? { toolChoice } : {}) };
}
