import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { MessageAssembler } from "../../src/converse/message-assembler.ts";
import { partsOfAnswer } from "../../src/converse/parts-of-answer.ts";

const tool = { toolUseId: "t1", name: "clock", input: { zone: "UTC", at: [1, null] } };

const answerOf = (content: unknown, more: object = {}) => ({
  output: { message: { role: "assistant", content } },
  stopReason: "end_turn",
  usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
  ...more,
});

describe("an answer of Converse, as the parts of a stream,", () => {
  it.each<[string, object[], ContentBlock[]?]>([
    ["text", [{ text: "Hello" }]],
    ["texts", [{ text: "a" }, { text: "b" }]],
    [
      "calls",
      [{ text: "Let me look." }, { toolUse: tool }, { toolUse: { ...tool, toolUseId: "t2", input: {} } }],
    ],
    [
      "reasoning",
      [{ reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } }, { text: "Yes" }],
    ],
    [
      "reasoning that is hidden",
      [{ reasoningContent: { redactedContent: "AQI=" } }, { text: "Yes" }],
      [{ reasoningContent: { redactedContent: Buffer.from([1, 2]) } }, { text: "Yes" }],
    ],
    ["citations", [{ citationsContent: { content: [{ text: "It is." }], citations: [{ title: "A" }] } }]],
    ["kinds that nobody knows", [{ hologram: {} }, { text: "Yes" }], [{ text: "Yes" }]],
  ])("says the same: %s", (_, content, blocks = content as ContentBlock[]) => {
    const assembler = new MessageAssembler();
    const parts = [...partsOfAnswer(answerOf(content))];
    for (const part of parts) {
      assembler.take(part);
      // Each says something.
      const thought = Object.values(part.contentBlockDelta?.delta?.reasoningContent ?? { text: "" });
      expect(thought.filter((said) => said !== undefined)).toHaveLength(1);
    }
    expect(assembler.message()).toEqual({ role: "assistant", content: blocks });
    expect(parts.at(-2)).toMatchObject({ messageStop: { stopReason: "end_turn" } });
    expect(parts.at(-1)).toMatchObject({ metadata: { usage: { inputTokens: 1, outputTokens: 2 } } });
  });

  it.each([
    {},
    { output: 5 },
    { output: { message: { content: "x" } } },
    { output: { message: { content: [null, 1] } } },
  ])("is nothing but an end where it says nothing: %j", (answer) => {
    const names = [...partsOfAnswer(answer)].flatMap((part) => Object.keys(part));
    expect(names).toEqual(["messageStart", "messageStop", "metadata"]);
  });
});
