import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { emptyEnvironment } from "../helpers/openclaw.ts";
import { expectSchema } from "../helpers/schema.ts";
import { isThorough } from "../helpers/thorough.ts";

const BIN = path.resolve(import.meta.dirname, "../../bin/openclaw.js");
const MODEL = "amazon.nova-lite-v1:0";
const begin: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const delta = (text: string): StreamStep => ({
  event: "contentBlockDelta",
  payload: { contentBlockIndex: 0, delta: { text } },
});
const stop = (stopReason: string): StreamStep[] => [
  { event: "messageStop", payload: { stopReason } },
  { event: "metadata", payload: { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } } },
];
const HALF: ScriptedAnswer = { stream: [begin, delta("Half an "), delta("answer"), { end: "stall" }] };
const error = (name: string, message: string, status: number): ScriptedAnswer => ({
  error: { name, message, status },
});

const answering = (...answers: (ScriptedAnswer | undefined)[]): Promise<Emulated> =>
  emulate({ script: ({ route, nth }) => (route === "ConverseStream" ? answers[nth - 1] : undefined) });
const ask = ["chat", "-m", MODEL, "--session", "s"];
const env = { AWS_MAX_ATTEMPTS: "1" };
const user = (...texts: string[]) => ({ role: "user", content: texts.map((text) => ({ text })) });
const assistant = (text: string) => ({ role: "assistant", content: [{ text }] });
const lastBody = ({ emulator }: Emulated) =>
  emulator.calls.findLast(({ route }) => route === "ConverseStream")?.body;

interface Turn {
  stopReason: string;
  failure?: { code: string; message: string };
  user: { content: { text: string }[] };
  assistant: { content: { text: string }[] };
}

async function turnsOf(emulated: Emulated, id = "s"): Promise<Turn[]> {
  const { stdout } = await emulated.run(["sessions", "show", id, "--json"]);
  const document = JSON.parse(stdout) as { turns: Turn[]; damagedLines: number };
  expectSchema("sessions-show", document);
  expect(document.damagedLines).toBe(0);
  return document.turns;
}

/** The program when it has shown the half of an answer that there is. */
async function waiting(emulated: Emulated, args: readonly string[] = ask) {
  const child = emulated.start([...args, "one"]);
  const output = { stdout: "", stderr: "" };
  child.stderr.on("data", (data: Buffer) => (output.stderr += data.toString()));
  await new Promise<void>((resolve) =>
    child.stdout.on("data", (data: Buffer) => {
      output.stdout += data.toString();
      if (output.stdout.includes("answer")) resolve();
    }),
  );
  return { child, output, closed: once(child, "close") };
}

