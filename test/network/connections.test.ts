import { AsyncLocalStorage, createHook } from "node:async_hooks";
import { execFileSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import { createAwsNetwork } from "../helpers/aws-network.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { everyCommand } from "../helpers/every-command.ts";
import { writeStdioServer } from "../helpers/mcp-server.ts";
import { openaiServer, says } from "../helpers/openai-server.ts";
import { binary, emptyEnvironment, openclaw, start } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";
import { type InProcessResult, runInProcess } from "../helpers/run-in-process.ts";
import { writeSharedFiles } from "../helpers/shared-files.ts";
import { stsCredentials } from "../helpers/sts-answer.ts";
import { isThorough } from "../helpers/thorough.ts";
import { type Certificate, issueCertificate, startTlsFront, type TlsFront } from "../helpers/tls-front.ts";

const MODEL = "amazon.nova-lite-v1:0";
const CHAT = ["chat", "-m", MODEL, "hi"];
const ROLE_KEY = "ASIASTSROLE000000001";
/** Nobody looks at its connections: without options of Node it needs no process. */
const NEEDS_NO_PROCESS = { NODE_OPTIONS: undefined, NODE_EXTRA_CA_CERTS: undefined };
const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

type Service = "bedrock" | "runtime" | "sts" | "quotas" | "metrics" | "s3";
const SERVICES = ["bedrock", "runtime", "sts", "quotas", "metrics", "s3"] as const;

let certificate: Certificate;
beforeAll(async () => {
  certificate = await issueCertificate();
});

/** What Node makes for a connection, or for a name that is looked up. */
const OUTGOING = /^(TCPCONNECT|PIPECONNECT|GETADDRINFOREQ|QUERY|UDPSEND)WRAP$/;
/** Of a program inside this process, what it has made of these. */
const outgoingHere = new AsyncLocalStorage<string[]>();
const hookHere = createHook({
  init: (_, type) => {
    if (OUTGOING.test(type)) outgoingHere.getStore()?.push(type);
  },
});
beforeAll(() => void hookHere.enable());
afterAll(() => void hookHere.disable());

interface Watched extends Emulated {
  /** Runs a command inside this process, with its connections counted. */
  runHere(args: readonly string[], input?: string): Promise<InProcessResult>;
  fronts: Record<Service, TlsFront>;
  /** The file with the certificate that the fronts are trusted by. */
  authority: string;
  /** What Node itself has connected to or looked up since this was asked last, wherever that may be. */
  takeOutgoing(): string[];
}

/** Each service behind TLS at an address of its own, and a program whose every connection is counted. */
async function watch(options: EmulatorOptions = {}): Promise<Watched> {
  const accessKeys = { [ROLE_KEY]: { secretAccessKey: "secret", sessionToken: "token" } };
  const emulated = await emulate({ accessKeys, ...options });
  const startFront = async (): Promise<TlsFront> => {
    const front = await startTlsFront(certificate, emulated.emulator.port);
    onTestFinished(() => front.close());
    return front;
  };
  const [bedrock, runtime, sts, quotas, metrics, s3] = await Promise.all([
    startFront(),
    startFront(),
    startFront(),
    startFront(),
    startFront(),
    startFront(),
  ]);
  const fronts = { bedrock, runtime, sts, quotas, metrics, s3 };
  const authority = path.join(emulated.home, "authority.pem");
  writeFileSync(authority, certificate.authority);
  const report = path.join(emulated.home, "outgoing.txt");
  const hook = path.join(emulated.home, "hook.cjs");
  writeFileSync(report, "");
  writeFileSync(
    hook,
    `const seen = [];
    require("node:async_hooks").createHook({
      init: (_, type) => { if (${OUTGOING}.test(type)) seen.push(type); },
    }).enable();
    process.on("exit", () => {
      for (const type of seen) require("node:fs").appendFileSync(${JSON.stringify(report)}, type + "\\n");
    });`,
  );
  const { AWS_ENDPOINT_URL: _, ...keys } = emulated.env;
  const env = {
    ...keys,
    NODE_OPTIONS: `--require ${hook}`,
    NODE_EXTRA_CA_CERTS: authority,
    AWS_ENDPOINT_URL_BEDROCK: fronts.bedrock.url,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: fronts.runtime.url,
    AWS_ENDPOINT_URL_STS: fronts.sts.url,
    AWS_ENDPOINT_URL_SERVICE_QUOTAS: fronts.quotas.url,
    AWS_ENDPOINT_URL_CLOUDWATCH: fronts.metrics.url,
    AWS_ENDPOINT_URL_S3: fronts.s3.url,
    EDITOR: "true",
  };
  const { home } = emulated;
  const here: string[] = [];
  return {
    ...emulated,
    runHere: (args, input = "") =>
      outgoingHere.run(here, () =>
        runInProcess(binary, args, {
          env: emptyEnvironment(home, { ...env, ...NEEDS_NO_PROCESS, AWS_CA_BUNDLE: authority }),
          cwd: home,
          input,
        }),
      ),
    fronts,
    authority,
    env,
    run: (args, more = {}) => openclaw(args, home, { ...more, env: { ...env, ...more.env } }),
    start: (args, more = {}) => start(args, home, { ...more, env: { ...env, ...more.env } }),
    takeOutgoing: () => {
      const lines = readFileSync(report, "utf8").split("\n").slice(0, -1);
      writeFileSync(report, "");
      return [...lines, ...here.splice(0)];
    },
  };
}

/** Jobs and records have names of their own each time. */
function withoutIds(line: string): string {
  return line
    .replace(/(?<=\/model-invocation-job\/)[^/]+/, "JOB")
    .replace(/(?<=nameContains=)[^&]+/, "NAME")
    .replaceAll(/-[0-9a-f]{32}(?=\.jsonl)/g, "-DIGEST")
    .replaceAll(/(?<=batch(?:\/|%2F))[a-z0-9]{12}(?=\/|%2F)/g, "JOB");
}

/** The request lines in what came through a connection. Fails when there is anything beside whole requests. */
function requestLines(received: Buffer): string[] {
  const lines: string[] = [];
  for (let rest = received; rest.length > 0;) {
    const end = rest.indexOf("\r\n\r\n");
    const [line = "", ...headers] = rest.subarray(0, Math.max(end, 0)).toString().split("\r\n");
    expect(line).toMatch(/^(GET|POST|HEAD|PUT) \S+ HTTP\/1\.1$/);
    const length = headers.map((header) => /^content-length: (\d+)$/i.exec(header)?.[1]).find(Boolean) ?? "0";
    rest = rest.subarray(end + 4 + Number(length));
    lines.push(withoutIds(line.replace(/ HTTP\/1\.1$/, "")));
  }
  return lines;
}

/** Bytes of requests that Bedrock, its runtime and STS have got. */
const bytesOf = ({ fronts }: Watched): number[] =>
  (["bedrock", "runtime", "sts"] as const).map((service) =>
    fronts[service].connections.reduce((sum, { received }) => sum + received.length, 0),
  );

/** The requests that a command sends to each service, in alphabetical order. */
type Sent = Partial<Record<Service, string[]>>;

interface Row {
  args: string[];
  /** Commands that have run before. */
  after?: string[][];
  /** What it says when it listens; then it is told to end. */
  listens?: RegExp;
  input?: string;
  /** How long a job takes; otherwise none does. */
  jobSeconds?: number;
  sends: Sent;
}

const FOUNDATION_MODELS = "GET /foundation-models";
const PROFILES = "GET /inference-profiles?maxResults=1000";
const REACH = "GET /";
/** STS has the operation in the body. */
const IDENTITY = "POST /";
const STREAM = "POST /model/amazon.nova-lite-v1%3A0/converse-stream";
/** AWS JSON has the operation in a header; the list has four pages. */
const QUOTAS = Array.from({ length: 4 }, () => "POST /");
const METRICS = "POST /";
const OWN_PROFILES = `${PROFILES}&type=APPLICATION`;
const AVAILABILITY = "GET /foundation-model-availability/amazon.nova-lite-v1%3A0";
const LISTS = [FOUNDATION_MODELS, PROFILES, OWN_PROFILES];
const LIST = ["models", "list"];
const SET_MODEL = ["config", "set", "agents.defaults.model", MODEL];
/** A server of MCP on standard streams. */
const serverFolder = mkdtempSync(path.join(tmpdir(), "openclaw-test-"));
afterAll(() => rmSync(serverFolder, { recursive: true, force: true }));
const SERVER = path.join(serverFolder, "echo.cjs");
writeStdioServer(SERVER);
const SET_SERVER = [
  "config",
  "set",
  "mcpServers.echo",
  JSON.stringify({ command: process.execPath, args: [SERVER] }),
];
const SET_TEMPLATE = ["config", "set", "templates.review.prompt", "Review this: $input"];
const KEPT = ["chat", "-m", MODEL, "--session", "first", "hi"];

/** Every command, with what it sends. */
/** A key of `serve` is there. */
const KEY = ["serve", "keys", "add", "team-a", "--api-key-file", "keys"];

/** A job is there. */
const SUBMIT =
  `batch submit lines.jsonl -m ${MODEL} --name nightly --s3 s3://openclaw-emulator/batch --role arn:aws:iam::123456789012:role/R`.split(
    " ",
  );
const GET_JOB = "GET /model-invocation-job/JOB";
const LIKE_JOBS =
  "GET /model-invocation-jobs?maxResults=100&nameContains=NAME&sortBy=CreationTime&sortOrder=Descending";

const COMMANDS: Readonly<Record<string, readonly Row[]>> = {
  "": [
    { args: ["--version"], sends: {} },
    { args: ["--help"], sends: {} },
    { args: ["chat", "--help"], sends: {} },
  ],
  "config get": [
    { args: ["config", "get"], sends: {} },
    { args: ["config", "get", "models", "--effective"], sends: {} },
  ],
  "config set": [{ args: SET_MODEL, sends: {} }],
  "config unset": [{ args: ["config", "unset", "agents"], after: [SET_MODEL], sends: {} }],
  "config patch": [{ args: ["config", "patch", "--stdin"], input: "{}", sends: {} }],
  "config file": [{ args: ["config", "file"], sends: {} }],
  "config list": [{ args: ["config", "list"], sends: {} }],
  "config edit": [{ args: ["config", "edit"], sends: {} }],
  "config validate": [{ args: ["config", "validate"], sends: {} }],
  "config schema": [{ args: ["config", "schema"], sends: {} }],
  "models list": [
    { args: LIST, sends: { bedrock: LISTS } },
    { args: [...LIST, "--refresh"], after: [LIST], sends: { bedrock: LISTS } },
    { args: LIST, after: [LIST], sends: {} },
    { args: [...LIST, "--json"], after: [LIST], sends: {} },
    { args: [...LIST, "--offline"], sends: {} },
  ],
  "models show": [
    { args: ["models", "show", MODEL], after: [LIST], sends: {} },
    {
      args: ["models", "show", MODEL, "--access"],
      after: [LIST],
      sends: { bedrock: [AVAILABILITY] },
    },
  ],
  "models status": [{ args: ["models", "status"], after: [LIST], sends: {} }],
  "models set": [{ args: ["models", "set", MODEL], after: [LIST], sends: {} }],
  "models alias": [
    { args: ["models", "alias"], sends: {} },
    { args: ["models", "alias", "fast", MODEL], after: [LIST], sends: {} },
  ],
  "models access": [
    {
      args: ["models", "access", MODEL],
      after: [LIST],
      sends: { bedrock: ["GET /data-retention", AVAILABILITY], quotas: QUOTAS },
    },
  ],
  quota: [{ args: ["quota", MODEL], after: [LIST], sends: { quotas: QUOTAS, metrics: [METRICS] } }],
  "batch estimate": [
    {
      args: ["batch", "estimate", "-", "-m", MODEL],
      after: [LIST],
      input: '{"prompt":"hi"}\n',
      sends: { quotas: QUOTAS },
    },
  ],
  embed: [
    {
      args: ["embed", "-m", "amazon.titan-embed-text-v2:0", "hi"],
      after: [LIST],
      sends: { runtime: ["POST /model/amazon.titan-embed-text-v2%3A0/invoke"] },
    },
  ],
  "batch run": [
    {
      args: ["batch", "run", "-", "--lines", "-m", MODEL, "--rpm", "100"],
      input: "hi\n",
      after: [LIST],
      sends: { runtime: [STREAM] },
    },
  ],
  chat: [
    { args: CHAT, sends: { runtime: [STREAM] } },
    { args: CHAT, after: [LIST], sends: { runtime: [STREAM] } },
    {
      args: [...CHAT, "--dry-run"],
      after: [LIST],
      sends: { runtime: ["POST /model/amazon.nova-lite-v1%3A0/count-tokens"] },
    },
    {
      args: [...CHAT, "--max-cost", "1"],
      after: [LIST],
      sends: { runtime: ["POST /model/amazon.nova-lite-v1%3A0/count-tokens", STREAM].toSorted() },
    },
    { args: [...CHAT, "--emulator"], sends: {} },
  ],
  "batch submit": [
    {
      args: SUBMIT,
      after: [LIST],
      sends: {
        bedrock: [GET_JOB, LIKE_JOBS, "POST /model-invocation-job"],
        quotas: QUOTAS,
        s3: [
          "HEAD /openclaw-emulator/",
          "HEAD /openclaw-emulator/batch/input/lines-DIGEST.jsonl",
          "PUT /openclaw-emulator/batch/input/lines-DIGEST.jsonl?x-id=PutObject",
        ],
      },
    },
    // What is there is not sent again.
    {
      args: SUBMIT,
      after: [LIST, SUBMIT],
      sends: { bedrock: [GET_JOB, LIKE_JOBS], quotas: QUOTAS },
    },
  ],
  "batch list": [
    {
      args: ["batch", "list"],
      sends: {
        bedrock: ["GET /model-invocation-jobs?maxResults=50&sortBy=CreationTime&sortOrder=Descending"],
      },
    },
  ],
  "batch status": [{ args: ["batch", "status"], after: [SUBMIT], sends: { bedrock: [GET_JOB] } }],
  "batch results": [
    {
      args: ["batch", "results", "-o", "out.jsonl"],
      after: [SUBMIT],
      sends: {
        bedrock: [GET_JOB],
        s3: [
          "GET /openclaw-emulator/?list-type=2&prefix=batch%2FJOB%2F",
          "GET /openclaw-emulator/batch/JOB/lines-DIGEST.jsonl.out?x-id=GetObject",
          "GET /openclaw-emulator/batch/JOB/manifest.json.out?x-id=GetObject",
          "GET /openclaw-emulator/batch/input/lines-DIGEST.jsonl?x-id=GetObject",
        ],
      },
    },
  ],
  "batch stop": [
    {
      args: ["batch", "stop", "nightly"],
      after: [SUBMIT],
      jobSeconds: 600,
      sends: { bedrock: [GET_JOB, GET_JOB, LIKE_JOBS, "POST /model-invocation-job/JOB/stop"] },
    },
  ],
  "batch role": [{ args: ["batch", "role", "--s3", "s3://b-1/batch"], sends: { sts: [IDENTITY] } }],
  "sessions list": [{ args: ["sessions", "list"], after: [KEPT], sends: {} }],
  "sessions show": [{ args: ["sessions", "show", "first"], after: [KEPT], sends: {} }],
  "sessions export": [{ args: ["sessions", "export", "first"], after: [KEPT], sends: {} }],
  "sessions search": [{ args: ["sessions", "search", "hi"], after: [KEPT], sends: {} }],
  "sessions rename": [{ args: ["sessions", "rename", "first", "second"], after: [KEPT], sends: {} }],
  "sessions rm": [{ args: ["sessions", "rm", "first"], after: [KEPT], sends: {} }],
  "templates list": [{ args: ["templates", "list"], after: [SET_TEMPLATE], sends: {} }],
  "templates show": [{ args: ["templates", "show", "review"], after: [SET_TEMPLATE], sends: {} }],
  "templates edit": [{ args: ["templates", "edit", "review"], sends: {} }],
  usage: [{ args: ["usage"], after: [KEPT], sends: {} }],
  doctor: [
    {
      args: ["doctor"],
      sends: { bedrock: [REACH, ...LISTS], runtime: [REACH], sts: [REACH, IDENTITY] },
    },
    {
      args: ["doctor", "--probe"],
      after: [SET_MODEL],
      sends: {
        bedrock: [REACH, AVAILABILITY, ...LISTS],
        runtime: [REACH, STREAM],
        sts: [REACH, IDENTITY],
      },
    },
    {
      args: ["doctor", "--batch", "s3://openclaw-emulator/batch"],
      after: [SET_MODEL],
      sends: {
        bedrock: [
          REACH,
          AVAILABILITY,
          ...LISTS,
          "GET /model-invocation-jobs?maxResults=100&sortBy=CreationTime&sortOrder=Descending",
        ],
        runtime: [REACH],
        quotas: QUOTAS,
        s3: ["HEAD /openclaw-emulator/"],
        sts: [REACH, IDENTITY],
      },
    },
  ],
  // Who calls is part of what it prints.
  "iam policy": [{ args: ["iam", "policy"], after: [LIST], sends: { sts: [IDENTITY] } }],
  emulator: [{ args: ["emulator"], listens: /127\.0\.0\.1:\d+/, sends: {} }],
  serve: [
    // It has the list ready before anybody asks.
    { args: ["serve", "--port", "0"], listens: /127\.0\.0\.1:\d+/, sends: { bedrock: LISTS } },
    { args: ["serve", "--port", "0"], after: [LIST], listens: /127\.0\.0\.1:\d+/, sends: {} },
  ],
  "serve keys add": [{ args: KEY, sends: {} }],
  "serve keys list": [{ args: ["serve", "keys", "list", "--api-key-file", "keys"], after: [KEY], sends: {} }],
  "serve keys revoke": [
    { args: ["serve", "keys", "revoke", "team-a", "--api-key-file", "keys"], after: [KEY], sends: {} },
  ],
  "tools list": [{ args: ["tools", "list"], sends: {} }],
  "tools run": [{ args: ["tools", "run", "list-files", "{}"], sends: {} }],
  "mcp list": [{ args: ["mcp", "list", "--check"], after: [SET_SERVER], sends: {} }],
  "mcp tools": [{ args: ["mcp", "tools", "echo"], after: [SET_SERVER], sends: {} }],
  "mcp call": [{ args: ["mcp", "call", "echo", "echo", "{}"], after: [SET_SERVER], sends: {} }],
  // It asks nobody before it is asked.
  "mcp serve": [{ args: ["mcp", "serve"], sends: {} }],
  help: [{ args: ["help", "scripting"], sends: {} }],
  completion: [{ args: ["completion", "bash"], sends: {} }],
  complete: [{ args: ["complete", "fish", "--", "chat", "-m", ""], after: [LIST], sends: {} }],
};

/** In the small form a process each: nothing, one connection, many, and what is piped in. The others are counted alike. */
const PROCESSES = new Set(
  [["--version"], LIST, CHAT, ["doctor"], ["config", "patch", "--stdin"]].map((args) => args.join(" ")),
);

async function runRow(watched: Watched, { args, listens, input, sends }: Row): Promise<void> {
  const calls = watched.routes().length + Object.values(sends).flat().length;
  if (!listens) {
    const isProcess = isThorough || PROCESSES.has(args.join(" "));
    const { code, stderr } = await (isProcess
      ? watched.run(args, input === undefined ? {} : { input })
      : watched.runHere(args, input));
    expect(code, stderr).toBe(0);
    return;
  }
  const child = watched.start(args, { isStdinOpen: true });
  let said = "";
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (listens.test(said)) resolve();
      });
    child.on("close", () => resolve());
  });
  await vi.waitFor(() => expect(watched.routes()).toHaveLength(calls), 5000);
  child.kill("SIGTERM");
  const [code] = (await once(child, "close")) as [number | null];
  expect(code, said).toBe(143);
}

