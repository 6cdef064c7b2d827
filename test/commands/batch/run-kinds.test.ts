import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Emulated, emulate } from "../../helpers/emulated.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA = "amazon.nova-lite-v1:0";
const typed = [{ role: "user", content: [{ type: "text", text: "hi" }] }];
const said = [{ role: "user", content: [{ text: "hi" }] }];
const isText = expect.stringContaining("simulated answer") as string;

/** Lines of each kind, the model that they are asked of, and their answers. */
const KINDS: readonly [name: string, model: string | undefined, line: object, answer: object][] = [
  [
    "a prompt",
    NOVA,
    { id: "a", prompt: "hi" },
    { recordId: "a", text: isText, stopReason: "end_turn", model: NOVA },
  ],
  [
    "a prompt that names its model",
    undefined,
    { prompt: "hi", model: NOVA },
    { recordId: "1", text: isText },
  ],
  [
    "Bedrock's record for Converse",
    NOVA,
    { recordId: "a", modelInput: { messages: said } },
    {
      recordId: "a",
      modelOutput: {
        output: { message: { role: "assistant", content: [{ text: isText }] } },
        stopReason: "end_turn",
      },
    },
  ],
  [
    "Bedrock's record in Claude's words",
    CLAUDE,
    {
      recordId: "a",
      modelInput: { anthropic_version: "bedrock-2023-05-31", max_tokens: 99, messages: typed },
    },
    { recordId: "a", modelOutput: { type: "message", content: [{ type: "text", text: isText }] } },
  ],
  [
    "Bedrock's record in Claude's words, for another model",
    NOVA,
    {
      recordId: "a",
      modelInput: { anthropic_version: "bedrock-2023-05-31", max_tokens: 99, messages: typed },
    },
    { recordId: "a", modelOutput: { type: "message", content: [{ type: "text", text: isText }] } },
  ],
  [
    "Bedrock's record in Nova's words",
    NOVA,
    { recordId: "a", modelInput: { schemaVersion: "messages-v1", messages: said } },
    { recordId: "a", modelOutput: { output: { message: { content: [{ text: isText }] } } } },
  ],
  [
    "a chat completion",
    undefined,
    {
      custom_id: "a",
      method: "POST",
      url: "/v1/chat/completions",
      body: { model: NOVA, messages: typed, stream: true },
    },
    {
      custom_id: "a",
      response: {
        status_code: 200,
        body: { object: "chat.completion", choices: [{ message: { content: isText } }] },
      },
      error: null,
    },
  ],
  [
    "a response",
    undefined,
    { custom_id: "a", method: "POST", url: "/v1/responses", body: { model: NOVA, input: "hi" } },
    {
      custom_id: "a",
      response: { status_code: 200, body: { object: "response", status: "completed" } },
      error: null,
    },
  ],
  [
    "Anthropic's request",
    undefined,
    { custom_id: "a", params: { model: CLAUDE, max_tokens: 99, messages: typed } },
    { custom_id: "a", result: { type: "succeeded", message: { content: [{ type: "text", text: isText }] } } },
  ],
];

async function runLines(
  machine: Emulated,
  lines: string,
  ...args: string[]
): Promise<Record<string, unknown>[]> {
  writeFileSync(path.join(machine.home, "in.jsonl"), lines);
  const { stdout, stderr, code } = await machine.run(["batch", "run", "in.jsonl", "-q", ...args]);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("batch run asks and answers", () => {
  it.each(KINDS)("%s", async (_, model, line, answer) => {
    const named = model === undefined ? [] : ["-m", model];
    const machine = await emulate();
    expect(await runLines(machine, `${JSON.stringify(line)}\n`, ...named)).toMatchObject([answer]);
  });

  it("a body in a model's own words, which it alone takes", async () => {
    const machine = await emulate();
    const line = { recordId: "a", modelInput: { inputText: "hi" } };
    const titan = ["-m", "amazon.titan-embed-text-v2:0"];
    const [answer] = await runLines(machine, JSON.stringify(line), ...titan);
    expect(answer).toMatchObject({
      recordId: "a",
      modelOutput: { inputTextTokenCount: expect.any(Number) as number },
    });
  });

  it.each(["run", "estimate"])(
    "none of a model of another service, and %s says what helps",
    async (command) => {
      const machine = await emulate();
      writeFileSync(
        path.join(machine.home, "in.jsonl"),
        JSON.stringify({ prompt: "hi", model: "gpt-4o-mini" }),
      );
      const { stdout, stderr, code } = await machine.run(["batch", command, "in.jsonl"]);
      expect({ stdout, code }).toEqual({ stdout: "", code: 6 });
      expect(stderr).toContain(
        "There is no model 'gpt-4o-mini'.\nhint: Line 1 names it. Ask another model for all of them: -m MODEL",
      );
      expect((await machine.run(["batch", command, "in.jsonl", "-m", NOVA])).code).toBe(0);
    },
  );

  it.each(["run", "estimate"])(
    "none of models that nobody has, and %s names all by their lines",
    async (command) => {
      const machine = await emulate();
      const lines = ["nosuch1", NOVA, "nosuch2", "nosuch1", "nosuch1"].map((model) => ({
        prompt: "hi",
        model,
      }));
      writeFileSync(
        path.join(machine.home, "in.jsonl"),
        lines.map((line) => JSON.stringify(line)).join("\n"),
      );
      const { stderr, code } = await machine.run(["batch", command, "in.jsonl"]);
      expect(code).toBe(6);
      expect(stderr).toContain(
        "line 1 and 2 more: There is no model 'nosuch1'.\nline 3: There is no model 'nosuch2'.",
      );
      expect(stderr).toContain("There are no models 'nosuch1', 'nosuch2', which lines name.");
      expect(machine.emulator.calls.filter(({ route }) => route === "ConverseStream")).toEqual([]);
    },
  );

  it("texts, in any format that is asked for", async () => {
    const machine = await emulate();
    for (const [format, answer] of [
      ["plain", { recordId: "3", text: isText }],
      ["bedrock", { recordId: "3", modelOutput: { stopReason: "end_turn" } }],
      ["openai", { custom_id: "3", response: { status_code: 200 }, error: null }],
      ["messages", { custom_id: "3", result: { type: "succeeded" } }],
    ] as const) {
      const args = ["--lines", "-m", NOVA, "--format", format];
      expect((await runLines(machine, "one\n\n{two\n", ...args))[1]).toMatchObject(answer);
    }
  });
});
