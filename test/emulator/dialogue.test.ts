import Anthropic from "@anthropic-ai/sdk";
import {
  ConverseCommand,
  ConverseStreamCommand,
  type ContentBlock,
  type Message,
  type ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import { writeFileSync } from "node:fs";
import path from "node:path";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { type Dialogue, DialogueFault, readDialogue } from "../../src/emulator/dialogue.ts";
import { MessageAssembler } from "../../src/converse/message-assembler.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { emulate, runtimeClient } from "./clients.ts";

/** What a round came to, whatever the wire. */
interface Round {
  reasoning: string | undefined;
  text: string;
  calls: { id: string; name: string; input: unknown }[];
  stop: string;
}

/** A conversation by one wire that goes on from round to round; `results` answer the calls of the last one. */
type Talk = (emulator: Emulator, isStreamed: boolean) => (results?: readonly string[]) => Promise<Round>;

const QUESTION = "What is the weather?";
const parameters = { type: "object", properties: { city: { type: "string" } } } as const;

const byConverse: Talk = (emulator, isStreamed) => {
  const client = runtimeClient(emulator, "HTTP/1.1");
  const messages: Message[] = [{ role: "user", content: [{ text: QUESTION }] }];
  const toolConfig: ToolConfiguration = {
    tools: [{ toolSpec: { name: "weather", inputSchema: { json: parameters } } }],
  };
  let calls: Round["calls"] = [];
  return async (results = []) => {
    const content: ContentBlock[] = results.map((text, index) => ({
      toolResult: { toolUseId: calls[index]?.id, content: [{ text }] },
    }));
    if (content.length > 0) messages.push({ role: "user", content });
    const input = { modelId: "us.anthropic.claude-sonnet-4-6", messages, toolConfig };
    let message: Message | undefined;
    let stop: string | undefined;
    if (isStreamed) {
      const assembler = new MessageAssembler();
      const { stream } = await client.send(new ConverseStreamCommand(input));
      for await (const part of stream ?? []) {
        assembler.take(part);
        stop ??= part.messageStop?.stopReason;
      }
      message = assembler.message();
    } else {
      const answer = await client.send(new ConverseCommand(input));
      message = answer.output?.message;
      stop = answer.stopReason;
    }
    const said = message?.content ?? [];
    messages.push({ role: "assistant", content: said });
    calls = said.flatMap(({ toolUse }) =>
      toolUse ? [{ id: toolUse.toolUseId ?? "", name: toolUse.name ?? "", input: toolUse.input }] : [],
    );
    const thought = said.flatMap(({ reasoningContent }) => reasoningContent?.reasoningText ?? [])[0];
    return {
      reasoning: thought?.signature === undefined ? undefined : thought.text,
      text: said.map(({ text = "" }) => text).join(""),
      calls,
      stop: String(stop),
    };
  };
};

const byMessages: Talk = ({ url, bearerToken }, isStreamed) => {
  const client = new Anthropic({ baseURL: `${url}/anthropic`, apiKey: bearerToken, maxRetries: 0 });
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: QUESTION }];
  let calls: Round["calls"] = [];
  return async (results = []) => {
    const content = results.map((text, index) => ({
      type: "tool_result" as const,
      tool_use_id: calls[index]?.id ?? "",
      content: text,
    }));
    if (content.length > 0) messages.push({ role: "user", content });
    const params: Anthropic.MessageCreateParamsNonStreaming = {
      model: "us.anthropic.claude-sonnet-4-6",
      max_tokens: 4000,
      thinking: { type: "enabled", budget_tokens: 2000 },
      tools: [{ name: "weather", input_schema: parameters }],
      messages,
    };
    const answer = await (isStreamed
      ? client.messages.stream(params).finalMessage()
      : client.messages.create(params));
    messages.push({ role: "assistant", content: answer.content });
    calls = answer.content.flatMap((block) => (block.type === "tool_use" ? [block] : []));
    calls = calls.map(({ id, name, input }) => ({ id, name, input }));
    const [thought] = answer.content.flatMap((block) => (block.type === "thinking" ? [block] : []));
    return {
      reasoning: thought?.signature ? thought.thinking : undefined,
      text: answer.content.map((block) => (block.type === "text" ? block.text : "")).join(""),
      calls,
      stop: String(answer.stop_reason),
    };
  };
};

