import { ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { expect, it } from "vitest";
import { openSession, readSetup } from "../../src/session/session.ts";
import type { ChatEvent } from "../../src/converse/chat-event.ts";
import { streamChat } from "../helpers/stream-chat.ts";
import { emulatedEnvironment, startEmulator, type StreamStep } from "../../src/emulator/emulator.ts";
import { createHome } from "../helpers/openclaw.ts";
import { sdkBedrockRuntime } from "../helpers/sdk-clients.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const MODEL = "amazon.nova-lite-v1:0";
const input = {
  modelId: MODEL,
  messages: [{ role: "user" as const, content: [{ text: "hi" }] }],
  toolConfig: { tools: [{ toolSpec: { name: "clock", inputSchema: { json: { type: "object" } } } }] },
};

function delta(value: object, contentBlockIndex = 0): StreamStep {
  return { event: "contentBlockDelta", payload: { contentBlockIndex, delta: value, p: "abcdefghijkl" } };
}

const steps: StreamStep[] = [
  { event: "messageStart", payload: { role: "assistant", p: "abc" } },
  delta({ reasoningContent: { text: "Let me " } }),
  delta({ reasoningContent: { text: "think 🦞." } }),
  delta({ reasoningContent: { signature: "c2lnbmF0dXJl" } }),
  { event: "contentBlockStop", payload: { contentBlockIndex: 0 } },
  delta({ text: "Hello" }, 1),
  delta({ text: "" }, 1),
  delta({ text: ", wörld\n" }, 1),
  delta({ citation: { title: "A source", source: "x" } }, 1),
  { event: "aNewKindOfEvent", payload: { surprise: true } },
  { event: "contentBlockStop", payload: { contentBlockIndex: 1 } },
  {
    event: "contentBlockStart",
    payload: { contentBlockIndex: 2, start: { toolUse: { toolUseId: "t1", name: "clock" } } },
  },
  delta({ toolUse: { input: '{"zone":' } }, 2),
  delta({ toolUse: { input: '"UTC"}' } }, 2),
  { event: "contentBlockStop", payload: { contentBlockIndex: 2 } },
  { event: "messageStop", payload: { stopReason: "end_turn" } },
  {
    event: "metadata",
    payload: {
      usage: {
        inputTokens: 3,
        outputTokens: 5,
        totalTokens: 8,
        cacheReadInputTokens: 1,
        serverToolUsage: {},
      },
      metrics: { latencyMs: 9 },
    },
  },
];

it("reads the same text, reasoning, stop reason and usage from a stream as the SDK's own client", async () => {
  const emulator = await startEmulator({
    script: ({ route }) => (route === "ConverseStream" ? { stream: steps } : undefined),
  });
  const env = Object.fromEntries(
    Object.entries(emulatedEnvironment({}, emulator)).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const runtime = testRuntime({ home: createHome(), env });
  runtime.terminal.setMode({ format: "ndjson" });
  const config = { file: "", exists: false, value: {} };
  const setup = await readSetup({ color: false }, runtime, config);
  const session = await openSession(setup, { kind: "model", id: MODEL, providerId: "amazon-bedrock" });
  try {
    const ours: ChatEvent[] = [];
    const bounds = { firstEventMs: 5000, silenceMs: 5000, totalMs: undefined };
    for await (const event of streamChat(session, input, bounds)) ours.push(event);

    const client = await sdkBedrockRuntime(session);
    const { stream } = await client.send(new ConverseStreamCommand(input));
    const theirs: object[] = [];
    for await (const part of stream ?? []) {
      const { text, reasoningContent, toolUse, citation } = part.contentBlockDelta?.delta ?? {};
      const call = part.contentBlockStart?.start?.toolUse;
      if (call) theirs.push({ type: "tool-start", index: 2, id: call.toolUseId, name: call.name });
      if (toolUse) theirs.push({ type: "tool-input", index: 2, text: toolUse.input });
      if (citation)
        theirs.push({
          type: "citation",
          title: citation.title,
          url: citation.location?.web?.url ?? citation.source,
        });
      if (text) theirs.push({ type: "text", text });
      if (reasoningContent?.text) theirs.push({ type: "reasoning", text: reasoningContent.text });
      if (part.messageStop) theirs.push({ type: "stop", stopReason: part.messageStop.stopReason });
      if (part.metadata?.usage) {
        const { inputTokens, outputTokens, totalTokens, cacheReadInputTokens } = part.metadata.usage;
        theirs.push({ type: "usage", inputTokens, outputTokens, totalTokens, cacheReadInputTokens });
      }
    }
    const [started, ...rest] = ours;
    expect(started).toMatchObject({
      type: "start",
      model: MODEL,
      attempts: 1,
      requestId: emulator.calls[0]?.requestId,
    });
    expect(rest).toMatchObject(theirs);
    expect(rest).toHaveLength(theirs.length);
  } finally {
    session.close();
    await emulator.stop();
  }
});