describe("a turn that is stopped", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("by %s stays as far as it came", async (signal, code) => {
    const emulated = await answering(HALF);
    const { child, output, closed } = await waiting(emulated);
    child.kill(signal);
    expect((await closed)[0]).toBe(code);
    expect(output.stdout).toBe("Half an answer\n");
    expect(output.stderr).toContain("openclaw: stopped; kept as far as it came in session s\n");
    const [turn] = await turnsOf(emulated);
    expect(turn).toMatchObject({
      stopReason: "interrupted",
      user: user("one"),
      assistant: assistant("Half an answer"),
    });
    expect(turn).not.toHaveProperty("failure");
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toBe(
      "> one\n\nHalf an answer\n(stopped here)\n",
    );
    expect((await emulated.run(["sessions", "export", "s"])).stdout).toContain("*(stopped here)*");
    await emulated.run(["chat", "--continue", "two"]);
    expect(lastBody(emulated)).toEqual({
      messages: [user("one"), assistant("Half an answer"), user("two")],
    });
  });

  it("by a kill stays as far as it had come a second before", async () => {
    const pause: StreamStep = { wait: 1050 };
    const words = ["one, ", "two, ", "answer"].flatMap((text) => [delta(text), pause]);
    const emulated = await answering({ stream: [begin, pause, ...words, { end: "stall" }] });
    const { child, closed } = await waiting(emulated);
    child.kill("SIGKILL");
    await closed;
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toMatch(
      /^> one\n\none, two, (answer)?\n\(stopped here\)\n$/,
    );
    const [turn] = await turnsOf(emulated);
    const said = turn?.assistant.content[0]?.text ?? "";
    await emulated.run(["chat", "--session", "s", "two"]);
    expect(lastBody(emulated)).toEqual({ messages: [user("one"), assistant(said), user("two")] });
  });

  it("that cannot be written down on its way is told of behind the answer, once", async () => {
    const pause: StreamStep = { wait: 1050 };
    const parts = ["a", "b", "c"].flatMap((letter) => [pause, delta(letter.repeat(700))]);
    const emulated = await answering({ stream: [begin, ...parts, ...stop("end_turn")] });
    const child = spawn(
      "bash",
      ["-c", 'ulimit -f 1; exec "$@" 2>&1', "bash", process.execPath, BIN, ...ask, "one"],
      { env: { ...emptyEnvironment(emulated.home), ...emulated.env } },
    );
    child.stdin.end();
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    expect(await once(child, "close")).toEqual([0, null]);
    expect(output).toContain(`${"a".repeat(700)}${"b".repeat(700)}${"c".repeat(700)}\n`);
    expect(output.match(/warning: The conversation is not kept/g)).toHaveLength(1);
  });

  it.each([
    ["streamed", []],
    ["whole", ["--no-stream"]],
    ["with its reasoning", ["--show-reasoning"]],
  ])("that cannot be written down at all is told of on lines of its own: %s", async (_how, flags) => {
    // Words behind messageStop are words of the answer.
    const late = [
      delta("An "),
      ...stop("end_turn").slice(0, 1),
      delta("answer"),
      ...stop("end_turn").slice(1),
    ];
    const emulated = await answering({ stream: [begin, ...late] });
    const child = spawn(
      "bash",
      ["-c", 'ulimit -f 0; exec "$@" 2>&1', "bash", process.execPath, BIN, ...ask, ...flags, "one"],
      { env: { ...emptyEnvironment(emulated.home), ...emulated.env } },
    );
    child.stdin.end();
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    expect(await once(child, "close")).toEqual([0, null]);
    const lines = output.split("\n");
    expect(lines).toContain("An answer");
    expect(lines.filter((line) => line.startsWith("warning: The conversation is not kept."))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith("openclaw: what was used is not written"))).toHaveLength(1);
  });

  it("is one line of its file when it has come to its end, however long it took", async () => {
    const pause: StreamStep = { wait: 1050 };
    const emulated = await answering({
      stream: [begin, pause, delta("a"), pause, delta("b"), pause, delta("c"), ...stop("end_turn")],
    });
    await emulated.run([...ask, "one"]);
    const file = path.join(emulated.home, ".openclaw", "sessions", "s.jsonl");
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(["session", "turn", "answer"]);
    expect(await turnsOf(emulated)).toMatchObject([{ stopReason: "end_turn", assistant: assistant("abc") }]);
  });

  it("by a kill before that stays as a question", async () => {
    const emulated = await answering(HALF);
    const { child, closed } = await waiting(emulated);
    child.kill("SIGKILL");
    await closed;
    expect(await turnsOf(emulated)).toMatchObject([
      { stopReason: "interrupted", user: user("one"), assistant: { content: [] } },
    ]);
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toBe(
      "> one\n\n(stopped before it was answered)\n",
    );
    await emulated.run(["chat", "--session", "s", "two"]);
    expect(lastBody(emulated)).toEqual({ messages: [user("one", "two")] });
    expect(await turnsOf(emulated)).toMatchObject([{ user: user("one") }, { user: user("two") }]);
    await emulated.run(["chat", "--session", "s", "three"]);
    expect(lastBody(emulated)).toMatchObject({
      messages: [user("one", "two"), { role: "assistant" }, user("three")],
    });
  });

  it("stays with --continue and in a pipe of JSON, too", async () => {
    const emulated = await answering(undefined, HALF);
    await emulated.run([...ask, "zero"]);
    const child = emulated.start(["chat", "--continue", "--ndjson", "one"]);
    let stdout = "";
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    await expect.poll(() => stdout, { timeout: 20_000 }).toContain("answer");
    const closed = once(child, "close");
    child.kill("SIGINT");
    await closed;
    const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as unknown;
    expect(last).toMatchObject({ type: "error", code: "interrupted" });
    expect(await turnsOf(emulated)).toMatchObject([
      { user: user("zero") },
      { assistant: assistant("Half an answer") },
    ]);
  });

  it("with --no-save leaves nothing", async () => {
    const emulated = await answering(HALF);
    const { child, output, closed } = await waiting(emulated, [...ask, "--no-save"]);
    child.kill("SIGINT");
    await closed;
    expect(output.stderr).not.toContain("kept");
    expect(existsSync(path.join(emulated.home, ".openclaw", "sessions"))).toBe(false);
  });
});

