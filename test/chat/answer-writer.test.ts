import { describe, expect, it } from "vitest";
import { AnswerWriter, type WriterOptions } from "../../src/chat/answer-writer.ts";
import type { TurnEvent } from "../../src/chat/tools/tool.ts";
import { OpenclawError, toErrorDocument } from "../../src/errors.ts";
import { createHome } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const start = (requestId: string, attempts = 1): TurnEvent => ({
  type: "start",
  model: "m",
  region: "us-east-1",
  requestId,
  attempts,
});
const text = (said: string): TurnEvent => ({ type: "text", text: said });
const stop = (stopReason: string): TurnEvent => ({ type: "stop", stopReason });
const usage = (inputTokens: number): TurnEvent => ({
  type: "usage",
  inputTokens,
  outputTokens: 1,
  totalTokens: inputTokens + 1,
});
const call = (toolUseId: string, input: object = { zone: "UTC" }): TurnEvent => ({
  type: "tool-call",
  toolUseId,
  name: "clock",
  input: { ...input },
  source: { kind: "command", command: ["date"] },
});
const pieces: TurnEvent[] = [
  { type: "tool-start", index: 1, id: "a", name: "clock" },
  { type: "tool-input", index: 1, text: "{}" },
];
const result = (toolUseId: string, said: string): TurnEvent => ({
  type: "tool-result",
  toolUseId,
  name: "clock",
  status: "success",
  content: [{ text: said }],
  durationMs: 12,
});
const REFUSED: TurnEvent = {
  type: "tool-result",
  toolUseId: "b",
  name: "clock",
  status: "error",
  refused: true,
  content: [{ image: { format: "png", source: { bytes: new Uint8Array([1, 2, 3]) } } }],
  durationMs: 0,
};
const TURN: TurnEvent[] = [
  [start("r1"), { type: "reasoning", text: "Hm." } as const, text("Let me "), text("look.\n\n")],
  [...pieces, stop("tool_use"), usage(10), call("a"), call("b"), REFUSED, result("a", "12:00")],
  [start("r2", 2), text("\n\nIt is "), text("noon."), stop("end_turn"), usage(20)],
].flat();
const PRICE = { cost: { input: 1, output: 5 }, source: "catalog" as const };

interface Written {
  stdout: string;
  stderr: string;
  error: unknown;
}

async function write(
  events: readonly TurnEvent[],
  options: Partial<WriterOptions> & {
    format?: "text" | "json" | "ndjson";
    isTTY?: boolean;
    failure?: unknown;
  } = {},
): Promise<Written> {
  const { format = "text", isTTY = false, failure, ...more } = options;
  const runtime = testRuntime({ home: createHome(), isTTY });
  runtime.terminal.setMode({ format, color: false });
  const writer = new AnswerWriter(runtime, {
    priceOf: () => PRICE,
    showsReasoning: false,
    isStreamed: true,
    showsUsage: false,
    hasTools: true,
    ...more,
  });
  let error: unknown;
  try {
    for (const event of events) await writer.take(event);
    if (failure === undefined) await writer.finish();
    else error = await writer.fail(failure);
  } catch (thrown) {
    error = thrown;
  }
  return { stdout: runtime.stdout(), stderr: runtime.stderr(), error };
}

