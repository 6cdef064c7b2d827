import { expect, test } from "vitest";
import { eventStep } from "../../../src/emulator/converse.ts";
import { emulate } from "../../helpers/emulated.ts";

const INPUT = '{"id":12345678901234567890,"share":0.10,"none":-0}';

test("a tool, a script and a session have the numbers of a call as the model wrote them", async () => {
  const { run, configure } = await emulate({
    script: ({ route, nth }) =>
      route === "ConverseStream" && nth === 1
        ? {
            stream: [
              eventStep("messageStart", { role: "assistant" }),
              eventStep("contentBlockStart", {
                contentBlockIndex: 0,
                start: { toolUse: { toolUseId: "call_1", name: "find" } },
              }),
              eventStep("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: INPUT } } }),
              eventStep("contentBlockStop", { contentBlockIndex: 0 }),
              eventStep("messageStop", { stopReason: "tool_use" }),
              eventStep("metadata", {
                usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
                metrics: { latencyMs: 1 },
              }),
            ],
          }
        : undefined,
  });
  const input = { type: "object", properties: { id: { type: "integer" } } };
  configure(
    JSON.stringify({ tools: { find: { description: "Finds.", command: ["cat"], input, allow: "always" } } }),
  );
  const model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  const asked = await run([
    "chat",
    "--json",
    "--model",
    model,
    "--tool",
    "find",
    "--session",
    "ids",
    "Find it.",
  ]);
  const kept = await run(["sessions", "export", "ids"]);
  expect([asked.code, kept.code]).toEqual([0, 0]);
  const [answer, markdown] = [asked.stdout.replaceAll(/\n\s*/g, "").replaceAll(": ", ":"), kept.stdout];
  expect(answer).toContain(`"input":${INPUT}`);
  // What it came to is what the tool was given.
  expect(markdown.split(INPUT)).toHaveLength(2);
  expect(markdown.replaceAll(/\n\s*/g, "").replaceAll(": ", ":").split(INPUT)).toHaveLength(3);
});
