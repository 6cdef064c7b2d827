import { describe, expect, it, onTestFinished, vi } from "vitest";
import { run } from "../../src/commands/chat.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import type { StreamStep } from "../../src/emulator/script.ts";
import { textStep } from "../helpers/answer-steps.ts";
import { blackHole } from "../helpers/black-hole.ts";
import { emulate } from "../helpers/emulated.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime, useEnvironment } from "../helpers/test-runtime.ts";

const MINUTE = 60_000;
const start: StreamStep = { event: "messageStart", payload: { role: "assistant" } };

/** Real time for the sockets and files of this process, whatever its clock says. */
async function turns(): Promise<void> {
  const started = performance.now();
  for (let turn = 0; turn < 300 || performance.now() - started < 250; turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
}

/** `chat` in this process, on a clock that is moved by hand. The model says what it is told to, then keeps silent. */
async function chat(stream: readonly StreamStep[], model: string, reasoning?: "high") {
  const emulator = await startEmulator({
    script: ({ route }) =>
      route === "ConverseStream" ? { stream: [...stream, { end: "stall" }] } : undefined,
  });
  onTestFinished(() => emulator.stop());
  const home = createHome();
  const env = {
    HOME: home,
    AWS_ACCESS_KEY_ID: emulator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
    AWS_ENDPOINT_URL: emulator.url,
    AWS_REGION: "us-east-1",
  };
  useEnvironment(env);
  const runtime = { ...testRuntime({ home, env }), elapsed: () => Date.now() };
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const options = { prompt: ["hi"], model, color: false, stream: true, save: false, raw: true, run: true };
  let outcome: unknown = "still waiting";
  const ended = run(reasoning ? { ...options, reasoning } : options, runtime).catch((error: unknown) => {
    outcome = error;
  });
  while (emulator.calls.length === 0) await turns();
  return {
    ended,
    /** What became of it when so much time has passed. */
    after: async (ms: number): Promise<unknown> => {
      await turns();
      vi.advanceTimersByTime(ms);
      await turns();
      return outcome;
    },
  };
}

const HAIKU = "anthropic.claude-3-haiku-20240307-v1:0";
const OPUS = "us.anthropic.claude-opus-4-6-v1";

describe("chat waits", () => {
  it.each([
    ["two minutes for the first content", [start], HAIKU, undefined, 2],
    ["fifteen minutes for it when the model is asked to reason", [start], OPUS, "high", 15],
    ["five minutes between two events", [start, textStep("Half")], HAIKU, undefined, 5],
  ] as const)("%s", async (_, stream, model, reasoning, minutes) => {
    const { after, ended } = await chat(stream, model, reasoning);
    expect(await after(minutes * MINUTE - 1000)).toBe("still waiting");
    expect(await after(1500)).toMatchObject({
      code: "timeout",
      message: expect.stringContaining(`for ${minutes * 60} s`),
    });
    await ended;
  });

  it("for as long as it takes while something arrives", async () => {
    async function* slowly(): AsyncGenerator<StreamStep> {
      yield start;
      for (let piece = 0; piece < 8; piece += 1) {
        yield { wait: 250 };
        yield textStep("x");
      }
      yield { event: "messageStop", payload: { stopReason: "end_turn" } };
    }
    const user = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? { stream: slowly() } : undefined),
    });
    const result = await user.run(["chat", "-m", HAIKU, "--first-token-timeout", "1.5", "hi"]);
    expect(result).toMatchObject({ code: 0, stdout: "xxxxxxxx\n" });
  });

  it("for hours when it is told to, beyond what a timer holds", async () => {
    const user = await emulate();
    const patience = ["--timeout", "99999999", "--first-token-timeout", "99999999"];
    const result = await user.run(["chat", "-m", HAIKU, ...patience, "hi"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  it("three seconds for a connection", async () => {
    const user = await emulate();
    const env = { AWS_ENDPOINT_URL: await blackHole(), AWS_MAX_ATTEMPTS: "1" };
    const started = performance.now();
    const result = await user.run(["chat", "-m", HAIKU, "--json", "hi"], { env });
    const { error } = JSON.parse(result.stdout);
    expect(error).toMatchObject({
      code: "timeout",
      message: `${env.AWS_ENDPOINT_URL} did not complete a connection within 3 s (env AWS_ENDPOINT_URL).`,
    });
    expect(result.code).toBe(5);
    expect(performance.now() - started).toBeGreaterThan(2900);
  });
});
