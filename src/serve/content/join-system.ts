import type { Message } from "@aws-sdk/client-bedrock-runtime";
import type { RequestField } from "../request-field.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";

/**
 * Everything that a request says as its system prompt, as one text; undefined where that is nothing. Throws
 * `invalid-request` where the messages, which stand in `field`, say nothing either.
 */
export function joinSystem(
  system: readonly string[],
  messages: readonly Message[],
  field: RequestField,
): string | undefined {
  const texts = system.filter((text) => !isOnlyBlanks(text));
  if (texts.length > 0) return texts.join("\n\n");
  refuseSilence(messages, field);
  return undefined;
}

/** Throws `invalid-request` where messages, which stand in `field`, say nothing. */
export function refuseSilence(messages: readonly Message[], field: RequestField): void {
  const saysNothing = messages.every(({ content = [] }) =>
    content.every(({ text }) => text !== undefined && isOnlyBlanks(text)),
  );
  if (saysNothing) throw field.refused(`'${field.param}' holds nothing that a person says.`);
}