const byCompletions: Talk = ({ url, bearerToken }, isStreamed) => {
  const client = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: bearerToken, maxRetries: 0 });
  const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: "user", content: QUESTION }];
  let calls: Round["calls"] = [];
  return async (results = []) => {
    for (const [index, content] of results.entries())
      messages.push({ role: "tool", tool_call_id: calls[index]?.id ?? "", content });
    const params: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming = {
      model: "openai.gpt-oss-120b-1:0",
      tools: [{ type: "function", function: { name: "weather", parameters } }],
      messages,
    };
    let thought = "";
    // The client keeps the last piece only of a field that OpenAI does not have.
    const add = (message: object | undefined): void =>
      void (thought += (message as { reasoning?: string } | undefined)?.reasoning ?? "");
    const answer = await (isStreamed
      ? client.chat.completions
          .stream({ ...params, stream: true })
          .on("chunk", ({ choices }) => add(choices[0]?.delta))
          .finalChatCompletion()
      : client.chat.completions.create(params));
    if (!isStreamed) add(answer.choices[0]?.message);
    const [choice] = answer.choices;
    if (!choice) throw new Error("No choice.");
    messages.push(choice.message);
    calls = (choice.message.tool_calls ?? []).flatMap((call) =>
      call.type === "function"
        ? [{ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) as unknown }]
        : [],
    );
    return {
      reasoning: thought === "" ? undefined : thought,
      text: choice.message.content ?? "",
      calls,
      stop: choice.finish_reason,
    };
  };
};

const byResponses: Talk = ({ url, bearerToken }, isStreamed) => {
  const client = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: bearerToken, maxRetries: 0 });
  const input: OpenAI.Responses.ResponseInputItem[] = [{ role: "user", content: QUESTION }];
  let calls: Round["calls"] = [];
  return async (results = []) => {
    for (const [index, output] of results.entries())
      input.push({ type: "function_call_output", call_id: calls[index]?.id ?? "", output });
    const params = {
      model: "us.openai.gpt-5.6-luna",
      tools: [{ type: "function" as const, name: "weather", parameters, strict: false }],
      store: false,
      include: ["reasoning.encrypted_content" as const],
      reasoning: { effort: "low" as const, summary: "auto" as const },
      input,
    };
    const answer = await (isStreamed
      ? client.responses.stream(params).finalResponse()
      : client.responses.create(params));
    input.push(...(answer.output as OpenAI.Responses.ResponseInputItem[]));
    const items = new Set(answer.output.map(({ id }) => id));
    expect(items.size).toBe(answer.output.length);
    calls = answer.output.flatMap((item) =>
      item.type === "function_call"
        ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) as unknown }]
        : [],
    );
    const [thought] = answer.output.flatMap((item) => (item.type === "reasoning" ? [item] : []));
    return {
      reasoning: thought?.summary[0]?.text,
      text: answer.output_text,
      calls,
      stop: calls.length > 0 ? "calls" : String(answer.status),
    };
  };
};

/** Each wire with the words in which it says that tools are called, and that the answer is whole. */
const WIRES: [name: string, talk: Talk, called: string, ended: string, id: RegExp][] = [
  ["Converse", byConverse, "tool_use", "end_turn", /^tooluse_\w{22}$/],
  ["Messages", byMessages, "tool_use", "end_turn", /^toolu_bdrk_\w{22}$/],
  ["chat completions", byCompletions, "tool_calls", "stop", /^call_\w{22}$/],
  ["Responses", byResponses, "calls", "completed", /^call_\w{22}$/],
];
const EACH_WAY = WIRES.flatMap(([name, ...rest]) =>
  [true, false].map((isStreamed) => ({
    name: `${name}, ${isStreamed ? "streamed" : "whole"}`,
    isStreamed,
    rest,
  })),
);

