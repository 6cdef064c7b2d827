import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer, type Socket } from "node:net";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import JSON5 from "json5";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Script, ScriptedAnswer, StreamStep } from "../../src/emulator/script.ts";
import { textStep } from "../helpers/answer-steps.ts";
import { blackHole } from "../helpers/black-hole.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { gate } from "../helpers/served.ts";
import { isRunning } from "../helpers/is-running.ts";
import { binary, nodeBinary, start } from "../helpers/openclaw.ts";
import { openPty, type Pty } from "../helpers/pty.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { isThorough } from "../helpers/thorough.ts";

const MODEL = "amazon.nova-lite-v1:0";
const ROLE = "arn:aws:iam::123456789012:role/openclaw-batch";
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

/** A server that takes connections and never says a word. */
async function silentServer(): Promise<{ port: number; reached: Promise<unknown> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => undefined))).listen(
    0,
    "127.0.0.1",
  );
  const reached = once(server, "connection");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, reached };
}

/** A command that waits for what a server that keeps silent should say. */
function silent(
  args: readonly string[],
  settings: (port: number) => { env?: Record<string, string | undefined>; config?: string; shared?: string },
): () => Promise<Stage> {
  return async () => {
    const [user, { port, reached }] = [await emulate(), await silentServer()];
    const { env, config, shared } = settings(port);
    if (config !== undefined) user.configure(config);
    if (shared !== undefined) writeSharedFiles(user.home, { config: shared });
    return { user, child: user.start(args, { env: env ?? {} }), isThere: reached };
  };
}

