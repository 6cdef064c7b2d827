import { describe, expect, it } from "vitest";
import { eventStep } from "../../src/emulator/converse.ts";
import type { RecordedCall, StreamStep } from "../../src/emulator/emulator.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { openaiServer } from "../helpers/openai-server.ts";
import { emulate } from "../helpers/emulated.ts";
import { MODEL, serve } from "../helpers/served.ts";

/** Deeper than any program can go that calls itself once a level. */
const DEPTH = 50_000;
const DEEP = `{"a":${"[".repeat(DEPTH)}${"]".repeat(DEPTH)}}`;

/** A call of a tool whose input comes in pieces. */
function* toolSteps(input: string): Generator<StreamStep> {
  yield eventStep("messageStart", { role: "assistant" });
  const start = { toolUse: { name: "f", toolUseId: "tooluse_1" } };
  yield eventStep("contentBlockStart", { contentBlockIndex: 0, start });
  for (let place = 0; place < input.length; place += 10_000) {
    const delta = { toolUse: { input: input.slice(place, place + 10_000) } };
    yield eventStep("contentBlockDelta", { contentBlockIndex: 0, delta });
  }
  yield eventStep("contentBlockStop", { contentBlockIndex: 0 });
  yield eventStep("messageStop", { stopReason: "tool_use" });
  yield eventStep("metadata", { usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } });
}

const answering = (steps: () => Iterable<StreamStep>) => ({
  script: ({ route }: RecordedCall) => (route === "ConverseStream" ? { stream: steps() } : undefined),
});

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "x" }] };
const tools = [{ type: "function" as const, function: { name: "f" } }];

describe("an answer that is nested too deeply", () => {
  it("is handed on as a tool's arguments, which are text", async () => {
    const { client } = await serve({ emulator: answering(() => toolSteps(DEEP)) });
    const { choices } = await client.chat.completions.create({ ...ask, tools });
    const [call] = choices[0]?.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: "function", function: { arguments: DEEP } });
    // It comes back with the next question, and is refused then.
    await expect(
      client.chat.completions.create({
        ...ask,
        tools,
        messages: [...ask.messages, { role: "assistant", tool_calls: call ? [call] : [] }],
      }),
    ).rejects.toMatchObject({ status: 400, param: "messages[1].tool_calls[0].function.arguments" });
  });

  it.each([
    ["json_object", { type: "json_object" }],
    [
      "a schema",
      { type: "json_schema", json_schema: { name: "a", strict: true, schema: { type: "object" } } },
    ],
    ["a schema of no object", { type: "json_schema", json_schema: { name: "a", strict: true, schema: {} } }],
  ] as const)("is the model's fault where it is held to %s", async (_, format) => {
    const { client } = await serve({ emulator: answering(() => textAnswerSteps([DEEP])) });
    await expect(client.chat.completions.create({ ...ask, response_format: format })).rejects.toMatchObject({
      status: 502,
      code: "model_error",
    });
  });

  it("does no harm to chat and what it keeps", async () => {
    const { run } = await emulate(answering(() => toolSteps(DEEP)));
    const env = { AWS_REGION: "us-east-1" };
    for (const args of [["--json"], ["--ndjson"], []]) {
      const result = await run(["chat", "-m", MODEL, "--session", "deep", ...args, "hi"], { env });
      expect({ args, bug: result.stderr.includes("bug") || result.code === 1 }).toEqual({ args, bug: false });
    }
    expect((await run(["sessions", "export", "deep", "--json"], { env })).code).not.toBe(1);
  });

  it("of another server is an answer that is not well formed", async () => {
    const call = `{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":${DEEP}}}`;
    const server = await openaiServer({
      chat: () => ({
        headers: { "content-type": "text/event-stream" },
        pieces: [`data: {"choices":[{"index":0,"delta":{"tool_calls":[${call}]}}]}\n\n`, "data: [DONE]\n\n"],
      }),
    });
    const { run, configure } = await emulate();
    configure(
      `{ models: { providers: { local: { baseUrl: "${server.baseUrl}", api: "openai-completions", models: [{ id: "m" }] } } } }`,
    );
    const result = await run(["chat", "-m", "local/m", "hi"]);
    expect(result.code).toBe(5);
    expect(result.stderr).not.toContain("bug");
  });
});
