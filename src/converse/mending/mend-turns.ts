import type { ContentBlock, Message } from "@aws-sdk/client-bedrock-runtime";
import { isReasoning, systemAsContent } from "../conversation.ts";
import type { Input, Mending } from "./recipient.ts";

/** Roles alternate, and each message says something: reasoning and cache points alone are nothing. */
export function mendTurns(input: Input): Input {
  return { ...input, messages: alternating(input.messages ?? []) };
}

/** The messages that say something, those of one role that follow each other as one. */
export function alternating(messages: readonly Message[]): Message[] {
  const turns: { role: Message["role"]; content: ContentBlock[] }[] = [];
  for (const { role, content = [] } of messages) {
    if (!content.some(saysSomething)) continue;
    const last = turns.at(-1);
    // One by one: as arguments of one call they can be too many.
    if (last && last.role === role) for (const block of content) last.content.push(block);
    else turns.push({ role, content: [...content] });
  }
  return turns;
}

function saysSomething({ reasoningContent, cachePoint }: ContentBlock): boolean {
  return !reasoningContent && !cachePoint;
}

/** What is said in an answer: its reasoning begins it, and its calls end it, where Claude refuses another order. */
export function inOrder(content: readonly ContentBlock[]): ContentBlock[] {
  const firstCall = content.findIndex(({ toolUse }) => toolUse);
  const isCallLast = firstCall < 0 || !content.slice(firstCall).some(({ text }) => text !== undefined);
  const said = isCallLast ? content : parted(content, ({ toolUse }) => !toolUse);
  const first = said.find(({ cachePoint }) => !cachePoint);
  return first?.reasoningContent ? [...said] : parted(said, isReasoning);
}

function parted(content: readonly ContentBlock[], isFirst: (block: ContentBlock) => boolean): ContentBlock[] {
  return [...content.filter(isFirst), ...content.filter((block) => !isFirst(block))];
}

/** What a person is taken to have said where a conversation wants it and nobody said anything. */
const BEGINNING = "(The conversation begins here.)";

const GO_ON = "Continue.";

/**
 * A conversation begins with a person's message, and ends with one unless the model goes on with what its answer begins
 * with. A system prompt that nothing follows is what is asked.
 */
export function mendEnds(input: Input, { family, isReasoning, modelId, tell }: Mending): Input {
  const messages = [...(input.messages ?? [])];
  const { system, ...rest } = input;
  if (messages.length === 0) {
    const content = systemAsContent(system);
    if (content.length === 0)
      return { ...input, messages: [{ role: "user", content: [{ text: BEGINNING }] }] };
    tell("There is nothing but a system prompt, so it is sent as the question");
    return { ...rest, messages: [{ role: "user", content }] };
  }
  if (messages[0]?.role === "assistant") {
    tell("The conversation begins with an answer, so a message is put before it");
    messages.unshift({ role: "user", content: [{ text: BEGINNING }] });
  }
  const last = messages.at(-1);
  if (last?.role !== "assistant") return { ...input, messages };
  if (!family.prefill || isReasoning || input.toolConfig?.toolChoice) {
    tell(`'${modelId}' does not go on with the beginning of an answer, so it is asked to continue`);
    return { ...input, messages: [...messages, { role: "user", content: [{ text: GO_ON }] }] };
  }
  // "final assistant content cannot end with trailing whitespace": Anthropic's refusal of one.
  const content = (last.content ?? []).map((block) =>
    block.text === undefined || block !== last.content?.at(-1) ? block : { text: block.text.trimEnd() },
  );
  return { ...input, messages: [...messages.slice(0, -1), { ...last, content }] };
}

/** Some models refuse a message that has anything beside calls, or results, of tools. */
export function separateToolTurns(input: Input, { family }: Mending): Input {
  if (!family.separateToolTurns) return input;
  const messages = (input.messages ?? []).flatMap((message): Message[] => {
    const content = message.content ?? [];
    const isOfTools = (block: ContentBlock): boolean => Boolean(block.toolUse ?? block.toolResult);
    const [tools, others] = [content.filter(isOfTools), content.filter((block) => !isOfTools(block))];
    const { role } = message;
    if (tools.length === 0) return [message];
    if (!others.some(saysSomething)) return [{ role, content: tools }];
    return role === "assistant"
      ? [
          { role, content: others },
          { role: "user", content: [{ text: GO_ON }] },
          { role, content: tools },
        ]
      : [
          { role, content: tools },
          { role: "assistant", content: [{ text: "…" }] },
          { role, content: others },
        ];
  });
  return { ...input, messages };
}
