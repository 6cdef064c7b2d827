import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, vi, onTestFinished } from "vitest";
import type { Script, StreamStep } from "../../../src/emulator/script.ts";
import { type Emulated, emulate } from "../../helpers/emulated.ts";
import { PIXEL } from "../../helpers/pixel.ts";
import { openPty, openTerminal, type Pty, type Sight, type TerminalOptions } from "../../helpers/pty.ts";
import { openclaw, pathWithOpenclaw } from "../../helpers/openclaw.ts";
import { isRunning } from "../../helpers/is-running.ts";
import { writeSharedFiles } from "../../helpers/shared-files.ts";

const MODEL = "amazon.nova-lite-v1:0";
const ENTER = "\r";
const ALT_ENTER = "\u001B\r";
const UP = "\u001B[A";
const CTRL_A = "\u0001";
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const ESC = "\u001B";
const TAB = "\t";
const DIM_HINT = "Ctrl-C again leaves";

const delta = (text: string): StreamStep => ({
  event: "contentBlockDelta",
  payload: { contentBlockIndex: 0, delta: { text } },
});
const begin: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const end: readonly StreamStep[] = [
  { event: "contentBlockStop", payload: { contentBlockIndex: 0 } },
  { event: "messageStop", payload: { stopReason: "end_turn" } },
  { event: "metadata", payload: { usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 } } },
];
const answer = (...texts: string[]): { stream: StreamStep[] } => ({
  stream: [begin, ...texts.map(delta), ...end],
});

/** Answers the questions one after the other; the emulator answers those that follow. */
function answering(...answers: readonly ReturnType<Script>[]): Promise<Emulated> {
  return emulate({
    script: ({ route, nth }) => (route === "ConverseStream" ? answers[nth - 1] : undefined),
  });
}

interface Sitting extends Emulated {
  pty: Sight;
}

async function sitDown(
  emulated: Emulated,
  args: string[] = [],
  options: TerminalOptions = {},
): Promise<Sitting> {
  const model =
    args.includes("-m") || args.includes("--continue") || args.includes("--session") ? [] : ["-m", MODEL];
  const pty = openTerminal(["chat", ...model, ...args], emulated.home, {
    ...options,
    env: { ...emulated.env, ...options.env },
  });
  await pty.see(/\n> $/);
  return { ...emulated, pty };
}

/** A shell at a terminal, which has jobs. */
async function openShell(): Promise<Pty> {
  const emulated = await emulate();
  const pty = openPty([], emulated.home, {
    command: ["bash", "--norc", "--noprofile", "-i"],
    env: { ...emulated.env, PATH: pathWithOpenclaw(emulated.home), PS1: "shell$ " },
  });
  await pty.see(/shell\$ $/);
  return pty;
}

/** Begins a conversation in a shell, and half a question. */
async function beginQuestion(shell: Pty): Promise<void> {
  shell.type(`openclaw chat -m ${MODEL}${ENTER}`);
  await shell.see(/\n> $/);
  shell.type("half a ");
  await shell.see(/> half a $/);
}

/** Types a question and waits for the end of its answer. */
async function ask(pty: Sight, question: string, last: string): Promise<void> {
  pty.type(question + ENTER);
  await pty.see(new RegExp(`${last}\\n\\n> $`));
}

const bodies = ({ emulator }: Emulated) =>
  emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ body }) => withoutCachePoints(body) as Record<string, unknown>);
/** What was said, whether it is cached or not. */
const withoutCachePoints = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.filter((item) => !Object.hasOwn(Object(item), "cachePoint")).map(withoutCachePoints)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutCachePoints(item)]))
      : value;
const user = (text: string) => ({ role: "user", content: [{ text }] });
const assistant = (text: string) => ({ role: "assistant", content: [{ text }] });

describe("a conversation at the terminal", () => {
  it("sends everything that was said before with each question", async () => {
    const emulated = await answering(answer("Hello ", "Ada."), answer("Ada, again."));
    const sitting = await sitDown(emulated, [], { isAlone: true });
    await ask(sitting.pty, "I am Ada.", "Hello Ada.");
    await ask(sitting.pty, "Who am I?", "Ada, again.");
    sitting.pty.type(CTRL_D);
    expect(await sitting.pty.exit).toBe(0);
    expect(bodies(sitting)).toEqual([
      { messages: [user("I am Ada.")] },
      { messages: [user("I am Ada."), assistant("Hello Ada."), user("Who am I?")] },
    ]);
  });

  it("is kept, and goes on where it was left, with its model and system prompt", async () => {
    const emulated = await emulate();
    const first = await sitDown(emulated, ["-s", "Be brief."]);
    await ask(first.pty, "One", "asked: One");
    first.pty.type(`/exit${ENTER}`);
    expect(await first.pty.exit).toBe(0);
    const id = /chat --session (\w+)/.exec(first.pty.lines().join("\n"))?.[1];
    const second = await sitDown(emulated, ["--continue"]);
    expect(second.pty.lines()[0]).toContain(`session ${id}, 1 so far`);
    // What was said last is there to go on from.
    expect(second.pty.lines().slice(1, -1).join(" ")).toMatch(
      /> One This is a simulated answer .*asked: One $/,
    );
    await ask(second.pty, "Two", "asked: Two");
    expect(bodies(emulated)[1]).toMatchObject({
      system: [{ text: "Be brief." }],
      messages: [{ role: "user" }, { role: "assistant" }, user("Two")],
    });
    expect(emulated.emulator.calls[1]?.parameters["modelId"]).toBe(MODEL);
  });

  it("takes what was typed while an answer came as the next question", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const sitting = await sitDown(
      await answering(
        { stream: [begin, delta("First "), { wait: held }, delta("done."), ...end] },
        answer("Second."),
      ),
    );
    sitting.pty.type(`one${ENTER}`);
    await sitting.pty.see("First");
    sitting.pty.type(`two${ENTER}and th`);
    // It is seen until it is asked, within a line of the answer, too.
    await sitting.pty.see(/First\n> two↵ and th$/);
    sitting.pty.type("\u007F\u007F\u007F\u007F\u007F\u007F");
    await sitting.pty.see(/First\n> two↵ ?$/);
    release();
    await sitting.pty.see(/First done\.\n\n> two\nSecond\.\n\n> $/);
  });

  it("writes the answers to a pipe as they came, and what is for the person to the terminal", async () => {
    const emulated = await answering(answer("**Bold** words."));
    const pty = openPty([], emulated.home, {
      command: ["sh", "-c", `openclaw chat -m ${MODEL} | cat > out.txt`],
      env: { ...emulated.env, PATH: pathWithOpenclaw(emulated.home) },
    });
    await pty.see(/\n> $/);
    pty.type(`hi${ENTER}`);
    await pty.see(/> hi\n\n> $/);
    pty.type(CTRL_D);
    expect(await pty.exit).toBe(0);
    expect(readFileSync(path.join(emulated.home, "out.txt"), "utf8")).toBe("**Bold** words.\n");
  });
});

describe("reasoning", () => {
  const thought = (text: string): StreamStep => ({
    event: "contentBlockDelta",
    payload: { contentBlockIndex: 0, delta: { reasoningContent: { text } } },
  });
  const words: StreamStep = {
    event: "contentBlockDelta",
    payload: { contentBlockIndex: 1, delta: { text: "Yes." } },
  };

  it("is shown dimmed above the answer, between words", async () => {
    const long = "I have to think about this for a while, which takes more than one line.";
    const steps = [...long.split(/(?<= )/), "\nSo ", ..."👩‍👧."].map(thought);
    const sitting = await sitDown(await answering({ stream: [begin, ...steps, words, ...end] }), [], {
      columns: 60,
    });
    await ask(sitting.pty, "hi", "Yes\\.");
    expect(sitting.pty.lines().slice(-7, -2)).toEqual([
      "I have to think about this for a while, which takes more",
      "than one line.",
      "So 👩‍👧.",
      "",
      "Yes.",
    ]);
    expect(sitting.pty.lookOf("think").isDim).toBe(true);
    expect(sitting.pty.lookOf("Yes.").isDim).toBe(false);
  });

  it("that is stopped ends its line", async () => {
    const stalled = {
      stream: [begin, thought("Hm, let me"), thought(" see "), { end: "stall" } as StreamStep],
    };
    const sitting = await sitDown(await answering(stalled));
    sitting.pty.type(`hi${ENTER}`);
    await sitting.pty.see("let me");
    sitting.pty.type(CTRL_C);
    await sitting.pty.see(/Hm, let me see\n\(stopped\)\n\n> $/);
  });
});

