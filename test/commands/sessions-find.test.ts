import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { promptOf, textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openTerminal } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const MODEL = "amazon.nova-lite-v1:0";
const fileIn = ({ home }: Emulated, id: string): string =>
  path.join(home, ".openclaw", "sessions", `${id}.jsonl`);

/** Sessions whose answers repeat what was asked. */
async function machine(sessions: Record<string, string[]>): Promise<Emulated> {
  const emulated = await emulate({
    script: (call) =>
      call.route === "ConverseStream"
        ? { stream: textAnswerSteps([`Answer to ${promptOf(call)}`]) }
        : undefined,
  });
  for (const [id, questions] of Object.entries(sessions))
    for (const question of questions) await emulated.run(["chat", "-m", MODEL, "--session", id, question]);
  return emulated;
}

/** Lets a session have been written so many days ago. */
function age(emulated: Emulated, id: string, days: number): void {
  const time = (Date.now() - days * 86_400_000) / 1000;
  utimesSync(fileIn(emulated, id), time, time);
}

describe("sessions search", () => {
  it("finds a text in questions and answers, in any case", async () => {
    const emulated = await machine({ one: ["The  Rate\nlimit", "else"], two: ["ÜBER den Wolken"] });
    age(emulated, "one", 1);
    const { stdout, code } = await emulated.run(["sessions", "search", "rate", "LIMIT"]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "one\t1\tquestion\tThe Rate limit",
      "one\t1\tanswer\tAnswer to The Rate limit",
      "",
    ]);
    expect((await emulated.run(["sessions", "search", "über"])).stdout).toContain(
      "two\t1\tquestion\tÜBER den",
    );
    const all = JSON.parse((await emulated.run(["sessions", "search", "answer to", "--json"])).stdout) as {
      matches: { session: string }[];
    };
    expectSchema("sessions-search", all);
    expect(all.matches.map(({ session }) => session)).toEqual(["two", "one", "one"]);
  });

  it.each([".*", "a+b", "(x", "$&", "\\", "[", "^"])("takes %j as it is written", async (text) => {
    const emulated = await machine({ one: [`before ${text} behind`], two: ["plain"] });
    const { stdout } = await emulated.run(["sessions", "search", "--", text]);
    expect(stdout.split("\n")[0]).toBe(`one\t1\tquestion\tbefore ${text} behind`);
    expect(stdout).not.toContain("two");
  });

  it("shows what stands around it, cut between characters", async () => {
    const emulated = await machine({ one: [`${"🙂".repeat(200)} needle ${"é".repeat(500)}`] });
    const [line = ""] = (await emulated.run(["sessions", "search", "needle"])).stdout.split("\n");
    expect(line).toBe(`one\t1\tquestion\t…${"🙂".repeat(59)} needle ${"é".repeat(59)}…`);
  });

  it("marks it at a terminal, and says when nobody has said it", async () => {
    const emulated = await machine({ one: ["What is a needle?"] });
    const terminal = openTerminal(["sessions", "search", "needle"], emulated.home, {
      env: emulated.env,
      columns: 40,
    });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lookOf("needle?").isBold).toBe(true);
    const none = openTerminal(["sessions", "search", "thread"], emulated.home, { env: emulated.env });
    expect(await none.exit).toBe(0);
    expect(none.lines().join("")).toContain("Nobody has said 'thread'.");
    expect(await emulated.run(["sessions", "search", "thread"])).toMatchObject({
      stdout: "",
      stderr: "openclaw: Nobody has said 'thread'.\n",
      code: 0,
    });
    const { code, stderr } = await emulated.run(["sessions", "search", "thread".repeat(10_000)]);
    expect(stderr).toMatch(
      /^error: The text to search for has 60000 characters; at most 2000 are taken\.\nhint/,
    );
    expect(code).toBe(2);
  });

  it("passes a file over that is no session, with a warning", async () => {
    const emulated = await machine({ one: ["needle"] });
    writeFileSync(fileIn(emulated, "bad"), "nonsense\n");
    const { stdout, stderr, code } = await emulated.run(["sessions", "search", "needle"]);
    expect(code).toBe(0);
    expect(stdout).toContain("one\t");
    expect(stderr).toContain("openclaw sessions rm bad");
  });

  it("refuses an empty text", async () => {
    expect((await (await machine({})).run(["sessions", "search", " "])).code).toBe(2);
  });
});

