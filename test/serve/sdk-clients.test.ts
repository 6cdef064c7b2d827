import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { nodeBinary } from "../../scripts/node-binary.js";
import { serve } from "../helpers/served.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

it("answers the AI SDK by three of its providers, and LangChain, tool loops and vectors included", async () => {
  const { origin, log } = await serve({
    emulator: {
      dialogue: {
        conversations: [
          {
            when: "The weather?",
            steps: [
              { text: "I look it up. ", toolCalls: [{ name: "weather", input: { city: "Rome" } }] },
              { text: "It is $result." },
            ],
          },
          { when: "A city?", steps: [{ text: '{"city":"Oslo"}' }] },
        ],
      },
    },
  });
  const script = path.join(import.meta.dirname, "ask-by-sdks.ts");
  const node = await nodeBinary("24");
  const { stdout } = await promisify(execFile)(
    node,
    [script, origin, CLAUDE, "amazon.titan-embed-text-v2:0"],
    {
      env: { AI_SDK_LOG_WARNINGS: "false" },
    },
  );
  const same = {
    said: expect.stringContaining("Hello?"),
    hasUsage: true,
    looped: "It is sunny in Rome.",
    steps: 2,
    streamed: expect.stringMatching(/^I look it up\. ?It is sunny in Rome\.$/),
    output: { city: "Oslo" },
  };
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
    compatible: same,
    anthropic: same,
    bedrock: same,
    langchain: { calls: [{ name: "weather", args: { city: "Rome" } }], said: true, vectors: [1024, 1024] },
    vectors: [1024, 1024],
  });
  expect(log.filter(({ status = 0 }) => status >= 400).map(({ error }) => error)).toEqual([]);
}, 120_000);