describe("a turn that fails", () => {
  const FAILURES: [
    string,
    ScriptedAnswer,
    { code: string; exit: number; half?: string; isSentAgain: boolean },
  ][] = [
    [
      "throttled",
      error("ThrottlingException", "Too many requests", 429),
      { code: "throttled", exit: 5, isSentAgain: true },
    ],
    [
      "unavailable",
      error("ServiceUnavailableException", "Later.", 503),
      { code: "service-unavailable", exit: 5, isSentAgain: true },
    ],
    ["cut off before a word", { drop: "reset" }, { code: "network", exit: 5, isSentAgain: true }],
    [
      "broken off",
      { stream: [begin, delta("Half an answer")] },
      { code: "stream-broken", exit: 5, half: "Half an answer", isSentAgain: true },
    ],
    [
      "throttled in the middle",
      {
        stream: [
          begin,
          delta("Half an answer"),
          { exception: "throttlingException", payload: { message: "Slow" } },
        ],
      },
      { code: "throttled", exit: 5, half: "Half an answer", isSentAgain: true },
    ],
    [
      "malformed",
      { stream: [begin, delta("Half an answer"), ...stop("malformed_model_output")] },
      { code: "model-error", exit: 5, half: "Half an answer", isSentAgain: true },
    ],
    [
      "refused",
      error("ValidationException", "messages.0.content is not valid", 400),
      { code: "invalid-request", exit: 6, isSentAgain: false },
    ],
    [
      "too long",
      error("ValidationException", "Input is too long for requested model.", 400),
      { code: "input-too-long", exit: 6, isSentAgain: false },
    ],
    [
      "withheld",
      { stream: [begin, delta("Sorry."), ...stop("guardrail_intervened")] },
      { code: "blocked", exit: 7, isSentAgain: false },
    ],
    [
      "denied",
      error("AccessDeniedException", "User is not authorized", 403),
      { code: "access-denied", exit: 4, isSentAgain: true },
    ],
  ];

  it.each(FAILURES)(
    "because it is %s stays, and says so",
    async (_, answer, { code, exit, half, isSentAgain }) => {
      const emulated = await answering(undefined, answer);
      await emulated.run([...ask, "zero"], { env });
      const failed = await emulated.run(["chat", "--session", "s", "one"], { env });
      expect(failed.code).toBe(exit);
      if (half !== undefined) expect(failed.stdout).toBe(`${half}\n`);
      const [, turn] = await turnsOf(emulated);
      expect(turn).toMatchObject({ user: user("one"), failure: { code } });
      expect(turn?.assistant.content).toEqual(half === undefined ? [] : [{ text: half }]);
      const shown = (await emulated.run(["sessions", "show", "s"])).stdout.trimEnd().split("\n").at(-1);
      expect(shown).toMatch(half === undefined ? /^\(no answer: .+\)$/ : /^\(broken off here: .+\)$/);
      const next = await emulated.run(["chat", "--session", "s", "two"], { env });
      expect(next.code).toBe(0);
      const [, , ...sent] = (lastBody(emulated) as { messages: unknown[] }).messages;
      expect(sent).toEqual(
        half !== undefined
          ? [user("one"), assistant(half), user("two")]
          : [isSentAgain ? user("one", "two") : user("two")],
      );
    },
  );

  it("keeps nothing of what was never asked", async () => {
    const emulated = await emulate();
    const result = await emulated.run([...ask, "--guardrail", "nonsense", "hi"]);
    expect(result.code).toBe(2);
    expect(existsSync(path.join(emulated.home, ".openclaw", "sessions", "s.jsonl"))).toBe(false);
  });

  it("does not make a model that does not exist that of the session", async () => {
    const emulated = await emulate();
    await emulated.run([...ask, "one"]);
    expect((await emulated.run(["chat", "--session", "s", "-m", "no.such-model-v1:0", "two"])).code).toBe(6);
    expect((await emulated.run(["chat", "--session", "s", "three"])).code).toBe(0);
    expect(lastBody(emulated)).toMatchObject({ messages: [user("one"), {}, user("two", "three")] });
  });

  it("is asked all the same where the disk is full, with one warning, and spoils nothing", async () => {
    const emulated = await emulate();
    await emulated.run([...ask, "one"]);
    const file = path.join(emulated.home, ".openclaw", "sessions", "s.jsonl");
    const before = readFileSync(file, "utf8");
    // Files of no more than 8 KB, which is how a full disk looks to a program.
    const child = spawn(
      "bash",
      [
        "-c",
        'ulimit -f 8; exec "$@"',
        "bash",
        process.execPath,
        BIN,
        "chat",
        "--session",
        "s",
        "x".repeat(9000),
      ],
      { env: { ...emptyEnvironment(emulated.home), ...emulated.env } },
    );
    child.stdin.end();
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (data: Buffer) => (output.stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output.stderr += data.toString()));
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(0);
    expect(output.stdout).toContain("simulated answer");
    expect(output.stderr.match(/^warning: The conversation is not kept\. Cannot write /gm)).toHaveLength(1);
    expect(readFileSync(file, "utf8").startsWith(before)).toBe(true);
    expect(await turnsOf(emulated)).toMatchObject([{ user: user("one") }]);
    expect((await emulated.run(["chat", "--session", "s", "two"])).code).toBe(0);
    expect(await turnsOf(emulated)).toMatchObject([{ user: user("one") }, { user: user("two") }]);
  });
});

