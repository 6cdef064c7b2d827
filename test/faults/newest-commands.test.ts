import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { settlesWithin } from "../../src/settles-within.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { openPty } from "../helpers/pty.ts";
import { binary, emptyEnvironment, startShared } from "../helpers/openclaw.ts";
import { runInProcess } from "../helpers/run-in-process.ts";
import { MODEL, serve } from "../helpers/served.ts";
import { isThorough } from "../helpers/thorough.ts";

/*
 * What older commands have run into, tried on the newer ones: files that are none, terminals without a size, names that
 * act on a terminal, nesting without an end, blank keys.
 */

const EMBEDDING = "amazon.titan-embed-text-v2:0";
const PLACE = ["--s3", "s3://openclaw-emulator/batch", "--role", "arn:aws:iam::123456789012:role/R"];

/** Commands that read a file of a person's, which stands for `FILE`. */
const READERS: readonly (readonly string[])[] = [
  ["batch", "run", "FILE", "-m", MODEL, "-o", "out.jsonl"],
  ["batch", "estimate", "FILE", "-m", MODEL],
  ["batch", "submit", "FILE", "-m", MODEL, ...PLACE],
  ["batch", "results", "--input", "FILE", "-o", "out.jsonl"],
  ["models", "access", "claude-fable-5", "--submit-form", "FILE", "--yes"],
  ["serve", "--port", "0", "--api-key-file", "FILE"],
  ["serve", "--port", "0", "--tls-cert", "FILE", "--tls-key", "FILE"],
  ["serve", "keys", "list", "--api-key-file", "FILE"],
  ["serve", "keys", "add", "a", "--api-key-file", "FILE"],
  ["serve", "keys", "revoke", "a", "--api-key-file", "FILE"],
  ["config", "patch", "--file", "FILE"],
  ["config", "set", "--batch-file", "FILE"],
  ["chat", "--tool-result", "FILE", "-m", MODEL, "--session", "s"],
  ["embed", "-m", EMBEDDING, "--emulator-script", "FILE", "a"],
  ["quota", "--config", "FILE"],
  ["usage", "--config", "FILE"],
  ["templates", "list", "--config", "FILE"],
  ["mcp", "serve", "--config", "FILE"],
];

/** So long a command is given to find out that a file is none, and then to heed a signal, in ms. */
const PATIENCE_MS = 1500;

describe("a command that reads a file", () => {
  it.each(READERS)("is refused a FIFO, or heeds a signal: %s %s %s %s %s", async (...words) => {
    const user = await emulate();
    execFileSync("mkfifo", [path.join(user.home, "fifo")]);
    const args = words.filter((word) => word !== undefined).map((word) => (word === "FILE" ? "fifo" : word));
    const child = user.start(args, { isStdinOpen: true, env: { AWS_REGION: "us-east-1" } });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.resume();
    const closed = once(child, "close");
    const isOver = await settlesWithin(PATIENCE_MS, closed);
    if (!isOver) {
      child.kill("SIGTERM");
      expect(await settlesWithin(PATIENCE_MS, closed), `${args.join(" ")}: ${stderr}`).toBe(true);
    }
    child.kill("SIGKILL");
    expect(stderr).not.toMatch(/a bug|Unexpected/);
  });
});

