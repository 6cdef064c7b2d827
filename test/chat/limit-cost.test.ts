import { describe, expect, it, onTestFinished } from "vitest";
import { limitCost, mostUsdOf } from "../../src/chat/limit-cost.ts";
import { priceOf } from "../../src/models/price.ts";
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

it("reckons with what the settings say that an answer has at most", async () => {
  const setup = await setUp();
  const id = "meta.llama3-3-70b-instruct-v1:0";
  const question = asking(id, { prompt: "hi" });
  const known = namedModel(id, {});
  const model = { ...known, configured: { id, maxTokens: 10 } };
  await expect(limitCost(setup, { ...question, model }, 0.000_1)).resolves.toMatchObject({ asksOnce: true });
});

describe("a price that is not known", () => {
  const ID = "amazon.nova-lite-v1:0";
  const messages = [{ role: "user" as const, content: [{ text: "hi" }] }];

  it.each([
    ["", undefined, {}],
    [" (priority tier)", priceOf(namedModel(ID, {}), ID), { serviceTier: "priority" as const }],
    [" (optimized latency)", priceOf(namedModel(ID, {}), ID), { latency: "optimized" as const }],
  ])("is told with what it is of:%s", (why, price, parameters) => {
    const terms = { modelId: ID, price, mostUsd: 1, window: undefined, maxTokens: 10, parameters };
    expect(() => mostUsdOf({ messages }, terms)).toThrow(
      expect.objectContaining({
        code: "invalid-request",
        message: `--max-cost cannot be kept: what '${ID}' costs is not known${why}.`,
      }),
    );
  });
});
