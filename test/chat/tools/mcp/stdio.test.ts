import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type McpLimits, openServer } from "../../../../src/chat/tools/mcp/open-server.ts";
import { OpenclawError } from "../../../../src/errors.ts";
import { toJson } from "../../../../src/json-numbers.ts";
import { isRunning } from "../../../helpers/is-running.ts";
import { configured, stdioServer } from "../../../helpers/mcp-server.ts";
import { createHome } from "../../../helpers/openclaw.ts";
import { testRuntime, type TestRuntime } from "../../../helpers/test-runtime.ts";

const QUICK: McpLimits = { startMs: 10_000, answerMs: 10_000 };
const signal = new AbortController().signal;

/** A server of one test. */
function prepare(changes = "", env: Record<string, string> = {}, runtimeSignal = signal) {
  const home = createHome();
  const runtime = testRuntime({ home, signal: runtimeSignal });
  runtime.terminal.setMode({ verbose: true });
  return { home, runtime, setting: stdioServer(home, changes, env) };
}

async function open(changes = "", limits = QUICK, env: Record<string, string> = {}) {
  const { runtime, setting, home } = prepare(changes, env);
  const server = await openServer("own", configured("own", setting), runtime, limits);
  onTestFinished(() => server.close());
  return { server, runtime, home };
}

async function failureOf(work: Promise<unknown>): Promise<OpenclawError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(OpenclawError);
  return error as OpenclawError;
}

async function callEcho(changes: string, input = { say: "hi" }, limits = QUICK) {
  const { server, runtime } = await open(changes, limits);
  const [tool] = await server.tools();
  return { result: await tool!.run(input, signal), server, runtime };
}

test("numbers of a server are as it wrote them in schemas and structured results, and plain elsewhere", async () => {
  const { server } = await open(`
    const answer = (id, json) => void process.stdout.write(\`{"jsonrpc":"2.0","id":\${id},"result":\${json}}\\n\`);
    answers["tools/list"] = (_, id) =>
      answer(id, '{"tools":[{"name":"find","inputSchema":{"type":"object","maxProperties":1.0}}]}');
    answers["tools/call"] = (_, id) =>
      answer(id, '{"_meta":{"share":1.0},"content":[],"structuredContent":{"id":12345678901234567890,"share":0.10}}');
  `);
  const [tool] = await server.tools();
  expect(toJson(tool!.inputSchema)).toBe('{"type":"object","maxProperties":1.0}');
  const { content } = await tool!.run({}, signal);
  expect(toJson(content)).toBe('[{"json":{"id":12345678901234567890,"share":0.10}}]');
});

describe("a server that cannot be started", () => {
  const home = createHome;
  test.each<[string, (home: string) => { command: string; cwd?: string }, RegExp]>([
    ["has no command", () => ({ command: "no-such-command" }), /no-such-command is not found on PATH/],
    ["has no file", () => ({ command: "/no/such/file" }), /: \/no\/such\/file does not exist/],
    [
      "is not executable",
      (folder) => {
        writeFileSync(path.join(folder, "plain"), "hi", { mode: 0o644 });
        return { command: path.join(folder, "plain") };
      },
      /plain is not executable/,
    ],
    [
      "is a folder",
      (folder) => {
        mkdirSync(path.join(folder, "folder"));
        return { command: path.join(folder, "folder") };
      },
      /folder is a folder/,
    ],
    [
      "has no folder to run in",
      () => ({ command: "node", cwd: "/no/such" }),
      /folder '\/no\/such' does not exist/,
    ],
  ])("%s: exit 3", async (_, make, message) => {
    const folder = home();
    const setting = { env: { PATH: process.env["PATH"] ?? "" }, cwd: folder, ...make(folder) };
    const failure = await failureOf(
      openServer("own", configured("own", setting), testRuntime({ home: folder })),
    );
    expect(failure).toMatchObject({ exitCode: 3, message: expect.stringMatching(message) as string });
    expect(failure.hint).toContain("openclaw config get mcpServers.own");
  });
});

