import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Dialogue } from "../../src/emulator/emulator.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { isRunning } from "../helpers/is-running.ts";
import { stdioServer } from "../helpers/mcp-server.ts";
import { openPty, openTerminal, type PtyOptions, type Sight } from "../helpers/pty.ts";

const MODEL = "us.anthropic.claude-sonnet-4-6";
const SETTINGS = `{
  agents: { defaults: { model: "${MODEL}" } },
  tools: {
    mark: {
      description: "Makes a mark.",
      command: ["sh", "-c", "cat >> marks.txt; echo marked"],
      input: { type: "object", properties: { word: { type: "string" } } },
    },
    "mark-always": { description: "Marks.", command: ["sh", "-c", "cat >> marks.txt; echo marked"], input: { type: "object" }, allow: "always" },
    "mark-never": { description: "Marks.", command: ["sh", "-c", "cat >> marks.txt; echo marked"], input: { type: "object" }, allow: "never" },
    profile: "minimal",
  },
  mcpServers: { off: { command: "true", disabled: true } },
  templates: { marking: { prompt: "Mark $input.", system: "Be exact.", tools: ["mark"] } },
}`;

const CALL = { name: "mark", input: { word: "one" }, id: "call-1" };
const TWO: Dialogue = [
  { text: "I mark.", toolCalls: [CALL, { ...CALL, input: { word: "two" }, id: "call-2" }] },
  { text: "It came to: $result" },
];

async function machine(dialogue: Dialogue): Promise<Emulated> {
  const emulated = await emulate({ dialogue });
  emulated.configure(SETTINGS);
  return emulated;
}

const withoutCachePoints = (value: unknown): unknown => {
  if (Array.isArray(value))
    return value.filter((item: object) => !Object.hasOwn(Object(item), "cachePoint")).map(withoutCachePoints);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutCachePoints(item)]));
};
const calls = ({ emulator }: Emulated) =>
  emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ body }) => withoutCachePoints(body));
const lastMessage = (emulated: Emulated) =>
  (calls(emulated).at(-1) as { messages: { role: string; content: object[] }[] }).messages.at(-1);
const marks = ({ home }: Emulated): boolean => existsSync(path.join(home, "marks.txt"));

/** What the model is told, in the order of the calls. */
function results(emulated: Emulated): { id: string; status: string; text: string }[] {
  const content = (lastMessage(emulated)?.content ?? []) as {
    toolResult?: { toolUseId: string; status: string; content: { text?: string }[] };
  }[];
  return content.flatMap(({ toolResult }) =>
    toolResult
      ? [
          {
            id: toolResult.toolUseId,
            status: toolResult.status,
            text: toolResult.content.map(({ text = "" }) => text).join(""),
          },
        ]
      : [],
  );
}

describe("a tool that does not end when it is asked to", () => {
  const stuck = "trap '' TERM INT HUP; echo $$ > started; while :; do sleep 1; done";
  const server = `
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => undefined);
    process.stdin.removeAllListeners("end");
    setInterval(() => undefined, 1000);
    answers["tools/call"] = () => void require("node:fs").writeFileSync("started", String(process.pid));`;

  it.each([
    ["a command", "stuck", ["--tool", "stuck"], "SIGINT", 130, ["--json"]],
    ["a command", "stuck", ["--tool", "stuck"], "SIGTERM", 143, ["--ndjson"]],
    ["an MCP server", "off__echo", ["--mcp", "off"], "SIGINT", 130, ["--json"]],
    ["an MCP server", "off__echo", ["--mcp", "off"], "SIGTERM", 143, ["--ndjson"]],
  ] as const)(
    "holds back nothing of what a turn says and keeps: %s %s %j %s",
    async (_, name, tools, by, code, format) => {
      const emulated = await emulate({ dialogue: [{ text: "I wait.", toolCalls: [{ name, input: {} }] }] });
      emulated.configure(
        JSON.stringify({
          agents: { defaults: { model: MODEL } },
          tools: {
            stuck: { description: "Stays.", command: ["sh", "-c", stuck], input: { type: "object" } },
          },
          mcpServers: { off: stdioServer(emulated.home, server) },
        }),
      );
      const args = ["chat", ...tools, "--allow", "*", "--session", "s", ...format, "go"];
      const child = emulated.start(args);
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
      child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
      const file = path.join(emulated.home, "started");
      await expect
        .poll(() => existsSync(file) && readFileSync(file, "utf8") !== "", { timeout: 20_000 })
        .toBe(true);
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.kill(by);
      expect(await closed).toBe(code);
      const said = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
      expect(said["error"] ?? said).toMatchObject({ code: "interrupted", exitCode: code });
      expect(stderr).toContain("openclaw: stopped; kept as far as it came in session s");
      expect(isRunning(Number(readFileSync(file, "utf8")))).toBe(false);
    },
  );
});