describe("two at once", () => {
  const COMMANDS = [
    ["rename", "one", "zwei"],
    ["rename", "one", "drei"],
    ["rm", "one"],
  ] as const;
  const PAIRS = COMMANDS.flatMap((first) => COMMANDS.map((second) => [first, second] as const));

  it.each(PAIRS)(
    "one of %j and %j finds the session, the other is told that there is none",
    async (...pair) => {
      const emulated = await machine({ one: ["first words"] });
      const results = await Promise.all(pair.map((command) => emulated.run(["sessions", ...command])));
      const [won, lost] = results.toSorted((one, other) => (one.code ?? 0) - (other.code ?? 0));
      expect(won).toMatchObject({ code: 0, stderr: "" });
      expect(lost).toMatchObject({ code: 2, stdout: "" });
      expect(lost?.stderr).toMatch(/^error: There is (no session 'one'|a session 'zwei' already)/);
    },
  );
});

describe("sessions rename", () => {
  it("gives a session another name, under which it goes on", async () => {
    const emulated = await machine({ one: ["first"] });
    const renamed = await emulated.run(["sessions", "rename", "one", "zwei"]);
    expect(renamed).toMatchObject({ code: 0, stdout: "Session one is zwei now.\n" });
    expect(readdirSync(path.dirname(fileIn(emulated, "")))).toEqual(["zwei.jsonl"]);
    await emulated.run(["chat", "--session", "zwei", "second"]);
    const shown = JSON.parse((await emulated.run(["sessions", "show", "zwei", "--json"])).stdout) as object;
    expectSchema("sessions-show", shown);
    expect(shown).toMatchObject({ id: "zwei", turns: [{}, {}] });
    expect((await emulated.run(["sessions", "list"])).stdout).toMatch(/^zwei\t/);
    expect((await emulated.run(["chat", "-c", "third"])).code).toBe(0);
    const document = JSON.parse(
      (await emulated.run(["sessions", "rename", "zwei", "drei", "--json"])).stdout,
    ) as object;
    expectSchema("sessions-rename", document);
  });

  it.each([
    ["none", "x", "There is no session 'none'."],
    ["one", "two", "There is a session 'two' already."],
    ["one", "one", "There is a session 'one' already."],
    ["one", "../one", "cannot name a session"],
  ])("refuses %s to %s, and changes nothing", async (from, to, message) => {
    const emulated = await machine({ one: ["first"], two: ["second"] });
    const result = await emulated.run(["sessions", "rename", from, to]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(readdirSync(path.dirname(fileIn(emulated, ""))).toSorted()).toEqual(["one.jsonl", "two.jsonl"]);
  });

  it("refuses a session that is open", async () => {
    const emulated = await machine({ one: ["first"] });
    const terminal = openTerminal(["chat", "--session", "one"], emulated.home, { env: emulated.env });
    await terminal.see("/help");
    const result = await emulated.run(["sessions", "rename", "one", "two"]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("is open in another openclaw");
    expect(existsSync(fileIn(emulated, "one"))).toBe(true);
  });
});

describe("names of sessions", () => {
  it.each([
    "build-42",
    "Überblick",
    "議事録",
    "проект_7",
    "مشروع",
    "नमस्ते",
    "ประชุม",
    "한국어",
    "می‌خواهم",
    "🚀start",
    "7",
    "x".repeat(128),
    "日".repeat(42),
  ])("may be %s", async (name) => {
    const emulated = await machine({ [name]: ["first"] });
    expect((await emulated.run(["sessions", "list"])).stdout.split("\t")[0]).toBe(name);
    expect((await emulated.run(["sessions", "show", name])).code).toBe(0);
    expect((await emulated.run(["sessions", "rm", name])).stdout).toBe(`Removed session ${name}.\n`);
  });

  it("are the same however they were typed", async () => {
    const emulated = await machine({ ["Über".normalize("NFD")]: ["first"] });
    expect(existsSync(fileIn(emulated, "Über".normalize("NFC")))).toBe(true);
    expect((await emulated.run(["sessions", "rm", "Über".normalize("NFD")])).code).toBe(0);
  });

  it.each([
    "",
    " ",
    "a b",
    "..",
    ".hidden",
    "-x",
    "a/b",
    "a\\b",
    "../../etc/passwd",
    "a\u0000b",
    "a\nb",
    "a\u202eb",
    "a\u200bb",
    "a:b",
    "a*",
    "end.",
    "ｆull／width",
    "\u0301a",
    "ㅤ",
    "x".repeat(129),
    "日".repeat(43),
  ])("may not be %j", async (name) => {
    const emulated = await machine({});
    const result = await emulated.run(["chat", "-m", MODEL, `--session=${name}`, "hi"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(emulated.routes()).toEqual([]);
  });
});

describe("sessions show", () => {
  it("shows the session that was written last where none is named", async () => {
    const emulated = await machine({ old: ["the old question"], new: ["the new question"] });
    age(emulated, "old", 1);
    expect((await emulated.run(["sessions", "show"])).stdout).toContain("the new question");
    expect((await emulated.run(["sessions", "export"])).stdout).toContain("the new question");
    const none = await (await machine({})).run(["sessions", "show"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("No session is kept.");
  });
});

describe("sessions rm --older-than", () => {
  it("removes what nobody has written to for so long", async () => {
    const emulated = await machine({ old: ["a"], older: ["b"], new: ["c"] });
    age(emulated, "old", 31);
    age(emulated, "older", 400);
    const dry = JSON.parse(
      (await emulated.run(["sessions", "rm", "--older-than", "30d", "--dry-run", "--json"])).stdout,
    ) as object;
    expectSchema("sessions-rm", dry);
    expect(dry).toEqual({ removed: ["old", "older"], dryRun: true });
    expect(existsSync(fileIn(emulated, "old"))).toBe(true);
    const { stdout } = await emulated.run(["sessions", "rm", "--older-than", "30d"]);
    expect(stdout).toBe("Removed session old.\nRemoved session older.\n");
    expect(readdirSync(path.dirname(fileIn(emulated, "")))).toEqual(["new.jsonl"]);
    expect(await emulated.run(["sessions", "rm", "--older-than", "30d"])).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  it("leaves one that is open, and removes the others", async () => {
    const emulated = await machine({ open: ["a"], shut: ["b"] });
    const terminal = openTerminal(["chat", "--session", "open"], emulated.home, { env: emulated.env });
    await terminal.see("/help");
    for (const id of ["open", "shut"]) age(emulated, id, 40);
    const result = await emulated.run(["sessions", "rm", "--older-than", "30d"]);
    expect(result).toMatchObject({ code: 0, stdout: "Removed session shut.\n" });
    expect(result.stderr).toContain("Session open is open in another openclaw");
  });

  it.each([
    [[], "sessions rm takes the sessions to remove."],
    [["--older-than", "30d", "one"], "Leave one of them out."],
    [["--older-than", "soon"], "--older-than 'soon' is no time."],
    [["--older-than", "2999-01-01"], "--older-than '2999-01-01' is a time to come."],
    [["--dry-run", "none"], "There is no session 'none'."],
  ])("refuses %j", async (args, message) => {
    const emulated = await machine({ one: ["a"] });
    const result = await emulated.run(["sessions", "rm", ...args]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(existsSync(fileIn(emulated, "one"))).toBe(true);
  });
});

it("removes a link in a session's place, never what it leads to", async () => {
  const emulated = await machine({});
  const precious = path.join(emulated.home, "precious.txt");
  writeFileSync(precious, "mine\n");
  mkdirSync(path.dirname(fileIn(emulated, "")), { recursive: true });
  symlinkSync(precious, fileIn(emulated, "linked"));
  await emulated.run(["sessions", "rm", "linked"]);
  expect(readFileSync(precious, "utf8")).toBe("mine\n");
});
