import { writeFileSync } from "node:fs";
import path from "node:path";
import headless from "@xterm/headless";
import { afterAll, expect, it } from "vitest";
import type { Dialogue } from "../../src/emulator/dialogue.ts";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import type { Script } from "../../src/emulator/script.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { everyCommand } from "../helpers/every-command.ts";
import { writeStdioServer } from "../helpers/mcp-server.ts";
import { type AtEnd, binary, emptyEnvironment } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";
import { runInProcess } from "../helpers/run-in-process.ts";
import { isThorough } from "../helpers/thorough.ts";

/*
 * What a person sees of each command that prints a table, wrapped text or a message, at several widths. The screens are
 * in screens/, a file a command; a row that the terminal itself has broken ends in ↩. After a change on purpose:
 * npx vitest run test/commands/screens.test.ts -u, and look at the difference.
 */

const MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const ANSWER = [
  "# Three ways\n\nThe **first** is a `loop`, which has words enough to be broken somewhere.\n\n",
  "- a list whose items are long enough for two lines\n- [a link](https://docs.aws.amazon.com/bedrock/)\n\n",
  "| Way | Time |\n| --- | ---: |\n| loop | 10 ms |\n| recursion in a narrow stack | 2 s |\n\n",
  "> A quote that goes on and on until it does not fit.\n",
  "\n- [x] a task that is done\n  - [ ] and one that is not\n\n| Way | What it does &amp; how | Cost |\n|---|---|---:|\n",
  "| loop | goes on and on until somebody tells it to stop, which may take a while | 1 |\n| `fold` | ~~nothing~~ all | 20 |\n\n",
  "```js\nfor (;;) {} // for ever\n```\n",
];

const script: Script = ({ route, nth, path: place }) =>
  route === "ConverseStream" && nth > 1 && place.includes("sonnet")
    ? {
        stream: [
          { event: "messageStart", payload: { role: "assistant" } },
          ...ANSWER.map((text) => ({
            event: "contentBlockDelta",
            payload: { contentBlockIndex: 0, delta: { text } },
          })),
          { event: "contentBlockStop", payload: { contentBlockIndex: 0 } },
          { event: "messageStop", payload: { stopReason: "end_turn" } },
          {
            event: "metadata",
            payload: { usage: { inputTokens: 1000, outputTokens: 200, totalTokens: 1200 } },
          },
        ],
      }
    : undefined;

/** Models of every kind that a list has a mark or a tag for. */
const DEFAULTS = {
  model: { primary: `amazon-bedrock/${MODEL}`, fallbacks: ["us.amazon.nova-lite-v1:0", "nova-micro"] },
  models: { "us.anthropic.claude-opus-4-8": { alias: "opus" } },
};

const MCP_SERVERS = {
  echo: { command: "node", args: ["echo.cjs"] },
  docs: { url: "https://docs.example.com/mcp", headers: { Authorization: "Bearer secret" }, disabled: true },
};

/** Keys of `serve`: one without a name, one with every limit, one that is over. */
const KEYS = [
  "key-of-nobody-0123456789",
  `{"name":"team-a","hash":"sha256:${"a".repeat(64)}","models":["amazon.nova-*","opus"],"rpm":60,"tpm":200000,"dailyBudgetUsd":5,"monthlyBudgetUsd":100,"expires":"2126-01-31T00:00:00.000Z"}`,
  `{"name":"ci","hash":"sha256:${"b".repeat(64)}","expires":"2026-01-31"}`,
  "",
].join("\n");