/** Resolves when a process has a file open. */
async function opens(child: Child, file: string): Promise<void> {
  const folder = `/proc/${child.pid}/fd`;
  const isOpen = (): boolean =>
    readdirSync(folder).some((name) => {
      try {
        return readlinkSync(path.join(folder, name)) === file;
      } catch {
        // Closed meanwhile.
        return false;
      }
    });
  while (!isOpen()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A command that waits for the writer of a FIFO. */
function atPipe(args: (file: string) => readonly string[]): () => Promise<Stage> {
  return async () => {
    const user = await emulate();
    const file = path.join(user.home, "pipe");
    execFileSync("mkfifo", [file]);
    const child = user.start(args(file));
    return { user, child, isThere: opens(child, file) };
  };
}

/** More than a pipe holds: when it is gone, the program has read some of it. */
const MUCH = "x".repeat(1024 * 1024);

/** A command that waits for more on stdin. */
function atStdin(...args: string[]): () => Promise<Stage> {
  return async () => {
    const user = await emulate();
    const child = user.start(args, { isStdinOpen: true });
    const isThere = new Promise((resolve) => child.stdin.write(MUCH, resolve));
    return { user, child, isThere };
  };
}

/** Something that a command starts and that does nothing: says where it is by a file, and waits. */
const WAITING = ["sh", "-c", "touch started; exec sleep 60"] as const;

/** A command that waits for a program that it has started. */
function atCommand(args: readonly string[], [program, ...others]: typeof WAITING): () => Promise<Stage> {
  return async () => {
    const user = await emulate();
    user.configure(
      JSON.stringify({
        tools: { slow: { description: "Waits.", command: [program, ...others], input: { type: "object" } } },
        mcpServers: { slow: { command: program, args: others, cwd: user.home } },
      }),
    );
    const child = user.start(args);
    return { user, child, isThere: appears(path.join(user.home, "started")) };
  };
}

const WITHOUT_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

const HALF: ScriptedAnswer = { stream: [started, textStep("Half"), { end: "stall" }] };
const LATER: ScriptedAnswer = {
  error: {
    name: "ServiceUnavailableException",
    message: "Bedrock is unable to process your request.",
    headers: { "retry-after": "30" },
  },
};

/** Where a command can be when it is told to stop, and what is on stdout then, where that is the same each time. */
const STAGES: readonly [name: string, prepare: () => Promise<Stage>, stdout: string | undefined][] = [
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
      return { ...stage, isThere: says(stage.child, /next try in 30 s/) };
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
      symlinkSync(lockTarget(), path.join(cache, `${list}.lock`));
      const child = user.start([...LIST, "--refresh"]);
      return { user, child, isThere: says(child, /region us-east-1/) };
    },
    "",
  ],
  ["doctor waits for AWS", () => stageOf(["doctor"], { drop: "stall" }), ""],
  ["chat reads its prompt from stdin", atStdin("chat", "-m", MODEL), ""],
  ["chat reads a file from stdin", atStdin("chat", "-m", MODEL, "-f", "-", "hi"), ""],
  ["config patch reads stdin", atStdin("config", "patch", "--stdin"), ""],
  ["config set reads stdin", atStdin("config", "set", "--batch-file", "-"), ""],
  ["chat waits for a file's writer", atPipe((file) => ["chat", "-m", MODEL, "-f", file, "hi"]), ""],
  [
    "chat waits for the writer of --system-file",
    atPipe((file) => ["chat", "-m", MODEL, "--system-file", file, "hi"]),
    "",
  ],
  [
    "chat waits for the writer of --schema",
    atPipe((file) => ["chat", "-m", MODEL, "--schema", file, "hi"]),
    "",
  ],
  ["serve waits for the writer of its keys", atPipe((file) => ["serve", "--api-key-file", file]), ""],
  ["config patch waits for a file's writer", atPipe((file) => ["config", "patch", "--file", file]), ""],
  [
    "chat waits for a TLS handshake",
    silent(CHAT, (port) => ({ env: { AWS_ENDPOINT_URL: `https://127.0.0.1:${port}` } })),
    "",
  ],
  [
    "chat waits for a proxy",
    silent(CHAT, (port) => ({
      env: { AWS_ENDPOINT_URL: undefined, HTTPS_PROXY: `http://127.0.0.1:${port}` },
    })),
    "",
  ],
  [
    "chat waits for another provider's server",
    silent(["chat", "-m", "local/m", "hi"], (port) => ({
      config: JSON.stringify({
        models: {
          providers: {
            local: {
              api: "openai-completions",
              auth: "none",
              baseUrl: `http://127.0.0.1:${port}/v1`,
              models: [{ id: "m" }],
            },
          },
        },
      }),
    })),
    "",
  ],
  [
    "chat waits for STS",
    silent(CHAT, (port) => ({
      env: { ...WITHOUT_KEYS, AWS_PROFILE: "dev", AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}` },
      shared:
        "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/Dev\nsource_profile = base\n" +
        "[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = xyzzy\n",
    })),
    "",
  ],
  [
    "models list waits for container credentials",
    silent(LIST, (port) => ({
      env: { ...WITHOUT_KEYS, AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/` },
    })),
    "",
  ],
  [
    "models list waits for the instance",
    silent(LIST, (port) => ({
      env: {
        ...WITHOUT_KEYS,
        AWS_EC2_METADATA_DISABLED: undefined,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}`,
      },
    })),
    "",
  ],
  [
    "config set waits for another writer",
    async () => {
      const user = await emulate();
      user.configure("{}");
      symlinkSync(lockTarget(), path.join(user.home, ".openclaw", "openclaw.json.lock"));
      const child = user.start(["config", "set", "models.bedrockDiscovery.enabled", "true"], {
        env: { NODE_OPTIONS: `--require ${tellStart(user.home)}` },
      });
      return { user, child, isThere: appears(path.join(user.home, "tried")) };
    },
    "",
  ],
  ...(
    [
      ["embed", ["embed", "-m", "amazon.titan-embed-text-v2:0", "hi"]],
      ["quota", ["quota", MODEL]],
      ["models access", ["models", "access", MODEL]],
      ["models show --access", ["models", "show", MODEL, "--access"]],
      ["iam policy", ["iam", "policy"]],
      ["batch list", ["batch", "list"]],
      ["batch status", ["batch", "status", "nightly", "--wait"]],
      ["batch results", ["batch", "results", "nightly", "--wait"]],
      ["batch stop", ["batch", "stop", "nightly"]],
      ["batch role", ["batch", "role", "--s3", "s3://my-bucket/batch"]],
    ] as const
  ).map(([name, args]): (typeof STAGES)[number] => [
    `${name} waits for AWS`,
    silent(args, (port) => ({ env: { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` } })),
    "",
  ]),
  ["batch estimate reads stdin", atStdin("batch", "estimate", "-m", MODEL, "-"), undefined],
  [
    "batch submit reads stdin",
    atStdin("batch", "submit", "-", "-m", MODEL, "--s3", "s3://b-1/x", "--role", ROLE),
    undefined,
  ],
  [
    "batch submit waits for S3",
    async () => {
      let tell: (value?: unknown) => void = () => undefined;
      const isThere = new Promise((resolve) => (tell = resolve));
      const user = await emulate({
        leastRecords: 1,
        script: ({ route }) => {
          if (route !== "PutObject") return undefined;
          tell();
          return { drop: "stall" };
        },
      });
      writeFileSync(path.join(user.home, "lines.jsonl"), '{"prompt":"hi"}\n');
      const place = ["--s3", "s3://openclaw-emulator/x", "--role", ROLE];
      const child = user.start(["batch", "submit", "lines.jsonl", "-m", MODEL, ...place]);
      return { user, child, isThere };
    },
    "",
  ],
  ["batch run reads stdin", atStdin("batch", "run", "-", "-m", MODEL), undefined],
  ["embed reads stdin", atStdin("embed", "-m", "amazon.titan-embed-text-v2:0", "--lines", "-"), undefined],
  ["tools run waits for a command", atCommand(["tools", "run", "slow", "{}"], WAITING), ""],
  ["mcp tools waits for a server that keeps silent", atCommand(["mcp", "tools", "slow"], WAITING), ""],
  [
    "mcp tools waits for a server of the web",
    silent(["mcp", "tools", "far"], (port) => ({
      config: JSON.stringify({ mcpServers: { far: { url: `http://127.0.0.1:${port}/mcp` } } }),
    })),
    "",
  ],
  [
    "serve waits for the writer of a certificate",
    atPipe((file) => ["serve", "--tls-cert", file, "--tls-key", file]),
    "",
  ],
  [
    "serve has nothing to do",
    async () => {
      const user = await emulate();
      const child = user.start(["serve", "--port", "0", "--json"]);
      return { user, child, isThere: once(child.stdout, "data") };
    },
    undefined,
  ],
  [
    "the emulator has nothing to do",
    async () => {
      const user = await emulate();
      const child = user.start(["emulator", "--json"]);
      return { user, child, isThere: once(child.stdout, "data") };
    },
    undefined,
  ],
];