const lines = ({ stdout }: Written): { type: string }[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
const document = (written: Written) => {
  const value = JSON.parse(written.stdout) as Record<string, unknown>;
  expectSchema("chat", value);
  return value;
};

describe("an answer in several rounds", () => {
  it.each<[string, Partial<WriterOptions>]>([
    ["while it arrives", {}],
    ["when it is whole", { isStreamed: false }],
  ])("is the text of all of them with a blank line between, %s", async (_, options) => {
    const written = await write(TURN, options);
    expect(written).toEqual({ stdout: "Let me look.\n\nIt is noon.\n", stderr: "", error: undefined });
  });

  it("has no blank line where a round says nothing", async () => {
    const calls = [start("r"), ...pieces, stop("tool_use"), usage(1), call("a"), result("a", "x")];
    const answer = [start("r"), text("\nNoon."), stop("end_turn"), usage(1)];
    expect((await write([...calls, ...calls, ...answer])).stdout).toBe("\nNoon.\n");
    const silent = [start("r"), text("Hm.\n"), stop("tool_use"), ...calls, ...answer];
    expect((await write(silent)).stdout).toBe("Hm.\n\nNoon.\n");
  });

  it("tells of calls and results on a terminal alone", async () => {
    const { stdout, stderr } = await write(TURN, { isTTY: true });
    expect(stdout).toBe("Let me look.\n\nIt is noon.\n");
    expect(stderr.split("\n").slice(0, 3)).toEqual([
      "• clock UTC",
      "• clock UTC",
      expect.stringContaining("not run"),
    ]);
    expect(stderr).toContain("12:00");
  });

  it("is one document with a step for each", async () => {
    const value = document(await write(TURN, { format: "json" }));
    expect(value).toMatchObject({
      text: "Let me look.\n\nIt is noon.",
      reasoning: "Hm.",
      stopReason: "end_turn",
      usage: { inputTokens: 30, outputTokens: 2, totalTokens: 32, askings: 2 },
      cost: { usd: 0.00004, source: "catalog" },
      requestId: "r2",
      attempts: 3,
    });
    expect(value["steps"]).toEqual([
      {
        text: "Let me look.\n\n",
        reasoning: "Hm.",
        stopReason: "tool_use",
        usage: { inputTokens: 10, outputTokens: 1, totalTokens: 11 },
        cost: { usd: 0.000015, source: "catalog" },
        requestId: "r1",
        calls: [
          {
            toolUseId: "a",
            name: "clock",
            source: { kind: "command", command: ["date"] },
            input: { zone: "UTC" },
            status: "success",
            content: [{ text: "12:00" }],
            durationMs: 12,
          },
          {
            toolUseId: "b",
            name: "clock",
            source: { kind: "command", command: ["date"] },
            input: { zone: "UTC" },
            status: "error",
            refused: true,
            content: [{ image: { format: "png", source: { bytes: "AQID" } } }],
            durationMs: 0,
          },
        ],
      },
      {
        text: "\n\nIt is noon.",
        stopReason: "end_turn",
        usage: { inputTokens: 20, outputTokens: 1, totalTokens: 21 },
        cost: { usd: 0.000025, source: "catalog" },
        requestId: "r2",
        calls: [],
      },
    ]);
  });

  it("has no steps where there are no tools", async () => {
    const answer = [start("r"), text("Noon."), stop("end_turn"), usage(1)];
    expect(document(await write(answer, { format: "json", hasTools: false }))).not.toHaveProperty("steps");
    expect(document(await write(answer, { format: "json" }))["steps"]).toHaveLength(1);
  });

  it("has calls that were left to whoever asked, without what they came to", async () => {
    const left = [start("r"), ...pieces, stop("tool_use"), usage(1), call("a")];
    const value = document(await write(left, { format: "json" }));
    expect(value).toMatchObject({ text: "", stopReason: "tool_use" });
    const calls = (value["steps"] as { calls: object[] }[])[0]?.calls;
    expect(calls?.map((made) => Object.keys(made))).toEqual([["toolUseId", "name", "source", "input"]]);
  });

  it("is a line for each event, the counts of all of them last and no pieces of calls", async () => {
    const events = lines(await write(TURN, { format: "ndjson" }));
    for (const event of events) expectSchema("chat-event", event);
    expect(events.map(({ type }) => type).join(" ")).toBe(
      "start reasoning text text stop tool-call tool-call tool-result tool-result start text text stop usage",
    );
    expect(events.at(-1)).toMatchObject({ inputTokens: 30, cost: { usd: 0.00004 }, requestId: "r2" });
    expect(events[7]).toMatchObject({ content: [{ image: { source: { bytes: "AQID" } } }] });
  });

  it("costs what nobody knows where that holds for one of the rounds", async () => {
    const uncounted = TURN.filter((event) => event.type !== "usage" || event.inputTokens === 20);
    expect(document(await write(uncounted, { format: "json" }))["cost"]).toBeNull();
    const { stderr } = await write(TURN, { showsUsage: true });
    expect(stderr).toContain("30 tokens in, 2 out · $0.00004 (catalog price, estimate)");
  });

  it("is what is behind the calls alone where it is held to a schema", async () => {
    const structured = [
      [start("r"), ...pieces, text("Let me look."), stop("tool_use"), usage(1), call("a"), result("a", "x")],
      [start("r"), text('{"time":"noon"}'), stop("end_turn"), usage(1)],
    ].flat();
    for (const isStreamed of [true, false])
      expect((await write(structured, { isStructured: true, isStreamed })).stdout).toBe('{"time":"noon"}\n');
    const value = document(await write(structured, { isStructured: true, format: "json" }));
    expect(value["text"]).toBe('{"time":"noon"}');
    expect(value["steps"]).toMatchObject([{ text: "Let me look." }, { text: '{"time":"noon"}' }]);
  });

  it("has its code from the last round", async () => {
    const code = (said: string): TurnEvent => text(`\`\`\`sh\n${said}\n\`\`\`\n`);
    const coded = [
      [start("r"), code("date"), ...pieces, stop("tool_use"), usage(1), call("a"), result("a", "x")],
      [start("r"), code("echo noon"), stop("end_turn"), usage(1)],
    ].flat();
    expect((await write(coded, { extractsCode: true })).stdout).toBe("echo noon\n");
  });

  it("has its citations where they are in the whole text", async () => {
    const citation = (title: string): TurnEvent => ({ type: "citation", title });
    const cited = [
      [start("r"), text("One.\n"), citation("a"), ...pieces, stop("tool_use"), call("a"), result("a", "x")],
      [start("r"), text("\nTwo."), citation("b"), stop("end_turn"), usage(1)],
    ].flat();
    const value = document(await write(cited, { format: "json" }));
    expect(value["text"]).toBe("One.\n\nTwo.");
    expect(value["citations"]).toEqual([
      { title: "a", textEnd: 5 },
      { title: "b", textEnd: 10 },
    ]);
  });

  it("that fails has the text so far", async () => {
    const failure = new OpenclawError("max-steps", { message: "Too many." });
    const { error, stdout } = await write(TURN, { format: "json", failure });
    expect(stdout).toBe("");
    expect(error).toMatchObject({ code: "max-steps", partialText: "Let me look.\n\nIt is noon." });
    expect((await write(TURN, { failure })).stdout).toBe("Let me look.\n\nIt is noon.\n");
  });

  it("that fails has the steps so far, with what was run and what it cost", async () => {
    const failure = new OpenclawError("timeout", { message: "Too long." });
    const whole = document(await write(TURN, { format: "json" }));
    const failed = async (events: TurnEvent[], options: Partial<WriterOptions> = {}) => {
      const { error } = await write(events, { format: "json", failure, ...options });
      const value = { error: toErrorDocument(error as OpenclawError) };
      expectSchema("error", value);
      return value.error.steps;
    };
    expect(await failed(TURN)).toEqual(whole["steps"]);
    // Each cut of a turn: what was asked for and has not come to its end has no result.
    for (let taken = 0; taken <= TURN.length; taken += 1) {
      const steps = await failed(TURN.slice(0, taken));
      const calls = TURN.slice(0, taken).filter(({ type }) => type === "tool-call");
      expect(steps?.flatMap((step) => step["calls"]) ?? []).toHaveLength(calls.length);
      expect(steps === undefined).toBe(taken === 0);
      if (steps) expectSchema("chat", { ...whole, steps: JSON.parse(JSON.stringify(steps)) });
    }
    expect(await failed(TURN, { hasTools: false })).toBeUndefined();
  });
});
