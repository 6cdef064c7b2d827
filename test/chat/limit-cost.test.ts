import { describe, expect, it, onTestFinished } from "vitest";
import { limitCost } from "../../src/chat/limit-cost.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { namedModel } from "../../src/models/resolve-model.ts";
import { readSetup, type Setup } from "../../src/session/session.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

async function setUp(): Promise<Setup> {
  const emulator = await startEmulator();
  onTestFinished(() => emulator.stop());
  const env = {
    AWS_ACCESS_KEY_ID: emulator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
    AWS_ENDPOINT_URL: emulator.url,
    AWS_REGION: "us-east-1",
  };
  const runtime = testRuntime({ home: createHome(), env });
  return readSetup({ color: false }, runtime, { file: "", exists: false, value: {} });
}

const asking = (id: string, body: object) => ({
  model: namedModel(id, {}),
  messages: [],
  parameters: {},
  invocation: { body, headers: {}, isStreamed: false },
  bounds: { firstEventMs: undefined, silenceMs: 1000, totalMs: undefined },
});

describe("what a body in its vendor's words may cost", () => {
  it.each([
    ["of a model that only reads, by its length", "amazon.titan-embed-text-v2:0", 0.000_1, 0.000_000_001],
    ["of one that answers, as if the answer were the longest", "meta.llama3-3-70b-instruct-v1:0", 1, 0.000_1],
  ])("is bounded: %s", async (_, id, enough, tooLittle) => {
    const setup = await setUp();
    const question = asking(id, { prompt: "hi", inputText: "hi" });
    expect(await limitCost(setup, question, enough)).toEqual({ ...question, asksOnce: true });
    await expect(limitCost(setup, question, tooLittle)).rejects.toMatchObject({ code: "budget-exceeded" });
  });
});
