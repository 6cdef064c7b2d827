import { describe, expect, test } from "vitest";
import { textResult, type Tool } from "../../../src/chat/tools/tool.ts";
import { openToolbox, type ToolServer, type ToolSources } from "../../../src/chat/tools/toolbox.ts";
import { OpenclawError } from "../../../src/errors.ts";

function toolOf(name: string, source: Tool["source"]): Tool {
  return {
    name,
    source,
    description: name,
    inputSchema: { type: "object" },
    run: async () => textResult(name),
  };
}

/** Sources with two servers, of which one may not start, and what is running of them. */
function sourcesWith({
  fails,
  tools = ["read", "write", "read_all"],
}: { fails?: string; tools?: string[] } = {}) {
  const running = new Set<string>();
  const opened: string[] = [];
  const sources: ToolSources<ToolServer> = {
    builtIns: [
      { name: "read-file", takesFolder: true, says: "" },
      { name: "shell", takesFolder: false, says: "" },
    ],
    openBuiltIn: async (name, folder) => (
      opened.push(`${name} in ${folder}`),
      toolOf(name, { kind: "built-in", folder })
    ),
    commands: ["deploy", "files__own", "taken__read"],
    openCommand: async (name) => toolOf(name, { kind: "command", command: ["true"] }),
    servers: ["files", "git", "taken", "deploy2"],
    prefixOf: (server) => `${server}__`,
    openServer: async (name) => {
      if (name === fails) throw new Error(`${name} does not start`);
      running.add(name);
      return {
        name,
        tools: async () =>
          tools.map((tool) => toolOf(`${name}__${tool}`, { kind: "server", server: name, tool })),
        close: async () => void running.delete(name),
      };
    },
  };
  return { sources, running, opened, tools };
}

async function namesOf(tools: string[], servers: string[] = []): Promise<string[]> {
  const { sources, running } = sourcesWith();
  const toolbox = await openToolbox({ tools, servers }, sources);
  const names = (await toolbox.tools()).map(({ name }) => name);
  expect([...running]).toEqual(toolbox.servers.map(({ name }) => name));
  await toolbox.close();
  expect([...running]).toEqual([]);
  return names;
}

