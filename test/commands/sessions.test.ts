import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Script, StreamStep } from "../../src/emulator/script.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { createHome, openclaw } from "../helpers/openclaw.ts";
import { openTerminal } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const MODEL = "amazon.nova-lite-v1:0";
const CLAUDE = "us.anthropic.claude-sonnet-4-6";

const begin: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const delta = (delta: object, contentBlockIndex = 0): StreamStep => ({
  event: "contentBlockDelta",
  payload: { contentBlockIndex, delta },
});
const blockStop = (contentBlockIndex: number): StreamStep => ({
  event: "contentBlockStop",
  payload: { contentBlockIndex },
});
const end: readonly StreamStep[] = [
  { event: "messageStop", payload: { stopReason: "end_turn" } },
  { event: "metadata", payload: { usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 } } },
];
const answer = (text: string) => ({ stream: [begin, delta({ text }), ...end] });

function answering(...answers: readonly ReturnType<Script>[]): Promise<Emulated> {
  return emulate({ script: ({ route, nth }) => (route === "ConverseStream" ? answers[nth - 1] : undefined) });
}

const bodies = ({ emulator }: Emulated) =>
  emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ body }) => body as Record<string, unknown>);
function messagesOf<Block>(body: Record<string, unknown> | undefined): { content: Block[] }[] {
  return (body?.["messages"] ?? []) as { content: Block[] }[];
}

const user = (text: string) => ({ role: "user", content: [{ text }] });
const assistant = (text: string) => ({ role: "assistant", content: [{ text }] });
const folderIn = (home: string): string => path.join(home, ".openclaw", "sessions");
const fileIn = (home: string, id: string): string => path.join(folderIn(home), `${id}.jsonl`);

