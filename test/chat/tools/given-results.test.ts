import type { Message } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leftTurn, toMessage } from "../../../src/chat/tools/given-results.ts";
import { OpenclawError } from "../../../src/errors.ts";

const calls = [
  { toolUseId: "t1", name: "deploy", input: {} },
  { toolUseId: "t2", name: "shell", input: { command: "ls" } },
];

const question: Message = { role: "user", content: [{ text: "Deploy it." }] };
const calling: Message = {
  role: "assistant",
  content: [{ text: "I will." }, ...calls.map((toolUse) => ({ toolUse }))],
};
const results: Message = {
  role: "user",
  content: [{ toolResult: { toolUseId: "t1", content: [{ text: "done" }] } }],
};
const silent: Message = { role: "assistant", content: [] };

describe("results that are given", () => {
  test.each<{ name: string; messages: Message[]; left: Message[] | undefined }>([
    { name: "an answer that calls tools", messages: [question, calling], left: [question, calling] },
    {
      name: "results that came to no answer",
      messages: [question, calling, results, silent],
      left: [question, calling],
    },
    {
      name: "the second round",
      messages: [question, calling, results, calling],
      left: [question, calling, results, calling],
    },
    {
      name: "an answer",
      messages: [question, calling, results, { role: "assistant", content: [{ text: "Done." }] }],
      left: undefined,
    },
    { name: "no answer", messages: [question, silent], left: undefined },
    { name: "nothing", messages: [], left: undefined },
    {
      name: "a tool of the service",
      messages: [
        question,
        {
          role: "assistant",
          content: [{ toolUse: { toolUseId: "s", name: "web", input: {}, type: "server_tool_use" } }],
        },
      ],
      left: undefined,
    },
  ])("go on behind $name or not", ({ messages, left }) => {
    expect(leftTurn(messages)?.messages).toEqual(left);
  });

  test("come in the order of the calls, as texts or as JSON", () => {
    const text = [
      '{"toolUseId":"t2","content":{"files":["a"]},"status":"error"}',
      "",
      '  {"toolUseId":"t1","content":"done","status":"success","durationMs":3}\r',
    ].join("\n");
    expect(toMessage(text, calls, "It")).toEqual({
      role: "user",
      content: [
        { toolResult: { toolUseId: "t1", content: [{ text: "done" }] } },
        { toolResult: { toolUseId: "t2", content: [{ json: { files: ["a"] } }], status: "error" } },
      ],
    });
  });

  test.each([
    ['""', { text: "(nothing)" }],
    ["[1,2]", { text: "[1,2]" }],
    ["7", { text: "7" }],
    ["null", { text: "null" }],
    ["false", { text: "false" }],
    ["{}", { json: {} }],
  ])("take %s as content", (content, block) => {
    const [call] = calls;
    const message = toMessage(`{"toolUseId":"t1","content":${content}}`, call ? [call] : [], "It");
    expect(message.content).toEqual([{ toolResult: { toolUseId: "t1", content: [block] } }]);
  });

  test.each([
    ["a text", "a".repeat(200_000)],
    ["JSON", { all: "a".repeat(200_000) }],
  ])("have the middle of %s left out that is too long", (_, content) => {
    const [call] = calls;
    const line = JSON.stringify({ toolUseId: "t1", content });
    const [block] = toMessage(line, call ? [call] : [], "It").content ?? [];
    const [{ text = "" } = {}] = block?.toolResult?.content ?? [];
    expect(text.length).toBeLessThan(101_000);
    expect(text).toContain("bytes are left out here");
  });

  test.each([
    ["", /has no result for 't1' \(deploy\) and 't2' \(shell\)/],
    ['{"toolUseId":"t1","content":"a"}', /has no result for 't2' \(shell\)\./],
    [
      '{"toolUseId":"t1","content":"a"}\n\n{"toolUseId":"t1","content":"b"}',
      /two results .*'t1', in lines 1 and 3/,
    ],
    ['{"toolUseId":"t9","content":"a"}', /line 1: the last answer makes no call 't9'/],
    ['{"toolUseId":"t1","content":"a"}\nthen', /line 2: it is no JSON/],
    ['{"toolUseId":"t1"', /line 1: it is no JSON/],
    ["[]", /line 1: it is no object/],
    ['"t1"', /line 1: it is no object/],
    ['{"content":"a"}', /line 1: it has no toolUseId/],
    ['{"toolUseId":7,"content":"a"}', /line 1: it has no toolUseId/],
    ['{"toolUseId":"t1"}', /line 1: it has no content/],
    ['{"toolUseId":"t1","content":"a","status":"failed"}', /"success" or "error", not "failed"/],
    [
      `{"toolUseId":"t1","content":${"[".repeat(300)}${"]".repeat(300)}}`,
      /line 1: it is no JSON \(.*256 levels/,
    ],
  ])("refuse %j", (text, message) => {
    expect(() => toMessage(text, calls, "It")).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringMatching(message) as string }),
    );
  });

  test("are one for each call, whatever a file says, or refused as a wrong call", () => {
    const id = fc.constantFrom("t1", "t2", "t3", "");
    const line = fc.oneof(
      fc.record({ toolUseId: id, content: fc.jsonValue(), status: fc.constantFrom("error", "success") }),
      fc.record({ toolUseId: id, content: fc.string() }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        try {
          const message = toMessage(lines.map((value) => JSON.stringify(value)).join("\n"), calls, "It");
          expect(message.content?.map(({ toolResult }) => toolResult?.toolUseId)).toEqual(["t1", "t2"]);
        } catch (error) {
          if (!(error instanceof OpenclawError)) throw error;
          expect(error.code).toBe("usage");
        }
      }),
    );
  });
});
