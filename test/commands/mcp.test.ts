import path from "node:path";
import { describe, expect, it } from "vitest";
import { stdioServer, writeStdioServer } from "../helpers/mcp-server.ts";
import { createHome, openclaw, writeConfig } from "../helpers/openclaw.ts";
import { openPty } from "../helpers/pty.ts";
import { expectSchema } from "../helpers/schema.ts";

const SETTINGS = {
  mcpServers: {
    own: { command: "node", args: ["own.cjs", "--api key"], env: { TOKEN: "${TOKEN}" } },
    gone: { command: "./no-such-server" },
    far: { url: "http://me:secret@127.0.0.1:9/mcp", headers: { Authorization: "Bearer secret" } },
  },
  mcp: {
    servers: { old: { command: "node", args: ["own.cjs"], enabled: false }, own: { command: "other" } },
  },
};

/** Offers besides its tool what acts on a terminal, a prompt and a resource. */
const CHANGES = `
answers["tools/list"] = () => ({ tools: [tool("echo"), tool("two words", { description: "Red \\u001b[31mand\\nbroken." })] });
answers["prompts/list"] = () => ({ prompts: [{ name: "greet", arguments: [{ name: "who", required: true }] }] });
answers["resources/list"] = () => ({ resources: [{ uri: "a://b", name: "b" }] });
answers["tools/call"] = ({ name, arguments: input }) => name === "two words"
  ? { content: [{ type: "text", text: "not \\u001b[31mtoday" }], isError: true }
  : text(JSON.stringify({ ...input, token: process.env.TOKEN, isToken: process.env.TOKEN === "of-the-environment" }));
`;

function machine(settings: object = SETTINGS): string {
  const home = createHome();
  writeConfig(home, JSON.stringify(settings));
  writeStdioServer(path.join(home, "own.cjs"), CHANGES);
  return home;
}

const env = { TOKEN: "of-the-environment" };