/** A name that acts on a terminal, and leads out of a folder. */
const HOSTILE = "../a\u001B]52;c;bm8=\u0007\u009B31m\u202E\u2028\r\nb";
const NAMED: readonly (readonly string[])[] = [
  ["batch", "run", HOSTILE, "-m", MODEL, "-o", "out.jsonl"],
  ["batch", "run", "lines.jsonl", "-m", HOSTILE, "-o", "out.jsonl"],
  ["batch", "run", "lines.jsonl", "-m", MODEL, "-o", `${HOSTILE}/${HOSTILE}`],
  ["batch", "run", "names.jsonl", "-m", MODEL, "-o", "-"],
  ["batch", "estimate", "lines.jsonl", "-m", HOSTILE],
  ["batch", "submit", "lines.jsonl", "-m", MODEL, "--name", HOSTILE, ...PLACE],
  ["batch", "submit", "lines.jsonl", "-m", MODEL, "--s3", `s3://${HOSTILE}/b`, "--role", HOSTILE],
  ["batch", "status", HOSTILE],
  ["batch", "results", HOSTILE],
  ["batch", "stop", HOSTILE],
  ["batch", "role", "--s3", `s3://bucket/${HOSTILE}`, "--kms-key", HOSTILE],
  ["embed", "-m", HOSTILE, "a"],
  ["quota", HOSTILE],
  ["quota", MODEL, "--region", HOSTILE],
  ["usage", "--since", HOSTILE],
  ["models", "access", HOSTILE],
  ["serve", "keys", "add", HOSTILE, "--api-key-file", "keys"],
  ["serve", "keys", "revoke", HOSTILE, "--api-key-file", "keys"],
  ["serve", "keys", "list", "--api-key-file", HOSTILE],
  ["templates", "show", HOSTILE],
  ["templates", "edit", HOSTILE],
  ["mcp", "call", HOSTILE, HOSTILE],
  ["tools", "run", HOSTILE, "{}"],
  ["chat", "-t", HOSTILE, "-p", `${HOSTILE}=${HOSTILE}`, "hi"],
];

/**
 * Runs a command whose outputs are a terminal that tells so many columns: in the small form inside the tests' process, but for
 * the commands that a person waits for longest.
 */
async function runOnTerminal(
  user: Emulated,
  args: readonly string[],
  columns: number,
): Promise<{ code: number; output: string }> {
  const env = emptyEnvironment(user.home, { ...user.env, AWS_REGION: "us-east-1", EDITOR: "true" });
  if (!isThorough && !/^batch (?:run|submit)$/.test(args.slice(0, 2).join(" "))) {
    const options = { env: { ...env, TERM: "xterm-256color" }, cwd: user.home, input: "", columns };
    const { code, output = "" } = await runInProcess(binary, args, options);
    return { code, output };
  }
  const size = columns > 0 ? { columns } : { tells: { columns: 0, rows: 0 }, lingerSeconds: 0.3 };
  const terminal = openPty(args, user.home, { env, rows: 24, ...size });
  return { code: await terminal.exit, output: terminal.output() };
}

it.each(NAMED)("a name from outside acts on no terminal: %s %s", async (...words) => {
  const user = await emulate();
  writeFileSync(path.join(user.home, "lines.jsonl"), '{"prompt":"hi"}\n');
  const named = { id: HOSTILE, prompt: "hi", model: HOSTILE, [HOSTILE]: HOSTILE };
  writeFileSync(path.join(user.home, "names.jsonl"), `${JSON.stringify(named)}\n`);
  const args = words.filter((word) => word !== undefined);
  const { code, output } = await runOnTerminal(user, args, 80);
  expect(typeof code).toBe("number");
  expect(output).not.toMatch(/\u001B\]52|\u0007|\u009B|\u202E|\u2028/);
  expect(output).not.toMatch(/a bug|Unexpected/);
});