describe("a dialogue", () => {
  it.each(EACH_WAY)(
    "is spoken by $name: thoughts, words and calls at once, then what they came to",
    async ({ isStreamed, rest: [talk, called, ended, id] }) => {
      const dialogue: Dialogue = [
        {
          reasoning: "Three towns.",
          text: "I look.",
          toolCalls: [
            { name: "weather", input: { city: "Oslo" } },
            { name: "weather", input: { city: "Oslo" } },
            { name: "not-declared", id: "mine" },
          ],
        },
        { toolCalls: [{ name: "weather", input: { city: "Oslo" } }], reasoning: "Once more." },
        { text: "So: $result! $result" },
      ];
      const say = talk(await emulate({ dialogue }), isStreamed);
      const first = await say();
      const [one, two, three] = first.calls;
      expect(first).toMatchObject({ reasoning: "Three towns.", text: "I look.", stop: called });
      expect(first.calls).toMatchObject([
        { id: expect.stringMatching(id), name: "weather", input: { city: "Oslo" } },
        { id: expect.stringMatching(id), name: "weather", input: { city: "Oslo" } },
        { id: "mine", name: "not-declared", input: {} },
      ]);
      expect(three).toBeDefined();
      const second = await say(["rain", "$& snow", "no such tool"]);
      expect(second).toMatchObject({ text: "", stop: called, calls: [{ name: "weather" }] });
      expect(new Set([one?.id, two?.id, second.calls[0]?.id]).size).toBe(3);
      expect(await say(["$& sun"])).toMatchObject({ text: "So: $& sun! $& sun", calls: [], stop: ended });
    },
  );

  it.each(EACH_WAY)(
    "is an error by $name with the status of its name",
    async ({ isStreamed, rest: [talk] }) => {
      const emulator = await emulate({
        dialogue: [{ error: { name: "ThrottlingException", message: "Slow." } }],
      });
      const failure: unknown = await talk(emulator, isStreamed)().catch((error: unknown) => error);
      expect(String(failure)).toContain("Slow.");
      expect(emulator.calls[0]?.status).toBe(429);
    },
  );

  it("is that of the conversation whose first question has its words, and the usual answer behind its end", async () => {
    const dialogue: Dialogue = {
      conversations: [
        { when: "climate", steps: [{ text: "Never." }] },
        { when: "weather", steps: [{ toolCalls: [{ name: "weather" }] }] },
        { steps: [{ text: "Any other." }] },
      ],
    };
    const say = byConverse(await emulate({ dialogue }), true);
    expect(await say()).toMatchObject({ calls: [{ name: "weather" }] });
    expect(await say(["rain"])).toMatchObject({ text: expect.stringContaining("simulated answer") });
  });
});