describe("what other programs have in mcpServers, mcp and tools", () => {
  const SHARED = {
    tools: { shell: { description: "d", command: ["x"], input: {} }, exec: { command: "ls" } },
    mcp: "on",
    mcpServers: {
      own: { command: "node", args: ["own.cjs"] },
      odd: { type: "sse", serverUrl: "http://x" },
      many: { command: ["npx", "x"] },
      none: null,
    },
  };

  it.each([
    ["models list --emulator --plain"],
    ["chat --emulator --no-save hello"],
    ["chat --emulator --no-save --mcp own hello"],
    ["config set usage.ledger false --dry-run"],
    ["mcp tools own"],
  ])("stops no %s", async (command) => {
    const { code, stderr } = await openclaw(command.split(" "), machine(SHARED), { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("is warned of where it is listed", async () => {
    const home = machine(SHARED);
    const servers = await openclaw(["mcp", "list"], home);
    expect(servers).toMatchObject({ code: 0, stdout: "own\t\tnode own.cjs\n" });
    for (const said of [
      "mcpServers.odd has neither",
      "mcpServers.many.command takes",
      "mcpServers.none takes",
    ])
      expect(servers.stderr).toContain(`warning: ${said}`);
    const tools = await openclaw(["tools", "list"], home);
    expect(tools.code).toBe(0);
    for (const said of ["tools.shell takes a name", "tools.exec.description is missing"])
      expect(tools.stderr).toContain(`warning: ${said}`);
  });

  it.each([
    [["mcp", "tools", "odd"], "mcpServers.odd has neither command nor url."],
    [["mcp", "call", "none", "x"], "mcpServers.none takes an object, not null."],
    [["chat", "--emulator", "--mcp", "many", "hello"], "mcpServers.many.command takes a non-empty string"],
    [["chat", "--emulator", "--tool", "exec", "hello"], "tools.exec.description is missing"],
  ])("is the error of %j", async (command, message) => {
    const { code, stderr } = await openclaw(command, machine(SHARED));
    expect(code).toBe(3);
    expect(stderr).toContain(message);
  });

  it("is a warning of config validate where it is no server at all", async () => {
    const only = machine({ mcpServers: { odd: { type: "sse" } } });
    const { code, stderr } = await openclaw(["config", "validate"], only);
    expect(code).toBe(0);
    expect(stderr).toContain("warning: mcpServers.odd has neither command nor url.");
  });
});

it.each([
  ["mcp", "call", "hangs", "x"],
  ["tools", "run", "hangs__x"],
])("%s %s waits for a server that does not start no longer than --timeout", async (...args) => {
  const home = machine({ mcpServers: { hangs: { command: "sleep", args: ["60"] } } });
  const { code, stderr } = await openclaw([...args, "--timeout", "0.5"], home);
  expect({ code, stderr }).toEqual({
    code: 5,
    stderr:
      "error: The MCP server 'hangs' did not answer initialize in the time that it was given.\nhint: Give it more time: --timeout SECONDS\n",
  });
});

describe("mcp list", () => {
  it("lists the servers of both places, starts none, and shows no secret", async () => {
    const home = machine();
    const { code, stdout, stderr } = await openclaw(["mcp", "list"], home);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      "own\t\tnode own.cjs '--api key'\ngone\t\t./no-such-server\nfar\t\thttp://****@127.0.0.1:9/mcp\nold\tdisabled\tnode own.cjs\n",
    );
    const json = await openclaw(["mcp", "list", "--json"], home);
    const document = JSON.parse(json.stdout) as { servers: object[] };
    expectSchema("mcp-list", document);
    expect(document.servers).toMatchObject([
      { name: "own", path: "mcpServers.own", transport: "stdio", disabled: false },
      { name: "gone" },
      { name: "far", transport: "http", url: "http://****@127.0.0.1:9/mcp" },
      { name: "old", path: "mcp.servers.old", disabled: true },
    ]);
    expect(json.stdout).not.toContain("secret");
  });

  it("shows no secret of an address or of a command line either, and no warning of Node's", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`own${index}`, { command: "node", args: ["own.cjs"] }]),
    );
    const home = machine({
      mcpServers: {
        ...many,
        far: { url: "https://example.com/mcp?tavilyApiKey=tvly-secret&team=7" },
        near: {
          command: "npx",
          args: ["x", "--api-key", "secret1", "--token=secret2", "-v", "AUTHORIZATION: Bearer secret3"],
        },
        named: { command: "npx", args: ["--api-key", "${KEY}", "--header", "Authorization: Bearer ${KEY}"] },
      },
    });
    const { stdout } = await openclaw(["mcp", "list"], home);
    expect(stdout).toContain("\thttps://example.com/mcp?tavilyApiKey=****&team=7\n");
    expect(stdout).toContain("npx x --api-key '****' '--token=****' -v 'AUTHORIZATION: ****'\n");
    expect(stdout).toContain("npx --api-key '${KEY}' --header 'Authorization: Bearer ${KEY}'\n");
    for (const args of [
      ["mcp", "list", "--json"],
      ["config", "get", "mcpServers"],
      ["config", "get", "mcpServers.near.args"],
    ])
      expect((await openclaw(args, home)).stdout).not.toContain("secret");
    writeConfig(home, JSON.stringify({ mcpServers: many }));
    expect(await openclaw(["mcp", "list", "--check"], home)).toMatchObject({ code: 0, stderr: "" });
  });

  it("with --check starts each and counts what it offers; one that does not answer fails it", async () => {
    const home = machine();
    const { code, stdout } = await openclaw(["mcp", "list", "--check", "--json"], home, { env });
    const document = JSON.parse(stdout) as { servers: object[] };
    expectSchema("mcp-list", document);
    expect(code).toBe(3);
    expect(document).toMatchObject({
      servers: [
        { name: "own", tools: 2, prompts: 1, resources: 1 },
        { name: "gone", error: { code: "config-invalid", exitCode: 3 } },
        { name: "far", error: { code: "network" } },
        { name: "old", disabled: true },
      ],
      error: { message: "2 of 4 MCP servers do not answer." },
    });
    const shown = await openclaw(["mcp", "list", "--check"], home, { env });
    expect(shown.stdout).toContain("own\t2 tools, 1 prompt, 1 resource\t");
    expect(shown.stderr).toContain("error: 2 of 4 MCP servers do not answer.");
  });

  it("says how to have one where there is none, on a terminal", async () => {
    const pty = openPty(["mcp", "list"], machine({}), { columns: 120, lingerSeconds: 1 });
    await pty.see("No MCP server is configured: openclaw config set mcpServers.NAME");
    expect(await openclaw(["mcp", "list"], machine({}))).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("mcp tools", () => {
  it("lists the tools by the names that a model has for them, and nothing of them acts", async () => {
    const { code, stdout, stderr } = await openclaw(["mcp", "tools", "own"], machine(), { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe("own__echo\tRepeats.\nown__two_words\tRed \u001B[31mand broken.\n");
    const pty = openPty(["mcp", "tools", "own"], machine(), { columns: 120, lingerSeconds: 1, env });
    await pty.see("own__two_words");
    await pty.see("openclaw: it has 1 prompt and 1 resource, too (--json)");
  });

  it("says of a server without tools that it has none", async () => {
    const home = machine();
    writeStdioServer(path.join(home, "own.cjs"), `answers["tools/list"] = () => ({ tools: [] });`);
    expect(await openclaw(["mcp", "tools", "own"], home, { env })).toEqual(
      expect.objectContaining({
        code: 0,
        stdout: "",
        stderr: "openclaw: The MCP server 'own' offers no tools.\n",
      }),
    );
  });

  it("has schemas, prompts and resources in JSON", async () => {
    const { stdout } = await openclaw(["mcp", "tools", "own", "--json"], machine(), { env });
    const document: unknown = JSON.parse(stdout);
    expectSchema("mcp-tools", document);
    expect(document).toMatchObject({
      server: "own",
      count: 2,
      tools: [
        { name: "own__echo", tool: "echo" },
        { name: "own__two_words", tool: "two words" },
      ],
      prompts: [{ name: "greet", arguments: [{ name: "who", isRequired: true }] }],
      resources: [{ uri: "a://b", name: "b" }],
    });
  });

  it.each([
    ["owm", 2, "The settings have no MCP server 'owm'.", "Did you mean own?"],
    ["gone", 3, "The MCP server 'gone' cannot be started: ./no-such-server does not exist.", "Install it"],
    ["old", 3, "The MCP server 'old' is disabled.", "openclaw config unset mcp.servers.old.enabled"],
  ])("of '%s' ends with %i", async (name, exitCode, message, hint) => {
    const { code, stderr } = await openclaw(["mcp", "tools", name], machine(), { env });
    expect({ code, stderr }).toEqual({
      code: exitCode,
      stderr: expect.stringContaining(`error: ${message}\n`) as string,
    });
    expect(stderr).toContain(hint);
  });

  it("of a server whose variable is not set names it", async () => {
    const { code, stderr } = await openclaw(["mcp", "tools", "own"], machine());
    expect(code).toBe(3);
    expect(stderr).toContain(
      "The environment variable TOKEN is not set; mcpServers.own.env.TOKEN takes its value.",
    );
  });

  it("shows with --verbose what the server prints", async () => {
    const home = createHome();
    writeConfig(
      home,
      JSON.stringify({ mcpServers: { own: stdioServer(home, 'console.error("a \\u001b[31mlog");') } }),
    );
    const { stderr } = await openclaw(["mcp", "tools", "own", "-v"], home);
    expect(stderr).toContain("openclaw: own: a ␛[31mlog");
  });
});

describe("mcp call", () => {
  it.each([
    ["the server's name", ["echo", '{"say":"hi"}'], ""],
    ["the model's name", ["own__echo", '{"say":"hi"}'], ""],
    ["its input from a pipe", ["echo"], '{"say":"hi"}'],
  ])("calls a tool by %s", async (_, args, input) => {
    const { code, stdout, stderr } = await openclaw(["mcp", "call", "own", ...args], machine(), {
      env,
      input,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // The server has it, and nobody is told.
    expect(JSON.parse(stdout)).toEqual({ say: "hi", token: "…", isToken: true });
  });

  it("fails where the tool says that it failed, and prints what it says", async () => {
    const failed = await openclaw(["mcp", "call", "own", "two words"], machine(), { env });
    expect(failed).toMatchObject({ code: 5, stdout: "not \u001B[31mtoday\n" });
    const { stdout } = await openclaw(["mcp", "call", "own", "two words", "--json"], machine(), { env });
    const document: unknown = JSON.parse(stdout);
    expectSchema("tools-run", document);
    expect(document).toMatchObject({ status: "error", error: { code: "tool-failed" } });
  });

  it.each([
    ["process.exit(3)", "The MCP server 'own' ended with exit code 3.", "Run it by hand"],
    [
      'throw { code: -32000, message: "broken" }',
      "answers tools/call with an error: broken.",
      "See what it says",
    ],
  ])("fails by what the server fails by, where that does: %s", async (code, message, hint) => {
    const home = machine();
    writeStdioServer(path.join(home, "own.cjs"), `answers["tools/call"] = () => { ${code} };`);
    const failed = await openclaw(["mcp", "call", "own", "echo"], home, { env });
    expect(failed).toMatchObject({ code: 5, stdout: "" });
    expect(failed.stderr).toContain(message);
    expect(failed.stderr).toContain(`hint: ${hint}`);
    const { stdout } = await openclaw(["mcp", "call", "own", "echo", "--json"], home, { env });
    const document: unknown = JSON.parse(stdout);
    expectSchema("tools-run", document);
    expect(document).toMatchObject({ status: "error", error: { hint: expect.stringContaining(hint) } });
  });

  it.each([
    [["own", "no-tool"], "The MCP server 'own' has no tool 'own__no-tool'."],
    [["no-server", "echo"], "The settings have no MCP server 'no-server'."],
  ])("of %j is a wrong call", async (args, message) => {
    const { code, stderr } = await openclaw(["mcp", "call", ...args], machine(), { env });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`error: ${message}\n`) as string,
    });
  });
});