/** Makes a program tell when it has found the lock of its configuration taken. */
function tellStart(home: string): string {
  const hook = path.join(home, "hook.cjs");
  const tried = path.join(home, "tried");
  writeFileSync(
    hook,
    `const fs = require("node:fs/promises"), { readlink } = fs;
    fs.readlink = async (...args) => {
      if (String(args[0]).endsWith(".lock")) require("node:fs").writeFileSync(${JSON.stringify(tried)}, "");
      return readlink(...args);
    };`,
  );
  return hook;
}

/** The lock of this process, which lives. */
function lockTarget(): string {
  const namespace = existsSync("/proc/self/ns/pid") ? readlinkSync("/proc/self/ns/pid") : "";
  const host = `${hostname()}/${namespace}`.replaceAll(/\s/g, "-");
  return `${process.pid} ${Date.now()} ${host} ${process.pid}-test`;
}

async function appears(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Fills a pipe to the last byte. */
function fill(file: string): void {
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(descriptor, "x".repeat(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: "EAGAIN" });
  }
  closeSync(descriptor);
}

/** Resolves when a process does nothing any more: its time on a core stays the same for half a second. */
async function rests(processId: number): Promise<void> {
  const ticks = (): string => readFileSync(`/proc/${processId}/stat`, "utf8").split(" ").slice(13, 15).join();
  let before = "";
  for (let same = 0; same < 10; before = ticks()) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    same = ticks() === before ? same + 1 : 0;
  }
}

const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

/** The signals that a stage gets: in the small form one, each stage the next. */
const inTurn = (nth: number): readonly (typeof SIGNALS)[number][] =>
  SIGNALS.filter((_, index) => isThorough || index === nth % SIGNALS.length);

/** How soon a command ends after a signal, in ms. */
const WITHIN_MS = 1000;

/** Tells a command to stop when it has got somewhere, and looks at its end. */
async function stopThere(
  prepare: () => Promise<Stage>,
  signal: NodeJS.Signals,
  end: [number | null, NodeJS.Signals | null],
  stdout: string | undefined,
): Promise<void> {
  const { user, child, isThere } = await prepare();
  let written = "";
  child.stdout.on("data", (chunk: Buffer) => (written += chunk.toString()));
  child.stderr.resume();
  const ended = once(child, "close");
  await isThere;
  const sent = performance.now();
  child.kill(signal);
  expect(await ended).toEqual(end);
  expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
  if (stdout !== undefined) expect(written).toBe(stdout);
  // What others left behind is theirs; this program leaves no half-written file.
  const cache = path.join(user.home, ".openclaw", "cache");
  const left = existsSync(cache) ? readdirSync(cache).filter((name) => name.startsWith(".")) : [];
  expect(left).toEqual([]);
}

