import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import JSON5 from "json5";
import { describe, expect, it } from "vitest";
import type { Script, ScriptedAnswer, StreamStep } from "../../src/emulator/script.ts";
import { textStep } from "../helpers/answer-steps.ts";
import { blackHole } from "../helpers/black-hole.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { start } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { isThorough } from "../helpers/thorough.ts";

const MODEL = "amazon.nova-lite-v1:0";
const started: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const stop: StreamStep = { event: "messageStop", payload: { stopReason: "end_turn" } };

type Child = ReturnType<typeof start>;

/** Resolves when the program says this on stderr, which is asked for with `--verbose`. */
async function says(child: Child, words: RegExp): Promise<void> {
  let stderr = "";
  for await (const chunk of child.stderr) {
    stderr += String(chunk);
    if (words.test(stderr)) break;
  }
}

/** A service that never gets further than this with the model, or with the lists. */
function stuck(answer: ScriptedAnswer): { script: Script; reached: Promise<unknown> } {
  let tell: (value?: unknown) => void = () => undefined;
  const reached = new Promise((resolve) => (tell = resolve));
  return {
    reached,
    script: ({ route }) => {
      if (route !== "ConverseStream" && route !== "ListFoundationModels") return undefined;
      tell();
      return answer;
    },
  };
}

interface Stage {
  user: Emulated;
  child: Child;
  /** Resolves when the program is there. */
  isThere: Promise<unknown>;
}

const CHAT = ["chat", "-m", MODEL, "--verbose", "hi"];
const LIST = ["models", "list", "--verbose"];

async function stageOf(args: readonly string[], answer: ScriptedAnswer): Promise<Stage> {
  const { script, reached } = stuck(answer);
  const user = await emulate({ script });
  const child = user.start(args);
  return { user, child, isThere: reached };
}

const HALF: ScriptedAnswer = { stream: [started, textStep("Half"), { end: "stall" }] };
const LATER: ScriptedAnswer = {
  error: {
    name: "ServiceUnavailableException",
    message: "Bedrock is unable to process your request.",
    headers: { "retry-after": "30" },
  },
};

/** Where a command can be when it is told to stop, and what is on stdout then. */
const STAGES: readonly [name: string, prepare: () => Promise<Stage>, stdout: string][] = [
  [
    "chat gets credentials from a process",
    async () => {
      const user = await emulate();
      const program = path.join(user.home, "slow.sh");
      writeFileSync(program, `#!/bin/sh\necho started > ${path.join(user.home, "started")}\nexec sleep 30\n`);
      chmodSync(program, 0o755);
      writeSharedFiles(user.home, { config: `[profile dev]\ncredential_process = ${program}\n` });
      const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_PROFILE: "dev" };
      const child = user.start(CHAT, { env });
      return { user, child, isThere: appears(path.join(user.home, "started")) };
    },
    "",
  ],
  [
    "chat connects",
    async () => {
      const user = await emulate();
      const child = user.start(CHAT, { env: { AWS_ENDPOINT_URL: await blackHole() } });
      return { user, child, isThere: says(child, /bedrock-runtime endpoint/) };
    },
    "",
  ],
  ["chat waits for the headers", () => stageOf(CHAT, { drop: "stall" }), ""],
  ["chat waits for the first token", () => stageOf(CHAT, { stream: [started, { end: "stall" }] }), ""],
  [
    "chat waits before it tries again",
    async () => {
      const stage = await stageOf(CHAT, LATER);
      return { ...stage, isThere: says(stage.child, /asks to wait 30 s/) };
    },
    "",
  ],
  [
    "chat is in the middle of the answer",
    async () => {
      const stage = await stageOf(CHAT, HALF);
      return { ...stage, isThere: once(stage.child.stdout, "data") };
    },
    "Half\n",
  ],
  ["models list waits for AWS", () => stageOf(LIST, { drop: "stall" }), ""],
  [
    "models list waits for another process to ask AWS",
    async () => {
      const user = await emulate();
      const first = await user.run(LIST);
      expect(first.code).toBe(0);
      const cache = path.join(user.home, ".openclaw", "cache");
      const list = readdirSync(cache).find((name) => name.endsWith(".json")) ?? "";
      // This process holds the lock, and lives.
      const namespace = existsSync("/proc/self/ns/pid") ? readlinkSync("/proc/self/ns/pid") : "";
      const host = `${hostname()}/${namespace}`.replaceAll(/\s/g, "-");
      symlinkSync(
        `${process.pid} ${Date.now()} ${host} ${process.pid}-test`,
        path.join(cache, `${list}.lock`),
      );
      const child = user.start([...LIST, "--refresh"]);
      return { user, child, isThere: says(child, /region us-east-1/) };
    },
    "",
  ],
  ["doctor waits for AWS", () => stageOf(["doctor"], { drop: "stall" }), ""],
];

async function appears(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
}

const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