describe("chat --tool in a pipe", () => {
  it("says once a turn what --max-cost leaves for an answer, and holds each to it", async () => {
    const round = { toolCalls: [{ name: "mark-always", input: {} }] };
    const emulated = await machine([round, round, round, { text: "Marked." }]);
    const args = ["chat", "--tool", "mark-always", "--max-cost", "0.02", "--session", "s", "go"];
    for (const turn of [1, 2]) {
      const { code, stderr } = await emulated.run(args, { isAlone: true });
      expect(code, String(turn)).toBe(0);
      expect(
        stderr.match(/the answer may have \d+ tokens, which is what --max-cost 0.02 pays for/g),
      ).toHaveLength(1);
    }
    const most = calls(emulated).map(
      (body) => (body as { inferenceConfig?: { maxTokens?: number } }).inferenceConfig?.maxTokens ?? Infinity,
    );
    expect(most.every((tokens) => tokens < 2000)).toBe(true);
    expect(most.slice(0, 4)).toEqual(most.slice(0, 4).toSorted((a, b) => b - a));
  });

  it("runs nothing that is not allowed, says so to the model, and once to the person", async () => {
    const emulated = await machine(TWO);
    const { code, stderr, stdout } = await emulated.run(["chat", "--tool", "mark", "go"], { isAlone: true });
    expect(code).toBe(0);
    expect(marks(emulated)).toBe(false);
    expect(results(emulated)).toMatchObject([
      { id: "call-1", status: "error", text: expect.stringContaining("The call was not run") as string },
      { id: "call-2", status: "error" },
    ]);
    expect(stderr.match(/A call of 'mark' was not run/g)).toHaveLength(1);
    expect(stderr).toContain("hint: Add: --allow mark\n");
    expect(stdout).toContain("I mark.");
  });

  it.each([["mark"], ["m*"], ["*"]])("runs what --allow %s fits", async (pattern) => {
    const emulated = await machine(TWO);
    const allow = ["--allow", "other", "--allow", pattern];
    const { code, stderr, stdout } = await emulated.run(["chat", "--tool", "mark", ...allow, "go"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(results(emulated)).toEqual([
      { id: "call-1", status: "success", text: "marked" },
      { id: "call-2", status: "success", text: "marked" },
    ]);
    expect(stdout).toContain("It came to: ");
  });

  it("runs what the settings always allow, and nothing that they never do", async () => {
    const emulated = await machine([
      {
        toolCalls: [
          { ...CALL, name: "mark-never" },
          { ...CALL, name: "mark-always", id: "call-2" },
        ],
      },
      { text: "Done." },
    ]);
    const tools = ["--tool", "mark-never", "--tool", "mark-always"];
    const { stderr } = await emulated.run(["chat", ...tools, "--allow", "*", "--allow", "mark-never", "go"]);
    expect(results(emulated).map(({ status }) => status)).toEqual(["error", "success"]);
    expect(stderr).toContain("the settings never allow 'mark-never'");
    expect(stderr).toContain("openclaw config set tools.mark-never.allow ask");
  });

  it("gives a model the tools of a template and those of flags besides", async () => {
    const emulated = await machine([{ text: "Done." }]);
    expect((await emulated.run(["chat", "-t", "marking", "--tool", "mark-always", "this"])).code).toBe(0);
    expect(calls(emulated).at(-1)).toMatchObject({
      system: [{ text: "Be exact." }],
      toolConfig: { tools: [{ toolSpec: { name: "mark" } }, { toolSpec: { name: "mark-always" } }] },
    });
  });

  it("shows the tools in the request of a dry run", async () => {
    const emulated = await machine([{ text: "Done." }]);
    const { code, stdout } = await emulated.run(["chat", "--dry-run", "--json", "--tool", "mark", "go"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      request: { toolConfig: { tools: [{ toolSpec: { name: "mark", description: "Makes a mark." } }] } },
    });
    expect(emulated.routes()).not.toContain("ConverseStream");
  });

  it("gives a model no tool that nobody named", async () => {
    const emulated = await machine([{ text: "Done." }]);
    await emulated.run(["chat", "go"]);
    expect(calls(emulated).at(-1)).not.toHaveProperty("toolConfig");
  });

  it.each<[string[], RegExp, RegExp]>([
    [["--allow", "mark", "go"], /--allow is about the calls of tools, and none is named/, /--tool NAME/],
    [["--max-steps", "3", "go"], /--max-steps is about/, /tools list/],
    [["--no-run", "go"], /--no-run is about/, /--mcp SERVER/],
    [["--tool", "mark", "--no-run", "--allow", "mark", "go"], /--no-run none/, /Leave one/],
    [
      ["--tool", "mark", "--tool-result", "x.jsonl"],
      /goes on with a session, and none is named/,
      /--session ID/,
    ],
    [
      ["--tool-result", "x.jsonl", "--session", "s", "-f", "y.png"],
      /--file goes with a question/,
      /Leave one/,
    ],
    [["--tool-result", "-", "--session", "s", "--system-file", "-"], /both read stdin/, /Leave one/],
    [["--tool-result", "-", "--session", "s", "-"], /stdin is both/, /argument/],
    [["--tool-result", "x.jsonl", "--session", "s"], /--tool-result 'x.jsonl' cannot be read/, /toolUseId/],
    [["--tool-result", "-", "--session", "new"], /Session 'new' has no answer yet/, /sessions list/],
    [["--tool", "marc", "go"], /There is no tool 'marc'/, /Did you mean mark\?/],
    [["--tool", "profile", "go"], /There is no tool 'profile'/, /tools list/],
    [["--tool", "shell:.", "go"], /'shell' takes no folder/, /--tool shell/],
    [["--tool", "off", "go"], /but an MCP server of that name/, /--mcp off/],
    [["--mcp", "of", "go"], /no MCP server 'of'/, /Did you mean off\?/],
    [["--tool", "mark", "--max-steps", "0", "go"], /from 1 to 1000/, /./],
  ])("refuses %j before anything is asked", async (args, message, hint) => {
    const emulated = await machine([{ text: "Done." }]);
    const { code, stderr } = await emulated.run(["chat", ...args]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(hint);
    expect(code).toBe(2);
    expect(emulated.routes()).toEqual([]);
  });

  it("does not start a server that is disabled", async () => {
    const emulated = await machine([{ text: "Done." }]);
    const { code, stderr } = await emulated.run(["chat", "--mcp", "off", "go"]);
    expect(stderr).toContain("The MCP server 'off' is disabled.");
    expect(stderr).toContain("openclaw config unset mcpServers.off.disabled");
    expect(code).toBe(3);
  });
});

it("runs many calls at once without a warning of Node's", async () => {
  const toolCalls = Array.from({ length: 14 }, (_, index) => ({
    name: "shell",
    input: { command: "sleep 0.5" },
    id: `call-${index}`,
  }));
  const emulated = await machine([{ toolCalls }, { text: "Done." }]);
  const { code, stdout, stderr } = await emulated.run(["chat", "--tool", "shell", "--allow", "shell", "go"]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "Done.\n", stderr: "" });
});

describe("chat --mcp", () => {
  const ECHO = { name: "files__echo", input: { word: "one" }, id: "call-1" };

  /** A machine whose server writes its process down; `changes` are to what the server does. */
  async function withServer(dialogue: Dialogue, changes = ""): Promise<Emulated> {
    const emulated = await machine(dialogue);
    const say = `require("node:fs").appendFileSync("pids.txt", process.pid + "\\n");`;
    const server = stdioServer(emulated.home, say + changes);
    emulated.configure(
      JSON.stringify({
        agents: { defaults: { model: MODEL } },
        mcpServers: { files: server, other: server },
      }),
    );
    return emulated;
  }
  const started = ({ home }: Emulated): number[] =>
    existsSync(path.join(home, "pids.txt"))
      ? readFileSync(path.join(home, "pids.txt"), "utf8").trimEnd().split("\n").map(Number)
      : [];
  const names = (emulated: Emulated) =>
    (
      calls(emulated).at(-1) as { toolConfig: { tools: { toolSpec: { name: string } }[] } }
    ).toolConfig.tools.map(({ toolSpec }) => toolSpec.name);

  it.each([
    [["--mcp", "files"], ["files__echo"]],
    [["--tool", "files__*"], ["files__echo"]],
    [
      ["--mcp", "files", "--mcp", "other"],
      ["files__echo", "other__echo"],
    ],
  ])("starts with %j what is named, once, and ends it", async (flags, tools) => {
    const emulated = await withServer([{ toolCalls: [ECHO] }, { text: "It came to $result" }]);
    const { code, stdout, stderr } = await emulated.run(["chat", ...flags, "--allow", "files__*", "go"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe('It came to {"word":"one"}\n');
    expect(names(emulated)).toEqual(tools);
    expect(started(emulated)).toHaveLength(tools.length);
    for (const processId of started(emulated)) await expect.poll(() => isRunning(processId)).toBe(false);
  });

  it("starts none that is not named", async () => {
    const emulated = await withServer([{ text: "Done." }]);
    await emulated.run(["chat", "--tool", "read-file", "go"]);
    expect(started(emulated)).toEqual([]);
  });

  it("does not run a tool that has become another since it was allowed", async () => {
    const emulated = await withServer(
      [{ toolCalls: [ECHO] }, { toolCalls: [{ ...ECHO, id: "call-2" }] }, { text: "Done." }],
      `answers.initialize = ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo: { name: "t", version: "1" } });
       let count = 0;
       answers["tools/list"] = () => ({ tools: [tool("echo", { description: "Version " + count })] });
       answers["tools/call"] = ({ arguments: input }) => {
         count += 1;
         send({ method: "notifications/tools/list_changed" });
         return text("run " + count);
       };`,
    );
    const { code, stderr } = await emulated.run(["chat", "--mcp", "files", "--allow", "*", "go"]);
    expect(code).toBe(0);
    expect(results(emulated)).toMatchObject([
      {
        id: "call-2",
        status: "error",
        text: expect.stringContaining("has changed since it was allowed") as string,
      },
    ]);
    expect(stderr).toContain(
      "A call of 'files__echo' was not run: the definition of 'files__echo' has changed",
    );
  });

  it("goes on when a server dies, with what its calls came to, and says so once", async () => {
    const again = (id: string) => ({ toolCalls: [{ ...ECHO, id }] });
    const emulated = await withServer(
      [again("call-1"), again("call-2"), { text: "It came to $result" }],
      `answers["tools/call"] = () => { process.stderr.write("out of disk\\n"); process.exit(9); };`,
    );
    const { code, stdout, stderr } = await emulated.run(["chat", "--mcp", "files", "--allow", "*", "go"]);
    const why = "The MCP server 'files' ended with exit code 9: out of disk";
    expect({ code, stdout }).toEqual({ code: 0, stdout: `It came to ${why}\n` });
    expect(stderr).toBe(
      `warning: ${why}\nhint: Run it by hand to see what it says: openclaw mcp tools files -v\n`,
    );
    expect(results(emulated)).toMatchObject([{ id: "call-2", status: "error", text: why }]);
    expect(names(emulated)).toEqual(["files__echo"]);
  });

  it("refuses a tool that a server does not have, and ends the server", async () => {
    const emulated = await withServer([{ text: "Done." }]);
    const { code, stderr } = await emulated.run(["chat", "--tool", "files__ecko", "go"]);
    expect(stderr).toContain("The MCP server 'files' has no tool 'files__ecko'.");
    expect(stderr).toContain("Did you mean files__echo?");
    expect(code).toBe(2);
    for (const processId of started(emulated)) await expect.poll(() => isRunning(processId)).toBe(false);
  });
});

describe("chat --no-run and --tool-result", () => {
  const left = (emulated: Emulated, ...more: string[]) =>
    emulated.run(["chat", "--tool", "mark", "--no-run", ...more]);
  const goOn = (emulated: Emulated, lines: string, ...more: string[]) =>
    emulated.run(["chat", "--tool", "mark", "--session", "s", "--tool-result", "-", ...more], {
      input: lines,
    });
  const RESULTS =
    '{"toolUseId":"call-2","content":{"n":2}}\n{"toolUseId":"call-1","content":"1","status":"error"}\n';

  it("prints the calls behind the text, JSON a line, and runs none", async () => {
    const emulated = await machine(TWO);
    const { code, stdout, stderr } = await left(emulated, "go");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [text, ...lines] = stdout.trimEnd().split("\n");
    expect(text).toBe("I mark.");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { toolUseId: "call-1", name: "mark", input: { word: "one" } },
      { toolUseId: "call-2", name: "mark", input: { word: "two" } },
    ]);
    expect(marks(emulated)).toBe(false);
  });

  it("has the calls in the steps of the document, with the reason", async () => {
    const emulated = await machine(TWO);
    const { code, stdout } = await left(emulated, "--json", "go");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      text: "I mark.",
      stopReason: "tool_use",
      steps: [
        { stopReason: "tool_use", calls: [{ toolUseId: "call-1", name: "mark" }, { toolUseId: "call-2" }] },
      ],
    });
  });

  it("goes on with the results, in the turn that was left, as often as the model calls", async () => {
    const emulated = await machine([
      ...(TWO as object[]).slice(0, 1),
      ...(TWO as object[]).slice(0, 1),
      { text: "Done." },
    ] as Dialogue);
    expect((await left(emulated, "--session", "s", "-s", "Be brief.", "go")).code).toBe(0);
    const second = await goOn(emulated, RESULTS, "--no-run", "--json");
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(second.stdout)).toMatchObject({ stopReason: "tool_use", session: "s" });
    expect(calls(emulated).at(-1)).toMatchObject({
      system: [{ text: "Be brief." }],
      messages: [
        { role: "user", content: [{ text: "go" }] },
        { role: "assistant", content: [{ text: "I mark." }, { toolUse: {} }, { toolUse: {} }] },
        {
          role: "user",
          content: [
            { toolResult: { toolUseId: "call-1", content: [{ text: "1" }], status: "error" } },
            { toolResult: { toolUseId: "call-2", content: [{ json: { n: 2 } }] } },
          ],
        },
      ],
    });
    const last = await goOn(emulated, RESULTS);
    expect(last.stdout).toBe("Done.\n");
    const { stdout } = await emulated.run(["sessions", "show", "s", "--json"]);
    const { turns } = JSON.parse(stdout) as { turns: object[] };
    expect(turns).toHaveLength(1);
    // The next question has all of it before it.
    await emulated.run(["chat", "--session", "s", "And now?"]);
    expect((calls(emulated).at(-1) as { messages: object[] }).messages).toHaveLength(7);
  });

  it("takes words with the results, and reads no stdin for them", async () => {
    const emulated = await machine(TWO);
    await left(emulated, "--session", "s", "go");
    writeFileSync(path.join(emulated.home, "r.jsonl"), RESULTS);
    const args = ["chat", "--tool", "mark", "--session", "s", "--tool-result", "r.jsonl", "Be brief."];
    expect((await emulated.run(args, { input: "not this" })).code).toBe(0);
    const content = JSON.stringify((calls(emulated).at(-1) as { messages: unknown }).messages);
    expect(content).toContain("Be brief.");
    expect(content).not.toContain("not this");
  });

  it.each([
    ["", /no result for 'call-1' \(mark\) and 'call-2' \(mark\)/],
    ['{"toolUseId":"call-1","content":"1"}', /no result for 'call-2'/],
    [`${RESULTS}{"toolUseId":"call-1","content":"1"}`, /two results for the call 'call-1', in lines 2 and 3/],
    [`${RESULTS}{"toolUseId":"call-3","content":"1"}`, /line 3: the last answer makes no call 'call-3'/],
    ["{", /line 1: it is no JSON/],
  ])("refuses %j before anything is sent, and the turn can go on all the same", async (lines, message) => {
    const emulated = await machine(TWO);
    await left(emulated, "--session", "s", "go");
    const refused = await goOn(emulated, lines);
    expect(refused.stderr).toMatch(message);
    expect(refused.code).toBe(2);
    expect(calls(emulated)).toHaveLength(1);
    expect((await goOn(emulated, RESULTS)).code).toBe(0);
  });

  it("refuses a session whose last answer calls nothing", async () => {
    const emulated = await machine([{ text: "Done." }]);
    await emulated.run(["chat", "--session", "s", "go"]);
    const { code, stderr } = await goOn(emulated, RESULTS);
    expect(stderr).toContain("The last answer of session 's' calls no tool");
    expect(stderr).toContain("openclaw sessions show s");
    expect(code).toBe(2);
  });

  it("takes the same results again when the model failed", async () => {
    const emulated = await machine([
      ...(TWO as object[]).slice(0, 1),
      { error: { name: "AccessDeniedException", message: "not now" } },
    ] as Dialogue);
    await left(emulated, "--session", "s", "go");
    for (let count = 0; count < 2; count += 1) {
      expect(await goOn(emulated, RESULTS)).toMatchObject({
        code: 4,
        stderr: expect.stringContaining("not now") as string,
      });
      expect(results(emulated).map(({ id }) => id)).toEqual(["call-1", "call-2"]);
    }
  });
});

