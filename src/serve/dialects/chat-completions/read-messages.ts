import type { ContentBlock, Message, ToolResultBlock, ToolUseBlock } from "@aws-sdk/client-bedrock-runtime";
import { textBlocks } from "../../../converse/conversation.ts";
import { JsonBoundsError, parseBoundedJson } from "../../../json-bounds.ts";
import { RequestField } from "../../request-field.ts";
import { type ContentContext, readTextContent, readUserContent } from "./read-content.ts";

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
export function readMessages(field: RequestField, context: ContentContext): Conversation {
  const system: string[] = [];
  const messages: Message[] = [];
  const say = (role: "user" | "assistant", content: ContentBlock[]): void => {
    const last = messages.at(-1);
    if (content.length === 0) return;
    // One by one: as arguments of one call they can be too many.
    if (last?.role === role) for (const block of content) last.content?.push(block);
    else messages.push({ role, content });
  };
  for (const message of field.items()) {
    const role = message.at("role");
    switch (role.value) {
      case "system":
      case "developer":
        system.push(readTextContent(message.at("content")));
        break;
      case "user":
        say("user", readUserContent(message.at("content"), context));
        break;
      case "assistant":
        say("assistant", readAnswer(message, context));
        break;
      case "tool":
        say("user", [readToolResult(message)]);
        break;
      case "function":
        throw role.refused("Messages of role 'function' are the older form of role 'tool'.");
      default:
        throw role.mustBe("system, developer, user, assistant or tool");
    }
  }
  if (messages.length === 0) throw field.refused("'messages' holds nothing that a person says.");
  const texts = system.filter((text) => text.trim() !== "");
  return { system: texts.length === 0 ? undefined : texts.join("\n\n"), messages };
}

function readAnswer(message: RequestField, context: ContentContext): ContentBlock[] {
  const older = message.at("function_call").given;
  if (older) throw older.refused("'function_call' is the older form of 'tool_calls'.");
  const audio = message.at("audio").given;
  if (audio) throw audio.refused("Audio is not supported.");
  const content = message.at("content").given;
  const text = content ? readTextContent(content, ["text", "refusal"]) : "";
  const refusal = message.at("refusal").given?.text() ?? "";
  const calls = message.at("tool_calls").given?.items() ?? [];
  return [
    ...textBlocks(text),
    ...textBlocks(refusal),
    ...calls.map((call) => ({ toolUse: readToolCall(call, context) })),
  ];
}

function readToolCall(call: RequestField, context: ContentContext): ToolUseBlock {
  const type = call.at("type").given;
  if (type && type.value !== "function") throw type.mustBe("function");
  const called = call.at("function");
  called.object();
  return {
    toolUseId: call.at("id").text(),
    name: called.at("name").text(),
    input: readArguments(called.at("arguments"), context),
  };
}

function readArguments(
  field: RequestField,
  { argumentsScan }: ContentContext,
): NonNullable<ToolUseBlock["input"]> {
  const text = field.text();
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = parseBoundedJson(text, argumentsScan);
  } catch (cause) {
    const { message } = cause as Error;
    const what = cause instanceof JsonBoundsError ? "cannot be taken" : "is not JSON";
    throw field.refused(`'${field.param}' ${what}: ${message}.`);
  }
  return new RequestField(value, field.param).object() as NonNullable<ToolUseBlock["input"]>;
}

function readToolResult(message: RequestField): { toolResult: ToolResultBlock } {
  const text = readTextContent(message.at("content"));
  const toolUseId = message.at("tool_call_id").text();
  return { toolResult: { toolUseId, content: text.trim() === "" ? [] : [{ text }] } };
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