describe("a program that is told to stop, stops", () => {
  // All at once: they hardly do anything but wait.
  it.each(STAGES)("while %s", async (name, prepare, stdout) => {
    const signals = inTurn(STAGES.findIndex(([other]) => other === name));
    await Promise.all(signals.map(([signal, code]) => stopThere(prepare, signal, [code, null], stdout)));
  });

  it("while a thread of Node's pool is stuck for ever, as at a file on a dead server or a name that is looked up", async () => {
    const prepare = async (): Promise<Stage> => {
      const user = await emulate();
      const hook = path.join(user.home, "hook.cjs");
      execFileSync("mkfifo", [path.join(user.home, "pipe")]);
      writeFileSync(
        hook,
        `require("node:fs").readFile(require("node:path").join(__dirname, "pipe"), () => 0);`,
      );
      const child = user.start(CHAT, {
        env: { NODE_OPTIONS: `--require ${hook}`, AWS_ENDPOINT_URL: await blackHole() },
      });
      return { user, child, isThere: says(child, /bedrock-runtime endpoint/) };
    };
    // Node would wait for the thread before it ends with a code.
    await Promise.all(SIGNALS.map(([signal]) => stopThere(prepare, signal, [null, signal], "")));
  });

  it.each(SIGNALS)("%s ends a credential_process and what it has started", async (signal, code) => {
    const user = await emulate();
    const program = path.join(user.home, "slow.sh");
    const ids = path.join(user.home, "ids");
    const script = `trap '' TERM INT HUP; sleep 60 & echo "$$ $!" > ${ids}.new; mv ${ids}.new ${ids}; wait; sleep 60`;
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    writeSharedFiles(user.home, { config: `[profile dev]\ncredential_process = ${program}\n` });
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_PROFILE: "dev" };
    const prepare = async (): Promise<Stage> => {
      return { user, child: user.start(CHAT, { env }), isThere: appears(ids) };
    };
    await stopThere(prepare, signal, [code, null], "");
    const running = readFileSync(ids, "utf8").trim().split(" ").map(Number);
    await expect.poll(() => running.filter(isRunning)).toEqual([]);
  });

  it("while nobody reads what it has to say", async () => {
    const prepare = async (): Promise<Stage> => {
      const long = Array.from({ length: 60 }, () => textStep("x".repeat(20_000)));
      const user = await emulate({ script: () => ({ stream: [started, ...long, { end: "stall" }] }) });
      const child = user.start(CHAT);
      return { user, child, isThere: once(child.stdout, "readable") };
    };
    for (const [signal, code] of SIGNALS) {
      const { child, isThere } = await prepare();
      child.stderr.resume();
      await isThere;
      const sent = performance.now();
      child.kill(signal);
      expect(await once(child, "exit")).toEqual([code, null]);
      expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
      child.stdout.destroy();
    }
  });

  it.each([
    ["stdout", ["config", "schema"]],
    ["stdout", ["--version"]],
    ["stdout", ["models", "list"]],
    ["stderr", ["config", "get", "nothing.such"]],
    ["stderr", ["no-such-command"]],
  ] as const)("while %s is a pipe that an earlier program has filled: %j", async (full, args) => {
    const user = await emulate();
    const file = path.join(user.home, "pipe");
    execFileSync("mkfifo", [file]);
    const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(file, constants.O_WRONLY);
    onTestFinished(() => [reader, writer].forEach((descriptor) => closeSync(descriptor)));
    fill(file);
    for (const [signal, code] of SIGNALS) {
      const child = spawn(nodeBinary, [binary, ...args], {
        env: user.env,
        stdio: ["ignore", ...(full === "stdout" ? [writer, "ignore" as const] : ["ignore" as const, writer])],
      });
      await rests(child.pid ?? 0);
      const sent = performance.now();
      const ended = once(child, "exit");
      child.kill(signal);
      // A version is told before anybody listens: the signal itself ends it then.
      expect([
        [code, null],
        [null, signal],
      ]).toContainEqual(await ended);
      expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
    }
  });

  it.each([["config", "schema"], ["--version"]])(
    "while stdout is a socket that an earlier program has filled: %s %s",
    async (...args) => {
      const user = await emulate();
      const words = args.filter((word) => word !== undefined);
      for (const [signal, code] of SIGNALS) {
        // Who waits for room is told of much of it only: the next one takes what is left.
        const fillFirst = 'for i in 1 2 3; do head -c 4000000 /dev/zero & sleep 0.2; done; exec "$@"';
        const child = spawn("/bin/sh", ["-c", fillFirst, "sh", nodeBinary, binary, ...words], {
          env: { ...user.env, PATH: process.env["PATH"] },
          stdio: ["ignore", "pipe", "ignore"],
        });
        await rests(child.pid ?? 0);
        await wait(500);
        await rests(child.pid ?? 0);
        const sent = performance.now();
        const ended = once(child, "exit");
        child.kill(signal);
        // Node's own end would wait for what is being written.
        expect([`${code},`, `,${signal}`]).toContain(String(await ended));
        expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
        child.stdout.destroy();
      }
    },
  );

  it("while the terminal takes nothing of what it has to say", async () => {
    const long = Array.from({ length: 60 }, () => textStep("word ".repeat(4000)));
    for (const [signal, code] of SIGNALS) {
      const { opened, open } = gate();
      const user = await emulate({
        script: () => ({
          stream: [started, { wait: opened }, ...long, { end: "stall" }],
        }),
      });
      const screen = openPty(CHAT, user.home, { env: user.env });
      await screen.see("200 in");
      screen.freeze();
      open();
      await rests(screen.processId);
      const sent = performance.now();
      process.kill(screen.processId, signal);
      expect(await screen.exit).toBe(code);
      expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
    }
  });

  it.each<[what: string, command: (user: Emulated) => Promise<Pty>]>([
    [
      "it waits for AWS",
      async (user) => {
        const screen = openPty(CHAT, user.home, { env: user.env });
        await screen.see("200 in");
        return screen;
      },
    ],
    [
      "it asks a person",
      async (user) => {
        const screen = openPty(["chat", "-m", MODEL], user.home, { env: user.env });
        await screen.see("/help");
        return screen;
      },
    ],
    [
      "its answer goes to a file",
      async (user) => {
        const line = `echo begun >&2; exec "$0" "$@" > out 2> err`;
        const program = [nodeBinary, binary, ...CHAT];
        const command = ["/bin/sh", "-c", line, ...program] as const;
        const screen = openPty([], user.home, { env: user.env, command });
        await appears(path.join(user.home, "err"));
        await expect.poll(() => readFileSync(path.join(user.home, "err"), "utf8")).toContain("200 in");
        return screen;
      },
    ],
  ])("when its terminal is closed while %s", async (_, begin) => {
    const user = await emulate({ script: () => ({ stream: [started, { end: "stall" }] }) });
    const screen = await begin(user);
    const sent = performance.now();
    screen.hangUp();
    // And not by SIGABRT, with a dump of Node's memory.
    expect(await screen.exit).toBe(129);
    expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
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

/** Every other one in the small form. */
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

describe("a program at a terminal stops", () => {
  it.each(SIGNALS)("while a person is asked for what to say: %s", async (signal, code) => {
    const user = await emulate();
    const screen = openPty(["chat", "-m", MODEL], user.home, { env: user.env });
    await screen.see("/help");
    const sent = performance.now();
    screen.kill(signal);
    expect(await screen.exit).toBe(code);
    expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
  });

  it.each(SIGNALS)("while a person is asked for an MFA code: %s", async (signal, code) => {
    const user = await emulate();
    writeSharedFiles(user.home, {
      config:
        "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/Dev\nsource_profile = base\n" +
        "mfa_serial = arn:aws:iam::123456789012:mfa/me\n" +
        "[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = xyzzy\n",
    });
    const screen = openPty(["models", "list"], user.home, {
      env: { ...user.env, ...WITHOUT_KEYS, AWS_PROFILE: "dev" },
    });
    await screen.see("MFA code");
    const sent = performance.now();
    screen.kill(signal);
    expect(await screen.exit).toBe(code);
    expect(performance.now() - sent).toBeLessThan(WITHIN_MS);
  });
});

describe("the terminal is as it was", () => {
  it.each(SIGNALS)("after a spinner that ends by %s", async (signal, code) => {
    const { script, reached } = stuck({ drop: "stall" });
    const user = await emulate({ script });
    const screen = openPty(["models", "list"], user.home, { env: user.env });
    await reached;
    await screen.see(/Asking|Getting|…|models/);
    screen.kill(signal);
    expect(await screen.exit).toBe(code);
    // It hides no cursor, and takes its line away.
    expect(screen.output()).not.toContain("\u001B[?25l");
    expect(screen.cursor()).toEqual({ row: 0, column: 0 });
    expect(screen.lines().join("\n").trim()).toBe("");
  });
});