describe("chat --session", () => {
  it("begins a session and goes on with it, model and system prompt included", async () => {
    const emulated = await answering(answer("Hello."), answer("Again."));
    const first = await emulated.run([
      "chat",
      "-m",
      MODEL,
      "-s",
      "Be brief.",
      "--session",
      "build-42",
      "one",
    ]);
    expect(first).toMatchObject({
      code: 0,
      stdout: "Hello.\n",
      stderr: "openclaw: session build-42 is new\n",
    });
    const second = await emulated.run(["chat", "--session", "build-42", "two"]);
    expect(second).toMatchObject({ code: 0, stdout: "Again.\n", stderr: "" });
    expect(bodies(emulated)[1]).toEqual({
      system: [{ text: "Be brief." }],
      messages: [user("one"), assistant("Hello."), user("two")],
    });
    expect(emulated.emulator.calls[1]?.parameters["modelId"]).toBe(MODEL);
    expect(statSync(fileIn(emulated.home, "build-42")).mode & 0o777).toBe(0o600);
    expect(statSync(folderIn(emulated.home)).mode & 0o777).toBe(0o700);
    expect(readdirSync(folderIn(emulated.home))).toEqual(["build-42.jsonl"]);
  });

  it("names the session in the documents", async () => {
    const emulated = await emulate();
    const json = await emulated.run(["chat", "-m", MODEL, "--session", "s", "--json", "hi"]);
    expectSchema("chat", JSON.parse(json.stdout));
    expect(JSON.parse(json.stdout)).toMatchObject({ session: "s" });
    const ndjson = await emulated.run(["chat", "--session", "s", "--ndjson", "hi"]);
    const last = JSON.parse(ndjson.stdout.trimEnd().split("\n").at(-1) ?? "");
    expectSchema("chat-event", last);
    expect(last).toMatchObject({ type: "usage", session: "s" });
    const plain = await emulated.run(["chat", "-m", MODEL, "--json", "hi"]);
    expect(JSON.parse(plain.stdout)).not.toHaveProperty("session");
  });

  it("without it, and with --no-save, a question leaves no trace", async () => {
    const emulated = await emulate();
    await emulated.run(["chat", "-m", MODEL, "hi"]);
    expect(existsSync(folderIn(emulated.home))).toBe(false);
    await emulated.run(["chat", "-m", MODEL, "--session", "s", "one"]);
    const before = readFileSync(fileIn(emulated.home, "s"), "utf8");
    const unsaved = await emulated.run(["chat", "--session", "s", "--no-save", "two"]);
    expect(unsaved.code).toBe(0);
    expect(bodies(emulated)[2]).toMatchObject({ messages: [user("one"), {}, user("two")] });
    expect(readFileSync(fileIn(emulated.home, "s"), "utf8")).toBe(before);
    const rehearsal = await emulated.run(["chat", "--session", "s", "--dry-run", "three"]);
    expect(JSON.parse(rehearsal.stdout)).toMatchObject({ messages: [user("one"), {}, user("three")] });
    expect(readFileSync(fileIn(emulated.home, "s"), "utf8")).toBe(before);
  });

  it("keeps a turn as far as it came, and sends no question again that was withheld", async () => {
    const blocked = {
      stream: [begin, delta({ text: "No." }), { event: "messageStop", payload: { stopReason: "refusal" } }],
    };
    const emulated = await answering(
      answer("One."),
      { stream: [begin, delta({ text: "Tw" })] },
      blocked,
      answer("Two."),
    );
    for (const question of ["one", "two", "two", "two"])
      await emulated.run(["chat", "-m", MODEL, "--session", "s", question]);
    const sent = [user("one"), assistant("One."), user("two"), assistant("Tw"), user("two")];
    expect(bodies(emulated)[3]).toEqual({ messages: sent });
  });

  it("lets two questions at once follow one another", async () => {
    const emulated = await emulate();
    await emulated.run(["chat", "-m", MODEL, "--session", "s", "first"]);
    const results = await Promise.all(
      ["left", "right"].map((question) => emulated.run(["chat", "--session", "s", question])),
    );
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    const { stdout } = await emulated.run(["sessions", "show", "s", "--json"]);
    expect(JSON.parse(stdout).turns).toHaveLength(3);
    expect(messagesOf(bodies(emulated).at(-1))).toHaveLength(5);
  });

  it.each(["../x", "a/b", ".hidden", "a b", "x".repeat(129), ""])("refuses the id %j", async (id) => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", MODEL, "--session", id, "hi"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(emulated.emulator.calls).toEqual([]);
  });

  it("answers all the same, and says what keeps it from writing", async () => {
    const emulated = await emulate();
    mkdirSync(path.join(emulated.home, ".openclaw"));
    writeFileSync(folderIn(emulated.home), "not a folder");
    const result = await emulated.run(["chat", "-m", MODEL, "--session", "s", "hi"]);
    expect(result.code).toBe(0);
    expect(result.stdout).not.toBe("");
    expect(result.stderr).toMatch(/^warning: The conversation is not kept\. .*sessions/);
    expect(result.stderr).not.toContain("bug");
  });
});

