import type {
  ContentBlock,
  ContentBlockDelta,
  ConverseStreamOutput,
  Message,
  StopReason,
} from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { LONGEST_CALL } from "../../src/json-bounds.ts";
import { MessageAssembler, TurnRecorder } from "../../src/converse/message-assembler.ts";

const begin = { messageStart: { role: "assistant" as const } };
const stop = { messageStop: { stopReason: "end_turn" as const } };
const at = (contentBlockIndex: number, delta: ContentBlockDelta): ConverseStreamOutput => ({
  contentBlockDelta: { contentBlockIndex, delta },
});
const blockStop = (contentBlockIndex: number): ConverseStreamOutput => ({
  contentBlockStop: { contentBlockIndex },
});
const toolStart = (contentBlockIndex: number, type?: string): ConverseStreamOutput =>
  ({
    contentBlockStart: { contentBlockIndex, start: { toolUse: { toolUseId: "t1", name: "answer", type } } },
  }) as ConverseStreamOutput;

function assemble(...parts: ConverseStreamOutput[]) {
  const assembler = new MessageAssembler();
  for (const part of parts) assembler.take(part);
  return assembler.message().content;
}

describe("an answer put together from its stream", () => {
  it("is its text, to the letter", () => {
    expect(assemble(begin, at(0, { text: "\n a" }), at(0, { text: "b \n" }), blockStop(0), stop)).toEqual([
      { text: "\n ab \n" },
    ]);
  });

  it("has reasoning with its signature, in whatever pieces they come", () => {
    const parts = [
      begin,
      at(0, { reasoningContent: { text: "One " } }),
      at(0, { reasoningContent: { text: "two." } }),
      at(0, { reasoningContent: { signature: "AbC" } }),
      at(0, { reasoningContent: { signature: "dE==" } }),
      blockStop(0),
      at(1, { text: "Three." }),
      stop,
    ];
    expect(assemble(...parts)).toEqual([
      { reasoningContent: { reasoningText: { text: "One two.", signature: "AbCdE==" } } },
      { text: "Three." },
    ]);
  });

  it("has redacted reasoning, byte for byte", () => {
    const bytes = new Uint8Array([0, 255, 128, 7]);
    const redacted = at(0, { reasoningContent: { redactedContent: bytes } });
    const [block] = assemble(begin, redacted, blockStop(0), at(1, { text: "x" }), stop) ?? [];
    expect([...(block?.reasoningContent?.redactedContent ?? [])]).toEqual([...bytes]);
  });

  it("has its blocks in their order, however they are mixed", () => {
    const parts = [
      begin,
      at(1, { text: "b" }),
      at(0, { text: "a" }),
      at(2, { text: "c" }),
      at(0, { text: "A" }),
      stop,
    ];
    expect(assemble(...parts)).toEqual([{ text: "aA" }, { text: "b" }, { text: "c" }]);
  });

  it("has a tool's input as a value, and only the type that may be sent back", () => {
    const input = [
      at(0, { toolUse: { input: '{"a":' } }),
      at(0, { toolUse: { input: "1}" } }),
      blockStop(0),
      stop,
    ];
    const tool = { toolUseId: "t1", name: "answer", input: { a: 1 } };
    expect(assemble(begin, toolStart(0, "tool_use"), ...input)).toEqual([{ toolUse: tool }]);
    expect(assemble(begin, toolStart(0, "server_tool_use"), ...input)).toEqual([
      { toolUse: { ...tool, type: "server_tool_use" } },
    ]);
    expect(assemble(begin, toolStart(0), blockStop(0), stop)).toEqual([{ toolUse: { ...tool, input: {} } }]);
  });

  it("has citations beside the text they are for", () => {
    const citation = { title: "Report", sourceContent: [{ text: "as it says" }] };
    expect(assemble(begin, at(0, { text: "So." }), at(0, { citation }), blockStop(0), stop)).toEqual([
      { citationsContent: { content: [{ text: "So." }], citations: [citation] } },
    ]);
  });

  it("that was cut off keeps its text, and nothing that half of is worth nothing", () => {
    expect(assemble(begin, at(0, { text: "Hal" }))).toEqual([{ text: "Hal" }]);
    expect(
      assemble(
        begin,
        at(0, { reasoningContent: { text: "Hm" } }),
        at(0, { reasoningContent: { signature: "Ab" } }),
      ),
    ).toEqual([{ reasoningContent: { reasoningText: { text: "Hm" } } }]);
    const piece = at(0, { toolUse: { input: '{"a":' } });
    expect(assemble(begin, toolStart(0), piece)).toEqual([]);
    expect(assemble(begin, toolStart(0), piece, blockStop(0))).toEqual([]);
    expect(assemble(begin, toolStart(0), at(0, { toolUse: { input: "{}" } }))).toEqual([]);
  });

  it("keeps what a whole call has for its input, to be told that it is no JSON, unless the answer was cut off", () => {
    const call = [begin, toolStart(0), at(0, { toolUse: { input: '{"a":' } }), blockStop(0)];
    const ended = (stopReason: StopReason): ConverseStreamOutput => ({ messageStop: { stopReason } });
    expect(assemble(...call, ended("tool_use"))).toEqual([
      { toolUse: { toolUseId: "t1", name: "answer", input: '{"a":' } },
    ]);
    for (const reason of ["max_tokens", "model_context_window_exceeded"] as const)
      expect(assemble(...call, ended(reason))).toEqual([]);
  });

  it("keeps the text of an input that is too long to be parsed in one go", () => {
    const input = JSON.stringify({ a: "b".repeat(LONGEST_CALL) });
    expect(assemble(begin, toolStart(0), at(0, { toolUse: { input } }), blockStop(0), stop)).toEqual([
      { toolUse: { toolUseId: "t1", name: "answer", input } },
    ]);
  });

  it("begins anew with a new message", () => {
    expect(assemble(begin, at(0, { text: "old" }), begin, at(0, { text: "new" }), stop)).toEqual([
      { text: "new" },
    ]);
  });
});