describe("a file of --emulator-script", () => {
  it.each<[string, unknown, string]>([
    ["a text", "hi", " takes a list of steps, or an object of conversations"],
    ["an object of another kind", { steps: [] }, "steps is not known; there are conversations"],
    ["conversations that are no list", { conversations: {} }, "conversations takes a list of {when, steps}"],
    [
      "a conversation without steps",
      { conversations: [{ when: "x" }] },
      "conversations.0.steps takes a list of steps",
    ],
    ["a step that is a text", ["hi"], "0 takes an object of text, reasoning, toolCalls, stopReason, error"],
    [
      "a slip of the finger",
      [{ tolCalls: [] }],
      "0.tolCalls is not known; there are text, reasoning, toolCalls, stopReason, error",
    ],
    ["a text that is a number", [{ text: 1 }], "0.text takes a text"],
    [
      "a call without a name",
      [{ toolCalls: [{ input: {} }] }],
      "0.toolCalls.0.name takes the name of a tool",
    ],
    [
      "an input that is a text",
      [{ toolCalls: [{ name: "a", input: "{}" }] }],
      "0.toolCalls.0.input takes an object",
    ],
    ["an empty id", [{ toolCalls: [{ name: "a", id: "" }] }], "0.toolCalls.0.id takes a text"],
    [
      "a reason that there is not",
      [{ stopReason: "done" }],
      "0.stopReason takes one of end_turn, tool_use, ",
    ],
    [
      "an error beside words",
      [{ text: "a", error: { name: "X" } }],
      "0.error stands alone in its step, and beside it is text",
    ],
    [
      "an error of a stream",
      [{ error: { name: "throttlingException" } }],
      "0.error.name takes an error of AWS",
    ],
  ])("refuses %s", (_, value, message) => {
    const read = (): unknown => {
      try {
        return readDialogue(value);
      } catch (fault) {
        if (!(fault instanceof DialogueFault)) throw fault;
        return `${fault.path.join(".")} ${fault.message}`;
      }
    };
    expect(read()).toContain(message);
  });

  it("refuses what is nested without end", () => {
    let input: object = {};
    for (let depth = 0; depth < 100_000; depth += 1) input = { input };
    expect(() => readDialogue([{ toolCalls: [{ name: "a", input }] }])).toThrow(
      "goes deeper than 256 levels",
    );
  });

  const run = async (text: string, ...args: string[]) => {
    const home = createHome();
    writeFileSync(path.join(home, "script.json5"), text);
    return openclaw([...args, "--emulator-script", "script.json5"], home);
  };

  it("says what the models answer, also without --emulator", async () => {
    const script = "// a model that is short\n[{ text: 'Yes.' }]";
    expect(await run(script, "chat", "--emulator", "Hi")).toMatchObject({ code: 0, stdout: "Yes.\n" });
    expect(await run(script, "chat", "Hi")).toMatchObject({ code: 0, stdout: "Yes.\n" });
  });

  it.each([
    ["[{ text: 'a' ", "script.json5 is not valid JSON5 at line 1, column 13: it ends too early"],
    ["[\n  { txt: 'a' },\n]", "script.json5 at line 2, column 5: [0].txt is not known"],
    [
      "[\n  { toolCalls: [{}] },\n]",
      "script.json5 at line 2, column 17: [0].toolCalls[0].name takes the name",
    ],
    ["", "script.json5 is not valid JSON5 at line 1, column 1"],
  ])("is told with its place where it is wrong: %j", async (script, message) => {
    for (const command of [["chat", "Hi"], ["emulator"]]) {
      const { code, stderr } = await run(script, ...command);
      expect(code).toBe(2);
      expect(stderr.replaceAll(/\s+/g, " ")).toContain(message);
      expect(stderr).toContain("openclaw help emulator");
    }
  });

  it("is read from stdin, which is named so", async () => {
    const args = ["chat", "--emulator-script", "-", "Hi"];
    expect(await openclaw(args, createHome(), { input: "[{ text: 'Yes.' }]" })).toMatchObject({
      code: 0,
      stdout: "Yes.\n",
    });
    const { code, stderr } = await openclaw(args, createHome(), { input: "[{ txt: 1 }]" });
    expect(code).toBe(2);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("stdin at line 1, column 4: [0].txt is not known");
  });

  it("is refused where it cannot be read, or where others answer", async () => {
    const home = createHome();
    const missing = await openclaw(["chat", "--emulator-script", "gone.json5", "Hi"], home);
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'gone.json5' cannot be read"),
    });
    const url = "http://127.0.0.1:9/v1";
    expect(await run("[]", "chat", "--endpoint-url", url, "Hi")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--emulator-script and --endpoint-url name two different endpoints"),
    });
    expect(await run("[]", "emulator", "--upstream", url)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Leave one of them out"),
    });
  });
});