describe("chat --continue", () => {
  it("goes on with the latest session of the folder it is run in", async () => {
    const emulated = await emulate();
    const [here, there] = ["here", "there"].map((name) => path.join(emulated.home, name));
    for (const folder of [here!, there!]) mkdirSync(folder);
    const chat = (cwd: string, ...args: string[]) => emulated.run(["chat", "-m", MODEL, ...args], { cwd });
    await chat(here!, "--session", "old", "old");
    await chat(here!, "--session", "new", "new");
    await chat(there!, "--session", "other", "other");
    const json = await chat(here!, "--continue", "--json", "more");
    expect(JSON.parse(json.stdout).session).toBe("new");
    expect(bodies(emulated).at(-1)).toMatchObject({ messages: [user("new"), {}, user("more")] });
    // The latest is the one that was written last, not the one that was begun last.
    const old = fileIn(emulated.home, "old");
    utimesSync(old, new Date(), new Date(Date.now() + 10_000));
    expect(JSON.parse((await chat(here!, "--continue", "--json", "more")).stdout).session).toBe("old");
    expect(JSON.parse((await chat(there!, "--continue", "--json", "more")).stdout).session).toBe("other");
  });

  it("says so where there is none, and together with --session", async () => {
    const emulated = await emulate();
    const none = await emulated.run(["chat", "-m", MODEL, "--continue", "hi"]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain(emulated.home);
    const both = await emulated.run(["chat", "-m", MODEL, "--continue", "--session", "s", "hi"]);
    expect(both).toMatchObject({ code: 2 });
    expect(emulated.emulator.calls).toEqual([]);
  });
});

describe("reasoning in the turns before", () => {
  const thoughts = Buffer.from([0, 1, 2, 253, 254, 255]).toString("base64");
  const reasoned = {
    stream: [
      begin,
      delta({ reasoningContent: { text: "First, " } }, 0),
      delta({ reasoningContent: { text: "think.\n" } }, 0),
      delta({ reasoningContent: { signature: "EqQBCkYIBxgCKkD+/sig" } }, 0),
      delta({ reasoningContent: { signature: "nature==" } }, 0),
      blockStop(0),
      delta({ reasoningContent: { redactedContent: thoughts } }, 1),
      blockStop(1),
      delta({ text: "Done." }, 2),
      blockStop(2),
      ...end,
    ],
  };
  const signed = {
    reasoningContent: {
      reasoningText: { text: "First, think.\n", signature: "EqQBCkYIBxgCKkD+/signature==" },
    },
  };
  const redacted = { reasoningContent: { redactedContent: thoughts } };

  it("goes back to the letter, in every later turn and whatever region it is asked in", async () => {
    const emulated = await answering(reasoned, answer("Two."), answer("Three."));
    await emulated.run(["chat", "-m", CLAUDE, "--session", "s", "one"]);
    await emulated.run(["chat", "--session", "s", "two"]);
    await emulated.run(["chat", "-m", "global.anthropic.claude-sonnet-4-6", "--session", "s", "three"]);
    const turn = { role: "assistant", content: [signed, redacted, { text: "Done." }] };
    expect(bodies(emulated)[1]).toEqual({ messages: [user("one"), turn, user("two")] });
    expect(bodies(emulated)[2]).toEqual({
      messages: [user("one"), turn, user("two"), assistant("Two."), user("three")],
    });
  });

  it("does not go to another model, and comes back with its own", async () => {
    const emulated = await answering(reasoned, answer("Two."), answer("Three."));
    await emulated.run(["chat", "-m", CLAUDE, "--session", "s", "one"]);
    await emulated.run(["chat", "-m", MODEL, "--session", "s", "two"]);
    await emulated.run(["chat", "-m", CLAUDE, "--session", "s", "three"]);
    expect(bodies(emulated)[1]).toEqual({ messages: [user("one"), assistant("Done."), user("two")] });
    expect(bodies(emulated)[2]).toMatchObject({
      messages: [{}, { content: [signed, redacted, { text: "Done." }] }, {}, {}, {}],
    });
  });

  it("without a signature does not go back at all", async () => {
    const unsigned = {
      stream: [
        begin,
        delta({ reasoningContent: { text: "Hm." } }, 0),
        blockStop(0),
        delta({ text: "Done." }, 1),
        ...end,
      ],
    };
    const emulated = await answering(unsigned, answer("Two."));
    await emulated.run(["chat", "-m", CLAUDE, "--session", "s", "one"]);
    await emulated.run(["chat", "--session", "s", "two"]);
    expect(bodies(emulated)[1]).toEqual({ messages: [user("one"), assistant("Done."), user("two")] });
  });

  it("is not sent to a fallback that answers in its model's place", async () => {
    const throttled = { error: { name: "ThrottlingException", message: "Too many requests", status: 429 } };
    const emulated = await answering(reasoned, throttled, answer("Two."));
    await emulated.run(["chat", "-m", CLAUDE, "--session", "s", "one"]);
    const result = await emulated.run(["chat", "-m", `${CLAUDE},${MODEL}`, "--session", "s", "two"], {
      env: { AWS_MAX_ATTEMPTS: "1" },
    });
    expect(result.code).toBe(0);
    expect(bodies(emulated)[1]).toMatchObject({ messages: [{}, { content: [signed, redacted, {}] }, {}] });
    expect(bodies(emulated)[2]).toEqual({ messages: [user("one"), assistant("Done."), user("two")] });
  });
});

describe("what belongs to a call and not to the conversation", () => {
  it("is left out of later turns: a cache point stands behind the newest question only", async () => {
    const emulated = await answering(answer("One."), answer("Two."));
    for (const question of ["one", "two"])
      await emulated.run(["chat", "-m", CLAUDE, "--cache", "5m", "--session", "s", question]);
    const cached = (text: string) => ({
      role: "user",
      content: [{ text }, { cachePoint: { type: "default" } }],
    });
    expect(bodies(emulated)[1]?.["messages"]).toEqual([user("one"), assistant("One."), cached("two")]);
  });

  it("is left out: a document keeps its name, and another file of the same name gets one of its own", async () => {
    const emulated = await emulate();
    for (const folder of ["a", "b"]) {
      mkdirSync(path.join(emulated.home, folder));
      writeFileSync(path.join(emulated.home, folder, "note.txt"), folder);
      await emulated.run(["chat", "-m", MODEL, "-f", `${folder}/note.txt`, "--session", "s", "Read."]);
    }
    const messages = messagesOf<{ document?: { name: string } }>(bodies(emulated)[1]);
    const names = messages.flatMap(({ content }) => content.flatMap(({ document }) => document?.name ?? []));
    expect(names).toEqual(["note (txt)", "note (txt) (2)"]);
  });

  it("is kept: what a structured answer said, as text", async () => {
    const emulated = await emulate();
    const schema = '{"type":"object","properties":{"colour":{"type":"string"}},"required":["colour"]}';
    const first = await emulated.run(["chat", "-m", CLAUDE, "--schema", schema, "--session", "s", "one"]);
    if (first.code !== 0) throw new Error(first.stderr);
    await emulated.run(["chat", "--session", "s", "two"]);
    const [, turn] = messagesOf<{ text: string }>(bodies(emulated).at(-1));
    expect(JSON.parse(turn?.content[0]?.text ?? "")).toEqual(JSON.parse(first.stdout));
  });
});

describe("a session that was cut off", () => {
  it("goes on with the turns that are whole", async () => {
    const emulated = await emulate();
    for (const question of ["one", "two"])
      await emulated.run(["chat", "-m", MODEL, "--session", "s", question]);
    const file = fileIn(emulated.home, "s");
    const whole = readFileSync(file, "utf8");
    appendFileSync(file, '{"type":"turn","at":"2026-11-22T10:00:00.000Z","key":"amazon-bedr');
    const shown = await emulated.run(["sessions", "show", "s"]);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    const third = await emulated.run(["chat", "--session", "s", "three"]);
    expect(third).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(file, "utf8").startsWith(whole)).toBe(true);
    const { stdout } = await emulated.run(["sessions", "show", "s", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ damagedLines: 0, turns: [{}, {}, {}] });
  });

  it("is not lost when the program is killed while it answers, waits or writes", async () => {
    const emulated = await emulate();
    await emulated.run(["chat", "-m", MODEL, "--session", "s", "question 0"]);
    let turns = 1;
    for (let round = 0; round < 6; round++) {
      const child = emulated.start(["chat", "--session", "s", `question ${round + 1}`]);
      // At another moment each time: the process starts, asks, prints, writes.
      if (round < 3) child.stdout.once("data", () => child.kill("SIGKILL"));
      else setTimeout(() => child.kill("SIGKILL"), 60 + 30 * round);
      await new Promise((resolve) => child.on("close", resolve));
      const { stdout } = await emulated.run(["sessions", "show", "s", "--json"]);
      const kept = JSON.parse(stdout);
      expect(kept.damagedLines).toBe(0);
      expect(kept.turns.length === turns || kept.turns.length === turns + 1).toBe(true);
      turns = kept.turns.length;
    }
    const last = await emulated.run(["chat", "--session", "s", "last"]);
    expect(last.code).toBe(0);
  });

  it("that a full disk left empty begins like a new one", async () => {
    const emulated = await emulate();
    const folder = path.join(emulated.home, ".openclaw", "sessions");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "q.jsonl"), "");
    const ask = ["chat", "-m", "amazon.nova-lite-v1:0", "--session", "q", "hi"];
    expect(await emulated.run(ask)).toMatchObject({ code: 0, stderr: "openclaw: session q is new\n" });
    const { stdout } = await emulated.run(["sessions", "show", "q", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ id: "q", damagedLines: 0, turns: [{}] });
  });

  it("with a line that is damaged goes on without it, and says so", async () => {
    const emulated = await emulate();
    await emulated.run(["chat", "-m", MODEL, "--session", "s", "one"]);
    appendFileSync(fileIn(emulated.home, "s"), "rubbish\n");
    const result = await emulated.run(["chat", "--session", "s", "two"]);
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/^warning: 1 line of .*s\.jsonl cannot be read/);
    expect(bodies(emulated)[1]).toMatchObject({ messages: [user("one"), {}, user("two")] });
  });

  it("that is no session is an error which names the file", async () => {
    const emulated = await emulate();
    mkdirSync(folderIn(emulated.home), { recursive: true });
    writeFileSync(fileIn(emulated.home, "s"), "something else\n");
    const result = await emulated.run(["chat", "-m", MODEL, "--session", "s", "hi"]);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain("s.jsonl");
    expect(readdirSync(folderIn(emulated.home))).toEqual(["s.jsonl"]);
  });
});

