import type { ContentBlock, Message, SystemContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { turnOver } from "../../../next-turn.ts";
import { readCachePoint } from "../../content/cache-mark.ts";
import { refuseSilence } from "../../content/join-system.ts";
import { judgeFields } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { type BlockContext, readContent } from "./read-blocks.ts";
import { BLOCK_RULES, MESSAGE_RULES } from "./request-fields.ts";

/** A conversation as Converse takes it. */
export interface Conversation {
  system: SystemContentBlock[];
  /** As they came: the request that is made of them is mended before it goes out. */
  messages: Message[];
}

/**
 * Claude Code's note to Anthropic's billing, at the head of its system prompt. It differs from call to call, and nothing
 * behind it would be found in a cache: https://github.com/anthropics/claude-code/issues/68900
 */
const BILLING_NOTE = "x-anthropic-billing-header:";

/**
 * Reads the system prompt and the messages. What a system message says before anybody else belongs to the prompt; later
 * it stays where it stands, as a message of the person's that says whose it is: a prompt that grows is found in no cache,
 * and signed reasoning does not hold under another. Throws `invalid-request`.
 */
export async function readMessages(
  system: RequestField,
  field: RequestField,
  context: BlockContext,
): Promise<Conversation> {
  const prompt = readSystem(system, context);
  const messages: Message[] = [];
  const items = field.items();
  const lastAsked = items.findLastIndex((message) => message.at("role").value === "user");
  for (const [index, message] of items.entries()) {
    await turnOver();
    judgeFields(message, MESSAGE_RULES, context.unknown);
    const role = message.at("role");
    const content = message.at("content");
    switch (role.value) {
      case "user":
      case "assistant":
        messages.push({ role: role.value, content: await readContent(content, context) });
        break;
      case "system": {
        const isCleared = message.at("clear_at").value === "next_user_message" && index < lastAsked;
        const said = content.given && !isCleared ? await readContent(content, context) : [];
        const blocks = said.filter(isOfPrompt);
        if (messages.length === 0) prompt.push(...blocks);
        else if (blocks.length > 0) messages.push({ role: "user", content: blocks.map(asSystem) });
        break;
      }
      default:
        throw role.mustBe("user, assistant or system");
    }
  }
  if (prompt.length === 0) refuseSilence(messages, field);
  return { system: prompt, messages };
}

function isOfPrompt(block: ContentBlock): block is ContentBlock.TextMember | ContentBlock.CachePointMember {
  return block.text !== undefined || block.cachePoint !== undefined;
}

function asSystem(block: ContentBlock): ContentBlock {
  return block.text === undefined ? block : { text: `<system>\n${block.text}\n</system>` };
}

function readSystem(field: RequestField, { unknown }: BlockContext): SystemContentBlock[] {
  if (!field.given) return [];
  if (typeof field.value === "string") return promptBlock(field.value);
  const blocks: SystemContentBlock[] = [];
  for (const block of field.parts()) {
    judgeFields(block, BLOCK_RULES, unknown);
    const type = block.at("type");
    if (type.value !== "text") throw type.mustBe("text");
    blocks.push(...promptBlock(block.at("text").text()));
    const point = readCachePoint(block.at("cache_control"));
    if (point) blocks.push({ cachePoint: point });
  }
  return blocks;
}

function promptBlock(text: string): SystemContentBlock[] {
  const said = text.startsWith(BILLING_NOTE) ? behindFirstLine(text) : text;
  // One of blanks is mended, where others have their turn meanwhile.
  return said === "" ? [] : [{ text: said }];
}

function behindFirstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? "" : text.slice(end + 1);
}