describe("a server that does not begin well", () => {
  test.each<[string, string, RegExp, number]>([
    [
      "ends at once",
      'process.stderr.write("no database\\n"); process.exit(3);',
      /ended with exit code 3: no database/,
      5,
    ],
    [
      "ends with a stack",
      'throw new Error("no such database");',
      /ended with exit code 1: .*Error: no such database at /,
      5,
    ],
    ["is killed", 'process.kill(process.pid, "SIGKILL");', /was ended by SIGKILL/, 5],
    ["ends when it is asked", "answers.initialize = () => process.exit(0);", /ended with exit code 0/, 5],
    [
      "closes its output and lives on",
      'answers.initialize = () => require("node:fs").closeSync(1); setInterval(() => 0, 1000);',
      /'own' has closed its output, and answers nothing any more\.$/,
      5,
    ],
    [
      "speaks another version",
      'answers.initialize = () => ({ protocolVersion: "1999-01-01", capabilities: {}, serverInfo: { name: "t", version: "1" } });',
      /version is not supported: 1999-01-01/,
      5,
    ],
    [
      "answers with nothing known",
      "answers.initialize = () => ({ a: 1 });",
      /has no usable answer to initialize: protocolVersion: Invalid input: expected string, received undefined\.$/,
      5,
    ],
    ["refuses", 'answers.initialize = () => { throw new Error("not today"); };', /error: not today\.$/, 5],
    [
      "answers what is no JSON-RPC",
      'answers.initialize = (_, id) => void console.log(JSON.stringify({ jsonrpc: "1.0", id, result: {} }));',
      /an answer that is none of JSON-RPC/,
      5,
    ],
    [
      "answers with an endless line",
      'answers.initialize = () => { const write = () => process.stdout.write("x".repeat(1e6), write); write(); };',
      /a message of more than 16 MB/,
      5,
    ],
    [
      "answers too deeply",
      'answers.initialize = (_, id) => void console.log(`{"jsonrpc":"2.0","id":${id},"result":${"[".repeat(5000)}${"]".repeat(5000)}}`);',
      /nested more than 256 levels deep/,
      5,
    ],
  ])("%s", async (_, changes, message, exitCode) => {
    const { runtime, setting } = prepare(changes);
    const failure = await failureOf(openServer("own", configured("own", setting), runtime, QUICK));
    expect(failure).toMatchObject({ exitCode, message: expect.stringMatching(message) as string });
  });

  test.each([
    ["says nothing", "answers.initialize = () => undefined;", ""],
    ["answers with another id", "answers.initialize = () => void send({ id: 4711, result: {} });", ""],
    [
      "prints garbage",
      'console.log("usage: server DATABASE"); answers.initialize = () => undefined;',
      "usage: server DATABASE",
    ],
    ["does not read", "process.stdin.pause().removeAllListeners();setInterval(() => 0, 1000);", ""],
  ])("%s: is ended when its time is up", async (_, changes, said) => {
    const { runtime, setting, home } = prepare(
      `require("node:fs").writeFileSync("pid", String(process.pid));\n${changes}`,
    );
    const failure = await failureOf(
      openServer("own", configured("own", setting), runtime, { ...QUICK, startMs: 700 }),
    );
    expect(failure).toMatchObject({ code: "timeout", message: expect.stringContaining(said) as string });
    expect(failure.message).toContain("did not answer initialize within 0.7 s");
    expect(isRunning(Number(readFileSync(path.join(home, "pid"), "utf8")))).toBe(false);
  });

  test("is named when the time for the answer is up", async () => {
    const stop = new AbortController();
    const { runtime, setting } = prepare("answers.initialize = () => undefined;", {}, stop.signal);
    const opening = failureOf(openServer("own", configured("own", setting), runtime));
    const late = new OpenclawError("timeout", { message: "The model sent nothing.", hint: "More time." });
    setTimeout(() => stop.abort(late), 300);
    expect(await opening).toMatchObject({
      code: "timeout",
      message: "The MCP server 'own' did not answer initialize in the time that it was given.",
      hint: "More time.",
    });
  });

  test("is ended at once when the person does not wait", async () => {
    const stop = new AbortController();
    const { runtime, setting } = prepare("answers.initialize = () => undefined;", {}, stop.signal);
    const opening = failureOf(openServer("own", configured("own", setting), runtime));
    const reason = new OpenclawError("interrupted", { message: "Interrupted." });
    setTimeout(() => stop.abort(reason), 300);
    expect(await opening).toBe(reason);
  });
});

