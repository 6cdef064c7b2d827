import type {
  ContentBlock,
  Tool,
  ToolInputSchema,
  ToolResultBlock,
  ToolResultContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { sha256Hex } from "../../aws/digest.ts";
import { parseExactlyIfJson } from "../../json-bounds.ts";
import { isRecord } from "../../json.ts";
import { toJsonText } from "../../network/json-body.ts";
import { mapInTurns, turnOver } from "../../next-turn.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";
import { ANSWER_TOOL } from "../request.ts";
import { withFreeChoice } from "../apply-lessons.ts";
import { toolSchema } from "../tool-schema.ts";
import { isMedia, tellEmpty, tellFound, tellUnread } from "./mend-files.ts";
import type { Input, Mending } from "./recipient.ts";

/**
 * Tools have distinct names of `[a-zA-Z0-9_-]{1,64}`, no empty description, and take an object; not every model can be held
 * to calling one.
 */
export async function mendTools(input: Input, mending: Mending): Promise<Input> {
  const mended = await mendDeclared(input, mending);
  return mending.family.freeToolChoice ? withFreeChoice(mended, mending) : mended;
}

async function mendDeclared(input: Input, mending: Mending): Promise<Input> {
  const { toolConfig, ...rest } = input;
  if (!toolConfig) return input;
  const names = new Set<string>();
  const tools: Tool[] = [];
  for (const tool of toolConfig.tools ?? []) {
    if (!tool.toolSpec) {
      if (tool.systemTool || tool.cachePoint) tools.push(tool);
      continue;
    }
    const { name = "", description = "", inputSchema, ...spec } = tool.toolSpec;
    const sent = toolName(name);
    if (names.has(sent)) {
      mending.tell(`The tool '${name}' is declared more than once, and only its first declaration is sent`);
      continue;
    }
    names.add(sent);
    if (sent !== name) mending.toolNames.set(sent, name);
    const over = turnOver();
    if (over) await over;
    const json = toolSchema(inputSchema?.json, name, mending) as ToolInputSchema.JsonMember["json"];
    const described = isOnlyBlanks(description) ? {} : { description };
    tools.push({ toolSpec: { ...spec, name: sent, ...described, inputSchema: { json } } });
  }
  if (tools.every(({ cachePoint }) => cachePoint)) return rest;
  const chosen = toolConfig.toolChoice?.tool?.name;
  if (chosen === undefined) return { ...input, toolConfig: { ...toolConfig, tools } };
  const name = toolName(chosen);
  if (names.has(name))
    return { ...input, toolConfig: { ...toolConfig, tools, toolChoice: { tool: { name } } } };
  mending.tell(`The tool '${chosen}', which the model was to call, is not declared, so it may choose`);
  return { ...input, toolConfig: { tools } };
}

/** A fit name stays. Another one gets a mark of its own: what is fit of two may be the same. */
function toolName(name: string): string {
  if (/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return name;
  return `${name.replace(/[^a-zA-Z0-9_-]+/g, "_").slice(0, 55)}_${sha256Hex(name).slice(0, 8)}`;
}

/** A tool's input is an object. Models write others, and programs send what was cut off. */
export function mendCall(use: ToolUseBlock, { tell }: Mending): ToolUseBlock {
  const { toolUseId = "", input } = use;
  const name = toolName(use.name ?? "");
  const read = typeof input === "string" ? parseExactlyIfJson(isOnlyBlanks(input) ? "{}" : input) : input;
  if (isRecord(read)) return { toolUseId, name, input: read as ToolUseBlock["input"] };
  tell(`The arguments of a call of '${use.name}' are no JSON object, and sent as {}`);
  return { toolUseId, name, input: {} };
}

/** A call as text; that of a structured answer is the answer. */
export async function tellCall({ name, input }: ToolUseBlock): Promise<ContentBlock[]> {
  const said = await toJsonText(input);
  return [{ text: name === ANSWER_TOOL ? said : `(called ${name} with ${said})` }];
}

/** A result as text, with its files behind it; any other block as it is. */
export async function tellResult(block: ContentBlock, name = "a tool"): Promise<ContentBlock[]> {
  if (!block.toolResult) return [block];
  const content = block.toolResult.content ?? [];
  const said = await mapInTurns(
    content,
    ({ text, json }) => text ?? (json === undefined ? "" : toJsonText(json)),
  );
  return [{ text: `(${name} returned: ${said.join("")})` }, ...(content.filter(isMedia) as ContentBlock[])];
}

/** A result holds something, `json` is an object, and files go behind it where the model takes none in it. */
export async function mendResult(result: ToolResultBlock, mending: Mending): Promise<ContentBlock[]> {
  const { family, modelId, tell } = mending;
  const { toolUseId = "", status } = result;
  const moved: ContentBlock[] = [];
  const mend = async (block: ToolResultContentBlock): Promise<ToolResultContentBlock[]> => {
    if (block.text !== undefined) return isOnlyBlanks(block.text) ? [] : [{ text: block.text }];
    if (block.json !== undefined)
      return [isRecord(block.json) ? { json: block.json } : { text: await toJsonText(block.json) }];
    const words =
      tellEmpty(block, mending) ??
      tellFound(block, mending) ??
      tellUnread(block, "in results of tools", mending);
    if (words !== undefined) return [{ text: words }];
    if (!isMedia(block)) return [];
    // Converse has no place for sound in a result, whatever the model takes.
    if (family.richToolResults && !("audio" in block)) return [block];
    moved.push(block as ContentBlock);
    tell(`'${modelId}' takes no files in the result of a tool, so they are sent behind it`);
    return [];
  };
  const content = (await mapInTurns((result.content ?? []).filter(isRecord), mend)).flat();
  const none = moved.length > 0 ? "(see the file below)" : "(no output)";
  const kept = content.length === 0 ? [{ text: none }] : content;
  const told = family.richToolResults && status !== undefined ? { status } : {};
  return [{ toolResult: { toolUseId, content: kept, ...told } }, ...moved];
}
