import { describe, expect, it } from "vitest";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";

const MODEL = "amazon.nova-lite-v1:0";
const ASK = ["chat", "-m", MODEL];

/** Ends every answer at its token limit, after so many tokens. */
async function cutting(texts: readonly string[], outputTokens = 5): Promise<Emulated> {
  const usage = { inputTokens: 1, outputTokens, totalTokens: outputTokens + 1 };
  const emulated = await emulate({
    script: ({ route }) =>
      route === "ConverseStream"
        ? { stream: [...textAnswerSteps(texts, { stopReason: "max_tokens", usage })] }
        : undefined,
  });
  emulated.configure(`{
    agents: { defaults: { models: { "us.amazon.nova-pro-v1:0": { params: { maxTokens: 9 } } } } },
    templates: { short: { prompt: "In short: $input", params: { maxTokens: 7 } } },
  }`);
  return emulated;
}

const ROWS: readonly [who: string, args: readonly string[], words: string, hint: string][] = [
  ["nobody", [], "; --max-tokens sets a higher one", "--max-tokens"],
  ["--max-tokens", ["--max-tokens", "5"], "; --max-tokens sets a higher one", "--max-tokens"],
  [
    "--max-cost",
    ["--max-cost", "0.001"],
    ", which is what --max-cost 0.001 pays for; --max-cost sets a higher one",
    "--max-cost",
  ],
  [
    "--max-tokens below --max-cost",
    ["--max-cost", "0.001", "--max-tokens", "5"],
    "; --max-tokens sets a higher one",
    "--max-tokens",
  ],
  [
    "the template",
    ["-t", "short"],
    ", which the template 'short' sets; --max-tokens sets a higher one",
    "--max-tokens",
  ],
  [
    "--max-tokens over the template",
    ["-t", "short", "--max-tokens", "5"],
    "; --max-tokens sets a higher one",
    "--max-tokens",
  ],
  [
    "the configuration",
    ["-m", "us.amazon.nova-pro-v1:0"],
    ", which the configuration sets; --max-tokens sets a higher one",
    "--max-tokens",
  ],
];

describe("an answer that was cut at its token limit", () => {
  it.each(ROWS)("names who set it: %s", async (_, args, words) => {
    const emulated = await cutting(["Hal"]);
    const { code, stdout, stderr } = await emulated.run([...ASK, ...args, "hi"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Hal\n" });
    expect(stderr).toContain(`warning: The answer stops at its token limit${words}.\n`);
  });

  it.each(ROWS)("says what allows more where nothing came of it: %s", async (_, args, _words, flag) => {
    const emulated = await cutting([]);
    const { code, stderr } = await emulated.run([...ASK, ...args, "hi"]);
    expect(code).toBe(5);
    expect(stderr).toContain(`hint: Allow more with ${flag}.\n`);
  });

  it.each([
    ["that was asked for", ["--max-tokens", "60000"], 5],
    ["that nobody asked for", [], 60_000],
  ])("names the model where it puts out no more, %s", async (_, args, outputTokens) => {
    const emulated = await cutting(["Hal"], outputTokens);
    const { stderr } = await emulated.run([...ASK, ...args, "hi"]);
    expect(stderr).toContain("stops at its token limit, the most that the model puts out.\n");
  });

  it("has no such words in the events of --ndjson", async () => {
    const { stdout } = await (await cutting(["Hal"])).run([...ASK, "--ndjson", "hi"]);
    expect(stdout).toContain('{"type":"stop","stopReason":"max_tokens"}\n');
  });
});