describe("a server", () => {
  test("gets only the environment that it is given, and answers", async () => {
    const changes = 'answers["tools/call"] = () => text(Object.keys(process.env).sort().join());';
    const { server } = await open(changes, QUICK, { TOKEN: "a" });
    const [tool] = await server.tools();
    const { content, isError } = await tool!.run({}, signal);
    expect(isError).toBe(false);
    expect(content).toEqual([{ text: expect.stringMatching(/^(?:LD_LIBRARY_PATH,)?PATH,TOKEN$/) as string }]);
  });

  test("may print banners and logs, which are told to those who ask, and act on nothing", async () => {
    const { result, runtime } = await callEcho(
      'console.log("Server 1.0 \\u001b[31mstarted"); console.log(""); console.log("[1,2]"); process.stderr.write("log \\u001b]0;title\\u0007\\n");',
    );
    expect(result).toEqual({ content: [{ text: '{"say":"hi"}' }], isError: false });
    expect(runtime.stderr()).toContain("own: printed: Server 1.0");
    await vi.waitFor(() => expect(runtime.stderr()).toContain("own: log"));
    expect(runtime.stderr()).not.toContain("\u001B");
  });

  test("answers twice, and unasked", async () => {
    const { result, server } = await callEcho(
      `answers["tools/call"] = (params, id) => {
        send({ id: 999, result: text("stray") });
        send({ id, result: text("first") });
        send({ id, result: text("second") });
        send({ id, error: { code: 1, message: "third" } });
      };`,
    );
    expect(result.content).toEqual([{ text: "first" }]);
    expect(await server.tools()).toHaveLength(1);
  });

  test("is refused what only a program with a model, a person and folders has", async () => {
    const { result } = await callEcho(
      `const wishes = ["sampling/createMessage", "elicitation/create", "roots/list", "ping", "no/such"];
      const got = {};
      let call;
      answers["tools/call"] = (params, id) => {
        call = id;
        wishes.forEach((method, index) => send({ id: "wish" + index, method, params: {} }));
      };
      answers.answer = ({ id, error, result }) => {
        got[wishes[Number(id.slice(4))]] = error?.code ?? result;
        if (Object.keys(got).length === wishes.length) send({ id: call, result: text(JSON.stringify(got)) });
      };`,
    );
    const [{ text }] = result.content as { text: string }[] as [{ text: string }];
    expect(JSON.parse(text)).toEqual({
      "sampling/createMessage": -32_601,
      "elicitation/create": -32_601,
      "roots/list": -32_601,
      ping: {},
      "no/such": -32_601,
    });
  });

  test.each<[string, string, RegExp]>([
    [
      "refuses",
      'answers["tools/call"] = () => { throw new Error("no such table"); };',
      /error: no such table\.$/,
    ],
    [
      "ends",
      'answers["tools/call"] = () => { process.stderr.write("out of memory"); process.exit(134); };',
      /ended with exit code 134: out of memory/,
    ],
    [
      "answers too much",
      'answers["tools/call"] = () => text("x".repeat(17 * 1024 * 1024));',
      /more than 16 MB/,
    ],
    [
      "answers too deeply",
      'answers["tools/call"] = (_, id) => void console.log(`{"jsonrpc":"2.0","id":${id},"result":{"structuredContent":${"[".repeat(300)}${"]".repeat(300)}}}`);',
      /nested more than 256/,
    ],
    ["answers nonsense", 'answers["tools/call"] = (_, id) => send({ id, result: "x" });', /none of JSON-RPC/],
  ])("in a call %s: that is its result", async (_, changes, message) => {
    const { result } = await callEcho(changes);
    expect(result).toMatchObject({
      content: [{ text: expect.stringMatching(message) as string }],
      isError: true,
    });
  });

  test("that never answers a call is told that nobody waits any more", async () => {
    const { result, server } = await callEcho(
      `answers["tools/call"] = ({ arguments: { ask } }, id) => ask ? text(JSON.stringify(notes.at(-1))) : undefined;`,
      { say: "hi" },
      { ...QUICK, answerMs: 400 },
    );
    expect(result.content).toEqual([
      { text: expect.stringContaining("did not answer tools/call within 0.4 s") as string },
    ]);
    const [tool] = await server.tools();
    const { content } = await tool!.run({ ask: true }, signal);
    expect(JSON.parse((content[0] as { text: string }).text)).toMatchObject({
      method: "notifications/cancelled",
    });
  });

  test("is told to stop when the call is, and the call ends with the reason", async () => {
    const { server } = await open(
      `answers["tools/call"] = ({ arguments: { ask } }, id) => ask ? text(JSON.stringify(notes.at(-1))) : undefined;`,
    );
    const [tool] = await server.tools();
    const stop = new AbortController();
    const call = tool!.run({}, stop.signal);
    const reason = new OpenclawError("interrupted", { message: "Stopped." });
    setTimeout(() => stop.abort(reason), 100);
    await expect(call).rejects.toBe(reason);
    const { content } = await tool!.run({ ask: true }, signal);
    expect((content[0] as { text: string }).text).toContain("notifications/cancelled");
  });

  test("that answers with the code of a time-out is not said to be late", async () => {
    const { result } = await callEcho(
      `answers["tools/call"] = () => { throw Object.assign(new Error("no such row"), { code: -32001 }); };`,
    );
    expect(result).toMatchObject({
      content: [{ text: "The MCP server 'own' answers tools/call with an error: no such row." }],
      isError: true,
    });
  });

  test("that has ended between two calls is gone, and says so", async () => {
    const { server } = await open(
      'answers["tools/list"] = () => { setTimeout(() => process.exit(9), 50); return { tools: [tool("echo")] }; };',
    );
    const [tool] = await server.tools();
    await vi.waitFor(() => expect(server.tools()).rejects.toThrow("ended with exit code 9"));
    expect(await tool!.run({}, signal)).toMatchObject({ isError: true });
  });

  test("ends with all that it has started, also what holds its outputs", async () => {
    const { server, home } = await open(
      `const { spawn } = require("node:child_process");
      const child = spawn("sleep", ["60"], { stdio: "inherit" });
      require("node:fs").writeFileSync("pids", process.pid + " " + child.pid);`,
    );
    await server.tools();
    const pids = readFileSync(path.join(home, "pids"), "utf8").split(" ").map(Number);
    expect(pids.map(isRunning)).toEqual([true, true]);
    await server.close();
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  test("that has ended leaves nothing behind, however quiet", async () => {
    const { server, home } = await open(
      `const { spawn } = require("node:child_process");
      const child = spawn("sh", ["-c", "trap '' TERM; echo $$ >pid; sleep 60"], { stdio: "ignore" });
      child.unref();`,
    );
    await vi.waitFor(() => expect(readFileSync(path.join(home, "pid"), "utf8")).toMatch(/\n$/));
    await server.close();
    const pid = Number(readFileSync(path.join(home, "pid"), "utf8"));
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
  });

  test("that will not end is killed", async () => {
    const { server, home } = await open(
      `process.on("SIGTERM", () => 0); process.stdin.removeAllListeners("end");setInterval(() => 0, 1000);
      require("node:fs").writeFileSync("pid", String(process.pid));`,
    );
    await server.close();
    expect(isRunning(Number(readFileSync(path.join(home, "pid"), "utf8")))).toBe(false);
  });

  test("that never reads does not fill the memory", async () => {
    const { server } = await open(
      'answers["tools/list"] = () => { process.stdin.pause(); setInterval(() => 0, 1000); return { tools: [tool("echo")] }; };',
    );
    const [tool] = await server.tools();
    const long = { text: "x".repeat(9 * 1024 * 1024) };
    const results = await Promise.all([1, 2, 3].map(() => tool!.run(long, signal)));
    expect(results.every(({ isError }) => isError)).toBe(true);
    await expect(server.tools()).rejects.toThrow("does not read what it is sent");
  });

  const flood = `const block = '{"jsonrpc":"2.0","method":"notifications/message"}\\n'.repeat(1000);
    const flood = () => { if (process.stdout.write(block)) setImmediate(flood); else process.stdout.once("drain", flood); };`;

  test("that says other things without end is heard where it answers all the same", async () => {
    const { result } = await callEcho(
      `${flood} answers["tools/call"] = () => { flood(); return { content: [{ type: "text", text: "hi" }] }; };`,
    );
    expect(result.content).toEqual([{ text: "hi" }]);
  });

  test("that says other things without end in place of an answer is ended", async () => {
    const limits = { ...QUICK, answerMs: 100_000 };
    const { server } = await open(`${flood} answers["tools/list"] = () => void flood();`, limits);
    const error = await failureOf(server.tools());
    expect(error.message).toBe("The MCP server 'own' sent more than 100000 messages, and no answer.");
  }, 100_000);
});

describe("the tools of a server", () => {
  const namesOf = async (changes: string): Promise<{ names: string[]; runtime: TestRuntime }> => {
    const { server, runtime } = await open(changes);
    return { names: (await server.tools()).map(({ name }) => name), runtime };
  };

  test("come from all pages, in their order", async () => {
    const { names } = await namesOf(
      `answers["tools/list"] = ({ cursor = "0" }) => ({
        tools: Array.from({ length: 50 }, (_, index) => tool("t" + (Number(cursor) + index))),
        ...(Number(cursor) < 450 ? { nextCursor: String(Number(cursor) + 50) } : {}),
      });`,
    );
    expect(names).toEqual(Array.from({ length: 500 }, (_, index) => `own__t${index}`));
  });

  test.each([
    [
      "the same page again",
      `let n = 0; answers["tools/list"] = () => ({ tools: [tool("t" + n++)], nextCursor: "again" });`,
    ],
    [
      "ever more pages",
      `let n = 0; answers["tools/list"] = () => ({ tools: [], nextCursor: "page" + n++ });`,
    ],
    [
      "ever more tools",
      `let n = 0; answers["tools/list"] = () => ({ tools: Array.from({ length: 900 }, () => tool("t" + n++)), nextCursor: "page" + n });`,
    ],
  ])("end somewhere when it lists %s", async (_, changes) => {
    const { names, runtime } = await namesOf(changes);
    expect(names.length).toBeLessThanOrEqual(2000);
    expect(runtime.stderr()).toContain("openclaw: the MCP server 'own' lists more than is read");
  });

  test("that are of no use are left out, each with a notice", async () => {
    const { names, runtime } = await namesOf(
      `let deep = {}; for (let n = 0; n < 100; n++) deep = { items: deep };
      answers["tools/list"] = () => ({ tools: [
        tool("good"), tool("good"), tool(""), tool("x".repeat(501)),
        tool("no-schema", { inputSchema: undefined }), tool("text", { inputSchema: "object" }),
        tool("list", { inputSchema: [] }), tool("string", { inputSchema: { type: "string" } }),
        tool("deep", { inputSchema: deep }), tool("task", { execution: { taskSupport: "required" } }), 7, null,
      ] });`,
    );
    expect(names).toEqual(["own__good"]);
    expect(runtime.stderr().match(/is left out: .*/g)).toHaveLength(9);
  });

  test("have a description and an object schema, whatever is missing", async () => {
    const { server } = await open(
      `answers["tools/list"] = () => ({ tools: [
        tool("said"), tool("blank", { description: " " }), tool("titled", { description: undefined, title: "A title" }),
        tool("annotated", { description: "", annotations: { title: "Annotated" } }),
        tool("long", { description: "x".repeat(1e6) }), tool("open", { inputSchema: { properties: { a: {} } } }),
      ] });`,
    );
    const tools = await server.tools();
    expect(tools.slice(0, 4).map(({ description }) => description)).toEqual([
      "Repeats.",
      "The tool 'blank' of the MCP server 'own'.",
      "A title",
      "Annotated",
    ]);
    expect(tools[4]!.description.length).toBeLessThanOrEqual(10_000);
    expect(tools[5]!.inputSchema).toEqual({ type: "object", properties: { a: {} } });
    expect(tools[0]!.source).toEqual({ kind: "server", server: "own", tool: "said" });
  });

  test("are asked for anew when the server says that they have changed, and only then", async () => {
    const { server } = await open(
      `let n = 0;
      answers["tools/list"] = () => ({ tools: [tool("t" + n++)] });
      answers["tools/call"] = () => { send({ method: "notifications/tools/list_changed" }); return text("done"); };`,
    );
    const [first] = await server.tools();
    expect(await server.tools()).toEqual([first]);
    await first!.run({}, signal);
    expect((await server.tools()).map(({ name }) => name)).toEqual(["own__t1"]);
  });

  test("are none of a server that says it has none; a list that fails is asked for again", async () => {
    const none = await open(
      `answers.initialize = ({ protocolVersion }) => ({ protocolVersion, capabilities: {}, serverInfo: { name: "t", version: "1" } });`,
    );
    expect(await none.server.tools()).toEqual([]);
    expect(await none.server.prompts()).toEqual([]);
    expect(await none.server.resources()).toEqual([]);
    const { server } = await open(
      `let n = 0; answers["tools/list"] = () => { if (n++ === 0) throw new Error("busy"); return { tools: [tool("echo")] }; };`,
    );
    expect(await failureOf(server.tools())).toMatchObject({ code: "bad-response", exitCode: 5 });
    expect(await server.tools()).toHaveLength(1);
  });
});
