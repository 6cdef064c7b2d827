import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "../../src/emulator/emulator.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openTerminal } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const MODEL = "amazon.nova-lite-v1:0";
const ASK = ["chat", "-m", MODEL];
/** What Nova Lite costs for a million tokens each way: 0.06 and 0.24 USD (the catalog). */
const USAGE = { inputTokens: 100_000, outputTokens: 500_000, totalTokens: 600_000 };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const answering = (answer?: (nth: number) => ScriptedAnswer | undefined): Promise<Emulated> =>
  emulate({
    script: ({ route, nth }) => {
      if (route !== "ConverseStream") return undefined;
      return answer?.(nth) ?? { stream: [...textAnswerSteps(["Hello."], { usage: USAGE })] };
    },
  });

const folderOf = ({ home }: Emulated): string => path.join(home, ".openclaw", "usage");
const thisMonth = (): string => new Date().toISOString().slice(0, 7);
const fileOf = (emulated: Emulated): string => path.join(folderOf(emulated), `${thisMonth()}.jsonl`);
const linesOf = (emulated: Emulated): Record<string, unknown>[] =>
  readFileSync(fileOf(emulated), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Writes a ledger of a test's own. */
function writeLedger(emulated: Emulated, lines: readonly object[]): void {
  mkdirSync(folderOf(emulated), { recursive: true });
  for (const line of lines) {
    const { at } = line as { at: string };
    writeFileSync(path.join(folderOf(emulated), `${at.slice(0, 7)}.jsonl`), `${JSON.stringify(line)}\n`, {
      flag: "a",
    });
  }
}

interface Document {
  groups: { calls: number; usd: number | null; unpricedCalls: number }[];
  total: { calls: number; usd: number | null };
  budget: unknown;
}
async function usageOf(emulated: Emulated, ...args: string[]): Promise<Document> {
  const { stdout } = await emulated.run(["usage", "--json", ...args]);
  const document = JSON.parse(stdout) as Document;
  expectSchema("usage", document);
  return document;
}

describe("the ledger", () => {
  it("has a line for a call: what it used and cost, nothing of what was said", async () => {
    const emulated = await answering();
    await emulated.run([...ASK, "a secret question"]);
    const [line, ...more] = linesOf(emulated);
    expect(more).toEqual([]);
    expect(line).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      command: "chat",
      model: MODEL,
      profile: "AWS_ACCESS_KEY_ID",
      region: "us-east-1",
      inputTokens: 100_000,
      outputTokens: 500_000,
      usd: 0.126,
    });
    expect(readFileSync(fileOf(emulated), "utf8")).not.toContain("secret");
    expect(statSync(fileOf(emulated)).mode & 0o777).toBe(0o600);
    expect(statSync(folderOf(emulated)).mode & 0o777).toBe(0o700);
  });

  it("is written by conversations and by doctor's probe, too", async () => {
    const emulated = await answering();
    emulated.configure(JSON.stringify({ agents: { defaults: { model: MODEL } } }));
    const terminal = openTerminal(["chat"], emulated.home, { env: emulated.env });
    await terminal.see("/help");
    for (const question of ["one", "two"]) {
      terminal.type(`${question}\r`);
      await terminal.see(new RegExp(`> ${question}\\s+Hello\\.`));
    }
    terminal.type("\u0004");
    expect(await terminal.exit).toBe(0);
    await emulated.run(["doctor", "--probe"]);
    expect(linesOf(emulated).map(({ command }) => command)).toEqual(["chat", "chat", "doctor"]);
  });

  it.each<[string, ScriptedAnswer, number]>([
    ["that was refused", { error: { name: "ValidationException", message: "No.", status: 400 } }, 0],
    ["that was throttled", { error: { name: "ThrottlingException", message: "Slow.", status: 429 } }, 0],
    ["whose stream broke off", { stream: [...textAnswerSteps(["Half"])].slice(0, 2) }, 1],
    ["without counts", { stream: [...textAnswerSteps(["Hello."])].slice(0, -1) }, 1],
  ])("counts a call %s as often as it is billed, without a price", async (_, answer, calls) => {
    const emulated = await answering(() => answer);
    await emulated.run([...ASK, "hi"], { env: { AWS_MAX_ATTEMPTS: "1" } });
    const { total, groups } = await usageOf(emulated);
    expect(total.calls).toBe(calls);
    if (calls > 0) expect(groups[0]).toMatchObject({ calls, usd: null, unpricedCalls: calls });
  });

  it("counts an answer that Ctrl-C stopped", async () => {
    const half = [...textAnswerSteps(["Half"])].slice(0, 2);
    const emulated = await answering(() => ({ stream: [...half, { end: "stall" }] }));
    const child = emulated.start([...ASK, "hi"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGINT");
    await new Promise((resolve) => child.once("close", resolve));
    expect(linesOf(emulated)).toMatchObject([{ model: MODEL, inputTokens: 0, usd: null }]);
  });

  it("counts an answer whose reader has gone away", async () => {
    const emulated = await answering();
    const child = emulated.start([...ASK, "hi"]);
    child.stdout.destroy();
    await new Promise((resolve) => child.once("close", resolve));
    expect(linesOf(emulated)).toMatchObject([{ model: MODEL }]);
  });

  it("counts each of the models that were asked in turn", async () => {
    const emulated = await emulate({
      script: ({ route, path: place }) =>
        route === "ConverseStream" && place.includes("nova-pro")
          ? { stream: [...textAnswerSteps([""])] }
          : undefined,
    });
    await emulated.run(["chat", "-m", `amazon.nova-pro-v1:0,${MODEL}`, "hi"]);
    const lines = linesOf(emulated);
    expect(lines.map(({ model }) => model)).toEqual(["amazon.nova-pro-v1:0", MODEL]);
    // It was asked twice.
    expect(lines[0]).toMatchObject({ calls: 2, inputTokens: 2 });
  });

  it("names a profile, and no profile for a server of one's own", async () => {
    const emulated = await answering();
    mkdirSync(path.join(emulated.home, ".aws"));
    writeFileSync(
      path.join(emulated.home, ".aws", "credentials"),
      `[work]\naws_access_key_id = ${emulated.env["AWS_ACCESS_KEY_ID"]}\naws_secret_access_key = ${emulated.env["AWS_SECRET_ACCESS_KEY"]}\n`,
    );
    await emulated.run([...ASK, "--profile", "work", "hi"]);
    expect(linesOf(emulated)).toMatchObject([{ profile: "work" }]);
  });

  it("is not written where it is turned off", async () => {
    const emulated = await answering();
    emulated.configure("{ usage: { ledger: false } }");
    await emulated.run([...ASK, "hi"]);
    expect(existsSync(folderOf(emulated))).toBe(false);
    expect((await emulated.run(["usage"])).stderr).toContain("openclaw: the ledger is off (usage.ledger)");
  });

  it("is one of its own with --emulator", async () => {
    const emulated = await answering();
    await emulated.run(["chat", "--emulator", "hi"]);
    expect((await usageOf(emulated)).total.calls).toBe(0);
    expect(await usageOf(emulated, "--emulator")).toMatchObject({ emulated: true, total: { calls: 1 } });
  });

  it("goes on after a line that was never written whole", async () => {
    const emulated = await answering();
    await emulated.run([...ASK, "hi"]);
    writeFileSync(fileOf(emulated), '{"at":"2026-', { flag: "a" });
    await emulated.run([...ASK, "hi"]);
    expect((await usageOf(emulated)).total.calls).toBe(2);
  });

  it("loses no line of several processes at once", async () => {
    const emulated = await answering();
    const runs = Array.from({ length: 12 }, () => emulated.run([...ASK, "hi"], { isAlone: true }));
    for (const { code } of await Promise.all(runs)) expect(code).toBe(0);
    expect(linesOf(emulated)).toHaveLength(12);
  });

  it.each<[string, (file: string) => void]>([
    ["a link in its place", (file) => symlinkSync("/dev/full", file)],
    ["a folder in its place", (file) => mkdirSync(file)],
  ])("holds up no answer for %s, and says so once", async (_, spoil) => {
    const emulated = await answering();
    mkdirSync(folderOf(emulated), { recursive: true });
    spoil(fileOf(emulated));
    const { code, stdout, stderr } = await emulated.run([...ASK, "hi"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Hello.\n" });
    expect(stderr.match(/^openclaw: what was used is not written down/gm)).toHaveLength(1);
    expect((await emulated.run([...ASK, "-q", "hi"])).stderr).toBe("");
  });

  it("holds up no answer where nothing can be kept, and says so where a budget is to be", async () => {
    const emulated = await answering();
    mkdirSync(path.dirname(folderOf(emulated)), { recursive: true });
    writeFileSync(folderOf(emulated), "");
    expect(await emulated.run([...ASK, "hi"])).toMatchObject({ code: 0, stderr: "" });
    emulated.configure("{ usage: { budget: { daily: 1 } } }");
    const { code, stderr } = await emulated.run([...ASK, "hi"]);
    expect(code).toBe(0);
    expect(stderr).toContain("openclaw: what was used is not written down");
  });
});

describe("usage", () => {
  const at = (daysAgo: number): string => new Date(Date.now() - daysAgo * DAY_MS).toISOString();
  const call = (more: object): object => ({
    at: at(0),
    command: "chat",
    model: MODEL,
    profile: "work",
    inputTokens: 10,
    outputTokens: 20,
    usd: 0.5,
    ...more,
  });

  it("sums up by each field, the dearest first", async () => {
    const emulated = await emulate();
    writeLedger(emulated, [
      call({ at: at(3) }),
      call({ at: at(2), model: "other", usd: null }),
      call({ command: "serve", key: "team-a", profile: undefined, usd: 2, cacheReadInputTokens: 7 }),
    ]);
    const rows = async (by: string): Promise<string[]> =>
      (await emulated.run(["usage", "--by", by])).stdout.trimEnd().split("\n");
    expect(await rows("model")).toEqual([`${MODEL}\t2\t20\t40\t7\t0\t2.5\t0`, "other\t1\t10\t20\t0\t0\t\t1"]);
    expect(await rows("command")).toEqual(["serve\t1\t10\t20\t7\t0\t2\t0", "chat\t2\t20\t40\t0\t0\t0.5\t1"]);
    expect(await rows("key")).toEqual(["team-a\t1\t10\t20\t7\t0\t2\t0", "-\t2\t20\t40\t0\t0\t0.5\t1"]);
    expect(await rows("profile")).toEqual(["-\t1\t10\t20\t7\t0\t2\t0", "work\t2\t20\t40\t0\t0\t0.5\t1"]);
    expect((await rows("day")).map((row) => row.split("\t")[0])).toEqual(
      [at(3), at(2), at(0)].map((time) => time.slice(0, 10)),
    );
    for (const by of ["model", "day", "profile", "command", "key"]) await usageOf(emulated, "--by", by);
    expect(await usageOf(emulated)).toMatchObject({ total: { calls: 3, usd: 2.5, unpricedCalls: 1 } });
  });

  it("takes what is since a time, 30 days without one", async () => {
    const emulated = await emulate();
    writeLedger(emulated, [call({ at: at(40) }), call({ at: at(5) }), call({})]);
    const calls = async (...args: string[]): Promise<number> =>
      (await usageOf(emulated, ...args)).total.calls;
    expect(await calls()).toBe(2);
    expect(await calls("--since", "7d")).toBe(2);
    expect(await calls("--since", "3d")).toBe(1);
    expect(await calls("--since", "1y")).toBe(3);
    expect(await calls("--since", "today")).toBe(1);
    const wrong = await emulated.run(["usage", "--since", "soon"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
  });

  it("takes the same since a time with a budget as without one", async () => {
    const emulated = await emulate();
    const hour = Math.floor(Date.now() / HOUR_MS - 1) * HOUR_MS;
    const [before, since, after] = [10, 30, 50].map((minute) =>
      new Date(hour + minute * 60_000).toISOString(),
    );
    writeLedger(emulated, [call({ at: before }), call({ at: after })]);
    const calls = async (): Promise<number> =>
      (await usageOf(emulated, "--since", String(since))).total.calls;
    expect(await calls()).toBe(1);
    emulated.configure("{ usage: { budget: { monthly: 100 } } }");
    expect(await calls()).toBe(1);
  });

  it("prints CSV that spreadsheets read", async () => {
    const emulated = await emulate();
    writeLedger(emulated, [call({ model: 'a,"b"' })]);
    const { stdout } = await emulated.run(["usage", "--csv"]);
    expect(stdout).toBe(
      'model,calls,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,usd,unpriced_calls\n"a,""b""",1,10,20,0,0,0.5,0\n',
    );
    expect((await emulated.run(["usage", "--csv", "--json"])).code).toBe(2);
  });

  it("has nothing to print of an empty ledger, and says so", async () => {
    const emulated = await emulate();
    expect(await emulated.run(["usage"])).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(/^openclaw: No call is in the ledger.*\n$/),
      code: 0,
    });
    const terminal = openTerminal(["usage"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().join("")).toContain("No call is in the ledger");
  });

  it("says what cannot be read", async () => {
    const emulated = await emulate();
    mkdirSync(fileOf(emulated), { recursive: true });
    const { code, stderr } = await emulated.run(["usage"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`The ledger in ${fileOf(emulated)} cannot be read`);
  });

  it("says that a file stands in the place of the ledger's folder, and nothing of a home that is none", async () => {
    const emulated = await emulate();
    const folder = path.dirname(fileOf(emulated));
    mkdirSync(path.dirname(folder), { recursive: true });
    writeFileSync(folder, "");
    const { code, stderr } = await emulated.run(["usage"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`The ledger in ${folder} cannot be read: it is no folder.`);
    const without = await emulated.run(["usage"], { env: { OPENCLAW_STATE_DIR: "/dev/null/state" } });
    expect(without).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("usage.budget", () => {
  const spent = (usd: number | null, more: object = {}): object => ({
    at: new Date().toISOString(),
    command: "chat",
    model: MODEL,
    usd,
    ...more,
  });
  const withBudget = async (budget: object, ...lines: object[]): Promise<Emulated> => {
    const emulated = await answering();
    emulated.configure(JSON.stringify({ usage: { budget } }));
    writeLedger(emulated, lines);
    return emulated;
  };

  it("lets calls pass without a word below 80 %", async () => {
    const emulated = await withBudget({ daily: 10, monthly: 100 }, spent(7.9), spent(null));
    expect(await emulated.run([...ASK, "hi"])).toMatchObject({ code: 0, stderr: "" });
  });

  it("warns from 80 % on", async () => {
    const emulated = await withBudget({ daily: 10 }, spent(8));
    const { code, stdout, stderr } = await emulated.run([...ASK, "hi"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Hello.\n" });
    expect(stderr).toContain("warning: $8.00 of the daily budget of $10.00 is spent (80 %).");
    expect(stderr).toContain("hint: What for: openclaw usage --since today");
  });

  it.each([
    [{ daily: 10 }, [10], "$10.00 of the daily budget of $10.00 is spent since ", "usage.budget.daily 25)"],
    [{ daily: 1 }, [50, 0.5], "$50.50 of the daily budget of $1.00 is", "usage.budget.daily 130)"],
    [
      { monthly: 10 },
      [9, ...Array.from({ length: 30 }, () => 0.1)],
      "$12.00 of the monthly budget of $10.00 is spent since ",
      "usage.budget.monthly 27)",
    ],
    [{ daily: 0.02 }, [0.015, 0.0055], "$0.02 of the daily", "usage.budget.daily 0.045)"],
    [{ daily: 0 }, [0], "$0 of the daily budget of $0 is spent since ", "usage.budget.daily 1)"],
  ])("refuses when %j is spent, and names a budget that is enough", async (budget, usd, message, raised) => {
    const emulated = await withBudget(budget, ...usd.map((one) => spent(one)));
    const { code, stdout, stderr } = await emulated.run([...ASK, "hi"]);
    expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain(raised);
    expect(emulated.routes()).toEqual([]);
    const document = JSON.parse((await emulated.run([...ASK, "--json", "hi"])).stdout) as object;
    expectSchema("error", document);
    expect(document).toMatchObject({ error: { code: "budget-exceeded", exitCode: 6 } });
    expect((await emulated.run([...ASK, "--ignore-budget", "hi"])).code).toBe(0);
  });

  it("counts neither yesterday nor last month", async () => {
    const now = new Date();
    const lastMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 0, 12)).toISOString();
    const emulated = await withBudget({ daily: 1, monthly: 100 }, spent(50, { at: lastMonth }));
    expect((await emulated.run([...ASK, "hi"])).stderr).toBe("");
  });

  it("counts what other calls of the same conversation cost", async () => {
    const emulated = await withBudget({ daily: 0.2 });
    const terminal = openTerminal(ASK, emulated.home, { env: emulated.env });
    await terminal.see("/help");
    for (const question of ["one", "two"]) {
      terminal.type(`${question}\r`);
      await terminal.see(new RegExp(`> ${question}\\s+Hello\\.`));
    }
    terminal.type("three\r");
    await terminal.see("of the daily budget of $0.20 is spent since");
    terminal.type("\u0004");
    expect(await terminal.exit).toBe(0);
    expect(emulated.routes().filter((route) => route === "ConverseStream")).toHaveLength(2);
  });

  it("is shown by usage", async () => {
    const emulated = await withBudget({ daily: 10, monthly: 100 }, spent(2.5));
    expect(await usageOf(emulated, "--since", "0d")).toMatchObject({
      budget: { daily: { limit: 10, spent: 2.5 }, monthly: { limit: 100, spent: 2.5 } },
    });
    const terminal = openTerminal(["usage"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().join("\n")).toContain("$2.50 of the daily budget of $10.00 is spent.");
  });

  it("cannot be without a ledger, and says so", async () => {
    const emulated = await answering();
    emulated.configure("{ usage: { ledger: false, budget: { daily: 1 } } }");
    const { code, stderr } = await emulated.run([...ASK, "hi"]);
    expect(code).toBe(3);
    expect(stderr).toContain("openclaw config set usage.ledger true");
  });

  it("reads the ledger once more from where it was, and again where it was summed up", async () => {
    const emulated = await withBudget({ daily: 10 });
    const { Budget } = await import("../../src/ledger/budget.ts");
    const { testRuntime } = await import("../helpers/test-runtime.ts");
    const budget = new Budget(testRuntime({ home: emulated.home }), { daily: 10 }, true);
    await budget.check();
    writeLedger(emulated, [spent(6)]);
    await budget.check();
    const half = JSON.stringify(spent(3)).slice(0, 20);
    writeFileSync(fileOf(emulated), half, { flag: "a" });
    await budget.check();
    const { renameSync } = await import("node:fs");
    renameSync(fileOf(emulated), path.join(folderOf(emulated), `${thisMonth()}.part-x.jsonl`));
    await budget.check();
    writeLedger(emulated, [spent(5)]);
    await expect(budget.check()).rejects.toThrow("$11.00 of the daily budget");
    expect(readdirSync(folderOf(emulated))).toHaveLength(2);
  });

  it("counts once what was summed up and is not removed yet", async () => {
    const emulated = await withBudget({ daily: 10 }, spent(1));
    const { Budget } = await import("../../src/ledger/budget.ts");
    const { testRuntime } = await import("../helpers/test-runtime.ts");
    const budget = new Budget(testRuntime({ home: emulated.home }), { daily: 10 }, true);
    const write = (kind: string, text: string): void =>
      writeFileSync(path.join(folderOf(emulated), `${thisMonth()}.${kind}.jsonl`), text);
    const six = `${JSON.stringify(spent(6))}\n`;
    write("part-a", six);
    await budget.check();
    write("sums", `${JSON.stringify({ summed: [`${thisMonth()}.part-a.jsonl`] })}\n${six}`);
    await budget.check();
    write("part-b", six);
    await expect(budget.check()).rejects.toThrow("$13.00 of the daily budget");
  });
});

describe("a long prompt", () => {
  const LONG = { inputTokens: 300_000, outputTokens: 1000, totalTokens: 301_000 };
  it.each([
    ["a model that costs the same", "us.anthropic.claude-opus-4-6-v1", 0.3 * 5.5 + 0.001 * 27.5],
    ["a model that costs more", "global.anthropic.claude-haiku-5-5", 0.3 * 0.5 + 0.001 * 2.5],
    ["a model of which nobody says so", "us.amazon.nova-pro-v1:0", null],
  ])("to %s is priced so in the answer and in the ledger", async (_, model, usd) => {
    const emulated = await answering(() => ({ stream: [...textAnswerSteps(["Hello."], { usage: LONG })] }));
    const { stdout, code } = await emulated.run(["chat", "-m", model, "--json", "hi"]);
    expect(code).toBe(0);
    const { cost } = JSON.parse(stdout) as { cost: { usd: number } | null };
    if (usd === null) expect(cost).toBeNull();
    else expect(cost?.usd).toBeCloseTo(usd, 9);
    expect((await usageOf(emulated)).total).toMatchObject({ calls: 1, usd: cost?.usd ?? null });
  });
});

describe("--max-cost", () => {
  it("allows the answer as many tokens as it pays for", async () => {
    const emulated = await answering();
    const { code, stderr } = await emulated.run([...ASK, "--max-cost", "0.001", "hi"]);
    expect(code).toBe(0);
    const body = emulated.emulator.calls.find(({ route }) => route === "ConverseStream")?.body;
    const { maxTokens = 0 } = (body as { inferenceConfig: { maxTokens?: number } }).inferenceConfig;
    // 0.24 USD for a million.
    expect(maxTokens).toBeGreaterThan(4100);
    expect(maxTokens).toBeLessThanOrEqual(4166);
    expect(stderr).toContain(`openclaw: the answer may have ${maxTokens} tokens`);
  });

  it("sends nothing more where it pays for all that the model puts out, or for what is asked", async () => {
    const emulated = await answering();
    await emulated.run([...ASK, "--max-cost", "5", "hi"]);
    await emulated.run([...ASK, "--max-cost", "0.001", "--max-tokens", "100", "hi"]);
    const [first, second] = emulated.emulator.calls.filter(({ route }) => route === "ConverseStream");
    expect(first?.body).not.toHaveProperty("inferenceConfig");
    expect(second?.body).toMatchObject({ inferenceConfig: { maxTokens: 100 } });
  });

  it.each([
    [["--max-cost", "0.0000001"], "The question alone costs about $", "budget-exceeded"],
    [["--max-cost", "0"], "The question alone costs about $", "budget-exceeded"],
    [["--max-cost", "1", "--service-tier", "flex"], "is not known (flex tier)", "invalid-request"],
    [["--max-cost", "1", "-m", "amazon.unheard-of-v1:0"], "--max-cost cannot be kept", "invalid-request"],
  ])("refuses %j before anything is billed", async (args, message, code) => {
    const emulated = await answering();
    const { stdout, ...result } = await emulated.run([...ASK, ...args, "--json", "hi"]);
    expect(result.code).toBe(6);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(emulated.routes()).not.toContain("ConverseStream");
  });

  it.each<[string, string[], string | undefined, string]>([
    [
      "a video",
      ["-f", "a.mp4"],
      undefined,
      "--max-cost cannot be kept: a video may come to more tokens than",
    ],
    [
      "what lies in Amazon S3",
      ["-f", "s3://bucket/a.pdf"],
      undefined,
      "--max-cost cannot be kept: a file in Amazon S3",
    ],
    [
      "a recording",
      ["-m", "mistral.voxtral-small-24b-2507", "-f", "a.mp3"],
      undefined,
      "The question alone costs about $0.0032",
    ],
    [
      "a video, by the settings' price",
      ["-f", "a.mp4"],
      "100000",
      "The question alone costs about $0.006 with",
    ],
  ])("counts for %s as much as it may come to", async (_, args, contextWindow, message) => {
    const emulated = await answering();
    writeFileSync(path.join(emulated.home, "a.mp4"), "\0\0\0\x18ftypmp42\0\0\0\0mp42isom");
    writeFileSync(path.join(emulated.home, "a.mp3"), "ID3\x04\0\0\0\0\0\0");
    if (contextWindow !== undefined) {
      const models = [
        { id: MODEL, contextWindow: Number(contextWindow), cost: { input: 0.06, output: 0.24 } },
      ];
      emulated.configure(JSON.stringify({ models: { providers: { "amazon-bedrock": { models } } } }));
    }
    const { code, stderr } = await emulated.run([...ASK, ...args, "--max-cost", "0.003", "hi"]);
    expect(code).toBe(6);
    expect(stderr).toContain(message);
    expect(emulated.routes()).not.toContain("ConverseStream");
  });

  it.each([
    ["with a cache whose price is known", undefined, true],
    ["without a cache whose price nobody knows", { input: 0.06, output: 0.24 }, false],
  ])("bounds each answer of a conversation, %s", async (_how, cost, isCached) => {
    const emulated = await answering();
    const models = [{ id: MODEL, ...(cost ? { cost } : {}) }];
    emulated.configure(JSON.stringify({ models: { providers: { "amazon-bedrock": { models } } } }));
    const terminal = openTerminal([...ASK, "--max-cost", "0.001"], emulated.home, { env: emulated.env });
    await terminal.see("/help");
    for (const question of ["one", "two"]) {
      terminal.type(`${question}\r`);
      await terminal.see(new RegExp(`> ${question}\\s[^]*Hello\\.`));
    }
    terminal.type("\u0004");
    expect(await terminal.exit).toBe(0);
    const bodies = emulated.emulator.calls.flatMap(({ route, body }) =>
      route === "ConverseStream" ? [JSON.stringify(body)] : [],
    );
    expect(bodies).toHaveLength(2);
    for (const body of bodies) {
      expect(body).toContain('"maxTokens":4');
      expect(body.includes("cachePoint")).toBe(isCached);
    }
  });

  it("asks no second time for an answer without anything in it", async () => {
    const emulated = await answering(() => ({ stream: [...textAnswerSteps([""])] }));
    await emulated.run([...ASK, "--max-cost", "1", "hi"]);
    expect(emulated.routes().filter((route) => route === "ConverseStream")).toHaveLength(1);
  });
});