describe("what a command sends", () => {
  it("is known of every command", () => {
    const commands = everyCommand().map(({ path }) => path.join(" "));
    expect(Object.keys(COMMANDS).filter(Boolean).toSorted()).toEqual(commands.toSorted());
  });

  const rows = Object.values(COMMANDS)
    .flat()
    .map((row) => ({
      name: [...row.args, ...(row.after ? ["after", ...row.after.flat()] : [])].join(" "),
      row,
    }));
  it.each(rows)("by $name, through connections that carry nothing else", async ({ row }) => {
    const watched = await watch({ jobSeconds: row.jobSeconds ?? 0 });
    const line = '{"prompt":"hi"}\n';
    writeFileSync(path.join(watched.home, "lines.jsonl"), line.repeat(100));
    const env = { ...NEEDS_NO_PROCESS, AWS_CA_BUNDLE: watched.authority };
    for (const args of row.after ?? []) expect((await watched.run(args, { env })).code).toBe(0);
    const before = SERVICES.map((service) => watched.fronts[service].connections.length);
    watched.takeOutgoing();
    await runRow(watched, row);
    const outgoing = watched.takeOutgoing();
    const opened = SERVICES.map((service, index) =>
      watched.fronts[service].connections.slice(before[index]).map(({ received }) => requestLines(received)),
    );
    const sent = opened.map((connections) => connections.flat().toSorted());
    expect(Object.fromEntries(SERVICES.map((service, index) => [service, sent[index]]))).toEqual(
      Object.fromEntries(SERVICES.map((service) => [service, row.sends[service] ?? []])),
    );
    // What is told to end may have connected and not yet asked.
    if (!row.listens) expect(opened.flat()).not.toContainEqual([]);
    // Nothing else is opened, and no name looked up: the endpoints are addresses.
    if (!row.args.includes("--emulator")) expect(outgoing).toEqual(opened.flat().map(() => "TCPCONNECTWRAP"));
  });
});

