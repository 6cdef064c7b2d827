import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { encodeEvent } from "../../src/aws/event-stream.ts";
import { MODELS } from "../../src/emulator/models.ts";
import type { Script, StreamStep } from "../../src/emulator/script.ts";
import { headerLine, turnLine } from "../../src/chat/sessions/session-record.ts";
import { textAnswerSteps, textStep } from "../helpers/answer-steps.ts";
import { emulate } from "../helpers/emulated.ts";
import { isThorough } from "../helpers/thorough.ts";

const MODEL = "amazon.nova-lite-v1:0";
const MB = 1024 * 1024;
const hook = fileURLToPath(new URL("../../scripts/bench/report-usage.cjs", import.meta.url));

/** The environment of a program whose memory is asked for when it has ended. */
function watchMemory(home: string): { env: Record<string, string>; most: () => number } {
  const file = path.join(home, "memory");
  return {
    env: { NODE_OPTIONS: `--require ${hook}`, OPENCLAW_USAGE: file },
    most: () => JSON.parse(readFileSync(file, "utf8")).peakMiB,
  };
}

const WORDS = "The quick brown fox jumps over the lazy dog. ".repeat(90);
/** A mebibyte of deltas of 4 KB, encoded once. */
const BLOCK = Buffer.concat(
  Array.from({ length: Math.floor(MB / WORDS.length) }, () =>
    encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text: WORDS } }),
  ),
);
const BLOCK_TEXT = Math.floor(MB / WORDS.length) * WORDS.length;

/** A model that says so many mebibytes, as fast as they are taken; tells how many it has said. */
function talker(blocks: number, bytes = BLOCK): { script: Script; said: () => number } {
  let said = 0;
  async function* steps(): AsyncGenerator<StreamStep> {
    yield { event: "messageStart", payload: { role: "assistant" } };
    for (let block = 0; block < blocks; block += 1) {
      said += 1;
      yield { bytes };
    }
    yield { event: "messageStop", payload: { stopReason: "end_turn" } };
    yield { event: "metadata", payload: { usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } } };
  }
  return {
    script: ({ route }) => (route === "ConverseStream" ? { stream: steps() } : undefined),
    said: () => said,
  };
}

