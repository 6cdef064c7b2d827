import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "../../src/emulator/script.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { MODEL, serve } from "../helpers/served.ts";

interface Answered {
  text?: string;
  stopReason?: string;
  usage?: Record<string, number>;
  error?: { code: string; partialText?: string };
}

/** The same question by both ways: straight to Bedrock, and to this program's own server in front of it. */
async function ask(answer: ScriptedAnswer | undefined, args: readonly string[]) {
  const served = await serve({
    emulator: { script: ({ route }) => (route === "ConverseStream" ? answer : undefined) },
  });
  served.configure(
    JSON.stringify({
      models: {
        providers: {
          loop: { baseUrl: `${served.origin}/v1`, api: "openai-completions", models: [{ id: MODEL }] },
        },
      },
    }),
  );
  const question = async (model: string) => {
    const { code, stdout } = await served.run(["chat", "-m", model, "--json", ...args], {
      env: { AWS_MAX_ATTEMPTS: "1" },
    });
    return { code, document: JSON.parse(stdout) as Answered };
  };
  const straight = await question(MODEL);
  const around = await question(`loop/${MODEL}`);
  const bodies = served.emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ body }) => body);
  return { straight, around, bodies };
}

describe("a chat by way of openclaw serve is the chat with Bedrock itself:", () => {
  it.each<[what: string, answer: ScriptedAnswer | undefined, args: string[]]>([
    ["the emulator's own answer", undefined, ["hi"]],
    ["system prompt and parameters", undefined, ["-s", "Be brief.", "--max-tokens", "50", "hi"]],
    [
      "text of every kind",
      { stream: [...textAnswerSteps(["naïve ", "日本語 ", "🦞", "\n\n", "  end "])] },
      ["--temperature", "0.5", "--stop", "END", "hi"],
    ],
    [
      "an answer that stops at its limit",
      { stream: [...textAnswerSteps(["a"], { stopReason: "max_tokens" })] },
      ["hi"],
    ],
    [
      "cached tokens",
      {
        stream: [
          ...[...textAnswerSteps(["cached"])].slice(0, -1),
          {
            event: "metadata",
            payload: {
              usage: { inputTokens: 3, outputTokens: 5, totalTokens: 18, cacheReadInputTokens: 10 },
            },
          },
        ],
      },
      ["hi"],
    ],
  ])("%s", async (_, answer, args) => {
    const { straight, around, bodies } = await ask(answer, args);
    expect(straight.code).toBe(0);
    expect(around.code).toBe(0);
    const { text, stopReason, usage } = straight.document;
    expect(around.document).toMatchObject({ text, stopReason });
    // How long the prompt cache keeps tokens, and how many it took, has no place in OpenAI's counts.
    const { inputTokens, outputTokens, cacheReadInputTokens } = usage ?? {};
    expect(around.document.usage).toMatchObject({
      inputTokens,
      outputTokens,
      ...(cacheReadInputTokens === undefined ? {} : { cacheReadInputTokens }),
    });
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toEqual(bodies[0]);
  });

  it.each<[what: string, answer: ScriptedAnswer]>([
    ["throttled", { error: { name: "ThrottlingException", message: "Too many requests." } }],
    [
      "input-too-long",
      { error: { name: "ValidationException", message: "Input is too long for requested model." } },
    ],
    ["invalid-request", { error: { name: "ValidationException", message: "Something new." } }],
    ["service-unavailable", { error: { name: "ServiceUnavailableException", message: "Down." } }],
    ["stream-broken", { stream: [...[...textAnswerSteps(["Half "])].slice(0, 2), { end: "reset" }] }],
    ["blocked", { stream: [...textAnswerSteps(["No."], { stopReason: "guardrail_intervened" })] }],
  ])("the failure %s has the same exit code", async (code, answer) => {
    const { straight, around } = await ask(answer, ["hi"]);
    expect(straight.document.error?.code).toBe(code);
    expect(around.code).toBe(straight.code);
    expect(around.document.error?.partialText).toBe(straight.document.error?.partialText);
  });
});
