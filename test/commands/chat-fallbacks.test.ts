import { describe, expect, it } from "vitest";
import type { ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { emulate } from "../helpers/emulated.ts";

const FIRST = "amazon.nova-pro-v1:0";
const SECOND = "amazon.nova-lite-v1:0";
const THIRD = "amazon.nova-micro-v1:0";
const once = { AWS_MAX_ATTEMPTS: "1" };

/** An emulator in which one model fails. */
function without(model: string, answer: ScriptedAnswer) {
  return emulate({ script: ({ parameters }) => (parameters["modelId"] === model ? answer : undefined) });
}

function refusal(name: string, message: string, status: number): ScriptedAnswer {
  return { error: { name, message, status } };
}

const throttled = refusal("ThrottlingException", "Too many requests, please wait before trying again.", 429);

describe("the next model answers when the one before is", () => {
  it.each<[string, ScriptedAnswer]>([
    ["throttled", throttled],
    ["unavailable", refusal("ServiceUnavailableException", "Try again.", 503)],
    [
      "not accessible",
      refusal(
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
        403,
      ),
    ],
    [
      "throttled inside the stream before a token",
      {
        stream: [
          { event: "messageStart", payload: { role: "assistant" } },
          { exception: "throttlingException", payload: { message: "Too many tokens" } },
        ] satisfies StreamStep[],
      },
    ],
  ])("%s, and a notice says which", async (_, answer) => {
    const emulated = await without(FIRST, answer);
    const result = await emulated.run(["chat", "-m", `${FIRST},${SECOND}`, "--json", "hi"], { env: once });
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout).model).toBe(SECOND);
    expect(result.stderr).toContain(`Asking ${SECOND} instead.`);
  });
});

it("tries the fallbacks of the config in order", async () => {
  const emulated = await emulate({
    script: ({ parameters }) => (parameters["modelId"] === THIRD ? undefined : throttled),
  });
  emulated.configure(
    JSON.stringify({ agents: { defaults: { model: { primary: FIRST, fallbacks: [SECOND, THIRD] } } } }),
  );
  const result = await emulated.run(["chat", "hi"], { env: once });
  expect(result.code).toBe(0);
  expect(emulated.emulator.calls.map(({ parameters }) => parameters["modelId"])).toEqual([
    FIRST,
    SECOND,
    THIRD,
  ]);
});

it("does not use the config's fallbacks for a model that was named", async () => {
  const emulated = await without(FIRST, throttled);
  emulated.configure(
    JSON.stringify({ agents: { defaults: { model: { primary: THIRD, fallbacks: [SECOND] } } } }),
  );
  const result = await emulated.run(["chat", "-m", FIRST, "hi"], { env: once });
  expect(result.code).toBe(5);
  expect(emulated.emulator.calls).toHaveLength(1);
});

it("reports the last model's failure when none answers", async () => {
  const emulated = await emulate({ script: () => throttled });
  const result = await emulated.run(["chat", "-m", `${FIRST},${SECOND}`, "--json", "hi"], { env: once });
  expect(result.code).toBe(5);
  expect(JSON.parse(result.stdout).error.message).toContain(SECOND);
});

it("does not fall back once a token was printed", async () => {
  const emulated = await without(FIRST, {
    stream: [
      { event: "messageStart", payload: { role: "assistant" } },
      { event: "contentBlockDelta", payload: { contentBlockIndex: 0, delta: { text: "Half" } } },
      { exception: "throttlingException", payload: { message: "Too many tokens" } },
    ],
  });
  const result = await emulated.run(["chat", "-m", `${FIRST},${SECOND}`, "hi"], { env: once });
  expect(result).toMatchObject({ code: 5, stdout: "Half\n" });
  expect(emulated.emulator.calls).toHaveLength(1);
});

it("does not fall back for a fault of the request itself", async () => {
  const emulated = await without(
    FIRST,
    refusal("ValidationException", "Input is too long for requested model.", 400),
  );
  const result = await emulated.run(["chat", "-m", `${FIRST},${SECOND}`, "hi"]);
  expect(result.code).toBe(6);
  expect(emulated.emulator.calls).toHaveLength(1);
});

it("prints one start event, that of the model that answers", async () => {
  const emulated = await without(FIRST, {
    stream: [
      { event: "messageStart", payload: { role: "assistant" } },
      { exception: "throttlingException", payload: { message: "Too many tokens" } },
    ],
  });
  const { stdout } = await emulated.run(["chat", "-m", `${FIRST},${SECOND}`, "--ndjson", "hi"], {
    env: once,
  });
  const starts = stdout.split("\n").filter((line) => line.includes('"type":"start"'));
  expect(starts).toHaveLength(1);
  expect(starts[0]).toContain(SECOND);
});

it.each([`${FIRST},`, ",", `${FIRST},,${SECOND}`])("refuses --model '%s'", async (model) => {
  expect((await (await emulate()).run(["chat", "-m", model, "hi"])).code).toBe(2);
});