describe("an answer of hundreds of megabytes", () => {
  it.each([[[]], [["--ndjson"]]])(
    "passes whole in less than 150 MB of memory, with %j",
    async (options) => {
      const blocks = 200;
      const user = await emulate({ script: talker(blocks).script });
      const memory = watchMemory(user.home);
      const child = user.start(["chat", "-m", MODEL, ...options, "hi"], { env: memory.env });
      let words = 0;
      let tail = "";
      child.stdout.on("data", (chunk: Buffer) => {
        const text = tail + chunk.toString("latin1");
        words += text.split("quick").length - 1;
        // A word may lie across two chunks.
        tail = text.slice(-4);
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect(code).toBe(0);
      expect(words).toBe(blocks * Math.floor(MB / WORDS.length) * 90);
      expect(memory.most()).toBeLessThan(150);
    },
    60_000,
  );

  it("waits for a slow reader instead of piling up", async () => {
    const { script, said } = talker(500);
    const user = await emulate({ script });
    const memory = watchMemory(user.home);
    const child = user.start(["chat", "-m", MODEL, "hi"], { env: memory.env });
    // A reader that reads a little, and then looks away.
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdout.pause();
    // Until nothing moves any more: what the pipes and sockets between hold is full.
    for (let before = -1; before !== said();) {
      before = said();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(said()).toBeLessThan(40);
    child.stdout.destroy();
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(memory.most()).toBeLessThan(150);
    expect(BLOCK_TEXT).toBeGreaterThan(MB * 0.9);
  }, 60_000);
});

describe("an answer that does not end", () => {
  const SCHEMA = '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}';
  const blank = Buffer.concat(
    Array.from({ length: 256 }, () =>
      encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "\n".repeat(4096) } }),
    ),
  );

  it.each<[string, string[], typeof BLOCK]>([
    ["for --json", ["--json"], BLOCK],
    ["for --no-stream", ["--no-stream"], BLOCK],
    ["for --schema", ["--schema", SCHEMA], BLOCK],
    ["in a session", ["--session", "s1"], BLOCK],
    ["that is blank", [], blank],
  ])(
    "is given up when it is longer than any model's: kept %s",
    async (_, options, bytes) => {
      const { script, said } = talker(1000, bytes);
      const user = await emulate({ script });
      const memory = watchMemory(user.home);
      const child = user.start(["chat", "-m", MODEL, ...options, "hi"], { env: memory.env });
      let stderr = "";
      let stdout = "";
      child.stdout.on("data", (chunk: Buffer) => {
        if (options.includes("--json")) stdout += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      expect(await new Promise((resolve) => child.on("close", resolve))).toBe(5);
      const told = options.includes("--json") ? JSON.parse(stdout).error.message : stderr;
      expect(told).toContain("The answer has more than 25165824 characters, which no model's has.");
      expect(said()).toBeLessThan(100);
      expect(memory.most()).toBeLessThan(400);
      if (!options.includes("--session")) return;
      const [turn] = JSON.parse((await user.run(["sessions", "show", "s1", "--json"])).stdout).turns;
      expect(turn).toMatchObject({ failure: { code: "bad-response" } });
      expect(JSON.stringify(turn).length).toBeLessThan(10_000);
    },
    60_000,
  );
});

describe("much of everything", () => {
  it("10,000 models are listed, in order and once", async () => {
    const example = MODELS.find(({ modelId }) => modelId === MODEL);
    if (!example) throw new Error("The emulator has no such model.");
    const models = Array.from({ length: 10_000 }, (_, index) =>
      Object.assign({}, example, {
        modelId: `vendor${index % 50}.model-${index}-v1:0`,
        modelName: `Model ${index}`,
      }),
    );
    const user = await emulate({ models, profiles: [] });
    const started = performance.now();
    const cold = await user.run(["models", "list", "--json"]);
    const coldMs = performance.now() - started;
    const { count, models: listed } = JSON.parse(cold.stdout);
    expect(count).toBe(10_000);
    expect(new Set(listed.map(({ id }: { id: string }) => id)).size).toBe(10_000);
    const plain = await user.run(["models", "list", "--plain"]);
    expect(plain.stdout.trimEnd().split("\n")).toEqual(listed.map(({ key }: { key: string }) => key));
    const found = await user.run(["models", "list", "--plain", "--search", "model-9999-"]);
    expect(found.stdout).toBe("amazon-bedrock/vendor49.model-9999-v1:0\n");
    expect(coldMs).toBeLessThan(10_000);
  }, 60_000);

  const megabytes = isThorough ? 10 : 2;

  it(`a configuration of ${megabytes} MB is read, and edited without a byte of the rest changing`, async () => {
    const user = await emulate();
    const lines = Array.from(
      { length: megabytes * 10_000 },
      (_, index) => `    key${index}: "${"x".repeat(90)}", // note ${index}`,
    );
    const text = `{\n  // theirs\n  other: {\n${lines.join("\n")}\n  },\n  agents: { defaults: { model: "${MODEL}" } },\n}\n`;
    expect(text.length).toBeGreaterThan(megabytes * MB);
    user.configure(text);
    expect(await user.run(["config", "get", "agents.defaults.model"])).toMatchObject({
      code: 0,
      stdout: `${MODEL}\n`,
    });
    expect((await user.run(["config", "set", "agents.defaults.model", "other"])).code).toBe(0);
    const written = readFileSync(path.join(user.home, ".openclaw", "openclaw.json"), "utf8");
    expect(written === text.replace(`"${MODEL}"`, '"other"')).toBe(true);
  }, 60_000);

  it("a prompt of 200,000 tokens and more arrives whole", async () => {
    const user = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? { stream: textAnswerSteps(["ok"]) } : undefined),
    });
    // About four characters a token.
    const input = "naïve 日本語 🦞 words ".repeat(60_000);
    const { code, stdout } = await user.run(["chat", "-m", MODEL, "Summarize."], { input });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "ok\n" });
    const body = user.emulator.calls[0]?.body as { messages: { content: { text: string }[] }[] };
    expect(body.messages[0]?.content[0]?.text === `${input}\n\nSummarize.`).toBe(true);
  }, 60_000);

  it("a session of 1,000 turns goes on as one of ten does, with all of them sent", async () => {
    const user = await emulate({
      script: ({ route }) => (route === "ConverseStream" ? { stream: [textStep("ok"), STOP] } : undefined),
    });
    const timeOf = async (id: string, turns: number): Promise<number> => {
      keepSession(user.home, id, turns);
      const started = performance.now();
      const result = await user.run(["chat", "-m", MODEL, "--session", id, "and now?"]);
      const elapsed = performance.now() - started;
      expect(result).toMatchObject({ code: 0, stdout: "ok\n" });
      const body = user.emulator.calls.at(-1)?.body as { messages: unknown[] };
      expect(body.messages).toHaveLength(2 * turns + 1);
      return elapsed;
    };
    const small = await timeOf("small", 10);
    const large = await timeOf("large", 1000);
    const huge = await timeOf("huge", 4000);
    // Four times the turns take at most four times the time that they take beyond starting, with room for a busy machine.
    expect(huge - small).toBeLessThan(8 * Math.max(large - small, 100));
  }, 60_000);
});

const STOP: StreamStep = { event: "messageStop", payload: { stopReason: "end_turn" } };

function keepSession(home: string, id: string, turns: number): void {
  const folder = path.join(home, ".openclaw", "sessions");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = "2026-11-22T12:00:00.000Z";
  const lines = Array.from({ length: turns }, (_, index) =>
    turnLine(
      {
        at,
        key: `amazon-bedrock/${MODEL}`,
        model: MODEL,
        stopReason: "end_turn",
        messages: [
          { role: "user", content: [{ text: `Question ${index}: ${WORDS.slice(0, 400)}` }] },
          { role: "assistant", content: [{ text: `Answer ${index}: ${WORDS.slice(0, 1200)}` }] },
        ],
      },
      "new",
    ),
  );
  writeFileSync(
    path.join(folder, `${id}.jsonl`),
    headerLine({ id, folder: home, created: at }) + lines.join(""),
    {
      mode: 0o600,
    },
  );
}