describe("openclaw sessions", () => {
  async function withSessions(): Promise<Emulated> {
    const emulated = await answering(answer("**Blue**, of course."), answer("Two."), answer("Three."));
    const folder = path.join(emulated.home, "work");
    mkdirSync(folder);
    writeFileSync(path.join(emulated.home, "note.txt"), "A note.");
    await emulated.run([
      "chat",
      "-m",
      MODEL,
      "-s",
      "Be brief.",
      "-f",
      "note.txt",
      "--session",
      "sky",
      "Why is\nthe sky blue?",
    ]);
    await emulated.run(["chat", "--session", "sky", "And the sea?"]);
    await emulated.run(["chat", "-m", MODEL, "--session", "sea", "Hello"], { cwd: folder });
    return emulated;
  }

  it("list: the latest first, a line of tab-separated fields for each in a pipe", async () => {
    const emulated = await withSessions();
    const { stdout, code, stderr } = await emulated.run(["sessions", "list"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const fields = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(fields.map(([id, , turns, title, model, folder]) => [id, turns, title, model, folder])).toEqual([
      ["sea", "1", "Hello", `amazon-bedrock/${MODEL}`, path.join(emulated.home, "work")],
      ["sky", "2", "Why is the sky blue?", `amazon-bedrock/${MODEL}`, emulated.home],
    ]);
    const here = await emulated.run(["sessions", "list", "--here", "--json"]);
    const document = JSON.parse(here.stdout);
    expectSchema("sessions-list", document);
    expect(document).toMatchObject({ count: 1, sessions: [{ id: "sky", turns: 2, folder: emulated.home }] });
  });

  it("list: aligned columns on a terminal", async () => {
    const emulated = await withSessions();
    const pty = openTerminal(["sessions", "list"], emulated.home, { columns: 200 });
    expect(await pty.exit).toBe(0);
    const [titles, first, second] = pty.lines();
    expect(titles).toMatch(/^Session +Written +Turns +First question +Model +Folder$/);
    expect(first).toMatch(/^sea +\d+ s ago +1 +Hello +amazon-bedrock\S+ +~\/work$/);
    expect(second).toMatch(/^sky +\d+ s ago +2 +Why is the sky blue\? +amazon-bedrock\S+ +~$/);
    const narrow = openTerminal(["sessions", "list"], emulated.home, { columns: 60 });
    await narrow.exit;
    for (const line of narrow.lines()) expect(line.length).toBeLessThanOrEqual(60);
  });

  it("list: says on a terminal that there is nothing, and where a session lies under the home folder", async () => {
    const home = createHome();
    const none = openTerminal(["sessions", "list"], home, { columns: 100 });
    expect(await none.exit).toBe(0);
    expect(none.lines().join("\n")).toContain("No session is kept; `openclaw chat` begins one.");
    const here = openTerminal(["sessions", "list", "--here"], home, { columns: 100 });
    expect(await here.exit).toBe(0);
    expect(here.lines().join("\n")).toContain("No session is kept of /");
  });

  it("list: nothing where there is nothing, and what is damaged as a warning", async () => {
    const home = createHome();
    expect(await openclaw(["sessions", "list"], home)).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "openclaw: No session is kept; `openclaw chat` begins one.\n",
    });
    mkdirSync(folderIn(home), { recursive: true });
    writeFileSync(fileIn(home, "bad"), "rubbish\n");
    const { stdout, code, stderr } = await openclaw(["sessions", "list", "--json"], home);
    expect(code).toBe(0);
    expectSchema("sessions-list", JSON.parse(stdout));
    expect(JSON.parse(stdout)).toMatchObject({ count: 0, warnings: [{ hint: "openclaw sessions rm bad" }] });
    expect(stderr).toContain("bad.jsonl");
    expect(await openclaw(["sessions", "rm", "bad"], home)).toMatchObject({ code: 0 });
    expect(readdirSync(folderIn(home))).toEqual([]);
  });

  it("show: the questions and the answers as they were", async () => {
    const emulated = await withSessions();
    const { stdout } = await emulated.run(["sessions", "show", "sky"]);
    expect(stdout).toBe(
      "> Why is\n> the sky blue?\n> [note (txt)]\n\n**Blue**, of course.\n\n> And the sea?\n\nTwo.\n",
    );
    const pty = openTerminal(["sessions", "show", "sky"], emulated.home);
    await pty.exit;
    expect(pty.lines().join("\n")).toContain("\nBlue, of course.\n");
    expect(pty.lookOf("Blue").isBold).toBe(true);
  });

  it("show --json: every content block, bytes as base64", async () => {
    const emulated = await withSessions();
    const { stdout } = await emulated.run(["sessions", "show", "sky", "--json"]);
    const document = JSON.parse(stdout);
    expectSchema("sessions-show", document);
    expect(document).toMatchObject({ id: "sky", folder: emulated.home, damagedLines: 0 });
    expect(document.turns[0]).toMatchObject({
      key: `amazon-bedrock/${MODEL}`,
      model: MODEL,
      system: "Be brief.",
      stopReason: "end_turn",
      usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 },
      assistant: assistant("**Blue**, of course."),
    });
    expect(document.turns[0].user.content[0]).toEqual({
      document: {
        format: "txt",
        name: "note (txt)",
        source: { bytes: { $bytes: Buffer.from("A note.").toString("base64") } },
      },
    });
  });

  it("export: Markdown, or the same document as show", async () => {
    const emulated = await withSessions();
    const { stdout } = await emulated.run(["sessions", "export", "sky"]);
    const [, begun] = /begun (\S+) in/.exec(stdout) ?? [];
    expect(stdout).toBe(
      [
        "# Why is the sky blue?",
        `Session \`sky\`, begun ${begun} in \`${emulated.home}\`.`,
        "## System prompt",
        "Be brief.",
        "## Question",
        "Why is\nthe sky blue?",
        "Attached: note (txt)",
        `## Answer of ${MODEL}`,
        "**Blue**, of course.",
        "## Question",
        "And the sea?",
        `## Answer of ${MODEL}`,
        "Two.\n",
      ].join("\n\n"),
    );
    const json = await emulated.run(["sessions", "export", "sky", "--json"]);
    expect(json.stdout).toBe((await emulated.run(["sessions", "show", "sky", "--json"])).stdout);
  });

  it("rm: removes what is named, or nothing", async () => {
    const emulated = await withSessions();
    const refused = await emulated.run(["sessions", "rm", "sea", "skj"]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toBe("error: There is no session 'skj'.\nhint: Did you mean sky?\n");
    expect(readdirSync(folderIn(emulated.home)).sort()).toEqual(["sea.jsonl", "sky.jsonl"]);
    const removed = await emulated.run(["sessions", "rm", "sea", "sky", "sea", "--json"]);
    expectSchema("sessions-rm", JSON.parse(removed.stdout));
    expect(JSON.parse(removed.stdout)).toEqual({ removed: ["sea", "sky"] });
    expect(readdirSync(folderIn(emulated.home))).toEqual([]);
  });

  it.each([
    [["show", "none"], 2],
    [["export", "../../etc/passwd"], 2],
    [["rm", "none"], 2],
    [["rm"], 2],
    [["show"], 2],
  ])("refuses %j", async (args, code) => {
    const home = createHome();
    const result = await openclaw(["sessions", ...args], home);
    expect(result).toMatchObject({ code, stdout: "" });
    const json = await openclaw(["sessions", ...args, "--json"], home);
    expectSchema("error", JSON.parse(json.stdout));
  });

  it("says when the sessions cannot be read", async () => {
    const home = createHome();
    mkdirSync(path.join(home, ".openclaw"));
    writeFileSync(folderIn(home), "not a folder");
    const result = await openclaw(["sessions", "list"], home);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^error: Cannot read .*sessions: .*\nhint: ls -ld /);
  });
});