/** Lines of a batch, one of which asks for what jobs do not do. */
const PROMPTS = [
  ...Array.from({ length: 120 }, (_, index) => ({
    id: `ticket-${index}`,
    prompt: "Sum this ticket up. ".repeat(60),
  })),
  { id: "last", prompt: "And this one.", cache: "5m", maxTokens: 20 },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join("");

/** What leaves something behind that others would show, or tells how old something is. */
const OWN =
  /^(?:batch-(?:list|results|run|submit)|chat|embed|error|models-(?:gates|set|status)|serve-keys-(?:add|revoke)|sessions-(?:list|r\w+|search))$/;
/** What its machine has more of; the others are set up alike. */
const KINDS = /^(?:batch-(?!help|.*-help)|mcp|models-list|serve-keys)/;
const machines = new Map<string, Promise<Emulated>>();
const ends: Parameters<AtEnd>[0][] = [];
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

/** A machine of its own for what needs one, and one for all others that look at the same. */
async function machineFor(name: string): Promise<Emulated> {
  if (OWN.test(name)) return setUp(name);
  const kind = KINDS.exec(name)?.[0] ?? "";
  const machine = machines.get(kind) ?? setUp(kind, (end) => ends.push(end));
  machines.set(kind, machine);
  return machine;
}

/** A machine on which something of everything is set up. */
async function setUp(name: string, atEnd?: AtEnd): Promise<Emulated> {
  const closedGates: EmulatorOptions["closedGates"] =
    name === "models-gates" ? ["form", "agreement", "retention"] : [];
  const machine = await emulate({ script, jobSeconds: 0, closedGates }, atEnd);
  machine.configure(
    JSON.stringify({
      agents: {
        defaults: name.startsWith("models-list") ? DEFAULTS : { model: `amazon-bedrock/${MODEL}` },
      },
      models: { bedrockDiscovery: {} },
      templates: {
        review: {
          prompt: "Review this change in $lang, and say what could be said in fewer words: $input",
          model: "opus",
          defaults: { lang: "English" },
        },
        translate: { prompt: "Into $lang, for $reader: $input" },
        pirate: { system: "Talk like a pirate." },
      },
      usage: { budget: { daily: 10, monthly: 100 } },
      ...(name.startsWith("mcp") ? { mcpServers: MCP_SERVERS } : {}),
    }),
  );
  if (name.startsWith("serve-keys")) writeFileSync(path.join(machine.home, "keys"), KEYS, { mode: 0o600 });
  if (name.startsWith("batch")) {
    writeFileSync(path.join(machine.home, "prompts.jsonl"), PROMPTS);
    writeFileSync(path.join(machine.home, "lines.jsonl"), '{"prompt":"hi"}\n'.repeat(100));
  }
  if (name === "batch-run")
    writeFileSync(path.join(machine.home, "few.jsonl"), '{"prompt":"hi"}\n'.repeat(3));
  if (name.startsWith("mcp")) writeStdioServer(path.join(machine.home, "echo.cjs"));
  const question =
    "Is there a question that is long enough to be broken on a screen of eighty columns, or not?";
  await machine.run(["models", "list"]);
  if (/^batch-(?:|list|results)$/.test(name)) await submitJobs(machine);
  await machine.run(["chat", "--session", "a-session", "-m", MODEL, question]);
  await machine.run(["chat", "-m", "amazon.nova-lite-v1:0", "hi"]);
  await machine.run(["chat", "-m", "amazon.nova-lite-v1:0", "--service-tier", "flex", "hi"]);
  return machine;
}

/** Where jobs have their files, and whose rights. */
const JOB_PLACE = ["--s3", "s3://openclaw-emulator/batch", "--role", "arn:aws:iam::123456789012:role/R"];

/** Two jobs that have ended. */
async function submitJobs(machine: Emulated): Promise<void> {
  for (const job of ["nightly", "a-name-that-is-as-long-as-that-of-a-job-may-be-which-is-63-char"]) {
    const submit = ["batch", "submit", "lines.jsonl", "-m", MODEL, "--name", job, "--wait"];
    const { code, stderr } = await machine.run([...submit, ...JOB_PLACE]);
    expect(code, stderr).toBe(0);
  }
}

const COMMANDS: Record<string, string[]> = {
  bare: [],
  help: ["--help"],
  overview: ["help"],
  topic: ["help", "exit-codes"],
  "models-help": ["models", "--help"],
  "models-list-help": ["models", "list", "--help"],
  "chat-help": ["chat", "--help"],
  "models-list": ["models", "list", "--search", "claude-", "--refresh"],
  "models-list-all": ["models", "list", "--refresh"],
  "models-access": ["models", "list", "--search", "nova", "--refresh", "--access"],
  "models-gates": ["models", "access", "claude-fable-5"],
  "models-show": ["models", "show", MODEL],
  "models-status": ["models", "status"],
  doctor: ["doctor"],
  "config-effective": ["config", "get", "--effective"],
  "sessions-list": ["sessions", "list"],
  "sessions-show": ["sessions", "show", "a-session"],
  "sessions-search": ["sessions", "search", "long enough"],
  "templates-list": ["templates", "list"],
  "tools-list": ["tools", "list"],
  "mcp-list": ["mcp", "list", "--check"],
  "mcp-tools": ["mcp", "tools", "echo"],
  usage: ["usage"],
  "batch-help": ["batch", "--help"],
  "batch-submit-help": ["batch", "submit", "--help"],
  "batch-results-help": ["batch", "results", "--help"],
  "batch-stop-help": ["batch", "stop", "--help"],
  "batch-results": ["batch", "results", "nightly", "--output", "answers.jsonl"],
  "batch-stop": ["batch", "stop", "nightly"],
  "batch-list": ["batch", "list"],
  "batch-status": ["batch", "status"],
  "batch-role": ["batch", "role", "--s3", "s3://openclaw-emulator/batch", "--kms-key", "alias/own"],
  "serve-keys-list": ["serve", "keys", "list", "--api-key-file", "keys"],
  quota: ["quota", MODEL, "--input-tokens", "50000", "--max-tokens", "200000"],
  "batch-estimate": ["batch", "estimate", "prompts.jsonl", "-m", MODEL],
  chat: ["chat", "-m", "anthropic.claude-sonnet-4-5-20250929-v1:0", "hi"],
  error: ["chat", "-m", "us.anthropic.claude-opus-4-6-v1:0", "hi"],
  "usage-error": ["chat", "--max-tokens", "many", "hi"],
};

const WIDTHS = [20, 40, 80, 200];
/** A table that gains columns with the width. */
const MORE_WIDTHS = [20, 40, 80, 100, 120, 200];

/** What differs from run to run, in as many characters; in a table two digits take a blank of the gap before them. */
function settled(output: string, home: string): string {
  return output
    .replaceAll(home, `${path.dirname(home)}/openclaw-test-000000`)
    .replaceAll(/127\.0\.0\.1:\d{5}/g, "127.0.0.1:00000")
    .replaceAll(/\b\d+ ms\b/g, "N ms")
    .replaceAll(/(?<=·\s+)\d+(?:\.\d+)? s$/gm, "N s")
    .replaceAll(/\bNode \d+\.\d+\.\d+/g, "Node N")
    .replaceAll(/(?<= {2})\d{2} s ago/g, " N s ago")
    .replaceAll(/(?<!\d)\d+ s (ago|old)/g, "N s $1")
    .replaceAll(/\b20\d\d-\d\d-\d\dT[\d:.]+Z/g, "2026-01-01T00:00:00.000Z")
    .replaceAll(/(?<=\x1B\[36m|invocation-job\/|\/batch\/)[a-z0-9]{12}(?=\x1B\[|\s|\/|$)/gm, "a1b2c3d4e5f6")
    .replaceAll(/oc-[\w-]{40,}/g, "oc-0-aaaabbbbccccddddeeeeffffgggghhhhiiiijjjjk")
    .replaceAll(/(?<=nightly\s+\(|batch\s+(?:results|status)\s+)[a-z0-9]{12}\b/g, "a1b2c3d4e5f6")
    .replaceAll(/Since \d{4}-\d{2}-\d{2}\b/g, "Since 2026-01-01");
}

/** The rows of a screen on which this was written. */
async function rowsOf(output: string, columns: number): Promise<string[]> {
  const terminal = new headless.Terminal({
    cols: Math.max(2, columns),
    rows: 24,
    scrollback: 10_000,
    allowProposedApi: true,
    convertEol: true,
  });
  await new Promise<void>((resolve) => terminal.write(output, resolve));
  const { active } = terminal.buffer;
  const rows = Array.from({ length: active.length }, (_, y) => {
    const isBroken = active.getLine(y + 1)?.isWrapped === true;
    return `${active.getLine(y)?.translateToString(true).trimEnd() ?? ""}${isBroken ? "↩" : ""}`;
  });
  return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
}

/** What is shown as it is to be copied, and no line of which is broken: commands, settings, JSON, code. */
const AS_IT_IS =
  /^(?:#| *(?:openclaw|aws|export|unset|cat|sudo|chmod|nvm|npm|curl|apk|brew|winget) | *-| *["{}[\]]|[-+] |for | {2}[\w-]+ [[<])/;

/** Words that the terminal has broken though they fit into a line. */
function brokenWords(rows: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  let isWithin = false;
  for (const row of rows) {
    const text = row.replace(/↩$/, "").padEnd(row.endsWith("↩") ? columns : 0);
    if (isWithin) lines.push((lines.pop() ?? "") + text);
    else lines.push(text);
    isWithin = row.endsWith("↩");
  }
  return lines.flatMap((line) => {
    if (line.length <= columns || AS_IT_IS.test(line)) return [];
    return [...line.matchAll(/\S+/g)].flatMap(({ 0: word, index }) => {
      const isBroken = Math.floor(index / columns) !== Math.floor((index + word.length - 1) / columns);
      return isBroken && word.length <= columns - 4 ? [`${columns}: ${word}`] : [];
    });
  });
}

/** The catalog grows old: what doctor says of it changes one day. */
function withoutCatalog(rows: readonly string[]): string[] {
  const from = rows.findIndex((row) => /^(?:ok|warn) +catalog\b/.test(row));
  const length = from < 0 ? 0 : rows.slice(from + 1).findIndex((row) => !row.startsWith(" ")) + 1;
  return rows.toSpliced(Math.max(0, from), length);
}

function environmentOf({ home, env }: Emulated): Record<string, string> {
  return emptyEnvironment(home, {
    ...env,
    AWS_REGION: "us-east-1",
    TERM: "xterm-256color",
    PAGER: "cat",
    EDITOR: "true",
    NVM_DIR: "/nvm",
  });
}

async function show(machine: Emulated, args: readonly string[], columns: number, nodeVersion?: string) {
  const { home } = machine;
  const { code, output = "" } = await runInProcess(binary, args, {
    env: environmentOf(machine),
    cwd: home,
    input: "",
    columns,
    ...(nodeVersion === undefined ? {} : { nodeVersion }),
  });
  return { code, output: settled(output, home) };
}

it.each(Object.entries(COMMANDS))("%s is laid out for every width", async (name, args) => {
  const machine = await machineFor(name);
  const screens: string[] = [];
  const widths = /^models-(list|access)(?!.*help)/.test(name) ? MORE_WIDTHS : WIDTHS;
  // The digits of a duration decide where a line of doctor ends on the narrowest.
  for (const columns of name === "doctor" ? widths.slice(1) : widths) {
    const { output } = await show(machine, args, columns, "20.19.0");
    const rows = withoutCatalog(await rowsOf(output, columns));
    expect(brokenWords(rows, columns)).toEqual([]);
    screens.push(`── ${columns} columns ${"─".repeat(Math.max(0, columns - 15))}`, ...rows, "");
  }
  await expect(screens.join("\n")).toMatchFileSnapshot(`screens/${name}.txt`);
});

/** What else there is, on the screen that most people have. */
const OTHERS: Record<string, string[]> = {
  "batch-run-help": ["batch", "run", "--help"],
  "chat-dry-run": ["chat", "--dry-run", "-m", MODEL, "hi"],
  completion: ["completion", "bash"],
  "completion-help": ["completion", "--help"],
  "config-edit": ["config", "edit"],
  "config-file": ["config", "file"],
  "config-get": ["config", "get"],
  "config-list": ["config", "list"],
  "config-patch": ["config", "patch", "--stdin", "--dry-run"],
  "config-schema": ["config", "schema"],
  "config-schema-help": ["config", "schema", "--help"],
  "config-set": ["config", "set", "agents.defaults.params.maxTokens", "500", "--dry-run"],
  "config-unset": ["config", "unset", "templates.pirate", "--dry-run"],
  "config-validate": ["config", "validate"],
  embed: ["embed", "-m", "amazon.titan-embed-text-v2:0", "a text", "another"],
  "emulator-help": ["emulator", "--help"],
  "iam-policy": ["iam", "policy", "--for", "chat"],
  "models-alias": ["models", "alias"],
  "models-set": ["models", "set", MODEL],
  "serve-help": ["serve", "--help"],
  "serve-keys-help": ["serve", "keys", "--help"],
  "serve-keys-add-help": ["serve", "keys", "add", "--help"],
  "serve-keys-revoke": ["serve", "keys", "revoke", "line-1", "--api-key-file", "keys"],
  "mcp-serve-help": ["mcp", "serve", "--help"],
  "sessions-export": ["sessions", "export", "a-session"],
  "sessions-rename": ["sessions", "rename", "a-session", "another"],
  "sessions-rm": ["sessions", "rm", "a-session"],
  "templates-edit": ["templates", "edit", "pirate"],
  "templates-show": ["templates", "show", "review"],
  "tools-run": ["tools", "run", "list-files", "{}"],
  "mcp-call": ["mcp", "call", "echo", "echo", '{"say":"hi"}'],
};

it.each(Object.entries(OTHERS))("%s is laid out for 80 columns", async (name, args) => {
  const { output } = await show(await machineFor(name), args, 80, "20.19.0");
  await expect((await rowsOf(output, 80)).join("\n")).toMatchFileSnapshot(`screens/${name}.txt`);
});

/** What leaves something that the same command would meet the next time. */
const CHANGING: Record<string, string[]> = {
  "batch-run": ["batch", "run", "few.jsonl", "-m", MODEL, "--output", "answers.jsonl"],
  "batch-submit": ["batch", "submit", "lines.jsonl", "-m", MODEL, "--name", "weekly", ...JOB_PLACE],
  "serve-keys-add": ["serve", "keys", "add", "team-b", "--api-key-file", "keys", "--rpm", "60"],
};

it.each(Object.entries(CHANGING))("%s is laid out for every width", async (name, args) => {
  const screens: string[] = [];
  for (const columns of WIDTHS) {
    const { output } = await show(await setUp(name), args, columns, "20.19.0");
    const rows = await rowsOf(output, columns);
    expect(brokenWords(rows, columns)).toEqual([]);
    screens.push(`── ${columns} columns ${"─".repeat(Math.max(0, columns - 15))}`, ...rows, "");
  }
  await expect(screens.join("\n")).toMatchFileSnapshot(`screens/${name}.txt`);
});

it("breaks no word of doctor on the narrowest screen", async () => {
  const { output } = await show(await setUp("doctor"), ["doctor"], 20, "20.19.0");
  expect(brokenWords(await rowsOf(output, 20), 20)).toEqual([]);
});

/** What waits for others, with the last that it says when it has started. */
const WAITING: Record<string, { args: string[]; started: RegExp }> = {
  emulator: { args: ["emulator"], started: /^# A bucket/m },
  serve: { args: ["serve", "--port", "0"], started: /^# For AWS/m },
  "mcp-serve": { args: ["mcp", "serve"], started: /ends\s+it/ },
};

it.each(Object.entries(WAITING))("%s is laid out for every width", async (name, { args, started }) => {
  const machine = await machineFor(name);
  const screens: string[] = [];
  for (const columns of WIDTHS) {
    const env = environmentOf(machine);
    const terminal = openPty(args, machine.home, { columns, rows: 200, env });
    await terminal.see(started);
    terminal.kill("SIGINT");
    expect(await terminal.exit).toBe(130);
    const rows = await rowsOf(settled(terminal.output(), machine.home), columns);
    screens.push(`── ${columns} columns ${"─".repeat(Math.max(0, columns - 15))}`, ...rows, "");
  }
  await expect(screens.join("\n")).toMatchFileSnapshot(`screens/${name}.txt`);
});

/** What is typed in a conversation, each when the prompt is there again. */
const TYPED = ["hi", "Which ways are there? Name *three*.", "/cost", "/undo", "/nope", "/help"];

it("a conversation is laid out for every width", async () => {
  const screens: string[] = [];
  for (const columns of WIDTHS.slice(1)) {
    const machine = await setUp("conversation");
    const env = environmentOf(machine);
    const terminal = openPty(["chat", "--session", "talk"], machine.home, { columns, rows: 200, env });
    await terminal.see(/\n> $/);
    for (const [index, line] of TYPED.entries()) {
      terminal.type(`${line}\r`);
      // The prompt after this line, with nothing at it.
      await terminal.see(new RegExp(`(?:^|\\n)(?:> [^\\n]+[^]*?\\n){${index + 1}}> $`));
    }
    terminal.type("\u0004");
    expect(await terminal.exit).toBe(0);
    const rows = settled(terminal.lines().join("\n"), machine.home);
    screens.push(`── ${columns} columns ${"─".repeat(columns - 15)}`, rows, "");
  }
  await expect(screens.join("\n")).toMatchFileSnapshot("screens/conversation.txt");
});

/** What a model does in a conversation with tools: a call, two at once, one that is refused, and one that is stopped. */
const WITH_TOOLS: Dialogue = [
  {
    text: "I look at the disks.",
    toolCalls: [{ name: "disk-usage", input: { path: "/var/log", depth: 2 } }],
  },
  { text: "It is nearly **full**." },
  { toolCalls: ["web-1", "web-2"].map((host) => ({ name: "load", input: { host } })) },
  { text: "Both are busy." },
  {
    toolCalls: [
      { name: "deploy", input: { branch: "main", message: "First line.\nSecond \u001B[31mline." } },
    ],
  },
  { text: "Then I leave it." },
  { toolCalls: [{ name: "watch" }] },
  { text: "I have stopped watching." },
];
const commandTool = (script: string): object => ({
  description: "A tool.",
  command: ["sh", "-c", script],
  input: { type: "object" },
});

it("a conversation with tools is laid out for every width", async () => {
  const screens: string[] = [];
  for (const columns of WIDTHS) {
    const machine = await emulate({ dialogue: WITH_TOOLS });
    const usage = "printf '80%% /var/log\\n60%% /var/log/journal\\n'";
    const tools = {
      "disk-usage": commandTool(usage),
      load: commandTool("echo the host is not there >&2; exit 1"),
      deploy: commandTool("true"),
      watch: commandTool("exec sleep 600"),
    };
    machine.configure(JSON.stringify({ tools }));
    const named = Object.keys(tools).flatMap((name) => ["--tool", name]);
    const args = ["chat", "-m", MODEL, "--no-save", ...named, "--allow", "watch"];
    const terminal = openPty(args, machine.home, { columns, rows: 200, env: environmentOf(machine) });
    const prompt = /\n\n> $/;
    await terminal.see(/\n> $/);
    terminal.type("What is full?\r");
    await terminal.see(/Run it\? .*$/);
    terminal.type("a");
    await terminal.see(prompt);
    terminal.type("And the hosts?\r");
    for (const answer of ["y", "y"]) {
      await terminal.see(/(?:web-[12])"\}\nRun it\? [^\n]*$/);
      terminal.type(answer);
      await terminal.see(/yes\n/);
    }
    await terminal.see(prompt);
    terminal.type("Deploy it.\r");
    await terminal.see(/line[^]*\nRun it\? .*$/);
    terminal.type("n");
    await terminal.see(prompt);
    terminal.type("Watch it.\r");
    await terminal.see(/Running/);
    terminal.type("\u0003");
    await terminal.see(/stopped\s+watching\.\n\n> $/);
    terminal.type("/tools\r");
    await terminal.see(/600'?\n\n> $/);
    terminal.type("\u0004");
    expect(await terminal.exit).toBe(0);
    const rows = settled(terminal.lines().join("\n"), machine.home).replaceAll(/\d+\.\d\d s/g, "0.00 s");
    screens.push(`── ${columns} columns ${"─".repeat(columns - 15)}`, rows, "");
  }
  await expect(screens.join("\n")).toMatchFileSnapshot("screens/conversation-with-tools.txt");
});

it("are of every command", () => {
  const waiting = Object.values(WAITING).map(({ args }) => args);
  // The answer of a command is not its help.
  const shown = [COMMANDS, OTHERS, CHANGING]
    .flatMap((table) => Object.values(table))
    .concat(waiting)
    .filter((args) => !args.includes("--help"))
    .map((args) => args.join(" "));
  // What a shell asks for completion, and nobody reads.
  const read = everyCommand()
    .map(({ path }) => path.join(" "))
    .filter((command) => command !== "complete");
  expect(read.filter((command) => !shown.some((line) => `${line} `.startsWith(`${command} `)))).toEqual([]);
});

/** The whole list is laid out as a part of it is. */
const ELSEWHERE = Object.entries(COMMANDS).filter(([name]) => name !== "models-list-all");

/** In the small form on a real terminal: a table, a text, a list of lines, and an error. The others are told so. */
const ON_TERMINAL = new Set(["models-list", "help", "doctor", "error"]);

/** What a command shows on a terminal that tells no size. */
async function showUnsized(machine: Emulated, name: string, args: readonly string[]) {
  if (!isThorough && !ON_TERMINAL.has(name)) return show(machine, args, 0);
  const terminal = openPty(args, machine.home, {
    env: environmentOf(machine),
    rows: 24,
    tells: { columns: 0, rows: 0 },
    lingerSeconds: 0.3,
  });
  const code = await terminal.exit;
  return { code, output: settled(terminal.output(), machine.home) };
}

it.each(ELSEWHERE)("%s needs no width, and ends at one column", async (name, args) => {
  const machine = await machineFor(name);
  const usual = await show(machine, args, 80);
  const unsized = await showUnsized(machine, name, args);
  expect(unsized.code).toBe(usual.code);
  expect(await rowsOf(unsized.output, 80), name).toEqual(await rowsOf(usual.output, 80));
  const narrow = await show(machine, args, 1);
  expect(narrow.code).toBe(usual.code);
  // One column has a line for each word, and a table its first column.
  expect(narrow.output.length).toBeLessThan(3 * usual.output.length);
});
