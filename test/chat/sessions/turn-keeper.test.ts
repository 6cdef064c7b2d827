import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ContentBlock, ConverseStreamOutput, Message } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { openConversation } from "../../../src/chat/sessions/open-conversation.ts";
import { readSession } from "../../../src/chat/sessions/session-files.ts";
import { type TurnContext, TurnKeeper } from "../../../src/chat/sessions/turn-keeper.ts";
import { OpenclawError } from "../../../src/errors.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { type TestRuntime, testRuntime } from "../../helpers/test-runtime.ts";

const user = (...content: ContentBlock[]): Message => ({ role: "user", content });
const assistant = (...content: ContentBlock[]): Message => ({ role: "assistant", content });
const question = user({ text: "What time is it?" });
const call = { toolUse: { toolUseId: "t1", name: "clock", input: { zone: "UTC" } } };
const results = user({ toolResult: { toolUseId: "t1", content: [{ text: "12:00" }], status: "success" } });
const calling: ConverseStreamOutput[] = [
  { messageStart: { role: "assistant" } },
  { contentBlockStart: { contentBlockIndex: 0, start: { toolUse: { toolUseId: "t1", name: "clock" } } } },
  { contentBlockDelta: { contentBlockIndex: 0, delta: { toolUse: { input: '{"zone":"UTC"}' } } } },
  { contentBlockStop: { contentBlockIndex: 0 } },
  { messageStop: { stopReason: "tool_use" } },
];
const saying = (text: string): ConverseStreamOutput[] => [
  { messageStart: { role: "assistant" } },
  { contentBlockDelta: { contentBlockIndex: 0, delta: { text } } },
  { messageStop: { stopReason: "end_turn" } },
];

async function keeping(runtime: TestRuntime, more: Partial<TurnContext> = {}) {
  const conversation = await openConversation({ session: "s", save: true }, runtime, false);
  const onUnkept = async (error: OpenclawError): Promise<void> => {
    throw error;
  };
  const context = { key: "m", system: undefined, runtime, onUnkept, ...more };
  const keeper = new TurnKeeper(conversation, context);
  const round = async (messages: Message[], parts: ConverseStreamOutput[], tokens?: number) => {
    await keeper.recorder.begin({ input: { modelId: "m", messages } });
    for (const part of parts) {
      keeper.recorder.take(part);
      const stopReason = part.messageStop?.stopReason;
      if (stopReason) await keeper.take({ type: "stop", stopReason });
    }
    const counts = { inputTokens: tokens ?? 0, outputTokens: 1, totalTokens: (tokens ?? 0) + 1 };
    if (tokens !== undefined) await keeper.take({ type: "usage", ...counts });
  };
  const file = path.join(runtime.homeFolder, ".openclaw", "sessions", "s.jsonl");
  return { conversation, keeper, round, file };
}

const kept = async (runtime: TestRuntime) => (await readSession(runtime, "s"))?.turns;

describe("a turn with tools that is kept", () => {
  it("is on the disk round by round, so that a kill takes nothing that was done", async () => {
    const runtime = testRuntime({ home: createHome() });
    const { conversation, keeper, round, file } = await keeping(runtime);
    await round([question], calling, 3);
    await keeper.jot();
    expect(await kept(runtime)).toMatchObject([
      { stopReason: "tool_use", messages: [question, assistant(call)] },
    ]);
    await keeper.goOn(results);
    expect(await kept(runtime)).toMatchObject([
      { stopReason: "interrupted", messages: [question, assistant(call), results, assistant()] },
    ]);
    await round([question, assistant(call), results], saying("Noon."), 5);
    await keeper.end({});
    const whole = [question, assistant(call), results, assistant({ text: "Noon." })];
    const usage = { inputTokens: 8, outputTokens: 2, totalTokens: 10, askings: 2 };
    expect(await kept(runtime)).toMatchObject([{ stopReason: "end_turn", messages: whole, usage }]);
    expect(conversation.turns).toMatchObject([{ messages: whole }]);
    // The header, the question, and what came of it: rounds are not written over and over.
    expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(3);
    await conversation.close();
  });

  it("that is stopped before anything else came is what its tools came to", async () => {
    const runtime = testRuntime({ home: createHome() });
    const { conversation, keeper, round } = await keeping(runtime);
    await round([question], calling);
    await keeper.goOn(results);
    await keeper.end({ failure: new OpenclawError("interrupted", { message: "Stopped." }) });
    const [turn] = (await kept(runtime)) ?? [];
    expect(turn).toMatchObject({ messages: [question, assistant(call), results, assistant()] });
    expect(turn).not.toHaveProperty("failure");
    await conversation.close();
  });

  it("that is withheld in the end keeps its rounds, and why", async () => {
    const runtime = testRuntime({ home: createHome() });
    const { conversation, keeper, round } = await keeping(runtime);
    await round([question], calling);
    await keeper.goOn(results);
    await round([question, assistant(call), results], saying("Bad."));
    await keeper.take({ type: "stop", stopReason: "guardrail_intervened" });
    await keeper.end({});
    expect(await kept(runtime)).toMatchObject([
      { messages: [question, assistant(call), results, assistant()], failure: { code: "blocked" } },
    ]);
    await conversation.close();
  });

  it("goes on from the calls that it ended with", async () => {
    const runtime = testRuntime({ home: createHome() });
    const first = await keeping(runtime);
    await first.round([question], calling, 3);
    await first.keeper.end({});
    await first.conversation.close();
    const [goesOn] = (await kept(runtime)) ?? [];
    const { conversation, keeper, round } = await keeping(runtime, { goesOn });
    await round([question, assistant(call), results], [], undefined);
    // Before anything is answered, the results are safe.
    expect(await kept(runtime)).toMatchObject([
      { messages: [question, assistant(call), results, assistant()] },
    ]);
    await round([question, assistant(call), results], saying("Noon."), 5);
    await keeper.end({});
    const turns = await kept(runtime);
    expect(turns).toHaveLength(1);
    expect(turns).toMatchObject([
      {
        messages: [question, assistant(call), results, assistant({ text: "Noon." })],
        usage: { totalTokens: 10 },
      },
    ]);
    await conversation.close();
  });

  it("has the rounds of a session that was damaged behind them", async () => {
    const runtime = testRuntime({ home: createHome() });
    const { conversation, keeper, round, file } = await keeping(runtime);
    await round([question], calling);
    await keeper.goOn(results);
    await conversation.close();
    appendFileSync(file, '{"type":"answer","mess');
    expect(await kept(runtime)).toMatchObject([
      { messages: [question, assistant(call), results, assistant()] },
    ]);
    expect(readdirSync(path.dirname(file))).toEqual(["s.jsonl"]);
  });
});