describe("the toolbox", () => {
  test.each<{ tools: string[]; servers?: string[]; has: string[] }>([
    { tools: [], has: [] },
    { tools: ["shell", "deploy", "shell"], has: ["shell", "deploy"] },
    { tools: [], servers: ["files"], has: ["files__read", "files__write", "files__read_all"] },
    { tools: ["files__read*"], has: ["files__read", "files__read_all"] },
    { tools: ["files__read", "git__write"], has: ["files__read", "git__write"] },
    { tools: ["files__read"], servers: ["files"], has: ["files__read", "files__write", "files__read_all"] },
    { tools: ["git__write", "git__read", "deploy"], has: ["deploy", "git__read", "git__write"] },
    { tools: ["files__own"], has: ["files__own"] },
  ])("has of $tools and $servers what was named: $has", async ({ tools, servers, has }) => {
    expect(await namesOf(tools, servers)).toEqual(has);
  });

  test("hands on a folder with whatever characters it has", async () => {
    const { sources, opened } = sourcesWith();
    await openToolbox({ tools: ["read-file:C:\\a:b"], servers: [] }, sources);
    expect(opened).toEqual(["read-file in C:\\a:b"]);
  });

  test.each<{ tools: string[]; servers?: string[]; message: RegExp; hint: RegExp }>([
    { tools: ["shel"], message: /no tool 'shel'/, hint: /Did you mean shell\?/ },
    { tools: ["qqqqqq"], message: /no tool 'qqqqqq'/, hint: /openclaw tools list/ },
    { tools: [""], message: /no tool ''/, hint: /tools list/ },
    { tools: ["*"], message: /no tool '\*'/, hint: /tools list/ },
    { tools: ["files"], message: /but an MCP server of that name/, hint: /^--mcp files$/ },
    { tools: ["shell:."], message: /'shell' takes no folder/, hint: /--tool shell/ },
    { tools: ["read-file:"], message: /names no folder/, hint: /read-file:\./ },
    { tools: ["read-file:a", "read-file:b"], message: /are one tool, 'read-file'/, hint: /Leave one/ },
    { tools: [], servers: ["file"], message: /no MCP server 'file'/, hint: /Did you mean files\?/ },
    { tools: [], servers: ["qqqqqq"], message: /no MCP server 'qqqqqq'/, hint: /mcp list/ },
    { tools: ["files__raed"], message: /'files' has no tool 'files__raed'/, hint: /mean files__read\?/ },
    { tools: ["files__qqqqqqqqq*"], message: /has no tool/, hint: /openclaw mcp tools files/ },
    {
      tools: ["taken__read"],
      servers: ["taken"],
      message: /and so have the settings/,
      hint: /tools\.taken__read/,
    },
  ])(
    "refuses $tools and $servers, and leaves nothing running",
    async ({ tools, servers = [], message, hint }) => {
      const { sources, running } = sourcesWith();
      const refused = openToolbox({ tools, servers }, sources);
      await expect(refused).rejects.toMatchObject({
        code: "usage",
        message: expect.stringMatching(message) as string,
        hint: expect.stringMatching(hint) as string,
      });
      expect([...running]).toEqual([]);
    },
  );

  test("ends the servers that run when another one does not start", async () => {
    const { sources, running } = sourcesWith({ fails: "git" });
    await expect(openToolbox({ tools: [], servers: ["files", "git"] }, sources)).rejects.toThrow(
      "git does not start",
    );
    expect([...running]).toEqual([]);
  });

  test("has what its servers have now, and no tool that takes the name of another", async () => {
    const { sources, tools } = sourcesWith({ tools: ["read"] });
    const toolbox = await openToolbox({ tools: ["files__own"], servers: ["files"] }, sources);
    tools.splice(0, 1, "write", "own");
    const found = await toolbox.tools();
    expect(found.map(({ name, source }) => [name, source.kind])).toEqual([
      ["files__own", "command"],
      ["files__write", "server"],
    ]);
  });

  describe("of a server that is gone", () => {
    /** A toolbox whose servers list their tools once, and then fail. */
    async function openDying(why: Error, onGone?: (why: OpenclawError) => Promise<void>) {
      const { sources } = sourcesWith();
      const dying: ToolSources<ToolServer> = {
        ...sources,
        openServer: async (name) => {
          const server = await sources.openServer(name);
          let lists = 0;
          const list = async () => {
            lists += 1;
            if (name === "files" && lists > 2) throw why;
            return server.tools();
          };
          return { ...server, tools: list };
        },
      };
      const toolbox = await openToolbox({ tools: ["files__read"], servers: ["git"] }, dying, onGone);
      await toolbox.tools();
      return toolbox;
    }
    const gone = new OpenclawError("service-unavailable", { message: "It has ended." });
    const failed = new OpenclawError("timeout", { message: "It lists nothing any more." });

    test.each([gone, failed])("has what it had, and tells it once: $message", async (why) => {
      const told: OpenclawError[] = [];
      const toolbox = await openDying(why, async (error) => void told.push(error));
      for (let round = 0; round < 3; round += 1)
        expect((await toolbox.tools()).map(({ name }) => name)).toEqual([
          "git__read",
          "git__write",
          "git__read_all",
          "files__read",
        ]);
      expect(told).toEqual([why]);
    });

    test("fails where nobody asks for that, when it is interrupted, and for a bug", async () => {
      await expect((await openDying(gone)).tools()).rejects.toBe(gone);
      const tellNobody = async (): Promise<void> => expect.unreachable();
      const interrupted = new OpenclawError("interrupted", { message: "Interrupted." });
      for (const why of [interrupted, new TypeError("a bug")])
        await expect((await openDying(why, tellNobody)).tools()).rejects.toBe(why);
    });
  });
});