describe("a turn in several rounds", () => {
  const user = (...content: ContentBlock[]): Message => ({ role: "user", content });
  const assistant = (...content: ContentBlock[]): Message => ({ role: "assistant", content });
  const question = user({ text: "What time is it?" });
  const thought = { reasoningContent: { reasoningText: { text: "Look.", signature: "S" } } };
  const called = { toolUse: { toolUseId: "t1", name: "answer", input: {} } };
  const results = user({ toolResult: { toolUseId: "t1", content: [{ text: "12:00" }] } });
  const think: ConverseStreamOutput[] = [
    at(0, { reasoningContent: { text: "Look." } }),
    at(0, { reasoningContent: { signature: "S" } }),
    blockStop(0),
  ];
  const sends = (...messages: Message[]) => ({ input: { modelId: "m", messages } });
  const take = (recorder: TurnRecorder, ...parts: ConverseStreamOutput[]): void => {
    for (const part of parts) recorder.take(part);
  };

  it("has all of them, with their reasoning, and the answer that is still coming", async () => {
    const recorder = new TurnRecorder();
    await recorder.begin(sends(question));
    take(recorder, begin, ...think, toolStart(1), blockStop(1), stop);
    expect(recorder.turn()?.messages).toEqual([question, assistant(thought, called)]);
    recorder.goOn(results);
    expect(recorder.turn()?.messages).toEqual([question, assistant(thought, called), results, assistant()]);
    await recorder.begin(sends(question, assistant(thought, called), results));
    take(recorder, begin, at(0, { text: "No" }));
    // Asked again, by another way or of another model: what this round brought is forgotten, and no other.
    await recorder.begin(sends(question, assistant(thought, called), results));
    take(recorder, begin, at(0, { text: "Noon." }), stop);
    expect(recorder.turn()?.messages).toEqual([
      question,
      assistant(thought, called),
      results,
      assistant({ text: "Noon." }),
    ]);
  });

  it("keeps the calls without reasoning that holds no longer", async () => {
    const recorder = new TurnRecorder();
    await recorder.begin(sends(question));
    take(recorder, begin, ...think, toolStart(1), blockStop(1), stop);
    recorder.goOn(results);
    recorder.dropReasoning();
    expect(recorder.turn()?.messages).toEqual([question, assistant(called), results, assistant()]);
  });

  it("has the tools under the names that they were given with", async () => {
    const recorder = new TurnRecorder();
    await recorder.begin({ ...sends(question), toolNames: new Map([["answer", "my.answer"]]) });
    take(recorder, begin, toolStart(0), blockStop(0), stop);
    const name = "my.answer";
    expect(recorder.turn()?.messages[1]).toEqual(assistant({ toolUse: { ...called.toolUse, name } }));
  });

  it("goes on with messages that were kept", async () => {
    const recorder = new TurnRecorder(undefined, [question, assistant(called)]);
    await recorder.begin(sends(question, assistant(called), results));
    take(recorder, begin, at(0, { text: "Noon." }), stop);
    expect(recorder.turn()?.messages).toEqual([
      question,
      assistant(called),
      results,
      assistant({ text: "Noon." }),
    ]);
  });
});