const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const DEEP: readonly { what: string; args: readonly string[]; input?: string; config?: string }[] = [
  {
    what: "a line of a batch",
    args: ["batch", "run", "-", "-m", MODEL, "-o", "out.jsonl"],
    input: `{"prompt":"a","x":${deep(50_000)}}\n`,
  },
  { what: "the input of a tool", args: ["tools", "run", "list-files", deep(50_000)] },
  {
    what: "a template",
    args: ["templates", "list"],
    config: `{ templates: { a: { prompt: ${deep(50_000)} } } }`,
  },
  { what: "a budget", args: ["usage"], config: `{ usage: { budget: ${deep(50_000)} } }` },
  {
    what: "the results of tools",
    args: ["chat", "-m", MODEL, "--session", "s", "--tool-result", "-"],
    input: deep(50_000),
  },
  {
    what: "a form",
    args: ["models", "access", "claude-fable-5", "--submit-form", "-", "--yes"],
    input: deep(50_000),
  },
  {
    what: "a message to mcp serve",
    args: ["mcp", "serve"],
    input: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${deep(50_000)}}\n`,
  },
  { what: "an input of an MCP server", args: ["mcp", "call", "a", "b", deep(50_000)] },
];

it.each(DEEP)("nesting without an end is no bug: $what", async ({ args, input, config }) => {
  const user = await emulate();
  if (config !== undefined) user.configure(config);
  const { code, stderr, stdout } = await user.run(args, {
    ...(input === undefined ? {} : { input }),
    env: { AWS_REGION: "us-east-1" },
  });
  expect(stderr + stdout.slice(0, 2000)).not.toMatch(/a bug|Unexpected|call stack/);
  expect(code).not.toBe(1);
});

/** What is waited for on a terminal that has no size. */
const SIZELESS: readonly (readonly string[])[] = [
  ["batch", "run", "lines.jsonl", "-m", MODEL, "-o", "out.jsonl"],
  ["batch", "submit", "lines.jsonl", "-m", MODEL, "--wait", ...PLACE],
  ["embed", "-m", EMBEDDING, "a text"],
  ["quota", MODEL],
  ["usage"],
  ["serve", "keys", "add", "a", "--api-key-file", "keys"],
  ["templates", "list"],
  ["models", "access", MODEL],
];

it.each(SIZELESS)("needs no size of a terminal: %s %s", async (...words) => {
  const user = await emulate({ jobSeconds: 0 });
  writeFileSync(path.join(user.home, "lines.jsonl"), '{"prompt":"hi"}\n'.repeat(100));
  const args = words.filter((word) => word !== undefined);
  const { code, output } = await runOnTerminal(user, args, 0);
  expect(code, output).toBe(0);
  expect(output.length).toBeLessThan(50_000);
});

const BLANK = " \t";
const BLANKS: readonly {
  what: string;
  args: readonly string[];
  env?: Record<string, string>;
  keys?: string;
}[] = [
  {
    what: "a blank OPENCLAW_SERVE_API_KEY",
    args: ["serve", "--port", "0"],
    env: { OPENCLAW_SERVE_API_KEY: BLANK },
  },
  {
    what: "a file of blank keys",
    args: ["serve", "--port", "0", "--api-key-file", "keys"],
    keys: `${BLANK}\n\n`,
  },
  {
    what: "a blank key in JSON",
    args: ["serve", "--port", "0", "--api-key-file", "keys"],
    keys: '{"name":"a","key":" "}\n',
  },
  { what: "a key without a name", args: ["serve", "keys", "add", BLANK, "--api-key-file", "keys"] },
  { what: "a model without a name, embed", args: ["embed", "-m", BLANK, "a"] },
  {
    what: "a model without a name, batch",
    args: ["batch", "estimate", "keys", "-m", BLANK],
    keys: '{"prompt":"a"}\n',
  },
  { what: "a template without a name", args: ["templates", "show", ""] },
];

it.each(BLANKS)("takes no blank for a value: $what", async ({ args, env = {}, keys }) => {
  const user = await emulate();
  if (keys !== undefined) writeFileSync(path.join(user.home, "keys"), keys, { mode: 0o600 });
  const child = startShared(args, user.home, { env: { ...user.env, AWS_REGION: "us-east-1", ...env } });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.resume();
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const isOver = await settlesWithin(10_000, closed);
  child.kill("SIGKILL");
  const code = await closed;
  expect(isOver, stderr).toBe(true);
  expect([2, 3, 6], stderr).toContain(code);
});

it("answers no page under another name, at any address of its own", async () => {
  const { origin, announced } = await serve({ args: ["--metrics-port", "0"] });
  for (const url of [`${origin}/v1/models`, announced.metricsUrl, `${origin}/v1/embeddings`]) {
    const { status, text } = await askAs("evil.com", url);
    expect(status, `${url}: ${text}`).toBeGreaterThanOrEqual(400);
  }
});

/** Asks under a name in the header Host, which fetch takes from the address. */
async function askAs(host: string, url: string): Promise<{ status: number; text: string }> {
  const asked = request(url, { headers: { host } }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}