describe("half a character", () => {
  it("of an answer is U+FFFD on the screen, in the session and in the next request", async () => {
    const stream = [begin, delta({ text: "a\ud83d" }), delta({ text: "\ude00, cut \ud83d" }), ...end];
    const emulated = await answering({ stream }, answer("Yes."));
    const first = await emulated.run(["chat", "-m", MODEL, "--session", "half", "one"]);
    expect(first).toMatchObject({ code: 0, stdout: "a😀, cut \ufffd\n" });
    expect(await emulated.run(["chat", "-m", MODEL, "--session", "half", "two"])).toMatchObject({ code: 0 });
    const file = path.join(emulated.home, ".openclaw", "sessions", "half.jsonl");
    expect(readFileSync(file, "utf8")).not.toMatch(/\\ud[89a-f]/i);
    expect(messagesOf(bodies(emulated)[1])[1]?.content).toEqual([{ text: "a😀, cut \ufffd" }]);
  });
});

describe("signed reasoning", () => {
  const thought = (text: string) => ({
    stream: [
      begin,
      delta({ reasoningContent: { text: "Hm." } }),
      delta({ reasoningContent: { signature: "c2ln" } }),
      blockStop(0),
      delta({ text }, 1),
      ...end,
    ],
  });

  it("goes back under the same system prompt, and is left out with a notice under another", async () => {
    const emulated = await answering(thought("1"), thought("2"), thought("3"), thought("4"));
    const ask = async (system: string) =>
      (await emulated.run(["chat", "-m", CLAUDE, "--session", "bound", "-s", system, "next"])).stderr;
    expect(await ask("Be brief.")).not.toContain("reasoning");
    expect(await ask("Be brief.")).not.toContain("reasoning");
    expect(await ask("Sing.")).toContain("earlier reasoning");
    expect(await ask("Sing.")).not.toContain("reasoning");
    const reasoned = bodies(emulated).map((body) => JSON.stringify(body).match(/"signature"/g)?.length ?? 0);
    expect(reasoned).toEqual([0, 1, 0, 1]);
  });
});