/** Lets a child run to its end. */
async function ended(child: ReturnType<Watched["start"]>): Promise<{ code: number | null; said: string }> {
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said };
}

describe("a connection that is opened before everything is decided", () => {
  const ROLE =
    "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/Dev\nsource_profile = base\n[profile base]\n" +
    "aws_access_key_id = AKIABASE000000000001\naws_secret_access_key = secret\n";

  /** Long enough for a connection to come about, TLS and all, and for what should not be said through it. */
  const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

  /** Fails where Bedrock got a byte of a request before `decidedAt`, or got none at all. */
  function expectNothingBefore({ fronts }: Watched, decidedAt: number): void {
    const began = fronts.runtime.connections.flatMap(({ firstByteAt }) => firstByteAt ?? []);
    expect(began.length).toBeGreaterThan(0);
    expect(Math.min(...began)).toBeGreaterThan(decidedAt);
  }

  it("carries nothing until STS has given the role's keys", async () => {
    const asked = new EventEmitter();
    const watched = await watch({
      script: ({ route }) => {
        if (route !== "AssumeRole") return undefined;
        asked.emit("asked");
        return { http: stsCredentials(route, ROLE_KEY), after: once(asked, "released") };
      },
    });
    writeSharedFiles(watched.home, { config: ROLE });
    const chat = ended(watched.start(CHAT, { env: { ...NO_KEYS, AWS_PROFILE: "dev" } }));
    await once(asked, "asked");
    await aMoment();
    expect(bytesOf(watched)).toEqual([0, 0, expect.any(Number)]);
    const decidedAt = performance.now();
    asked.emit("released");
    expect(await chat).toMatchObject({ code: 0 });
    expectNothingBefore(watched, decidedAt);
    expect(watched.emulator.calls.at(-1)?.accessKeyId).toBe(ROLE_KEY);
  });

  it("carries nothing until a credential process has printed the keys", async () => {
    const watched = await watch();
    const fifo = path.join(watched.home, "keys");
    execFileSync("mkfifo", [fifo]);
    writeSharedFiles(watched.home, { config: `[profile dev]\ncredential_process = cat ${fifo}\n` });
    const chat = ended(watched.start(CHAT, { env: { ...NO_KEYS, AWS_PROFILE: "dev" } }));
    // A FIFO opens when somebody reads from it.
    const keys = await open(fifo, "w");
    await aMoment();
    expect(bytesOf(watched)).toEqual([0, 0, 0]);
    const decidedAt = performance.now();
    const { accessKeyId, secretAccessKey } = watched.emulator;
    await keys.write(
      JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey }),
    );
    await keys.close();
    expect(await chat).toMatchObject({ code: 0 });
    expectNothingBefore(watched, decidedAt);
  });

  it("carries nothing until the prompt is whole", async () => {
    const watched = await watch();
    const child = watched.start(["chat", "-m", MODEL], { isStdinOpen: true });
    const chat = ended(child);
    // More than a pipe holds: it is written when the program has begun to read.
    await new Promise<void>((resolve) => child.stdin.write("word ".repeat(400_000), () => resolve()));
    await aMoment();
    expect(bytesOf(watched)).toEqual([0, 0, 0]);
    const decidedAt = performance.now();
    child.stdin.end("the end");
    expect(await chat).toMatchObject({ code: 0 });
    expectNothingBefore(watched, decidedAt);
  });

  it("carries nothing until somebody has typed a question, or a code of an MFA device", async () => {
    const watched = await watch();
    const talk = openPty(["chat", "-m", MODEL], watched.home, { env: watched.env });
    await talk.see(/\n> $/);
    await aMoment();
    expect(bytesOf(watched)).toEqual([0, 0, 0]);
    let decidedAt = performance.now();
    talk.type("hi\r");
    await talk.see("simulated answer");
    expectNothingBefore(watched, decidedAt);

    const other = await watch({
      script: ({ route }) => (route === "AssumeRole" ? { http: stsCredentials(route, ROLE_KEY) } : undefined),
    });
    writeSharedFiles(other.home, {
      config: ROLE.replace("source_profile", "mfa_serial = arn:aws:iam::123456789012:mfa/me\nsource_profile"),
    });
    const env = { ...other.env, ...NO_KEYS, AWS_PROFILE: "dev" };
    const asking = openPty(CHAT, other.home, { env });
    await asking.see("Enter MFA code");
    await aMoment();
    expect(bytesOf(other)).toEqual([0, 0, 0]);
    decidedAt = performance.now();
    asking.type("123456\r");
    expect(await asking.exit).toBe(0);
    expectNothingBefore(other, decidedAt);
  });

  it("has what doctor asks of Bedrock, while an endpoint of others has yet to answer", async () => {
    const watched = await watch();
    watched.configure(JSON.stringify({ agents: { defaults: { model: MODEL } } }));
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const doctor = watched.start(["doctor"], { env: { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url } });
    const { connections } = watched.fronts.bedrock;
    await vi.waitFor(
      () =>
        expect(connections.flatMap(({ received }) => requestLines(received)).toSorted()).toEqual(
          [REACH, ...LISTS, AVAILABILITY].toSorted(),
        ),
      10_000,
    );
    doctor.kill("SIGTERM");
    await once(doctor, "close");
  });

  it.each<
    [string, { args?: string[]; env?: Record<string, string | undefined>; config?: string; shared?: string }]
  >([
    ["a flag that does not exist", { args: [...CHAT, "--nope"] }],
    ["a value that does not fit", { args: [...CHAT, "--temperature", "hot"] }],
    ["a file that is not there", { args: ["chat", "-m", MODEL, "-f", "missing.png", "hi"] }],
    ["a schema that is none", { args: [...CHAT, "--schema", "{"] }],
    ["no prompt", { args: ["chat", "-m", MODEL] }],
    ["a session that does not exist", { args: ["chat", "--continue", "hi"] }],
    ["a name that stands for no model", { args: ["chat", "--config", "missing.json", "-m", "", "hi"] }],
    ["a region that is none", { args: [...CHAT, "--region", "nowhere!"] }],
    ["an endpoint that is none", { args: [...CHAT, "--endpoint-url", "ftp://nowhere"] }],
    ["a proxy that is none", { env: { HTTPS_PROXY: "http://a#b@c:1" } }],
    ["a configuration that is broken", { config: "{" }],
    ["a setting of the wrong kind", { config: "{ agents: { defaults: { model: 7 } } }" }],
    ["no credentials", { env: NO_KEYS }],
    ["a profile that does not exist", { env: { ...NO_KEYS, AWS_PROFILE: "nobody" } }],
    [
      "a credential process that fails",
      { env: { ...NO_KEYS, AWS_PROFILE: "dev" }, shared: "[profile dev]\ncredential_process = false\n" },
    ],
    ["certificates that cannot be read", { env: { AWS_CA_BUNDLE: "missing.pem" } }],
  ])("carries nothing where the call ends with %s", async (_, { args = CHAT, env = {}, config, shared }) => {
    const watched = await watch();
    if (config !== undefined) watched.configure(config);
    if (shared !== undefined) writeSharedFiles(watched.home, { config: shared });
    const { code, stdout } = await watched.run(args, {
      env: { ...NEEDS_NO_PROCESS, AWS_CA_BUNDLE: watched.authority, ...env },
    });
    expect(code).not.toBe(0);
    expect(stdout).toBe("");
    expect(bytesOf(watched)).toEqual([0, 0, 0]);
  });

  it("carries nothing where the model is called somewhere else", async () => {
    const watched = await watch();
    const elsewhere = await startTlsFront(certificate, watched.emulator.port);
    onTestFinished(() => elsewhere.close());
    const server = await openaiServer({
      chat: () => says("hello"),
    });
    watched.configure(
      JSON.stringify({
        models: {
          providers: {
            "amazon-bedrock": { baseUrl: elsewhere.url, models: [{ id: MODEL }] },
            own: { api: "openai-completions", baseUrl: server.baseUrl, models: [{ id: "llama3" }] },
          },
        },
      }),
    );
    // Without the variable it would be AWS itself that is called, whose name nobody looks up.
    const unset = { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: undefined };
    for (const [args, env] of [
      [CHAT, unset],
      [[...CHAT, "--endpoint-url", elsewhere.url], {}],
      [["chat", "-m", "own/llama3", "hi"], {}],
    ] as const) {
      const { code, stderr } = await watched.run(args, { env });
      expect(code, stderr).toBe(0);
      expect(watched.takeOutgoing()).toEqual(["TCPCONNECTWRAP"]);
    }
    expect(elsewhere.connections.map(({ received }) => requestLines(received))).toEqual([[STREAM], [STREAM]]);
    expect(server.chats).toHaveLength(1);
    expect(bytesOf(watched)).toEqual([0, 0, 0]);
  });

  it("goes through the proxy, as all others", async () => {
    const watched = await watch();
    const network = await createAwsNetwork(watched);
    const names = ["BEDROCK", "BEDROCK_RUNTIME", "STS"].map((name) => [
      `AWS_ENDPOINT_URL_${name}`,
      undefined,
    ]);
    const env = { ...(Object.fromEntries(names) as Record<string, undefined>), ...network.env };
    const { code, stderr } = await watched.run(CHAT, { env });
    expect(code, stderr).toBe(0);
    expect(network.hosts).toEqual(["bedrock-runtime.us-east-1.amazonaws.com:443"]);
    expect(watched.takeOutgoing()).toEqual(network.hosts.map(() => "TCPCONNECTWRAP"));
  });
});