describe("the file of a session", () => {
  it("has the question before it is asked, once, and its attachments once", async () => {
    let atCall = "";
    const emulated: Emulated = await emulate({
      script: ({ route }) => {
        if (route === "ConverseStream") atCall = readFileSync(file(), "utf8");
        return undefined;
      },
    });
    const file = (): string => path.join(emulated.home, ".openclaw", "sessions", "s.jsonl");
    const note = path.join(emulated.home, "note.txt");
    writeFileSync(note, "A note.");
    await emulated.run([...ask, "-f", note, "what is it?"]);
    expect(atCall).toContain("what is it?");
    expect(atCall).toContain(Buffer.from("A note.").toString("base64"));
    const after = readFileSync(file(), "utf8");
    expect(after.startsWith(atCall)).toBe(true);
    expect(after.split("what is it?")).toHaveLength(2 + 1);
    expect(after.split(Buffer.from("A note.").toString("base64"))).toHaveLength(2);
  });

  it("is whole whenever the program is killed, and goes on", { timeout: 240_000 }, async () => {
    const emulated = await emulate({ delayMs: 2 });
    await emulated.run([...ask, "begin"]);
    const rounds = isThorough ? 60 : 8;
    for (let round = 0; round < rounds; round += 1) {
      const before = (await turnsOf(emulated)).length;
      const child = emulated.start(["chat", "--session", "s", `question ${round}`]);
      const closed = once(child, "close");
      // Deterministic moments from the start of the process to the end of its answer.
      const timer = setTimeout(() => child.kill("SIGKILL"), 60 + ((round * 97) % 400));
      await closed;
      clearTimeout(timer);
      const turns = await turnsOf(emulated);
      expect(turns.length - before).toBeOneOf([0, 1]);
      if (turns.length > before) expect(turns.at(-1)?.user).toEqual(user(`question ${round}`));
    }
    const asked = new Set((await turnsOf(emulated)).map(({ user: question }) => question.content[0]?.text));
    const told = emulated.emulator.calls.map(
      ({ body }) => (body as { messages: { content: { text: string }[] }[] }).messages,
    );
    // Whatever has reached the model is in the session.
    for (const messages of told) expect(asked).toContain(messages.at(-1)?.content.at(-1)?.text);
    expect((await emulated.run(["chat", "--session", "s", "end"])).code).toBe(0);
  });

  it("with an answer whose question is damaged counts neither", async () => {
    const emulated = await emulate();
    await emulated.run([...ask, "one"]);
    const file = path.join(emulated.home, ".openclaw", "sessions", "s.jsonl");
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      "session",
      "turn",
      "answer",
    ]);
    appendFileSync(file, `rubbish\n${lines[2]}\n`);
    const { stdout } = await emulated.run(["sessions", "show", "s", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ damagedLines: 2, turns: [{ user: user("one") }] });
  });

  it("takes two questions at once one after the other, whatever becomes of the first", async () => {
    const emulated = await answering(HALF);
    const { child, closed } = await waiting(emulated);
    const second = emulated.start(["chat", "--session", "s", "two"]);
    const ended = once(second, "close");
    await new Promise<void>((resolve) =>
      second.stderr.on("data", (data: Buffer) => {
        if (data.toString().includes("waiting for process")) resolve();
      }),
    );
    child.kill("SIGINT");
    await closed;
    expect((await ended)[0]).toBe(0);
    expect(await turnsOf(emulated)).toMatchObject([
      { user: user("one"), assistant: assistant("Half an answer") },
      { user: user("two") },
    ]);
  });
});

