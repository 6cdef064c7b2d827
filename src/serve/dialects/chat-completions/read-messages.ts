import type {
  ContentBlock,
  Message,
  SystemContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type { SystemPrompt } from "../../../converse/request.ts";
import { mapInTurns, turnOver } from "../../../next-turn.ts";
import { cachedBehind, toToolResult } from "../../content/cache-mark.ts";
import { joinSystem } from "../../content/join-system.ts";
import { toFreeformInput } from "../../content/freeform-tool.ts";
import { readArguments } from "../../content/read-arguments.ts";
import type { ContentContext } from "../../content/read-files.ts";
import { judgeFields } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { CALL_RULES, CALLED_RULES, MESSAGE_RULES } from "./request-fields.ts";
import { readTexts, readUserContent } from "./read-content.ts";

/** A conversation as Converse takes it. */
export interface Conversation {
  /** Everything that `system` and `developer` messages say, wherever they stand; undefined when that is nothing. */
  system: SystemPrompt | undefined;
  /** As they came: the request that is made of them is mended before it goes out. */
  messages: Message[];
  notices: string[];
}

/** Reads the messages of a request. Throws `invalid-request`. */
export async function readMessages(field: RequestField, context: ContentContext): Promise<Conversation> {
  const system: SystemContentBlock[] = [];
  const messages: Message[] = [];
  let isNamed = false;
  for (const message of field.items()) {
    await turnOver();
    judgeFields(message, MESSAGE_RULES, context.unknown);
    const role = message.at("role");
    // Of a tool's result it is the tool's, which the call has already.
    isNamed ||= role.value !== "tool" && message.at("name").given !== undefined;
    switch (role.value) {
      case "system":
      case "developer":
        system.push(...readTexts(message.at("content"), context), ...cachedBehind(message));
        break;
      case "user":
        messages.push(say("user", await readUserContent(message.at("content"), context), message));
        break;
      case "assistant":
        messages.push(say("assistant", await readAnswer(message, context), message));
        break;
      case "tool":
        messages.push(say("user", await readToolResult(message, context), message));
        break;
      case "function":
        throw role.refused("Messages of role 'function' are the older form of role 'tool'.");
      default:
        throw role.mustBe("system, developer, user, assistant or tool");
    }
  }
  const notices = isNamed
    ? ["The 'name' of messages is left out: Converse has no place for who says them"]
    : [];
  return { system: joinSystem(system, messages, field), messages, notices };
}

function say(role: "user" | "assistant", content: readonly ContentBlock[], message: RequestField): Message {
  return { role, content: [...content, ...cachedBehind(message)] };
}

async function readAnswer(message: RequestField, context: ContentContext): Promise<ContentBlock[]> {
  const older = message.at("function_call").given;
  if (older) throw older.refused("'function_call' is the older form of 'tool_calls'.");
  const audio = message.at("audio").given;
  if (audio) throw audio.refused("Audio is not supported.");
  const content = message.at("content").given;
  const said = content ? readTexts(content, context, ["text", "refusal"]) : [];
  const refusal = message.at("refusal").given?.text() ?? "";
  const calls = message.at("tool_calls").given?.items() ?? [];
  const read = async (call: RequestField): Promise<ContentBlock> => ({
    toolUse: await readToolCall(call, context),
  });
  const text = said.map((block) => block.text ?? "").join("");
  const cached = said.filter(({ cachePoint }) => cachePoint).slice(-1);
  return [{ text }, ...cached, { text: refusal }, ...(await mapInTurns(calls, read))];
}

async function readToolCall(call: RequestField, context: ContentContext): Promise<ToolUseBlock> {
  judgeFields(call, CALL_RULES, context.unknown);
  const type = call.at("type").given;
  if (type?.value === "custom") {
    const called = call.at("custom");
    judgeFields(called, CALLED_RULES.custom, context.unknown);
    const input = toFreeformInput(called.at("input").text());
    return { toolUseId: call.at("id").text(), name: called.at("name").name(), input };
  }
  if (type && type.value !== "function") throw type.mustBe("function or custom");
  const called = call.at("function");
  judgeFields(called, CALLED_RULES.function, context.unknown);
  return {
    toolUseId: call.at("id").text(),
    name: called.at("name").name(),
    input: await readArguments(called.at("arguments"), context),
  };
}

async function readToolResult(message: RequestField, context: ContentContext): Promise<ContentBlock[]> {
  const content = message.at("content").given;
  return toToolResult(
    message.at("tool_call_id").text(),
    content ? await readUserContent(content, context) : [],
  );
}