describe("chat --tool at a terminal", () => {
  async function ask(
    dialogue: Dialogue,
    options: PtyOptions = {},
    ...more: string[]
  ): Promise<{ emulated: Emulated; pty: Sight }> {
    const emulated = await machine(dialogue);
    const args = ["chat", "--tool", "mark", ...more, "go"];
    const open = options.tells ? openPty : openTerminal;
    return { emulated, pty: open(args, emulated.home, { ...options, env: emulated.env }) };
  }

  it("asks about each call, and runs it after a yes", async () => {
    const { emulated, pty } = await ask(TWO);
    await pty.see(/mark is to run \(command sh -c/);
    await pty.see('│ {"word":"one"}');
    await pty.see("Run it? [y]es, [a]lways in this session, [N]o:");
    expect(marks(emulated)).toBe(false);
    pty.type("y\r");
    await pty.see('│ {"word":"two"}');
    pty.type("no\r");
    expect(await pty.exit).toBe(0);
    expect(results(emulated)).toMatchObject([
      { status: "success", text: "marked" },
      { status: "error", text: "The call was not run: the person said no." },
    ]);
  });

  it("asks once where the answer is always", async () => {
    const { emulated, pty } = await ask(TWO);
    await pty.see("[N]o:");
    pty.type("a\r");
    expect(await pty.exit).toBe(0);
    expect(results(emulated).map(({ status }) => status)).toEqual(["success", "success"]);
    expect(pty.output().match(/is to run/g)).toHaveLength(1);
  });

  it.each([["\r"], ["n\r"], ["maybe\r"], ["yy\r"], ["\u0004"]])("takes %j as a no", async (typed) => {
    const { emulated, pty } = await ask([{ toolCalls: [CALL] }, { text: "Done." }]);
    await pty.see("[N]o:");
    pty.type(typed);
    expect(await pty.exit).toBe(0);
    expect(marks(emulated)).toBe(false);
    expect(results(emulated)).toMatchObject([{ text: "The call was not run: the person said no." }]);
  });

  it("takes the end of the input as a no to everything that follows", async () => {
    const { emulated, pty } = await ask(TWO);
    await pty.see("[N]o:");
    pty.type("\u0004");
    expect(await pty.exit).toBe(0);
    expect(marks(emulated)).toBe(false);
    expect(results(emulated)).toHaveLength(2);
  });

  it("is not answered by what was typed before the question", async () => {
    const emulated = await machine(TWO);
    const pty = openPty(["chat", "--tool", "mark", "go"], emulated.home, { env: emulated.env });
    // The program is not there yet.
    pty.type("y\ry\ra\ryes");
    await pty.see('│ {"word":"one"}');
    pty.type("\r");
    await pty.see('│ {"word":"two"}');
    pty.type("\r");
    expect(await pty.exit).toBe(0);
    expect(marks(emulated)).toBe(false);
  });

  it("ends with Ctrl-C at the question, and runs nothing", async () => {
    const { emulated, pty } = await ask(TWO);
    await pty.see("[N]o:");
    pty.type("\u0003");
    expect(await pty.exit).toBe(130);
    expect(marks(emulated)).toBe(false);
  });

  it("asks nobody whose input was the prompt, and runs nothing", async () => {
    const emulated = await machine(TWO);
    const pty = openPty(["chat", "--tool", "mark", "-"], emulated.home, { env: emulated.env });
    pty.type("go\r\u0004");
    expect(await pty.exit).toBe(0);
    expect(marks(emulated)).toBe(false);
    expect(results(emulated)).toHaveLength(2);
    expect(pty.output()).toContain("--allow mark");
  });

  it("ends with Ctrl-C while a tool runs, which ends with it", async () => {
    const emulated = await machine([{ toolCalls: [{ name: "sleep", input: {} }] }, { text: "Done." }]);
    emulated.configure(
      `{ agents: { defaults: { model: "${MODEL}" } }, tools: { sleep: { description: "Sleeps.",
        command: ["sh", "-c", "echo $$ > started; sleep 60; touch slept"], input: { type: "object" } } } }`,
    );
    const pty = openPty(["chat", "--tool", "sleep", "go"], emulated.home, { env: emulated.env });
    await pty.see("[N]o:");
    pty.type("y\r");
    const started = path.join(emulated.home, "started");
    await expect
      .poll(() => existsSync(started) && readFileSync(started, "utf8"), { timeout: 5000 })
      .toMatch(/\d/);
    pty.type("\u0003");
    expect(await pty.exit).toBe(130);
    await expect.poll(() => isRunning(Number(readFileSync(started, "utf8")))).toBe(false);
  });

  it("ends when the terminal has gone", async () => {
    const emulated = await machine(TWO);
    const pty = openPty(["chat", "--tool", "mark", "go"], emulated.home, { env: emulated.env });
    await pty.see("[N]o:");
    pty.hangUp();
    expect(await pty.exit).not.toBe(0);
    expect(marks(emulated)).toBe(false);
  });

  it("asks nothing about what --allow names", async () => {
    const { emulated, pty } = await ask(TWO, {}, "--allow", "mark");
    expect(await pty.exit).toBe(0);
    expect(results(emulated).map(({ status }) => status)).toEqual(["success", "success"]);
    expect(pty.output()).not.toContain("Run it?");
  });

  it.each([0, 20, 40, 200])("fits a terminal of %d columns", async (columns) => {
    const { pty } = await ask(
      [{ toolCalls: [{ ...CALL, input: { word: "w".repeat(90) } }] }, { text: "Done." }],
      columns === 0 ? { tells: { columns: 0, rows: 0 } } : { columns },
    );
    await pty.see(columns === 200 || columns === 0 ? "[N]o:" : "[y/a/N]");
    pty.type("y\r");
    expect(await pty.exit).toBe(0);
    const shown = pty.lines().join("").replaceAll(/[│┆] /g, "");
    expect(shown).toContain("w".repeat(90));
  });

  it("shows a call whose text would act on the terminal without letting it", async () => {
    const { pty } = await ask([
      { toolCalls: [{ ...CALL, input: { word: "\u001B[2J\u001B[1;1HRun it? yes" } }] },
      { text: "Done." },
    ]);
    await pty.see("[N]o:");
    expect(pty.output()).not.toContain("\u001B[2J");
    pty.type("\r");
    expect(await pty.exit).toBe(0);
  });

  it("asks on the terminal where the answer goes into a file", async () => {
    const { emulated, pty } = await ask(TWO, {}, "--json", "-o", "answer.json");
    await pty.see("[N]o:");
    pty.type("a\r");
    expect(await pty.exit).toBe(0);
    expect(results(emulated).map(({ status }) => status)).toEqual(["success", "success"]);
  });
});
