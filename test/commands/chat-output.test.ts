import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "../../src/emulator/emulator.ts";
import type { StreamStep } from "../../src/emulator/script.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openPty, openTerminal } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

/** An answer of which this comes, and no more. */
const halfOf = (text: string): StreamStep[] => [...textAnswerSteps([text])].slice(0, 2);

const ASK = ["chat", "-m", "amazon.nova-lite-v1:0"];
const env = { AWS_MAX_ATTEMPTS: "1" };

/** Answers every question so. */
const answering = (answer: ScriptedAnswer | string, stopReason = "end_turn"): Promise<Emulated> =>
  emulate({
    script: ({ route }) => {
      if (route !== "ConverseStream") return undefined;
      if (typeof answer !== "string") return answer;
      return { stream: [...textAnswerSteps([answer], { stopReason })] };
    },
  });

/** What is in the folder that a test works in, but for the program's own. */
const namesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name !== ".openclaw");

describe("chat -o", () => {
  it("writes the answer to a file, and nothing to stdout", async () => {
    const emulated = await answering("Hello.\n\n");
    const result = await emulated.run([...ASK, "-o", "answer.md", "hi"]);
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(path.join(emulated.home, "answer.md"), "utf8")).toBe("Hello.\n");
    expect(namesIn(emulated.home)).toEqual(["answer.md"]);
  });

  it("replaces a file in one step and keeps its mode, through a link, too", async () => {
    const emulated = await answering("New.");
    const file = path.join(emulated.home, "old.md");
    writeFileSync(file, "Old.\n");
    chmodSync(file, 0o640);
    symlinkSync("old.md", path.join(emulated.home, "link.md"));
    const { ino } = statSync(file);
    expect((await emulated.run([...ASK, "-o", "link.md", "hi"])).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("New.\n");
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(statSync(file).ino).not.toBe(ino);
    expect(readlinkSync(path.join(emulated.home, "link.md"))).toBe("old.md");
  });

  it("gives a new file the mode that the umask leaves", async () => {
    const emulated = await answering("Hello.");
    const { home } = emulated;
    const script = `umask 027; exec "$0" "$@"`;
    const bin = path.resolve(import.meta.dirname, "../../bin/openclaw.js");
    const args = [
      "-c",
      script,
      process.execPath,
      bin,
      ...ASK,
      "-o",
      "a.md",
      "hi",
      "--endpoint-url",
      emulated.emulator.url,
    ];
    const child = spawn("/bin/sh", args, {
      cwd: home,
      env: { ...process.env, HOME: home, ...emulated.env },
      stdio: "ignore",
    });
    await new Promise((resolve) => child.once("close", resolve));
    expect(statSync(path.join(home, "a.md")).mode & 0o777).toBe(0o640);
  });

  it.each(["-", "/dev/stdout", "/dev/fd/1"])("takes %s for stdout", async (name) => {
    const emulated = await answering("Hello.");
    expect(await emulated.run([...ASK, "-o", name, "hi"], { isAlone: true })).toMatchObject({
      stdout: "Hello.\n",
      code: 0,
    });
    expect(namesIn(emulated.home)).toEqual([]);
  });

  it("writes the document of --json", async () => {
    const emulated = await answering("Hello.");
    expect(await emulated.run([...ASK, "--json", "-o", "a.json", "hi"])).toMatchObject({
      code: 0,
      stdout: "",
    });
    const document = JSON.parse(readFileSync(path.join(emulated.home, "a.json"), "utf8")) as { text: string };
    expectSchema("chat", document);
    expect(document.text).toBe("Hello.");
  });

  it.each<[string, ScriptedAnswer]>([
    [
      "an answer that is withheld",
      { stream: [...textAnswerSteps(["No."], { stopReason: "guardrail_intervened" })] },
    ],
    ["a refusal", { error: { name: "ValidationException", message: "No.", status: 400 } }],
  ])("leaves nothing after %s, and an old file as it was", async (_, answer) => {
    const emulated = await answering(answer);
    const old = path.join(emulated.home, "old.md");
    writeFileSync(old, "Old.\n");
    for (const name of ["old.md", "new.md"]) {
      const { code, stdout } = await emulated.run([...ASK, "-o", name, "hi"], { env });
      expect(code).not.toBe(0);
      expect(stdout).toBe("");
    }
    expect(readFileSync(old, "utf8")).toBe("Old.\n");
    expect(namesIn(emulated.home)).toEqual(["old.md"]);
  });

  it("keeps what came of an answer that breaks off beside the file, with the file's mode", async () => {
    const emulated = await answering({ stream: halfOf("Half") });
    const old = path.join(emulated.home, "old.md");
    writeFileSync(old, "Old.\n", { mode: 0o600 });
    symlinkSync("old.md", path.join(emulated.home, "link.md"));
    for (const [name, kept] of [
      ["link.md", "old.md.partial"],
      ["new.md", "new.md.partial"],
    ] as const) {
      const { code, stdout, stderr } = await emulated.run([...ASK, "-q", "-o", name, "hi"], { env });
      expect(code).toBe(5);
      expect(stdout).toBe("");
      expect(stderr).toContain(`warning: What came of the answer is in ${kept}.\nerror: `);
      expect(readFileSync(path.join(emulated.home, kept), "utf8")).toBe("Half\n");
    }
    expect(readFileSync(old, "utf8")).toBe("Old.\n");
    expect(statSync(`${old}.partial`).mode & 0o777).toBe(0o600);
    expect(namesIn(emulated.home)).toEqual(["link.md", "new.md.partial", "old.md", "old.md.partial"]);
  });

  it("keeps all of an answer that breaks off with --extract, and its events with --ndjson", async () => {
    const emulated = await answering({ stream: halfOf("So:\n```\nls") });
    const { home } = emulated;
    expect((await emulated.run([...ASK, "-x", "-o", "a.sh", "hi"], { env })).code).toBe(5);
    expect(readFileSync(path.join(home, "a.sh.partial"), "utf8")).toBe("So:\n```\nls\n");
    expect((await emulated.run([...ASK, "--ndjson", "-o", "a.ndjson", "hi"], { env })).code).toBe(5);
    const events = readFileSync(path.join(home, "a.ndjson.partial"), "utf8").trim().split("\n");
    expect(events.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(["start", "text"]);
    expect(namesIn(home)).toEqual(["a.ndjson.partial", "a.sh.partial"]);
  });

  it("tells a failure with --json on stdout, with what there was of the answer", async () => {
    const emulated = await answering({ stream: halfOf("Half") });
    const { code, stdout } = await emulated.run([...ASK, "--json", "-o", "a.json", "hi"], { env });
    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "stream-broken", partialText: "Half" } });
    expect(namesIn(emulated.home)).toEqual([]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("keeps what came before %s", async (signal, exitCode) => {
    const thought: StreamStep = {
      event: "contentBlockDelta",
      payload: { contentBlockIndex: 0, delta: { reasoningContent: { text: "So far." } } },
    };
    const emulated = await answering({ stream: [...halfOf("Half"), thought, { end: "stall" }] });
    const child = emulated.start([...ASK, "--show-reasoning", "-o", "a.md", "hi"]);
    const closed = new Promise((resolve) => child.once("close", resolve));
    let said = "";
    child.stderr?.on("data", (data: Buffer) => (said += data.toString()));
    await expect.poll(() => said, { timeout: 10_000 }).toContain("So far.");
    child.kill(signal);
    expect(await closed).toBe(exitCode);
    expect(said).toContain("warning: What came of the answer is in a.md.partial.");
    expect(readFileSync(path.join(emulated.home, "a.md.partial"), "utf8")).toBe("Half\n");
    expect(namesIn(emulated.home)).toEqual(["a.md.partial"]);
  });

  it.each([
    ["folder", "-o 'folder' is a folder.", 2],
    ["none/a.md", "cannot be written: there is no folder", 2],
    ["none/", "is a folder.", 2],
    ["file/a.md", "is not a folder.", 2],
    ["circle", "its symbolic links lead in a circle.", 2],
    [`${"x".repeat(300)}.md`, "the name is too long.", 2],
    ["", "cannot be empty.", 2],
  ])("refuses %j before anything is asked", async (name, message, code) => {
    const emulated = await answering("Hello.");
    mkdirSync(path.join(emulated.home, "folder"));
    writeFileSync(path.join(emulated.home, "file"), "");
    symlinkSync("circle", path.join(emulated.home, "circle"));
    const result = await emulated.run([...ASK, `--output=${name}`, "hi"]);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain(message.replace("-o ", "--output "));
    expect(emulated.routes()).toEqual([]);
  });

  it("says that the disk is full, and writes to a device and a FIFO", async () => {
    const emulated = await answering("Hello.");
    const { home } = emulated;
    const full = await emulated.run([...ASK, "-o", "/dev/full", "hi"]);
    expect(full.code).toBe(1);
    expect(full.stderr).toContain("Cannot write /dev/full: the disk is full.");
    expect(full.stdout).toBe("Hello.\n");
    expect(full.stderr).toContain("warning: What came of the answer is on stdout.");
    const document = await emulated.run([...ASK, "--json", "-o", "/dev/full", "hi"]);
    expect(JSON.parse(document.stdout)).toMatchObject({ text: "Hello.", error: { exitCode: 1 } });
    expect((await emulated.run([...ASK, "-o", "/dev/null", "hi"])).code).toBe(0);
    spawnSync("mkfifo", [path.join(home, "fifo")]);
    const cat = spawn("cat", [path.join(home, "fifo")]);
    let read = "";
    cat.stdout.on("data", (data: Buffer) => (read += data.toString()));
    const closed = new Promise((resolve) => cat.once("close", resolve));
    expect((await emulated.run([...ASK, "-o", "fifo", "hi"])).code).toBe(0);
    await closed;
    expect(read).toBe("Hello.\n");
  });

  it("says that a FIFO has no reader, and puts the answer on stdout where a signal ends the wait", async () => {
    const emulated = await answering("Hello.");
    spawnSync("mkfifo", [path.join(emulated.home, "fifo")]);
    const child = emulated.start([...ASK, "-o", "fifo", "hi"]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    const said = "openclaw: Waiting for whoever reads from 'fifo', which is a pipe (FIFO).\n";
    await expect.poll(() => stderr, { timeout: 10_000 }).toContain(said);
    child.kill("SIGTERM");
    // Node's own end would wait for the thread that opens it.
    expect(await once(child, "close")).toEqual([null, "SIGTERM"]);
    expect(stdout).toBe("Hello.\n");
    expect(stderr).toContain("warning: What came of the answer is on stdout.");
  });

  it("lets nothing of an answer act on a terminal that it is written to", async () => {
    const emulated = await answering("Red: \u001B[31mred\u001B]0;title\u0007");
    const terminal = openPty([...ASK, "-o", "/dev/tty", "hi"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines().join("")).toContain("␛[31mred␛]0;title␇");
  });

  it("is for one answer: at a terminal nothing begins a conversation with it", async () => {
    const emulated = await answering("Hello.");
    const terminal = openTerminal([...ASK, "-o", "a.md"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(2);
    expect(terminal.lines().join("\n")).toContain("There is no prompt");
    expect(existsSync(path.join(emulated.home, "a.md"))).toBe(false);
  });

  it("shows at a terminal that it is waited for, and leaves the screen empty", async () => {
    const emulated = await answering("Hello.");
    const terminal = openTerminal([...ASK, "-o", "a.md", "hi"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual([]);
    expect(readFileSync(path.join(emulated.home, "a.md"), "utf8")).toBe("Hello.\n");
  });
});

describe("chat --extract", () => {
  const CODE = "Here it is:\n\n```sh\nls -l\necho done\n```\n\nAnd more:\n\n```\nrm\n```\n";

  it("goes with no --schema, before anything is asked", async () => {
    const emulated = await answering(CODE);
    const result = await emulated.run([...ASK, "--extract", "--schema", '{"type":"object"}', "hi"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain("--extract prints a code block, and --schema answers with JSON alone.");
    expect(emulated.routes()).toEqual([]);
  });

  it("prints the first code block alone", async () => {
    const emulated = await answering(CODE);
    expect(await emulated.run([...ASK, "--extract", "hi"])).toMatchObject({
      stdout: "ls -l\necho done\n",
      stderr: "",
      code: 0,
    });
    expect(await emulated.run([...ASK, "-x", "-o", "a.sh", "hi"])).toMatchObject({ stdout: "", code: 0 });
    expect(readFileSync(path.join(emulated.home, "a.sh"), "utf8")).toBe("ls -l\necho done\n");
    const { stdout } = await emulated.run([...ASK, "-x", "--json", "hi"]);
    expect(JSON.parse(stdout)).toMatchObject({ text: "ls -l\necho done" });
  });

  it("fails where there is none, and keeps the words apart from where the code would be", async () => {
    const emulated = await answering("Just words.");
    const result = await emulated.run([...ASK, "-x", "hi"]);
    expect(result).toMatchObject({ stdout: "", code: 5 });
    expect(result.stderr).toContain(
      "Just words.\nerror: The answer of 'amazon.nova-lite-v1:0' has no code block.\nhint: ",
    );
    const document = await emulated.run([...ASK, "-x", "--json", "hi"]);
    expect(JSON.parse(document.stdout)).toMatchObject({
      error: { code: "model-error", partialText: "Just words." },
    });
    expect((await emulated.run([...ASK, "-x", "-o", "a.sh", "hi"])).code).toBe(5);
    expect(namesIn(emulated.home)).toEqual(["a.sh.partial"]);
    expect(readFileSync(path.join(emulated.home, "a.sh.partial"), "utf8")).toBe("Just words.\n");
  });

  it("prints nothing of a program that broke off, or was cut at its limit", async () => {
    const half = "So:\n```sh\nls -l\n";
    const broken = await answering({ stream: halfOf(half) });
    const result = await broken.run([...ASK, "-x", "hi"], { env });
    expect(result).toMatchObject({ stdout: "", code: 5 });
    expect(result.stderr).toContain(`${half}error: `);
    const cut = await (await answering(half, "max_tokens")).run([...ASK, "-x", "hi"]);
    expect(cut).toMatchObject({ stdout: "", code: 5 });
    expect(cut.stderr).toContain("stops before a code block is whole.\nhint: Allow more with --max-tokens.");
    const whole = await (await answering(CODE, "max_tokens")).run([...ASK, "-x", "hi"]);
    expect(whole).toMatchObject({ stdout: "ls -l\necho done\n", code: 0 });
  });

  it("shows code on a terminal as it is", async () => {
    const emulated = await answering("```md\n# A **title**\n```\n");
    const terminal = openTerminal([...ASK, "-x", "hi"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual(["# A **title**"]);
  });

  it("has no events", async () => {
    const emulated = await answering(CODE);
    expect(await emulated.run([...ASK, "-x", "--ndjson", "hi"])).toMatchObject({ code: 2 });
    expect(emulated.routes()).toEqual([]);
  });
});

describe("-q", () => {
  it("leaves out notices, and keeps warnings, errors and what was asked for", async () => {
    const emulated = await answering("Hello.", "max_tokens");
    const loud = await emulated.run(["chat", "-m", "opus", "--session", "s", "hi"]);
    expect(loud.stderr).toContain("openclaw: opus is ");
    const quiet = await emulated.run(["chat", "-q", "-m", "opus", "--session", "t", "--usage", "hi"]);
    expect(quiet.stderr).not.toContain("openclaw: ");
    expect(quiet.stderr).toContain("warning: The answer stops at its token limit");
    expect(quiet.stderr).toContain("1 token in");
    const failed = await emulated.run(["-q", "chat", "-m", "no-such-model-at-all", "hi"]);
    expect(failed.stderr).toMatch(/^error: /);
    const verbose = await emulated.run(["chat", "--quiet", "-v", "-m", "opus", "hi"]);
    expect(verbose.stderr).toContain("openclaw: region ");
  });

  it("has no spinner", async () => {
    const emulated = await emulate({
      script: ({ route }) =>
        route === "ConverseStream" ? { stream: [{ wait: 600 }, ...textAnswerSteps(["Hello."])] } : undefined,
    });
    const terminal = openTerminal([...ASK, "-q", "hi"], emulated.home, { env: emulated.env });
    expect(await terminal.exit).toBe(0);
    expect(terminal.output()).not.toContain("Waiting");
    expect(terminal.lines()).toEqual(["Hello."]);
  });
});
