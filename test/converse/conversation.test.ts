import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { documentNames, isSameModel, messagesFor, type Turn } from "../../src/converse/conversation.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-6";
const user = { role: "user" as const, content: [{ text: "Hi" }] };

function turn(...content: ContentBlock[]): Turn {
  return { model: CLAUDE, messages: [user, { role: "assistant", content }] };
}

const text = { text: "Hello." };
const signed = { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } };
const hidden = { reasoningContent: { reasoningText: { text: "", signature: "c2ln" } } };
const unsigned = { reasoningContent: { reasoningText: { text: "Hm." } } };
const redacted = { reasoningContent: { redactedContent: new Uint8Array([1, 2, 3]) } };
const tool = { toolUse: { toolUseId: "t", name: "answer", input: { colour: "red" } } };
const cited = {
  citationsContent: { content: [{ text: "So it " }, { text: "is." }], citations: [{ title: "a" }] },
};

describe("what a model is sent of the turns before", () => {
  it.each<[string, string, ContentBlock[], ContentBlock[]]>([
    ["text", CLAUDE, [text], [text]],
    ["signed reasoning, to its own model", CLAUDE, [signed, text], [signed, text]],
    ["reasoning whose words are hidden", CLAUDE, [hidden, text], [hidden, text]],
    ["redacted reasoning", CLAUDE, [redacted, signed, text], [redacted, signed, text]],
    ["the same model's in another region", "eu.anthropic.claude-sonnet-4-6", [signed, text], [signed, text]],
    ["no reasoning of another model", "us.anthropic.claude-opus-4-6-v1", [redacted, signed, text], [text]],
    ["no reasoning without a signature", CLAUDE, [unsigned, text], [text]],
    ["a tool's input, as text", CLAUDE, [tool], [{ text: '{"colour":"red"}' }]],
    ["cited text, as text", CLAUDE, [cited], [{ text: "So it is." }]],
    ["no blank text", CLAUDE, [{ text: "\n " }, text], [text]],
  ])("is %s", (_, model, content, sent) => {
    expect(messagesFor([turn(...content)], model)).toEqual([user, { role: "assistant", content: sent }]);
  });

  it.each([[[]], [[{ text: " " }]], [[signed]], [[unsigned]]])(
    "is nothing of a turn whose answer comes to nothing: %j",
    (content) => {
      const others = [turn(text), turn(...content), turn(text)];
      expect(messagesFor(others, CLAUDE).map(({ role }) => role)).toEqual([
        "user",
        "assistant",
        "user",
        "assistant",
      ]);
    },
  );

  it("is calls of tools that were answered, as they were", () => {
    const result = { toolResult: { toolUseId: "t", content: [{ text: "blue" }] } };
    const messages: Turn["messages"] = [
      user,
      { role: "assistant", content: [unsigned, text, tool] },
      { role: "user", content: [result] },
      { role: "assistant", content: [text] },
    ];
    expect(messagesFor([{ model: CLAUDE, messages }], CLAUDE)).toEqual([
      user,
      { role: "assistant", content: [text, tool] },
      { role: "user", content: [result] },
      { role: "assistant", content: [text] },
    ]);
  });

  it("has documents whose names no other may have", () => {
    const document = {
      document: { name: "note", format: "txt" as const, source: { bytes: new Uint8Array() } },
    };
    expect(
      documentNames([turn(text), { model: CLAUDE, messages: [{ role: "user", content: [document] }] }]),
    ).toEqual(new Set(["note"]));
  });
});

describe("the same model", () => {
  const arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
  it.each([
    ["anthropic.claude-opus-4-6-v1", "us.anthropic.claude-opus-4-6-v1", true],
    ["global.anthropic.claude-opus-4-6-v1", "us-gov.anthropic.claude-opus-4-6-v1", true],
    ["amazon.nova-lite-v1:0", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", true],
    [
      "us.amazon.nova-lite-v1:0",
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
      true,
    ],
    ["amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0", false],
    ["deepseek.v3.2", "qwen.v3.2", false],
    [arn, arn, true],
    [arn, `${arn}4`, false],
    [arn, "anthropic.claude-opus-4-6-v1", false],
  ])("%s and %s: %s", (one, other, isSame) => {
    expect(isSameModel(one, other)).toBe(isSame);
    expect(isSameModel(other, one)).toBe(isSame);
  });
});
