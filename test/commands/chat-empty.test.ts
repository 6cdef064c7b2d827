import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { emulate } from "../helpers/emulated.ts";
import { chunk, counted, events, openaiServer, type OpenaiReply, says } from "../helpers/openai-server.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";
import { serve } from "../helpers/served.ts";

const MODEL = "amazon.nova-lite-v1:0";
const OTHER = "amazon.nova-micro-v1:0";

const begin: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const delta = (piece: object, contentBlockIndex = 0): StreamStep => ({
  event: "contentBlockDelta",
  payload: { contentBlockIndex, delta: piece },
});
const start = (toolUse: object): StreamStep => ({
  event: "contentBlockStart",
  payload: { contentBlockIndex: 0, start: { toolUse } },
});
const close: StreamStep = { event: "contentBlockStop", payload: { contentBlockIndex: 0 } };
const ending = (stopReason: string, more: object = {}): StreamStep[] => [
  { event: "messageStop", payload: { stopReason } },
  {
    event: "metadata",
    payload: {
      usage: { inputTokens: 10, outputTokens: 2, totalTokens: 12, ...more },
      metrics: { latencyMs: 1 },
    },
  },
];
const answer = (...steps: StreamStep[]): ScriptedAnswer => ({ stream: [begin, ...steps] });
const EMPTY = answer(...ending("end_turn"));
const WHOLE = answer(delta({ text: "Hello." }), close, ...ending("end_turn"));

const asking = (...answers: ScriptedAnswer[]) =>
  emulate({ script: ({ route, nth }) => (route === "ConverseStream" ? answers[nth - 1] : undefined) });
const ask = ["chat", "-m", MODEL];

/** Answers with nothing in them. */
const NOTHING: [string, ScriptedAnswer][] = [
  ["no block", EMPTY],
  ["an empty block", answer(close, ...ending("end_turn"))],
  ["blanks", answer(delta({ text: " " }), delta({ text: "\n\n" }), close, ...ending("end_turn"))],
  ["what nobody sees", answer(delta({ text: "\u200B\u2060" }), close, ...ending("end_turn"))],
  ["empty reasoning", answer(delta({ reasoningContent: { text: "" } }), close, ...ending("end_turn"))],
  ["an end that nobody knows", answer(...ending("something_new"))],
  ["a stop sequence at once", answer(...ending("stop_sequence"))],
  ["no counts", answer({ event: "messageStop", payload: { stopReason: "end_turn" } })],
];

