import { type JsonObject } from "../../../json.ts";
import type { ContentBlock, Message, ToolResultBlock, ToolUseBlock } from "@aws-sdk/client-bedrock-runtime";
import { type ContentContext, readTextContent, readUserContent, textBlocks } from "./read-content.ts";
import { isAbsent, readList, readObject, readOptionalText, readText, refused, show } from "./read-value.ts";

/** A conversation as Converse takes it. */
export interface Conversation {
  /** Everything that `system` and `developer` messages say, wherever they stand; undefined when that is nothing. */
  system: string | undefined;
  /** Roles alternate: what one side says in a row is one message. */
  messages: Message[];
}

/**
 * Reads the messages of a request. The results of parallel tool calls, and what the person says after them, become one
 * user message, as Converse wants them. Throws `invalid-request`.
 */
export function readMessages(value: unknown, context: ContentContext): Conversation {
  const system: string[] = [];
  const messages: Message[] = [];
  const say = (role: "user" | "assistant", content: ContentBlock[]): void => {
    const last = messages.at(-1);
    if (content.length === 0) return;
    if (last?.role === role) last.content?.push(...content);
    else messages.push({ role, content });
  };
  for (const [index, item] of readList(value, "messages").entries()) {
    const param = `messages[${index}]`;
    const message = readObject(item, param);
    switch (message["role"]) {
      case "system":
      case "developer":
        system.push(readTextContent(message["content"], `${param}.content`));
        break;
      case "user":
        say("user", readUserContent(message["content"], `${param}.content`, context));
        break;
      case "assistant":
        say("assistant", readAnswer(message, param));
        break;
      case "tool":
        say("user", [readToolResult(message, param)]);
        break;
      case "function":
        throw refused("Messages of role 'function' are the older form of role 'tool'.", `${param}.role`);
      default:
        throw refused(
          `'${param}.role' is ${show(message["role"])}, and must be system, developer, user, assistant or tool.`,
          `${param}.role`,
        );
    }
  }
  if (messages.length === 0) throw refused("'messages' holds nothing that a person says.", "messages");
  const texts = system.filter((text) => text.trim() !== "");
  return { system: texts.length === 0 ? undefined : texts.join("\n\n"), messages };
}

function readAnswer(message: JsonObject, param: string): ContentBlock[] {
  if (!isAbsent(message["function_call"])) {
    throw refused("'function_call' is the older form of 'tool_calls'.", `${param}.function_call`);
  }
  if (!isAbsent(message["audio"])) throw refused("Audio is not supported.", `${param}.audio`);
  const content = message["content"];
  const text = isAbsent(content) ? "" : readTextContent(content, `${param}.content`, ["text", "refusal"]);
  const refusal = readOptionalText(message["refusal"], `${param}.refusal`) ?? "";
  const calls = isAbsent(message["tool_calls"]) ? [] : readList(message["tool_calls"], `${param}.tool_calls`);
  return [
    ...textBlocks(text),
    ...textBlocks(refusal),
    ...calls.map((call, index) => ({ toolUse: readToolCall(call, `${param}.tool_calls[${index}]`) })),
  ];
}

function readToolCall(value: unknown, param: string): ToolUseBlock {
  const call = readObject(value, param);
  if (call["type"] !== "function" && !isAbsent(call["type"])) {
    throw refused(`'${param}.type' is ${show(call["type"])}, and must be function.`, `${param}.type`);
  }
  const called = readObject(call["function"], `${param}.function`);
  const place = `${param}.function.arguments`;
  return {
    toolUseId: readText(call["id"], `${param}.id`),
    name: readText(called["name"], `${param}.function.name`),
    input: readArguments(readText(called["arguments"], place), place),
  };
}

function readArguments(text: string, param: string): NonNullable<ToolUseBlock["input"]> {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused(`'${param}' is not JSON: ${(cause as Error).message}.`, param);
  }
  return readObject(value, param) as NonNullable<ToolUseBlock["input"]>;
}

function readToolResult(message: JsonObject, param: string): { toolResult: ToolResultBlock } {
  const text = readTextContent(message["content"], `${param}.content`);
  return {
    toolResult: {
      toolUseId: readText(message["tool_call_id"], `${param}.tool_call_id`),
      content: text.trim() === "" ? [] : [{ text }],
    },
  };
}

/**
 * The conversation with its tool calls told as text. Converse wants the tools declared where a conversation holds calls
 * of them, and a model that has them declared may call them: for a request that gives none, or forbids them.
 */
export function tellToolCalls(messages: readonly Message[]): Message[] {
  const names = new Map(
    messages.flatMap(({ content = [] }) =>
      content.flatMap(({ toolUse }) => (toolUse ? [[toolUse.toolUseId, toolUse.name] as const] : [])),
    ),
  );
  const tell = (block: ContentBlock): ContentBlock => {
    const { toolUse, toolResult } = block;
    if (toolUse) return { text: `(called ${toolUse.name} with ${JSON.stringify(toolUse.input)})` };
    if (!toolResult) return block;
    const result = (toolResult.content ?? []).map(({ text = "" }) => text).join("");
    return { text: `(${names.get(toolResult.toolUseId) ?? "the tool"} returned: ${result})` };
  };
  return messages.map(({ role, content = [] }) => ({ role, content: content.map(tell) }));
}