describe("the line editor", () => {
  it("has the history of this session and of those before", async () => {
    const emulated = await emulate();
    const first = await sitDown(emulated);
    await ask(first.pty, "alpha", "asked: alpha");
    await ask(first.pty, "beta", "asked: beta");
    first.pty.type(CTRL_D);
    await first.pty.exit;
    const second = await sitDown(emulated);
    second.pty.type(UP);
    await second.pty.see(/> beta$/);
    second.pty.type(UP);
    await second.pty.see(/> alpha$/);
    second.pty.type(`!${ENTER}`);
    await second.pty.see("asked: alpha!");
    // What is typed first chooses among the entries.
    second.pty.type(`be${UP}`);
    await second.pty.see(/> beta$/);
    const file = path.join(emulated.home, ".openclaw", "chat-history.jsonl");
    expect(readFileSync(file, "utf8")).toBe('"alpha"\n"beta"\n"alpha!"\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('takes several lines between """, after Alt-Enter and after a backslash', async () => {
    const sitting = await sitDown(await emulate());
    sitting.pty.type(`"""${ENTER}one${ENTER}${ENTER}two${ENTER}"""${ENTER}`);
    await sitting.pty.see(/two\n\n> $/);
    sitting.pty.type(`three${ALT_ENTER}four${ENTER}`);
    await sitting.pty.see(/four\n\n> $/);
    sitting.pty.type(`five\\${ENTER}six${ENTER}`);
    await sitting.pty.see(/six\n\n> $/);
    expect(bodies(sitting).map(({ messages }) => (messages as object[]).at(-1))).toEqual([
      user("one\n\ntwo"),
      user("three\nfour"),
      user("five\nsix"),
    ]);
  });

  it("sends a pasted text only when Enter is pressed, whole and with its tabs", async () => {
    const sitting = await sitDown(await emulate());
    sitting.pty.type("see: \u001B[200~if x:\r\ty()\r\r/exit\r\u0003\u001B[201~");
    await sitting.pty.see("/exit");
    sitting.pty.type(`done${ENTER}`);
    await sitting.pty.see(/done\n\n> $/);
    expect(bodies(sitting)[0]).toEqual({ messages: [user("see: if x:\n\ty()\n\n/exit\n\u0003done")] });
  });

  it("edits over the edge of a screen, whose size may change meanwhile", async () => {
    const sitting = await sitDown(await emulate(), [], { columns: 30 });
    const { pty } = sitting;
    const long = "The quick brown fox jumps over the lazy dog and runs.";
    pty.type(long);
    await pty.see("runs.");
    expect(pty.lines().slice(-2)).toEqual(["> The quick brown fox jumps ov", "er the lazy dog and runs."]);
    pty.type(`${CTRL_A}See: `);
    await pty.see("> See: The quick");
    await pty.resize(50, 20);
    await pty.see("> See: The quick brown fox jumps over the lazy dog\n");
    pty.type("now: ");
    await pty.see("> See: now: The");
    await pty.resize(24, 20);
    await pty.see(/> See: now: The quick br\nown fox/);
    pty.type(ENTER);
    await pty.see(/asked:[\s\S]*runs\.\n\n> $/);
    expect(bodies(sitting)[0]).toEqual({ messages: [user(`See: now: ${long}`)] });
    // Nothing of what was redrawn is left behind.
    expect(pty.lines().filter((line) => line.startsWith("> See:"))).toHaveLength(1);
  });

  it("clears the screen and goes through the history with the keys of a shell", async () => {
    const { pty } = await sitDown(await emulate());
    await ask(pty, "alpha", "asked: alpha");
    await ask(pty, "beta", "asked: beta");
    pty.type("gam\u000C");
    await pty.see(/^> gam$/);
    pty.type("\u0015\u0010\u0010");
    await pty.see(/> alpha$/);
    // Older than the oldest there is none.
    pty.type("\u0010!");
    await pty.see(/> alpha!$/);
    pty.type("\u0015\u0010\u000E");
    await pty.see(/> $/);
    // Newer than what is typed there is none either.
    pty.type("x\u000Ey");
    await pty.see(/> xy$/);
  });

  it("goes from line to line in a text of several", async () => {
    const sitting = await sitDown(await emulate());
    sitting.pty.type(`one${ALT_ENTER}two${UP}1\u001B[B2${ENTER}`);
    await sitting.pty.see(/asked: [\s\S]*\n\n> $/);
    expect(bodies(sitting)[0]).toEqual({ messages: [user("one1\ntwo2")] });
  });

  it("shows the part around the cursor of a text that is higher than the screen", async () => {
    const sitting = await sitDown(await emulate(), [], { rows: 10 });
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    sitting.pty.type(`\u001B[200~${lines.join("\r")}\u001B[201~`);
    await sitting.pty.see(/line 39$/);
    sitting.pty.type(ENTER);
    await sitting.pty.see(/line 39\n\n> $/);
    expect(bodies(sitting)[0]).toEqual({ messages: [user(lines.join("\n"))] });
  });

  it("completes commands, models, files and levels", async () => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "notes one.txt"), "x");
    writeFileSync(path.join(emulated.home, "notes two.txt"), "x");
    const { pty } = await sitDown(emulated);
    pty.type(`/re${TAB}${TAB}`);
    await pty.see(/\/reasoning\s+\/retry\n> \/re$/);
    pty.type(`a${TAB}hi${TAB}`);
    await pty.see(/> \/reasoning high $/);
    pty.type(`${CTRL_C}/model us.anthropic.claude-opus-4-6${TAB}`);
    await pty.see(/> \/model us\.anthropic\.claude-opus-4-6-v1 $/);
    // Any part of a name does where none begins so.
    pty.type(`${CTRL_C}/model eu opus 4.6${TAB}`);
    await pty.see(/> \/model eu\.anthropic\.claude-opus-4-6-v1 $|> \/model eu opus 4\.6$/);
    pty.type(`${CTRL_C}/model Opus 4.6${TAB}${TAB}`);
    await pty.see(/global\.anthropic\.claude-opus-4-6-v1[\s\S]*> \/model /);
    pty.type(`${CTRL_C}/file no${TAB}t${TAB}`);
    await pty.see(/> \/file notes\\ two\.txt $/);
  });
});

describe("Ctrl-C", () => {
  const halfAnswer = { stream: [begin, delta("Half of"), { end: "stall" } as StreamStep] };

  it("stops an answer and keeps what came, and the session; a second one leaves", async () => {
    const sitting = await sitDown(await answering(halfAnswer, answer("Whole.")));
    sitting.pty.type(`one${ENTER}`);
    await sitting.pty.see("Half");
    sitting.pty.type(CTRL_C);
    await sitting.pty.see(/Half of\n\(stopped\)\n\n> $/);
    await ask(sitting.pty, "two", "Whole\\.");
    expect(bodies(sitting)[1]).toEqual({ messages: [user("one"), assistant("Half of"), user("two")] });
    sitting.pty.type(CTRL_C);
    await sitting.pty.see(DIM_HINT);
    sitting.pty.type(CTRL_C);
    expect(await sitting.pty.exit).toBe(0);
    expect(sitting.pty.lines().at(-1)).toMatch(/^To go on: openclaw chat --session \w{6}$/);
  });

  it("says how to go on with the flags that the models were found by", async () => {
    const emulated = await answering(answer("Whole."));
    const flags = ["--region", "eu-west-1", "--endpoint-url", emulated.emulator.url];
    const sitting = await sitDown(emulated, flags);
    await ask(sitting.pty, "one", "Whole\\.");
    sitting.pty.type(`/exit${ENTER}`);
    expect(await sitting.pty.exit).toBe(0);
    expect(sitting.pty.output()).toMatch(
      new RegExp(`To go on:\\S*\\s+\\S*openclaw chat .*${flags.join(" ")} --session \\w{6}`),
    );
  });

  it("asks before it leaves right after it has stopped an answer", async () => {
    const sitting = await sitDown(await answering(halfAnswer));
    sitting.pty.type(`one${ENTER}`);
    await sitting.pty.see("Half");
    sitting.pty.type(CTRL_C);
    await sitting.pty.see(/\(stopped\)\n\n> $/);
    sitting.pty.type(CTRL_C);
    await sitting.pty.see(new RegExp(`${DIM_HINT}.*\\n> $`));
    sitting.pty.type(CTRL_C);
    expect(await sitting.pty.exit).toBe(0);
  });

  it("is not the only key that stops an answer: Esc does, and leaves what was typed meanwhile alone", async () => {
    const sitting = await sitDown(await answering(halfAnswer, answer("Whole.")));
    sitting.pty.type(`one${ENTER}`);
    await sitting.pty.see("Half");
    // The keys of an arrow begin with the same character, and stop nothing.
    sitting.pty.type(`tw${ESC}[Do`);
    sitting.pty.type("!");
    sitting.pty.type(ESC);
    await sitting.pty.see(/Half of\n\(stopped\)\n\n> to!w$/);
    // Where nothing is to be stopped it does nothing.
    sitting.pty.type(ESC);
    sitting.pty.type(`${ESC}[F${ENTER}`);
    await sitting.pty.see(/> to!w\nWhole\.\n\n> $/);
  });

  it("stops a model that says nothing at once, and asks the same again with /retry", async () => {
    const sitting = await sitDown(await answering({ drop: "stall" }, answer("There.")));
    sitting.pty.type(`one${ENTER}`);
    // The spinner, with the model that is waited for.
    await sitting.pty.see(new RegExp(`\\S ${MODEL}`));
    await vi.waitFor(() => expect(bodies(sitting)).toHaveLength(1));
    sitting.pty.type(CTRL_C);
    await sitting.pty.see(/> one\n\(stopped\)\n\n> $/);
    await ask(sitting.pty, "/retry", "There\\.");
    expect(bodies(sitting)[1]).toEqual({ messages: [user("one")] });
  });

  it("takes back what was typed, and does not leave for it", async () => {
    const sitting = await sitDown(await emulate());
    sitting.pty.type(`rubbish${CTRL_C}`);
    await sitting.pty.see(/> rubbish\^C\n> $/);
    await ask(sitting.pty, "sense", "asked: sense");
    expect(bodies(sitting)).toEqual([{ messages: [user("sense")] }]);
  });
});

describe("slash commands", () => {
  it("/model, /system and /reasoning change what is sent from then on", async () => {
    const sitting = await sitDown(await emulate());
    const { pty } = sitting;
    await ask(
      pty,
      "/model us.anthropic.claude-sonnet-4-6",
      "model: amazon-bedrock/us.anthropic.claude-sonnet-4-6",
    );
    await ask(pty, "/system Be kind.", "system prompt: Be kind\\.");
    await ask(pty, "/reasoning low", "reasoning: low");
    await ask(pty, "hi", "asked: hi");
    await ask(pty, "/system none", "system prompt: none");
    await ask(pty, "/reasoning off", "reasoning: off");
    await ask(pty, "again", "asked: again");
    const calls = sitting.emulator.calls.filter(({ route }) => route === "ConverseStream");
    expect(calls.map(({ parameters }) => parameters["modelId"])).toEqual(
      Array.from({ length: 2 }, () => "us.anthropic.claude-sonnet-4-6"),
    );
    expect(bodies(sitting)[0]).toMatchObject({
      system: [{ text: "Be kind." }],
      additionalModelRequestFields: { output_config: { effort: "low" } },
    });
    expect(bodies(sitting)[1]).not.toHaveProperty("system");
  });

  it("/file attaches to the next question, and its content goes with every later one", async () => {
    const emulated = await emulate();
    mkdirSync(path.join(emulated.home, "my files"));
    writeFileSync(path.join(emulated.home, "my files", "note.txt"), "The code is 42.");
    const sitting = await sitDown(emulated);
    await ask(
      sitting.pty,
      "/file ~/my\\ files/note.txt",
      "note\\.txt \\(txt, 15\\s+bytes, about 4 tokens\\)",
    );
    await ask(sitting.pty, "What is the code?", "1 document\\.");
    await ask(sitting.pty, "Sure?", "asked: Sure\\?");
    const document = {
      document: {
        format: "txt",
        name: "note (txt)",
        source: { bytes: Buffer.from("The code is 42.").toString("base64") },
      },
    };
    const question = { role: "user", content: [document, { text: "What is the code?" }] };
    expect(bodies(sitting)[0]).toEqual({ messages: [question] });
    expect(bodies(sitting)[1]).toMatchObject({ messages: [question, { role: "assistant" }, user("Sure?")] });
    await ask(sitting.pty, "/file nowhere.txt", "hint: .*");
    expect(sitting.pty.lines().join("\n")).toContain("nowhere.txt");
    await ask(sitting.pty, '/file ""', "error: '' cannot be read: the name is empty\\.\nhint: .*");
  });

  it("/file, /system and /reasoning say what is set, and none takes it back", async () => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "big.txt"), "x".repeat(2500));
    writeFileSync(path.join(emulated.home, "huge.txt"), "y".repeat(1_500_000));
    const sitting = await sitDown(emulated);
    await ask(sitting.pty, "/file", "with the next question: no file");
    await ask(sitting.pty, "/file ~/big.txt", "big\\.txt \\(txt, 3 kB, about 625\\s+tokens\\)");
    await ask(sitting.pty, "/file ~/huge.txt", "huge\\.txt \\(txt, 1\\.5 MB, about\\s+375,000\\s+tokens\\)");
    await ask(sitting.pty, "/file none", "with the next question: no file");
    await ask(sitting.pty, "/system", "system prompt: none");
    await ask(sitting.pty, "/system Be brief.", "system prompt: Be brief\\.");
    await ask(sitting.pty, "/system none", "system prompt: none");
    await ask(sitting.pty, "/reasoning", "reasoning: as the model does by itself");
    await ask(sitting.pty, "/reasoning much", "hint: Choose one of: .*");
    await ask(sitting.pty, "/model", `model: amazon-bedrock/${MODEL}`);
    await ask(sitting.pty, "/mdoel", "hint: .*");
    await ask(sitting.pty, "hi", "asked: hi");
    expect(bodies(sitting)).toEqual([{ messages: [user("hi")] }]);
  });

  it("/web and /citations turn what answers are grounded in on and off, and /attach is /file", async () => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "sky.txt"), "Blue.");
    const sitting = await sitDown(emulated, ["-m", "us.amazon.nova-2-lite-v1:0", "--web"]);
    await ask(sitting.pty, "/web", "web: on");
    await ask(sitting.pty, "hi", "\\[2\\] A simulated page.*");
    await ask(sitting.pty, "/web off", "web: off");
    await ask(sitting.pty, "/web maybe", "hint: /web on");
    await ask(sitting.pty, "/model us.anthropic.claude-sonnet-4-6", "model: .*");
    await ask(sitting.pty, "/citations on", "citations: on");
    await ask(sitting.pty, "/attach sky.txt", "with the next question: sky\\.txt .*");
    await ask(sitting.pty, "why", "\\[1\\] sky \\(txt\\), characters .*");
    const [first, second] = sitting.emulator.calls
      .filter(({ route }) => route === "ConverseStream")
      .map(({ body }) => JSON.stringify(body));
    expect(first).toContain("nova_grounding");
    expect(second).not.toContain("nova_grounding");
    expect(second).toContain('"citations":{"enabled":true}');
  });

  it("/retry asks the last question again, and its answer takes the place of the old one", async () => {
    const sitting = await sitDown(await answering(answer("Bad."), answer("Good."), answer("Next.")));
    await ask(sitting.pty, "one", "Bad\\.");
    await ask(sitting.pty, "/retry", "Good\\.");
    await ask(sitting.pty, "two", "Next\\.");
    expect(bodies(sitting).slice(1)).toEqual([
      { messages: [user("one")] },
      { messages: [user("one"), assistant("Good."), user("two")] },
    ]);
    sitting.pty.type(CTRL_D);
    await sitting.pty.exit;
    const id = /--session (\w+)/.exec(sitting.pty.lines().at(-1) ?? "")?.[1] ?? "";
    const { stdout } = await sitting.run(["sessions", "show", id]);
    expect(stdout).toBe("> one\n\nGood.\n\n> two\n\nNext.\n");
  });

  it("/clear begins anew, and the old conversation stays", async () => {
    const sitting = await sitDown(await emulate());
    await ask(sitting.pty, "one", "asked: one");
    await ask(sitting.pty, "/clear", "a new conversation");
    await ask(sitting.pty, "two", "asked: two");
    expect(bodies(sitting)[1]).toEqual({ messages: [user("two")] });
    sitting.pty.type(CTRL_D);
    await sitting.pty.exit;
    const { stdout } = await sitting.run(["sessions", "list", "--json"]);
    expect(JSON.parse(stdout).sessions.map(({ title }: { title: string }) => title)).toEqual(["two", "one"]);
  });

  it("/model looks the model up at once, and the old one stays where there is none", async () => {
    const sitting = await sitDown(await emulate());
    await ask(sitting.pty, "/model nope", "error: There is no model 'nope'\\.\\nhint: .*");
    await ask(sitting.pty, "/model amazon.nova-nope-v1:0", "hint: Did you mean .*");
    await ask(sitting.pty, "/model amazon.titan-embed-text-v2:0", "chat cannot call it\\.\\nhint: .*");
    await ask(sitting.pty, "/model llama", "hint: Name one of them, for example .*");
    await ask(sitting.pty, "/model", `model: amazon-bedrock/${MODEL}`);
    await ask(
      sitting.pty,
      "/model opus, nova pro",
      "model: amazon-bedrock/us\\.anthropic\\.claude-opus-4-8, then\\namazon-bedrock/amazon\\.nova-pro-v1:0",
    );
    await ask(sitting.pty, "hi", "asked: hi");
    expect(sitting.emulator.calls.at(-1)?.parameters["modelId"]).toBe("us.anthropic.claude-opus-4-8");
  });

  it("/model tells at once through which profile a model is called, and the next question does not", async () => {
    const sitting = await sitDown(await emulate());
    const told =
      "anthropic\\.claude-sonnet-4-6 is called through the inference profile\\s+us\\.anthropic\\.claude-sonnet-4-6";
    await ask(sitting.pty, "/model anthropic.claude-sonnet-4-6", `${told}\nmodel: .*`);
    await ask(sitting.pty, "hi", "asked: hi");
    expect(sitting.pty.lines().join("\n").match(new RegExp(told, "g"))).toHaveLength(1);
    await ask(sitting.pty, `/model ${MODEL}`, "model: .*");
    await ask(sitting.pty, "/model anthropic.claude-sonnet-4-6", `${told}\nmodel: .*`);
  });

  it("/model sends nobody's data to any region by itself", async () => {
    const sitting = await sitDown(await emulate(), ["--region", "ap-southeast-1"]);
    const id = "anthropic.claude-opus-4-8";
    await ask(sitting.pty, `/model ${id}`, `If your data may go to any region: /model global\\.${id}`);
    await ask(sitting.pty, "/model", `model: amazon-bedrock/${MODEL}`);
  });

  it("/usage sums up, answers that were asked again too", async () => {
    const sitting = await sitDown(await answering(answer("a"), answer("b")));
    await ask(sitting.pty, "/usage", "nothing was asked yet · prompt cache 5m");
    await ask(sitting.pty, "one", "a");
    await ask(sitting.pty, "/retry", "b");
    await ask(
      sitting.pty,
      "/usage",
      "2 answers · 20 tokens in, 40 out · \\$0\\.0000\\d+ \\(estimate\\) · prompt\\s+cache 5m",
    );
  });

  it("/help names every command; an unknown one is asked about; a path is a question", async () => {
    const sitting = await sitDown(await emulate());
    await ask(sitting.pty, "/help", "stops an answer\\.");
    for (const name of [
      "/model",
      "/system",
      "/file",
      "/reasoning",
      "/usage",
      "/retry",
      "/undo",
      "/edit-last",
      "/title",
      "/new",
      "/help",
      "/exit",
    ])
      expect(sitting.pty.lines().some((line) => line.startsWith(name))).toBe(true);
    await ask(sitting.pty, "/modle x", "hint: Did you mean /model\\?");
    await ask(sitting.pty, "/reasoning deep", "hint: Choose one of: off, .*");
    await ask(sitting.pty, "/etc/passwd is what?", "asked: /etc/passwd is what\\?");
    await ask(sitting.pty, " /help me", "asked: +/help me");
    sitting.pty.type(`/exit${ENTER}`);
    expect(await sitting.pty.exit).toBe(0);
  });

  it.each(["exit", "quit", "Exit ", "/quit", ":q"])("%j alone on a line leaves", async (word) => {
    const sitting = await sitDown(await emulate());
    await ask(sitting.pty, "exit code 3?", "asked: exit code 3\\?");
    sitting.pty.type(word + ENTER);
    expect(await sitting.pty.exit).toBe(0);
    expect(bodies(sitting)).toHaveLength(1);
  });

  it.each(["help", "?", "HELP", "/?"])("%j alone on a line helps", async (word) => {
    const sitting = await sitDown(await emulate());
    await ask(sitting.pty, word, "stops an answer\\.");
    await ask(sitting.pty, ` ${word}`, "asked: .*");
    expect(bodies(sitting)).toHaveLength(1);
  });
});

describe("files that are named or dropped", () => {
  const withFiles = async (): Promise<Sitting> => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "note.txt"), "The code is 42.");
    writeFileSync(path.join(emulated.home, "it's (a) dot.png"), PIXEL);
    mkdirSync(path.join(emulated.home, "folder"));
    return sitDown(emulated, [], { columns: 200 });
  };
  const contentOf = (sitting: Sitting): object[] =>
    (Object(bodies(sitting).at(-1))["messages"].at(-1).content as object[]).map((block) =>
      Object.keys(block),
    );

  it("go with the question that names them with @", async () => {
    const sitting = await withFiles();
    await ask(sitting.pty, "Sum (@note.txt), and @it\\'s\\ \\(a\\)\\ dot.png.", "asked: [\\s\\S]*");
    expect(sitting.pty.lines().join("\n")).toContain(
      "openclaw: with the question: note.txt (txt, 15 bytes, about 4 tokens), it's (a) dot.png (png image, 70 bytes, about 1 token)",
    );
    expect(contentOf(sitting)).toEqual([["document"], ["image"], ["text"]]);
  });

  it("are no names of people and packages, and what is missing or a folder is told", async () => {
    const sitting = await withFiles();
    await ask(sitting.pty, "@ada uses @types/node, me@note.txt @folder and @nowhere.pdf", "asked: [\\s\\S]*");
    const screen = sitting.pty.lines().join("\n");
    expect(screen).toContain("openclaw: 'folder' is a folder, and only files can be attached");
    expect(screen).toContain("openclaw: there is no file 'nowhere.pdf', so @nowhere.pdf is sent as words");
    expect(screen.match(/^openclaw: /gm)).toHaveLength(2);
    expect(contentOf(sitting)).toEqual([["text"]]);
  });

  const paste = (text: string): string => `\u001B[200~${text}\u001B[201~`;

  it.each([
    ["plain", (file: string) => file],
    ["quoted", (file: string) => `'${file.replaceAll("'", String.raw`'\''`)}' `],
    ["escaped", (file: string) => file.replaceAll(/[ '()]/g, String.raw`\$&`)],
    ["as an address", (file: string) => `file://${file.split("/").map(encodeURIComponent).join("/")}\r\n`],
    ["as an address of this machine", (file: string) => `file://localhost${encodeURI(file)}`],
  ])("are offered when they are dropped, %s", async (_, spell) => {
    const sitting = await withFiles();
    sitting.pty.type(`What is${paste(spell(path.join(sitting.home, "it's (a) dot.png")))}`);
    await sitting.pty.see(
      /dot\.png \(png image, 70 bytes, about 1 token\)\nWithout its @ [^\n]*\n> What is @it\\'s\\ \\\(a\\\)\\ dot\.png $/,
    );
    sitting.pty.type(`showing?${ENTER}`);
    await sitting.pty.see(/asked: [\s\S]*\n\n> $/);
    expect(contentOf(sitting)).toEqual([["image"], ["text"]]);
  });

  it("are told of between words, and so is what else is asked, on a terminal of 20 columns", async () => {
    const sitting = await sitDown(await emulate(), [], { columns: 20, rows: 40 });
    const { pty, home } = sitting;
    writeFileSync(path.join(home, "note.txt"), "The code is 42.");
    pty.type(paste(path.join(home, "note.txt")));
    await pty.see(
      /\(txt, 15 bytes,\n {2}about 4 tokens\)\nWithout its @ a path\n {2}is sent as words\.\n> @note\.txt $/,
    );
    pty.type(`\u0015!echo out${ENTER}`);
    await pty.see(/out\nAttach its output\n {2}\(txt, 15 bytes,\n {2}about 4 tokens\)\?\n {2}\[Y\/n\] $/);
    pty.type("n");
    await pty.see(/\[Y\/n\] no\n\n> $/);
    pty.type(`Where is the harbour?${ENTER}`);
    await pty.see(/asked: [\s\S]*harbour\?\n\n> $/);
    await ask(pty, "/new", "a new conversation");
    pty.type(`/sessions${ENTER}`);
    await pty.see(
      /\n {2}id +about\n› \w{6} {2}Where i…\n20\d\d-\d\d-\d\d \d\d:\d\d\nWhere is the\nharbour\?\n/,
    );
    pty.type(`${ENTER}`);
    await pty.see(/harbour\?\n\n> $/);
    pty.type("\u0004");
    await pty.exit;
    expect(pty.lines().join("\n")).toMatch(/\nTo go on:\nopenclaw chat --sess\nion \w{6}$/);
  });

  it("are words without their @, and in what only looks like a path", async () => {
    const sitting = await withFiles();
    sitting.pty.type(paste(path.join(sitting.home, "note.txt")));
    await sitting.pty.see(/> @note\.txt $/);
    sitting.pty.type(`${CTRL_A}\u0004${ENTER}`);
    await sitting.pty.see(/asked: note\.txt\s*\n\n> $/);
    sitting.pty.type(`${paste("/nowhere/at all")}${ENTER}`);
    await sitting.pty.see(/asked: \/nowhere\/at all\n\n> $/);
    expect(contentOf(sitting)).toEqual([["text"]]);
  });

  it("are completed behind @", async () => {
    const { pty } = await withFiles();
    pty.type(`see @it${TAB}`);
    await pty.see(/> see @it\\'s\\ \\\(a\\\)\\ dot\.png $/);
  });
});

describe("Ctrl-R", () => {
  const CTRL_R = "\u0012";
  const remembering = async (): Promise<Sight> => {
    const emulated = await emulate();
    const state = path.join(emulated.home, ".openclaw");
    mkdirSync(state);
    const entries = ["first apple", "Second pear", "third apple pie", "third apple pie", "last"];
    writeFileSync(
      path.join(state, "chat-history.jsonl"),
      entries.map((text) => `${JSON.stringify(text)}\n`).join(""),
    );
    return (await sitDown(emulated)).pty;
  };

  it("finds what was typed before, the newest first, and Enter sends it", async () => {
    const pty = await remembering();
    pty.type(`${CTRL_R}app`);
    await pty.see(/search 'app': third apple pie$/);
    pty.type(CTRL_R);
    await pty.see(/search 'app': first apple$/);
    pty.type(CTRL_R);
    await pty.see(/nothing has 'app': first apple$/);
    pty.type("\u0013");
    await pty.see(/search 'app': third apple pie$/);
    pty.type(ENTER);
    await pty.see(/> third apple pie\n[\s\S]*asked: third apple pie\n\n> $/);
  });

  it("minds capitals only where some are typed, and gives back what stood there", async () => {
    const pty = await remembering();
    pty.type(`draft${CTRL_R}pear`);
    await pty.see(/search 'pear': Second pear$/);
    pty.type("\u0003");
    await pty.see(/> draft$/);
    pty.type(`${CTRL_R}PEAR`);
    await pty.see(/nothing has 'PEAR': draft$/);
    pty.type("\u007F\u007F\u007F\u007FS");
    await pty.see(/search 'S': Second pear$/);
    // Any key that edits takes the entry and edits it, from where the query was found.
    pty.type("\u001B[F!");
    await pty.see(/> Second pear!$/);
    pty.type(`${CTRL_A}${CTRL_R}first${ESC}`);
    await pty.see(/> first apple$/);
    pty.type(`x${ENTER}`);
    await pty.see(/asked: xfirst apple\n\n> $/);
  });
});

describe("what is taken back", () => {
  const shownSession = async (sitting: Sitting): Promise<string> => {
    sitting.pty.type(CTRL_D);
    await sitting.pty.exit;
    const id = /--session (\w+)/.exec(sitting.pty.lines().at(-1) ?? "")?.[1] ?? "";
    return (await sitting.run(["sessions", "show", id])).stdout;
  };

  it("/undo leaves the last question out from then on, and on the disk it stays as taken back", async () => {
    const sitting = await sitDown(await answering(answer("A."), answer("B."), answer("C.")));
    await ask(sitting.pty, "/undo", "hint: .*");
    await ask(sitting.pty, "one", "A\\.");
    await ask(sitting.pty, "two", "B\\.");
    await ask(sitting.pty, "/undo", "taken back: two\\n1 question is left");
    await ask(sitting.pty, "three", "C\\.");
    expect(bodies(sitting)[2]).toEqual({ messages: [user("one"), assistant("A."), user("three")] });
    expect(await shownSession(sitting)).toBe("> one\n\nA.\n\n> three\n\nC.\n");
    const folder = path.join(sitting.home, ".openclaw", "sessions");
    const file = readdirSync(folder).find((name) => name.endsWith(".jsonl")) ?? "";
    const lines = readFileSync(path.join(folder, file), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      "session",
      "turn",
      "answer",
      "turn",
      "answer",
      "undo",
      "turn",
      "answer",
    ]);
  });

  it("/undo of the only question leaves no session to list or to go on with", async () => {
    const sitting = await sitDown(await answering(answer("A."), answer("B.")));
    await ask(sitting.pty, "one", "A\\.");
    await ask(sitting.pty, "/undo", "taken back: one\\n[^]*");
    sitting.pty.type("\u0004");
    expect(await sitting.pty.exit).toBe(0);
    expect(sitting.pty.lines().join("\n")).not.toContain("To go on");
    expect((await sitting.run(["sessions", "list"])).stdout).toBe("");
    expect(await sitting.run(["sessions", "show"])).toMatchObject({ code: 2 });
    expect(await sitting.run(["chat", "--continue", "two"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--continue finds no session"),
    });
  });

  it("/edit-last puts the last question back at the prompt, with its files", async () => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "note.txt"), "The code is 42.");
    const sitting = await sitDown(emulated);
    await ask(sitting.pty, "/file note.txt", "tokens\\)");
    await ask(sitting.pty, "What is the kode?", "1 document\\.");
    sitting.pty.type(`/edit-last${ENTER}`);
    await sitting.pty.see(/note\.txt \(txt, 15 bytes, about 4 tokens\)\n\n> What is the kode\?$/);
    sitting.pty.type(`!${ENTER}`);
    await sitting.pty.see(/kode\?!\n[\s\S]*1 document\.\n\n> $/);
    expect(bodies(sitting)).toHaveLength(2);
    expect(bodies(sitting)[1]).toMatchObject({
      messages: [{ content: [{ document: { name: "note (txt)" } }, { text: "What is the kode?!" }] }],
    });
  });

  it.each([
    ["Ctrl-C", CTRL_C, "\\^C"],
    ["Ctrl-U and Enter", `\u0015${ENTER}`, "> ?"],
    ["another command", `\u0015/file none${ENTER}`, "> /file none"],
    ["a command of the shell", `\u0015!true${ENTER}`, "> !true"],
    ["a file that is not to be had", `\u0015@broken.pdf${ENTER}`, "hint: .*"],
  ])("/edit-last keeps the turn where it is left with %s", async (_, keys, shown) => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "note.txt"), "The code is 42.");
    writeFileSync(path.join(emulated.home, "broken.pdf"), "");
    const sitting = await sitDown(emulated);
    await ask(sitting.pty, "/file note.txt", "tokens\\)");
    await ask(sitting.pty, "one", "1 document\\.");
    sitting.pty.type(`/edit-last${ENTER}`);
    await sitting.pty.see(/\n\n> one$/);
    sitting.pty.type(keys);
    await sitting.pty.see(new RegExp(`${shown}\\n+the last question stays as it was\\n[^]*> $`));
    await ask(sitting.pty, "two", "asked: two");
    // With its own files, and none of those that were to go with the edited one.
    expect(bodies(sitting)[1]).toMatchObject({
      messages: [{ content: [{ document: {} }, { text: "one" }] }, {}, user("two")],
    });
  });

  it("/edit-last keeps the turn until the new answer has come, and /retry asks the edited question", async () => {
    const failing = { error: { name: "ValidationException", message: "No.", status: 400 } };
    const sitting = await sitDown(await answering(answer("A."), failing, answer("B.")));
    await ask(sitting.pty, "one", "A\\.");
    sitting.pty.type(`/edit-last${ENTER}`);
    await sitting.pty.see(/\n\n> one$/);
    await ask(sitting.pty, " more", "hint: .*");
    await ask(sitting.pty, "/retry", "B\\.");
    expect(bodies(sitting)[2]).toEqual({ messages: [user("one more")] });
    expect(await shownSession(sitting)).toBe("> one more\n\nB.\n");
  });

  it("/edit-last edits a question that was never asked, with its files", async () => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "note.txt"), "The code is 42.");
    const sitting = await sitDown(emulated, ["--max-cost", "0.000001"]);
    await ask(sitting.pty, "/edit-last", "hint: .*");
    await ask(sitting.pty, "/file note.txt", "tokens\\)");
    await ask(sitting.pty, "one", "hint: [^]*");
    sitting.pty.type(`/edit-last${ENTER}`);
    await sitting.pty.see(/note\.txt \(txt, 15 bytes, about 4 tokens\)\n\n> one$/);
  });

  it("/title names the conversation in the lists, and /new begins another", async () => {
    const sitting = await sitDown(await emulate());
    await ask(sitting.pty, "/title", "title: none, so the first question stands for it");
    await ask(sitting.pty, "/title Plans for May", "title: Plans for May");
    await ask(sitting.pty, "one", "asked: one");
    await ask(sitting.pty, "/new", "a new conversation");
    await ask(sitting.pty, "two", "asked: two");
    await ask(sitting.pty, "/title Other", "title: Other");
    await ask(sitting.pty, "/title none", "title: none, .*");
    await ask(sitting.pty, "/title Third", "title: Third");
    await ask(sitting.pty, '/title ""', "title: none, .*");
    await ask(sitting.pty, "/system Be brief.", "system prompt: Be brief\\.");
    await ask(sitting.pty, "/system ' '", "system prompt: none");
    sitting.pty.type(CTRL_D);
    await sitting.pty.exit;
    const { stdout } = await sitting.run(["sessions", "list", "--json"]);
    expect(JSON.parse(stdout).sessions.map(({ title }: { title: string }) => title)).toEqual([
      "two",
      "Plans for May",
    ]);
    const { id } = JSON.parse(stdout).sessions[1] as { id: string };
    const shown = await sitting.run(["sessions", "show", id, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id, title: "Plans for May" });
  });
});

describe("what leaves the conversation", () => {
  it("/copy gives an answer to the terminal's clipboard, and nothing else does", async () => {
    const sitting = await sitDown(await answering(answer("First — ä."), answer("Second.")));
    const copied = (): string[] =>
      [...sitting.pty.output().matchAll(/\u001B\]52;c;([A-Za-z0-9+/=]*)\u0007/g)].map(([, base64 = ""]) =>
        Buffer.from(base64, "base64").toString(),
      );
    await ask(sitting.pty, "/copy", "hint: .*");
    await ask(sitting.pty, "one", "First — ä\\.");
    await ask(sitting.pty, "/copy 9", "has 1 answer\\.\\nhint: /copy 1 copies the first\\.");
    await ask(sitting.pty, "two", "Second\\.");
    expect(copied()).toEqual([]);
    await ask(sitting.pty, "/copy", "copied 7 characters, .*\\(OSC\\s+52\\)");
    await ask(sitting.pty, "/copy 2", "copied 10 characters, .*\\(OSC\\s+52\\)");
    await ask(sitting.pty, "/copy 3", "hint: .*");
    await ask(sitting.pty, "/copy all", "hint: .*");
    await ask(sitting.pty, "/copy 0", "counted from the last, .*\\nhint: .*");
    await ask(sitting.pty, "/undo 3", "/undo takes nothing, .*\\nhint: /undo");
    expect(copied()).toEqual(["Second.", "First — ä."]);
  });

  it("/export writes it to a file, and over no other", async () => {
    const sitting = await sitDown(await answering(answer("Hi.")));
    const read = (name: string): string => readFileSync(path.join(sitting.home, name), "utf8");
    await ask(sitting.pty, "/export", "hint: .*");
    await ask(sitting.pty, "one", "Hi\\.");
    await ask(sitting.pty, "/title A talk", "title: A talk");
    await ask(sitting.pty, "/export my\\ talk.md", "written to my talk\\.md");
    expect(read("my talk.md")).toMatch(
      /^# A talk\n\nSession `\w+`, [\s\S]*## Question\n\none\n\n## Answer of .*\n\nHi\.\n$/,
    );
    writeFileSync(path.join(sitting.home, "mine.md"), "mine");
    await ask(sitting.pty, "/export mine.md", "hint: .*");
    expect(read("mine.md")).toBe("mine");
    await ask(sitting.pty, "/export nowhere/x.md", "hint: .*");
    await ask(sitting.pty, "/export /dev/full", "hint: .*");
    await ask(sitting.pty, "/export", "written to openclaw-\\w+\\.md");
    await ask(sitting.pty, "/export", "written to openclaw-\\w+\\.md");
  });

  it("/cost says what each model has cost", async () => {
    const sitting = await sitDown(await answering(answer("a"), answer("b")));
    await ask(sitting.pty, "/cost", "in all: nothing was asked yet");
    await ask(sitting.pty, "one", "a");
    await ask(sitting.pty, "/cost", `${MODEL}: 1 answer · .*\\(estimate\\)`);
    await ask(sitting.pty, "/model nova pro", "model: .*");
    await ask(sitting.pty, "two", "b");
    await ask(sitting.pty, "/cost", "in all: 2 answers · .*\\(estimate\\)");
    expect(sitting.pty.lines().join("\n")).toMatch(/amazon\.nova-pro-v1:0: 1 answer · /);
  });
});

describe("/sessions", () => {
  it("shows what there is by its first words and dates, and goes on with the one that is picked", async () => {
    const emulated = await emulate();
    const first = await sitDown(emulated, ["-s", "Be brief."]);
    await ask(first.pty, "Where is the harbour?", "harbour\\?");
    await ask(first.pty, "/model us.anthropic.claude-sonnet-4-6", "model: .*");
    await ask(first.pty, "And the station?", "station\\?");
    await ask(first.pty, "/new", "a new conversation");
    await ask(first.pty, "What is the time?", "time\\?");
    await ask(first.pty, "/new", "a new conversation");
    const { pty } = first;
    pty.type(`/sessions${ENTER}`);
    await pty.see(
      /Session: +\(2\) *\n.*about\n› \w{6} {2}20\d\d-\d\d-\d\d \d\d:\d\d +1 {2}What is the time\?\n {2}\w{6} .* 2 {2}Where is the harbour\?\n/,
    );
    pty.type("\u001B[B");
    await pty.see(/› \w{6} .*Where is/);
    pty.type("zzz");
    await pty.see("Nothing has these words in it.");
    pty.type("\u007F\u007F\u007FHARB");
    await pty.see(/Session: HARB +\(1 of 2\) *\n.*\n› \w{6} .*Where is the harbour\?\n/);
    pty.type(ENTER);
    await pty.see(
      /session \w{6}, 2 so far · amazon-bedrock\/us\.anthropic\.claude-sonnet-4-6\n> And the station\?\n[\s\S]*station\?\n\n> $/,
    );
    expect(pty.lines().join("\n")).not.toContain("› ");
    await ask(pty, "More?", "More\\?");
    expect(bodies(emulated).at(-1)).toMatchObject({
      system: [{ text: "Be brief." }],
      messages: [user("Where is the harbour?"), {}, user("And the station?"), {}, user("More?")],
    });
  });

  it("changes nothing where none is chosen, and takes an id", async () => {
    const emulated = await emulate();
    const { pty } = await sitDown(emulated, ["--session", "mine", "-m", MODEL]);
    await ask(pty, "/sessions", "hint: .*");
    await ask(pty, "one", "asked: one");
    await ask(pty, "/new", "a new conversation");
    pty.type(`/sessions${ENTER}`);
    await pty.see("› mine");
    pty.type(ESC);
    await pty.see(/> \/sessions\nthe conversation is the same\n\n> $/);
    await ask(pty, "/sessions nine", "hint: Did you mean mine\\?");
    await ask(pty, "/sessions x-y-z", "hint: /sessions shows them\\.");
    await ask(pty, "/model nope", "hint: Tab behind /model shows those you can call\\.");
    await ask(pty, "/sessions mine", "asked: one");
    await ask(pty, "/sessions mine", "hint: .*");
  });
});

describe("another program", () => {
  const withEditor = async (line: string): Promise<Sitting> => {
    const emulated = await emulate();
    const editor = path.join(emulated.home, "my-editor");
    writeFileSync(editor, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    return sitDown(emulated, [], { env: { VISUAL: editor } });
  };

  it("Ctrl-X Ctrl-E edits what is typed in the editor, and Enter sends it", async () => {
    const sitting = await withEditor(`sed -i 's/kode/code/; $a second line' "$1"`);
    sitting.pty.type("The kode?\u0018\u0005");
    await sitting.pty.see(/> The code\?\n {2}second line$/);
    sitting.pty.type(ENTER);
    await sitting.pty.see(/second line\n\n> $/);
    expect(bodies(sitting)).toEqual([{ messages: [user("The code?\nsecond line")] }]);
    // Ctrl-X with another key is nothing.
    sitting.pty.type(`a\u0018b${ENTER}`);
    await sitting.pty.see(/asked: ab\n\n> $/);
  });

  it("/edit does so with nothing, or what is given, and an editor that fails is told of", async () => {
    const sitting = await withEditor(`echo "from the editor" >> "$1"`);
    sitting.pty.type(`/edit some words${ENTER}`);
    await sitting.pty.see(/> some words *\n {2}from the editor$|> some wordsfrom the editor$/);
    sitting.pty.type(`${CTRL_C}`);
    const failing = await withEditor("exit 3");
    failing.pty.type(`kept\u0018\u0005`);
    await failing.pty.see(/error: The editor .*[\s\S]*hint: [\s\S]*> kept$/);
    await ask(failing.pty, "", "asked: kept");
  });

  it("!command runs in the shell, and its output is offered to the next question", async () => {
    const sitting = await sitDown(await emulate(), [], { columns: 120 });
    const { pty } = sitting;
    pty.type(`!printf 'one\\ntwo'; echo err >&2; exit 2${ENTER}`);
    await pty.see(
      /\ntwoerr\n\(exit code 2\)\nAttach its output \(txt, \d+ bytes, about \d+ tokens\)\? \[Y\/n\] $/,
    );
    pty.type("y");
    await pty.see(/yes\n\n> $/);
    await ask(pty, "What is it?", "1 document\\.");
    const [document] = Object(bodies(sitting)[0])["messages"][0].content as {
      document: { source: { bytes: string } };
    }[];
    expect(Buffer.from(document?.document.source.bytes ?? "", "base64").toString()).toBe(
      "$ printf 'one\\ntwo'; echo err >&2; exit 2\none\ntwoerr\n",
    );
    // What is typed on is a no.
    pty.type(`!echo secret${ENTER}`);
    await pty.see(/\[Y\/n\] $/);
    pty.type(`after${ENTER}`);
    await pty.see(/\[Y\/n\] no\n\n> after\n[\s\S]*asked: after\n[\s\S]*\n> $/);
    expect(JSON.stringify(bodies(sitting)[1])).not.toContain(Buffer.from("secret").toString("base64"));
    await ask(pty, "!true", "> !true");
    await ask(pty, "!", "hint: !ls -l");
    await ask(pty, " !echo", "asked: +!echo.*[\\s\\S]*");
  });

  it("!command ends by Ctrl-C or Esc with all that it started, and cannot act on the terminal", async () => {
    const sitting = await sitDown(await emulate());
    const { pty } = sitting;
    pty.type(`!sleep 600 & echo $! > pid; printf 'a\\033]0;x\\007b\\n'; wait${ENTER}`);
    await pty.see("a␛]0;x␇b");
    const pid = Number(readFileSync(path.join(sitting.home, "pid"), "utf8"));
    pty.type(ESC);
    await pty.see(/\(stopped\)\nAttach its output [\s\S]*\[Y\/n\] $/);
    pty.type("n");
    await pty.see(/no\n\n> $/);
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
  });
});

describe("/compact", () => {
  it("puts a summary by the model in the place of older turns, which /undo brings back", async () => {
    const emulated = await answering(
      answer("A."),
      answer("B."),
      answer("In short: A."),
      answer("C."),
      answer("D."),
    );
    const sitting = await sitDown(emulated);
    await ask(sitting.pty, "/compact", "hint: .*");
    await ask(sitting.pty, "one", "A\\.");
    await ask(sitting.pty, "two", "B\\.");
    await ask(
      sitting.pty,
      "/compact",
      "In short: A\\.\\n1 question is summed up; /undo brings back what was there",
    );
    await ask(sitting.pty, "three", "C\\.");
    const summing = user(Object(bodies(sitting)[2])["messages"].at(-1).content[0].text);
    expect(bodies(sitting).slice(2)).toEqual([
      { messages: [user("one"), assistant("A."), summing] },
      { messages: [summing, assistant("In short: A."), user("two"), assistant("B."), user("three")] },
    ]);
    await ask(sitting.pty, "/undo", "2 questions are left");
    await ask(sitting.pty, "/undo", "the summary is taken back\\n2 questions are left");
    sitting.pty.type(CTRL_D);
    await sitting.pty.exit;
    const again = await sitDown(emulated, ["--continue"]);
    await ask(again.pty, "four", "D\\.");
    expect(bodies(emulated).at(-1)).toEqual({
      messages: [user("one"), assistant("A."), user("two"), assistant("B."), user("four")],
    });
  });

  it("that is stopped or fails leaves everything as it was", async () => {
    const stalled = { stream: [begin, delta("In sh"), { end: "stall" } as StreamStep] };
    const refused = {
      error: { name: "ValidationException", message: "Input is too long for requested model." },
    };
    const sitting = await sitDown(
      await answering(answer("A."), answer("B."), stalled, refused, answer("C.")),
    );
    await ask(sitting.pty, "one", "A\\.");
    await ask(sitting.pty, "two", "B\\.");
    sitting.pty.type(`/compact${ENTER}`);
    await sitting.pty.see(/\nIn$/);
    sitting.pty.type(CTRL_C);
    await sitting.pty.see(/\(stopped\)\n\n> $/);
    await ask(sitting.pty, "/compact", "hint: .*");
    await ask(sitting.pty, "three", "C\\.");
    expect(bodies(sitting).at(-1)).toEqual({
      messages: [user("one"), assistant("A."), user("two"), assistant("B."), user("three")],
    });
  });
});

describe("what every question sends again", () => {
  const profiled = "anthropic.claude-sonnet-4-6";

  it("is cached by models that can, unless the settings or a flag say otherwise", async () => {
    const cachePoint = { cachePoint: { type: "default" } };
    const sitting = await sitDown(await emulate(), ["-s", "Be brief."]);
    await ask(sitting.pty, "one", "asked: one");
    await ask(sitting.pty, "two", "asked: two");
    expect(sitting.emulator.calls.at(-1)?.body).toMatchObject({
      system: [{ text: "Be brief." }, cachePoint],
      messages: [
        user("one"),
        { role: "assistant" },
        { role: "user", content: [{ text: "two" }, cachePoint] },
      ],
    });
    const off = await sitDown(await emulate(), ["--cache", "off"]);
    await ask(off.pty, "one", "asked: one");
    expect(off.emulator.calls.at(-1)?.body).toEqual({ messages: [user("one")] });
    await ask(off.pty, "/usage", "no prompt cache");
    const never = await sitDown(await emulate(), ["-m", "mistral.mistral-large-2402-v1:0"]);
    await ask(never.pty, "one", "asked: one");
    expect(never.emulator.calls.at(-1)?.body).toEqual({ messages: [user("one")] });
    expect(never.pty.lines().join(" ")).not.toContain("cache");
  });

  it("is told of once: that a model is called through its profile", async () => {
    const { pty } = await sitDown(await emulate(), ["-m", profiled]);
    await ask(pty, "one", "asked: one");
    await ask(pty, "two", "asked: two");
    expect(pty.lines().filter((line) => line.includes("is called through"))).toHaveLength(1);
  });
});

describe("what goes wrong", () => {
  const expired = {
    error: {
      name: "ExpiredTokenException",
      message: "The security token included in the request is expired",
    },
  };

  it("with one question ends nothing", async () => {
    const throttled = {
      error: { name: "ValidationException", message: "Input is too long for requested model." },
    };
    const sitting = await sitDown(await answering(answer("One."), throttled, answer("Two.")));
    await ask(sitting.pty, "one", "One\\.");
    sitting.pty.type(`${"long ".repeat(5)}${ENTER}`);
    await sitting.pty.see(/error: .*[\s\S]*hint: [\s\S]*> $/);
    await ask(sitting.pty, "two", "Two\\.");
    expect(bodies(sitting)[2]).toEqual({ messages: [user("one"), assistant("One."), user("two")] });
  });

  it("an answer that breaks off or is withheld is asked for again by /retry", async () => {
    const broken = { stream: [begin, delta("Hal")] };
    const withheld = {
      stream: [
        begin,
        delta("Sorry."),
        { event: "messageStop", payload: { stopReason: "guardrail_intervened" } },
      ],
    };
    const sitting = await sitDown(await answering(broken, withheld, answer("Whole.")));
    await ask(sitting.pty, "one", "hint: /retry asks again\\.");
    await ask(sitting.pty, "/retry", "hint: .*");
    await ask(sitting.pty, "/retry", "Whole\\.");
    expect(bodies(sitting)[2]).toEqual({ messages: [user("one")] });
  });

  it("credentials that expire in the middle are looked for anew, once, and the question is asked again", async () => {
    const emulated = await emulate({
      accessKeys: {
        AKIAOLDKEY0000000001: { secretAccessKey: "old" },
        AKIANEWKEY0000000001: { secretAccessKey: "new" },
      },
      script: ({ route, nth, accessKeyId }) => {
        if (route !== "ConverseStream" || nth === 1) return undefined;
        return accessKeyId === "AKIAOLDKEY0000000001" ? expired : undefined;
      },
    });
    const keys = (id: string, secret: string): void =>
      writeSharedFiles(emulated.home, {
        credentials: `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`,
      });
    keys("AKIAOLDKEY0000000001", "old");
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const sitting = await sitDown(emulated, [], { env });
    await ask(sitting.pty, "one", "asked: one");
    await ask(sitting.pty, "two", "hint: .*");
    expect(bodies(sitting)).toHaveLength(3);
    keys("AKIANEWKEY0000000001", "new");
    await ask(sitting.pty, "/retry", "asked: two");
    await ask(sitting.pty, "three", "asked: three");
    const signers = sitting.emulator.calls.map(({ accessKeyId }) => accessKeyId?.slice(4, 7));
    // Once for each question, but for the two that found the old key expired: those were asked twice.
    expect(signers).toEqual(["OLD", "OLD", "OLD", "OLD", "NEW", "NEW"]);
    expect(bodies(sitting).at(-1)).toMatchObject({
      messages: [user("one"), {}, user("two"), {}, user("three")],
    });
  });

  it("credentials are resolved once for a session, and a program that asks a person for them gets the terminal", async () => {
    const emulated = await emulate();
    const asker = path.join(emulated.home, "ask-pin");
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = emulated.env;
    const identity = JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret });
    writeFileSync(
      asker,
      `#!/bin/sh\nprintf 'PIN: ' > /dev/tty\nread pin < /dev/tty\necho "pin $pin" >> ${emulated.home}/asked\necho '${identity}'\n`,
      { mode: 0o755 },
    );
    writeSharedFiles(emulated.home, { config: `[default]\ncredential_process = ${asker}\n` });
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const { pty } = await sitDown(emulated, [], { env, isAlone: true });
    pty.type(`one${ENTER}`);
    await pty.see(/PIN: $/);
    pty.type(`1234${ENTER}`);
    await pty.see(/PIN: 1234\n[\s\S]*asked: one\n\n> $/);
    await ask(pty, "two", "asked: two");
    expect(readFileSync(path.join(emulated.home, "asked"), "utf8")).toBe("pin 1234\n");
  });

  it("Ctrl-Z gives the terminal to the shell, and fg brings the text back that stood there", async () => {
    const pty = await openShell();
    await beginQuestion(pty);
    pty.type("\u001A");
    await pty.see(/Stopped[\s\S]*shell\$ $/);
    pty.type(`echo $((6 * 7))${ENTER}`);
    await pty.see(/\n42\nshell\$ $/);
    pty.type(`fg${ENTER}`);
    await pty.see(/> half a $/);
    pty.type(`question${ENTER}`);
    await pty.see(/asked: half a question\n\n> $/);
  });

  it("fg brings it back, too, where another program has stopped it", async () => {
    const pty = await openShell();
    await beginQuestion(pty);
    execFileSync("pkill", ["-STOP", "-P", String(pty.processId)]);
    await pty.see(/Stopped[\s\S]*shell\$ $/);
    pty.type(`fg${ENTER}`);
    await pty.see(/> half a $/);
    pty.type(`question${ENTER}`);
    await pty.see(/asked: half a question\n\n> $/);
  });

  it.each([
    ["after Ctrl-Z", ["chat", "-m", MODEL], /\n> $/, "\u001A"],
    ["in the background, where it waits for the terminal", ["chat", "-m", MODEL, "&"], /shell\$ $/, ENTER],
    ["in the background, where it would choose", ["models", "set", "&"], /shell\$ $/, ENTER],
    ["in the background, where it would read", ["config", "patch", "--stdin", "&"], /shell\$ $/, ENTER],
  ])("`kill` by the shell ends it %s", async (_, args, begun, key) => {
    const pty = await openShell();
    pty.type(`openclaw ${args.join(" ")}${ENTER}`);
    await pty.see(begun);
    pty.type(key);
    // A shell tells of what is in the background with its next prompt.
    const asking = setInterval(() => pty.type(ENTER), 200);
    onTestFinished(() => clearInterval(asking));
    await pty.see("Stopped");
    pty.type(`kill %1${ENTER}`);
    await pty.see("Terminated");
  });

  it.each(["SIGTERM", "SIGHUP"])("%s leaves the terminal as it was", async (signal) => {
    const sitting = await sitDown(await emulate(), [], { isAlone: true });
    sitting.pty.type("half a quest");
    await sitting.pty.see("half a quest");
    sitting.pty.kill(signal);
    expect(await sitting.pty.exit).toBe(signal === "SIGTERM" ? 143 : 129);
    expect(sitting.pty.output().lastIndexOf("\u001B[?2004l")).toBeGreaterThan(
      sitting.pty.output().lastIndexOf("\u001B[?2004h"),
    );
  });

  it.each([
    ["Ctrl-D", CTRL_D],
    ["Ctrl-C twice", CTRL_C + CTRL_C],
    ["/exit", `/exit${ENTER}`],
  ])("%s leaves the terminal as it was", async (_, keys) => {
    const emulated = await emulate();
    const pty = openPty([], emulated.home, {
      command: ["sh", "-c", `stty -a > before; openclaw chat -m ${MODEL}; stty -a > after`],
      env: { ...emulated.env, PATH: pathWithOpenclaw(emulated.home) },
    });
    await pty.see(/\n> $/);
    pty.type(keys);
    expect(await pty.exit).toBe(0);
    const settings = (name: string): string => readFileSync(path.join(emulated.home, name), "utf8");
    expect(settings("after")).toBe(settings("before"));
    expect(settings("before")).toContain(" icanon");
  });

  it("a model's text cannot act on the terminal, its name and its errors neither", async () => {
    const attack = "\u001B]52;c;cm0=\u0007\u001B]0;owned\u0007\u001B[2J\u009B31m\u202E";
    const sitting = await sitDown(
      await answering(answer(`a${attack}b`), {
        error: { name: "ValidationException", message: `no ${attack} good` },
      }),
    );
    await ask(sitting.pty, "one", "b");
    await ask(sitting.pty, "two", "hint: .*");
    expect(sitting.pty.lines().join("\n")).toContain("a␛]52;c;cm0=␇␛]0;owned␇␛[2J\uFFFD31mb");
    expect(sitting.pty.output()).not.toMatch(/\u001B\]|\u001B\[2J|[\u0080-\u009F]|\p{Bidi_Control}/u);
    // In the file, and to the model, it is what it was.
    await ask(sitting.pty, "three", "asked: three");
    expect(bodies(sitting)[2]).toMatchObject({ messages: [{}, assistant(`a${attack}b`), {}] });
  });
});

describe("markdown", () => {
  const text =
    "# Title\n\nSome **bold** and *slanted* words, `code`.\n\n- first\n- second\n\n```js\nlet  **x** = 1;\n```\n";

  it("is rendered while it arrives, and code is left to be copied", async () => {
    const sitting = await sitDown(await answering(answer(...text.split(/(?=\s)/))));
    await ask(sitting.pty, "hi", "```");
    expect(sitting.pty.lines().slice(2, -2)).toEqual([
      "Title",
      "",
      "Some bold and slanted words, code.",
      "",
      "• first",
      "• second",
      "",
      "```js",
      "let  **x** = 1;",
      "```",
    ]);
    expect(sitting.pty.lookOf("bold").isBold).toBe(true);
    expect(sitting.pty.lookOf("slanted").isItalic).toBe(true);
    expect(sitting.pty.lookOf("let").isBold).toBe(false);
  });

  it("is left as it is with --raw", async () => {
    const sitting = await sitDown(await answering(answer(text)), ["--raw"]);
    await ask(sitting.pty, "hi", "```");
    expect(sitting.pty.lines().slice(2, -2).join("\n")).toBe(text.trimEnd());
  });
});

describe("what is kept", () => {
  it("is nothing with --no-save", async () => {
    const sitting = await sitDown(await emulate(), ["--no-save"]);
    await ask(sitting.pty, "secret", "asked: secret");
    await ask(sitting.pty, "more", "asked: more");
    sitting.pty.type(CTRL_D);
    expect(await sitting.pty.exit).toBe(0);
    expect(sitting.pty.output()).not.toContain("To go on");
    const state = path.join(sitting.home, ".openclaw");
    // The ledger has counts, and nothing of what was said.
    const written = existsSync(state) ? readdirSync(state) : [];
    expect(written.filter((name) => name !== "usage")).toEqual([]);
  });

  it("is nothing before the first answer", async () => {
    const sitting = await sitDown(await emulate());
    sitting.pty.type(CTRL_D);
    expect(await sitting.pty.exit).toBe(0);
    expect(existsSync(path.join(sitting.home, ".openclaw", "sessions"))).toBe(false);
  });

  it("is every question and every whole answer when the program is killed in the middle of one", async () => {
    const emulated = await answering(answer("One."), { stream: [begin, delta("Tw o"), { end: "stall" }] });
    const sitting = await sitDown(emulated, [], { isAlone: true });
    await ask(sitting.pty, "one", "One\\.");
    sitting.pty.type(`two${ENTER}`);
    await sitting.pty.see("Tw");
    sitting.pty.kill("SIGKILL");
    await sitting.pty.exit;
    const again = await sitDown(emulated, ["--continue"]);
    await ask(again.pty, "three", "asked: two\\nthree");
    const both = { role: "user", content: [{ text: "two" }, { text: "three" }] };
    expect(bodies(emulated)[2]).toEqual({ messages: [user("one"), assistant("One."), both] });
  });

  it("is gone on with at once by a second program that begins as the first is left", async () => {
    const emulated = await emulate();
    const first = await sitDown(emulated, ["--session", "shared", "-m", MODEL]);
    await ask(first.pty, "one", "asked: one");
    first.pty.type(CTRL_D);
    const second = await sitDown(emulated, ["--session", "shared"]);
    await ask(second.pty, "two", "asked: two");
    expect(await first.pty.exit).toBe(0);
  });

  it("is refused to a second program while the first has it open", async () => {
    const emulated = await emulate();
    const first = await sitDown(emulated, ["--session", "shared", "-m", MODEL]);
    await ask(first.pty, "one", "asked: one");
    const second = openPty(["chat", "--session", "shared"], emulated.home, { env: emulated.env });
    expect(await second.exit).toBe(2);
    expect(second.lines()[0]).toMatch(/^error: Session shared is open in another openclaw, process \d+\.$/);
    const removed = await emulated.run(["sessions", "rm", "shared"]);
    expect(removed).toMatchObject({ code: 2 });
    first.pty.type(CTRL_D);
    await first.pty.exit;
    expect((await openclaw(["sessions", "rm", "shared"], emulated.home)).stdout).toBe(
      "Removed session shared.\n",
    );
  });
});