describe("an answer without any content", () => {
  it.each(NOTHING)("of %s is asked for once more, which may bring one", async (_, nothing) => {
    const emulated = await asking(nothing, WHOLE);
    const result = await emulated.run([...ask, "hi"]);
    expect(result).toMatchObject({
      code: 0,
      stdout: "Hello.\n",
      stderr: `openclaw: '${MODEL}' answered with nothing; asking once more\n`,
    });
    expect(emulated.routes()).toEqual(["ConverseStream", "ConverseStream"]);
  });

  it.each(NOTHING)("of %s, twice, is a model's error", async (_, nothing) => {
    const emulated = await asking(nothing, nothing);
    const result = await emulated.run([...ask, "hi"]);
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toMatch(
      /\nerror: 'amazon\.nova-lite-v1:0' answered with nothing, twice \(\w+\)\.\nhint: /,
    );
    expect(emulated.routes()).toHaveLength(2);
  });

  it.each([
    ["max_tokens", "--max-tokens"],
    ["model_context_window_exceeded", "context window"],
  ])("that %s cut off is not asked for again: the next would be cut off, too", async (stopReason, hint) => {
    const emulated = await asking(answer(...ending(stopReason)));
    const result = await emulated.run([...ask, "hi"]);
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain(hint);
    expect(emulated.routes()).toHaveLength(1);
  });

  it("counts in, with its price and its attempts", async () => {
    const once = await (await asking(WHOLE)).run([...ask, "--json", "hi"]);
    const twice = await (await asking(EMPTY, WHOLE)).run([...ask, "--json", "hi"]);
    const [single, both] = [once, twice].map(({ stdout }) => JSON.parse(stdout));
    expectSchema("chat", both);
    expect(both).toMatchObject({
      text: "Hello.",
      attempts: 2,
      usage: { inputTokens: 20, outputTokens: 4, totalTokens: 24, askings: 2 },
    });
    expect(both.cost.usd).toBeCloseTo(2 * single.cost.usd, 12);
    const lines = (await (await asking(EMPTY, WHOLE)).run([...ask, "--ndjson", "hi"])).stdout
      .trim()
      .split("\n");
    const parsed = lines.map((line) => JSON.parse(line) as { type: string });
    for (const event of parsed) expectSchema("chat-event", event);
    expect(parsed.map(({ type }) => type)).toEqual(["start", "text", "stop", "usage"]);
    expect(parsed.at(-1)).toMatchObject({ inputTokens: 20, askings: 2 });
  });

  it.each([["--json"], ["--ndjson"], ["--no-stream"], ["--schema", '{"type":"object"}']])(
    "is one with %s, too",
    async (...flags) => {
      const emulated = await asking(EMPTY, EMPTY);
      const result = await emulated.run([...ask, ...flags, "hi"]);
      expect(result.code).toBe(5);
      expect(emulated.routes()).toHaveLength(2);
      if (!flags[0]?.endsWith("json")) return expect(result.stdout).toBe("");
      const last = JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
      expect(last["error"] ?? last).toMatchObject({
        code: "model-error",
        exitCode: 5,
        details: { stopReason: "end_turn", usage: { inputTokens: 20, totalTokens: 24 } },
      });
    },
  );

  it("of one model is asked of the next", async () => {
    const emulated = await emulate({
      script: ({ parameters }) => (parameters["modelId"] === MODEL ? EMPTY : WHOLE),
    });
    const result = await emulated.run(["chat", "-m", `${MODEL},${OTHER}`, "hi"]);
    expect(result).toMatchObject({ code: 0, stdout: "Hello.\n" });
    expect(result.stderr).toContain(`Asking ${OTHER} instead.`);
    expect(emulated.routes()).toHaveLength(3);
  });

  it("is told in a conversation, which goes on with what was asked", async () => {
    const emulated = await asking(EMPTY, EMPTY, WHOLE);
    const pty = openPty(ask, emulated.home, { env: emulated.env });
    await pty.see(/\n> $/);
    pty.type("one\r");
    await pty.see(/error: .*nothing, twice[\s\S]*\n> $/);
    pty.type("two\r");
    await pty.see(/Hello\.\n\n> $/);
    const cachePoint = { type: "default" };
    expect(emulated.emulator.calls.at(-1)?.body).toEqual({
      messages: [{ role: "user", content: [{ text: "one" }, { text: "two" }, { cachePoint }] }],
    });
    pty.type("/usage\r");
    // Those of the answers that were empty have cost their price.
    await pty.see(/30 tokens in, 6 out/);
  });

  it("is asked for once more inside of the server, and an error of its form", async () => {
    const served = await serve({
      emulator: {
        script: ({ route, body }) =>
          route !== "ConverseStream"
            ? undefined
            : JSON.stringify(body).includes("mute")
              ? EMPTY
              : firstEmpty(),
      },
    });
    const asked = (content: string, stream = false) =>
      fetch(`${served.origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: MODEL, stream, messages: [{ role: "user", content }] }),
      });
    const whole = (await (await asked("hi")).json()) as Record<string, unknown>;
    expect(whole).toMatchObject({
      choices: [{ message: { content: "Hello." } }],
      usage: { prompt_tokens: 20, completion_tokens: 4 },
    });
    for (const stream of [false, true]) {
      const failed = await asked("mute", stream);
      expect(failed.status).toBe(502);
      expect(await failed.json()).toMatchObject({ error: { code: "model_error", type: "server_error" } });
    }
    const line = await served.logged(({ error }) => error !== undefined);
    expect(line.notices).toContain(`'${MODEL}' answered with nothing; asking once more`);
  });

  it("of another server's model is asked for once more, too", async () => {
    const nothing: OpenaiReply = {
      pieces: events(
        chunk({ role: "assistant", content: "" }),
        chunk({}, "stop"),
        counted({ prompt_tokens: 9, completion_tokens: 0 }),
        "[DONE]",
      ),
    };
    const lab = async (...replies: OpenaiReply[]) => {
      const server = await openaiServer({ chat: (_, nth) => replies[nth - 1] ?? { status: 500 } });
      const home = createHome();
      const config = { models: { providers: { lab: { baseUrl: server.baseUrl } } } };
      mkdirSync(path.join(home, ".openclaw"));
      writeFileSync(path.join(home, ".openclaw", "openclaw.json"), JSON.stringify(config));
      return { server, run: () => openclaw(["chat", "-m", "lab/llama3", "--json", "hi"], home) };
    };
    const good = await lab(nothing, says("Hel", "lo."));
    const answered = await good.run();
    expect(answered.code).toBe(0);
    expect(JSON.parse(answered.stdout)).toMatchObject({ text: "Hello.", usage: { inputTokens: 18 } });
    const bad = await lab(nothing, nothing);
    expect(JSON.parse((await bad.run()).stdout)).toMatchObject({ error: { code: "model-error" } });
    expect(bad.server.chats).toHaveLength(2);
  });
});

let turns = 0;
/** Every other answer of this is empty. */
function firstEmpty(): ScriptedAnswer {
  turns += 1;
  return turns % 2 === 1 ? EMPTY : WHOLE;
}

describe("an answer without words", () => {
  const REASONING = answer(
    delta({ reasoningContent: { text: "Hm." } }),
    delta({ reasoningContent: { signature: "c2ln" } }),
    close,
    ...ending("end_turn"),
  );
  const CALLS = answer(
    start({ toolUseId: "t1", name: "get_weather" }),
    delta({ toolUse: { input: '{"city":"Ulm"}' } }),
    close,
    ...ending("tool_use"),
  );
  const WORDLESS: [string, ScriptedAnswer, string, string[]][] = [
    ["reasoning", REASONING, `'${MODEL}' has reasoned and given no answer.`, []],
    [
      "reasoning that it keeps to itself",
      answer(delta({ reasoningContent: { signature: "c2ln" } }), close, ...ending("end_turn")),
      `'${MODEL}' has reasoned and given no answer.`,
      [],
    ],
    [
      "reasoning that is cut off",
      answer(delta({ reasoningContent: { text: "Hm" } }), close, ...ending("max_tokens")),
      `'${MODEL}' has reasoned and given no answer, and stops at its token limit; --max-tokens sets a higher one.`,
      [],
    ],
    [
      "calls",
      CALLS,
      `'${MODEL}' has called 'get_weather', which it was not given, and said nothing.`,
      ["get_weather"],
    ],
  ];

  it.each(WORDLESS)("of %s is told, and asked for once", async (_, said, notice, wordless) => {
    const emulated = await asking(said, said);
    const plain = await emulated.run([...ask, "hi"]);
    expect(plain).toMatchObject({ code: 0, stdout: "", stderr: `warning: ${notice}\n` });
    const lines = (await emulated.run([...ask, "--ndjson", "hi"])).stdout.trim().split("\n");
    const stop = lines.map((line) => JSON.parse(line)).find(({ type }) => type === "stop");
    expectSchema("chat-event", stop);
    expect(stop).toMatchObject({ wordless });
    expect(emulated.routes()).toHaveLength(2);
  });

  it.each(WORDLESS)("of %s is kept in a session", async (_, said) => {
    const emulated = await asking(said, WHOLE);
    await emulated.run([...ask, "--session", "s", "one"]);
    const shown = await emulated.run(["sessions", "show", "s", "--json"]);
    expectSchema("sessions-show", JSON.parse(shown.stdout));
    const [turn] = JSON.parse(shown.stdout).turns as { assistant: { content: unknown[] } }[];
    expect(turn?.assistant.content).toHaveLength(1);
    const next = await emulated.run(["chat", "--session", "s", "two"]);
    expect(next).toMatchObject({ code: 0, stdout: "Hello.\n" });
  });

  it("of reasoning has no content in the server's answer, and is noted in its log", async () => {
    const served = await serve({ emulator: { script: () => REASONING } });
    const { choices } = await served.client.chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: "hi" }],
    });
    expect(choices[0]?.message).toMatchObject({ content: null, reasoning_content: "Hm." });
    const line = await served.logged(({ kind }) => kind === "request");
    expect(line.notices).toEqual([`'${MODEL}' has reasoned and given no answer.`]);
  });
});

describe("an answer that is withheld, malformed or empty is counted, since it is billed", () => {
  const stopped = (stopReason: string): ScriptedAnswer =>
    answer(delta({ text: "x" }), close, ...ending(stopReason));
  const failing: [string, ScriptedAnswer][] = [
    ["withheld", stopped("content_filtered")],
    ["malformed", stopped("malformed_model_output")],
    ["empty", EMPTY],
  ];
  const tokensOf = (stdout: string): unknown =>
    (JSON.parse(stdout) as { total: { inputTokens: number } }).total.inputTokens;

  it.each(failing)("by batch run: %s", async (_, failed) => {
    const emulated = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? failed : undefined),
    });
    writeFileSync(path.join(emulated.home, "in.jsonl"), '{"prompt":"hi"}\n');
    const args = ["batch", "run", "in.jsonl", "-m", MODEL, "-o", "out.jsonl", "--rpm", "1000"];
    const { code, stderr } = await emulated.run(args);
    expect(code).toBeGreaterThan(0);
    const times = emulated.emulator.calls.filter(({ route }) => route === "ConverseStream").length;
    expect(stderr).toContain(`${times * 10} tokens in`);
    expect(tokensOf((await emulated.run(["usage", "--json"])).stdout)).toBe(times * 10);
  });

  it.each(failing)("by serve: %s", async (_, failed) => {
    const served = await serve({
      emulator: { script: ({ route }) => (route === "ConverseStream" ? failed : undefined) },
    });
    await fetch(`${served.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hi" }] }),
    });
    const line = await served.logged(({ kind }) => kind === "request");
    expect(line["costUsd"]).toBeGreaterThan(0);
  });
});
