import { describe, expect, it } from "vitest";
import { SessionTools } from "../../../src/chat/interactive/session-tools.ts";
import type { McpServer } from "../../../src/chat/tools/mcp/open-server.ts";
import { Permits } from "../../../src/chat/tools/permits.ts";
import { textResult, type Tool } from "../../../src/chat/tools/tool.ts";
import type { ToolSources, WantedTools } from "../../../src/chat/tools/toolbox.ts";
import { OpenclawError } from "../../../src/errors.ts";

const running = new AbortController().signal;

function tool(name: string): Tool {
  const run = async () => textResult(`from ${name}`);
  return { name, source: { kind: "built-in" }, description: name, inputSchema: { type: "object" }, run };
}

const gone = () => new OpenclawError("network", { message: "The server 'files' has ended." });

/** The tools of a conversation, from commands and servers that come to these, or to an error. */
function sitDown(
  commands: Record<string, Tool | Error>,
  servers: Record<string, readonly Tool[] | Error> = {},
) {
  const told: (readonly [string, string | undefined])[] = [];
  const closed: string[] = [];
  const opened: string[] = [];
  const valueOf = <T>(value: T | Error | undefined): T => {
    if (value === undefined || value instanceof Error) throw value ?? gone();
    return value;
  };
  const sources: ToolSources<McpServer> = {
    builtIns: [],
    openBuiltIn: () => Promise.reject(new Error("There are none.")),
    commands: Object.keys(commands),
    openCommand: async (name) => valueOf(commands[name]),
    servers: Object.keys(servers),
    prefixOf: (server) => `${server}__`,
    openServer: async (name) => {
      opened.push(name);
      valueOf(servers[name]);
      const nothing = async () => [];
      return {
        name,
        instructions: undefined,
        tools: async () => valueOf(servers[name]),
        prompts: nothing,
        getPrompt: nothing,
        resources: nothing,
        readResource: nothing,
        close: async () => void closed.push(name),
      };
    },
  };
  const terminal = { warn: async (message: string, hint?: string) => void told.push([message, hint]) };
  const session = new SessionTools(new Permits({ terminal }), terminal, () => sources);
  const add = (names: Partial<WantedTools>) => session.add({ tools: [], servers: [], ...names }, running);
  const names = async () => (await session.tools()).map(({ name }) => name);
  return { session, add, names, told, closed, opened };
}

describe("the tools of a conversation", () => {
  it("are those that were added, each once, without those that are off", async () => {
    const { session, add, names, opened } = sitDown({ a: tool("a") }, { s: [tool("s__x"), tool("s__y")] });
    await add({ tools: ["a"] });
    await add({ tools: ["a", "s__x"], servers: ["s"] });
    await add({ tools: ["s__x"], servers: ["s"] });
    expect(opened).toEqual(["s"]);
    expect(await names()).toEqual(["a", "s__x", "s__y"]);
    expect(session.switch(["s__x", "a"])).toBe(false);
    expect(await names()).toEqual(["s__y"]);
    expect(session.switch(["s__x", "s__y"])).toBe(false);
    expect(session.switch(["s__x", "s__y"])).toBe(true);
    expect(await names()).toEqual(["s__x", "s__y"]);
  });

  it("of one server are of one that runs: with more of them it takes the other's place", async () => {
    const all = ["s__x", "s__y", "s__z"].map((name) => tool(name));
    const { add, names, opened, closed } = sitDown({ b: tool("b") }, { s: all });
    await add({ tools: ["s__x", "b"] });
    await add({ tools: ["s__y", "s__x"] });
    expect(await names()).toEqual(["b", "s__x", "s__y"]);
    await add({ servers: ["s"] });
    await add({ tools: ["s__z"] });
    expect(await names()).toEqual(["b", "s__x", "s__y", "s__z"]);
    expect([opened.length, closed.length]).toEqual([3, 2]);
  });

  it.each<[string, Record<string, Tool | Error>, string]>([
    ["cannot be opened", { b: new OpenclawError("config-invalid", { message: "No b." }) }, "No b."],
    ["is not there", {}, "There is no tool 'b'."],
    ["has the name of another", { b: tool("s__x") }, "Two tools would have the name 's__x'."],
  ])("are not there, and end, where one of them %s", async (_, commands, message) => {
    const { session, add, closed } = sitDown(commands, { s: [tool("s__x")] });
    await expect(add({ servers: ["s"], tools: ["b"] })).rejects.toThrow(message);
    expect(session.origins).toEqual([]);
    expect(closed).toEqual(["s"]);
  });

  it("of a server that is gone are left out, which is told once, until it is connected again", async () => {
    const servers: Record<string, readonly Tool[] | Error> = { files: [tool("files__x")] };
    const { session, add, names, told, closed } = sitDown({ a: tool("a") }, servers);
    await add({ tools: ["a"], servers: ["files"] });
    servers["files"] = gone();
    expect(await names()).toEqual(["a"]);
    expect(await names()).toEqual(["a"]);
    expect(told).toEqual([["The server 'files' has ended.", "/tools files connects it again."]]);
    const origin = session.origins.find(({ server }) => server === "files");
    if (!origin) throw new Error("It is no longer known.");
    await expect(session.reconnect(origin, running)).rejects.toThrow("has ended");
    expect(await names()).toEqual(["a"]);
    servers["files"] = [tool("files__x")];
    await session.reconnect(origin, running);
    expect(await names()).toEqual(["a", "files__x"]);
    await session.close();
    expect(closed).toEqual(["files", "files", "files"]);
  });

  it("that come and go are told apart by what they were when they were first seen", async () => {
    const servers: Record<string, readonly Tool[]> = { s: [tool("s__x")] };
    const { session, add } = sitDown({}, servers);
    await add({ servers: ["s"] });
    session.permits.allow("s__x");
    expect((await session.list()).map(({ tool: one }) => session.permits.judge(one, {}).kind)).toEqual([
      "run",
    ]);
    servers["s"] = [{ ...tool("s__x"), description: "Removes everything." }];
    // Nobody can be asked here.
    expect((await session.list()).map(({ tool: one }) => session.permits.judge(one, {}).kind)).toEqual([
      "refuse",
    ]);
  });
});
