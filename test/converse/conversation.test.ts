import { describe, expect, it } from "vitest";
import {
  answerTextOf,
  isAnswered,
  isSameModel,
  joinTexts,
  partsOf,
} from "../../src/converse/conversation.ts";

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

describe("what a turn with tools says", () => {
  const call = { toolUse: { toolUseId: "t1", name: "clock", input: { zone: "UTC" } } };
  const result = { toolResult: { toolUseId: "t1", content: [{ text: "12:00" }] } };
  const turn = (...contents: object[][]) => ({
    model: "m",
    messages: contents.map((content, index) => ({
      role: index % 2 === 0 ? ("user" as const) : ("assistant" as const),
      content: content as never,
    })),
  });
  const question = [{ text: "Time?" }];

  it("is the texts of all rounds, without the calls that were answered", () => {
    const whole = turn(question, [{ text: "Let me look.\n" }, call], [result], [{ text: "\nNoon." }]);
    expect(answerTextOf(whole)).toBe("Let me look.\n\nNoon.");
    expect(isAnswered(whole)).toBe(true);
  });

  it("is the input of the call with which a model answers by a schema", () => {
    const answer = { toolUse: { toolUseId: "t1", name: "answer", input: { time: "noon" } } };
    expect(answerTextOf(turn(question, [answer]))).toBe('{"time":"noon"}');
    expect(answerTextOf(turn(question, [call]))).toBe("");
  });

  it("is told with its calls, each with its own result", () => {
    const other = { toolUse: { ...call.toolUse, input: { zone: "CET" } } };
    const later = { toolResult: { ...result.toolResult, content: [{ text: "13:00" }] } };
    const parts = partsOf(
      turn(
        question,
        [{ text: "Let me " }, { text: "look." }, call, other],
        [result, later],
        [{ text: "Noon." }, call],
      ),
    );
    expect(parts).toEqual([
      { text: "Let me look." },
      { call: call.toolUse, result: result.toolResult },
      { call: other.toolUse, result: later.toolResult },
      { text: "Noon." },
      { call: call.toolUse, result: undefined },
    ]);
  });

  it("counts as an answer as soon as a tool was called", () => {
    expect(isAnswered(turn(question, []))).toBe(false);
    expect(isAnswered(turn(question, [call], [result], []))).toBe(true);
  });

  it.each([
    [[], ""],
    [["one"], "one"],
    [["\n"], "\n"],
    [["one\n\n\n", "", " \n", "\n\ntwo\n"], "one\n\ntwo\n"],
    [["one", "two", "three"], "one\n\ntwo\n\nthree"],
  ])("%j is joined to %j", (texts, joined) => {
    expect(joinTexts(texts)).toBe(joined);
  });
});