describe("a turn with tools", () => {
  const chat = ["chat", "-m", MODEL, "--session", "s", "--tool", "read-file", "--allow", "read-file"];
  const calling = {
    text: "Let me look.",
    toolCalls: [{ name: "read-file", id: "a", input: { path: "notes.txt" } }],
  };
  const withNotes = async (...dialogue: object[]) => {
    const emulated = await emulate({ dialogue });
    writeFileSync(path.join(emulated.home, "notes.txt"), "Buy milk.\n```\n");
    return emulated;
  };

  it("is shown, exported and found with its calls and what they came to", async () => {
    const emulated = await withNotes(calling, { text: "You are to buy milk." });
    const { stdout, code } = await emulated.run([...chat, "one"]);
    expect({ stdout, code }).toEqual({ stdout: "Let me look.\n\nYou are to buy milk.\n", code: 0 });
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toBe(
      [
        "> one\n",
        "Let me look.\n",
        "• read-file notes.txt",
        "  └ 2 lines, 17 bytes: 1 Buy milk.\n",
        "You are to buy milk.\n",
      ].join("\n"),
    );
    const exported = (await emulated.run(["sessions", "export", "s"])).stdout;
    expect(exported).toContain(
      [
        "Let me look.",
        "Called `read-file`:",
        '```json\n{\n  "path": "notes.txt"\n}\n```',
        "It came to:",
        "````text\n1\tBuy milk.\n2\t```\n````",
        "You are to buy milk.",
      ].join("\n\n"),
    );
    const found = JSON.parse((await emulated.run(["sessions", "search", "look", "--json"])).stdout) as object;
    expect(found).toMatchObject({ count: 1, matches: [{ role: "answer" }] });
    const [turn] = await turnsOf(emulated);
    expect(turn).toMatchObject({
      messages: [user("one"), {}, { role: "user" }, assistant("You are to buy milk.")],
      assistant: assistant("You are to buy milk."),
    });
    await emulated.run(["chat", "--continue", "two"]);
    expect(lastBody(emulated)).toMatchObject({
      messages: [
        user("one"),
        { content: [{ text: "Let me look." }, { text: expect.stringContaining("called read-file") }] },
        { content: [{ text: expect.stringContaining("Buy milk.") }] },
        assistant("You are to buy milk."),
        user("two"),
      ],
    });
  });

  it("whose calls were left says so", async () => {
    const emulated = await withNotes(calling);
    await emulated.run([...ask, "--tool", "read-file", "--no-run", "one"]);
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toBe(
      "> one\n\nLet me look.\n\n• read-file notes.txt\n(its calls have no result)\n",
    );
  });

  it("that is killed before it is answered has what its tools came to, and goes on", async () => {
    let ask: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (ask = resolve));
    const emulated = await emulate({
      dialogue: [calling, { text: "Where were we?" }],
      script: ({ route, nth }) => {
        if (route !== "ConverseStream" || nth !== 2) return undefined;
        ask();
        return { stream: [begin, { end: "stall" }] };
      },
    });
    writeFileSync(path.join(emulated.home, "notes.txt"), "Buy milk.\n");
    const child = emulated.start([...chat, "one"]);
    const closed = once(child, "close");
    await isAsked;
    child.kill("SIGKILL");
    await closed;
    const [turn] = await turnsOf(emulated);
    expect(turn).toMatchObject({ stopReason: "interrupted", assistant: { content: [] } });
    expect(JSON.stringify(turn)).toContain("Buy milk.");
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toContain("Buy milk.\n(stopped here)\n");
    const { stdout, code } = await emulated.run([...chat, "two"]);
    expect({ stdout, code }).toEqual({ stdout: "Where were we?\n", code: 0 });
    expect(lastBody(emulated)).toMatchObject({
      messages: [
        user("one"),
        { content: [{ text: "Let me look." }, { toolUse: { toolUseId: "a" } }] },
        {
          content: [
            { toolResult: { toolUseId: "a", content: [{ text: "1\tBuy milk." }] } },
            { text: "two" },
            { cachePoint: {} },
          ],
        },
      ],
    });
  });
});
