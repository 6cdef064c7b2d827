import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { nodeBinary } from "../../scripts/node-binary.js";
import { serve } from "../helpers/served.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

it("answers the AI SDK and the OpenAI Agents SDK by Responses, tool loops included", async () => {
  const { origin, emulator, log } = await serve({
    emulator: {
      dialogue: {
        conversations: [
          {
            when: "The weather?",
            steps: [
              {
                reasoning: "A city is missing.",
                text: "I look it up.",
                toolCalls: [{ name: "weather", input: { city: "Rome" } }],
              },
              { text: "It is $result." },
            ],
          },
          { when: "A city?", steps: [{ text: '{"city":"Oslo"}' }] },
        ],
      },
    },
  });
  const script = path.join(import.meta.dirname, "ask-responses.ts");
  const node = await nodeBinary("24");
  const { stdout } = await promisify(execFile)(node, [script, `${origin}/v1`, CLAUDE], {
    env: { AI_SDK_LOG_WARNINGS: "false" },
  });
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
    said: expect.stringContaining("Hello?"),
    hasUsage: true,
    looped: "It is sunny in Rome.",
    steps: 2,
    streamed: "I look it up.It is sunny in Rome.",
    output: { city: "Oslo" },
    // Nothing is kept that it could refer to.
    referring: expect.stringMatching(/Item 'rs_\w+' is not in this request, and this server keeps no items/),
    ran: "It is sunny in Rome.",
    items: [
      "reasoning_item",
      "message_output_item",
      "tool_call_item",
      "tool_call_output_item",
      "message_output_item",
    ],
    running: "It is sunny in Rome.",
  });
  const bodies = emulator.calls.filter(({ route }) => route === "ConverseStream").map(({ body }) => body);
  expect(JSON.stringify(bodies.at(-1))).toContain(`"text":"A city is missing.","signature":"`);
  expect(log.filter(({ status = 0 }) => status >= 400).map(({ error }) => error?.code)).toEqual([
    "invalid-request",
  ]);
}, 120_000);