describe("a program that is told to stop, stops", () => {
  it.each(
    STAGES.flatMap(([name, prepare, stdout]) =>
      SIGNALS.map(([signal, code]) => ({ name, prepare, stdout, signal, code })),
    ),
  )("while $name: $signal, $code", async ({ prepare, stdout, signal, code }) => {
    const { user, child, isThere } = await prepare();
    let written = "";
    child.stdout.on("data", (chunk: Buffer) => (written += chunk.toString()));
    child.stderr.resume();
    const ended = once(child, "close");
    await isThere;
    const sent = performance.now();
    child.kill(signal);
    expect(await ended).toEqual([code, null]);
    expect(performance.now() - sent).toBeLessThan(1900);
    expect(written).toBe(stdout);
    // What others left behind is theirs; this program leaves no half-written file.
    const cache = path.join(user.home, ".openclaw", "cache");
    const left = existsSync(cache) ? readdirSync(cache).filter((name) => name.startsWith(".")) : [];
    expect(left).toEqual([]);
  });

  it("at the second signal without another thought", async () => {
    const { child, isThere } = await stageOf(CHAT, { drop: "stall" });
    const ended = once(child, "close");
    await isThere;
    child.kill("SIGINT");
    child.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
  });

  it("which --json tells as a document", async () => {
    const { child, isThere } = await stageOf(["chat", "-m", MODEL, "--json", "hi"], { drop: "stall" });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const ended = once(child, "close");
    await isThere;
    child.kill("SIGTERM");
    expect(await ended).toEqual([143, null]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "interrupted", exitCode: 143 } });
  });
});

describe("an answer is not hurt", () => {
  it.each(["SIGPIPE", "SIGWINCH", "SIGSTOP"] as const)("by %s in its middle", async (signal) => {
    let goOn: (value?: unknown) => void = () => undefined;
    const rest = new Promise((resolve) => (goOn = resolve));
    const user = await emulate({
      script: ({ route }) =>
        route === "ConverseStream"
          ? { stream: [started, textStep("one "), { wait: rest }, textStep("two"), stop] }
          : undefined,
    });
    const child = user.start(["chat", "-m", MODEL, "hi"]);
    let stdout = "";
    const first = once(child.stdout, "data");
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const ended = once(child, "close");
    await first;
    child.kill(signal);
    if (signal === "SIGSTOP") setTimeout(() => child.kill("SIGCONT"), 300);
    goOn();
    expect(await ended).toEqual([0, null]);
    expect(stdout).toBe("one two\n");
  });
});

/** Kills a command in as many places as it takes milliseconds to get to. */
async function killAt(
  user: Emulated,
  args: readonly string[],
  signal: NodeJS.Signals,
  ms: number,
): Promise<number | null> {
  const child = user.start(args);
  child.stdout.resume();
  child.stderr.resume();
  const ended = once(child, "close");
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill(signal);
  const [code] = (await ended) as [number | null];
  return code;
}

const ALL_MOMENTS = [10, 25, 35, 42, 48, 54, 60, 66, 72, 80, 90, 105, 120, 150];
const MOMENTS = isThorough ? ALL_MOMENTS : ALL_MOMENTS.filter((_, index) => index % 2 === 1);

describe("the state on disk is whole", () => {
  it.each(["SIGKILL", "SIGTERM"] as const)("whenever config set gets %s", async (signal) => {
    const user = await emulate();
    const file = path.join(user.home, ".openclaw", "openclaw.json");
    user.configure("{\n  // theirs\n  agents: { defaults: { model: 'model-0' } },\n}\n");
    for (const [index, ms] of MOMENTS.entries()) {
      const before = readFileSync(file, "utf8");
      const code = await killAt(
        user,
        ["config", "set", "agents.defaults.model", `model-${index + 1}`],
        signal,
        ms,
      );
      const after = readFileSync(file, "utf8");
      expect([before, before.replace(/model-\d+/, `model-${index + 1}`)]).toContain(after);
      expect(JSON5.parse(after)).toBeTruthy();
      if (code === 0) expect(after).toContain(`model-${index + 1}`);
      if (signal === "SIGTERM") expect([0, 143, null]).toContain(code);
    }
    // Whoever comes next is not held up by what the dead left behind, and clears it away.
    const next = performance.now();
    expect((await user.run(["config", "set", "agents.defaults.model", "last"])).code).toBe(0);
    expect(performance.now() - next).toBeLessThan(5000);
    const names = readdirSync(path.join(user.home, ".openclaw")).sort();
    expect(names).toEqual(["openclaw.json", "openclaw.json.bak"]);
  });

  it.each(["SIGKILL", "SIGTERM"] as const)("whenever the writer of the cache gets %s", async (signal) => {
    const user = await emulate();
    const cache = path.join(user.home, ".openclaw", "cache");
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    for (const ms of MOMENTS.map((moment) => moment + 60)) {
      await killAt(user, ["models", "list", "--refresh"], signal, ms);
      const lists = readdirSync(cache).filter((name) => /^models-\w+\.json$/.test(name));
      for (const name of lists) expect(JSON.parse(readFileSync(path.join(cache, name), "utf8"))).toBeTruthy();
    }
    const next = performance.now();
    const { code, stderr } = await user.run(["models", "list"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(performance.now() - next).toBeLessThan(5000);
  });
});

describe("the terminal is as it was", () => {
  it.each(SIGNALS)("after a spinner that ends by %s", async (signal, code) => {
    const { script, reached } = stuck({ drop: "stall" });
    const user = await emulate({ script });
    const screen = openPty(["models", "list"], user.home, { env: user.env });
    await reached;
    await screen.see(/Asking|Getting|…|models/);
    expect(screen.output()).toContain("\u001B[?25l");
    screen.kill(signal);
    expect(await screen.exit).toBe(code);
    const { length } = screen.output().split("\u001B[?25l");
    expect(screen.output().split("\u001B[?25h").length).toBeGreaterThanOrEqual(length);
    expect(screen.output().lastIndexOf("\u001B[?25h")).toBeGreaterThan(
      screen.output().lastIndexOf("\u001B[?25l"),
    );
    expect(screen.lines().join("\n").trim()).toBe("");
  });
});
