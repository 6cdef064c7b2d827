import type { Message, SystemContentBlock } from "@aws-sdk/client-bedrock-runtime";
import type { SystemPrompt } from "../../converse/request.ts";
import type { RequestField } from "../request-field.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";

/**
 * Everything that a request says as its system prompt: one text, and blocks only where something of it is cached; undefined
 * where that is nothing. Throws `invalid-request` where the messages, which stand in `field`, say nothing either.
 */
export function joinSystem(
  system: readonly SystemContentBlock[],
  messages: readonly Message[],
  field: RequestField,
): SystemPrompt | undefined {
  const blocks: SystemContentBlock[] = [];
  let texts: string[] = [];
  const endText = (): void => {
    if (texts.length > 0) blocks.push({ text: texts.join("\n\n") });
    texts = [];
  };
  for (const block of system) {
    if (block.text !== undefined) {
      if (!isOnlyBlanks(block.text)) texts.push(block.text);
      continue;
    }
    endText();
    if (blocks.length > 0) blocks.push(block);
  }
  endText();
  if (blocks.length === 0) refuseSilence(messages, field);
  return blocks.length > 1 ? blocks : blocks[0]?.text;
}

/** Throws `invalid-request` where messages, which stand in `field`, say nothing. */
export function refuseSilence(messages: readonly Message[], field: RequestField): void {
  const saysNothing = messages.every(({ content = [] }) =>
    content.every(
      ({ text, cachePoint }) => cachePoint !== undefined || (text !== undefined && isOnlyBlanks(text)),
    ),
  );
  if (saysNothing) throw field.refused(`'${field.param}' holds nothing that a person says.`);
}
