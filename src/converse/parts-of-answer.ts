import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { isRecord, type JsonObject, recordAt } from "../json.ts";
import { toJson } from "../json-numbers.ts";
import { toPart } from "./read-part.ts";

/**
 * The parts of a ConverseStream that an answer of Converse stands for
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
 */
export function* partsOfAnswer(answer: JsonObject): Generator<ConverseStreamOutput> {
  const message = recordAt(recordAt(answer, "output"), "message");
  yield toPart("messageStart", { role: "assistant" });
  const content = Array.isArray(message["content"]) ? (message["content"] as unknown[]) : [];
  for (const [contentBlockIndex, block] of content.filter(isRecord).entries()) {
    const { input, ...tool } = recordAt(block, "toolUse");
    if (block["toolUse"]) yield toPart("contentBlockStart", { contentBlockIndex, start: { toolUse: tool } });
    const deltas = block["toolUse"] ? [{ toolUse: { input: toJson(input ?? {}) } }] : deltasOf(block);
    for (const delta of deltas) yield toPart("contentBlockDelta", { contentBlockIndex, delta });
    yield toPart("contentBlockStop", { contentBlockIndex });
  }
  const { stopReason, additionalModelResponseFields, output: _, ...metadata } = answer;
  yield toPart("messageStop", { stopReason, additionalModelResponseFields });
  yield toPart("metadata", metadata);
}

/** What is said in a block other than a call of a tool. */
function deltasOf(block: JsonObject): readonly JsonObject[] {
  const { text, reasoningContent, citationsContent } = block;
  if (isRecord(reasoningContent)) {
    const { redactedContent } = reasoningContent;
    const thought = recordAt(reasoningContent, "reasoningText");
    const { text: said, signature } = thought;
    const all = [{ text: said }, { signature }, { redactedContent }];
    return all.flatMap((delta) =>
      Object.values(delta)[0] === undefined ? [] : [{ reasoningContent: delta }],
    );
  }
  if (isRecord(citationsContent)) {
    const { content, citations } = citationsContent;
    const list = (value: unknown): JsonObject[] =>
      Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
    return [
      ...list(content).map((said) => ({ text: said["text"] })),
      ...list(citations).map((citation) => ({ citation })),
    ];
  }
  return text === undefined ? [] : [{ text }];
}
